//! The file beside the store that holds the store key, wrapped by the host's keystore.
//!
//! Never holds the key itself. Never makes a new key while a store is there: that store could not be opened
//! any more.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::Path;

use amparo_core::random::Entropy;
use amparo_core::secret::Key;
use zeroize::Zeroizing;

use crate::errors::FieldError;
use crate::host::KeyStore;

const FILE: &str = "store.key";
/// Becomes `FILE` in one step; locked while a key is made.
const NEW: &str = "store.key.new";
/// Bytes of a wrapped key; keystores add some hundred to the 32 of the key.
const WRAPPED_BYTES_MAX: u64 = 64 * 1024;

/// The key of the store in `folder`; `None` where there is neither key nor store.
pub(crate) fn read(
    folder: &Path,
    store_exists: bool,
    keystore: &dyn KeyStore,
) -> Result<Option<Key>, FieldError> {
    let file = folder.join(FILE);
    let wrapped = match std::fs::metadata(&file) {
        Ok(found) if found.len() > WRAPPED_BYTES_MAX => return Err(FieldError::KeyLost),
        Ok(_) => std::fs::read(&file).map_err(|e| io(&e))?,
        Err(e) if e.kind() == ErrorKind::NotFound && store_exists => return Err(FieldError::KeyLost),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io(&e)),
    };
    let plain = Zeroizing::new(keystore.unwrap(wrapped)?);
    key(&plain).map(Some)
}

/// Draws a key, has it wrapped and writes the file; the key is on disk before it is used. Whoever else is making
/// one meanwhile is `Busy`: of two keys, one would be overwritten and its store lost.
pub(crate) fn create(
    folder: &Path,
    keystore: &dyn KeyStore,
    entropy: &dyn Entropy,
) -> Result<Key, FieldError> {
    let file = claim(folder)?;
    let mut plain = Zeroizing::new([0; 32]);
    entropy.fill(&mut *plain).map_err(|_| FieldError::internal("no-randomness"))?;
    let wrapped = keystore.wrap(plain.to_vec())?;
    if wrapped.is_empty() || wrapped.len() as u64 > WRAPPED_BYTES_MAX {
        return Err(FieldError::Host { code: "wrapped-key-size".into() });
    }
    write(file, folder, &wrapped).map_err(|e| io(&e))?;
    Ok(Key::new(&plain))
}

/// A key from the bytes of a caller.
pub(crate) fn key(bytes: &[u8]) -> Result<Key, FieldError> {
    bytes.try_into().map(Key::new).map_err(|_| FieldError::invalid("key", "not-32-bytes"))
}

/// The new file, held against every other thread and process until it is dropped.
fn claim(folder: &Path) -> Result<File, FieldError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(folder.join(NEW)).map_err(|e| io(&e))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(FieldError::Busy),
        // A system without such locks has one process for each app.
        Err(TryLockError::Error(e)) if e.kind() != ErrorKind::Unsupported => return Err(io(&e)),
        _ => {}
    }
    // Another may have made its key between the look and the lock.
    if folder.join(FILE).exists() { Err(FieldError::Busy) } else { Ok(file) }
}

fn write(mut file: File, folder: &Path, wrapped: &[u8]) -> std::io::Result<()> {
    file.set_len(0)?;
    file.write_all(wrapped)?;
    file.sync_all()?;
    std::fs::rename(folder.join(NEW), folder.join(FILE))?;
    // The name is durable only once the folder is; systems that cannot sync a folder do it themselves.
    File::open(folder).and_then(|folder| folder.sync_all()).or(Ok(()))
}

/// A file error without its path.
pub(crate) fn io(error: &std::io::Error) -> FieldError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FieldError::DiskFull,
        _ => FieldError::internal("io"),
    }
}
