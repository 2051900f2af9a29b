//! Segments and grants: the facts of one screening and one lane, sealed.
//!
//! A segment is the CBOR array `[header bytes, signature, ciphertext]`. The signature is Ed25519 over the
//! COSE `Sig_structure` of a `COSE_Sign1` with protected header `{1: -8}`, external data
//! [`SIGN_CONTEXT`] and, as payload, the header bytes followed by the SHA-256 of the ciphertext, which always comes
//! along and so says its length and hash itself. The ciphertext is ChaCha20-Poly1305 with a key used
//! once, nonce zero, and the header bytes as additional data. The plaintext
//! is [`Plain`] as CBOR, compressed with zstd with one of the [`dictionary`] files (a frame without its magic
//! number), preceded by its length (u32, big endian) and padded with zeros to a bucket.

mod plain;

use minicbor::{Decode, Encode};

use crate::id::{DeviceId, Hash};

pub use plain::{Event, Plain};

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
    /// The [`Header`], encoded; signed and chained as these bytes, with the hash of the ciphertext.
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
    /// [`header_hash`] of the segment before; for number 0 a hash of the device's signing key.
    #[n(6)]
    pub previous: Hash,
    /// RFC 9162 Merkle root (SHA-256) over the salted event hashes.
    #[n(7)]
    pub events_root: Hash,
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

impl Segment {
    /// SHA-256 of the ciphertext, without label.
    #[must_use]
    pub fn ciphertext_sha256(&self) -> Hash {
        use sha2::Digest;
        Hash(sha2::Sha256::digest(&self.ciphertext).into())
    }

    /// [`header_hash`] of this segment.
    #[must_use]
    pub fn hash(&self) -> Hash {
        header_hash(&self.header, &self.ciphertext_sha256())
    }
}

/// The payload of a segment's signature: the header bytes followed by the SHA-256 of the ciphertext.
#[must_use]
pub fn signed_payload(header: &[u8], ciphertext_sha256: &Hash) -> Vec<u8> {
    [header, &ciphertext_sha256.0].concat()
}

/// The hash by which a segment is chained and granted: of its header bytes and the SHA-256 of its ciphertext.
#[must_use]
pub fn header_hash(header: &[u8], ciphertext_sha256: &Hash) -> Hash {
    Hash::of("amparo-segment-1", &[header, &ciphertext_sha256.0])
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
