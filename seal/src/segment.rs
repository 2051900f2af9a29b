//! Segments: sealing, inspecting without a key, opening with one.

use std::io::Read;
use std::sync::OnceLock;

use amparo_schema::fact::{Compartment, Fact};
use amparo_schema::id::{CaseId, DeviceId, Hash, ScreeningId};
use amparo_schema::limits::{SEGMENT_EVENTS_MAX, SEGMENT_PLAIN_BYTES_MAX};
use amparo_schema::wire::segment::{
    DICTIONARY, Event, Grant, Header, Plain, SALT_CONTEXT, SIGN_CONTEXT, SUITE_1, Segment, dictionary,
    header_hash, signed_payload,
};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;
use zstd::bulk::Compressor;
use zstd::dict::EncoderDictionary;

use crate::canonical::{from_bytes, pad, to_bytes, unpad};
use crate::random::Entropy;
use crate::sign::signed_bytes;
use crate::{OpenError, SealError, SecretKey, SegmentKey, Signer, VerifyKey, fresh_key};

const VERSION: u8 = 1;
const ZSTD_LEVEL: i32 = 19;
/// Binary logarithm of the largest window that a reader grants: `SEGMENT_PLAIN_BYTES_MAX`.
const ZSTD_WINDOW_LOG_MAX: u32 = 24;
/// How every zstd frame begins (RFC 8878, 3.1.1); says nothing, so it stays behind.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The key is used once, so the nonce may be zero.
const NONCE: [u8; 12] = [0; 12];

/// What a segment is made of.
#[derive(Clone, PartialEq, Eq)]
pub struct SegmentInput {
    /// The case; none in the audit lane.
    pub case: Option<CaseId>,
    /// The screening; none in the audit lane.
    pub screening: Option<ScreeningId>,
    /// A compartment of the lane of which every fact is.
    pub compartment: Compartment,
    /// Counters and encoded facts, in order; identity facts opened.
    pub events: Vec<(u64, Vec<u8>)>,
    /// The device.
    pub device: DeviceId,
    /// The incarnation of its store.
    pub incarnation: u64,
    /// Position in the incarnation's chain, dense from 0.
    pub number: u64,
    /// Header hash of the segment before; for number 0 [`first_previous`].
    pub previous: Hash,
}

impl std::fmt::Debug for SegmentInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("SegmentInput");
        shown.field("compartment", &self.compartment).field("number", &self.number).finish_non_exhaustive()
    }
}

/// A sealed segment with what the device keeps of it.
#[derive(Debug)]
pub struct Sealed {
    /// The segment, encoded.
    pub segment: Vec<u8>,
    /// Its header hash: names it in grants and in the next segment.
    pub hash: Hash,
    /// Its key, to make grants from; wipe it with the plaintext.
    pub key: SegmentKey,
}

/// The `previous` of segment 0: binds the chain to the device's signing key.
#[must_use]
pub fn first_previous(device: &VerifyKey) -> Hash {
    Hash::of("amparo-segment-1", &[&device.0])
}

/// Seals facts of one lane under a fresh key and signs the header.
///
/// # Errors
/// [`SealError`]; nothing was made.
pub fn seal(input: &SegmentInput, signer: &Signer, entropy: &dyn Entropy) -> Result<Sealed, SealError> {
    let plain = Plain { case: input.case, screening: input.screening, events: events(input)? };
    let key = SegmentKey(fresh_key(entropy)?);
    let encoded = Zeroizing::new(to_bytes(&plain)?);
    if encoded.len() > SEGMENT_PLAIN_BYTES_MAX {
        return Err(SealError::TooLarge);
    }
    let packed = compress(&encoded)?;
    let padded = pad(&packed)?;
    let header = to_bytes(&Header {
        version: VERSION,
        suite: SUITE_1,
        dictionary: DICTIONARY,
        device: input.device,
        incarnation: input.incarnation,
        number: input.number,
        previous: input.previous,
        events_root: events_root(&key, &plain.events).ok_or(SealError::Encoding)?,
    })?;
    let ciphertext = ChaCha20Poly1305::new(key.expose().into())
        .encrypt(&NONCE.into(), Payload { msg: &padded, aad: &header })
        .map_err(|_| SealError::Encoding)?;
    let mut segment = Segment { header, signature: Vec::new(), ciphertext };
    let covered = segment.ciphertext_sha256();
    let payload = signed_payload(&segment.header, &covered);
    segment.signature = signer.sign(&signed_bytes(SIGN_CONTEXT, &payload)).to_vec();
    Ok(Sealed { segment: to_bytes(&segment)?, hash: header_hash(&segment.header, &covered), key })
}

/// Verifies all of a segment that can be verified without its key: form, version, and the signature over header
/// and ciphertext. Gives the header and its hash.
///
/// # Errors
/// [`OpenError`].
pub fn inspect(segment: &[u8], device: &VerifyKey) -> Result<(Header, Hash), OpenError> {
    let (header, hash, _) = verified(segment, device)?;
    Ok((header, hash))
}

/// Opens a segment with a grant and verifies everything: what [`inspect`] does, then the key, the padding, the
/// bounded expansion, the one form, and that the facts are those to which the header commits.
///
/// # Errors
/// [`OpenError`]; nothing of the plaintext is given.
pub fn open(
    segment: &[u8],
    grant: &Grant,
    secret: &SecretKey,
    device: &VerifyKey,
) -> Result<Plain, OpenError> {
    let (header, hash, segment) = verified(segment, device)?;
    let key = crate::grant::unwrap(grant, &hash, secret)?;
    let padded = ChaCha20Poly1305::new(key.expose().into())
        .decrypt(&NONCE.into(), Payload { msg: &segment.ciphertext, aad: &segment.header })
        .map(Zeroizing::new)
        .map_err(|_| OpenError::Cipher)?;
    let encoded = expand(unpad(&padded)?, header.dictionary)?;
    let plain: Plain = from_bytes(&encoded)?;
    // The cipher does not commit to its key; the root does, so no two readers can be shown different facts.
    if events_root(&key, &plain.events) != Some(header.events_root) {
        return Err(OpenError::Root);
    }
    Ok(plain)
}

/// The facts with their compartments, if all of them may be sealed together.
fn events(input: &SegmentInput) -> Result<Vec<Event>, SealError> {
    if input.events.is_empty() {
        return Err(SealError::Empty);
    }
    if input.events.len() > SEGMENT_EVENTS_MAX {
        return Err(SealError::TooLarge);
    }
    if !input.events.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err(SealError::Order);
    }
    let event = |(counter, bytes): &(u64, Vec<u8>)| {
        let fact: Fact = from_bytes(bytes).map_err(|_| SealError::NotAFact(*counter))?;
        let compartment = fact.body.compartment();
        if compartment.lane() != input.compartment.lane() {
            return Err(SealError::Compartment(*counter));
        }
        Ok(Event { counter: *counter, compartment, fact: bytes.clone() })
    };
    input.events.iter().map(event).collect()
}

fn verified(segment: &[u8], device: &VerifyKey) -> Result<(Header, Hash, Segment), OpenError> {
    let segment: Segment = from_bytes(segment)?;
    let covered = segment.ciphertext_sha256();
    let payload = signed_payload(&segment.header, &covered);
    device.verify(&signed_bytes(SIGN_CONTEXT, &payload), &segment.signature)?;
    let header: Header = from_bytes(&segment.header)?;
    if (header.version, header.suite) != (VERSION, SUITE_1) || dictionary(header.dictionary).is_none() {
        return Err(OpenError::Version);
    }
    Ok((header, header_hash(&segment.header, &covered), segment))
}

/// The present dictionary, made ready for compression once per process.
fn prepared() -> &'static EncoderDictionary<'static> {
    static PREPARED: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
    PREPARED.get_or_init(|| EncoderDictionary::copy(dictionary(DICTIONARY).unwrap_or_default(), ZSTD_LEVEL))
}

/// One frame without its magic number, and without what the header or the length says already: dictionary,
/// content size, checksum.
fn compress(encoded: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let fail = |_| SealError::Encoding;
    let mut compressor = Compressor::with_prepared_dictionary(prepared()).map_err(fail)?;
    compressor.include_contentsize(false).map_err(fail)?;
    compressor.include_dictid(false).map_err(fail)?;
    compressor.include_checksum(false).map_err(fail)?;
    let frame = Zeroizing::new(compressor.compress(encoded).map_err(fail)?);
    let packed = frame.strip_prefix(&ZSTD_MAGIC).ok_or(SealError::Encoding)?;
    Ok(Zeroizing::new(packed.to_vec()))
}

fn expand(packed: &[u8], number: u32) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let fail = |_| OpenError::Expansion;
    let dictionary = dictionary(number).ok_or(OpenError::Version)?;
    let frame = ZSTD_MAGIC.as_slice().chain(packed);
    let mut decoder =
        zstd::stream::read::Decoder::with_dictionary(frame, dictionary).map_err(fail)?.single_frame();
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(fail)?;
    let mut out = Zeroizing::new(Vec::new());
    // One byte past the limit tells that there is more.
    let limit = u64::try_from(SEGMENT_PLAIN_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    decoder.by_ref().take(limit).read_to_end(&mut out).map_err(fail)?;
    let (_, rest) = decoder.finish().into_inner();
    if out.len() > SEGMENT_PLAIN_BYTES_MAX || !rest.is_empty() {
        return Err(OpenError::Expansion);
    }
    Ok(out)
}

/// RFC 9162 Merkle root over SHA-256(salt || encoded event), each salt drawn from the key by HKDF-SHA-256, so
/// that one event can be shown to a court without the others.
fn events_root(key: &SegmentKey, events: &[Event]) -> Option<Hash> {
    let salts = hkdf::Hkdf::<Sha256>::new(None, key.expose());
    let mut tree = ct_merkle::mem_backed_tree::MemoryBackedTree::<Sha256, [u8; 32]>::new();
    for (i, event) in events.iter().enumerate() {
        let number = u32::try_from(i).ok()?.to_be_bytes();
        let mut salt = Zeroizing::new([0; 32]);
        salts.expand_multi_info(&[SALT_CONTEXT, &number], salt.as_mut()).ok()?;
        let leaf = Sha256::new().chain_update(*salt).chain_update(to_bytes(event).ok()?).finalize();
        tree.push(leaf.into());
    }
    Some(Hash((*tree.root().as_bytes()).into()))
}
