//! Purging what headquarters has.
//!
//! Plaintext goes when a verified receipt says durable and the policy's time has passed; sealed bytes when every
//! backup of headquarters has them and 30 days have passed. Never earlier, never by a clock in doubt.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use amparo_schema::wire::receipt::Receipt;

use super::outbox::read_receipt;
use crate::device::session::Session;
use crate::device::{DAY_MS, Device, Error};
use crate::store;
use crate::store::screening::{ScreeningRow, State};

const HOUR_MS: i64 = 60 * 60 * 1000;
/// Days that sealed bytes stay at least.
const SEALED_DAYS: i64 = 30;

/// What was purged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PurgeReport {
    /// Screenings whose plaintext and keys were wiped.
    pub screenings: u64,
    /// Segments whose sealed bytes were dropped.
    pub segments: u64,
    /// Screenings that could not be looked at, or not be closed; they hold up no other.
    pub failed: u64,
}

impl Device {
    /// Purges what is due. Called at the end of each sync, and whenever the shell likes.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn purge_due(&self) -> Result<PurgeReport, Error> {
        let mut report = PurgeReport::default();
        let now = self.stamp();
        let held = self.receipts()?;
        if now.doubt.is_some() || held.is_empty() {
            return Ok(report);
        }
        self.each(State::Closed, |row| {
            match self.purge_if_due(row, &held, now.wall_ms) {
                Ok(purged) => report.screenings = report.screenings.saturating_add(u64::from(purged)),
                Err(Error::Store(why)) => return Err(why.into()),
                Err(_) => report.failed = report.failed.saturating_add(1),
            }
            Ok(())
        })?;
        let before_ms = now.wall_ms.saturating_sub(SEALED_DAYS.saturating_mul(DAY_MS));
        let (segments, keys) = self.store.write(|tx| {
            let (mut segments, mut keys) = (0_usize, 0_usize);
            for (incarnation, receipt) in &held {
                keys = keys.saturating_add(store::purge::spent_keys(tx, *incarnation, receipt.durable)?);
                let dropped = store::purge::sealed(tx, *incarnation, receipt.horizon, before_ms)?;
                segments = segments.saturating_add(dropped);
            }
            Ok::<_, Error>((segments, keys))
        })?;
        report.segments = u64::try_from(segments).unwrap_or(u64::MAX);
        if report.screenings > 0 || segments > 0 || keys > 0 {
            // A log that is in use now is emptied at the next rest.
            let _ = self.store.empty_log();
        }
        Ok(report)
    }

    /// Wipes the plaintext of every screening at once, for a phone about to be taken or one that was revoked: open
    /// screenings are closed and sealed, keys are disclosed by the consents known now, then everything that was
    /// said and every key is wiped, without waiting for a receipt. Sealed segments and disclosures stay and are
    /// still sent. A screening that cannot be closed, or whose readers cannot be told, keeps what was said, for
    /// nobody could ever read it otherwise; it is counted, and holds up no other.
    ///
    /// # Errors
    /// [`Error::Store`]; what was wiped before stays wiped.
    pub fn wipe(&self) -> Result<PurgeReport, Error> {
        let mut report = PurgeReport::default();
        self.each(State::Open, |row| {
            report.failed = report.failed.saturating_add(u64::from(self.close(row.screening).is_err()));
            Ok(())
        })?;
        self.seal_again()?;
        self.disclose(None)?;
        self.each(State::Closed, |row| {
            if self.store.read(|rows| store::disclosure::is_due(rows, row.screening))? {
                report.failed = report.failed.saturating_add(1);
                return Ok(());
            }
            self.purge_plaintext(row)?;
            report.screenings = report.screenings.saturating_add(1);
            Ok(())
        })?;
        self.forget();
        Ok(report)
    }

    /// The newest receipt of each incarnation that has one.
    fn receipts(&self) -> Result<BTreeMap<u64, Receipt>, Error> {
        let mut held = BTreeMap::new();
        for life in self.store.read(store::progress::lives)? {
            if let Some(bytes) = life.receipt {
                held.insert(life.incarnation, read_receipt(&bytes)?);
            }
        }
        Ok(held)
    }

    fn purge_if_due(
        &self,
        row: &ScreeningRow,
        held: &BTreeMap<u64, Receipt>,
        now_ms: i64,
    ) -> Result<bool, Error> {
        // Until it is purged, nobody adds a fact that no receipt covers.
        let mut working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        let id = row.screening;
        let (reach, due) = self.store.read(|rows| {
            Ok::<_, Error>((store::purge::reach(rows, id)?, store::disclosure::is_due(rows, id)?))
        })?;
        let durable = |incarnation| held.get(&incarnation).map_or(0, |receipt| receipt.durable);
        if due || !covers(&reach, durable) {
            return Ok(false);
        }
        let session = self.load(id)?;
        let from_ms = match (row.closed_ms, session.screening.closed) {
            (Some(closed_ms), Some(closed)) if closed.at.doubt.is_none() => closed_ms,
            _ => self.store.write(|tx| store::purge::clock(tx, id, now_ms))?,
        };
        if now_ms.saturating_sub(from_ms) < kept_ms(&session)? {
            return Ok(false);
        }
        if working.as_ref().is_some_and(|held| held.screening.id == id) {
            *working = None;
        }
        self.purge_plaintext(row)?;
        Ok(true)
    }

    fn purge_plaintext(&self, row: &ScreeningRow) -> Result<(), Error> {
        Ok(self.store.write(|tx| store::purge::plaintext(tx, row.screening, row.case))?)
    }
}

/// How long after closing the plaintext of a screening is kept. Nameless observations, where nobody was asked
/// anything, at most as long as the policy says for them.
fn kept_ms(session: &Session) -> Result<i64, Error> {
    let retention = session.packs.policy()?.retention;
    let kept_ms = i64::from(retention.plaintext_hours).saturating_mul(HOUR_MS);
    let observed_ms = i64::from(retention.observation_days).saturating_mul(DAY_MS);
    Ok(if session.screening.was_asked() { kept_ms } else { kept_ms.min(observed_ms) })
}

/// Whether the segments of a screening reach no further than counts of receipts, by life.
pub(super) fn covers(reach: &[(u64, u64)], count: impl Fn(u64) -> u64) -> bool {
    !reach.is_empty() && reach.iter().all(|(incarnation, to)| *to <= count(*incarnation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screening_is_covered_when_its_last_segment_in_every_life_is() {
        let count = |life| if life == 1 { 3 } else { 7 };
        assert!(!covers(&[], count));
        assert!(covers(&[(1, 3)], count) && covers(&[(1, 2), (2, 7)], count));
        assert!(!covers(&[(1, 4)], count) && !covers(&[(1, 3), (2, 8)], count));
    }
}
