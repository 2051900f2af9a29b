//! What is purged, and when.

use amparo_core::device::{Error, Level};
use amparo_core::random::SeededEntropy;
use amparo_core::seal::from_bytes;
use amparo_core::secret::Key;
use amparo_core::store::screening::NewScreening;
use amparo_core::store::{self, Store, StoreError};
use amparo_core::time::Clock;
use amparo_schema::fact::{Compartment, IdentityField, ReferralState};
use amparo_schema::id::ScreeningId;
use amparo_schema::pack::Content;

use super::relay::Depth;
use super::{HOUR_MS, NOW_MS, closed, open, start, talk, world};

/// Hours after closing by the embedded policy.
fn plaintext_hours(world: &super::World, id: amparo_schema::id::ScreeningId) -> i64 {
    match &*world.device().policy_of(id).unwrap().content {
        Content::Policy(policy) => i64::from(policy.retention.plaintext_hours),
        _ => panic!("no policy"),
    }
}

/// I5: plaintext goes only when a verified receipt says durable and the policy's time has passed, by a clock that
/// is not doubted.
#[test]
fn i5_plaintext_stays_until_it_is_durable_and_its_time_has_passed() {
    let world = world();
    let device = world.device();
    let id = start(device);
    talk(device, id);
    device.record_outcome(id).unwrap();
    let service = device.contacts(id, &[]).unwrap().offers.remove(0).service.id;
    let referral = device.refer(id, &service, None).unwrap();
    device.give_identity(id, IdentityField::Name, "Synthetic Person 0004".into()).unwrap();
    device.close(id).unwrap();
    let hours = plaintext_hours(&world, id);
    let line = device.screenings().unwrap().remove(0);
    // No receipt at all, for a long time.
    world.pass_ms((hours + 1) * HOUR_MS);
    assert_eq!(device.purge_due().unwrap().screenings, 0);
    world.relay(|relay| relay.depth = Depth::Stored);
    assert_eq!((world.sync().purged, world.level(id)), (0, Level::Stored));
    // Durable, and something was added since that is not.
    device.move_referral(id, referral, ReferralState::Sent, None).unwrap();
    assert_eq!(device.purge_due().unwrap().screenings, 0);
    world.relay(|relay| relay.depth = Depth::Durable);
    // Durable, and the clock jumps.
    world.clock.set_wall_ms(NOW_MS + 3_000 * 24 * HOUR_MS);
    assert_eq!(world.sync().purged, 0, "a wrong clock purges nothing");
    world.clock.set_wall_ms(NOW_MS + (hours + 2) * HOUR_MS);
    assert_eq!(world.sync().purged, 1);
    assert!(matches!(device.screening(id), Err(Error::Purged)));
    assert_eq!(world.level(id), Level::Durable);
    let stub = device.case_stub(line.case).unwrap();
    assert_eq!((stub.code, stub.memorable, stub.referrals), (line.code, line.memorable, vec![referral]));
    let report = device.verify().unwrap();
    assert!(report.is_whole() && report.purged > 10, "{report:?}");
    // Sealed bytes stay, and this device can grant them to nobody any more.
    assert_eq!(device.sealed(id).unwrap().len(), 4);
    assert_eq!(world.custodian(id).len(), 3);
}

#[test]
fn i5_time_alone_is_not_enough_and_neither_is_a_receipt_alone() {
    let world = world();
    let id = closed(world.device());
    let hours = plaintext_hours(&world, id);
    assert_eq!((world.sync().purged, world.level(id)), (0, Level::Durable));
    world.pass_ms(hours * HOUR_MS - 1);
    assert_eq!(world.device().purge_due().unwrap().screenings, 0, "a millisecond early");
    world.pass_ms(1);
    assert_eq!(world.device().purge_due().unwrap().screenings, 1);
}

#[test]
fn what_was_closed_by_a_doubted_clock_is_kept_from_the_first_time_that_is_not() {
    let world = world();
    let device = world.device();
    let id = start(device);
    talk(device, id);
    world.clock.set_wall_ms(NOW_MS - 4_000 * 24 * HOUR_MS);
    device.close(id).unwrap();
    world.clock.set_wall_ms(NOW_MS + HOUR_MS);
    let hours = plaintext_hours(&world, id);
    // The newest fact says years ago; a new one brings the clock back.
    let other = start(device);
    talk(device, other);
    let early = world.sync();
    assert_eq!((early.purged, world.level(id)), (0, Level::Durable), "{early:?}");
    for _ in 0..hours + 2 {
        world.pass_ms(HOUR_MS);
        talk(device, start(device));
    }
    assert_eq!(device.purge_due().unwrap().screenings, 1);
}

/// I5: sealed bytes go when the horizon covers them and 30 days have passed, not before.
#[test]
fn i5_sealed_bytes_stay_thirty_days_and_until_every_backup_has_them() {
    let world = world();
    let device = world.device();
    let id = closed(device);
    let days = |days: i64| (0..days).for_each(|_| world.pass_ms(24 * HOUR_MS));
    world.sync();
    days(31);
    world.sync();
    assert_eq!(device.sealed(id).unwrap().len(), 2, "no backup has them");
    world.relay(|relay| relay.depth = Depth::Horizon);
    let late = closed(device);
    world.sync();
    assert_eq!((device.sealed(id).unwrap().len(), device.sealed(late).unwrap().len()), (0, 2), "not 30 days");
    days(31);
    world.sync();
    assert_eq!(device.sealed(late).unwrap().len(), 0);
    assert!(device.verify().unwrap().is_whole());
    let third = closed(device);
    world.sync();
    assert_eq!(world.level(third), Level::Durable, "the chain goes on");
}

/// I28: a revocation deletes nothing that headquarters lacks; wiping leaves what is sealed, which is still sent.
#[test]
fn i28_a_revoked_device_still_sends_everything() {
    let world = world();
    let device = world.device();
    let (first, open) = (closed(device), start(device));
    world.relay(|relay| relay.revoke());
    assert_eq!(world.sync().entries, 1);
    let state = device.sync_state().unwrap();
    assert_eq!(state.revoked_ms, Some(77));
    assert!(device.screening(first).is_ok() && device.screening(open).is_ok(), "the person is asked first");
    let second = closed(device);
    let wiped = device.wipe().unwrap();
    assert_eq!((wiped.screenings, wiped.failed), (3, 0));
    for id in [first, open, second] {
        assert!(matches!(device.screening(id), Err(Error::Purged)));
        assert!(!device.sealed(id).unwrap().is_empty());
    }
    world.sync();
    assert_eq!((world.level(second), world.custodian(second).len()), (Level::Durable, 2));
    let sealed = device.sealed(second).unwrap();
    let segment: amparo_schema::wire::segment::Segment = from_bytes(&sealed[0].segment).unwrap();
    assert!(!segment.ciphertext.is_empty());
}

/// Wiping and purging go through all, past what one read gives, and past one that does not read any more.
#[test]
fn wiping_reaches_every_screening_however_many_there_are() {
    const MORE: u16 = 600;
    let mut world = world();
    let (first, bad) = (closed(world.device()), start(world.device()));
    drop(world.device.take());
    let path = world.folder.path().join("store.db");
    let store = Store::open(&path, &Key::new(&[9; 32]), &SeededEntropy::new(3), world.clock.now()).unwrap();
    store
        .write(|tx| {
            store::fact::append(tx, Some(bad), Compartment::Case, b"no fact")?;
            let row = store::screening::by_id(tx, first)?.unwrap();
            for n in 0..MORE {
                let [high, low] = n.to_be_bytes();
                let screening = ScreeningId([high, low, 0xee, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
                let (case, checklist) = (row.case, row.checklist);
                let new = NewScreening { screening, case, checklist, packs: &[], opened_ms: NOW_MS };
                store::screening::insert(tx, &new)?;
                store::screening::close(tx, screening, NOW_MS)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    drop(store);
    world.device = Some(open(&path, &world.clock, 8));
    let wiped = world.device().wipe().unwrap();
    assert_eq!((wiped.screenings, wiped.failed), (u64::from(MORE) + 1, 1), "the bad one is counted");
    assert!(matches!(world.device().screening(first), Err(Error::Purged)));
}
