//! The desk's store: one encrypted SQLite file of one agency.
//!
//! Owns all SQL of the desk. A cursor and what was read up to it are written in one transaction, so that a
//! crash repeats an entry or finds it done, never half. Facts stay as bytes; what they mean is the views'.
//! What was withdrawn is erased, but for what says that it was there and for facts about consent. Nothing else
//! is ever deleted, and no new file is made over one that does not open.

mod delivery;
mod fact;
mod feed;
mod letter;

use std::path::Path;

use amparo_seal::secret::Key;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction};
use zeroize::Zeroizing;

use crate::desk::DeskError;

pub(super) use delivery::Place;
pub(super) use fact::{NewSegment, Row};
pub use feed::{Aside, FeedState};
pub(super) use feed::{Feed, NewAside};
pub use letter::Sent;
pub(super) use letter::{Kept, NewLetter, Which};

const VERSION: i64 = 1;
const SCHEMA: &str = include_str!("schema.sql");

/// The open store.
pub(super) struct Store {
    conn: Connection,
}

/// One write, or one consistent read.
pub(super) struct Tx<'a>(Transaction<'a>);

impl Store {
    /// Opens the file, or makes it when there is none.
    ///
    /// # Errors
    /// [`DeskError::Store`] for a wrong key or a damaged file, [`DeskError::Newer`].
    pub(super) fn open(path: &Path, key: &Key) -> Result<Self, DeskError> {
        amparo_sqlcipher::initialise();
        let mut conn = Connection::open(path)?;
        conn.execute_batch("PRAGMA cipher_log_level = NONE")?;
        unlock(&conn, key)?;
        harden(&conn)?;
        let version: i64 = conn.query_row("PRAGMA user_version", [], |r| r.get(0))?;
        match version {
            0 => {
                let tx = conn.transaction()?;
                tx.execute_batch(SCHEMA)?;
                tx.pragma_update(None, "user_version", VERSION)?;
                tx.commit()?;
            }
            VERSION => {}
            newer => return Err(DeskError::Newer(newer)),
        }
        Ok(Self { conn })
    }

    /// Begins a write.
    pub(super) fn begin(&mut self) -> Result<Tx<'_>, DeskError> {
        let behaviour = rusqlite::TransactionBehavior::Immediate;
        Ok(Tx(self.conn.transaction_with_behavior(behaviour)?))
    }

    /// Lets go of what a commit erased: until then the log beside the file holds the pages as they were.
    pub(super) fn let_go(&self) -> Result<(), DeskError> {
        Ok(self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Begins a read that sees one state of the store.
    pub(super) fn look(&self) -> Result<Tx<'_>, DeskError> {
        Ok(Tx(self.conn.unchecked_transaction()?))
    }
}

impl Tx<'_> {
    /// Makes it last.
    pub(super) fn commit(self) -> Result<(), DeskError> {
        Ok(self.0.commit()?)
    }
}

fn unlock(conn: &Connection, key: &Key) -> Result<(), rusqlite::Error> {
    use std::fmt::Write;
    // The whole length at once, so that no copy is left behind by growing.
    let mut sql = Zeroizing::new(String::with_capacity(100));
    sql.push_str("PRAGMA key = \"x'");
    for byte in key.expose() {
        // Writing into a String does not fail.
        let _ = write!(sql, "{byte:02x}");
    }
    sql.push_str("'\"");
    conn.execute_batch(&sql)?;
    conn.execute_batch(
        "PRAGMA cipher_page_size = 4096;
         PRAGMA cipher_hmac_algorithm = HMAC_SHA256;
         PRAGMA cipher_plaintext_header_size = 0;",
    )
}

fn harden(conn: &Connection) -> Result<(), rusqlite::Error> {
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        conn.set_db_config(setting, value)?;
    }
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    // FULL: what was taken, and the cursor that says so, survive a power cut together.
    conn.execute_batch(
        "PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;
         PRAGMA synchronous = FULL;",
    )?;
    let _: String = conn.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
    Ok(())
}

/// A count or time as SQLite keeps it. Nothing here comes near the end of the range; what does is damage.
fn whole(n: u64) -> Result<i64, DeskError> {
    i64::try_from(n).map_err(|_| DeskError::Damaged("number"))
}

fn count(n: i64) -> Result<u64, DeskError> {
    u64::try_from(n).map_err(|_| DeskError::Damaged("number"))
}

fn bytes<const N: usize>(found: Vec<u8>, what: &'static str) -> Result<[u8; N], DeskError> {
    found.try_into().map_err(|_| DeskError::Damaged(what))
}
