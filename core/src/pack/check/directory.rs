//! Directories: what may be dialled, whom a service takes, and when.

use amparo_schema::limits::{AGENCIES_MAX, CHANNELS_MAX, SERVICES_MAX};
use amparo_schema::pack::Header;
use amparo_schema::pack::directory::{
    Agency, ChannelKind, Directory, Hours, Service, ServiceKind, ServiceStatus,
};
use amparo_schema::person::Country;

use super::finding::{At, Findings, Rule};
use super::{limit, number, unique};

/// Places, areas, languages, issues or spans that one service may list.
const LIST_MAX: usize = 128;

pub(super) fn check(c: &Directory, header: &Header, root: &At<'_>, out: &mut Findings) {
    let list = root.key("services");
    limit(c.services.len(), SERVICES_MAX, "SERVICES_MAX", &list, out);
    unique(c.services.iter().map(|s| &s.id), &list, out);
    for (i, service) in c.services.iter().enumerate() {
        let at = list.index(i);
        country(service.country, header, &at, out);
        self::service(service, &at, out);
    }
    let next = c.services.iter().map(|s| (&s.id, successor(s))).collect();
    let place = |i: usize| c.services.get(i).map(|s| &s.id);
    super::protocol::successors(&next, place, "status", &list, out);
    let list = root.key("agencies");
    limit(c.agencies.len(), AGENCIES_MAX, "AGENCIES_MAX", &list, out);
    unique(c.agencies.iter().map(|a| &a.id), &list, out);
    for (i, agency) in c.agencies.iter().enumerate() {
        let at = list.index(i);
        country(agency.country, header, &at, out);
        self::agency(agency, &at, out);
    }
}

fn successor(service: &Service) -> Option<&amparo_schema::name::Name> {
    match &service.status {
        ServiceStatus::Superseded { by } => by.as_ref(),
        _ => None,
    }
}

/// Whoever signs for one country may not slip in numbers of another.
pub(super) fn country(country: Country, header: &Header, at: &At<'_>, out: &mut Findings) {
    if !header.countries.is_empty() && !header.countries.contains(&country) {
        out.add(
            Rule::CountryOutsidePack,
            &at.key("country"),
            format!("the pack does not speak of {country}"),
        );
    }
}

/// An area of ISO 3166-2 in this country.
pub(super) fn area(area: &str, country: Country, at: &At<'_>, out: &mut Findings) {
    let rest = area.strip_prefix(country.as_str()).and_then(|rest| rest.strip_prefix('-'));
    let fits = |rest: &str| {
        (1..=3).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    if !rest.is_some_and(fits) {
        out.add(Rule::AreaForm, at, format!("not {country}- and 1 to 3 capital letters or digits"));
    }
}

fn agency(agency: &Agency, at: &At<'_>, out: &mut Findings) {
    out.sources(&agency.sources, "sources", at);
    out.review(&agency.review, at);
}

fn service(service: &Service, at: &At<'_>, out: &mut Findings) {
    lists(service, at, out);
    for (i, area) in service.areas.iter().enumerate() {
        self::area(area, service.country, &at.key("areas").index(i), out);
    }
    let channels = at.key("channels");
    // An explanation is a word for the official, or an issue that the source table states.
    let explained = service.remark.is_some() || !service.issues.is_empty();
    for (i, channel) in service.channels.iter().enumerate() {
        let at = channels.index(i);
        number::check(channel, explained, &at, out);
        if service.kind == ServiceKind::Shelter && channel.kind == ChannelKind::InPerson {
            out.add(Rule::ShelterAddress, &at, "a shelter is reached by its intake phone only");
        }
    }
    if service.channels.is_empty() && service.status == ServiceStatus::Current {
        out.add(Rule::ServiceWithoutChannel, &at.key("status"), "offered, and nothing to reach it by");
    }
    if matches!((service.takes.age_min, service.takes.age_max), (Some(low), Some(high)) if low > high) {
        out.add(Rule::AgeBandInvalid, &at.key("takes").key("age_max"), "below age_min");
    }
    if service.public_key.is_some_and(|key| super::recipient::is_low_order(&key.0)) {
        out.add(Rule::RecipientKey, &at.key("public_key"), "anyone could open what is sealed");
    }
    hours(&service.hours, &at.key("hours"), out);
    out.sources(&service.sources, "sources", at);
    out.review(&service.review, at);
}

fn lists(service: &Service, at: &At<'_>, out: &mut Findings) {
    limit(service.channels.len(), CHANNELS_MAX, "CHANNELS_MAX", &at.key("channels"), out);
    limit(service.areas.len(), LIST_MAX, "128", &at.key("areas"), out);
    limit(service.places.len(), LIST_MAX, "128", &at.key("places"), out);
    limit(service.languages.len(), LIST_MAX, "128", &at.key("languages"), out);
    limit(service.issues.len(), LIST_MAX, "128", &at.key("issues"), out);
}

fn hours(hours: &Hours, at: &At<'_>, out: &mut Findings) {
    let Hours::Weekly { zone, spans } = hours else { return };
    let at = at.key("weekly");
    super::calendar::zone_name(zone, &at.key("zone"), out);
    let at = at.key("spans");
    limit(spans.len(), LIST_MAX, "128", &at, out);
    if spans.is_empty() {
        out.add(Rule::HoursForm, &at, "no span");
    }
    for (i, span) in spans.iter().enumerate() {
        if span.days.is_empty() || span.opens_minute > 1439 || !(1..=1440).contains(&span.closes_minute) {
            out.add(Rule::HoursForm, &at.index(i), "no day, or a minute outside of the day");
        }
    }
}
