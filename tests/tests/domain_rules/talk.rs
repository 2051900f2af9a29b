//! Rules 6 and 9: first what is seen, then the gate, then questions; a second list stays visible.

use std::collections::BTreeSet;
use std::sync::Arc;

use amparo_core::device::{ConsentRequest, Device, NextStep, StartRequest};
use amparo_core::random::SeededEntropy;
use amparo_core::schema::answer::{Answer, Mode, Unknown, Value};
use amparo_core::schema::fact::ConsentBy;
use amparo_core::schema::id::{CaseId, ScreeningId};
use amparo_core::schema::name::Name;
use amparo_core::schema::outcome::Outcome;
use amparo_core::schema::pack::policy::Purpose;
use amparo_core::schema::person::{Country, Place, Setting};
use amparo_core::schema::text::Lang;
use amparo_core::secret::Key;
use amparo_core::time::{FixedClock, Moment};
use amparo_shell::{embedded, home};

use super::{Shipped, name};

/// 2026-11-22 04:00 in Santiago.
const NOW_MS: i64 = 1_795_330_800_000;

fn device(folder: &tempfile::TempDir) -> Device {
    let clock = Arc::new(FixedClock::new(Moment { wall_ms: NOW_MS, offset_minutes: -180, steady_ms: 1 }));
    let entropy = Arc::new(SeededEntropy::new(6));
    let trust = embedded::trust().unwrap();
    let device = Device::create(&folder.path().join("store.db"), &Key::new(&[6; 32]), trust, clock, entropy);
    let device = device.unwrap();
    home::install_embedded(&device).unwrap();
    device
}

fn start(device: &Device, checklist: &str, setting: Setting) -> ScreeningId {
    again(device, checklist, setting, None)
}

fn again(device: &Device, checklist: &str, setting: Setting, case: Option<CaseId>) -> ScreeningId {
    let place = Place { country: Country::new("CL").unwrap(), post: None, area: None, setting };
    let lang = Lang::new("es").unwrap();
    device.start(&StartRequest { checklist: name(checklist), case, place, lang }).unwrap()
}

fn skip(device: &Device, id: ScreeningId, item: &Name) {
    device.answer(id, item, Answer::Unknown(Unknown::NotAsked)).unwrap();
}

/// Skips what is offered until something else comes; the modes of what was offered.
fn walk(device: &Device, id: ScreeningId) -> (Vec<Mode>, NextStep) {
    let mut modes = Vec::new();
    loop {
        match device.next(id).unwrap() {
            NextStep::Item(item) => {
                modes.push(device.question(id, &item).unwrap().item.mode);
                skip(device, id, &item);
            }
            other => return (modes, other),
        }
    }
}

#[test]
fn rule_6_nothing_is_asked_before_the_gate_on_any_checklist() {
    let folder = tempfile::tempdir().unwrap();
    let device = device(&folder);
    let shipped = Shipped::new();
    for (id, checklist) in shipped.enabled() {
        let screening = start(&device, id, checklist.settings[0]);
        let asks = checklist.items.iter().any(|item| item.mode == Mode::Ask);
        let (before, next) = walk(&device, screening);
        assert!(!before.is_empty() && !before.contains(&Mode::Ask), "{id}: {before:?}");
        if !asks {
            assert_eq!(next, NextStep::End, "{id}");
            continue;
        }
        assert_eq!(next, NextStep::Gate, "{id}");
        // Asking before the gate is refused, whatever a shell tries.
        let question = checklist.items.iter().find(|item| item.mode == Mode::Ask).unwrap();
        assert!(device.answer(screening, &question.id, Answer::Unknown(Unknown::Refused)).is_err(), "{id}");
        // One check that does not hold postpones; it takes nothing away and fails nobody.
        let all: BTreeSet<Name> = device.gate_checks(screening).unwrap().into_iter().map(|c| c.id).collect();
        assert!(
            ["alone", "interpreter", "urgent-needs", "knows-who", "may-stop", "help-reachable"]
                .iter()
                .all(|check| all.contains(&name(check)))
        );
        let outcomes = device.explain(screening).unwrap().outcomes();
        for missing in &all {
            let mut some = all.clone();
            some.remove(missing);
            device.gate(screening, &some).unwrap();
            assert_eq!(device.next(screening).unwrap(), NextStep::Gate, "{id} without {missing}");
            assert_eq!(device.explain(screening).unwrap().outcomes(), outcomes, "{id} without {missing}");
        }
        device.gate(screening, &all).unwrap();
        for purpose in [Purpose::Talk, Purpose::Store] {
            let lang = Lang::new("es").unwrap();
            let scope = BTreeSet::new();
            let asked = ConsentRequest { purpose, receiver: None, scope, lang, by: ConsentBy::Person };
            device.consent(screening, &asked).unwrap();
        }
        let (after, next) = walk(&device, screening);
        assert_eq!(next, NextStep::End, "{id}");
        assert!(!after.is_empty() && after.iter().all(|mode| *mode == Mode::Ask), "{id}: {after:?}");
        // All was skipped: nobody is said to have nothing.
        assert!(!device.explain(screening).unwrap().gave(Outcome::NoneNotedToday), "{id}");
    }
}

#[test]
fn rule_9_what_is_closed_takes_no_answer_and_a_second_list_stands_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let device = device(&folder);
    let first = start(&device, "border-observation", Setting::Border);
    let item = name("speaks-for");
    walk(&device, first);
    device.answer(first, &item, Answer::Known(Value::Yes)).unwrap();
    let noted = device.record_outcome(first).unwrap().outcomes();
    device.close(first).unwrap();
    assert!(device.answer(first, &item, Answer::Known(Value::No)).is_err());

    let case = device.screening(first).unwrap().line.case;
    let second = again(&device, "four-questions", Setting::Border, Some(case));
    walk(&device, second);
    device.record_outcome(second).unwrap();
    let listed = device.screenings().unwrap();
    let of_case: Vec<_> = listed.iter().filter(|line| line.case == case).map(|line| line.screening).collect();
    assert_eq!(of_case.len(), 2);
    assert!(of_case.contains(&first) && of_case.contains(&second));
    assert_eq!(device.screening(first).unwrap().outcomes, noted);
}
