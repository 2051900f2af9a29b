//! A policy: intake, gate, consent rules, retention, custodian key, and the words of outcomes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::outcome::Outcome;
use crate::pack::checklist::Item;
use crate::person::{Country, Setting};
use crate::text::{Lang, Review, Source, Text};

/// The content of a policy pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Items about the person, with the reserved ids of [`intake`]; none asks for a name.
    pub intake: Vec<Item>,
    /// The safe-interview gate: each must be confirmed before the first question.
    pub gate: Vec<GateCheck>,
    /// Consents, by purpose.
    pub consents: Vec<ConsentWording>,
    /// Words of each outcome. Every class has an entry.
    pub outcomes: BTreeMap<Outcome, OutcomeWords>,
    /// Posts and crossings to choose from.
    #[serde(default)]
    pub posts: Vec<Post>,
    /// Words from which the person's memorable code is made; at least 64, without meaning in this setting.
    pub code_words: BTreeMap<Lang, Vec<String>>,
    /// Where to turn when the directory has nothing for a country.
    pub last_resort: Text,
    /// The recipient that may open what is sealed: X25519 public key, 64 hexadecimal digits.
    pub custodian: Custodian,
    /// How long things are kept.
    pub retention: Retention,
    /// How far it was checked.
    pub review: Review,
}

/// The reserved ids of intake items, from which a `Person` is derived.
pub mod intake {
    /// Age band.
    pub const AGE: &str = "person-age";
    /// Choice of `female`, `male`, `other`.
    pub const SEX: &str = "person-sex";
    /// Choices; each option id is a language tag in lower case.
    pub const LANGUAGES: &str = "person-languages";
    /// Number.
    pub const CHILDREN: &str = "person-children";
    /// Yes or no: a child without parent or legal guardian.
    pub const UNACCOMPANIED: &str = "person-unaccompanied";
    /// Yes or no: a national of another country.
    pub const FOREIGN: &str = "person-foreign";
    /// Yes or no: found while suspected of an offence.
    pub const OFFENCE: &str = "person-offence";
    /// Choices; each option id is an `Exploitation`.
    pub const EXPLOITATION: &str = "person-exploitation";
    /// All of them.
    pub const ALL: [&str; 8] = [AGE, SEX, LANGUAGES, CHILDREN, UNACCOMPANIED, FOREIGN, OFFENCE, EXPLOITATION];
}

/// One check of the safe-interview gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateCheck {
    /// Its id.
    pub id: Name,
    /// What the official confirms.
    pub prompt: Text,
    /// What to do when it cannot be confirmed.
    pub otherwise: Text,
    /// Where it comes from.
    pub sources: Vec<Source>,
}

/// What a consent is for.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    minicbor::Encode,
    minicbor::Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Purpose {
    /// To talk.
    #[n(0)]
    Talk,
    /// To store what is said.
    #[n(1)]
    Store,
    /// To share with one named service.
    #[n(2)]
    ShareService,
    /// To share identity with police or prosecutor.
    #[n(3)]
    ShareIdentity,
    /// To count in statistics.
    #[n(4)]
    Statistics,
}

/// The wording of one consent, versioned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentWording {
    /// What it is for.
    pub purpose: Purpose,
    /// The version of the wording; rises with each change.
    pub version: u32,
    /// The words said to the person.
    pub words: Text,
    /// The words said instead where all that was noted may be read, not only what is needed. Sharing alone has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wider: Option<Text>,
    /// Days after which the consent lapses; none for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_days: Option<u32>,
}

/// The words of one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeWords {
    /// A short title for the official.
    pub title: Text,
    /// What it means for the official.
    pub official: Text,
    /// What may be said to the person.
    pub person: Text,
}

/// One post or crossing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    /// Its code.
    pub id: Name,
    /// Its name.
    pub name: String,
    /// Its country.
    pub country: Country,
    /// Its first-level area, ISO 3166-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// What kind of place.
    pub setting: Setting,
    /// Where it comes from.
    pub sources: Vec<Source>,
}

/// A standing recipient of what is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custodian {
    /// Who.
    pub name: String,
    /// X25519 public key, 64 hexadecimal digits.
    pub public_key: crate::id::Hash,
}

/// How long things are kept on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Hours after closing before the plaintext may be purged (once headquarters holds the sealed copy).
    pub plaintext_hours: u32,
    /// Days that a screening without questions asked is kept at most.
    pub observation_days: u32,
    /// Hours after which an open screening is closed by itself at the next start.
    pub open_hours: u32,
}
