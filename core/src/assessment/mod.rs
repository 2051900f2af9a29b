//! The assessment: from answers to outcomes, with every reason.
//!
//! Owns the way from items to indicators, dimensions, rules and outcomes, and the two promises on which all
//! else rests: unknown is never no, and whatever is said can be explained. A pure function of form, answers
//! and pack, the same byte for byte. Never says a number, a likelihood or a word; never looks at a clock,
//! at consent or at who the official is.
//!
//! Every answer is read twice. *Decided*, as the formats decide doubt for the person (who may be a child is
//! one); only this reading makes a rule give its outcome. And with doubt *kept*: what further answers could
//! change is unknown, and what is "no" stays no under every completion of the answers. Only this reading
//! lets the engine say `none_noted_today`, so a skipped, refused or interrupted answer never hides an outcome.
//!
//! The engine adds, beside what the rules give:
//! - `concern_unresolved`, when some rule could still give an outcome that was not given, unless `presumed`
//!   already holds (which offers everything that an unresolved concern does);
//! - `concern_unresolved`, when still nothing is given and an indicator is noted or could still be;
//! - `none_noted_today`, when nothing is given and every indicator and every rule is certainly no.

mod dimension;
mod finding;
mod grounds;
mod signs;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::answer::{Answer, Unknown, Value};
use amparo_schema::condition::Truth;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::PackRef;
use amparo_schema::pack::checklist::{Dimension, Indicator, Item, Rule, Weight};

pub use finding::{
    Assessment, By, ByWeight, DimensionFinding, DimensionState, Evidence, Gap, Given, IndicatorFinding,
    RuleFinding,
};

use crate::answers::Answers;
use crate::checklist::{Doubt, Form, Reading};
use crate::condition::evaluate;
use dimension::Tally;
use signs::Signs;

/// Assesses the answers given so far. Any set of answers has an assessment, the empty one too; answers to
/// items that the form does not have are left out. `pack` names the checklist that the form was compiled from.
///
/// A further sign never takes `presumed` away (rules that could are refused by [`Form::compile`]), and
/// stopping never lowers an outcome: what was not reached is unknown.
#[must_use]
pub fn assess(form: &Form, answers: &Answers, pack: &PackRef) -> Assessment {
    let decided = Reading::new(form, answers, Doubt::Decided);
    let kept = Reading::new(form, answers, Doubt::Kept);
    let shown = Signs::of_items(decided.view(form));
    let open = Signs::of_items(kept.view(form));
    let certain = open.read(form);
    // The higher of the two: noted as soon as the decided reading notes it, absent only where that is certain.
    let truths: Vec<Truth> = shown.read(form).into_iter().zip(&certain).map(|(a, b)| a.max(*b)).collect();
    let indicators: Vec<IndicatorFinding> = form
        .indicators()
        .iter()
        .zip(&truths)
        .map(|(indicator, truth)| indicator_finding(form, &decided, indicator, *truth, &shown, &open))
        .collect();
    let shown = Signs::of(form, decided.view(form), &truths);
    let open = Signs::of(form, kept.view(form), &certain);
    let rules: Vec<RuleFinding> = form.rules().iter().map(|rule| rule_finding(rule, &shown, &open)).collect();
    let dimensions = form.dimensions().iter().map(|d| dimension_finding(d, &indicators)).collect();
    let exploitation: BTreeSet<_> = form
        .indicators()
        .iter()
        .zip(&truths)
        .filter(|(_, truth)| **truth == Truth::Yes)
        .flat_map(|(indicator, _)| indicator.exploitation.iter().copied())
        .collect();
    let mut person = decided.person().clone();
    person.exploitation.extend(exploitation.iter().copied());
    Assessment {
        pack: pack.clone(),
        outcomes: outcomes(&rules, &indicators),
        rules,
        dimensions,
        indicators,
        gaps: gaps(form, &decided, &kept),
        not_applicable: not_applicable(form, &kept),
        exploitation,
        person,
    }
}

fn indicator_finding(
    form: &Form,
    reading: &Reading,
    indicator: &Indicator,
    state: Truth,
    shown: &Signs<'_>,
    open: &Signs<'_>,
) -> IndicatorFinding {
    let holding = grounds::holding(&indicator.from, shown);
    let undecided = if state == Truth::Unknown { grounds::open(&indicator.from, open) } else { Vec::new() };
    IndicatorFinding {
        id: indicator.id.clone(),
        dimension: indicator.dimension.clone(),
        weight: indicator.weight,
        state,
        shown_by: grounds::items(&holding)
            .into_iter()
            .filter_map(|item| evidence(form, reading, item))
            .collect(),
        waits_for: grounds::items(&undecided).into_iter().cloned().collect(),
    }
}

fn evidence(form: &Form, reading: &Reading, item: &Name) -> Option<Evidence> {
    let mode = form.item(item)?.mode;
    match reading.answer_to(form, item)? {
        Answer::Known(Value::Text(_)) => Some(Evidence { item: item.clone(), value: None, mode }),
        Answer::Known(value) => Some(Evidence { item: item.clone(), value: Some(value.clone()), mode }),
        Answer::Unknown(_) => None,
    }
}

fn rule_finding(rule: &Rule, shown: &Signs<'_>, open: &Signs<'_>) -> RuleFinding {
    let (state, because) = match evaluate(&rule.when, shown) {
        Truth::Yes => (Truth::Yes, grounds::holding(&rule.when, shown)),
        _ => match evaluate(&rule.when, open) {
            Truth::No => (Truth::No, Vec::new()),
            _ => (Truth::Unknown, grounds::open(&rule.when, open)),
        },
    };
    RuleFinding { id: rule.id.clone(), outcome: rule.outcome, state, because }
}

fn dimension_finding(dimension: &Dimension, indicators: &[IndicatorFinding]) -> DimensionFinding {
    let of: Vec<&IndicatorFinding> = indicators.iter().filter(|i| i.dimension == dimension.id).collect();
    let tally = Tally::new(dimension, of.iter().map(|i| (i.weight, i.state)));
    let state = tally.state();
    let mut noted = ByWeight::default();
    for indicator in of.iter().filter(|i| i.state == Truth::Yes) {
        let list = match indicator.weight {
            Weight::Strong => &mut noted.strong,
            Weight::Medium => &mut noted.medium,
            Weight::Weak => &mut noted.weak,
        };
        list.push(indicator.id.clone());
    }
    let could_tip: Vec<Weight> = match state {
        DimensionState::Undetermined => {
            [Weight::Strong, Weight::Medium, Weight::Weak].into_iter().filter(|w| tally.can_tip(*w)).collect()
        }
        DimensionState::Positive | DimensionState::Negative => Vec::new(),
    };
    let tips = |i: &&&IndicatorFinding| i.state == Truth::Unknown && could_tip.contains(&i.weight);
    DimensionFinding {
        id: dimension.id.clone(),
        state,
        noted,
        reached: tally.reached(),
        could_tip: of.iter().filter(tips).map(|i| i.id.clone()).collect(),
    }
}

/// What the rules give and what the engine adds; see the module.
fn outcomes(rules: &[RuleFinding], indicators: &[IndicatorFinding]) -> Vec<Given> {
    let mut given: BTreeMap<Outcome, Vec<By>> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.state == Truth::Yes) {
        given.entry(rule.outcome).or_default().push(By::Rule(rule.id.clone()));
    }
    let open = |rule: &&RuleFinding| rule.state == Truth::Unknown && !given.contains_key(&rule.outcome);
    let open_rules: Vec<Name> = rules.iter().filter(open).map(|rule| rule.id.clone()).collect();
    let open_signs: Vec<Name> =
        indicators.iter().filter(|i| i.state != Truth::No).map(|i| i.id.clone()).collect();
    if !open_rules.is_empty() && !given.contains_key(&Outcome::Presumed) {
        given.entry(Outcome::ConcernUnresolved).or_default().push(By::OpenRules(open_rules));
    }
    if given.is_empty() && !open_signs.is_empty() {
        given.entry(Outcome::ConcernUnresolved).or_default().push(By::OpenSigns(open_signs));
    }
    if given.is_empty() {
        given.insert(Outcome::NoneNotedToday, vec![By::NothingNoted]);
    }
    given.into_iter().map(|(outcome, by)| Given { outcome, by }).collect()
}

fn gaps(form: &Form, decided: &Reading, kept: &Reading) -> Vec<Gap> {
    let gap = |(at, item): (usize, &Item)| {
        let why = match decided.answer(at) {
            _ if kept.applies(at) == Truth::No => return None,
            Some(Answer::Unknown(why)) => *why,
            // Answered once, but not offered now because of what is not known elsewhere.
            Some(Answer::Known(_)) if decided.applies(at) == Truth::No => Unknown::NotAsked,
            Some(Answer::Known(_)) => return None,
            None => Unknown::NotAsked,
        };
        Some(Gap { item: item.id.clone(), mode: item.mode, why })
    };
    form.items().enumerate().filter_map(gap).collect()
}

fn not_applicable(form: &Form, kept: &Reading) -> Vec<Name> {
    let certain = form.items().enumerate().filter(|(at, _)| kept.applies(*at) == Truth::No);
    certain.map(|(_, item)| item.id.clone()).collect()
}
