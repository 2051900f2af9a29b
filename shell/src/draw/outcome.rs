//! The outcome with its reasons.

use amparo_core::assessment::{Assessment, DimensionState};
use amparo_schema::answer::Unknown;
use amparo_schema::condition::Truth;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::checklist::Checklist;
use amparo_schema::pack::policy::Policy;
use amparo_schema::text::Lang;

use super::words;
use crate::words::{Speaker, Word};

/// The outcome for the official: classes, what they mean, what may be said, which signs were noted, how much
/// is not known.
#[must_use]
pub fn outcome(
    assessment: &Assessment,
    policy: &Policy,
    checklist: &Checklist,
    person: &Lang,
    s: Speaker,
) -> String {
    let mut lines = vec![s.word(Word::OutcomeTitle).to_owned(), String::new()];
    for class in assessment.outcomes() {
        let Some(text) = policy.outcomes.get(&class) else { continue };
        lines.push(format!("■ {}", words(&text.title, s)));
        lines.push(format!("  {}", words(&text.official, s)));
        lines.push(format!("  {}: «{}»", s.word(Word::YouMaySay), text.person.words(person)));
        for rule in assessment.rules.iter().filter(|rule| rule.outcome == class && rule.state == Truth::Yes) {
            if let Some(found) = checklist.rules.iter().find(|r| r.id == rule.id) {
                lines.push(format!("  {}: {}", s.word(Word::Because), words(&found.because, s)));
            }
        }
        lines.push(String::new());
    }
    lines.push(noted(assessment, checklist, s));
    lines.push(format!("{}: {}", s.word(Word::NotKnown), assessment.gaps.len()));
    lines.join("\n")
}

/// The outcome alone, where nothing else was kept.
#[must_use]
pub fn recorded(outcomes: &[Outcome], policy: &Policy, s: Speaker) -> String {
    let titles = outcomes.iter().filter_map(|class| policy.outcomes.get(class));
    let titles = titles.map(|text| format!("■ {}", words(&text.title, s)));
    std::iter::once(s.word(Word::OutcomeKept).to_owned()).chain(titles).collect::<Vec<_>>().join("\n")
}

fn noted(assessment: &Assessment, checklist: &Checklist, s: Speaker) -> String {
    let shown: Vec<_> = assessment.indicators.iter().filter(|i| i.state == Truth::Yes).collect();
    if shown.is_empty() {
        return s.word(Word::NoneNoted).to_owned();
    }
    let mut lines = vec![format!("{}:", s.word(Word::Noted))];
    for finding in shown {
        let label = checklist.indicators.iter().find(|indicator| indicator.id == finding.id);
        let label = label.map_or_else(|| finding.id.to_string(), |indicator| words(&indicator.label, s));
        lines.push(format!("  • {label}"));
    }
    lines.join("\n")
}

/// The whole explanation: every dimension, indicator and rule, and what was not asked.
#[must_use]
pub fn explanation(assessment: &Assessment, checklist: &Checklist, s: Speaker) -> String {
    let pack = &assessment.pack;
    let mut lines = vec![format!("{} {} ({})", pack.id, pack.version, pack.hash)];
    for dimension in &assessment.dimensions {
        let label = checklist.dimensions.iter().find(|d| d.id == dimension.id);
        let label = label.map_or_else(String::new, |d| words(&d.label, s));
        let state = match dimension.state {
            DimensionState::Positive => "+",
            DimensionState::Negative => "-",
            DimensionState::Undetermined => "?",
        };
        lines.push(format!("[{state}] {} {label}", dimension.id));
        for finding in assessment.indicators.iter().filter(|i| i.dimension == dimension.id) {
            let mark = match finding.state {
                Truth::Yes => "+",
                Truth::No => "-",
                Truth::Unknown => "?",
            };
            let label = checklist.indicators.iter().find(|i| i.id == finding.id);
            let label = label.map_or_else(String::new, |i| words(&i.label, s));
            let from: Vec<_> = finding.shown_by.iter().map(|evidence| evidence.item.to_string()).collect();
            let from = if from.is_empty() { String::new() } else { format!("  <- {}", from.join(", ")) };
            lines.push(format!("    [{mark}] {} {label}{from}", finding.id));
        }
    }
    for rule in &assessment.rules {
        let because = checklist.rules.iter().find(|r| r.id == rule.id);
        let because = because.map_or_else(String::new, |r| words(&r.because, s));
        let state = s.word(match rule.state {
            Truth::Yes => Word::RuleHolds,
            Truth::No => Word::RuleFails,
            Truth::Unknown => Word::RuleOpen,
        });
        lines.push(format!("({state}) {} -> {}: {because}", rule.id, rule.outcome.as_str()));
    }
    let why = |why| {
        s.word(match why {
            Unknown::NotAsked => Word::WhyNotAsked,
            Unknown::Refused => Word::Refused,
            Unknown::NotObservable => Word::NotObservable,
            Unknown::Interrupted => Word::WhyInterrupted,
            Unknown::DoesNotKnow => Word::DoesNotKnow,
        })
    };
    let gaps: Vec<_> = assessment.gaps.iter().map(|gap| format!("{} ({})", gap.item, why(gap.why))).collect();
    lines.push(format!("{}: {}", s.word(Word::NotKnown), gaps.join(", ")));
    lines.join("\n")
}
