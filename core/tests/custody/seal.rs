//! Segments and grants: they open for whom they are meant, and the format does not drift.

use amparo_core::random::{Entropy, NoEntropy, SeededEntropy};
use amparo_core::schema::fact::{Body, Compartment, Fact};
use amparo_core::schema::id::{DeviceId, Hash};
use amparo_core::schema::wire::segment::{Grant, Header, Segment, padded_bytes};
use amparo_core::seal::{
    OpenError, PublicKey, SealError, Sealed, SecretKey, SegmentInput, Signer, VerifyKey, first_previous,
    fresh_key, from_bytes, grant, identity_box, identity_open, inspect, open, seal, to_bytes,
};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

use crate::common::{CASE, SCREENING, fact, gate_passed, hex, identity, opening, recorded, talk, unhex};

pub(crate) fn signer() -> Signer {
    Signer::from_seed(&[0x51; 32])
}

pub(crate) fn reader() -> SecretKey {
    SecretKey::new(&[0x0a; 32])
}

pub(crate) fn encoded(bodies: &[Body]) -> Vec<(u64, Vec<u8>)> {
    (1..)
        .zip(bodies)
        .map(|(counter, body)| (counter, to_bytes(&fact(counter, body.clone()).1).unwrap()))
        .collect()
}

pub(crate) fn input(number: u64, previous: Hash) -> SegmentInput {
    SegmentInput {
        case: Some(CASE),
        screening: Some(SCREENING),
        compartment: Compartment::Case,
        events: encoded(&[opening(), gate_passed(), recorded()]),
        device: DeviceId([0xde; 16]),
        incarnation: 7,
        number,
        previous,
    }
}

pub(crate) fn first(seed: u64) -> (Sealed, Grant) {
    let input = input(0, first_previous(&signer().public()));
    let sealed = seal(&input, &signer(), &SeededEntropy::new(seed)).unwrap();
    let grant = grant(&sealed.key, sealed.hash, &reader().public(), &SeededEntropy::new(seed + 1)).unwrap();
    (sealed, grant)
}

#[test]
fn two_recipients_open_the_same_facts_and_others_none() {
    let (sealed, for_a) = first(1);
    let device = signer().public();
    let (a, b, c) = (reader(), SecretKey::new(&[0x0b; 32]), SecretKey::new(&[0x0c; 32]));
    let for_b = grant(&sealed.key, sealed.hash, &b.public(), &SeededEntropy::new(9)).unwrap();
    let plain = open(&sealed.segment, &for_a, &a, &device).unwrap();
    assert_eq!(plain, open(&sealed.segment, &for_b, &b, &device).unwrap());
    let facts: Vec<(u64, Vec<u8>)> = plain.events.into_iter().map(|e| (e.counter, e.fact)).collect();
    assert_eq!(facts, input(0, Hash([0; 32])).events);
    assert_eq!(open(&sealed.segment, &for_a, &b, &device), Err(OpenError::Recipient));
    let renamed = Grant { recipient: c.public().id(), ..for_a.clone() };
    assert_eq!(open(&sealed.segment, &renamed, &c, &device), Err(OpenError::Wrapped));
    let stranger = Signer::from_seed(&[1; 32]).public();
    assert_eq!(open(&sealed.segment, &for_a, &a, &stranger), Err(OpenError::Signature));
    // I17: nothing in a grant but its own recipient.
    assert_ne!(for_a.recipient, for_b.recipient);
    assert_eq!((for_a.encapsulated.len(), for_a.wrapped.len()), (32, 48));
}

/// I16: sizes are buckets, and the header says nothing that the facts say.
#[test]
fn lengths_are_buckets() {
    for (bytes, padded) in
        [(0, 128), (124, 128), (125, 256), (1_020, 1_024), (1_021, 1_280), (1_276, 1_280), (1_277, 1_536)]
    {
        assert_eq!(padded_bytes(bytes), padded, "{bytes}");
    }
    let mut sizes = std::collections::BTreeSet::new();
    for n in 0..60 {
        let mut input = input(0, Hash([0; 32]));
        let notes: Vec<Body> = (0..=n)
            .map(|i| {
                let text = Hash::of("noise", &[&[i]]).to_string();
                Body::StepLogged {
                    step: crate::common::name("s"),
                    state: amparo_core::schema::fact::StepState::Skipped { reason: text },
                }
            })
            .collect();
        input.events = encoded(&notes);
        let sealed = seal(&input, &signer(), &SeededEntropy::new(u64::from(n))).unwrap();
        inspect(&sealed.segment, &signer().public()).unwrap();
        let padded = from_bytes::<Segment>(&sealed.segment).unwrap().ciphertext.len() - 16;
        let bucket = if padded <= 1_024 { 128 } else { 256 };
        assert_eq!(padded % bucket, 0);
        sizes.insert(padded);
    }
    assert!(sizes.len() > 3 && sizes.iter().any(|s| *s > 1_024), "both buckets were met: {sizes:?}");
}

#[test]
fn only_facts_of_one_lane_in_order_are_sealed() {
    let base = || input(0, Hash([0; 32]));
    let refused = |input: &SegmentInput| seal(input, &signer(), &SeededEntropy::new(1)).unwrap_err();
    assert_eq!(refused(&SegmentInput { events: vec![], ..base() }), SealError::Empty);
    let leaking = SegmentInput { events: encoded(&[opening(), talk(), identity()]), ..base() };
    assert_eq!(refused(&leaking), SealError::Compartment(3));
    let installed = Body::IncarnationBegun { incarnation: 1 };
    let mixed = SegmentInput { events: encoded(&[opening(), installed.clone()]), ..base() };
    assert_eq!(refused(&mixed), SealError::Compartment(2));
    for (compartment, body) in [(Compartment::Identity, opening()), (Compartment::Audit, talk())] {
        let elsewhere = SegmentInput { compartment, events: encoded(&[body]), ..base() };
        assert_eq!(refused(&elsewhere), SealError::Compartment(1));
    }
    let many = (1..=16_385).map(|counter| (counter, base().events[0].1.clone())).collect();
    assert_eq!(refused(&SegmentInput { events: many, ..base() }), SealError::TooLarge);
    let mut swapped = base();
    swapped.events.swap(0, 1);
    assert_eq!(refused(&swapped), SealError::Order);
    let mut damaged = base();
    damaged.events[1].1.push(0);
    assert_eq!(refused(&damaged), SealError::NotAFact(2));
}

/// Case and consent share a segment, in the order of their counters; each fact still says what it is about.
#[test]
fn a_lane_is_one_segment_and_each_fact_keeps_its_compartment() {
    for compartment in [Compartment::Case, Compartment::Consent] {
        let events = encoded(&[opening(), talk(), gate_passed(), talk()]);
        let input = SegmentInput { compartment, events, ..input(0, Hash([0; 32])) };
        let sealed = seal(&input, &signer(), &SeededEntropy::new(3)).unwrap();
        let grant = grant(&sealed.key, sealed.hash, &reader().public(), &SeededEntropy::new(4)).unwrap();
        let plain = open(&sealed.segment, &grant, &reader(), &signer().public()).unwrap();
        let said: Vec<_> = plain.events.iter().map(|event| event.compartment).collect();
        let [case, consent] = [Compartment::Case, Compartment::Consent];
        assert_eq!(said, [case, consent, case, consent]);
        let facts: Vec<_> = plain.events.into_iter().map(|event| (event.counter, event.fact)).collect();
        assert_eq!(facts, input.events);
    }
}

/// Points that give no shared secret: zero, one, minus one, and two of order 8 (RFC 7748, section 6.1, asks for
/// the check; the list is that of small-order points on Curve25519).
#[test]
fn keys_that_share_no_secret_are_refused() {
    let (sealed, _) = first(1);
    let mut one = [0; 32];
    one[0] = 1;
    let order_8 = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]
    .map(|text| unhex(text).try_into().unwrap());
    for key in [[0; 32], one].into_iter().chain(order_8) {
        let entropy = SeededEntropy::new(2);
        let refused = grant(&sealed.key, sealed.hash, &PublicKey::new(key), &entropy);
        assert_eq!(refused, Err(SealError::BadRecipient), "{}", hex(&key));
    }
}

struct Dry;
impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

#[test]
fn nothing_is_sealed_without_randomness() {
    let dry = SealError::Entropy(NoEntropy);
    assert_eq!(seal(&input(0, Hash([0; 32])), &signer(), &Dry).unwrap_err(), dry);
    let (sealed, _) = first(1);
    assert_eq!(grant(&sealed.key, sealed.hash, &reader().public(), &Dry), Err(dry));
    let key = fresh_key(&SeededEntropy::new(1)).unwrap();
    assert_eq!(identity_box(&key, b"x", b"", &Dry), Err(dry));
}

#[test]
fn the_identity_box_opens_in_its_place_with_its_key() {
    let entropy = SeededEntropy::new(3);
    let (key, other) = (fresh_key(&entropy).unwrap(), fresh_key(&entropy).unwrap());
    let body = crate::common::CANARY.as_bytes();
    let boxed = identity_box(&key, body, b"case 1", &entropy).unwrap();
    assert_ne!(boxed, identity_box(&key, body, b"case 1", &entropy).unwrap(), "nonces differ");
    assert!(!boxed.windows(6).any(|w| body.windows(6).any(|b| b == w)));
    assert_eq!(identity_open(&key, &boxed, b"case 1").unwrap().as_slice(), body);
    assert_eq!(identity_open(&other, &boxed, b"case 1"), Err(OpenError::Cipher));
    assert_eq!(identity_open(&key, &boxed, b"case 2"), Err(OpenError::Cipher));
    assert_eq!(identity_open(&key, &boxed[..11], b"case 1"), Err(OpenError::Form));
    for bit in 0..boxed.len() * 8 {
        let mut flipped = boxed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(identity_open(&key, &flipped, b"case 1").is_err(), "bit {bit}");
    }
}

/// RFC 9162, section 2.1.1, by its recursive definition.
fn merkle(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().into(),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            let node = Sha256::new().chain_update([1]).chain_update(merkle(left));
            node.chain_update(merkle(right)).finalize().into()
        }
    }
}

/// The columns of a plaintext, read by hand: counter, compartment and fact of each event.
fn by_columns(plain: &[u8]) -> Vec<(u64, u8, Vec<u8>)> {
    let mut d = minicbor::Decoder::new(plain);
    assert_eq!(d.array().unwrap(), Some(9));
    assert_eq!((d.bytes().unwrap(), d.bytes().unwrap()), (&CASE.0[..], &SCREENING.0[..]));
    let mut columns: Vec<Vec<i64>> = Vec::new();
    for _ in 0..6 {
        let column: Vec<i64> = d.decode().unwrap();
        let sums = column.iter().scan(0_i64, |sum, difference| {
            *sum = sum.wrapping_add(*difference);
            Some(*sum)
        });
        columns.push(sums.collect());
    }
    let mut events = Vec::new();
    for place in 0..usize::try_from(d.array().unwrap().unwrap()).unwrap() {
        let from = d.position();
        d.skip().unwrap();
        let body = &plain[from..d.position()];
        // A column that has ended goes on as it was.
        let at = |n: usize| columns[n].get(place).or(columns[n].last()).copied().unwrap_or(0);
        let steady = u64::try_from(at(4).wrapping_add(at(2))).unwrap();
        let doubt = u8::try_from(at(5)).unwrap().checked_sub(1);
        let mut e = minicbor::Encoder::new(Vec::new());
        e.array(2).unwrap().array(if doubt.is_some() { 4 } else { 3 }).unwrap();
        e.i64(at(2)).unwrap().i64(at(3)).unwrap().u64(steady).unwrap();
        doubt.map(|doubt| e.u8(doubt).unwrap());
        let fact = [&e.into_writer()[..], body].concat();
        events.push((u64::try_from(at(1)).unwrap() + place as u64, u8::try_from(at(0)).unwrap(), fact));
    }
    assert_eq!(d.position(), plain.len());
    events
}

/// Opens a segment by the words of the format alone: another reader, written from the module doc.
#[test]
fn a_reader_written_from_the_format_agrees() {
    use chacha20poly1305::aead::{Aead, KeyInit, Payload};
    let (sealed, _) = first(4);
    let segment: Segment = from_bytes(&sealed.segment).unwrap();
    let header: Header = from_bytes(&segment.header).unwrap();
    // The Sig_structure, spelled out: ["Signature1", h'a10127', "amparo-segment-1", header and hash].
    let hash = Sha256::digest(&segment.ciphertext);
    let signed = [
        b"\x84\x6aSignature1\x43\xa1\x01\x27\x50amparo-segment-1\x58".as_slice(),
        &[u8::try_from(segment.header.len() + 32).unwrap()],
        &segment.header,
        &hash,
    ]
    .concat();
    let key = ed25519_dalek::VerifyingKey::from_bytes(&signer().public().0).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&segment.signature).unwrap();
    key.verify_strict(&signed, &signature).unwrap();
    let lengths = [segment.header.len(), hash.len()].map(|n| (n as u64).to_be_bytes());
    let named = Sha256::new().chain_update(b"amparo-segment-1\0");
    let named = named.chain_update(lengths[0]).chain_update(&segment.header);
    assert_eq!(sealed.hash.0, <[u8; 32]>::from(named.chain_update(lengths[1]).chain_update(hash).finalize()));

    let cipher = chacha20poly1305::ChaCha20Poly1305::new(sealed.key.expose().into());
    let payload = Payload { msg: &segment.ciphertext, aad: &segment.header };
    let padded = cipher.decrypt(&[0; 12].into(), payload).unwrap();
    let length = u32::from_be_bytes(padded[..4].try_into().unwrap()) as usize;
    assert!(padded[4 + length..].iter().all(|b| *b == 0));
    assert_eq!(header.dictionary, 1);
    let dictionary = include_bytes!("../../../schema/dictionary/1.zdict");
    let mut plain = Vec::new();
    let frame = [b"\x28\xb5\x2f\xfd", &padded[4..4 + length]].concat();
    let mut reader = zstd::stream::read::Decoder::with_dictionary(&frame[..], dictionary).unwrap();
    std::io::Read::read_to_end(&mut reader, &mut plain).unwrap();
    let events = by_columns(&plain);

    let salts = Hkdf::<Sha256>::new(None, sealed.key.expose());
    let leaves: Vec<[u8; 32]> = (0_u32..)
        .zip(&events)
        .map(|(i, (counter, compartment, fact))| {
            let mut salt = [0; 32];
            let info = [b"amparo-event-salt-1".as_slice(), &i.to_be_bytes()].concat();
            salts.expand(&info, &mut salt).unwrap();
            let event = (*counter, *compartment, minicbor::bytes::ByteVec::from(fact.clone()));
            let event = minicbor::to_vec(event).unwrap();
            Sha256::new().chain_update(salt).chain_update(event).finalize().into()
        })
        .collect();
    assert_eq!(merkle(&leaves), header.events_root.0);
    let opening: Fact = minicbor::decode(&events[0].2).unwrap();
    assert_eq!(opening.body.kind(), "screening_opened");
    assert!(events.iter().all(|(_, compartment, _)| *compartment == 1), "all of the case");
    let facts: Vec<_> = events.into_iter().map(|(counter, _, fact)| (counter, fact)).collect();
    assert_eq!(facts, input(0, Hash([0; 32])).events);
}

/// A segment and a grant as earlier builds wrote them must open for ever. Never replace these files: add.
#[test]
fn the_golden_segments_open() {
    let grant: Grant = from_bytes(&unhex(include_str!("golden/grant-1.hex"))).unwrap();
    let segment = unhex(include_str!("golden/segment-1.hex"));
    let plain = open(&segment, &grant, &reader(), &VerifyKey(signer().public().0)).unwrap();
    let facts: Vec<(u64, Vec<u8>)> = plain.events.into_iter().map(|e| (e.counter, e.fact)).collect();
    assert_eq!(facts, input(0, Hash([0; 32])).events);
}

/// What this build writes, bit for bit. If only a new zstd changed the bytes, the segment above still opens, and
/// these two values may be replaced; anything else is another format and needs another version.
#[test]
fn the_format_does_not_drift() {
    let (sealed, grant) = first(42);
    let grant = to_bytes(&grant).unwrap();
    assert_eq!(hex(&Sha256::digest(&sealed.segment)), GOLDEN_SEGMENT);
    assert_eq!(hex(&Sha256::digest(&grant)), GOLDEN_GRANT);
    assert_eq!(hex(&sealed.segment), include_str!("golden/segment-1.hex").trim());
    assert_eq!(hex(&grant), include_str!("golden/grant-1.hex").trim());
}

const GOLDEN_SEGMENT: &str = "3f485829affb7f800c996d5d3849e125bfc9e3cbe7ef958420ba067aee2a1d39";
const GOLDEN_GRANT: &str = "5deeeb2e1167dd039d686604d4e493df49f6b4a0a5e23c76173336cef6b96f5c";
