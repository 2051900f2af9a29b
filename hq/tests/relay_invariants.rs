//! The relay's invariants about chains, receipts and the log, each a named test, over the store in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use amparo_hq::relay::{Action, Relay, RelayError, action_leaf};
use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::{Chain, Storage, Tx};
use amparo_schema::id::Hash;
use amparo_schema::wire::feed::{Cursor, Entry, FeedId};
use amparo_schema::wire::push::{Frame, Refusal, Reply};
use amparo_schema::wire::receipt::{Range, Receipt};
use amparo_schema::wire::segment::{Segment, header_hash};
use amparo_seal::{from_bytes, to_bytes};
use common::{
    Desk, NOW, Phone, acts, entries, hq, push, receipt, refusals, sealed_hashes, segment, told, upload,
};
use ct_merkle::RootHash;
use minicbor::bytes::ByteVec;
use sha2::Sha256;

#[test]
fn i3_a_receipt_counts_only_what_a_finished_transaction_holds() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let frames: Vec<Frame> =
        std::iter::once(phone.hello(None, vec![])).chain((0..5).map(|_| segment(&phone.seal()))).collect();
    let before = storage.clone();
    // The store fails at every transaction in turn; then nothing is told, and what is there can be read.
    for fails in 0..3 {
        let mut broken = Failing { inner: before.clone(), left: fails };
        let small = common::relay(|settings| settings.group = 3);
        let done = small.exchange(&mut broken, &upload(&frames), NOW);
        if fails < 3 {
            assert!(matches!(done, Err(RelayError::Storage(_))), "no reply without its commit");
        }
        let kept = told(&relay, &mut broken.inner, &phone).stored;
        assert_eq!(kept, [0, 2, 5][fails], "whole groups or nothing");
    }
    let (said, _) = receipt(&relay, &push(&relay, &mut storage, &frames));
    assert_eq!((said.stored, said.hash), (5, phone.previous));
}

/// A store that fails at the commit after `left` transactions.
struct Failing {
    inner: Memory,
    left: usize,
}

impl Storage for Failing {
    fn transact(
        &mut self,
        work: &mut dyn FnMut(&mut dyn amparo_hq::storage::Tx) -> Result<(), amparo_hq::storage::StorageError>,
    ) -> Result<(), amparo_hq::storage::StorageError> {
        let before = self.inner.clone();
        self.inner.transact(work)?;
        if self.left == 0 {
            self.inner = before;
            return Err(amparo_hq::storage::StorageError::Full);
        }
        self.left -= 1;
        Ok(())
    }
}

#[test]
fn i4_a_prefix_never_falls_within_an_epoch_and_its_hash_is_of_the_chain() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let mut hashes = vec![phone.previous];
    let sealed: Vec<_> = (0..8).map(|_| phone.seal()).collect();
    hashes.extend(sealed.iter().map(|s| s.hash));
    let mut last = 0;
    for n in [3, 0, 0, 5, 1, 2, 7, 6, 4] {
        push(&relay, &mut storage, &[segment(&sealed[n])]);
        let said = told(&relay, &mut storage, &phone);
        assert!(said.stored >= last && said.epoch == 0);
        assert_eq!(said.hash, hashes[usize::try_from(said.stored).unwrap()]);
        assert!(said.horizon <= said.durable && said.durable <= said.stored && said.delivered <= said.stored);
        last = said.stored;
    }
    assert_eq!(last, 8);
}

#[test]
fn i6_a_receipt_ahead_of_headquarters_raises_the_epoch_once_and_the_device_sends_again() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let sealed: Vec<_> = (0..4).map(|_| phone.seal()).collect();
    push(&relay, &mut storage, &[segment(&sealed[0])]);
    let backup = storage.clone();
    let rest: Vec<Frame> = sealed[1..].iter().map(segment).collect();
    push(&relay, &mut storage, &rest);
    let (_, shown) = receipt(&relay, &push(&relay, &mut storage, &[phone.hello(None, vec![])]));

    let mut storage = backup;
    for _ in 0..2 {
        let back = push(&relay, &mut storage, &[phone.hello(Some(shown.clone()), vec![])]);
        let (said, _) = receipt(&relay, &back);
        assert_eq!((said.epoch, said.stored), (1, 1), "once for each loss");
    }
    push(&relay, &mut storage, &rest);
    let said = told(&relay, &mut storage, &phone);
    assert_eq!((said.epoch, said.stored, said.hash), (1, 4, phone.previous));
    let alarm = Action::Amnesia { device: phone.device, epoch: 1 };
    assert_eq!(acts(&relay, &mut storage).iter().filter(|a| **a == alarm).count(), 1);

    // Everything lost: the certificate brings the device back, its receipt the epoch.
    let mut storage = Memory::new();
    let hello = phone.hello(Some(shown), vec![]);
    assert_eq!(push(&relay, &mut storage, std::slice::from_ref(&hello)), [Reply::CertificateWanted]);
    let all: Vec<Frame> =
        [phone.shown_certificate(), hello].into_iter().chain(sealed.iter().map(segment)).collect();
    let (said, _) = receipt(&relay, &push(&relay, &mut storage, &all));
    assert_eq!((said.epoch, said.stored), (1, 4));
}

/// I6: what is shown in brief is judged as a whole receipt would be, but proves nothing.
#[test]
fn i6_a_receipt_in_brief_raises_nothing_and_the_whole_is_asked_for() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let other = Phone::enrolled(4, &relay, &mut storage);
    let sealed: Vec<_> = (0..3).map(|_| phone.seal()).collect();
    push(&relay, &mut storage, &[segment(&sealed[0]), segment(&sealed[1])]);
    let (said, signed) = receipt(&relay, &push(&relay, &mut storage, &[phone.hello(None, vec![])]));
    let brief = |shown: &Receipt| [phone.hello_in_brief(shown, vec![Cursor::start(FeedId::packs())])];
    assert_eq!(push(&relay, &mut storage, &brief(&said)), [Reply::Unchanged]);

    // Each thing that a whole receipt would be held against.
    let mut claims: Vec<(&str, Receipt)> = vec![
        ("epoch", Receipt { epoch: 1, ..said.clone() }),
        ("stored", Receipt { stored: 3, ..said.clone() }),
        ("durable", Receipt { durable: said.durable + 1, ..said.clone() }),
        ("delivered", Receipt { delivered: said.delivered + 1, ..said.clone() }),
        ("horizon", Receipt { horizon: said.horizon + 1, ..said.clone() }),
        ("disclosures", Receipt { disclosures: 1, ..said.clone() }),
        ("hash", Receipt { hash: Hash([9; 32]), ..said.clone() }),
        ("hash of an earlier one", Receipt { stored: 1, delivered: 1, hash: said.hash, ..said.clone() }),
        ("log that is longer", Receipt { log_size: said.log_size + 1, ..said.clone() }),
        ("log that is another", Receipt { log_root: Hash([9; 32]), ..said.clone() }),
    ];
    claims.push((
        "log that is another, earlier",
        Receipt { log_size: 1, log_root: Hash([9; 32]), ..said.clone() },
    ));
    relay.publish(&mut storage, b"a pack", NOW).unwrap();
    for (what, shown) in &claims {
        assert_eq!(push(&relay, &mut storage, &brief(shown)), [Reply::ReceiptWanted], "{what}");
        // Its signature is another matter: that would have raised the epoch.
        let mut copy = storage.clone();
        let whole = amparo_seal::Signer::from_seed(&[1; 32]).sign_object(shown).unwrap();
        let (back, _) = receipt(&relay, &push(&relay, &mut copy, &[phone.hello(Some(whole), vec![])]));
        assert_eq!(back.epoch, shown.epoch + 1, "{what}");
    }
    assert_eq!(told(&relay, &mut storage, &phone).epoch, 0, "a brief raises nothing");
    // Less than what is held now, and of this log, is only old.
    let old = Receipt { stored: 1, delivered: 1, hash: sealed[0].hash, ..said.clone() };
    let replies = push(&relay, &mut storage, &brief(&old));
    assert!(matches!(replies[..], [Reply::Receipt(_), Reply::Page(_)]), "{replies:?}");

    // One caller is asked; the others are told. What it sent beside counts.
    let ahead = phone.hello_in_brief(&claims[1].1, vec![]);
    let replies =
        push(&relay, &mut storage, &[ahead.clone(), other.hello(None, vec![]), segment(&sealed[2])]);
    assert!(matches!(replies[..], [Reply::ReceiptWanted, Reply::Receipt(_)]), "{replies:?}");
    let told_now = told(&relay, &mut storage, &phone);
    assert_eq!((told_now.stored, told_now.epoch), (3, 0));
    // Who shows both is told once, by what was said last.
    let both = [phone.hello_in_brief(&claims[0].1, vec![]), phone.hello(Some(signed), vec![])];
    assert!(matches!(push(&relay, &mut storage, &both)[..], [Reply::Receipt(_)]));
}

#[test]
fn i7_only_the_next_number_is_chained_and_what_came_early_waits() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let sealed: Vec<_> = (0..5).map(|_| phone.seal()).collect();
    push(&relay, &mut storage, &[segment(&sealed[4]), segment(&sealed[1]), segment(&sealed[2])]);
    let said = told(&relay, &mut storage, &phone);
    assert_eq!(
        (said.stored, said.ranges.as_slice()),
        (0, &[Range { from: 1, to: 3 }, Range { from: 4, to: 5 }][..])
    );
    push(&relay, &mut storage, &[segment(&sealed[0])]);
    let said = told(&relay, &mut storage, &phone);
    assert_eq!((said.stored, said.ranges.as_slice()), (3, &[Range { from: 4, to: 5 }][..]));
    // One that claims the next number but another past is no continuation.
    let stray = phone.sealed_at(3, Hash([9; 32]), "stray");
    assert_eq!(refusals(&push(&relay, &mut storage, &[segment(&stray)])), [(0, Refusal::Fork)]);
    push(&relay, &mut storage, &[segment(&sealed[3])]);
    let said = told(&relay, &mut storage, &phone);
    assert_eq!((said.stored, said.hash, said.ranges.len()), (5, phone.previous, 0));
    // Too far ahead waits on the device.
    let far = phone.sealed_at(5 + 10_000, phone.previous, "far");
    assert!(matches!(push(&relay, &mut storage, &[segment(&far)])[..], [Reply::Later { .. }]));
    // Number 0 is bound to the device's key.
    let mut other = Phone::new(4);
    other.device = phone.device;
    let mut replay = phone.sealed_at(0, other.previous, "replay");
    replay.hash = Hash([0; 32]);
    phone.incarnation = 77;
    let unbound = phone.sealed_at(0, other.previous, "unbound");
    assert_eq!(refusals(&push(&relay, &mut storage, &[segment(&unbound)])), [(0, Refusal::Fork)]);
}

#[test]
fn i7_what_waited_and_does_not_fit_goes_aside_when_the_gap_fills() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let stray = phone.sealed_at(1, Hash([9; 32]), "stray");
    assert_eq!(refusals(&push(&relay, &mut storage, &[segment(&stray)])), []);
    let (first, second) = (phone.seal(), phone.seal());
    push(&relay, &mut storage, &[segment(&first)]);
    assert_eq!(told(&relay, &mut storage, &phone).ranges, []);
    let aside = relay.aside(&mut storage, phone.device, 10).unwrap();
    assert_eq!(aside, [(Refusal::Fork, to_bytes(&segment(&stray)).unwrap())]);
    push(&relay, &mut storage, &[segment(&second)]);
    assert_eq!(told(&relay, &mut storage, &phone).stored, 2);
}

#[test]
fn i8_of_a_fork_both_stay_neither_is_delivered_and_the_alarm_is_raised_once() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let (start, first) = (phone.previous, phone.seal());
    let second = phone.sealed_at(0, start, "other");
    let give = [phone.give(&first, &desk), phone.give(&second, &desk)];
    push(&relay, &mut storage, &[segment(&first)]);
    for _ in 0..2 {
        assert_eq!(refusals(&push(&relay, &mut storage, &[segment(&second)])), [(0, Refusal::Fork)]);
    }
    push(&relay, &mut storage, &give);
    assert_eq!(desk.pull(&relay, &mut storage), []);
    let aside = relay.aside(&mut storage, phone.device, 10).unwrap();
    assert_eq!(aside, [(Refusal::Fork, to_bytes(&segment(&second)).unwrap())]);
    let alarm = Action::Fork { device: phone.device, incarnation: phone.incarnation, number: 0 };
    assert_eq!(acts(&relay, &mut storage).iter().filter(|a| **a == alarm).count(), 1);
    relay.release(&mut storage, phone.device, NOW).unwrap();
    // Who decided knew of the second one: said again, it changes nothing. A third one is news.
    let (alarms, mut late) = (acts(&relay, &mut storage).len(), storage.clone());
    assert_eq!(refusals(&push(&relay, &mut storage, &[segment(&second)])), [(0, Refusal::Fork)]);
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut storage)), [first.hash], "a person decided");
    assert_eq!(acts(&relay, &mut storage).len(), alarms);
    push(&relay, &mut late, &[segment(&phone.sealed_at(0, start, "third"))]);
    assert_eq!(acts(&relay, &mut late)[alarms..], [alarm]);
    let mut desk = Desk::registered(20, &relay, &mut late);
    assert_eq!(desk.pull(&relay, &mut late), []);
}

/// What can be seen from outside: every receipt, everything aside, everything a desk is given, the log's size.
fn seen(relay: &Relay, storage: &Memory, phones: &[&Phone], desk: &Desk) -> String {
    let mut storage = storage.clone();
    let mut out = String::new();
    for phone in phones {
        let said = told(relay, &mut storage, phone);
        out += &format!("{:?}\n", Receipt { log_size: 0, log_root: Hash([0; 32]), ..said });
        let mut aside = relay.aside(&mut storage, phone.device, 1_000).unwrap();
        aside.sort();
        out += &format!("{aside:?}\n");
    }
    let page = relay.pull(&mut storage, &desk.ask(desk.cursor, 1_000_000), NOW).unwrap();
    let mut given: Vec<String> = entries(&page).iter().map(|entry| format!("{entry:?}")).collect();
    given.sort();
    out + &given.join("\n")
}

#[test]
fn i10_twice_is_once_and_any_split_is_the_whole() {
    let (relay, mut storage) = hq();
    let desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let sealed: Vec<_> = (0..4).map(|_| phone.seal()).collect();
    let fork = phone.sealed_at(2, Hash([1; 32]), "fork");
    let mut frames: Vec<Frame> = [0, 2, 1, 3].iter().map(|n| segment(&sealed[*n])).collect();
    frames.push(segment(&fork));
    frames.extend(sealed.iter().map(|s| phone.give(s, &desk)));
    frames.push(phone.withhold(sealed[1].hash, &desk));
    let bytes = upload(&frames);
    let start = storage.clone();
    relay.exchange(&mut storage, &bytes, NOW).unwrap();
    let whole = seen(&relay, &storage, &[&phone], &desk);
    let log = relay.checkpoint(&mut storage).unwrap();
    relay.exchange(&mut storage, &bytes, NOW).unwrap();
    assert_eq!(seen(&relay, &storage, &[&phone], &desk), whole);
    assert_eq!(relay.checkpoint(&mut storage).unwrap(), log, "a repeat leaves no trace");

    // At a cut the device sends from the first frame that was not whole; and, worse, everything again.
    let mut ends = vec![0];
    frames.iter().for_each(|f| ends.push(ends[ends.len() - 1] + to_bytes(f).unwrap().len()));
    for cut in (0..=bytes.len()).step_by(37).chain(ends.iter().copied()) {
        let begun = ends.iter().copied().filter(|end| *end <= cut).max().unwrap();
        for again in [begun, 0] {
            let mut storage = start.clone();
            relay.exchange(&mut storage, &bytes[..cut], NOW).unwrap();
            relay.exchange(&mut storage, &bytes[again..], NOW).unwrap();
            assert_eq!(seen(&relay, &storage, &[&phone], &desk), whole, "cut at {cut}");
        }
    }
}

#[test]
fn i12_any_order_of_frames_with_repeats_gives_the_same() {
    let (relay, mut storage) = hq();
    let desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let sealed: Vec<_> = (0..4).map(|_| phone.seal()).collect();
    let mut frames: Vec<Frame> = vec![phone.shown_certificate()];
    frames.extend(sealed.iter().map(segment));
    frames.extend(sealed.iter().map(|s| phone.give(s, &desk)));
    frames.push(phone.withhold(sealed[1].hash, &desk));
    frames.push(phone.give(&sealed[1], &desk));
    frames.push(phone.withhold(sealed[2].hash, &desk));
    // A headquarters that forgot the device, so that the certificate has an order too.
    let fresh = || {
        let mut storage = Memory::new();
        Desk::registered(20, &relay, &mut storage);
        storage
    };
    let outcome = |order: &[usize]| {
        let mut storage = fresh();
        for n in order {
            push(&relay, &mut storage, &[frames[*n].clone()]);
        }
        seen(&relay, &storage, &[&phone], &desk)
    };
    let straight: Vec<usize> = (0..frames.len()).collect();
    let whole = outcome(&straight);
    assert_eq!(whole.matches("Sealed").count(), 3);
    for seed in 0..60_u64 {
        let mut order = straight.clone();
        order.extend([seed as usize % frames.len(), (seed as usize * 7) % frames.len()]);
        order.sort_by_key(|n| Hash::of("order", &[&seed.to_be_bytes(), &n.to_be_bytes()]));
        assert_eq!(outcome(&order), whole, "order {order:?}");
    }
}

#[test]
fn i15_a_flipped_bit_is_never_applied() {
    let (relay, mut storage) = hq();
    let desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let first = phone.seal();
    let frames =
        [segment(&first), phone.give(&first, &desk), phone.hello(None, vec![]), phone.shown_certificate()];
    let clean = seen(&relay, &storage, &[&phone], &desk);
    for frame in &frames {
        let bytes = to_bytes(frame).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut storage = storage.clone();
            let replies = common::replies(&relay.exchange(&mut storage, &damaged, NOW).unwrap());
            assert!(!replies.iter().any(|r| matches!(r, Reply::Receipt(_))), "bit {bit}: {replies:?}");
            assert_eq!(seen(&relay, &storage, &[&phone], &desk), clean, "bit {bit}");
            // And it never stands in the way of what was meant.
            if bit % 61 == 0 {
                push(&relay, &mut storage, &frames);
                assert_eq!(told(&relay, &mut storage, &phone).stored, 1, "bit {bit}");
            }
        }
    }
}

#[test]
fn i27_a_poisonous_frame_delays_only_itself() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let mut stranger = Phone::new(9);
    let sealed: Vec<_> = (0..3).map(|_| phone.seal()).collect();
    let mut damaged = sealed[1].segment.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let strange = stranger.seal();
    let mut bytes = upload(&[segment(&sealed[0]), Frame::Segment(damaged), segment(&strange)]);
    bytes.extend([0x82, 0x18, 0x63, 0x00]); // A frame of a kind that nobody knows: [99, 0].
    bytes.extend(upload(&[segment(&sealed[1]), segment(&sealed[2]), phone.hello(None, vec![])]));
    bytes.push(0xff); // And what can never be a frame.
    let replies = common::replies(&relay.exchange(&mut storage, &bytes, NOW).unwrap());
    let expected = [(1, Refusal::Signature), (2, Refusal::Stranger), (3, Refusal::Form), (7, Refusal::Form)];
    assert_eq!(refusals(&replies), expected);
    assert_eq!(receipt(&relay, &replies).0.stored, 3);
    let nobody = amparo_schema::id::DeviceId([0; 16]);
    let mut aside = relay.aside(&mut storage, nobody, 10).unwrap();
    aside.sort();
    assert_eq!(aside, [(Refusal::Form, vec![0x82, 0x18, 0x63, 0x00]), (Refusal::Form, vec![0xff])]);
    assert_eq!(relay.aside(&mut storage, stranger.device, 10).unwrap().len(), 1);
    // A stranger that is enrolled later has lost nothing.
    let hello = stranger.hello(None, vec![]);
    assert_eq!(push(&relay, &mut storage, &[hello]), [Reply::CertificateWanted]);
    let stranger = Phone { number: 1, previous: strange.hash, ..Phone::enrolled(9, &relay, &mut storage) };
    assert_eq!(told(&relay, &mut storage, &stranger).stored, 1);
    assert_eq!(relay.aside(&mut storage, stranger.device, 10).unwrap(), []);
}

/// What a relay keeps of a segment.
fn bytes_at(storage: &mut Memory, phone: &Phone, number: u64) -> Vec<u8> {
    let at = Chain { device: phone.device, incarnation: phone.incarnation }.at(number);
    let mut bytes = Vec::new();
    let mut look = |tx: &mut dyn Tx| {
        bytes = tx.body(at)?.unwrap();
        Ok(())
    };
    storage.transact(&mut look).unwrap();
    bytes
}

#[test]
fn i31_every_segment_is_in_the_log_and_the_log_only_grows_also_after_erasing() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let sealed: Vec<_> = (0..20).map(|_| phone.seal()).collect();
    let mut checkpoints = vec![relay.checkpoint(&mut storage).unwrap()];
    for one in &sealed {
        let give = phone.give(one, &desk);
        let back = push(&relay, &mut storage, &[segment(one), give, phone.hello(None, vec![])]);
        let (said, _) = receipt(&relay, &back);
        let now = relay.checkpoint(&mut storage).unwrap();
        assert_eq!((said.log_size, said.log_root), (now.size, now.root));
        checkpoints.push(now);
    }
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut storage)).len(), 20);
    relay.erase(&mut storage, phone.device, &sealed[4].hash, NOW).unwrap();
    relay.erase(&mut storage, phone.device, &sealed[4].hash, NOW).unwrap();
    // What is left says what was signed: header, signature, and the hash of what is gone.
    let (was, left) = (from_bytes::<Segment>(&sealed[4].segment).unwrap(), bytes_at(&mut storage, &phone, 4));
    let parts: (ByteVec, ByteVec, Hash) = minicbor::decode(&left).unwrap();
    assert_eq!(parts, (was.header.clone().into(), was.signature.clone().into(), was.ciphertext_sha256()));
    assert_eq!(header_hash(&parts.0, &parts.2), sealed[4].hash);
    let end = relay.checkpoint(&mut storage).unwrap();
    assert_eq!(end.size, checkpoints[20].size + 1, "an erasure is an act, once");
    let root = |c: &amparo_hq::relay::Checkpoint| RootHash::<Sha256>::new(c.root.0.into(), c.size);
    // A relay that starts anew reads the same log.
    let relay = common::relay(|_| {});
    for one in &sealed {
        let (leaf, proof) = relay.prove_segment(&mut storage, phone.device, &one.hash).unwrap();
        let proof = ct_merkle::InclusionProof::try_from_bytes(proof.path).unwrap();
        root(&end).verify_inclusion(&one.hash.0, leaf, &proof).unwrap();
        assert!(root(&end).verify_inclusion(&[1; 32], leaf, &proof).is_err());
    }
    for old in &checkpoints {
        let proof = relay.prove_consistency(&mut storage, old.size).unwrap().unwrap();
        let proof = ct_merkle::ConsistencyProof::try_from_bytes(proof.path).unwrap();
        root(&end).verify_consistency(&root(old), &proof).unwrap();
    }
    let (at, act) = relay.acts(&mut storage, end.size - 1, 10).unwrap().pop().unwrap();
    assert_eq!((at, &act.action), (end.size - 1, &Action::Erased { segment: sealed[4].hash }));
    let mut leaf = None;
    let read = storage.transact(&mut |tx| {
        leaf = tx.leaves(end.size - 1, 1)?.pop();
        Ok(())
    });
    read.unwrap();
    assert_eq!(
        action_leaf(&to_bytes(&act).unwrap()),
        leaf.unwrap().hash,
        "the act is what stands in the log"
    );
    // What was erased is told, given to nobody, and a repeat does not bring it back.
    assert_eq!(desk.pull(&relay, &mut storage), [Entry::Withdrawn { segment: sealed[4].hash }]);
    push(&relay, &mut storage, &[segment(&sealed[4])]);
    let all = relay.pull(&mut storage, &desk.ask(Cursor::start(desk.cursor.feed), 1_000_000), NOW).unwrap();
    assert!(!sealed_hashes(&entries(&all)).contains(&sealed[4].hash));
    assert!(!format!("{storage:?}").contains(&format!("{:?}", sealed[4].segment)));
    assert_eq!(told(&relay, &mut storage, &phone).stored, 20);
}

#[test]
fn i31_a_tree_of_a_store_that_went_back_is_built_anew() {
    let (relay, mut storage) = hq();
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let start = phone.previous;
    let backup = storage.clone();
    push(&relay, &mut storage, &[segment(&phone.seal())]);
    relay.checkpoint(&mut storage).unwrap();
    // As long as before, but another; told by a relay that never saw the first.
    let mut storage = backup;
    let other = common::relay(|_| {});
    push(&other, &mut storage, &[segment(&phone.sealed_at(0, start, "other"))]);
    assert_eq!(relay.checkpoint(&mut storage).unwrap(), other.checkpoint(&mut storage).unwrap());
}
