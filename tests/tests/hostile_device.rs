//! Input that no sound shell would give, into every public method of the device.
//!
//! Each call gives a typed error or a harmless answer, changes nothing, and leaves a device that works: the
//! number of facts stays, the store stays whole, and the next sound call goes through.
#![allow(clippy::print_stdout, reason = "tests")]

#[path = "support/refusals.rs"]
mod refusals;

use std::collections::BTreeSet;
use std::path::Path;

use amparo_core::device::{ConsentRequest, Device, NextStep, StartRequest};
use amparo_core::screening::Gate;
use amparo_schema::answer::{AgeRange, Answer, Unknown, Value};
use amparo_schema::fact::{ConsentBy, IdentityField, ReferralState, Scope, StepState, StopReason};
use amparo_schema::id::{CaseId, Hash, ReferralId, ScreeningId};
use amparo_schema::limits::{IDENTITY_CHARS_MAX, REASON_CHARS_MAX};
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::ItemKind;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::pack::protocol::ExceptionKind;
use amparo_schema::person::Country;
use amparo_schema::text::{Lang, Source};
use amparo_tests::dice::Dice;
use amparo_tests::{answers, device};
use refusals::Refusals;

/// Texts with which programs have been broken before.
fn hostile_texts() -> Vec<String> {
    [
        "",
        " ",
        "\0",
        "\u{202e}evil",
        "\u{2066}",
        "a\nb",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "'; DROP TABLE fact;--",
        "%s%n%x",
        "../../etc/passwd",
        "<script>",
        "\u{10ffff}",
        "e\u{301}\u{301}\u{301}",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["x".repeat(10_000), "é".repeat(281), "\u{202e}".repeat(100)])
    .collect()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn facts(device: &Device) -> u64 {
    let report = device.verify().unwrap();
    assert!(report.is_whole(), "{report:?}");
    report.facts
}

/// A device in a folder, with packs.
fn new_device(folder: &Path) -> Device {
    let made = device::create(folder).unwrap();
    device::install_needed(&made).unwrap();
    made
}

/// A screening with everything answered, and one referral.
fn answered(device: &Device) -> (ScreeningId, ReferralId) {
    let id = device::start(device, "four-questions").unwrap();
    device::answer_all(device, id, &mut Dice::new(3)).unwrap();
    device.record_outcome(id).unwrap();
    (id, device.refer(id, &some_service(device), None).unwrap())
}

/// A service of the directory, whatever the person of a seed would be offered.
fn some_service(device: &Device) -> Name {
    device.lookup("mujer", None, 1).unwrap().0[0].id.clone()
}

fn consent(purpose: Purpose, receiver: Option<&str>, scope: &[Scope]) -> ConsentRequest {
    ConsentRequest {
        purpose,
        receiver: receiver.map(name),
        scope: scope.iter().copied().collect(),
        lang: Lang::new("es").unwrap(),
        by: ConsentBy::Person,
    }
}

fn law(text: &str) -> Source {
    Source { document: text.into(), place: text.into(), as_of: Some(text.into()) }
}

/// Every method that takes a screening.
fn on_screening(calls: &mut Refusals<'_>, id: ScreeningId, referral: ReferralId) {
    let device = calls.device;
    let lang = Lang::new("es").unwrap();
    let item = name("tricked");
    calls.refused("next", device.next(id));
    calls.refused("question", device.question(id, &item));
    calls.refused("back", device.back(id, &NextStep::End));
    calls.refused("answer", device.answer(id, &item, Answer::Known(Value::Yes)));
    calls.refused("gate_checks", device.gate_checks(id));
    calls.refused("gate", device.gate(id, &BTreeSet::new()));
    calls.refused("set_language", device.set_language(id, lang.clone(), true));
    calls.refused("stop", device.stop(id, StopReason::NoTime));
    calls.refused("explain", device.explain(id));
    calls.refused("record_outcome", device.record_outcome(id));
    calls.refused("protocol", device.protocol(id));
    calls.refused("log_step", device.log_step(id, &item, StepState::Done));
    calls.refused("contacts", device.contacts(id, &[]));
    calls.refused("consent_wording", device.consent_wording(id, Purpose::Talk));
    calls.refused("consent", device.consent(id, &consent(Purpose::Talk, None, &[])));
    calls.refused("refuse_consent", device.refuse_consent(id, &consent(Purpose::Talk, None, &[])));
    calls.refused("withdraw_consent", device.withdraw_consent(id, 1));
    let (store, danger) = (Purpose::Store, ExceptionKind::ImminentDanger);
    calls.refused("waive_consent", device.waive_consent(id, store, danger, law("Synthetic law"), true));
    calls.refused("refer", device.refer(id, &item, None));
    calls.refused("move_referral", device.move_referral(id, referral, ReferralState::Sent, None));
    calls.refused("give_identity", device.give_identity(id, IdentityField::Name, "Synthetic".into()));
    calls.refused("packet", device.packet(id, referral, &BTreeSet::new()));
    calls.refused("card", device.card(id, referral, &lang));
    calls.refused("close", device.close(id));
    calls.refused("screening", device.screening(id));
    calls.refused("policy_of", device.policy_of(id));
    calls.refused("checklist_of", device.checklist_of(id));
}

#[test]
fn unknown_screenings_are_refused_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let (id, referral) = answered(&device);
    let mut calls = Refusals::new(&device);
    let mut near = id.0;
    near[15] ^= 1;
    for unknown in [ScreeningId([0; 16]), ScreeningId([0xff; 16]), ScreeningId(near)] {
        on_screening(&mut calls, unknown, referral);
    }
    calls.end("unknown screenings");
    assert_eq!(device.next(id).unwrap(), NextStep::End, "the next sound call works");
}

#[test]
fn what_belongs_to_another_screening_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let (first, referral) = answered(&device);
    let given = device.consent(first, &consent(Purpose::Statistics, None, &[])).unwrap();
    let (second, _) = answered(&device);
    let scope = BTreeSet::from([Scope::Needs]);
    let mut calls = Refusals::new(&device);
    calls.refused("move", device.move_referral(second, referral, ReferralState::Sent, None));
    calls.refused("packet", device.packet(second, referral, &scope));
    calls.refused("card", device.card(second, referral, &Lang::new("es").unwrap()));
    calls.refused("withdraw", device.withdraw_consent(second, given));
    for counter in [0, 1, given + 1_000, u64::MAX, i64::MAX as u64] {
        calls.refused("withdraw", device.withdraw_consent(first, counter));
    }
    for referral in [ReferralId([0; 16]), ReferralId([0xff; 16])] {
        calls.refused("move", device.move_referral(first, referral, ReferralState::Sent, None));
        calls.refused("packet", device.packet(first, referral, &scope));
        calls.refused("card", device.card(first, referral, &Lang::new("zz").unwrap()));
    }
    calls.end("strangers");
    device.withdraw_consent(first, given).unwrap();
    device.move_referral(first, referral, ReferralState::Sent, None).unwrap();
}

#[test]
fn answers_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let id = device::start(&device, "four-questions").unwrap();
    let mut calls = Refusals::new(&device);
    calls.refused("before the gate", device.answer(id, &name("tricked"), Answer::Known(Value::Yes)));
    calls.refused("unknown item", device.answer(id, &name("no-such-item"), Answer::Known(Value::Yes)));
    calls.refused("unknown item", device.question(id, &name("no-such-item")));
    calls.refused("unknown item", device.back(id, &NextStep::Item(name("no-such-item"))));
    calls.refused("strange check", device.gate(id, &BTreeSet::from([name("no-such-check")])));
    calls.end("before the gate");
    device::pass_gate(&device, id).unwrap();

    let mut values: Vec<Value> = [i64::MIN, -1, i64::MAX, 1 << 53].map(Value::Number).into();
    values.extend(
        [(121, 121), (0, 255), (255, 255), (40, 20)].map(|(from, to)| Value::Age(AgeRange { from, to })),
    );
    values.extend(hostile_texts().into_iter().map(Value::Text));
    values.push(Value::Choice(name("no-such-option")));
    values.push(Value::Choices(BTreeSet::from([name("no-such-option")])));
    values.push(Value::Choices((0..2_000).map(|n| name(&format!("option-{n}"))).collect()));
    let mut items = BTreeSet::new();
    let mut calls = Refusals::new(&device);
    let policy = device.policy_of(id).unwrap();
    let checklist = device.checklist_of(id).unwrap();
    let (amparo_schema::pack::Content::Policy(policy), amparo_schema::pack::Content::Checklist(checklist)) =
        (&*policy.content, &*checklist.content)
    else {
        panic!("packs of another kind");
    };
    for item in policy.intake.iter().chain(&checklist.items) {
        items.insert(item.id.clone());
        for value in &values {
            calls.refused(item.id.as_str(), device.answer(id, &item.id, Answer::Known(value.clone())));
        }
        let other = if matches!(item.kind, ItemKind::YesNo) {
            Value::Date(jiff::civil::Date::MAX)
        } else {
            Value::Yes
        };
        calls.refused(item.id.as_str(), device.answer(id, &item.id, Answer::Known(other)));
    }
    calls.end("answers");
    assert!(items.len() > 4);
    for item in items {
        device.answer(id, &item, Answer::Unknown(Unknown::Refused)).unwrap();
    }
    assert_eq!(device.next(id).unwrap(), NextStep::End);
}

#[test]
fn hostile_words_are_refused_in_every_field() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let (id, referral) = answered(&device);
    let step = device.protocol(id).unwrap().steps[0].step.id.clone();
    device.move_referral(id, referral, ReferralState::Sent, None).unwrap();
    let mut calls = Refusals::new(&device);
    for text in hostile_texts() {
        let letters = text.chars().any(char::is_alphanumeric);
        let sound = text.chars().count() <= REASON_CHARS_MAX && !text.chars().any(unwanted);
        if sound && letters {
            continue;
        }
        let reason = || StepState::Skipped { reason: text.clone() };
        calls.refused("step", device.log_step(id, &step, reason()));
        let reason = || StepState::Impossible { reason: text.clone() };
        calls.refused("step", device.log_step(id, &step, reason()));
        if text.trim().is_empty() || !sound {
            let to = ReferralState::Rejected;
            calls.refused(&format!("{text:?}"), device.move_referral(id, referral, to, Some(text.clone())));
            for field in [IdentityField::Name, IdentityField::Document, IdentityField::SafeContact] {
                calls.refused(&format!("{text:?}"), device.give_identity(id, field, text.clone()));
            }
        }
        let (store, duty) = (Purpose::Store, ExceptionKind::LegalDuty);
        if text.trim().is_empty() || !sound {
            calls.refused(&format!("{text:?}"), device.waive_consent(id, store, duty, law(&text), true));
        }
        calls.harmless("lookup", device.lookup(&text, None, 20));
        calls.harmless("lookup", device.lookup(&text, Some(Country::new("CL").unwrap()), usize::MAX));
        let mut place = device::request("four-questions", None).unwrap();
        place.place.area = Some(text);
        calls.refused("area", device.start(&place));
    }
    calls.refused("unknown step", device.log_step(id, &name("no-such-step"), StepState::Done));
    calls.refused("no reason", device.move_referral(id, referral, ReferralState::Rejected, None));
    calls.end("words");

    let longest = "ñ".repeat(REASON_CHARS_MAX);
    let _ = device.log_step(id, &step, StepState::Skipped { reason: longest.clone() }).unwrap();
    device.give_identity(id, IdentityField::Name, "ñ".repeat(IDENTITY_CHARS_MAX)).unwrap();
    device.move_referral(id, referral, ReferralState::Rejected, Some(longest)).unwrap();
}

/// Control characters and those that turn the direction of writing: one can read other words than are there.
fn unwanted(c: char) -> bool {
    c.is_control()
        || ['\u{61c}', '\u{200e}', '\u{200f}'].contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

#[test]
fn consents_and_referrals_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let (id, referral) = answered(&device);
    let service = some_service(&device);
    let some = Some(service.as_str());
    let mut calls = Refusals::new(&device);
    for purpose in [Purpose::Talk, Purpose::Store, Purpose::Statistics] {
        calls.refused("receiver", device.consent(id, &consent(purpose, some, &[])));
        calls.refused("scope", device.consent(id, &consent(purpose, None, &[Scope::Needs])));
        calls.refused("receiver", device.refuse_consent(id, &consent(purpose, some, &[])));
    }
    use Scope::{Identity, Needs, Outcome};
    calls.refused("no receiver", device.consent(id, &consent(Purpose::ShareService, None, &[Needs])));
    calls.refused("no scope", device.consent(id, &consent(Purpose::ShareService, some, &[])));
    calls.refused("mixed", device.consent(id, &consent(Purpose::ShareService, some, &[Needs, Identity])));
    calls.refused("mixed", device.consent(id, &consent(Purpose::ShareIdentity, some, &[Outcome, Identity])));
    calls.refused("empty", device.consent(id, &consent(Purpose::ShareIdentity, some, &[])));
    for purpose in [Purpose::Talk, Purpose::Statistics] {
        let kind = ExceptionKind::ImminentDanger;
        calls.refused("waiver", device.waive_consent(id, purpose, kind, law("Synthetic law"), true));
    }
    for channel in [16, 1_000, usize::MAX] {
        calls.refused("channel", device.refer(id, &service, Some(channel)));
    }
    calls.refused("service", device.refer(id, &name("no-such-service"), None));
    for to in [ReferralState::Accepted, ReferralState::Done, ReferralState::Offered, ReferralState::Overdue] {
        calls.refused("move", device.move_referral(id, referral, to, Some("synthetic".into())));
    }
    for scope in [vec![], vec![Needs], vec![Identity], vec![Needs, Outcome, Scope::Indicators, Identity]] {
        calls.refused("packet", device.packet(id, referral, &scope.into_iter().collect()));
    }
    calls.end("consents and referrals");
    device.move_referral(id, referral, ReferralState::Declined, None).unwrap();
}

#[test]
fn starts_and_packs_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let sound = device::request("four-questions", None).unwrap();
    let mut calls = Refusals::new(&device);
    let start = |change: &dyn Fn(&mut StartRequest)| {
        let mut request = sound.clone();
        change(&mut request);
        device.start(&request)
    };
    calls.refused("checklist", start(&|request| request.checklist = name("no-such-checklist")));
    calls.refused("a pack that is no checklist", start(&|request| request.checklist = name("chile")));
    calls.refused("case", start(&|request| request.case = Some(CaseId([0; 16]))));
    calls.refused("case", start(&|request| request.case = Some(CaseId([0xff; 16]))));
    calls.refused("post", start(&|request| request.place.post = Some(name("no-such-post"))));
    let whole = device::needed_packs()[0];
    let mut longer = whole.to_vec();
    longer.push(0);
    for bytes in [&[][..], &[0x84], &[0xff; 100], &whole[..whole.len() - 1], &longer, &[0x9b; 64], b"amparo"]
    {
        calls.refused("pack", device.install(bytes));
    }
    calls.end("starts and packs");
    for bytes in device::needed_packs() {
        assert!(device.install(bytes).unwrap().already);
    }
    device.start(&sound).unwrap();
}

#[test]
fn a_closed_screening_takes_additions_only() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let (id, referral) = answered(&device);
    device.close(id).unwrap();
    let mut calls = Refusals::new(&device);
    let yes = Answer::Known(Value::Yes);
    calls.refused("answer", device.answer(id, &name("tricked"), yes));
    calls.refused("gate", device::pass_gate(&device, id));
    calls.refused("stop", device.stop(id, StopReason::Unsafe));
    calls.refused("identity", device.give_identity(id, IdentityField::Name, "Synthetic".into()));
    calls.refused("close", device.close(id));
    calls.harmless("outcome", device.record_outcome(id));
    assert_eq!(device.next(id).unwrap(), NextStep::End);
    calls.end("closed");
    let before = facts(&device);
    device.move_referral(id, referral, ReferralState::Sent, None).unwrap();
    assert_eq!(facts(&device), before + 1, "a referral goes on after closing");
}

#[test]
fn a_gate_without_the_consent_to_talk_is_still_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let id = device::start(&device, "four-questions").unwrap();
    while let NextStep::Item(item) = device.next(id).unwrap() {
        let question = device.question(id, &item).unwrap();
        device.answer(id, &item, answers::some(&question.item, &mut Dice::new(1))).unwrap();
    }
    let checks = device.gate_checks(id).unwrap().into_iter().map(|check| check.id).collect();
    assert_eq!(device.gate(id, &checks).unwrap(), Gate::Passed);
    assert_eq!(device.next(id).unwrap(), NextStep::Gate, "no question that could not be answered");
    drop(device);
    let device = device::open(folder.path()).unwrap();
    assert_eq!(device.next(id).unwrap(), NextStep::Gate, "nor after a crash");
    device::pass_gate(&device, id).unwrap();
    assert!(matches!(device.next(id).unwrap(), NextStep::Item(_)));
}

#[test]
fn eight_threads_on_one_device() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let before = facts(&device);
    let written: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8_u64)
            .map(|n| {
                let device = &device;
                scope.spawn(move || work(device, n))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let report = device.verify().unwrap();
    assert!(report.is_whole(), "no gap in the chain: {report:?}");
    assert_eq!(report.facts, before + written, "every acknowledged fact, and no other");
    assert_eq!(device.screenings().unwrap().len(), 8);
    println!("{written} facts by eight threads");
}

/// One thread: a screening of its own, with looks at everything in between. Returns the facts it wrote.
fn work(device: &Device, n: u64) -> u64 {
    let mut dice = Dice::new(n);
    let id = device::start(device, device::CHECKLISTS[dice.below(2)]).unwrap();
    let mut written = 2;
    loop {
        match device.next(id).unwrap() {
            NextStep::Item(item) => {
                let question = device.question(id, &item).unwrap();
                device.answer(id, &item, answers::some(&question.item, &mut dice)).unwrap();
                written += 1;
            }
            NextStep::Gate => {
                device::pass_gate(device, id).unwrap();
                written += 3;
            }
            NextStep::End => break,
        }
        match dice.below(6) {
            0 => drop(device.screenings().unwrap()),
            1 => drop(device.lookup("mujer", None, 5).unwrap()),
            2 => drop(device.verify().unwrap()),
            3 => assert!(device.install(device::needed_packs()[0]).unwrap().already),
            // Another thread may be reading: to be tried again later is an answer too.
            4 => drop(device.rest()),
            _ => drop(device.contacts(id, &[]).unwrap()),
        }
    }
    device.record_outcome(id).unwrap();
    device.close(id).unwrap();
    written + 2
}

#[test]
fn sealing_for_a_key_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let (id, referral) = answered(&device);
    let view = device.screening(id).unwrap();
    let service = view.screening.referrals.get(referral).unwrap().contact.service.clone();
    let mut agreed = consent(Purpose::ShareService, Some(service.as_str()), &[Scope::Needs]);
    if view.screening.person().is_child() {
        agreed.by = ConsentBy::Guardian;
    }
    device.consent(id, &agreed).unwrap();
    let packet = device.packet(id, referral, &BTreeSet::from([Scope::Needs])).unwrap();
    let mut calls = Refusals::new(&device);
    // A key of zeros is a point of low order, with which anyone could open the packet.
    calls.refused("zero key", device.seal_packet(&packet, Hash([0; 32])));
    calls.end("keys");
}

#[test]
fn what_was_erased_at_closing_is_gone_from_memory_too() {
    let folder = tempfile::tempdir().unwrap();
    let device = new_device(folder.path());
    let (id, _) = answered(&device);
    device.refuse_consent(id, &consent(Purpose::Store, None, &[])).unwrap();
    assert!(!device.screening(id).unwrap().screening.history.is_empty());
    let closing = device.close(id).unwrap();
    assert_eq!(closing.keep, amparo_core::screening::Keep::AggregateOnly);
    let shown = |device: &Device| {
        let view = device.screening(id).unwrap();
        (view.screening.history.len(), view.screening.steps.len(), view.outcomes, device.explain(id).is_err())
    };
    let now = shown(&device);
    assert_eq!((now.0, now.1, now.3), (0, 0, true));
    let log = folder.path().join("store.db-wal");
    assert_eq!(std::fs::metadata(log).map_or(0, |log| log.len()), 0, "nor does it linger in the log");
    drop(device);
    assert_eq!(now, shown(&device::open(folder.path()).unwrap()), "the same before and after a restart");
}
