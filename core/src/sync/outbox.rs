//! What sync needs to know and to change of a store.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::name::Name;
use amparo_schema::wire::enrol::{Enrolment, Revocation};
use amparo_schema::wire::feed::{Cursor, FeedId, Note};
use amparo_schema::wire::receipt::{Range, Receipt};
use amparo_schema::wire::signed::Signed;

use crate::seal::{SecretKey, Signer};

/// A store, as sync sees it. Reads may be a moment old; [`Outbox::apply`] alone decides.
pub trait Outbox {
    /// Why the store failed.
    type Error;

    /// The device.
    fn device(&self) -> DeviceId;

    /// Its signing key.
    fn signer(&self) -> &Signer;

    /// Its key for letters and bundles.
    fn letter_secret(&self) -> &SecretKey;

    /// Its enrolment; none before.
    ///
    /// # Errors
    /// Those of the store.
    fn enrolment(&self) -> Result<Option<Enrolment>, Self::Error>;

    /// Every incarnation, in order; the last is the present one.
    ///
    /// # Errors
    /// Those of the store.
    fn lives(&self) -> Result<Vec<Life>, Self::Error>;

    /// Segments of an incarnation with numbers in `within`, in order, encoded, as many as fit into `bytes` and
    /// at least one if there is any. Those whose bytes were purged are left out.
    ///
    /// # Errors
    /// Those of the store.
    fn segments(&self, incarnation: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Self::Error>;

    /// Numbers in `within` of segments of an incarnation that go before the others, in order; some of them, if there
    /// are many. Headquarters takes them ahead of their turn.
    ///
    /// # Errors
    /// Those of the store.
    fn urgent(&self, incarnation: u64, within: Range) -> Result<Vec<u64>, Self::Error>;

    /// Disclosures of an incarnation with numbers in `within`, each an encoded `Signed<Disclosure>`, in order, as many
    /// as fit into `bytes` and at least one.
    ///
    /// # Errors
    /// Those of the store.
    fn disclosures(&self, incarnation: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Self::Error>;

    /// As [`Outbox::disclosures`], those that withhold something.
    ///
    /// # Errors
    /// Those of the store.
    fn withdrawals(&self, incarnation: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Self::Error>;

    /// The header hash of a segment; outlives its bytes. None for one that was never sealed here.
    ///
    /// # Errors
    /// Those of the store.
    fn hash(&self, incarnation: u64, number: u64) -> Result<Option<Hash>, Self::Error>;

    /// How far a feed was read.
    ///
    /// # Errors
    /// Those of the store.
    fn cursor(&self, feed: FeedId) -> Result<Cursor, Self::Error>;

    /// The agency that signs letters with this key, by the recipients pack; none if no agency does.
    ///
    /// # Errors
    /// Those of the store.
    fn agency(&self, author: &Hash) -> Result<Option<Name>, Self::Error>;

    /// Applies one change in one transaction, durable when this returns. Nothing remains of one that failed.
    ///
    /// # Errors
    /// Those of the store.
    fn apply(&mut self, change: Change<'_>) -> Result<Effect, Self::Error>;
}

/// One incarnation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its number.
    pub incarnation: u64,
    /// Segments that it sealed.
    pub segments: u64,
    /// Disclosures that it made.
    pub disclosures: u64,
    /// The newest receipt, verified when it came.
    pub receipt: Option<Signed<Receipt>>,
    /// Whether its chain may have parted from what headquarters has.
    pub past: Past,
}

impl Life {
    /// What the newest receipt says; none if there is none. Of a life in doubt the prefix alone, whose hash was
    /// found here: what lies behind a gap may be another copy's.
    #[must_use]
    pub fn held(&self) -> Option<Receipt> {
        let mut held: Receipt =
            self.receipt.as_ref().and_then(|signed| crate::seal::unverified(signed).ok())?;
        if self.past == Past::Doubted {
            held.ranges.clear();
        }
        Some(held)
    }

    /// Whether headquarters lacks a segment or a disclosure of it, as far as the newest receipt says.
    #[must_use]
    pub fn is_unacknowledged(&self) -> bool {
        let (stored, disclosures) = self.held().map_or((0, 0), |held| (held.stored, held.disclosures));
        stored < self.segments || disclosures < self.disclosures
    }

    /// Whether another receipt could still say more: until every backup of headquarters has all of it.
    #[must_use]
    pub fn awaits(&self) -> bool {
        self.is_unacknowledged() || self.held().map_or(0, |held| held.horizon) < self.segments
    }
}

/// Whether an incarnation's chain here is the one that headquarters has or gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Past {
    /// As far as is known.
    Known,
    /// It may not be: the store went back, or another went on with it, and something may have been sealed twice under
    /// one number. What a receipt says behind the prefix whose hash is found here may be of another copy.
    Doubted,
}

/// A segment or a disclosure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number in its incarnation.
    pub number: u64,
    /// Encoded.
    pub bytes: Vec<u8>,
}

/// One change, in one transaction.
// One at a time is in memory: boxing would cost more than it saves.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The newest receipt of its incarnation, verified. Kept only if [`super::weigh`] finds it newer than the one
    /// that is there by now.
    Receipt {
        /// As it came.
        signed: &'a Signed<Receipt>,
        /// What it says.
        receipt: &'a Receipt,
    },
    /// The next entry of a feed, with the cursor that stands after it.
    Entry {
        /// Where the feed must stand now; otherwise nothing is done.
        from: Cursor,
        /// Where it stands afterwards.
        to: Cursor,
        /// The entry as it came.
        entry: &'a [u8],
        /// What it is.
        arrival: Arrival<'a>,
    },
    /// Headquarters does not know the cursor any more: the feed is read again from its beginning.
    Rewind {
        /// Where the feed must stand now; otherwise nothing is done.
        from: Cursor,
    },
    /// Headquarters lost data and now has another chain under this incarnation than the one here: what the
    /// receipt that is held says is true no longer. It goes, so that all is sent again.
    Distrust {
        /// The incarnation.
        incarnation: u64,
    },
    /// Something that speaks against headquarters, kept for a person to look at. Kept once, however often it is said:
    /// [`Effect::Known`] from then on.
    Aside {
        /// As it came.
        bytes: &'a [u8],
        /// What it says, by which a repeat is known.
        says: &'a [u8],
        /// What is wrong with it.
        why: Why,
    },
}

/// What an entry of a feed is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival<'a> {
    /// A letter, verified and opened. Taken once by its id.
    Letter {
        /// Its id.
        id: [u8; 16],
        /// The agency that wrote it.
        author: Name,
        /// What it says.
        note: Note,
    },
    /// This device's certificate holds no longer; verified.
    Revoked(Revocation),
    /// A content pack, not yet verified: the outbox installs it or sets it aside.
    Pack(&'a [u8]),
    /// What cannot be applied: kept aside and passed over.
    Aside(Why),
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Done.
    Applied,
    /// It was there already; the cursor moved on.
    Known,
    /// Kept aside; the cursor moved on.
    Aside(Why),
    /// Another sync was faster: nothing was done.
    Overtaken,
}

/// Why something from headquarters was kept aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Of a kind that this build does not know, or not in its one form.
    Unknown,
    /// Its signature does not hold.
    Signature,
    /// For another device.
    OtherDevice,
    /// A letter of a key that no agency has; tried again when new content came.
    Stranger,
    /// A letter that does not open, or speaks in another agency's name.
    Letter,
    /// A pack that does not verify, or cannot be used.
    Pack,
    /// A receipt that contradicts itself.
    Malformed,
    /// A receipt of the same epoch whose counts fell.
    Fallen,
    /// A receipt for more than this store ever sealed: the store went back in time.
    Ahead,
    /// A receipt for another chain: the store was copied, and both copies sealed.
    Fork,
}

impl Why {
    /// All, in the order of their numbers in the store.
    pub const ALL: [Self; 10] = [
        Self::Unknown,
        Self::Signature,
        Self::OtherDevice,
        Self::Stranger,
        Self::Letter,
        Self::Pack,
        Self::Malformed,
        Self::Fallen,
        Self::Ahead,
        Self::Fork,
    ];
}
