//! Small numbers are not shown, nor what would give them away.
//!
//! Cell suppression with complementary cells (L. H. Cox, "Suppression Methodology and Statistical Disclosure
//! Control", Journal of the American Statistical Association 75 (370), 1980, pages 377-385; threshold rule as
//! in A. Hundepool and others, "Statistical Disclosure Control", Wiley 2012, chapter 4). Every count from 1 to
//! the threshold less 1 is suppressed. While only one is, or all of them together are less than twice the
//! threshold, another follows: the next in the fixed order of categories, since a choice by size would itself
//! tell something about the sizes. Zero is shown. A table of which no number but zero is left is withheld as a
//! whole. Where categories overlap, there is no sum to subtract from, but those that stand alone (unknown, none
//! noted) leave how many have any other: while anything there is small, they are hidden too, and zeros with
//! them. The tests take someone who knows the total, the threshold and this method, and try every table.
//!
//! A table is protected by itself, so the tables of one report must not imply each other beyond their common
//! total: a report has one table about the place. Tables of a country and of its areas would be subtracted.
//!
//! It protects one report. Reports of overlapping periods, or of the same period by several desks, can be
//! subtracted from each other; the notes of each report say so.

use serde::Serialize;

use super::Cell;

/// The least number that is shown; at least 3. The default is the anonymity set of CTDC's public data, 11
/// (research/domain.md 4.7; DOMAIN rule 22): a report that hid less could not be read beside a published one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Threshold(u64);

impl Threshold {
    /// For what is published, and where nothing else is asked for.
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
        Self::PUBLISHED
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
    // Small ones alone whose sum is the largest that they can have are all known to be the largest.
    let largest = |(n, hidden): (&u64, &bool)| !hidden || *n == least.0 - 1;
    if hidden.contains(&true) && counts.iter().zip(&hidden).all(largest) {
        return None;
    }
    // Else that a table stands there with nothing in it would tell that it was the kind that cannot be saved.
    if total > 0 && counts.iter().zip(&hidden).all(|(n, hidden)| *n == 0 || *hidden) {
        return None;
    }
    let cell = |(n, hidden): (&u64, &bool)| if *hidden { Cell::Suppressed } else { Cell::Count(*n) };
    Some(counts.iter().zip(&hidden).map(cell).collect())
}

/// The cells of a table in which one may fall under several categories, but under no other beside one that is
/// `alone`. None when nothing of it may be shown.
///
/// Either every number is shown, or only large ones of categories that are not alone: neither they nor the rest
/// of the total are small, and whatever else is small is not to be told from zero, nor from what is alone.
pub(super) fn overlapping(counts: &[u64], alone: &[bool], total: u64, least: Threshold) -> Option<Vec<Cell>> {
    if least.is_small(total) {
        return None;
    }
    let of = |kind: bool| counts.iter().zip(alone).filter(move |(_, a)| **a == kind).map(|(n, _)| *n);
    let sum = |numbers: &mut dyn Iterator<Item = u64>| numbers.fold(0_u64, u64::saturating_add);
    // Those with a category that is not alone; how many of them lack one; how often they have a further one.
    let together = total.saturating_sub(sum(&mut of(true)));
    let lacking = |n: u64| together.saturating_sub(n);
    let further = sum(&mut of(false)).saturating_sub(together);
    let large = |n: u64| n >= least.0 && !least.is_small(total.saturating_sub(n));
    let plain = counts.iter().all(|n| *n == 0 || large(*n))
        && !of(false).any(|n| least.is_small(lacking(n)))
        && !least.is_small(further);
    if plain {
        return Some(counts.iter().copied().map(Cell::Count).collect());
    }
    let shown = |n: u64, alone: bool| large(n) && !alone;
    let cells = || counts.iter().zip(alone).map(|(n, alone)| (*n, *alone));
    // With all of them shown, what is alone would be the only thing hidden.
    if of(false).all(large) || !cells().any(|(n, alone)| shown(n, alone)) {
        return None;
    }
    Some(cells().map(|(n, alone)| if shown(n, alone) { Cell::Count(n) } else { Cell::Suppressed }).collect())
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
    use std::collections::BTreeMap;

    const LEAST: Threshold = Threshold(5);

    type Picture = Option<Vec<Cell>>;

    /// What someone knows who sees a picture: every table that gives it. From each, numbers that are wanted.
    type Known = BTreeMap<(u64, Picture), Vec<Vec<u64>>>;

    /// Every way to write `total` as so many numbers.
    fn splits(total: u64, cells: usize) -> Vec<Vec<u64>> {
        if cells == 1 {
            return vec![vec![total]];
        }
        let with =
            |n: u64| splits(total - n, cells - 1).into_iter().map(move |rest| [vec![n], rest].concat());
        (0..=total).flat_map(with).collect()
    }

    /// Whoever sees a picture and knows the total, the threshold and the method, and tries every table there
    /// can be, is left with at least two values for each small number, whichever table was the true one.
    fn nothing_small_is_certain(known: &Known, least: u64) {
        for ((total, picture), tables) in
            known.iter().filter(|((total, _), _)| *total == 0 || *total >= least)
        {
            for at in 0..tables[0].len() {
                let first = tables[0][at];
                let certain = tables.iter().all(|table| table[at] == first);
                let small = 0 < first && first < least;
                assert!(
                    !(certain && small),
                    "of {total}: {picture:?} shows that {at} is {first}; {:?}",
                    tables[0]
                );
            }
        }
    }

    #[test]
    fn no_small_number_can_be_worked_out_where_counts_add_up() {
        let mut tables = 0;
        for (least, cells, most) in [
            (3, 5, 14),
            (4, 4, 20),
            (5, 4, 26),
            (3, 7, 11),
            (11, 2, 60),
            (11, 3, 60),
            (11, 4, 37),
            (11, 5, 24),
        ] {
            let mut known = Known::new();
            for total in 0..=most {
                for counts in splits(total, cells) {
                    let picture = adding_up(&counts, Threshold(least));
                    known.entry((total, picture)).or_default().push(counts);
                    tables += 1;
                }
            }
            nothing_small_is_certain(&known, least);
        }
        assert!(tables > 100_000);
    }

    /// Tables of which the last `alone` categories stand alone, with what follows from them: how many have any
    /// other category, how many of these lack each, and how many further ones they have.
    fn overlaps(total: u64, together: usize, alone: usize) -> Vec<Vec<u64>> {
        let mut out = Vec::new();
        // How many have a category of the first kind, and those that stand alone.
        for split in splits(total, alone + 1) {
            let some = split[0];
            let mut counts = vec![vec![]];
            for _ in 0..together {
                let with = |c: &Vec<u64>, n| [&c[..], &[n]].concat();
                counts = counts.iter().flat_map(|c| (0..=some).map(move |n| with(c, n))).collect();
            }
            // Each of them has at least one.
            counts.retain(|c: &Vec<u64>| c.iter().sum::<u64>() >= some);
            out.extend(counts.into_iter().map(|c| [&c[..], &split[1..]].concat()));
        }
        out
    }

    #[test]
    fn no_small_number_can_be_worked_out_where_categories_overlap() {
        let mut tables = 0;
        let totals = |least: u64, most: u64| (0..=0).chain(least..=most).collect::<Vec<_>>();
        for (least, together, alone, totals) in [
            (3, 3, 1, totals(3, 11)),
            (3, 2, 2, totals(3, 13)),
            (4, 3, 1, vec![4, 8, 9, 13]),
            (5, 2, 1, totals(5, 22)),
            (11, 2, 1, totals(11, 36)),
            (11, 2, 2, vec![11, 12, 23]),
            (11, 3, 1, vec![11, 12, 23]),
        ] {
            let kinds: Vec<bool> = (0..together + alone).map(|i| i >= together).collect();
            let mut known = Known::new();
            for total in totals {
                for counts in overlaps(total, together, alone) {
                    let picture = overlapping(&counts, &kinds, total, Threshold(least));
                    for (n, cell) in counts.iter().zip(picture.iter().flatten()) {
                        assert!(
                            *cell == Cell::Suppressed
                                || (*cell == Cell::Count(*n) && !(1..least).contains(n))
                        );
                    }
                    let some = total - counts[together..].iter().sum::<u64>();
                    let first = &counts[..together];
                    let lacking = first.iter().map(|n| some - n);
                    let further = first.iter().sum::<u64>() - some;
                    let follows: Vec<u64> = lacking.chain([some, further]).collect();
                    known.entry((total, picture)).or_default().push([counts, follows].concat());
                    tables += 1;
                }
            }
            nothing_small_is_certain(&known, least);
        }
        assert!(tables > 100_000);
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
        assert_eq!((Threshold::new(2), LEAST.alone(4), LEAST.alone(0)), (None, Suppressed, Count(0)));
    }

    #[test]
    fn where_categories_overlap_those_that_stand_alone_hide_with_the_small() {
        use Cell::{Count, Suppressed};
        let kinds = [false, false, false, true];
        let shown = |counts: [u64; 4], total| overlapping(&counts, &kinds, total, LEAST);
        // 20 less 5 unknown less 11 would be the 4.
        assert_eq!(shown([11, 4, 0, 5], 20), Some(vec![Count(11), Suppressed, Suppressed, Suppressed]));
        assert_eq!(shown([11, 9, 0, 0], 20), Some(vec![Count(11), Count(9), Count(0), Count(0)]));
        assert_eq!(shown([18, 7, 6, 0], 20), Some(vec![Suppressed, Count(7), Count(6), Suppressed]));
        // 11 and 10 of 20: one has both.
        assert_eq!(shown([11, 10, 0, 0], 20), Some(vec![Count(11), Count(10), Suppressed, Suppressed]));
        assert_eq!(shown([11, 9, 8, 4], 24), None, "all others are large");
        assert_eq!(shown([3, 0, 0, 17], 20), None, "nothing is left to show");
        assert_eq!(shown([4, 0, 0, 0], 4), None, "the total itself is small");
    }
}
