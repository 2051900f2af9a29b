//! Feeds: what comes down, to a device or to an agency's desk.
//!
//! Positions are dense from 0 and every entry is linked to the one before, so a reader that keeps the cursor
//! sees each entry once and notices at the next pull when headquarters went back in time. Entries carry their
//! own proof of origin; the relay only orders them.

use minicbor::{Decode, Encode};

use super::segment::Grant;
use super::signed::{Payload, Signed};
use crate::fact::ReferralState;
use crate::id::{CaseId, DeviceId, Hash, ReferralId, ScreeningId};
use crate::name::Name;

/// HPKE `info` of a [`Letter`]'s note; the letter's id and device follow.
pub const LETTER_CONTEXT: &[u8] = b"amparo-letter-1";

/// A feed: of a device, of a recipient key, or of packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct FeedId(#[n(0)] pub Hash);

impl FeedId {
    /// The feed of one device.
    #[must_use]
    pub fn device(device: DeviceId) -> Self {
        Self(Hash::of("amparo-feed-device-1", &[&device.0]))
    }

    /// The feed of one recipient key, named as in [`Grant::recipient`].
    #[must_use]
    pub fn recipient(recipient: [u8; 8]) -> Self {
        Self(Hash::of("amparo-feed-recipient-1", &[&recipient]))
    }

    /// The feed of content packs, for every device.
    #[must_use]
    pub fn packs() -> Self {
        Self(Hash::of("amparo-feed-packs-1", &[]))
    }
}

/// How far a reader is. The default stands before the first entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cursor {
    /// The feed.
    #[n(0)]
    pub feed: FeedId,
    /// Entries read.
    #[n(1)]
    pub read: u64,
    /// [`link`] of the last entry read; [`first_link`] before the first.
    #[n(2)]
    pub link: Hash,
}

impl Cursor {
    /// Before the first entry.
    #[must_use]
    pub fn start(feed: FeedId) -> Self {
        Self { feed, read: 0, link: first_link(feed) }
    }

    /// After one more entry.
    #[must_use]
    pub fn after(self, entry: &[u8]) -> Self {
        let link = link(&self, entry);
        Self { feed: self.feed, read: self.read.saturating_add(1), link }
    }

    /// The same in few bytes, where the feed is known.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { read: self.read, link: self.link.short() }
    }
}

/// A [`Cursor`] in few bytes: its feed is known by where the mark stands. The page that answers says it whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Mark {
    /// Entries read.
    #[n(0)]
    pub read: u64,
    /// [`Hash::short`] of [`Cursor::link`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub link: [u8; 8],
}

/// What a feed's chain begins with.
#[must_use]
pub fn first_link(feed: FeedId) -> Hash {
    Hash::of("amparo-feed-1", &[&feed.0.0])
}

/// The link of the entry that follows `cursor`.
#[must_use]
pub fn link(cursor: &Cursor, entry: &[u8]) -> Hash {
    Hash::of("amparo-feed-entry-1", &[&cursor.link.0, &cursor.read.to_be_bytes(), entry])
}

/// A run of entries.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Page {
    /// Where it begins: the reader's cursor, or [`Cursor::start`] if headquarters does not know that one any
    /// more.
    #[n(0)]
    pub from: Cursor,
    /// The entries, each an encoded [`Entry`]. At most `PAGE_ENTRIES_MAX`.
    #[cbor(n(1), decode_with = "super::list::bounded::<_, _, { crate::limits::PAGE_ENTRIES_MAX }, 1>")]
    pub entries: Vec<Bytes>,
    /// Entries in the whole feed.
    #[n(2)]
    pub head: u64,
}

/// Encoded bytes inside a list.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Bytes(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Entry {
    /// To a recipient: a segment with the grant for this recipient, and no other's.
    #[n(0)]
    Sealed {
        /// The encoded segment.
        #[cbor(n(0), with = "minicbor::bytes")]
        segment: Vec<u8>,
        /// The grant.
        #[n(1)]
        grant: Grant,
        /// The certificate of the device that sealed it.
        #[n(2)]
        certificate: Signed<super::enrol::Certificate>,
    },
    /// To a recipient: consent to something that was delivered before was withdrawn.
    #[n(1)]
    Withdrawn {
        /// [`super::segment::header_hash`] of the segment.
        #[n(0)]
        segment: Hash,
    },
    /// To a device: a letter of an agency.
    #[n(2)]
    Letter(#[n(0)] Signed<Letter>),
    /// To a device: its certificate holds no longer.
    #[n(3)]
    Revoked(#[n(0)] Signed<super::enrol::Revocation>),
    /// To every device: a content pack, whole.
    #[n(4)]
    Pack(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
}

/// A letter from an agency to a device, signed by a key that the recipients pack gives the agency.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Letter {
    /// Random; a device takes each letter once.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub id: [u8; 16],
    /// To whom.
    #[n(1)]
    pub device: DeviceId,
    /// Which signing key of the agency: its Ed25519 public key.
    #[n(2)]
    pub author: Hash,
    /// HPKE encapsulated key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    /// The [`Note`], encoded, padded and sealed to the device; additional data: id and device.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Payload for Letter {
    const CONTEXT: &'static [u8] = b"amparo-letter-1";
}

/// What an agency tells a device.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum Note {
    /// What became of a referral.
    #[n(0)]
    ReferralAnswered {
        /// The referral.
        #[n(0)]
        referral: ReferralId,
        /// Accepted, rejected or done.
        #[n(1)]
        state: ReferralState,
        /// Why, for a rejection.
        #[n(2)]
        reason: Option<String>,
    },
    /// Something to do about a case.
    #[n(1)]
    FollowUp {
        /// The case.
        #[n(0)]
        case: CaseId,
        /// The screening, if it is about one.
        #[n(1)]
        screening: Option<ScreeningId>,
        /// The agency, by its id in the recipients pack.
        #[n(2)]
        from: Name,
        /// What to do, at most `REASON_CHARS_MAX` characters.
        #[n(3)]
        text: String,
        /// Until when, milliseconds since 1970.
        #[n(4)]
        due_ms: Option<i64>,
    },
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ReferralAnswered { .. } => "ReferralAnswered(..)",
            Self::FollowUp { .. } => "FollowUp(..)",
        })
    }
}
