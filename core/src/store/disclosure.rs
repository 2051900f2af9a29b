//! Disclosures as they were signed, and the segments whose readers are due to be looked at again.
//!
//! Owns the numbering of disclosures inside the present life. Never changes or renumbers one.

use rusqlite::OptionalExtension;

use super::fact::SCREENING_ROW;
use super::{Rows, StoreError, Tx, hash_at, signed, unsigned};
use crate::schema::id::{Hash, ScreeningId};
use crate::schema::wire::receipt::Range;

/// The number that the next disclosure of a life has.
///
/// # Errors
/// As SQLite.
pub fn next(rows: &Rows<'_>, incarnation: u64) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce(max(number) + 1, 0) FROM disclosure WHERE incarnation = ?1";
    let next = rows.conn.prepare_cached(sql)?.query_row([signed(incarnation)?], |r| r.get(0))?;
    unsigned(next, "disclosure")
}

/// Keeps a signed disclosure.
///
/// # Errors
/// [`StoreError::Conflict`] unless its number is the next.
pub fn insert(
    tx: &Tx<'_>,
    (incarnation, number): (u64, u64),
    withholds: bool,
    bytes: &[u8],
) -> Result<(), StoreError> {
    if next(tx, incarnation)? != number {
        return Err(StoreError::Conflict);
    }
    tx.conn.execute(
        "INSERT INTO disclosure (incarnation, number, withholds, signed) VALUES (?1, ?2, ?3, ?4)",
        (signed(incarnation)?, signed(number)?, withholds, bytes),
    )?;
    Ok(())
}

/// Disclosures of a life with numbers in `within`, in order, as many as fit into `bytes` and at least one.
///
/// # Errors
/// As SQLite.
pub fn range(
    rows: &Rows<'_>,
    incarnation: u64,
    within: Range,
    bytes: usize,
) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let sql = "SELECT number, signed FROM disclosure
         WHERE incarnation = ?1 AND number >= ?2 AND number < ?3 ORDER BY number";
    fitting(rows, sql, incarnation, within, bytes)
}

/// As [`range`], those that withhold something.
///
/// # Errors
/// As SQLite.
pub fn withdrawals(
    rows: &Rows<'_>,
    incarnation: u64,
    within: Range,
    bytes: usize,
) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    // Named, so that it cannot come to read every disclosure.
    let sql = "SELECT number, signed FROM disclosure INDEXED BY disclosure_withholding
         WHERE incarnation = ?1 AND number >= ?2 AND number < ?3 AND withholds = 1 ORDER BY number";
    fitting(rows, sql, incarnation, within, bytes)
}

fn fitting(
    rows: &Rows<'_>,
    sql: &str,
    incarnation: u64,
    within: Range,
    bytes: usize,
) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let mut query = rows.conn.prepare_cached(sql)?;
    let mut found = query.query((signed(incarnation)?, signed(within.from)?, signed(within.to)?))?;
    let (mut fits, mut left): (Vec<(u64, Vec<u8>)>, usize) = (Vec::new(), bytes);
    while let Some(row) = found.next()? {
        let made: Vec<u8> = row.get(1)?;
        if made.len() > left && !fits.is_empty() {
            break;
        }
        left = left.saturating_sub(made.len());
        fits.push((unsigned(row.get(0)?, "disclosure")?, made));
    }
    Ok(fits)
}

/// Has the readers of a segment looked at before the next upload.
///
/// # Errors
/// [`StoreError::Conflict`] for a segment that is not in the store.
pub fn mark_due(tx: &Tx<'_>, segment: &Hash) -> Result<(), StoreError> {
    tx.conn.prepare_cached("INSERT OR IGNORE INTO due (segment) VALUES (?1)")?.execute([segment.0])?;
    Ok(())
}

/// Has the readers of every segment of a screening looked at.
///
/// # Errors
/// As SQLite.
pub fn mark_screening_due(tx: &Tx<'_>, screening: ScreeningId) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT OR IGNORE INTO due (segment) SELECT header_hash FROM segment WHERE screening = ({SCREENING_ROW})"
    );
    tx.conn.prepare_cached(&sql)?.execute([screening.0])?;
    Ok(())
}

/// Has the readers of every segment that can still be granted looked at: the recipients are others now.
///
/// # Errors
/// As SQLite.
pub fn mark_all_due(tx: &Tx<'_>) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO due (segment) SELECT header_hash FROM segment WHERE key IS NOT NULL";
    tx.conn.execute(sql, [])?;
    Ok(())
}

/// That the readers of a segment were looked at.
///
/// # Errors
/// As SQLite.
pub fn clear_due(tx: &Tx<'_>, segment: &Hash) -> Result<(), StoreError> {
    tx.conn.prepare_cached("DELETE FROM due WHERE segment = ?1")?.execute([segment.0])?;
    Ok(())
}

/// At most `limit` screenings of which a segment is due, each once, in the order of their opening.
///
/// # Errors
/// As SQLite.
pub fn due_screenings(rows: &Rows<'_>, limit: u32) -> Result<Vec<ScreeningId>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT c.screening_id FROM due d JOIN segment s ON s.header_hash = d.segment
         JOIN screening c ON c.row = s.screening GROUP BY c.row ORDER BY max(s.urgent) DESC, c.row LIMIT ?1",
    )?;
    let found = query.query([limit])?.mapped(|r| r.get(0).map(ScreeningId));
    Ok(found.collect::<Result<_, _>>()?)
}

/// The segments that are due, of a screening or of none, in the order of their sealing.
///
/// # Errors
/// As SQLite.
pub fn due_segments(rows: &Rows<'_>, screening: Option<ScreeningId>) -> Result<Vec<Hash>, StoreError> {
    let sql = format!(
        "SELECT d.segment FROM due d JOIN segment s ON s.header_hash = d.segment
         WHERE s.screening IS ({SCREENING_ROW}) ORDER BY s.rowid"
    );
    let mut query = rows.conn.prepare_cached(&sql)?;
    let found = query.query([screening.map(|id| id.0)])?.mapped(|r| hash_at(r, 0));
    Ok(found.collect::<Result<_, _>>()?)
}

/// Whether a segment of a screening is due.
///
/// # Errors
/// As SQLite.
pub fn is_due(rows: &Rows<'_>, screening: ScreeningId) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT 1 FROM due d JOIN segment s ON s.header_hash = d.segment
         WHERE s.screening = ({SCREENING_ROW}) LIMIT 1"
    );
    let found = rows.conn.prepare_cached(&sql)?.query_row([screening.0], |_| Ok(())).optional()?;
    Ok(found.is_some())
}
