//! The classes of an outcome. Their words belong to content, not to code.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// What a screening may say. Several hold at once. None says "victim", "not a victim", or a number.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Outcome {
    /// An immediate danger or health need was noted.
    #[n(0)]
    UrgentSafety,
    /// The person is, or may be, under 18 and something was noted or is not known.
    #[n(1)]
    ChildProtection,
    /// Indicators were noted that together call for a referral.
    #[n(2)]
    Presumed,
    /// Not enough is known; this is not a "no".
    #[n(3)]
    ConcernUnresolved,
    /// Signs of a breach of labour law.
    #[n(4)]
    LabourRights,
    /// The person fears return, or may seek asylum: no return before a specialist has answered.
    #[n(5)]
    ReturnConcern,
    /// Nothing was noted today. Given only by the engine, when no other class holds or may hold.
    #[n(6)]
    NoneNotedToday,
}

impl Outcome {
    /// Every class, most urgent first.
    pub const ALL: [Self; 7] = [
        Self::UrgentSafety,
        Self::ChildProtection,
        Self::Presumed,
        Self::ConcernUnresolved,
        Self::LabourRights,
        Self::ReturnConcern,
        Self::NoneNotedToday,
    ];

    /// The class as it is written in packs: `urgent_safety`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UrgentSafety => "urgent_safety",
            Self::ChildProtection => "child_protection",
            Self::Presumed => "presumed",
            Self::ConcernUnresolved => "concern_unresolved",
            Self::LabourRights => "labour_rights",
            Self::ReturnConcern => "return_concern",
            Self::NoneNotedToday => "none_noted_today",
        }
    }
}
