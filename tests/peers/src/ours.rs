//! Amparo's side: real devices, real closing, real sync, the real relay in memory.

use std::cell::RefCell;
use std::sync::Arc;

use amparo_core::device::{ConsentRequest, Device, NextStep};
use amparo_core::random::SeededEntropy;
use amparo_core::seal::{PublicKey, SecretKey, Signer, from_bytes, to_bytes};
use amparo_core::sync::{Transport, TransportError};
use amparo_core::time::{FixedClock, Moment};
use amparo_hq::relay::{Durability, Relay, Settings};
use amparo_hq::storage::memory::Memory;
use amparo_schema::fact::{ConsentBy, Fact, ReferralState, Scope};
use amparo_schema::name::Name;
use amparo_schema::pack::policy::Purpose;
use amparo_shell::content::keys::demo_custodian_secret;
use amparo_shell::{embedded, home};
use amparo_tests::dice::Dice;
use amparo_tests::{answers, device};

use crate::{Cost, timed};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// 2026-11-22 04:00 in Santiago.
const NOW_MS: i64 = 1_795_330_800_000;

struct Line {
    relay: Relay,
    storage: RefCell<Memory>,
    cost: RefCell<Cost>,
}

impl Transport for Line {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let replies = self
            .relay
            .exchange(&mut *self.storage.borrow_mut(), upload, NOW_MS)
            .map_err(|_| TransportError::Offline)?;
        let mut cost = self.cost.borrow_mut();
        cost.up += upload.len();
        cost.down += replies.len();
        cost.trips += 1;
        Ok(replies)
    }
}

/// Sends `screenings`, `batch` in each sync. Gives the facts of each as JSON, for the other side.
pub fn run(screenings: usize, batch: usize) -> Fallible<(Vec<Vec<String>>, Cost)> {
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(FixedClock::new(Moment { wall_ms: NOW_MS, offset_minutes: -180, steady_ms: 9_000 }));
    let path = device::store(folder.path());
    let entropy = Arc::new(SeededEntropy::new(1));
    let device = Device::create(&path, &device::key(), embedded::trust()?, clock.clone(), entropy)?;
    home::install_embedded(&device)?;
    let settings = Settings { durability: Durability::Replicated, ..Settings::local("http://127.0.0.1/") };
    let relay = Relay::new(Signer::from_seed(&[1; 32]), SecretKey::new(&[2; 32]), settings);
    let mut storage = Memory::default();
    let agency = Name::new("synthetic-agency").map_err(|_| "name")?;
    let ticket = relay.invite(&mut storage, &agency, NOW_MS + 1, NOW_MS, &SeededEntropy::new(2))?;
    let request = from_bytes(&device.enrolment_request(&ticket)?)?;
    device.enrolled(&to_bytes(&relay.enrol(&mut storage, &request, NOW_MS)?)?)?;
    let line = Line { relay, storage: RefCell::new(storage), cost: RefCell::new(Cost::default()) };
    // What the store says of itself goes first, once.
    device.sync(&line, &())?;
    *line.cost.borrow_mut() = Cost::default();
    let mut facts = Vec::new();
    let mut took = std::time::Duration::ZERO;
    for n in 0..screenings {
        facts.push(screening(&device, &clock, &mut Dice::new(5_000 + n as u64))?);
        if (n + 1) % batch == 0 {
            let (time, done) = timed(|| device.sync(&line, &()));
            done?;
            took += time;
        }
    }
    let mut cost = *line.cost.borrow();
    cost.took = took;
    Ok((facts, cost))
}

/// One screening of four questions, shared with a second reader.
fn screening(device: &Device, clock: &FixedClock, dice: &mut Dice) -> Fallible<Vec<String>> {
    let id = device::start(device, "four-questions")?;
    loop {
        clock.advance_ms(u32::try_from(2_000 + dice.below(30_000))?);
        match device.next(id)? {
            NextStep::Item(item) => {
                let question = device.question(id, &item)?;
                device.answer(id, &item, answers::some(&question.item, dice))?;
            }
            NextStep::Gate => {
                let checks = device.gate_checks(id)?.into_iter().map(|check| check.id).collect();
                device.gate(id, &checks)?;
                device.consent(id, &device::plain_consent(Purpose::Talk)?)?;
                device.consent(id, &device::plain_consent(Purpose::Store)?)?;
            }
            NextStep::End => break,
        }
    }
    device.record_outcome(id)?;
    let service = Name::new("cl-sernameg-shelter").map_err(|_| "name")?;
    let referral = device.refer(id, &service, None)?;
    let scope = [Scope::Needs, Scope::Outcome, Scope::Indicators].into_iter().collect();
    let share = ConsentRequest {
        purpose: Purpose::ShareService,
        receiver: Some(service),
        scope,
        lang: device::spanish()?,
        by: ConsentBy::Person,
    };
    // A possible child cannot consent alone; then the custodian is the one reader.
    let _ = device.consent(id, &share);
    device.move_referral(id, referral, ReferralState::Sent, None)?;
    device.close(id)?;
    let mut facts = Vec::new();
    let secret = SecretKey::new(&demo_custodian_secret());
    let _: PublicKey = secret.public();
    for sealed in device.sealed(id)? {
        for grant in &sealed.grants {
            let opened = amparo_core::seal::open(&sealed.segment, grant, &secret, &device.public_key());
            let Ok(plain) = opened else { continue };
            for event in plain.events {
                facts.push(serde_json::to_string(&from_bytes::<Fact>(&event.fact)?)?);
            }
        }
    }
    Ok(facts)
}
