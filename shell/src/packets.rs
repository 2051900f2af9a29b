//! Packets that lie in the data folder until they were handed over. They are not encrypted unless the service has a
//! key: what may not stay on the device may not stay in them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use amparo_core::device::{Device, Error};
use amparo_schema::id::ReferralId;

use crate::commands::CommandError;

/// The packets that anyone could read, by their referral.
fn open_packets(folder: &Path) -> io::Result<BTreeMap<ReferralId, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if let (Ok(referral), Some("json")) = (name.parse(), path.extension().and_then(|e| e.to_str())) {
            found.insert(referral, path);
        }
    }
    Ok(found)
}

/// Removes the packets that lie open, all of them: they can be made again while the device can read the screening.
///
/// # Errors
/// What the system says.
pub fn remove_all(folder: &Path) -> Result<(), CommandError> {
    let packets = open_packets(folder).map_err(io_error(folder))?;
    packets.values().try_for_each(|path| std::fs::remove_file(path).map_err(io_error(path)))
}

/// Removes the packets of screenings that were purged, wiped or erased.
///
/// # Errors
/// Those of the device and of the system.
pub fn remove_purged(folder: &Path, device: &Device) -> Result<(), CommandError> {
    let mut packets = open_packets(folder).map_err(io_error(folder))?;
    for line in device.screenings()? {
        if packets.is_empty() {
            return Ok(());
        }
        match device.screening(line.screening) {
            Ok(view) => view.screening.referrals.iter().for_each(|kept| drop(packets.remove(&kept.id))),
            Err(Error::Store(why)) => return Err(Error::from(why).into()),
            Err(_) => {}
        }
    }
    packets.values().try_for_each(|path| std::fs::remove_file(path).map_err(io_error(path)))
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> CommandError + use<> {
    let place = path.display().to_string();
    move |why| CommandError::Io { place, why }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use amparo_core::device::StartRequest;
    use amparo_core::random::SeededEntropy;
    use amparo_core::secret::Key;
    use amparo_core::time::{FixedClock, Moment};
    use amparo_schema::person::{Country, Place, Setting};

    use super::*;
    use crate::words::Speaker;
    use crate::{embedded, home};

    #[test]
    fn a_packet_goes_with_what_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let at = Moment { wall_ms: 1_795_195_800_000, offset_minutes: -180, steady_ms: 0 };
        let (clock, entropy) = (Arc::new(FixedClock::new(at)), Arc::new(SeededEntropy::new(1)));
        let (store, trust) = (folder.path().join("store.db"), embedded::trust().unwrap());
        let device = Device::create(&store, &Key::new(&[7; 32]), trust, clock, entropy).unwrap();
        home::install_embedded(&device).unwrap();
        let country = Country::new("CL").unwrap();
        let place = Place { country, post: None, area: None, setting: Setting::Border };
        let checklist = "four-questions".parse().unwrap();
        let id =
            device.start(&StartRequest { checklist, case: None, place, lang: Speaker::Es.lang() }).unwrap();
        let service = device.contacts(id, &[]).unwrap().offers.remove(0).service.id;
        let referral = device.refer(id, &service, None).unwrap();
        let written = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "synthetic").unwrap();
            path
        };
        let (its, sealed) = (written(&format!("{referral}.json")), written(&format!("{referral}.sealed")));
        let (strange, other) = (written(&format!("{}.json", "0".repeat(32))), written("key.json"));
        remove_purged(folder.path(), &device).unwrap();
        assert!(its.exists() && !strange.exists());
        device.wipe().unwrap();
        remove_purged(folder.path(), &device).unwrap();
        assert!(!its.exists() && sealed.exists() && other.exists());
        let again = written(&format!("{referral}.json"));
        remove_all(folder.path()).unwrap();
        assert!(!again.exists() && other.exists());
    }
}
