//! What a person reads: outcome, protocol, contacts, card, as plain text.
//!
//! Owns layout and the words of reasons; never decides anything. Nothing here is coloured: a terminal's
//! colours belong to the prompts, and text must read the same where it is piped.

pub mod card;
pub mod contacts;
pub mod outcome;
pub mod phrase;
pub mod steps;

use amparo_schema::text::Text;

use crate::words::{Speaker, Word};

/// The words in the speaker's language; another language is shown visibly where there are none.
#[must_use]
pub fn words(text: &Text, speaker: Speaker) -> String {
    match text.find(&speaker.lang()) {
        Some(found) if found.fallback => {
            format!("{} [{}: {}]", found.words, found.lang, speaker.word(Word::MachineText))
        }
        Some(found) => found.words.to_owned(),
        None => String::new(),
    }
}

/// Milliseconds since 1970 as date and time in UTC, to the minute.
#[must_use]
pub fn utc(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}
