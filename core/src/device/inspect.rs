//! Looking at what is there: lists, one screening, the whole store.

use std::sync::Arc;

use amparo_schema::fact::Doubt;
use amparo_schema::id::{CaseId, ScreeningId};
use amparo_schema::outcome::Outcome;
use amparo_schema::person::Place;
use amparo_schema::text::Lang;
use amparo_schema::wire::segment::Grant;

use super::{Device, Error};
use crate::pack::Pack;
use crate::screening::{Gate, Screening};
use crate::seal::VerifyKey;
use crate::store::screening::{ScreeningRow, State};
use crate::store::{self, Finding, VerifyReport};

/// Screenings in one list.
pub(super) const LISTED_MAX: u32 = 10_000;
/// Screenings read at once where all are gone through.
const STEP: u32 = 256;

/// One line of the list of screenings. `Debug` shows no code by which the person could be found.
#[derive(Clone, PartialEq, Eq)]
pub struct ScreeningLine {
    /// The screening.
    pub screening: ScreeningId,
    /// Its case.
    pub case: CaseId,
    /// The random code of the case.
    pub code: String,
    /// The code that the person can remember; empty once erased.
    pub memorable: String,
    /// True once closed and sealed.
    pub closed: bool,
    /// Wall time of the opening, milliseconds since 1970.
    pub opened_ms: i64,
}

/// A sealed segment with its grants, as it goes to headquarters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSegment {
    /// The segment, encoded.
    pub segment: Vec<u8>,
    /// Its key, wrapped for each recipient.
    pub grants: Vec<Grant>,
}

impl std::fmt::Debug for ScreeningLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("ScreeningLine");
        shown.field("screening", &self.screening).field("closed", &self.closed).finish_non_exhaustive()
    }
}

/// One screening as its facts show it.
#[derive(Clone, Debug)]
pub struct ScreeningView {
    /// Its line.
    pub line: ScreeningLine,
    /// Where.
    pub place: Place,
    /// The person's language, once chosen.
    pub person_lang: Option<Lang>,
    /// The gate.
    pub gate: Gate,
    /// The outcome that was recorded last; empty before.
    pub outcomes: Vec<Outcome>,
    /// Everything else.
    pub screening: Screening,
    /// Why the clock was doubted, by fact.
    pub doubts: Vec<(u64, Doubt)>,
}

fn line(row: store::screening::ScreeningRow) -> ScreeningLine {
    ScreeningLine {
        screening: row.screening,
        case: row.case,
        code: row.code,
        memorable: row.memorable,
        closed: row.closed_ms.is_some(),
        opened_ms: row.opened_ms,
    }
}

impl Device {
    /// The newest screenings, at most 10,000, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn screenings(&self) -> Result<Vec<ScreeningLine>, Error> {
        let newest = self.store.read(|rows| store::screening::newest(rows, None, LISTED_MAX))?;
        Ok(newest.into_iter().map(line).collect())
    }

    /// Goes through every screening of one state, newest first, however many there are; stops at the first error.
    pub(super) fn each(
        &self,
        state: State,
        mut look: impl FnMut(&ScreeningRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut seen = None;
        loop {
            let rows = self.store.read(|rows| store::screening::before(rows, Some(state), seen, STEP))?;
            let Some(last) = rows.last() else { return Ok(()) };
            seen = Some(last.screening);
            rows.iter().try_for_each(&mut look)?;
        }
    }

    /// One screening.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn screening(&self, id: ScreeningId) -> Result<ScreeningView, Error> {
        let row = self.store.read(|rows| store::screening::by_id(rows, id))?;
        let line = row.map(line).ok_or(Error::NotFound { what: "screening" })?;
        self.work(id, |session| {
            let screening = session.screening.clone();
            Ok(ScreeningView {
                place: screening.place.clone(),
                person_lang: screening.person_lang.clone(),
                gate: screening.gate.clone(),
                outcomes: screening.outcome.as_ref().map(|r| r.outcomes.clone()).unwrap_or_default(),
                doubts: screening.doubts.clone(),
                screening,
                line,
            })
        })
    }

    /// What was found wrong when the store was opened, now or before; oldest first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.store.findings()
    }

    /// The sealed segments of a screening, in the order of their chain, each with the grants that its readers have
    /// now: what is due is disclosed first. This device cannot open them; what it can still read is in its own
    /// store. Segments whose bytes were purged are left out.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Seal`].
    pub fn sealed(&self, id: ScreeningId) -> Result<Vec<SealedSegment>, Error> {
        self.disclose(Some(id))?;
        self.store.read(|rows| {
            let segments = store::segment::of_screening(rows, id)?;
            let with_grants = |row: store::segment::SegmentRow| {
                let grants = store::segment::grants(rows, &row.hash)?;
                Ok(SealedSegment { segment: crate::seal::to_bytes(&row.segment)?, grants })
            };
            let here = |row: &store::segment::SegmentRow| !row.segment.ciphertext.is_empty();
            segments.into_iter().filter(here).map(with_grants).collect()
        })
    }

    /// The key by which segments of this device are verified.
    #[must_use]
    pub fn public_key(&self) -> VerifyKey {
        self.signer.public()
    }

    /// Checks the whole store: pages, chain of facts, links, packs, and where the chain's head was last seen.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot even be read.
    pub fn verify(&self) -> Result<VerifyReport, Error> {
        Ok(self.store.verify()?)
    }
}

impl Device {
    /// The policy that a screening stays on: words of outcomes, consents, gate.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn policy_of(&self, id: ScreeningId) -> Result<Arc<Pack>, Error> {
        self.work(id, |session| Ok(Arc::clone(&session.packs.policy)))
    }

    /// The checklist that a screening stays on: words of items, indicators, rules.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn checklist_of(&self, id: ScreeningId) -> Result<Arc<Pack>, Error> {
        self.work(id, |session| Ok(Arc::clone(&session.packs.checklist)))
    }
}
