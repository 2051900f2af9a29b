//! The walk: what is shown next, answers, the gate, languages, stopping.

use std::collections::BTreeSet;

use amparo_schema::answer::Answer;
use amparo_schema::fact::{Body, StopReason};
use amparo_schema::id::ScreeningId;
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::Item;
use amparo_schema::pack::policy::GateCheck;
use amparo_schema::text::Lang;

use super::session::Session;
use super::{Device, Error};
use crate::checklist::{AnswerError, Gate, Next, Position};
use crate::screening::{self, gate_fact};

/// What a shell shows next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// This item.
    Item(Name),
    /// The safe-interview gate, before the first question.
    Gate,
    /// Nothing is left: the outcome.
    End,
}

/// One item, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The item.
    pub item: Item,
    /// Where it stands among those that apply; none for one that does not apply now.
    pub position: Option<Position>,
    /// The last answer, if there is one.
    pub answer: Option<Answer>,
}

impl Session {
    fn next(&self, now_ms: i64) -> NextStep {
        let gate = self.gate(now_ms);
        // A stopped talk is not taken up again by itself: what is left is the outcome, until the gate has
        // been passed once more.
        let stopped = self.screening.stop.is_some() && gate == Gate::Ahead;
        if self.screening.closed.is_some() || stopped {
            return NextStep::End;
        }
        match self.walk.next(gate) {
            Next::Item(item) => NextStep::Item(item.id.clone()),
            Next::Gate => NextStep::Gate,
            Next::End => NextStep::End,
        }
    }
}

impl Device {
    /// What is shown next. The gate as long as the person's consent to talk is missing as well, so that a
    /// program that died between the two asks for it, and shows no question that could not be answered.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn next(&self, id: ScreeningId) -> Result<NextStep, Error> {
        let now = self.stamp();
        self.work(id, |session| Ok(session.next(session.screening.consent_ms(&now))))
    }

    /// One item as it stands.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown screening or item.
    pub fn question(&self, id: ScreeningId, item: &Name) -> Result<Question, Error> {
        self.work(id, |session| {
            let found = session.form.item(item).ok_or(Error::NotFound { what: "item" })?;
            Ok(Question {
                item: found.clone(),
                position: session.walk.position(item),
                answer: session.walk.answer(item).cloned(),
            })
        })
    }

    /// The item before the one that is shown (or before the gate, or the end); none at the beginning.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn back(&self, id: ScreeningId, from: &NextStep) -> Result<Option<Name>, Error> {
        self.work(id, |session| {
            let from = match from {
                NextStep::Item(item) => match session.form.item(item) {
                    Some(item) => Next::Item(item),
                    None => return Err(Error::NotFound { what: "item" }),
                },
                NextStep::Gate => Next::Gate,
                NextStep::End => Next::End,
            };
            Ok(session.walk.back(from).map(|item| item.id.clone()))
        })
    }

    /// Records an answer; when this returns, it is on disk. The last answer to an item counts, earlier ones stay
    /// in the history. Returns what is shown next.
    ///
    /// # Errors
    /// [`Error::Answer`] when it does not fit the item, [`Error::Refused`] before the gate and the consent to
    /// talk, or after closing; [`Error::Store`]. Nothing is recorded then.
    pub fn answer(&self, id: ScreeningId, item: &Name, answer: Answer) -> Result<NextStep, Error> {
        self.work(id, |session| {
            session.form.accept(item, &answer)?;
            let mode = session.form.item(item).ok_or_else(|| AnswerError::NoSuchItem(item.clone()))?.mode;
            self.add(session, Body::Answered { item: item.clone(), answer: answer.clone(), mode })?;
            session.walk.set(item, answer)?;
            Ok(session.next(session.screening.consent_ms(&self.stamp())))
        })
    }

    /// The checks of the safe-interview gate.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn gate_checks(&self, id: ScreeningId) -> Result<Vec<GateCheck>, Error> {
        self.work(id, |session| Ok(session.packs.policy()?.gate.clone()))
    }

    /// Records a try of the gate with these checks confirmed. Anything missing postpones the questions; it does
    /// not fail the person, and it can be tried again.
    ///
    /// # Errors
    /// [`Error::Refused`] for a check that the policy does not have.
    pub fn gate(&self, id: ScreeningId, confirmed: &BTreeSet<Name>) -> Result<screening::Gate, Error> {
        self.work(id, |session| {
            let body = gate_fact(&session.packs.policy()?.gate, confirmed)?;
            self.add(session, body)?;
            Ok(session.screening.gate.clone())
        })
    }

    /// Records the official's or the person's language.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Store`].
    pub fn set_language(&self, id: ScreeningId, lang: Lang, person: bool) -> Result<(), Error> {
        self.work(id, |session| self.add(session, Body::LanguageSet { lang, person }).map(|_| ()))
    }

    /// Stops the talk. What is known stays; nothing is lowered.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Store`].
    pub fn stop(&self, id: ScreeningId, reason: StopReason) -> Result<(), Error> {
        self.work(id, |session| self.add(session, Body::Stopped { reason }).map(|_| ()))
    }
}
