//! Small numbers are not shown, nor what would give them away.
//!
//! Cell suppression with complementary cells (L. H. Cox, "Suppression Methodology and Statistical Disclosure
//! Control", Journal of the American Statistical Association 75 (370), 1980, pages 377-385; threshold rule as
//! in A. Hundepool and others, "Statistical Disclosure Control", Wiley 2012, chapter 4). Every count from 1 to
//! the threshold less 1 is suppressed. While only one is, or all of them together are less than twice the
//! threshold, another follows: the next in the fixed order of categories, since a choice by size would itself
//! tell something about the sizes. Zero is shown. A table of which no number but zero is left is withheld as a
//! whole. The test takes someone who knows the total, the threshold and this method, and tries every table.
//!
//! It protects one report. Reports of overlapping periods, or of the same period by several desks, can be
//! subtracted from each other; the notes of each report say so.

use serde::Serialize;

use super::Cell;

/// The least number that is shown; at least 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Threshold(u64);

impl Threshold {
    /// For reading inside the agency.
    pub const INTERNAL: Self = Self(5);
    /// For what is published: the anonymity set of CTDC's public data (research/domain.md 4.7; DOMAIN rule 22).
    pub const PUBLISHED: Self = Self(11);

    /// A threshold; none below 3: of two persons each knows the other.
    #[must_use]
    pub fn new(least: u64) -> Option<Self> {
        (least >= 3).then_some(Self(least))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    fn is_small(self, count: u64) -> bool {
        count > 0 && count < self.0
    }

    /// A number that stands alone.
    pub(super) fn alone(self, count: u64) -> Cell {
        if self.is_small(count) { Cell::Suppressed } else { Cell::Count(count) }
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self::INTERNAL
    }
}

/// The cells of a table whose counts add up to its total. None when nothing of it may be shown.
pub(super) fn adding_up(counts: &[u64], least: Threshold) -> Option<Vec<Cell>> {
    let total = counts.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
    if least.is_small(total) {
        return None;
    }
    let mut hidden: Vec<bool> = counts.iter().map(|n| least.is_small(*n)).collect();
    while !is_safe(counts, &hidden, least) {
        let next = after_first(counts, &hidden)?;
        *hidden.get_mut(next)? = true;
    }
    // Else that a table stands there with nothing in it would tell that it was the kind that cannot be saved.
    if total > 0 && counts.iter().zip(&hidden).all(|(n, hidden)| *n == 0 || *hidden) {
        return None;
    }
    let cell = |(n, hidden): (&u64, &bool)| if *hidden { Cell::Suppressed } else { Cell::Count(*n) };
    Some(counts.iter().zip(&hidden).map(cell).collect())
}

/// The cells of a table in which one may fall under several categories: each is shown only if neither it nor
/// the rest of the total is small.
pub(super) fn overlapping(counts: &[u64], total: u64, least: Threshold) -> Option<Vec<Cell>> {
    if least.is_small(total) {
        return None;
    }
    let cell = |n: &u64| {
        let small = least.is_small(*n) || least.is_small(total.saturating_sub(*n));
        if small { Cell::Suppressed } else { Cell::Count(*n) }
    };
    Some(counts.iter().map(cell).collect())
}

/// Safe when nothing is hidden; or when at least two are, which together are at least twice the threshold (two
/// small ones never are, so that their sum alone cannot fix them) and more than one each.
fn is_safe(counts: &[u64], hidden: &[bool], least: Threshold) -> bool {
    let cells = || counts.iter().zip(hidden).filter(|(_, hidden)| **hidden).map(|(n, _)| *n);
    let (number, sum) = cells().fold((0_u64, 0_u64), |(number, sum), n| (number + 1, sum.saturating_add(n)));
    number == 0 || (number >= 2 && sum >= least.0.saturating_mul(2) && sum > number)
}

/// The next cell with something in it that is not hidden yet, after the first hidden one, around the end.
fn after_first(counts: &[u64], hidden: &[bool]) -> Option<usize> {
    let first = hidden.iter().position(|h| *h)?;
    let free = |i: &usize| counts.get(*i).is_some_and(|n| *n > 0) && hidden.get(*i) == Some(&false);
    (first..counts.len()).chain(0..first).find(free)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEAST: Threshold = Threshold::INTERNAL;

    /// Every table that someone who knows the method could think of behind what is shown: each way to fill
    /// the hidden cells so that they add up to what is missing and the method gives the same picture.
    fn thinkable(picture: Option<&[Cell]>, cells: usize, total: u64, least: Threshold) -> Vec<Vec<u64>> {
        fn fill(shown: &[Cell], rest: u64, begun: &mut Vec<u64>, out: &mut Vec<Vec<u64>>) {
            match shown.get(begun.len()) {
                None if rest == 0 => out.push(begun.clone()),
                None => {}
                Some(Cell::Count(n)) => {
                    begun.push(*n);
                    fill(shown, rest, begun, out);
                    begun.pop();
                }
                Some(Cell::Suppressed) => {
                    for n in 0..=rest {
                        begun.push(n);
                        fill(shown, rest - n, begun, out);
                        begun.pop();
                    }
                }
            }
        }
        let nothing = vec![Cell::Suppressed; cells];
        let shown = picture.unwrap_or(&nothing);
        let shown_sum: u64 = shown.iter().map(|c| if let Cell::Count(n) = c { *n } else { 0 }).sum();
        let mut out = Vec::new();
        fill(shown, total - shown_sum, &mut Vec::new(), &mut out);
        out.retain(|table| adding_up(table, least).as_deref() == picture);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        /// Whoever knows the total, the threshold and the method can still think of at least two values for
        /// every hidden cell, and no small number is shown.
        #[test]
        fn no_small_number_can_be_worked_out(
            counts in proptest::collection::vec(0_u64..14, 1..5),
            least in 3_u64..7,
        ) {
            let least = Threshold::new(least).unwrap();
            let total: u64 = counts.iter().sum();
            let picture = adding_up(&counts, least);
            let small = |n: u64| n > 0 && n < least.get();
            for (n, cell) in counts.iter().zip(picture.iter().flatten()) {
                prop_assert!(*cell == Cell::Suppressed || (*cell == Cell::Count(*n) && !small(*n)));
            }
            if small(total) {
                prop_assert_eq!(picture, None);
                return Ok(());
            }
            let tables = thinkable(picture.as_deref(), counts.len(), total, least);
            prop_assert!(tables.contains(&counts));
            let hidden = |i: &usize| picture.as_ref().is_none_or(|shown| shown[*i] == Cell::Suppressed);
            for i in (0..counts.len()).filter(hidden) {
                let values: std::collections::BTreeSet<u64> = tables.iter().map(|t| t[i]).collect();
                prop_assert!(values.len() >= 2, "{counts:?} shown as {picture:?} gives {i} away: {values:?}");
            }
        }
    }

    #[test]
    fn a_single_small_cell_takes_another_with_it() {
        use Cell::{Count, Suppressed};
        assert_eq!(adding_up(&[3, 20, 0, 9], LEAST), Some(vec![Suppressed, Suppressed, Count(0), Count(9)]));
        assert_eq!(adding_up(&[9, 20, 3], LEAST), Some(vec![Suppressed, Count(20), Suppressed]));
        assert_eq!(adding_up(&[9, 20, 0], LEAST), Some(vec![Count(9), Count(20), Count(0)]));
        // Had two such been enough, both would have to be 2: what is next to them would else be hidden too.
        let three = Threshold::new(3).unwrap();
        assert_eq!(adding_up(&[3, 2, 3, 2], three), Some(vec![Count(3), Suppressed, Suppressed, Suppressed]));
        // Two that are one each: two together would tell both.
        assert_eq!(
            adding_up(&[1, 1, 30, 8], LEAST),
            Some(vec![Suppressed, Suppressed, Suppressed, Count(8)])
        );
        assert_eq!(adding_up(&[1, 1, 30], LEAST), None, "nothing is left to show");
        assert_eq!(adding_up(&[1, 2], LEAST), None, "the total itself is small");
        assert_eq!(adding_up(&[1; 6], LEAST), None, "six times one of six");
        assert_eq!(adding_up(&[], LEAST), Some(vec![]));
        assert_eq!(
            overlapping(&[7, 3, 18, 0], 20, LEAST),
            Some(vec![Count(7), Suppressed, Suppressed, Count(0)])
        );
        assert_eq!((Threshold::new(2), LEAST.alone(4), LEAST.alone(0)), (None, Suppressed, Count(0)));
    }
}
