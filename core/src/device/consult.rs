//! Outcome, protocol and contacts: what follows from the answers.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::fact::{Body, Stamp, StepState};
use amparo_schema::id::ScreeningId;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::calendar::Calendar;
use amparo_schema::pack::directory::{Agency, Channel, Service, ServiceKind};
use amparo_schema::pack::protocol::{ConsentException, ConsentNeed, Protocol, Step};
use amparo_schema::person::Country;
use amparo_schema::text::Text;
use jiff::civil::Date;

use super::session::{Session, calendar, directory, protocol};
use super::{Device, Error, lookup};
use crate::assessment::Assessment;
use crate::directory::{ClockTrust, Exclusion, Open, Query, Reason, Rung, find};
use crate::protocol::log::{self, Meaning, StepLog};
use crate::protocol::plan::{
    Certainty, ConsentAsk, Events, OutOfForce, PlannedStep, Situation, StepDue, plan,
};
use amparo_schema::pack::Kind;

/// The protocol for this person now.
#[derive(Clone, Debug)]
pub struct ProtocolView {
    /// Steps in force, in the order to show: what is forbidden first.
    pub steps: Vec<StepView>,
    /// Steps that are history, with what replaced them. Never to be shown as current.
    pub history: Vec<(Name, OutOfForce, Option<Name>)>,
}

/// One step, ready to be drawn.
#[derive(Clone, Debug)]
pub struct StepView {
    /// The step as the pack has it.
    pub step: Step,
    /// Whether it applies for certain.
    pub certainty: Certainty,
    /// By when.
    pub due: StepDue,
    /// What became of it; none while open.
    pub state: Option<StepState>,
    /// Which consent it needs, and whether a recorded exception stands in for it.
    pub consent: ConsentView,
}

/// What a step asks of consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsentView {
    /// Nothing.
    None,
    /// This consent; in these situations the law lets the step go ahead without.
    Needed(ConsentNeed, Vec<ConsentException>),
    /// An exception was recorded: the step may go ahead, and the person is told.
    Excepted(ConsentNeed),
}

/// The contacts for this person now.
#[derive(Clone, Debug)]
pub struct Contacts {
    /// How far the answer had to step down.
    pub rung: Rung,
    /// Services, best first.
    pub offers: Vec<OfferedService>,
    /// Nearer services that were left out, and why.
    pub excluded: Vec<ExcludedService>,
    /// National bodies, while nothing can be reached.
    pub agencies: Vec<AgencyLine>,
    /// The words of the policy, while nothing can be reached.
    pub last_resort: Option<Text>,
}

/// One service that is offered.
#[derive(Clone, Debug)]
pub struct OfferedService {
    /// The service. Reach it by `channels` only.
    pub service: Service,
    /// The channels that may be used, best first, each with its place in the service's list.
    pub channels: Vec<(usize, Channel)>,
    /// Whether it answers now.
    pub open: Open,
    /// Why it fits, and what to beware of.
    pub reasons: Vec<Reason>,
    /// What speaks against it.
    pub despite: Vec<Exclusion>,
}

/// One service that is not offered.
#[derive(Clone, Debug)]
pub struct ExcludedService {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Text,
    /// Every reason.
    pub because: Vec<Exclusion>,
}

/// One national body.
#[derive(Clone, Debug)]
pub struct AgencyLine {
    /// The body.
    pub agency: Agency,
}

impl Session {
    fn events(&self) -> Events {
        let screening = &self.screening;
        Events {
            found: Some(screening.opened),
            outcome: screening.outcome.as_ref().map(|recorded| recorded.at),
            referral: screening.referrals.iter().map(|r| r.offered).min_by_key(|at| at.wall_ms),
        }
    }

    fn protocol_view(
        &self,
        protocol: &Protocol,
        calendar: Option<&Calendar>,
        now: &Stamp,
        today: Date,
    ) -> ProtocolView {
        let assessment = self.assess();
        // A closed screening keeps the outcome that was recorded, also where its answers were erased.
        let closed = self.screening.outcome.as_ref().filter(|_| self.screening.closed.is_some());
        let outcomes: BTreeSet<Outcome> = closed
            .map_or_else(|| assessment.outcomes(), |recorded| recorded.outcomes.clone())
            .into_iter()
            .collect();
        let logged: BTreeMap<Name, StepLog> = self
            .screening
            .steps
            .iter()
            .map(|entry| (entry.step.clone(), StepLog { at: entry.at, state: entry.state.clone() }))
            .collect();
        let exceptions = self.screening.consents.waivers().map(|waiver| waiver.situation).collect();
        let situation = Situation {
            outcomes: &outcomes,
            person: &assessment.person,
            place: &self.screening.place,
            events: self.events(),
            logged: &logged,
            exceptions: &exceptions,
            today,
        };
        let planned = plan(protocol, &situation, calendar, now);
        ProtocolView {
            history: planned
                .history
                .iter()
                .map(|past| (past.step.id.clone(), past.why, past.superseded_by.cloned()))
                .collect(),
            steps: planned.steps.into_iter().map(|step| step_view(step, &logged)).collect(),
        }
    }
}

fn step_view(planned: PlannedStep<'_>, logged: &BTreeMap<Name, StepLog>) -> StepView {
    StepView {
        state: logged.get(&planned.step.id).map(|log| log.state.clone()),
        consent: match planned.consent {
            ConsentAsk::None => ConsentView::None,
            ConsentAsk::Needed { need, exceptions } => ConsentView::Needed(need, exceptions.to_vec()),
            ConsentAsk::Excepted { need, .. } => ConsentView::Excepted(need),
        },
        step: planned.step.clone(),
        certainty: planned.certainty,
        due: planned.due,
    }
}

impl Device {
    /// The assessment as the answers stand now, with every reason. Nothing is recorded.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Erased`] for a closed screening whose answers were not kept.
    pub fn explain(&self, id: ScreeningId) -> Result<Assessment, Error> {
        self.work(id, |session| if session.is_erased() { Err(Error::Erased) } else { Ok(session.assess()) })
    }

    /// Computes the outcome and records it, unless exactly this one is the last recorded.
    ///
    /// # Errors
    /// [`Error::Refused`] after closing, [`Error::Store`].
    pub fn record_outcome(&self, id: ScreeningId) -> Result<Assessment, Error> {
        self.work(id, |session| {
            let assessment = session.assess();
            let hash = assessment.hash();
            if session.screening.outcome.as_ref().is_none_or(|recorded| recorded.assessment != hash) {
                self.add(
                    session,
                    Body::OutcomeRecorded { outcomes: assessment.outcomes(), assessment: hash },
                )?;
            }
            Ok(assessment)
        })
    }

    /// The steps for this outcome and person, with deadlines; what is forbidden comes first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn protocol(&self, id: ScreeningId) -> Result<ProtocolView, Error> {
        let (now, today) = (self.stamp(), self.trusted_today());
        self.work(id, |session| {
            let pack = self.pack(&session.screening.packs.protocol)?;
            let days = self.calendar_pack(&session.screening)?;
            let days = days.as_deref().and_then(calendar);
            Ok(session.protocol_view(protocol(&pack)?, days, &now, today))
        })
    }

    /// Logs a step as done, skipped (why) or impossible (why). Done on a forbidden step says that what is
    /// forbidden happened: it is recorded as a breach and never refused.
    ///
    /// # Errors
    /// [`Error::Step`] for an unknown step or a missing reason, [`Error::Refused`], [`Error::Store`].
    pub fn log_step(&self, id: ScreeningId, step: &Name, state: StepState) -> Result<Meaning, Error> {
        self.work(id, |session| {
            let pack = self.pack(&session.screening.packs.protocol)?;
            let meaning = log::check(protocol(&pack)?, step, &state)?;
            self.add(session, Body::StepLogged { step: step.clone(), state })?;
            Ok(meaning)
        })
    }

    /// Who takes this person, now, from here, in this language. Never empty: when nothing fits, the next best
    /// with the reason each nearer one was left out, down to the national bodies and the policy's last resort.
    /// `kinds` are those that a step wishes for, best first; empty for any.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn contacts(&self, id: ScreeningId, kinds: &[ServiceKind]) -> Result<Contacts, Error> {
        let now = self.stamp();
        self.work(id, |session| {
            let place = &session.screening.place;
            let assessment = session.assess();
            let query = Query {
                area: place.area.clone(),
                clock: if now.doubt.is_some() { ClockTrust::InDoubt } else { ClockTrust::Trusted },
                kinds: kinds.to_vec(),
                ..Query::new(assessment.person, place.country, now.wall_ms)
            };
            let pack = self.pack(&session.screening.packs.directory)?;
            let content = directory(&pack)?;
            let policy = session.packs.policy()?;
            let days = self.calendar_pack(&session.screening)?;
            let zones = days.as_deref().and_then(calendar).map(|days| days as &dyn crate::directory::Zones);
            let found = find(&content.services, &content.agencies, &query, zones, &policy.last_resort);
            Ok(owned(&found))
        })
    }

    /// Services as typed: over names, places and services in every language of the directory, accents and case
    /// ignored; best first, at most `limit`. `true` beside them says that there may be more.
    ///
    /// # Errors
    /// [`Error::Search`] for a text that is too long, [`Error::NoPack`] without a directory.
    pub fn lookup(
        &self,
        typed: &str,
        country: Option<Country>,
        limit: usize,
    ) -> Result<(Vec<Service>, bool), Error> {
        let pack = self.current_ref(Kind::Directory, country)?;
        self.store.read(|rows| lookup::run(rows, &pack.hash, typed, country, limit))
    }
}

fn owned(found: &crate::directory::Found<'_>) -> Contacts {
    let place = |service: &Service, channel: &Channel| {
        service.channels.iter().position(|c| c == channel).unwrap_or(0)
    };
    Contacts {
        rung: found.rung,
        offers: found
            .offers
            .iter()
            .map(|offer| OfferedService {
                service: offer.service.clone(),
                channels: offer
                    .channels
                    .iter()
                    .map(|channel| (place(offer.service, channel), (*channel).clone()))
                    .collect(),
                open: offer.open,
                reasons: offer.reasons.clone(),
                despite: offer.despite.clone(),
            })
            .collect(),
        excluded: found
            .out
            .iter()
            .map(|out| ExcludedService {
                id: out.service.id.clone(),
                name: out.service.name.clone(),
                because: out.because.clone(),
            })
            .collect(),
        agencies: found.agencies.iter().map(|agency| AgencyLine { agency: (*agency).clone() }).collect(),
        last_resort: found.last_resort.cloned(),
    }
}
