//! Feeds: of devices, of recipients, of packs.
//!
//! Owns positions and links. A recipient's feed holds references; each time it is read, an entry is made from
//! how things stand then, so that what was withheld or erased before the reader had it is not handed out. The
//! link of an entry is the one that its reader was last given: a reader comes back with the cursor of what it
//! kept, and goes on from there. One recipient key has one reader; a second copy of it starts anew when the
//! first one was told something else.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{FRAME_BYTES_MAX, PAGE_ENTRIES_MAX, SMALL_PACK_BYTES_MAX};
use amparo_schema::wire::desk::Pull;
use amparo_schema::wire::enrol::Revocation;
use amparo_schema::wire::feed::{Bytes, Cursor, Entry, FeedId, Letter, Mark, Page};
use amparo_schema::wire::signed::Signed;
use amparo_seal::{VerifyKey, from_bytes, to_bytes, unverified};
use minicbor::{Decode, Encode};

use super::disclosure::{Decision, decide, held};
use super::enrol::Reader;
use super::log::Action;
use super::work::Work;
use super::{Relay, RelayError};
use crate::storage::{Entry as Stored, Recipient, Shelf, Stage, Storage, StorageError};

/// Bytes of a page beside its entries, and of what each entry costs beside itself, at most.
const PAGE_BYTES: usize = 128;
const ENTRY_BYTES: usize = 5;

/// To whom a page is given.
#[derive(Clone, Copy)]
pub(super) enum Whom<'a> {
    /// The desk of a recipient.
    Recipient(Recipient),
    /// A device.
    Device,
    /// A device that was revoked, by this.
    Revoked(&'a Signed<Revocation>),
}

/// What stands at a position.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
enum Item {
    /// An encoded [`Entry`].
    #[n(0)]
    Whole(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// A segment, to be given as things stand.
    #[n(1)]
    Sealed {
        #[n(0)]
        device: DeviceId,
        #[n(1)]
        segment: Hash,
    },
}

impl Relay {
    /// Gives a desk the next page of a recipient's feed. What stands before the cursor is acknowledged.
    ///
    /// # Errors
    /// [`RelayError::UnknownRecipient`], [`RelayError::Signature`], [`RelayError::Storage`].
    pub fn pull(
        &self,
        storage: &mut dyn Storage,
        pull: &Signed<Pull>,
        now_ms: i64,
    ) -> Result<Page, RelayError> {
        self.run(storage, now_ms, |work| {
            let claimed = unverified(pull).map_err(|_| RelayError::Signature)?;
            let reader: Reader = work.get(&claimed.recipient)?.ok_or(RelayError::UnknownRecipient)?;
            let pull =
                VerifyKey::from(reader.signing).open_object(pull).map_err(|_| RelayError::Signature)?;
            if pull.cursor.feed != FeedId::recipient(pull.recipient) {
                return Err(RelayError::UnknownRecipient);
            }
            if work.knows(&pull.cursor)? {
                work.tx.acknowledge(pull.recipient, pull.cursor.read)?;
            }
            let budget = usize::try_from(pull.down_bytes).unwrap_or(usize::MAX);
            Ok(work.page(pull.cursor, Whom::Recipient(pull.recipient), budget)?.0)
        })
    }

    /// Puts a letter into its device's feed, once.
    ///
    /// # Errors
    /// [`RelayError::UnknownAuthor`], [`RelayError::Signature`], [`RelayError::UnknownDevice`],
    /// [`RelayError::Revoked`], [`RelayError::TooLarge`], [`RelayError::Storage`].
    pub fn post(
        &self,
        storage: &mut dyn Storage,
        letter: &Signed<Letter>,
        now_ms: i64,
    ) -> Result<(), RelayError> {
        self.run(storage, now_ms, |work| {
            let claimed = unverified(letter).map_err(|_| RelayError::Signature)?;
            if work.tx.record(Shelf::Author, &claimed.author.0)?.is_none() {
                return Err(RelayError::UnknownAuthor);
            }
            let read =
                VerifyKey::from(claimed.author).open_object(letter).map_err(|_| RelayError::Signature)?;
            let device = work.device(read.device)?.ok_or(RelayError::UnknownDevice)?;
            if device.revoked.is_some() {
                return Err(RelayError::Revoked);
            }
            work.append_once(FeedId::device(read.device), &read.id, &Entry::Letter(letter.clone()))
        })
    }

    /// Puts a pack into the feed of packs, once. Who may author packs is for the devices to check.
    ///
    /// # Errors
    /// [`RelayError::TooLarge`] past `SMALL_PACK_BYTES_MAX`; [`RelayError::Storage`].
    pub fn publish(&self, storage: &mut dyn Storage, pack: &[u8], now_ms: i64) -> Result<(), RelayError> {
        if pack.len() > SMALL_PACK_BYTES_MAX {
            return Err(RelayError::TooLarge);
        }
        let hash = Hash::of("amparo-published-1", &[pack]);
        self.run(storage, now_ms, |work| {
            let head = work.feed_head(FeedId::packs())?;
            work.append_once(FeedId::packs(), &hash.0, &Entry::Pack(pack.to_vec()))?;
            if work.feed_head(FeedId::packs())? > head {
                work.log_action(Action::Published { pack: hash })?;
            }
            Ok(())
        })
    }
}

impl Work<'_> {
    /// Appends an entry under a name; the same name again changes nothing.
    pub(super) fn append_once(&mut self, feed: FeedId, name: &[u8], entry: &Entry) -> Result<(), RelayError> {
        let whole = to_bytes(entry).map_err(|_| RelayError::Encoding)?;
        if whole.len().saturating_add(PAGE_BYTES + ENTRY_BYTES) > FRAME_BYTES_MAX {
            return Err(RelayError::TooLarge);
        }
        let key = Hash::of("amparo-posted-1", &[&feed.0.0, name]);
        if self.tx.record(Shelf::Posted, &key.0)?.is_some() {
            return Ok(());
        }
        self.tx.put_record(Shelf::Posted, &key.0, &[])?;
        self.append(feed, &Item::Whole(whole)).map(drop)
    }

    fn append(&mut self, feed: FeedId, item: &Item) -> Result<u64, RelayError> {
        let position = self.feed_head(feed)?;
        // What is whole has its link at once; the rest when a reader is given it.
        let link = match item {
            Item::Whole(entry) => self.end(feed, position)?.after(entry).link,
            Item::Sealed { .. } => Hash([0; 32]),
        };
        let item = minicbor::to_vec(item).map_err(|_| RelayError::Encoding)?;
        self.tx.put_entry(feed, position, &Stored { link, item })?;
        self.tx.put_record(Shelf::Feed, &feed.0.0, &position.saturating_add(1).to_be_bytes())?;
        Ok(position)
    }

    fn feed_head(&mut self, feed: FeedId) -> Result<u64, StorageError> {
        let Some(bytes) = self.tx.record(Shelf::Feed, &feed.0.0)? else { return Ok(0) };
        bytes.try_into().map(u64::from_be_bytes).map_err(|_| StorageError::Damaged("feed"))
    }

    /// The cursor before a position.
    fn end(&mut self, feed: FeedId, position: u64) -> Result<Cursor, RelayError> {
        let Some(last) = position.checked_sub(1) else { return Ok(Cursor::start(feed)) };
        let before = self.tx.entry(feed, last)?.ok_or(StorageError::Damaged("feed_entry"))?;
        Ok(Cursor { feed, read: position, link: before.link })
    }

    /// Whether a reader was given this cursor.
    fn knows(&mut self, cursor: &Cursor) -> Result<bool, RelayError> {
        let Some(last) = cursor.read.checked_sub(1) else { return Ok(*cursor == Cursor::start(cursor.feed)) };
        Ok(self.tx.entry(cursor.feed, last)?.is_some_and(|entry| entry.link == cursor.link))
    }

    /// The cursor that a reader stands at, if it was given it.
    pub(super) fn marked(&mut self, feed: FeedId, mark: Mark) -> Result<Option<Cursor>, RelayError> {
        let link = match mark.read.checked_sub(1) {
            None => Some(Cursor::start(feed).link),
            Some(last) => self.tx.entry(feed, last)?.map(|entry| entry.link),
        };
        let cursor = link.map(|link| Cursor { feed, read: mark.read, link });
        Ok(cursor.filter(|cursor| cursor.mark() == mark))
    }

    /// The page after a cursor and its size; from the start for one that nobody was given. For a recipient,
    /// what is due is appended as far as there is room. Whoever has a revoked device has the key to its letters:
    /// its feed says at every place that it was revoked, whatever stood there.
    pub(super) fn page(
        &mut self,
        cursor: Cursor,
        whom: Whom<'_>,
        budget: usize,
    ) -> Result<(Page, usize), RelayError> {
        let recipient = if let Whom::Recipient(recipient) = whom { Some(recipient) } else { None };
        let from = if self.knows(&cursor)? { cursor } else { Cursor::start(cursor.feed) };
        let feed = from.feed;
        // A page is one reply.
        let budget = budget.min(FRAME_BYTES_MAX);
        let (mut at, mut bytes, mut entries) = (from, PAGE_BYTES, Vec::new());
        while bytes < budget && entries.len() < PAGE_ENTRIES_MAX {
            let Some(stored) = self.tx.entry(feed, at.read)? else {
                match recipient {
                    Some(recipient) if self.append_due(feed, recipient)? => continue,
                    _ => break,
                }
            };
            let item = minicbor::decode(&stored.item).map_err(|_| StorageError::Damaged("feed_entry"))?;
            let entry = match whom {
                Whom::Revoked(by) => {
                    to_bytes(&Entry::Revoked(by.clone())).map_err(|_| RelayError::Encoding)?
                }
                Whom::Recipient(_) | Whom::Device => self.render(item, recipient)?,
            };
            bytes = bytes.saturating_add(entry.len()).saturating_add(ENTRY_BYTES);
            if bytes > budget {
                break;
            }
            let next = at.after(&entry);
            if stored.link != next.link {
                self.tx.put_entry(feed, at.read, &Stored { link: next.link, ..stored })?;
            }
            entries.push(Bytes(entry));
            at = next;
        }
        let head = self.feed_head(feed)?;
        Ok((Page { from, entries, head }, bytes.min(budget)))
    }

    /// Appends the next thing that is due to a recipient; false if nothing is.
    fn append_due(&mut self, feed: FeedId, recipient: Recipient) -> Result<bool, RelayError> {
        let Some(mut delivery) = self.tx.due(recipient, 1)?.pop() else { return Ok(false) };
        let (device, segment) = (delivery.device, delivery.segment);
        if delivery.stage == Stage::Retract {
            let entry = to_bytes(&Entry::Withdrawn { segment }).map_err(|_| RelayError::Encoding)?;
            self.append(feed, &Item::Whole(entry))?;
            delivery.stage = Stage::Retracted;
        } else {
            delivery.position = Some(self.append(feed, &Item::Sealed { device, segment })?);
            delivery.stage = Stage::Given;
        }
        self.tx.put_delivery(&delivery)?;
        Ok(true)
    }

    /// The entry as things stand. What may not be given any more is told as withdrawn in its place; if it was
    /// only held back, it is due again once it may be given.
    fn render(&mut self, item: Item, recipient: Option<Recipient>) -> Result<Vec<u8>, RelayError> {
        let (device, segment) = match item {
            Item::Whole(entry) => return Ok(entry),
            Item::Sealed { device, segment } => (device, segment),
        };
        let damaged = || RelayError::Storage(StorageError::Damaged("feed_entry"));
        let recipient = recipient.ok_or_else(damaged)?;
        let mut delivery = self.tx.delivery(device, segment, recipient)?.ok_or_else(damaged)?;
        let stored = self.named(device, &segment)?;
        let entry = match (decide(&delivery, stored.map(|(_, stored)| stored.standing)), stored) {
            (Decision::Give(grant), Some((at, _))) => {
                let certificate = self.device(device)?.ok_or_else(damaged)?.certificate;
                let segment = self.tx.body(at)?.ok_or_else(damaged)?;
                Entry::Sealed { segment, grant, certificate }
            }
            (decision, _) => {
                // A pull is not fresh: whoever reads here may not be the reader who kept what stood here. So the
                // withdrawal is told at the end of the feed as well, where each reader comes by once.
                if delivery.stage != Stage::Retract {
                    delivery.stage = match decision {
                        Decision::Hold => held(&delivery),
                        _ => Stage::Retracted,
                    };
                    self.tx.put_delivery(&delivery)?;
                }
                Entry::Withdrawn { segment }
            }
        };
        to_bytes(&entry).map_err(|_| RelayError::Encoding)
    }

    /// A signed object's own entry in its device's feed.
    pub(super) fn append_revocation(
        &mut self,
        device: DeviceId,
        revocation: &Signed<Revocation>,
    ) -> Result<(), RelayError> {
        self.append_once(FeedId::device(device), &revocation.payload, &Entry::Revoked(revocation.clone()))
    }
}

/// Decodes an entry; for those who check what they were given.
///
/// # Errors
/// [`amparo_seal::OpenError::Form`].
pub fn read_entry(bytes: &Bytes) -> Result<Entry, amparo_seal::OpenError> {
    from_bytes(&bytes.0)
}
