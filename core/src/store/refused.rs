//! What headquarters did not take, so that it can be seen, and what it keeps aside is not sent for ever.

use super::{Rows, StoreError, Tx, signed, unsigned};

/// One refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// The life.
    pub incarnation: u64,
    /// A disclosure; otherwise a segment.
    pub disclosure: bool,
    /// Its number in that life.
    pub number: u64,
    /// Why, as refusals are numbered on the wire.
    pub why: u32,
    /// Epoch of headquarters when it was refused, as far as receipts said; 0 for none.
    pub epoch: u64,
}

/// Notes a refusal; the last one of an item counts.
///
/// # Errors
/// [`StoreError::Conflict`] for a life that this store never had.
pub fn set(tx: &Tx<'_>, row: &RefusedRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT OR REPLACE INTO refused (incarnation, disclosure, number, why, epoch)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        (signed(row.incarnation)?, row.disclosure, signed(row.number)?, row.why, signed(row.epoch)?),
    )?;
    Ok(())
}

/// Forgets what a receipt acknowledges after all, and the segment that comes next if it was refused as `fork`:
/// whatever had its number is gone.
///
/// # Errors
/// As SQLite.
pub fn forget(
    tx: &Tx<'_>,
    incarnation: u64,
    (segments, disclosures): (u64, u64),
    fork: u32,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "DELETE FROM refused
             WHERE incarnation = ?1 AND (number < CASE disclosure WHEN 0 THEN ?2 ELSE ?3 END
             OR disclosure = 0 AND number = ?2 AND why = ?4)",
        )?
        .execute((signed(incarnation)?, signed(segments)?, signed(disclosures)?, fork))?;
    Ok(())
}

/// At most `limit` refusals, by life, kind and number.
///
/// # Errors
/// As SQLite.
pub fn list(rows: &Rows<'_>, limit: u32) -> Result<Vec<RefusedRow>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT incarnation, disclosure, number, why, epoch FROM refused
         ORDER BY incarnation, disclosure, number LIMIT ?1",
    )?;
    let mut found = query.query([limit])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push(RefusedRow {
            incarnation: unsigned(row.get(0)?, "refused")?,
            disclosure: row.get(1)?,
            number: unsigned(row.get(2)?, "refused")?,
            why: row.get(3)?,
            epoch: unsigned(row.get(4)?, "refused")?,
        });
    }
    Ok(all)
}
