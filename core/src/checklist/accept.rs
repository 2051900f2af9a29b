//! Whether an answer fits an item: kind, options, bounds, length, characters.
//!
//! Never says anything of the words of an answer: an error names the item and the limit only.

use amparo_schema::answer::{Answer, Value};
use amparo_schema::limits::ANSWER_TEXT_CHARS_MAX;
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::{Item, ItemKind, ItemOption};
use amparo_schema::text::is_deceptive;

/// Why an answer was refused. Names the item, never what was answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The form has no such item.
    #[error("the form has no item {0}")]
    NoSuchItem(Name),
    /// The item takes yes or no.
    #[error("item {0} takes yes or no")]
    NotYesNo(Name),
    /// The item takes one option.
    #[error("item {0} takes one option")]
    NotAChoice(Name),
    /// The item takes a set of options.
    #[error("item {0} takes a set of options")]
    NotChoices(Name),
    /// The item takes a whole number.
    #[error("item {0} takes a number")]
    NotANumber(Name),
    /// The item takes a date.
    #[error("item {0} takes a date")]
    NotADate(Name),
    /// The item takes an age.
    #[error("item {0} takes an age")]
    NotAnAge(Name),
    /// The item takes a short text.
    #[error("item {0} takes a short text")]
    NotAText(Name),
    /// An option that the item does not have.
    #[error("item {0} has no such option")]
    NoSuchOption(Name),
    /// A number outside the item's bounds.
    #[error("item {item} takes numbers from {min} to {max}")]
    OutOfBounds {
        /// The item.
        item: Name,
        /// The lowest, included.
        min: i64,
        /// The highest, included.
        max: i64,
    },
    /// An age that is out of order or past 120 years.
    #[error("item {0} takes an age in order within 0 to 120 years")]
    NotAnAgeRange(Name),
    /// A text without words; leave it unknown instead.
    #[error("the text for item {0} is empty")]
    EmptyText(Name),
    /// A text that is too long.
    #[error("item {item} takes at most {chars_max} characters")]
    TextTooLong {
        /// The item.
        item: Name,
        /// The most characters it takes.
        chars_max: usize,
    },
    /// A text with line breaks, control characters or characters that turn the direction of writing.
    #[error("the text for item {0} holds characters that are not words")]
    ForbiddenCharacters(Name),
}

/// Checks an answer against an item. Unknown, with any reason, fits every item. An age is any range in order
/// within 0 to 120 years, not only one of the bands that are offered.
pub(super) fn accept(item: &Item, answer: &Answer) -> Result<(), AnswerError> {
    let Answer::Known(value) = answer else { return Ok(()) };
    let id = || item.id.clone();
    match (&item.kind, value) {
        (ItemKind::YesNo, Value::Yes | Value::No) | (ItemKind::Date, Value::Date(_)) => Ok(()),
        (ItemKind::Choice(options), Value::Choice(chosen)) => {
            check(has(options, chosen), || AnswerError::NoSuchOption(id()))
        }
        (ItemKind::Choices(options), Value::Choices(chosen)) => {
            check(chosen.iter().all(|c| has(options, c)), || AnswerError::NoSuchOption(id()))
        }
        (ItemKind::Number { min, max, .. }, Value::Number(n)) => {
            check((min..=max).contains(&n), || AnswerError::OutOfBounds { item: id(), min: *min, max: *max })
        }
        (ItemKind::Age(_), Value::Age(range)) => check(range.is_valid(), || AnswerError::NotAnAgeRange(id())),
        (ItemKind::ShortText { chars_max }, Value::Text(text)) => short_text(item, *chars_max, text),
        (ItemKind::YesNo, _) => Err(AnswerError::NotYesNo(id())),
        (ItemKind::Choice(_), _) => Err(AnswerError::NotAChoice(id())),
        (ItemKind::Choices(_), _) => Err(AnswerError::NotChoices(id())),
        (ItemKind::Number { .. }, _) => Err(AnswerError::NotANumber(id())),
        (ItemKind::Date, _) => Err(AnswerError::NotADate(id())),
        (ItemKind::Age(_), _) => Err(AnswerError::NotAnAge(id())),
        (ItemKind::ShortText { .. }, _) => Err(AnswerError::NotAText(id())),
    }
}

fn check(fits: bool, error: impl FnOnce() -> AnswerError) -> Result<(), AnswerError> {
    if fits { Ok(()) } else { Err(error()) }
}

fn has(options: &[ItemOption], chosen: &Name) -> bool {
    options.iter().any(|option| option.id == *chosen)
}

fn short_text(item: &Item, chars_max: u32, text: &str) -> Result<(), AnswerError> {
    let chars_max = usize::try_from(chars_max).unwrap_or(usize::MAX).min(ANSWER_TEXT_CHARS_MAX);
    // One more than the limit is enough to know; a text of any size costs the same.
    if text.chars().take(chars_max + 1).count() > chars_max {
        return Err(AnswerError::TextTooLong { item: item.id.clone(), chars_max });
    }
    if text.chars().any(is_deceptive) {
        return Err(AnswerError::ForbiddenCharacters(item.id.clone()));
    }
    check(!text.trim().is_empty(), || AnswerError::EmptyText(item.id.clone()))
}
