//! A device in the field, and the screenings that it makes. Synthetic throughout.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amparo_core::device::{ConsentRequest, Device, NextStep};
use amparo_core::random::SeededEntropy;
use amparo_core::seal::{SecretKey, from_bytes, open, to_bytes};
use amparo_core::time::{FixedClock, Moment};
use amparo_schema::fact::{ConsentBy, Fact, ReferralState, Scope};
use amparo_schema::id::ScreeningId;
use amparo_schema::name::Name;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::wire::segment::{Event, Plain};
use amparo_shell::content::keys::demo_custodian_secret;
use amparo_shell::{embedded, home};
use amparo_tests::dice::Dice;
use amparo_tests::{answers, device};
use tempfile::TempDir;

use crate::Fallible;
use crate::cost::of_thread;

/// 2026-11-22 04:00 in Santiago.
pub const NOW_MS: i64 = 1_795_330_800_000;
/// The seed of the first screening; each has the next one, wherever it is made.
const FIRST_SEED: u64 = 5_000;

/// A device with its store.
pub struct Field {
    /// The device.
    pub device: Device,
    clock: Arc<FixedClock>,
    folder: TempDir,
    made: u64,
    /// Processor time of closing so far.
    pub closing: Duration,
}

/// The facts of one screening.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Each fact as JSON.
    pub json: Vec<String>,
    /// All of them as one plaintext, as a segment holds it.
    pub plain: Vec<u8>,
    /// Who may read something of it.
    pub readers: usize,
}

impl Field {
    /// A device with the packs that the shell carries, enrolled nowhere.
    pub fn new() -> Fallible<Self> {
        let (folder, clock) = (tempfile::tempdir()?, clock());
        let entropy = Arc::new(SeededEntropy::new(1));
        let path = device::store(folder.path());
        let device = Device::create(&path, &device::key(), embedded::trust()?, clock.clone(), entropy)?;
        home::install_embedded(&device)?;
        Ok(Self { device, clock, folder, made: 0, closing: Duration::ZERO })
    }

    /// Leaves the store as it stands, to be copied.
    pub fn leave(self) -> TempDir {
        self.folder
    }

    /// A device on a copy of a store.
    pub fn copy(of: &Path) -> Fallible<Self> {
        let (folder, clock) = (tempfile::tempdir()?, clock());
        for file in std::fs::read_dir(of)? {
            let file = file?;
            std::fs::copy(file.path(), folder.path().join(file.file_name()))?;
        }
        let entropy = Arc::new(SeededEntropy::new(9));
        let path = device::store(folder.path());
        let device = Device::open(&path, &device::key(), embedded::trust()?, clock.clone(), entropy)?;
        Ok(Self { device, clock, folder, made: 0, closing: Duration::ZERO })
    }

    /// One screening of four questions, shared with a second reader where the person may agree.
    pub fn screen(&mut self) -> Fallible<ScreeningId> {
        let mut dice = Dice::new(FIRST_SEED + self.made);
        self.made += 1;
        let device = &self.device;
        let id = device::start(device, "four-questions")?;
        loop {
            self.clock.advance_ms(u32::try_from(2_000 + dice.below(30_000))?);
            match device.next(id)? {
                NextStep::Item(item) => {
                    let question = device.question(id, &item)?;
                    device.answer(id, &item, answers::some(&question.item, &mut dice))?;
                }
                NextStep::Gate => device::pass_gate(device, id)?,
                NextStep::End => break,
            }
        }
        device.record_outcome(id)?;
        let service = Name::new("cl-sernameg-shelter").map_err(|_| "name")?;
        let referral = device.refer(id, &service, None)?;
        let share = ConsentRequest {
            purpose: Purpose::ShareService,
            receiver: Some(service),
            scope: [Scope::Needs, Scope::Outcome, Scope::Indicators].into_iter().collect(),
            lang: device::spanish()?,
            by: ConsentBy::Person,
        };
        // A possible child cannot consent alone; then the custodian is the one reader.
        let _ = device.consent(id, &share);
        device.move_referral(id, referral, ReferralState::Sent, None)?;
        let before = of_thread();
        device.close(id)?;
        self.closing += of_thread() - before;
        Ok(id)
    }

    /// The facts of a screening, as its custodian reads them. To be asked after its sync: asking makes the
    /// disclosures that are due, each screening's apart.
    pub fn facts(&self, id: ScreeningId) -> Fallible<Facts> {
        let secret = SecretKey::new(&demo_custodian_secret());
        let (mut events, mut about) = (Vec::<Event>::new(), None);
        let mut readers = std::collections::BTreeSet::new();
        for sealed in self.device.sealed(id)? {
            for grant in &sealed.grants {
                readers.insert(grant.recipient);
                let opened = open(&sealed.segment, grant, &secret, &self.device.public_key());
                let Ok(Plain { case, screening, events: more }) = opened else { continue };
                about.get_or_insert((case, screening));
                events.extend(more);
            }
        }
        let (case, screening) = about.ok_or("nothing of the screening could be read")?;
        events.sort_by_key(|event| event.counter);
        let mut json = Vec::new();
        for event in &events {
            json.push(serde_json::to_string(&from_bytes::<Fact>(&event.fact)?)?);
        }
        let plain = to_bytes(&Plain { case, screening, events })?;
        Ok(Facts { json, plain, readers: readers.len() })
    }
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::new(Moment { wall_ms: NOW_MS, offset_minutes: -180, steady_ms: 9_000 }))
}
