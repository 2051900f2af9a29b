//! How a query is answered from the index. Pure but for the reads, which are bounded.

use amparo_schema::limits::SEARCH_CHARS_MAX;

use super::index::{PREFIX_TOP, Posting};
use super::words::words;

/// Words of one query.
pub const WORDS_MAX: usize = 8;
/// Postings that one query of several frequent words may look through.
pub const SCAN_POSTINGS_MAX: usize = 1_024;
/// Postings read at a time in such a scan.
const SCAN_BATCH: usize = 256;

/// What the store serves. Each call is one indexed statement.
pub trait Postings {
    /// What can go wrong in the store.
    type Error;

    /// The rows of `search_prefix` for exactly this prefix, by rank and number, at most `limit`; empty for a
    /// prefix that is not stored:
    /// `SELECT rank, n FROM search_prefix WHERE pack = ? AND prefix = ? ORDER BY rank, n LIMIT ?`.
    ///
    /// # Errors
    /// Those of the store.
    fn prefix_top(&self, prefix: &str, limit: usize) -> Result<Vec<(u32, u32)>, Self::Error>;

    /// The rows of `search_token` whose term begins with `prefix`, in key order, after `after`, at most
    /// `limit`:
    /// `SELECT term, rank, n FROM search_token WHERE pack = ? AND term < ? AND (term, rank, n) > (?, ?, ?)
    /// ORDER BY term, rank, n LIMIT ?`, from `prefix` or `after` on and below [`prefix_end`].
    ///
    /// # Errors
    /// Those of the store.
    fn range(&self, prefix: &str, after: Option<&Posting>, limit: usize)
    -> Result<Vec<Posting>, Self::Error>;

    /// Whether service `n` has a word that begins with `prefix`:
    /// [`holds_prefix`](super::holds_prefix) over its line of words.
    ///
    /// # Errors
    /// Those of the store.
    fn contains(&self, n: u32, prefix: &str) -> Result<bool, Self::Error>;
}

/// Why a search gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError<E> {
    /// More characters than `SEARCH_CHARS_MAX`.
    #[error("search text longer than {SEARCH_CHARS_MAX} characters")]
    TooLong,
    /// More words than [`WORDS_MAX`].
    #[error("search text of more than {WORDS_MAX} words")]
    TooManyWords,
    /// The store.
    #[error(transparent)]
    Store(#[from] E),
}

/// The services found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Numbers of services, by static rank, then number.
    pub services: Vec<u32>,
    /// True when there may be others.
    pub more: bool,
}

/// The first text after every word that begins with `prefix`. Words hold letters and digits only, so none
/// holds the last code point.
#[must_use]
pub fn prefix_end(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Answers a query as typed: services that have, for each word of the query, a word that begins with it. A
/// text without letters and digits finds nothing.
///
/// Exact, best first, for one word and for several of which one is rare (at most [`PREFIX_TOP`] postings).
/// Where all are frequent, the best of each and then up to [`SCAN_POSTINGS_MAX`] postings of one are looked
/// through, and `more` says that there may be others.
///
/// # Errors
/// [`SearchError`]: the text is past a limit, or the store failed.
pub fn run<P: Postings>(postings: &P, text: &str, limit: usize) -> Result<Hits, SearchError<P::Error>> {
    let words = query_words(text)?;
    let limit = limit.min(PREFIX_TOP);
    let mut driver: Option<(&str, Vec<Posting>)> = None;
    for word in &words {
        let first = postings.range(word, None, PREFIX_TOP + 1)?;
        if first.len() <= PREFIX_TOP && driver.as_ref().is_none_or(|(_, best)| first.len() < best.len()) {
            driver = Some((word, first));
        }
    }
    match (driver, words.as_slice()) {
        (_, []) => Ok(Hits::default()),
        (Some((word, rare)), words) => {
            let mut places = Vec::new();
            for posting in &rare {
                if holds_others(postings, words, word, posting.n)? {
                    places.push((posting.rank, posting.n));
                }
            }
            Ok(hits(places, limit, false))
        }
        (None, [word]) => {
            let top = postings.prefix_top(word, PREFIX_TOP)?;
            let more = top.len() >= PREFIX_TOP;
            Ok(hits(top, limit, more))
        }
        (None, words) => frequent_words(postings, words, limit),
    }
}

/// The distinct words of a query, without those that begin another.
fn query_words<E>(text: &str) -> Result<Vec<String>, SearchError<E>> {
    if text.chars().nth(SEARCH_CHARS_MAX).is_some() {
        return Err(SearchError::TooLong);
    }
    let mut words = words(text);
    words.sort();
    words.dedup();
    // Sorted, the words that a prefix begins stand right after it.
    let longer: Vec<bool> =
        words.iter().zip(words.iter().skip(1)).map(|(word, next)| next.starts_with(word.as_str())).collect();
    let mut longer = longer.into_iter();
    words.retain(|_| !longer.next().unwrap_or(false));
    if words.len() > WORDS_MAX { Err(SearchError::TooManyWords) } else { Ok(words) }
}

/// All words are frequent. The stored best of a word hold every result up to the last of them, so as soon as
/// one word's best give enough results, these are the first results of all. Else the word whose best gave
/// most, likely the rarest beside the others, is scanned within the budget.
fn frequent_words<P: Postings>(
    postings: &P,
    words: &[String],
    limit: usize,
) -> Result<Hits, SearchError<P::Error>> {
    let mut places = Vec::new();
    let mut driver = (0, "");
    for word in words {
        let before = places.len();
        for (rank, n) in postings.prefix_top(word, PREFIX_TOP)? {
            if holds_others(postings, words, word, n)? {
                places.push((rank, n));
            }
        }
        let gave = places.split_off(before);
        if gave.len() >= limit {
            return Ok(hits(gave, limit, true));
        }
        driver = driver.max((gave.len(), word.as_str()));
        places.extend(gave);
    }
    let (mut scanned, mut ended, mut after) = (0, false, None);
    while !ended && scanned < SCAN_POSTINGS_MAX {
        let batch = postings.range(driver.1, after.as_ref(), SCAN_BATCH)?;
        ended = batch.len() < SCAN_BATCH;
        scanned += batch.len();
        for posting in &batch {
            if holds_others(postings, words, driver.1, posting.n)? {
                places.push((posting.rank, posting.n));
            }
        }
        after = batch.into_iter().next_back();
    }
    Ok(hits(places, limit, !ended))
}

fn holds_others<P: Postings>(postings: &P, words: &[String], known: &str, n: u32) -> Result<bool, P::Error> {
    for word in words.iter().filter(|word| word.as_str() != known) {
        if !postings.contains(n, word)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn hits(mut places: Vec<(u32, u32)>, limit: usize, more: bool) -> Hits {
    places.sort_unstable();
    places.dedup();
    let more = more || places.len() > limit;
    Hits { services: places.into_iter().take(limit).map(|(_, n)| n).collect(), more }
}
