//! Bytes from anywhere: no decoder of the wire panics, and none holds much more than it was given.
//!
//! By default some ten thousand mutants; `AMPARO_FUZZ=<count>` asks for more, `cargo xtask fuzz` for ten million, and
//! `AMPARO_FUZZ_SEED` for others. A failure prints the seed and the bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests
#![allow(clippy::print_stdout, reason = "tests")]

mod alloc;
mod mutate;

use amparo_schema::fact::Fact;
use amparo_schema::id::Hash;
use amparo_schema::limits::{PAGE_ENTRIES_MAX, SEGMENT_EVENTS_MAX};
use amparo_schema::wire::bundle::Volume;
use amparo_schema::wire::disclosure::Disclosure;
use amparo_schema::wire::enrol::{Certificate, Enrolment, Headquarters, Request, Revocation, Ticket};
use amparo_schema::wire::feed::{Cursor, Entry, Letter, Note, Page};
use amparo_schema::wire::push::{Frame, Hello, Reply};
use amparo_schema::wire::receipt::Receipt;
use amparo_schema::wire::segment::{Event, Grant, Header, Plain, Segment};
use amparo_schema::wire::signed::{Payload, Signed};
use amparo_seal::{
    Direction, First, SecretKey, VerifyKey, check_request, first, from_bytes, inspect, open_volume,
    read_ticket, to_bytes, unpad, unverified,
};
use minicbor::{Decode, Encode};
use mutate::Dice;

/// Bytes that a decoder may hold for each byte that it was given, and beside that.
const FACTOR: usize = 4;
const BESIDE: usize = 64 * 1024;

fn somewhere() -> Headquarters {
    Headquarters { url: "https://hq.example/".into(), key: Hash([1; 32]), bundle_key: Hash([2; 32]) }
}

type Decoder = (&'static str, fn(&[u8]) -> bool);

/// Whether the bytes are the one form of a `T`; what was read is then written as it was.
fn form<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> bool {
    from_bytes::<T>(bytes).is_ok()
}

fn signed<T: Payload>(bytes: &[u8]) -> bool {
    from_bytes::<Signed<T>>(bytes).is_ok_and(|signed| unverified(&signed).is_ok())
}

fn whole_sequence(mut bytes: &[u8]) -> bool {
    while let Ok(First::Item(item, rest)) = first(bytes) {
        assert!(!item.is_empty() && item.len() + rest.len() == bytes.len());
        bytes = rest;
    }
    bytes.is_empty()
}

/// What reads bytes that anyone may have written.
const DECODERS: [Decoder; 32] = [
    ("first", whole_sequence),
    ("frame", form::<Frame>),
    ("reply", form::<Reply>),
    ("segment", form::<Segment>),
    ("segment header", form::<Header>),
    ("grant", form::<Grant>),
    ("page", form::<Page>),
    ("entry", form::<Entry>),
    ("cursor", form::<Cursor>),
    ("volume", form::<Volume>),
    ("ticket", form::<Ticket>),
    ("enrolment", form::<Enrolment>),
    ("note", form::<Note>),
    ("hello", form::<Hello>),
    ("disclosure", form::<Disclosure>),
    ("receipt", form::<Receipt>),
    ("request", form::<Request>),
    ("certificate", form::<Certificate>),
    ("revocation", form::<Revocation>),
    ("letter", form::<Letter>),
    ("signed hello", signed::<Hello>),
    ("signed disclosure", signed::<Disclosure>),
    ("signed receipt", signed::<Receipt>),
    ("signed request", signed::<Request>),
    ("signed certificate", signed::<Certificate>),
    ("signed letter", signed::<Letter>),
    ("padding", |bytes| unpad(bytes).is_ok()),
    ("ticket text", |bytes| std::str::from_utf8(bytes).is_ok_and(|text| read_ticket(text).is_ok())),
    ("request of a ticket", |bytes| {
        from_bytes(bytes).is_ok_and(|r| check_request(&r, &[4; 16], &somewhere()).is_ok())
    }),
    ("segment of a device", |bytes| inspect(bytes, &VerifyKey([9; 32])).is_ok()),
    ("volume up", |bytes| open_volume(bytes, Direction::Up, &SecretKey::new(&[7; 32])).is_ok()),
    ("volume down", |bytes| open_volume(bytes, Direction::Down, &SecretKey::new(&[7; 32])).is_ok()),
];

/// Inside what was opened with a key: small things in long lists weigh more than their bytes.
const INNER: [Decoder; 2] = [("fact", form::<Fact>), ("plaintext", form::<Plain>)];

/// One of every object, the plaintexts of the segments, and the text of a ticket.
fn corpus() -> Vec<Vec<u8>> {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/vectors/wire.json")).unwrap();
    let hex =
        |text: &serde_json::Value| data_encoding::HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap();
    let mut corpus: Vec<_> = all["objects"].as_array().unwrap().iter().map(|o| hex(&o["bytes"])).collect();
    corpus.extend([hex(&all["up"]["sequence"]), hex(&all["down"]["sequence"])]);
    corpus.extend(all["chain"].as_array().unwrap().iter().map(|link| {
        let event = |told: &serde_json::Value| {
            let fact = hex(&told[1]);
            let compartment = from_bytes::<Fact>(&fact).unwrap().body.compartment();
            Event { counter: told[0].as_u64().unwrap(), compartment, fact }
        };
        let events = link["events"].as_array().unwrap().iter().map(event).collect();
        to_bytes(&Plain { case: None, screening: None, events }).unwrap()
    }));
    corpus.push(all["enrolment"]["ticket"].as_str().unwrap().as_bytes().to_vec());
    corpus
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[test]
fn no_mutant_breaks_a_decoder() {
    let (count, seed) = (number_of("AMPARO_FUZZ", 10_000), number_of("AMPARO_FUZZ_SEED", 20_261_122));
    let corpus = corpus();
    let mut dice = Dice::new(seed);
    let mut taken = [0_u64; DECODERS.len()];
    let mut worst = (0, "", 0);
    for n in 0..count {
        let mutant = mutate::mutant(&corpus, &mut dice);
        let limit = FACTOR * mutant.len() + BESIDE;
        for (i, (name, decode)) in DECODERS.iter().chain(&INNER).enumerate() {
            let tried = std::panic::catch_unwind(|| alloc::peak(|| decode(&mutant)));
            let Ok((good, held)) = tried else {
                panic!("{name}, seed {seed}, mutant {n}: {}", hex(&mutant));
            };
            let inner = i >= DECODERS.len();
            assert!(inner || held <= limit, "{name} held {held}, seed {seed}, mutant {n}: {}", hex(&mutant));
            worst = worst.max((held, name, mutant.len()));
            if let Some(taken) = taken.get_mut(i) {
                *taken += u64::from(good);
            }
        }
    }
    let sum: u64 = taken.iter().sum();
    println!(
        "{count} mutants, seed {seed}: {sum} readable; most held: {} by {} for {} bytes",
        worst.0, worst.1, worst.2
    );
    // Mutants that nothing reads would try nothing but the first byte.
    let read = DECODERS.iter().zip(taken).filter(|(_, n)| *n > 0).count();
    assert!(count < 10_000 || read > DECODERS.len() / 2, "{taken:?}");
}

/// Lists of the smallest things there are: what a decoder holds for each byte is the most there.
#[test]
fn long_lists_of_small_things_cost_no_more() {
    let list = |before: &[u8], item: &[u8], items: usize, after: &[u8]| {
        let length = u32::try_from(items).unwrap().to_be_bytes();
        [before, &[0x9a], &length, &item.repeat(items), after].concat()
    };
    let bytes = |n: usize| to_bytes(&minicbor::bytes::ByteVec::from(vec![0; n])).unwrap();
    let cursor = [&[0x83][..], &bytes(32), &[0], &bytes(32)].concat();
    let key = [&[0x82, 0x00][..], &bytes(48)].concat();
    let share = [&[0x83][..], &bytes(8), &bytes(32), &[0x81], &key].concat();
    let keys = [&[0x83][..], &bytes(8), &bytes(32)].concat();
    let withheld = [&[0x82, 0x00][..], &bytes(8)].concat();
    let head = [&[0x86][..], &bytes(16), &[0, 0]].concat();
    let hello = [&[0x86][..], &bytes(16), &[0, 0x82, 1, 0x81, 0x8a, 0, 0], &bytes(8)].concat();
    let after_hello = [&[0; 5][..], &bytes(8), &[0xf6, 0xf6, 0]].concat();
    let ranges = [&[0x8d][..], &bytes(16), &[0, 0, 0], &bytes(32)].concat();
    let after_ranges = [&[0; 6][..], &bytes(32)].concat();
    type Case<'a> = (&'a str, fn(&[u8]) -> bool, &'a [u8], &'a [u8], &'a [u8]);
    let plain = [&[0x89, 0xf6, 0xf6][..], &[0x80; 6]].concat();
    let cases: [Case<'_>; 9] = [
        ("page", form::<Page>, &[&[0x83], &cursor[..]].concat(), &[0x40], &[0]),
        ("hello", form::<Hello>, &hello, &[0x82, 0, 0], &after_hello),
        ("disclosure, segments", form::<Disclosure>, &head, &bytes(32), &[0x80, 0x80]),
        ("disclosure, shares", form::<Disclosure>, &[&head[..], &[0x80]].concat(), &share, &[0x80]),
        ("disclosure, keys", form::<Disclosure>, &[&head[..], &[0x80, 0x81], &keys].concat(), &key, &[0x80]),
        ("disclosure, withheld", form::<Disclosure>, &[&head[..], &[0x80, 0x80]].concat(), &withheld, &[]),
        ("receipt", form::<Receipt>, &ranges, &[0x82, 0, 0], &after_ranges),
        ("plaintext", form::<Plain>, &plain, &[0], &[]),
        ("column of a plaintext", form::<Plain>, &plain[..5], &[1], &[0x80, 0x80, 0x80, 0x81, 0]),
    ];
    for (name, decode, before, item, after) in cases {
        // An entry of no bytes is 24 in memory; the limit of a page bounds them.
        // A fact of two bytes is rebuilt with its stamp; the limit of a segment bounds them.
        let beside = match name {
            "page" => BESIDE + 24 * PAGE_ENTRIES_MAX,
            "plaintext" | "column of a plaintext" => BESIDE + 128 * SEGMENT_EVENTS_MAX,
            _ => BESIDE,
        };
        for items in [SEGMENT_EVENTS_MAX, 0x1_0000, 0x20_0000 / item.len().max(1)] {
            let input = list(before, item, items, after);
            let (good, held) = alloc::peak(|| decode(&input));
            println!(
                "{name}: {items} items, {} bytes, {held} held, {}",
                input.len(),
                if good { "read" } else { "refused" }
            );
            assert!(held <= FACTOR * input.len() + beside, "{name}: {held} held for {} bytes", input.len());
        }
    }
}

/// A length that nobody sent, at every place of every object.
#[test]
fn a_length_that_nobody_sent_costs_nothing() {
    let mut tried = 0;
    for object in corpus() {
        for at in 0..object.len().min(400) {
            for kind in [0x5b, 0x7b, 0x9b, 0xbb] {
                let long = [&[kind][..], &[0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]].concat();
                let input = [&object[..at], &long, &object[at..]].concat();
                for (name, decode) in DECODERS.iter().chain(&INNER).skip(at % 3).step_by(3) {
                    let (_, held) = alloc::peak(|| decode(&input));
                    assert!(held <= FACTOR * input.len() + BESIDE, "{name}: {held} held: {}", hex(&input));
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 100_000, "{tried}");
}
