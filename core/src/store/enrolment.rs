//! The headquarters to which the device belongs. One row; bytes in the encoding of the wire.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, Tx, left};
use crate::schema::id::Hash;

/// What is known of headquarters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentRow {
    /// Headquarters of the last request, encoded.
    pub asked: Vec<u8>,
    /// Headquarters that enrolled the device, encoded; none before.
    pub headquarters: Option<Vec<u8>>,
    /// Its signed certificate, encoded; none before.
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
    let sql = "SELECT asked, headquarters, certificate, revoked_ms, contact_ms FROM enrolment";
    let row = rows.conn.prepare_cached(sql)?.query_row([], |r| {
        Ok(EnrolmentRow {
            asked: r.get(0)?,
            headquarters: r.get(1)?,
            certificate: r.get(2)?,
            revoked_ms: r.get(3)?,
            contact_ms: r.get(4)?,
        })
    });
    Ok(row.optional()?)
}

/// Notes of which headquarters a certificate is asked. Until it comes, nothing else changes.
///
/// # Errors
/// As SQLite.
pub fn ask(tx: &Tx<'_>, headquarters: &[u8]) -> Result<(), StoreError> {
    let sql = "INSERT INTO enrolment (only, asked) VALUES (1, ?1)
        ON CONFLICT (only) DO UPDATE SET asked = ?1";
    tx.conn.execute(sql, [headquarters])?;
    Ok(())
}

/// Pins the headquarters that was asked, with its certificate; a new one ends a revocation of the one before. What
/// another headquarters acknowledged or refused and where its feeds were read counts no more: all that is here is sent
/// anew. With another signing key (`keys`: the one before, the new one) it is another one for good: lives that it could
/// not chain stay with the one before, and those that were left with it go on.
///
/// # Errors
/// [`StoreError::Unknown`] when none was asked.
pub fn certify(tx: &Tx<'_>, certificate: &[u8], keys: Option<(&Hash, &Hash)>) -> Result<(), StoreError> {
    if get(tx)?.is_some_and(|row| row.headquarters.is_some_and(|pinned| pinned != row.asked)) {
        if let Some((before, _)) = keys {
            left::leave(tx, before)?;
        }
        tx.conn.execute("UPDATE progress SET receipt = NULL WHERE headquarters IS NULL", [])?;
        tx.conn.execute("DELETE FROM cursor", [])?;
        tx.conn.execute("DELETE FROM refused", [])?;
        if let Some((_, new)) = keys {
            left::resume(tx, new)?;
        }
    }
    change(tx, "UPDATE enrolment SET headquarters = asked, certificate = ?1, revoked_ms = NULL", &certificate)
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
