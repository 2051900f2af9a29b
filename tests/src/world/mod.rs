//! A seeded world: phones, headquarters, agencies, sticks, and everything that goes wrong between them.
//!
//! The machines of both sides run as they are, over stores in memory; the world plays network, courier, thief,
//! failing disk and clock. One seed gives one history, so that a failure is run again by its seed. Invariants
//! are checked at each step where they can be seen from outside, and at the end, when the faults have stopped.

mod cut;
mod hq;
mod phone;
mod reader;
mod step;
mod truth;

pub use cut::{Cuts, every_byte};

use std::collections::BTreeSet;

use amparo_core::random::SeededEntropy;
use amparo_core::seal::unverified;
use amparo_core::sync::Outbox;
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::feed::Letter;
use amparo_schema::wire::signed::Signed;

use crate::dice::Dice;
use hq::Hq;
use phone::Phone;
use reader::Reader;
use truth::Truth;

/// 2026-11-22, noon, UTC.
const NOON_MS: i64 = 1_795_348_800_000;
/// Exchanges after which a phone that is still not done is stuck.
const EXCHANGES_MAX: usize = 200;

/// What a world did, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Steps.
    pub steps: u64,
    /// Segments sealed.
    pub segments: u64,
    /// Exchanges, whole and cut.
    pub exchanges: u64,
    /// Exchanges that were cut on the way up or down.
    pub cuts: u64,
    /// Frames with a flipped bit.
    pub flips: u64,
    /// Volumes brought by hand.
    pub carried: u64,
    /// Times that headquarters went back to a backup.
    pub restores: u64,
    /// Times that a phone went back, or was copied.
    pub rollbacks: u64,
    /// Withdrawals.
    pub withdrawals: u64,
    /// Letters written.
    pub letters: u64,
    /// Segments that readers opened.
    pub read: u64,
    /// Times that headquarters asked for a whole receipt.
    pub asked: u64,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.segments += other.segments;
        self.exchanges += other.exchanges;
        self.cuts += other.cuts;
        self.flips += other.flips;
        self.carried += other.carried;
        self.restores += other.restores;
        self.rollbacks += other.rollbacks;
        self.withdrawals += other.withdrawals;
        self.letters += other.letters;
        self.read += other.read;
        self.asked += other.asked;
    }
}

/// A broken invariant, with what is needed to see it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The world.
    pub seed: u64,
    /// The step; the number of steps for the end.
    pub step: usize,
    /// Which invariant, and how.
    pub what: String,
    /// What happened, step by step.
    pub history: Vec<String>,
}

/// The world.
pub struct World {
    dice: Dice,
    entropy: SeededEntropy,
    hq: Hq,
    backups: Vec<Hq>,
    phones: Vec<Phone>,
    /// Earlier states of phones: which, and what it was.
    snapshots: Vec<(usize, Phone)>,
    readers: Vec<Reader>,
    /// Letters to each device, by id; readers keep what they wrote.
    letters: Vec<(DeviceId, Signed<Letter>)>,
    /// Sequences on sticks, by whoever carries them.
    sticks: Vec<Vec<u8>>,
    truth: Truth,
    now_ms: i64,
    tally: Tally,
    history: Vec<String>,
}

/// Runs one world.
///
/// # Errors
/// The first invariant that broke.
pub fn run(seed: u64) -> Result<Tally, Broken> {
    let mut world = World::new(seed);
    let steps = 5 + world.dice.below(28);
    let mut at = 0;
    let done = (0..steps)
        .try_for_each(|step| {
            at = step;
            world.step()
        })
        .and_then(|()| {
            at = steps;
            world.end()
        });
    world.tally.steps = steps as u64;
    done.map(|()| world.tally).map_err(|what| Broken { seed, step: at, what, history: world.history })
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let entropy = SeededEntropy::new(seed);
        let readers: Vec<Reader> = (0..1 + dice.below(2)).map(|n| Reader::new(n as u8)).collect();
        let mut hq = Hq::new(dice.below(2) == 0, 1 + dice.below(4));
        for reader in &readers {
            hq.know(reader, NOON_MS);
        }
        let mut phones = Vec::new();
        for n in 0..1 + dice.below(3) {
            let n = n as u8;
            let mut phone = Phone::new(DeviceId([n + 1; 16]), &[n + 50; 32], dice.roll() >> 1);
            for reader in &readers {
                phone.believe(reader);
            }
            hq.enrol(&mut phone, NOON_MS, &entropy);
            phones.push(phone);
        }
        Self {
            dice,
            entropy,
            hq,
            backups: Vec::new(),
            phones,
            snapshots: Vec::new(),
            readers,
            letters: Vec::new(),
            sticks: Vec::new(),
            truth: Truth::default(),
            now_ms: NOON_MS,
            tally: Tally::default(),
            history: Vec::new(),
        }
    }

    /// The faults stop; everything must come to where it belongs.
    fn end(&mut self) -> Result<(), String> {
        // Readers post again what a restore may have lost.
        for (_, letter) in &self.letters {
            self.hq.post(letter, self.now_ms);
        }
        for n in 0..self.phones.len() {
            self.hq.release(self.phones[n].outbox.device(), self.now_ms);
            self.settle(n)?;
        }
        // What one phone's receipt set in motion may concern another copy of it.
        for n in 0..self.phones.len() {
            self.settle(n)?;
        }
        for n in 0..self.readers.len() {
            for _ in 0..EXCHANGES_MAX {
                if self.pull(n, usize::MAX)? == 0 {
                    break;
                }
            }
        }
        self.check_phones()?;
        self.check_lives()?;
        self.check_letters()?;
        self.check_readers()
    }

    /// I1, I6: all that lies on a phone, headquarters has, or keeps aside.
    fn check_phones(&mut self) -> Result<(), String> {
        for n in 0..self.phones.len() {
            let device = self.phones[n].outbox.device();
            for ((incarnation, number), hash) in self.phones[n].chain() {
                self.hq.has(device, hash).map_err(|why| {
                    format!("I1: segment {number} of life {incarnation:x} of phone {n}: {why}")
                })?;
            }
        }
        Ok(())
    }

    /// I1: of the life in which a phone goes on headquarters has acknowledged all, unless it was revoked; nothing of it lies only aside.
    fn check_lives(&self) -> Result<(), String> {
        let sound = |phone: &&Phone| !self.hq.is_revoked(phone.outbox.device());
        for (n, phone) in self.phones.iter().enumerate().filter(|(_, phone)| sound(phone)) {
            let lives = phone.outbox.lives().unwrap_or_default();
            if let Some(life) = lives.last().filter(|life| life.is_unacknowledged()) {
                return Err(format!(
                    "I1: of life {:x} of phone {n} something waits for ever",
                    life.incarnation
                ));
            }
        }
        Ok(())
    }

    /// I22: every letter came to every copy of its device, once, and nothing else came. To one that was revoked, only
    /// what it fetched before.
    fn check_letters(&self) -> Result<(), String> {
        for (n, phone) in self.phones.iter().enumerate() {
            let mine = self.letters.iter().filter(|(device, _)| *device == phone.outbox.device());
            let sent: BTreeSet<[u8; 16]> =
                mine.filter_map(|(_, letter)| unverified(letter).ok()).map(|letter| letter.id).collect();
            let came: BTreeSet<[u8; 16]> = phone.outbox.letters().keys().copied().collect();
            let revoked = self.hq.is_revoked(phone.outbox.device());
            if sent != came && !(revoked && came.is_subset(&sent)) {
                return Err(format!("I22: phone {n} has {} of {} letters", came.len(), sent.len()));
            }
        }
        Ok(())
    }

    /// I1, I2, I19: a reader has what was granted and stands in a chain, whole; and nothing that is held back,
    /// unless it was given before that was known.
    fn check_readers(&mut self) -> Result<(), String> {
        for n in 0..self.readers.len() {
            let id = self.readers[n].key().id();
            let pairs: BTreeSet<Hash> =
                self.hq.told.voices.keys().filter(|pair| pair.1 == id).map(|pair| pair.0).collect();
            for segment in pairs {
                let pair = (segment, id);
                let seen = self.readers[n].seen.get(&segment);
                let Some(marks) = self.truth.segments.get(&segment) else {
                    return Err("I21: a grant for a segment that was never sealed".into());
                };
                if let Some(Some(seen)) = seen
                    && seen != marks
                {
                    return Err("I20: a reader sees other facts than were sealed".into());
                }
                let sound = self.hq.is_sound(segment, &self.truth);
                if self.hq.told.is_granted(&pair) && sound && seen != Some(&Some(marks.clone())) {
                    return Err(format!(
                        "I1: reader {n} misses segment {segment}, it has {:?}",
                        seen.is_some()
                    ));
                }
                if self.hq.told.is_withheld(&pair) && matches!(seen, Some(Some(_))) {
                    return Err(format!("I19: reader {n} was not told of a withdrawal of {segment}"));
                }
            }
        }
        Ok(())
    }
}
