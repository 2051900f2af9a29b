//! The relay's folder: settings, keys, and the way to the store.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use amparo_seal::random::bytes;
use amparo_seal::{SecretKey, Signer, is_address};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::args::Args;
use super::error::CliError;
use super::files::{Secret, make_folder, own, read, read_json, write_json};
use super::host::SystemEntropy;
use crate::relay::{Relay, Settings};
use crate::storage::Storage;
use crate::storage::postgres::Postgres;
use crate::storage::sqlite::Sqlite;

const FORMAT: u8 = 1;
/// The folder of the SQLite store, moved as a whole so that the file and its write-ahead log never part.
pub(super) const STORE: &str = "store";
/// Where a restore makes ready what takes its place.
pub(super) const RESTORED: &str = "store.restored";
/// The SQLite file in it.
pub(super) const SQLITE: &str = "relay.db";

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// With others.
    Shared,
    /// Alone.
    Alone,
}

/// The relay and a way to its store, which stays in its place as long as this lives.
pub(super) struct Opened {
    pub(super) relay: Arc<Relay>,
    pub(super) storage: Box<dyn Storage + Send>,
    /// Until dropped no restore moves the store away.
    pub(super) held: File,
}

/// Headquarters' keys, as `keys.json` has them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    format: u8,
    /// Seed of the Ed25519 key of receipts, certificates and revocations.
    signing: Secret,
    /// X25519 secret to which bundles are sealed.
    bundle: Secret,
}

/// What `settings.json` has.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    format: u8,
    url: String,
}

/// The relay's folder.
pub(super) struct Home {
    folder: PathBuf,
    database: Option<String>,
    database_ca: Option<PathBuf>,
}

impl Home {
    pub(super) fn new(args: &Args) -> Self {
        let Args { home, database, database_ca, .. } = args;
        Self { folder: home.clone(), database: database.clone(), database_ca: database_ca.clone() }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The SQLite file.
    ///
    /// # Errors
    /// [`CliError::Refused`] with PostgreSQL.
    pub(super) fn sqlite_file(&self) -> Result<PathBuf, CliError> {
        match self.database {
            None => Ok(self.file(STORE).join(SQLITE)),
            Some(_) => Err(CliError::Refused("PostgreSQL is backed up and restored by its own tools")),
        }
    }

    /// Makes folder, keys, settings and store.
    pub(super) fn make(&self, url: &str) -> Result<Arc<Relay>, CliError> {
        if !is_address(url) {
            return Err(CliError::Refused("the URL must be https, or http on loopback"));
        }
        if self.file("keys.json").exists() {
            return Err(CliError::Exists(self.file("keys.json").display().to_string()));
        }
        make_folder(&self.folder)?;
        let _held = self.hold("store.lock", Held::Shared)?;
        if self.database.is_none() {
            make_folder(&self.file(STORE))?;
        }
        let draw = || Ok::<_, CliError>(Secret(Zeroizing::new(bytes(&SystemEntropy)?)));
        let keys = Keys { format: FORMAT, signing: draw()?, bundle: draw()? };
        let kept = Kept { format: FORMAT, url: url.to_owned() };
        let relay = relay(&keys, &kept);
        // The store first: a folder with keys is whole. It becomes theirs last: a store has keys somewhere.
        let mut storage = self.connect()?;
        if relay.founder(&mut *storage)?.is_some() {
            return Err(foreign());
        }
        write_json(&self.file("settings.json"), &kept)?;
        write_json(&self.file("keys.json"), &keys)?;
        claim(&relay, &mut *storage)?;
        Ok(relay)
    }

    /// The relay with headquarters' keys.
    pub(super) fn relay(&self) -> Result<Arc<Relay>, CliError> {
        let keys: Option<Keys> = read_json(&self.file("keys.json"))?;
        let kept: Option<Kept> = read_json(&self.file("settings.json"))?;
        let (Some(keys), Some(kept)) = (keys, kept) else { return Err(self.not_made()) };
        if (keys.format, kept.format) != (FORMAT, FORMAT) {
            return Err(CliError::Damaged(self.folder.display().to_string()));
        }
        Ok(relay(&keys, &kept))
    }

    /// The relay and its store, which must be there and be of these keys.
    pub(super) fn open(&self) -> Result<Opened, CliError> {
        let relay = self.relay()?;
        let held = self.hold("store.lock", Held::Shared)?;
        if self.database.is_none() && !self.sqlite_file()?.exists() {
            let halfway = self.file(RESTORED).exists();
            let again = "a restore was interrupted and the store is not in its place; run `restore` again";
            return Err(if halfway { CliError::Refused(again) } else { self.not_made() });
        }
        let mut storage = self.connect()?;
        claim(&relay, &mut *storage)?;
        Ok(Opened { relay, storage, held })
    }

    /// The PostgreSQL database that the store replaces.
    ///
    /// # Errors
    /// [`CliError::Refused`] with SQLite.
    pub(super) fn before(&self, url: &str) -> Result<Box<dyn Storage + Send>, CliError> {
        match self.database {
            Some(_) => self.postgres(url),
            None => Err(CliError::Refused("`restore` does it for SQLite; this wants --database")),
        }
    }

    fn postgres(&self, url: &str) -> Result<Box<dyn Storage + Send>, CliError> {
        let authorities = self.database_ca.as_deref().map(read).transpose()?;
        Ok(Box::new(Postgres::open_trusting(url, authorities.as_deref())?))
    }

    fn connect(&self) -> Result<Box<dyn Storage + Send>, CliError> {
        if let Some(url) = &self.database {
            return self.postgres(url);
        }
        let file = self.sqlite_file()?;
        let store = Sqlite::open(&file, None)?;
        own(&file)?;
        Ok(Box::new(store))
    }

    /// Holds a lock file of the folder until dropped. Whoever opens the store shares `store.lock`; a restore
    /// wants it alone.
    pub(super) fn hold(&self, name: &str, how: Held) -> Result<File, CliError> {
        let path = self.file(name);
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(CliError::at(&path))?;
        let held = match how {
            Held::Alone => file.try_lock(),
            Held::Shared => file.try_lock_shared(),
        };
        match held {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(CliError::InUse),
            Err(std::fs::TryLockError::Error(why)) => Err(CliError::at(&path)(why)),
        }
    }

    fn not_made(&self) -> CliError {
        CliError::NotMade(self.folder.display().to_string(), "init")
    }
}

fn relay(keys: &Keys, kept: &Kept) -> Arc<Relay> {
    let bundle = SecretKey::new(&keys.bundle.0);
    Arc::new(Relay::new(Signer::from_seed(&keys.signing.0), bundle, Settings::local(&kept.url)))
}

/// Makes sure that the store is of these keys: receipts of others would be signed over it.
fn claim(relay: &Relay, storage: &mut dyn Storage) -> Result<(), CliError> {
    let founder = relay.found(storage)?;
    if founder == relay.headquarters().key { Ok(()) } else { Err(foreign()) }
}

fn foreign() -> CliError {
    CliError::Refused(
        "the store is of a headquarters with other keys: copy keys.json and settings.json of its first server",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_once_and_has_the_same_keys_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home { folder: folder.path().join("hq"), database: None, database_ca: None };
        assert!(matches!(home.open(), Err(CliError::NotMade(..))));
        assert!(!home.file("").exists(), "what opens makes nothing");
        let made = home.make("http://127.0.0.1:1").unwrap().headquarters();
        assert_eq!(home.open().unwrap().relay.headquarters(), made);
        assert!(matches!(home.make("http://127.0.0.1:1"), Err(CliError::Exists(_))));
        let _server = home.open().unwrap();
        assert!(home.open().is_ok());
        assert!(matches!(home.hold("store.lock", Held::Alone), Err(CliError::InUse)));
    }

    #[test]
    fn a_store_never_meets_the_keys_of_another_headquarters() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home { folder: folder.path().join("hq"), database: None, database_ca: None };
        home.make("http://127.0.0.1:1").unwrap();
        let keys = std::fs::read(home.file("keys.json")).unwrap();
        std::fs::remove_file(home.file("keys.json")).unwrap();
        assert!(matches!(home.make("http://127.0.0.1:1"), Err(CliError::Refused(_))));
        assert!(!home.file("keys.json").exists(), "new keys over an old store");
        let other = Home { folder: folder.path().join("other"), database: None, database_ca: None };
        other.make("http://127.0.0.1:1").unwrap();
        std::fs::copy(other.file("keys.json"), home.file("keys.json")).unwrap();
        assert!(matches!(home.open(), Err(CliError::Refused(_))));
        std::fs::write(home.file("keys.json"), keys).unwrap();
        assert!(home.open().is_ok());
    }
}
