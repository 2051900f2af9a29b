//! What a host implements, and the host's clock and randomness. The only place of this package that reads
//! either.
//!
//! Host methods run on the thread that made the call, with no lock of the device held, so that they may call
//! the device again. What they throw beside [`FieldError`] becomes `FieldError.Host` and its text is dropped.

use amparo_core::random::{Entropy, NoEntropy};
use amparo_core::time::{Clock, Moment};

use crate::errors::FieldError;

/// The phone's keystore (Android Keystore, iOS Keychain, a passphrase): wraps the store key so that the file
/// beside the store is of no use elsewhere.
#[uniffi::export(foreign)]
pub trait KeyStore: Send + Sync {
    /// Encrypts the 32 bytes of a new store key. Wipe your copy afterwards.
    ///
    /// # Errors
    /// `NeedsUser` when the user must unlock first.
    fn wrap(&self, plain: Vec<u8>) -> Result<Vec<u8>, FieldError>;

    /// Decrypts what `wrap` returned. Wipe your copy afterwards.
    ///
    /// # Errors
    /// `KeyLost` when the wrapping key is gone for good, `NeedsUser` when the user must unlock first,
    /// `WrongKey` when a passphrase did not fit.
    fn unwrap(&self, wrapped: Vec<u8>) -> Result<Vec<u8>, FieldError>;
}

/// Where log lines go. A line holds fixed words and counts; never a text of a person.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// Takes one line. What it throws is ignored.
    ///
    /// # Errors
    /// Any; none is acted on.
    fn write(&self, level: LogLevel, code: String, text: String) -> Result<(), FieldError>;
}

/// How grave a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// A fault of this program or of the store: report it.
    Error,
    /// A call was refused.
    Warn,
    /// Something was opened, installed, locked.
    Info,
}

/// Carries bytes to headquarters and back: HTTPS, or anything else. The one place where this library reaches a
/// network, and the host owns it.
#[uniffi::export(foreign)]
pub trait Transport: Send + Sync {
    /// Sends an upload to headquarters and gives the whole reply. By HTTP: POST it to `/v1/exchange` under the `url`
    /// of the enrolment as `application/cbor-seq`; a 200 of the same type is the reply, a 204 an empty one, a 408 is
    /// `Cut`, and anything else, a redirect too, `Refused`.
    ///
    /// Called with no lock held: it may block, for as long as it likes, and call the device. What it gives is
    /// believed in nothing: every part of it is verified. Refuse replies of more than some 20 MB yourself.
    ///
    /// # Errors
    /// By what happened; the sync ends, and its report says so. Anything else that is thrown ends it with `Host`.
    fn exchange(&self, upload: Vec<u8>) -> Result<Vec<u8>, TransportError>;
}

/// Why an exchange did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TransportError {
    /// Headquarters was not reached.
    #[error("headquarters was not reached")]
    Offline,
    /// Headquarters, or something before it, refused to talk; not to be tried again at once.
    #[error("refused ({code})")]
    Refused {
        /// A code of the carrier, for a log; HTTP's where it is HTTP.
        code: u16,
    },
    /// It broke off. What came until then counts.
    #[error("the exchange broke off")]
    Cut {
        /// The reply as far as it came; empty if none.
        replies: Vec<u8>,
    },
    /// The transport itself failed: its `sync` ends with `Host`. Whatever it throws beside these is this.
    #[error("the transport failed")]
    Failed,
}

/// The text of what was thrown is dropped, it may hold anything.
impl From<uniffi::UnexpectedUniFFICallbackError> for TransportError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// Hears how far a long call has come, and may stop it.
#[uniffi::export(foreign)]
pub trait ProgressListener: Send + Sync {
    /// `done` of `total` are done. A sync counts its exchanges, and its `total` is 0: nobody knows it beforehand.
    ///
    /// # Errors
    /// Any ends the call with it. What was done stays done.
    fn progress(&self, done: u32, total: u32) -> Result<Proceed, FieldError>;
}

/// Whether a long call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Proceed {
    /// It goes on.
    GoOn,
    /// It ends: with `Interrupted`, or, a sync, with a report that says `Stopped`. What was done stays done.
    Stop,
}

/// The system's clocks.
#[derive(Debug)]
pub(crate) struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place that may
    pub(crate) fn new() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place that may
    fn now(&self) -> Moment {
        let zoned = jiff::Zoned::now();
        Moment {
            wall_ms: zoned.timestamp().as_millisecond(),
            offset_minutes: i16::try_from(zoned.offset().seconds() / 60).unwrap_or(0),
            steady_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// The system's randomness.
#[derive(Debug)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(clippy::disallowed_methods)] // the one place that may
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|_| NoEntropy)
    }
}
