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
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params_from_iter};
use zeroize::Zeroizing;

use super::sql::{Cell, Engine, MIGRATIONS, Value, Verbs, migrate};
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

    /// Opens a file that is there, to be read alone, and leaves it as it is: nothing is made, migrated or written
    /// beside it. Every page of it is checked.
    ///
    /// # Errors
    /// [`StorageError::Engine`] for no database; [`StorageError::Damaged`] for one that is not whole or not
    /// ours; [`StorageError::TooNew`].
    pub fn look(path: &Path) -> Result<Self, StorageError> {
        amparo_sqlcipher::initialise();
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(immutable(path), flags).map_err(told)?;
        conn.execute_batch("PRAGMA cipher_log_level = NONE").map_err(told)?;
        guard(&conn).map_err(told)?;
        let checked: String =
            conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(told)?;
        if checked != "ok" {
            return Err(StorageError::Damaged("the file"));
        }
        let version = conn.query_row("SELECT version FROM schema_version", [], |row| row.get::<_, u32>(0));
        let version = version.map_err(|_| StorageError::Damaged("schema_version"))?;
        match u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX) {
            supported if version > supported => Err(StorageError::TooNew { found: version, supported }),
            _ => Ok(Self { conn }),
        }
    }

    /// Writes a copy of the store as it stands to a new file that only its owner may read, encrypted with the
    /// same key, in one read transaction. What the copy holds is told by the relay's checkpoint on it.
    ///
    /// # Errors
    /// [`StorageError::Engine`], also when the file is there; [`StorageError::Full`].
    pub fn back_up(&mut self, path: &Path) -> Result<(), StorageError> {
        let name = path.to_str().ok_or_else(|| StorageError::Engine("path".into()))?;
        // SQLite would make it for everybody to read; an empty file it takes as it is.
        create(path).map_err(|why| StorageError::Engine(format!("the copy: {}", why.kind())))?;
        self.conn.execute("VACUUM INTO ?1", [name]).map_err(|error| {
            drop(std::fs::remove_file(path));
            told(error)
        })?;
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

/// The file as SQLite's URI of one that nobody changes.
fn immutable(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// Makes a new file that only its owner may read.
fn create(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path).map(drop)
}

/// What a file is not trusted with.
fn guard(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, ROW_BYTES)?;
    Ok(())
}

fn tune(conn: &Connection) -> Result<(), rusqlite::Error> {
    guard(conn)?;
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

#[cfg(test)]
mod tests {
    use rusqlite::types::Value as Any;

    use super::*;

    #[test]
    fn every_setting_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        for key in [None, Some([7; 32])] {
            let path = folder.path().join(format!("{}.db", key.is_some()));
            let store = Sqlite::open(&path, key.as_ref()).unwrap();
            for (name, value) in [
                ("journal_mode", "wal"),
                ("synchronous", "2"),
                ("secure_delete", "1"),
                ("temp_store", "2"),
                ("trusted_schema", "0"),
                ("cell_size_check", "1"),
                ("mmap_size", "0"),
                ("busy_timeout", &BUSY.as_millis().to_string()),
            ] {
                let read = match store.conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)) {
                    Ok(Any::Text(text)) => text,
                    Ok(Any::Integer(n)) => n.to_string(),
                    // SQLCipher never maps its files and says nothing.
                    Err(rusqlite::Error::QueryReturnedNoRows) if name == "mmap_size" => continue,
                    other => panic!("{name}: {other:?}"),
                };
                assert_eq!(read, value, "{name}");
            }
            assert!(store.conn.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE).unwrap());
        }
    }

    #[test]
    fn a_look_changes_nothing_and_takes_no_file_that_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        Sqlite::open(&at("store"), None).unwrap().back_up(&at("a copy?#%.db")).unwrap();
        let before = std::fs::read(at("a copy?#%.db")).unwrap();
        let mut copy = Sqlite::look(&at("a copy?#%.db")).unwrap();
        copy.transact(&mut |tx| tx.record(crate::storage::Shelf::State, &[0]).map(drop)).unwrap();
        let put = copy.transact(&mut |tx| tx.put_record(crate::storage::Shelf::State, &[0], &[]));
        assert!(put.is_err(), "{put:?}");
        drop(copy);
        assert_eq!(std::fs::read(at("a copy?#%.db")).unwrap(), before);
        std::fs::write(at("empty"), b"").unwrap();
        Connection::open(at("foreign")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let mut torn = before.clone();
        let page = torn.len() / 2;
        torn[page..page + 2_000].fill(0xa5);
        std::fs::write(at("torn"), &torn).unwrap();
        std::fs::write(at("cut"), &before[..before.len() / 2]).unwrap();
        for bad in ["none", "empty", "foreign", "torn", "cut"] {
            assert!(Sqlite::look(&at(bad)).is_err(), "{bad}");
        }
        assert!(!at("none").exists());
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 6, "nothing is left beside what was looked at");
    }
}
