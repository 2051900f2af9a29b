//! Letting go: what may be purged, and the purge itself. Whether it may is decided by the caller.

use rusqlite::OptionalExtension;

use super::fact::SCREENING_ROW;
use super::{Rows, StoreError, Tx, case, fact, row_of, screening, signed, unsigned};
use crate::schema::id::{CaseId, ScreeningId};

/// Where the segments of a screening stand: for each life, one past the highest number. Those that were sealed again
/// in a later life do not count.
///
/// # Errors
/// As SQLite.
pub fn reach(rows: &Rows<'_>, screening: ScreeningId) -> Result<Vec<(u64, u64)>, StoreError> {
    let sql = format!(
        "SELECT incarnation, max(number) + 1 FROM segment WHERE screening = ({SCREENING_ROW}) AND replaced = 0
         GROUP BY incarnation ORDER BY incarnation"
    );
    let mut query = rows.conn.prepare_cached(&sql)?;
    let mut found = query.query([screening.0])?;
    let mut reach = Vec::new();
    while let Some(row) = found.next()? {
        reach.push((unsigned(row.get(0)?, "segment")?, unsigned(row.get(1)?, "segment")?));
    }
    Ok(reach)
}

/// Wipes what was said: the bodies of the screening's facts, the keys of its segments, and, once every screening
/// of the case is purged, the key of the case's identity facts. Codes and referrals stay as a stub. Call
/// [`super::Store::empty_log`] afterwards.
///
/// # Errors
/// [`StoreError::Conflict`] if the screening is open.
pub fn plaintext(tx: &Tx<'_>, id: ScreeningId, case: CaseId) -> Result<(), StoreError> {
    fact::purge_bodies(tx, id, None)?;
    screening::mark_purged(tx, id)?;
    drop_keys(tx, id)?;
    let sql = format!("DELETE FROM purge_clock WHERE screening = ({SCREENING_ROW})");
    tx.conn.execute(&sql, [id.0])?;
    let left = screening::of_case(tx, case)?;
    if left.iter().all(|row| row.state == screening::State::Purged) {
        case::shred_identity_key(tx, case)?;
    }
    Ok(())
}

/// Drops the keys of every segment of a screening.
///
/// # Errors
/// As SQLite.
pub fn drop_keys(tx: &Tx<'_>, id: ScreeningId) -> Result<(), StoreError> {
    let sql =
        format!("UPDATE segment SET key = NULL WHERE screening = ({SCREENING_ROW}) AND key IS NOT NULL");
    tx.conn.execute(&sql, [id.0])?;
    Ok(())
}

/// Drops the keys of segments of a life below `number` that nothing will be granted from any more: of screenings
/// of which nothing is kept, and of no screening, unless their readers are still due. Returns how many.
///
/// # Errors
/// As SQLite.
pub fn spent_keys(tx: &Tx<'_>, incarnation: u64, number: u64) -> Result<usize, StoreError> {
    Ok(tx.conn.execute(
        "UPDATE segment SET key = NULL WHERE incarnation = ?1 AND number < ?2 AND key IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM due WHERE due.segment = segment.header_hash)
         AND NOT EXISTS (SELECT 1 FROM screening s WHERE s.row = segment.screening AND s.state <> 2)",
        (signed(incarnation)?, signed(number)?),
    )?)
}

/// Drops the ciphertext of the segments of a life below `number` that were sealed before `sealed_ms`; header and
/// hash stay. Returns how many.
///
/// # Errors
/// As SQLite.
pub fn sealed(tx: &Tx<'_>, incarnation: u64, number: u64, sealed_ms: i64) -> Result<usize, StoreError> {
    Ok(tx.conn.execute(
        "UPDATE segment SET ciphertext = x'' WHERE incarnation = ?1 AND number < ?2
         AND sealed_ms < ?3 AND length(ciphertext) > 0",
        (signed(incarnation)?, signed(number)?, sealed_ms),
    )?)
}

/// From when the retention of a screening counts whose closing time cannot be believed: the first time, not in
/// doubt, that this was asked.
///
/// # Errors
/// [`StoreError::Unknown`] for a screening that is not in the store.
pub fn clock(tx: &Tx<'_>, id: ScreeningId, now_ms: i64) -> Result<i64, StoreError> {
    let row = row_of(tx.conn, SCREENING_ROW, &id.0, "screening")?;
    let sql = "SELECT from_ms FROM purge_clock WHERE screening = ?1";
    if let Some(from_ms) = tx.conn.query_row(sql, [row], |r| r.get(0)).optional()? {
        return Ok(from_ms);
    }
    tx.conn.execute("INSERT INTO purge_clock (screening, from_ms) VALUES (?1, ?2)", (row, now_ms))?;
    Ok(now_ms)
}
