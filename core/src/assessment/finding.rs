//! What an assessment says, and from what: ids and enums only. The words are in the packs.

use std::collections::BTreeSet;

use amparo_schema::answer::{Mode, Unknown, Value};
use amparo_schema::condition::{Condition, Truth};
use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::PackRef;
use amparo_schema::pack::checklist::{Threshold, Weight};
use amparo_schema::person::{Exploitation, Person};
use serde::{Deserialize, Serialize};

/// The outcome of a screening with its reasons, as a tree of ids: outcome, rule, dimension, indicator,
/// answer. The same form, answers and pack always give the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// The checklist, exactly as it was: where the words and the sources of every id below are found.
    pub pack: PackRef,
    /// The outcomes that hold, most urgent first. Never empty; `none_noted_today` only ever alone.
    pub outcomes: Vec<Given>,
    /// Every rule, in the order of the checklist.
    pub rules: Vec<RuleFinding>,
    /// Every dimension, in the order of the checklist.
    pub dimensions: Vec<DimensionFinding>,
    /// Every indicator, in the order of the checklist.
    pub indicators: Vec<IndicatorFinding>,
    /// Items that apply or may, and of which nothing is known, in the order of the form.
    pub gaps: Vec<Gap>,
    /// Items that certainly do not apply, in the order of the form.
    pub not_applicable: Vec<Name>,
    /// Forms of exploitation that noted indicators point to.
    pub exploitation: BTreeSet<Exploitation>,
    /// The person as the intake says, with those forms of exploitation added.
    pub person: Person,
}

/// One outcome and what gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The outcome.
    pub outcome: Outcome,
    /// What gave it; never empty.
    pub by: Vec<By>,
}

/// What gave an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum By {
    /// This rule of the checklist.
    Rule(Name),
    /// The engine: these rules could still give more than was given.
    OpenRules(Vec<Name>),
    /// The engine: these indicators are noted, or could still be, and no rule says what of them.
    OpenSigns(Vec<Name>),
    /// The engine: every indicator and every rule is known to say no.
    NothingNoted,
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFinding {
    /// The rule; its reason in words (`because`) is in the pack under this id.
    pub id: Name,
    /// The outcome that it gives.
    pub outcome: Outcome,
    /// Yes: it gave its outcome. Unknown: it did not, and further answers could make it. No: they could not.
    pub state: Truth,
    /// The tests of its `when` that hold (yes) or are still open (unknown); none for no. A test that holds by
    /// being false stands under `not`.
    pub because: Vec<Condition>,
}

/// The state of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DimensionState {
    /// A threshold is reached even if every unknown indicator turned out absent.
    Positive,
    /// None is reached even if every unknown indicator turned out noted.
    Negative,
    /// It depends on what is unknown.
    Undetermined,
}

impl From<DimensionState> for Truth {
    fn from(state: DimensionState) -> Self {
        match state {
            DimensionState::Positive => Self::Yes,
            DimensionState::Undetermined => Self::Unknown,
            DimensionState::Negative => Self::No,
        }
    }
}

/// What became of one dimension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DimensionFinding {
    /// The dimension.
    pub id: Name,
    /// Its state.
    pub state: DimensionState,
    /// The noted indicators of it, by weight.
    pub noted: ByWeight,
    /// The first of its thresholds that is reached; for a positive dimension only.
    pub reached: Option<Threshold>,
    /// For an undetermined dimension, the unknown indicators that could still tip it: with some completion
    /// of the others, it is positive with this one and not without.
    pub could_tip: Vec<Name>,
}

/// Indicators by weight, in the order of the checklist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByWeight {
    /// Strong ones.
    pub strong: Vec<Name>,
    /// Medium ones.
    pub medium: Vec<Name>,
    /// Weak ones.
    pub weak: Vec<Name>,
}

/// What became of one indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorFinding {
    /// The indicator.
    pub id: Name,
    /// The dimension that it counts for.
    pub dimension: Name,
    /// Its weight there.
    pub weight: Weight,
    /// Yes: noted. Unknown: could still be. No: not.
    pub state: Truth,
    /// For a noted indicator, the answers that show it.
    pub shown_by: Vec<Evidence>,
    /// For an unknown one, the items of which more would have to be known.
    pub waits_for: Vec<Name>,
}

/// One answer that shows an indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The item.
    pub item: Name,
    /// What was answered. None for a short text, whose words stay with the answer.
    pub value: Option<Value>,
    /// Seen, asked or taken from papers: as the item says.
    pub mode: Mode,
}

/// One item of which nothing is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The item.
    pub item: Name,
    /// Seen, asked or taken from papers: as the item says.
    pub mode: Mode,
    /// Why nothing is known. An item without an answer was not asked.
    pub why: Unknown,
}

impl Assessment {
    /// The outcomes that hold, most urgent first.
    #[must_use]
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.outcomes.iter().map(|given| given.outcome).collect()
    }

    /// True when the outcome holds.
    #[must_use]
    pub fn gave(&self, outcome: Outcome) -> bool {
        self.outcomes.iter().any(|given| given.outcome == outcome)
    }

    /// The hash of the whole assessment, by which a recomputed one is compared with the recorded one:
    /// `Hash::of("amparo-assessment-1", [its JSON])`, fields in the order of the types, no white space.
    #[must_use]
    pub fn hash(&self) -> Hash {
        // These types hold text, whole numbers, enums and lists only: writing them into memory cannot fail.
        Hash::of("amparo-assessment-1", &[&serde_json::to_vec(self).unwrap_or_default()])
    }
}
