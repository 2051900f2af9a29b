//! For tests in every language; never in a shipped build.
//!
//! A fixed clock, seeded randomness, the report of a screening in the form of the golden files, panics on
//! purpose, and a headquarters.

mod headquarters;

use std::sync::{Arc, Mutex, PoisonError};

use amparo_core::random::SeededEntropy;
use amparo_core::time::{FixedClock, Moment};
use amparo_schema::id::{ReferralId, ScreeningId};
use amparo_schema::text::Lang;
use serde_json::{Value, json};

use crate::device::Device;
use crate::errors::FieldError;
use crate::kinds::ServiceKind;
use crate::requests::OpenRequest;

pub use headquarters::Headquarters;

// The shell owns the names of the fields. Taken in as text, because bindings and shell may not look at each
// other, and a second writer of the golden form would be a second truth.
#[allow(unreachable_pub, dead_code)]
#[path = "../../shell/src/report.rs"]
mod report;

/// A new device for a scenario: a store of its own, a clock that stands, randomness that starts from a seed.
///
/// # Errors
/// Those of `Device.create`; `InvalidInput` for a time that does not read.
#[uniffi::export]
pub fn scenario_device(
    request: OpenRequest,
    key: &[u8],
    at: String,
    seed: u64,
) -> Result<Arc<Device>, FieldError> {
    let clock = Arc::new(FixedClock::new(moment(&at)?));
    let entropy = Arc::new(SeededEntropy::new(seed));
    let mut device = Device::over(&request, None, Arc::<FixedClock>::clone(&clock), entropy)?;
    device.fixed = Some(clock);
    device.enter_new(key)?;
    Ok(Arc::new(device))
}

/// From now on the call of this name panics before its work, or with `:after` behind the name after it; none
/// to end that.
#[uniffi::export]
pub fn set_fail_point(name: Option<String>) {
    *FAIL.lock().unwrap_or_else(PoisonError::into_inner) = name;
}

static FAIL: Mutex<Option<String>> = Mutex::new(None);

pub(crate) fn fail_point(name: &str) {
    trip(|set| set == name);
}

pub(crate) fn fail_point_after(name: &str) {
    trip(|set| set.strip_suffix(":after") == Some(name));
}

#[allow(clippy::panic)] // what it is for
fn trip(hit: impl Fn(&str) -> bool) {
    let set = FAIL.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if set.is_some_and(|set| hit(&set)) {
        panic!("fail point CANARY-PANIC");
    }
}

#[uniffi::export]
impl Device {
    /// Moves the clock of a scenario forward.
    ///
    /// # Errors
    /// `WrongState` for a device without one.
    pub fn advance_ms(&self, ms: u32) -> Result<(), FieldError> {
        self.fixed()?.advance_ms(ms);
        Ok(())
    }

    /// Sets the wall clock of a scenario, RFC 3339.
    ///
    /// # Errors
    /// `WrongState` for a device without one, `InvalidInput`.
    pub fn set_clock(&self, at: String) -> Result<(), FieldError> {
        self.fixed()?.set_wall_ms(moment(&at)?.wall_ms);
        Ok(())
    }

    /// The report of a screening, as golden files hold it.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn report_json(&self, id: ScreeningId) -> Result<String, FieldError> {
        self.turn("report_json", |device| Ok(report::screening(device, id)?.to_string()))
    }

    /// The contacts of a screening, as golden files hold them.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn contacts_json(
        &self,
        id: ScreeningId,
        kinds: Vec<ServiceKind>,
        most: u32,
    ) -> Result<String, FieldError> {
        self.turn("contacts_json", |device| {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            Ok(report::contacts(&device.contacts(id, &kinds)?, most).to_string())
        })
    }

    /// A card, as golden files hold it.
    ///
    /// # Errors
    /// Those of `card`.
    pub fn card_json(&self, id: ScreeningId, referral: ReferralId, lang: Lang) -> Result<String, FieldError> {
        self.turn("card_json", |device| Ok(json!(device.card(id, referral, &lang)?).to_string()))
    }

    /// A look over the store, as golden files hold it.
    ///
    /// # Errors
    /// Those of `verify`.
    pub fn verify_json(&self) -> Result<String, FieldError> {
        let found: Value =
            self.call("verify_json", |device| Ok(report::verify(&device.verify()?, device.findings())))?;
        Ok(found.to_string())
    }
}

impl Device {
    fn fixed(&self) -> Result<&FixedClock, FieldError> {
        self.fixed.as_deref().ok_or_else(|| FieldError::state("not-a-scenario"))
    }
}

fn moment(at: &str) -> Result<Moment, FieldError> {
    let no = || FieldError::invalid("at", "form");
    let wall: jiff::Timestamp = at.parse().map_err(|_| no())?;
    let pieces = jiff::fmt::temporal::Pieces::parse(at).map_err(|_| no())?;
    let offset = pieces.to_numeric_offset().map_or(0, jiff::tz::Offset::seconds);
    let offset_minutes = i16::try_from(offset / 60).unwrap_or(0);
    // The same start as the shell's scenarios, or no result would be the same.
    Ok(Moment { wall_ms: wall.as_millisecond(), offset_minutes, steady_ms: 1_000_000 })
}
