//! An answer as scenarios write it: short for what is common.

use std::collections::BTreeSet;

use amparo_schema::answer::{AgeRange, Answer, Unknown, Value};
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::{Item, ItemKind};
use serde::Deserialize;

/// What is said to an item.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Said {
    /// `"yes"`, `"no"`, or why nothing is known: `"refused"`.
    Word(Word),
    /// A value.
    Value(Written),
}

/// Words that fit an item of any kind.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Yes.
    Yes,
    /// No; none of the options; skipped where neither makes sense.
    No,
    /// Skipped.
    NotAsked,
    /// The person does not want to answer.
    Refused,
    /// It cannot be seen.
    NotObservable,
    /// The talk ended.
    Interrupted,
    /// The person does not know.
    DoesNotKnow,
}

/// Values that are not a word.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Written {
    /// One option.
    Choice(Name),
    /// Several options.
    Choices(BTreeSet<Name>),
    /// A number.
    Number(i64),
    /// An age in years, from and to.
    Age(u8, u8),
    /// A date.
    Date(jiff::civil::Date),
    /// A short text.
    Text(String),
}

impl Said {
    /// The answer to this item.
    #[must_use]
    pub fn answer(&self, item: &Item) -> Answer {
        let unknown = |why| Answer::Unknown(why);
        match self {
            Self::Word(Word::Yes) => Answer::Known(Value::Yes),
            Self::Word(Word::No) => match item.kind {
                ItemKind::YesNo => Answer::Known(Value::No),
                ItemKind::Choices(_) => Answer::Known(Value::Choices(BTreeSet::new())),
                _ => unknown(Unknown::NotAsked),
            },
            Self::Word(Word::NotAsked) => unknown(Unknown::NotAsked),
            Self::Word(Word::Refused) => unknown(Unknown::Refused),
            Self::Word(Word::NotObservable) => unknown(Unknown::NotObservable),
            Self::Word(Word::Interrupted) => unknown(Unknown::Interrupted),
            Self::Word(Word::DoesNotKnow) => unknown(Unknown::DoesNotKnow),
            Self::Value(written) => Answer::Known(match written {
                Written::Choice(option) => Value::Choice(option.clone()),
                Written::Choices(options) => Value::Choices(options.clone()),
                Written::Number(n) => Value::Number(*n),
                Written::Age(from, to) => Value::Age(AgeRange { from: *from, to: *to }),
                Written::Date(date) => Value::Date(*date),
                Written::Text(text) => Value::Text(text.clone()),
            }),
        }
    }
}
