//! The plaintext of a segment as columns: what was sealed comes back byte for byte, and columns that nobody would
//! write are refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use amparo_schema::fact::{Compartment, Doubt, Stamp};
use amparo_schema::id::{CaseId, ScreeningId};
use amparo_schema::limits::SEGMENT_EVENTS_MAX;
use amparo_schema::wire::segment::{Event, Plain};
use amparo_seal::{OpenError, from_bytes, to_bytes};
use minicbor::Encoder;
use proptest::prelude::*;

/// Bodies: of a known kind, of kinds that no build knows, and what is no body at all but an item.
const BODIES: [&[u8]; 6] = [
    &[0x82, 0x0e, 0x81, 0x00],
    &[0x82, 0x18, 0xff, 0x81, 0xf5],
    &[0x82, 0x19, 0x01, 0x00, 0xa1, 0x61, b'a', 0x80],
    &[0x00],
    &[0xf6],
    &[0x44, 0x82, 0x00, 0x00, 0x00],
];

fn fact(at: &Stamp, body: &[u8]) -> Vec<u8> {
    [&[0x82], &minicbor::to_vec(at).unwrap()[..], body].concat()
}

fn stamps() -> impl Strategy<Value = Stamp> {
    let doubt = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Doubt::Backwards)),
        1 => Just(Some(Doubt::FarAfterContent)),
    ];
    let extreme = |of: [i64; 5]| prop_oneof![3 => prop::sample::select(of.to_vec()), 1 => any::<i64>()];
    let walls = extreme([i64::MIN, i64::MAX, 0, -1, 1_795_330_800_000]);
    let steady = prop_oneof![3 => prop::sample::select(vec![u64::MAX, 0, 1, 1 << 63]), 1 => any::<u64>()];
    let offset = prop_oneof![Just(i16::MIN), Just(i16::MAX), Just(-180), any::<i16>()];
    (walls, offset, steady, doubt).prop_map(|(wall_ms, offset_minutes, steady_ms, doubt)| Stamp {
        wall_ms,
        offset_minutes,
        steady_ms,
        doubt,
    })
}

fn plains() -> impl Strategy<Value = Plain> {
    let lane = prop::sample::select(vec![
        vec![Compartment::Identity],
        vec![Compartment::Case, Compartment::Consent],
        vec![Compartment::Audit],
    ]);
    let counters = prop_oneof![
        prop::collection::btree_set(prop_oneof![Just(0), Just(u64::MAX), any::<u64>()], 1..30),
        (any::<u32>(), 1..30_u64).prop_map(|(from, n)| (0..n).map(|i| u64::from(from) + i).collect()),
    ];
    (lane, counters).prop_flat_map(|(lane, counters)| {
        let each = (prop::sample::select(lane), stamps(), prop::sample::select(BODIES.to_vec()));
        let events = prop::collection::vec(each, counters.len());
        let ids = any::<Option<([u8; 16], [u8; 16])>>();
        (ids, events).prop_map(move |(ids, events)| Plain {
            case: ids.map(|ids| CaseId(ids.0)),
            screening: ids.map(|ids| ScreeningId(ids.1)),
            events: counters
                .iter()
                .zip(events)
                .map(|(counter, (compartment, at, body))| Event {
                    counter: *counter,
                    compartment,
                    fact: fact(&at, body),
                })
                .collect(),
        })
    })
}

proptest! {
    /// Whatever the phone's clocks say, and whatever the facts are.
    #[test]
    fn what_was_encoded_comes_back(plain in plains()) {
        let bytes = to_bytes(&plain).unwrap();
        prop_assert_eq!(from_bytes::<Plain>(&bytes), Ok(plain));
        let cut = bytes.len() - 1;
        prop_assert_eq!(from_bytes::<Plain>(&bytes[..cut]), Err(OpenError::Form));
    }

    /// What reads has one form alone: no two encodings give the same facts.
    #[test]
    fn columns_that_read_are_the_ones_that_are_written(
        columns in prop::array::uniform6(prop::collection::vec(
            prop_oneof![3 => Just(0), 2 => -3..4_i64, 1 => any::<i64>()], 0..4)),
        bodies in 0..4_usize,
    ) {
        let bytes = encoded(&columns, &vec![BODIES[0]; bodies]);
        if let Ok(plain) = minicbor::decode::<Plain>(&bytes) {
            let again = to_bytes(&plain).unwrap();
            let trimmed = columns.iter().all(|column| column.last() != Some(&0));
            prop_assert_eq!(again == bytes, trimmed);
            prop_assert_eq!(from_bytes::<Plain>(&bytes).is_ok(), trimmed);
            prop_assert_eq!(plain.events.len(), bodies);
            prop_assert!(plain.events.is_sorted_by(|a, b| a.counter < b.counter));
        }
    }
}

fn encoded(columns: &[Vec<i64>; 6], bodies: &[&[u8]]) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    e.array(9).unwrap().null().unwrap().null().unwrap();
    for column in columns {
        e.encode(column).unwrap();
    }
    e.array(bodies.len() as u64).unwrap();
    [&e.into_writer()[..], &bodies.concat()].concat()
}

/// By hand: two facts of the case and one consent between them, three seconds apart, the clock steady but once.
#[test]
fn a_plaintext_is_the_array_that_the_format_says() {
    let at = |wall_ms, steady_ms, doubt| Stamp { wall_ms, offset_minutes: -180, steady_ms, doubt };
    let event = |counter, compartment, at, body| Event { counter, compartment, fact: fact(&at, body) };
    let [case, consent] = [Compartment::Case, Compartment::Consent];
    let plain = Plain {
        case: Some(CaseId([7; 16])),
        screening: None,
        events: vec![
            event(18, case, at(1_000, 400, None), BODIES[0]),
            event(19, consent, at(4_000, 3_400, None), BODIES[1]),
            event(21, case, at(7_000, 6_401, Some(Doubt::Jumped)), BODIES[2]),
        ],
    };
    let mut e = Encoder::new(Vec::new());
    e.array(9).unwrap().bytes(&[7; 16]).unwrap().null().unwrap();
    let columns: [&[i64]; 6] =
        [&[1, 1, -1], &[18, 0, 1], &[1_000, 3_000, 3_000], &[-180], &[-600, 0, 1], &[0, 0, 2]];
    for column in columns {
        e.encode(column).unwrap();
    }
    e.array(3).unwrap();
    let by_hand = [&e.into_writer()[..], BODIES[0], BODIES[1], BODIES[2]].concat();
    assert_eq!(to_bytes(&plain).unwrap(), by_hand);
    assert_eq!(from_bytes(&by_hand), Ok(plain));
}

#[test]
fn hostile_columns_are_refused() {
    let none = || [const { Vec::new() }; 6];
    let with = |n: usize, column: &[i64]| {
        let mut columns = none();
        columns[n] = column.to_vec();
        columns
    };
    let read = |columns: &[Vec<i64>; 6], bodies: &[&[u8]]| from_bytes::<Plain>(&encoded(columns, bodies));
    let two = [BODIES[0]; 2];
    assert!(read(&none(), &two).is_ok(), "counters 0 and 1, everything else nothing");
    assert_eq!(read(&none(), &[]), Err(OpenError::Form), "no fact");
    for n in 0..6 {
        assert_eq!(read(&with(n, &[1, 1, 1]), &two), Err(OpenError::Form), "column {n} is too long");
        assert_eq!(read(&with(n, &[1, 0]), &two), Err(OpenError::Form), "column {n} ends with zero");
    }
    let wrong: [(usize, &[i64]); 11] = [
        (0, &[4]),
        (0, &[-1]),
        (0, &[i64::MIN]),
        (0, &[0, 1]),
        (0, &[2, 1]),
        (1, &[0, -1]),
        (1, &[-1]),
        (1, &[i64::MAX, i64::MIN]),
        (3, &[32_768]),
        (3, &[-32_768, -1]),
        (5, &[5]),
    ];
    for (n, column) in wrong {
        assert_eq!(read(&with(n, column), &two), Err(OpenError::Form), "column {n}: {column:?}");
    }
    assert!(read(&with(0, &[1, 1]), &two).is_ok(), "case and consent share a lane");
    assert!(read(&with(2, &[i64::MIN, -1]), &two).is_ok(), "differences go round");
    assert!(read(&with(1, &[-2]), &two).is_ok(), "the last two counters there are");
}

#[test]
fn a_body_is_one_item_of_bounded_depth() {
    let read = |bodies: &[&[u8]]| from_bytes::<Plain>(&encoded(&[const { Vec::new() }; 6], bodies)).map(drop);
    let deep = |levels: usize| [&vec![0x81; levels][..], &[0]].concat();
    assert_eq!(read(&[&deep(15)]), Ok(()));
    assert_eq!(read(&[&deep(16)]), Err(OpenError::Form));
    assert_eq!(read(&[&deep(1_000_000)]), Err(OpenError::Form));
    for none in [&[0x9f, 0xff][..], &[0x5f, 0xff], &[0xff], &[0x1c], &[0x82, 0x00], &[]] {
        assert_eq!(read(&[none]), Err(OpenError::Form), "{none:?}");
    }
    assert_eq!(read(&vec![&[0][..]; SEGMENT_EVENTS_MAX]), Ok(()));
    assert_eq!(read(&vec![&[0][..]; SEGMENT_EVENTS_MAX + 1]), Err(OpenError::Form));
    // What is no fact cannot be written either.
    let event = |fact: &[u8]| Event { counter: 1, compartment: Compartment::Case, fact: fact.to_vec() };
    for wrong in
        [&[][..], &[0x80], &[0x82, 0x83, 0, 0, 0], &[0x83, 0x83, 0, 0, 0, 0, 0], b"\x82\x83\0\0\0\0\0"]
    {
        let plain = Plain { case: None, screening: None, events: vec![event(wrong)] };
        assert!(to_bytes(&plain).is_err(), "{wrong:?}");
    }
    let good = Plain { case: None, screening: None, events: vec![event(b"\x82\x83\0\0\0\0")] };
    assert_eq!(from_bytes(&to_bytes(&good).unwrap()), Ok(good));
}

/// A leaf under the segment's root says all that the segment says of a fact.
#[test]
fn an_event_is_counter_compartment_and_fact() {
    let event = Event { counter: 300, compartment: Compartment::Consent, fact: vec![1, 2] };
    // [300, 2, h'0102']
    assert_eq!(to_bytes(&event).unwrap(), [0x83, 0x19, 0x01, 0x2c, 0x02, 0x42, 0x01, 0x02]);
}
