//! Sync of this device: the machine of [`crate::sync`] over this store, and what follows from it.
//!
//! Owns the order of a sync: what is due is sealed and disclosed, sent, and what came back applied, until nothing
//! is left or nothing moves; then what headquarters has is purged. Holds no lock and no transaction while the
//! carrier works.

mod again;
mod audit;
mod bundle;
mod disclose;
mod enrol;
mod letters;
mod outbox;
mod purge;
mod refused;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::wire::receipt::Receipt;

pub use bundle::Volume;
pub use letters::FollowUp;
pub use purge::PurgeReport;
pub use state::{CaseStub, Level, ScreeningSync, SyncState};

use super::{Device, Error, SyncFault};
use crate::store::{self, FindingKind};
use crate::sync::{
    Budget, Ended, Frames, Go, Item, Outbox, Progress, Report, SyncReport, Transport, TransportError, Why,
    believe, frames, items, take,
};
use outbox::StoreOutbox;

/// Exchanges of one sync; each but the last moved something.
const EXCHANGES_MAX: u32 = 1_000;
/// Bytes of one upload: on a link of 16 kbit/s half a minute, after which headquarters says what it has.
const EXCHANGE_BYTES: usize = 64 * 1024;
/// What is cheaper to send again than to ask about.
const ASK_BYTES: usize = 2 * 1024;

impl Device {
    /// Sends what headquarters lacks and fetches what it has, until nothing is left, nothing moves, or somebody
    /// stops it; then purges what is due. A carrier that fails is no error: the report says so, and what was done
    /// stays done. May be called from several threads: no more than time is lost.
    ///
    /// # Errors
    /// [`Error::Sync`] before enrolment; [`Error::Store`], with everything before it done.
    pub fn sync(&self, transport: &dyn Transport, progress: &dyn Progress) -> Result<SyncReport, Error> {
        let mut total = SyncReport::default();
        let mut outbox = StoreOutbox::new(self)?;
        if outbox.enrolment()?.is_none() {
            return Err(SyncFault::NotEnrolled.into());
        }
        self.seal_again()?;
        self.seal_audit()?;
        let mut budget = Budget { refused: self.forked()?, up_bytes: EXCHANGE_BYTES, ..Budget::default() };
        let (mut more, mut unanswered) = (true, self.is_unanswered()?);
        total.ended = Ended::Stuck;
        for _ in 0..EXCHANGES_MAX {
            total.withheld_back = self.disclose(None)?;
            let mut frames = frames(&outbox, &budget)?;
            // What was sent and not answered may have arrived as far as it went.
            let asks = unanswered && frames.body.iter().map(Vec::len).sum::<usize>() > ASK_BYTES;
            unanswered = false;
            if asks {
                frames.body.clear();
            }
            if frames.body.is_empty() && !more {
                total.ended = Ended::Done;
                break;
            }
            let empty = frames.body.is_empty();
            let (report, broken) =
                self.exchange(transport, &mut outbox, frames, (&mut budget, &mut total))?;
            let wanted = report.certificate_wanted || report.receipt_wanted;
            more = !report.unread.is_empty() || !report.rewound.is_empty() || wanted;
            let stop = progress.exchanged(&total) == Go::Stop;
            let ended = match broken {
                Some(broken) => Ended::Broken(broken),
                None if stop => Ended::Stopped,
                None if report.wait_ms.is_some() => Ended::Later,
                None if asks => continue,
                None if empty && !more && report.answers > 0 => Ended::Done,
                None if !report.is_progress() => Ended::Stuck,
                None => continue,
            };
            // Applied letters may have made facts, which are sent before it is over.
            let left = ended == Ended::Done && report.entries > 0;
            if !left {
                total.ended = ended;
                break;
            }
        }
        self.retry_strangers()?;
        self.apply_letters()?;
        total.purged = self.purge_due()?.screenings;
        Ok(total)
    }

    fn exchange(
        &self,
        transport: &dyn Transport,
        outbox: &mut StoreOutbox<'_>,
        frames: Frames,
        (budget, total): (&mut Budget, &mut SyncReport),
    ) -> Result<(Report, Option<TransportError>), Error> {
        let Frames { head, body } = frames;
        let upload = [head.concat(), body.concat()].concat();
        let (replies, broken) = match transport.exchange(&upload) {
            Ok(replies) => (replies, None),
            Err(TransportError::Cut { replies }) => {
                // They are taken here; the report need not carry them.
                (replies, Some(TransportError::Cut { replies: Vec::new() }))
            }
            Err(error) => return Ok((Report::default(), Some(error))),
        };
        let items = items(&upload);
        let taken = self.take(outbox, &replies);
        self.note_sent(&items, taken.as_ref().is_ok_and(|report| report.answers > 0))?;
        let mut report = taken?;
        let refused = budget.learn(&items, &mut report);
        if broken.is_none() {
            believe(outbox, &items, budget, &mut report)?;
        }
        self.note_refused(&refused)?;
        total.add(&report, refused);
        total.begun_again |= report.astray;
        total.up_bytes = total.up_bytes.saturating_add(u64::try_from(upload.len()).unwrap_or(u64::MAX));
        total.down_bytes = total.down_bytes.saturating_add(u64::try_from(replies.len()).unwrap_or(u64::MAX));
        Ok((report, broken))
    }

    /// Applies replies, and at once what must not wait: a new incarnation when this one was proven to have gone
    /// back, so that no number is ever signed twice; and the letters.
    fn take(&self, outbox: &mut StoreOutbox<'_>, replies: &[u8]) -> Result<Report, Error> {
        let present = self.store.identity().incarnation;
        let report = take(outbox, replies)?;
        if report.astray && self.store.identity().incarnation == present {
            let fork = report.aside.contains(&Why::Fork);
            let kind = if fork { FindingKind::Fork } else { FindingKind::Rollback };
            self.store.begin_again(Some(kind), &*self.entropy, self.clock.now())?;
            self.begin_incarnation()?;
            self.disclose_again(present)?;
        }
        self.retry_strangers()?;
        self.apply_letters()?;
        Ok(report)
    }

    /// Whether segments left the device of which no receipt says that they arrived.
    fn is_unanswered(&self) -> Result<bool, Error> {
        for life in self.store.read(store::progress::lives)?.into_iter().filter(|life| !life.left) {
            let stored = life.receipt.map(|bytes| outbox::read_receipt(&bytes)).transpose()?;
            if life.sent > stored.map_or(0, |held| held.stored) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes what has left the device, and that headquarters answered.
    fn note_sent(&self, items: &[Option<Item>], answered: bool) -> Result<(), Error> {
        let mut sent: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for item in items.iter().flatten() {
            if let Item::Segment { incarnation, number } = item {
                sent.entry(*incarnation).or_default().insert(*number);
            }
        }
        let now_ms = self.clock.now().wall_ms;
        self.store.write(|tx| {
            for life in store::progress::lives(tx)? {
                let Some(numbers) = sent.get(&life.incarnation) else { continue };
                let held = life.receipt.map(|bytes| outbox::read_receipt(&bytes)).transpose()?;
                let to = sent_to(life.sent, held.as_ref(), numbers);
                store::progress::set_sent(tx, life.incarnation, to)?;
            }
            if answered {
                store::enrolment::contact(tx, now_ms)?;
            }
            Ok(())
        })
    }
}

/// Up to which number everything has left the device, when these went too. Urgent ones go ahead of their turn.
fn sent_to(before: u64, held: Option<&Receipt>, numbers: &BTreeSet<u64>) -> u64 {
    let mut to = before.max(held.map_or(0, |held| held.stored));
    loop {
        let range =
            held.iter().flat_map(|held| &held.ranges).find(|range| (range.from..range.to).contains(&to));
        to = match range {
            Some(range) => range.to,
            None if numbers.contains(&to) => to.saturating_add(1),
            None => return to,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amparo_schema::id::{DeviceId, Hash};
    use amparo_schema::wire::receipt::Range;

    #[test]
    fn what_went_ahead_of_its_turn_says_nothing_of_what_stands_before_it() {
        let held = Receipt {
            device: DeviceId([1; 16]),
            incarnation: 1,
            epoch: 0,
            stored: 2,
            hash: Hash([0; 32]),
            ranges: vec![Range { from: 4, to: 6 }],
            durable: 0,
            delivered: 0,
            horizon: 0,
            disclosures: 0,
            hq_ms: 0,
            log_size: 0,
            log_root: Hash([0; 32]),
        };
        let sent = |numbers: &[u64]| numbers.iter().copied().collect::<BTreeSet<u64>>();
        assert_eq!(sent_to(0, None, &sent(&[50, 0, 1])), 2);
        assert_eq!(sent_to(3, None, &sent(&[50])), 3);
        assert_eq!(sent_to(0, Some(&held), &sent(&[])), 2);
        assert_eq!(sent_to(0, Some(&held), &sent(&[2, 3, 9])), 6, "what headquarters has went too");
    }
}
