//! Counting indicators against thresholds, with the unknown ones at their best and at their worst.
//!
//! Thresholds are lower bounds on counts, so more indicators never undo one. That is why "all unknown
//! absent" and "all unknown noted" bound every completion exactly, and why tipping can be decided at the
//! two ends of each weight.

use amparo_schema::condition::Truth;
use amparo_schema::pack::checklist::{Dimension, Threshold, Weight};

use super::finding::DimensionState;

/// How many indicators, by weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    strong: u32,
    medium: u32,
    weak: u32,
}

impl Counts {
    fn add(&mut self, weight: Weight) {
        let count = match weight {
            Weight::Strong => &mut self.strong,
            Weight::Medium => &mut self.medium,
            Weight::Weak => &mut self.weak,
        };
        *count = count.saturating_add(1);
    }

    fn plus(self, other: Self) -> Self {
        Self {
            strong: self.strong.saturating_add(other.strong),
            medium: self.medium.saturating_add(other.medium),
            weak: self.weak.saturating_add(other.weak),
        }
    }

    fn reach(self, threshold: &Threshold) -> bool {
        let medium_or_weak = self.medium.saturating_add(self.weak);
        self.strong >= threshold.strong
            && self.medium >= threshold.medium
            && self.weak >= threshold.weak
            && medium_or_weak >= threshold.medium_or_weak
            && medium_or_weak.saturating_add(self.strong) >= threshold.any
    }
}

/// The indicators of one dimension, counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally<'a> {
    dimension: &'a Dimension,
    noted: Counts,
    unknown: Counts,
}

impl<'a> Tally<'a> {
    /// Counts the indicators of a dimension by weight and truth.
    pub(super) fn new(
        dimension: &'a Dimension,
        indicators: impl IntoIterator<Item = (Weight, Truth)>,
    ) -> Self {
        let mut tally = Self { dimension, noted: Counts::default(), unknown: Counts::default() };
        for (weight, truth) in indicators {
            match truth {
                Truth::Yes => tally.noted.add(weight),
                Truth::Unknown => tally.unknown.add(weight),
                Truth::No => {}
            }
        }
        tally
    }

    /// Worst case reached: positive. Best case not reached: negative. Else undetermined.
    pub(super) fn state(&self) -> DimensionState {
        if self.reached().is_some() {
            DimensionState::Positive
        } else if self.is_positive(self.noted.plus(self.unknown)) {
            DimensionState::Undetermined
        } else {
            DimensionState::Negative
        }
    }

    /// The first threshold that the noted indicators reach by themselves.
    pub(super) fn reached(&self) -> Option<Threshold> {
        self.dimension.positive.iter().find(|threshold| self.noted.reach(threshold)).copied()
    }

    /// Whether one unknown indicator of this weight could decide: for some completion of the other weights,
    /// none of this weight is too few and all of them are enough, so one of them is the step between.
    pub(super) fn can_tip(&self, weight: Weight) -> bool {
        let of = self.unknown;
        let one = |strong, medium, weak| Counts { strong, medium, weak };
        let tips = |none: Counts, all: Counts| {
            !self.is_positive(self.noted.plus(none)) && self.is_positive(self.noted.plus(all))
        };
        match weight {
            Weight::Strong => {
                pairs(of.medium, of.weak).any(|(m, w)| tips(one(0, m, w), one(of.strong, m, w)))
            }
            Weight::Medium => {
                pairs(of.strong, of.weak).any(|(s, w)| tips(one(s, 0, w), one(s, of.medium, w)))
            }
            Weight::Weak => pairs(of.strong, of.medium).any(|(s, m)| tips(one(s, m, 0), one(s, m, of.weak))),
        }
    }

    fn is_positive(&self, counts: Counts) -> bool {
        self.dimension.positive.iter().any(|threshold| counts.reach(threshold))
    }
}

fn pairs(a: u32, b: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..=a).flat_map(move |x| (0..=b).map(move |y| (x, y)))
}
