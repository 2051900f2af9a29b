//! The root file: which keys may sign which packs. It is pinned by the shell that embeds the core.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::id::Hash;
use crate::name::Name;
use crate::pack::Kind;
use crate::person::Country;

/// Keys and authorities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// The format, 1.
    pub format: u8,
    /// The version of the root; only ever goes up.
    pub version: u32,
    /// After this day shells warn.
    pub expires: Date,
    /// Ed25519 public keys by key id. A key id is `Hash::of("amparo-key-1", [public key])`.
    pub keys: BTreeMap<Hash, Hash>,
    /// Authorities by name.
    pub authorities: BTreeMap<Name, Authority>,
}

/// What one authority may sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Its key ids.
    pub keys: Vec<Hash>,
    /// How many different keys must have signed.
    pub threshold: u32,
    /// The kinds it may sign.
    pub kinds: Vec<Kind>,
    /// The countries it may speak of; empty for all. A pack for all countries needs an authority for all.
    #[serde(default)]
    pub countries: Vec<Country>,
}
