//! The card for the person: a code, a contact, no name.

use amparo_core::packet::card::{Card, Verified};
use amparo_schema::pack::directory::Hours;

use crate::words::{Speaker, Word};

/// The card as text, ready to be printed or copied by hand.
#[must_use]
pub fn card(card: &Card, s: Speaker) -> String {
    let mut lines = vec![
        "┌──────────────────────────────────────────".to_owned(),
        format!("│ {}", s.word(Word::CardTitle)),
        format!("│ {}: {}", s.word(Word::CardCode), card.memorable),
        format!("│ {}", card.name),
    ];
    lines.push(format!("│ {}", card.display.as_deref().unwrap_or_else(|| s.word(Word::NoNumber))));
    if card.hours == Hours::Always {
        lines.push("│ 24 h".to_owned());
    }
    let age = match card.verified {
        Verified::DaysAgo(days) => format!("{} -{days} d", s.word(Word::VerifiedOn)),
        Verified::Never { printed_in: Some(year) } => format!("{} {year}", s.word(Word::Unverified)),
        Verified::Never { printed_in: None } => s.word(Word::Unverified).to_owned(),
    };
    lines.push(format!("│ {age}"));
    lines.push("└──────────────────────────────────────────".to_owned());
    lines.join("\n")
}
