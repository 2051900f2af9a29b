//! The files of a store: their names, and setting them aside.
//!
//! Owns every rename. Never deletes a file that could hold something, never writes over one.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::OpenError;

/// Suffix of the file whose lock says that the store is in use. It holds nothing and stays where it is.
const LOCK: &str = ".lock";
/// SQLite's own files beside the store, the store, and ours; in the order in which they are set aside.
/// The log goes first: should the phone die in between, the store is still found, and its head file tells
/// that the log is missing.
const ALL: [&str; 5] = [WAL, "-shm", "", HEAD, CANARY];
/// Suffix of the head file.
pub(super) const HEAD: &str = ".head";
/// Suffix of the canary file.
pub(super) const CANARY: &str = ".canary";
/// Suffix of SQLite's write-ahead log.
pub(super) const WAL: &str = "-wal";

/// The file of this store with a suffix.
pub(super) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(store);
    name.push(suffix);
    PathBuf::from(name)
}

/// The first name `<store>.set-aside-<n>` that no file has.
fn free_name(store: &Path) -> PathBuf {
    let taken = |name: &Path| ALL.iter().any(|suffix| beside(name, suffix).exists());
    let mut n = 1_u32;
    loop {
        let name = beside(store, &format!(".set-aside-{n}"));
        if !taken(&name) || n == u32::MAX {
            return name;
        }
        n += 1;
    }
}

/// Takes the store for this object alone, until the file is dropped or the process dies. SQLite would let a
/// second one in, and each would go by what it remembers.
///
/// # Errors
/// [`OpenError::Busy`] when another process, or another object of this one, has it.
pub(super) fn lock(store: &Path) -> Result<File, OpenError> {
    let file = File::options().write(true).create(true).truncate(false).open(beside(store, LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Busy),
        // A file system without locks; no reason to keep anyone from their store.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Whether anything of a store lies here.
pub(super) fn any(store: &Path) -> bool {
    ALL.iter().any(|suffix| beside(store, suffix).exists())
}

/// Renames the store and everything beside it, so that it can be opened again under its new name.
///
/// # Errors
/// Of the operating system; what was renamed before the failure keeps its new name.
pub(super) fn set_aside(store: &Path) -> io::Result<PathBuf> {
    let name = free_name(store);
    for suffix in ALL {
        let from = beside(store, suffix);
        if from.exists() {
            std::fs::rename(from, beside(&name, suffix))?;
        }
    }
    sync_folder(store);
    Ok(name)
}

/// Copies the log and the head file, so that acknowledged saves which SQLite no longer shows can still be
/// looked for. Best effort: no room for a copy must not keep anyone from reading the rest.
pub(super) fn keep_evidence(store: &Path) {
    let name = free_name(store);
    for suffix in [WAL, HEAD] {
        let _ = std::fs::copy(beside(store, suffix), beside(&name, suffix));
    }
}

/// Writes a small file so that it is either there whole and durable, or not at all.
///
/// # Errors
/// Of the operating system.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_folder(path);
    Ok(())
}

/// Makes renames in the folder of `path` durable, where the system has a way.
pub(super) fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Not every system lets a folder be opened; then renames are as durable as the system makes them.
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}
