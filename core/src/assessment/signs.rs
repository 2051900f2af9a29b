//! The signs that one reading of the answers shows: every indicator, and what each dimension makes of them.

use std::collections::BTreeMap;

use amparo_schema::condition::Truth;
use amparo_schema::name::Name;
use amparo_schema::person::Person;

use super::dimension::Tally;
use crate::checklist::{Form, ItemView};
use crate::condition::{View, evaluate};

/// What indicators and rules look at: the items of one reading, and the signs as far as they were made out.
///
/// Here an item that does not apply shows nothing: neither `yes(item)` nor `no(item)` holds, so nobody is
/// noted a sign for a "no" that was never said.
pub(super) struct Signs<'a> {
    items: ItemView<'a>,
    indicators: BTreeMap<&'a Name, (&'a Name, Truth)>,
    dimensions: BTreeMap<&'a Name, Truth>,
}

impl<'a> Signs<'a> {
    /// Items alone, for the indicators.
    pub(super) fn of_items(items: ItemView<'a>) -> Self {
        Self { items, indicators: BTreeMap::new(), dimensions: BTreeMap::new() }
    }

    /// Items with the truth of every indicator of the form, for the rules.
    pub(super) fn of(form: &'a Form, items: ItemView<'a>, truths: &[Truth]) -> Self {
        let indicators = form.indicators().iter().zip(truths);
        let dimensions = form.dimensions().iter().map(|dimension| {
            let counted = indicators.clone().filter(|(i, _)| i.dimension == dimension.id);
            (
                &dimension.id,
                Tally::new(dimension, counted.map(|(i, truth)| (i.weight, *truth))).state().into(),
            )
        });
        let dimensions = dimensions.collect();
        Self {
            items,
            indicators: indicators.map(|(i, truth)| (&i.id, (&i.dimension, *truth))).collect(),
            dimensions,
        }
    }

    /// The truth of every indicator of the form, from the items.
    pub(super) fn read(&self, form: &Form) -> Vec<Truth> {
        form.indicators().iter().map(|indicator| evaluate(&indicator.from, self)).collect()
    }
}

impl View for Signs<'_> {
    fn yes(&self, item: &Name) -> Truth {
        self.items.yes(item)
    }
    fn no(&self, item: &Name) -> Truth {
        self.items.said_no(item)
    }
    fn has(&self, item: &Name, option: &Name) -> Truth {
        self.items.has(item, option)
    }
    fn within(&self, item: &Name, min: Option<i64>, max: Option<i64>) -> Truth {
        self.items.within(item, min, max)
    }
    fn answered(&self, item: &Name) -> Truth {
        self.items.answered(item)
    }
    fn person(&self) -> Option<&Person> {
        self.items.person()
    }
    fn child(&self) -> Truth {
        self.items.child()
    }
    fn possible(&self, part: Truth) -> Truth {
        self.items.possible(part)
    }
    fn indicator(&self, indicator: &Name) -> Truth {
        self.indicators.get(indicator).map_or(Truth::Unknown, |(_, truth)| *truth)
    }
    fn noted(&self, dimension: Option<&Name>) -> Truth {
        let of = self.indicators.values().filter(|(of, _)| dimension.is_none_or(|wanted| wanted == *of));
        of.map(|(_, truth)| *truth).max().unwrap_or(Truth::No)
    }
    fn positive(&self, dimension: &Name) -> Truth {
        self.dimensions.get(dimension).copied().unwrap_or(Truth::Unknown)
    }
}
