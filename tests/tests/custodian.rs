//! What lies sealed after closing is what happened, for the custodian and for nobody else.
//! All persons and cases are synthetic.

use std::sync::Arc;

use amparo_core::device::{Device, NextStep};
use amparo_core::screening::Keep;
use amparo_core::seal::{SecretKey, from_bytes, open};
use amparo_core::time::FixedClock;
use amparo_schema::fact::{Body, Fact, IdentityField, Lane, Scope};
use amparo_schema::id::ScreeningId;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::wire::segment::{Plain, Segment};
use amparo_shell::content::keys::demo_custodian_secret;
use amparo_tests::interview::{self, NOW_MS, consent, start, talk, talk_unstored};

const HOUR_MS: u32 = 60 * 60 * 1000;

struct World {
    _folder: tempfile::TempDir,
    clock: Arc<FixedClock>,
    device: Device,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let (clock, device) = interview::made(&folder.path().join("store.db"));
    World { _folder: folder, clock, device }
}

fn opened(device: &Device, id: ScreeningId) -> Vec<Plain> {
    let secret = SecretKey::new(&demo_custodian_secret());
    let sealed = device.sealed(id).unwrap();
    assert!(!sealed.is_empty());
    let plain = sealed.iter().map(|sealed| {
        assert_eq!(sealed.grants.len(), 1, "one custodian");
        open(&sealed.segment, &sealed.grants[0], &secret, &device.public_key()).unwrap()
    });
    plain.collect()
}

fn facts(plain: &Plain) -> Vec<(u64, Fact)> {
    plain.events.iter().map(|event| (event.counter, from_bytes(&event.fact).unwrap())).collect()
}

#[test]
fn the_custodian_reads_every_fact_and_identity_apart() {
    let world = world();
    let device = &world.device;
    let id = start(device);
    talk(device, id);
    device.record_outcome(id).unwrap();
    let service = device.contacts(id, &[]).unwrap().offers.remove(0).service.id;
    let referral = device.refer(id, &service, None).unwrap();
    device.consent(id, &consent(Purpose::ShareIdentity, Some(&service), &[Scope::Identity])).unwrap();
    device.give_identity(id, IdentityField::Name, "Synthetic Person 0001".into()).unwrap();
    let before = device.screening(id).unwrap().screening;
    let closing = device.close(id).unwrap();
    assert_eq!((closing.keep, closing.segments), (Keep::Full, 2));

    let plain = opened(device, id);
    let lanes: Vec<Vec<_>> =
        plain.iter().map(|p| p.events.iter().map(|event| event.compartment.lane()).collect()).collect();
    assert!(lanes[0].iter().all(|lane| *lane == Lane::Identity), "{lanes:?}");
    assert!(lanes[1].iter().all(|lane| *lane == Lane::Case), "{lanes:?}");
    let mut counters = Vec::new();
    for segment in &plain {
        assert_eq!((segment.case, segment.screening), (Some(before.case), Some(id)));
        for ((counter, fact), event) in facts(segment).into_iter().zip(&segment.events) {
            assert_eq!(fact.body.compartment(), event.compartment);
            counters.push(counter);
        }
    }
    counters.sort_unstable();
    let first = counters[0];
    let all: Vec<u64> = (first..first + counters.len() as u64).collect();
    assert_eq!(counters, all, "every fact of the screening, once");
    let named = facts(&plain[0]);
    let name = "Synthetic Person 0001".to_owned();
    assert_eq!(named[0].1.body, Body::IdentityGiven { field: IdentityField::Name, value: name });

    // A later addition is sealed as it is made, in a segment of its own.
    device.move_referral(id, referral, amparo_schema::fact::ReferralState::Sent, None).unwrap();
    let later = opened(device, id);
    assert_eq!(later.len(), 3);
    assert!(matches!(facts(&later[2])[0].1.body, Body::ReferralMoved { .. }));
}

#[test]
fn identity_is_granted_to_nobody_without_a_consent_to_share_it() {
    let world = world();
    let device = &world.device;
    let id = start(device);
    talk(device, id);
    device.record_outcome(id).unwrap();
    let service = device.contacts(id, &[]).unwrap().offers.remove(0).service.id;
    device.refer(id, &service, None).unwrap();
    device.give_identity(id, IdentityField::Name, "Synthetic Person 0002".into()).unwrap();
    assert_eq!(device.close(id).unwrap().segments, 2);
    let grants: Vec<usize> = device.sealed(id).unwrap().iter().map(|sealed| sealed.grants.len()).collect();
    assert_eq!(grants, [0, 1], "identity comes first");
}

#[test]
fn another_key_and_another_grant_open_nothing() {
    let world = world();
    let device = &world.device;
    let id = start(device);
    talk(device, id);
    device.close(id).unwrap();
    device.consent(id, &consent(Purpose::Statistics, None, &[])).unwrap();
    let sealed = device.sealed(id).unwrap();
    assert_eq!(sealed.len(), 2, "what is added later has a segment of its own");
    let key = device.public_key();
    let right = SecretKey::new(&demo_custodian_secret());
    assert!(open(&sealed[0].segment, &sealed[0].grants[0], &SecretKey::new(&[3; 32]), &key).is_err());
    assert!(open(&sealed[0].segment, &sealed[1].grants[0], &right, &key).is_err());
    assert!(open(&sealed[0].segment, &sealed[0].grants[0], &right, &key).is_ok());
}

#[test]
fn without_consent_to_store_only_the_outcome_remains() {
    let world = world();
    let device = &world.device;
    let id = start(device);
    talk_unstored(device, id);
    let outcomes = device.record_outcome(id).unwrap().outcomes();
    let closing = device.close(id).unwrap();
    assert_eq!((closing.keep, closing.outcomes), (Keep::AggregateOnly, outcomes));
    let plain = opened(device, id);
    assert_eq!(plain.len(), 1);
    let kinds: Vec<_> = facts(&plain[0]).iter().map(|(_, fact)| fact.body.kind()).collect();
    assert_eq!(kinds, ["screening_opened", "outcome_recorded", "closed"]);
    let report = device.verify().unwrap();
    assert!(report.is_whole() && report.purged > 10, "{report:?}");
    let view = device.screening(id).unwrap();
    assert!(view.line.closed && view.screening.history.is_empty());
}

#[test]
fn an_open_screening_is_closed_when_its_time_has_passed_and_not_by_a_wrong_clock() {
    let world = world();
    let (device, clock) = (&world.device, &world.clock);
    let id = start(device);
    talk(device, id);
    clock.advance_ms(23 * HOUR_MS);
    assert_eq!(device.close_overdue().unwrap(), []);
    clock.set_wall_ms(NOW_MS + 400 * 24 * i64::from(HOUR_MS));
    assert_eq!(device.close_overdue().unwrap(), [], "the clock jumped");
    clock.set_wall_ms(NOW_MS + 23 * i64::from(HOUR_MS));
    clock.advance_ms(2 * HOUR_MS);
    assert_eq!(device.close_overdue().unwrap(), [id]);
    assert_eq!(device.next(id).unwrap(), NextStep::End);
}

#[test]
fn a_segment_is_the_array_that_the_format_says() {
    let world = world();
    let device = &world.device;
    let id = start(device);
    device.close(id).unwrap();
    let sealed = device.sealed(id).unwrap().remove(0);
    let segment: Segment = from_bytes(&sealed.segment).unwrap();
    assert_eq!((segment.signature.len(), segment.ciphertext.len() % 128), (64, 16));
}
