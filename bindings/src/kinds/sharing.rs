//! Enums of consent and referral. Repeated from where they are defined; the compiler compares.

pub use amparo_core::consent::State as ConsentState;
pub use amparo_schema::fact::ConsentBy;
pub use amparo_schema::fact::IdentityField;
pub use amparo_schema::fact::ReferralState;
pub use amparo_schema::fact::Scope as ShareScope;
pub use amparo_schema::pack::policy::Purpose as ConsentPurpose;
pub use amparo_schema::pack::protocol::ExceptionKind;

/// What a consent is for.
#[uniffi::remote(Enum)]
pub enum ConsentPurpose {
    /// To talk.
    Talk,
    /// To store what is said.
    Store,
    /// To share with one named service.
    ShareService,
    /// To share identity with police or prosecutor.
    ShareIdentity,
    /// To count in statistics.
    Statistics,
}

/// Who consented.
#[uniffi::remote(Enum)]
pub enum ConsentBy {
    /// The person.
    Person,
    /// A guardian, with the child's assent.
    Guardian,
    /// The child-protection authority, with the child's assent.
    Authority,
}

/// Where one consent stands.
#[uniffi::remote(Enum)]
pub enum ConsentState {
    /// The person agreed and it has not lapsed.
    Given,
    /// The person said no.
    Refused,
    /// The person took it back.
    Withdrawn,
    /// It has lapsed by its own term.
    Expired,
    /// The person was not asked.
    NotAsked,
}

/// What a packet may hold.
#[uniffi::remote(Enum)]
pub enum ShareScope {
    /// Needs: language, children along, age band, sex.
    Needs,
    /// The classes of the outcome, in words.
    Outcome,
    /// The indicators that were noted.
    Indicators,
    /// Name, and how to reach the person.
    Identity,
}

/// The situations that the law knows.
#[uniffi::remote(Enum)]
pub enum ExceptionKind {
    /// A child at risk.
    ChildAtRisk,
    /// Imminent danger to life.
    ImminentDanger,
    /// A legal duty to report.
    LegalDuty,
}

/// What the identity compartment may hold. Never the name of another person.
#[uniffi::remote(Enum)]
pub enum IdentityField {
    /// The name that the person wants to be called by.
    Name,
    /// Nationality.
    Nationality,
    /// Number of a document.
    Document,
    /// A safe way to reach the person.
    SafeContact,
}

/// States of a referral.
#[uniffi::remote(Enum)]
pub enum ReferralState {
    /// Offered to the person.
    Offered,
    /// The person declined.
    Declined,
    /// Sent to the service: called, handed over, or in the outgoing queue.
    Sent,
    /// The service accepted.
    Accepted,
    /// The service rejected; the reason says why.
    Rejected,
    /// Done.
    Done,
    /// Taken back.
    Revoked,
    /// No answer within the time that the protocol sets.
    Overdue,
}
