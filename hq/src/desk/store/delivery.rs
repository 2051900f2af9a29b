//! When a segment was granted and when it was withdrawn, and what follows: whether it is hidden.
//!
//! All of it follows from the deliveries, from where histories parted and from how far headquarters shows the
//! one that is followed. Between two feeds there is no order: until a pull has read both to their ends, a
//! segment that one gives and the other has withdrawn is shown.

use std::collections::BTreeMap;

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
    /// Whether headquarters still tells it.
    told: Told,
}

/// Whether headquarters still tells what it told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// It does.
    Still,
    /// It showed fewer entries of this history since, and has not come as far again.
    InDoubt,
    /// It tells another history now, in which something else stands there.
    NoMore,
}

/// What one feed says of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Given,
    Withdrawn,
    Nothing,
}

/// What these deliveries of one feed say, counting what is told as surely as `least` or more so. The last
/// counts, in the order of the history that is followed. A withdrawal outside of it still counts, until a
/// grant comes that was not there before it: a grant seen again because a feed was read anew is none.
fn word(feed: &[&Delivered], least: Told) -> Word {
    let last = feed.iter().filter(|d| d.told <= least).max_by_key(|d| d.place.position);
    let Some(last) = last else { return Word::Nothing };
    let Some(grant) = last.grant else { return Word::Withdrawn };
    let mut outside = feed.iter().filter(|d| d.grant.is_none() && d.told > least);
    if outside.all(|withdrawal| answers(feed, grant, withdrawal.place)) {
        Word::Given
    } else {
        Word::Withdrawn
    }
}

/// Whether the grant was given after the withdrawal: in the same history, or never before it.
fn answers(feed: &[&Delivered], grant: Hash, withdrawal: Place) -> bool {
    let at = |place: Place| (place.generation, place.position);
    let seen = || feed.iter().filter(|d| d.grant == Some(grant)).map(|d| at(d.place));
    let after = seen().any(|(g, p)| g == withdrawal.generation && p > withdrawal.position);
    after || !seen().any(|seen| seen < at(withdrawal))
}

/// What every feed says, each judged alone: a device that changes from one key of an agency to another
/// withholds from the first and grants to the second, and a person's no is told to every key that had a grant.
fn words(all: &[Delivered], least: Told) -> Vec<Word> {
    let mut feeds: BTreeMap<FeedId, Vec<&Delivered>> = BTreeMap::new();
    for delivered in all {
        feeds.entry(delivered.place.feed).or_default().push(delivered);
    }
    feeds.values().map(|feed| word(feed, least)).collect()
}

/// Whether a segment with these deliveries is hidden: shown is what some feed gives. In doubt it is hidden.
fn hidden(all: &[Delivered]) -> bool {
    !words(all, Told::Still).contains(&Word::Given)
}

/// Whether it was withdrawn, and nothing that is only in doubt gives it. What is given again after that comes
/// whole, so nothing is lost to a withdrawal that headquarters takes back.
fn withdrawn(all: &[Delivered]) -> bool {
    let words = words(all, Told::InDoubt);
    words.contains(&Word::Withdrawn) && !words.contains(&Word::Given)
}

impl Tx<'_> {
    /// Notes a delivery or a withdrawal; [`Tx::settle`] says what follows.
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
        Ok(())
    }

    /// Hides or shows what the feed ever told from `position` on. True when something was erased.
    pub(in crate::desk) fn settle_from(&self, feed: FeedId, position: u64) -> Result<bool, DeskError> {
        let mut found = self
            .0
            .prepare_cached("SELECT DISTINCT segment FROM delivery WHERE feed = ?1 AND position >= ?2")?;
        let mut rows = found.query(params![&feed.0.0[..], whole(position)?])?;
        let mut erased = false;
        while let Some(row) = rows.next()? {
            erased |= self.settle(Hash(bytes(row.get(0)?, "segment")?))?;
        }
        Ok(erased)
    }

    /// Hides or shows a segment, by everything that was told of it, and erases what was withdrawn. True when
    /// something was erased: then the store is to [let go](super::Store::let_go) of it.
    pub(in crate::desk) fn settle(&self, segment: Hash) -> Result<bool, DeskError> {
        let all = self.deliveries(segment)?;
        let erased = withdrawn(&all) && self.erase(segment)?;
        let hide = hidden(&all);
        let change = "UPDATE segment SET hidden = ?2 WHERE hash = ?1 AND hidden <> ?2";
        self.0.execute(change, params![&segment.0[..], hide])?;
        Ok(erased)
    }

    fn deliveries(&self, segment: Hash) -> Result<Vec<Delivered>, DeskError> {
        let mut found = self.0.prepare_cached(
            "SELECT d.feed, d.generation, d.position, d.granted, d.position >= f.shown,
                 EXISTS (SELECT 1 FROM fork k
                     WHERE k.feed = d.feed AND k.generation > d.generation AND k.position <= d.position)
             FROM delivery d JOIN feed f ON f.feed = d.feed WHERE d.segment = ?1",
        )?;
        let mut rows = found.query([&segment.0[..]])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let feed = FeedId(Hash(bytes(row.get(0)?, "feed")?));
            let place = Place { feed, generation: count(row.get(1)?)?, position: count(row.get(2)?)? };
            let grant: Option<Vec<u8>> = row.get(3)?;
            let grant = grant.map(|hash| Ok::<_, DeskError>(Hash(bytes(hash, "grant")?))).transpose()?;
            let told = match (row.get(5)?, row.get(4)?) {
                (true, _) => Told::NoMore,
                (false, true) => Told::InDoubt,
                (false, false) => Told::Still,
            };
            out.push(Delivered { place, grant, told });
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(generation: u64, position: u64, grant: Option<u8>, told: Told) -> Delivered {
        let place = Place { feed: FeedId(Hash([1; 32])), generation, position };
        Delivered { place, grant: grant.map(|g| Hash([g; 32])), told }
    }

    fn still(generation: u64, position: u64, grant: Option<u8>) -> Delivered {
        at(generation, position, grant, Told::Still)
    }

    fn gone(generation: u64, position: u64, grant: Option<u8>) -> Delivered {
        at(generation, position, grant, Told::NoMore)
    }

    fn elsewhere(delivered: Delivered) -> Delivered {
        Delivered { place: Place { feed: FeedId(Hash([2; 32])), ..delivered.place }, ..delivered }
    }

    #[test]
    fn a_withdrawal_hides_until_a_new_grant_follows_it() {
        let (first, withdrawn, again) = (still(0, 3, Some(1)), still(0, 7, None), still(0, 9, Some(2)));
        assert!(!hidden(&[first]));
        assert!(hidden(&[withdrawn]) && hidden(&[first, withdrawn]));
        assert!(!hidden(&[first, withdrawn, again]));
        assert!(hidden(&[]), "what nobody gives is not shown");
    }

    #[test]
    fn a_feed_read_anew_shows_nothing_that_was_withdrawn_and_ends_where_it_was() {
        let before = [gone(0, 3, Some(1)), gone(0, 7, None)];
        let seen = [&before[..], &[still(1, 3, Some(1))]].concat();
        assert!(hidden(&seen), "the old grant, seen again, is no new one");
        assert!(hidden(&[&seen[..], &[still(1, 7, None)]].concat()));
        let before = [&before[..], &[gone(0, 9, Some(2))]].concat();
        let again = [still(1, 3, Some(1)), still(1, 7, None), still(1, 9, Some(2))];
        for read in 0..=again.len() {
            let seen = [&before[..], &again[..read]].concat();
            assert_eq!(hidden(&seen), read < again.len(), "after {read}");
        }
        let third =
            [&before[..], &again.map(|d| Delivered { told: Told::NoMore, ..d }), &[still(2, 9, Some(2))]];
        assert!(!hidden(&third.concat()), "the second grant followed the withdrawal wherever both were told");
    }

    #[test]
    fn a_grant_that_is_new_in_a_later_history_lifts_an_older_withdrawal() {
        assert!(!hidden(&[still(0, 3, Some(1)), gone(0, 7, None), still(1, 7, Some(2))]));
        assert!(hidden(&[still(0, 3, Some(1)), gone(0, 7, None)]), "and none lifts nothing");
    }

    #[test]
    fn what_headquarters_tells_no_more_or_perhaps_not_is_not_shown() {
        for told in [Told::InDoubt, Told::NoMore] {
            assert!(hidden(&[at(0, 3, Some(1), told)]));
            assert!(hidden(&[still(0, 3, Some(1)), at(0, 7, None, told)]), "the no may be lost there");
        }
    }

    #[test]
    fn each_feed_is_judged_alone_and_one_that_gives_is_enough() {
        let withdrawn = [still(0, 3, Some(1)), still(0, 7, None)];
        let other = elsewhere(still(0, 0, Some(2)));
        assert!(!hidden(&[&withdrawn[..], &[other]].concat()), "the device went on to another key");
        let both = [&withdrawn[..], &[other, elsewhere(still(0, 1, None))]].concat();
        assert!(hidden(&both), "a person's no reaches every key");
        assert!(hidden(&[elsewhere(gone(0, 0, Some(2))), withdrawn[0], withdrawn[1]]));
    }

    #[test]
    fn what_is_only_in_doubt_is_not_erased() {
        let no = [still(0, 3, Some(1)), still(0, 7, None)];
        assert!(super::withdrawn(&no));
        assert!(super::withdrawn(&[still(0, 3, Some(1)), at(0, 7, None, Told::InDoubt)]));
        assert!(
            super::withdrawn(&[still(0, 3, Some(1)), gone(0, 7, None)]),
            "the old grant does not undo it"
        );
        for told in [Told::Still, Told::InDoubt] {
            let given = at(0, 3, Some(1), told);
            assert!(!super::withdrawn(&[given]));
            assert!(!super::withdrawn(&[no[0], no[1], elsewhere(given)]), "another feed may give it again");
        }
        assert!(!super::withdrawn(&[gone(0, 3, Some(1))]) && !super::withdrawn(&[]));
    }
}
