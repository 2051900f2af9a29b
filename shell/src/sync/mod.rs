//! What the official does with headquarters: belong to it, send and fetch, carry files, see how everything stands.
//!
//! Owns the words and the exit codes of these commands. Never decides what is sent, to whom or when again: the
//! device does. No word of a person stands in an error.

pub mod bundle;
pub mod enrol;
mod report;
pub mod send;
pub mod status;
mod words;

use std::io::Write;

use amparo_core::device::{Device, Error, SyncFault};

use crate::args::exit;
use crate::transport::CallError;
use crate::words::{Speaker, Word};

/// Where the official sits.
#[derive(Clone, Copy)]
pub struct Seat<'a> {
    /// The device.
    pub device: &'a Device,
    /// The official's language.
    pub speaker: Speaker,
    /// Whether answers are wanted as JSON.
    pub json: bool,
}

/// A command was not done, and why, in words for the official.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct NotDone {
    /// The exit code.
    pub code: u8,
    /// The words.
    pub text: String,
}

impl Seat<'_> {
    fn word(&self, word: Word) -> &'static str {
        self.speaker.word(word)
    }

    fn not_done(&self, code: u8, word: Word) -> NotDone {
        NotDone { code, text: self.word(word).to_owned() }
    }

    /// Why a call to headquarters was not done.
    fn not_reached(&self, error: &CallError) -> NotDone {
        match error {
            CallError::Address => self.not_done(exit::REFUSED, Word::AddressRefused),
            CallError::Certificates => self.not_done(exit::USAGE, Word::CertificatesUnread),
            CallError::Unreached => self.not_done(exit::UNFINISHED, Word::Unreached),
            CallError::Cut { .. } => self.not_done(exit::UNFINISHED, Word::BrokenOff),
            CallError::Distrusted => self.not_done(exit::REFUSED, Word::Distrusted),
            CallError::Refused { status } => {
                NotDone { code: exit::UNFINISHED, text: format!("{} ({status})", self.word(Word::HqRefuses)) }
            }
        }
    }

    /// The same for an error of the device, where there are words for it.
    fn fault(&self, error: Error) -> Result<NotDone, Error> {
        match error {
            Error::Sync(SyncFault::NotEnrolled) => Ok(self.not_done(exit::REFUSED, Word::NotEnrolled)),
            Error::Sync(SyncFault::NotOurs(_)) => Ok(self.not_done(exit::REFUSED, Word::CertificateNotOurs)),
            other => Err(other),
        }
    }
}

/// Writes a line to standard output; a closed pipe is no fault of ours.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
