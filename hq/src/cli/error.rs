//! What can go wrong on the command line, and its exit code.

use std::path::Path;

use amparo_seal::random::NoEntropy;
use amparo_seal::{OpenError, SealError};

use super::args::exit;
use crate::desk::DeskError;
use crate::http::{ServeError, TlsError};
use crate::relay::RelayError;
use crate::storage::StorageError;

/// Why a command failed. Names files, never what is in them.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file or folder.
    #[error("{place}: {why}")]
    Io {
        /// Which.
        place: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// A file of ours does not read.
    #[error("{0} does not read; it was changed or is of a later build")]
    Damaged(String),
    /// There is no folder yet.
    #[error("there is nothing in {0}; make it with `amparo-hq {1}`")]
    NotMade(String, &'static str),
    /// There is one already.
    #[error("{0} is there already; nothing was changed")]
    Exists(String),
    /// Another process works with the folder.
    #[error("another process works with this folder; stop it, or wait until it is done")]
    InUse,
    /// What was given as a backup is none, or not of this headquarters. Which file, and why.
    #[error("{0} cannot be restored from: {1}")]
    NoBackup(String, String),
    /// The command line asks for what must not be done. Says what would do.
    #[error("{0}")]
    Refused(&'static str),
    /// Headquarters did not do it.
    #[error("headquarters answered {status}: {title}")]
    Answer {
        /// The HTTP status.
        status: u16,
        /// Its title, from a fixed list.
        title: String,
    },
    /// Headquarters cannot be reached.
    #[error("headquarters cannot be reached: {0}")]
    Reach(String),
    /// The relay.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Sealing.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Something that was received is not in the one form.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// A QR code or an image could not be made.
    #[error("the picture cannot be made")]
    Picture,
    /// A value cannot be written as JSON.
    #[error("cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl CliError {
    /// With the place of a system's error.
    pub(super) fn at(place: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let place = place.display().to_string();
        move |why| Self::Io { place, why }
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Desk(DeskError::NotOurs) => exit::USAGE,
            Self::NotMade(..) => exit::LOCKED,
            Self::Relay(
                RelayError::UnknownDevice | RelayError::UnknownSegment | RelayError::UnknownRecipient,
            )
            | Self::Desk(DeskError::NoCase | DeskError::NoReferral) => exit::NOTHING,
            _ => exit::FAILED,
        }
    }
}
