//! Rules 4, 10, 11, 12 and 14: what the shipped protocols show, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use amparo_core::protocol::plan::{Certainty, Events, Plan, Situation, plan};
use amparo_core::schema::answer::AgeRange;
use amparo_core::schema::fact::Stamp;
use amparo_core::schema::outcome::Outcome;
use amparo_core::schema::pack::protocol::{ConsentNeed, Obligation, Phase, Protocol, Unit};
use amparo_core::schema::person::{Country, Person, Place, Setting, Sex};

use super::Shipped;

/// 2026-11-22 04:00 in Santiago.
const NOW_MS: i64 = 1_795_330_800_000;

struct Case {
    person: Person,
    outcomes: BTreeSet<Outcome>,
    place: Place,
}

fn case(country: &str, outcomes: &[Outcome], person: Person) -> Case {
    let place =
        Place { country: Country::new(country).unwrap(), post: None, area: None, setting: Setting::Border };
    Case { person, outcomes: outcomes.iter().copied().collect(), place }
}

fn with_plan<T>(protocol: &Protocol, case: &Case, look: impl FnOnce(&Plan<'_>) -> T) -> T {
    let now = Stamp { wall_ms: NOW_MS, offset_minutes: -180, steady_ms: 1, doubt: None };
    let (logged, exceptions) = (BTreeMap::new(), BTreeSet::new());
    let situation = Situation {
        outcomes: &case.outcomes,
        person: &case.person,
        place: &case.place,
        events: Events { found: Some(now), outcome: Some(now), referral: None },
        logged: &logged,
        exceptions: &exceptions,
        today: "2026-11-22".parse().unwrap(),
    };
    look(&plan(protocol, &situation, None, &now))
}

fn country(id: &str) -> &'static str {
    match id {
        "chile" => "CL",
        "mexico" => "MX",
        _ => "HN",
    }
}

fn people() -> Vec<Person> {
    let ages = [None, Some(AgeRange { from: 9, to: 12 }), Some(AgeRange { from: 30, to: 59 })];
    let mut people = Vec::new();
    for age in ages {
        for sex in [None, Some(Sex::Female), Some(Sex::Male)] {
            for foreign in [None, Some(true)] {
                people.push(Person { age, sex, foreign, ..Person::default() });
            }
        }
    }
    people
}

#[test]
fn rule_10_who_was_found_for_an_offence_meets_non_punishment_first() {
    for (id, protocol) in Shipped::new().protocols() {
        for outcome in Outcome::ALL {
            for mut person in people() {
                person.offence_suspected = Some(true);
                with_plan(protocol, &case(country(id), &[outcome], person), |plan| {
                    let first = &plan.steps[0];
                    assert_eq!(first.step.id.as_str(), "non-punishment", "{id}");
                    assert_eq!((first.step.phase, first.certainty), (Phase::Protect, Certainty::Applies));
                });
            }
        }
    }
}

#[test]
fn rule_11_what_is_forbidden_stands_before_all_else_and_names_each_prohibition() {
    const ALWAYS: [&str; 6] = [
        "no-companion",
        "no-contact",
        "no-telling",
        "no-signed-statement",
        "no-testimony-condition",
        "no-promises",
    ];
    let noted =
        [Outcome::Presumed, Outcome::ConcernUnresolved, Outcome::ChildProtection, Outcome::LabourRights];
    for (id, protocol) in Shipped::new().protocols() {
        for outcome in noted {
            for person in people() {
                let child = person.is_child();
                with_plan(protocol, &case(country(id), &[outcome], person), |plan| {
                    let forbidden: Vec<&str> = plan
                        .steps
                        .iter()
                        .filter(|p| p.step.obligation == Obligation::Forbidden)
                        .map(|p| p.step.id.as_str())
                        .collect();
                    for step in ALWAYS.iter().chain(&["no-detention", "no-return"]) {
                        assert!(forbidden.contains(step), "{id} {outcome:?} {step}");
                    }
                    assert!(!child || forbidden.contains(&"no-child-detention"), "{id} {outcome:?}");
                    // Before them only what asks about an offence, where nobody has said that there is none.
                    let rest: Vec<&str> = plan
                        .steps
                        .iter()
                        .skip_while(|p| p.step.id.as_str() == "non-punishment")
                        .take(forbidden.len())
                        .map(|p| p.step.id.as_str())
                        .collect();
                    assert_eq!(rest, forbidden, "{id} {outcome:?}");
                });
            }
        }
    }
}

#[test]
fn rule_11_every_step_says_who_acts_and_on_what_it_rests() {
    for (id, protocol) in Shipped::new().protocols() {
        for step in &protocol.steps {
            assert!(!step.actor.0.is_empty() && !step.legal_basis.is_empty(), "{id} {}", step.id);
            assert!(step.legal_basis.iter().any(|source| source.as_of.is_some()), "{id} {}: a date", step.id);
        }
        // Nothing is passed on without a consent but what the law or the danger asks for, and that is named.
        let refer = protocol.steps.iter().find(|step| step.id.as_str() == "refer-service").unwrap();
        assert_ne!(refer.consent, ConsentNeed::None, "{id}");
    }
}

#[test]
fn rule_4_an_unresolved_concern_still_offers_a_referral() {
    for (id, protocol) in Shipped::new().protocols() {
        for person in people() {
            with_plan(protocol, &case(country(id), &[Outcome::ConcernUnresolved], person), |plan| {
                let refer = plan.steps.iter().find(|p| p.step.id.as_str() == "refer-service").unwrap();
                assert_eq!(refer.certainty, Certainty::Applies, "{id}");
            });
        }
    }
}

#[test]
fn rule_12_a_source_that_names_two_limits_keeps_both() {
    let shipped = Shipped::new();
    let (_, mexico) = shipped.protocols().find(|(id, _)| *id == "mexico").unwrap();
    let visa = mexico.steps.iter().find(|step| step.id.as_str() == "mx-humanitarian-visa").unwrap();
    let limits: Vec<_> = visa.deadline.as_ref().unwrap().limits.iter().map(|l| (l.amount, l.unit)).collect();
    assert_eq!(limits, [(60, Unit::WorkingDays), (90, Unit::CalendarDays)]);
}

#[test]
fn rule_14_superseded_law_and_renamed_bodies_are_history() {
    let past = ["SENAME", "PGR", "1.094", "1,094", "INDESOL", "Historia", "History"];
    let mut histories = BTreeSet::new();
    for (id, protocol) in Shipped::new().protocols() {
        for outcome in Outcome::ALL {
            for person in people() {
                with_plan(protocol, &case(country(id), &[outcome], person), |plan| {
                    for planned in &plan.steps {
                        let step = planned.step;
                        assert!(step.valid_to.is_none() && step.superseded_by.is_none(), "{id} {}", step.id);
                        for words in step.title.0.values().chain(step.actor.0.values()) {
                            assert!(!past.iter().any(|p| words.contains(p)), "{id} {}: {words}", step.id);
                        }
                    }
                    histories.extend(plan.history.iter().map(|p| p.step.id.to_string()));
                });
            }
        }
    }
    let known = [
        "cl-child-sename",
        "cl-residence-1094",
        "cl-residence-1094-renewal",
        "mx-pgr-services",
        "mx-social-funds",
    ];
    assert!(known.iter().all(|id| histories.contains(*id)), "{histories:?}");
}
