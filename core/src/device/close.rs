//! Closing: the outcome is recomputed, the facts are sealed, and from then on only additions.

use std::collections::BTreeMap;

use amparo_schema::fact::{Body, Compartment, Fact, Lane, Stamp};
use amparo_schema::id::{CaseId, Hash, ScreeningId};
use amparo_schema::outcome::Outcome;

use super::session::{self, Session};
use super::{Device, Error};
use crate::packet::code::case_code;
use crate::screening::{Keep, Screening, retention};
use crate::seal::{SegmentInput, first_previous, seal};
use crate::secret::Key;
use crate::store::screening::State;
use crate::store::segment::NewSegment;
use crate::store::{self, Tx};

/// A closed screening.
#[derive(Clone, Debug)]
pub struct Closing {
    /// The outcome.
    pub outcomes: Vec<Outcome>,
    /// What was kept: everything, or counts only where the person did not consent to storing.
    pub keep: Keep,
    /// Segments sealed for headquarters: one for each lane, more where its facts do not fit one.
    pub segments: usize,
}

/// What a segment is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    case: CaseId,
    screening: ScreeningId,
    urgent: bool,
}

impl About {
    /// Danger, need and children do not wait behind others on a slow link.
    fn of(screening: &Screening, outcomes: &[Outcome]) -> Self {
        let urgent = |outcome: &Outcome| matches!(outcome, Outcome::UrgentSafety | Outcome::ChildProtection);
        Self { case: screening.case, screening: screening.id, urgent: outcomes.iter().any(urgent) }
    }

    /// The same of a screening that was closed before.
    pub(super) fn closed(screening: &Screening) -> Self {
        Self::of(screening, screening.outcome.as_ref().map_or(&[], |recorded| &recorded.outcomes))
    }
}

/// Events of one lane: counter and encoded fact.
pub(super) type Events = Vec<(u64, Vec<u8>)>;

/// Encoded facts in one segment, before compression. Even what does not compress then stays well below
/// `SEGMENT_BYTES_MAX` and fits a volume.
const SEGMENT_FACTS_BYTES: usize = 2 * 1024 * 1024;

impl Device {
    /// Closes a screening. The outcome is computed again and must equal the recorded one; its facts
    /// are sealed in the same transaction, identity apart. Who may read them is decided when they are
    /// sent, by the consent known then. Where the person did not consent to
    /// storing, only the outcome is sealed and every other fact of the screening is erased from the store,
    /// leaving its hash; memory and the write-ahead log let go of them too.
    ///
    /// # Errors
    /// [`Error::OutcomeDiffers`] (nothing was closed), [`Error::Refused`] when it is closed already,
    /// [`Error::Store`], [`Error::Seal`].
    pub fn close(&self, id: ScreeningId) -> Result<Closing, Error> {
        self.record_outcome(id)?;
        let closing = self.close_recorded(id)?;
        if closing.keep == Keep::AggregateOnly {
            self.forget();
        }
        Ok(closing)
    }

    fn close_recorded(&self, id: ScreeningId) -> Result<Closing, Error> {
        self.work(id, |session| {
            let assessment = session.assess();
            let (outcomes, hash) = (assessment.outcomes(), assessment.hash());
            if session.screening.outcome.as_ref().is_none_or(|recorded| recorded.assessment != hash) {
                return Err(Error::OutcomeDiffers);
            }
            let at = self.stamp();
            let body = Body::Closed { outcomes: outcomes.clone(), assessment: hash };
            let consent_ms = session.screening.consent_ms(&at);
            crate::screening::allow(&session.screening, &body, consent_ms)?;
            let keep = retention(&session.screening, consent_ms);
            let fact = Fact { at, body };
            let plain = session::encode(&fact)?;
            let before = self.events(session, keep)?;
            let (counter, segments) = self.store.write(|tx| {
                let (counter, _) = store::fact::append(tx, Some(id), Compartment::Case, &plain)?;
                let mut lanes = before;
                lanes.entry(Lane::Case).or_default().push((counter, plain.clone()));
                let about = Some(About::of(&session.screening, &outcomes));
                let mut count = 0_usize;
                for (lane, events) in lanes {
                    for part in parts(events) {
                        self.seal_into(tx, about, lane, part, at)?;
                        count = count.saturating_add(1);
                    }
                }
                store::screening::close(tx, id, at.wall_ms)?;
                if keep == Keep::AggregateOnly {
                    self.erase(tx, session, &kept(session, counter))?;
                }
                Ok::<_, Error>((counter, count))
            })?;
            self.memory().last = Some((at.wall_ms, Some(at.steady_ms)));
            session
                .screening
                .add(counter, fact)
                .map_err(|what| crate::screening::FoldError { counter, what })?;
            Ok(Closing { outcomes, keep, segments })
        })
    }

    /// Erases what may not be kept. Once nothing else is kept of the case, its codes go too, and the key of its
    /// identity facts: nobody can be found again by them.
    fn erase(&self, tx: &Tx<'_>, session: &Session, kept: &[u64]) -> Result<(), Error> {
        let (id, case) = (session.screening.id, session.screening.case);
        store::fact::purge_all_but(tx, id, kept)?;
        store::screening::mark_purged(tx, id)?;
        let of_case = store::screening::of_case(tx, case)?;
        if of_case.iter().all(|row| row.state == State::Purged) {
            store::case::erase(tx, case, &case_code(&*self.entropy)?)?;
        }
        Ok(())
    }

    /// Closes every open screening whose newest fact is older than its policy's `open_hours`, and returns them.
    /// Does nothing while the clock is in doubt: a wrong clock never ends a talk.
    ///
    /// # Errors
    /// The first of those of [`Device::close`]; one screening that cannot be closed holds up no other.
    pub fn close_overdue(&self) -> Result<Vec<ScreeningId>, Error> {
        let now = self.stamp();
        let mut closed = Vec::new();
        if now.doubt.is_some() {
            return Ok(closed);
        }
        let mut failed = None;
        self.each(State::Open, |row| {
            match self.close_if_overdue(row.screening, now.wall_ms) {
                Ok(true) => closed.push(row.screening),
                Ok(false) => {}
                Err(why) => failed = failed.take().or(Some(why)),
            }
            Ok(())
        })?;
        failed.map_or(Ok(closed), Err)
    }

    fn close_if_overdue(&self, id: ScreeningId, now_ms: i64) -> Result<bool, Error> {
        let overdue = self.work(id, |session| {
            let hours = i64::from(session.packs.policy()?.retention.open_hours);
            let newest = session.screening.newest;
            let quiet_ms = now_ms.saturating_sub(newest.wall_ms);
            Ok(newest.doubt.is_none() && quiet_ms > hours.saturating_mul(60 * 60 * 1000))
        })?;
        if overdue {
            self.close(id)?;
        }
        Ok(overdue)
    }

    /// The facts of a screening by lane, encoded, identity opened. Without consent to storing: the
    /// opening and the recorded outcome alone.
    pub(super) fn events(&self, session: &Session, keep: Keep) -> Result<BTreeMap<Lane, Events>, Error> {
        let mut events: BTreeMap<Lane, Events> = BTreeMap::new();
        let few = (keep == Keep::AggregateOnly).then(|| kept(session, 0));
        for row in self.store.read(|rows| store::fact::of_screening(rows, session.screening.id))? {
            let wanted = few.as_ref().is_none_or(|few| few.contains(&row.counter));
            let Some(body) = row.body.filter(|_| wanted && row.compartment != Compartment::Identity) else {
                continue;
            };
            events.entry(row.compartment.lane()).or_default().push((row.counter, body));
        }
        if keep == Keep::Full {
            for (counter, plain) in self.opened_identity(session)? {
                events.entry(Lane::Identity).or_default().push((counter, plain.to_vec()));
            }
        }
        Ok(events)
    }

    /// Seals facts of one lane as the next segment, and has its readers looked at before the next upload.
    pub(super) fn seal_into(
        &self,
        tx: &Tx<'_>,
        about: Option<About>,
        lane: Lane,
        events: Events,
        now: Stamp,
    ) -> Result<Hash, Error> {
        let compartment = lane.compartment();
        let identity = self.store.identity();
        let (number, previous) = store::segment::next(tx, identity.incarnation)?;
        let screening = about.map(|about| about.screening);
        let sealed = seal(
            &SegmentInput {
                case: about.map(|about| about.case),
                screening,
                compartment,
                events,
                device: identity.device,
                incarnation: identity.incarnation,
                number,
                previous: previous.unwrap_or_else(|| first_previous(&self.signer.public())),
            },
            &self.signer,
            &*self.entropy,
        )?;
        let segment = minicbor::decode(&sealed.segment).map_err(|_| Error::Unreadable { counter: 0 })?;
        let hash = store::segment::insert(
            tx,
            &NewSegment {
                incarnation: identity.incarnation,
                number,
                screening,
                compartment,
                segment: &segment,
                key: Some(&Key::new(sealed.key.expose())),
                sealed_ms: now.wall_ms,
                urgent: about.is_some_and(|about| about.urgent),
            },
        )?;
        store::disclosure::mark_due(tx, &hash)?;
        Ok(hash)
    }

    /// Adds a fact to a closed screening and seals it at once, so that it lies in two places as well. Who may read
    /// the screening is asked anew. A fact by which nothing may be kept any longer erases the rest in the same
    /// transaction, with the keys of what was sealed before: nobody is given them after it.
    pub(super) fn add_sealed(
        &self,
        session: &Session,
        fact: &Fact,
        plain: &[u8],
        stored: &[u8],
    ) -> Result<u64, Error> {
        let compartment = fact.body.compartment();
        let id = session.screening.id;
        let about = About::closed(&session.screening);
        self.store.write(|tx| {
            let (counter, _) = store::fact::append(tx, Some(id), compartment, stored)?;
            index(tx, id, &fact.body)?;
            store::disclosure::mark_screening_due(tx, id)?;
            if session.erased {
                store::purge::drop_keys(tx, id)?;
            }
            self.seal_into(tx, Some(about), compartment.lane(), vec![(counter, plain.to_vec())], fact.at)?;
            if session.erased {
                let closed = session.screening.closed.map_or(0, |closed| closed.counter);
                let mut kept = kept(session, closed);
                kept.push(counter);
                self.erase(tx, session, &kept)?;
            }
            Ok(counter)
        })
    }
}

impl Device {
    /// Adds a fact to a screening of which nothing can be read here any more, and seals it.
    pub(super) fn add_to_purged(&self, id: ScreeningId, body: Body) -> Result<(), Error> {
        let about = self.about_purged(id)?;
        let fact = Fact { at: self.stamp(), body };
        let compartment = fact.body.compartment();
        let plain = session::encode(&fact)?;
        self.store.write(|tx| {
            let (counter, _) = store::fact::append(tx, Some(id), compartment, &plain)?;
            store::disclosure::mark_screening_due(tx, id)?;
            self.seal_into(tx, Some(about), compartment.lane(), vec![(counter, plain.clone())], fact.at)?;
            Ok(())
        })
    }
}

impl Device {
    /// A screening of which nothing can be read here any more.
    pub(super) fn about_purged(&self, id: ScreeningId) -> Result<About, Error> {
        let row = self.store.read(|rows| store::screening::by_id(rows, id))?;
        let case = row.ok_or(Error::NotFound { what: "screening" })?.case;
        Ok(About { case, screening: id, urgent: false })
    }
}

/// Notes what must be found again when the fact itself is purged.
pub(super) fn index(tx: &Tx<'_>, id: ScreeningId, body: &Body) -> Result<(), Error> {
    if let Body::ReferralOffered { referral, contact } = body {
        store::referral::insert(tx, *referral, id, contact.service.as_str())?;
    }
    Ok(())
}

/// Facts in parts that each fit one segment.
pub(super) fn parts(events: Events) -> Vec<Events> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Events::new(), 0_usize);
    for (counter, fact) in events {
        if bytes.saturating_add(fact.len()) > SEGMENT_FACTS_BYTES && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes = bytes.saturating_add(fact.len());
        part.push((counter, fact));
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Whether this fact takes the consent to store back, so that the screening may not be kept after it.
pub(super) fn takes_back(screening: &Screening, fact: &Fact) -> bool {
    let mut after = screening.clone();
    matches!(fact.body, Body::ConsentWithdrawn { .. } | Body::ConsentRefused { .. })
        && after.add(screening.last.saturating_add(1), fact.clone()).is_ok()
        && retention(&after, after.consent_ms(&fact.at)) == Keep::AggregateOnly
        && retention(screening, screening.consent_ms(&fact.at)) == Keep::Full
}

/// Counters of the facts that stay when only counts may: the opening, the recorded outcome, the closing.
fn kept(session: &Session, closed: u64) -> Vec<u64> {
    let recorded = session.screening.outcome.as_ref().map(|recorded| recorded.counter);
    [Some(session.screening.opened_at), recorded, (closed > 0).then_some(closed)]
        .into_iter()
        .flatten()
        .collect()
}
