//! The whole loop as one demonstration: headquarters with its relay, two desks, one device, on this machine.
//!
//! Everything is synthetic, every key is published or thrown away, and the clock stands on one day, so that it
//! goes the same way every time. Works in a temporary folder and removes it, also when a step fails or ctrl-c
//! ends it. Owns the order and the words of the demonstration; what it shows is what the commands do.

mod headquarters;
mod office;
mod recorder;
mod story;

use std::path::Path;

use amparo_core::random::NoEntropy;
use amparo_core::seal::SealError;
use amparo_hq::desk::DeskError;
use amparo_hq::http::{ServeError, TlsError};
use amparo_hq::relay::RelayError;
use amparo_hq::storage::StorageError;
use amparo_schema::name::Name;

pub use headquarters::{Headquarters, Manner};
pub use office::{Agency, Office};
pub use recorder::Recorder;
pub use story::run;

use crate::commands::CommandError;
use crate::scenario::ScenarioError;
use crate::transport::CallError;

/// Why the demonstration did not go to its end. Its folder is removed all the same.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Ctrl-c.
    #[error("the input ended")]
    Interrupted,
    /// The system refused.
    #[error("{place}: {why}")]
    Io {
        /// Which file or folder.
        place: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// The host gives no randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The relay.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The relay's store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The link of a desk.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Sealing.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The device.
    #[error(transparent)]
    Device(#[from] amparo_core::device::Error),
    /// The screening.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A command.
    #[error("{0}")]
    Command(Box<CommandError>),
    /// Something that the content or an answer must have is not there: a fault of this program.
    #[error("{0} is not as the demonstration needs it")]
    Content(&'static str),
}

impl From<CommandError> for DemoError {
    fn from(error: CommandError) -> Self {
        Self::Command(Box::new(error))
    }
}

impl DemoError {
    fn at(place: &Path) -> impl Fn(std::io::Error) -> Self + use<> {
        let place = place.display().to_string();
        move |why| Self::Io { place: place.clone(), why }
    }
}

fn name(text: &str) -> Result<Name, DemoError> {
    Name::new(text).map_err(|_| DemoError::Content("a name"))
}
