//! The only legal moves of a screening. Pure.

use std::collections::BTreeSet;

use amparo_schema::answer::{Answer, Mode, Unknown, Value};
use amparo_schema::fact::{Body, Consent, ReferralState, Scope, StepState};
use amparo_schema::id::Hash;
use amparo_schema::limits::{
    ANSWER_TEXT_CHARS_MAX, IDENTITY_CHARS_MAX, REASON_CHARS_MAX, SCREENING_FACTS_MAX,
};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::policy::{GateCheck, Purpose};
use amparo_schema::text::{Source, fits};

use super::{Gate, Screening};
use crate::consent::State;
use crate::referral::BadMove;

/// Facts kept free of the limit so that a full screening can still be stopped, withdrawn from and closed.
const RESERVED_FACTS: usize = 64;

/// Why a fact may not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The safe-interview gate was not passed, or not again since the talk was stopped.
    #[error("the safe-interview gate is not passed")]
    Gate,
    /// The person has not agreed to talk.
    #[error("consent to talk is {0:?}")]
    Talk(State),
    /// The screening is closed; such a fact cannot be added to it.
    #[error("the screening is closed")]
    Closed,
    /// Closing needs a recorded outcome.
    #[error("no outcome is recorded")]
    NoOutcome,
    /// The outcome at closing is not the one that was recorded.
    #[error("the outcome is not the recorded one")]
    OtherOutcome,
    /// Identity is opened only at referral.
    #[error("identity is opened only at referral")]
    Identity,
    /// The referral cannot do that.
    #[error(transparent)]
    Referral(#[from] BadMove),
    /// There is no such consent in this screening.
    #[error("no consent with this counter")]
    NoConsent,
    /// A consent to share names a receiver and what may be shared, identity apart from the rest; any other
    /// consent names neither.
    #[error("receiver and scope do not fit the purpose")]
    ConsentForm,
    /// Neither talking nor counting is ever forced: only storing and sharing can be waived, and with a law.
    #[error("this consent cannot be waived so")]
    Waiver,
    /// A gate check is not in the policy, or none was confirmed and none is missing.
    #[error("the gate checks are not those of the policy")]
    GateForm,
    /// A reason is missing.
    #[error("a reason is missing")]
    NoReason,
    /// A text is empty, too long or holds control characters, a number or age is out of bounds.
    #[error("a value is out of bounds")]
    Bounds,
    /// The fact belongs to the store or opens something.
    #[error("the fact does not belong into an open screening")]
    Stranger,
    /// [`SCREENING_FACTS_MAX`] is reached.
    #[error("the screening has as many facts as it may")]
    Full,
}

/// Whether `body` may be added to the screening now; `now_ms` is milliseconds since 1970.
///
/// # Errors
/// [`Refused`], with the first reason. Nothing was changed.
pub fn allow(screening: &Screening, body: &Body, now_ms: i64) -> Result<(), Refused> {
    room(screening, body)?;
    if screening.closed.is_some() && !may_follow_closing(body) {
        return Err(Refused::Closed);
    }
    match body {
        Body::Answered { answer, mode, .. } => answered(screening, answer, *mode, now_ms),
        Body::GateChecked { confirmed, missing } => {
            if confirmed.is_empty() && missing.is_empty() {
                Err(Refused::GateForm)
            } else {
                Ok(())
            }
        }
        Body::ConsentGiven(consent) => consent_form(consent),
        Body::ConsentWithdrawn { consent } => {
            screening.consents.given(*consent).map(|_| ()).ok_or(Refused::NoConsent)
        }
        Body::ConsentRefused { purpose, receiver, .. } => {
            if receiver.is_some() && !is_sharing(*purpose) {
                Err(Refused::ConsentForm)
            } else {
                Ok(())
            }
        }
        Body::ConsentWaived { purpose, legal_basis, .. } => {
            let waivable = is_sharing(*purpose) || *purpose == Purpose::Store;
            if waivable && is_law(legal_basis) { Ok(()) } else { Err(Refused::Waiver) }
        }
        Body::StepLogged { state, .. } => logged(state),
        Body::ReferralOffered { referral, .. } => Ok(screening.referrals.may_offer(*referral)?),
        Body::ReferralMoved { referral, to, reason } => {
            Ok(screening.referrals.may_move(*referral, *to, reason.as_deref())?)
        }
        Body::IdentityGiven { value, .. } => identity(screening, value, now_ms),
        Body::Closed { outcomes, assessment } => closing(screening, outcomes, assessment),
        Body::OutcomeRecorded { .. } | Body::LanguageSet { .. } | Body::Stopped { .. } => Ok(()),
        Body::CaseOpened { .. }
        | Body::ScreeningOpened { .. }
        | Body::PackInstalled { .. }
        | Body::IncarnationBegun { .. } => Err(Refused::Stranger),
    }
}

/// The fact of trying the gate of a policy with these checks confirmed; the rest is missing.
///
/// # Errors
/// [`Refused::GateForm`] when a confirmed check is not in the policy, or the policy has none.
pub fn gate_fact(gate: &[GateCheck], confirmed: &BTreeSet<Name>) -> Result<Body, Refused> {
    let (yes, no): (Vec<&GateCheck>, Vec<&GateCheck>) =
        gate.iter().partition(|check| confirmed.contains(&check.id));
    if gate.is_empty() || yes.len() != confirmed.len() {
        return Err(Refused::GateForm);
    }
    let ids = |checks: Vec<&GateCheck>| checks.into_iter().map(|check| check.id.clone()).collect();
    Ok(Body::GateChecked { confirmed: ids(yes), missing: ids(no) })
}

/// Whether this answer was got by asking the person. An item that was passed over, interrupted or could not
/// be seen was not.
pub(super) fn is_asked(answer: &Answer, mode: Mode) -> bool {
    let passed_over =
        matches!(answer, Answer::Unknown(Unknown::NotAsked | Unknown::Interrupted | Unknown::NotObservable));
    mode == Mode::Ask && !passed_over
}

fn room(screening: &Screening, body: &Body) -> Result<(), Refused> {
    let limit = match body {
        Body::Closed { .. } => SCREENING_FACTS_MAX,
        // Closing records the outcome first.
        Body::OutcomeRecorded { .. } => SCREENING_FACTS_MAX - 1,
        Body::Stopped { .. }
        | Body::ConsentWithdrawn { .. }
        | Body::ConsentRefused { .. }
        | Body::ReferralMoved { .. } => SCREENING_FACTS_MAX - 2,
        _ => SCREENING_FACTS_MAX - RESERVED_FACTS,
    };
    if screening.facts < limit { Ok(()) } else { Err(Refused::Full) }
}

fn may_follow_closing(body: &Body) -> bool {
    matches!(
        body,
        Body::StepLogged { .. }
            | Body::ReferralOffered { .. }
            | Body::ReferralMoved { .. }
            | Body::ConsentGiven(_)
            | Body::ConsentWithdrawn { .. }
            | Body::ConsentRefused { .. }
            | Body::ConsentWaived { .. }
            | Body::LanguageSet { .. }
    )
}

fn answered(screening: &Screening, answer: &Answer, mode: Mode, now_ms: i64) -> Result<(), Refused> {
    if is_asked(answer, mode) {
        if screening.gate != Gate::Passed {
            return Err(Refused::Gate);
        }
        match screening.consents.state(Purpose::Talk, None, now_ms) {
            State::Given => {}
            other => return Err(Refused::Talk(other)),
        }
    }
    let fits = match answer {
        Answer::Known(Value::Text(text)) => fits(text, ANSWER_TEXT_CHARS_MAX),
        Answer::Known(Value::Age(range)) => range.is_valid(),
        _ => true,
    };
    if fits { Ok(()) } else { Err(Refused::Bounds) }
}

fn is_sharing(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::ShareService | Purpose::ShareIdentity)
}

fn consent_form(consent: &Consent) -> Result<(), Refused> {
    let identity = consent.scope.contains(&Scope::Identity);
    let fits = match consent.purpose {
        Purpose::ShareService => consent.receiver.is_some() && !consent.scope.is_empty() && !identity,
        Purpose::ShareIdentity => consent.receiver.is_some() && consent.scope.len() == 1 && identity,
        Purpose::Talk | Purpose::Store | Purpose::Statistics => {
            consent.receiver.is_none() && consent.scope.is_empty()
        }
    };
    if fits { Ok(()) } else { Err(Refused::ConsentForm) }
}

fn logged(state: &StepState) -> Result<(), Refused> {
    match state {
        StepState::Done => Ok(()),
        StepState::Skipped { reason } | StepState::Impossible { reason } => {
            if reason.trim().is_empty() {
                Err(Refused::NoReason)
            } else if fits(reason, REASON_CHARS_MAX) {
                Ok(())
            } else {
                Err(Refused::Bounds)
            }
        }
    }
}

fn identity(screening: &Screening, value: &str, now_ms: i64) -> Result<(), Refused> {
    let referred = screening
        .referrals
        .iter()
        .any(|referral| matches!(referral.state, ReferralState::Offered | ReferralState::Sent));
    let opened = referred || screening.consents.shares_identity(now_ms);
    if !opened {
        return Err(Refused::Identity);
    }
    if fits(value, IDENTITY_CHARS_MAX) { Ok(()) } else { Err(Refused::Bounds) }
}

fn closing(screening: &Screening, outcomes: &[Outcome], assessment: &Hash) -> Result<(), Refused> {
    let recorded = screening.outcome.as_ref().ok_or(Refused::NoOutcome)?;
    if recorded.assessment == *assessment && recorded.outcomes == outcomes {
        Ok(())
    } else {
        Err(Refused::OtherOutcome)
    }
}

/// A law is named with the place in its text, so that somebody can look it up; its date may be left out.
fn is_law(basis: &Source) -> bool {
    let sound = |text: &String| text.is_empty() || fits(text, REASON_CHARS_MAX);
    fits(&basis.document, REASON_CHARS_MAX)
        && fits(&basis.place, REASON_CHARS_MAX)
        && basis.as_of.as_ref().is_none_or(sound)
}
