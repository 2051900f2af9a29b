//! One screening, folded from its facts, and the moves that are legal from there.
//!
//! Owns what a screening is at this moment: nothing but a function of its facts in counter order. Never
//! edits, never forgets a fact, never decides an outcome. The fold takes whatever was once legal, so that an
//! old screening can always be read; [`allow`] is the gate for new facts.

mod allow;
mod retention;

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::answer::{Answer, Mode};
use amparo_schema::fact::{Body, Doubt, Fact, IdentityField, Packs, Scope, Stamp, StepState, StopReason};
use amparo_schema::id::{CaseId, Hash, ReferralId, ScreeningId};
use amparo_schema::limits::SCREENING_FACTS_MAX;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::person::{Person, Place};
use amparo_schema::text::Lang;

pub use allow::{Refused, allow, gate_fact};
pub use retention::{Keep, retention};

use crate::answers::Answers;
use crate::consent::{Consents, Denied, Permit, Subject};
use crate::referral::{BadMove, Move, Referrals};

/// A screening as its facts show it. `Debug` shows nothing that was said.
#[derive(Clone, PartialEq, Eq)]
pub struct Screening {
    /// The case.
    pub case: CaseId,
    /// The screening.
    pub id: ScreeningId,
    /// The packs that it stays on.
    pub packs: Packs,
    /// Where it takes place.
    pub place: Place,
    /// When it was opened.
    pub opened: Stamp,
    /// The counter of the fact that opened it.
    pub opened_at: u64,
    /// The official's language.
    pub lang: Lang,
    /// The person's language, once chosen.
    pub person_lang: Option<Lang>,
    /// The last answer to each item.
    pub answers: Answers,
    /// Every answer, in order.
    pub history: Vec<Given>,
    /// Where the safe-interview gate stands.
    pub gate: Gate,
    /// Acts on consent.
    pub consents: Consents,
    /// Referrals.
    pub referrals: Referrals,
    /// What became of the steps of the protocol, in order; the last entry of a step counts.
    pub steps: Vec<Step>,
    /// The last stop, and whether it ended the talk.
    pub stop: Option<Stop>,
    /// The outcome that was recorded last.
    pub outcome: Option<Recorded>,
    /// When it was closed, and with what.
    pub closed: Option<Closed>,
    /// Which identity fields were given; never what they hold.
    pub identity: BTreeSet<IdentityField>,
    /// Facts written while the clock was in doubt.
    pub doubts: Vec<(u64, Doubt)>,
    /// Facts folded.
    pub facts: usize,
    /// Counter of the last fact.
    pub last: u64,
    /// When the last fact was written.
    pub newest: Stamp,
    /// Wall time of the last fact that was written while the clock was not in doubt; milliseconds since 1970.
    pub trusted_ms: Option<i64>,
}

impl std::fmt::Debug for Screening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Screening");
        shown
            .field("id", &self.id)
            .field("facts", &self.facts)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

/// One answer, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The counter of its fact.
    pub counter: u64,
    /// When.
    pub at: Stamp,
    /// The item.
    pub item: Name,
    /// The answer.
    pub answer: Answer,
    /// How it came about.
    pub mode: Mode,
}

/// The safe-interview gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Not tried, or not since the talk was last stopped.
    NotTried,
    /// Every check was confirmed.
    Passed,
    /// Some were not; the talk waits.
    Postponed {
        /// Those.
        missing: Vec<Name>,
    },
}

/// One entry of the log of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The counter of its fact.
    pub counter: u64,
    /// When.
    pub at: Stamp,
    /// The step.
    pub step: Name,
    /// What became of it.
    pub state: StepState,
}

/// A stop of the talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The counter of its fact.
    pub counter: u64,
    /// When.
    pub at: Stamp,
    /// Why.
    pub reason: StopReason,
}

/// An outcome as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The counter of its fact.
    pub counter: u64,
    /// When.
    pub at: Stamp,
    /// The classes.
    pub outcomes: Vec<Outcome>,
    /// The hash of the assessment.
    pub assessment: Hash,
}

/// The closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The counter of its fact.
    pub counter: u64,
    /// When.
    pub at: Stamp,
}

/// Facts that make no screening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fact {counter}: {what}")]
pub struct FoldError {
    /// The counter of the fact at which the fold stopped; 0 when there is none at all.
    pub counter: u64,
    /// What is wrong with it.
    pub what: NoFold,
}

/// What is wrong with a fact in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFold {
    /// There are no facts, or none opens the screening.
    #[error("nothing opens the screening")]
    NotOpened,
    /// A screening is opened once.
    #[error("the screening is opened twice")]
    OpenedTwice,
    /// A case is not opened within a screening; the opening of a case stands before it and names the same.
    #[error("the case is another")]
    OtherCase,
    /// Counters go up.
    #[error("the counter does not go up")]
    Order,
    /// A screening is closed once.
    #[error("the screening is closed twice")]
    ClosedTwice,
    /// The fact belongs to the store, not to a screening.
    #[error("the fact belongs to no screening")]
    Stranger,
    /// More than [`SCREENING_FACTS_MAX`].
    #[error("more than {SCREENING_FACTS_MAX} facts")]
    TooMany,
    /// The referral cannot do that.
    #[error("{0}")]
    Referral(BadMove),
}

impl Screening {
    /// Folds the facts of one screening, in counter order. The opening of the case may stand first; facts of
    /// the identity compartment may be left out.
    ///
    /// # Errors
    /// [`FoldError`], with the counter of the first fact that cannot stand where it does.
    pub fn from_facts(facts: impl IntoIterator<Item = (u64, Fact)>) -> Result<Self, FoldError> {
        let mut facts = facts.into_iter();
        let mut before: Option<(u64, CaseId)> = None;
        let mut screening = loop {
            let (counter, fact) = facts
                .next()
                .ok_or(FoldError { counter: before.map_or(0, |b| b.0), what: NoFold::NotOpened })?;
            let fail = |what| FoldError { counter, what };
            if before.is_some_and(|(last, _)| counter <= last) {
                return Err(fail(NoFold::Order));
            }
            match fact.body {
                Body::CaseOpened { case, .. } if before.is_none() => before = Some((counter, case)),
                Body::ScreeningOpened { case, screening, packs, place, lang } => {
                    if before.is_some_and(|(_, opened)| opened != case) {
                        return Err(fail(NoFold::OtherCase));
                    }
                    let mut opened = Self::opened(case, screening, packs, place, lang, fact.at);
                    opened.count(counter, fact.at);
                    opened.opened_at = counter;
                    opened.facts += usize::from(before.is_some());
                    break opened;
                }
                _ => return Err(fail(NoFold::NotOpened)),
            }
        };
        for (counter, fact) in facts {
            screening.add(counter, fact).map_err(|what| FoldError { counter, what })?;
        }
        Ok(screening)
    }

    fn opened(case: CaseId, id: ScreeningId, packs: Packs, place: Place, lang: Lang, opened: Stamp) -> Self {
        Self {
            case,
            id,
            packs,
            place,
            opened,
            opened_at: 0,
            lang,
            person_lang: None,
            answers: Answers::default(),
            history: Vec::new(),
            gate: Gate::NotTried,
            consents: Consents::new(id),
            referrals: Referrals::default(),
            steps: Vec::new(),
            stop: None,
            outcome: None,
            closed: None,
            identity: BTreeSet::new(),
            doubts: Vec::new(),
            facts: 0,
            last: 0,
            newest: opened,
            trusted_ms: None,
        }
    }

    /// Takes the next fact.
    ///
    /// # Errors
    /// [`NoFold`]; the screening is then to be thrown away.
    pub fn add(&mut self, counter: u64, fact: Fact) -> Result<(), NoFold> {
        if counter <= self.last {
            return Err(NoFold::Order);
        }
        if self.facts >= SCREENING_FACTS_MAX {
            return Err(NoFold::TooMany);
        }
        self.count(counter, fact.at);
        self.consents.add(counter, &fact.body);
        let at = fact.at;
        match fact.body {
            Body::CaseOpened { .. } => return Err(NoFold::OtherCase),
            Body::ScreeningOpened { .. } => return Err(NoFold::OpenedTwice),
            Body::PackInstalled { .. } | Body::IncarnationBegun { .. } => return Err(NoFold::Stranger),
            Body::Answered { item, answer, mode } => {
                self.answers.set(item.clone(), answer.clone());
                self.history.push(Given { counter, at, item, answer, mode });
            }
            Body::GateChecked { confirmed, missing } => {
                // A gate without a single confirmed check was not passed, whatever the pack asks.
                let passed = missing.is_empty() && !confirmed.is_empty();
                self.gate = if passed { Gate::Passed } else { Gate::Postponed { missing } };
            }
            Body::Stopped { reason } => {
                self.stop = Some(Stop { counter, at, reason });
                self.gate = Gate::NotTried;
            }
            Body::OutcomeRecorded { outcomes, assessment } => {
                self.outcome = Some(Recorded { counter, at, outcomes, assessment });
            }
            Body::StepLogged { step, state } => self.steps.push(Step { counter, at, step, state }),
            Body::ReferralOffered { referral, contact } => {
                self.referrals.offer(at, referral, &contact).map_err(NoFold::Referral)?;
            }
            Body::ReferralMoved { referral, to, reason } => {
                self.referrals.go(referral, Move { counter, at, to, reason }).map_err(NoFold::Referral)?;
            }
            Body::IdentityGiven { field, .. } => {
                self.identity.insert(field);
            }
            Body::LanguageSet { lang, person: true } => self.person_lang = Some(lang),
            Body::LanguageSet { lang, person: false } => self.lang = lang,
            Body::Closed { .. } if self.closed.is_some() => return Err(NoFold::ClosedTwice),
            Body::Closed { .. } => self.closed = Some(Closed { counter, at }),
            Body::ConsentGiven(_)
            | Body::ConsentWithdrawn { .. }
            | Body::ConsentRefused { .. }
            | Body::ConsentWaived { .. } => {}
        }
        Ok(())
    }

    fn count(&mut self, counter: u64, at: Stamp) {
        self.last = counter;
        self.newest = at;
        self.facts += 1;
        match at.doubt {
            Some(doubt) => self.doubts.push((counter, doubt)),
            None => self.trusted_ms = Some(at.wall_ms),
        }
    }

    /// The time by which consents run at this moment, milliseconds since 1970. A clock in doubt neither lapses
    /// a consent nor revives one: time then stands at the last fact whose clock was not doubted.
    #[must_use]
    pub fn consent_ms(&self, at: &Stamp) -> i64 {
        match at.doubt {
            Some(_) => self.trusted_ms.unwrap_or(at.wall_ms),
            None => at.wall_ms,
        }
    }

    /// The person, as far as the intake answers say.
    #[must_use]
    pub fn person(&self) -> Person {
        crate::person::derive(&self.answers)
    }

    /// Whether sharing needs a guardian or the authority.
    #[must_use]
    pub fn subject(&self) -> Subject {
        if self.person().is_child() { Subject::Child } else { Subject::Adult }
    }

    /// Whether a question was asked of the person. Observations and papers are none, and neither is an item
    /// that was passed over.
    #[must_use]
    pub fn was_asked(&self) -> bool {
        self.history.iter().any(|given| allow::is_asked(&given.answer, given.mode))
    }

    /// What became of each step: the last entry.
    #[must_use]
    pub fn step_states(&self) -> BTreeMap<&Name, &StepState> {
        self.steps.iter().map(|entry| (&entry.step, &entry.state)).collect()
    }

    /// A permit to hand `scope` to the contact of a referral.
    ///
    /// # Errors
    /// [`NoPermit`].
    pub fn permit(
        &self,
        referral: ReferralId,
        scope: &BTreeSet<Scope>,
        now_ms: i64,
    ) -> Result<Permit, NoPermit> {
        let receiver = &self.referrals.get(referral).ok_or(NoPermit::NoReferral)?.contact.service;
        Ok(self.consents.allows(scope, receiver, self.subject(), now_ms)?)
    }
}

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPermit {
    /// There is no such referral.
    #[error("no referral with this id")]
    NoReferral,
    /// Consent does not allow it.
    #[error(transparent)]
    Denied(#[from] Denied),
}
