//! The store in one SQLite file: headquarters on one machine.
//!
//! Owns the file and how it is opened: WAL, synchronous FULL, secure delete; encrypted by SQLCipher when a key
//! is given. One connection writes; several processes take turns. Never makes a new file over one that does
//! not open.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, TransactionBehavior, params_from_iter};
use zeroize::Zeroizing;

use super::sql::{Cell, Engine, Value, Verbs, migrate};
use super::{CONFLICTS_MAX, Storage, StorageError, Tx};

/// How long one connection waits for another's transaction.
const BUSY: Duration = Duration::from_secs(2);
/// Prepared statements kept; above the number that there are.
const STATEMENTS: usize = 64;
/// Bytes of the longest row: a frame kept aside and what surrounds it.
const ROW_BYTES: i32 = 16 * 1024 * 1024;

/// The store.
#[derive(Debug)]
pub struct Sqlite {
    conn: Connection,
}

impl Sqlite {
    /// Opens the file, or makes it, and brings it to the version of this build. With a key the file is
    /// encrypted; the caller wipes its own copy of the key.
    ///
    /// # Errors
    /// [`StorageError::Engine`] for a wrong key or no database; [`StorageError::TooNew`].
    pub fn open(path: &Path, key: Option<&[u8; 32]>) -> Result<Self, StorageError> {
        amparo_sqlcipher::initialise();
        let conn = Connection::open(path).map_err(told)?;
        conn.execute_batch("PRAGMA cipher_log_level = NONE").map_err(told)?;
        if let Some(key) = key {
            unlock(&conn, key).map_err(told)?;
        }
        tune(&conn).map_err(told)?;
        let mut store = Self { conn };
        store.within(&mut |engine| migrate(engine))?;
        Ok(store)
    }

    /// Writes a copy of the store as it stands to a new file, encrypted with the same key, in one read
    /// transaction. What the copy holds is told by the relay's checkpoint on it.
    ///
    /// # Errors
    /// [`StorageError::Engine`], also when the file is there; [`StorageError::Full`].
    pub fn back_up(&mut self, path: &Path) -> Result<(), StorageError> {
        let path = path.to_str().ok_or_else(|| StorageError::Engine("path".into()))?;
        self.conn.execute("VACUUM INTO ?1", [path]).map_err(told)?;
        Ok(())
    }

    fn within(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Engine) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        for _ in 0..CONFLICTS_MAX {
            let tx = match self.conn.transaction_with_behavior(TransactionBehavior::Immediate) {
                Err(error) if told_conflict(&error) => continue,
                begun => begun.map_err(told)?,
            };
            let done = work(&mut Open(&tx));
            // An uncommitted transaction is rolled back when it is dropped.
            match done.and_then(|()| tx.commit().map_err(told)) {
                Err(StorageError::Conflict) => {}
                done => return done,
            }
        }
        Err(StorageError::Conflict)
    }
}

impl Storage for Sqlite {
    fn transact(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        self.within(&mut |engine| work(&mut Verbs(engine)))
    }
}

fn unlock(conn: &Connection, key: &[u8; 32]) -> Result<(), rusqlite::Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| DIGITS.get(usize::from(n & 15)).copied().map_or('0', char::from);
    let mut sql = Zeroizing::new(String::with_capacity(100));
    sql.push_str("PRAGMA key = \"x'");
    for byte in key {
        sql.push(digit(byte >> 4));
        sql.push(digit(*byte));
    }
    sql.push_str("'\"");
    // SQLCipher's own defaults otherwise: a copy made by VACUUM INTO has no others.
    conn.execute_batch(&sql)
}

fn tune(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, ROW_BYTES)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Proves that the key fits.
    let _: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    conn.execute_batch(
        "PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;",
    )?;
    let _: String = conn.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
    // FULL: what was acknowledged survives a power cut.
    conn.pragma_update(None, "synchronous", "FULL")
}

fn told_conflict(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn told(error: rusqlite::Error) -> StorageError {
    match error.sqlite_error() {
        Some(_) if told_conflict(&error) => StorageError::Conflict,
        Some(e) if e.code == ErrorCode::DiskFull => StorageError::Full,
        Some(e) => StorageError::Engine(format!("SQLite {}", e.extended_code)),
        None => StorageError::Engine("SQLite".into()),
    }
}

/// A transaction under way.
struct Open<'a>(&'a rusqlite::Transaction<'a>);

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Int(n) => ToSqlOutput::from(*n),
            Self::Bytes(bytes) => ToSqlOutput::from(*bytes),
        })
    }
}

impl Engine for Open<'_> {
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        let mut statement = self.0.prepare_cached(sql).map_err(told)?;
        statement.execute(params_from_iter(values)).map(drop).map_err(told)
    }

    fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Vec<Cell>>, StorageError> {
        let mut statement = self.0.prepare_cached(sql).map_err(told)?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(values), |row| {
            (0..columns)
                .map(|i| match row.get_ref(i)? {
                    ValueRef::Integer(n) => Ok(Cell::Int(n)),
                    ValueRef::Blob(bytes) => Ok(Cell::Bytes(bytes.to_vec())),
                    other => Err(rusqlite::Error::InvalidColumnType(i, String::new(), other.data_type())),
                })
                .collect()
        });
        rows.map_err(told)?.collect::<Result<_, _>>().map_err(told)
    }

    fn batch(&mut self, sql: &str) -> Result<(), StorageError> {
        let sql = sql.replace("BYTEA", "BLOB").replace("BIGINT", "INTEGER").replace("\n);", "\n) STRICT;");
        self.0.execute_batch(&sql).map_err(told)
    }
}
