//! After a restore: what was taken back since the backup is taken back again.
//!
//! Owns what of the store that is replaced must not be forgotten. Some of it because forgetting it would give somebody
//! something: revocations, erasures, disputes, tickets that were used, and what devices withheld. Some because nobody
//! may be left to send it again: what lies aside. Segments and grants are not copied: devices send those again by
//! themselves. A withdrawal whose segment never came to the old store is not known here; until
//! its device has sent again, the segment may be given.

use amparo_schema::id::{DeviceId, Hash};

use super::enrol::Reader;
use super::log::{Act, Action};
use super::work::{Device, Where, Work, decoded};
use super::{Relay, RelayError};
use crate::storage::{Chain, Delivery, Landed, Shelf, Stage, Standing, Storage};

/// Records read at once.
const STEP: usize = 256;
/// Frames that lie aside are read so many at once; each may be as large as a segment.
const ASIDE_STEP: usize = 16;

/// What was done again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Devices that were revoked since.
    pub revoked: Vec<DeviceId>,
    /// Segments that were erased since, and are here.
    pub erased: Vec<Hash>,
    /// Segments that were erased since, and are not here: their devices may send them again, to be kept and given
    /// to nobody who had a grant.
    pub erased_elsewhere: Vec<(DeviceId, Hash)>,
    /// Segments of which something was withheld since.
    pub withheld: u64,
    /// Segments here of which a second one appeared since: they wait for a person.
    pub disputed: u64,
    /// Recipient keys that were registered since.
    pub registered: u64,
    /// Tickets that were made or used since.
    pub tickets: u64,
    /// Frames that were set aside since.
    pub aside: u64,
    /// Acts since that cannot be done again from here.
    pub by_hand: Vec<Act>,
}

/// Takes over a record by its key and value; whether that changed anything.
type TakeOver = fn(&mut Work<'_>, &[u8], &[u8]) -> Result<bool, RelayError>;

/// What the old store says about one segment.
struct Taken {
    device: DeviceId,
    segment: Hash,
    standing: Standing,
    withheld: Vec<Delivery>,
}

/// What was done about it in the new one.
#[derive(Default)]
struct Again {
    withheld: bool,
    disputed: bool,
    /// Whether it is here; none where nothing was to be erased.
    erased: Option<bool>,
}

impl Relay {
    /// Does again in `new`, which was restored, what people and devices took back in `old`, which it replaces.
    /// Doing it twice changes nothing more.
    ///
    /// # Errors
    /// [`RelayError::Storage`] of either store; what was done until then stays done.
    pub fn repeat(
        &self,
        old: &mut dyn Storage,
        new: &mut dyn Storage,
        now_ms: i64,
    ) -> Result<Repeated, RelayError> {
        let mut done = Repeated::default();
        let backup = self.checkpoint(new)?;
        let from = if self.holds(old, &backup)? { backup.size } else { 0 };
        self.repeat_acts(old, new, from, now_ms, &mut done)?;
        self.repeat_revocations(old, new, now_ms, &mut done)?;
        let (tickets, aside) = ((Shelf::Ticket, STEP), (Shelf::Aside, ASIDE_STEP));
        done.tickets = self.take_over(old, new, now_ms, tickets, |work, id, it| work.take_ticket(id, it))?;
        done.aside = self.take_over(old, new, now_ms, aside, |work, key, it| work.take_aside(key, it))?;
        let mut after = Vec::new();
        loop {
            let (last, taken) = self.run(old, 0, |work| work.taken_back(&after))?;
            let Some(last) = last else { return Ok(done) };
            after = last;
            for one in taken {
                let again = self.run(new, now_ms, |work| work.take_back(&one))?;
                done.withheld += u64::from(again.withheld);
                done.disputed += u64::from(again.disputed);
                match again.erased {
                    Some(true) => done.erased.push(one.segment),
                    Some(false) => done.erased_elsewhere.push((one.device, one.segment)),
                    None => {}
                }
            }
        }
    }

    /// Takes over the records of a shelf, and counts those that changed anything.
    fn take_over(
        &self,
        old: &mut dyn Storage,
        new: &mut dyn Storage,
        now_ms: i64,
        (shelf, step): (Shelf, usize),
        take: TakeOver,
    ) -> Result<u64, RelayError> {
        let (mut after, mut taken) = (Vec::new(), 0);
        loop {
            let records = self.run(old, 0, |work| Ok(work.tx.records(shelf, &[], &after, step)?))?;
            let Some((last, _)) = records.last() else { return Ok(taken) };
            after.clone_from(last);
            taken += self.run(new, now_ms, |work| {
                let mut count = 0;
                for (key, value) in &records {
                    count += u64::from(take(work, key, value)?);
                }
                Ok(count)
            })?;
        }
    }

    fn repeat_acts(
        &self,
        old: &mut dyn Storage,
        new: &mut dyn Storage,
        mut from: u64,
        now_ms: i64,
        done: &mut Repeated,
    ) -> Result<(), RelayError> {
        let size = self.checkpoint(old)?.size;
        while from < size {
            for (_, act) in self.acts(old, from, STEP)? {
                match act.action {
                    Action::Recipient { agency, key, signing } => {
                        let before = self.checkpoint(new)?.size;
                        self.register(new, &Reader { key, signing, agency }, now_ms)?;
                        done.registered += u64::from(self.checkpoint(new)?.size > before);
                    }
                    Action::Released { .. } | Action::Published { .. } | Action::Discarded { .. } => {
                        done.by_hand.push(act);
                    }
                    // Found by how things stand, or told again by devices.
                    Action::Invited { .. }
                    | Action::Revoked { .. }
                    | Action::Erased { .. }
                    | Action::Enrolled { .. }
                    | Action::Readmitted { .. }
                    | Action::Fork { .. }
                    | Action::Amnesia { .. } => {}
                }
            }
            from = from.saturating_add(STEP as u64);
        }
        Ok(())
    }

    fn repeat_revocations(
        &self,
        old: &mut dyn Storage,
        new: &mut dyn Storage,
        now_ms: i64,
        done: &mut Repeated,
    ) -> Result<(), RelayError> {
        let mut after = Vec::new();
        loop {
            let records =
                self.run(old, 0, |work| Ok(work.tx.records(Shelf::Device, &[], &after, STEP)?))?;
            let Some((last, _)) = records.last() else { return Ok(()) };
            after.clone_from(last);
            for (key, bytes) in records {
                let there: Device = decoded(&bytes)?;
                let Some(revocation) = there.revoked.clone() else { continue };
                let device = DeviceId(key.try_into().map_err(|_| RelayError::Damaged)?);
                let revoked = self.run(new, now_ms, |work| {
                    let here = work.device(device)?;
                    if here.as_ref().is_some_and(|here| here.revoked.is_some()) {
                        return Ok(false);
                    }
                    // One that is not known here would come back with its certificate.
                    let here = here.unwrap_or_else(|| there.clone());
                    work.put(&device.0, &Device { revoked: Some(revocation.clone()), ..here })?;
                    work.append_revocation(device, &revocation)?;
                    work.log_action(Action::Revoked { device })?;
                    Ok(true)
                })?;
                if revoked {
                    done.revoked.push(device);
                }
            }
        }
    }
}

impl Work<'_> {
    /// The segments after a key of which something was taken back, among the next few, and the last key.
    fn taken_back(&mut self, after: &[u8]) -> Result<(Option<Vec<u8>>, Vec<Taken>), RelayError> {
        let names = self.tx.records(Shelf::Name, &[], after, STEP)?;
        let last = names.last().map(|(key, _)| key.clone());
        let mut taken = Vec::new();
        for (key, bytes) in names {
            let (device, hash) = key.split_first_chunk::<16>().ok_or(RelayError::Damaged)?;
            let (device, segment) =
                (DeviceId(*device), Hash(hash.try_into().map_err(|_| RelayError::Damaged)?));
            let place: Where = decoded(&bytes)?;
            let at = Chain { device, incarnation: place.incarnation }.at(place.number);
            let standing = self.tx.segment(at)?.map_or(Standing::Sound, |stored| stored.standing);
            let mut withheld = self.tx.deliveries(device, segment)?;
            withheld.retain(|delivery| delivery.voices.iter().any(|voice| voice.grant.is_none()));
            if standing != Standing::Sound || !withheld.is_empty() {
                taken.push(Taken { device, segment, standing, withheld });
            }
        }
        Ok((last, taken))
    }

    /// Takes back again.
    fn take_back(&mut self, taken: &Taken) -> Result<Again, RelayError> {
        let Taken { device, segment, standing, withheld } = taken;
        let stored = self.named(*device, segment)?;
        let landed = stored.as_ref().map(|(at, stored)| Landed {
            incarnation: at.chain.incarnation,
            number: at.number,
            leaf: stored.leaf,
        });
        let mut again = Again::default();
        for old in withheld {
            let here = self.tx.delivery(*device, *segment, old.recipient)?;
            let fresh = || Delivery { landed, stage: Stage::Waiting, voices: vec![], ..old.clone() };
            let before = here.clone();
            let mut here = here.unwrap_or_else(fresh);
            // Where the old feed gave it: so its reader is told that it was withdrawn.
            here.position = here.position.or(old.position);
            for voice in old.voices.iter().filter(|voice| voice.grant.is_none()) {
                match here.voices.binary_search_by_key(&voice.incarnation, |own| own.incarnation) {
                    Err(at) => here.voices.insert(at, voice.clone()),
                    Ok(at) => match here.voices.get_mut(at) {
                        Some(own) if own.number <= voice.number => *own = voice.clone(),
                        _ => {}
                    },
                }
            }
            if before.as_ref() != Some(&here) {
                self.tx.put_delivery(&here)?;
                again.withheld = true;
            }
        }
        match (standing, stored) {
            (Standing::Erased, None) => again.erased = Some(false),
            (Standing::Erased, Some((_, here))) if here.standing != Standing::Erased => {
                self.erase(*device, segment)?;
                again.erased = Some(true);
            }
            (Standing::Disputed, Some((at, here))) if here.standing == Standing::Sound => {
                self.tx.put_standing(at, Standing::Disputed)?;
                self.alarm(at)?;
                again.disputed = true;
            }
            _ => {}
        }
        if again.withheld || again.disputed {
            self.settle_all(*device, *segment)?;
        }
        Ok(again)
    }
}
