//! A device with the embedded packs on a clock that a test turns, and how an adult is talked to on it.
//!
//! Everything in it is synthetic. For tests of what follows from a talk; for the talk itself see their own.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use amparo_core::device::{ConsentRequest, Device, NextStep, StartRequest};
use amparo_core::random::SeededEntropy;
use amparo_core::secret::Key;
use amparo_core::time::{FixedClock, Moment};
use amparo_schema::answer::{AgeRange, Answer, Unknown, Value};
use amparo_schema::fact::{ConsentBy, Scope};
use amparo_schema::id::ScreeningId;
use amparo_schema::name::Name;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::person::{Country, Place, Setting};
use amparo_schema::text::Lang;
use amparo_shell::{embedded, home};

/// 2026-11-22 04:00 in Santiago.
pub const NOW_MS: i64 = 1_795_330_800_000;

/// The key of its store.
#[must_use]
pub fn key() -> Key {
    Key::new(&[9; 32])
}

/// Makes it in this file, on a clock that stands at [`NOW_MS`].
#[must_use]
pub fn made(store: &Path) -> (Arc<FixedClock>, Device) {
    let clock = Arc::new(FixedClock::new(Moment { wall_ms: NOW_MS, offset_minutes: -180, steady_ms: 1 }));
    let (trust, entropy) = (embedded::trust().unwrap(), Arc::new(SeededEntropy::new(7)));
    let device = Device::create(store, &key(), trust, clock.clone(), entropy).unwrap();
    home::install_embedded(&device).unwrap();
    (clock, device)
}

/// A name.
#[must_use]
pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Starts a screening at a post in Chile.
#[must_use]
pub fn start(device: &Device) -> ScreeningId {
    let place = Place {
        country: Country::new("CL").unwrap(),
        post: Some(name("cl-los-libertadores")),
        area: Some("CL-VS".into()),
        setting: Setting::Border,
    };
    let lang = Lang::new("es").unwrap();
    device.start(&StartRequest { checklist: name("four-questions"), case: None, place, lang }).unwrap()
}

/// What the person is asked to agree to.
#[must_use]
pub fn consent(purpose: Purpose, receiver: Option<&Name>, scope: &[Scope]) -> ConsentRequest {
    ConsentRequest {
        purpose,
        receiver: receiver.cloned(),
        scope: scope.iter().copied().collect(),
        lang: Lang::new("ht").unwrap(),
        by: ConsentBy::Person,
    }
}

/// Answers up to the gate or the end: yes wherever that fits.
pub fn answer_on(device: &Device, id: ScreeningId) {
    while let NextStep::Item(item) = device.next(id).unwrap() {
        let answer = match item.as_str() {
            "person-age" => Value::Age(AgeRange { from: 30, to: 59 }),
            _ => Value::Yes,
        };
        if device.answer(id, &item, Answer::Known(answer)).is_err() {
            device.answer(id, &item, Answer::Unknown(Unknown::NotAsked)).unwrap();
        }
    }
}

/// Up to the gate, and through it.
pub fn pass_gate(device: &Device, id: ScreeningId) {
    answer_on(device, id);
    let all: BTreeSet<Name> = device.gate_checks(id).unwrap().into_iter().map(|check| check.id).collect();
    device.gate(id, &all).unwrap();
}

/// From the start to the end, with consent to talk and to store. Gives the counter of the latter.
pub fn talk(device: &Device, id: ScreeningId) -> u64 {
    pass_gate(device, id);
    device.consent(id, &consent(Purpose::Talk, None, &[])).unwrap();
    let stored = device.consent(id, &consent(Purpose::Store, None, &[])).unwrap();
    answer_on(device, id);
    stored
}

/// The same, and storing is refused.
pub fn talk_unstored(device: &Device, id: ScreeningId) {
    pass_gate(device, id);
    device.consent(id, &consent(Purpose::Talk, None, &[])).unwrap();
    device.refuse_consent(id, &consent(Purpose::Store, None, &[])).unwrap();
    answer_on(device, id);
}
