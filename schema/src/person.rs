//! What a protocol and a directory need to know of the person: nameless, and each part may be unknown.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::answer::AgeRange;
use crate::text::Lang;

/// The person, as far as known. Derived from the answers to the policy's intake items; never a name, a birth
/// date or a document number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// Age; unknown counts as "may be a child".
    pub age: Option<AgeRange>,
    /// Sex as given or seen.
    pub sex: Option<Sex>,
    /// Languages in which the person can talk.
    pub languages: BTreeSet<Lang>,
    /// Number of children along.
    pub children_along: Option<u8>,
    /// True when a child has no parent or legal guardian along.
    pub unaccompanied: Option<bool>,
    /// Nationality, only if given.
    pub foreign: Option<bool>,
    /// True when the person was found while suspected of an offence.
    pub offence_suspected: Option<bool>,
    /// Forms of exploitation that the answers point to; empty when none is known.
    pub exploitation: BTreeSet<Exploitation>,
}

impl Person {
    /// True when the person is or may be under 18. An unknown age counts as a child.
    #[must_use]
    pub fn is_child(&self) -> bool {
        self.age.is_none_or(AgeRange::is_child)
    }
}

/// Sex, as services ask for it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Sex {
    /// Female.
    #[n(0)]
    Female,
    /// Male.
    #[n(1)]
    Male,
    /// Another, or the person prefers another word.
    #[n(2)]
    Other,
}

/// Forms of exploitation (Palermo Protocol, article 3(a), with the forms that national laws of the region
/// add under `Other`).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Exploitation {
    /// Forced labour or services.
    #[n(0)]
    Labour,
    /// Sexual exploitation.
    #[n(1)]
    Sexual,
    /// Domestic servitude.
    #[n(2)]
    Domestic,
    /// Forced begging.
    #[n(3)]
    Begging,
    /// Forced offences.
    #[n(4)]
    Offences,
    /// Forced marriage.
    #[n(5)]
    Marriage,
    /// Removal of organs.
    #[n(6)]
    Organs,
    /// Another form.
    #[n(7)]
    Other,
}

/// Where the screening takes place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Country, ISO 3166-1 alpha-2.
    #[n(0)]
    pub country: Country,
    /// The post or crossing, by its code in the policy pack; never coordinates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(1)]
    pub post: Option<crate::name::Name>,
    /// First-level area, ISO 3166-2, such as `CL-AP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(2)]
    pub area: Option<String>,
    /// What kind of place.
    #[n(3)]
    pub setting: Setting,
}

/// The kind of place.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Setting {
    /// A border crossing, port or airport.
    #[n(0)]
    Border,
    /// A workplace under inspection.
    #[n(1)]
    Workplace,
    /// A street or public place.
    #[n(2)]
    Street,
    /// Police premises or custody.
    #[n(3)]
    Custody,
    /// A consulate.
    #[n(4)]
    Consulate,
    /// Another place.
    #[n(5)]
    Other,
}

/// A country, ISO 3166-1 alpha-2 in capitals; the form is checked, not the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(try_from = "String", into = "String")]
#[cbor(transparent)]
pub struct Country(#[cbor(with = "minicbor::bytes")] [u8; 2]);

/// A text that is no pair of capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a country: two capital letters of ISO 3166-1")]
pub struct NotACountry;

impl Country {
    /// Checks and takes two capital letters.
    ///
    /// # Errors
    /// [`NotACountry`] otherwise.
    pub fn new(text: &str) -> Result<Self, NotACountry> {
        let letters: [u8; 2] = text.as_bytes().try_into().map_err(|_| NotACountry)?;
        if letters.iter().all(u8::is_ascii_uppercase) { Ok(Self(letters)) } else { Err(NotACountry) }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl std::str::FromStr for Country {
    type Err = NotACountry;
    fn from_str(text: &str) -> Result<Self, NotACountry> {
        Self::new(text)
    }
}

impl TryFrom<String> for Country {
    type Error = NotACountry;
    fn try_from(text: String) -> Result<Self, NotACountry> {
        Self::new(&text)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.as_str().to_owned()
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
