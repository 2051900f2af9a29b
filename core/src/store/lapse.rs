//! When grants lapse: the time from which no consent carries them any more, by the terms of the consents alone.
//!
//! Kept with each grant, because it must outlive what was said. Whether the clock may be believed is decided by the
//! caller.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, Tx, hash_at, segment};
use crate::schema::id::{Hash, ScreeningId};
use crate::schema::wire::disclosure::Withheld;

/// Notes when a grant lapses, milliseconds since 1970; none if no term ends it.
///
/// # Errors
/// As SQLite.
pub fn set(tx: &Tx<'_>, segment: &Hash, recipient: &[u8; 8], at_ms: Option<i64>) -> Result<(), StoreError> {
    let sql = "UPDATE segment_grant SET lapses_ms = ?3
        WHERE segment = ?1 AND recipient = ?2 AND lapses_ms IS NOT ?3";
    tx.conn.prepare_cached(sql)?.execute((segment.0, recipient, at_ms))?;
    Ok(())
}

/// Lets go of at most `limit` grants that have lapsed at this time, the earliest first, and notes the term with their
/// screenings: a clock that goes back afterwards brings none of them back.
///
/// # Errors
/// As SQLite.
pub fn take(tx: &Tx<'_>, now_ms: i64, limit: u32) -> Result<Vec<Withheld>, StoreError> {
    let mut query = tx.conn.prepare_cached(
        "SELECT segment, recipient, lapses_ms FROM segment_grant WHERE lapses_ms <= ?1
         ORDER BY lapses_ms, segment, recipient LIMIT ?2",
    )?;
    let found = query.query((now_ms, limit))?.mapped(|row| {
        let withheld = Withheld { segment: hash_at(row, 0)?, recipient: row.get(1)? };
        Ok((withheld, row.get::<_, i64>(2)?))
    });
    let found: Vec<_> = found.collect::<Result<_, _>>()?;
    let mut note = tx.conn.prepare_cached(
        "UPDATE screening SET lapsed_ms = max(coalesce(lapsed_ms, ?2), ?2)
         WHERE row = (SELECT screening FROM segment WHERE header_hash = ?1)",
    )?;
    for (withheld, at_ms) in &found {
        note.execute((withheld.segment.0, at_ms))?;
        segment::remove_grant(tx, &withheld.segment, &withheld.recipient)?;
    }
    Ok(found.into_iter().map(|(withheld, _)| withheld).collect())
}

/// The latest term by which a grant of a screening lapsed, milliseconds since 1970; none if none did.
///
/// # Errors
/// As SQLite.
pub fn last(rows: &Rows<'_>, screening: ScreeningId) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT lapsed_ms FROM screening WHERE screening_id = ?1";
    Ok(rows.conn.prepare_cached(sql)?.query_row([screening.0], |row| row.get(0)).optional()?.flatten())
}
