//! How far each life of the store has come with headquarters: what was sent, and the newest receipt.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, Tx, signed, unsigned};

/// One life of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifeRow {
    /// Its number.
    pub incarnation: u64,
    /// Segments that it sealed.
    pub segments: u64,
    /// Disclosures that it made.
    pub disclosures: u64,
    /// Segments that were ever sent, as a count from 0.
    pub sent: u64,
    /// Whether its chain may have parted from headquarters'.
    pub doubted: bool,
    /// Whether it was left with another headquarters, which alone can chain it; its receipt is of that one.
    pub left: bool,
    /// The newest verified receipt, signed and encoded.
    pub receipt: Option<Vec<u8>>,
}

/// Every life, in order.
///
/// # Errors
/// As SQLite.
pub fn lives(rows: &Rows<'_>) -> Result<Vec<LifeRow>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT i.incarnation,
            (SELECT coalesce(max(number) + 1, 0) FROM segment s WHERE s.incarnation = i.incarnation),
            (SELECT coalesce(max(number) + 1, 0) FROM disclosure d WHERE d.incarnation = i.incarnation),
            coalesce(p.sent, 0), coalesce(p.doubted, 0), p.headquarters IS NOT NULL, p.receipt
         FROM incarnation i LEFT JOIN progress p ON p.incarnation = i.incarnation ORDER BY i.row",
    )?;
    let mut lives = Vec::new();
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        lives.push(LifeRow {
            incarnation: unsigned(row.get(0)?, "incarnation")?,
            segments: unsigned(row.get(1)?, "segment")?,
            disclosures: unsigned(row.get(2)?, "disclosure")?,
            sent: unsigned(row.get(3)?, "progress")?,
            doubted: row.get(4)?,
            left: row.get(5)?,
            receipt: row.get(6)?,
        });
    }
    Ok(lives)
}

/// The newest receipt of a life, signed and encoded.
///
/// # Errors
/// As SQLite.
pub fn receipt(rows: &Rows<'_>, incarnation: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let mut query = rows.conn.prepare_cached("SELECT receipt FROM progress WHERE incarnation = ?1")?;
    Ok(query.query_row([signed(incarnation)?], |r| r.get(0)).optional()?.flatten())
}

/// Lets the receipt of a life go.
///
/// # Errors
/// As SQLite.
pub fn forget_receipt(tx: &Tx<'_>, incarnation: u64) -> Result<(), StoreError> {
    let sql = "UPDATE progress SET receipt = NULL WHERE incarnation = ?1";
    tx.conn.prepare_cached(sql)?.execute([signed(incarnation)?])?;
    Ok(())
}

/// Keeps the newest receipt of a life in place of the one before.
///
/// # Errors
/// [`StoreError::Conflict`] for a life that this store never had.
pub fn set_receipt(tx: &Tx<'_>, incarnation: u64, receipt: &[u8]) -> Result<(), StoreError> {
    row(tx, incarnation)?;
    let sql = "UPDATE progress SET receipt = ?2 WHERE incarnation = ?1";
    tx.conn.prepare_cached(sql)?.execute((signed(incarnation)?, receipt))?;
    Ok(())
}

/// Notes that segments below `sent` have left the device.
///
/// # Errors
/// [`StoreError::Conflict`] for a life that this store never had.
pub fn set_sent(tx: &Tx<'_>, incarnation: u64, sent: u64) -> Result<(), StoreError> {
    row(tx, incarnation)?;
    let sql = "UPDATE progress SET sent = ?2 WHERE incarnation = ?1 AND sent < ?2";
    tx.conn.prepare_cached(sql)?.execute((signed(incarnation)?, signed(sent)?))?;
    Ok(())
}

/// Notes that the chain of a life may have parted from headquarters', and lets go of a receipt that was believed
/// without its hash being found here.
///
/// # Errors
/// [`StoreError::Conflict`] for a life that this store never had.
pub fn doubt(tx: &Tx<'_>, incarnation: u64) -> Result<(), StoreError> {
    row(tx, incarnation)?;
    let sql = "UPDATE progress SET doubted = 1, receipt = NULL WHERE incarnation = ?1 AND doubted = 0";
    tx.conn.prepare_cached(sql)?.execute([signed(incarnation)?])?;
    Ok(())
}

/// As [`doubt`], for a life whose receipts were all held against its chain.
pub(super) fn doubt_present(conn: &rusqlite::Connection, incarnation: u64) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO progress (incarnation, doubted, sent) VALUES (?1, 1, 0)
         ON CONFLICT (incarnation) DO UPDATE SET doubted = 1",
        [signed(incarnation)?],
    )?;
    Ok(())
}

fn row(tx: &Tx<'_>, incarnation: u64) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO progress (incarnation, doubted, sent) VALUES (?1, 0, 0)";
    tx.conn.prepare_cached(sql)?.execute([signed(incarnation)?])?;
    Ok(())
}
