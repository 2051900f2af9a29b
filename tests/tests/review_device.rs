//! What an adversarial reading of the device asked for: a store for one at a time, nothing left of what was not
//! to be kept, clocks that are wrong, one damaged screening among others, an end between two acts.
//! All persons and cases are synthetic.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use amparo_core::device::{Device, Error, ErrorKind, NextStep, ScreeningLine, StartRequest};
use amparo_core::random::SeededEntropy;
use amparo_core::screening::Keep;
use amparo_core::store::{self, Store};
use amparo_core::time::{Clock, FixedClock, Moment};
use amparo_schema::answer::{Answer, Mode, Unknown};
use amparo_schema::fact::{Compartment, IdentityField, Scope, StepState};
use amparo_schema::id::{CaseId, ScreeningId};
use amparo_schema::pack::policy::Purpose;
use amparo_schema::person::{Country, Place, Setting};
use amparo_schema::text::Lang;
use amparo_shell::embedded;
use amparo_tests::interview::{self, NOW_MS, consent, key, name, pass_gate, talk, talk_unstored};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn open(folder: &Path, clock: &Arc<FixedClock>) -> Result<Device, Error> {
    let (path, entropy) = (folder.join("store.db"), Arc::new(SeededEntropy::new(7)));
    Device::open(&path, &key(), embedded::trust()?, clock.clone(), entropy)
}

fn world() -> (tempfile::TempDir, Arc<FixedClock>, Device) {
    let folder = tempfile::tempdir().unwrap();
    let (clock, device) = interview::made(&folder.path().join("store.db"));
    (folder, clock, device)
}

fn start(device: &Device, case: Option<CaseId>) -> Result<ScreeningId, Error> {
    let place =
        Place { country: Country::new("CL").unwrap(), post: None, area: None, setting: Setting::Border };
    let lang = Lang::new("es").unwrap();
    device.start(&StartRequest { checklist: name("four-questions"), case, place, lang })
}

fn line(device: &Device, id: ScreeningId) -> ScreeningLine {
    device.screening(id).unwrap().line
}

#[test]
fn a_second_device_is_told_that_the_store_is_in_use() {
    let (folder, clock, device) = world();
    assert_eq!(open(folder.path(), &clock).unwrap_err().kind(), ErrorKind::Busy);
    drop(device);
    assert!(open(folder.path(), &clock).is_ok());
}

#[test]
fn nothing_by_which_the_person_could_be_found_outlives_a_refusal_to_store() {
    let (folder, _clock, device) = world();
    let id = start(&device, None).unwrap();
    talk_unstored(&device, id);
    let before = line(&device, id);
    let service = device.contacts(id, &[]).unwrap().offers.remove(0).service.id;
    device.refer(id, &service, None).unwrap();
    device.give_identity(id, IdentityField::Name, "Synthetic Person 0001".into()).unwrap();
    let outcomes = device.record_outcome(id).unwrap().outcomes();
    assert_eq!(device.close(id).unwrap().keep, Keep::AggregateOnly);

    let after = line(&device, id);
    assert!(after.closed && after.code != before.code && after.memorable.is_empty());
    assert_eq!(device.screenings().unwrap(), [after]);
    // The outcome stays as it was recorded; it is not made up anew from answers that are gone.
    assert_eq!(device.screening(id).unwrap().outcomes, outcomes);
    assert!(matches!(device.explain(id), Err(Error::Erased)));
    assert!(matches!(device.refer(id, &service, None), Err(Error::Erased)));
    let noted = device.waive_consent(
        id,
        Purpose::ShareService,
        amparo_schema::pack::protocol::ExceptionKind::ImminentDanger,
        amparo_schema::text::Source { document: "synthetic".into(), place: "art. 1".into(), as_of: None },
        true,
    );
    assert!(matches!(noted, Err(Error::Erased)));
    assert!(start(&device, Some(before.case)).is_err(), "nobody comes back to the case");
    assert!(device.verify().unwrap().is_whole());
    drop(device);
    let now = Moment { wall_ms: NOW_MS, offset_minutes: 0, steady_ms: 1 };
    let path = folder.path().join("store.db");
    let store = Store::open(&path, &key(), &SeededEntropy::new(3), now).unwrap();
    assert!(store.read(|rows| store::case::identity_key(rows, before.case)).unwrap().is_none());
}

#[test]
fn a_case_keeps_its_codes_while_another_screening_of_it_is_kept() {
    let (_folder, _clock, device) = world();
    let first = start(&device, None).unwrap();
    talk_unstored(&device, first);
    let before = line(&device, first);
    let second = start(&device, Some(before.case)).unwrap();
    assert_eq!(device.close(first).unwrap().keep, Keep::AggregateOnly);
    assert_eq!(line(&device, second).code, before.code);
    talk_unstored(&device, second);
    device.close(second).unwrap();
    assert_ne!(line(&device, second).code, before.code, "now nothing of the case is kept");
}

#[test]
fn a_clock_that_jumps_neither_ends_a_talk_nor_revives_a_consent() {
    let (_folder, clock, device) = world();
    let id = start(&device, None).unwrap();
    pass_gate(&device, id);
    device.consent(id, &consent(Purpose::Talk, None, &[])).unwrap();
    device.consent(id, &consent(Purpose::Store, None, &[])).unwrap();
    clock.set_wall_ms(NOW_MS + 3650 * DAY_MS);
    while let NextStep::Item(item) = device.next(id).unwrap() {
        let mode = device.question(id, &item).unwrap().item.mode;
        let answer = if mode == Mode::Ask { Unknown::Refused } else { Unknown::NotObservable };
        device.answer(id, &item, Answer::Unknown(answer)).unwrap();
    }
    clock.set_wall_ms(NOW_MS);

    // Ninety days is what a consent to share lasts.
    let shared = start(&device, None).unwrap();
    talk(&device, shared);
    let service = device.contacts(shared, &[]).unwrap().offers.remove(0).service.id;
    let referral = device.refer(shared, &service, None).unwrap();
    device.consent(shared, &consent(Purpose::ShareService, Some(&service), &[Scope::Needs])).unwrap();
    let needs = BTreeSet::from([Scope::Needs]);
    assert!(device.packet(shared, referral, &needs).is_ok());
    for _ in 0..100 {
        clock.advance_ms(u32::try_from(DAY_MS).unwrap());
    }
    assert!(device.packet(shared, referral, &needs).is_err(), "lapsed");
    let step = device.protocol(shared).unwrap().steps.remove(0).step.id;
    let _ = device.log_step(shared, &step, StepState::Done).unwrap();
    clock.set_wall_ms(NOW_MS);
    assert!(device.packet(shared, referral, &needs).is_err(), "set back, and still lapsed");
}

#[test]
fn one_damaged_screening_holds_up_no_other() {
    let (folder, clock, device) = world();
    let good = start(&device, None).unwrap();
    let bad = start(&device, None).unwrap();
    drop(device);
    let now = clock.now();
    let path = folder.path().join("store.db");
    let store = Store::open(&path, &key(), &SeededEntropy::new(3), now).unwrap();
    store.write(|tx| store::fact::append(tx, Some(bad), Compartment::Case, b"no fact")).unwrap();
    drop(store);
    // The clock's last time is not read from what does not read.
    let device = open(folder.path(), &clock).unwrap();
    clock.advance_ms(u32::try_from(2 * DAY_MS).unwrap());
    assert_eq!(device.close_overdue().unwrap_err().kind(), ErrorKind::StoreDamaged);
    assert!(line(&device, good).closed);
}

#[test]
fn a_consent_to_store_taken_back_after_closing_leaves_the_outcome_alone() {
    let (_folder, _clock, device) = world();
    let id = start(&device, None).unwrap();
    talk(&device, id);
    let given = device.consent(id, &consent(Purpose::Store, None, &[])).unwrap();
    assert_eq!(device.close(id).unwrap().keep, Keep::Full);
    let (before, sealed) = (line(&device, id), device.sealed(id).unwrap().len());
    assert!(device.explain(id).is_ok());

    device.withdraw_consent(id, given).unwrap();
    assert!(matches!(device.explain(id), Err(Error::Erased)));
    let view = device.screening(id).unwrap();
    assert!(view.screening.history.is_empty() && !view.outcomes.is_empty());
    assert!(view.line.closed && view.line.code != before.code && view.line.memorable.is_empty());
    assert_eq!(device.sealed(id).unwrap().len(), sealed + 1, "the withdrawal travels");
    let report = device.verify().unwrap();
    assert!(report.is_whole() && report.purged > 10, "{report:?}");
}
