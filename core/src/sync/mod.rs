//! Sync with headquarters, as a machine without a wire.
//!
//! [`upload`] says what to send next and [`take`] applies what came back; between the two lies any carrier. Both
//! know a store only through [`Outbox`], whose every change is one transaction, so that a crash, a cut or a
//! repeat at any point costs nothing but time. Never reads a clock, never draws randomness, never waits, never
//! decides who may read what: disclosures were made before they come here.
//!
//! What was sent is never remembered: the newest verified receipt of each incarnation alone says what is sent
//! again. So a headquarters that lost something gets it back by itself.

mod enrol;
pub mod memory;
mod outbox;
mod page;
mod receipt;
mod report;
mod take;
mod transport;
mod upload;

pub use enrol::{NotOurs, check_certificate, letter_secret};
pub use outbox::{Arrival, Change, Effect, Kept, Life, Outbox, Past, Why};
pub(crate) use page::letter;
pub use receipt::{Weight, weigh};
pub use report::{Ended, Report, SyncReport};
pub use take::{believe, take};
pub use transport::{Go, Progress, Transport, TransportError};
pub use upload::{Budget, Frames, Item, frames, items, upload};

use crate::seal::SealError;

/// Why the machine stopped; what was applied before stays applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncError<E> {
    /// The device belongs to no headquarters yet.
    #[error("not enrolled")]
    NotEnrolled,
    /// A frame cannot be made.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error("{0}")]
    Outbox(E),
}
