//! A device against a small headquarters: what leaves it, who may read it, what is purged and what comes back.
//! All persons and cases are synthetic.

mod lapse;
mod letters;
mod lives;
mod moved;
mod purge;
mod readers;
#[path = "../../../core/tests/sync/relay.rs"]
mod relay;
mod whole;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use amparo_core::device::{Device, Level};
use amparo_core::random::{Entropy, SeededEntropy};
use amparo_core::seal::{SecretKey, Signer, from_bytes, to_bytes};
use amparo_core::sync::{Ended, Go, Progress, SyncReport, Transport, TransportError};
use amparo_core::time::FixedClock;
use amparo_schema::fact::{Compartment, Fact};
use amparo_schema::id::{DeviceId, Hash, ScreeningId};
use amparo_schema::wire::feed::{Cursor, FeedId, Page};
use amparo_schema::wire::push::Reply;
use amparo_schema::wire::receipt::Receipt;
use amparo_schema::wire::segment::Plain;
use amparo_shell::content::keys::demo_custodian_secret;
use amparo_shell::embedded;
use amparo_tests::interview::{self, NOW_MS, consent, key, name, start, talk};
use relay::Relay;

const HOUR_MS: i64 = 60 * 60 * 1000;

struct World {
    folder: tempfile::TempDir,
    clock: Arc<FixedClock>,
    device: Option<Device>,
    line: Line,
}

/// A carrier that reaches headquarters, or does not.
struct Line {
    relay: Mutex<Relay>,
    /// Bytes of the replies that come through; none for all.
    cut: Mutex<Option<usize>>,
}

impl Transport for Line {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut replies = self.relay.lock().unwrap().exchange(upload);
        match *self.cut.lock().unwrap() {
            None => Ok(replies),
            Some(cut) => {
                replies.truncate(cut);
                Err(TransportError::Cut { replies })
            }
        }
    }
}

struct Nowhere;

impl Transport for Nowhere {
    fn exchange(&self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
        Err(TransportError::Offline)
    }
}

fn open(path: &std::path::Path, clock: &Arc<FixedClock>, seed: u64) -> Device {
    let entropy = Arc::new(SeededEntropy::new(seed));
    Device::open(path, &key(), embedded::trust().unwrap(), clock.clone(), entropy).unwrap()
}

/// A device with the embedded packs, enrolled.
fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let (clock, device) = interview::made(&folder.path().join("store.db"));
    let mut relay = Relay::new();
    let certificate = relay.enrol(&device.enrolment_request(&relay::ticket()).unwrap());
    device.enrolled(&certificate).unwrap();
    let line = Line { relay: Mutex::new(relay), cut: Mutex::new(None) };
    World { folder, clock, device: Some(device), line }
}

impl World {
    fn device(&self) -> &Device {
        self.device.as_ref().unwrap()
    }

    fn sync(&self) -> SyncReport {
        self.device().sync(&self.line, &()).unwrap()
    }

    fn relay<T>(&self, with: impl FnOnce(&mut Relay) -> T) -> T {
        with(&mut self.line.relay.lock().unwrap())
    }

    /// What a reader would be given of a screening: of each segment the compartments, and the kinds of its facts.
    fn reads(&self, secret: &[u8; 32], id: ScreeningId) -> Vec<(Vec<Compartment>, Vec<&'static str>)> {
        let plain = self.relay(|relay| relay.readable(&SecretKey::new(secret)));
        let of_it = plain.iter().filter(|plain| plain.screening == Some(id));
        of_it.map(|plain| (compartments(plain), kinds(plain))).collect()
    }

    fn custodian(&self, id: ScreeningId) -> Vec<(Vec<Compartment>, Vec<&'static str>)> {
        self.reads(&demo_custodian_secret(), id)
    }

    fn level(&self, id: ScreeningId) -> Level {
        let state = self.device().sync_state().unwrap();
        state.screenings.iter().find(|line| line.screening == id).unwrap().level
    }

    /// Lets time pass, on both clocks.
    fn pass_ms(&self, ms: i64) {
        self.clock.advance_ms(u32::try_from(ms).unwrap());
    }
}

/// The compartments that occur in a segment, once each.
fn compartments(plain: &Plain) -> Vec<Compartment> {
    let all: BTreeSet<Compartment> = plain.events.iter().map(|event| event.compartment).collect();
    all.into_iter().collect()
}

fn kinds(plain: &Plain) -> Vec<&'static str> {
    plain.events.iter().map(|event| from_bytes::<Fact>(&event.fact).unwrap().body.kind()).collect()
}

/// A screening, talked through and closed.
fn closed(device: &Device) -> ScreeningId {
    let id = start(device);
    talk(device, id);
    device.close(id).unwrap();
    id
}

#[test]
fn a_screening_arrives_and_its_way_can_be_followed() {
    let world = world();
    let device = world.device();
    let open = start(device);
    let id = closed(device);
    assert_eq!((world.level(open), world.level(id)), (Level::Open, Level::Sealed));
    let offline = device.sync(&Nowhere, &()).unwrap();
    assert_eq!(offline.ended, Ended::Broken(TransportError::Offline));
    assert_eq!(world.level(id), Level::Sealed, "nothing left the device");
    *world.line.cut.lock().unwrap() = Some(0);
    assert!(matches!(world.sync().ended, Ended::Broken(TransportError::Cut { .. })));
    assert_eq!(world.level(id), Level::Sent);
    *world.line.cut.lock().unwrap() = None;
    world.relay(|relay| relay.depth = relay::Depth::Stored);
    assert_eq!((world.sync().ended, world.level(id)), (Ended::Done, Level::Stored));
    world.relay(|relay| relay.depth = relay::Depth::Durable);
    assert_eq!((world.sync().ended, world.level(id)), (Ended::Done, Level::Durable));
    let read = world.custodian(id);
    let compartments: Vec<_> = read.iter().map(|(compartments, _)| compartments.clone()).collect();
    assert_eq!(compartments, [[Compartment::Case, Compartment::Consent]], "in one segment");
    assert!(read[0].1.ends_with(&["outcome_recorded", "closed"]), "{read:?}");
    let state = device.sync_state().unwrap();
    assert_eq!((state.waiting, state.agency), (0, Some(name("synthetic-agency"))));
    assert_eq!(state.contact_ms, Some(NOW_MS));
    let idle = world.sync();
    assert_eq!((idle.exchanges, idle.receipts, &idle.ended), (1, 0, &Ended::Done));
    assert!(idle.up_bytes + idle.down_bytes <= 600, "{idle:?}");
}

/// Somebody who answers in headquarters' place, with these bytes.
struct Stranger(Vec<u8>);

impl Transport for Stranger {
    fn exchange(&self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(self.0.clone())
    }
}

/// I36: nothing to send, and an answer that says nothing: neither done nor headquarters reached.
#[test]
fn i36_an_answer_counts_by_what_it_says() {
    let world = world();
    let device = world.device();
    closed(device);
    assert_eq!(world.sync().ended, Ended::Done);
    world.pass_ms(HOUR_MS);
    let rubbish = |seed| {
        let mut bytes = vec![0; 2_000];
        SeededEntropy::new(seed).fill(&mut bytes).unwrap();
        bytes
    };
    let unsigned = Receipt {
        device: DeviceId([1; 16]),
        incarnation: 1,
        epoch: 9,
        stored: 0,
        hash: Hash([0; 32]),
        ranges: Vec::new(),
        durable: 0,
        delivered: 0,
        horizon: 0,
        disclosures: 0,
        hq_ms: NOW_MS,
        log_size: 0,
        log_root: Hash([0; 32]),
    };
    let forged = Signer::from_seed(&[9; 32]).sign_object(&unsigned).unwrap();
    let forged = to_bytes(&Reply::Receipt(forged)).unwrap();
    let start = Cursor { read: 3, ..Cursor::start(FeedId::packs()) };
    let page = to_bytes(&Reply::Page(Page { from: start, head: 3, entries: Vec::new() })).unwrap();
    for answer in [Vec::new(), vec![0; 40], forged, page].into_iter().chain((0..50).map(rubbish)) {
        let report = device.sync(&Stranger(answer), &()).unwrap();
        assert_eq!((report.ended, report.receipts, report.entries), (Ended::Stuck, 0, 0));
        assert_eq!(device.sync_state().unwrap().contact_ms, Some(NOW_MS));
    }
    assert_eq!(world.sync().ended, Ended::Done);
    assert_eq!(device.sync_state().unwrap().contact_ms, Some(NOW_MS + HOUR_MS));
}

#[test]
fn a_device_that_was_not_enrolled_does_not_sync_and_takes_no_strange_certificate() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let (trust, entropy) = (embedded::trust().unwrap(), Arc::new(SeededEntropy::new(8)));
    let device =
        Device::create(&folder.path().join("s"), &key(), trust, world.clock.clone(), entropy).unwrap();
    assert!(device.sync(&world.line, &()).is_err() && device.export_bundle().is_err());
    let mut relay = Relay::new();
    let other = relay.enrol(&world.device().enrolment_request(&relay::ticket()).unwrap());
    assert!(device.enrolled(&other).is_err(), "nothing was asked for");
    let request = device.enrolment_request(&relay::ticket()).unwrap();
    assert!(device.enrolled(&other).is_err(), "of another device");
    let certificate = relay.enrol(&request);
    for bit in (0..certificate.len() * 8).step_by(7) {
        let mut flipped = certificate.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(device.enrolled(&flipped).is_err(), "{bit}");
    }
    assert!(device.enrolment().unwrap().is_none());
    assert_eq!(device.enrolled(&certificate).unwrap().agency, name("synthetic-agency"));
    assert_eq!(device.enrolment().unwrap().unwrap().headquarters, relay::headquarters());
}

/// Another headquarters has nothing of what the first acknowledged.
#[test]
fn another_headquarters_gets_everything_that_is_here() {
    let world = world();
    let device = world.device();
    let id = closed(device);
    world.sync();
    let mut other = relay::ticket();
    other.headquarters.url = "https://other.example/".into();
    let request = device.enrolment_request(&other).unwrap();
    assert_eq!(device.enrolment().unwrap().unwrap().headquarters, relay::headquarters(), "until it answers");
    assert_eq!(world.sync().exchanges, 1);
    let mut new = Relay::new();
    device.enrolled(&new.enrol(&request)).unwrap();
    *world.line.relay.lock().unwrap() = new;
    assert_eq!(world.level(id), Level::Sent);
    world.sync();
    assert_eq!((world.level(id), world.custodian(id).len()), (Level::Durable, 1));
}

/// A carrier during whose work the device is used: no lock and no transaction is held meanwhile.
struct Meanwhile<'a> {
    world: &'a World,
    closed: Mutex<Vec<ScreeningId>>,
}

impl Transport for Meanwhile<'_> {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut closed_meanwhile = self.closed.lock().unwrap();
        if closed_meanwhile.len() < 2 {
            closed_meanwhile.push(closed(self.world.device()));
        }
        self.world.line.exchange(upload)
    }
}

#[test]
fn a_screening_can_be_closed_while_another_is_sent() {
    let world = world();
    let first = closed(world.device());
    let line = Meanwhile { world: &world, closed: Mutex::new(Vec::new()) };
    assert_eq!(world.device().sync(&line, &()).unwrap().ended, Ended::Done);
    let meanwhile = line.closed.into_inner().unwrap();
    for id in meanwhile.into_iter().chain([first]) {
        assert_eq!((world.level(id), world.custodian(id).len()), (Level::Durable, 1));
    }
}

struct StopAtOnce;

impl Progress for StopAtOnce {
    fn exchanged(&self, so_far: &SyncReport) -> Go {
        assert_eq!(so_far.exchanges, 1);
        Go::Stop
    }
}

#[test]
fn whoever_watches_can_stop_between_exchanges() {
    let world = world();
    world.relay(|relay| relay.wants_certificate = true);
    let id = closed(world.device());
    assert_eq!(world.device().sync(&world.line, &StopAtOnce).unwrap().ended, Ended::Stopped);
    assert_eq!(world.relay(|relay| relay.count()), 0);
    assert_eq!((world.sync().ended, world.level(id)), (Ended::Done, Level::Durable));
}

#[test]
fn bundles_carry_the_same_and_remove_nothing() {
    let world = world();
    let device = world.device();
    let (first, second) = (closed(device), closed(device));
    let key = Relay::letter_key(&device.enrolment_request(&relay::ticket()).unwrap());
    let lost = device.export_bundle().unwrap();
    let volumes = device.export_bundle().unwrap();
    assert_ne!(lost[0].name, volumes[0].name);
    assert_eq!((world.level(first), lost.len(), volumes.len()), (Level::Sealed, 1, 1));
    let back = world.relay(|relay| relay.carry(&volumes[0].bytes, &key));
    assert!(device.import_bundle(&volumes[0].bytes).is_err(), "not for a device");
    assert_eq!(device.import_bundle(&back).unwrap().receipts, 1);
    assert_eq!((world.level(first), world.level(second)), (Level::Durable, Level::Durable));
    // I33: the lost one is found after all; both ways it changes nothing.
    let again = world.relay(|relay| relay.carry(&lost[0].bytes, &key));
    for volume in [&again, &back] {
        assert_eq!(device.import_bundle(volume).unwrap().receipts, 0);
    }
    assert_eq!(world.custodian(first).len(), 1);
    assert_eq!(world.sync().exchanges, 1);
}
