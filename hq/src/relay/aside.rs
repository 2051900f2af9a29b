//! What is kept aside, so that nothing that may be somebody's facts is thrown away.
//!
//! Owns the bounds: `ASIDE_MAX` frames and `ASIDE_BYTES_MAX` bytes for each device that people enrolled, and as much
//! for all unknown ones together. Past them, what nobody vouches for is refused; what a device signed is for later
//! and stays on the device, whatever became of it since. Nothing that lies here is chained, delivered or in a
//! receipt.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{ASIDE_BYTES_MAX, ASIDE_MAX};
use amparo_schema::wire::push::Refusal;

use super::exchange::Taken;
use super::log::Action;
use super::work::{Aside, AsideLoad, Origin, Work, decoded, named_key};
use super::{Relay, RelayError};
use crate::storage::{Shelf, Storage};

/// Frames that are read at once when what lies aside is tried again.
const STEP: usize = 16;
/// The load of frames whose device is not known.
const STRANGERS: DeviceId = DeviceId([0; 16]);

/// Who vouches for the device that an aside frame claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Nobody: the signature was not checked.
    Unproven(DeviceId),
    /// Its signature.
    Proven(DeviceId),
}

impl Claim {
    /// The claim of a frame that names no device.
    pub(super) const NONE: Self = Self::Unproven(STRANGERS);

    /// The claim of a frame that lies aside: those of strangers and of no form were put to the strangers' load.
    fn of(device: DeviceId, why: Refusal) -> Self {
        match why {
            Refusal::Stranger | Refusal::Form => Self::Unproven(device),
            _ => Self::Proven(device),
        }
    }

    fn device(self) -> DeviceId {
        match self {
            Self::Unproven(device) | Self::Proven(device) => device,
        }
    }

    fn load_key(self) -> [u8; 16] {
        match self {
            Self::Unproven(_) => STRANGERS.0,
            Self::Proven(device) => device.0,
        }
    }
}

/// Whether the frame is new here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    New,
    Again,
    NoRoom,
}

impl Put {
    /// What to reply. What somebody's signature vouches for may be facts, or the only keys to them.
    pub(super) fn taken(self, claim: Claim, why: Refusal) -> Taken {
        match (self, claim) {
            (Self::NoRoom, Claim::Proven(_)) => Taken::Later,
            (Self::NoRoom, Claim::Unproven(_)) => Taken::Refused(Refusal::Full),
            (Self::New | Self::Again, _) => Taken::Refused(why),
        }
    }
}

impl Relay {
    /// A person throws away what lies aside for a device; for [`DeviceId`] of zeros all that no signature vouches
    /// for, whichever devices it names, so that there is room again. Gives how many frames. It stands in the log.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn discard(
        &self,
        storage: &mut dyn Storage,
        device: DeviceId,
        now_ms: i64,
    ) -> Result<u64, RelayError> {
        self.run(storage, now_ms, |work| {
            let (strangers, mut after, mut frames) = (device == STRANGERS, Vec::new(), 0);
            let prefix = if strangers { &[][..] } else { &device.0 };
            loop {
                let batch = work.tx.records(Shelf::Aside, prefix, &after, STEP)?;
                let Some((last, _)) = batch.last() else { break };
                after.clone_from(last);
                for (key, bytes) in batch {
                    let aside: Aside = decoded(&bytes)?;
                    let named = key.first_chunk().copied().map(DeviceId).ok_or(RelayError::Damaged)?;
                    let claim = Claim::of(named, aside.why);
                    if !strangers || matches!(claim, Claim::Unproven(_)) {
                        work.pick_up(&key, &aside, claim)?;
                        frames += 1;
                    }
                }
            }
            if frames > 0 {
                work.log_action(Action::Discarded { device, frames })?;
            }
            Ok(frames)
        })
    }
}

impl Work<'_> {
    /// Takes a frame away from what lies aside.
    fn pick_up(&mut self, key: &[u8], aside: &Aside, claim: Claim) -> Result<(), RelayError> {
        self.tx.remove_record(Shelf::Aside, key)?;
        let load: AsideLoad = self.get(&claim.load_key())?.unwrap_or_default();
        let size = aside.frame.len() as u64;
        let load = AsideLoad { count: load.count.saturating_sub(1), bytes: load.bytes.saturating_sub(size) };
        self.put(&claim.load_key(), &load)
    }

    /// Keeps a frame aside, once, and says what to reply.
    pub(super) fn aside(&mut self, frame: &[u8], claim: Claim, why: Refusal) -> Result<Taken, RelayError> {
        Ok(self.put_aside(frame, claim, why)?.taken(claim, why))
    }

    pub(super) fn put_aside(&mut self, frame: &[u8], claim: Claim, why: Refusal) -> Result<Put, RelayError> {
        let key = named_key(claim.device(), &Hash::of("amparo-aside-1", &[frame]));
        if let Some(there) = self.get::<Aside>(&key)? {
            if there.origin == Origin::Sent {
                return Ok(Put::Again);
            }
            self.put(&key, &Aside { origin: Origin::Sent, ..there })?;
            return Ok(Put::New);
        }
        let size = frame.len() as u64;
        let load: AsideLoad = self.get(&claim.load_key())?.unwrap_or_default();
        if load.count >= ASIDE_MAX || load.bytes.saturating_add(size) > ASIDE_BYTES_MAX {
            return Ok(Put::NoRoom);
        }
        self.lay_aside(frame, claim, why)?;
        Ok(Put::New)
    }

    /// Keeps a frame aside, room or not: for what was in a chain's place before, which has bounds of its own.
    pub(super) fn lay_aside(&mut self, frame: &[u8], claim: Claim, why: Refusal) -> Result<(), RelayError> {
        let key = named_key(claim.device(), &Hash::of("amparo-aside-1", &[frame]));
        let aside = Aside { why, at_ms: self.now_ms, frame: frame.to_vec(), origin: Origin::Sent };
        self.lay(&key, claim, &aside)
    }

    fn lay(&mut self, key: &[u8], claim: Claim, aside: &Aside) -> Result<(), RelayError> {
        let mut load: AsideLoad = self.get(&claim.load_key())?.unwrap_or_default();
        load.count = load.count.saturating_add(1);
        load.bytes = load.bytes.saturating_add(aside.frame.len() as u64);
        self.put(&claim.load_key(), &load)?;
        self.put(key, aside)
    }

    /// Takes over what lies aside in a store that this one replaces, room or not. Whether it was not here.
    pub(super) fn take_aside(&mut self, key: &[u8], there: &[u8]) -> Result<bool, RelayError> {
        if self.tx.record(Shelf::Aside, key)?.is_some() {
            return Ok(false);
        }
        let (device, _) = key.split_first_chunk::<16>().ok_or(RelayError::Damaged)?;
        let there: Aside = decoded(there)?;
        let claim = Claim::of(DeviceId(*device), there.why);
        self.lay(key, claim, &Aside { origin: Origin::Replaced, ..there })?;
        Ok(true)
    }

    /// Tries again what lies aside for a device, except forks: their numbers are taken. What still does not
    /// pass lies aside again.
    pub(super) fn replay(&mut self, device: DeviceId, released: bool) -> Result<u64, RelayError> {
        let (mut after, mut taken) = (Vec::new(), 0);
        loop {
            let batch = self.tx.records(Shelf::Aside, &device.0, &after, STEP)?;
            let Some((last, _)) = batch.last() else { return Ok(taken) };
            after.clone_from(last);
            for (key, bytes) in batch {
                let aside: Aside = decoded(&bytes)?;
                let wanted = aside.why == Refusal::Stranger || (released && aside.why != Refusal::Fork);
                if !wanted {
                    // A person has looked: what came along with a restore is known here now.
                    if released && aside.origin == Origin::Replaced {
                        self.put(&key, &Aside { origin: Origin::Sent, ..aside })?;
                    }
                    continue;
                }
                let claim = Claim::of(device, aside.why);
                self.pick_up(&key, &aside, claim)?;
                match self.take(&aside.frame, released)? {
                    Taken::Kept => taken += 1,
                    // Too far ahead of what is here: nobody may be left to send it again.
                    Taken::Later => self.lay_aside(&aside.frame, claim, aside.why)?,
                    _ => {}
                }
            }
        }
    }

    /// Frames that lie aside for a device as claimed.
    pub(super) fn asides(&mut self, device: DeviceId, limit: usize) -> Result<Vec<Aside>, RelayError> {
        let rows = self.tx.records(Shelf::Aside, &device.0, &[], limit)?;
        rows.into_iter().map(|(_, bytes)| Ok(decoded(&bytes)?)).collect()
    }
}
