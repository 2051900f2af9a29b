//! The steps of the protocol.

use amparo_core::calendar::Basis;
use amparo_core::device as core;
use amparo_core::protocol::deadline::{LimitDue, State};
use amparo_core::protocol::plan::StepDue;
use amparo_schema::name::Name;
use amparo_schema::text::Lang;
use jiff::civil::Date as CivilDate;

use super::{SourceView, WordsView, sources, words};
use crate::kinds::{
    Certainty, ConsentNeed, DeadlineEvent, DeadlineProgress, ExceptionKind, Obligation, OutOfForce, Phase,
    ReviewState, ServiceKind,
};
use crate::redact::redacted;
use crate::requests::StepState;

/// One step in force.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct StepView {
    /// Its id; `log_step` takes it.
    pub id: Name,
    /// The phase it belongs to.
    pub phase: Phase,
    /// How binding it is. Forbidden steps say what must not be done.
    pub obligation: Obligation,
    /// Whether it applies for certain; a possible one is shown as such.
    pub certainty: Certainty,
    /// What to do, or what not to do.
    pub title: WordsView,
    /// How, in a few sentences.
    pub detail: Option<WordsView>,
    /// What may be said to the person, in the person's language.
    pub say: Option<WordsView>,
    /// Who acts.
    pub actor: WordsView,
    /// By when.
    pub due: DueView,
    /// What became of it; none while open.
    pub state: Option<StepState>,
    /// Which consent it asks for.
    pub consent: StepConsent,
    /// Kinds of service that it wants reached, for `contacts`; none when nobody is to be reached.
    pub contact: Option<Vec<ServiceKind>>,
    /// The law or document it rests on.
    pub legal_basis: Vec<SourceView>,
    /// How far it was checked.
    pub review: ReviewState,
}

/// By when a step is to be done.
#[derive(Clone, uniffi::Enum)]
pub enum DueView {
    /// No time is set.
    NoLimit,
    /// It counts from an event that is not recorded yet.
    NotBegun {
        /// The event.
        event: DeadlineEvent,
    },
    /// It is due.
    Due {
        /// The earliest of the limits: act by this.
        act_by: LimitView,
        /// The latest of the limits; the same where there is one.
        outer_limit: LimitView,
        /// The source names several limits; say so.
        ambiguous: bool,
        /// How far it has run.
        progress: DeadlineProgress,
        /// The clock is or was in doubt: show the doubt beside it.
        clock_in_doubt: bool,
        /// What happens when it has passed.
        on_expiry: Option<WordsView>,
    },
    /// The pack's deadline gives no date: read the law.
    NoDate,
}

/// When one limit ends.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LimitView {
    /// The last millisecond in time.
    pub until_ms: i64,
    /// The date of that moment at the office.
    pub date: CivilDate,
    /// True when the time zone or the holidays are not fully known: the date may be off.
    pub provisional: bool,
}

/// What a step asks of consent.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum StepConsent {
    /// Nothing.
    NotNeeded,
    /// This consent; in these situations the law lets the step go ahead without.
    Needed {
        /// Which.
        need: ConsentNeed,
        /// The situations.
        exceptions: Vec<ExceptionKind>,
    },
    /// An exception was recorded: it may go ahead, and the person is told.
    Excepted {
        /// Which it would need.
        need: ConsentNeed,
    },
}

/// A step that is history. Never to be shown as current.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PastStepView {
    /// The step.
    pub id: Name,
    /// Why it is not in force.
    pub why: OutOfForce,
    /// What replaced it.
    pub superseded_by: Option<Name>,
}

redacted!(StepView);

pub(super) fn step(view: &core::StepView, official: &Lang, person: &Lang) -> StepView {
    let step = &view.step;
    let on_expiry = step.deadline.as_ref().and_then(|deadline| deadline.on_expiry.as_ref());
    StepView {
        id: step.id.clone(),
        phase: step.phase,
        obligation: step.obligation,
        certainty: view.certainty,
        title: words(&step.title, official),
        detail: step.detail.as_ref().map(|text| words(text, official)),
        say: step.say.as_ref().map(|text| words(text, person)),
        actor: words(&step.actor, official),
        due: due(&view.due, on_expiry.map(|text| words(text, official))),
        state: view.state.clone().map(StepState::from),
        consent: match &view.consent {
            core::ConsentView::None => StepConsent::NotNeeded,
            core::ConsentView::Needed(need, exceptions) => StepConsent::Needed {
                need: *need,
                exceptions: exceptions.iter().map(|exception| exception.situation).collect(),
            },
            core::ConsentView::Excepted(need) => StepConsent::Excepted { need: *need },
        },
        contact: step.contact.as_ref().map(|wish| wish.kinds.clone()),
        legal_basis: sources(&step.legal_basis),
        review: step.review.clone(),
    }
}

fn due(due: &StepDue, on_expiry: Option<WordsView>) -> DueView {
    match due {
        StepDue::NoLimit => DueView::NoLimit,
        StepDue::NotBegun(event) => DueView::NotBegun { event: *event },
        StepDue::Failed(_) => DueView::NoDate,
        StepDue::Due { due, state } => {
            let (progress, clock_in_doubt) = match state {
                State::Firm(progress) => (*progress, false),
                State::Doubtful(progress) => (*progress, true),
            };
            DueView::Due {
                act_by: limit(&due.act_by),
                outer_limit: limit(&due.outer_limit),
                ambiguous: due.ambiguous,
                progress,
                clock_in_doubt,
                on_expiry,
            }
        }
    }
}

fn limit(due: &LimitDue) -> LimitView {
    LimitView { until_ms: due.until_ms, date: due.date, provisional: due.basis() == Basis::Provisional }
}
