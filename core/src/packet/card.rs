//! The card that a person may take along: a code to remember and whom to call.
//!
//! Whoever finds the card must learn nothing from it: no identity, no place, no time, no outcome, nothing that
//! was noted. Shells lay it out; the words around it belong to content.

use amparo_schema::fact::ReferralState;
use amparo_schema::id::ReferralId;
use amparo_schema::pack::directory::{ChannelKind, Hours};
use amparo_schema::text::Lang;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::screening::Screening;

/// A card, ready to be laid out. `Debug` does not show the person's code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The code that the person can remember.
    pub memorable: String,
    /// The name of the contact.
    pub name: String,
    /// The language of the name.
    pub lang: Lang,
    /// True when that is not the language asked for.
    pub fallback: bool,
    /// How to reach it.
    pub channel: Option<ChannelKind>,
    /// The number or address, as shown.
    pub display: Option<String>,
    /// When it answers.
    pub hours: Hours,
    /// How fresh it is.
    pub verified: Verified,
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Card").field("lang", &self.lang).field("hours", &self.hours).finish_non_exhaustive()
    }
}

/// How fresh a contact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Verified {
    /// Someone called and it was right, this many days ago; 0 also when the clock says it is yet to come.
    DaysAgo(u32),
    /// Nobody has; the source was printed in this year, if it says.
    Never {
        /// The year.
        printed_in: Option<u16>,
    },
}

/// Why there is no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCard {
    /// There is no such referral.
    #[error("no referral with this id")]
    NoReferral,
    /// The referral was taken back.
    #[error("the referral was revoked")]
    Revoked,
}

/// The card for the contact of a referral. `hours` are those of the service in its directory, `today` the
/// date by the phone. A person who declined the referral may still take the number along.
///
/// # Errors
/// [`NoCard`].
pub fn card(
    screening: &Screening,
    referral: ReferralId,
    memorable: &str,
    hours: &Hours,
    today: Date,
    lang: &Lang,
) -> Result<Card, NoCard> {
    let held = screening.referrals.get(referral).ok_or(NoCard::NoReferral)?;
    if held.state == ReferralState::Revoked {
        return Err(NoCard::Revoked);
    }
    let contact = &held.contact;
    let name = contact.name.find(lang);
    Ok(Card {
        memorable: memorable.to_owned(),
        name: name.map_or_else(|| contact.service.to_string(), |found| found.words.to_owned()),
        lang: name.map_or(lang, |found| found.lang).clone(),
        fallback: name.is_none_or(|found| found.fallback),
        channel: contact.channel,
        display: contact.display.clone(),
        hours: hours.clone(),
        verified: verified(contact.verified_on.as_deref(), contact.printed_in, today),
    })
}

fn verified(on: Option<&str>, printed_in: Option<u16>, today: Date) -> Verified {
    let days = on
        .and_then(|text| text.parse::<Date>().ok())
        .map(|day| today.duration_since(day).as_hours() / 24)
        .map(|days| u32::try_from(days).unwrap_or(0));
    days.map_or(Verified::Never { printed_in }, Verified::DaysAgo)
}
