//! Bundles: an exchange that came as a file.
//!
//! Owns the opening of volumes from devices and the sealing of answers, each to the device that called, so
//! that whoever carries them learns neither whose they are nor how many.

use amparo_schema::id::DeviceId;
use amparo_schema::limits::VOLUME_BYTES_MAX;
use amparo_schema::wire::push::Reply;
use amparo_seal::random::Entropy;
use amparo_seal::{Direction, PublicKey, SealError, open_volume, seal_volume};

use super::exchange::sequence;
use super::work::Room;
use super::{Relay, RelayError};
use crate::storage::Storage;

/// Bytes of a volume that are left to what is no page.
const RECEIPTS_BYTES: usize = 64 * 1024;

/// What a volume brought about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// A volume for each device that called in it.
    pub answers: Vec<(DeviceId, Vec<u8>)>,
    /// What was refused, has to come again or lacks a certificate. A volume does not say whose a frame is, so
    /// this is for whoever carries, not for the devices.
    pub notes: Vec<Reply>,
}

impl Relay {
    /// Takes one volume and gives one for each device that called in it.
    ///
    /// # Errors
    /// [`RelayError::Signature`] for a volume that is damaged or for another; [`RelayError::Entropy`]; as
    /// [`Relay::exchange`].
    pub fn carry(
        &self,
        storage: &mut dyn Storage,
        volume: &[u8],
        now_ms: i64,
        entropy: &dyn Entropy,
    ) -> Result<Carried, RelayError> {
        let upload = open_volume(volume, Direction::Up, &self.bundle).map_err(|_| RelayError::Signature)?;
        // Whoever brings a volume may not come back before long, and one that people carry is small: nothing of it
        // is for later but callers who cannot be of one device.
        let room = Room { pairs: usize::MAX, ..Room::UPLOAD };
        let mut received = self.receive_within(storage, &upload, room, now_ms)?;
        self.judge(storage, std::slice::from_mut(&mut received), now_ms)?;
        let most = VOLUME_BYTES_MAX.saturating_sub(RECEIPTS_BYTES);
        let mut answers = Vec::new();
        for (device, replies) in self.answer(storage, &received.callers, most, now_ms)? {
            let Some(there) = self.run(storage, now_ms, |work| Ok(work.device(device)?))? else { continue };
            let letter_key = PublicKey::from(there.letter_key);
            match seal_volume(&sequence(&replies)?, Direction::Down, &letter_key, entropy) {
                Ok(volume) => answers.push((device, volume)),
                Err(SealError::Entropy(_)) => return Err(RelayError::Entropy),
                // A key that cannot be sealed to is its own device's trouble.
                Err(_) => {}
            }
        }
        Ok(Carried { answers, notes: received.notes })
    }
}
