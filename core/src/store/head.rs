//! The head file: how far the store had come, kept outside it.
//!
//! One flipped byte in SQLite's log makes acknowledged saves vanish without an error, and an old copy of
//! the store passes every check of SQLite and SQLCipher. The head file remembers the last commit, so that
//! both are noticed. It is written in place after each commit, in one write of one sector and without
//! fsync: after a power cut it may be behind the store, which is allowed, and is never ahead of it.
//! It can say nothing when it was set back together with the store.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use hmac::Mac;

use super::error::OpenError;
use super::{canary, files};
use crate::schema::id::{Hash, StoreId};
use crate::secret::Key;

const MAGIC: &[u8; 16] = b"amparo-head-1\n\0\0";
const LABEL: &[u8] = b"amparo-head-1";
const BODY_BYTES: usize = 16 + 16 + 8 + 8 + 8 + 32;
const BYTES: usize = BODY_BYTES + 32;

/// How far a store has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The store.
    pub(super) store: StoreId,
    /// Its life.
    pub(super) incarnation: u64,
    /// Write transactions so far.
    pub(super) commits: u64,
    /// Counter of the last fact, 0 for none.
    pub(super) counter: u64,
    /// Its link in the chain, zeros for none.
    pub(super) hash: Hash,
}

/// What the head file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// There is none.
    Missing,
    /// It is damaged, or made with another key.
    Unreadable,
    /// It was at this point.
    At(Head),
}

impl Head {
    fn encode(&self) -> Vec<u8> {
        [
            &MAGIC[..],
            &self.store.0,
            &self.incarnation.to_be_bytes(),
            &self.commits.to_be_bytes(),
            &self.counter.to_be_bytes(),
            &self.hash.0,
        ]
        .concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let number = |from: usize| Some(u64::from_be_bytes(bytes.get(from..from + 8)?.try_into().ok()?));
        bytes.starts_with(MAGIC).then_some(())?;
        Some(Self {
            store: StoreId(bytes.get(16..32)?.try_into().ok()?),
            incarnation: number(32)?,
            commits: number(40)?,
            counter: number(48)?,
            hash: Hash(bytes.get(56..88)?.try_into().ok()?),
        })
    }
}

/// The key of the head file of a store.
pub(super) fn key(store_key: &Key) -> Result<Key, OpenError> {
    canary::subkey(store_key, LABEL)
}

/// Reads the head file of a store.
pub(super) fn read(store: &Path, key: &Key) -> Result<Read, OpenError> {
    let bytes = match std::fs::read(files::beside(store, files::HEAD)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Read::Missing),
        Err(error) => return Err(error.into()),
    };
    let (Some(body), Some(tag), BYTES) = (bytes.get(..BODY_BYTES), bytes.get(BODY_BYTES..), bytes.len())
    else {
        return Ok(Read::Unreadable);
    };
    let whole = canary::mac(key, body)?.verify_slice(tag).is_ok();
    Ok(Head::decode(body).filter(|_| whole).map_or(Read::Unreadable, Read::At))
}

/// The head file of an open store.
pub(super) struct HeadFile {
    file: File,
    key: Key,
}

impl HeadFile {
    /// Opens the head file, or makes one.
    pub(super) fn open(store: &Path, key: Key) -> Result<Self, OpenError> {
        let path = files::beside(store, files::HEAD);
        let file = File::options().write(true).create(true).truncate(false).open(path)?;
        Ok(Self { file, key })
    }

    /// Writes the head, not yet durably.
    pub(super) fn write(&mut self, head: &Head) -> Result<(), OpenError> {
        let body = head.encode();
        let tag = canary::mac(&self.key, &body)?.finalize().into_bytes();
        self.file.seek(SeekFrom::Start(0))?;
        Ok(self.file.write_all(&[&body[..], &tag].concat())?)
    }

    /// Makes the last write durable.
    pub(super) fn sync(&mut self) -> Result<(), OpenError> {
        Ok(self.file.sync_all()?)
    }

    /// The key, to read the file again.
    pub(super) fn key(&self) -> &Key {
        &self.key
    }
}
