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
use crate::relay::{Durability, Relay, Settings};
use crate::storage::Storage;
use crate::storage::postgres::Postgres;
use crate::storage::sqlite::Sqlite;

const FORMAT: u8 = 1;

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
            None => Ok(self.file("relay.db")),
            Some(_) => Err(CliError::Refused("PostgreSQL is backed up and restored by its own tools")),
        }
    }

    /// Makes folder, keys, settings and store.
    pub(super) fn make(&self, url: &str) -> Result<Arc<Relay>, CliError> {
        if !is_address(url) {
            return Err(CliError::Refused("the URL must be https, or http on loopback"));
        }
        make_folder(&self.folder)?;
        if self.file("keys.json").exists() {
            return Err(CliError::Exists(self.file("keys.json").display().to_string()));
        }
        // The store first: a folder with keys is whole.
        self.connect()?;
        write_json(&self.file("settings.json"), &Kept { format: FORMAT, url: url.to_owned() })?;
        let draw = || Ok::<_, CliError>(Secret(Zeroizing::new(bytes(&SystemEntropy)?)));
        let keys = Keys { format: FORMAT, signing: draw()?, bundle: draw()? };
        write_json(&self.file("keys.json"), &keys)?;
        self.relay(Durability::Local)
    }

    /// The relay with headquarters' keys.
    pub(super) fn relay(&self, durability: Durability) -> Result<Arc<Relay>, CliError> {
        let keys: Option<Keys> = read_json(&self.file("keys.json"))?;
        let kept: Option<Kept> = read_json(&self.file("settings.json"))?;
        let (Some(keys), Some(kept)) = (keys, kept) else { return Err(self.not_made()) };
        if (keys.format, kept.format) != (FORMAT, FORMAT) {
            return Err(CliError::Damaged(self.folder.display().to_string()));
        }
        let settings = Settings { durability, ..Settings::local(&kept.url) };
        let bundle = SecretKey::new(&keys.bundle.0);
        Ok(Arc::new(Relay::new(Signer::from_seed(&keys.signing.0), bundle, settings)))
    }

    /// A way to the store, which must be there.
    pub(super) fn storage(&self) -> Result<Box<dyn Storage + Send>, CliError> {
        if self.database.is_none() && !self.sqlite_file()?.exists() {
            return Err(self.not_made());
        }
        self.connect()
    }

    fn connect(&self) -> Result<Box<dyn Storage + Send>, CliError> {
        if let Some(url) = &self.database {
            let authorities = self.database_ca.as_deref().map(read).transpose()?;
            return Ok(Box::new(Postgres::open_trusting(url, authorities.as_deref())?));
        }
        let file = self.sqlite_file()?;
        let store = Sqlite::open(&file, None)?;
        own(&file)?;
        Ok(Box::new(store))
    }

    /// Keeps the store in its place until dropped. Servers share it; a restore wants it alone.
    pub(super) fn hold(&self, alone: bool) -> Result<File, CliError> {
        let path = self.file("serve.lock");
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(CliError::at(&path))?;
        let held = if alone { file.try_lock() } else { file.try_lock_shared() };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_once_and_has_the_same_keys_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home { folder: folder.path().join("hq"), database: None, database_ca: None };
        assert!(matches!(home.relay(Durability::Local), Err(CliError::NotMade(..))));
        let made = home.make("http://127.0.0.1:1").unwrap().headquarters();
        assert_eq!(home.relay(Durability::Local).unwrap().headquarters(), made);
        assert!(matches!(home.make("http://127.0.0.1:1"), Err(CliError::Exists(_))));
        let _server = home.hold(false).unwrap();
        assert!(home.hold(false).is_ok());
        assert!(matches!(home.hold(true), Err(CliError::InUse)));
    }
}
