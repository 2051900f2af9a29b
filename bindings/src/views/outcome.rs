//! The outcome with its reasons in words.

use std::collections::BTreeSet;

use amparo_core::assessment::{Assessment, By};
use amparo_core::screening::Recorded;
use amparo_schema::condition::Truth;
use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::Checklist;
use amparo_schema::pack::policy::Policy;
use amparo_schema::text::Lang;

use super::{SourceView, WordsView, sources, words};
use crate::kinds::{ItemMode, Outcome, UnknownReason, Weight};
use crate::redact::redacted;

/// The outcome as the answers stand now.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct OutcomeView {
    /// The classes that hold, most urgent first; never empty.
    pub classes: Vec<OutcomeClassView>,
    /// Indicators that are noted, in the order of the checklist.
    pub noted: Vec<IndicatorView>,
    /// Items that apply or may, and of which nothing is known.
    pub unknown: Vec<UnknownView>,
    /// True when exactly this outcome is recorded.
    pub recorded: bool,
    /// True for a closed screening whose answers were erased, because the person did not agree to storing: the
    /// classes are those that were recorded, and nothing else is known.
    pub erased: bool,
    /// The hash of the whole assessment.
    pub assessment: Hash,
}

/// One class of the outcome.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct OutcomeClassView {
    /// The class.
    pub outcome: Outcome,
    /// A short title for the official.
    pub title: WordsView,
    /// What it means for the official.
    pub official: WordsView,
    /// What may be said to the person, in the person's language.
    pub person: WordsView,
    /// The reasons of the rules that gave it, in words; empty when it follows from what is unknown, or from
    /// nothing having been noted.
    pub reasons: Vec<WordsView>,
    /// True when it was given because something is not known.
    pub from_unknown: bool,
}

/// One noted indicator.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct IndicatorView {
    /// Its id.
    pub id: Name,
    /// Its words.
    pub label: WordsView,
    /// Its dimension.
    pub dimension: Name,
    /// Its weight there.
    pub weight: Weight,
    /// The items whose answers show it.
    pub shown_by: Vec<Name>,
    /// Where it comes from.
    pub sources: Vec<SourceView>,
}

/// One item of which nothing is known.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct UnknownView {
    /// The item.
    pub item: Name,
    /// Seen, asked or taken from papers.
    pub mode: ItemMode,
    /// Why nothing is known.
    pub why: UnknownReason,
}

redacted!(OutcomeView, OutcomeClassView, IndicatorView, UnknownView);

/// Words, packs and languages that an outcome is told with.
pub(super) struct Telling<'a> {
    pub(super) policy: &'a Policy,
    pub(super) checklist: &'a Checklist,
    pub(super) official: &'a Lang,
    pub(super) person: &'a Lang,
}

pub(super) fn outcome(found: &Assessment, recorded: Option<Hash>, telling: &Telling<'_>) -> OutcomeView {
    let noted: BTreeSet<&Name> =
        found.indicators.iter().filter(|f| f.state == Truth::Yes).map(|f| &f.id).collect();
    let assessment = found.hash();
    OutcomeView {
        classes: found.outcomes.iter().map(|given| class(given.outcome, &given.by, telling)).collect(),
        noted: telling
            .checklist
            .indicators
            .iter()
            .filter(|indicator| noted.contains(&indicator.id))
            .map(|indicator| IndicatorView {
                id: indicator.id.clone(),
                label: words(&indicator.label, telling.official),
                dimension: indicator.dimension.clone(),
                weight: indicator.weight,
                shown_by: found
                    .indicators
                    .iter()
                    .filter(|finding| finding.id == indicator.id)
                    .flat_map(|finding| finding.shown_by.iter().map(|shown| shown.item.clone()))
                    .collect(),
                sources: sources(&indicator.sources),
            })
            .collect(),
        unknown: found
            .gaps
            .iter()
            .map(|gap| UnknownView { item: gap.item.clone(), mode: gap.mode, why: gap.why })
            .collect(),
        recorded: recorded == Some(assessment),
        erased: false,
        assessment,
    }
}

/// What is left of an outcome whose answers were erased.
pub(super) fn erased(recorded: &Recorded, telling: &Telling<'_>) -> OutcomeView {
    OutcomeView {
        classes: recorded.outcomes.iter().map(|outcome| class(*outcome, &[], telling)).collect(),
        noted: Vec::new(),
        unknown: Vec::new(),
        recorded: true,
        erased: true,
        assessment: recorded.assessment,
    }
}

fn class(outcome: Outcome, by: &[By], telling: &Telling<'_>) -> OutcomeClassView {
    let reason = |by: &By| match by {
        By::Rule(id) => {
            let rule = telling.checklist.rules.iter().find(|rule| rule.id == *id)?;
            Some(words(&rule.because, telling.official))
        }
        By::OpenRules(_) | By::OpenSigns(_) | By::NothingNoted => None,
    };
    let told = telling.policy.outcomes.get(&outcome);
    let empty = |lang: &Lang| WordsView { text: String::new(), lang: lang.clone(), fallback: true };
    OutcomeClassView {
        outcome,
        title: told.map_or_else(|| empty(telling.official), |w| words(&w.title, telling.official)),
        official: told.map_or_else(|| empty(telling.official), |w| words(&w.official, telling.official)),
        person: told.map_or_else(|| empty(telling.person), |w| words(&w.person, telling.person)),
        reasons: by.iter().filter_map(reason).collect(),
        from_unknown: by.iter().any(|by| matches!(by, By::OpenRules(_) | By::OpenSigns(_))),
    }
}
