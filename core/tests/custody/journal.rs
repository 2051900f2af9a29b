//! Runs of facts and of segments: every gap, flip and broken link is found, at its place.

use amparo_core::journal::{
    Author, Break, BreakKind, Head, Row, SegmentBreakKind, verify_run, verify_segments,
};
use amparo_core::random::SeededEntropy;
use amparo_core::schema::fact::{body_hash, chain_hash};
use amparo_core::schema::id::{DeviceId, Hash, ScreeningId, StoreId};
use amparo_core::seal::{OpenError, Signer, first_previous, seal};

use crate::common::SCREENING;
use crate::seal::{input, signer};

const STORE: StoreId = StoreId([3; 16]);
const START: Hash = Hash([9; 32]);

fn rows(bodies: &[Vec<u8>]) -> Vec<Row<'_>> {
    let mut previous = START;
    (5..)
        .zip(bodies)
        .map(|(counter, body)| {
            let screening = (counter % 2 == 0).then_some(SCREENING);
            let hash = body_hash(body);
            previous = chain_hash(STORE, counter, &previous, screening, &hash);
            Row { counter, screening, body: Some(body), body_hash: hash, chain: previous }
        })
        .collect()
}

fn bodies() -> Vec<Vec<u8>> {
    (0..6_u8).map(|n| vec![n; usize::from(n) + 1]).collect()
}

#[test]
fn every_change_of_a_run_is_found_at_its_place() {
    let bodies = bodies();
    let rows = rows(&bodies);
    let verify = |rows: &[Row<'_>]| verify_run(STORE, 5, START, rows.iter().copied());
    let whole = Head { next: 11, hash: rows[5].chain };
    assert_eq!(verify(&rows), Ok(whole));
    assert_eq!(verify(&[]), Ok(Head { next: 5, hash: START }));
    let broken = |counter, kind| Err(Break { counter, kind });
    for (i, expected) in (0..6).zip(5..) {
        for bit in 0..256 {
            let mut flipped = rows.clone();
            flipped[i].body_hash.0[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verify(&flipped), broken(expected, BreakKind::Flip));
            flipped[i].body = None;
            assert_eq!(verify(&flipped), broken(expected, BreakKind::Link), "also of a purged body");
            let mut flipped = rows.clone();
            flipped[i].chain.0[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verify(&flipped), broken(expected, BreakKind::Link));
        }
        for bit in 0..bodies[i].len() * 8 {
            let mut body = bodies[i].clone();
            body[bit / 8] ^= 1 << (bit % 8);
            let mut flipped = rows.clone();
            flipped[i].body = Some(&body);
            assert_eq!(verify(&flipped), broken(expected, BreakKind::Flip));
        }
        let mut moved = rows.clone();
        moved[i].screening = match moved[i].screening {
            Some(_) => None,
            None => Some(ScreeningId([1; 16])),
        };
        assert_eq!(verify(&moved), broken(expected, BreakKind::Link));
        let mut lost = rows.clone();
        lost.remove(i);
        let found = verify(&lost);
        if i < 5 {
            assert_eq!(found, broken(expected, BreakKind::Gap));
        } else {
            assert_ne!(found, Ok(whole), "a cut at the end shows in the head");
        }
        let mut twice = rows.clone();
        twice.insert(i, rows[i]);
        assert_eq!(verify(&twice), broken(expected + 1, BreakKind::Gap));
        let mut purged = rows.clone();
        purged[i].body = None;
        assert_eq!(verify(&purged), Ok(whole), "a purged body leaves the chain whole");
    }
    let other = verify_run(StoreId([4; 16]), 5, START, rows.iter().copied());
    assert_eq!(other, broken(5, BreakKind::Link), "another store");
    let later = verify_run(STORE, 5, Hash([8; 32]), rows.iter().copied());
    assert_eq!(later, broken(5, BreakKind::Link), "another beginning");
}

#[test]
fn segments_are_dense_and_joined() {
    let key = signer().public();
    let author = Author { device: DeviceId([0xde; 16]), incarnation: 7, key };
    let start = Head { next: 0, hash: first_previous(&key) };
    let mut previous = start.hash;
    let chain: Vec<Vec<u8>> = (0..4)
        .map(|number| {
            let sealed = seal(&input(number, previous), &signer(), &SeededEntropy::new(number)).unwrap();
            previous = sealed.hash;
            sealed.segment
        })
        .collect();
    let whole = Head { next: 4, hash: previous };
    let verify = |of: &[&Vec<u8>]| {
        verify_segments(&author, start, of.iter().map(|s| s.as_slice())).map_err(|b| (b.number, b.kind))
    };
    let all: Vec<&Vec<u8>> = chain.iter().collect();
    assert_eq!(verify(&all), Ok(whole));
    let half = verify(&all[..2]).unwrap();
    assert_eq!(verify_segments(&author, half, chain[2..].iter().map(Vec::as_slice)), Ok(whole));
    assert_eq!(verify(&[all[0], all[2]]), Err((1, SegmentBreakKind::Gap)));
    assert_eq!(verify(&[all[0], all[0]]), Err((1, SegmentBreakKind::Gap)));
    let fork = seal(&input(1, START), &signer(), &SeededEntropy::new(77)).unwrap().segment;
    assert_eq!(verify(&[all[0], &fork]), Err((1, SegmentBreakKind::Link)));
    let mut flipped = chain[1].clone();
    *flipped.last_mut().unwrap() ^= 1;
    let damaged = SegmentBreakKind::Damaged(OpenError::Signature);
    assert_eq!(verify(&[all[0], &flipped]), Err((1, damaged)));
    let mut foreign = input(1, start.hash);
    foreign.incarnation = 8;
    let foreign = seal(&foreign, &signer(), &SeededEntropy::new(78)).unwrap().segment;
    assert_eq!(verify(&[all[0], &foreign]), Err((1, SegmentBreakKind::Stranger)));
    let resigned = seal(&input(0, start.hash), &Signer::from_seed(&[2; 32]), &SeededEntropy::new(1)).unwrap();
    let unsigned = SegmentBreakKind::Damaged(OpenError::Signature);
    assert_eq!(verify(&[&resigned.segment]), Err((0, unsigned)));
}
