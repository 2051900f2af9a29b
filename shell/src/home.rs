//! The data folder: key file, store, and the first run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo_core::device::{Device, Error};
use zeroize::Zeroizing;

use crate::ask::{Ask, Ended};
use crate::embedded;
use crate::host::{SystemClock, SystemEntropy};
use crate::keystore::{Keystore, KeystoreError, PASSPHRASE_CHARS_MIN};
use crate::words::{Speaker, Word};

/// Why the data folder did not open.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// No key.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The device.
    #[error(transparent)]
    Device(#[from] Error),
    /// The input ended.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// The system refused.
    #[error("{place}: {why}")]
    Io {
        /// Which file or folder.
        place: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// The store is gone, and what belongs to it is here: an empty one in its place would look whole.
    #[error(
        "{place}: the store is gone, but its key and head file are here; put it back, or choose another folder"
    )]
    StoreGone {
        /// The data folder.
        place: String,
    },
    /// No data folder is known.
    #[error("no data folder: set AMPARO_HOME or give --home")]
    NoFolder,
}

/// The data folder: the given one, else the user's.
///
/// # Errors
/// [`HomeError::NoFolder`] when the system names none.
pub fn folder(given: Option<&Path>) -> Result<PathBuf, HomeError> {
    if let Some(folder) = given {
        return Ok(folder.to_owned());
    }
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("XDG_DATA_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".local/share")))
        .or_else(|| from("LOCALAPPDATA"))
        .map(|data| data.join("amparo"))
        .ok_or(HomeError::NoFolder)
}

/// Opens the device of a data folder; at the first run makes the key file and the store and installs the
/// embedded content. `secret` is a passphrase from a file; without one it is asked for.
///
/// # Errors
/// [`HomeError`].
pub fn open(
    folder: &Path,
    secret: Option<Zeroizing<String>>,
    ask: &mut dyn Ask,
    speaker: Speaker,
) -> Result<Device, HomeError> {
    let io = |why| HomeError::Io { place: folder.display().to_string(), why };
    std::fs::create_dir_all(folder).map_err(io)?;
    private(folder).map_err(io)?;
    let keystore = Keystore::at(folder);
    let store = folder.join("store.db");
    let clock = Arc::new(SystemClock::new());
    let trust = embedded::trust().map_err(Error::from)?;
    let device = if keystore.exists() || store.exists() {
        let key = unlock(&keystore, secret, ask, speaker)?;
        if store.exists() {
            Device::open(&store, &key, trust, clock, Arc::new(SystemEntropy))?
        } else if folder.join("store.db.head").exists() {
            return Err(HomeError::StoreGone { place: folder.display().to_string() });
        } else {
            Device::create(&store, &key, trust, clock, Arc::new(SystemEntropy))?
        }
    } else {
        ask.tell(speaker.word(Word::FirstRun));
        let secret = match secret {
            Some(secret) => secret,
            None => new_secret(ask, speaker)?,
        };
        let key = keystore.create(&secret, &SystemEntropy)?;
        Device::create(&store, &key, trust, clock, Arc::new(SystemEntropy))?
    };
    install_embedded(&device)?;
    Ok(device)
}

/// Installs what this shell carries, where it is newer than what is there.
///
/// # Errors
/// [`Error`] when a pack does not verify: a fault of the build.
pub fn install_embedded(device: &Device) -> Result<(), Error> {
    let installed = device.packs()?;
    for bytes in embedded::PACKS {
        let pack = amparo_core::pack::glance(bytes)?;
        let newest = installed
            .iter()
            .filter(|line| line.header.kind == pack.kind && line.header.id == pack.id)
            .map(|line| line.header.version)
            .max();
        if newest.is_none_or(|newest| newest < pack.version) {
            device.install(bytes)?;
        }
    }
    Ok(())
}

fn unlock(
    keystore: &Keystore,
    secret: Option<Zeroizing<String>>,
    ask: &mut dyn Ask,
    speaker: Speaker,
) -> Result<amparo_core::secret::Key, HomeError> {
    if let Some(secret) = secret {
        return Ok(keystore.unlock(&secret)?);
    }
    loop {
        let secret = ask.secret(speaker.word(Word::Secret))?;
        match keystore.unlock(&secret) {
            Err(KeystoreError::Wrong { left }) => {
                ask.tell(&format!("{} {left}", speaker.word(Word::SecretWrong)));
            }
            other => return Ok(other?),
        }
    }
}

fn new_secret(ask: &mut dyn Ask, speaker: Speaker) -> Result<Zeroizing<String>, HomeError> {
    loop {
        let secret = ask.secret(speaker.word(Word::NewSecret))?;
        if secret.chars().count() < crate::keystore::SECRET_CHARS_MIN {
            ask.tell(&KeystoreError::TooShort.to_string());
            continue;
        }
        if ask.secret(speaker.word(Word::NewSecretAgain))? != secret {
            ask.tell(speaker.word(Word::SecretsDiffer));
            continue;
        }
        if secret.chars().count() < PASSPHRASE_CHARS_MIN {
            ask.tell(speaker.word(Word::SecretShort));
        }
        return Ok(secret);
    }
}

/// Nobody else on this machine may look into the folder.
#[cfg(unix)]
fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private(_: &Path) -> std::io::Result<()> {
    Ok(())
}
