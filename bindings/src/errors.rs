//! What a caller in another language is told when something could not be done.
//!
//! Owns the one match from the core's errors. Fields are fixed codes and counts: no variant ever carries text
//! of a person, of a pack or of a database, and none echoes an argument.

use amparo_core::checklist::AnswerError;
use amparo_core::consent::Denied;
use amparo_core::device::{Error, ErrorKind, SyncFault};
use amparo_core::directory::search::SearchError;
use amparo_core::protocol::log::LogError;
use amparo_core::referral::{BadMove, NoCopy};
use amparo_core::screening::{NoPermit, Refused};
use amparo_core::seal::{self, SealError};
use amparo_core::store::{OpenError, StoreError};
use amparo_core::sync::NotOurs;

/// Why a call did nothing, by what the caller can do about it. `code` is a fixed word for logs and support.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum FieldError {
    /// Ask for another key. The store is untouched.
    #[error("wrong key")]
    WrongKey,
    /// The host's keystore no longer has the key that wraps the store key. The store stays where it is and
    /// cannot be opened on this phone; tell headquarters.
    #[error("the key is lost")]
    KeyLost,
    /// The host's keystore wants its user: unlock the phone or show the biometric prompt, then try again.
    #[error("the keystore needs its user")]
    NeedsUser,
    /// Install a newer program. The store is untouched.
    #[error("the store has version {found}, this build knows {supported}")]
    StoreTooNew {
        /// Version of the store.
        found: u32,
        /// Version that this build knows.
        supported: u32,
    },
    /// The store is damaged; nothing was deleted. Tell headquarters.
    #[error("the store is damaged: {code}")]
    StoreDamaged {
        /// How it was noticed.
        code: String,
    },
    /// Free some storage and try again.
    #[error("no room left on the disk")]
    DiskFull,
    /// Something else holds the store; try again.
    #[error("the store is in use")]
    Busy,
    /// Correct the input.
    #[error("{field}: {code}")]
    InvalidInput {
        /// Which argument or field of the call.
        field: String,
        /// What is wrong with it.
        code: String,
    },
    /// There is no such thing; list what there is.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for: `screening`, `item`, `service`, `step`, `referral`, `pack`, `case`.
        what: String,
    },
    /// Do something else first: pass the gate, ask for consent, unlock, open another referral.
    #[error("not now: {code}")]
    WrongState {
        /// What stands in the way.
        code: String,
    },
    /// Get the pack or the root file again, from its authority. The last good version stays.
    #[error("the pack is refused: {code}")]
    PackRejected {
        /// Why.
        code: String,
    },
    /// The host asked to stop. What was done before stays done.
    #[error("stopped by the host")]
    Interrupted,
    /// The host's own code (keystore, listener, transport) failed in a way that it did not name.
    #[error("the host failed: {code}")]
    Host {
        /// Where.
        code: String,
    },
    /// Report it: a fault of this program or this phone. The device can go on being used.
    #[error("internal: {code}")]
    Internal {
        /// Where.
        code: String,
    },
}

impl FieldError {
    pub(crate) fn invalid(field: &str, code: &str) -> Self {
        Self::InvalidInput { field: field.into(), code: code.into() }
    }

    pub(crate) fn state(code: &str) -> Self {
        Self::WrongState { code: code.into() }
    }

    pub(crate) fn internal(code: &str) -> Self {
        Self::Internal { code: code.into() }
    }

    /// A fixed word for the log.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::WrongKey => "wrong-key",
            Self::KeyLost => "key-lost",
            Self::NeedsUser => "needs-user",
            Self::StoreTooNew { .. } => "store-too-new",
            Self::DiskFull => "disk-full",
            Self::Busy => "busy",
            Self::Interrupted => "interrupted",
            Self::NotFound { what } => what,
            Self::InvalidInput { code, .. }
            | Self::StoreDamaged { code }
            | Self::WrongState { code }
            | Self::PackRejected { code }
            | Self::Host { code }
            | Self::Internal { code } => code,
        }
    }
}

/// Whatever a host's code throws that is no [`FieldError`]: its text is dropped, it may hold anything.
impl From<uniffi::UnexpectedUniFFICallbackError> for FieldError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Host { code: "callback".into() }
    }
}

impl From<Error> for FieldError {
    fn from(error: Error) -> Self {
        let code = || code(&error).to_owned();
        match &error {
            Error::Open(OpenError::TooNew { found, supported }) => {
                return Self::StoreTooNew { found: *found, supported: *supported };
            }
            // The one key that a caller gives.
            Error::Seal(SealError::BadRecipient) => return Self::invalid("recipient", "no-key"),
            // Nothing is wrong with the certificate: the order is.
            Error::Sync(SyncFault::NotOurs(NotOurs::NotAsked)) => {
                return Self::WrongState { code: code() };
            }
            // A search that failed in the store is no fault of what was typed.
            Error::Search(SearchError::Store(e)) => return Self::from(Error::Store(*e)),
            _ => {}
        }
        match error.kind() {
            ErrorKind::WrongKey => Self::WrongKey,
            ErrorKind::StoreTooNew => Self::StoreTooNew { found: 0, supported: 0 },
            ErrorKind::StoreDamaged => Self::StoreDamaged { code: code() },
            ErrorKind::DiskFull => Self::DiskFull,
            ErrorKind::Busy => Self::Busy,
            ErrorKind::InvalidInput => Self::InvalidInput { field: field(&error).into(), code: code() },
            ErrorKind::NotFound => Self::NotFound { what: code() },
            ErrorKind::WrongState => Self::WrongState { code: code() },
            ErrorKind::PackRejected => Self::PackRejected { code: code() },
            ErrorKind::Internal => Self::Internal { code: code() },
        }
    }
}

fn field(error: &Error) -> &'static str {
    match error {
        Error::Answer(_) => "answer",
        Error::Step(_) => "state",
        Error::Search(_) => "typed",
        Error::NoCopy(_) => "channel",
        Error::Sync(_) => "bytes",
        _ => "value",
    }
}

fn code(error: &Error) -> &'static str {
    match error {
        Error::Store(e) => store_code(*e),
        Error::Open(e) => open_code(e),
        Error::Pack(e) => e.code(),
        Error::Form(_) => "checklist-and-policy-do-not-fit",
        Error::Answer(e) => answer_code(e),
        Error::Refused(e) => refused_code(e),
        Error::Fold(_) => "facts-make-no-screening",
        Error::NoPermit(NoPermit::NoReferral) => "referral",
        Error::NoPermit(NoPermit::Denied(e)) => denied_code(*e),
        Error::NoCopy(NoCopy::NoChannel(_)) => "no-such-channel",
        Error::NoCopy(NoCopy::DoNotDial(_)) => "do-not-dial",
        Error::NoCopy(NoCopy::NotOffered) => "not-offered",
        Error::Packet(_) => "no-packet",
        Error::Card(_) => "no-card",
        Error::Code(_) => "no-code",
        Error::Seal(_) => "seal",
        Error::NoEntropy(_) => "no-randomness",
        Error::NotFound { what } => what,
        Error::NoPack { kind } => kind,
        Error::Disabled(_) => "checklist-not-offered",
        Error::Unreadable { .. } => "fact-unreadable",
        Error::OutcomeDiffers => "outcome-differs",
        Error::Erased => "answers",
        Error::Purged => "purged",
        Error::Sync(e) => sync_code(*e),
        Error::Step(e) => step_code(*e),
        Error::Search(SearchError::TooLong) => "too-long",
        Error::Search(SearchError::TooManyWords) => "too-many-words",
        Error::Search(SearchError::Store(e)) => store_code(*e),
    }
}

fn store_code(error: StoreError) -> &'static str {
    match error {
        StoreError::Damaged => "pages",
        StoreError::Malformed { .. } => "malformed-row",
        StoreError::Conflict => "conflict",
        StoreError::Unknown { table } => table,
        StoreError::TooLarge { .. } => "too-large",
        StoreError::DiskFull => "disk-full",
        StoreError::Busy => "busy",
        StoreError::Io { .. } => "io",
        StoreError::Internal { .. } => "store",
    }
}

fn open_code(error: &OpenError) -> &'static str {
    match error {
        OpenError::Missing => "store",
        OpenError::Exists => "store-exists",
        OpenError::WrongKey => "wrong-key",
        OpenError::Plaintext => "not-encrypted",
        OpenError::TooNew { .. } => "store-too-new",
        OpenError::Damaged { .. } => "set-aside",
        OpenError::Unreadable => "wrong-key-or-damaged",
        OpenError::DiskFull => "disk-full",
        OpenError::Busy => "busy",
        OpenError::Io { .. } => "io",
        OpenError::NoEntropy(_) => "no-randomness",
        OpenError::UnsafeSqlite { .. } => "unsafe-sqlite",
        OpenError::Internal { .. } => "store",
    }
}

fn answer_code(error: &AnswerError) -> &'static str {
    match error {
        AnswerError::NoSuchItem(_) => "no-such-item",
        AnswerError::NotYesNo(_) => "takes-yes-or-no",
        AnswerError::NotAChoice(_) => "takes-one-option",
        AnswerError::NotChoices(_) => "takes-options",
        AnswerError::NotANumber(_) => "takes-a-number",
        AnswerError::NotADate(_) => "takes-a-date",
        AnswerError::NotAnAge(_) => "takes-an-age",
        AnswerError::NotAText(_) => "takes-a-text",
        AnswerError::NoSuchOption(_) => "no-such-option",
        AnswerError::OutOfBounds { .. } => "out-of-bounds",
        AnswerError::NotAnAgeRange(_) => "age-out-of-order",
        AnswerError::EmptyText(_) => "empty",
        AnswerError::TextTooLong { .. } => "too-long",
        AnswerError::ForbiddenCharacters(_) => "forbidden-characters",
    }
}

fn refused_code(error: &Refused) -> &'static str {
    match error {
        Refused::Gate => "gate-not-passed",
        Refused::Talk(_) => "no-consent-to-talk",
        Refused::Closed => "closed",
        Refused::NoOutcome => "no-outcome",
        Refused::OtherOutcome => "other-outcome",
        Refused::Identity => "identity-only-at-referral",
        Refused::Referral(BadMove::Taken) => "referral-taken",
        Refused::Referral(BadMove::Unknown) => "no-such-referral",
        Refused::Referral(BadMove::NotLegal { .. }) => "referral-cannot-move-so",
        Refused::Referral(BadMove::NoReason(_)) | Refused::NoReason => "reason-missing",
        Refused::Referral(BadMove::LongReason) => "reason-too-long",
        Refused::Referral(BadMove::DeceptiveReason) => "forbidden-characters",
        Refused::NoConsent => "no-such-consent",
        Refused::ConsentForm => "receiver-or-scope-does-not-fit",
        Refused::Waiver => "cannot-be-waived",
        Refused::GateForm => "no-such-gate-check",
        Refused::Bounds => "out-of-bounds",
        Refused::Stranger => "does-not-belong-here",
        Refused::Full => "screening-full",
    }
}

fn denied_code(error: Denied) -> &'static str {
    match error {
        Denied::Nothing => "nothing-asked-for",
        Denied::Standing(..) => "no-consent-to-share",
        Denied::Scope(_) => "consent-does-not-cover",
        Denied::NeedsGuardian(_) => "needs-guardian-or-authority",
    }
}

fn sync_code(error: SyncFault) -> &'static str {
    match error {
        SyncFault::NotEnrolled => "not-enrolled",
        SyncFault::NotOurs(NotOurs::NotAsked) => "enrolment-not-asked",
        SyncFault::NotOurs(NotOurs::Signature) | SyncFault::Unreadable(seal::OpenError::Signature) => {
            "signature"
        }
        SyncFault::NotOurs(NotOurs::OtherDevice) => "other-device",
        SyncFault::Unreadable(seal::OpenError::Version) => "version",
        SyncFault::Unreadable(seal::OpenError::Form) => "form",
        SyncFault::Unreadable(_) => "sealed-for-another",
    }
}

fn step_code(error: LogError) -> &'static str {
    match error {
        LogError::UnknownStep => "no-such-step",
        LogError::ReasonMissing => "reason-missing",
        LogError::ReasonTooLong => "reason-too-long",
        LogError::ReasonCharacter { .. } => "forbidden-characters",
    }
}
