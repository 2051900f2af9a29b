//! One connection, set up: key, cipher, pragmas, limits.
//!
//! Owns the order in which they are set, which matters: SQLCipher logs to the console until told not to,
//! takes its settings only before the first read, and SQLite empties the log of a store on closing unless
//! told not to. Never opens a connection with less than all of it.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::error::{Failure, OpenError};
use crate::schema::limits::PACK_BYTES_MAX;
use crate::secret::Key;

/// How long to wait for another process, which should not be there.
pub(super) const BUSY: Duration = Duration::from_millis(250);
/// Least SQLite without the bug that loses data in WAL mode (sqlite.org/wal.html, "WAL-reset bug").
const SQLITE_LEAST: i32 = 3_051_003;
/// Pages of log after which SQLite moves them into the store.
pub(super) const LOG_PAGES: i64 = 1000;
/// Bytes to which the log file is cut back after that.
pub(super) const LOG_BYTES: i64 = 4 * 1024 * 1024;
/// Memory for pages, in KiB; negative because SQLite wants it so.
pub(super) const CACHE_KIB: i64 = -4096;
/// Prepared statements kept per connection; above the number that this room has.
const STATEMENTS: usize = 64;
/// Bytes of the longest statement; ours are all shorter.
const SQL_BYTES: i32 = 64 * 1024;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Makes a new file.
    Creator,
    /// Writes.
    Writer,
    /// Reads.
    Reader,
}

/// Opens one connection and proves that the key fits by reading the schema.
///
/// # Errors
/// [`Failure::Unreadable`] for a wrong key or a damaged file; they look the same here.
pub(super) fn open(path: &Path, key: &Key, role: Role) -> Result<Connection, Failure> {
    let found = rusqlite::version_number();
    if found < SQLITE_LEAST {
        return Err(OpenError::UnsafeSqlite { found }.into());
    }
    amparo_sqlcipher::initialise();
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if role == Role::Creator {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let conn = Connection::open_with_flags(path, flags)?;
    conn.execute_batch("PRAGMA cipher_log_level = NONE")?;
    // Until everything is known to be well, closing must leave the files as they are.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    unlock(&conn, key)?;
    harden(&conn)?;
    let _: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    tune(&conn, role)?;
    Ok(conn)
}

/// Lets the log be emptied when the store is closed; for a connection that found everything well.
pub(super) fn trust(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map(|_| ())
}

fn unlock(conn: &Connection, key: &Key) -> Result<(), rusqlite::Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| DIGITS.get(usize::from(n & 15)).copied().map_or('0', char::from);
    let mut sql = Zeroizing::new(String::with_capacity(100));
    sql.push_str("PRAGMA key = \"x'");
    for byte in key.expose() {
        sql.push(digit(byte >> 4));
        sql.push(digit(*byte));
    }
    sql.push_str("'\"");
    conn.execute_batch(&sql)?;
    conn.execute_batch(
        "PRAGMA cipher_page_size = 4096;
         PRAGMA cipher_hmac_algorithm = HMAC_SHA256;
         PRAGMA cipher_plaintext_header_size = 0;",
    )
}

/// What protects against a schema or a statement that is not ours.
fn harden(conn: &Connection) -> Result<(), rusqlite::Error> {
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        conn.set_db_config(setting, value)?;
    }
    // A pack file is the longest value; its row holds a little more.
    let row = i32::try_from(PACK_BYTES_MAX + 1024 * 1024).unwrap_or(i32::MAX);
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, row)?;
    conn.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    conn.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    // One level: what foreign keys do when a pack goes. The schema has no triggers.
    conn.set_limit(Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1)?;
    Ok(())
}

fn tune(conn: &Connection, role: Role) -> Result<(), Failure> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.execute_batch(
        "PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;",
    )?;
    conn.pragma_update(None, "cache_size", CACHE_KIB)?;
    if role != Role::Reader {
        let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
        if mode != "wal" {
            return Err(OpenError::Internal { code: 0 }.into());
        }
    }
    // FULL: a save that was acknowledged survives a power cut.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    conn.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    if role == Role::Reader {
        conn.pragma_update(None, "query_only", true)?;
    }
    Ok(())
}
