//! What no string of a pack may hold, wherever it stands: signs that cannot be seen, and too much.
//!
//! Streams over the bytes instead of the types, so that no field can be forgotten.

use std::fmt;

use amparo_schema::limits::TEXT_CHARS_MAX;
use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};

use super::finding::{At, Findings, Rule};

/// Checks every string and every key of some JSON. Bytes that are no JSON give no finding: reading them
/// fails elsewhere.
pub(super) fn check(json: &[u8], at: &At<'_>, out: &mut Findings) {
    let mut reader = serde_json::Deserializer::from_slice(json);
    drop(reader.deserialize_any(Walk { at, out }));
}

struct Walk<'a, 'f> {
    at: &'a At<'a>,
    out: &'f mut Findings,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        string(text, self.at, self.out);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let at = self.at.key(&key);
            string(&key, self.at, self.out);
            map.next_value_seed(Walk { at: &at, out: self.out })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut i = 0;
        while list.next_element_seed(Walk { at: &self.at.index(i), out: self.out })?.is_some() {
            i += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

fn string(text: &str, at: &At<'_>, out: &mut Findings) {
    let mut chars = 0_usize;
    for c in text.chars() {
        chars = chars.saturating_add(1);
        let rule = match c {
            '\n' => continue,
            _ if is_bidi_control(c) => Rule::BidiControl,
            _ if c.is_control() || is_invisible(c) => Rule::ControlCharacter,
            _ => continue,
        };
        out.add(rule, at, format!("U+{:04X}", u32::from(c)));
    }
    if chars > TEXT_CHARS_MAX {
        out.add(Rule::TextTooLong, at, format!("{chars} characters are more than {TEXT_CHARS_MAX}"));
    }
}

/// The explicit directional formatting characters of UAX #9, section 2.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Signs without a form that no language here needs. The joiners U+200C and U+200D are needed by some.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}'
        | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
