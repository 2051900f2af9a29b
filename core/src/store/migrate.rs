//! Bringing a store to the version of this build.
//!
//! Owns `user_version`. All steps and the new number are one transaction: a phone that dies in between
//! finds the old store again. Never goes backwards, never edits a published migration.

use rusqlite::{Connection, TransactionBehavior};

use super::error::{Failure, OpenError};
use crate::schema::MIGRATIONS;

/// The version of a store.
pub(super) fn version(conn: &Connection) -> Result<u32, rusqlite::Error> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The version that this build reads and writes.
pub(super) fn supported() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Runs every migration that is missing.
///
/// # Errors
/// [`OpenError::TooNew`] for a store of a later build; else as SQLite.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), Failure> {
    let found = version(conn)?;
    let supported = supported();
    if found > supported {
        return Err(OpenError::TooNew { found, supported }.into());
    }
    if found == supported {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in MIGRATIONS.iter().skip(found as usize) {
        tx.execute_batch(step)?;
    }
    let dangling: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM pragma_foreign_key_check)", [], |r| r.get(0))?;
    if dangling {
        return Err(Failure::Unreadable);
    }
    tx.pragma_update(None, "user_version", supported)?;
    Ok(tx.commit()?)
}
