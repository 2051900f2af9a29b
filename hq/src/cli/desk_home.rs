//! A desk's folder: settings and keys.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_seal::random::bytes;
use amparo_seal::secret::Key;
use amparo_seal::{SecretKey, Signer, VerifyKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::client::Client;
use super::error::CliError;
use super::files::{Secret, make_folder, own, read_json, write_json};
use super::host::SystemEntropy;
use crate::desk::report::Rules;
use crate::desk::{Desk, Keys};

const FORMAT: u8 = 1;

/// What `desk.json` has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) format: u8,
    pub(super) agency: Name,
    pub(super) services: BTreeSet<Name>,
    pub(super) url: String,
    /// Headquarters' Ed25519 public keys, pinned.
    pub(super) headquarters: Vec<Hash>,
    pub(super) ca: Option<PathBuf>,
}

/// What `desk-keys.json` has.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    format: u8,
    /// Encrypts the desk's store.
    store: Secret,
    /// Seed of the Ed25519 key with which the desk signs.
    sign: Secret,
    /// X25519 keys with which it reads, the one in use first.
    read: Vec<Secret>,
}

/// A desk's folder.
pub(super) struct DeskHome {
    folder: PathBuf,
    pub(super) settings: Settings,
    kept: Kept,
}

impl DeskHome {
    /// Makes folder, settings, keys and store.
    pub(super) fn make(folder: &Path, settings: Settings) -> Result<Self, CliError> {
        // A URL or certificate that cannot work is told now.
        Client::new(&settings.url, settings.ca.as_deref())?;
        make_folder(folder)?;
        if folder.join("desk-keys.json").exists() {
            return Err(CliError::Exists(folder.join("desk-keys.json").display().to_string()));
        }
        let kept = Kept { format: FORMAT, store: draw()?, sign: draw()?, read: vec![draw()?] };
        write_json(&folder.join("desk.json"), &settings)?;
        write_json(&folder.join("desk-keys.json"), &kept)?;
        let home = Self { folder: folder.to_owned(), settings, kept };
        home.desk(Rules::default())?;
        Ok(home)
    }

    /// Opens the folder.
    pub(super) fn open(folder: &Path) -> Result<Self, CliError> {
        let settings: Option<Settings> = read_json(&folder.join("desk.json"))?;
        let kept: Option<Kept> = read_json(&folder.join("desk-keys.json"))?;
        let (Some(settings), Some(kept)) = (settings, kept) else {
            return Err(CliError::NotMade(folder.display().to_string(), "desk init"));
        };
        if (settings.format, kept.format) != (FORMAT, FORMAT) {
            return Err(CliError::Damaged(folder.display().to_string()));
        }
        Ok(Self { folder: folder.to_owned(), settings, kept })
    }

    /// The desk.
    pub(super) fn desk(&self, rules: Rules) -> Result<Desk, CliError> {
        let keys = Keys {
            read: self.kept.read.iter().map(|secret| SecretKey::new(&secret.0)).collect(),
            sign: self.signer(),
            headquarters: self.settings.headquarters.iter().map(|key| VerifyKey::from(*key)).collect(),
            agency: self.settings.agency.clone(),
            services: self.settings.services.clone(),
        };
        let file = self.folder.join("desk.db");
        let desk = Desk::open(&file, &Key::new(&self.kept.store.0), keys, rules)?;
        own(&file)?;
        Ok(desk)
    }

    /// The key with which the desk signs.
    pub(super) fn signer(&self) -> Signer {
        Signer::from_seed(&self.kept.sign.0)
    }

    /// How grants name the keys with which the desk reads, the one in use first.
    pub(super) fn recipients(&self) -> Vec<[u8; 8]> {
        self.kept.read.iter().map(|secret| SecretKey::new(&secret.0).public().id()).collect()
    }

    /// The way to headquarters.
    pub(super) fn client(&self) -> Result<Client, CliError> {
        Client::new(&self.settings.url, self.settings.ca.as_deref())
    }

    /// Makes a new key to read with.
    pub(super) fn new_key(&mut self) -> Result<(), CliError> {
        self.kept.read.insert(0, draw()?);
        write_json(&self.folder.join("desk-keys.json"), &self.kept)
    }

    /// What headquarters must register, and the recipients pack name.
    pub(super) fn public(&self) -> Value {
        let key = self.kept.read.first().map(|secret| Hash(*SecretKey::new(&secret.0).public().bytes()));
        let (agency, signing) = (&self.settings.agency, Hash(self.signer().public().0));
        let key = key.map(|key| key.to_string()).unwrap_or_default();
        let register = format!("amparo-hq recipient add {agency} {key} {signing}");
        json!({ "agency": agency, "key": key, "signing": signing, "headquarters_registers_by": register })
    }
}

fn draw() -> Result<Secret, CliError> {
    Ok(Secret(Zeroizing::new(bytes(&SystemEntropy)?)))
}
