//! Words in several languages, and where a fact comes from.

use std::collections::BTreeMap;
use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A BCP 47 language tag, such as `es`, `ht`, `pt-BR`; its form is checked, not its meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(try_from = "String", into = "String")]
#[cbor(transparent)]
pub struct Lang(String);

/// A text that is no BCP 47 language tag of 2 to 35 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a BCP 47 language tag")]
pub struct NotALang;

impl Lang {
    /// Checks and takes a tag.
    ///
    /// # Errors
    /// [`NotALang`] when the text has not the form of a tag: a language of 2 or 3 lower-case letters, then
    /// subtags of 1 to 8 letters or digits, joined by `-`.
    pub fn new(text: impl Into<String>) -> Result<Self, NotALang> {
        let text = text.into();
        let mut parts = text.split('-');
        let language = parts.next().unwrap_or_default();
        let fits = text.len() <= 35
            && (2..=3).contains(&language.len())
            && language.bytes().all(|b| b.is_ascii_lowercase())
            && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
        if fits { Ok(Self(text)) } else { Err(NotALang) }
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without region or script: `pt` of `pt-BR`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

impl TryFrom<String> for Lang {
    type Error = NotALang;
    fn try_from(text: String) -> Result<Self, NotALang> {
        Self::new(text)
    }
}

impl From<Lang> for String {
    fn from(lang: Lang) -> Self {
        lang.0
    }
}

impl std::str::FromStr for Lang {
    type Err = NotALang;
    fn from_str(text: &str) -> Result<Self, NotALang> {
        Self::new(text)
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One text in several languages. At least one language; checked with the pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Text(pub BTreeMap<Lang, String>);

/// A text as it was found for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The words.
    pub words: &'a str,
    /// The language they are in.
    pub lang: &'a Lang,
    /// True when that is not the language asked for; a shell shows this.
    pub fallback: bool,
}

impl Text {
    /// The text in `wanted`; else in the same primary language; else Spanish, English, or the first there
    /// is, with `fallback` set. `None` only for a text without any language.
    #[must_use]
    pub fn find(&self, wanted: &Lang) -> Option<Found<'_>> {
        fn found<'a>((lang, words): (&'a Lang, &'a String), fallback: bool) -> Found<'a> {
            Found { words, lang, fallback }
        }
        if let Some(hit) = self.0.get_key_value(wanted) {
            return Some(found(hit, false));
        }
        if let Some(hit) = self.0.iter().find(|(lang, _)| lang.primary() == wanted.primary()) {
            return Some(found(hit, false));
        }
        ["es", "en"]
            .iter()
            .find_map(|tag| self.0.iter().find(|(lang, _)| lang.primary() == *tag))
            .or_else(|| self.0.iter().next())
            .map(|hit| found(hit, true))
    }

    /// The words for a reader, or an empty text when there are none at all.
    #[must_use]
    pub fn words(&self, wanted: &Lang) -> &str {
        self.find(wanted).map_or("", |found| found.words)
    }
}

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The document: title, code, year.
    #[n(0)]
    pub document: String,
    /// The place in it: article, page, line, row.
    #[n(1)]
    pub place: String,
    /// The date for which it was true, ISO 8601; a year or a month where no day is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[n(2)]
    pub as_of: Option<String>,
}

/// How far a fact has been checked. Nothing that is shipped with the source code is `approved`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Review {
    /// A machine made the first draft and nobody has read it since.
    #[n(0)]
    MachineDrafted,
    /// Known only second-hand or from memory: built and tested with, not to be relied on.
    #[n(1)]
    Unverified,
    /// Taken from the cited source.
    #[n(2)]
    Reference,
    /// Read against the source by a second person.
    #[n(3)]
    Reviewed {
        /// Who: an office, not a person.
        #[n(0)]
        by: String,
    },
    /// Approved for use by a national authority.
    #[n(4)]
    Approved {
        /// Which authority.
        #[n(0)]
        by: String,
        /// When, ISO 8601.
        #[n(1)]
        on: String,
    },
}

/// Control characters, line and paragraph separators, and the bidirectional controls of Unicode (UAX 9), with
/// which a text can show other words than it holds. No text that a person types may hold one.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether words that a person typed may be kept and shown: not blank, at most so many characters, none deceptive.
#[must_use]
pub fn fits(words: &str, chars_max: usize) -> bool {
    !words.trim().is_empty() && words.chars().nth(chars_max).is_none() && !words.chars().any(is_deceptive)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang(tag: &str) -> Lang {
        Lang::new(tag).unwrap()
    }

    #[test]
    fn falls_back_visibly() {
        let text = Text([(lang("en"), "card".into()), (lang("pt-BR"), "cartão".into())].into());
        assert_eq!(text.find(&lang("pt")).map(|f| (f.words, f.fallback)), Some(("cartão", false)));
        assert_eq!(text.find(&lang("ht")).map(|f| (f.words, f.fallback)), Some(("card", true)));
        assert_eq!(Text::default().find(&lang("es")), None);
    }

    #[test]
    fn tags_have_a_form() {
        for bad in ["", "e", "ES", "es_CL", "es-", "english", "es-toolongsubtag"] {
            assert!(Lang::new(bad).is_err(), "{bad}");
        }
    }
}
