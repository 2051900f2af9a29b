//! The device against the relay as it is, with an agency that pulls what is for it and answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use amparo_core::device::{Device, Level};
use amparo_core::random::SeededEntropy;
use amparo_core::seal::{PublicKey, SecretKey, Signer, VerifyKey, from_bytes, open, write_letter};
use amparo_core::sync::{Ended, Item, Transport, TransportError, items};
use amparo_hq::relay::{Reader, Relay, Settings};
use amparo_hq::storage::memory::Memory;
use amparo_schema::answer::{AgeRange, Answer, Value};
use amparo_schema::fact::{ReferralState, Scope};
use amparo_schema::id::{Hash, ScreeningId};
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::wire::desk::Pull;
use amparo_schema::wire::enrol::Request;
use amparo_schema::wire::feed::{Cursor, Entry, FeedId, Note};
use amparo_schema::wire::signed::Signed;
use amparo_shell::content::keys::{demo_agency_secret, demo_agency_signing_key, demo_custodian_secret};

use super::{NOW_MS, consent, name, start, talk, world};

const AGENCY: &str = "demo-agency-chile";
const SERVICE: &str = "cl-sernameg-shelter";

/// Headquarters as it is, over a store in memory.
pub(super) struct Real {
    relay: Relay,
    storage: Mutex<Memory>,
}

impl Transport for Real {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut storage = self.storage.lock().unwrap();
        self.relay.exchange(&mut *storage, upload, NOW_MS).map_err(|_| TransportError::Refused { code: 503 })
    }
}

pub(super) fn real() -> Real {
    let settings = Settings::local("http://127.0.0.1/");
    let relay = Relay::new(Signer::from_seed(&[200; 32]), SecretKey::new(&[201; 32]), settings);
    let mut storage = Memory::default();
    for secret in [demo_agency_secret(AGENCY, "2026"), demo_custodian_secret()] {
        let key = Hash(*SecretKey::new(&secret).public().bytes());
        let reader = Reader { key, signing: Hash(author().public().0), agency: name(AGENCY) };
        relay.register(&mut storage, &reader, NOW_MS).unwrap();
    }
    Real { relay, storage: Mutex::new(storage) }
}

fn author() -> Signer {
    Signer::from_seed(&demo_agency_signing_key(AGENCY).to_bytes())
}

impl Real {
    /// Enrols a device; gives its key for letters.
    pub(super) fn enrol(&self, device: &Device) -> PublicKey {
        let mut storage = self.storage.lock().unwrap();
        let entropy = SeededEntropy::new(21);
        let ticket = self.relay.invite(&mut *storage, &name(AGENCY), NOW_MS + 1, NOW_MS, &entropy).unwrap();
        let request = device.enrolment_request(&ticket).unwrap();
        let asked: Signed<Request> = from_bytes(&request).unwrap();
        let certificate = self.relay.enrol(&mut *storage, &asked, NOW_MS).unwrap();
        device.enrolled(&amparo_core::seal::to_bytes(&certificate).unwrap()).unwrap();
        super::Relay::letter_key(&request)
    }

    /// What the agency has been given so far and not been told to forget: numbers of facts of a screening.
    fn given(&self, id: ScreeningId, device: &VerifyKey) -> usize {
        let given = self.reads(&demo_agency_secret(AGENCY, "2026"), device);
        assert!(given.keys().all(|screening| *screening == Some(id)));
        given.values().sum()
    }

    /// The screenings that the custodian can read.
    pub(super) fn custodian(&self, device: &VerifyKey) -> BTreeSet<ScreeningId> {
        self.reads(&demo_custodian_secret(), device).into_keys().flatten().collect()
    }

    fn reads(&self, secret: &[u8; 32], device: &VerifyKey) -> BTreeMap<Option<ScreeningId>, usize> {
        let secret = SecretKey::new(secret);
        let recipient = secret.public().id();
        let cursor = Cursor::start(FeedId::recipient(recipient));
        let pull = author().sign_object(&Pull { recipient, cursor, down_bytes: 1 << 20 }).unwrap();
        let page = self.relay.pull(&mut *self.storage.lock().unwrap(), &pull, NOW_MS).unwrap();
        let mut given = BTreeMap::new();
        for entry in &page.entries {
            match from_bytes::<Entry>(&entry.0).unwrap() {
                Entry::Sealed { segment, grant, .. } => {
                    let plain = open(&segment, &grant, &secret, device).unwrap();
                    given.insert(grant.segment, (plain.screening, plain.events.len()));
                }
                Entry::Withdrawn { segment } => drop(given.remove(&segment)),
                other => panic!("not for a reader: {other:?}"),
            }
        }
        let mut facts = BTreeMap::new();
        given.into_values().for_each(|(id, events)| *facts.entry(id).or_default() += events);
        facts
    }
}

#[test]
fn a_referral_goes_to_headquarters_and_its_answer_comes_back() {
    let (world, real) = (world(), real());
    let device = world.device();
    let letter_key = real.enrol(device);

    let id = start(device);
    talk(device, id);
    device.record_outcome(id).unwrap();
    let referral = device.refer(id, &name(SERVICE), None).unwrap();
    let all = [Scope::Needs, Scope::Outcome, Scope::Indicators];
    let given = device.consent(id, &consent(Purpose::ShareService, Some(&name(SERVICE)), &all)).unwrap();
    device.close(id).unwrap();
    device.move_referral(id, referral, ReferralState::Sent, None).unwrap();
    assert_eq!(device.sync(&real, &()).unwrap().ended, Ended::Done);
    assert!(world.level(id) >= Level::Stored);
    let key = device.public_key();
    assert!(real.given(id, &key) > 10);
    answer(&real, device.enrolment().unwrap().unwrap(), &letter_key, referral);
    let report = device.sync(&real, &()).unwrap();
    assert_eq!((report.entries, report.ended, world.level(id)), (1, Ended::Done, Level::Answered));
    device.withdraw_consent(id, given).unwrap();
    assert_eq!(device.sync(&real, &()).unwrap().ended, Ended::Done);
    assert_eq!(real.given(id, &key), 0, "told to forget");
    let idle = device.sync(&real, &()).unwrap();
    assert!(idle.exchanges == 1 && idle.up_bytes + idle.down_bytes <= 200, "{idle:?}");
}

/// A link that breaks off after so many bytes, once, and never answers then.
struct Breaking<'a> {
    real: &'a Real,
    after: Mutex<Option<usize>>,
    uploads: Mutex<Vec<usize>>,
}

impl Transport for Breaking<'_> {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.uploads.lock().unwrap().push(upload.len());
        match self.after.lock().unwrap().take() {
            None => self.real.exchange(upload),
            Some(after) => {
                self.real.exchange(&upload[..after.min(upload.len())]).unwrap();
                Err(TransportError::Cut { replies: Vec::new() })
            }
        }
    }
}

/// I11: a cut costs the frame that was cut, and a hello that asks how far it came.
#[test]
fn i11_what_arrived_before_a_cut_is_not_sent_again() {
    const MOST: usize = 24;
    for part in 1..8 {
        let (world, real) = (world(), real());
        let device = world.device();
        real.enrol(device);
        device.sync(&real, &()).unwrap();
        for _ in 0..MOST {
            let id = start(device);
            talk(device, id);
            device.close(id).unwrap();
        }
        let volumes = device.export_bundle().unwrap();
        let whole: usize = volumes.iter().map(|volume| volume.bytes.len()).sum();
        let after = whole * part / 8;
        let link = Breaking { real: &real, after: Mutex::new(Some(after)), uploads: Mutex::default() };
        assert!(matches!(device.sync(&link, &()).unwrap().ended, Ended::Broken(_)));
        assert_eq!(device.sync(&link, &()).unwrap().ended, Ended::Done);
        let uploads = link.uploads.lock().unwrap().clone();
        let again: usize = uploads.iter().skip(1).sum::<usize>() - uploads[0].saturating_sub(after);
        // The frame that was cut, the hello that asks, that of the exchange that goes on, and the last.
        assert!(again <= 2_048 + 3 * 200, "{part}: {uploads:?}, cut after {after}");
        assert_eq!(device.sync_state().unwrap().waiting, 0);
    }
}

/// Writes down in which order segments leave.
struct Listing<'a> {
    real: &'a Real,
    numbers: Mutex<Vec<u64>>,
}

impl Transport for Listing<'_> {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let segments = items(upload).into_iter().flatten().filter_map(|item| match item {
            Item::Segment { number, .. } => Some(number),
            Item::Disclosure { .. } => None,
        });
        self.numbers.lock().unwrap().extend(segments);
        self.real.exchange(upload)
    }
}

#[test]
fn what_is_urgent_goes_before_what_was_sealed_earlier() {
    let (world, real) = (world(), real());
    let device = world.device();
    real.enrol(device);
    device.sync(&real, &()).unwrap();
    let calm = [start(device), start(device)];
    for id in calm {
        talk(device, id);
        device.close(id).unwrap();
    }
    let id = urgent(device);
    let link = Listing { real: &real, numbers: Mutex::default() };
    assert_eq!(device.sync(&link, &()).unwrap().ended, Ended::Done);
    assert_eq!(link.numbers.into_inner().unwrap(), [3, 1, 2], "once each, and 0 is the store's own");
    assert!(calm.iter().chain([&id]).all(|id| world.level(*id) >= Level::Stored));
}

/// A bundle of one volume shows who calls before it calls: there is nobody to ask for the certificate.
#[test]
fn a_bundle_is_answered_by_a_headquarters_that_forgot_the_device() {
    let (world, before, restored) = (world(), real(), real());
    let device = world.device();
    before.enrol(device);
    device.sync(&before, &()).unwrap();
    let id = urgent(device);
    let volumes = device.export_bundle().unwrap();
    assert_eq!(volumes.len(), 1);
    let mut storage = restored.storage.lock().unwrap();
    let carried =
        restored.relay.carry(&mut *storage, &volumes[0].bytes, NOW_MS, &SeededEntropy::new(6)).unwrap();
    let [(_, answer)] = &carried.answers[..] else { panic!("{:?}", carried.notes) };
    assert_eq!((device.import_bundle(answer).unwrap().receipts, world.level(id)), (1, Level::Sealed));
    drop(storage);
    assert_eq!(device.sync(&restored, &()).unwrap().ended, Ended::Done);
    assert_eq!(world.level(id), Level::Stored);
}

/// A screening of a possible child, talked through and closed.
pub(super) fn urgent(device: &Device) -> ScreeningId {
    let id = start(device);
    let child = Answer::Known(Value::Age(AgeRange { from: 9, to: 12 }));
    device.answer(id, &name("person-age"), child).unwrap();
    talk(device, id);
    device.close(id).unwrap();
    assert!(device.screening(id).unwrap().outcomes.contains(&Outcome::ChildProtection));
    id
}

fn answer(
    real: &Real,
    enrolment: amparo_schema::wire::enrol::Enrolment,
    letter_key: &PublicKey,
    referral: amparo_schema::id::ReferralId,
) {
    let device = amparo_core::seal::unverified(&enrolment.certificate).unwrap().device;
    let note = Note::ReferralAnswered { referral, state: ReferralState::Accepted, reason: None };
    let letter = write_letter(&note, device, letter_key, &author(), &SeededEntropy::new(5)).unwrap();
    real.relay.post(&mut *real.storage.lock().unwrap(), &letter, NOW_MS).unwrap();
}
