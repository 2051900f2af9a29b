//! The encrypted store of one device.
//!
//! Owns the file, its key, its transactions, and every SQL statement that is no migration. Facts are only
//! ever added, counted and chained; the head file beside the store tells when it went back in time. Knows
//! no rule of the domain: rows come in and go out as they are. Never deletes or recreates a store that
//! will not open, never lets a text of the database into an error, and never lets a transaction outlive
//! the call that began it.
//!
//! One connection writes, another reads, so that a long read never holds up a save. Callers hand closures
//! to [`Store::write`] and [`Store::read`]; inside, only the functions of this room reach SQL.

mod canary;
pub mod case;
mod connection;
pub mod disclosure;
pub mod enrolment;
mod error;
pub mod fact;
pub mod feed;
mod files;
mod finding;
mod head;
pub mod lapse;
pub mod left;
mod migrate;
mod open;
pub mod pack;
pub mod progress;
pub mod purge;
pub mod referral;
pub mod refused;
pub mod screening;
pub mod search;
pub mod segment;
pub mod service;
pub mod setting;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

pub use error::{OpenError, StoreError};
pub use finding::{Finding, FindingKind, Position};
pub use verify::{Blind, FAULTS_MAX, Fault, VerifyReport};

use crate::random::Entropy;
use crate::schema::id::{DeviceId, Hash, StoreId};
use crate::secret::Key;
use crate::time::Moment;
use head::{Head, HeadFile};

/// Who this store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The device.
    pub device: DeviceId,
    /// The store in its present life; bound into every fact.
    pub store: StoreId,
    /// The present life: random, new whenever the store was found to have gone back in time.
    pub incarnation: u64,
    /// Counter that the first fact of this life has or will have.
    pub first_counter: u64,
}

/// An open store. Closing is dropping.
pub struct Store {
    path: PathBuf,
    identity: RwLock<Identity>,
    findings: Vec<Finding>,
    writer: Mutex<Writer>,
    reader: Mutex<Connection>,
    // Last, so that it is let go when both connections are closed.
    _lock: std::fs::File,
}

struct Writer {
    conn: Connection,
    head: HeadFile,
}

/// Reading access, for the length of one closure.
pub struct Rows<'c> {
    conn: &'c Connection,
}

/// A write transaction, for the length of one closure. Reads through it see its own writes.
pub struct Tx<'c> {
    rows: Rows<'c>,
    store: StoreId,
}

impl<'c> std::ops::Deref for Tx<'c> {
    type Target = Rows<'c>;
    fn deref(&self) -> &Rows<'c> {
        &self.rows
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("identity", &self.identity()).finish_non_exhaustive()
    }
}

impl Store {
    /// Makes a new store and opens it. Leftovers of a store that is gone are set aside first.
    ///
    /// # Errors
    /// [`OpenError::Exists`] if there is a file of this name; else as for [`Store::open`].
    pub fn create(path: &Path, key: &Key, entropy: &dyn Entropy, now: Moment) -> Result<Self, OpenError> {
        open::create(path, key, entropy, now)
    }

    /// Opens a store. If it went back in time, that is written down as a [`Finding`], a copy of its log
    /// and head file is kept, and a new incarnation begins; the store can be used. One object at a time has
    /// it, in this process or any other.
    ///
    /// # Errors
    /// See [`OpenError`]; [`OpenError::Busy`] while another has it. A store whose key is right and that cannot be read is set aside, never deleted.
    pub fn open(path: &Path, key: &Key, entropy: &dyn Entropy, now: Moment) -> Result<Self, OpenError> {
        open::open(path, key, entropy, now)
    }

    /// Who this store is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        *self.identity.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a new life: because headquarters proved that this one went back in time or was copied without the head
    /// file showing it, or, without a finding, because another headquarters could not chain what this one seals. What
    /// the old one sealed keeps its headers; after a finding its chain is in doubt from now on. The finding is listed
    /// from the next opening on.
    ///
    /// # Errors
    /// Those of the store and of the host's randomness.
    pub fn begin_again(
        &self,
        kind: Option<FindingKind>,
        entropy: &dyn Entropy,
        now: Moment,
    ) -> Result<Identity, OpenError> {
        let mut writer = lock(&self.writer);
        let Writer { conn, head } = &mut *writer;
        let old = self.identity();
        open::begin_again(conn, head, kind, old.incarnation, (entropy, now))
            .inspect(|new| *self.identity.write().unwrap_or_else(PoisonError::into_inner) = *new)
    }

    /// What was found wrong when the store was opened, now or at any time before; oldest first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The seed of the device's signing key.
    ///
    /// # Errors
    /// As SQLite.
    pub fn signing_seed(&self) -> Result<Key, StoreError> {
        self.read(|rows| {
            let seed =
                rows.conn.query_row("SELECT signing_seed FROM device", [], |r| r.get::<_, [u8; 32]>(0))?;
            Ok(Key::new(&zeroize::Zeroizing::new(seed)))
        })
    }

    /// Runs `work` in one write transaction. It is durable when this returns `Ok`; on an error of `work`
    /// or of the store nothing of it remains. Costs one fsync. Not to be called from within `work`.
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    pub fn write<T, E: From<StoreError>>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut writer = lock(&self.writer);
        let Writer { conn, head } = &mut *writer;
        let before = conn.total_changes();
        let sql = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let identity = self.identity();
        let tx = Tx { rows: Rows { conn: &sql }, store: identity.store };
        let done = work(&tx)?;
        if sql.total_changes() == before {
            return Ok(done);
        }
        let mark = mark(&sql, identity)?;
        sql.commit().map_err(StoreError::from)?;
        // The save is durable. A head file that could not be written is behind, which is allowed.
        let _ = head.write(&mark);
        Ok(done)
    }

    /// Runs `work` on one consistent view of the store, which never waits for a writer, nor a writer for
    /// it. Not to be called from within `work`.
    ///
    /// # Errors
    /// Those of `work`, and of the store.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&Rows<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut reader = lock(&self.reader);
        let sql =
            reader.transaction_with_behavior(TransactionBehavior::Deferred).map_err(StoreError::from)?;
        let done = work(&Rows { conn: &sql })?;
        sql.commit().map_err(StoreError::from)?;
        Ok(done)
    }

    /// Moves everything from the log into the store and empties the log, so that nothing purged lingers
    /// in it. To be called after a purge, and when the app goes to the background.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while a read is running; call again.
    pub fn empty_log(&self) -> Result<(), StoreError> {
        let writer = lock(&self.writer);
        let busy: i64 = writer.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
    }

    /// Walks the whole store and tells every fault that can be seen from inside. Takes time in proportion
    /// to the store; saves wait meanwhile.
    ///
    /// # Errors
    /// Only what keeps the walk from starting; damage is a [`Fault`].
    pub fn verify(&self) -> Result<VerifyReport, StoreError> {
        let writer = lock(&self.writer);
        let mut reader = lock(&self.reader);
        let head = head::read(&self.path, writer.head.key());
        verify::verify(&mut reader, head)
    }
}

/// Counts this transaction and tells where the store will stand after it.
fn mark(sql: &Connection, identity: Identity) -> Result<Head, StoreError> {
    let commits = sql
        .prepare_cached("UPDATE device SET commits = commits + 1 RETURNING commits")?
        .query_row([], |r| r.get(0))?;
    let last = fact::last(&Rows { conn: sql })?;
    Ok(Head {
        store: identity.store,
        incarnation: identity.incarnation,
        commits: unsigned(commits, "device")?,
        counter: last.0,
        hash: last.1,
    })
}

/// The lock, also when a thread died holding it: SQLite rolled its transaction back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number as SQLite holds it.
fn signed(n: u64) -> Result<i64, StoreError> {
    i64::try_from(n).map_err(|_| StoreError::TooLarge { limit: "63 bits" })
}

/// A number from SQLite that is never negative.
fn unsigned<T: TryFrom<i64>>(n: i64, table: &'static str) -> Result<T, StoreError> {
    T::try_from(n).map_err(|_| StoreError::Malformed { table })
}

/// The row number for an outside id.
fn row_of(
    conn: &Connection,
    sql: &str,
    key: &dyn rusqlite::ToSql,
    table: &'static str,
) -> Result<i64, StoreError> {
    let row = conn.prepare_cached(sql)?.query_row([key], |r| r.get(0)).optional()?;
    row.ok_or(StoreError::Unknown { table })
}

/// A hash column.
fn hash_at(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Hash> {
    row.get(at).map(Hash)
}

#[cfg(test)]
mod tests;
