//! Recipients: which agencies may be given keys of sealed screenings, and whose letters a device believes.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::id::Hash;
use crate::name::Name;
use crate::text::{Review, Source, Text};

/// The content of a recipients pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipients {
    /// The recipients, at most `RECIPIENTS_MAX`.
    pub recipients: Vec<Recipient>,
    /// How far it was checked.
    pub review: Review,
}

/// One agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: Text,
    /// What it is to a case.
    pub role: RecipientRole,
    /// The services of the directory that it answers for.
    #[serde(default)]
    pub services: Vec<Name>,
    /// X25519 keys to which grants are made, with overlapping validity so that a device that was away for
    /// long still has one that is read.
    pub keys: Vec<RecipientKey>,
    /// Ed25519 public keys with which it signs letters.
    #[serde(default)]
    pub signing_keys: Vec<Hash>,
    /// Where it comes from.
    pub sources: Vec<Source>,
}

/// What a recipient is to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientRole {
    /// Keeps a case for the person: everything but identity, and identity with a consent to share it. The
    /// custodian of the policy pack is one without an entry here.
    Custodian,
    /// Runs services: what a consent to share with one of them covers, once it was referred to.
    Agency,
    /// Watches how the store was used: the audit compartment alone.
    Oversight,
}

/// One key of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientKey {
    /// X25519 public key.
    pub public_key: Hash,
    /// First day of use.
    pub from: Date,
    /// Last day of use. When all have passed, the one that lasted longest is still used: sealing never stops.
    pub until: Date,
}
