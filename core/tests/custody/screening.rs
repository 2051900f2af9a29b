//! The moves of a screening against a table, the fold, and what may be kept.

use std::collections::BTreeSet;

use amparo_core::consent::State;
use amparo_core::referral::BadMove;
use amparo_core::schema::answer::{AgeRange, Answer, Mode, Unknown, Value};
use amparo_core::schema::fact::{Body, Consent, Doubt, Fact, ReferralState, Stamp, StepState, StopReason};
use amparo_core::schema::id::{CaseId, Hash, ReferralId};
use amparo_core::schema::limits::{
    ANSWER_TEXT_CHARS_MAX, IDENTITY_CHARS_MAX, REASON_CHARS_MAX, SCREENING_FACTS_MAX,
};
use amparo_core::schema::pack::policy::{GateCheck, Purpose};
use amparo_core::schema::text::{Source, Text};
use amparo_core::screening::{
    FoldError, Gate, Keep, NoFold, Refused, Screening, allow, gate_fact, retention,
};

use crate::common::{
    CASE, REFERRAL, adult, answer, closed, consent, fact, gate_passed, go, identity, lang, name, offer,
    opening, recorded, screening, share_identity, stamp, talk, waive,
};

const NOW: i64 = 5_000;

fn stopped() -> Body {
    Body::Stopped { reason: StopReason::PersonStopped }
}

fn refused(purpose: Purpose) -> Body {
    Body::ConsentRefused { purpose, wording: 1, lang: lang("es"), receiver: None }
}

/// The states of the table. The consent to talk, where there is one, always has counter 2.
fn states() -> Vec<(&'static str, Vec<Body>)> {
    let postponed = Body::GateChecked { confirmed: vec![name("alone")], missing: vec![name("interpreter")] };
    let ready = || vec![talk(), gate_passed()];
    let with = |more: &[Body]| [ready(), more.to_vec()].concat();
    vec![
        ("fresh", vec![]),
        ("gated", vec![gate_passed()]),
        ("consented", vec![talk()]),
        ("ready", ready()),
        ("postponed", vec![talk(), postponed]),
        ("stopped", with(&[stopped()])),
        ("withdrawn", with(&[Body::ConsentWithdrawn { consent: 2 }])),
        ("offered", with(&[offer(REFERRAL, "mine")])),
        ("declined", with(&[offer(REFERRAL, "mine"), go(REFERRAL, ReferralState::Declined)])),
        ("identity", with(&[share_identity("mine")])),
        ("recorded", with(&[recorded()])),
        ("closed", with(&[recorded(), closed()])),
        ("closed, offered", with(&[offer(REFERRAL, "mine"), recorded(), closed()])),
    ]
}

fn bodies() -> Vec<Body> {
    let Body::Closed { outcomes, .. } = closed() else { panic!() };
    vec![
        answer("a", Mode::Observe, Value::Yes),
        answer("a", Mode::Staff, Value::Yes),
        answer("a", Mode::Ask, Value::Yes),
        Body::Answered { item: name("a"), answer: Answer::Unknown(Unknown::NotAsked), mode: Mode::Ask },
        gate_passed(),
        talk(),
        refused(Purpose::Talk),
        Body::ConsentWithdrawn { consent: 2 },
        waive(Purpose::ShareService),
        recorded(),
        Body::StepLogged { step: name("s"), state: StepState::Done },
        offer(ReferralId([2; 16]), "mine"),
        go(REFERRAL, ReferralState::Declined),
        identity(),
        Body::LanguageSet { lang: lang("ay"), person: true },
        stopped(),
        closed(),
        Body::Closed { outcomes, assessment: Hash([0; 32]) },
        opening(),
    ]
}

/// `.` may, G gate, T talk, C closed, N no outcome, O other outcome, I identity, R referral, K no consent,
/// S stranger. Columns as in [`bodies`]: observe, staff, ask, pass over, gate, talk, refuse, withdraw, waive,
/// outcome, step, offer, decline, identity, language, stop, close, close with another hash, open.
const TABLE: [&str; 13] = [
    "..G....K....RI..NNS", // fresh
    "..T....K....RI..NNS", // gated
    "..G.........RI..NNS", // consented
    "............RI..NNS", // ready
    "..G.........RI..NNS", // postponed
    "..G.........RI..NNS", // stopped
    "..T.........RI..NNS", // withdrawn
    "................NNS", // offered
    "............RI..NNS", // declined
    "............R...NNS", // identity
    "............RI...OS", // recorded
    "CCCCC....C..RC.CCCC", // closed
    "CCCCC....C...C.CCCC", // closed, offered
];

#[test]
fn moves_follow_the_table() {
    let bodies = bodies();
    for ((name, facts), row) in states().into_iter().zip(TABLE) {
        let screening = screening(&facts);
        assert_eq!(row.len(), bodies.len());
        for (body, cell) in bodies.iter().zip(row.chars()) {
            let found = match allow(&screening, body, NOW) {
                Ok(()) => '.',
                Err(Refused::Gate) => 'G',
                Err(Refused::Talk(_)) => 'T',
                Err(Refused::Closed) => 'C',
                Err(Refused::NoOutcome) => 'N',
                Err(Refused::OtherOutcome) => 'O',
                Err(Refused::Identity) => 'I',
                Err(Refused::Referral(_)) => 'R',
                Err(Refused::NoConsent) => 'K',
                Err(Refused::Stranger) => 'S',
                Err(other) => panic!("{name}: {}: {other:?}", body.kind()),
            };
            assert_eq!(found, cell, "{name}: {}", body.kind());
        }
    }
}

/// What `allow` lets through, the fold takes; so no screening can be brought into a state that cannot be read.
#[test]
fn whatever_may_be_added_folds() {
    for (_, facts) in states() {
        for body in bodies() {
            let mut screening = screening(&facts);
            if allow(&screening, &body, NOW).is_ok() {
                let (counter, fact) = fact(1_000, body);
                assert_eq!(screening.add(counter, fact), Ok(()));
            }
        }
    }
}

#[test]
fn consent_to_talk_can_lapse_or_be_refused() {
    let mut lapsing = consent(Purpose::Talk, None, &[]);
    lapsing.expires_ms = Some(NOW);
    let lapsing = screening(&[Body::ConsentGiven(lapsing), gate_passed()]);
    let ask = answer("a", Mode::Ask, Value::No);
    assert_eq!(allow(&lapsing, &ask, NOW - 1), Ok(()));
    assert_eq!(allow(&lapsing, &ask, NOW), Err(Refused::Talk(State::Expired)));
    let refused = screening(&[talk(), gate_passed(), refused(Purpose::Talk)]);
    assert_eq!(allow(&refused, &ask, NOW), Err(Refused::Talk(State::Refused)));
}

#[test]
fn forms_are_checked() {
    let open = screening(&[talk(), gate_passed(), offer(REFERRAL, "mine")]);
    let refusal = |body: Body| allow(&open, &body, NOW).unwrap_err();
    use amparo_core::schema::fact::Scope::{Identity, Needs};
    let form = |purpose, receiver, scope: &[_]| Body::ConsentGiven(consent(purpose, receiver, scope));
    for bad in [
        form(Purpose::Talk, Some("mine"), &[]),
        form(Purpose::Store, None, &[Needs]),
        form(Purpose::ShareService, None, &[Needs]),
        form(Purpose::ShareService, Some("mine"), &[]),
        form(Purpose::ShareService, Some("mine"), &[Needs, Identity]),
        form(Purpose::ShareIdentity, Some("mine"), &[Needs]),
        form(Purpose::ShareIdentity, None, &[Identity]),
    ] {
        assert_eq!(refusal(bad), Refused::ConsentForm);
    }
    for purpose in [Purpose::Talk, Purpose::Statistics] {
        assert_eq!(refusal(waive(purpose)), Refused::Waiver);
    }
    for spoil in [
        |law: &mut Source| law.document = " ".into(),
        |law: &mut Source| law.place = String::new(),
        |law: &mut Source| law.place = "\u{a0}\n".into(),
        |law: &mut Source| law.place = "\u{202e}1 .tra".into(),
        |law: &mut Source| law.place = "a".repeat(REASON_CHARS_MAX + 1),
        |law: &mut Source| law.as_of = Some("\u{202e}".into()),
    ] {
        let mut bad = waive(Purpose::ShareIdentity);
        let Body::ConsentWaived { legal_basis, .. } = &mut bad else { panic!() };
        spoil(legal_basis);
        assert_eq!(refusal(bad), Refused::Waiver);
    }
    assert_eq!(refusal(Body::GateChecked { confirmed: vec![], missing: vec![] }), Refused::GateForm);
    assert_eq!(refusal(offer(REFERRAL, "mine")), Refused::Referral(BadMove::Taken));
    let step = |reason: &str| Body::StepLogged {
        step: name("s"),
        state: StepState::Skipped { reason: reason.into() },
    };
    assert_eq!(refusal(step(" ")), Refused::NoReason);
    assert_eq!(refusal(step(&"x".repeat(281))), Refused::Bounds);
    let text = |n| answer("a", Mode::Observe, Value::Text("é".repeat(n)));
    assert_eq!(allow(&open, &text(ANSWER_TEXT_CHARS_MAX), NOW), Ok(()));
    assert_eq!(refusal(text(ANSWER_TEXT_CHARS_MAX + 1)), Refused::Bounds);
    assert_eq!(refusal(text(0)), Refused::Bounds);
    let age = Value::Age(AgeRange { from: 30, to: 20 });
    assert_eq!(refusal(answer("a", Mode::Observe, age)), Refused::Bounds);
    let long = "x".repeat(IDENTITY_CHARS_MAX + 1);
    let Body::IdentityGiven { field, .. } = identity() else { panic!() };
    assert_eq!(refusal(Body::IdentityGiven { field, value: long }), Refused::Bounds);
}

#[test]
fn a_full_screening_can_still_be_withdrawn_from_and_closed() {
    let note = || answer("a", Mode::Observe, Value::Yes);
    let mut facts = vec![talk(), gate_passed(), recorded()];
    facts.resize(SCREENING_FACTS_MAX - 64 - 1, note());
    let mut full = screening(&facts);
    assert_eq!(full.facts, SCREENING_FACTS_MAX - 64);
    assert_eq!(allow(&full, &note(), NOW), Err(Refused::Full));
    for body in [Body::ConsentWithdrawn { consent: 2 }, stopped(), recorded(), closed()] {
        assert_eq!(allow(&full, &body, NOW), Ok(()));
    }
    for counter in 0..64 {
        let (counter, fact) = fact(100_000 + counter, note());
        full.add(counter, fact).unwrap();
    }
    assert_eq!(allow(&full, &closed(), NOW), Err(Refused::Full));
    let (counter, fact) = fact(200_000, note());
    assert_eq!(full.add(counter, fact), Err(NoFold::TooMany));
}

#[test]
fn the_fold_says_which_fact_does_not_fit() {
    let fold = |bodies: Vec<(u64, Body)>| {
        Screening::from_facts(bodies.into_iter().map(|(counter, body)| fact(counter, body))).unwrap_err()
    };
    let case = |case| Body::CaseOpened { case, code: "x".into(), memorable: "y".into() };
    let error = |counter, what| FoldError { counter, what };
    assert_eq!(fold(vec![]), error(0, NoFold::NotOpened));
    assert_eq!(fold(vec![(4, case(CASE))]), error(4, NoFold::NotOpened));
    assert_eq!(fold(vec![(1, talk())]), error(1, NoFold::NotOpened));
    assert_eq!(fold(vec![(1, case(CaseId([9; 16]))), (2, opening())]), error(2, NoFold::OtherCase));
    assert_eq!(fold(vec![(2, case(CASE)), (2, opening())]), error(2, NoFold::Order));
    assert_eq!(fold(vec![(1, opening()), (1, talk())]), error(1, NoFold::Order));
    assert_eq!(fold(vec![(1, opening()), (2, opening())]), error(2, NoFold::OpenedTwice));
    assert_eq!(fold(vec![(1, opening()), (2, case(CASE))]), error(2, NoFold::OtherCase));
    assert_eq!(fold(vec![(1, opening()), (5, closed()), (6, closed())]), error(6, NoFold::ClosedTwice));
    let stranger = Body::IncarnationBegun { incarnation: 1 };
    assert_eq!(fold(vec![(1, opening()), (2, stranger)]), error(2, NoFold::Stranger));
    let unknown = go(REFERRAL, ReferralState::Sent);
    assert_eq!(fold(vec![(1, opening()), (2, unknown)]), error(2, NoFold::Referral(BadMove::Unknown)));
}

#[test]
fn the_last_answer_counts_and_all_stay() {
    let folded = Screening::from_facts([
        fact(3, Body::CaseOpened { case: CASE, code: "x".into(), memorable: "y".into() }),
        fact(4, opening()),
        fact(9, answer("a", Mode::Observe, Value::Yes)),
        fact(12, answer("a", Mode::Observe, Value::No)),
        fact(13, Body::LanguageSet { lang: lang("ht"), person: true }),
        fact(14, stopped()),
    ])
    .unwrap();
    assert_eq!(folded.answers.value("a"), Some(&Value::No));
    assert_eq!(folded.history.iter().map(|g| g.counter).collect::<Vec<_>>(), [9, 12]);
    assert_eq!((folded.person_lang.clone(), folded.gate.clone()), (Some(lang("ht")), Gate::NotTried));
    assert_eq!((folded.facts, folded.last), (6, 14));
    assert!(folded.stop.is_some() && folded.closed.is_none());
}

#[test]
fn the_gate_is_that_of_the_policy() {
    let check = |id: &str| GateCheck {
        id: name(id),
        prompt: Text::default(),
        otherwise: Text::default(),
        sources: vec![],
    };
    let gate = [check("alone"), check("interpreter")];
    let confirmed = |ids: &[&str]| ids.iter().map(|id| name(id)).collect::<BTreeSet<_>>();
    let Ok(Body::GateChecked { confirmed: yes, missing }) = gate_fact(&gate, &confirmed(&["alone"])) else {
        panic!()
    };
    assert_eq!((yes, missing), (vec![name("alone")], vec![name("interpreter")]));
    let passed = gate_fact(&gate, &confirmed(&["alone", "interpreter"])).unwrap();
    assert_eq!(screening(&[passed]).gate, Gate::Passed);
    let none = gate_fact(&gate, &confirmed(&[])).unwrap();
    assert!(matches!(screening(&[none]).gate, Gate::Postponed { missing } if missing.len() == 2));
    assert_eq!(gate_fact(&gate, &confirmed(&["alone", "x"])), Err(Refused::GateForm));
    assert_eq!(gate_fact(&[], &confirmed(&[])), Err(Refused::GateForm));
}

#[test]
fn without_consent_to_store_a_talk_leaves_counts_only() {
    let store = || Body::ConsentGiven(consent(Purpose::Store, None, &[]));
    let talked = || vec![talk(), gate_passed(), answer("a", Mode::Ask, Value::Yes)];
    let with = |more: &[Body]| [talked(), more.to_vec()].concat();
    for (facts, keep) in [
        (vec![], Keep::Full),
        (vec![adult(), talk(), gate_passed()], Keep::Full),
        (vec![refused(Purpose::Store)], Keep::AggregateOnly),
        (talked(), Keep::AggregateOnly),
        (with(&[store()]), Keep::Full),
        (with(&[store(), Body::ConsentWithdrawn { consent: 5 }]), Keep::AggregateOnly),
        (with(&[refused(Purpose::Store)]), Keep::AggregateOnly),
        (with(&[refused(Purpose::Store), waive(Purpose::Store)]), Keep::Full),
        (with(&[waive(Purpose::ShareService)]), Keep::AggregateOnly),
    ] {
        let kinds: Vec<_> = facts.iter().map(Body::kind).collect();
        assert_eq!(retention(&screening(&facts), NOW), keep, "{kinds:?}");
    }
}

/// Erasing cannot be taken back, so a clock that was ever doubted lapses no consent to store.
#[test]
fn a_doubted_clock_erases_nothing() {
    let day_ms = 24 * 60 * 60 * 1000;
    let lasts = Consent { expires_ms: Some(NOW + day_ms), ..consent(Purpose::Store, None, &[]) };
    let facts = [talk(), gate_passed(), answer("a", Mode::Ask, Value::Yes), Body::ConsentGiven(lasts)];
    let mut screening = screening(&facts);
    assert_eq!(retention(&screening, NOW), Keep::Full);
    assert_eq!(retention(&screening, NOW + 2 * day_ms), Keep::AggregateOnly);
    let doubted = Stamp { doubt: Some(Doubt::Jumped), ..stamp(NOW + 2 * day_ms) };
    screening.add(6, Fact { at: doubted, body: recorded() }).unwrap();
    assert_eq!(retention(&screening, NOW + 2 * day_ms), Keep::Full);
    assert_eq!(screening.consent_ms(&doubted), 1_005, "the last time that was not doubted");
    assert_eq!(screening.consent_ms(&stamp(NOW)), NOW);
}

#[test]
fn whatever_fills_a_screening_it_can_be_closed() {
    let stop = || Body::Stopped { reason: StopReason::NoTime };
    let mut facts = vec![stop(); SCREENING_FACTS_MAX - 3];
    let full = screening(&facts);
    assert_eq!(allow(&full, &stop(), NOW), Err(Refused::Full));
    assert_eq!(allow(&full, &recorded(), NOW), Ok(()));
    facts.push(recorded());
    let full = screening(&facts);
    assert_eq!(allow(&full, &recorded(), NOW), Err(Refused::Full));
    assert_eq!(allow(&full, &closed(), NOW), Ok(()));
}

/// What an official may do, in any order; a number stands for a position in [`bodies`].
fn walk(steps: &[usize]) -> (Screening, Vec<(u64, Body)>) {
    let mut screening = screening(&[]);
    let (mut taken, mut talk_at) = (vec![(1, opening())], 0);
    for (counter, step) in (2..).zip(steps) {
        let body = match bodies().swap_remove(*step) {
            Body::ConsentWithdrawn { .. } => Body::ConsentWithdrawn { consent: talk_at },
            body => body,
        };
        if allow(&screening, &body, NOW).is_ok() {
            if body == talk() {
                talk_at = counter;
            }
            let (counter, fact) = fact(counter, body.clone());
            screening.add(counter, fact).unwrap();
            taken.push((counter, body));
        }
    }
    (screening, taken)
}

proptest::proptest! {
    /// Any walk: what was taken folds to the same screening; every question followed a passed gate and a
    /// standing consent; nothing but additions followed the closing. The two flags are kept here, apart.
    #[test]
    fn no_walk_leaves_the_rules(steps in proptest::collection::vec(0_usize..19, 0..60)) {
        let (screening, taken) = walk(&steps);
        let folded = Screening::from_facts(taken.iter().map(|(c, b)| fact(*c, b.clone()))).unwrap();
        proptest::prop_assert_eq!(&folded, &screening);
        let (mut gate, mut talks, mut is_closed) = (false, false, false);
        let ask = answer("a", Mode::Ask, Value::Yes);
        for (_, body) in &taken {
            proptest::prop_assert!(*body != ask || (gate && talks && !is_closed));
            proptest::prop_assert!(!is_closed || !matches!(body.kind(), "answered" | "closed" | "stopped" | "identity_given"));
            match body.kind() {
                "gate_checked" => gate = true,
                "stopped" => gate = false,
                "consent_given" => talks = true,
                "consent_withdrawn" | "consent_refused" => talks = false,
                "closed" => is_closed = true,
                _ => {}
            }
        }
    }
}
