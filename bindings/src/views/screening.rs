//! One screening: everything that any of its screens draws.

use amparo_core::device::{Device, Error, NextStep, Question, ScreeningLine};
use amparo_core::screening::Gate;
use amparo_schema::id::{CaseId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::Content;
use amparo_schema::person::Country;
use amparo_schema::text::Lang;

use super::outcome::Telling;
use super::question::{Langs, gate_check, question};
use super::{
    ConsentView, ContactsView, GateCheckView, OutcomeView, PastStepView, QuestionView, ReferralView,
    StepView, outcome, protocol, sharing,
};
use crate::kinds::{IdentityField, StopReason};
use crate::redact::redacted;

/// One screening. Every call that changes one returns this; nothing else is needed to draw any screen of it.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct ScreeningView {
    /// Its line in the list.
    pub line: ScreeningLineView,
    /// Country of the screening.
    pub country: Country,
    /// The post, by its id in the policy.
    pub post: Option<Name>,
    /// The official's language: all words but those that are said.
    pub lang: Lang,
    /// The language of the words that are said: the person's, or the official's until one is chosen.
    pub said_lang: Lang,
    /// What is shown now.
    pub next: NextView,
    /// Where "back" leads from there; none at the beginning.
    pub previous: Option<Name>,
    /// How far along.
    pub progress: ScreeningProgress,
    /// True when the safe-interview gate is passed, and was not left since.
    pub gate_passed: bool,
    /// Its checks, in order.
    pub gate_checks: Vec<GateCheckView>,
    /// Consents: words to read aloud, and where each stands.
    pub consents: Vec<ConsentView>,
    /// The outcome as the answers stand now.
    pub outcome: OutcomeView,
    /// Steps of the protocol for this outcome and person, in the order to show.
    pub steps: Vec<StepView>,
    /// Steps that are history. Never to be shown as current.
    pub past_steps: Vec<PastStepView>,
    /// Referrals, in no order.
    pub referrals: Vec<ReferralView>,
    /// Which identity fields were given; never what they hold.
    pub identity: Vec<IdentityField>,
    /// Why the talk was last stopped.
    pub stopped: Option<StopReason>,
    /// True when the clock was in doubt at some fact of it: show times with that doubt.
    pub clock_in_doubt: bool,
    /// Who takes this person; filled by `contacts` alone.
    pub contacts: Option<ContactsView>,
}

/// One line of the list.
#[uniffi::export(Display)]
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct ScreeningLineView {
    /// The screening.
    pub id: ScreeningId,
    /// Its case.
    pub case: CaseId,
    /// The random code of the case.
    pub code: String,
    /// The code that the person can remember.
    pub memorable: String,
    /// True once closed and sealed.
    pub closed: bool,
    /// When it was opened.
    pub opened_ms: i64,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ScreeningListView {
    /// The lines, newest first.
    pub lines: Vec<ScreeningLineView>,
    /// How many there are in all.
    pub total: u32,
}

/// What is shown now.
// One at a time, on its way out: a box would only be taken off again at the boundary.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, uniffi::Enum)]
pub enum NextView {
    /// This question.
    Ask {
        /// The question.
        question: QuestionView,
    },
    /// The safe-interview gate, then the consents to talk and to store.
    Gate,
    /// Nothing is left to ask: the outcome, the steps, the contacts.
    End,
}

/// How far along.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ScreeningProgress {
    /// The number of the item that is shown among those that apply; none at the gate and the end.
    pub number: Option<u32>,
    /// How many items apply; none at the gate and the end.
    pub of: Option<u32>,
    /// Items that apply or may, and of which nothing is known.
    pub unknown: u32,
    /// Those among them that were not offered yet.
    pub open: u32,
}

redacted!(ScreeningView, ScreeningLineView);

pub(crate) fn line(line: &ScreeningLine) -> ScreeningLineView {
    ScreeningLineView {
        id: line.screening,
        case: line.case,
        code: line.code.clone(),
        memorable: line.memorable.clone(),
        closed: line.closed,
        opened_ms: line.opened_ms,
    }
}

/// What to show: what comes next, or one item.
pub(crate) enum Show<'a> {
    Next,
    Item(&'a Name),
}

/// The view of a screening. `now_ms` decides which consents have lapsed.
pub(crate) fn screening(
    device: &Device,
    id: ScreeningId,
    show: &Show<'_>,
    now_ms: i64,
) -> Result<ScreeningView, Error> {
    let view = device.screening(id)?;
    let held = &view.screening;
    let step = match show {
        Show::Next => device.next(id)?,
        Show::Item(item) => NextStep::Item((*item).clone()),
    };
    let (policy, checklist) = (device.policy_of(id)?, device.checklist_of(id)?);
    let (Content::Policy(policy), Content::Checklist(checklist)) = (&*policy.content, &*checklist.content)
    else {
        return Err(Error::NoPack { kind: "policy" });
    };
    let official = &held.lang;
    let person = held.person_lang.as_ref().unwrap_or(official);
    let assessment = match device.explain(id) {
        Ok(assessment) => Some(assessment),
        Err(Error::Erased) => None,
        Err(why) => return Err(why),
    };
    let shown = match &step {
        NextStep::Item(item) => Some(device.question(id, item)?),
        NextStep::Gate | NextStep::End => None,
    };
    let missing: &[Name] = match &view.gate {
        Gate::Postponed { missing } => missing,
        Gate::NotTried | Gate::Passed => &[],
    };
    let telling = Telling { policy, checklist, official, person };
    let told = match (&assessment, &held.outcome) {
        (Some(found), recorded) => {
            outcome::outcome(found, recorded.as_ref().map(|recorded| recorded.assessment), &telling)
        }
        (None, Some(recorded)) => outcome::erased(recorded, &telling),
        (None, None) => return Err(Error::Erased),
    };
    let plan = device.protocol(id)?;
    let past = |(step, why, by): &(Name, _, Option<Name>)| PastStepView {
        id: step.clone(),
        why: *why,
        superseded_by: by.clone(),
    };
    let open = told.unknown.iter().filter(|gap| held.answers.get(&gap.item).is_none()).count();
    Ok(ScreeningView {
        country: view.place.country,
        post: view.place.post.clone(),
        lang: official.clone(),
        said_lang: person.clone(),
        previous: device.back(id, &step)?,
        progress: progress(shown.as_ref(), told.unknown.len(), open),
        gate_passed: view.gate == Gate::Passed,
        gate_checks: policy.gate.iter().map(|check| gate_check(check, missing, official)).collect(),
        consents: sharing::consents(policy, held, now_ms, official, person),
        outcome: told,
        steps: plan.steps.iter().map(|step| protocol::step(step, official, person)).collect(),
        past_steps: plan.history.iter().map(past).collect(),
        referrals: held.referrals.iter().map(|held| sharing::referral(held, official)).collect(),
        identity: held.identity.iter().copied().collect(),
        stopped: held.stop.map(|stop| stop.reason),
        clock_in_doubt: !view.doubts.is_empty(),
        contacts: None,
        next: match (step, shown) {
            (_, Some(shown)) => NextView::Ask { question: question(&shown, Langs { official, person }) },
            (NextStep::Gate, None) => NextView::Gate,
            _ => NextView::End,
        },
        line: line(&view.line),
    })
}

fn progress(shown: Option<&Question>, unknown: usize, open: usize) -> ScreeningProgress {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let position = shown.and_then(|question| question.position);
    ScreeningProgress {
        number: position.map(|p| count(p.number)),
        of: position.map(|p| count(p.of)),
        unknown: count(unknown),
        open: count(open),
    }
}
