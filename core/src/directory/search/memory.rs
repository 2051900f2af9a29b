//! An index in memory: for tests, and for a directory that was not installed.

use std::convert::Infallible;
use std::ops::Bound;

use super::index::{Index, Posting, holds_prefix};
use super::plan::{Postings, prefix_end};

/// Serves an [`Index`] without a store.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub Index);

impl Postings for Memory {
    type Error = Infallible;

    fn prefix_top(&self, prefix: &str, limit: usize) -> Result<Vec<(u32, u32)>, Infallible> {
        Ok(self.0.prefixes.get(prefix).into_iter().flatten().take(limit).copied().collect())
    }

    fn range(&self, prefix: &str, after: Option<&Posting>, limit: usize) -> Result<Vec<Posting>, Infallible> {
        let from = after.map_or(prefix, |after| after.term.as_str());
        let end = prefix_end(prefix);
        let terms = self.0.terms.range::<str, _>((Bound::Included(from), Bound::Excluded(end.as_str())));
        let postings = terms.flat_map(|(term, places)| {
            places.iter().map(move |(rank, n)| Posting { term: term.clone(), rank: *rank, n: *n })
        });
        Ok(postings.filter(|posting| after.is_none_or(|after| posting > after)).take(limit).collect())
    }

    fn holds(&self, term: &str, rank: u32, n: u32) -> Result<bool, Infallible> {
        Ok(self.0.terms.get(term).is_some_and(|places| places.contains(&(rank, n))))
    }

    fn contains(&self, n: u32, prefix: &str) -> Result<bool, Infallible> {
        Ok(self.0.words.get(&n).is_some_and(|line| holds_prefix(line, prefix)))
    }
}
