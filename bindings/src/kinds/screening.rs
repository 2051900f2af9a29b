//! Enums of a screening and its packs. Repeated from where they are defined; the compiler compares.

pub use amparo_core::screening::Keep;
pub use amparo_schema::answer::Mode as ItemMode;
pub use amparo_schema::answer::Unknown as UnknownReason;
pub use amparo_schema::fact::StopReason;
pub use amparo_schema::outcome::Outcome;
pub use amparo_schema::pack::Kind as PackKind;
pub use amparo_schema::pack::checklist::Population;
pub use amparo_schema::pack::checklist::Weight;
pub use amparo_schema::person::Setting;
pub use amparo_schema::text::Review as ReviewState;

/// What a screening may say. Several hold at once. None says "victim", "not a victim", or a number.
#[uniffi::remote(Enum)]
pub enum Outcome {
    /// An immediate danger or health need was noted.
    UrgentSafety,
    /// The person is, or may be, under 18 and something was noted or is not known.
    ChildProtection,
    /// Indicators were noted that together call for a referral.
    Presumed,
    /// Not enough is known; this is not a "no".
    ConcernUnresolved,
    /// Signs of a breach of labour law.
    LabourRights,
    /// The person fears return, or may seek asylum: no return before a specialist has answered.
    ReturnConcern,
    /// Nothing was noted today. Given only by the engine, when no other class holds or may hold.
    NoneNotedToday,
}

/// Why nothing is known.
#[uniffi::remote(Enum)]
pub enum UnknownReason {
    /// The item was skipped or not reached.
    NotAsked,
    /// The person did not want to answer.
    Refused,
    /// It could not be seen from here.
    NotObservable,
    /// The talk ended before an answer.
    Interrupted,
    /// The person does not know.
    DoesNotKnow,
}

/// How an answer came about.
#[uniffi::remote(Enum)]
pub enum ItemMode {
    /// Seen, without a question.
    Observe,
    /// Asked of the person, after the gate.
    Ask,
    /// Filled in by staff from papers, without the person.
    Staff,
}

/// The kind of place.
#[uniffi::remote(Enum)]
pub enum Setting {
    /// A border crossing, port or airport.
    Border,
    /// A workplace under inspection.
    Workplace,
    /// A street or public place.
    Street,
    /// Police premises or custody.
    Custody,
    /// A consulate.
    Consulate,
    /// Another place.
    Other,
}

/// Why a talk was stopped.
#[uniffi::remote(Enum)]
pub enum StopReason {
    /// The person wanted to stop.
    PersonStopped,
    /// It was no longer safe to talk.
    Unsafe,
    /// No time or no place left.
    NoTime,
    /// Urgent help came first.
    UrgentHelp,
}

/// The weight of an indicator.
#[uniffi::remote(Enum)]
pub enum Weight {
    /// Strong.
    Strong,
    /// Medium.
    Medium,
    /// Weak.
    Weak,
}

/// Whom a checklist is for.
#[uniffi::remote(Enum)]
pub enum Population {
    /// People of 18 and over.
    Adult,
    /// People who are or may be under 18.
    Child,
    /// Everyone.
    Anyone,
}

/// What may be kept.
#[uniffi::remote(Enum)]
pub enum Keep {
    /// Everything, for as long as the policy says.
    Full,
    /// Counts only: no answer, no identity, no code by which the person could be found again.
    AggregateOnly,
}

/// The kind of a pack.
#[uniffi::remote(Enum)]
pub enum PackKind {
    /// Items, indicators, dimensions, rules.
    Checklist,
    /// Steps, deadlines, prohibitions.
    Protocol,
    /// Services and agencies.
    Directory,
    /// Holidays and time zones.
    Calendar,
    /// Intake, gate, consent, words, retention.
    Policy,
    /// Agencies with their keys.
    Recipients,
}

/// How far a fact has been checked. Nothing that is shipped with the source code is `approved`.
#[uniffi::remote(Enum)]
pub enum ReviewState {
    /// A machine made the first draft and nobody has read it since.
    MachineDrafted,
    /// Known only second-hand or from memory: built and tested with, not to be relied on.
    Unverified,
    /// Taken from the cited source.
    Reference,
    /// Read against the source by a second person.
    Reviewed {
        /// Who: an office, not a person.
        by: String,
    },
    /// Approved for use by a national authority.
    Approved {
        /// Which authority.
        by: String,
        /// When, ISO 8601.
        on: String,
    },
}
