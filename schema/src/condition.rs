//! Conditions: a typed, bounded tree, evaluated three-valued (Kleene). Authors write the compact text form
//! of `content/README.md`; a device only ever sees the tree.

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::outcome::Outcome;
use crate::person::{Country, Setting};

/// A condition. Missing knowledge makes it unknown, never false.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// True when every part is; false when one is false.
    All(Vec<Condition>),
    /// True when one part is; false when every part is false.
    Any(Vec<Condition>),
    /// True when at least `n` of the parts are true; false when fewer than `n` can be.
    AtLeast {
        /// How many, from 1.
        n: u32,
        /// The parts.
        of: Vec<Condition>,
    },
    /// The opposite; unknown stays unknown.
    Not(Box<Condition>),
    /// True when the part is true or unknown; false otherwise. Never unknown.
    Possible(Box<Condition>),
    /// The item was answered yes.
    Yes(Name),
    /// The item was answered no.
    No(Name),
    /// The item's choice is this option, or its choices hold it.
    Has {
        /// The item.
        item: Name,
        /// The option.
        option: Name,
    },
    /// The item's number lies in these bounds, both included.
    Number {
        /// The item.
        item: Name,
        /// The lowest, none for no bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// The highest, none for no bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// Any value is known for the item. Never unknown.
    Answered(Name),
    /// The person is or may be under 18. Never unknown: doubt counts as a child.
    Child,
    /// Foreign, unaccompanied, offence suspected, children along, female, male.
    Person(PersonTest),
    /// This indicator is noted.
    Indicator(Name),
    /// An indicator of this dimension is noted; unknown while one could be.
    Noted(Name),
    /// Any indicator at all is noted; unknown while one could be.
    NotedAny,
    /// This dimension is positive; unknown while it is undetermined.
    Positive(Name),
    /// The assessment gave this outcome. Never unknown.
    Outcome(Outcome),
    /// The screening takes place in this country. Never unknown.
    Country(Country),
    /// The screening takes place in such a setting. Never unknown.
    Setting(Setting),
    /// Always true.
    Always,
}

/// A test of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonTest {
    /// A national of another country.
    Foreign,
    /// A child without parent or legal guardian along.
    Unaccompanied,
    /// Found while suspected of an offence.
    OffenceSuspected,
    /// Has children along.
    ChildrenAlong,
    /// Female.
    Female,
    /// Male.
    Male,
}

/// Kleene's three values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Known to be false.
    No,
    /// Not known.
    Unknown,
    /// Known to be true.
    Yes,
}

impl Truth {
    /// The opposite; unknown stays.
    #[must_use]
    #[allow(clippy::should_implement_trait)] // Kleene's word for it, and no operator is wanted
    pub fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}

impl From<Option<bool>> for Truth {
    fn from(known: Option<bool>) -> Self {
        known.map_or(Self::Unknown, Self::from)
    }
}

impl Condition {
    /// The parts of this node, for walking.
    #[must_use]
    pub fn parts(&self) -> &[Condition] {
        match self {
            Self::All(of) | Self::Any(of) | Self::AtLeast { of, .. } => of,
            Self::Not(one) | Self::Possible(one) => std::slice::from_ref(one),
            _ => &[],
        }
    }
}
