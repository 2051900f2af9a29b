//! The protocol: what must not be done first, then what must, by when.

use amparo_core::calendar::Basis;
use amparo_core::device::{ProtocolView, StepView};
use amparo_core::protocol::deadline::{Progress, State};
use amparo_core::protocol::plan::{Certainty, StepDue};
use amparo_schema::fact::StepState;
use amparo_schema::pack::protocol::Obligation;
use amparo_schema::text::Lang;

use super::{phrase, utc, words};
use crate::words::{Speaker, Word};

/// The protocol at a glance: what is forbidden and what is recommended in a line each, what is mandatory with its
/// time and what may be said. The rest of a step stands on its own screen ([`one`]).
#[must_use]
pub fn protocol(view: &ProtocolView, person: &Lang, s: Speaker) -> String {
    let mut lines = vec![s.word(Word::StepsTitle).to_owned()];
    for step in &view.steps {
        if step.step.obligation == Obligation::Mandatory {
            lines.push(glance(step, Some(person), s));
        } else {
            lines.push(glance(step, None, s));
        }
    }
    lines.join("\n")
}

fn glance(view: &StepView, person: Option<&Lang>, s: Speaker) -> String {
    let possible = match view.certainty {
        Certainty::Applies => String::new(),
        Certainty::Possible => format!(" ({})", s.word(Word::PossibleStep)),
    };
    let mut text = format!("{}{possible}", line(view, s));
    if let Some(due) = due(&view.due, s) {
        text = format!("{text}\n    ⏱ {due}");
    }
    if let (Some(person), Some(say)) = (person, &view.step.say) {
        text = format!("{text}\n    {}: «{}»", s.word(Word::YouMaySay), say.words(person));
    }
    text
}

/// A step in one line, for a list to choose from.
#[must_use]
pub fn line(view: &StepView, s: Speaker) -> String {
    let mark = match &view.state {
        Some(StepState::Done) => "✓",
        Some(_) => "✗",
        None => "·",
    };
    format!("{mark} {}: {}", obligation(view.step.obligation, s), words(&view.step.title, s))
}

fn obligation(obligation: Obligation, s: Speaker) -> &'static str {
    match obligation {
        Obligation::Forbidden => s.word(Word::Forbidden),
        Obligation::Mandatory => s.word(Word::Mandatory),
        Obligation::Recommended => s.word(Word::Recommended),
    }
}

/// One step.
#[must_use]
pub fn one(view: &StepView, person: &Lang, s: Speaker) -> String {
    let step = &view.step;
    let mut lines = vec![format!("[{}] {}", phrase::phase(step.phase, s), glance(view, Some(person), s))];
    if let Some(detail) = &step.detail {
        lines.push(format!("    {}", words(detail, s)));
    }
    for basis in &step.legal_basis {
        lines.push(format!("    § {}, {}", basis.document, basis.place));
    }
    lines.join("\n")
}

fn due(due: &StepDue, s: Speaker) -> Option<String> {
    let (due, state) = match due {
        StepDue::NoLimit => return None,
        StepDue::NotBegun(_) => return Some(s.word(Word::DueUnknown).to_owned()),
        StepDue::Due { due, state } => (due, state),
        StepDue::Failed(why) => return Some(why.to_string()),
    };
    let limit = due.act_by.limit;
    let mut text = phrase::limit(limit.amount, limit.unit, s);
    if limit.amount > 0 {
        text = format!("{text}: {} {}", s.word(Word::DueBy), utc(due.act_by.until_ms));
    }
    if due.ambiguous {
        let outer = due.outer_limit.limit;
        text = format!(
            "{text}; {}: {} {} ({})",
            s.word(Word::OuterLimit),
            phrase::limit(outer.amount, outer.unit, s),
            utc(due.outer_limit.until_ms),
            s.word(Word::Ambiguous)
        );
    }
    if due.act_by.basis() == Basis::Provisional || due.outer_limit.basis() == Basis::Provisional {
        text = format!("{text}; {}", s.word(Word::Provisional));
    }
    let (progress, doubtful) = match state {
        State::Firm(progress) => (progress, false),
        State::Doubtful(progress) => (progress, true),
    };
    if *progress == Progress::Late {
        text = format!("{}: {text}", s.word(Word::Late));
    }
    if doubtful {
        text = format!("{text}; {}", s.word(Word::ClockDoubt));
    }
    Some(text)
}
