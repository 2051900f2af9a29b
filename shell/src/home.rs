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

/// The name of the store in a data folder.
const STORE: &str = "store.db";

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
    /// The store was damaged and set aside: an empty one in its place would look whole.
    #[error("the store was damaged and set aside at {}; keep it, or choose another folder", place.display())]
    StoreAside {
        /// Where it is now.
        place: PathBuf,
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
    make(folder).map_err(io)?;
    let keystore = Keystore::at(folder);
    let store = folder.join(STORE);
    let clock = Arc::new(SystemClock::new());
    let trust = embedded::trust().map_err(Error::from)?;
    let device = match found(folder).map_err(io)? {
        Found::Gone => return Err(HomeError::StoreGone { place: folder.display().to_string() }),
        Found::Aside(place) => return Err(HomeError::StoreAside { place }),
        Found::Whole => {
            let key = unlock(&keystore, secret, ask, speaker)?;
            Device::open(&store, &key, trust, clock, Arc::new(SystemEntropy))?
        }
        Found::Nothing => {
            let key = match keystore.exists() {
                true => unlock(&keystore, secret, ask, speaker)?,
                false => first_key(&keystore, secret, ask, speaker)?,
            };
            Device::create(&store, &key, trust, clock, Arc::new(SystemEntropy))?
        }
    };
    private(folder).map_err(io)?;
    install_embedded(&device)?;
    Ok(device)
}

/// What of a store lies in a data folder.
enum Found {
    /// The store.
    Whole,
    /// None, or one whose making was cut short: nobody was ever told of it.
    Nothing,
    /// What belongs to it, without it.
    Gone,
    /// One that was damaged, under another name.
    Aside(PathBuf),
}

fn found(folder: &Path) -> std::io::Result<Found> {
    let beside = |suffix: &str| folder.join(format!("{STORE}{suffix}")).exists();
    // Another process may be making it now, and the store itself comes last: so it is looked for last.
    let (headed, unfinished) = (beside(".head"), beside(".new"));
    let aside = newest_aside(folder)?;
    Ok(match aside {
        _ if beside("") => Found::Whole,
        Some(aside) => Found::Aside(aside),
        None if headed && !unfinished => Found::Gone,
        None => Found::Nothing,
    })
}

/// The store that was set aside last.
fn newest_aside(folder: &Path) -> std::io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(STORE)?.strip_prefix(".set-aside-"));
        let number = number.and_then(|number| number.parse::<u32>().ok());
        newest = newest.max(number.map(|number| (number, folder.join(&name))));
    }
    Ok(newest.map(|(_, path)| path))
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

fn first_key(
    keystore: &Keystore,
    secret: Option<Zeroizing<String>>,
    ask: &mut dyn Ask,
    speaker: Speaker,
) -> Result<amparo_core::secret::Key, HomeError> {
    ask.tell(speaker.word(Word::FirstRun));
    let secret = match secret {
        Some(secret) => secret,
        None => new_secret(ask, speaker)?,
    };
    Ok(keystore.create(&secret, &SystemEntropy)?)
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

/// Makes the folder, where it is not there, for its owner alone. One that was there keeps its mode: it may hold more
/// than this, and be somebody else's.
fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Nobody else on this machine may read the files of the store, whatever the folder allows.
#[cfg(unix)]
fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(STORE) {
            // A file system without modes is no reason to keep anyone from their store.
            let _ = std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o600));
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &Path) -> std::io::Result<()> {
    Ok(())
}
