//! How far everything is.

use std::collections::BTreeMap;

use amparo_schema::id::{CaseId, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::wire::push::Refusal;

use super::letters::FollowUp;
use super::outbox::{number, read_receipt};
use super::purge::covers;
use crate::device::inspect::LISTED_MAX;
use crate::device::{Device, Error};
use crate::seal::unverified;
use crate::store::screening::State;
use crate::store::{self, Rows};
use crate::sync::{Item, Why};

/// Follow-ups in one list.
const FOLLOW_UPS_MAX: u32 = 1_000;

/// How far a screening is on its way. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not closed yet.
    Open,
    /// Sealed on this device.
    Sealed,
    /// Sent, with all that was sealed before it; nothing is known of it.
    Sent,
    /// Headquarters wrote it down.
    Stored,
    /// It survives the loss of any one machine of headquarters.
    Durable,
    /// Every recipient that was granted something of it has it.
    Delivered,
    /// An agency answered a referral of it.
    Answered,
}

/// One screening on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreeningSync {
    /// The screening.
    pub screening: ScreeningId,
    /// How far it is.
    pub level: Level,
    /// Whether what was said is gone from this device.
    pub purged: bool,
}

/// How sync stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncState {
    /// The agency to which the device belongs; none before enrolment.
    pub agency: Option<Name>,
    /// Where headquarters listens; none before enrolment.
    pub url: Option<String>,
    /// Since when the certificate holds no longer, by headquarters' clock. The shell asks the official whether to
    /// wipe; what is sealed is still sent.
    pub revoked_ms: Option<i64>,
    /// When headquarters last answered, milliseconds since 1970 by the phone's clock.
    pub contact_ms: Option<i64>,
    /// The newest 10,000 screenings, newest first.
    pub screenings: Vec<ScreeningSync>,
    /// Segments that headquarters does not have, as far as receipts say. Among them those that only a headquarters to
    /// which the device belonged before could chain, and that could not be sealed again: they are not sent.
    pub waiting: u64,
    /// What agencies ask to be done, newest first.
    pub follow_ups: Vec<FollowUp>,
    /// What headquarters did not take, and why. It stays here, and nothing waits for it.
    pub refused: Vec<(Item, Refusal)>,
    /// How many things from headquarters were kept aside because they could not be applied.
    pub aside: u64,
}

/// What is left of a case whose screenings were purged. `Debug` shows no code.
#[derive(Clone, PartialEq, Eq)]
pub struct CaseStub {
    /// The case.
    pub case: CaseId,
    /// Its random code.
    pub code: String,
    /// The code that the person can remember; empty once erased.
    pub memorable: String,
    /// Its referrals.
    pub referrals: Vec<ReferralId>,
}

impl std::fmt::Debug for CaseStub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaseStub").field("case", &self.case).finish_non_exhaustive()
    }
}

/// Counts of one life: sent, stored, durable, delivered.
type Counts = BTreeMap<u64, [u64; 4]>;

impl Device {
    /// How sync stands, for all screenings at once.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn sync_state(&self) -> Result<SyncState, Error> {
        let enrolment = self.enrolment()?;
        let certificate = enrolment.as_ref().and_then(|known| unverified(&known.certificate).ok());
        let row = self.store.read(store::enrolment::get)?;
        let (screenings, waiting, aside) = self.store.read(|rows| {
            let (counts, waiting) = counts(rows)?;
            let newest = store::screening::newest(rows, None, LISTED_MAX)?;
            let lines: Result<Vec<_>, Error> = newest
                .into_iter()
                .map(|row| {
                    let level = level(rows, row.screening, row.state, &counts)?;
                    let purged = row.state == State::Purged;
                    Ok(ScreeningSync { screening: row.screening, level, purged })
                })
                .collect();
            Ok::<_, Error>((lines?, waiting, store::feed::count_aside(rows)?))
        })?;
        Ok(SyncState {
            agency: certificate.map(|certificate| certificate.agency),
            url: enrolment.map(|known| known.headquarters.url),
            revoked_ms: row.as_ref().and_then(|row| row.revoked_ms),
            contact_ms: row.as_ref().and_then(|row| row.contact_ms),
            screenings,
            waiting,
            follow_ups: self.follow_ups(FOLLOW_UPS_MAX)?,
            refused: self.refusals()?,
            aside,
        })
    }

    /// Why things from headquarters were kept aside, and how many for each reason.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn aside(&self) -> Result<BTreeMap<Why, u64>, Error> {
        let mut reasons = BTreeMap::new();
        for why in Why::ALL {
            let count = self.store.read(|rows| store::feed::count_aside_for(rows, number(why)))?;
            if count > 0 {
                reasons.insert(why, count);
            }
        }
        Ok(reasons)
    }

    /// What this device still knows of a case, whether or not what was said is purged.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn case_stub(&self, case: CaseId) -> Result<CaseStub, Error> {
        let row = self.case(case)?;
        let referrals = self.store.read(|rows| {
            let mut referrals = Vec::new();
            for screening in store::screening::of_case(rows, case)? {
                referrals.extend(store::referral::of_screening(rows, screening.screening)?);
            }
            Ok::<_, Error>(referrals)
        })?;
        Ok(CaseStub { case, code: row.code, memorable: row.memorable, referrals })
    }
}

fn counts(rows: &Rows<'_>) -> Result<(Counts, u64), Error> {
    let (mut counts, mut waiting) = (Counts::new(), 0_u64);
    for life in store::progress::lives(rows)? {
        let receipt = life.receipt.map(|bytes| read_receipt(&bytes)).transpose()?;
        let [stored, durable, delivered] =
            receipt.as_ref().map_or([0; 3], |r| [r.stored, r.durable, r.delivered]);
        let ahead = receipt.iter().flat_map(|r| &r.ranges).map(|r| r.to.saturating_sub(r.from)).sum();
        let missing = match life.left {
            true => store::left::count(rows, life.incarnation, stored)?,
            false => life.segments.saturating_sub(stored).saturating_sub(ahead),
        };
        waiting = waiting.saturating_add(missing);
        counts.insert(life.incarnation, [life.sent.max(stored), stored, durable, delivered]);
    }
    Ok((counts, waiting))
}

fn level(rows: &Rows<'_>, id: ScreeningId, state: State, counts: &Counts) -> Result<Level, Error> {
    if state == State::Open {
        return Ok(Level::Open);
    }
    for referral in store::referral::of_screening(rows, id)? {
        if store::referral::by_id(rows, referral)?.is_some_and(|row| row.answer.is_some()) {
            return Ok(Level::Answered);
        }
    }
    let reach = store::purge::reach(rows, id)?;
    let levels = [Level::Sent, Level::Stored, Level::Durable, Level::Delivered];
    let reached = levels.into_iter().enumerate().filter(|(at, _)| {
        covers(&reach, |life| counts.get(&life).and_then(|counts| counts.get(*at)).copied().unwrap_or(0))
    });
    Ok(reached.map(|(_, level)| level).next_back().unwrap_or(Level::Sealed))
}
