//! Exchanges as files, carried by anyone.

use amparo_schema::limits::{UPLOAD_BYTES_MAX, VOLUME_BYTES_MAX};
use amparo_schema::wire::bundle::EXTENSION;

use super::outbox::StoreOutbox;
use crate::device::{Device, Error, SyncFault};
use crate::random;
use crate::seal::{Direction, PublicKey, open_volume, seal_volume};
use crate::sync::{Budget, Frames, Outbox, Report, frames};

/// One file of a bundle.
#[derive(Clone, PartialEq, Eq)]
pub struct Volume {
    /// A random file name, which says nothing.
    pub name: String,
    /// Its bytes, sealed to headquarters.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Volume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Volume({} bytes)", self.bytes.len())
    }
}

impl Device {
    /// What headquarters lacks, as files that anyone may carry: at least one, which asks for replies. Removes
    /// nothing from the device; what was never received is exported again. At most `UPLOAD_BYTES_MAX` bytes at a
    /// time.
    ///
    /// # Errors
    /// [`Error::Sync`] before enrolment; [`Error::Store`], [`Error::Seal`].
    pub fn export_bundle(&self) -> Result<Vec<Volume>, Error> {
        let outbox = StoreOutbox::new(self)?;
        let enrolment = outbox.enrolment()?.ok_or(SyncFault::NotEnrolled)?;
        self.seal_again()?;
        self.seal_audit()?;
        self.disclose(None)?;
        let budget =
            Budget { certificate: true, whole: true, up_bytes: UPLOAD_BYTES_MAX, ..Budget::default() };
        let Frames { head, body } = frames(&outbox, &budget)?;
        let head = head.concat();
        let to = PublicKey::from(enrolment.headquarters.bundle_key);
        let mut volumes = Vec::new();
        let mut sequence = head.clone();
        for frame in body {
            if sequence.len().saturating_add(frame.len()) > VOLUME_BYTES_MAX && sequence.len() > head.len() {
                volumes.push(self.volume(&sequence, &to)?);
                sequence.clone_from(&head);
            }
            // Larger than any volume: it goes by a network only.
            if sequence.len().saturating_add(frame.len()) <= VOLUME_BYTES_MAX {
                sequence.extend(frame);
            }
        }
        volumes.push(self.volume(&sequence, &to)?);
        Ok(volumes)
    }

    fn volume(&self, sequence: &[u8], to: &PublicKey) -> Result<Volume, Error> {
        let id = amparo_schema::id::StoreId(random::bytes(&*self.entropy)?);
        let bytes = seal_volume(sequence, Direction::Up, to, &*self.entropy)?;
        Ok(Volume { name: format!("{id}.{EXTENSION}"), bytes })
    }

    /// Takes one volume of replies. Repeats and any order change nothing.
    ///
    /// # Errors
    /// [`Error::Sync`] for one that is not for this device, or damaged; [`Error::Store`].
    pub fn import_bundle(&self, volume: &[u8]) -> Result<Report, Error> {
        let mut outbox = StoreOutbox::new(self)?;
        let replies = open_volume(volume, Direction::Down, outbox.letter_secret());
        let replies = replies.map_err(SyncFault::Unreadable)?;
        self.take(&mut outbox, &replies)
    }
}
