//! Search as typed: words in any order, each the beginning of a word of the service.
//!
//! Owns how text becomes words ([`words`]), what is stored for a directory ([`Index`]) and how a query is
//! answered from it ([`run`]). Knows no database: the store serves [`Postings`], one indexed statement for
//! each call. A query costs about the same for a thousand services and for a hundred thousand: the best of
//! every frequent prefix are stored with it, and a scan has a budget.

mod index;
mod memory;
mod plan;
mod words;

pub use index::{Index, PREFIX_TOP, Posting, holds_prefix, static_rank, terms};
pub use memory::Memory;
pub use plan::{Hits, Postings, SCAN_POSTINGS_MAX, SearchError, WORDS_MAX, prefix_end, run};
pub use words::{WORD_CHARS_MAX, words};

#[cfg(test)]
mod tests;
