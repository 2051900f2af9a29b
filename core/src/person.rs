//! The person as the intake answers show them. Pure; nameless.

use amparo_schema::answer::Value;
use amparo_schema::name::Name;
use amparo_schema::pack::policy::intake;
use amparo_schema::person::{Exploitation, Person, Sex};
use amparo_schema::text::Lang;

use crate::answers::Answers;

/// Derives the person from the answers to the intake items. What was not answered stays unknown;
/// exploitation that indicators point to is added by the assessment.
#[must_use]
pub fn derive(answers: &Answers) -> Person {
    Person {
        age: match answers.value(intake::AGE) {
            Some(Value::Age(range)) if range.is_valid() => Some(*range),
            _ => None,
        },
        sex: match answers.value(intake::SEX) {
            Some(Value::Choice(option)) => sex(option),
            _ => None,
        },
        languages: choices(answers, intake::LANGUAGES).filter_map(|o| Lang::new(o.as_str()).ok()).collect(),
        children_along: match answers.value(intake::CHILDREN) {
            Some(Value::Number(n)) => u8::try_from(*n).ok(),
            _ => None,
        },
        unaccompanied: known(answers, intake::UNACCOMPANIED),
        foreign: known(answers, intake::FOREIGN),
        offence_suspected: known(answers, intake::OFFENCE),
        exploitation: choices(answers, intake::EXPLOITATION).filter_map(exploitation).collect(),
    }
}

fn known(answers: &Answers, item: &str) -> Option<bool> {
    match answers.value(item) {
        Some(Value::Yes) => Some(true),
        Some(Value::No) => Some(false),
        _ => None,
    }
}

fn choices<'a>(answers: &'a Answers, item: &str) -> impl Iterator<Item = &'a Name> {
    match answers.value(item) {
        Some(Value::Choices(options)) => Some(options.iter()),
        _ => None,
    }
    .into_iter()
    .flatten()
}

fn sex(option: &Name) -> Option<Sex> {
    match option.as_str() {
        "female" => Some(Sex::Female),
        "male" => Some(Sex::Male),
        "other" => Some(Sex::Other),
        _ => None,
    }
}

/// The form of exploitation that an option of the intake item stands for.
#[must_use]
pub fn exploitation(option: &Name) -> Option<Exploitation> {
    match option.as_str() {
        "labour" => Some(Exploitation::Labour),
        "sexual" => Some(Exploitation::Sexual),
        "domestic" => Some(Exploitation::Domestic),
        "begging" => Some(Exploitation::Begging),
        "offences" => Some(Exploitation::Offences),
        "marriage" => Some(Exploitation::Marriage),
        "organs" => Some(Exploitation::Organs),
        "other" => Some(Exploitation::Other),
        _ => None,
    }
}
