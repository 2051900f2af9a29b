//! The file beside the store that holds the store key, wrapped by the host's keystore.
//!
//! Never holds the key itself. Never makes a new key while a store is there: that store could not be opened
//! any more.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use amparo_core::random::Entropy;
use amparo_core::secret::Key;
use zeroize::Zeroizing;

use crate::errors::FieldError;
use crate::host::KeyStore;

const FILE: &str = "store.key";
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

/// Draws a key, has it wrapped and writes the file; the key is on disk before it is used.
pub(crate) fn create(
    folder: &Path,
    keystore: &dyn KeyStore,
    entropy: &dyn Entropy,
) -> Result<Key, FieldError> {
    let mut plain = Zeroizing::new([0; 32]);
    entropy.fill(&mut *plain).map_err(|_| FieldError::internal("no-randomness"))?;
    let wrapped = keystore.wrap(plain.to_vec())?;
    if wrapped.is_empty() || wrapped.len() as u64 > WRAPPED_BYTES_MAX {
        return Err(FieldError::Host { code: "wrapped-key-size".into() });
    }
    write(folder, &wrapped).map_err(|e| io(&e))?;
    Ok(Key::new(&plain))
}

/// A key from the bytes of a caller.
pub(crate) fn key(bytes: &[u8]) -> Result<Key, FieldError> {
    bytes.try_into().map(Key::new).map_err(|_| FieldError::invalid("key", "not-32-bytes"))
}

fn write(folder: &Path, wrapped: &[u8]) -> std::io::Result<()> {
    let new = folder.join("store.key.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(wrapped)?;
    file.sync_all()?;
    std::fs::rename(&new, folder.join(FILE))?;
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
