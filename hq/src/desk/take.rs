//! Following feeds: pages in, segments and facts into the store.
//!
//! Owns the comparison of histories. A page that begins where the desk stands goes on; one that repeats what
//! was read is compared link by link; where it differs, headquarters' history is another one: the desk says
//! so, follows the new one from there, and what it has already is not counted twice. Never lets the cursor
//! move without what was read, nor the other way.

use amparo_schema::id::Hash;
use amparo_schema::limits::DOWN_BYTES_MAX;
use amparo_schema::wire::feed::{Cursor, FeedId, Page};

use super::opening::{Opened, Refused, Why, open_entry, reader};
use super::store::{Feed, NewAside, NewSegment, Place, Tx};
use super::{Desk, DeskError, Keys};

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Where to ask next. It lies before the place to which the desk has read while a page that headquarters
    /// began anew is compared with what was read: asking from the end again would bring the same page again.
    pub next: Cursor,
    /// Segments that were new.
    pub segments: u64,
    /// Segments that were here already.
    pub repeated: u64,
    /// Withdrawals.
    pub withdrawn: u64,
    /// Entries set aside.
    pub aside: u64,
    /// Of these, entries that were not kept, because there is no more room for such of their device.
    pub lost: u64,
    /// The first entry at which headquarters' history turned out to be another one.
    pub forked_at: Option<u64>,
    /// The page begins after the place to which the desk has read: nothing was taken, ask again.
    pub gap: bool,
    /// The page goes on from a link that the desk never saw: nothing was taken, ask again.
    pub unlinked: bool,
    /// Headquarters shows fewer entries than the desk has read: it lost some, or the page is old.
    pub behind: bool,
    /// There is more to ask for.
    pub more: bool,
}

impl Taken {
    fn nothing(next: Cursor) -> Self {
        Self {
            next,
            segments: 0,
            repeated: 0,
            withdrawn: 0,
            aside: 0,
            lost: 0,
            forked_at: None,
            gap: false,
            unlinked: false,
            behind: false,
            more: false,
        }
    }
}

impl Desk {
    /// Takes a page. `now_ms` is the desk's clock, milliseconds since 1970. A page may come late, twice, in
    /// any order.
    ///
    /// # Errors
    /// [`DeskError::OtherFeed`], [`DeskError::NotAPage`], those of the store; nothing was taken then.
    pub fn take(&mut self, page: &Page, now_ms: i64) -> Result<Taken, DeskError> {
        let feed = page.from.feed;
        if !self.keys.read.iter().any(|key| FeedId::recipient(key.public().id()) == feed) {
            return Err(DeskError::OtherFeed);
        }
        check(page)?;
        let keys = &self.keys;
        let tx = self.store.begin()?;
        let (taken, erased) = follow(&tx, keys, page, now_ms)?;
        tx.commit()?;
        if erased {
            self.store.let_go()?;
        }
        Ok(taken)
    }

    /// Tries everything again that was set aside by a desk with other keys or of another build. Gives how many
    /// were taken.
    ///
    /// # Errors
    /// Those of the store; nothing was taken then.
    pub fn retry_aside(&mut self) -> Result<u64, DeskError> {
        let keys = &self.keys;
        let tx = self.store.begin()?;
        let reader = reader(keys);
        let (mut taken, mut erased) = (0, false);
        for hash in tx.aside_untried(reader)? {
            let Some((place, received_ms, entry)) = tx.aside_entry(hash)? else { continue };
            if let Ok(opened) = read(&tx, keys, &entry)? {
                let nothing = &mut Taken::nothing(Cursor::start(place.feed));
                let segment = keep(&tx, opened, &place, received_ms, nothing)?;
                // It was given at each of its places; what came after one of them came after it.
                for before in tx.aside_places(hash)? {
                    if let Ok(opened) = open_entry(&entry, keys) {
                        keep(&tx, opened, &before, received_ms, nothing)?;
                    }
                }
                erased |= tx.settle(segment)?;
                tx.taken_after_all(hash)?;
                taken += 1;
            }
        }
        tx.all_tried(reader)?;
        tx.commit()?;
        if erased {
            self.store.let_go()?;
        }
        Ok(taken)
    }
}

fn check(page: &Page) -> Result<(), DeskError> {
    let bytes = page.entries.iter().fold(0_usize, |sum, entry| sum.saturating_add(entry.0.len()));
    let entries = u64::try_from(page.entries.len()).map_err(|_| DeskError::NotAPage)?;
    let end = page.from.read.checked_add(entries).ok_or(DeskError::NotAPage)?;
    let bounded = i64::try_from(page.head).is_ok() && end <= page.head && bytes <= DOWN_BYTES_MAX;
    if bounded { Ok(()) } else { Err(DeskError::NotAPage) }
}

/// Takes the page; true when something was erased by it.
fn follow(tx: &Tx<'_>, keys: &Keys, page: &Page, now_ms: i64) -> Result<(Taken, bool), DeskError> {
    let mut feed = tx.feed(page.from.feed)?;
    let mut taken = Taken::nothing(feed.cursor);
    if page.from.read > feed.cursor.read {
        return Ok((Taken { gap: true, more: true, ..taken }, false));
    }
    if page.from.link != known_link(tx, &page.from)? {
        return Ok((Taken { unlinked: true, more: true, ..taken }, false));
    }
    let mut at = page.from;
    for entry in &page.entries {
        let next = at.after(&entry.0);
        if at.read < feed.cursor.read {
            if tx.link(at.feed, at.read)? == Some(next.link) {
                at = next;
                continue;
            }
            taken.forked_at = Some(at.read);
            let (generation, shown) = (feed.generation.saturating_add(1), feed.shown.min(at.read));
            tx.fork(at.feed, generation, at.read)?;
            feed = Feed { cursor: at, generation, shown, ..feed };
        }
        let place = Place { feed: at.feed, generation: feed.generation, position: at.read };
        take_entry(tx, keys, &entry.0, &place, now_ms, &mut taken)?;
        tx.keep_link(&next, at.read)?;
        at = next;
        feed.cursor = next;
    }
    taken.next = at;
    taken.behind = page.head < feed.cursor.read;
    taken.more = page.head > at.read;
    // What headquarters lost may have been letters as well.
    if taken.forked_at.is_some() || page.head < feed.head {
        tx.post_again()?;
    }
    // The page's links show everything before its end. What lies after headquarters' own end is in doubt: it
    // lost it, and perhaps a withdrawal with it.
    let unchanged = feed.shown.min(page.head);
    feed.shown = feed.shown.max(at.read).min(page.head);
    feed.head = page.head;
    tx.keep_feed(&feed)?;
    let erased = tx.settle_from(at.feed, unchanged)?;
    Ok((taken, erased))
}

/// The link before the entry at `at`, in the history that is followed.
fn known_link(tx: &Tx<'_>, at: &Cursor) -> Result<Hash, DeskError> {
    match at.read.checked_sub(1) {
        None => Ok(Cursor::start(at.feed).link),
        Some(before) => tx.link(at.feed, before)?.ok_or(DeskError::Damaged("link")),
    }
}

fn take_entry(
    tx: &Tx<'_>,
    keys: &Keys,
    entry: &[u8],
    place: &Place,
    now_ms: i64,
    taken: &mut Taken,
) -> Result<(), DeskError> {
    match read(tx, keys, entry)? {
        Ok(opened) => keep(tx, opened, place, now_ms, taken).map(drop),
        Err(Refused { why, device }) => {
            let (why, reader) = (why.as_str(), reader(keys));
            taken.aside += 1;
            if !tx.set_aside(&NewAside { entry, why, device, reader, place, received_ms: now_ms })? {
                taken.lost += 1;
            }
            Ok(())
        }
    }
}

/// Opens an entry, if there is room for it.
fn read(tx: &Tx<'_>, keys: &Keys, entry: &[u8]) -> Result<Result<Opened, Refused>, DeskError> {
    let opened = open_entry(entry, keys);
    if let Ok(Opened::Sealed(sealed)) = &opened
        && !tx.fits(&sealed.header, sealed.hash, &sealed.plain)?
    {
        return Ok(Err(Refused { why: Why::CaseFull, device: Some(sealed.header.device) }));
    }
    Ok(opened)
}

/// Keeps what an entry holds; gives the segment that it is about, which is to be settled.
fn keep(
    tx: &Tx<'_>,
    opened: Opened,
    place: &Place,
    now_ms: i64,
    taken: &mut Taken,
) -> Result<Hash, DeskError> {
    let sealed = match opened {
        Opened::Withdrawn(segment) => {
            taken.withdrawn += 1;
            tx.deliver(segment, place, None)?;
            return Ok(segment);
        }
        Opened::Sealed(sealed) => sealed,
    };
    tx.keep_certificate(sealed.certificate_hash, &sealed.certificate)?;
    let new = tx.keep_segment(&NewSegment {
        header: &sealed.header,
        hash: sealed.hash,
        bytes: &sealed.bytes,
        granted: &sealed.granted,
        plain: &sealed.plain,
        received_ms: now_ms,
    })?;
    *if new { &mut taken.segments } else { &mut taken.repeated } += 1;
    let grant = Hash::of("amparo-desk-grant-1", &[&sealed.granted]);
    tx.deliver(sealed.hash, place, Some(grant))?;
    Ok(sealed.hash)
}
