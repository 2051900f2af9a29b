//! Damage and malice: every flipped bit, every mixed part, and a device that signs what it should not.

use amparo_core::random::SeededEntropy;
use amparo_core::schema::fact::Compartment;
use amparo_core::schema::id::Hash;
use amparo_core::schema::limits::SEGMENT_PLAIN_BYTES_MAX;
use amparo_core::schema::wire::segment::{Event, Grant, Header, Plain, Segment, header_hash};
use amparo_core::seal::{
    Granter, OpenError, Sealed, SecretKey, SegmentKey, first_previous, from_bytes, grant, inspect, open,
    seal, to_bytes,
};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use ed25519_dalek::Signer as _;
use sha2::{Digest, Sha256};

use crate::common::{gate_passed, opening};
use crate::seal::{encoded, first, input, reader, signer};

/// I15, I13: every bit of a segment, without and with its key; and every cut.
#[test]
fn every_flipped_bit_of_a_segment_is_detected() {
    let (sealed, grant) = first(1);
    let device = signer().public();
    for bit in 0..sealed.segment.len() * 8 {
        let mut flipped = sealed.segment.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(inspect(&flipped, &device).is_err(), "bit {bit}");
        assert!(open(&flipped, &grant, &reader(), &device).is_err(), "bit {bit}");
    }
    for cut in 0..sealed.segment.len() {
        assert_eq!(inspect(&sealed.segment[..cut], &device), Err(OpenError::Form));
    }
    let longer = [&sealed.segment[..], &[0]].concat();
    assert_eq!(inspect(&longer, &device), Err(OpenError::Form));
}

#[test]
fn every_flipped_bit_of_a_grant_is_detected() {
    let (sealed, grant) = first(1);
    let bytes = to_bytes(&grant).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let opened = from_bytes::<Grant>(&flipped)
            .and_then(|grant| open(&sealed.segment, &grant, &reader(), &signer().public()));
        assert!(opened.is_err(), "bit {bit}");
    }
}

/// I21.
#[test]
fn parts_of_two_segments_do_not_mix() {
    let (a, grant_a) = first(1);
    let mut other = input(1, a.hash);
    other.events = encoded(&[opening(), gate_passed()]);
    let b = seal(&other, &signer(), &SeededEntropy::new(5)).unwrap();
    let device = signer().public();
    assert_eq!(open(&b.segment, &grant_a, &reader(), &device), Err(OpenError::OtherSegment));
    // The wrapped key of A under the name of B: the context does not fit.
    let renamed = Grant { segment: b.hash, ..grant_a.clone() };
    assert_eq!(open(&b.segment, &renamed, &reader(), &device), Err(OpenError::Wrapped));
    shared_encapsulations_do_not_mix(&a, &b);
    let (parts_a, parts_b): (Segment, Segment) =
        (from_bytes(&a.segment).unwrap(), from_bytes(&b.segment).unwrap());
    let mixed = Segment { ciphertext: parts_b.ciphertext, ..parts_a.clone() };
    let mixed = to_bytes(&mixed).unwrap();
    assert_eq!(open(&mixed, &grant_a, &reader(), &device), Err(OpenError::Signature));
    let mixed = to_bytes(&Segment { signature: parts_b.signature, ..parts_a }).unwrap();
    assert_eq!(inspect(&mixed, &device), Err(OpenError::Signature));
    // The key of A, wrapped for the header of B, opens nothing.
    let crossed = grant(&a.key, b.hash, &reader().public(), &SeededEntropy::new(6)).unwrap();
    assert_eq!(open(&b.segment, &crossed, &reader(), &device), Err(OpenError::Cipher));
}

/// Two keys wrapped from one encapsulation: each opens its own segment, for its own reader, and nothing else.
fn shared_encapsulations_do_not_mix(a: &Sealed, b: &Sealed) {
    let (device, other) = (signer().public(), SecretKey::new(&[0x0b; 32]));
    let wrap = |reader: &SecretKey, seed| {
        let granter = Granter::new(&reader.public(), &SeededEntropy::new(seed)).unwrap();
        [a, b].map(|sealed| granter.grant(&sealed.key, sealed.hash).unwrap())
    };
    let ([one, two], [for_other, _], [again, _]) = (wrap(&reader(), 8), wrap(&other, 9), wrap(&reader(), 10));
    assert_eq!(one.encapsulated, two.encapsulated);
    assert_ne!(one.wrapped, two.wrapped);
    for (sealed, grant) in [(a, &one), (b, &two)] {
        assert!(open(&sealed.segment, grant, &reader(), &device).is_ok());
        assert_eq!(open(&sealed.segment, grant, &other, &device), Err(OpenError::Recipient));
    }
    let refused = [
        ("moved to another segment", Grant { segment: b.hash, ..one.clone() }, &reader(), &b.segment),
        ("another's wrapped key", Grant { wrapped: two.wrapped, ..one.clone() }, &reader(), &a.segment),
        ("of another reader", Grant { recipient: one.recipient, ..for_other.clone() }, &reader(), &a.segment),
        ("to another reader", Grant { recipient: for_other.recipient, ..one.clone() }, &other, &a.segment),
        (
            "another encapsulation",
            Grant { encapsulated: again.encapsulated, ..one.clone() },
            &reader(),
            &a.segment,
        ),
        ("no encapsulation", Grant { encapsulated: [0; 32], ..one }, &reader(), &a.segment),
    ];
    for (what, grant, secret, segment) in refused {
        assert_eq!(open(segment, &grant, secret, &device), Err(OpenError::Wrapped), "{what}");
    }
}

/// What a device could sign if its software were another: each part forged, each check on its own.
struct Forge {
    padded: Vec<u8>,
    root: Hash,
    edit: fn(&mut Header),
    /// The ciphertext that is signed.
    signed: fn(&[u8]) -> &[u8],
}

impl Forge {
    fn honest() -> Self {
        let (sealed, _) = first(1);
        let (header, _) = inspect(&sealed.segment, &signer().public()).unwrap();
        let segment: Segment = from_bytes(&sealed.segment).unwrap();
        let cipher = chacha20poly1305::ChaCha20Poly1305::new(sealed.key.expose().into());
        let payload = Payload { msg: &segment.ciphertext, aad: &segment.header };
        let padded = cipher.decrypt(&[0; 12].into(), payload).unwrap();
        Self { padded, root: header.events_root, edit: |_| {}, signed: |ciphertext| ciphertext }
    }

    fn packed(payload: &[u8]) -> Vec<u8> {
        let mut padded = u32::try_from(payload.len()).unwrap().to_be_bytes().to_vec();
        padded.extend_from_slice(payload);
        padded.resize(amparo_core::schema::wire::segment::padded_bytes(payload.len()), 0);
        padded
    }

    fn open(self) -> Result<Plain, OpenError> {
        let first_key = { first(1).0.key };
        let key = SegmentKey::new(first_key.expose());
        let mut header = Header {
            version: 1,
            suite: 1,
            dictionary: 1,
            device: input(0, Hash([0; 32])).device,
            incarnation: 7,
            number: 0,
            previous: first_previous(&signer().public()),
            events_root: self.root,
        };
        (self.edit)(&mut header);
        let header = to_bytes(&header).unwrap();
        let cipher = chacha20poly1305::ChaCha20Poly1305::new(key.expose().into());
        let payload = Payload { msg: &self.padded, aad: &header };
        let ciphertext = cipher.encrypt(&[0; 12].into(), payload).unwrap();
        let covered = Hash(Sha256::digest((self.signed)(&ciphertext)).into());
        let length = u8::try_from(header.len() + 32).unwrap();
        let context = b"\x84\x6aSignature1\x43\xa1\x01\x27\x50amparo-segment-1\x58".as_slice();
        let signed = [context, &[length], &header, &covered.0].concat();
        let signature = ed25519_dalek::SigningKey::from_bytes(&[0x51; 32]).sign(&signed).to_bytes().to_vec();
        let hash = header_hash(&header, &covered);
        let segment = to_bytes(&Segment { header, signature, ciphertext }).unwrap();
        let grant = grant(&key, hash, &reader().public(), &SeededEntropy::new(8)).unwrap();
        open(&segment, &grant, &reader(), &signer().public())
    }
}

#[test]
fn a_forger_with_the_key_of_the_device_is_stopped_by_each_check() {
    let honest = Forge::honest();
    let length = u32::from_be_bytes(honest.padded[..4].try_into().unwrap()) as usize;
    let frame = honest.padded[4..4 + length].to_vec();
    let dictionary = amparo_schema::wire::segment::dictionary(1).unwrap();
    let mut encoded = Vec::new();
    let whole = [b"\x28\xb5\x2f\xfd", &frame[..]].concat();
    let mut decoder = zstd::stream::read::Decoder::with_dictionary(&whole[..], dictionary).unwrap();
    std::io::Read::read_to_end(&mut decoder, &mut encoded).unwrap();
    let pack = |bytes: &[u8]| Forge::packed(&zstd::bulk::compress(bytes, 3).unwrap()[4..]);
    assert!(honest.open().is_ok(), "the forge itself is sound");

    let with = |padded: Vec<u8>| Forge { padded, ..Forge::honest() };
    let mut unclean = Forge::honest().padded;
    *unclean.last_mut().unwrap() = 1;
    assert_eq!(with(unclean).open(), Err(OpenError::Padding));
    let mut bigger = Forge::honest().padded;
    bigger.extend([0; 128]);
    assert_eq!(with(bigger).open(), Err(OpenError::Padding));
    let mut lying = Forge::honest().padded;
    lying[..4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(with(lying).open(), Err(OpenError::Padding));
    assert_eq!(with(vec![0; 3]).open(), Err(OpenError::Padding));

    assert_eq!(with(Forge::packed(b"not a frame")).open(), Err(OpenError::Expansion));
    assert_eq!(with(Forge::packed(&[&frame[..], b"x"].concat())).open(), Err(OpenError::Expansion));
    assert_eq!(with(Forge::packed(&frame[..frame.len() - 1])).open(), Err(OpenError::Expansion));
    assert_eq!(
        with(Forge::packed(&whole)).open(),
        Err(OpenError::Expansion),
        "the magic number stays behind"
    );
    assert_eq!(with(Forge::packed(&[&frame[..], &whole].concat())).open(), Err(OpenError::Expansion));
    let bomb = pack(&vec![0; SEGMENT_PLAIN_BYTES_MAX + 1]);
    assert!(bomb.len() < 8_192, "a bomb is small: {}", bomb.len());
    assert_eq!(with(bomb).open(), Err(OpenError::Expansion));

    assert_eq!(with(pack(&[&encoded[..], b"\0"].concat())).open(), Err(OpenError::Form));
    let plain: Plain = from_bytes(&encoded).unwrap();
    assert_eq!(with(pack(&encoded)).open().as_ref(), Ok(&plain), "another level of zstd is no forgery");
    let sealed_as = |edit: fn(&mut Vec<Event>)| {
        let mut plain = plain.clone();
        edit(&mut plain.events);
        with(pack(&to_bytes(&plain).unwrap())).open()
    };
    assert_eq!(sealed_as(|events| events.truncate(1)), Err(OpenError::Root));
    assert_eq!(sealed_as(|events| events[0].counter -= 1), Err(OpenError::Root));
    assert_eq!(sealed_as(|events| events[0].compartment = Compartment::Consent), Err(OpenError::Root));
    assert_eq!(sealed_as(|events| events[2].fact = events[1].fact.clone()), Err(OpenError::Root));
    assert_eq!(sealed_as(|events| events.swap(0, 1)), Err(OpenError::Form), "counters go up");
    assert_eq!(sealed_as(|events| events[1].compartment = Compartment::Identity), Err(OpenError::Form));
    assert_eq!(sealed_as(Vec::clear), Err(OpenError::Form));
    assert_eq!(Forge { root: Hash([1; 32]), ..Forge::honest() }.open(), Err(OpenError::Root));

    let bare = Forge { edit: |h| h.dictionary = 0, ..with(pack(&encoded)) };
    assert_eq!(bare.open().as_ref(), Ok(&plain), "without a dictionary");
    assert_eq!(Forge { edit: |h| h.dictionary = 0, ..Forge::honest() }.open(), Err(OpenError::Expansion));

    for edit in [(|h| h.version = 2) as fn(&mut Header), |h| h.suite = 2, |h| h.dictionary = 2] {
        assert_eq!(Forge { edit, ..Forge::honest() }.open(), Err(OpenError::Version));
    }
    let signed: fn(&[u8]) -> &[u8] = |ciphertext| &ciphertext[1..];
    assert_eq!(Forge { signed, ..Forge::honest() }.open(), Err(OpenError::Signature));
}

proptest::proptest! {
    /// I13: arbitrary bytes are refused, never a panic.
    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let (_, grant) = first(1);
        proptest::prop_assert!(open(&bytes, &grant, &reader(), &signer().public()).is_err());
        proptest::prop_assert!(from_bytes::<Grant>(&bytes).is_err());
        proptest::prop_assert!(amparo_core::packet::open(&bytes, &reader()).is_err());
    }
}
