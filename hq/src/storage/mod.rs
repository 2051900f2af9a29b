//! What the relay keeps, and the one narrow way to it.
//!
//! Owns the nouns of the relay's store and the verbs on them, for three engines: [`memory`] for the simulated
//! world and tests, SQLite for one machine, PostgreSQL and what speaks its protocol for more. One conformance
//! suite runs on all three. Decides nothing: which segment is chained and who may be given what is the relay's.
//! Knows no key but those that certificates and grants carry.
//!
//! Order is by bytes and by counters alone, so that the three engines cannot be told apart from outside.

pub mod memory;
pub mod postgres;
pub mod sql;
pub mod sqlite;

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::feed::FeedId;
use amparo_schema::wire::segment::Grant;
use minicbor::{Decode, Encode};

/// Bytes of the longest key of a record.
pub const KEY_BYTES_MAX: usize = 64;

/// Something that keeps what the relay is given.
pub trait Storage {
    /// Runs `work` as one serializable transaction. `Ok` means that it is durable as far as the engine can
    /// make it; any `Err` means that nothing of it happened, except [`StorageError::Lost`], which cannot tell.
    /// May run `work` several times, each time on a fresh transaction; so `work` must begin anew each time.
    ///
    /// # Errors
    /// What `work` or the engine gave; [`StorageError::Conflict`] after `CONFLICTS_MAX` tries.
    fn transact(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>,
    ) -> Result<(), StorageError>;
}

/// Tries of one transaction that others keep getting in the way of.
pub const CONFLICTS_MAX: u32 = 20;

/// The verbs of one transaction. It reads what it wrote.
pub trait Tx {
    /// The record with this key.
    ///
    /// # Errors
    /// [`StorageError`], as for every verb here.
    fn record(&mut self, shelf: Shelf, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;
    /// Puts a record in the place of what was there. Keys have 1 to [`KEY_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`StorageError`].
    fn put_record(&mut self, shelf: Shelf, key: &[u8], value: &[u8]) -> Result<(), StorageError>;
    /// Removes a record, if it is there.
    ///
    /// # Errors
    /// [`StorageError`].
    fn remove_record(&mut self, shelf: Shelf, key: &[u8]) -> Result<(), StorageError>;
    /// At most `limit` records whose key begins with `prefix` and is greater than `after`, by key.
    ///
    /// # Errors
    /// [`StorageError`].
    fn records(
        &mut self,
        shelf: Shelf,
        prefix: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<Record>, StorageError>;

    /// What is known of the segment at a place, without its bytes: they may be thousands of times as many.
    ///
    /// # Errors
    /// [`StorageError`].
    fn segment(&mut self, at: Place) -> Result<Option<Segment>, StorageError>;
    /// The bytes of the segment at a place: as it came; once erased, with the hash of its ciphertext in the
    /// ciphertext's place.
    ///
    /// # Errors
    /// [`StorageError`].
    fn body(&mut self, at: Place) -> Result<Option<Vec<u8>>, StorageError>;
    /// Puts a segment in the place of what was there.
    ///
    /// # Errors
    /// [`StorageError`].
    fn put_segment(&mut self, at: Place, segment: &Segment, body: &[u8]) -> Result<(), StorageError>;
    /// Changes how the segment at a place stands, if there is one.
    ///
    /// # Errors
    /// [`StorageError`].
    fn put_standing(&mut self, at: Place, standing: Standing) -> Result<(), StorageError>;
    /// Empties a place.
    ///
    /// # Errors
    /// [`StorageError`].
    fn remove_segment(&mut self, at: Place) -> Result<(), StorageError>;
    /// At most `limit` numbers from `from` on at which there are segments, ascending.
    ///
    /// # Errors
    /// [`StorageError`].
    fn numbers(&mut self, chain: Chain, from: u64, limit: usize) -> Result<Vec<u64>, StorageError>;
    /// The least number of a segment of the chain whose leaf stands at `leaf` or later.
    ///
    /// # Errors
    /// [`StorageError`].
    fn first_logged_from(&mut self, chain: Chain, leaf: u64) -> Result<Option<u64>, StorageError>;

    /// The delivery of one segment to one recipient.
    ///
    /// # Errors
    /// [`StorageError`].
    fn delivery(
        &mut self,
        device: DeviceId,
        segment: Hash,
        recipient: Recipient,
    ) -> Result<Option<Delivery>, StorageError>;
    /// Every delivery of one segment, by recipient: as many as its device named. For what concerns one of them
    /// there is [`Tx::delivery`].
    ///
    /// # Errors
    /// [`StorageError`].
    fn deliveries(&mut self, device: DeviceId, segment: Hash) -> Result<Vec<Delivery>, StorageError>;
    /// Puts a delivery in the place of the one of the same device, segment and recipient.
    ///
    /// # Errors
    /// [`StorageError`].
    fn put_delivery(&mut self, delivery: &Delivery) -> Result<(), StorageError>;
    /// At most `limit` deliveries to a recipient that are [`Stage::Retract`], then [`Stage::Due`], each by leaf,
    /// device and segment.
    ///
    /// # Errors
    /// [`StorageError`].
    fn due(&mut self, recipient: Recipient, limit: usize) -> Result<Vec<Delivery>, StorageError>;
    /// The least number in the chain of a segment with a delivery that is [`Stage::Due`], [`Stage::Given`] or
    /// [`Stage::Held`].
    ///
    /// # Errors
    /// [`StorageError`].
    fn first_undelivered(&mut self, chain: Chain) -> Result<Option<u64>, StorageError>;
    /// Makes every delivery that is [`Stage::Given`] to a recipient before `position` [`Stage::Acknowledged`].
    ///
    /// # Errors
    /// [`StorageError`].
    fn acknowledge(&mut self, recipient: Recipient, position: u64) -> Result<(), StorageError>;

    /// The entry of a feed at a position.
    ///
    /// # Errors
    /// [`StorageError`].
    fn entry(&mut self, feed: FeedId, position: u64) -> Result<Option<Entry>, StorageError>;
    /// Puts an entry in the place of what was there.
    ///
    /// # Errors
    /// [`StorageError`].
    fn put_entry(&mut self, feed: FeedId, position: u64, entry: &Entry) -> Result<(), StorageError>;

    /// At most `limit` leaves of the log from a position on, in order.
    ///
    /// # Errors
    /// [`StorageError`].
    fn leaves(&mut self, from: u64, limit: usize) -> Result<Vec<Leaf>, StorageError>;
    /// Puts a leaf at a free position.
    ///
    /// # Errors
    /// [`StorageError`].
    fn put_leaf(&mut self, position: u64, leaf: &Leaf) -> Result<(), StorageError>;
}

/// A key and its value.
pub type Record = (Vec<u8>, Vec<u8>);

/// A recipient key, as [`Grant::recipient`] names it.
pub type Recipient = [u8; 8];

/// What is looked up by its key alone. The number stands in the store; it never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Shelf {
    /// The relay as a whole: epoch, log size, backups; and whose it is. Two records.
    State = 0,
    /// Devices, by id.
    Device = 1,
    /// Tickets, by id.
    Ticket = 2,
    /// Recipients, by recipient.
    Recipient = 3,
    /// Recipients, by the key with which they sign.
    Author = 4,
    /// Chains: by device and incarnation.
    Head = 5,
    /// Where a segment stands: by device and header hash.
    Name = 6,
    /// Disclosures held: by device, incarnation and number.
    Disclosure = 7,
    /// Number of entries of a feed: by feed.
    Feed = 8,
    /// What was posted or published already: by feed and hash.
    Posted = 9,
    /// What is kept aside: by device as claimed and hash.
    Aside = 10,
    /// How much is kept aside: by device, or zeros for unknown ones.
    AsideLoad = 11,
}

/// The chain of one incarnation of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// The device.
    pub device: DeviceId,
    /// The incarnation of its store.
    pub incarnation: u64,
}

impl Chain {
    /// The place of a number in this chain.
    #[must_use]
    pub fn at(self, number: u64) -> Place {
        Place { chain: self, number }
    }
}

/// One number of one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The chain.
    pub chain: Chain,
    /// Position in it, from 0.
    pub number: u64,
}

/// A segment that was verified and taken; its bytes are read apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its header hash.
    pub hash: Hash,
    /// Header hash of the one before, as its header says.
    pub previous: Hash,
    /// Position of its leaf in the log.
    pub leaf: u64,
    /// How it stands.
    pub standing: Standing,
}

/// How a segment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Standing {
    /// It may be delivered.
    Sound = 0,
    /// Another one claims its number. Not delivered until a person releases it.
    Disputed = 1,
    /// Its ciphertext and grants were erased.
    Erased = 2,
}

/// What becomes of one segment for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The device that disclosed it.
    pub device: DeviceId,
    /// Header hash of the segment.
    pub segment: Hash,
    /// To whom.
    pub recipient: Recipient,
    /// Where the segment stands, once it is here.
    pub landed: Option<Landed>,
    /// How far the delivery is.
    pub stage: Stage,
    /// Where the recipient's feed last gave it.
    pub position: Option<u64>,
    /// What each incarnation of the device says, by incarnation.
    pub voices: Vec<Voice>,
}

/// Where a segment stands that a delivery is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landed {
    /// Incarnation that sealed it.
    pub incarnation: u64,
    /// Its number there.
    pub number: u64,
    /// Position of its leaf in the log.
    pub leaf: u64,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// There is nothing to give: no segment, or no grant.
    Waiting = 0,
    /// To be given at the next pull.
    Due = 1,
    /// Given; the reader has not said that it is kept.
    Given = 2,
    /// The reader has it.
    Acknowledged = 3,
    /// Given before; at the next pull the reader is told that it was withdrawn.
    Retract = 4,
    /// The reader was told that it was withdrawn.
    Retracted = 5,
    /// Granted, and a person has to look before it is given.
    Held = 6,
}

/// What one incarnation says about one segment and one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Voice {
    /// The incarnation.
    #[n(0)]
    pub incarnation: u64,
    /// Number of the disclosure that said it.
    #[n(1)]
    pub number: u64,
    /// The grant; none for withheld.
    #[n(2)]
    pub grant: Option<Grant>,
}

/// An entry of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its link, as a reader was last given it.
    pub link: Hash,
    /// What to give, encoded by the relay.
    pub item: Vec<u8>,
}

/// A leaf of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What the Merkle tree takes: a header hash, or the hash of an action.
    pub hash: Hash,
    /// Hash of all leaves up to this one, so that a cached tree knows whether it is of this log.
    pub chain: Hash,
    /// The action, encoded by the relay; none for a segment.
    pub action: Option<Vec<u8>>,
}

/// Why the store did not do it. Names no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// Others were in the way each time.
    #[error("others kept getting in the way")]
    Conflict,
    /// Nothing of it happened; `work` wanted it so.
    #[error("abandoned")]
    Abandoned,
    /// The engine cannot be reached or refused; nothing of it happened. Its error code.
    #[error("the engine failed: {0}")]
    Engine(String),
    /// The engine was lost at commit: it may or may not have happened. Doing it again is safe.
    #[error("the engine was lost at commit")]
    Lost,
    /// There is no room.
    #[error("no room")]
    Full,
    /// What is stored cannot be read. Which table.
    #[error("what is stored in {0} cannot be read")]
    Damaged(&'static str),
    /// The engine answers before what it answers for is written.
    #[error(
        "the engine answers before it has written (synchronous_commit = off); receipts would not be true"
    )]
    Hasty,
    /// Of a later build.
    #[error("the store has version {found}, this build knows {supported}")]
    TooNew {
        /// Of the store.
        found: u32,
        /// Of this build.
        supported: u32,
    },
}
