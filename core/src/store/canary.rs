//! The canary: a file that knows the key without telling it.
//!
//! SQLite gives one and the same error for a wrong key and for a damaged file. The canary, an HMAC under a
//! key derived from the store key, tells them apart. It is only ever asked, never trusted with anything.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::error::OpenError;
use super::files;
use crate::schema::id::Hash;
use crate::secret::Key;

const MAGIC: &[u8; 16] = b"amparo-canary-1\n";
const LABEL: &[u8] = b"amparo-canary-1";
const BYTES: usize = 16 + 32 + 32;

/// What the canary says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canary {
    /// It is the store's.
    Right,
    /// It is another one.
    Wrong,
    /// There is no canary, or it is damaged itself.
    Silent,
}

/// A key for one purpose, derived from the store key with HKDF-SHA-256.
pub(super) fn subkey(key: &Key, purpose: &[u8]) -> Result<Key, OpenError> {
    let mut out = zeroize::Zeroizing::new([0; 32]);
    hkdf::Hkdf::<Sha256>::new(None, key.expose())
        .expand(purpose, out.as_mut())
        .map_err(|_| OpenError::Internal { code: 0 })?;
    Ok(Key::new(&out))
}

/// An HMAC-SHA-256 over `message`, ready to be finished or compared.
pub(super) fn mac(key: &Key, message: &[u8]) -> Result<Hmac<Sha256>, OpenError> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose()).map_err(|_| OpenError::Internal { code: 0 })?;
    mac.update(message);
    Ok(mac)
}

/// Writes the canary of a store.
pub(super) fn write(store: &Path, key: &Key) -> Result<(), OpenError> {
    let tag = mac(&subkey(key, LABEL)?, MAGIC)?.finalize().into_bytes();
    let sum = Hash::of("amparo-canary-1", &[MAGIC, &tag]);
    let bytes = [&MAGIC[..], &tag, &sum.0].concat();
    Ok(files::write_whole(&files::beside(store, files::CANARY), &bytes)?)
}

/// Asks the canary of a store.
pub(super) fn ask(store: &Path, key: &Key) -> Result<Canary, OpenError> {
    let Ok(bytes) = std::fs::read(files::beside(store, files::CANARY)) else { return Ok(Canary::Silent) };
    let (Some(tag), Some(sum), BYTES) = (bytes.get(16..48), bytes.get(48..), bytes.len()) else {
        return Ok(Canary::Silent);
    };
    // A damaged canary must not accuse a right key, so it carries a plain checksum.
    if !bytes.starts_with(MAGIC) || Hash::of("amparo-canary-1", &[MAGIC, tag]).0 != sum {
        return Ok(Canary::Silent);
    }
    let right = mac(&subkey(key, LABEL)?, MAGIC)?.verify_slice(tag).is_ok();
    Ok(if right { Canary::Right } else { Canary::Wrong })
}
