//! Checklists: items, indicators, dimensions, rules.

use amparo_schema::answer::Mode;
use amparo_schema::limits::{
    ANSWER_TEXT_CHARS_MAX, DIMENSIONS_MAX, INDICATORS_MAX, ITEMS_MAX, OPTIONS_MAX, RULES_MAX,
};
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::checklist::{
    AgeBand, Checklist, Indicator, Item, ItemKind, ItemOption, Threshold, Weight,
};
use amparo_schema::pack::policy::intake;

use super::condition::{self, Names, Place};
use super::finding::{At, Findings, Rule};
use super::{limit, unique};
use crate::checklist::undone_by_sign;

pub(super) fn check(c: &Checklist, root: &At<'_>, out: &mut Findings) {
    let names = Names {
        items: names(&c.items),
        indicators: c.indicators.iter().map(|i| &i.id).collect(),
        dimensions: c.dimensions.iter().map(|d| &d.id).collect(),
    };
    let at = root.key("items");
    items(&c.items, &names, &at, out);
    for (i, item) in c.items.iter().enumerate() {
        if intake::ALL.contains(&item.id.as_str()) {
            out.add(Rule::ReservedId, &at.index(i).key("id"), format!("{} belongs to the intake", item.id));
        }
    }
    indicators(c, &names, &root.key("indicators"), out);
    dimensions(c, &root.key("dimensions"), out);
    rules(c, &names, &root.key("rules"), out);
}

/// Items by id, each with its position. A second one of the same id is reported elsewhere.
pub(super) fn names(items: &[Item]) -> std::collections::BTreeMap<&str, (usize, &ItemKind)> {
    items.iter().enumerate().rev().map(|(i, item)| (item.id.as_str(), (i, &item.kind))).collect()
}

/// The items of a checklist or of an intake.
pub(super) fn items(items: &[Item], names: &Names<'_>, list: &At<'_>, out: &mut Findings) {
    limit(items.len(), ITEMS_MAX, "ITEMS_MAX", list, out);
    unique(items.iter().map(|i| &i.id), list, out);
    let mut asked = false;
    for (i, item) in items.iter().enumerate() {
        let at = list.index(i);
        asked |= item.mode == Mode::Ask;
        if asked && item.mode == Mode::Observe {
            out.add(Rule::ObservationAfterQuestion, &at.key("mode"), "observations come before questions");
        }
        kind(&item.kind, &at.key("kind"), out);
        if let Some(when) = &item.when {
            condition::check(when, Place::Item(i), names, &at.key("when"), out);
        }
        out.sources(&item.sources, "sources", &at);
        out.review(&item.review, &at);
    }
}

fn kind(kind: &ItemKind, at: &At<'_>, out: &mut Findings) {
    match kind {
        ItemKind::Choice(of) => options(of, &at.key("choice"), out),
        ItemKind::Choices(of) => options(of, &at.key("choices"), out),
        ItemKind::Number { min, max, .. } if min > max => {
            out.add(Rule::NumberBounds, &at.key("number"), format!("{min} to {max}"));
        }
        ItemKind::Age(bands) => ages(bands, &at.key("age"), out),
        ItemKind::ShortText { chars_max } => {
            let at = at.key("short_text");
            out.add(Rule::FreeText, &at, "free words may identify the person");
            if *chars_max == 0 || *chars_max as usize > ANSWER_TEXT_CHARS_MAX {
                let detail =
                    format!("{chars_max} is not 1 to ANSWER_TEXT_CHARS_MAX, {ANSWER_TEXT_CHARS_MAX}");
                out.add(Rule::ShortTextBounds, &at.key("chars_max"), detail);
            }
        }
        ItemKind::YesNo | ItemKind::Date | ItemKind::Number { .. } => {}
    }
}

fn options(options: &[ItemOption], at: &At<'_>, out: &mut Findings) {
    if options.is_empty() {
        out.add(Rule::EmptyOptions, at, "nothing to choose");
    }
    limit(options.len(), OPTIONS_MAX, "OPTIONS_MAX", at, out);
    unique(options.iter().map(|o| &o.id), at, out);
}

fn ages(bands: &[AgeBand], at: &At<'_>, out: &mut Findings) {
    if bands.is_empty() {
        out.add(Rule::EmptyOptions, at, "nothing to choose");
    }
    limit(bands.len(), OPTIONS_MAX, "OPTIONS_MAX", at, out);
    for (i, band) in bands.iter().enumerate() {
        let at = at.index(i);
        if band.from > band.to || band.to > 120 {
            out.add(Rule::AgeBandInvalid, &at, format!("{} to {}", band.from, band.to));
        } else if bands.iter().take(i).any(|other| (other.from, other.to) == (band.from, band.to)) {
            // Bands may overlap, since "16 to 19" is how doubt about 18 is said; the same one twice says nothing.
            out.add(Rule::AgeBandInvalid, &at, format!("{} to {} stands twice", band.from, band.to));
        }
    }
}

fn indicators(c: &Checklist, names: &Names<'_>, list: &At<'_>, out: &mut Findings) {
    limit(c.indicators.len(), INDICATORS_MAX, "INDICATORS_MAX", list, out);
    unique(c.indicators.iter().map(|i| &i.id), list, out);
    for (i, indicator) in c.indicators.iter().enumerate() {
        let at = list.index(i);
        if !names.dimensions.contains(&indicator.dimension) {
            let detail = format!("no dimension {}", indicator.dimension);
            out.add(Rule::UnknownDimension, &at.key("dimension"), detail);
        }
        condition::check(&indicator.from, Place::Indicator, names, &at.key("from"), out);
        out.sources(&indicator.sources, "sources", &at);
        out.review(&indicator.review, &at);
    }
}

fn dimensions(c: &Checklist, list: &At<'_>, out: &mut Findings) {
    limit(c.dimensions.len(), DIMENSIONS_MAX, "DIMENSIONS_MAX", list, out);
    unique(c.dimensions.iter().map(|d| &d.id), list, out);
    for (i, dimension) in c.dimensions.iter().enumerate() {
        let at = list.index(i);
        let at = at.key("positive");
        limit(dimension.positive.len(), RULES_MAX, "RULES_MAX", &at, out);
        if dimension.positive.is_empty() {
            out.add(Rule::ThresholdInvalid, &at, "never positive");
        }
        for (j, _) in dimension.positive.iter().enumerate().filter(|(_, t)| **t == Threshold::default()) {
            out.add(Rule::ThresholdInvalid, &at.index(j), "positive without any indicator");
        }
        let within = || c.indicators.iter().filter(|indicator| indicator.dimension == dimension.id);
        if !dimension.positive.is_empty() && !dimension.positive.iter().any(|t| in_reach(t, within())) {
            out.add(Rule::ThresholdInvalid, &at, "its indicators cannot reach any threshold");
        }
    }
}

/// Whether all of these indicators together reach the threshold.
fn in_reach<'a>(threshold: &Threshold, indicators: impl Iterator<Item = &'a Indicator>) -> bool {
    let (mut strong, mut medium, mut weak) = (0_u32, 0_u32, 0_u32);
    for indicator in indicators {
        let count = match indicator.weight {
            Weight::Strong => &mut strong,
            Weight::Medium => &mut medium,
            Weight::Weak => &mut weak,
        };
        *count = count.saturating_add(1);
    }
    let medium_or_weak = medium.saturating_add(weak);
    strong >= threshold.strong
        && medium >= threshold.medium
        && weak >= threshold.weak
        && medium_or_weak >= threshold.medium_or_weak
        && medium_or_weak.saturating_add(strong) >= threshold.any
}

fn rules(c: &Checklist, names: &Names<'_>, list: &At<'_>, out: &mut Findings) {
    if c.rules.is_empty() {
        out.add(Rule::NoRule, list, "a checklist that never says anything");
    }
    limit(c.rules.len(), RULES_MAX, "RULES_MAX", list, out);
    unique(c.rules.iter().map(|r| &r.id), list, out);
    for (i, rule) in c.rules.iter().enumerate() {
        let at = list.index(i);
        if rule.outcome == Outcome::NoneNotedToday {
            out.add(Rule::NoneNotedInRule, &at.key("outcome"), "only the engine gives this outcome");
        }
        if rule.outcome == Outcome::Presumed && undone_by_sign(&rule.when, false) {
            out.add(Rule::UndoneBySign, &at.key("when"), "a further sign could take presumed away");
        }
        condition::check(&rule.when, Place::Rule, names, &at.key("when"), out);
        out.sources(&rule.sources, "sources", &at);
        out.review(&rule.review, &at);
    }
}
