//! Devices on stores of their own, with the content that the shell carries.
//!
//! Everything in them is synthetic. The key is fixed and secret to nobody.

use std::time::Duration;

use amparo_core::store::OpenError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo_core::device::{ConsentRequest, Device, Error, StartRequest};
use amparo_core::secret::Key;
use amparo_schema::fact::ConsentBy;
use amparo_schema::id::{CaseId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::person::{Country, Place, Setting};
use amparo_schema::text::Lang;
use amparo_shell::embedded;
use amparo_shell::host::{SystemClock, SystemEntropy};

/// The checklists that tests walk, shortest first.
pub const CHECKLISTS: [&str; 2] = ["four-questions", "border-observation"];
/// Ids of the packs that a screening in Chile with one of [`CHECKLISTS`] needs.
const NEEDED: [&str; 7] = [
    "americas-zones",
    "chile",
    "americas-policy",
    "four-questions",
    "border-observation",
    "americas",
    "americas-baseline",
];

/// The key of every test store.
#[must_use]
pub fn key() -> Key {
    Key::new(&[7; 32])
}

/// The store of a folder.
#[must_use]
pub fn store(folder: &Path) -> PathBuf {
    folder.join("store.db")
}

/// Makes the store of a folder, without packs.
///
/// # Errors
/// Those of the device.
pub fn create(folder: &Path) -> Result<Device, Error> {
    Device::create(
        &store(folder),
        &key(),
        embedded::trust()?,
        Arc::new(SystemClock::new()),
        Arc::new(SystemEntropy),
    )
}

/// Opens the store of a folder.
///
/// # Errors
/// Those of the device.
pub fn open(folder: &Path) -> Result<Device, Error> {
    let trust = embedded::trust()?;
    patiently(|| {
        let (clock, entropy) = (Arc::new(SystemClock::new()), Arc::new(SystemEntropy));
        Device::open(&store(folder), &key(), trust.clone(), clock, entropy)
    })
}

/// Tries again for a second while a store is in use. A test that starts processes on several threads needs it: until
/// a new process runs its own program it holds what its parent had open, locks included.
///
/// # Errors
/// The last error.
pub fn patiently<T>(mut open: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 0..200 {
        match open() {
            Err(Error::Open(OpenError::Busy)) => std::thread::sleep(Duration::from_millis(5)),
            other => return other,
        }
    }
    open()
}

/// The packs that a screening needs, as files.
#[must_use]
pub fn needed_packs() -> Vec<&'static [u8]> {
    let wanted = |bytes: &&&[u8]| {
        amparo_core::pack::glance(bytes).is_ok_and(|header| NEEDED.contains(&header.id.as_str()))
    };
    embedded::PACKS.iter().filter(wanted).copied().collect()
}

/// Installs the packs that a screening needs.
///
/// # Errors
/// Those of the device.
pub fn install_needed(device: &Device) -> Result<(), Error> {
    needed_packs().into_iter().try_for_each(|bytes| device.install(bytes).map(|_| ()))
}

/// Spanish.
///
/// # Errors
/// Never; the tag is one.
pub fn spanish() -> Result<Lang, Error> {
    Lang::new("es").map_err(|_| Error::NotFound { what: "language" })
}

/// What starts a screening in Chile.
///
/// # Errors
/// [`Error::NotFound`] when the text is no name.
pub fn request(checklist: &str, case: Option<CaseId>) -> Result<StartRequest, Error> {
    let place = Place {
        country: Country::new("CL").map_err(|_| Error::NotFound { what: "country" })?,
        post: None,
        area: None,
        setting: Setting::Border,
    };
    let checklist = Name::new(checklist).map_err(|_| Error::NotFound { what: "checklist" })?;
    Ok(StartRequest { checklist, case, place, lang: spanish()? })
}

/// Starts a screening in Chile.
///
/// # Errors
/// Those of the device.
pub fn start(device: &Device, checklist: &str) -> Result<ScreeningId, Error> {
    device.start(&request(checklist, None)?)
}

/// A consent of the person to something that is not sharing.
///
/// # Errors
/// Never; see [`spanish`].
pub fn plain_consent(purpose: Purpose) -> Result<ConsentRequest, Error> {
    let (receiver, scope) = (None, BTreeSet::new());
    Ok(ConsentRequest { purpose, receiver, scope, lang: spanish()?, by: ConsentBy::Person })
}

/// Confirms every check of the gate and records the consents to talk and to store.
///
/// # Errors
/// Those of the device.
pub fn pass_gate(device: &Device, id: ScreeningId) -> Result<(), Error> {
    let checks = device.gate_checks(id)?.into_iter().map(|check| check.id).collect();
    device.gate(id, &checks)?;
    device.consent(id, &plain_consent(Purpose::Talk)?)?;
    device.consent(id, &plain_consent(Purpose::Store)?)?;
    Ok(())
}

/// Answers everything with seeded answers until the end.
///
/// # Errors
/// Those of the device.
pub fn answer_all(device: &Device, id: ScreeningId, dice: &mut crate::dice::Dice) -> Result<(), Error> {
    use amparo_core::device::NextStep;
    loop {
        match device.next(id)? {
            NextStep::Item(item) => {
                let question = device.question(id, &item)?;
                device.answer(id, &item, crate::answers::some(&question.item, dice))?;
            }
            NextStep::Gate => pass_gate(device, id)?,
            NextStep::End => return Ok(()),
        }
    }
}
