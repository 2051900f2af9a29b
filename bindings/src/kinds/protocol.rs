//! Enums of the protocol. Repeated from where they are defined; the compiler compares.

pub use amparo_core::protocol::deadline::Progress as DeadlineProgress;
pub use amparo_core::protocol::plan::Certainty;
pub use amparo_core::protocol::plan::OutOfForce;
pub use amparo_schema::pack::protocol::ConsentNeed;
pub use amparo_schema::pack::protocol::Event as DeadlineEvent;
pub use amparo_schema::pack::protocol::Obligation;
pub use amparo_schema::pack::protocol::Phase;

/// Phases of a referral, in order.
#[uniffi::remote(Enum)]
pub enum Phase {
    /// Non-punishment and what is forbidden.
    Protect,
    /// Separate, make safe, urgent needs.
    Safety,
    /// Inform and ask for consent.
    Inform,
    /// Refer to services and authorities.
    Refer,
    /// Reflection, residence, support.
    Recover,
    /// Justice and redress.
    Justice,
    /// Follow up and report.
    FollowUp,
}

/// How binding a step is.
#[uniffi::remote(Enum)]
pub enum Obligation {
    /// Must not be done.
    Forbidden,
    /// Must be done.
    Mandatory,
    /// Should be done.
    Recommended,
}

/// Which consent a step needs.
#[uniffi::remote(Enum)]
pub enum ConsentNeed {
    /// None.
    None,
    /// The person's word.
    Verbal,
    /// In writing.
    Written,
    /// Of the guardian or the child-protection authority, with the child's assent.
    Guardian,
}

/// From which event a limit counts.
#[uniffi::remote(Enum)]
pub enum DeadlineEvent {
    /// The screening was opened.
    Found,
    /// The outcome was recorded.
    Outcome,
    /// A referral was made.
    Referral,
    /// The person applied for or was granted what the step is about; unknown until recorded.
    StepDone,
}

/// How far a deadline has run.
#[uniffi::remote(Enum)]
pub enum DeadlineProgress {
    /// The limit is no hours: it is due from the event on and is never "late".
    AtOnce,
    /// There is time.
    Open,
    /// The earlier limit has passed, the outer one has not.
    BetweenLimits,
    /// The last limit has passed.
    Late,
}

/// Whether a step applies.
#[uniffi::remote(Enum)]
pub enum Certainty {
    /// Its trigger is true.
    Applies,
    /// Its trigger is not known: shown, marked as possible.
    Possible,
}

/// Why a step is not in force.
#[uniffi::remote(Enum)]
pub enum OutOfForce {
    /// Its first day is still to come.
    NotYet,
    /// Its last day has passed.
    Ended,
    /// The step that replaced it is in force.
    Replaced,
}
