//! Content packs: one signed unit with one authority, version, validity, countries and audience.
//!
//! A pack file is one CBOR array `[1, header bytes, [[key id, signature], ..], content bytes]`. The
//! signatures cover the header bytes as they stand; the header holds the SHA-256 of the content bytes. The
//! content is JSON, so that anyone can read what a pack says. Nothing is ever encoded again to be verified.

pub mod calendar;
pub mod checklist;
pub mod directory;
pub mod policy;
pub mod protocol;
pub mod recipients;
pub mod root;

use jiff::civil::Date;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::id::Hash;
use crate::name::Name;
use crate::person::Country;
use crate::text::{Lang, Text};

/// The kind of a pack.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Kind {
    /// Items, indicators, dimensions, rules.
    #[n(0)]
    Checklist,
    /// Steps, deadlines, prohibitions.
    #[n(1)]
    Protocol,
    /// Services and agencies.
    #[n(2)]
    Directory,
    /// Holidays and time zones.
    #[n(3)]
    Calendar,
    /// Intake, gate, consent, words, retention.
    #[n(4)]
    Policy,
    /// Agencies with their keys.
    #[n(5)]
    Recipients,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Checklist, Self::Protocol, Self::Directory, Self::Calendar, Self::Policy, Self::Recipients];

    /// As written in files: `checklist`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checklist => "checklist",
            Self::Protocol => "protocol",
            Self::Directory => "directory",
            Self::Calendar => "calendar",
            Self::Policy => "policy",
            Self::Recipients => "recipients",
        }
    }
}

/// The header of a pack: everything that is needed to decide whether to trust and keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The kind of the content.
    #[n(0)]
    pub kind: Kind,
    /// The id of the pack; versions of one pack share it.
    #[n(1)]
    pub id: Name,
    /// The version; only ever goes up.
    #[n(2)]
    pub version: u32,
    /// The authority that answers for it; its keys are in the root file.
    #[n(3)]
    pub authority: Name,
    /// Its title.
    #[n(4)]
    pub title: Text,
    /// The countries it speaks of; empty for all.
    #[n(5)]
    pub countries: Vec<Country>,
    /// The audience in plain words: border officials, labour inspectors.
    #[n(6)]
    pub audience: Vec<String>,
    /// The first day on which it should be used.
    #[cbor(n(7), with = "crate::answer::cbor_date")]
    pub valid_from: Date,
    /// The day after which it warns that it may be out of date. It never stops a screening.
    #[cbor(n(8), with = "crate::answer::cbor_date")]
    pub expires: Date,
    /// Licence and rights.
    #[n(9)]
    pub licence: String,
    /// Languages that are complete.
    #[n(10)]
    pub languages: Vec<Lang>,
    /// SHA-256 of the content bytes, without label.
    #[n(11)]
    pub content_sha256: Hash,
    /// Number of content bytes.
    #[n(12)]
    pub content_bytes: u64,
}

/// A pack as it was exactly when a screening began: id, version and the hash of its header bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct PackRef {
    /// The id.
    #[n(0)]
    pub id: Name,
    /// The version.
    #[n(1)]
    pub version: u32,
    /// [`header_hash`] of its header bytes.
    #[n(2)]
    pub hash: Hash,
}

/// The content of a pack, by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A checklist.
    Checklist(checklist::Checklist),
    /// A protocol.
    Protocol(protocol::Protocol),
    /// A directory.
    Directory(directory::Directory),
    /// A calendar.
    Calendar(calendar::Calendar),
    /// A policy.
    Policy(policy::Policy),
    /// Recipients.
    Recipients(recipients::Recipients),
}

/// A pack file in its parts, before anything is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Envelope {
    /// The format, 1.
    #[n(0)]
    pub format: u8,
    /// The header, encoded.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub header: Vec<u8>,
    /// The signatures.
    #[n(2)]
    pub signatures: Vec<Signature>,
    /// The content bytes.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub content: Vec<u8>,
}

/// The format that this build writes and reads.
pub const FORMAT: u8 = 1;

/// One signature over [`signed_bytes`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Signature {
    /// The key, as named in the root file.
    #[n(0)]
    pub key: Hash,
    /// Ed25519.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

/// The bytes that a signature covers: a label that no other format uses, then the header bytes.
#[must_use]
pub fn signed_bytes(header: &[u8]) -> Vec<u8> {
    [b"amparo-pack-1\0", header].concat()
}

/// The hash by which a pack is known.
#[must_use]
pub fn header_hash(header: &[u8]) -> Hash {
    Hash::of("amparo-pack-1", &[header])
}
