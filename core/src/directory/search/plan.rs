//! How a query is answered from the index. Pure but for the reads, which are bounded.

use std::collections::BTreeSet;

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

    /// Whether there is exactly this posting; a look-up by the whole key of `search_token`.
    ///
    /// # Errors
    /// Those of the store.
    fn holds(&self, term: &str, rank: u32, n: u32) -> Result<bool, Self::Error>;

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
    let texts = query_words(text)?;
    let limit = limit.min(PREFIX_TOP);
    let mut words = Vec::new();
    let mut driver: Option<(usize, Vec<Posting>)> = None;
    for (at, text) in texts.iter().enumerate() {
        let first = postings.range(text, None, PREFIX_TOP + 1)?;
        words.push(Word { text, whole: texts.len() > 1 && is_whole(postings, text, &first)? });
        if first.len() <= PREFIX_TOP && driver.as_ref().is_none_or(|(_, best)| first.len() < best.len()) {
            driver = Some((at, first));
        }
    }
    match (driver, words.as_slice()) {
        (_, []) => Ok(Hits::default()),
        (Some((at, rare)), words) => {
            let mut places = BTreeSet::new();
            for posting in &rare {
                if holds_others(postings, words, at, (posting.rank, posting.n))? {
                    places.insert((posting.rank, posting.n));
                }
            }
            Ok(hits(places, limit, false))
        }
        (None, [word]) => {
            let top = postings.prefix_top(word.text, PREFIX_TOP)?;
            let more = top.len() >= PREFIX_TOP;
            Ok(hits(top.into_iter().collect(), limit, more))
        }
        (None, words) => frequent_words(postings, words, limit),
    }
}

/// One word of a query.
struct Word<'q> {
    text: &'q str,
    /// No other word of the directory begins with it. Then a service has it exactly where there is a posting of
    /// it, which is told by one key, and its postings come by rank.
    whole: bool,
}

fn is_whole<P: Postings>(postings: &P, word: &str, first: &[Posting]) -> Result<bool, P::Error> {
    if first.first().is_none_or(|posting| posting.term != word) {
        return Ok(false);
    }
    let last = Posting { term: word.to_owned(), rank: u32::MAX, n: u32::MAX };
    Ok(postings.range(word, Some(&last), 1)?.is_empty())
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
/// most, likely the rarest beside the others, is scanned within the budget; the postings of a whole word come
/// by rank, so that such a scan ends with the last result that is wanted.
fn frequent_words<P: Postings>(
    postings: &P,
    words: &[Word<'_>],
    limit: usize,
) -> Result<Hits, SearchError<P::Error>> {
    let mut places = BTreeSet::new();
    let mut driver = (0, 0);
    for (at, word) in words.iter().enumerate() {
        let mut gave = BTreeSet::new();
        for place in postings.prefix_top(word.text, PREFIX_TOP)? {
            if holds_others(postings, words, at, place)? {
                gave.insert(place);
            }
        }
        if gave.len() >= limit {
            return Ok(hits(gave, limit, true));
        }
        driver = driver.max((gave.len(), at));
        places.append(&mut gave);
    }
    let Some(word) = words.get(driver.1) else { return Ok(Hits::default()) };
    let (mut scanned, mut ended, mut after, mut found) = (0, false, None, 0);
    while !ended && scanned < SCAN_POSTINGS_MAX {
        let batch = postings.range(word.text, after.as_ref(), SCAN_BATCH)?;
        ended = batch.len() < SCAN_BATCH;
        scanned += batch.len();
        for posting in &batch {
            let place = (posting.rank, posting.n);
            if places.contains(&place) || holds_others(postings, words, driver.1, place)? {
                places.insert(place);
                found += 1;
            }
            if word.whole && found >= limit {
                return Ok(hits(places, limit, true));
            }
        }
        after = batch.into_iter().next_back();
    }
    Ok(hits(places, limit, !ended))
}

/// Whether the service at this rank and number has every word but the one at `known`; what is cheap to tell
/// is asked first.
fn holds_others<P: Postings>(
    postings: &P,
    words: &[Word<'_>],
    known: usize,
    (rank, n): (u32, u32),
) -> Result<bool, P::Error> {
    let others = || words.iter().enumerate().filter(|(at, _)| *at != known).map(|(_, word)| word);
    for word in others().filter(|word| word.whole) {
        if !postings.holds(word.text, rank, n)? {
            return Ok(false);
        }
    }
    for word in others().filter(|word| !word.whole) {
        if !postings.contains(n, word.text)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn hits(places: BTreeSet<(u32, u32)>, limit: usize, more: bool) -> Hits {
    let more = more || places.len() > limit;
    Hits { services: places.into_iter().take(limit).map(|(_, n)| n).collect(), more }
}
