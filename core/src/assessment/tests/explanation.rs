//! Each result explains itself.

use amparo_schema::answer::{Mode, Unknown, Value};
use amparo_schema::condition::{Condition, Truth};
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::checklist::{Checklist, ItemKind, Threshold, Weight};
use amparo_schema::pack::policy::intake;
use amparo_schema::person::Exploitation;

use crate::answers::Answers;
use crate::assessment::{By, Evidence, Gap, assess};
use crate::checklist::testing::*;

/// One sign from papers, a choice or a text; one for foreigners; an urgent one.
fn list() -> Checklist {
    let mut list = checklist(vec![
        seen("hurt"),
        item("papers", Mode::Staff, ItemKind::Choice(options(&["own", "employer"]))),
        item("words", Mode::Staff, ItemKind::ShortText { chars_max: 40 }),
        when(asked("debt"), Condition::Person(amparo_schema::condition::PersonTest::Foreign)),
        asked("threat"),
    ]);
    let held = Condition::Has { item: name("papers"), option: name("employer") };
    let either = Condition::Any(vec![held, Condition::Answered(name("words")), yes("debt")]);
    list.indicators = vec![
        indicator("urgent", "d0", Weight::Strong, yes("hurt")),
        indicator("held", "d1", Weight::Medium, either),
        indicator(
            "bound",
            "d1",
            Weight::Medium,
            Condition::AtLeast { n: 2, of: vec![yes("debt"), yes("threat")] },
        ),
    ];
    list.indicators[1].exploitation = vec![Exploitation::Labour, Exploitation::Domestic];
    list.indicators[2].exploitation = vec![Exploitation::Sexual];
    list.dimensions = vec![
        dimension("d0", &[Threshold { strong: 1, ..Threshold::default() }]),
        dimension("d1", &[Threshold { any: 2, ..Threshold::default() }]),
    ];
    list.rules = vec![
        rule("labour", Outcome::LabourRights, Condition::Noted(name("d1"))),
        rule("presumed", Outcome::Presumed, positive("d1")),
        rule("now", Outcome::UrgentSafety, Condition::Indicator(name("urgent"))),
        rule(
            "adult-only",
            Outcome::ReturnConcern,
            Condition::All(vec![not(Condition::Child), positive("d0")]),
        ),
    ];
    list
}

fn answers() -> Answers {
    [
        (name(intake::AGE), age(40, 40)),
        (name(intake::SEX), unknown(Unknown::Refused)),
        (name(intake::FOREIGN), known(Value::No)),
        (name("hurt"), known(Value::Yes)),
        (name("papers"), known(Value::Choice(name("employer")))),
        (name("words"), known(Value::Text("sintético".into()))),
        (name("threat"), unknown(Unknown::Interrupted)),
    ]
    .into_iter()
    .collect()
}

#[test]
fn the_tree_goes_from_outcome_to_answer() {
    let result = assess(&form(&list()), &answers(), &pack());
    assert_eq!(result.pack, pack());
    // Most urgent first. Being no foreigner, the person has no debt of this kind: `bound` cannot be any more.
    assert_eq!(result.outcomes(), [Outcome::UrgentSafety, Outcome::LabourRights, Outcome::ReturnConcern]);
    assert_eq!(result.outcomes[0].by, [By::Rule(name("now"))]);
    let because =
        |id: &str| result.rules.iter().find(|r| r.id.as_str() == id).map(|r| (r.state, r.because.clone()));
    assert_eq!(because("adult-only"), Some((Truth::Yes, vec![not(Condition::Child), positive("d0")])));
    assert_eq!(because("presumed"), Some((Truth::No, Vec::new())));
    let held = &result.indicators[1];
    let by = [
        Evidence { item: name("papers"), value: Some(Value::Choice(name("employer"))), mode: Mode::Staff },
        Evidence { item: name("words"), value: None, mode: Mode::Staff },
    ];
    assert_eq!((held.state, &held.shown_by[..]), (Truth::Yes, &by[..]));
    assert_eq!(result.not_applicable, [name("debt")]);
    let gap = |item: &str, mode, why| Gap { item: name(item), mode, why };
    let gaps = [
        gap(intake::SEX, Mode::Ask, Unknown::Refused),
        gap(intake::CHILDREN, Mode::Ask, Unknown::NotAsked),
        gap("threat", Mode::Ask, Unknown::Interrupted),
    ];
    assert_eq!(result.gaps, gaps);
    assert_eq!(result.exploitation, [Exploitation::Labour, Exploitation::Domestic].into());
    assert_eq!(result.person.exploitation, result.exploitation);
    assert!(!format!("{result:?}").contains("sintético"), "no words of a person");
}

#[test]
fn what_is_open_says_what_it_waits_for() {
    let mut answers = answers();
    answers.set(name(intake::FOREIGN), known(Value::Yes));
    let result = assess(&form(&list()), &answers, &pack());
    let expected =
        [Outcome::UrgentSafety, Outcome::ConcernUnresolved, Outcome::LabourRights, Outcome::ReturnConcern];
    assert_eq!(result.outcomes(), expected);
    assert_eq!(result.outcomes[1].by, [By::OpenRules(vec![name("presumed")])]);
    assert_eq!(result.rules[1].because, [positive("d1")]);
    assert_eq!(result.dimensions[1].could_tip, [name("bound")]);
    assert_eq!(result.indicators[2].waits_for, [name("debt"), name("threat")]);
}

/// The bytes under the hash are a format: recorded outcomes are compared with it years later.
#[test]
fn the_hash_of_an_assessment_stays_what_it_is() {
    let result = assess(&form(&list()), &answers(), &pack());
    let written = serde_json::to_string(&result).unwrap();
    assert!(written.starts_with(r#"{"pack":{"id":"synthetic","version":1,"hash":"0707"#), "{written}");
    assert_eq!(result.hash().to_string(), "0a14504fb285af06922aee456d611686c695e3e40fd491f8b43a05e84dff3283");
}
