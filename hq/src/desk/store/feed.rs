//! Feeds, their links, and entries that could not be taken.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{ASIDE_BYTES_MAX, ASIDE_MAX, FRAME_BYTES_MAX};
use amparo_schema::wire::feed::{Cursor, FeedId};
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::{Place, Tx, bytes, count, whole};
use crate::desk::DeskError;
use crate::desk::opening::Why;

/// A feed as it was left.
pub(in crate::desk) struct Feed {
    /// How far it was read.
    pub(in crate::desk) cursor: Cursor,
    /// Which history of it is followed.
    pub(in crate::desk) generation: u64,
    /// Entries that headquarters had when it last told.
    pub(in crate::desk) head: u64,
    /// How far of what was read headquarters shows; all of it, unless it lost some.
    pub(in crate::desk) shown: u64,
}

/// Where one feed stands, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedState {
    /// The feed.
    pub feed: Hash,
    /// Entries read.
    pub read: u64,
    /// Entries that headquarters had when it last told.
    pub head: u64,
    /// How often headquarters' history turned out to be another one than before.
    pub resets: u64,
    /// The first entry that was another one, at the last reset.
    pub forked_at: Option<u64>,
    /// How far headquarters shows what was read, while that is not all: it lost some, or the page is old.
    pub behind_at: Option<u64>,
}

/// An entry that was set aside. It delays nothing but itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aside {
    /// SHA-256 of the entry, labelled; names it.
    pub hash: Hash,
    /// Where it stood.
    pub position: u64,
    /// Why, as a fixed word.
    pub why: String,
    /// When it came, milliseconds since 1970 by the desk's clock.
    pub received_ms: i64,
    /// The device whose certificate it showed.
    pub device: Option<DeviceId>,
}

/// An entry to be set aside.
pub(in crate::desk) struct NewAside<'a> {
    /// The entry.
    pub(in crate::desk) entry: &'a [u8],
    /// Why, as a fixed word.
    pub(in crate::desk) why: &'static str,
    /// The device whose certificate it shows.
    pub(in crate::desk) device: Option<DeviceId>,
    /// Who tried to read it.
    pub(in crate::desk) reader: Hash,
    /// Where it stands.
    pub(in crate::desk) place: &'a Place,
    /// When it came, by the desk's clock.
    pub(in crate::desk) received_ms: i64,
}

impl Tx<'_> {
    /// The feed; at its start when it was never read.
    pub(in crate::desk) fn feed(&self, feed: FeedId) -> Result<Feed, DeskError> {
        let row: Option<(i64, Vec<u8>, i64, i64, i64)> = self
            .0
            .query_row(
                "SELECT read, link, generation, head, shown FROM feed WHERE feed = ?1",
                [&feed.0.0[..]],
                |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)),
            )
            .optional()?;
        let Some((read, link, generation, head, shown)) = row else {
            return Ok(Feed { cursor: Cursor::start(feed), generation: 0, head: 0, shown: 0 });
        };
        let cursor = Cursor { feed, read: count(read)?, link: Hash(bytes(link, "link")?) };
        Ok(Feed { cursor, generation: count(generation)?, head: count(head)?, shown: count(shown)? })
    }

    /// Keeps how far the feed was read.
    pub(in crate::desk) fn keep_feed(&self, feed: &Feed) -> Result<(), DeskError> {
        self.0.execute(
            "INSERT INTO feed (feed, read, link, head, generation, shown) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (feed) DO UPDATE
             SET read = ?2, link = ?3, head = ?4, generation = ?5, shown = ?6",
            params![
                &feed.cursor.feed.0.0[..],
                whole(feed.cursor.read)?,
                &feed.cursor.link.0[..],
                whole(feed.head)?,
                whole(feed.generation)?,
                whole(feed.shown)?,
            ],
        )?;
        Ok(())
    }

    /// Keeps the link after the entry at `position`.
    pub(in crate::desk) fn keep_link(&self, at: &Cursor, position: u64) -> Result<(), DeskError> {
        self.0.execute(
            "INSERT INTO place (feed, position, link) VALUES (?1, ?2, ?3)",
            params![&at.feed.0.0[..], whole(position)?, &at.link.0[..]],
        )?;
        Ok(())
    }

    /// The link after the entry at `position` of the history that is followed.
    pub(in crate::desk) fn link(&self, feed: FeedId, position: u64) -> Result<Option<Hash>, DeskError> {
        let found: Option<Vec<u8>> = self
            .0
            .query_row(
                "SELECT link FROM place WHERE feed = ?1 AND position = ?2",
                params![&feed.0.0[..], whole(position)?],
                |r| r.get(0),
            )
            .optional()?;
        found.map(|link| Ok(Hash(bytes(link, "link")?))).transpose()
    }

    /// From `position` on another history, `generation`, is followed: forgets the links of the one before.
    pub(in crate::desk) fn fork(
        &self,
        feed: FeedId,
        generation: u64,
        position: u64,
    ) -> Result<(), DeskError> {
        let id = &feed.0.0[..];
        self.0
            .execute("DELETE FROM place WHERE feed = ?1 AND position >= ?2", params![id, whole(position)?])?;
        self.0.execute(
            "INSERT INTO fork (feed, generation, position) VALUES (?1, ?2, ?3)",
            params![id, whole(generation)?, whole(position)?],
        )?;
        Ok(())
    }

    /// Where every feed stands.
    pub(in crate::desk) fn feeds(&self) -> Result<Vec<FeedState>, DeskError> {
        let mut found = self.0.prepare_cached(
            "SELECT f.feed, f.read, f.head, f.generation, f.shown, k.position
             FROM feed f LEFT JOIN fork k ON k.feed = f.feed AND k.generation = f.generation ORDER BY f.feed",
        )?;
        let mut rows = found.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let (read, shown) = (count(row.get(1)?)?, count(row.get(4)?)?);
            out.push(FeedState {
                feed: Hash(bytes(row.get(0)?, "feed")?),
                read,
                head: count(row.get(2)?)?,
                resets: count(row.get(3)?)?,
                forked_at: row.get::<_, Option<i64>>(5)?.map(count).transpose()?,
                behind_at: (shown < read).then_some(shown),
            });
        }
        Ok(out)
    }

    /// Sets an entry aside, once; one that lies there has the place that it has now. False when its device, or
    /// all that shows none together, has no room left: then it is only counted.
    pub(in crate::desk) fn set_aside(&self, new: &NewAside<'_>) -> Result<bool, DeskError> {
        let (hash, device) = (aside_hash(new.entry), new.device.map(|id| id.0.to_vec()));
        let place = (whole(new.place.generation)?, whole(new.place.position)?);
        self.0.execute(
            "INSERT OR IGNORE INTO aside_place SELECT hash, feed, generation, position FROM aside WHERE hash = ?1",
            [&hash.0[..]],
        )?;
        let moved = self.0.execute(
            "UPDATE aside SET feed = ?2, generation = ?3, position = ?4, why = ?5, reader = ?6 WHERE hash = ?1",
            params![&hash.0[..], &new.place.feed.0.0[..], place.0, place.1, new.why, &new.reader.0[..]],
        )?;
        if moved > 0 {
            return Ok(true);
        }
        // What the keys here open is not kept beside them: it could not be found there to be erased.
        let kept = new.entry.len() <= FRAME_BYTES_MAX && new.why != Why::CaseFull.as_str();
        let bytes = kept.then_some(new.entry);
        let size = u64::try_from(bytes.map_or(0, <[u8]>::len)).unwrap_or(u64::MAX);
        let (kept, kept_bytes): (i64, i64) = self.0.query_row(
            "SELECT count(*), coalesce(sum(size), 0) FROM aside WHERE device IS ?1",
            [&device],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
        if count(kept)? >= ASIDE_MAX || count(kept_bytes)?.saturating_add(size) > ASIDE_BYTES_MAX {
            return Ok(false);
        }
        self.0.execute(
            "INSERT INTO aside
                 (hash, feed, generation, position, why, received_ms, device, reader, size, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                &hash.0[..],
                &new.place.feed.0.0[..],
                place.0,
                place.1,
                new.why,
                new.received_ms,
                device,
                &new.reader.0[..],
                whole(size)?,
                bytes,
            ],
        )?;
        Ok(true)
    }

    /// What was set aside and this reader has not tried.
    pub(in crate::desk) fn aside_untried(&self, reader: Hash) -> Result<Vec<Hash>, DeskError> {
        let mut found = self.0.prepare_cached(
            "SELECT hash FROM aside WHERE reader <> ?1 ORDER BY received_ms, position, hash",
        )?;
        let mut rows = found.query([&reader.0[..]])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(Hash(bytes(row.get(0)?, "hash")?));
        }
        Ok(out)
    }

    /// Notes that this reader has tried all of it.
    pub(in crate::desk) fn all_tried(&self, reader: Hash) -> Result<(), DeskError> {
        self.0.execute("UPDATE aside SET reader = ?1 WHERE reader <> ?1", [&reader.0[..]])?;
        Ok(())
    }

    /// What was set aside, in the order of its coming.
    pub(in crate::desk) fn aside(&self) -> Result<Vec<Aside>, DeskError> {
        let mut found = self.0.prepare_cached(
            "SELECT hash, position, why, received_ms, device FROM aside
             ORDER BY received_ms, position, hash",
        )?;
        let mut rows = found.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let device: Option<Vec<u8>> = row.get(4)?;
            out.push(Aside {
                device: device.map(|id| bytes(id, "device").map(DeviceId)).transpose()?,
                hash: Hash(bytes(row.get(0)?, "hash")?),
                position: count(row.get(1)?)?,
                why: row.get(2)?,
                received_ms: row.get(3)?,
            });
        }
        Ok(out)
    }

    /// One entry that was set aside, with its place and time, to be tried again; none when it was too large
    /// to be kept.
    pub(in crate::desk) fn aside_entry(
        &self,
        hash: Hash,
    ) -> Result<Option<(Place, i64, Vec<u8>)>, DeskError> {
        let mut found = self.0.prepare_cached(
            "SELECT feed, generation, position, received_ms, bytes FROM aside
             WHERE hash = ?1 AND bytes IS NOT NULL",
        )?;
        let mut rows = found.query([&hash.0[..]])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let feed = FeedId(Hash(bytes(row.get(0)?, "feed")?));
        let place = Place { feed, generation: count(row.get(1)?)?, position: count(row.get(2)?)? };
        Ok(Some((place, row.get(3)?, row.get(4)?)))
    }

    /// Lets go of an entry that was taken after all.
    pub(in crate::desk) fn taken_after_all(&self, hash: Hash) -> Result<(), DeskError> {
        self.0.execute("DELETE FROM aside WHERE hash = ?1", [&hash.0[..]])?;
        self.0.execute("DELETE FROM aside_place WHERE hash = ?1", [&hash.0[..]])?;
        Ok(())
    }

    /// Where an entry that lies aside stood before the place that it has now, in that order.
    pub(in crate::desk) fn aside_places(&self, hash: Hash) -> Result<Vec<Place>, DeskError> {
        let mut found = self.0.prepare_cached(
            "SELECT feed, generation, position FROM aside_place WHERE hash = ?1 ORDER BY generation, position",
        )?;
        let mut rows = found.query([&hash.0[..]])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let feed = FeedId(Hash(bytes(row.get(0)?, "feed")?));
            out.push(Place { feed, generation: count(row.get(1)?)?, position: count(row.get(2)?)? });
        }
        Ok(out)
    }
}

fn aside_hash(entry: &[u8]) -> Hash {
    Hash::of("amparo-desk-aside-1", &[entry])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::store::Store;

    /// Each device has a share, and so have all that nobody signed for together.
    #[test]
    fn one_device_pushes_out_nothing_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let key = amparo_seal::secret::Key::new(&[1; 32]);
        let mut store = Store::open(&dir.path().join("desk.db"), &key).unwrap();
        let tx = store.begin().unwrap();
        let reader = Hash([7; 32]);
        let place = Place { feed: FeedId(Hash([1; 32])), generation: 0, position: 0 };
        let aside = |n: u64, device: Option<u8>| {
            let (entry, device) = (n.to_be_bytes(), device.map(|d| DeviceId([d; 16])));
            let new =
                NewAside { entry: &entry, why: "synthetic", device, reader, place: &place, received_ms: 0 };
            tx.set_aside(&new).unwrap()
        };
        assert!((0..ASIDE_MAX).all(|n| aside(n, Some(1))));
        assert!(!aside(ASIDE_MAX, Some(1)), "its share is used up");
        assert!(aside(0, Some(1)), "what lies there is only moved");
        assert!(aside(ASIDE_MAX, Some(2)) && aside(ASIDE_MAX + 1, None));
        // Eight bytes are kept of each.
        let full = i64::try_from(ASIDE_BYTES_MAX - 8).unwrap();
        tx.0.execute("UPDATE aside SET size = ?1 WHERE device = ?2", params![full, &[2_u8; 16][..]]).unwrap();
        assert!(aside(ASIDE_MAX + 2, Some(2)) && !aside(ASIDE_MAX + 3, Some(2)));
        assert_eq!(tx.aside().unwrap().len() as u64, ASIDE_MAX + 3);
    }
}
