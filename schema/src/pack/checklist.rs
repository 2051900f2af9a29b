//! A checklist: items that are observed or asked, indicators made of them, dimensions, outcome rules.

use serde::{Deserialize, Serialize};

use crate::answer::Mode;
use crate::condition::Condition;
use crate::name::Name;
use crate::outcome::Outcome;
use crate::person::{Exploitation, Setting};
use crate::text::{Review, Source, Text};

/// The content of a checklist pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checklist {
    /// Where it is meant to be used.
    pub settings: Vec<Setting>,
    /// Whom it is meant for.
    pub population: Population,
    /// Where it was validated and where not, in plain words.
    pub validation: Text,
    /// False for a checklist that is shipped to build and test with, and not offered to an official.
    pub enabled: bool,
    /// Items in the order in which they appear. Observation items come first.
    pub items: Vec<Item>,
    /// Indicators.
    pub indicators: Vec<Indicator>,
    /// Dimensions.
    pub dimensions: Vec<Dimension>,
    /// Outcome rules. Every one that holds gives its outcome.
    pub rules: Vec<Rule>,
}

/// Whom a checklist is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Population {
    /// People of 18 and over.
    Adult,
    /// People who are or may be under 18.
    Child,
    /// Everyone.
    Anyone,
}

/// One thing to look at or to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its id, unique over the checklist and the policy's intake.
    pub id: Name,
    /// Observed, asked, or filled in from papers.
    pub mode: Mode,
    /// The words; for an asked item, as said to the person.
    pub prompt: Text,
    /// A hint for the official; never said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Text>,
    /// What kind of answer it takes.
    pub kind: ItemKind,
    /// When it applies; always if absent. May look at earlier items and the person only. An item that does
    /// not apply counts as "no", whatever was answered before; but it shows no sign, not even to `no(item)`
    /// in an indicator or a rule, because nobody said that no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// How far it was checked.
    pub review: Review,
}

/// The kind of answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ItemKind {
    /// Yes or no.
    YesNo,
    /// One of the options.
    Choice(Vec<ItemOption>),
    /// Any number of the options, or none.
    Choices(Vec<ItemOption>),
    /// A whole number.
    Number {
        /// Lowest, included.
        min: i64,
        /// Highest, included.
        max: i64,
        /// The unit in words.
        unit: Text,
    },
    /// A calendar date.
    Date,
    /// An age, chosen from bands.
    Age(Vec<AgeBand>),
    /// A short text. Warned about by the compiler; never leaves for statistics.
    ShortText {
        /// Longest, in characters.
        chars_max: u32,
    },
}

/// One option of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemOption {
    /// Its id within the item.
    pub id: Name,
    /// Its words.
    pub label: Text,
}

/// One age band to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeBand {
    /// Lowest age.
    pub from: u8,
    /// Highest age.
    pub to: u8,
    /// Its words.
    pub label: Text,
}

/// One indicator: a sign that answers may show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Its id, such as `ex01`.
    pub id: Name,
    /// Its words in a result.
    pub label: Text,
    /// The dimension that it counts for.
    pub dimension: Name,
    /// Its weight.
    pub weight: Weight,
    /// What shows it: items only, without `not`, so that more knowledge never takes a sign away.
    pub from: Condition,
    /// Forms of exploitation that it points to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exploitation: Vec<Exploitation>,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// How far it was checked.
    pub review: Review,
}

/// The weight of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Strong.
    Strong,
    /// Medium.
    Medium,
    /// Weak.
    Weak,
}

/// One dimension: indicators that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its id, such as `d4`.
    pub id: Name,
    /// Its words in a result.
    pub label: Text,
    /// Positive when one of these holds. Monotone by construction: more indicators never undo it.
    pub positive: Vec<Threshold>,
}

/// Counts that must all be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Threshold {
    /// At least this many strong indicators.
    #[serde(skip_serializing_if = "is_zero")]
    pub strong: u32,
    /// At least this many medium indicators.
    #[serde(skip_serializing_if = "is_zero")]
    pub medium: u32,
    /// At least this many weak indicators.
    #[serde(skip_serializing_if = "is_zero")]
    pub weak: u32,
    /// At least this many medium and weak indicators together.
    #[serde(skip_serializing_if = "is_zero")]
    pub medium_or_weak: u32,
    /// At least this many indicators of any weight.
    #[serde(skip_serializing_if = "is_zero")]
    pub any: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// One outcome rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id, named in explanations.
    pub id: Name,
    /// The outcome it gives. Never `none_noted_today`, which only the engine gives.
    pub outcome: Outcome,
    /// When: indicators, dimensions, items and the person.
    pub when: Condition,
    /// Its reason in words, for the explanation.
    pub because: Text,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// How far it was checked.
    pub review: Review,
}
