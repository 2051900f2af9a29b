//! What was taken back since a backup is taken back again when it is restored, over the store in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use amparo_hq::relay::{Action, Reader, RelayError, Repeated};
use amparo_hq::storage::memory::Memory;
use amparo_schema::id::Hash;
use amparo_schema::wire::enrol::Ticket;
use amparo_schema::wire::feed::Entry;
use amparo_schema::wire::push::Refusal;
use amparo_seal::random::SeededEntropy;
use amparo_seal::request;
use common::{Desk, NOW, Phone, acts, hq, name, push, refusals, sealed_hashes, segment};

#[test]
fn a_restore_undoes_no_revocation_erasure_or_withdrawal() {
    let (relay, mut old) = hq();
    let desk = Desk::registered(20, &relay, &mut old);
    let mut phone = Phone::enrolled(3, &relay, &mut old);
    let stolen = Phone::enrolled(4, &relay, &mut old);
    let sealed = [phone.seal(), phone.seal(), phone.seal(), phone.seal()];
    let give = sealed.each_ref().map(|one| phone.give(one, &desk));
    for n in [0, 1, 2] {
        push(&relay, &mut old, &[segment(&sealed[n]), give[n].clone()]);
    }
    // Another desk has one of them already.
    let mut other = Desk::registered(21, &relay, &mut old);
    let given_before = phone.give(&sealed[0], &other);
    push(&relay, &mut old, &[given_before]);
    assert_eq!(sealed_hashes(&other.pull(&relay, &mut old)), [sealed[0].hash]);
    let backup = old.clone();
    let no = [phone.withhold(sealed[0].hash, &desk), phone.withhold(sealed[0].hash, &other)];
    push(&relay, &mut old, &[segment(&sealed[3]), give[3].clone(), no[0].clone(), no[1].clone()]);
    for erased in [&sealed[1], &sealed[3]] {
        relay.erase(&mut old, phone.device, &erased.hash, NOW).unwrap();
    }
    let late = Phone::enrolled(5, &relay, &mut old);
    for device in [stolen.device, late.device] {
        relay.revoke(&mut old, device, NOW).unwrap();
    }
    let reader = Reader { key: Hash([7; 32]), signing: Hash([8; 32]), agency: name("agency-b") };
    relay.register(&mut old, &reader, NOW).unwrap();
    relay.publish(&mut old, b"a pack", NOW).unwrap();

    // What a backup alone would bring back.
    let given = |store: &mut Memory| {
        let mut desk = Desk::registered(20, &relay, store);
        sealed_hashes(&desk.pull(&relay, store))
    };
    assert_eq!(given(&mut backup.clone()), [sealed[0].hash, sealed[1].hash, sealed[2].hash]);
    assert!(refusals(&push(&relay, &mut backup.clone(), &[late.shown_certificate()])).is_empty());

    let mut new = backup.clone();
    let Repeated { by_hand, .. } = {
        let done = relay.repeat(&mut old, &mut new, NOW).unwrap();
        let expected = Repeated {
            revoked: vec![stolen.device, late.device],
            erased: vec![sealed[1].hash],
            erased_elsewhere: vec![(phone.device, sealed[3].hash)],
            withheld: 3,
            registered: 1,
            tickets: 1,
            by_hand: done.by_hand.clone(),
            ..Repeated::default()
        };
        assert_eq!(done, expected);
        done
    };
    assert!(matches!(by_hand[0].action, Action::Published { .. }));
    assert_eq!(by_hand.len(), 1);
    assert_eq!(given(&mut new), [sealed[2].hash]);
    assert_eq!(
        other.pull(&relay, &mut new),
        [Entry::Withdrawn { segment: sealed[0].hash }],
        "and it is told"
    );
    let frames = [stolen.shown_certificate(), late.shown_certificate()];
    assert_eq!(refusals(&push(&relay, &mut new, &frames)), [0, 1].map(|n| (n, Refusal::Revoked)));
    assert!(!format!("{new:?}").contains(&format!("{:?}", sealed[1].segment)));
    // What was erased and comes again is given to nobody who had a grant.
    push(&relay, &mut new, &[segment(&sealed[3]), give[3].clone()]);
    assert_eq!(given(&mut new), [sealed[2].hash]);

    let again = relay.repeat(&mut old, &mut new, NOW).unwrap();
    let nothing =
        Repeated { by_hand: again.by_hand.clone(), erased: vec![sealed[3].hash], ..Repeated::default() };
    assert_eq!(again, nothing, "once, and what came again since");
}

/// A desk that pulled after the backup was made is told what was taken back before the restore, wherever it stands in
/// the feed by then.
#[test]
fn a_reader_who_was_given_it_after_the_backup_is_told_all_the_same() {
    let (relay, mut old) = hq();
    let mut desk = Desk::registered(20, &relay, &mut old);
    let mut phone = Phone::enrolled(3, &relay, &mut old);
    let sealed = [phone.seal(), phone.seal(), phone.seal()];
    let give = sealed.each_ref().map(|one| phone.give(one, &desk));
    push(&relay, &mut old, &[segment(&sealed[0]), give[0].clone()]);
    let backup = old.clone();
    push(&relay, &mut old, &[segment(&sealed[1]), give[1].clone(), segment(&sealed[2]), give[2].clone()]);
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut old)), sealed.each_ref().map(|one| one.hash));
    let no = [phone.withhold(sealed[0].hash, &desk), phone.withhold(sealed[1].hash, &desk)];
    push(&relay, &mut old, &no);
    relay.erase(&mut old, phone.device, &sealed[2].hash, NOW).unwrap();

    let mut new = backup;
    relay.repeat(&mut old, &mut new, NOW).unwrap();
    let once = new.clone();
    relay.repeat(&mut old, &mut new, NOW).unwrap();
    assert_eq!(new, once, "twice is once");
    let told = |entries: Vec<Entry>| -> BTreeSet<Hash> {
        let gone = entries.into_iter().map(|entry| match entry {
            Entry::Withdrawn { segment } => segment,
            other => panic!("{other:?}"),
        });
        gone.collect()
    };
    let all: BTreeSet<Hash> = sealed.iter().map(|one| one.hash).collect();
    assert_eq!(told(desk.pull(&relay, &mut new)), all);
    // What comes again is not given again.
    let frames: Vec<_> = sealed.iter().map(segment).chain(give).chain(no).collect();
    push(&relay, &mut new, &frames);
    assert_eq!(told(desk.pull(&relay, &mut new)), BTreeSet::new());
}

#[test]
fn a_restore_gives_no_ticket_twice() {
    let (relay, mut old) = hq();
    let invite = |store: &mut Memory, seed| {
        relay.invite(store, &name("agency-a"), NOW + 1_000, NOW, &SeededEntropy::new(seed)).unwrap()
    };
    let enrol = |store: &mut Memory, ticket: &Ticket, seed| {
        let phone = Phone::new(seed);
        let asked = request(ticket, phone.device, &phone.signer, &phone.letter.public()).unwrap();
        relay.enrol(store, &asked, NOW)
    };
    let (used, open) = (invite(&mut old, 1), invite(&mut old, 2));
    let mut new = old.clone();
    let later = invite(&mut old, 3);
    let certificate = enrol(&mut old, &used, 3).unwrap();
    let done = relay.repeat(&mut old, &mut new, NOW).unwrap();
    assert_eq!((done.tickets, done.by_hand.len()), (2, 0));
    // Whoever saw it has nothing; who used it has what it gave.
    assert_eq!(enrol(&mut new, &used, 4), Err(RelayError::TicketUsed));
    assert_eq!(enrol(&mut new, &used, 3), Ok(certificate));
    // Those that nobody used are as good as they were.
    for (seed, ticket) in [(5, &open), (6, &later)] {
        enrol(&mut new, ticket, seed).unwrap();
        assert_eq!(enrol(&mut new, ticket, 7), Err(RelayError::TicketUsed));
    }
    assert_eq!(relay.repeat(&mut old, &mut new, NOW).unwrap(), Repeated::default());
    assert_eq!(enrol(&mut new, &open, 8), Err(RelayError::TicketUsed), "used here since");
}

/// What a phone that was revoked and wiped sent last, and a second claim to a number, lie only in the old store.
#[test]
fn what_lay_aside_comes_along_and_a_dispute_is_not_forgotten() {
    let (relay, mut old) = hq();
    let mut desk = Desk::registered(20, &relay, &mut old);
    let mut phones = [3, 4].map(|seed| Phone::enrolled(seed, &relay, &mut old));
    let start = phones[0].previous;
    let first = [phones[0].seal(), phones[0].seal()];
    let give = first.each_ref().map(|one| phones[0].give(one, &desk));
    push(&relay, &mut old, &[segment(&first[0]), give[0].clone(), give[1].clone()]);
    let mut new = old.clone();
    push(&relay, &mut old, &[segment(&first[1])]);
    let second = [(0, start), (1, first[0].hash)]
        .map(|(number, previous)| segment(&phones[0].sealed_at(number, previous, "other")));
    push(&relay, &mut old, &second);
    relay.revoke(&mut old, phones[1].device, NOW).unwrap();
    push(&relay, &mut old, &[segment(&phones[1].seal()), segment(&Phone::new(5).seal())]);
    let laid = |store: &mut Memory| {
        let all = [phones[0].device, phones[1].device, Phone::new(5).device];
        all.map(|device| relay.aside(store, device, 10).unwrap())
    };
    assert_eq!(laid(&mut old).each_ref().map(Vec::len), [2, 1, 1]);

    let done = relay.repeat(&mut old, &mut new, NOW).unwrap();
    assert_eq!((done.aside, done.disputed), (4, 1));
    assert_eq!(laid(&mut new), laid(&mut old));
    let aside = |store: &mut Memory| relay.status(store).unwrap().aside;
    assert_eq!(aside(&mut new), 4);
    assert_eq!(relay.repeat(&mut old, &mut new, NOW).unwrap(), Repeated::default());
    assert_eq!(desk.pull(&relay, &mut new), [], "the first of two is held back as it was");
    // A first one that comes again is held back as soon as its second does; only then it is the same again.
    push(&relay, &mut new, &[segment(&first[1]), second[1].clone()]);
    assert_eq!((desk.pull(&relay, &mut new), aside(&mut new)), (vec![], 4));
    let alarms = acts(&relay, &mut new).into_iter().filter(|act| matches!(act, Action::Fork { .. })).count();
    assert_eq!(alarms, 2);
    relay.release(&mut new, phones[0].device, NOW).unwrap();
    push(&relay, &mut new, &second);
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut new)), first.each_ref().map(|one| one.hash));
    assert_eq!(relay.release(&mut new, phones[1].device, NOW), Ok(1));
}
