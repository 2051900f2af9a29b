//! Small policies and checklists for tests. Synthetic; no words that anyone reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use amparo_schema::answer::{AgeRange, Answer, Mode, Unknown, Value};
use amparo_schema::condition::Condition;
use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::PackRef;
use amparo_schema::pack::checklist::{
    AgeBand, Checklist, Dimension, Indicator, Item, ItemKind, ItemOption, Population, Rule, Threshold, Weight,
};
use amparo_schema::pack::policy::{Custodian, Policy, Retention, intake};
use amparo_schema::text::{Review, Text};

use super::Form;

pub(crate) fn name(id: &str) -> Name {
    Name::new(id).unwrap()
}

pub(crate) fn yes(item: &str) -> Condition {
    Condition::Yes(name(item))
}

pub(crate) fn no(item: &str) -> Condition {
    Condition::No(name(item))
}

pub(crate) fn not(part: Condition) -> Condition {
    Condition::Not(Box::new(part))
}

pub(crate) fn possible(part: Condition) -> Condition {
    Condition::Possible(Box::new(part))
}

pub(crate) fn positive(dimension: &str) -> Condition {
    Condition::Positive(name(dimension))
}

pub(crate) fn known(value: Value) -> Answer {
    Answer::Known(value)
}

pub(crate) fn unknown(why: Unknown) -> Answer {
    Answer::Unknown(why)
}

pub(crate) fn age(from: u8, to: u8) -> Answer {
    known(Value::Age(AgeRange { from, to }))
}

pub(crate) fn item(id: &str, mode: Mode, kind: ItemKind) -> Item {
    Item {
        id: name(id),
        mode,
        prompt: Text::default(),
        hint: None,
        kind,
        when: None,
        sources: Vec::new(),
        review: Review::Unverified,
    }
}

pub(crate) fn seen(id: &str) -> Item {
    item(id, Mode::Observe, ItemKind::YesNo)
}

pub(crate) fn asked(id: &str) -> Item {
    item(id, Mode::Ask, ItemKind::YesNo)
}

pub(crate) fn when(item: Item, when: Condition) -> Item {
    Item { when: Some(when), ..item }
}

pub(crate) fn options(ids: &[&str]) -> Vec<ItemOption> {
    ids.iter().map(|id| ItemOption { id: name(id), label: Text::default() }).collect()
}

/// The intake of the tests: the age is seen, all else is asked.
pub(crate) fn intake_items() -> Vec<Item> {
    let bands = vec![AgeBand { from: 0, to: 17, label: Text::default() }];
    let count = ItemKind::Number { min: 0, max: 20, unit: Text::default() };
    vec![
        item(intake::AGE, Mode::Observe, ItemKind::Age(bands)),
        item(intake::SEX, Mode::Ask, ItemKind::Choice(options(&["female", "male", "other"]))),
        item(intake::CHILDREN, Mode::Ask, count),
        asked(intake::FOREIGN),
    ]
}

pub(crate) fn indicator(id: &str, dimension: &str, weight: Weight, from: Condition) -> Indicator {
    Indicator {
        id: name(id),
        label: Text::default(),
        dimension: name(dimension),
        weight,
        from,
        exploitation: Vec::new(),
        sources: Vec::new(),
        review: Review::Unverified,
    }
}

pub(crate) fn dimension(id: &str, positive: &[Threshold]) -> Dimension {
    Dimension { id: name(id), label: Text::default(), positive: positive.to_vec() }
}

pub(crate) fn rule(id: &str, outcome: Outcome, when: Condition) -> Rule {
    Rule {
        id: name(id),
        outcome,
        when,
        because: Text::default(),
        sources: Vec::new(),
        review: Review::Unverified,
    }
}

/// The thresholds by which a pack writes the dimension rule of the ILO.
pub(crate) fn ilo() -> [Threshold; 4] {
    let of = Threshold::default();
    [
        Threshold { strong: 2, ..of },
        Threshold { strong: 1, medium_or_weak: 1, ..of },
        Threshold { medium: 3, ..of },
        Threshold { medium: 2, weak: 1, ..of },
    ]
}

pub(crate) fn checklist(items: Vec<Item>) -> Checklist {
    Checklist {
        settings: Vec::new(),
        population: Population::Anyone,
        validation: Text::default(),
        enabled: true,
        items,
        indicators: Vec::new(),
        dimensions: Vec::new(),
        rules: Vec::new(),
    }
}

pub(crate) fn policy(intake: Vec<Item>) -> Policy {
    Policy {
        intake,
        gate: Vec::new(),
        consents: Vec::new(),
        outcomes: BTreeMap::new(),
        posts: Vec::new(),
        code_words: BTreeMap::new(),
        last_resort: Text::default(),
        custodian: Custodian { name: "synthetic".into(), public_key: Hash([0; 32]) },
        retention: Retention { plaintext_hours: 1, observation_days: 1, open_hours: 1 },
        review: Review::Unverified,
    }
}

/// A form with the intake of the tests.
pub(crate) fn form(checklist: &Checklist) -> Arc<Form> {
    Arc::new(Form::compile(&policy(intake_items()), checklist).unwrap())
}

pub(crate) fn pack() -> PackRef {
    PackRef { id: name("synthetic"), version: 1, hash: Hash([7; 32]) }
}
