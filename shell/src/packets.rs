//! Packets that lie in the data folder until they were handed over. They are not encrypted unless the service has a
//! key: what may not stay on the device may not stay in them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use amparo_core::consent::Ground;
use amparo_core::device::{Device, Error};
use amparo_core::packet::Packet;
use amparo_core::referral::is_open;
use amparo_core::screening::Screening;
use amparo_schema::fact::{ReferralState, Scope};
use amparo_schema::id::{ReferralId, ScreeningId};

use crate::commands::CommandError;
use crate::keystore::write_durably;

/// The packets that anyone could read, and what was left of writing one.
fn open_packets(folder: &Path) -> io::Result<Vec<(ReferralId, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if let (Ok(referral), Some("json" | "new")) = (name.parse(), ending) {
            found.push((referral, path));
        }
    }
    Ok(found)
}

/// Removes the packets that lie open, all of them, and returns how many: [`write_again`] makes them again while the
/// device can read the screening.
///
/// # Errors
/// What the system says.
pub fn remove_all(folder: &Path) -> Result<usize, CommandError> {
    let packets = open_packets(folder).map_err(io_error(folder))?;
    remove(&packets)?;
    Ok(packets.len())
}

fn remove(packets: &[(ReferralId, PathBuf)]) -> Result<(), CommandError> {
    packets.iter().try_for_each(|(_, path)| std::fs::remove_file(path).map_err(io_error(path)))
}

/// Writes the packets of a screening again, for every referral that was sent and has not ended, and returns where
/// they lie. Consent is asked anew: one that was withdrawn or has lapsed gives none.
///
/// # Errors
/// [`CommandError::NotFound`] where nothing was sent, [`Error::NoPermit`] where consent allows none of them; those
/// of the device and of the system.
pub fn write_again(folder: &Path, device: &Device, id: ScreeningId) -> Result<Vec<PathBuf>, CommandError> {
    let screening = device.screening(id)?.screening;
    let (mut written, mut failed) = (Vec::new(), CommandError::NotFound("packet"));
    let sent = |state| is_open(state) && state != ReferralState::Offered;
    for referral in screening.referrals.iter().filter(|referral| sent(referral.state)) {
        match packet(device, &screening, referral.id) {
            Ok(packet) => written.push(write(folder, device, id, &packet)?),
            Err(why @ Error::NoPermit(_)) => failed = why.into(),
            Err(why) => return Err(why.into()),
        }
    }
    if written.is_empty() { Err(failed) } else { Ok(written) }
}

/// The packet, as wide as the person agreed to.
fn packet(device: &Device, screening: &Screening, referral: ReferralId) -> Result<Packet, Error> {
    let needed = BTreeSet::from([Scope::Needs, Scope::Outcome]);
    let packet = device.packet(screening.id, referral, &needed)?;
    let agreed = packet.grounds.iter().find_map(|ground| match ground {
        Ground::Consent { counter, .. } => screening.consents.given(*counter),
        Ground::Waiver(_) => None,
    });
    match agreed {
        Some(agreed) if agreed.scope.contains(&Scope::Indicators) => {
            let all = needed.into_iter().chain([Scope::Indicators]).collect();
            device.packet(screening.id, referral, &all)
        }
        _ => Ok(packet),
    }
}

/// Writes one packet, sealed where the service has a key.
fn write(folder: &Path, device: &Device, id: ScreeningId, packet: &Packet) -> Result<PathBuf, CommandError> {
    let offers = device.contacts(id, &[])?.offers;
    let service = offers.into_iter().find(|offer| offer.service.id == packet.contact.service);
    let (bytes, ending) = match service.and_then(|offer| offer.service.public_key) {
        Some(key) => (device.seal_packet(packet, key)?, "sealed"),
        None => (serde_json::to_vec_pretty(packet).unwrap_or_default(), "json"),
    };
    let path = folder.join(format!("{}.{ending}", packet.referral));
    write_durably(&path, &bytes).map_err(io_error(&path))?;
    Ok(path)
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
            Ok(view) => packets.retain(|(id, _)| view.screening.referrals.get(*id).is_none()),
            Err(Error::Store(why)) => return Err(Error::from(why).into()),
            Err(_) => {}
        }
    }
    remove(&packets)
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
        let half = written(&format!("{referral}.new"));
        let (strange, other) = (written(&format!("{}.json", "0".repeat(32))), written("key.json"));
        remove_purged(folder.path(), &device).unwrap();
        assert!(its.exists() && !strange.exists());
        device.wipe().unwrap();
        remove_purged(folder.path(), &device).unwrap();
        assert!(!its.exists() && !half.exists() && sealed.exists() && other.exists());
        let (again, half) = (written(&format!("{referral}.json")), written(&format!("{referral}.new")));
        assert_eq!(remove_all(folder.path()).unwrap(), 2);
        assert!(!again.exists() && !half.exists() && other.exists());
    }
}
