//! Why the device could not do what it was asked.
//!
//! Fine-grained inside; a shell that needs few classes asks [`Error::kind`]. No variant carries a word that
//! a person said, a name, or text of a pack.

use amparo_schema::name::Name;

use crate::checklist::{AnswerError, FormError};
use crate::pack::PackError;
use crate::packet::NoPacket;
use crate::packet::card::NoCard;
use crate::packet::code::NoCode;
use crate::random::NoEntropy;
use crate::referral::NoCopy;
use crate::screening::{FoldError, NoPermit, Refused};
use crate::seal::SealError;
use crate::store::{OpenError, StoreError};

/// Why the device could not do what it was asked. Nothing was changed unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A pack or the root file.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A policy and a checklist that do not fit together.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The answer does not fit the item.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The screening is not in a state for this.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The facts of a screening make no screening: the store is damaged.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// No consent covers this.
    #[error(transparent)]
    NoPermit(#[from] NoPermit),
    /// The contact cannot be copied into a referral.
    #[error(transparent)]
    NoCopy(#[from] NoCopy),
    /// The packet cannot be built.
    #[error(transparent)]
    Packet(#[from] NoPacket),
    /// The card cannot be made.
    #[error(transparent)]
    Card(#[from] NoCard),
    /// No code can be drawn for the case.
    #[error(transparent)]
    Code(#[from] NoCode),
    /// Sealing or opening failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The host gives no randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// There is no such thing.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for: `screening`, `pack`, `service`, `step`, `referral`, `item`, `post`, `area`.
        what: &'static str,
    },
    /// No pack of this kind is installed, or not for this country.
    #[error("no {kind} is installed for this")]
    NoPack {
        /// The kind.
        kind: &'static str,
    },
    /// The checklist is shipped to build and test with, and not offered.
    #[error("the checklist {0} is disabled")]
    Disabled(Name),
    /// A fact in the store does not read: the store is damaged.
    #[error("fact {counter} does not read")]
    Unreadable {
        /// Its counter.
        counter: u64,
    },
    /// At closing the outcome came out otherwise than recorded: a fault of this program. Nothing was closed.
    #[error("the outcome came out otherwise than recorded")]
    OutcomeDiffers,
    /// The person did not agree to storing: at closing the answers were erased, and only the recorded outcome
    /// is known. What the answers alone could explain cannot be explained any more, and nothing is added.
    #[error("the answers were erased at closing; only the recorded outcome is kept")]
    Erased,
    /// What was said was purged from this device after headquarters had it; codes and referrals stay.
    #[error("purged from this device; headquarters has it")]
    Purged,
    /// Sync cannot go on.
    #[error(transparent)]
    Sync(#[from] SyncFault),
    /// A step cannot be logged so.
    #[error(transparent)]
    Step(#[from] crate::protocol::log::LogError),
    /// The text as typed cannot be searched.
    #[error(transparent)]
    Search(#[from] crate::directory::search::SearchError<StoreError>),
}

/// Why sync with headquarters cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncFault {
    /// The device belongs to no headquarters yet.
    #[error("the device is not enrolled")]
    NotEnrolled,
    /// The certificate is not this device's.
    #[error(transparent)]
    NotOurs(#[from] crate::sync::NotOurs),
    /// The ticket, the certificate or the bundle does not read.
    #[error(transparent)]
    Unreadable(#[from] crate::seal::OpenError),
}

impl From<crate::sync::SyncError<Error>> for Error {
    fn from(error: crate::sync::SyncError<Error>) -> Self {
        match error {
            crate::sync::SyncError::NotEnrolled => SyncFault::NotEnrolled.into(),
            crate::sync::SyncError::Seal(error) => error.into(),
            crate::sync::SyncError::Outbox(error) => error,
        }
    }
}

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Ask for another key.
    WrongKey,
    /// Install a newer program.
    StoreTooNew,
    /// The store was damaged and set aside; tell headquarters.
    StoreDamaged,
    /// Free some storage.
    DiskFull,
    /// Try again.
    Busy,
    /// Correct the input.
    InvalidInput,
    /// Name something that exists.
    NotFound,
    /// Do something else first.
    WrongState,
    /// Get the pack again, from its authority.
    PackRejected,
    /// Report it: a fault of this program or this phone.
    Internal,
}

impl Error {
    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(e) => store_kind(*e),
            Self::Open(e) => open_kind(e),
            Self::Pack(_) | Self::Form(_) => ErrorKind::PackRejected,
            Self::Answer(_) | Self::Step(_) | Self::Search(_) | Self::NoCopy(_) => ErrorKind::InvalidInput,
            Self::Refused(_) | Self::NoPermit(_) | Self::Packet(_) | Self::Card(_) | Self::Disabled(_) => {
                ErrorKind::WrongState
            }
            Self::Sync(SyncFault::NotEnrolled) => ErrorKind::WrongState,
            Self::Sync(_) => ErrorKind::InvalidInput,
            Self::Fold(_) | Self::Unreadable { .. } => ErrorKind::StoreDamaged,
            Self::NotFound { .. } | Self::NoPack { .. } | Self::Erased | Self::Purged => ErrorKind::NotFound,
            Self::Seal(_) | Self::NoEntropy(_) | Self::Code(_) | Self::OutcomeDiffers => ErrorKind::Internal,
        }
    }
}

fn store_kind(error: StoreError) -> ErrorKind {
    match error {
        StoreError::DiskFull => ErrorKind::DiskFull,
        StoreError::Busy => ErrorKind::Busy,
        StoreError::Damaged | StoreError::Malformed { .. } => ErrorKind::StoreDamaged,
        StoreError::Unknown { .. } => ErrorKind::NotFound,
        StoreError::TooLarge { .. } => ErrorKind::InvalidInput,
        StoreError::Conflict | StoreError::Io { .. } | StoreError::Internal { .. } => ErrorKind::Internal,
    }
}

fn open_kind(error: &OpenError) -> ErrorKind {
    match error {
        OpenError::WrongKey => ErrorKind::WrongKey,
        OpenError::TooNew { .. } => ErrorKind::StoreTooNew,
        OpenError::Missing => ErrorKind::NotFound,
        OpenError::Exists => ErrorKind::WrongState,
        OpenError::Plaintext | OpenError::Damaged { .. } | OpenError::Unreadable => ErrorKind::StoreDamaged,
        OpenError::DiskFull => ErrorKind::DiskFull,
        OpenError::Busy => ErrorKind::Busy,
        _ => ErrorKind::Internal,
    }
}
