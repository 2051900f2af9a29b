//! A set of positions in a form, one bit each: first, last and count cost a few words, not a walk.

/// A set of positions below a fixed length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marks(Vec<u64>);

impl Marks {
    /// No position of `len` is in it.
    pub(crate) fn none(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    /// Puts a position in or takes it out. A position past the length is ignored.
    pub(crate) fn put(&mut self, at: usize, is_in: bool) {
        if let Some(word) = self.0.get_mut(at / 64) {
            let bit = 1 << (at % 64);
            if is_in { *word |= bit } else { *word &= !bit }
        }
    }

    /// The lowest position in it.
    pub(crate) fn first(&self) -> Option<usize> {
        let (n, word) = self.0.iter().enumerate().find(|(_, word)| **word != 0)?;
        Some(n * 64 + word.trailing_zeros() as usize)
    }

    /// The highest position in it that lies below `end`.
    pub(crate) fn last_below(&self, end: usize) -> Option<usize> {
        let below = self.0.iter().enumerate().take(end.div_ceil(64)).rev();
        below
            .map(|(n, word)| (n, word & low_bits(end - n * 64)))
            .find(|(_, word)| *word != 0)
            .map(|(n, word)| n * 64 + 63 - word.leading_zeros() as usize)
    }

    /// How many positions below `end` are in it.
    pub(crate) fn count_below(&self, end: usize) -> usize {
        let below = self.0.iter().enumerate().take(end.div_ceil(64));
        below.map(|(n, word)| (word & low_bits(end - n * 64)).count_ones() as usize).sum()
    }
}

/// The lowest `n` bits of a word, all of them from 64 on.
fn low_bits(n: usize) -> u64 {
    if n >= 64 { u64::MAX } else { (1 << n) - 1 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn says_what_an_ordered_set_says(
            ops in prop::collection::vec((0_usize..200, any::<bool>()), 0..80), end in 0_usize..260,
        ) {
            let (mut marks, mut set) = (Marks::none(200), BTreeSet::new());
            for (at, is_in) in ops {
                marks.put(at, is_in);
                if is_in { set.insert(at); } else { set.remove(&at); }
            }
            prop_assert_eq!(marks.first(), set.first().copied());
            prop_assert_eq!(marks.last_below(end), set.range(..end).next_back().copied());
            prop_assert_eq!(marks.count_below(end), set.range(..end).count());
        }
    }
}
