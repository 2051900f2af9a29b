//! At a border exploitation has often not begun: recruitment positive, exploitation not known.

use amparo_schema::answer::{Unknown, Value};
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::checklist::Population;
use amparo_schema::pack::policy::intake;

use super::ilo::ilo_checklist;
use crate::answers::Answers;
use crate::assessment::{By, DimensionState, assess};
use crate::checklist::testing::*;

/// Recruitment and means positive, their other items answered no; exploitation not asked.
fn recruited() -> Answers {
    let mut answers: Answers = [(name(intake::AGE), age(30, 34))].into_iter().collect();
    for item in ilo_checklist(Population::Adult).items {
        let id = item.id.as_str();
        let value =
            if matches!(id, "act-s0" | "act-s1" | "means-s0" | "means-s1") { Value::Yes } else { Value::No };
        if !id.starts_with("exploitation") {
            answers.set(item.id, known(value));
        }
    }
    answers
}

#[test]
fn exploitation_unknown_is_an_unresolved_concern() {
    let form = form(&ilo_checklist(Population::Adult));
    let result = assess(&form, &recruited(), &pack());
    assert_eq!(result.outcomes(), [Outcome::ConcernUnresolved]);
    assert_eq!(result.outcomes[0].by, [By::OpenRules(vec![name("presumed")])]);
    let exploitation = result.dimensions.iter().find(|d| d.id.as_str() == "exploitation").unwrap();
    assert_eq!(exploitation.state, DimensionState::Undetermined);
    assert_eq!(exploitation.could_tip.len(), 10);
    assert!(result.gaps.iter().any(|g| g.item.as_str() == "exploitation-s0" && g.why == Unknown::NotAsked));
}

#[test]
fn the_pack_may_say_it_with_a_rule_of_its_own() {
    let mut list = ilo_checklist(Population::Adult);
    let transit =
        amparo_schema::condition::Condition::All(vec![positive("act"), possible(positive("exploitation"))]);
    list.rules.push(rule("transit", Outcome::ConcernUnresolved, transit));
    let form = form(&list);
    let result = assess(&form, &recruited(), &pack());
    assert_eq!(result.outcomes(), [Outcome::ConcernUnresolved]);
    let by = [By::Rule(name("transit")), By::OpenRules(vec![name("presumed")])];
    assert_eq!(result.outcomes[0].by, by);
    let ground = result.rules.iter().find(|r| r.id.as_str() == "transit").unwrap();
    assert_eq!(ground.because, [positive("act"), possible(positive("exploitation"))]);
}

#[test]
fn known_exploitation_is_presumed_and_refused_answers_are_no_no() {
    let form = form(&ilo_checklist(Population::Adult));
    let mut answers = recruited();
    for n in 0..3 {
        answers.set(name(&format!("exploitation-w{n}")), unknown(Unknown::Refused));
    }
    assert_eq!(assess(&form, &answers, &pack()).outcomes(), [Outcome::ConcernUnresolved]);
    answers.set(name("exploitation-s0"), known(Value::Yes));
    answers.set(name("exploitation-m1"), known(Value::Yes));
    assert_eq!(assess(&form, &answers, &pack()).outcomes(), [Outcome::Presumed]);
}
