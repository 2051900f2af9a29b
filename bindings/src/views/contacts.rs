//! Who takes this person, and services as typed.

use amparo_core::device as core;
use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_schema::pack::directory::{Agency, Channel, Hours, Service, Span};
use amparo_schema::person::Country;
use amparo_schema::text::Lang;
use jiff::civil::Date as CivilDate;

use super::{SourceView, WordsView, sources, words};
use crate::kinds::{
    AgencyKind, ChannelKind, ContactExclusion, ContactReason, OpenState, ReviewState, Rung, ServiceKind,
    Weekday,
};
use crate::redact::redacted;

/// Who takes this person, now, from here, in this language. Never empty.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct ContactsView {
    /// How far the answer had to step down.
    pub rung: Rung,
    /// Services, best first.
    pub offers: Vec<OfferView>,
    /// Nearer services that were left out, and why.
    pub excluded: Vec<ExcludedView>,
    /// National bodies, while nothing can be reached. Not to be dialled.
    pub agencies: Vec<AgencyView>,
    /// Where to turn while nothing can be reached.
    pub last_resort: Option<WordsView>,
}

/// One service that is offered. Reach it by `channels` only.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct OfferView {
    /// The service; its `channels` are those that may be used now, best first.
    pub service: ServiceView,
    /// Whether it answers now.
    pub open: OpenState,
    /// Why it fits, and what to beware of.
    pub reasons: Vec<ContactReason>,
    /// What speaks against it.
    pub despite: Vec<ContactExclusion>,
}

/// One service.
#[derive(Clone, uniffi::Record)]
pub struct ServiceView {
    /// Its id; `refer` takes it.
    pub id: Name,
    /// Its name.
    pub name: WordsView,
    /// The body that runs it.
    pub organisation: Option<String>,
    /// What kind of service.
    pub kind: ServiceKind,
    /// Its country.
    pub country: Country,
    /// How to reach it, best first. A channel that must not be dialled is never among them.
    pub channels: Vec<ChannelView>,
    /// When it answers.
    pub hours: HoursView,
    /// Languages spoken; empty if unknown.
    pub languages: Vec<Lang>,
    /// The day on which someone called and it was right; none if nobody has.
    pub verified_on: Option<CivilDate>,
    /// The year in which the source was written.
    pub printed_in: Option<u16>,
    /// A remark that the official must see.
    pub remark: Option<WordsView>,
    /// The X25519 key that packets for it are sealed with; `packet` takes it as its recipient. None when it has
    /// none: then a packet is readable by whoever holds it.
    pub sealing_key: Option<Hash>,
    /// Where it comes from.
    pub sources: Vec<SourceView>,
    /// How far it was checked.
    pub review: ReviewState,
}

/// One way to reach a service.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ChannelView {
    /// Its place in the service's own list; `refer` takes it.
    pub index: u32,
    /// What kind of channel.
    pub kind: ChannelKind,
    /// As shown to a person.
    pub display: Option<String>,
    /// As dialled within the country; none where nothing may be dialled.
    pub dial: Option<String>,
    /// As dialled from anywhere, E.164.
    pub e164: Option<String>,
}

/// When a service answers.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum HoursView {
    /// Not known.
    NotKnown,
    /// Day and night.
    Always,
    /// These spans, in this time zone.
    Weekly {
        /// IANA name.
        zone: String,
        /// The spans.
        spans: Vec<SpanView>,
    },
}

/// One span of opening hours. It may pass midnight: then `closes_minute` is before or equal to
/// `opens_minute`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SpanView {
    /// Days on which it opens.
    pub days: Vec<Weekday>,
    /// Minute of the day at which it opens.
    pub opens_minute: u16,
    /// Minute of the day at which it closes.
    pub closes_minute: u16,
}

/// One service that is not offered.
#[uniffi::export(Display)]
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct ExcludedView {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: WordsView,
    /// Every reason.
    pub because: Vec<ContactExclusion>,
}

/// One national body. Not to be dialled.
#[derive(Clone, uniffi::Record)]
pub struct AgencyView {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: WordsView,
    /// The body that it is under.
    pub under: Option<String>,
    /// What it is.
    pub kind: AgencyKind,
    /// Where it comes from.
    pub sources: Vec<SourceView>,
}

/// Services as typed.
#[derive(Clone, uniffi::Record)]
pub struct LookupView {
    /// The services, best first.
    pub services: Vec<ServiceView>,
    /// True when there may be more: type more.
    pub more: bool,
}

redacted!(ContactsView, OfferView, ExcludedView);

pub(crate) fn contacts(found: &core::Contacts, most: usize, lang: &Lang) -> ContactsView {
    let offer = |offer: &core::OfferedService| OfferView {
        service: service(
            &offer.service,
            offer.channels.iter().map(|(at, c)| channel(*at, c)).collect(),
            lang,
        ),
        open: offer.open,
        reasons: offer.reasons.clone(),
        despite: offer.despite.clone(),
    };
    let excluded = |out: &core::ExcludedService| ExcludedView {
        id: out.id.clone(),
        name: words(&out.name, lang),
        because: out.because.clone(),
    };
    ContactsView {
        rung: found.rung,
        offers: found.offers.iter().take(most).map(offer).collect(),
        excluded: found.excluded.iter().take(most).map(excluded).collect(),
        agencies: found.agencies.iter().take(most).map(|line| agency(&line.agency, lang)).collect(),
        last_resort: found.last_resort.as_ref().map(|text| words(text, lang)),
    }
}

/// A service with every channel that may be dialled.
pub(crate) fn whole_service(found: &Service, lang: &Lang) -> ServiceView {
    let channels = found.channels.iter().enumerate().filter(|(_, channel)| !channel.do_not_dial);
    service(found, channels.map(|(at, c)| channel(at, c)).collect(), lang)
}

fn service(found: &Service, channels: Vec<ChannelView>, lang: &Lang) -> ServiceView {
    ServiceView {
        id: found.id.clone(),
        name: words(&found.name, lang),
        organisation: found.organisation.clone(),
        kind: found.kind,
        country: found.country,
        channels,
        hours: hours(&found.hours),
        languages: found.languages.iter().cloned().collect(),
        verified_on: found.verified_on,
        printed_in: found.printed_in,
        remark: found.remark.as_ref().map(|text| words(text, lang)),
        sealing_key: found.public_key,
        sources: sources(&found.sources),
        review: found.review.clone(),
    }
}

fn channel(at: usize, channel: &Channel) -> ChannelView {
    ChannelView {
        index: u32::try_from(at).unwrap_or(u32::MAX),
        kind: channel.kind,
        display: channel.display.clone(),
        dial: channel.dial.clone(),
        e164: channel.e164.clone(),
    }
}

pub(super) fn hours(hours: &Hours) -> HoursView {
    match hours {
        Hours::Unknown => HoursView::NotKnown,
        Hours::Always => HoursView::Always,
        Hours::Weekly { zone, spans } => {
            HoursView::Weekly { zone: zone.clone(), spans: spans.iter().map(span).collect() }
        }
    }
}

fn span(span: &Span) -> SpanView {
    SpanView {
        days: span.days.iter().copied().collect(),
        opens_minute: span.opens_minute,
        closes_minute: span.closes_minute,
    }
}

fn agency(agency: &Agency, lang: &Lang) -> AgencyView {
    AgencyView {
        id: agency.id.clone(),
        name: words(&agency.name, lang),
        under: agency.under.clone(),
        kind: agency.kind,
        sources: sources(&agency.sources),
    }
}
