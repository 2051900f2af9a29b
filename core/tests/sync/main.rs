//! The machine of sync against a small headquarters. All facts are synthetic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod feeds;
mod hostile;
mod relay;
mod upward;

use amparo_core::random::SeededEntropy;
use amparo_core::seal::{SecretKey, Signer, grant, to_bytes, write_letter};
use amparo_core::sync::memory::{Facts, MemoryOutbox};
use amparo_core::sync::{Budget, Life, Outbox, Report, believe, items, take, upload};
use amparo_schema::fact::{Body, Compartment, Fact, Stamp};
use amparo_schema::id::{CaseId, DeviceId, Hash, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::text::Lang;
use amparo_schema::wire::feed::{Entry, FeedId, Note};
use relay::Relay;

const DEVICE: DeviceId = DeviceId([7; 16]);

/// A device with its headquarters.
struct World {
    outbox: MemoryOutbox,
    relay: Relay,
    entropy: SeededEntropy,
}

fn agency() -> Signer {
    Signer::from_seed(&[90; 32])
}

fn reader() -> SecretKey {
    SecretKey::new(&[91; 32])
}

fn world() -> World {
    let mut outbox = MemoryOutbox::new(DEVICE, &[8; 32], 1);
    let mut relay = Relay::new();
    let request = to_bytes(&outbox.request(&relay::ticket()).unwrap()).unwrap();
    outbox.enrol(relay.enrolment(&request));
    outbox.believe(Hash(agency().public().0), Name::new("synthetic-agency").unwrap());
    World { outbox, relay, entropy: SeededEntropy::new(3) }
}

impl World {
    /// Seals one fact, which names a language by `n`, and grants it to the reader.
    fn seal(&mut self, n: u64) {
        let at = Stamp { wall_ms: 0, offset_minutes: 0, steady_ms: n, doubt: None };
        let fact = Fact { at, body: Body::LanguageSet { lang: Lang::new("es").unwrap(), person: false } };
        let facts = Facts {
            case: Some(CaseId([1; 16])),
            screening: Some(ScreeningId([2; 16])),
            compartment: Compartment::Case,
            events: vec![(n + 1, to_bytes(&fact).unwrap())],
            urgent: false,
        };
        let sealed = self.outbox.seal(facts, &self.entropy).unwrap();
        let grant = grant(&sealed.key, sealed.hash, &reader().public(), &self.entropy).unwrap();
        self.outbox.disclose(&[grant], &[]).unwrap();
    }

    fn letter(&mut self, n: u8) {
        let note = Note::ReferralAnswered {
            referral: ReferralId([n; 16]),
            state: amparo_schema::fact::ReferralState::Accepted,
            reason: None,
        };
        let key = self.outbox.letter_secret().public();
        let letter = write_letter(&note, DEVICE, &key, &agency(), &self.entropy).unwrap();
        self.relay.publish(FeedId::device(DEVICE), &Entry::Letter(letter));
    }

    fn exchange(&mut self, budget: &mut Budget) -> Report {
        let up = upload(&self.outbox, budget).unwrap();
        let replies = self.relay.exchange(&up);
        let mut report = take(&mut self.outbox, &replies).unwrap();
        let items = items(&up);
        budget.learn(&items, &mut report);
        believe(&mut self.outbox, &items, budget, &mut report).unwrap();
        report
    }

    /// Exchanges until nothing moves, and asserts that this comes to an end.
    fn sync(&mut self) -> Vec<Report> {
        let mut budget = Budget::default();
        let mut reports = Vec::new();
        for _ in 0..50 {
            let report = self.exchange(&mut budget);
            let moved = report.is_progress();
            reports.push(report);
            if !moved {
                return reports;
            }
        }
        panic!("never comes to rest: {:?}", reports.last());
    }

    fn lives(&self) -> Vec<Life> {
        self.outbox.lives().unwrap()
    }

    fn is_acknowledged(&self) -> bool {
        self.lives().iter().all(|life| !life.is_unacknowledged())
    }
}

#[test]
fn everything_arrives_once_and_the_reader_opens_it() {
    let mut world = world();
    (0..5).for_each(|n| world.seal(n));
    world.relay.wants_certificate = true;
    world.letter(1);
    let reports = world.sync();
    assert!(reports[0].certificate_wanted && reports[1].receipts == 1, "{reports:?}");
    assert!(world.is_acknowledged());
    let counters: Vec<u64> =
        world.relay.readable(&reader()).iter().flat_map(|p| &p.events).map(|e| e.counter).collect();
    assert_eq!(counters, [1, 2, 3, 4, 5]);
    assert_eq!(world.outbox.letters().len(), 1);
}

#[test]
fn an_idle_exchange_is_small() {
    let mut world = world();
    (0..5).for_each(|n| world.seal(n));
    world.letter(1);
    world.sync();
    let up = upload(&world.outbox, &Budget::default()).unwrap();
    let down = world.relay.exchange(&up);
    // I30: 200 bytes on the wire for an idle sync.
    println!("idle: {} up, {} down", up.len(), down.len());
    assert!(up.len() + down.len() <= 200, "{} + {}", up.len(), down.len());
}

/// I9: a phone that was set back begins a life of its own; no number is signed twice with other bytes, and what the
/// old life left behind is sent under its own headers.
#[test]
fn i9_a_life_of_its_own_after_every_rollback() {
    for cut in 0..4 {
        let mut world = world();
        (0..cut).for_each(|n| world.seal(n));
        let snapshot = world.outbox.clone();
        (cut..4).for_each(|n| world.seal(n));
        world.sync();
        world.outbox = snapshot;
        world.outbox.begin(2);
        world.seal(10);
        let reports = world.sync();
        assert!(reports.iter().all(|report| report.refused.is_empty() && !report.astray), "{cut}");
        assert_eq!((world.relay.forks, world.relay.count()), (0, 5), "{cut}");
        // With nothing left behind there is nothing by which the old life would be known.
        let done = |life: &Life| life.segments == 0 || !life.is_unacknowledged();
        assert!(world.lives().iter().all(done), "{cut}: {:?}", world.lives());
    }
}

/// I9, I8: what was set back with everything around it learns it from a receipt, before anything is purged by it.
#[test]
fn i9_a_receipt_tells_a_store_that_it_went_back() {
    let mut world = world();
    (0..2).for_each(|n| world.seal(n));
    world.sync();
    let snapshot = world.outbox.clone();
    world.seal(2);
    world.sync();
    for sealed_since in [0, 1, 2] {
        let mut world =
            World { outbox: snapshot.clone(), relay: world.relay.clone(), entropy: SeededEntropy::new(9) };
        (0..sealed_since).for_each(|n| world.seal(50 + n));
        let held = world.outbox.receipt(1).cloned();
        let report = world.exchange(&mut Budget::default());
        assert!(report.astray, "{sealed_since}: {report:?}");
        assert_eq!(world.outbox.receipt(1), held.as_ref(), "it covers what this store never sealed");
        world.outbox.begin(2);
        world.seal(60);
        let reports = world.sync();
        assert!(reports.iter().all(|report| !report.astray));
        assert!(!world.lives()[1].is_unacknowledged(), "the new life goes on: {reports:?}");
    }
}
