//! The terminal shell's own keystore: a key file that a passphrase or PIN opens.
//!
//! Owns the wrapped store key and the count of wrong attempts. A phone's shell uses the phone's keystore
//! instead; this file stands in for it where there is none. Never keeps the passphrase, never deletes a
//! store. The count is on disk before an attempt is tried, so killing the program gains nothing; after
//! [`UNLOCK_ATTEMPTS_MAX`] wrong attempts the wrapped key is destroyed.
//!
//! What it cannot do: someone who copies the files can guess on another machine, at the cost of one Argon2id
//! per guess, and can put an old count back. Only a hardware keystore prevents that; so a passphrase is asked
//! for, and a short PIN is warned about.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use amparo_core::random::{self, Entropy};
use amparo_core::secret::Key;
use amparo_schema::limits::UNLOCK_ATTEMPTS_MAX;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Shortest passphrase or PIN, in characters.
pub const SECRET_CHARS_MIN: usize = 6;
/// Shorter than this a secret is called a PIN, and its weakness against copied files is told.
pub const PASSPHRASE_CHARS_MIN: usize = 12;

/// Longest key file that is read.
const FILE_BYTES_MAX: usize = 4096;
const LABEL: &[u8] = b"amparo-keyfile-1";

/// The keystore of one data folder.
#[derive(Debug)]
pub struct Keystore {
    file: PathBuf,
    attempts: PathBuf,
    lock: PathBuf,
}

/// Why no key came out.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// There is no key file.
    #[error("there is no key file here")]
    Missing,
    /// There is one already.
    #[error("there is a key file here already")]
    Exists,
    /// The secret is shorter than [`SECRET_CHARS_MIN`].
    #[error("too short: at least {SECRET_CHARS_MIN} characters")]
    TooShort,
    /// The secret is wrong.
    #[error("wrong passphrase or PIN; {left} attempts left")]
    Wrong {
        /// How many attempts are left.
        left: u32,
    },
    /// Too many wrong attempts: the key is gone, and with it all that was not sent yet.
    #[error("too many wrong attempts: the key was destroyed")]
    Destroyed,
    /// The key file or the count does not read.
    #[error("the key file is damaged at {place}")]
    Damaged {
        /// Which part.
        place: &'static str,
    },
    /// The system refused.
    #[error("the key file cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// The host gives no randomness.
    #[error(transparent)]
    NoEntropy(#[from] random::NoEntropy),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: u8,
    memory_kib: u32,
    passes: u32,
    salt: Vec<u8>,
    nonce: Vec<u8>,
    wrapped: Vec<u8>,
}

impl Keystore {
    /// The keystore in a data folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self {
            file: folder.join("key.json"),
            attempts: folder.join("key.attempts"),
            lock: folder.join("key.lock"),
        }
    }

    /// True when there is a key file.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.file.exists()
    }

    /// Draws a new store key, wraps it under the secret and writes the key file.
    ///
    /// # Errors
    /// [`KeystoreError::TooShort`], [`KeystoreError::Exists`], or what the system says.
    pub fn create(&self, secret: &str, entropy: &dyn Entropy) -> Result<Key, KeystoreError> {
        if secret.chars().count() < SECRET_CHARS_MIN {
            return Err(KeystoreError::TooShort);
        }
        let _alone = self.alone()?;
        if self.exists() {
            return Err(KeystoreError::Exists);
        }
        let key = Zeroizing::new(random::bytes::<32>(entropy)?);
        let (salt, nonce) = (random::bytes::<16>(entropy)?, random::bytes::<24>(entropy)?);
        let mut file = KeyFile {
            format: 1,
            memory_kib: 64 * 1024,
            passes: 3,
            salt: salt.to_vec(),
            nonce: nonce.to_vec(),
            wrapped: Vec::new(),
        };
        let cipher = file.cipher(secret)?;
        file.wrapped = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: key.as_slice(), aad: LABEL })
            .map_err(|_| KeystoreError::Damaged { place: "wrapped" })?;
        self.count(0)?;
        let text = serde_json::to_vec(&file).map_err(|_| KeystoreError::Damaged { place: "form" })?;
        write_durably(&self.file, &text)?;
        Ok(Key::new(&key))
    }

    /// Unwraps the store key.
    ///
    /// # Errors
    /// [`KeystoreError::Wrong`] with the attempts that are left, [`KeystoreError::Destroyed`] when none is,
    /// [`KeystoreError::Missing`], [`KeystoreError::Damaged`], or what the system says.
    pub fn unlock(&self, secret: &str) -> Result<Key, KeystoreError> {
        let _alone = self.alone()?;
        let tried = self.tried()?;
        if tried >= UNLOCK_ATTEMPTS_MAX {
            return Err(self.destroy());
        }
        let file = self.read()?;
        self.count(tried.saturating_add(1))?;
        let nonce: [u8; 24] =
            file.nonce.as_slice().try_into().map_err(|_| KeystoreError::Damaged { place: "nonce" })?;
        let plain = file
            .cipher(secret)?
            .decrypt(&XNonce::from(nonce), Payload { msg: &file.wrapped, aad: LABEL })
            .map(Zeroizing::new);
        let Ok(plain) = plain else {
            let left = UNLOCK_ATTEMPTS_MAX.saturating_sub(tried.saturating_add(1));
            return Err(if left == 0 { self.destroy() } else { KeystoreError::Wrong { left } });
        };
        let key: &[u8; 32] =
            plain.as_slice().try_into().map_err(|_| KeystoreError::Damaged { place: "wrapped" })?;
        self.count(0)?;
        Ok(Key::new(key))
    }

    /// Waits until no other process tries a secret: two at once would count as one.
    fn alone(&self) -> Result<fs::File, KeystoreError> {
        let file = fs::File::options().write(true).create(true).truncate(false).open(&self.lock)?;
        match file.lock() {
            Err(e) if e.kind() != std::io::ErrorKind::Unsupported => Err(e.into()),
            _ => Ok(file),
        }
    }

    fn read(&self) -> Result<KeyFile, KeystoreError> {
        let bytes = match fs::read(&self.file) {
            Ok(bytes) if bytes.len() <= FILE_BYTES_MAX => bytes,
            Ok(_) => return Err(KeystoreError::Damaged { place: "length" }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(KeystoreError::Missing),
            Err(e) => return Err(e.into()),
        };
        let file: KeyFile =
            serde_json::from_slice(&bytes).map_err(|_| KeystoreError::Damaged { place: "form" })?;
        if file.format == 1 { Ok(file) } else { Err(KeystoreError::Damaged { place: "format" }) }
    }

    /// Attempts since the last success. A count that does not read is no free attempt: it is damage.
    fn tried(&self) -> Result<u32, KeystoreError> {
        match fs::read_to_string(&self.attempts) {
            Ok(text) => text.trim().parse().map_err(|_| KeystoreError::Damaged { place: "attempts" }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !self.exists() => {
                Err(KeystoreError::Missing)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Err(KeystoreError::Damaged { place: "attempts" })
            }
            Err(e) => Err(e.into()),
        }
    }

    fn count(&self, tried: u32) -> Result<(), KeystoreError> {
        Ok(write_durably(&self.attempts, format!("{tried}\n").as_bytes())?)
    }

    /// Overwrites and removes the wrapped key. The store stays where it is, and nothing opens it any more.
    fn destroy(&self) -> KeystoreError {
        match self.overwrite().and_then(|()| fs::remove_file(&self.file)) {
            Ok(()) => KeystoreError::Destroyed,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => KeystoreError::Destroyed,
            Err(e) => KeystoreError::Io(e),
        }
    }

    /// In place: a new file under the old name would leave the old bytes on the disk.
    fn overwrite(&self) -> std::io::Result<()> {
        let mut file = fs::File::options().write(true).open(&self.file)?;
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(0).min(FILE_BYTES_MAX);
        file.write_all(&vec![0; length])?;
        file.sync_all()
    }
}

impl KeyFile {
    fn cipher(&self, secret: &str) -> Result<XChaCha20Poly1305, KeystoreError> {
        let costs_ok = (8..=1024 * 1024).contains(&self.memory_kib) && (1..=100).contains(&self.passes);
        if !costs_ok {
            return Err(KeystoreError::Damaged { place: "cost" });
        }
        let params = Params::new(self.memory_kib, self.passes, 1, Some(32))
            .map_err(|_| KeystoreError::Damaged { place: "cost" })?;
        let mut wrapping = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(secret.as_bytes(), &self.salt, wrapping.as_mut_slice())
            .map_err(|_| KeystoreError::Damaged { place: "salt" })?;
        Ok(XChaCha20Poly1305::new((&*wrapping).into()))
    }
}

/// Writes a file so that after a crash it holds the old bytes or the new ones. On Unix its owner alone may read it.
///
/// # Errors
/// What the system says.
pub fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temp = path.with_extension("new");
    let done = write_new(&temp, bytes).and_then(|()| fs::rename(&temp, path));
    if done.is_err() {
        // It may hold what must not lie here; where it cannot be removed either, the first error says more.
        let _ = fs::remove_file(&temp);
    }
    done?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use amparo_core::random::SeededEntropy;

    use super::*;

    fn made() -> (tempfile::TempDir, Keystore, [u8; 32]) {
        let folder = tempfile::tempdir().unwrap();
        let store = Keystore::at(folder.path());
        let key = *store.create("correct horse", &SeededEntropy::new(1)).unwrap().expose();
        (folder, store, key)
    }

    #[test]
    fn opens_with_the_secret_and_counts_what_is_wrong() {
        let (_folder, store, key) = made();
        assert!(matches!(store.unlock("correct hors"), Err(KeystoreError::Wrong { left: 9 })));
        assert!(matches!(store.unlock(""), Err(KeystoreError::Wrong { left: 8 })));
        assert_eq!(store.unlock("correct horse").unwrap().expose(), &key);
        assert!(matches!(store.unlock("no"), Err(KeystoreError::Wrong { left: 9 })));
    }

    /// Each attempt dies before its result is known: the count still rises, and the tenth is the last.
    #[test]
    fn a_kill_between_count_and_check_gains_nothing() {
        let (_folder, store, _) = made();
        for tried in 1..=UNLOCK_ATTEMPTS_MAX {
            store.count(tried).unwrap();
        }
        assert!(matches!(store.unlock("correct horse"), Err(KeystoreError::Destroyed)));
        assert!(!store.exists());
        assert!(matches!(store.unlock("correct horse"), Err(KeystoreError::Destroyed)));
    }

    #[test]
    fn attempts_at_the_same_time_are_each_counted() {
        let (_folder, store, _) = made();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(store.unlock("wrong one").is_err()));
            }
        });
        assert_eq!(store.tried().unwrap(), 4);
    }

    #[test]
    fn what_cannot_be_put_in_its_place_does_not_stay_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("packet.json");
        fs::create_dir(&taken).unwrap();
        assert!(write_durably(&taken, b"synthetic").is_err(), "a folder is in the way");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// A second name for the key file still leads to its bytes after the first is gone.
    #[test]
    fn a_destroyed_key_is_overwritten_and_not_only_unlinked() {
        let (folder, store, _) = made();
        let second = folder.path().join("second-name");
        fs::hard_link(&store.file, &second).unwrap();
        store.count(UNLOCK_ATTEMPTS_MAX).unwrap();
        assert!(matches!(store.unlock("correct horse"), Err(KeystoreError::Destroyed)));
        assert!(fs::read(&second).unwrap().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn every_flipped_byte_is_found() {
        let (_folder, store, key) = made();
        let good = fs::read(&store.file).unwrap();
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&store.file, &bad).unwrap();
            store.count(0).unwrap();
            if let Ok(opened) = store.unlock("correct horse") {
                assert_eq!(opened.expose(), &key, "byte {at}");
            }
        }
    }

    #[test]
    fn refuses_a_short_secret_and_a_lost_count() {
        let folder = tempfile::tempdir().unwrap();
        let store = Keystore::at(folder.path());
        assert!(matches!(store.create("12345", &SeededEntropy::new(1)), Err(KeystoreError::TooShort)));
        assert!(matches!(store.unlock("123456"), Err(KeystoreError::Missing)));
        store.create("123456", &SeededEntropy::new(1)).unwrap();
        fs::remove_file(&store.attempts).unwrap();
        assert!(matches!(store.unlock("123456"), Err(KeystoreError::Damaged { place: "attempts" })));
    }
}
