//! What the parts of an exchange weigh on the wire (adr/0008). A heavier one is a decision, not an accident.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::disclosure::{Disclosure, Withheld};
use amparo_schema::wire::feed::{Cursor, FeedId};
use amparo_schema::wire::push::{Frame, Hello, Shown};
use amparo_schema::wire::receipt::{Brief, Receipt};
use amparo_seal::random::SeededEntropy;
use amparo_seal::{Granter, SecretKey, SegmentKey, Signer, to_bytes};

const DEVICE: DeviceId = DeviceId([7; 16]);
/// As most are: random, 9 bytes on the wire.
const INCARNATION: u64 = 0x7a5c_11e0_94d3_2b68;

fn signer() -> Signer {
    Signer::from_seed(&[8; 32])
}

/// The frame of a disclosure of so many segments to so many readers.
fn disclosed(segments: u8, readers: u8) -> usize {
    let granter = |n| {
        let reader = SecretKey::new(&[n + 1; 32]).public();
        Granter::new(&reader, &SeededEntropy::new(u64::from(n))).unwrap()
    };
    let granters: Vec<Granter> = (0..readers).map(granter).collect();
    let pairs = (0..segments).flat_map(|segment| granters.iter().map(move |granter| (segment, granter)));
    let grants: Vec<_> =
        pairs.map(|(n, granter)| granter.grant(&SegmentKey::new(&[n; 32]), Hash([n; 32])).unwrap()).collect();
    let made = Disclosure::new((DEVICE, INCARNATION, 3), &grants, &[]);
    assert_eq!(made.pairs(), usize::from(segments) * usize::from(readers));
    to_bytes(&Frame::Disclosure(signer().sign_object(&made).unwrap())).unwrap().len()
}

#[test]
fn a_disclosure_of_two_readers() {
    let sizes = [1, 2, 3].map(|segments| disclosed(segments, 2));
    println!("1, 2, 3 segments to 2 readers: {sizes:?} bytes");
    assert_eq!(sizes, [332, 470, 608]);
    let no = Withheld { segment: Hash([1; 32]), recipient: [1; 8] };
    let made = Disclosure::new((DEVICE, INCARNATION, 3), &[], &[no]);
    assert!(to_bytes(&made).unwrap().len() <= 80);
}

#[test]
fn a_hello() {
    let receipt = Receipt {
        device: DEVICE,
        incarnation: INCARNATION,
        epoch: 0,
        stored: 300,
        hash: Hash([1; 32]),
        ranges: vec![],
        durable: 300,
        delivered: 298,
        horizon: 250,
        disclosures: 150,
        hq_ms: 1_795_330_800_000,
        log_size: 100_000,
        log_root: Hash([2; 32]),
    };
    let whole = Shown::Whole(Signer::from_seed(&[9; 32]).sign_object(&receipt).unwrap());
    let mark = |feed| Some(Cursor::start(feed).mark());
    let frame = |receipt| {
        let hello = Hello {
            device: DEVICE,
            incarnation: INCARNATION,
            receipt: Some(receipt),
            own: mark(FeedId::device(DEVICE)),
            packs: mark(FeedId::packs()),
            down_bytes: 1 << 24,
        };
        to_bytes(&Frame::Hello(signer().sign_object(&hello).unwrap())).unwrap().len()
    };
    let (whole, brief) = (frame(whole), frame(Shown::Brief(Brief::from(&receipt))));
    println!("a hello: {brief} bytes in brief, {whole} with the whole receipt");
    assert!(brief <= 200 && whole <= 360, "{brief}, {whole}");
}
