//! Answers: what a person said, what was seen, or why neither is known.

use std::collections::BTreeSet;

use jiff::civil::Date;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::name::Name;

/// An answer to one item. Unknown is never no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// Something is known.
    #[n(0)]
    Known(#[n(0)] Value),
    /// Nothing is known, for this reason.
    #[n(1)]
    Unknown(#[n(0)] Unknown),
}

/// What is known. `Debug` shows no words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Value {
    /// Yes; or, for an observation, seen.
    #[n(0)]
    Yes,
    /// No; or, for an observation, looked for and not seen.
    #[n(1)]
    No,
    /// One option.
    #[n(2)]
    Choice(#[n(0)] Name),
    /// Several options; an empty set says "none of these".
    #[n(3)]
    Choices(#[n(0)] BTreeSet<Name>),
    /// A whole number in the item's unit.
    #[n(4)]
    Number(#[n(0)] i64),
    /// A calendar date.
    #[n(5)]
    Date(#[cbor(n(0), with = "cbor_date")] Date),
    /// An age, as a range of years.
    #[n(6)]
    Age(#[n(0)] AgeRange),
    /// A short text, only where the pack allows it.
    #[n(7)]
    Text(#[n(0)] String),
}

/// Why nothing is known.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Unknown {
    /// The item was skipped or not reached.
    #[n(0)]
    NotAsked,
    /// The person did not want to answer.
    #[n(1)]
    Refused,
    /// It could not be seen from here.
    #[n(2)]
    NotObservable,
    /// The talk ended before an answer.
    #[n(3)]
    Interrupted,
    /// The person does not know.
    #[n(4)]
    DoesNotKnow,
}

/// An age in completed years, both ends included, at most 120. `17..19` says "not sure"; a single year says
/// the same number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct AgeRange {
    /// The lowest age that is possible.
    #[n(0)]
    pub from: u8,
    /// The highest age that is possible.
    #[n(1)]
    pub to: u8,
}

impl AgeRange {
    /// True when the person may be under 18: age in doubt counts as a child
    /// (Palermo Protocol, article 3(d), for the limit of 18).
    #[must_use]
    pub fn is_child(self) -> bool {
        self.from < 18
    }

    /// True when the range is in order and within 0 to 120 years.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.from <= self.to && self.to <= 120
    }
}

/// How an answer came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Mode {
    /// Seen, without a question.
    #[n(0)]
    Observe,
    /// Asked of the person, after the gate.
    #[n(1)]
    Ask,
    /// Filled in by staff from papers, without the person.
    #[n(2)]
    Staff,
}

/// CBOR of a date: its ISO 8601 text.
pub mod cbor_date {
    use jiff::civil::Date;
    use minicbor::{Decoder, Encoder};

    /// Writes `YYYY-MM-DD`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn encode<C, W: minicbor::encode::Write>(
        date: &Date,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&date.to_string())?.ok()
    }

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// When the text is no date.
    pub fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Date, minicbor::decode::Error> {
        let at = d.position();
        d.str()?.parse().map_err(|_| minicbor::decode::Error::message("not a date").at(at))
    }
}
