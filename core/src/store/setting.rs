//! Settings of the device, by name.
//!
//! Values are bytes in the encoding of whoever owns the name.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, Tx};

/// The value of a setting.
///
/// # Errors
/// As SQLite.
pub fn get(rows: &Rows<'_>, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mut query = rows.conn.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
    Ok(query.query_row([name], |r| r.get(0)).optional()?)
}

/// Sets a setting.
///
/// # Errors
/// As SQLite.
pub fn set(tx: &Tx<'_>, name: &str, value: &[u8]) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
        (name, value),
    )?;
    Ok(())
}

/// Removes a setting, if it is there.
///
/// # Errors
/// As SQLite.
pub fn remove(tx: &Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.conn.execute("DELETE FROM setting WHERE name = ?1", [name])?;
    Ok(())
}
