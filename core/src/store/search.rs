//! The search rows of a directory: folded words and first letters, with the static rank of each service.
//!
//! Folding words and cutting first letters is the directory's work; here they are looked up. A look-up
//! costs what it returns, not what the directory holds: that is what the rank inside the key is for.

use rusqlite::OptionalExtension;

use super::pack::PackRow;
use super::{Rows, StoreError, Tx};

/// One lower bound, to which SQLite seeks. With `term >= ?` beside it, SQLite seeks to that one and walks over
/// every service of a frequent word to reach those after.
pub(super) const RANGE: &str = "SELECT term, rank, n FROM search_token WHERE pack = ?1 AND term < ?2
     AND (term, rank, n) > (?3, ?4, ?5) ORDER BY term, rank, n LIMIT ?6";

/// One word, or the first letters of one, of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term<'a> {
    /// The folded word or its first letters.
    pub text: &'a str,
    /// Static rank of the service, as in its row.
    pub rank: u32,
    /// Position of the service.
    pub n: u32,
}

/// Writes a word. Writing it twice is once.
///
/// # Errors
/// As SQLite.
pub fn insert_token(tx: &Tx<'_>, pack: PackRow, term: Term<'_>) -> Result<(), StoreError> {
    insert(tx, pack, term, "INSERT OR IGNORE INTO search_token (pack, term, rank, n) VALUES (?1, ?2, ?3, ?4)")
}

/// Writes first letters. Writing them twice is once.
///
/// # Errors
/// As SQLite.
pub fn insert_prefix(tx: &Tx<'_>, pack: PackRow, term: Term<'_>) -> Result<(), StoreError> {
    insert(
        tx,
        pack,
        term,
        "INSERT OR IGNORE INTO search_prefix (pack, prefix, rank, n) VALUES (?1, ?2, ?3, ?4)",
    )
}

fn insert(tx: &Tx<'_>, pack: PackRow, term: Term<'_>, sql: &str) -> Result<(), StoreError> {
    tx.conn.prepare_cached(sql)?.execute((pack.0, term.text, term.rank, term.n))?;
    Ok(())
}

/// Rank and position of the best `limit` services with these first letters, exactly as written by
/// [`insert_prefix`], by rank.
///
/// # Errors
/// As SQLite.
pub fn prefix_top(
    rows: &Rows<'_>,
    pack: PackRow,
    prefix: &str,
    limit: usize,
) -> Result<Vec<(u32, u32)>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT rank, n FROM search_prefix WHERE pack = ?1 AND prefix = ?2 ORDER BY rank, n LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = query.query((pack.0, prefix, limit))?.mapped(|r| Ok((r.get(0)?, r.get(1)?)));
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes all words of a service, sorted, parted by spaces.
///
/// # Errors
/// As SQLite.
pub fn insert_words(tx: &Tx<'_>, pack: PackRow, n: u32, words: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO search_words (pack, n, words) VALUES (?1, ?2, ?3)";
    tx.conn.prepare_cached(sql)?.execute((pack.0, n, words))?;
    Ok(())
}

/// All words of the service at a position; empty if none were written.
///
/// # Errors
/// As SQLite.
pub fn words(rows: &Rows<'_>, pack: PackRow, n: u32) -> Result<String, StoreError> {
    let mut query = rows.conn.prepare_cached("SELECT words FROM search_words WHERE pack = ?1 AND n = ?2")?;
    Ok(query.query_row((pack.0, n), |r| r.get(0)).optional()?.unwrap_or_default())
}

/// Whether this word is written for this service.
///
/// # Errors
/// As SQLite.
pub fn holds(rows: &Rows<'_>, pack: PackRow, term: Term<'_>) -> Result<bool, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT 1 FROM search_token WHERE pack = ?1 AND term = ?2 AND rank = ?3 AND n = ?4",
    )?;
    Ok(query.exists((pack.0, term.text, term.rank, term.n))?)
}

/// The words from the first of `within` on and below the second, after `after`, with rank and position, in the
/// order of the key, at most `limit`.
///
/// # Errors
/// As SQLite.
pub fn range(
    rows: &Rows<'_>,
    pack: PackRow,
    within: (&str, &str),
    after: Option<Term<'_>>,
    limit: usize,
) -> Result<Vec<(String, u32, u32)>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let start = (within.0, -1, -1); // before every rank: none is negative
    let after = after.map_or(start, |at| (at.text, i64::from(at.rank), i64::from(at.n)));
    let start = start.max(after);
    let mut query = rows.conn.prepare_cached(RANGE)?;
    let key = (pack.0, within.1, start.0, start.1, start.2, limit);
    let rows = query.query(key)?.mapped(|r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)));
    Ok(rows.collect::<Result<_, _>>()?)
}
