//! Making stores, copying them as a dying process leaves them, and damaging the copies.
#![allow(dead_code, reason = "each test program uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use amparo_core::random::SeededEntropy;
use amparo_core::schema::fact::Compartment;
use amparo_core::schema::id::Hash;
use amparo_core::secret::Key;
use amparo_core::store::{OpenError, Store, StoreError, fact};
use amparo_core::time::Moment;

/// A moment.
pub(crate) const NOW: Moment = Moment { wall_ms: 1_800_000_000_000, offset_minutes: -240, steady_ms: 1 };

/// The key of the test stores.
pub(crate) fn key() -> Key {
    Key::new(&[7; 32])
}

/// A name for a store in a folder.
pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join("amparo.db")
}

/// A new store.
pub(crate) fn create(folder: &Path) -> Store {
    Store::create(&path(folder), &key(), &SeededEntropy::new(1), NOW).unwrap()
}

/// Opens the store of a folder.
pub(crate) fn open(folder: &Path) -> Result<Store, OpenError> {
    Store::open(&path(folder), &key(), &SeededEntropy::new(2), NOW)
}

/// Appends one fact in a transaction of its own.
pub(crate) fn append(store: &Store, body: &[u8]) -> (u64, Hash) {
    store.write(|tx| fact::append(tx, None, Compartment::Case, body)).unwrap()
}

/// The bodies of all facts.
pub(crate) fn bodies(store: &Store) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    store.read(|rows| Ok(fact::from(rows, 1, u32::MAX)?.into_iter().map(|fact| fact.body).collect()))
}

/// Copies every file of a folder but SQLite's shared memory, which a power cut loses: what a process that
/// dies now leaves behind.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = file.file_name();
        if !name.to_string_lossy().ends_with("-shm") {
            fs::copy(file.path(), to.join(name)).unwrap();
        }
    }
}

/// Every file of a folder with its bytes, but the lock, which is empty and stays.
pub(crate) fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
        .filter(|(name, bytes)| !(name.ends_with(".lock") && bytes.is_empty()))
        .collect()
}

/// Flips all bits of one byte after another, `step` bytes apart from `start` on, each in a fresh copy of
/// `folder`, and hands the copy to `judge`. Returns how many it flipped.
pub(crate) fn flip_each(
    folder: &Path,
    file: &str,
    start: usize,
    step: usize,
    mut judge: impl FnMut(&Path, usize),
) -> usize {
    let whole = fs::read(folder.join(file)).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut flips = 0;
    for at in (start..whole.len()).step_by(step) {
        let copy_folder = scratch.path().join("copy");
        let _ = fs::remove_dir_all(&copy_folder);
        copy(folder, &copy_folder);
        let mut bytes = whole.clone();
        bytes[at] ^= 0xFF;
        fs::write(copy_folder.join(file), bytes).unwrap();
        judge(&copy_folder, at);
        flips += 1;
    }
    flips
}

/// What became of a damaged store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Every save is there, unchanged.
    Harmless,
    /// Opening said so.
    Refused,
    /// The store opened and its findings said so.
    Finding,
    /// The store opened and only `verify` said so.
    Verify,
    /// A read said so, before `verify` was asked.
    Read,
    /// Saves are missing or changed and nothing said so.
    Silent,
}

/// Opens a damaged copy and tells how the damage shows.
pub(crate) fn judge(folder: &Path, wanted: &[Vec<u8>]) -> Outcome {
    let store = match open(folder) {
        Ok(store) => store,
        Err(OpenError::Damaged { .. } | OpenError::Unreadable | OpenError::WrongKey) => {
            return Outcome::Refused;
        }
        Err(other) => panic!("{other:?}"),
    };
    if !store.findings().is_empty() {
        return Outcome::Finding;
    }
    let read = bodies(&store);
    assert!(matches!(read, Ok(_) | Err(StoreError::Damaged)), "{read:?}");
    if !store.verify().unwrap().faults.is_empty() {
        return if read.is_err() { Outcome::Read } else { Outcome::Verify };
    }
    match read {
        Err(_) => Outcome::Read,
        Ok(found) if found.iter().map(|b| b.as_deref()).eq(wanted.iter().map(|b| Some(&b[..]))) => {
            Outcome::Harmless
        }
        Ok(_) => Outcome::Silent,
    }
}
