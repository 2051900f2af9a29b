//! The log: a leaf for every segment that was taken and for every act of a person or an alarm.
//!
//! Owns the Merkle tree (RFC 9162, by `ct-merkle`) that receipts point into. The store keeps leaves; the tree
//! is held in memory, read once after a start and brought forward by what is new. Every leaf also hashes all
//! before it, so that a tree of a store that went back in time is noticed and built anew.

use std::sync::{Mutex, PoisonError};

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::name::Name;
use amparo_schema::wire::receipt::Receipt;
use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use minicbor::{Decode, Encode};
use sha2::Sha256;

use super::work::Work;
use super::{Relay, RelayError};
use crate::storage::{Leaf, Storage, StorageError};

/// Leaves read at once.
const STEP: usize = 4_096;

/// What stands in the log beside segments.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Action {
    /// A ticket was made.
    #[n(0)]
    Invited {
        /// For this agency.
        #[n(0)]
        agency: Name,
    },
    /// A device was enrolled.
    #[n(1)]
    Enrolled {
        /// The device.
        #[n(0)]
        device: DeviceId,
    },
    /// A device showed its certificate after headquarters had forgotten it.
    #[n(2)]
    Readmitted {
        /// The device.
        #[n(0)]
        device: DeviceId,
    },
    /// A device was revoked.
    #[n(3)]
    Revoked {
        /// The device.
        #[n(0)]
        device: DeviceId,
    },
    /// A person released what lay aside for a device.
    #[n(4)]
    Released {
        /// The device.
        #[n(0)]
        device: DeviceId,
    },
    /// Alarm: two segments, or two disclosures, claim one number.
    #[n(5)]
    Fork {
        /// The device.
        #[n(0)]
        device: DeviceId,
        /// The incarnation.
        #[n(1)]
        incarnation: u64,
        /// The number.
        #[n(2)]
        number: u64,
    },
    /// Alarm: a device proved that headquarters lost data.
    #[n(6)]
    Amnesia {
        /// The device.
        #[n(0)]
        device: DeviceId,
        /// The new epoch.
        #[n(1)]
        epoch: u64,
    },
    /// A recipient was registered.
    #[n(7)]
    Recipient {
        /// Its agency.
        #[n(0)]
        agency: Name,
        /// Its X25519 public key.
        #[n(1)]
        key: Hash,
        /// The key with which it signs.
        #[n(2)]
        signing: Hash,
    },
    /// A pack was published.
    #[n(8)]
    Published {
        /// Hash of the file.
        #[n(0)]
        pack: Hash,
    },
    /// The ciphertext and the grants of a segment were erased.
    #[n(9)]
    Erased {
        /// Its header hash.
        #[n(0)]
        segment: Hash,
    },
    /// A person threw away what lay aside.
    #[n(10)]
    Discarded {
        /// For this device; zeros for what no signature vouches for.
        #[n(0)]
        device: DeviceId,
        /// How many frames.
        #[n(1)]
        frames: u64,
    },
}

/// An action and when.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Act {
    /// Headquarters' clock, milliseconds since 1970.
    #[n(0)]
    pub at_ms: i64,
    /// What.
    #[n(1)]
    pub action: Action,
}

/// The log at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Leaves.
    pub size: u64,
    /// RFC 9162 root.
    pub root: Hash,
}

/// An RFC 9162 proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The log of which it holds.
    pub log: Checkpoint,
    /// Its hashes, one after the other.
    pub path: Vec<u8>,
}

/// What a leaf's chain begins with.
pub(super) fn first_chain() -> Hash {
    Hash::of("amparo-log-1", &[])
}

fn next_chain(chain: &Hash, leaf: &Hash) -> Hash {
    Hash::of("amparo-log-leaf-1", &[&chain.0, &leaf.0])
}

/// The leaf of an encoded [`Act`].
#[must_use]
pub fn action_leaf(act: &[u8]) -> Hash {
    Hash::of("amparo-log-act-1", &[act])
}

pub(super) type Tree = MemoryBackedTree<Sha256, [u8; 32]>;

/// The tree as far as it was read.
#[derive(Default)]
struct Cached {
    tree: Tree,
    /// Hash of all leaves in it.
    chain: Option<Hash>,
}

/// The tree, shared by all who use one relay.
#[derive(Default)]
pub(super) struct Log(Mutex<Cached>);

impl Relay {
    /// Does something with the tree of the whole log. The tree is locked before the store is asked, so that it is
    /// never ahead of what the store holds, unless the store went back.
    pub(super) fn with_log<T>(
        &self,
        storage: &mut dyn Storage,
        act: impl FnOnce(&Tree) -> T,
    ) -> Result<T, RelayError> {
        let mut cached = self.log.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.run(storage, 0, |work| work.bring_forward(&mut cached))?;
        Ok(act(&cached.tree))
    }
}

/// The log as a tree shows it.
pub(super) fn checkpoint(tree: &Tree) -> Checkpoint {
    Checkpoint { size: tree.len(), root: Hash((*tree.root().as_bytes()).into()) }
}

/// Whether a receipt's log is a beginning of this one.
pub(super) fn continues(tree: &Tree, receipt: &Receipt) -> bool {
    begins(tree, &Checkpoint { size: receipt.log_size, root: receipt.log_root })
}

/// Whether a log is a beginning of this one.
pub(super) fn begins(tree: &Tree, log: &Checkpoint) -> bool {
    if log.size == 0 {
        return true;
    }
    let additions = tree.len().checked_sub(log.size).map(usize::try_from);
    let Some(Ok(additions)) = additions else { return false };
    let old = RootHash::<Sha256>::new(log.root.0.into(), log.size);
    tree.root().verify_consistency(&old, &tree.prove_consistency(additions)).is_ok()
}

pub(super) fn inclusion(tree: &Tree, position: u64) -> Option<Proof> {
    let index = usize::try_from(position).ok().filter(|_| position < tree.len())?;
    Some(Proof { log: checkpoint(tree), path: tree.prove_inclusion(index).as_bytes().to_vec() })
}

pub(super) fn consistency(tree: &Tree, size: u64) -> Option<Proof> {
    let additions = tree.len().checked_sub(size).filter(|_| size > 0)?;
    let path = tree.prove_consistency(usize::try_from(additions).ok()?).as_bytes().to_vec();
    Some(Proof { log: checkpoint(tree), path })
}

impl Work<'_> {
    pub(super) fn log_segment(&mut self, hash: Hash) -> Result<u64, RelayError> {
        self.push(hash, None)
    }

    pub(super) fn log_action(&mut self, action: Action) -> Result<u64, RelayError> {
        let act = minicbor::to_vec(Act { at_ms: self.now_ms, action }).map_err(|_| RelayError::Encoding)?;
        self.push(action_leaf(&act), Some(act))
    }

    fn push(&mut self, hash: Hash, action: Option<Vec<u8>>) -> Result<u64, RelayError> {
        let mut state = self.state()?;
        let position = state.log_size;
        let chain = next_chain(&state.log_chain, &hash);
        self.tx.put_leaf(position, &Leaf { hash, chain, action })?;
        state.log_size += 1;
        state.log_chain = chain;
        self.put_state(&state)?;
        Ok(position)
    }

    fn bring_forward(&mut self, cached: &mut Cached) -> Result<(), RelayError> {
        let size = self.state()?.log_size;
        if let Some(last) = cached.tree.len().checked_sub(1) {
            let same = last < size && self.tx.leaves(last, 1)?.first().map(|leaf| leaf.chain) == cached.chain;
            if !same {
                *cached = Cached::default();
            }
        }
        while cached.tree.len() < size {
            let leaves = self.tx.leaves(cached.tree.len(), STEP)?;
            if leaves.is_empty() {
                return Err(StorageError::Damaged("log").into());
            }
            for leaf in leaves {
                cached.tree.push(leaf.hash.0);
                cached.chain = Some(leaf.chain);
            }
        }
        Ok(())
    }

    pub(super) fn acts(&mut self, from: u64, limit: usize) -> Result<Vec<(u64, Act)>, RelayError> {
        let leaves = self.tx.leaves(from, limit)?;
        let acts = (from..).zip(leaves).filter_map(|(at, leaf)| leaf.action.map(|bytes| (at, bytes)));
        let read = |bytes: Vec<u8>| minicbor::decode(&bytes).map_err(|_| StorageError::Damaged("log"));
        acts.map(|(at, bytes)| Ok((at, read(bytes)?))).collect()
    }
}
