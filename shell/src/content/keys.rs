//! Keys for demonstration, derived from phrases that are published beside the content.
//!
//! They show how signing works and sign nothing real: whoever reads the file can sign. Real keys are made
//! and kept elsewhere, and only their public halves ever come into a root file.

use std::collections::BTreeMap;
use std::path::Path;

use amparo_core::pack::key_id;
use amparo_core::seal::SecretKey;
use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_schema::pack::root::{Authority, Root};
use amparo_schema::pack::{FORMAT, Kind};
use amparo_schema::person::Country;
use ed25519_dalek::SigningKey;
use jiff::civil::Date;
use serde::Deserialize;

use super::finding::ContentError;
use super::yaml;

/// The file of demonstration keys, within the folder of content.
pub const KEYS_FILE: &str = "keys/demo.yaml";
/// The root file made from it.
pub const ROOT_FILE: &str = "keys/root.json";

/// The phrase of the demonstration custodian, published here and in `content/keys/README.md`.
pub const DEMO_CUSTODIAN_PHRASE: &str = "amparo demo custodian: published, protects nothing real";

/// Signing keys and the root file that names them.
pub struct Keys {
    /// The root file.
    pub root: Root,
    signing: BTreeMap<Hash, SigningKey>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("root", &self.root).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    expires: Date,
    /// Phrase by name of key.
    keys: BTreeMap<Name, String>,
    authorities: BTreeMap<Name, Party>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Party {
    keys: Vec<Name>,
    threshold: u32,
    kinds: Vec<Kind>,
    #[serde(default)]
    countries: Vec<Country>,
}

impl Keys {
    /// Reads [`KEYS_FILE`] of a folder of content.
    ///
    /// # Errors
    /// [`ContentError::Io`], [`ContentError::Keys`].
    pub fn read(dir: &Path) -> Result<Self, ContentError> {
        let path = dir.join(KEYS_FILE);
        let text = std::fs::read_to_string(&path).map_err(ContentError::io(&path))?;
        Self::parse(&text).map_err(|why| ContentError::Keys { path, why })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let tree = yaml::parse(text).map_err(|e| e.to_string())?;
        let file: File = yaml::read(&tree).map_err(|e| e.to_string())?;
        let by_name: BTreeMap<_, _> =
            file.keys.iter().map(|(name, phrase)| (name, signing_key(phrase))).collect();
        let mut authorities = BTreeMap::new();
        for (name, party) in file.authorities {
            let mut keys = Vec::new();
            for key in &party.keys {
                let key = by_name.get(key).ok_or_else(|| format!("{name} names no key {key}"))?;
                keys.push(id(key));
            }
            let Party { threshold, kinds, countries, .. } = party;
            authorities.insert(name, Authority { keys, threshold, kinds, countries });
        }
        let keys = by_name.values().map(|key| (id(key), Hash(key.verifying_key().to_bytes()))).collect();
        let root = Root { format: FORMAT, version: file.version, expires: file.expires, keys, authorities };
        Ok(Self { root, signing: by_name.into_values().map(|key| (id(&key), key)).collect() })
    }

    /// The keys with which an authority signs; empty when there is no such authority.
    #[must_use]
    pub fn of(&self, authority: &Name) -> Vec<&SigningKey> {
        let ids = self.root.authorities.get(authority).map_or(&[][..], |a| &a.keys);
        ids.iter().filter_map(|id| self.signing.get(id)).collect()
    }
}

fn id(key: &SigningKey) -> Hash {
    key_id(&key.verifying_key().to_bytes())
}

/// The signing key of a published phrase.
#[must_use]
pub fn signing_key(phrase: &str) -> SigningKey {
    SigningKey::from_bytes(&Hash::of("amparo-demo-key-1", &[phrase.as_bytes()]).0)
}

/// The X25519 secret key of the demonstration custodian. Not a secret at all: it lets anyone try how
/// headquarters opens what a device sealed.
#[must_use]
pub fn demo_custodian_secret() -> [u8; 32] {
    Hash::of("amparo-demo-custodian-1", &[DEMO_CUSTODIAN_PHRASE.as_bytes()]).0
}

/// The X25519 public key of the demonstration custodian, as a policy names it.
#[must_use]
pub fn demo_custodian_public() -> Hash {
    public(&demo_custodian_secret())
}

/// The phrase of one key of a demonstration agency: its id in the recipients pack, and which key of it.
fn demo_agency_phrase(agency: &str, key: &str) -> String {
    format!("amparo demo agency {agency} {key}: published, protects nothing real")
}

/// An X25519 secret key of a demonstration agency, such as `2027` of `demo-agency-chile`. As little a secret as
/// [`demo_custodian_secret`].
#[must_use]
pub fn demo_agency_secret(agency: &str, key: &str) -> [u8; 32] {
    Hash::of("amparo-demo-agency-1", &[demo_agency_phrase(agency, key).as_bytes()]).0
}

/// The X25519 public key that belongs to [`demo_agency_secret`], as a recipients pack names it.
#[must_use]
pub fn demo_agency_public(agency: &str, key: &str) -> Hash {
    public(&demo_agency_secret(agency, key))
}

/// The key with which a demonstration agency signs its letters.
#[must_use]
pub fn demo_agency_signing_key(agency: &str) -> SigningKey {
    signing_key(&demo_agency_phrase(agency, "letters"))
}

fn public(secret: &[u8; 32]) -> Hash {
    Hash(*SecretKey::new(secret).public().bytes())
}
