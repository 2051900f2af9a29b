//! Opening and creating a store.
//!
//! Owns the order: look at the file, ask the canary, open the writer, compare with the head file, migrate,
//! open the reader. Tells a wrong key from damage. Never deletes, never recreates; what will not open with
//! the right key is renamed and said.

use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, RwLock};

use rusqlite::Connection;

use super::canary::Canary;
use super::connection::Role;
use super::error::{Failure, OpenError};
use super::head::{Head, HeadFile};
use super::{Identity, Store, Writer, canary, connection, files, finding, head, migrate, unsigned};
use crate::random::{self, Entropy};
use crate::schema::id::{DeviceId, Hash, StoreId};
use crate::secret::Key;
use crate::time::Moment;

const PLAINTEXT_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Opens a store; see [`Store::open`].
pub(super) fn open(path: &Path, key: &Key, entropy: &dyn Entropy, now: Moment) -> Result<Store, OpenError> {
    let first = first_bytes(path)?;
    if first == PLAINTEXT_MAGIC {
        return Err(OpenError::Plaintext);
    }
    let lock = files::lock(path)?;
    open_locked(path, key, entropy, now, (lock, first.is_empty()))
}

fn open_locked(
    path: &Path,
    key: &Key,
    entropy: &dyn Entropy,
    now: Moment,
    (lock, empty): (std::fs::File, bool),
) -> Result<Store, OpenError> {
    let canary = canary::ask(path, key)?;
    // SQLite takes an empty file for a new database and deletes its log; it must not get to see one.
    let opened = if empty { Err(Failure::Unreadable) } else { attempt(path, key, entropy, now, lock) };
    match (opened, canary) {
        (Ok(store), Canary::Right) => Ok(store),
        (Ok(store), Canary::Wrong | Canary::Silent) => {
            canary::write(path, key)?;
            Ok(store)
        }
        (Err(Failure::Told(error)), _) => Err(error),
        (Err(Failure::Unreadable), Canary::Right) => {
            Err(OpenError::Damaged { set_aside: files::set_aside(path)? })
        }
        (Err(Failure::Unreadable), Canary::Wrong) => Err(OpenError::WrongKey),
        (Err(Failure::Unreadable), Canary::Silent) => Err(OpenError::Unreadable),
    }
}

/// Makes a new store; see [`Store::create`].
///
/// It is made under another name and renamed at the end, so that a store is there whole or not at all.
pub(super) fn create(path: &Path, key: &Key, entropy: &dyn Entropy, now: Moment) -> Result<Store, OpenError> {
    if path.exists() {
        return Err(OpenError::Exists);
    }
    let lock = files::lock(path)?;
    // Asked again: another may have made it before the lock was ours.
    if path.exists() {
        return Err(OpenError::Exists);
    }
    if files::any(path) {
        files::set_aside(path)?;
    }
    let new = files::beside(path, ".new");
    // A creation that was cut short; nobody was ever told of it.
    if files::any(&new) {
        files::set_aside(&new)?;
    }
    let head = match fill(&new, key, entropy, now) {
        Ok(head) => head,
        Err(Failure::Told(error)) => return Err(error),
        Err(Failure::Unreadable) => return Err(OpenError::Internal { code: 0 }),
    };
    canary::write(path, key)?;
    let mut file = HeadFile::open(path, head::key(key)?)?;
    file.write(&head)?;
    file.sync()?;
    std::fs::rename(&new, path)?;
    files::sync_folder(path);
    open_locked(path, key, entropy, now, (lock, false))
}

/// Up to 16 bytes from the start of the file.
fn first_bytes(path: &Path) -> Result<Vec<u8>, OpenError> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(OpenError::Missing),
        Err(error) => return Err(error.into()),
    };
    let mut first = Vec::with_capacity(16);
    file.take(16).read_to_end(&mut first)?;
    Ok(first)
}

fn attempt(
    path: &Path,
    key: &Key,
    entropy: &dyn Entropy,
    now: Moment,
    lock: std::fs::File,
) -> Result<Store, Failure> {
    let mut writer = connection::open(path, key, Role::Writer)?;
    match migrate::version(&writer)? {
        // Only a file that lost its content has no version: stores are created whole.
        0 => return Err(Failure::Unreadable),
        found if found > migrate::supported() => {
            return Err(OpenError::TooNew { found, supported: migrate::supported() }.into());
        }
        _ => {}
    }
    let head_key = head::key(key)?;
    let before = head::read(path, &head_key)?;
    let found = finding::compare(&writer, &before)?;
    if found.is_some() {
        // Before the first write, which goes over the log.
        files::keep_evidence(path);
    }
    migrate::migrate(&mut writer)?;
    let mut head = HeadFile::open(path, head_key)?;
    if let Some((kind, store, at)) = found {
        finding::record(&mut writer, Some(kind), store, at, new_life(entropy)?, now)?;
    }
    let identity = identity(&writer)?;
    if found.is_some() {
        head.write(&mark(&writer, identity)?)?;
        head.sync()?;
    }
    let findings = finding::all(&writer)?;
    let reader = connection::open(path, key, Role::Reader)?;
    connection::trust(&writer)?;
    connection::trust(&reader)?;
    Ok(Store {
        path: path.to_path_buf(),
        identity: RwLock::new(identity),
        findings,
        writer: Mutex::new(Writer { conn: writer, head }),
        reader: Mutex::new(reader),
        _lock: lock,
    })
}

/// Begins a new life of an open store; see [`Store::begin_again`].
pub(super) fn begin_again(
    conn: &mut Connection,
    head: &mut HeadFile,
    kind: Option<finding::FindingKind>,
    old: u64,
    (entropy, now): (&dyn Entropy, Moment),
) -> Result<Identity, OpenError> {
    let told = |failure| match failure {
        Failure::Told(error) => error,
        Failure::Unreadable => OpenError::Unreadable,
    };
    let life = new_life(entropy)?;
    let (at, _) = finding::position(conn).map_err(|error| told(error.into()))?;
    if kind.is_some() {
        // First, and by itself: a doubt too many costs a question to headquarters, one too few could cost data.
        super::progress::doubt_present(conn, old).map_err(|error| told(error.into()))?;
    }
    finding::record(conn, kind, at, None, life, now).map_err(told)?;
    let identity = identity(conn).map_err(told)?;
    head.write(&mark(conn, identity).map_err(told)?)?;
    head.sync()?;
    Ok(identity)
}

/// A random incarnation, 63 bits, and the store id of that life.
pub(super) fn new_life(entropy: &dyn Entropy) -> Result<(u64, StoreId), OpenError> {
    let incarnation = u64::from_be_bytes(random::bytes(entropy)?) >> 1;
    Ok((incarnation, StoreId(random::bytes(entropy)?)))
}

fn fill(path: &Path, key: &Key, entropy: &dyn Entropy, now: Moment) -> Result<Head, Failure> {
    let device: [u8; 16] = random::bytes(entropy).map_err(OpenError::from)?;
    let seed = zeroize::Zeroizing::new(random::bytes::<32>(entropy).map_err(OpenError::from)?);
    let (incarnation, store) = new_life(entropy)?;
    let mut conn = connection::open(path, key, Role::Creator)?;
    migrate::migrate(&mut conn)?;
    let tx = conn.transaction()?;
    tx.execute(
        "INSERT INTO device (only, device_id, signing_seed, created_ms, commits) VALUES (1, ?1, ?2, ?3, 0)",
        (device, *seed, now.wall_ms),
    )?;
    finding::begin_life(&tx, incarnation, store, 1, now.wall_ms)?;
    tx.commit()?;
    let head = mark(&conn, identity(&conn)?)?;
    // Closing moves the log into the file, so that one rename brings all of it.
    connection::trust(&conn)?;
    conn.close().map_err(|(_, error)| error)?;
    if files::beside(path, files::WAL).exists() {
        return Err(OpenError::Internal { code: 0 }.into());
    }
    Ok(head)
}

fn identity(conn: &Connection) -> Result<Identity, Failure> {
    let (device, store, incarnation, first) = conn.query_row(
        "SELECT device.device_id, incarnation.store_id, incarnation.incarnation, incarnation.first_counter
         FROM device, incarnation ORDER BY incarnation.row DESC LIMIT 1",
        [],
        |r| Ok((r.get::<_, [u8; 16]>(0)?, r.get::<_, [u8; 16]>(1)?, r.get(2)?, r.get(3)?)),
    )?;
    Ok(Identity {
        device: DeviceId(device),
        store: StoreId(store),
        incarnation: unsigned(incarnation, "incarnation")?,
        first_counter: unsigned(first, "incarnation")?,
    })
}

/// Where the store stands.
fn mark(conn: &Connection, identity: Identity) -> Result<Head, Failure> {
    let (position, hash): (super::Position, Hash) = finding::position(conn)?;
    Ok(Head {
        store: identity.store,
        incarnation: identity.incarnation,
        commits: position.commits,
        counter: position.counter,
        hash,
    })
}
