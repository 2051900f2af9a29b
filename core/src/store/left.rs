//! Lives that stayed behind with a headquarters, because sealed bytes that it had were let go: another one can never
//! chain them.
//!
//! Owns which lives these are, and which of their segments were sealed again. Such a life keeps the last receipt of the
//! headquarters that has it, and goes on from there should the device return to that one.

use super::fact::SCREENING_ROW;
use super::{Rows, StoreError, Tx, signed, unsigned};
use crate::schema::id::{Hash, ScreeningId};

/// Leaves every life of which sealed bytes were let go with the headquarters that has this key.
///
/// # Errors
/// As SQLite.
pub fn leave(tx: &Tx<'_>, headquarters: &Hash) -> Result<(), StoreError> {
    let sql = "UPDATE progress SET headquarters = ?1 WHERE headquarters IS NULL AND EXISTS (
            SELECT 1 FROM segment s WHERE s.incarnation = progress.incarnation AND length(s.ciphertext) = 0)";
    tx.conn.execute(sql, [headquarters.0])?;
    Ok(())
}

/// Goes on with the lives that were left with the headquarters that has this key.
///
/// # Errors
/// As SQLite.
pub fn resume(tx: &Tx<'_>, headquarters: &Hash) -> Result<(), StoreError> {
    tx.conn.execute("UPDATE progress SET headquarters = NULL WHERE headquarters = ?1", [headquarters.0])?;
    Ok(())
}

/// Screenings of which a life has a segment from `number` on that was not sealed again, in the order of their opening.
///
/// # Errors
/// As SQLite.
pub fn screenings(rows: &Rows<'_>, incarnation: u64, number: u64) -> Result<Vec<ScreeningId>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT c.screening_id FROM segment s JOIN screening c ON c.row = s.screening
         WHERE s.incarnation = ?1 AND s.number >= ?2 AND s.replaced = 0 AND (s.key IS NOT NULL OR c.state <> 2)
         GROUP BY c.row ORDER BY c.row",
    )?;
    let found = query.query((signed(incarnation)?, signed(number)?))?.mapped(|r| r.get(0).map(ScreeningId));
    Ok(found.collect::<Result<_, _>>()?)
}

/// How many segments a life has from `number` on that were not sealed again.
///
/// # Errors
/// As SQLite.
pub fn count(rows: &Rows<'_>, incarnation: u64, number: u64) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM segment WHERE incarnation = ?1 AND number >= ?2 AND replaced = 0";
    let count =
        rows.conn.prepare_cached(sql)?.query_row((signed(incarnation)?, signed(number)?), |r| r.get(0))?;
    unsigned(count, "segment")
}

/// Notes that what lives that were left hold of a screening was sealed again: all of it, or what this device can still
/// read. Their keys go, for nobody is given these segments any more.
///
/// # Errors
/// As SQLite.
pub fn replace(tx: &Tx<'_>, screening: ScreeningId, all: bool) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE segment SET replaced = 1, key = NULL
         WHERE screening = ({SCREENING_ROW}) AND (?2 OR key IS NOT NULL)
         AND incarnation IN (SELECT incarnation FROM progress WHERE headquarters IS NOT NULL)"
    );
    tx.conn.prepare_cached(&sql)?.execute((screening.0, all))?;
    Ok(())
}

/// Notes the same of what a life holds of no screening from `number` on. Returns how many segments these are.
///
/// # Errors
/// As SQLite.
pub fn replace_audit(tx: &Tx<'_>, incarnation: u64, number: u64) -> Result<usize, StoreError> {
    Ok(tx.conn.execute(
        "UPDATE segment SET replaced = 1, key = NULL
         WHERE incarnation = ?1 AND number >= ?2 AND screening IS NULL AND replaced = 0",
        (signed(incarnation)?, signed(number)?),
    )?)
}
