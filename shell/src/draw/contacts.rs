//! Contacts: who takes this person, and why others were left out.

use amparo_core::device::{Contacts, OfferedService};
use amparo_core::directory::Reason;
use amparo_schema::pack::directory::Service;

use super::{phrase, words};
use crate::words::{Speaker, Word};

/// How many offers are written out; all of them can be chosen.
const OFFERS_SHOWN: usize = 5;
/// How many of the left-out services are listed.
const LEFT_OUT_SHOWN: usize = 6;

/// The whole answer.
#[must_use]
pub fn contacts(found: &Contacts, s: Speaker) -> String {
    let mut lines = vec![s.word(Word::ContactsTitle).to_owned(), phrase::rung(found.rung, s)];
    for offer in found.offers.iter().take(OFFERS_SHOWN) {
        lines.push(String::new());
        lines.push(one(offer, s));
    }
    if found.offers.len() > OFFERS_SHOWN {
        lines.push(format!("  … +{}", found.offers.len().saturating_sub(OFFERS_SHOWN)));
    }
    for line in &found.agencies {
        lines.push(format!("  ▪ {}", words(&line.agency.name, s)));
    }
    if let Some(text) = &found.last_resort {
        lines.push(words(text, s));
    }
    if !found.excluded.is_empty() {
        lines.push(String::new());
        lines.push(format!("{}:", s.word(Word::NotOffered)));
    }
    for left_out in found.excluded.iter().take(LEFT_OUT_SHOWN) {
        let because: Vec<_> = left_out.because.iter().map(|why| phrase::exclusion(why, s)).collect();
        lines.push(format!("  – {}: {}", words(&left_out.name, s), because.join("; ")));
    }
    if found.excluded.len() > LEFT_OUT_SHOWN {
        lines.push(format!("  … +{}", found.excluded.len().saturating_sub(LEFT_OUT_SHOWN)));
    }
    lines.join("\n")
}

/// How an offered service is reached, in one line.
#[must_use]
pub fn line(offer: &OfferedService, s: Speaker) -> String {
    let shown = offer.channels.first().and_then(|(_, channel)| channel.display.clone());
    let shown = shown.unwrap_or_else(|| s.word(Word::NoNumber).to_owned());
    format!("{}: {shown}", words(&offer.service.name, s))
}

fn one(offer: &OfferedService, s: Speaker) -> String {
    let mut lines = vec![format!("▪ {}", line(offer, s))];
    if let Some(organisation) = &offer.service.organisation {
        lines.push(format!("    {organisation}"));
    }
    if let Some(remark) = &offer.service.remark {
        lines.push(format!("    ! {}", words(remark, s)));
    }
    lines.push(format!("    {}", reasons(offer, s).join(" · ")));
    lines.join("\n")
}

/// Why an offer fits and what to beware of; what is to be asked stands together at the end.
fn reasons(offer: &OfferedService, s: Speaker) -> Vec<String> {
    let mut texts: Vec<_> = offer.despite.iter().map(|why| phrase::exclusion(why, s)).collect();
    let mut ask = Vec::new();
    for why in &offer.reasons {
        match why {
            Reason::TakesUnknown(respect) => ask.push(phrase::respect(*respect, s)),
            known => texts.push(phrase::reason(known, s)),
        }
    }
    if !ask.is_empty() {
        texts.push(format!("{}: {}", s.word(Word::AskWhetherTaken), ask.join(", ")));
    }
    texts
}

/// One service as found by typing.
#[must_use]
pub fn service(service: &Service, s: Speaker) -> String {
    let mut lines = vec![format!("▪ {} [{}]", words(&service.name, s), service.country)];
    if let Some(organisation) = &service.organisation {
        lines.push(format!("    {organisation}"));
    }
    for channel in &service.channels {
        let shown = match &channel.display {
            Some(display) if channel.do_not_dial => format!("{display} (✗)"),
            Some(display) => display.clone(),
            None => s.word(Word::NoNumber).to_owned(),
        };
        lines.push(format!("    {shown}"));
    }
    let age = match (service.verified_on, service.printed_in) {
        (Some(day), _) => format!("{} {day}", s.word(Word::VerifiedOn)),
        (None, Some(year)) => format!("{} {year}", s.word(Word::Unverified)),
        (None, None) => s.word(Word::Unverified).to_owned(),
    };
    lines.push(format!("    {age}"));
    if let Some(remark) = &service.remark {
        lines.push(format!("    ! {}", words(remark, s)));
    }
    lines.join("\n")
}
