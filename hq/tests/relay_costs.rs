//! What one device can make the relay do, counted in rows and bodies read, not in time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use amparo_schema::id::Hash;
use amparo_schema::limits::{DISCLOSURE_GRANTS_MAX, UPLOAD_CALLERS_MAX, UPLOAD_PAIRS_MAX};
use amparo_schema::wire::disclosure::Withheld;
use amparo_schema::wire::push::{Frame, Refusal, Reply};
use amparo_seal::{Direction, SecretKey, seal_volume};
use common::counted::Counted;
use common::{Phone, hq, push, receipt, refusals, segment, told, upload};

/// A disclosure as large as one may be, about one segment and readers that nobody knows.
fn withholding(phone: &Phone, number: u64, segment: Hash) -> Frame {
    let reader = |n: usize| (number * 1_000 + n as u64).to_be_bytes();
    let pairs: Vec<_> =
        (0..DISCLOSURE_GRANTS_MAX).map(|n| Withheld { segment, recipient: reader(n) }).collect();
    phone.disclosure_at(number, &[], &pairs)
}

#[test]
fn a_pair_costs_a_few_rows_however_many_readers_its_segment_has() {
    let (relay, mut store) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut store);
    let mut store = Counted::over(store);
    let sealed = phone.seal();
    push(&relay, &mut store, &[segment(&sealed)]);
    for (first, hash) in [(0, sealed.hash), (8, Hash([9; 32]))] {
        for number in first..first + 7 {
            push(&relay, &mut store, &[withholding(&phone, number, hash)]);
        }
        store.seen();
        push(&relay, &mut store, &[withholding(&phone, first + 7, hash)]);
        let seen = store.seen();
        assert_eq!(seen.bodies, 0, "{seen:?}");
        assert!(seen.rows <= 4 * DISCLOSURE_GRANTS_MAX, "{seen:?}");
    }
    assert_eq!(told(&relay, &mut store, &phone).disclosures, 16, "all of them counted");
}

/// What names a segment is answered from what is known of it: repeats, a second claim, a receipt that is shown, what
/// waited for its predecessor.
#[test]
fn no_body_is_read_to_take_what_a_device_sends() {
    let (relay, mut store) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut store);
    let mut store = Counted::over(store);
    let (start, sealed) = (phone.previous, [phone.seal(), phone.seal(), phone.seal()]);
    let (_, shown) =
        receipt(&relay, &push(&relay, &mut store, &[segment(&sealed[0]), phone.hello(None, vec![])]));
    push(&relay, &mut store, &[segment(&sealed[2])]);
    push(&relay, &mut store, &[segment(&sealed[1]), segment(&sealed[1])]);
    assert_eq!(told(&relay, &mut store, &phone).stored, 3);
    let second = segment(&phone.sealed_at(0, start, "other"));
    let replies = push(&relay, &mut store, &[second, phone.hello(Some(shown), vec![])]);
    assert_eq!(refusals(&replies), [(0, Refusal::Fork)]);
    relay.release(&mut store, phone.device, common::NOW).unwrap();
    assert_eq!(store.seen().bodies, 0);
}

#[test]
fn of_an_upload_so_many_callers_are_answered_and_the_rest_is_for_later() {
    let (relay, mut store) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut store);
    let hellos: Vec<Frame> = (0..UPLOAD_CALLERS_MAX as u64 + 3)
        .map(|life| {
            phone.incarnation = life;
            phone.hello(None, vec![])
        })
        .collect();
    let told = |replies: &[Reply]| replies.iter().filter(|r| matches!(r, Reply::Receipt(_))).count();
    let later = |replies: &[Reply]| replies.iter().any(|r| matches!(r, Reply::Later { .. }));
    let replies = push(&relay, &mut store, &hellos);
    assert_eq!((told(&replies), later(&replies)), (UPLOAD_CALLERS_MAX, true));
    let replies = push(&relay, &mut store, &hellos[..UPLOAD_CALLERS_MAX]);
    assert_eq!((told(&replies), later(&replies)), (UPLOAD_CALLERS_MAX, false));
}

#[test]
fn pairs_past_an_uploads_bound_come_with_the_next_and_a_volumes_at_once() {
    let (relay, mut store) = hq();
    let phone = Phone::enrolled(3, &relay, &mut store);
    let whole = (UPLOAD_PAIRS_MAX / DISCLOSURE_GRANTS_MAX) as u64;
    let hash = Hash([9; 32]);
    let mut frames: Vec<Frame> = (0..2 * whole + 1).map(|n| withholding(&phone, n, hash)).collect();
    frames.push(phone.hello(None, vec![]));
    let mut by_volume = store.clone();
    for held in [whole, 2 * whole, 2 * whole + 1, 2 * whole + 1] {
        // Sent again whole, as after a lost reply: what is held already does not count.
        let done = held > 2 * whole;
        let replies = push(&relay, &mut store, &frames);
        assert_eq!(receipt(&relay, &replies).0.disclosures, held);
        assert_eq!(replies.iter().any(|r| matches!(r, Reply::Later { .. })), !done);
    }
    let bundle_key = SecretKey::new(&[2; 32]).public();
    let volume = seal_volume(&upload(&frames), Direction::Up, &bundle_key, &phone.entropy).unwrap();
    let carried = relay.carry(&mut by_volume, &volume, common::NOW, &phone.entropy).unwrap();
    assert_eq!(carried.notes, []);
    assert_eq!(told(&relay, &mut by_volume, &phone).disclosures, 2 * whole + 1);
}
