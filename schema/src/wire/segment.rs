//! Segments and grants: the facts of one screening and one compartment, sealed.
//!
//! A segment is the CBOR array `[header bytes, signature, ciphertext]`. The signature is Ed25519 over the
//! COSE `Sig_structure` of a `COSE_Sign1` with protected header `{1: -8}`, external data
//! [`SIGN_CONTEXT`] and the header bytes as payload. The ciphertext is ChaCha20-Poly1305 with a key used
//! once, nonce zero, and as additional data the header bytes with `ciphertext_sha256` zeroed. The plaintext
//! is [`Plain`] as CBOR, compressed with zstd with one of the [`dictionary`] files, preceded by its length (u32, big
//! endian) and padded with zeros to a bucket.

use minicbor::{Decode, Encode};

use crate::fact::Compartment;
use crate::id::{CaseId, DeviceId, Hash, ScreeningId};

/// Suite 1: X25519, HKDF-SHA-256, ChaCha20-Poly1305, Ed25519.
pub const SUITE_1: u8 = 1;
/// External data of a segment's signature.
pub const SIGN_CONTEXT: &[u8] = b"amparo-segment-1";
/// HPKE `info` of grants.
pub const GRANT_CONTEXT: &[u8] = b"amparo-grant-1";
/// Prefix of the exporter context by which a grant's wrapping key is drawn; the header hash follows.
pub const GRANT_KEY_CONTEXT: &[u8] = b"amparo-grant-key-1";
/// HKDF info of the salt of event `i`; its number (u32, big endian) follows.
pub const SALT_CONTEXT: &[u8] = b"amparo-event-salt-1";

/// A sealed segment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Segment {
    /// The [`Header`], encoded; signed and chained as these bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub header: Vec<u8>,
    /// Ed25519 signature, 64 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// Ciphertext with tag.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
}

/// What the relay sees. Nothing here tells who, when, where, what, or for whom.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// Format version, 1.
    #[n(0)]
    pub version: u8,
    /// Suite.
    #[n(1)]
    pub suite: u8,
    /// Compression dictionary; 0 for none.
    #[n(2)]
    pub dictionary: u32,
    /// The device.
    #[n(3)]
    pub device: DeviceId,
    /// The incarnation of its store.
    #[n(4)]
    pub incarnation: u64,
    /// Position in the incarnation's chain, dense from 0.
    #[n(5)]
    pub number: u64,
    /// [`header_hash`] of the segment before; for number 0 of the device's signing key.
    #[n(6)]
    pub previous: Hash,
    /// Ciphertext length.
    #[n(7)]
    pub ciphertext_bytes: u32,
    /// SHA-256 of the ciphertext, without label.
    #[n(8)]
    pub ciphertext_sha256: Hash,
    /// RFC 9162 Merkle root (SHA-256) over the salted event hashes.
    #[n(9)]
    pub events_root: Hash,
}

/// The plaintext of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Plain {
    /// The case.
    #[n(0)]
    pub case: Option<CaseId>,
    /// The screening.
    #[n(1)]
    pub screening: Option<ScreeningId>,
    /// The compartment.
    #[n(2)]
    pub compartment: Compartment,
    /// The facts, in order, each with its counter and encoded as stored (identity facts opened).
    #[n(3)]
    pub events: Vec<Event>,
}

/// One fact in a segment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Event {
    /// Its counter in the store.
    #[n(0)]
    pub counter: u64,
    /// The encoded [`crate::fact::Fact`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub fact: Vec<u8>,
}

/// The key of one segment, wrapped for one recipient. One HPKE context of base mode, `info` [`GRANT_CONTEXT`], may
/// wrap the keys of many segments: each with ChaCha20-Poly1305, nonce zero, under a key of its own, which is the
/// context's export (RFC 9180, 5.3) for [`GRANT_KEY_CONTEXT`] followed by the header hash.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Grant {
    /// [`header_hash`] of the segment.
    #[n(0)]
    pub segment: Hash,
    /// First 8 bytes of SHA-256 of the recipient's public key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub recipient: [u8; 8],
    /// HPKE encapsulated key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub encapsulated: [u8; 32],
    /// The wrapped key, with tag.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub wrapped: [u8; 48],
}

/// The dictionary with which segments are compressed now.
pub const DICTIONARY: u32 = 1;

/// A compression dictionary by its number, 0 being none. One that was ever used is kept for ever; all are
/// trained on synthetic screenings, because a dictionary is a published piece of plaintext.
#[must_use]
pub fn dictionary(number: u32) -> Option<&'static [u8]> {
    match number {
        0 => Some(&[]),
        1 => Some(include_bytes!("../../dictionary/1.zdict")),
        _ => None,
    }
}

/// The hash by which a segment is chained and granted.
#[must_use]
pub fn header_hash(header: &[u8]) -> Hash {
    Hash::of("amparo-segment-1", &[header])
}

/// Length of the padded plaintext for a payload of `bytes`: the length prefix and the payload, rounded up
/// to a bucket of 128 bytes, or of 256 bytes above 1 KiB.
#[must_use]
pub fn padded_bytes(bytes: usize) -> usize {
    use crate::limits::{SEGMENT_BUCKET_BYTES, SEGMENT_COARSE_BUCKET_BYTES, SEGMENT_FINE_BYTES};
    let whole = bytes.saturating_add(4);
    let bucket = if whole <= SEGMENT_FINE_BYTES { SEGMENT_BUCKET_BYTES } else { SEGMENT_COARSE_BUCKET_BYTES };
    whole.div_ceil(bucket).saturating_mul(bucket)
}
