//! Whether one service takes this person, and what must be said about it.
//!
//! Owns the reasons to leave a service out and the reasons and caveats to show with it. What is not known leaves
//! nothing out: it becomes a caveat, and ranks lower.

use amparo_schema::answer::AgeRange;
use amparo_schema::name::Name;
use amparo_schema::pack::directory::{
    Channel, ChannelKind, Known, Service, ServiceKind, ServiceStatus, Takes,
};
use amparo_schema::person::{Exploitation, Person, Sex};
use jiff::civil::Date;
use serde::Serialize;

use super::hours::{self, Open, Zones};
use super::query::{Calling, ClockTrust, Query};

/// Issue codes of a source table that a person who dials must hear of.
pub mod issue {
    /// The number was printed with a prefix that is no longer dialled; the dial string leaves it out.
    pub const OBSOLETE_PREFIX: &str = "OBSOLETE_PREFIX";
    /// A line for trafficking that is also the general police line.
    pub const ALSO_GENERIC_POLICE_LINE: &str = "ALSO_GENERIC_POLICE_LINE";
    /// A menu must be answered.
    pub const MENU_STEP_REQUIRED: &str = "MENU_STEP_REQUIRED";
    /// A mobile number of a team, which goes stale quickly.
    pub const MOBILE_LIKELY_STALE: &str = "MOBILE_LIKELY_STALE";
    /// The body that ran it has since been replaced.
    pub const AGENCY_SINCE_REPLACED: &str = "AGENCY_SINCE_REPLACED";
    /// The area code was not printed.
    pub const AREA_CODE_ASSUMED: &str = "AREA_CODE_ASSUMED";
    /// The row stands beside another country in print.
    pub const ROW_MISALIGNED: &str = "ROW_MISALIGNED";
}

/// Why a service is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// It serves another country.
    OtherCountry,
    /// It is history; this one replaced it.
    Superseded {
        /// Its successor, if it is in the directory.
        by: Option<Name>,
    },
    /// It must not be offered; its remark says why.
    Withheld,
    /// The source names it and gives nothing to reach it by.
    NoContact,
    /// All that is known of it is a number that must not be dialled.
    DoNotDialOnly,
    /// It can only be reached over channels that are not safe now.
    NoSafeChannel,
    /// It cannot be reached from abroad.
    NotReachableFromAbroad,
    /// It serves other areas of the country.
    WrongArea,
    /// It does not answer now.
    ClosedNow {
        /// When it next opens, milliseconds since 1970, UTC; none if it has no hours at all.
        opens_at_ms: Option<i64>,
    },
    /// It is known to take others in this respect.
    TakesOthers(Trait),
    /// No place was free.
    Full {
        /// The day for which that was true; none if not known.
        as_of: Option<Date>,
    },
}

/// A respect in which services choose whom they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trait {
    /// Sex.
    Sex,
    /// Age.
    Age,
    /// Children who come along.
    Children,
    /// Form of exploitation.
    Exploitation,
    /// Nationals or foreign nationals.
    Nationality,
}

/// What to say of a service that is offered: why it fits, and what to beware of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is known to take this person in this respect.
    Takes(Trait),
    /// Ask: it is not known whether it takes this person in this respect.
    TakesUnknown(Trait),
    /// It speaks a language of the person.
    LanguageSpoken,
    /// Not known in which languages it can talk, or the person.
    LanguageUnknown,
    /// It is known to speak other languages only: find an interpreter.
    LanguageOther,
    /// Its subject is this person's need.
    ThemeFits,
    /// Not known whether its subject is this person's need.
    ThemeUnknown,
    /// Its subject is another need.
    ThemeOther,
    /// It is of another kind than was asked for.
    OtherKindThanWanted,
    /// It serves some areas; where the person is was not said.
    AreaUnknown,
    /// It answers now.
    OpenNow,
    /// Not known when it answers.
    HoursUnknown,
    /// The phone's clock is in doubt, so its hours say nothing.
    ClockInDoubt,
    /// Someone called on that day and it was right.
    VerifiedOn(Date),
    /// Nobody has verified it since it was printed in that year.
    UnverifiedSince(Option<u16>),
    /// It cannot be reached from abroad.
    NotReachableFromAbroad,
    /// Not known whether it can be reached from abroad.
    FromAbroadUnknown,
    /// It takes calls about any offence, not only this one.
    AnyOffence,
    /// Part of the number was derived or assumed, not printed.
    NumberDerived,
    /// The number was printed with a prefix that is no longer dialled.
    ObsoletePrefix,
    /// A menu must be answered.
    MenuStep,
    /// The number or the body behind it has likely changed.
    LikelyChanged,
    /// The country was worked out from the layout of the source.
    CountryWorkedOut,
}

/// What was found about one service for one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Every reason to leave it out; empty when it fits.
    pub excluded: Vec<Exclusion>,
    /// Reasons and caveats.
    pub reasons: Vec<Reason>,
    /// The channels that may be used now, best first. Never one that is marked do-not-dial.
    pub channels: Vec<&'a Channel>,
    /// Whether it answers now.
    pub open: Open,
}

/// How far a subject is the person's need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Theme {
    /// By what happened to the person.
    ByNeed,
    /// By who the person is.
    ByPerson,
    /// Not known.
    Unknown,
    /// Another need.
    Other,
}

/// Judges one service. Total and pure; the order of the reasons is fixed.
#[must_use]
pub fn judge<'a>(service: &'a Service, query: &Query, zones: Option<&dyn Zones>) -> Verdict<'a> {
    let open = match query.clock {
        ClockTrust::Trusted => hours::at(&service.hours, query.now_ms, zones),
        // A service that never closes is open whatever the clock says.
        ClockTrust::InDoubt => hours::at(&service.hours, query.now_ms, None),
    };
    let mut verdict = Verdict { excluded: Vec::new(), reasons: Vec::new(), channels: Vec::new(), open };
    if service.country != query.country {
        verdict.excluded.push(Exclusion::OtherCountry);
        return verdict;
    }
    reach(service, query, &mut verdict);
    place_and_time(service, query, &mut verdict);
    persons(&service.takes, &query.person, &mut verdict);
    if service.capacity == Some(0) {
        verdict.excluded.push(Exclusion::Full { as_of: service.verified_on });
    }
    verdict.reasons.push(language(service, &query.person));
    verdict.reasons.extend(match theme(service.kind, &query.person) {
        Some(Theme::ByNeed | Theme::ByPerson) => Some(Reason::ThemeFits),
        Some(Theme::Unknown) => Some(Reason::ThemeUnknown),
        Some(Theme::Other) => Some(Reason::ThemeOther),
        None => None,
    });
    if !query.kinds.is_empty() && !query.kinds.contains(&service.kind) {
        verdict.reasons.push(Reason::OtherKindThanWanted);
    }
    verdict.reasons.extend(provenance(service));
    verdict
}

/// Status and channels.
fn reach<'a>(service: &'a Service, query: &Query, verdict: &mut Verdict<'a>) {
    match &service.status {
        ServiceStatus::Current => {}
        ServiceStatus::Superseded { by } => {
            return verdict.excluded.push(Exclusion::Superseded { by: by.clone() });
        }
        ServiceStatus::NoContact => return verdict.excluded.push(Exclusion::NoContact),
        ServiceStatus::Withheld => return verdict.excluded.push(Exclusion::Withheld),
    }
    let usable: Vec<&Channel> = service.channels.iter().filter(|channel| can_be_used(channel)).collect();
    if usable.is_empty() {
        let wrong = service.channels.iter().any(|channel| channel.do_not_dial);
        return verdict.excluded.push(if wrong { Exclusion::DoNotDialOnly } else { Exclusion::NoContact });
    }
    let safe: Vec<&Channel> =
        usable.into_iter().filter(|channel| query.channels.contains(&channel.kind)).collect();
    if safe.is_empty() {
        return verdict.excluded.push(Exclusion::NoSafeChannel);
    }
    let reachable: Vec<&Channel> =
        safe.iter().copied().filter(|channel| channel.from_abroad != Known::No).collect();
    let unknown = reachable.iter().all(|channel| channel.from_abroad.is_unknown());
    verdict.channels = match (query.calling, reachable.is_empty()) {
        (Calling::Home, true) => {
            verdict.reasons.push(Reason::NotReachableFromAbroad);
            safe
        }
        (Calling::Home, false) => safe,
        (Calling::Abroad, true) => {
            verdict.excluded.push(Exclusion::NotReachableFromAbroad);
            safe
        }
        (Calling::Abroad, false) => {
            verdict.reasons.extend(unknown.then_some(Reason::FromAbroadUnknown));
            reachable
        }
    };
}

/// A telephone needs a number, anything else an address.
fn can_be_used(channel: &Channel) -> bool {
    let number = channel.dial.is_some() || channel.e164.is_some();
    !channel.do_not_dial
        && match channel.kind {
            ChannelKind::Phone | ChannelKind::Tty | ChannelKind::Sms => number,
            _ => number || channel.display.is_some(),
        }
}

fn place_and_time(service: &Service, query: &Query, verdict: &mut Verdict<'_>) {
    match &query.area {
        _ if service.areas.is_empty() => {}
        None => verdict.reasons.push(Reason::AreaUnknown),
        Some(area) if service.areas.contains(area) => {}
        Some(_) => verdict.excluded.push(Exclusion::WrongArea),
    }
    match verdict.open {
        Open::Now => verdict.reasons.push(Reason::OpenNow),
        Open::Closed { opens_at_ms } => verdict.excluded.push(Exclusion::ClosedNow { opens_at_ms }),
        Open::Unknown => verdict.reasons.push(match query.clock {
            ClockTrust::Trusted => Reason::HoursUnknown,
            ClockTrust::InDoubt => Reason::ClockInDoubt,
        }),
    }
}

fn persons(takes: &Takes, person: &Person, verdict: &mut Verdict<'_>) {
    let answers = [
        (Trait::Sex, sex(takes, person.sex)),
        (Trait::Age, age(takes, person.age)),
        (Trait::Children, children(takes.children_along, person.children_along)),
        (Trait::Exploitation, exploitation(takes, person)),
        (Trait::Nationality, nationality(takes, person.foreign)),
    ];
    for (of, answer) in answers {
        match answer {
            Known::Yes => verdict.reasons.push(Reason::Takes(of)),
            Known::Unknown => verdict.reasons.push(Reason::TakesUnknown(of)),
            Known::No => verdict.excluded.push(Exclusion::TakesOthers(of)),
        }
    }
}

/// A person whose sex is neither female nor male is never left out for it: sources speak of two, and only the
/// service can say.
fn sex(takes: &Takes, sex: Option<Sex>) -> Known {
    let every = [Sex::Female, Sex::Male, Sex::Other].iter().all(|sex| takes.sexes.contains(sex));
    match sex {
        _ if every => Known::Yes,
        _ if takes.sexes.is_empty() => Known::Unknown,
        Some(sex) if takes.sexes.contains(&sex) => Known::Yes,
        Some(Sex::Female | Sex::Male) => Known::No,
        Some(Sex::Other) | None => Known::Unknown,
    }
}

/// Yes only when every age that is possible is taken, no only when none is: an age in doubt leaves nothing out.
fn age(takes: &Takes, age: Option<AgeRange>) -> Known {
    if takes.age_min.is_none() && takes.age_max.is_none() {
        return Known::Unknown;
    }
    let (min, max) = (takes.age_min.unwrap_or(0), takes.age_max.unwrap_or(u8::MAX));
    match age.filter(|age| age.is_valid()) {
        None => Known::Unknown,
        Some(age) if min <= age.from && age.to <= max => Known::Yes,
        Some(age) if age.to < min || max < age.from => Known::No,
        Some(_) => Known::Unknown,
    }
}

fn children(taken: Known, along: Option<u8>) -> Known {
    match (along, taken) {
        (Some(0), _) => Known::Yes,
        (Some(_), taken) => taken,
        (None, Known::Yes) => Known::Yes,
        (None, _) => Known::Unknown,
    }
}

fn exploitation(takes: &Takes, person: &Person) -> Known {
    if takes.exploitation.is_empty() || person.exploitation.is_empty() {
        Known::Unknown
    } else if takes.exploitation.is_disjoint(&person.exploitation) {
        Known::No
    } else {
        Known::Yes
    }
}

fn nationality(takes: &Takes, foreign: Option<bool>) -> Known {
    match foreign {
        Some(true) => takes.foreign,
        Some(false) => takes.nationals,
        None if takes.foreign == Known::Yes && takes.nationals == Known::Yes => Known::Yes,
        None => Known::Unknown,
    }
}

/// Compared without region or script: an official finds out whether `pt-BR` will do for `pt`.
fn language(service: &Service, person: &Person) -> Reason {
    if service.languages.is_empty() || person.languages.is_empty() {
        return Reason::LanguageUnknown;
    }
    let common = service
        .languages
        .iter()
        .any(|spoken| person.languages.iter().any(|wanted| wanted.primary() == spoken.primary()));
    if common { Reason::LanguageSpoken } else { Reason::LanguageOther }
}

/// How far the subject of a thematic line is this person's need; `None` for kinds that have no subject of their own.
/// Women's lines are read as lines for violence by gender, so a man's sexual exploitation leaves the question open;
/// domestic servitude counts as work.
#[must_use]
pub fn theme(kind: ServiceKind, person: &Person) -> Option<Theme> {
    use Exploitation::{Domestic, Labour, Marriage, Sexual};
    let any = |forms: &[Exploitation]| forms.iter().any(|form| person.exploitation.contains(form));
    Some(match kind {
        ServiceKind::Child if person.is_child() => Theme::ByNeed,
        ServiceKind::Child => match person.children_along {
            Some(0) => Theme::Other,
            Some(_) => Theme::ByPerson,
            None => Theme::Unknown,
        },
        ServiceKind::Women => match person.sex {
            Some(Sex::Female) if any(&[Sexual, Domestic, Marriage]) => Theme::ByNeed,
            Some(Sex::Female) => Theme::ByPerson,
            Some(Sex::Male) if !any(&[Sexual]) => Theme::Other,
            _ => Theme::Unknown,
        },
        ServiceKind::Labour if any(&[Labour, Domestic]) => Theme::ByNeed,
        ServiceKind::Labour if person.exploitation.is_empty() => Theme::Unknown,
        ServiceKind::Labour => Theme::Other,
        ServiceKind::Migration => match person.foreign {
            Some(true) => Theme::ByPerson,
            Some(false) => Theme::Other,
            None => Theme::Unknown,
        },
        _ => return None,
    })
}

/// What is to be said of where the entry comes from.
fn provenance(service: &Service) -> Vec<Reason> {
    let has = |code: &str| service.issues.iter().any(|issue| issue == code);
    let derived = service.channels.iter().any(|c| c.e164_basis.as_deref().is_some_and(is_derived));
    let any_offence = service.kind == ServiceKind::Police || has(issue::ALSO_GENERIC_POLICE_LINE);
    let verified =
        service.verified_on.map_or(Reason::UnverifiedSince(service.printed_in), Reason::VerifiedOn);
    [
        (true, verified),
        (any_offence, Reason::AnyOffence),
        (derived || has(issue::AREA_CODE_ASSUMED), Reason::NumberDerived),
        (has(issue::OBSOLETE_PREFIX), Reason::ObsoletePrefix),
        (has(issue::MENU_STEP_REQUIRED), Reason::MenuStep),
        (has(issue::MOBILE_LIKELY_STALE) || has(issue::AGENCY_SINCE_REPLACED), Reason::LikelyChanged),
        (has(issue::ROW_MISALIGNED), Reason::CountryWorkedOut),
    ]
    .into_iter()
    .filter_map(|(holds, reason)| holds.then_some(reason))
    .collect()
}

/// Whether an E.164 basis says that the number was derived, not printed.
#[must_use]
pub fn is_derived(basis: &str) -> bool {
    basis.starts_with("derived")
}
