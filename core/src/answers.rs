//! The answers of a screening: the last one to each item.

use std::collections::BTreeMap;

use amparo_schema::answer::{Answer, Unknown, Value};
use amparo_schema::condition::Truth;
use amparo_schema::name::Name;

/// The last answer to each item. An item without an entry was not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers(BTreeMap<Name, Answer>);

impl Answers {
    /// Puts an answer; a later one replaces an earlier one.
    pub fn set(&mut self, item: Name, answer: Answer) {
        self.0.insert(item, answer);
    }

    /// The answer, if there is one.
    #[must_use]
    pub fn get(&self, item: &Name) -> Option<&Answer> {
        self.0.get(item)
    }

    /// The known value, if there is one.
    #[must_use]
    pub fn value(&self, item: &str) -> Option<&Value> {
        match self.0.get(item) {
            Some(Answer::Known(value)) => Some(value),
            _ => None,
        }
    }

    /// Why nothing is known of the item; `None` when something is.
    #[must_use]
    pub fn unknown(&self, item: &Name) -> Option<Unknown> {
        match self.0.get(item) {
            Some(Answer::Known(_)) => None,
            Some(Answer::Unknown(why)) => Some(*why),
            None => Some(Unknown::NotAsked),
        }
    }

    /// Yes, no, or unknown. A value of another kind than yes or no is unknown.
    #[must_use]
    pub fn yes(&self, item: &str) -> Truth {
        match self.value(item) {
            Some(Value::Yes) => Truth::Yes,
            Some(Value::No) => Truth::No,
            _ => Truth::Unknown,
        }
    }

    /// Whether the choice is this option, or the choices hold it.
    #[must_use]
    pub fn has(&self, item: &str, option: &Name) -> Truth {
        match self.value(item) {
            Some(Value::Choice(chosen)) => (chosen == option).into(),
            Some(Value::Choices(chosen)) => chosen.contains(option).into(),
            _ => Truth::Unknown,
        }
    }

    /// Whether the number lies in the bounds.
    #[must_use]
    pub fn within(&self, item: &str, min: Option<i64>, max: Option<i64>) -> Truth {
        match self.value(item) {
            Some(Value::Number(n)) => {
                (min.is_none_or(|min| *n >= min) && max.is_none_or(|max| *n <= max)).into()
            }
            _ => Truth::Unknown,
        }
    }

    /// All answers, by item.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Answer)> {
        self.0.iter()
    }
}

impl FromIterator<(Name, Answer)> for Answers {
    fn from_iter<I: IntoIterator<Item = (Name, Answer)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}
