//! Conditions: what they may look at where they stand, and whether they can ever hold.

use std::collections::BTreeMap;

use amparo_schema::condition::{Condition, Truth};
use amparo_schema::limits::{CONDITION_DEPTH_MAX, CONDITION_NODES_MAX};
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::ItemKind;

use super::finding::{At, Findings, Rule};
use crate::condition::{View, evaluate};

/// Where a condition stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `when` of the item at this position: earlier items and the person.
    Item(usize),
    /// `from` of an indicator: items, and nothing that more knowledge could undo.
    Indicator,
    /// `when` of a rule: items, indicators, dimensions, the person.
    Rule,
    /// `trigger` of a step: outcome, person, country, setting.
    Trigger,
}

/// What conditions may name.
#[derive(Default)]
pub(super) struct Names<'a> {
    /// Items with their position.
    pub(super) items: BTreeMap<&'a str, (usize, &'a ItemKind)>,
    /// Indicators.
    pub(super) indicators: std::collections::BTreeSet<&'a Name>,
    /// Dimensions.
    pub(super) dimensions: std::collections::BTreeSet<&'a Name>,
}

pub(super) fn check(c: &Condition, place: Place, names: &Names<'_>, at: &At<'_>, out: &mut Findings) {
    let mut nodes = 0;
    let deep = count(c, 1, &mut nodes);
    if nodes > CONDITION_NODES_MAX {
        out.add(Rule::ConditionTooLarge, at, format!("more than CONDITION_NODES_MAX, {CONDITION_NODES_MAX}"));
    } else if deep > CONDITION_DEPTH_MAX {
        out.add(Rule::ConditionTooDeep, at, format!("more than CONDITION_DEPTH_MAX, {CONDITION_DEPTH_MAX}"));
    } else {
        let before = out.count();
        node(c, place, names, at, out);
        if out.count() == before && !can_hold(c) {
            out.add(Rule::NeverTrue, at, "can never hold");
        }
    }
}

/// Depth, and nodes up to one more than allowed.
fn count(c: &Condition, depth: usize, nodes: &mut usize) -> usize {
    *nodes = nodes.saturating_add(1);
    if *nodes > CONDITION_NODES_MAX || depth > CONDITION_DEPTH_MAX {
        return depth;
    }
    c.parts().iter().map(|part| count(part, depth.saturating_add(1), nodes)).max().unwrap_or(depth)
}

fn node(c: &Condition, place: Place, names: &Names<'_>, at: &At<'_>, out: &mut Findings) {
    if !allowed(c, place) {
        let rule = match c {
            Condition::Not(_) | Condition::Possible(_) => Rule::NegationInIndicator,
            _ => Rule::TestNotAllowedHere,
        };
        out.add(rule, at, format!("{} may not stand here", word(c)));
        return;
    }
    match c {
        Condition::All(of) | Condition::Any(of) if of.is_empty() => {
            out.add(Rule::EmptyCondition, at, format!("{} without parts", word(c)));
        }
        Condition::AtLeast { n, of } if *n == 0 || *n as usize > of.len() => {
            out.add(Rule::EmptyCondition, at, format!("at_least {n} of {}", of.len()));
        }
        Condition::Yes(item) | Condition::No(item) => {
            item_test(item, place, names, at, out, |kind| matches!(kind, ItemKind::YesNo));
        }
        Condition::Has { item, option } => has(item, option, place, names, at, out),
        Condition::Number { item, min, max } => number(item, (*min, *max), place, names, at, out),
        Condition::Answered(item) => {
            item_test(item, place, names, at, out, |_| true);
        }
        Condition::Indicator(id) if !names.indicators.contains(id) => {
            out.add(Rule::UnknownIndicator, at, format!("no indicator {id}"));
        }
        Condition::Noted(id) | Condition::Positive(id) if !names.dimensions.contains(id) => {
            out.add(Rule::UnknownDimension, at, format!("no dimension {id}"));
        }
        _ => {}
    }
    for part in c.parts() {
        node(part, place, names, at, out);
    }
}

fn allowed(c: &Condition, place: Place) -> bool {
    use Condition as C;
    match c {
        C::All(_) | C::Any(_) | C::AtLeast { .. } => true,
        C::Not(_) | C::Possible(_) => place != Place::Indicator,
        C::Yes(_) | C::No(_) | C::Has { .. } | C::Number { .. } | C::Answered(_) => place != Place::Trigger,
        C::Child | C::Person(_) | C::Always => place != Place::Indicator,
        C::Indicator(_) | C::Noted(_) | C::NotedAny | C::Positive(_) => place == Place::Rule,
        C::Outcome(_) | C::Country(_) | C::Setting(_) => place == Place::Trigger,
    }
}

fn word(c: &Condition) -> &'static str {
    match c {
        Condition::All(_) => "and",
        Condition::Any(_) => "or",
        Condition::AtLeast { .. } => "at_least",
        Condition::Not(_) => "not",
        Condition::Possible(_) => "possible",
        Condition::Yes(_) => "yes",
        Condition::No(_) => "no",
        Condition::Has { .. } => "has",
        Condition::Number { .. } => "number",
        Condition::Answered(_) => "answered",
        Condition::Child => "child",
        Condition::Person(_) => "a test of the person",
        Condition::Indicator(_) => "indicator",
        Condition::Noted(_) | Condition::NotedAny => "noted",
        Condition::Positive(_) => "positive",
        Condition::Outcome(_) => "outcome",
        Condition::Country(_) => "country",
        Condition::Setting(_) => "setting",
        Condition::Always => "always",
    }
}

/// The kind of the item, when it exists, comes early enough and fits the test.
fn item_test<'a>(
    item: &Name,
    place: Place,
    names: &Names<'a>,
    at: &At<'_>,
    out: &mut Findings,
    fits: impl Fn(&ItemKind) -> bool,
) -> Option<&'a ItemKind> {
    let Some((position, kind)) = names.items.get(item.as_str()) else {
        out.add(Rule::UnknownItem, at, format!("no item {item}"));
        return None;
    };
    if matches!(place, Place::Item(own) if *position >= own) {
        out.add(Rule::LaterItem, at, format!("{item} does not come earlier"));
    }
    if !fits(kind) {
        out.add(Rule::WrongItemKind, at, format!("the kind of {item} does not fit the test"));
        return None;
    }
    Some(kind)
}

fn has(item: &Name, option: &Name, place: Place, names: &Names<'_>, at: &At<'_>, out: &mut Findings) {
    let fits = |kind: &ItemKind| matches!(kind, ItemKind::Choice(_) | ItemKind::Choices(_));
    if let Some(ItemKind::Choice(options) | ItemKind::Choices(options)) =
        item_test(item, place, names, at, out, fits)
        && !options.iter().any(|o| o.id == *option)
    {
        out.add(Rule::UnknownOption, at, format!("{item} has no option {option}"));
    }
}

fn number(
    item: &Name,
    (low, high): (Option<i64>, Option<i64>),
    place: Place,
    names: &Names<'_>,
    at: &At<'_>,
    out: &mut Findings,
) {
    let fits = |kind: &ItemKind| matches!(kind, ItemKind::Number { .. });
    let kind = item_test(item, place, names, at, out, fits);
    let within = match kind {
        Some(ItemKind::Number { min, max, .. }) => {
            low.is_none_or(|low| low <= *max) && high.is_none_or(|high| high >= *min)
        }
        _ => true,
    };
    let ordered = match (low, high) {
        (None, None) => false,
        (Some(low), Some(high)) => low <= high,
        _ => true,
    };
    if !within || !ordered {
        out.add(Rule::NumberBounds, at, format!("no answer to {item} can lie in these bounds"));
    }
}

/// More combinations than this are not tried: the condition is then taken to hold sometimes.
const COMBINATIONS_MAX: usize = 729;

/// Whether any knowledge makes the condition true. Exact but for tests that exclude each
/// other by their meaning, such as two countries.
fn can_hold(c: &Condition) -> bool {
    let mut tests = Vec::new();
    let shape = shape(c, &mut tests);
    let mut worlds: usize = 1;
    for test in &tests {
        worlds = worlds.saturating_mul(if never_unknown(test) { 2 } else { 3 });
    }
    if worlds > COMBINATIONS_MAX {
        return true;
    }
    (0..worlds).any(|world| {
        let mut rest = world;
        let truths = tests
            .iter()
            .map(|test| {
                let ways = if never_unknown(test) { 2 } else { 3 };
                let way = rest % ways;
                rest /= ways;
                match way {
                    0 => Truth::Yes,
                    1 => Truth::No,
                    _ => Truth::Unknown,
                }
            })
            .collect();
        evaluate(&shape, &World(truths)) == Truth::Yes
    })
}

fn never_unknown(test: &Condition) -> bool {
    matches!(
        test,
        Condition::Child
            | Condition::Answered(_)
            | Condition::Outcome(_)
            | Condition::Country(_)
            | Condition::Setting(_)
    )
}

/// The same connectives over numbered tests: `yes(0)`, `yes(1)`, and so on. `no(item)` is the opposite of
/// `yes(item)`, not a test of its own.
fn shape(c: &Condition, tests: &mut Vec<Condition>) -> Condition {
    let parts = |of: &[Condition], tests: &mut Vec<Condition>| of.iter().map(|c| shape(c, tests)).collect();
    match c {
        Condition::All(of) => Condition::All(parts(of, tests)),
        Condition::Any(of) => Condition::Any(parts(of, tests)),
        Condition::AtLeast { n, of } => Condition::AtLeast { n: *n, of: parts(of, tests) },
        Condition::Not(one) => Condition::Not(Box::new(shape(one, tests))),
        Condition::Possible(one) => Condition::Possible(Box::new(shape(one, tests))),
        Condition::No(item) => Condition::Not(Box::new(shape(&Condition::Yes(item.clone()), tests))),
        Condition::Always => Condition::Always,
        test => {
            let number = tests.iter().position(|t| t == test).unwrap_or_else(|| {
                tests.push(test.clone());
                tests.len().saturating_sub(1)
            });
            Name::new(number.to_string()).map_or(Condition::Always, Condition::Yes)
        }
    }
}

struct World(Vec<Truth>);

impl View for World {
    fn yes(&self, item: &Name) -> Truth {
        item.as_str().parse().ok().and_then(|i: usize| self.0.get(i)).copied().unwrap_or(Truth::Unknown)
    }
}
