//! Consents, referrals, and what is handed out.

use amparo_core::packet::card::{Card, Verified};
use amparo_core::referral::{self, Referral};
use amparo_core::screening::Screening;
use amparo_schema::id::ReferralId;
use amparo_schema::name::Name;
use amparo_schema::pack::policy::{ConsentWording, Policy, Purpose};
use amparo_schema::text::Lang;

use super::contacts::hours;
use super::{HoursView, WordsView, words};
use crate::kinds::{ChannelKind, ConsentPurpose, ConsentState, ReferralState};
use crate::redact::redacted;

/// One consent: its words and where it stands.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct ConsentView {
    /// What for.
    pub purpose: ConsentPurpose,
    /// The service that may receive; for the two purposes of sharing, one view for each referral's service.
    pub receiver: Option<Name>,
    /// The words, in the official's language.
    pub words: WordsView,
    /// The words to read aloud, in the person's language.
    pub said: WordsView,
    /// What is said instead where all that was noted may be read through headquarters (scope `Indicators` too), and
    /// not only what is needed; none where the policy has no such words.
    pub said_wider: Option<WordsView>,
    /// The version of the wording.
    pub version: u32,
    /// Days after which the consent lapses; none for never.
    pub expires_days: Option<u32>,
    /// Where it stands.
    pub state: ConsentState,
}

/// One referral.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct ReferralView {
    /// Its id.
    pub id: ReferralId,
    /// The service, by its id in the directory.
    pub service: Name,
    /// The name of the service when it was offered.
    pub name: WordsView,
    /// The channel.
    pub channel: Option<ChannelKind>,
    /// The number or address as shown.
    pub display: Option<String>,
    /// The number as dialled.
    pub dial: Option<String>,
    /// Where it stands.
    pub state: ReferralState,
    /// Where it may go from here; `move_referral` takes one of them.
    pub may_become: Vec<ReferralState>,
}

/// A packet for the service of a referral: what consent covers and nothing beyond. Hand it over and wipe it.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct PacketView {
    /// The packet: JSON, or sealed bytes.
    pub bytes: Vec<u8>,
    /// True when only the service's key opens it; else it is readable by anyone who holds it.
    pub sealed: bool,
}

/// A card for the person to take along. Whoever finds it learns nothing but a number to call.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct CardView {
    /// The code that the person can remember.
    pub memorable: String,
    /// The name of the contact.
    pub name: WordsView,
    /// How to reach it.
    pub channel: Option<ChannelKind>,
    /// The number or address, as shown.
    pub display: Option<String>,
    /// When it answers.
    pub hours: HoursView,
    /// Days since someone called and it was right; none if nobody has.
    pub verified_days_ago: Option<u32>,
    /// The year its source was printed, where nobody has verified it.
    pub printed_in: Option<u16>,
}

redacted!(ConsentView, ReferralView, PacketView, CardView);

pub(super) fn consents(
    policy: &Policy,
    screening: &Screening,
    now_ms: i64,
    official: &Lang,
    person: &Lang,
) -> Vec<ConsentView> {
    let mut receivers: Vec<&Name> = screening.referrals.iter().map(|r| &r.contact.service).collect();
    receivers.sort();
    receivers.dedup();
    let view = |wording: &ConsentWording, receiver: Option<&Name>| ConsentView {
        purpose: wording.purpose,
        receiver: receiver.cloned(),
        words: words(&wording.words, official),
        said: words(&wording.words, person),
        said_wider: wording.wider.as_ref().map(|wider| words(wider, person)),
        version: wording.version,
        expires_days: wording.expires_days,
        state: screening.consents.state(wording.purpose, receiver, now_ms),
    };
    let mut views = Vec::new();
    for wording in &policy.consents {
        match wording.purpose {
            Purpose::ShareService | Purpose::ShareIdentity => {
                views.extend(receivers.iter().map(|receiver| view(wording, Some(receiver))));
            }
            Purpose::Talk | Purpose::Store | Purpose::Statistics => views.push(view(wording, None)),
        }
    }
    views
}

pub(super) fn referral(held: &Referral, lang: &Lang) -> ReferralView {
    ReferralView {
        id: held.id,
        service: held.contact.service.clone(),
        name: words(&held.contact.name, lang),
        channel: held.contact.channel,
        display: held.contact.display.clone(),
        dial: held.contact.dial.clone(),
        state: held.state,
        may_become: referral::next(held.state).to_vec(),
    }
}

pub(crate) fn card(card: Card) -> CardView {
    let (verified_days_ago, printed_in) = match card.verified {
        Verified::DaysAgo(days) => (Some(days), None),
        Verified::Never { printed_in } => (None, printed_in),
    };
    CardView {
        memorable: card.memorable,
        name: WordsView { text: card.name, lang: card.lang, fallback: card.fallback },
        channel: card.channel,
        display: card.display,
        hours: hours(&card.hours),
        verified_days_ago,
        printed_in,
    }
}
