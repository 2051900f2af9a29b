//! The order of a match. Total and the same on every device.
//!
//! By kind, in the order that the person needs; within a kind first those known to take this person, then by the
//! six features of a good line, open now, free, verified lately, and at last by id. That a service takes the person
//! stands before the features: unknown never leaves a service out, but ranks it after the known fits of its kind.

use std::cmp::Reverse;

use amparo_schema::name::Name;
use amparo_schema::pack::directory::{Features, Known, Service, ServiceKind};
use amparo_schema::person::Person;
use jiff::civil::Date;

use super::fit::{Exclusion, Reason, Theme, Verdict, theme};
use super::hours::Open;
use super::query::Query;

/// A place in the order; the smallest comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'a> {
    wanted: usize,
    tier: u8,
    kind: ServiceKind,
    takes_others: usize,
    speaks_other_languages: bool,
    open_questions: usize,
    features: Reverse<usize>,
    open: u8,
    free: u8,
    verified: Reverse<Option<Date>>,
    id: &'a Name,
}

/// The place of a judged service among all others for one query.
#[must_use]
pub fn place<'a>(service: &'a Service, query: &Query, verdict: &Verdict<'_>) -> Place<'a> {
    let tier = tier(service.kind, &query.person);
    let unknown = |reason: &&Reason| {
        matches!(reason, Reason::TakesUnknown(_) | Reason::LanguageUnknown | Reason::AreaUnknown)
    };
    Place {
        wanted: wanted(service.kind, tier, &query.kinds),
        tier,
        kind: service.kind,
        takes_others: verdict.excluded.iter().filter(|e| matches!(e, Exclusion::TakesOthers(_))).count(),
        speaks_other_languages: verdict.reasons.contains(&Reason::LanguageOther),
        open_questions: verdict.reasons.iter().filter(unknown).count(),
        features: Reverse(six(&service.features)),
        open: match verdict.open {
            Open::Now => 0,
            Open::Unknown => 1,
            Open::Closed { .. } => 2,
        },
        free: match service.features.free {
            Known::Yes => 0,
            Known::Unknown => 1,
            Known::No => 2,
        },
        verified: Reverse(service.verified_on),
        id: &service.id,
    }
}

/// The last tier: lines whose subject is known to be another need.
const OTHER_NEED: u8 = 12;

/// Tiers of kinds. Child protection comes before other specialised services for someone who is or may be a child.
fn tier(kind: ServiceKind, person: &Person) -> u8 {
    match (kind, theme(kind, person)) {
        (ServiceKind::DedicatedLine, _) => 0,
        (ServiceKind::Child, Some(Theme::ByNeed)) => 1,
        (ServiceKind::Shelter, _) => 2,
        (ServiceKind::Specialised, _) => 3,
        (ServiceKind::VictimSupport, _) => 4,
        (_, Some(Theme::ByNeed)) => 5,
        (_, Some(Theme::ByPerson)) => 6,
        (_, Some(Theme::Unknown)) => 7,
        (_, Some(Theme::Other)) => OTHER_NEED,
        (ServiceKind::Justice, _) => 8,
        (ServiceKind::Police, _) => 9,
        (ServiceKind::Emergency, _) => 10,
        _ => 11,
    }
}

/// The place of a kind in the wish of a protocol step; then the kinds it does not name; then another need, whatever
/// the wish says.
fn wanted(kind: ServiceKind, tier: u8, wish: &[ServiceKind]) -> usize {
    if tier == OTHER_NEED {
        return wish.len().saturating_add(1);
    }
    wish.iter().position(|wanted| *wanted == kind).unwrap_or(wish.len())
}

/// How many of the six features of a good line are known to hold: free, anonymous, easy to remember, specialised,
/// linked to services, multilingual (OAS progress report 2019, final comments). Confidential is not one of the six.
fn six(features: &Features) -> usize {
    let all = [
        features.free,
        features.anonymous,
        features.easy_to_remember,
        features.specialised,
        features.linked,
        features.multilingual,
    ];
    all.iter().filter(|known| **known == Known::Yes).count()
}
