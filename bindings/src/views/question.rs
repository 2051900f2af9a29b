//! One question, and the gate before the first.

use amparo_core::device::Question;
use amparo_schema::answer::Mode;
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::{AgeBand, Item, ItemKind, ItemOption};
use amparo_schema::pack::policy::GateCheck;
use amparo_schema::text::{Lang, Text};

use super::{SourceView, WordsView, sources, words};
use crate::kinds::{ItemMode, ReviewState};
use crate::redact::redacted;
use crate::requests::AnswerValue;

/// One item, ready to be drawn.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct QuestionView {
    /// Its id; `answer` takes it.
    pub item: Name,
    /// Observed, asked of the person, or filled in from papers.
    pub mode: ItemMode,
    /// The words, in the official's language.
    pub prompt: WordsView,
    /// The words to say to the person, in the person's language; for an asked item only.
    pub said: Option<WordsView>,
    /// A hint for the official; never said.
    pub hint: Option<WordsView>,
    /// What kind of answer it takes.
    pub kind: AnswerKind,
    /// Its number among the items that apply now, from 1; none when it does not apply now.
    pub number: Option<u32>,
    /// How many items apply now; none when this one does not.
    pub of: Option<u32>,
    /// The last answer, if there is one.
    pub answer: Option<AnswerValue>,
    /// Where it comes from.
    pub sources: Vec<SourceView>,
    /// How far it was checked.
    pub review: ReviewState,
}

/// The kind of answer that an item takes. `Unknown` with a reason fits every one.
#[derive(Clone, uniffi::Enum)]
pub enum AnswerKind {
    /// Yes or no.
    YesNo,
    /// One of the options.
    OneOf {
        /// The options.
        options: Vec<OptionView>,
    },
    /// Any number of the options; an empty list is "none of these".
    AnyOf {
        /// The options.
        options: Vec<OptionView>,
    },
    /// A whole number.
    Number {
        /// Lowest, included.
        min: i64,
        /// Highest, included.
        max: i64,
        /// The unit.
        unit: WordsView,
    },
    /// A calendar date.
    Date,
    /// An age: one of the bands, or any range within 0 to 120 years.
    Age {
        /// Bands to choose from.
        bands: Vec<AgeBandView>,
    },
    /// A short text.
    ShortText {
        /// Longest, in characters.
        chars_max: u32,
    },
}

/// One option.
#[derive(Clone, uniffi::Record)]
pub struct OptionView {
    /// Its id; an answer holds it.
    pub id: Name,
    /// Its words, in the official's language.
    pub label: WordsView,
    /// The words to say to the person; for an asked item only.
    pub said: Option<WordsView>,
}

/// One age band.
#[derive(Clone, uniffi::Record)]
pub struct AgeBandView {
    /// Lowest age.
    pub lowest: u8,
    /// Highest age.
    pub highest: u8,
    /// Its words, in the official's language.
    pub label: WordsView,
    /// The words to say to the person; for an asked item only.
    pub said: Option<WordsView>,
}

/// One check of the safe-interview gate.
#[derive(Clone, uniffi::Record)]
pub struct GateCheckView {
    /// Its id; `gate` takes it.
    pub id: Name,
    /// What the official confirms.
    pub prompt: WordsView,
    /// What to do when it cannot be confirmed.
    pub otherwise: WordsView,
    /// True when the last try left it out.
    pub missing: bool,
    /// Where it comes from.
    pub sources: Vec<SourceView>,
}

redacted!(QuestionView);

/// Official's and person's language.
#[derive(Clone, Copy)]
pub(super) struct Langs<'a> {
    pub(super) official: &'a Lang,
    pub(super) person: &'a Lang,
}

pub(super) fn question(question: &Question, langs: Langs<'_>) -> QuestionView {
    let item = &question.item;
    let said = |text: &Text| (item.mode == Mode::Ask).then(|| words(text, langs.person));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    QuestionView {
        item: item.id.clone(),
        mode: item.mode,
        prompt: words(&item.prompt, langs.official),
        said: said(&item.prompt),
        hint: item.hint.as_ref().map(|hint| words(hint, langs.official)),
        kind: kind(item, langs.official, &said),
        number: question.position.map(|p| count(p.number)),
        of: question.position.map(|p| count(p.of)),
        answer: question.answer.as_ref().map(AnswerValue::from),
        sources: sources(&item.sources),
        review: item.review.clone(),
    }
}

fn kind(item: &Item, lang: &Lang, said: &dyn Fn(&Text) -> Option<WordsView>) -> AnswerKind {
    let option = |option: &ItemOption| OptionView {
        id: option.id.clone(),
        label: words(&option.label, lang),
        said: said(&option.label),
    };
    let band = |band: &AgeBand| AgeBandView {
        lowest: band.from,
        highest: band.to,
        label: words(&band.label, lang),
        said: said(&band.label),
    };
    match &item.kind {
        ItemKind::YesNo => AnswerKind::YesNo,
        ItemKind::Choice(options) => AnswerKind::OneOf { options: options.iter().map(option).collect() },
        ItemKind::Choices(options) => AnswerKind::AnyOf { options: options.iter().map(option).collect() },
        ItemKind::Number { min, max, unit } => {
            AnswerKind::Number { min: *min, max: *max, unit: words(unit, lang) }
        }
        ItemKind::Date => AnswerKind::Date,
        ItemKind::Age(bands) => AnswerKind::Age { bands: bands.iter().map(band).collect() },
        ItemKind::ShortText { chars_max } => AnswerKind::ShortText { chars_max: *chars_max },
    }
}

pub(super) fn gate_check(check: &GateCheck, missing: &[Name], lang: &Lang) -> GateCheckView {
    GateCheckView {
        id: check.id.clone(),
        prompt: words(&check.prompt, lang),
        otherwise: words(&check.otherwise, lang),
        missing: missing.contains(&check.id),
        sources: sources(&check.sources),
    }
}
