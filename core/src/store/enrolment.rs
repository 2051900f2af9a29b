//! The headquarters to which the device belongs. One row; bytes in the encoding of the wire.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, Tx};

/// What is known of headquarters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentRow {
    /// Headquarters, encoded; pinned when the request was made.
    pub headquarters: Vec<u8>,
    /// The signed certificate, encoded; none until it came.
    pub certificate: Option<Vec<u8>>,
    /// Since when it holds no longer, by headquarters' clock, milliseconds since 1970.
    pub revoked_ms: Option<i64>,
    /// When headquarters last answered, by the phone's clock, milliseconds since 1970.
    pub contact_ms: Option<i64>,
}

/// The enrolment; none before the first request.
///
/// # Errors
/// As SQLite.
pub fn get(rows: &Rows<'_>) -> Result<Option<EnrolmentRow>, StoreError> {
    let sql = "SELECT headquarters, certificate, revoked_ms, contact_ms FROM enrolment";
    let row = rows.conn.prepare_cached(sql)?.query_row([], |r| {
        Ok(EnrolmentRow {
            headquarters: r.get(0)?,
            certificate: r.get(1)?,
            revoked_ms: r.get(2)?,
            contact_ms: r.get(3)?,
        })
    });
    Ok(row.optional()?)
}

/// Pins headquarters. Another one than before begins anew: without certificate, revocation or contact.
///
/// # Errors
/// As SQLite.
pub fn ask(tx: &Tx<'_>, headquarters: &[u8]) -> Result<(), StoreError> {
    if get(tx)?.is_some_and(|row| row.headquarters == headquarters) {
        return Ok(());
    }
    tx.conn
        .execute("INSERT OR REPLACE INTO enrolment (only, headquarters) VALUES (1, ?1)", [headquarters])?;
    Ok(())
}

/// Keeps the certificate; a new one ends a revocation of the one before.
///
/// # Errors
/// [`StoreError::Unknown`] when no headquarters is pinned.
pub fn certify(tx: &Tx<'_>, certificate: &[u8]) -> Result<(), StoreError> {
    change(tx, "UPDATE enrolment SET certificate = ?1, revoked_ms = NULL", &certificate)
}

/// Notes that the certificate holds no longer.
///
/// # Errors
/// [`StoreError::Unknown`] when no headquarters is pinned.
pub fn revoke(tx: &Tx<'_>, from_ms: i64) -> Result<(), StoreError> {
    change(tx, "UPDATE enrolment SET revoked_ms = coalesce(revoked_ms, ?1)", &from_ms)
}

/// Notes that headquarters answered.
///
/// # Errors
/// [`StoreError::Unknown`] when no headquarters is pinned.
pub fn contact(tx: &Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    change(tx, "UPDATE enrolment SET contact_ms = ?1", &now_ms)
}

fn change(tx: &Tx<'_>, sql: &str, value: &dyn rusqlite::ToSql) -> Result<(), StoreError> {
    let done = tx.conn.prepare_cached(sql)?.execute([value])?;
    if done == 1 { Ok(()) } else { Err(StoreError::Unknown { table: "enrolment" }) }
}
