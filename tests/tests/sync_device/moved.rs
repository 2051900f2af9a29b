//! A device that moves to another headquarters after it let go of sealed bytes that the first one has.

use std::collections::BTreeSet;

use amparo_core::device::{Device, Level};
use amparo_core::random::SeededEntropy;
use amparo_core::seal::SecretKey;
use amparo_core::store::{self, Store, StoreError};
use amparo_core::sync::Ended;
use amparo_core::time::Clock;
use amparo_schema::fact::Compartment;
use amparo_schema::id::ScreeningId;
use amparo_shell::content::keys::demo_custodian_secret;

use super::readers::{agency, compartments, referred};
use super::relay::{Depth, Relay};
use super::{HOUR_MS, Nowhere, World, closed, key, open, start, talk, world};

const DAY_MS: i64 = 24 * HOUR_MS;

/// A world whose device has dropped what it sealed first; and that first screening.
fn thinned() -> (World, ScreeningId) {
    let world = world();
    world.relay(|relay| relay.depth = Depth::Horizon);
    let first = closed(world.device());
    world.sync();
    (0..31).for_each(|_| world.pass_ms(DAY_MS));
    assert_eq!(world.sync().purged, 1);
    assert_eq!(world.device().sealed(first).unwrap().len(), 0, "let go");
    (world, first)
}

/// Enrols the device at this headquarters, and gives the one before.
fn move_to(world: &World, mut to: Relay) -> Relay {
    let request = world.device().enrolment_request(&to.ticket()).unwrap();
    world.device().enrolled(&to.enrol(&request)).unwrap();
    std::mem::replace(&mut *world.line.relay.lock().unwrap(), to)
}

fn another() -> Relay {
    Relay { seed: 210, ..Relay::new() }
}

/// Counter and bytes of each fact of a screening that a custodian reads at a headquarters, as often as it is there.
fn facts(relay: &Relay, id: ScreeningId) -> Vec<(u64, Vec<u8>)> {
    let plain = relay.readable(&SecretKey::new(&demo_custodian_secret()));
    let of_it = plain.into_iter().filter(|plain| plain.screening == Some(id));
    let mut facts: Vec<_> =
        of_it.flat_map(|plain| plain.events).map(|event| (event.counter, event.fact)).collect();
    facts.sort();
    facts
}

fn purged(device: &Device, id: ScreeningId) -> bool {
    device.sync_state().unwrap().screenings.iter().any(|line| line.screening == id && line.purged)
}

/// The new one gets a chain of its own from the start: what the first never called durable is sealed again, once, is
/// acknowledged, read and purged like anything else. What the first keeps is not sent, and purged by its last receipt.
#[test]
fn what_was_not_durable_goes_to_the_next_headquarters_in_a_new_life() {
    let (world, first) = thinned();
    let device = world.device();
    let kept = closed(device);
    world.sync();
    let unsent = closed(device);
    let (referral, ..) = referred(device);
    let open = start(device);
    let before = move_to(&world, another());
    assert_eq!(
        [first, kept, unsent].map(|id| world.level(id)),
        [Level::Durable, Level::Durable, Level::Sealed]
    );
    let report = world.sync();
    assert_eq!((report.ended, report.begun_again, report.aside.len()), (Ended::Done, false, 0));
    assert_eq!((world.level(unsent), world.level(referral)), (Level::Durable, Level::Durable));
    assert_eq!((world.custodian(unsent).len(), world.custodian(kept).len()), (1, 0));
    let all = [Compartment::Identity, Compartment::Case, Compartment::Consent];
    assert_eq!(compartments(&world.reads(&agency(), referral)), all);
    assert_eq!((facts(&before, unsent), facts(&before, referral)), (vec![], vec![]));
    let state = device.sync_state().unwrap();
    assert_eq!((state.waiting, state.refused.len(), device.findings().len()), (0, 0, 0));
    assert_eq!((world.relay(|relay| relay.chains.len()), world.relay(|relay| relay.forks)), (1, 0));
    let idle = world.sync();
    assert_eq!((idle.exchanges, world.relay(|relay| relay.seen.clone())), (1, vec!["hello".to_owned()]));
    talk(device, open);
    device.close(open).unwrap();
    assert_eq!((world.sync().ended, world.level(open)), (Ended::Done, Level::Durable));
    world.pass_ms(DAY_MS);
    assert_eq!(world.sync().purged, 4);
    assert!([kept, unsent, referral, open].iter().all(|id| purged(device, *id)));
    world.relay(|relay| relay.depth = Depth::Horizon);
    (0..31).for_each(|_| world.pass_ms(DAY_MS));
    world.sync();
    assert_eq!(world.level(closed(device)), Level::Sealed);
    world.sync();
    assert!(device.verify().unwrap().is_whole());
}

/// Whoever reads at both counts each fact once: counters and words are the same. What was stored at the first, and not
/// durable, goes to the second whole, with what was added since.
#[test]
fn what_the_first_stored_and_could_lose_is_the_same_at_both() {
    let (world, _) = thinned();
    let device = world.device();
    world.relay(|relay| relay.depth = Depth::Stored);
    let one_more = closed(device);
    let at_both = closed(device);
    // Stored there, and no receipt says durable of them.
    world.sync();
    assert!([one_more, at_both].iter().all(|id| world.level(*id) < Level::Durable));
    let before = move_to(&world, another());
    world.sync();
    for id in [one_more, at_both] {
        let (one, two) = (facts(&before, id), world.relay(|relay| facts(relay, id)));
        assert!(one.len() > 10 && one == two);
        assert_eq!(two.iter().collect::<BTreeSet<_>>().len(), two.len(), "each once");
        assert_eq!(world.level(id), Level::Durable);
    }
}

/// Back at the first, the life that was left there goes on, and nothing is missing from any chain.
#[test]
fn a_device_that_returns_goes_on_where_it_left() {
    let (world, first) = thinned();
    let device = world.device();
    let unsent = closed(device);
    let before = move_to(&world, another());
    world.sync();
    let later = closed(device);
    let second = move_to(&world, before);
    let report = world.sync();
    assert_eq!((report.ended, report.begun_again), (Ended::Done, false));
    for id in [first, unsent, later] {
        assert_eq!(world.level(id), Level::Durable);
    }
    assert_eq!((device.sync_state().unwrap().waiting, world.relay(|relay| relay.forks)), (0, 0));
    assert_eq!(world.relay(|relay| relay.chains.len()), 2);
    assert_eq!(world.relay(|relay| facts(relay, unsent)), facts(&second, unsent), "opened once");
    assert_eq!(world.relay(|relay| facts(relay, later).len()), facts(&second, unsent).len());
}

/// What was wiped before it was sent cannot be sealed again: it is kept, counted as waiting, and goes when the device
/// returns. Wiped after the move, it is sealed again first.
#[test]
fn what_cannot_be_read_any_more_waits_for_the_first_headquarters() {
    let (world, _) = thinned();
    let device = world.device();
    let wiped = closed(device);
    device.wipe().unwrap();
    let before = move_to(&world, another());
    let after = closed(device);
    device.wipe().unwrap();
    assert_eq!(device.sync(&Nowhere, &()).unwrap().purged, 0);
    world.sync();
    assert_eq!((world.level(wiped), world.level(after)), (Level::Sealed, Level::Durable));
    assert_eq!((device.sync_state().unwrap().waiting, world.custodian(after).len()), (1, 1));
    move_to(&world, before);
    world.sync();
    assert_eq!((device.sync_state().unwrap().waiting, world.level(wiped)), (0, Level::Durable));
    assert_eq!(world.custodian(wiped).len(), 1);
}

/// What was withdrawn before the move is withheld after it; what was added to a purged screening goes along.
#[test]
fn an_addition_to_what_was_purged_goes_to_the_next_headquarters() {
    let (world, first) = thinned();
    let device = world.device();
    device.withdraw_consent(first, 0).unwrap();
    let (id, _, case, identity) = referred(device);
    device.sync(&Nowhere, &()).unwrap();
    device.withdraw_consent(id, identity).unwrap();
    device.withdraw_consent(id, case).unwrap();
    move_to(&world, another());
    world.sync();
    assert_eq!(world.custodian(first), [(vec![Compartment::Consent], vec!["consent_withdrawn"])]);
    assert_eq!((world.reads(&agency(), id), world.custodian(id).len()), (vec![], 1));
    assert_eq!(device.sync_state().unwrap().waiting, 0);
}

/// Killed between the new headquarters and the new life, and used before the next sync: nothing is lost, and nothing
/// goes under the numbers of the old life.
#[test]
fn a_move_that_was_cut_short_is_finished_by_the_next_sync() {
    let (mut world, _) = thinned();
    let unsent = closed(world.device());
    let mut to = another();
    let certificate = to.enrol(&world.device().enrolment_request(&to.ticket()).unwrap());
    drop(world.device.take());
    let path = world.folder.path().join("store.db");
    let (one, two) = (Relay::new().headquarters().key, to.headquarters().key);
    let store = Store::open(&path, &key(), &SeededEntropy::new(3), world.clock.now()).unwrap();
    store
        .write(|tx| {
            store::setting::set(tx, "sync.again", &[1])?;
            store::enrolment::certify(tx, &certificate, Some((&one, &two)))?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    drop(store);
    world.device = Some(open(&path, &world.clock, 8));
    *world.line.relay.lock().unwrap() = to;
    let between = closed(world.device());
    assert_eq!(world.level(between), Level::Sealed);
    assert_eq!(world.sync().ended, Ended::Done);
    for id in [unsent, between] {
        assert_eq!((world.level(id), world.custodian(id).len()), (Level::Durable, 1));
    }
    assert_eq!(world.relay(|relay| relay.chains.len()), 1);
    assert_eq!((world.device().sync_state().unwrap().waiting, world.device().findings().len()), (0, 0));
}

/// I19: withdrawn while the device belonged to a second headquarters, with that one's life left behind in its turn: back
/// at the first, where the grant waits or is yet to come, the agency is given nothing.
#[test]
fn i19_a_withdrawal_at_the_second_headquarters_holds_back_at_the_first() {
    for sent in [false, true] {
        let (world, _) = thinned();
        let device = world.device();
        let (id, _, case, identity) = referred(device);
        if sent {
            world.relay(|relay| relay.depth = Depth::Stored);
            world.sync();
            assert_eq!(compartments(&world.reads(&agency(), id)).len(), 3);
            world.relay(|relay| relay.depth = Depth::Durable);
        } else {
            device.sync(&Nowhere, &()).unwrap();
        }
        let before = move_to(&world, Relay { depth: Depth::Horizon, ..another() });
        world.sync();
        device.withdraw_consent(id, identity).unwrap();
        device.withdraw_consent(id, case).unwrap();
        world.sync();
        assert_eq!(world.reads(&agency(), id), [], "{sent}");
        (0..31).for_each(|_| world.pass_ms(DAY_MS));
        world.sync();
        assert_eq!(device.sealed(id).unwrap().len(), 3, "the old ones alone");
        move_to(&world, before);
        world.sync();
        // Any life that withholds is heard there; here the last one is read last.
        let reader = SecretKey::new(&agency()).public().id();
        let chains = world.relay(|relay| relay.chains.clone());
        let given = chains.values().flat_map(|c| c.disclosures.values()).flat_map(|made| made.grants());
        let given: BTreeSet<_> = given.filter(|g| g.recipient == reader).map(|g| g.segment).collect();
        let held = chains.values().flat_map(|c| c.disclosures.values()).flat_map(|made| made.withheld());
        let held: BTreeSet<_> = held.filter(|w| w.recipient == reader).map(|w| w.segment).collect();
        assert!(!given.is_empty() && given.is_subset(&held), "{sent}");
        assert_eq!(device.sync_state().unwrap().waiting, 0);
    }
}
