//! One transaction's work, and the records that the relay keeps.
//!
//! Owns how records are encoded; the store keeps them as bytes. What cannot be read is told, never skipped.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{UPLOAD_CALLERS_MAX, UPLOAD_PAIRS_MAX};
use amparo_schema::name::Name;
use amparo_schema::wire::enrol::{Certificate, Revocation};
use amparo_schema::wire::push::Refusal;
use amparo_schema::wire::signed::Signed;
use amparo_seal::{VerifyKey, first_previous};
use minicbor::{Decode, Encode};

use super::{Relay, RelayError};
use crate::storage::{Chain, Shelf, StorageError, Tx};

/// What one transaction works with.
pub(super) struct Work<'a> {
    pub(super) tx: &'a mut dyn Tx,
    pub(super) relay: &'a Relay,
    /// Headquarters' clock.
    pub(super) now_ms: i64,
    /// What one upload may still ask for.
    pub(super) room: Room,
}

/// What is counted of one upload beside its bytes and frames, because it costs more than they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Callers who are answered.
    pub(super) callers: usize,
    /// Pairs of segment and reader that are heard anew.
    pub(super) pairs: usize,
}

impl Room {
    /// For what a person asked for.
    pub(super) const ALL: Self = Self { callers: usize::MAX, pairs: usize::MAX };
    /// For an upload.
    pub(super) const UPLOAD: Self = Self { callers: UPLOAD_CALLERS_MAX, pairs: UPLOAD_PAIRS_MAX };
}

/// A record and its shelf.
pub(super) trait Kept: Encode<()> + for<'b> Decode<'b, ()> {
    const SHELF: Shelf;
    const TABLE: &'static str;
}

/// The relay as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct State {
    #[n(0)]
    pub(super) epoch: u64,
    #[n(1)]
    pub(super) log_size: u64,
    /// Hash of all leaves so far.
    #[n(2)]
    pub(super) log_chain: Hash,
    /// Log size that the newest finished backup holds; [`EVERYTHING`] where the store itself survives the loss of
    /// any one machine.
    #[n(3)]
    pub(super) newest_backup: u64,
    /// Log size that the oldest backup holds from which headquarters could be restored.
    #[n(4)]
    pub(super) oldest_backup: u64,
}

impl Kept for State {
    const SHELF: Shelf = Shelf::State;
    const TABLE: &'static str = "state";
}

/// More leaves than there will ever be.
pub(super) const EVERYTHING: u64 = u64::MAX;

/// The one key of [`State`].
const STATE_KEY: &[u8] = &[0];

/// Whose store it is, so that the keys of another headquarters are never used on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Founder {
    /// Headquarters' signing key.
    #[n(0)]
    pub(super) key: Hash,
}

impl Kept for Founder {
    const SHELF: Shelf = Shelf::State;
    const TABLE: &'static str = "state";
}

/// The one key of [`Founder`].
pub(super) const FOUNDER_KEY: &[u8] = &[1];

/// An enrolled device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Device {
    #[n(0)]
    pub(super) certificate: Signed<Certificate>,
    #[n(1)]
    pub(super) key: Hash,
    #[n(2)]
    pub(super) letter_key: Hash,
    #[n(3)]
    pub(super) agency: Name,
    #[n(4)]
    pub(super) revoked: Option<Signed<Revocation>>,
}

impl Device {
    pub(super) fn verify_key(&self) -> VerifyKey {
        VerifyKey::from(self.key)
    }
}

impl Kept for Device {
    const SHELF: Shelf = Shelf::Device;
    const TABLE: &'static str = "device";
}

/// How far a chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Head {
    /// The number that comes next; all before it are chained.
    #[n(0)]
    pub(super) next: u64,
    /// Header hash of the last chained segment.
    #[n(1)]
    pub(super) hash: Hash,
    /// Disclosures held without gap.
    #[n(2)]
    pub(super) disclosures: u64,
    /// The highest count of delivered segments that a receipt told.
    #[n(3)]
    pub(super) delivered: u64,
}

impl Kept for Head {
    const SHELF: Shelf = Shelf::Head;
    const TABLE: &'static str = "head";
}

/// Where a segment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Where {
    #[n(0)]
    pub(super) incarnation: u64,
    #[n(1)]
    pub(super) number: u64,
}

impl Kept for Where {
    const SHELF: Shelf = Shelf::Name;
    const TABLE: &'static str = "name";
}

/// A frame that is kept aside.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Aside {
    #[n(0)]
    pub(super) why: Refusal,
    #[n(1)]
    pub(super) at_ms: i64,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(super) frame: Vec<u8>,
    #[n(3)]
    pub(super) origin: Origin,
}

/// How a frame that lies aside came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum Origin {
    /// It was sent.
    #[n(0)]
    Sent,
    /// From the store that this one replaces. What it brought about there is not all here: sent again, it is new.
    #[n(1)]
    Replaced,
}

impl Kept for Aside {
    const SHELF: Shelf = Shelf::Aside;
    const TABLE: &'static str = "aside";
}

/// How much is kept aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct AsideLoad {
    #[n(0)]
    pub(super) count: u64,
    #[n(1)]
    pub(super) bytes: u64,
}

impl Kept for AsideLoad {
    const SHELF: Shelf = Shelf::AsideLoad;
    const TABLE: &'static str = "aside";
}

pub(super) fn chain_key(chain: Chain) -> Vec<u8> {
    [&chain.device.0[..], &chain.incarnation.to_be_bytes()].concat()
}

pub(super) fn named_key(device: DeviceId, hash: &Hash) -> Vec<u8> {
    [&device.0[..], &hash.0].concat()
}

pub(super) fn decoded<R: Kept>(bytes: &[u8]) -> Result<R, StorageError> {
    minicbor::decode(bytes).map_err(|_| StorageError::Damaged(R::TABLE))
}

impl Work<'_> {
    pub(super) fn get<R: Kept>(&mut self, key: &[u8]) -> Result<Option<R>, StorageError> {
        self.tx.record(R::SHELF, key)?.map(|bytes| decoded(&bytes)).transpose()
    }

    pub(super) fn put<R: Kept>(&mut self, key: &[u8], record: &R) -> Result<(), RelayError> {
        let bytes = minicbor::to_vec(record).map_err(|_| RelayError::Encoding)?;
        Ok(self.tx.put_record(R::SHELF, key, &bytes)?)
    }

    pub(super) fn state(&mut self) -> Result<State, StorageError> {
        let fresh = State {
            epoch: 0,
            log_size: 0,
            log_chain: super::log::first_chain(),
            newest_backup: 0,
            oldest_backup: 0,
        };
        Ok(self.get(STATE_KEY)?.unwrap_or(fresh))
    }

    pub(super) fn put_state(&mut self, state: &State) -> Result<(), RelayError> {
        self.put(STATE_KEY, state)
    }

    pub(super) fn device(&mut self, device: DeviceId) -> Result<Option<Device>, StorageError> {
        self.get(&device.0)
    }

    /// The head of a chain; before its first segment, the one that the device's key gives.
    pub(super) fn head(&mut self, chain: Chain, key: &VerifyKey) -> Result<Head, StorageError> {
        let fresh = Head { next: 0, hash: first_previous(key), disclosures: 0, delivered: 0 };
        Ok(self.get(&chain_key(chain))?.unwrap_or(fresh))
    }

    pub(super) fn put_head(&mut self, chain: Chain, head: &Head) -> Result<(), RelayError> {
        self.put(&chain_key(chain), head)
    }
}
