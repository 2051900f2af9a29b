//! Phones that were set back or copied.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use amparo_core::device::Level;
use amparo_core::seal::{First, SecretKey, first};
use amparo_core::sync::{Ended, Item, Transport, TransportError, Why, items};
use amparo_schema::wire::push::Refusal;

use super::readers::{agency, referred};
use super::whole::{Real, real, urgent};
use super::{Nowhere, World, closed, open, world};

/// Copies every file of a store but the lock and shared memory.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = file.file_name();
        let text = name.to_string_lossy();
        if !text.ends_with("-shm") && !text.ends_with(".lock") {
            fs::copy(file.path(), to.join(name)).unwrap();
        }
    }
}

/// Puts an earlier copy of the store in place of the present one; with the head file or without.
fn set_back(world: &mut World, copy_of: &Path, with_head: bool) {
    drop(world.device.take());
    let folder = world.folder.path().to_path_buf();
    for file in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        let name = file.file_name().to_string_lossy().into_owned();
        if file.path().is_file() && (with_head || !name.ends_with(".head")) {
            fs::remove_file(file.path()).unwrap();
        }
    }
    for file in fs::read_dir(copy_of).unwrap().map(Result::unwrap) {
        let name = file.file_name().to_string_lossy().into_owned();
        if with_head || !name.ends_with(".head") {
            fs::copy(file.path(), folder.join(name)).unwrap();
        }
    }
    world.device = Some(open(&folder.join("store.db"), &world.clock, 99));
}

/// I9: set back, the device begins a life of its own; nothing is signed twice, the leftovers of the old life are
/// sent under their own headers, and everything is acknowledged in the end.
#[test]
fn i9_a_store_that_was_set_back_goes_on_in_a_new_life() {
    let mut world = world();
    let backup = tempfile::tempdir().unwrap();
    let first = closed(world.device());
    world.device().rest().unwrap();
    copy(world.folder.path(), backup.path());
    let lost = closed(world.device());
    world.sync();
    set_back(&mut world, backup.path(), false);
    assert_eq!(world.device().findings().len(), 1);
    let third = closed(world.device());
    let report = world.sync();
    assert_eq!((report.ended, report.begun_again), (Ended::Done, false));
    assert_eq!(world.relay(|relay| relay.forks), 0);
    assert_eq!((world.level(first), world.level(third)), (Level::Durable, Level::Durable));
    for id in [first, lost, third] {
        assert_eq!(world.custodian(id).len(), 1);
    }
    assert_eq!(world.device().sync_state().unwrap().waiting, 0);
}

/// I9: set back together with its head file, the device learns it from the receipt, and begins a new life before
/// anything else is sealed.
#[test]
fn i9_a_receipt_proves_what_the_head_file_cannot() {
    let mut world = world();
    let backup = tempfile::tempdir().unwrap();
    closed(world.device());
    world.sync();
    world.device().rest().unwrap();
    copy(world.folder.path(), backup.path());
    closed(world.device());
    world.sync();
    set_back(&mut world, backup.path(), true);
    assert!(world.device().findings().is_empty(), "nothing shows from inside");
    let report = world.sync();
    assert!(report.begun_again, "{report:?}");
    let after = closed(world.device());
    let report = world.sync();
    assert!(!report.begun_again);
    assert_eq!((world.relay(|relay| relay.forks), world.level(after)), (0, Level::Durable));
    assert_eq!(world.custodian(after).len(), 1);
    assert!(world.device().verify().unwrap().is_whole());
    // Told once, whatever headquarters goes on to say of the life that ended.
    let told = world.device().aside().unwrap();
    for round in 0..5 {
        world.relay(|relay| relay.clock += 60_000);
        let report = world.sync();
        assert_eq!((report.ended, report.aside), (Ended::Done, Vec::new()), "{round}");
        assert_eq!(world.device().aside().unwrap(), told, "{round}");
    }
    assert_eq!(told, BTreeMap::from([(Why::Ahead, 1)]));
    drop(world.device.take());
    world.device = Some(open(&world.folder.path().join("store.db"), &world.clock, 100));
    assert_eq!(world.device().findings().len(), 1, "and it is written down");
}

/// I8, the device's part: two copies of one phone that both sealed; the second one to call begins a life of its
/// own, and what it disclosed is not lost.
#[test]
fn i8_of_two_copies_the_second_begins_a_life_of_its_own() {
    let mut world = world();
    let backup = tempfile::tempdir().unwrap();
    world.sync();
    world.device().rest().unwrap();
    copy(world.folder.path(), backup.path());
    closed(world.device());
    closed(world.device());
    world.sync();
    set_back(&mut world, backup.path(), true);
    closed(world.device());
    let forked = closed(world.device());
    let report = world.sync();
    assert!(report.begun_again && world.relay(|relay| relay.forks) > 0, "{report:?}");
    assert_eq!(world.custodian(forked), [], "kept aside there, and here");
    assert_eq!(world.device().sealed(forked).unwrap().len(), 1);
    let after = closed(world.device());
    world.sync();
    assert_eq!((world.level(after), world.custodian(after).len()), (Level::Durable, 1));
    assert_eq!(world.device().purge_due().unwrap().screenings, 0);
    // What is kept aside there is seen here, and sent once in each session: no receipt of that chain is taken here, so
    // none would tell that headquarters lost it.
    let forked = world.device().sync_state().unwrap().refused;
    assert!(forked.len() > 1 && forked.iter().all(|(_, why)| *why == Refusal::Fork), "{forked:?}");
    for _ in 0..2 {
        let report = world.sync();
        assert_eq!(
            (report.refused.len(), &world.device().sync_state().unwrap().refused),
            (forked.len(), &forked)
        );
        assert!(report.up_bytes < 3_000, "{report:?}");
    }
}

/// I19: said once more in a new life, what was withdrawn after it was given is still withdrawn: in each life by itself,
/// for bundles may bring one before the other.
#[test]
fn i19_a_new_life_repeats_disclosures_in_the_order_in_which_they_were_made() {
    let mut world = world();
    let backup = tempfile::tempdir().unwrap();
    world.sync();
    world.device().rest().unwrap();
    copy(world.folder.path(), backup.path());
    closed(world.device());
    world.sync();
    set_back(&mut world, backup.path(), true);
    let (id, _, case, identity) = referred(world.device());
    world.device().sync(&Nowhere, &()).unwrap();
    world.device().withdraw_consent(id, identity).unwrap();
    world.device().withdraw_consent(id, case).unwrap();
    world.device().sync(&Nowhere, &()).unwrap();
    assert!(world.sync().begun_again);
    let reader = SecretKey::new(&agency()).public().id();
    let chains = world.relay(|relay| relay.chains.clone());
    let mut withheld = 0;
    for chain in chains.values() {
        let mut last = BTreeMap::new();
        for made in chain.disclosures.values() {
            last.extend(made.grants().filter(|g| g.recipient == reader).map(|g| (g.segment, true)));
            last.extend(made.withheld().filter(|w| w.recipient == reader).map(|w| (w.segment, false)));
        }
        assert!(last.values().all(|given| !given), "the last word of a life gives nothing: {last:?}");
        withheld += last.len();
    }
    assert!(withheld > 0);
}

/// A link that breaks off after the first segment, and never answers.
struct FirstSegment<'a>(&'a Real);

impl Transport for FirstSegment<'_> {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut rest = upload;
        for item in items(upload) {
            let Ok(First::Item(_, after)) = first(rest) else { break };
            rest = after;
            if matches!(item, Some(Item::Segment { .. })) {
                break;
            }
        }
        self.0.exchange(&upload[..upload.len() - rest.len()]).unwrap();
        Err(TransportError::Cut { replies: Vec::new() })
    }
}

/// I8: what one copy sent ahead of its turn takes a number, until the chain of the other comes there and frees it.
/// What the other had for that number is then sent once more.
#[test]
fn i8_a_number_that_becomes_free_is_tried_again() {
    let (mut world, real) = (world(), real());
    let backup = tempfile::tempdir().unwrap();
    real.enrol(world.device());
    world.device().sync(&real, &()).unwrap();
    world.device().rest().unwrap();
    copy(world.folder.path(), backup.path());
    let three = |world: &World| [closed(world.device()), closed(world.device()), urgent(world.device())];
    three(&world);
    assert!(matches!(world.device().sync(&FirstSegment(&real), &()).unwrap().ended, Ended::Broken(_)));
    set_back(&mut world, backup.path(), true);
    let ids = three(&world);
    let report = world.device().sync(&real, &()).unwrap();
    assert_eq!((report.ended, report.begun_again), (Ended::Done, false));
    assert_eq!(world.device().sync_state().unwrap().waiting, 0);
    let after = closed(world.device());
    world.device().sync(&real, &()).unwrap();
    assert_eq!(world.device().sync_state().unwrap().refused, []);
    let read = real.custodian(&world.device().public_key());
    for id in ids.into_iter().chain([after]) {
        assert!(world.level(id) >= Level::Stored && read.contains(&id), "{:?} {read:?}", world.level(id));
    }
}
