//! Cases: one person on this device, by random id, code and memorable code.
//!
//! Owns the key of a case's identity facts and its shredding. Never holds a name.

use rusqlite::{OptionalExtension, Row};
use zeroize::Zeroizing;

use super::{Rows, StoreError, Tx, row_of};
use crate::schema::id::CaseId;
use crate::secret::Key;

const COLUMNS: &str = "SELECT case_id, code, memorable, opened_ms FROM case_file";
pub(super) const ROW: &str = "SELECT row FROM case_file WHERE case_id = ?1";

/// A case, to be written or as read. `Debug` shows no code by which the person could be found.
#[derive(Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// The case.
    pub case: CaseId,
    /// The random code for records.
    pub code: String,
    /// The code that the person can remember; empty once erased.
    pub memorable: String,
    /// Milliseconds since 1970, by the phone's clock.
    pub opened_ms: i64,
}

impl std::fmt::Debug for CaseRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaseRow").field("case", &self.case).finish_non_exhaustive()
    }
}

/// Writes a new case.
///
/// # Errors
/// [`StoreError::Conflict`] if its id or code is taken.
pub fn insert(tx: &Tx<'_>, case: &CaseRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO case_file (case_id, code, memorable, opened_ms) VALUES (?1, ?2, ?3, ?4)",
        (case.case.0, &case.code, &case.memorable, case.opened_ms),
    )?;
    Ok(())
}

/// The case with an id.
///
/// # Errors
/// As SQLite.
pub fn by_id(rows: &Rows<'_>, case: CaseId) -> Result<Option<CaseRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE case_id = ?1");
    Ok(rows.conn.prepare_cached(&sql)?.query_row([case.0], read).optional()?)
}

/// The case with a code.
///
/// # Errors
/// As SQLite.
pub fn by_code(rows: &Rows<'_>, code: &str) -> Result<Option<CaseRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE code = ?1");
    Ok(rows.conn.prepare_cached(&sql)?.query_row([code], read).optional()?)
}

/// The newest `limit` cases, newest first.
///
/// # Errors
/// As SQLite.
pub fn newest(rows: &Rows<'_>, limit: u32) -> Result<Vec<CaseRow>, StoreError> {
    let sql = format!("{COLUMNS} ORDER BY row DESC LIMIT ?1");
    let mut query = rows.conn.prepare_cached(&sql)?;
    Ok(query.query([limit])?.mapped(read).collect::<Result<_, _>>()?)
}

/// The key of the case's identity facts; none if never made, or shredded.
///
/// # Errors
/// [`StoreError::Unknown`] for a case that is not in the store.
pub fn identity_key(rows: &Rows<'_>, case: CaseId) -> Result<Option<Key>, StoreError> {
    let key: Option<Option<[u8; 32]>> = rows
        .conn
        .prepare_cached("SELECT identity_key FROM case_file WHERE case_id = ?1")?
        .query_row([case.0], |r| r.get(0))
        .optional()?;
    let key = key.ok_or(StoreError::Unknown { table: "case_file" })?;
    Ok(key.map(|key| Key::new(&Zeroizing::new(key))))
}

/// Keeps the key of the case's identity facts, once.
///
/// # Errors
/// [`StoreError::Conflict`] if there is one; [`StoreError::Unknown`] for a case that is not in the store.
pub fn set_identity_key(tx: &Tx<'_>, case: CaseId, key: &Key) -> Result<(), StoreError> {
    let row = row_of(tx.conn, ROW, &case.0, "case_file")?;
    let set = tx.conn.execute(
        "UPDATE case_file SET identity_key = ?2 WHERE row = ?1 AND identity_key IS NULL",
        (row, &key.expose()[..]),
    )?;
    if set == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Shreds the key of the case's identity facts. Call [`super::Store::empty_log`] afterwards.
///
/// # Errors
/// [`StoreError::Unknown`] for a case that is not in the store.
pub fn shred_identity_key(tx: &Tx<'_>, case: CaseId) -> Result<(), StoreError> {
    let row = row_of(tx.conn, ROW, &case.0, "case_file")?;
    tx.conn.execute("UPDATE case_file SET identity_key = NULL WHERE row = ?1", [row])?;
    Ok(())
}

/// Makes a case one that nobody can be found by: another code, which nobody was told, no memorable one, no key.
/// Call [`super::Store::empty_log`] afterwards.
///
/// # Errors
/// [`StoreError::Unknown`] for a case that is not in the store; [`StoreError::Conflict`] if the code is taken.
pub fn erase(tx: &Tx<'_>, case: CaseId, code: &str) -> Result<(), StoreError> {
    let row = row_of(tx.conn, ROW, &case.0, "case_file")?;
    let sql = "UPDATE case_file SET code = ?2, memorable = '', identity_key = NULL WHERE row = ?1";
    tx.conn.execute(sql, (row, code))?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<CaseRow> {
    Ok(CaseRow {
        case: CaseId(row.get(0)?),
        code: row.get(1)?,
        memorable: row.get(2)?,
        opened_ms: row.get(3)?,
    })
}
