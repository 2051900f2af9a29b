//! The search rows of a directory: folded words and first letters, with the static rank of each service.
//!
//! Folding words and cutting first letters is the directory's work; here they are looked up. A look-up
//! costs what it returns, not what the directory holds: that is what the rank inside the key is for.

use super::pack::PackRow;
use super::{Rows, StoreError, Tx, unsigned};

/// One word, or the first letters of one, of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term<'a> {
    /// The folded word or its first letters.
    pub text: &'a str,
    /// Static rank of the service, as in its row.
    pub rank: i64,
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

/// The best `limit` services with these first letters, exactly as written by [`insert_prefix`], by rank.
///
/// # Errors
/// As SQLite.
pub fn prefix_top(rows: &Rows<'_>, pack: PackRow, prefix: &str, limit: u32) -> Result<Vec<u32>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT n FROM search_prefix WHERE pack = ?1 AND prefix = ?2 ORDER BY rank, n LIMIT ?3",
    )?;
    query
        .query((pack.0, prefix, limit))?
        .mapped(|r| r.get(0))
        .map(|n| unsigned(n?, "search_prefix"))
        .collect()
}

/// The best `limit` services with this very word, by rank.
///
/// # Errors
/// As SQLite.
pub fn token_top(rows: &Rows<'_>, pack: PackRow, token: &str, limit: u32) -> Result<Vec<u32>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT n FROM search_token WHERE pack = ?1 AND term = ?2 ORDER BY rank, n LIMIT ?3",
    )?;
    query.query((pack.0, token, limit))?.mapped(|r| r.get(0)).map(|n| unsigned(n?, "search_token")).collect()
}

/// The best `limit` services with a word that starts so, by rank. Costs what matches: for beginnings that
/// are longer than those of [`insert_prefix`], of which few services share one.
///
/// # Errors
/// As SQLite.
pub fn token_range(rows: &Rows<'_>, pack: PackRow, start: &str, limit: u32) -> Result<Vec<u32>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT n, min(rank) AS best FROM search_token WHERE pack = ?1 AND term >= ?2 AND term < ?3
         GROUP BY n ORDER BY best, n LIMIT ?4",
    )?;
    query
        .query((pack.0, start, end_of(start), limit))?
        .mapped(|r| r.get(0))
        .map(|n| unsigned(n?, "search_token"))
        .collect()
}

/// Whether a service has a word that starts so.
///
/// # Errors
/// As SQLite.
pub fn contains(rows: &Rows<'_>, pack: PackRow, start: &str, n: u32) -> Result<bool, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM search_token WHERE pack = ?1 AND term >= ?2 AND term < ?3 AND n = ?4)",
    )?;
    Ok(query.query_row((pack.0, start, end_of(start), n), |r| r.get(0))?)
}

/// The least text after every text that starts so: no character sorts after U+10FFFF.
fn end_of(start: &str) -> String {
    format!("{start}\u{10FFFF}")
}
