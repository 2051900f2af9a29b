//! Why a store will not open, and why work on an open one failed.
//!
//! Owns the translation of SQLite's codes. Never carries a text of the database, which could hold what
//! someone said.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why a store cannot be opened or created. Nothing is ever deleted on the way here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is no file of this name.
    #[error("no store of this name")]
    Missing,
    /// A store of this name exists; creating never replaces one.
    #[error("a store of this name exists")]
    Exists,
    /// The key is not this store's. The store is untouched.
    #[error("not the key of this store")]
    WrongKey,
    /// The file is an SQLite database without encryption. It is untouched.
    #[error("the file is not encrypted")]
    Plaintext,
    /// A later build wrote this store. It is untouched.
    #[error("the store has version {found}, this build knows {supported}")]
    TooNew {
        /// Version of the store.
        found: u32,
        /// Version of this build.
        supported: u32,
    },
    /// The key is right and the file cannot be read. It was renamed, with everything beside it, and waits
    /// for a person who can help.
    #[error("the store is damaged and was set aside")]
    Damaged {
        /// Where it is now.
        set_aside: PathBuf,
    },
    /// The file cannot be read, and the canary that would tell a wrong key from damage is gone. The store
    /// is untouched.
    #[error("wrong key or damaged store")]
    Unreadable,
    /// No room left on the disk.
    #[error("no room left on the disk")]
    DiskFull,
    /// Another process holds the store.
    #[error("the store is in use")]
    Busy,
    /// The operating system failed.
    #[error("the store cannot be reached ({code})")]
    Io {
        /// SQLite's extended code or the operating system's, 0 if unknown.
        code: i32,
    },
    /// The host gave no randomness.
    #[error(transparent)]
    NoEntropy(#[from] crate::random::NoEntropy),
    /// This build carries an SQLite that can lose data (before 3.51.3).
    #[error("this build carries SQLite {found}, which may lose data")]
    UnsafeSqlite {
        /// Its version number, 3 051 003 for 3.51.3.
        found: i32,
    },
    /// Anything else; a defect of this program.
    #[error("the store failed ({code})")]
    Internal {
        /// SQLite's extended code, 0 if it came from elsewhere.
        code: i32,
    },
}

/// Why work on an open store failed. The transaction it was in left nothing behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A page cannot be read. Stop, tell, and let `verify` say how much.
    #[error("the store is damaged")]
    Damaged,
    /// A row holds what no row of this store can hold.
    #[error("a row of {table} is malformed")]
    Malformed {
        /// Table.
        table: &'static str,
    },
    /// It is there already, or something still refers to it.
    #[error("in conflict with what is stored")]
    Conflict,
    /// What the work refers to is not there.
    #[error("no such row in {table}")]
    Unknown {
        /// Table.
        table: &'static str,
    },
    /// Past a limit of [`crate::schema::limits`].
    #[error("past the limit {limit}")]
    TooLarge {
        /// Name of the limit.
        limit: &'static str,
    },
    /// No room left on the disk.
    #[error("no room left on the disk")]
    DiskFull,
    /// Another process holds the store.
    #[error("the store is in use")]
    Busy,
    /// The operating system failed.
    #[error("the store cannot be reached ({code})")]
    Io {
        /// SQLite's extended code or the operating system's, 0 if unknown.
        code: i32,
    },
    /// Anything else; a defect of this program.
    #[error("the store failed ({code})")]
    Internal {
        /// SQLite's extended code, 0 if it came from elsewhere.
        code: i32,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, _) = error else {
            return match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..) => Self::Malformed { table: "?" },
                _ => Self::Internal { code: 0 },
            };
        };
        let code = failure.extended_code;
        match failure.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged,
            ErrorCode::ConstraintViolation => Self::Conflict,
            ErrorCode::TooBig => Self::TooLarge { limit: "PACK_BYTES_MAX" },
            ErrorCode::DiskFull => Self::DiskFull,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly => Self::Io { code },
            _ => Self::Internal { code },
        }
    }
}

/// A failure on the way to an open store: either an answer for the caller, or a file that does not read.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite says that this is no database, or a damaged one.
    Unreadable,
    /// Anything that the caller can be told as it is.
    Told(OpenError),
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::Told(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Told(match error {
            StoreError::Damaged | StoreError::Malformed { .. } => return Self::Unreadable,
            StoreError::DiskFull => OpenError::DiskFull,
            StoreError::Busy => OpenError::Busy,
            StoreError::Io { code } => OpenError::Io { code },
            StoreError::Internal { code } => OpenError::Internal { code },
            StoreError::Conflict | StoreError::Unknown { .. } | StoreError::TooLarge { .. } => {
                OpenError::Internal { code: 0 }
            }
        })
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<std::io::Error> for OpenError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io { code: error.raw_os_error().unwrap_or(0) },
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Told(error.into())
    }
}
