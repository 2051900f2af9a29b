//! Who belongs here, what is kept aside, and what callers are told, over the store in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;
#[path = "desk/covered.rs"]
mod covered;

use amparo_hq::relay::{Action, Durability, Relay, RelayError};
use amparo_hq::storage::memory::Memory;
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{
    ASIDE_BYTES_MAX, ASIDE_MAX, FRAME_BYTES_MAX, PENDING_SEGMENTS_MAX, SEGMENT_BYTES_MAX, UPLOAD_BYTES_MAX,
};
use amparo_schema::wire::feed::{Cursor, Entry, FeedId};
use amparo_schema::wire::push::{Frame, Refusal, Reply};
use amparo_schema::wire::segment::{Header, Segment, signed_payload};
use amparo_seal::{PublicKey, from_bytes, request, seal_volume, to_bytes};
use common::{
    Desk, NOW, Phone, acts, entries, hq, name, push, receipt, refusals, sealed_hashes, segment, told, upload,
};
use covered::Covered;

#[test]
fn i28_what_a_revoked_device_sends_lies_aside_until_a_person_releases_it() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let (first, second) = (phone.seal(), phone.seal());
    let give = [phone.give(&first, &desk), phone.give(&second, &desk)];
    push(&relay, &mut storage, &[segment(&first), give[0].clone()]);
    let revocation = relay.revoke(&mut storage, phone.device, NOW).unwrap();
    assert_eq!(relay.revoke(&mut storage, phone.device, NOW + 5).unwrap(), revocation);
    let frames = [segment(&second), give[1].clone(), phone.shown_certificate()];
    let replies = push(&relay, &mut storage, &frames);
    assert_eq!(refusals(&replies), [0, 1, 2].map(|n| (n, Refusal::Revoked)));
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut storage)), [first.hash], "from before");
    // Its feed tells it, and packs are for others.
    relay.publish(&mut storage, b"a pack", NOW).unwrap();
    let cursors = [FeedId::device(phone.device), FeedId::packs()].map(Cursor::start).to_vec();
    let replies = push(&relay, &mut storage, &[phone.hello(None, cursors)]);
    let pages: Vec<_> =
        replies.iter().filter_map(|r| if let Reply::Page(p) = r { Some(p) } else { None }).collect();
    assert_eq!(pages.len(), 1);
    assert_eq!(entries(pages[0]), [Entry::Revoked(revocation)]);

    assert_eq!(relay.release(&mut storage, phone.device, NOW), Ok(2));
    assert_eq!(told(&relay, &mut storage, &phone).stored, 2);
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut storage)), [second.hash]);
    assert_eq!(relay.aside(&mut storage, phone.device, 10).unwrap(), []);
    let third = phone.seal();
    assert_eq!(refusals(&push(&relay, &mut storage, &[segment(&third)])), [(0, Refusal::Revoked)]);
}

#[test]
fn counts_say_what_backups_hold_and_what_desks_have() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let sealed: Vec<_> = (0..4).map(|_| phone.seal()).collect();
    let give: Vec<Frame> = sealed.iter().map(|s| phone.give(s, &desk)).collect();
    let counts = |relay: &Relay, storage: &mut Memory| {
        let r = told(relay, storage, &phone);
        [r.stored, r.durable, r.horizon, r.delivered, r.disclosures]
    };
    push(&relay, &mut storage, &[segment(&sealed[0]), give[0].clone(), segment(&sealed[2])]);
    assert_eq!(counts(&relay, &mut storage), [1, 0, 0, 0, 1]);
    let first = relay.checkpoint(&mut storage).unwrap().size;
    push(&relay, &mut storage, &[segment(&sealed[1]), give[2].clone()]);
    relay.backed_up(&mut storage, first, 0).unwrap();
    assert_eq!(counts(&relay, &mut storage), [3, 1, 0, 0, 1], "1 came after the backup, 2 before it");
    let second = relay.checkpoint(&mut storage).unwrap().size;
    relay.backed_up(&mut storage, second, first).unwrap();
    relay.backed_up(&mut storage, 0, 0).unwrap();
    desk.pull(&relay, &mut storage);
    assert_eq!(counts(&relay, &mut storage), [3, 3, 1, 0, 1], "given is not kept");
    let made_up = Cursor { link: Hash([7; 32]), ..desk.cursor };
    relay.pull(&mut storage, &desk.ask(made_up, 0), NOW).unwrap();
    assert_eq!(counts(&relay, &mut storage), [3, 3, 1, 0, 1], "a cursor that nobody was given");
    relay.pull(&mut storage, &desk.ask(desk.cursor, 0), NOW).unwrap();
    assert_eq!(counts(&relay, &mut storage), [3, 3, 1, 3, 1]);
    push(&relay, &mut storage, &[segment(&sealed[3]), give[3].clone(), give[1].clone()]);
    assert_eq!(counts(&relay, &mut storage), [4, 3, 1, 3, 4]);
    let replicated = common::relay(|settings| settings.durability = Durability::Replicated);
    assert_eq!(counts(&replicated, &mut storage), [4, 4, 1, 3, 4]);
}

/// Who carries a stick beside a server, and a second server, go by what the store says.
#[test]
fn what_is_durable_is_said_in_the_store_and_never_taken_back() {
    let (relay, mut storage) = hq();
    let other = common::relay(|_| {});
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    relay.endure(&mut storage, Durability::Replicated).unwrap();
    assert_eq!(relay.status(&mut storage).unwrap().durability, Durability::Replicated);
    let (first, shown) =
        receipt(&relay, &push(&relay, &mut storage, &[segment(&phone.seal()), phone.hello(None, vec![])]));
    assert_eq!((first.stored, first.durable, first.horizon), (1, 1, 0));
    relay.backed_up(&mut storage, 1, 0).unwrap();
    let said = push(&other, &mut storage, &[phone.hello(Some(shown.clone()), vec![])]);
    assert_eq!(said, [Reply::Unchanged], "another process says the same");
    other.endure(&mut storage, Durability::Local).unwrap();
    other.endure(&mut storage, Durability::Local).unwrap();
    let again = push(&relay, &mut storage, &[segment(&phone.seal()), phone.hello(Some(shown), vec![])]);
    let (second, _) = receipt(&relay, &again);
    assert_eq!((second.stored, second.durable, second.epoch), (2, 1, 0), "kept for what was promised");
    assert!(!acts(&relay, &mut storage).iter().any(|act| matches!(act, Action::Amnesia { .. })));
}

#[test]
fn an_idle_caller_is_told_that_nothing_changed() {
    let (relay, mut storage) = hq();
    let phone = Phone::enrolled(3, &relay, &mut storage);
    let other = Phone::enrolled(4, &relay, &mut storage);
    let (_, shown) = receipt(&relay, &push(&relay, &mut storage, &[phone.hello(None, vec![])]));
    relay.invite(&mut storage, &name("b"), NOW, NOW, &phone.entropy).unwrap();
    let said = amparo_seal::unverified(&shown).unwrap();
    let cursors = [FeedId::device(phone.device), FeedId::packs()].map(Cursor::start).to_vec();
    let hello = phone.hello_in_brief(&said, cursors);
    let up = upload(std::slice::from_ref(&hello));
    let down = relay.exchange(&mut storage, &up, NOW + 9).unwrap();
    assert_eq!(common::replies(&down), [Reply::Unchanged]);
    assert!(up.len() + down.len() <= 200, "I30: {} bytes", up.len() + down.len());
    let twice = push(&relay, &mut storage, &[phone.hello(None, vec![]), hello]);
    assert_eq!(twice, [Reply::Unchanged], "who calls twice is told once");
    // Another's receipt proves nothing; another's feed cannot be asked for.
    let foreign = other.hello(Some(shown), vec![Cursor::start(FeedId::device(other.device))]);
    relay.revoke(&mut storage, phone.device, NOW).unwrap();
    assert!(matches!(push(&relay, &mut storage, &[foreign])[..], [Reply::Receipt(_)]));
}

#[test]
fn a_ticket_enrols_one_device_once() {
    let (relay, mut storage) = hq();
    let entropy = amparo_seal::random::SeededEntropy::new(5);
    let (one, two) = (Phone::new(3), Phone::new(4));
    let ticket = relay.invite(&mut storage, &name("agency-a"), NOW + 10, NOW, &entropy).unwrap();
    let ask = |phone: &Phone| request(&ticket, phone.device, &phone.signer, &phone.letter.public()).unwrap();
    assert_eq!(relay.enrol(&mut storage, &ask(&one), NOW + 10), Err(RelayError::TicketExpired));
    let certificate = relay.enrol(&mut storage, &ask(&one), NOW + 9).unwrap();
    assert_eq!(relay.enrol(&mut storage, &ask(&one), NOW + 99), Ok(certificate));
    assert_eq!(relay.enrol(&mut storage, &ask(&two), NOW), Err(RelayError::TicketUsed));
    let second = relay.invite(&mut storage, &name("agency-a"), NOW + 10, NOW, &entropy).unwrap();
    let thief = request(&second, one.device, &two.signer, &two.letter.public()).unwrap();
    assert_eq!(relay.enrol(&mut storage, &thief, NOW), Err(RelayError::DeviceTaken));
    relay.revoke(&mut storage, one.device, NOW).unwrap();
    let again = relay.enrol(&mut storage, &ask(&one), NOW);
    assert_eq!(again, Err(RelayError::DeviceTaken), "its own ticket does not let it forget that");
    let blind = amparo_schema::wire::enrol::Ticket { secret: [0; 16], ..second };
    let blind = request(&blind, two.device, &two.signer, &two.letter.public()).unwrap();
    assert_eq!(relay.enrol(&mut storage, &blind, NOW), Err(RelayError::Signature));
    let enrolled = Action::Enrolled { device: one.device };
    assert_eq!(acts(&relay, &mut storage).iter().filter(|a| **a == enrolled).count(), 1);
}

#[test]
fn a_bundle_of_two_phones_is_answered_to_each_apart() {
    let (relay, mut storage) = hq();
    let (mut one, mut two) =
        (Phone::enrolled(3, &relay, &mut storage), Phone::enrolled(4, &relay, &mut storage));
    let frames =
        [segment(&one.seal()), segment(&two.seal()), one.hello(None, vec![]), two.hello(None, vec![])];
    let key = PublicKey::from(relay.headquarters().bundle_key);
    let up = amparo_seal::Direction::Up;
    let volume = seal_volume(&upload(&frames), up, &key, &one.entropy).unwrap();
    let back = relay.carry(&mut storage, &volume, NOW, &two.entropy).unwrap().answers;
    assert_eq!(back.iter().map(|(device, _)| *device).collect::<Vec<_>>(), [one.device, two.device]);
    for ((_, volume), phone) in back.iter().zip([&one, &two]) {
        let opened = amparo_seal::open_volume(volume, amparo_seal::Direction::Down, &phone.letter).unwrap();
        let (said, _) = receipt(&relay, &common::replies(&opened));
        assert_eq!((said.device, said.stored), (phone.device, 1));
    }
    assert_eq!(relay.carry(&mut storage, &volume[1..], NOW, &two.entropy), Err(RelayError::Signature));
}

#[test]
fn a_segment_of_a_newer_version_waits_for_a_newer_headquarters() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let parts: Segment = from_bytes(&phone.seal().segment).unwrap();
    let header = to_bytes(&Header { suite: 9, ..from_bytes(&parts.header).unwrap() }).unwrap();
    let covered = Covered(signed_payload(&header, &parts.ciphertext_sha256()));
    let signature = phone.signer.sign_object(&covered).unwrap().signature;
    let newer = Segment { header, signature, ..parts };
    let frame = Frame::Segment(to_bytes(&newer).unwrap());
    for _ in 0..2 {
        assert_eq!(
            refusals(&push(&relay, &mut storage, std::slice::from_ref(&frame))),
            [(0, Refusal::Newer)]
        );
    }
    let aside = relay.aside(&mut storage, phone.device, 10).unwrap();
    assert_eq!(aside, [(Refusal::Newer, to_bytes(&frame).unwrap())]);
    assert_eq!(relay.release(&mut storage, phone.device, NOW), Ok(0), "this build does not know it either");
    assert_eq!(relay.aside(&mut storage, phone.device, 10).unwrap(), aside);
}

#[test]
fn what_strangers_send_is_bounded_and_takes_no_room_from_devices() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    // [99, n]: of no form that is known.
    let junk = |n: u64| [vec![0x82, 0x18, 0x63, 0x1a], (n as u32).to_be_bytes().to_vec()].concat();
    let flood: Vec<u8> = (0..ASIDE_MAX).flat_map(junk).collect();
    relay.exchange(&mut storage, &flood, NOW).unwrap();
    let more = relay.exchange(&mut storage, &junk(ASIDE_MAX), NOW).unwrap();
    assert_eq!(refusals(&common::replies(&more)), [(0, Refusal::Full)]);
    let again = relay.exchange(&mut storage, &junk(1), NOW).unwrap();
    assert_eq!(refusals(&common::replies(&again)), [(0, Refusal::Form)], "that one lies there");
    let nobody = DeviceId([0; 16]);
    assert_eq!(relay.aside(&mut storage, nobody, 20_000).unwrap().len() as u64, ASIDE_MAX);
    push(&relay, &mut storage, &[segment(&phone.seal())]);
    let stray = phone.sealed_at(0, Hash([9; 32]), "stray");
    assert_eq!(refusals(&push(&relay, &mut storage, &[segment(&stray)])), [(0, Refusal::Fork)]);
    assert_eq!(told(&relay, &mut storage, &phone).stored, 1);
    let listed = relay.devices(&mut storage, None, 10).unwrap();
    assert_eq!(
        listed.iter().map(|d| (d.device, d.revoked, d.aside)).collect::<Vec<_>>(),
        [(phone.device, false, 1)]
    );
    assert_eq!(relay.devices(&mut storage, Some(phone.device), 10), Ok(vec![]));
    // A person makes room again, and throws away nothing that was signed.
    assert_eq!(relay.discard(&mut storage, nobody, NOW), Ok(ASIDE_MAX));
    assert_eq!(relay.discard(&mut storage, nobody, NOW), Ok(0));
    let mut stranger = Phone::new(5);
    assert_eq!(refusals(&push(&relay, &mut storage, &[segment(&stranger.seal())])), [(0, Refusal::Stranger)]);
    assert_eq!(relay.status(&mut storage).unwrap().aside, 2);
    assert_eq!(relay.discard(&mut storage, nobody, NOW), Ok(1), "whichever device it names");
    assert_eq!(relay.aside(&mut storage, phone.device, 10).unwrap().len(), 1);
    assert_eq!(relay.discard(&mut storage, phone.device, NOW), Ok(1));
    assert_eq!(relay.status(&mut storage).unwrap().aside, 0);
    let last = acts(&relay, &mut storage).pop();
    assert_eq!(last, Some(Action::Discarded { device: phone.device, frames: 1 }));
    assert_eq!(told(&relay, &mut storage, &phone).stored, 1, "what counts stays");
}

/// What the relay takes for a segment of almost the greatest size, at any place of a chain; no reader would.
fn large(phone: &Phone, number: u64) -> Frame {
    let parts: Segment = from_bytes(&phone.sealed_at(number, Hash([9; 32]), "large").segment).unwrap();
    let ciphertext = vec![u8::try_from(number).unwrap(); SEGMENT_BYTES_MAX - 4_096];
    let large = Segment { ciphertext, ..parts };
    let covered = Covered(signed_payload(&large.header, &large.ciphertext_sha256()));
    let signature = phone.signer.sign_object(&covered).unwrap().signature;
    let segment = Segment { signature, ..large };
    Frame::Segment(to_bytes(&segment).unwrap())
}

#[test]
fn what_a_revoked_device_signed_is_bounded_and_never_refused_for_want_of_room() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let (first, last) = (phone.seal(), phone.seal());
    let desk = Desk::registered(20, &relay, &mut storage);
    let give = phone.give(&last, &desk);
    relay.revoke(&mut storage, phone.device, NOW).unwrap();
    let mut kept = 0;
    let told = loop {
        let frame = large(&phone, 100 + kept);
        let told = push(&relay, &mut storage, std::slice::from_ref(&frame));
        if refusals(&told) != [(0, Refusal::Revoked)] {
            break told;
        }
        kept += 1;
    };
    // Not taken and not refused: the device keeps it and comes again.
    assert_eq!(told, [Reply::Later { wait_ms: 5_000 }]);
    let size = SEGMENT_BYTES_MAX as u64;
    assert!((kept - 1) * size < ASIDE_BYTES_MAX && (kept + 2) * size > ASIDE_BYTES_MAX, "{kept}");
    // What is small still has room, and a device that nobody doubts has all of its own.
    let small = [segment(&first), segment(&last), give];
    assert_eq!(refusals(&push(&relay, &mut storage, &small)), [0, 1, 2].map(|n| (n, Refusal::Revoked)));
    let mut other = Phone::enrolled(4, &relay, &mut storage);
    assert_eq!(push(&relay, &mut storage, &[segment(&other.seal())]), []);
    assert_eq!(relay.release(&mut storage, phone.device, NOW), Ok(kept + 3));
    assert_eq!(relay.aside(&mut storage, phone.device, 10).unwrap(), []);
    assert_eq!(self::told(&relay, &mut storage, &phone).stored, 2);
}

#[test]
fn what_nobody_vouches_for_is_bounded_in_bytes_and_said_to_be_refused() {
    let (relay, mut storage) = hq();
    // Whole items and no frames.
    let junk = |n: u8| {
        let mut bytes = vec![0x5a, 0x00, 0x50, 0x00, 0x00, n];
        bytes.resize(5 + 0x50_0000, 0);
        bytes
    };
    let told = |n| common::replies(&relay.exchange(&mut storage, &junk(n), NOW).unwrap());
    let told: Vec<_> = (0..60).map(told).map(|replies| refusals(&replies)[0].1).collect();
    let kept = usize::try_from(ASIDE_BYTES_MAX).unwrap() / (5 + 0x50_0000);
    assert_eq!(told, [vec![Refusal::Form; kept], vec![Refusal::Full; 60 - kept]].concat());
}

#[test]
fn what_is_released_and_too_far_ahead_stays_aside() {
    let (relay, mut storage) = hq();
    let phone = Phone::enrolled(3, &relay, &mut storage);
    relay.revoke(&mut storage, phone.device, NOW).unwrap();
    let far = segment(&phone.sealed_at(PENDING_SEGMENTS_MAX, Hash([9; 32]), "far"));
    let aside = vec![(Refusal::Revoked, to_bytes(&far).unwrap())];
    assert_eq!(refusals(&push(&relay, &mut storage, &[far])), [(0, Refusal::Revoked)]);
    assert_eq!(relay.release(&mut storage, phone.device, NOW), Ok(0));
    assert_eq!(relay.aside(&mut storage, phone.device, 10), Ok(aside));
}

/// A damaged length makes everything after it unreadable; a person may still find in it what was meant.
#[test]
fn what_cannot_be_told_apart_any_more_is_kept_as_it_came() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let whole = upload(&[segment(&phone.seal())]);
    let rest = [&[0x9f][..], &upload(&[segment(&phone.seal()), phone.hello(None, vec![])])].concat();
    for _ in 0..2 {
        let told = relay.exchange(&mut storage, &[&whole[..], &rest].concat(), NOW).unwrap();
        assert_eq!(refusals(&common::replies(&told)), [(1, Refusal::Form)]);
    }
    let nobody = DeviceId([0; 16]);
    assert_eq!(relay.aside(&mut storage, nobody, 10), Ok(vec![(Refusal::Form, rest)]));
    // More than a frame may be is kept in pieces.
    let long = [&[0xff][..], &vec![7; FRAME_BYTES_MAX]].concat();
    relay.exchange(&mut storage, &long, NOW).unwrap();
    let mut sizes: Vec<_> =
        relay.aside(&mut storage, nobody, 10).unwrap().iter().map(|(_, bytes)| bytes.len()).collect();
    sizes.sort_unstable();
    assert_eq!((sizes.len(), sizes[0], sizes[2]), (3, 1, FRAME_BYTES_MAX));
}

#[test]
fn too_much_at_once_is_taken_in_part_and_told() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let frames = [segment(&phone.seal()), phone.hello(None, vec![])];
    let mut bytes = upload(&frames);
    bytes.extend([0x5a, 0x00, 0x40, 0x00, 0x00]); // A byte string of 4 MiB, four times.
    bytes.resize(UPLOAD_BYTES_MAX + 1, 0);
    let replies = common::replies(&relay.exchange(&mut storage, &bytes, NOW).unwrap());
    assert!(replies.contains(&Reply::Later { wait_ms: 5_000 }));
    assert_eq!(receipt(&relay, &replies).0.stored, 1);
}
