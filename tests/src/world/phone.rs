//! A phone of the world: an outbox in memory, the keys of what it sealed, and what its person remembers.

use std::collections::BTreeMap;
use std::sync::Arc;

use amparo_core::random::Entropy;
use amparo_core::seal::{PublicKey, SealError, SegmentKey, grant, to_bytes};
use amparo_core::sync::memory::{Facts, MemoryOutbox};
use amparo_core::sync::{Budget, Item, Outbox, Report, believe, items, take, upload};
use amparo_schema::fact::{Body, Compartment, Fact, Stamp};
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::outcome::Outcome;
use amparo_schema::wire::disclosure::Withheld;
use amparo_schema::wire::push::Refusal;

use super::reader::Reader;

/// A segment as its phone knows it.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// Its header hash.
    pub(super) hash: Hash,
    /// The key, for grants.
    pub(super) key: Arc<[u8; 32]>,
    /// What tells its facts from all others.
    pub(super) marks: Vec<Hash>,
}

/// A phone. A clone of it is a snapshot, or a copied phone.
#[derive(Clone)]
pub(super) struct Phone {
    /// Its store.
    pub(super) outbox: MemoryOutbox,
    /// What it sealed, in order, all lives.
    pub(super) made: Vec<Made>,
    /// Facts so far.
    counter: u64,
    /// What goes with the next upload.
    budget: Budget,
    /// Forks that headquarters keeps aside, each with its epoch then, as the device keeps them.
    forked: BTreeMap<Item, u64>,
}

impl Phone {
    /// A new phone.
    #[must_use]
    pub(super) fn new(device: DeviceId, seed: &[u8; 32], incarnation: u64) -> Self {
        Self {
            outbox: MemoryOutbox::new(device, seed, incarnation),
            made: Vec::new(),
            counter: 0,
            budget: Budget::default(),
            forked: BTreeMap::new(),
        }
    }

    /// Seals the facts of one screening. Every fact carries a random mark.
    ///
    /// # Errors
    /// [`SealError`].
    pub(super) fn screen(
        &mut self,
        facts: usize,
        urgent: bool,
        wall_ms: i64,
        entropy: &dyn Entropy,
    ) -> Result<&Made, SealError> {
        let mut marks = Vec::new();
        let mut events = Vec::new();
        for _ in 0..facts {
            let mark = Hash(amparo_core::random::bytes(entropy)?);
            let at = Stamp { wall_ms, offset_minutes: 0, steady_ms: 0, doubt: None };
            let body = Body::OutcomeRecorded { outcomes: vec![Outcome::ConcernUnresolved], assessment: mark };
            self.counter += 1;
            events.push((self.counter, to_bytes(&Fact { at, body })?));
            marks.push(mark);
        }
        let facts = Facts { case: None, screening: None, compartment: Compartment::Case, events, urgent };
        let sealed = self.outbox.seal(facts, entropy)?;
        self.made.push(Made { hash: sealed.hash, key: Arc::new(*sealed.key.expose()), marks });
        self.made.last().ok_or(SealError::Empty)
    }

    /// Gives the keys of some segments to some readers, in one disclosure.
    ///
    /// # Errors
    /// [`SealError`].
    pub(super) fn grant(
        &mut self,
        pairs: &[(Made, PublicKey)],
        entropy: &dyn Entropy,
    ) -> Result<u64, SealError> {
        let grants = pairs
            .iter()
            .map(|(made, reader)| grant(&SegmentKey::new(&made.key), made.hash, reader, entropy))
            .collect::<Result<Vec<_>, _>>()?;
        self.outbox.disclose(&grants, &[])
    }

    /// Takes back what was granted.
    ///
    /// # Errors
    /// [`SealError`].
    pub(super) fn withhold(&mut self, segment: Hash, reader: &PublicKey) -> Result<u64, SealError> {
        self.outbox.disclose(&[], &[Withheld { segment, recipient: reader.id() }])
    }

    /// A new session, whose uploads have so many bytes: what was refused in the last one is tried again, but what
    /// headquarters keeps aside.
    pub(super) fn call(&mut self, up_bytes: usize) {
        let present = self.outbox.lives().unwrap_or_default().last().map(|life| life.incarnation);
        let of = |item: &Item| match item {
            Item::Segment { incarnation, .. } | Item::Disclosure { incarnation, .. } => Some(*incarnation),
        };
        let forked = self.forked.iter();
        let forked = forked.filter(|(item, epoch)| **epoch == self.epoch() && of(item) == present);
        let refused = forked.map(|(item, _)| (*item, Refusal::Fork)).collect();
        self.budget = Budget { up_bytes, refused, ..Budget::default() };
    }

    /// Headquarters' epoch, as far as receipts said.
    fn epoch(&self) -> u64 {
        let lives = self.outbox.lives().unwrap_or_default();
        let epochs =
            lives.iter().filter_map(|life| self.outbox.receipt(life.incarnation)).map(|held| held.epoch);
        epochs.max().unwrap_or(0)
    }

    /// What it would send now.
    ///
    /// # Panics
    /// When it is not enrolled.
    #[must_use]
    pub(super) fn upload(&self) -> Vec<u8> {
        upload(&self.outbox, &self.budget).expect("enrolled")
    }

    /// The same for a carrier that cannot ask.
    ///
    /// # Panics
    /// When it is not enrolled.
    #[must_use]
    pub(super) fn export(&self) -> Vec<u8> {
        let budget = Budget { certificate: true, whole: true, ..Budget::default() };
        upload(&self.outbox, &budget).expect("enrolled")
    }

    /// Believes a reader's letters.
    ///
    /// # Panics
    /// Never.
    pub(super) fn believe(&mut self, reader: &Reader) {
        self.outbox.believe(Hash(reader.signer().public().0), super::hq::agency());
    }

    /// Applies replies to an upload; a receipt that proves it astray begins a new life, as the device does.
    ///
    /// # Panics
    /// When it is not enrolled.
    pub(super) fn take(&mut self, sent: &[u8], replies: &[u8], entropy: &dyn Entropy) -> Report {
        let mut report = take(&mut self.outbox, replies).expect("enrolled");
        let items = items(sent);
        let refused = self.budget.learn(&items, &mut report);
        believe(&mut self.outbox, &items, &self.budget, &mut report).expect("a store in memory");
        self.note_forks(&report, &refused);
        if report.astray {
            self.begin(entropy);
        }
        report
    }

    /// Notes what was refused as a fork, and forgets what a receipt acknowledges after all or comes to.
    fn note_forks(&mut self, report: &Report, refused: &[(Item, Refusal)]) {
        let (outbox, stored) = (&self.outbox, &report.stored);
        self.forked.retain(|item, _| match item {
            Item::Segment { incarnation, number } => {
                stored.get(incarnation).is_none_or(|stored| number > stored)
            }
            Item::Disclosure { incarnation, number } => {
                outbox.receipt(*incarnation).is_none_or(|held| *number >= held.disclosures)
            }
        });
        let epoch = self.epoch();
        let forks = refused.iter().filter(|(_, why)| *why == Refusal::Fork);
        self.forked.extend(forks.map(|(item, _)| (*item, epoch)));
    }

    /// Begins a new life.
    ///
    /// # Panics
    /// Never; the world's randomness does not fail.
    pub(super) fn begin(&mut self, entropy: &dyn Entropy) {
        let random: [u8; 8] = amparo_core::random::bytes(entropy).expect("seeded");
        self.outbox.begin(u64::from_be_bytes(random) >> 1);
    }

    /// Header hashes of everything in its store, with life and number.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub(super) fn chain(&self) -> BTreeMap<(u64, u64), Hash> {
        let mut chain = BTreeMap::new();
        for life in self.outbox.lives().unwrap_or_default() {
            for number in 0..life.segments {
                if let Ok(Some(hash)) = self.outbox.hash(life.incarnation, number) {
                    chain.insert((life.incarnation, number), hash);
                }
            }
        }
        chain
    }
}
