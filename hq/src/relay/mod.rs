//! The relay.
//!
//! Takes what devices send, chains it, gives receipts, and hands each agency what was granted to it. Does no
//! input or output but through [`Storage`]; knows no clock and draws no randomness but what it is given. Sees
//! sealed bytes alone. Never throws away what may be somebody's facts: what it cannot take it keeps aside, and
//! says so.

mod aside;
mod carry;
mod disclosure;
mod enrol;
mod exchange;
mod feed;
mod hello;
mod laid;
mod log;
mod restored;
mod segment;
mod status;
mod work;

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::push::Refusal;
use amparo_seal::{SecretKey, Signer};

pub use carry::Carried;
pub use enrol::{Listed, Reader};
pub use exchange::Received;
pub use feed::read_entry;
pub use laid::{Laid, What};
pub use log::{Act, Action, Checkpoint, Proof, action_leaf};
pub use restored::Repeated;
pub use status::Status;

use crate::storage::{Storage, StorageError};
use work::{EVERYTHING, FOUNDER_KEY, Founder, Room, Work};

/// What makes a segment durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// One machine: what the newest finished backup holds.
    Local,
    /// The store itself survives the loss of any one machine: what is stored.
    Replicated,
}

/// How a relay behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where devices find it.
    pub url: String,
    /// Frames in one transaction.
    pub group: usize,
    /// What makes a segment durable, unless the store says that it is replicated: see [`Relay::endure`]. All who
    /// work with one store must agree, or one takes back what another promised.
    pub durability: Durability,
    /// Milliseconds that a device is asked to wait when there is too much at once.
    pub wait_ms: u64,
}

impl Settings {
    /// For one machine with this address: groups of 64 frames, durable by backup.
    #[must_use]
    pub fn local(url: &str) -> Self {
        Self { url: url.to_owned(), group: 64, durability: Durability::Local, wait_ms: 5_000 }
    }
}

/// Headquarters' relay. Shared by all threads; each brings its own [`Storage`] to the same store.
pub struct Relay {
    signer: Signer,
    bundle: SecretKey,
    settings: Settings,
    log: log::Log,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Why the relay did not do it. Names no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// The store did not.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The host gives no randomness.
    #[error("the host gives no randomness")]
    Entropy,
    /// An encoder failed.
    #[error("cannot be encoded")]
    Encoding,
    /// What is stored is not what it was when it was taken.
    #[error("what is stored is damaged")]
    Damaged,
    /// A signature, a proof or the form of what is signed does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// Past a limit.
    #[error("too large")]
    TooLarge,
    /// No such ticket.
    #[error("no such ticket")]
    UnknownTicket,
    /// The ticket enrolled another request.
    #[error("the ticket was used")]
    TicketUsed,
    /// The ticket is too old by headquarters' clock.
    #[error("the ticket has expired")]
    TicketExpired,
    /// The device was revoked: nothing is given to it any more.
    #[error("the device was revoked")]
    Revoked,
    /// The device id belongs to another key, or was revoked.
    #[error("the device id is taken")]
    DeviceTaken,
    /// No such device.
    #[error("no such device")]
    UnknownDevice,
    /// No such recipient, or the feed of another.
    #[error("no such recipient")]
    UnknownRecipient,
    /// Nobody who is registered signs with this key.
    #[error("no such author")]
    UnknownAuthor,
    /// No such segment.
    #[error("no such segment")]
    UnknownSegment,
}

impl Relay {
    /// A relay with headquarters' keys: one signs receipts, certificates and revocations, to the other bundles
    /// are sealed.
    #[must_use]
    pub fn new(signer: Signer, bundle: SecretKey, settings: Settings) -> Self {
        Self { signer, bundle, settings, log: log::Log::default() }
    }

    /// Runs one transaction; a refusal undoes it as an error of the store does.
    fn run<T>(
        &self,
        storage: &mut dyn Storage,
        now_ms: i64,
        mut act: impl FnMut(&mut Work<'_>) -> Result<T, RelayError>,
    ) -> Result<T, RelayError> {
        let mut outcome = None;
        let done = storage.transact(&mut |tx| {
            outcome = None;
            match act(&mut Work { tx, relay: self, now_ms, room: Room::ALL }) {
                Ok(value) => outcome = Some(Ok(value)),
                Err(RelayError::Storage(error)) => return Err(error),
                Err(refusal) => {
                    outcome = Some(Err(refusal));
                    return Err(StorageError::Abandoned);
                }
            }
            Ok(())
        });
        match (done, outcome) {
            (Ok(()) | Err(StorageError::Abandoned), Some(outcome)) => outcome,
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StorageError::Abandoned.into()),
        }
    }

    /// The log as it stands.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn checkpoint(&self, storage: &mut dyn Storage) -> Result<Checkpoint, RelayError> {
        self.with_log(storage, log::checkpoint)
    }

    /// RFC 9162 proof that a segment is in the log as it stands, with the position of its leaf, the header
    /// hash.
    ///
    /// # Errors
    /// [`RelayError::UnknownSegment`], [`RelayError::Storage`].
    pub fn prove_segment(
        &self,
        storage: &mut dyn Storage,
        device: DeviceId,
        segment: &Hash,
    ) -> Result<(u64, Proof), RelayError> {
        let stored = self.run(storage, 0, |work| work.named(device, segment))?;
        let (_, stored) = stored.ok_or(RelayError::UnknownSegment)?;
        let proof = self.with_log(storage, |tree| log::inclusion(tree, stored.leaf))?;
        Ok((stored.leaf, proof.ok_or(RelayError::Damaged)?))
    }

    /// RFC 9162 proof that the log with `size` leaves is a beginning of the log as it stands; none for an
    /// empty or a longer one.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn prove_consistency(
        &self,
        storage: &mut dyn Storage,
        size: u64,
    ) -> Result<Option<Proof>, RelayError> {
        self.with_log(storage, |tree| log::consistency(tree, size))
    }

    /// Whether a log is a beginning of the log as it stands: one of the same life, and no longer.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn holds(&self, storage: &mut dyn Storage, log: &Checkpoint) -> Result<bool, RelayError> {
        self.with_log(storage, |tree| log::begins(tree, log))
    }

    /// Acts among at most `limit` leaves of the log from a position on, with their positions.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn acts(
        &self,
        storage: &mut dyn Storage,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Act)>, RelayError> {
        self.run(storage, 0, |work| work.acts(from, limit))
    }

    /// Why frames lie aside for a device, at most `limit` of them; [`DeviceId`] of zeros for frames that name
    /// none.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn aside(
        &self,
        storage: &mut dyn Storage,
        device: DeviceId,
        limit: usize,
    ) -> Result<Vec<(Refusal, Vec<u8>)>, RelayError> {
        self.run(storage, 0, |work| {
            Ok(work.asides(device, limit)?.into_iter().map(|a| (a.why, a.frame)).collect())
        })
    }

    /// Tells that backups are kept: the newest holds the log up to `newest` leaves, the oldest from which
    /// headquarters could be restored up to `oldest`. Both are read by [`Relay::checkpoint`] on the backup
    /// itself. Never goes back.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn backed_up(&self, storage: &mut dyn Storage, newest: u64, oldest: u64) -> Result<(), RelayError> {
        self.run(storage, 0, |work| {
            let mut state = work.state()?;
            state.newest_backup = newest.min(state.log_size).max(state.newest_backup);
            state.oldest_backup = oldest.min(newest).min(state.log_size).max(state.oldest_backup);
            work.put_state(&state)
        })
    }

    /// Says in the store, for all who work with it, what makes a segment durable there. What receipts promised
    /// stays promised: when a store is not replicated any more, what it holds at that moment stays durable, and
    /// what comes after waits for a backup.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn endure(&self, storage: &mut dyn Storage, durability: Durability) -> Result<(), RelayError> {
        self.run(storage, 0, |work| {
            let mut state = work.state()?;
            state.newest_backup = match durability {
                Durability::Replicated => EVERYTHING,
                Durability::Local => state.newest_backup.min(state.log_size),
            };
            work.put_state(&state)
        })
    }

    /// The signing key of the headquarters whose store it is; none for a store that is nobody's yet.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn founder(&self, storage: &mut dyn Storage) -> Result<Option<Hash>, RelayError> {
        self.run(storage, 0, |work| Ok(work.get::<Founder>(FOUNDER_KEY)?.map(|founder| founder.key)))
    }

    /// Makes a store that is nobody's this headquarters' own. Gives the key of the one whose it is now.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn found(&self, storage: &mut dyn Storage) -> Result<Hash, RelayError> {
        self.run(storage, 0, |work| {
            if let Some(founder) = work.get::<Founder>(FOUNDER_KEY)? {
                return Ok(founder.key);
            }
            let key = self.headquarters().key;
            work.put(FOUNDER_KEY, &Founder { key })?;
            Ok(key)
        })
    }

    /// Erases the ciphertext and all grants of a segment; header, signature and log stay provable. Readers who
    /// had it are told that it was withdrawn.
    ///
    /// # Errors
    /// [`RelayError::UnknownSegment`], [`RelayError::Storage`].
    pub fn erase(
        &self,
        storage: &mut dyn Storage,
        device: DeviceId,
        segment: &Hash,
        now_ms: i64,
    ) -> Result<(), RelayError> {
        self.run(storage, now_ms, |work| work.erase(device, segment))
    }
}
