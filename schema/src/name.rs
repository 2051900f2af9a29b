//! Names that authors give: of packs, items, indicators, steps, services.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::NAME_CHARS_MAX;

/// An id chosen by an author: lower-case ASCII letters, digits, `-`, `.` and `_`, starting with a letter
/// or digit, 1 to 64 characters. Codes such as `EX01` are written `ex01`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A text that is no [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a name: 1 to 64 of a-z 0-9 - . _, starting with a letter or digit")]
pub struct NotAName;

impl Name {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// [`NotAName`] when the text breaks the form.
    pub fn new(text: impl Into<String>) -> Result<Self, NotAName> {
        let text = text.into();
        let fits = !text.is_empty() && text.len() <= NAME_CHARS_MAX;
        let starts = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let holds = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_'));
        if fits && starts && holds { Ok(Self(text)) } else { Err(NotAName) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;
    fn try_from(text: String) -> Result<Self, NotAName> {
        Self::new(text)
    }
}

impl std::str::FromStr for Name {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<C> minicbor::Encode<C> for Name {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Name {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        Self::new(d.str()?).map_err(|_| minicbor::decode::Error::message("not a name").at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_form_and_nothing_else() {
        for good in ["a", "ex01", "ilo-adult-labour", "0a.b_c", &"x".repeat(64)] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "é", "a/b", &"x".repeat(65)] {
            assert_eq!(Name::new(bad), Err(NotAName), "{bad}");
        }
    }
}
