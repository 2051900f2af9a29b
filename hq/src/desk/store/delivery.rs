//! When a segment was granted and when it was withdrawn, and what follows: whether it is hidden.

use amparo_schema::id::Hash;
use amparo_schema::wire::feed::FeedId;
use rusqlite::params;

use super::{Tx, bytes, count, whole};
use crate::desk::DeskError;

/// Where an entry stood: in which feed, in which of its histories, at which position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::desk) struct Place {
    /// The feed.
    pub(in crate::desk) feed: FeedId,
    /// The history.
    pub(in crate::desk) generation: u64,
    /// The position, from 0.
    pub(in crate::desk) position: u64,
}

/// One delivery of a segment, or one withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Delivered {
    /// Where.
    place: Place,
    /// Which grant; none for a withdrawal.
    grant: Option<Hash>,
}

/// Whether a segment with these deliveries is hidden. A withdrawal hides it until a grant comes that its own
/// feed shows after it; a grant that was there before, seen again because a feed was read anew, is none.
/// In doubt it is hidden.
fn hidden(all: &[Delivered]) -> bool {
    let withdrawals = || all.iter().filter(|d| d.grant.is_none());
    withdrawals().any(|w| !all.iter().any(|g| g.grant.is_some() && lifts(all, g, w)))
}

/// Whether this sighting of a grant stands after the withdrawal.
fn lifts(all: &[Delivered], grant: &Delivered, withdrawal: &Delivered) -> bool {
    let (g, w) = (grant.place, withdrawal.place);
    if g.feed != w.feed {
        return false;
    }
    if g.generation == w.generation {
        return g.position > w.position;
    }
    let there_before = all
        .iter()
        .any(|d| d.grant == grant.grant && d.place.feed == w.feed && d.place.generation <= w.generation);
    g.generation > w.generation && !there_before
}

impl Tx<'_> {
    /// Notes a delivery and hides or shows the segment, if it is here.
    pub(in crate::desk) fn deliver(
        &self,
        segment: Hash,
        place: &Place,
        grant: Option<Hash>,
    ) -> Result<(), DeskError> {
        self.0.execute(
            "INSERT INTO delivery (feed, generation, position, segment, granted) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
            params![
                &place.feed.0.0[..],
                whole(place.generation)?,
                whole(place.position)?,
                &segment.0[..],
                grant.map(|hash| hash.0.to_vec()),
            ],
        )?;
        self.settle(segment)
    }

    /// Hides what was given from `position` on: headquarters lost it, and perhaps a withdrawal with it. It is
    /// shown again when it is given again.
    pub(in crate::desk) fn doubt(&self, feed: FeedId, position: u64) -> Result<(), DeskError> {
        self.0.execute(
            "UPDATE segment SET hidden = 1
             WHERE hash IN (SELECT segment FROM delivery WHERE feed = ?1 AND position >= ?2)",
            params![&feed.0.0[..], whole(position)?],
        )?;
        Ok(())
    }

    /// Shows again what is given before `end` as it was before, from the place on from which it was doubted,
    /// unless something else hides it.
    pub(in crate::desk) fn confirm(&self, feed: FeedId, end: u64) -> Result<(), DeskError> {
        let mut found = self.0.prepare_cached(
            "SELECT d.segment FROM delivery d JOIN feed f ON f.feed = d.feed
             WHERE d.feed = ?1 AND d.position >= f.behind_at AND d.position < ?2",
        )?;
        let mut rows = found.query(params![&feed.0.0[..], whole(end)?])?;
        while let Some(row) = rows.next()? {
            self.settle(Hash(bytes(row.get(0)?, "segment")?))?;
        }
        Ok(())
    }

    fn settle(&self, segment: Hash) -> Result<(), DeskError> {
        let hide = hidden(&self.deliveries(segment)?);
        let change = "UPDATE segment SET hidden = ?2 WHERE hash = ?1 AND hidden <> ?2";
        self.0.execute(change, params![&segment.0[..], hide])?;
        Ok(())
    }

    fn deliveries(&self, segment: Hash) -> Result<Vec<Delivered>, DeskError> {
        let mut found = self
            .0
            .prepare_cached("SELECT feed, generation, position, granted FROM delivery WHERE segment = ?1")?;
        let mut rows = found.query([&segment.0[..]])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let feed = FeedId(Hash(bytes(row.get(0)?, "feed")?));
            let place = Place { feed, generation: count(row.get(1)?)?, position: count(row.get(2)?)? };
            let grant: Option<Vec<u8>> = row.get(3)?;
            let grant = grant.map(|hash| Ok::<_, DeskError>(Hash(bytes(hash, "grant")?))).transpose()?;
            out.push(Delivered { place, grant });
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(generation: u64, position: u64, grant: Option<u8>) -> Delivered {
        let feed = FeedId(Hash([1; 32]));
        Delivered { place: Place { feed, generation, position }, grant: grant.map(|g| Hash([g; 32])) }
    }

    #[test]
    fn a_withdrawal_hides_until_a_new_grant_follows_it() {
        let (first, withdrawn, again) = (at(0, 3, Some(1)), at(0, 7, None), at(0, 9, Some(2)));
        assert!(!hidden(&[first]));
        assert!(hidden(&[withdrawn]) && hidden(&[first, withdrawn]));
        assert!(!hidden(&[first, withdrawn, again]));
    }

    #[test]
    fn a_feed_read_anew_shows_nothing_that_was_withdrawn_and_ends_where_it_was() {
        let mut seen = vec![at(0, 3, Some(1)), at(0, 7, None)];
        seen.push(at(1, 3, Some(1)));
        assert!(hidden(&seen), "the old grant, seen again, is no new one");
        seen.push(at(1, 7, None));
        assert!(hidden(&seen));
        let mut granted_again = vec![at(0, 3, Some(1)), at(0, 7, None), at(0, 9, Some(2))];
        for next in [at(1, 3, Some(1)), at(1, 7, None), at(1, 9, Some(2))] {
            granted_again.push(next);
        }
        assert!(!hidden(&granted_again));
    }

    #[test]
    fn a_grant_that_is_new_in_a_later_history_lifts_an_older_withdrawal() {
        assert!(!hidden(&[at(0, 3, Some(1)), at(0, 7, None), at(1, 4, Some(2))]));
    }
}
