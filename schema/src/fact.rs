//! Facts: what happened, append-only. Everything that a screening is follows from its facts.
//!
//! A fact is one deterministic CBOR array (minicbor writes fields in index order, definite
//! lengths). The chain over facts is [`chain_hash`]; a purged body leaves its hash, so the chain stays whole.

mod parts;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Mode};
use crate::id::{CaseId, Hash, ReferralId, ScreeningId, StoreId};
use crate::name::Name;
use crate::outcome::Outcome;
use crate::pack::PackRef;
use crate::pack::policy::Purpose;
use crate::pack::protocol::ExceptionKind;
use crate::person::Place;
use crate::text::{Lang, Source};

pub use parts::{
    Consent, ConsentBy, ContactCopy, IdentityField, Packs, ReferralState, Scope, StepState, StopReason,
};

/// A fact with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Fact {
    /// When, as far as the device knew.
    #[n(0)]
    pub at: Stamp,
    /// What.
    #[n(1)]
    pub body: Body,
}

/// A moment as a phone knows it. Order is never taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Stamp {
    /// Milliseconds since 1970, UTC, by the phone's clock.
    #[n(0)]
    pub wall_ms: i64,
    /// Minutes east of UTC that the phone showed.
    #[n(1)]
    pub offset_minutes: i16,
    /// Milliseconds since the phone started; goes only up while it runs.
    #[n(2)]
    pub steady_ms: u64,
    /// Why the wall time is doubted, if it is.
    #[n(3)]
    pub doubt: Option<Doubt>,
}

/// Why a phone's clock is doubted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Doubt {
    /// It is earlier than an earlier fact of this store.
    #[n(0)]
    Backwards,
    /// It moved by more than an hour against the time since the phone started.
    #[n(1)]
    Jumped,
    /// It is earlier than the day on which an installed pack came into use.
    #[n(2)]
    BeforeContent,
    /// It is later than any installed pack may be used, by a year or more.
    #[n(3)]
    FarAfterContent,
}

/// What happened. `Debug` shows the kind of fact only.
// A screening holds some hundred facts, one at a time in memory: boxing would cost more than it saves.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A case was opened: a random code for the records and a short one for the person.
    #[n(0)]
    CaseOpened {
        /// The case.
        #[n(0)]
        case: CaseId,
        /// The random code.
        #[n(1)]
        code: String,
        /// The code that the person can remember.
        #[n(2)]
        memorable: String,
    },
    /// A screening was opened on these packs.
    #[n(1)]
    ScreeningOpened {
        /// The case.
        #[n(0)]
        case: CaseId,
        /// The screening.
        #[n(1)]
        screening: ScreeningId,
        /// The packs that it stays on.
        #[n(2)]
        packs: Packs,
        /// Where.
        #[n(3)]
        place: Place,
        /// The language of the official.
        #[n(4)]
        lang: Lang,
    },
    /// An item was answered. The last answer to an item counts; earlier ones stay.
    #[n(2)]
    Answered {
        /// The item.
        #[n(0)]
        item: Name,
        /// The answer.
        #[n(1)]
        answer: Answer,
        /// How it came about.
        #[n(2)]
        mode: Mode,
    },
    /// The safe-interview gate was tried. It is passed when nothing is missing.
    #[n(3)]
    GateChecked {
        /// Checks that were confirmed.
        #[n(0)]
        confirmed: Vec<Name>,
        /// Checks that could not be.
        #[n(1)]
        missing: Vec<Name>,
    },
    /// The person consented.
    #[n(4)]
    ConsentGiven(#[n(0)] Consent),
    /// The person withdrew a consent; refers to the counter of the fact that gave it.
    #[n(5)]
    ConsentWithdrawn {
        /// The counter of the `ConsentGiven` fact.
        #[n(0)]
        consent: u64,
    },
    /// The person said no to a consent.
    #[n(6)]
    ConsentRefused {
        /// What for.
        #[n(0)]
        purpose: Purpose,
        /// The version of the wording that was read.
        #[n(1)]
        wording: u32,
        /// The language it was read in.
        #[n(2)]
        lang: Lang,
        /// The service that may not receive, for sharing; none for no service at all.
        #[n(3)]
        receiver: Option<Name>,
    },
    /// The law lets something go ahead without consent, and it was used.
    #[n(7)]
    ConsentWaived {
        /// What for.
        #[n(0)]
        purpose: Purpose,
        /// The situation.
        #[n(1)]
        situation: ExceptionKind,
        /// The law.
        #[n(2)]
        legal_basis: Source,
        /// Whether the person was told.
        #[n(3)]
        told: bool,
    },
    /// The outcome was recorded.
    #[n(8)]
    OutcomeRecorded {
        /// The classes, most urgent first.
        #[n(0)]
        outcomes: Vec<Outcome>,
        /// The hash of the whole assessment; recomputed and compared at closing.
        #[n(1)]
        assessment: Hash,
    },
    /// A step of the protocol was done, skipped or impossible.
    #[n(9)]
    StepLogged {
        /// The step.
        #[n(0)]
        step: Name,
        /// What became of it.
        #[n(1)]
        state: StepState,
    },
    /// A referral was begun; the contact is copied, so that later directories change nothing.
    #[n(10)]
    ReferralOffered {
        /// The referral.
        #[n(0)]
        referral: ReferralId,
        /// The contact as it was.
        #[n(1)]
        contact: ContactCopy,
    },
    /// A referral moved on.
    #[n(11)]
    ReferralMoved {
        /// The referral.
        #[n(0)]
        referral: ReferralId,
        /// Its new state.
        #[n(1)]
        to: ReferralState,
        /// Why, where a reason is asked.
        #[n(2)]
        reason: Option<String>,
    },
    /// Something about who the person is. Only ever in the identity compartment.
    #[n(12)]
    IdentityGiven {
        /// What.
        #[n(0)]
        field: IdentityField,
        /// The words.
        #[n(1)]
        value: String,
    },
    /// The official's or the person's language was changed.
    #[n(13)]
    LanguageSet {
        /// The language.
        #[n(0)]
        lang: Lang,
        /// True for the person's, false for the official's.
        #[n(1)]
        person: bool,
    },
    /// The talk was stopped before its end. It never lowers an outcome.
    #[n(14)]
    Stopped {
        /// Why.
        #[n(0)]
        reason: StopReason,
    },
    /// The screening was closed and sealed. Afterwards facts are only added.
    #[n(15)]
    Closed {
        /// The classes of the outcome, recomputed.
        #[n(0)]
        outcomes: Vec<Outcome>,
        /// The hash of the assessment, recomputed.
        #[n(1)]
        assessment: Hash,
    },
    /// A pack was installed.
    #[n(16)]
    PackInstalled {
        /// Which.
        #[n(0)]
        pack: PackRef,
    },
    /// The store was created or came back as a new incarnation.
    #[n(17)]
    IncarnationBegun {
        /// The incarnation.
        #[n(0)]
        incarnation: u64,
    },
}

/// Compartments: what kind of fact it is for those who may read it. Who may, follows from the [`Lane`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Compartment {
    /// Who the person is.
    #[n(0)]
    Identity,
    /// What was seen, said and done.
    #[n(1)]
    Case,
    /// What the person agreed to.
    #[n(2)]
    Consent,
    /// What happened to the store.
    #[n(3)]
    Audit,
}

impl Compartment {
    /// The lane of this compartment.
    #[must_use]
    pub fn lane(self) -> Lane {
        match self {
            Self::Identity => Lane::Identity,
            Self::Case | Self::Consent => Lane::Case,
            Self::Audit => Lane::Audit,
        }
    }
}

/// Lanes: compartments that have the same readers, always. Facts of one lane are sealed together; lanes never mix
/// in a segment. Who may read is decided for a lane, so that no two compartments of one can come to differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Who the person is.
    Identity,
    /// What was seen, said, done and agreed to.
    Case,
    /// What happened to the store.
    Audit,
}

impl Lane {
    /// The compartment by which a lane is named: its first.
    #[must_use]
    pub fn compartment(self) -> Compartment {
        match self {
            Self::Identity => Compartment::Identity,
            Self::Case => Compartment::Case,
            Self::Audit => Compartment::Audit,
        }
    }
}

impl Body {
    /// The compartment of this fact.
    #[must_use]
    pub fn compartment(&self) -> Compartment {
        match self {
            Self::IdentityGiven { .. } => Compartment::Identity,
            Self::ConsentGiven(_)
            | Self::ConsentWithdrawn { .. }
            | Self::ConsentRefused { .. }
            | Self::ConsentWaived { .. } => Compartment::Consent,
            Self::PackInstalled { .. } | Self::IncarnationBegun { .. } => Compartment::Audit,
            _ => Compartment::Case,
        }
    }

    /// The kind as a fixed word, for lists and logs; never anything personal.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CaseOpened { .. } => "case_opened",
            Self::ScreeningOpened { .. } => "screening_opened",
            Self::Answered { .. } => "answered",
            Self::GateChecked { .. } => "gate_checked",
            Self::ConsentGiven(_) => "consent_given",
            Self::ConsentWithdrawn { .. } => "consent_withdrawn",
            Self::ConsentRefused { .. } => "consent_refused",
            Self::ConsentWaived { .. } => "consent_waived",
            Self::OutcomeRecorded { .. } => "outcome_recorded",
            Self::StepLogged { .. } => "step_logged",
            Self::ReferralOffered { .. } => "referral_offered",
            Self::ReferralMoved { .. } => "referral_moved",
            Self::IdentityGiven { .. } => "identity_given",
            Self::LanguageSet { .. } => "language_set",
            Self::Stopped { .. } => "stopped",
            Self::Closed { .. } => "closed",
            Self::PackInstalled { .. } => "pack_installed",
            Self::IncarnationBegun { .. } => "incarnation_begun",
        }
    }
}

/// The hash of a fact's encoded body as it lies in the store (identity bodies: of the sealed bytes).
#[must_use]
pub fn body_hash(body: &[u8]) -> Hash {
    Hash::of("amparo-fact-body-1", &[body])
}

/// The link of the chain: binds store, counter, previous link, screening (empty for none) and body.
#[must_use]
pub fn chain_hash(
    store: StoreId,
    counter: u64,
    previous: &Hash,
    screening: Option<ScreeningId>,
    body: &Hash,
) -> Hash {
    let screening = screening.map(|id| id.0);
    Hash::of(
        "amparo-fact-1",
        &[
            &store.0,
            &counter.to_be_bytes(),
            &previous.0,
            screening.as_ref().map_or(&[][..], |id| &id[..]),
            &body.0,
        ],
    )
}
