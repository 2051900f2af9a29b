//! What goes in.
//!
//! Fields of a `redacted!` type are plain texts, whose form is looked at in the call: printing one must not fail
//! over a text that has none.

use std::collections::BTreeSet;

use amparo_core::device as core;
use amparo_schema::answer::{AgeRange, Answer, Value};
use amparo_schema::fact;
use amparo_schema::id::CaseId;
use amparo_schema::name::Name;
use amparo_schema::person::{Country, Place};
use amparo_schema::text::{Lang, Source};

use crate::errors::FieldError;
use crate::kinds::{
    ConsentBy, ConsentPurpose, ExceptionKind, IdentityField, Setting, ShareScope, UnknownReason,
};
use crate::redact::redacted;

/// Where a device lives and whom it trusts.
#[derive(Clone, Debug, uniffi::Record)]
pub struct OpenRequest {
    /// The folder of the store, private to the app; it is made if it is not there. On Android
    /// `noBackupFilesDir`, on iOS a folder excluded from backup.
    pub folder: String,
    /// The root file that the app pins: which keys may sign packs. JSON bytes, shipped inside the app.
    pub root_json: Vec<u8>,
}

/// What is needed to start a screening.
#[derive(Clone, Debug, uniffi::Record)]
pub struct StartRequest {
    /// The checklist, by the id that `checklists` lists.
    pub checklist: Name,
    /// The case, for a further screening of the same person; none opens a new case.
    #[uniffi(default = None)]
    pub case: Option<CaseId>,
    /// Where.
    pub place: PlaceRequest,
    /// The official's language.
    pub lang: Lang,
}

/// Where a screening takes place.
#[derive(Clone, Debug, uniffi::Record)]
pub struct PlaceRequest {
    /// Country, ISO 3166-1 alpha-2 in capitals.
    pub country: Country,
    /// The post, by an id that `posts` lists.
    #[uniffi(default = None)]
    pub post: Option<Name>,
    /// First-level area, ISO 3166-2, such as `CL-AP`.
    #[uniffi(default = None)]
    pub area: Option<String>,
    /// What kind of place.
    pub setting: Setting,
}

/// What is said to an item. Unknown is never no: say why nothing is known.
#[uniffi::export(Debug, Display)]
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum AnswerValue {
    /// Yes; for an observation, seen.
    Yes,
    /// No; for an observation, looked for and not seen.
    No,
    /// One option.
    Choice {
        /// Its id.
        option: String,
    },
    /// Several options; an empty list says "none of these".
    Choices {
        /// Their ids.
        options: Vec<String>,
    },
    /// A whole number in the item's unit.
    Number {
        /// The number.
        value: i64,
    },
    /// A calendar date.
    Date {
        /// ISO 8601, `2026-11-22`.
        date: String,
    },
    /// An age as a range of years, both ends included; the same twice for a single year.
    Age {
        /// The lowest that is possible.
        lowest: u8,
        /// The highest that is possible.
        highest: u8,
    },
    /// A short text.
    Text {
        /// The words.
        text: String,
    },
    /// Nothing is known.
    Unknown {
        /// Why.
        why: UnknownReason,
    },
}

/// What became of a step.
#[uniffi::export(Debug, Display)]
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum StepState {
    /// Done.
    Done,
    /// Not done, for this reason.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Could not be done, for this reason.
    Impossible {
        /// Why.
        reason: String,
    },
}

/// What a person agrees to, or not. The wording and its expiry come from the policy.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct ConsentRequest {
    /// What for.
    pub purpose: ConsentPurpose,
    /// The service that may receive; for the two purposes of sharing only.
    #[uniffi(default = None)]
    pub receiver: Option<String>,
    /// What may be shared; for the two purposes of sharing only.
    #[uniffi(default = [])]
    pub scope: Vec<ShareScope>,
    /// The language in which the words were read.
    pub lang: String,
    /// Who decides.
    pub by: ConsentBy,
}

/// A situation in which the law needs no consent.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct WaiverRequest {
    /// What for.
    pub purpose: ConsentPurpose,
    /// The situation.
    pub situation: ExceptionKind,
    /// The law: title, code, year.
    pub document: String,
    /// The place in it: article, paragraph.
    pub place: String,
    /// Whether the person was told.
    pub told: bool,
}

/// Something about who the person is.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct IdentityRequest {
    /// What.
    pub field: IdentityField,
    /// The words.
    pub value: String,
}

redacted!(AnswerValue, StepState, ConsentRequest, WaiverRequest, IdentityRequest);

impl From<PlaceRequest> for Place {
    fn from(place: PlaceRequest) -> Self {
        Self { country: place.country, post: place.post, area: place.area, setting: place.setting }
    }
}

impl From<StartRequest> for core::StartRequest {
    fn from(start: StartRequest) -> Self {
        Self { checklist: start.checklist, case: start.case, place: start.place.into(), lang: start.lang }
    }
}

impl TryFrom<ConsentRequest> for core::ConsentRequest {
    type Error = FieldError;

    fn try_from(consent: ConsentRequest) -> Result<Self, FieldError> {
        Ok(Self {
            purpose: consent.purpose,
            receiver: consent.receiver.map(|receiver| name(receiver, "receiver")).transpose()?,
            scope: consent.scope.into_iter().collect::<BTreeSet<_>>(),
            lang: Lang::new(consent.lang).map_err(|_| FieldError::invalid("language", FORM))?,
            by: consent.by,
        })
    }
}

impl WaiverRequest {
    pub(crate) fn law(self) -> Source {
        Source { document: self.document, place: self.place, as_of: None }
    }
}

impl From<StepState> for fact::StepState {
    fn from(state: StepState) -> Self {
        match state {
            StepState::Done => Self::Done,
            StepState::Skipped { reason } => Self::Skipped { reason },
            StepState::Impossible { reason } => Self::Impossible { reason },
        }
    }
}

impl From<fact::StepState> for StepState {
    fn from(state: fact::StepState) -> Self {
        match state {
            fact::StepState::Done => Self::Done,
            fact::StepState::Skipped { reason } => Self::Skipped { reason },
            fact::StepState::Impossible { reason } => Self::Impossible { reason },
        }
    }
}

impl TryFrom<AnswerValue> for Answer {
    type Error = FieldError;

    fn try_from(answer: AnswerValue) -> Result<Self, FieldError> {
        let option = |option| name(option, "option");
        Ok(Self::Known(match answer {
            AnswerValue::Unknown { why } => return Ok(Self::Unknown(why)),
            AnswerValue::Yes => Value::Yes,
            AnswerValue::No => Value::No,
            AnswerValue::Choice { option: id } => Value::Choice(option(id)?),
            AnswerValue::Choices { options } => {
                Value::Choices(options.into_iter().map(option).collect::<Result<_, _>>()?)
            }
            AnswerValue::Number { value } => Value::Number(value),
            AnswerValue::Date { date } => {
                Value::Date(date.parse().map_err(|_| FieldError::invalid("date", FORM))?)
            }
            AnswerValue::Age { lowest, highest } => Value::Age(AgeRange { from: lowest, to: highest }),
            AnswerValue::Text { text } => Value::Text(text),
        }))
    }
}

/// The code of a text that has not the form of what it should be.
const FORM: &str = "form";

fn name(text: String, field: &str) -> Result<Name, FieldError> {
    Name::new(text).map_err(|_| FieldError::invalid(field, FORM))
}

impl From<&Answer> for AnswerValue {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Unknown(why) => Self::Unknown { why: *why },
            Answer::Known(Value::Yes) => Self::Yes,
            Answer::Known(Value::No) => Self::No,
            Answer::Known(Value::Choice(option)) => Self::Choice { option: option.as_str().into() },
            Answer::Known(Value::Choices(options)) => {
                Self::Choices { options: options.iter().map(|option| option.as_str().into()).collect() }
            }
            Answer::Known(Value::Number(value)) => Self::Number { value: *value },
            Answer::Known(Value::Date(date)) => Self::Date { date: date.to_string() },
            Answer::Known(Value::Age(age)) => Self::Age { lowest: age.from, highest: age.to },
            Answer::Known(Value::Text(text)) => Self::Text { text: text.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use amparo_schema::answer::Unknown;

    use super::*;

    #[test]
    fn an_answer_comes_back_as_it_went_in() {
        let name = |text: &str| Name::new(text).unwrap();
        let known = [
            Value::Yes,
            Value::No,
            Value::Choice(name("a")),
            Value::Choices([name("a"), name("b")].into()),
            Value::Choices(BTreeSet::new()),
            Value::Number(i64::MIN),
            Value::Date("2026-11-22".parse().unwrap()),
            Value::Age(AgeRange { from: 17, to: 19 }),
            Value::Text("synthetic".into()),
        ];
        let unknown = [
            Unknown::NotAsked,
            Unknown::Refused,
            Unknown::NotObservable,
            Unknown::Interrupted,
            Unknown::DoesNotKnow,
        ];
        let all = known.map(Answer::Known).into_iter().chain(unknown.map(Answer::Unknown));
        for answer in all {
            assert_eq!(Answer::try_from(AnswerValue::from(&answer)), Ok(answer));
        }
    }
}
