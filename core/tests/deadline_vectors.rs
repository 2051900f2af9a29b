//! Deadlines against a second implementation: `tests/referees/deadlines.py`, Python's datetime and zoneinfo.

use std::collections::BTreeMap;

use amparo_core::calendar::Basis;
use amparo_core::protocol::deadline::{LimitDue, due};
use amparo_schema::fact::Stamp;
use amparo_schema::pack::calendar::{Calendar, Holiday, Zone, ZoneChange};
use amparo_schema::pack::directory::Day;
use amparo_schema::pack::protocol::{DayZero, Deadline, Event, Limit, Unit};
use amparo_schema::text::{Review, Source, Text};
use jiff::civil::Date;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    zones: BTreeMap<String, Changes>,
    calendars: BTreeMap<String, Days>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Changes {
    changes: Vec<(i64, i32)>,
    known_until: i64,
}

#[derive(Deserialize)]
struct Days {
    weekend: Vec<Day>,
    years: BTreeMap<i16, Vec<Date>>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    zone: Option<String>,
    offset_minutes: i16,
    calendar: Option<String>,
    event_ms: i64,
    limits: Vec<(u32, Unit)>,
    day_zero: DayZero,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    act_by: End,
    outer_limit: End,
    ambiguous: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
struct End {
    until_ms: i64,
    date: Date,
    amount: u32,
    unit: Unit,
    zone_known: bool,
    days_known: bool,
}

impl From<LimitDue> for End {
    fn from(due: LimitDue) -> Self {
        Self {
            until_ms: due.until_ms,
            date: due.date,
            amount: due.limit.amount,
            unit: due.limit.unit,
            zone_known: due.zone == Basis::Known,
            days_known: due.days == Basis::Known,
        }
    }
}

/// The calendar pack of a case: all zones, and the days of `name`; no years for none, and the usual weekend.
fn calendar(vectors: &Vectors, name: Option<&String>) -> Calendar {
    let source = Source { document: "synthetic".into(), place: "test".into(), as_of: None };
    let holiday = |date: &Date| Holiday {
        date: *date,
        name: Text::default(),
        source: source.clone(),
        review: Review::Unverified,
    };
    let zone = |zone: &Changes| Zone {
        release: "of the referee".into(),
        changes: zone.changes.iter().map(|(at, offset)| ZoneChange { at: *at, offset: *offset }).collect(),
        known_until: zone.known_until,
    };
    let days = name.and_then(|name| vectors.calendars.get(name));
    Calendar {
        weekend: days.map_or(vec![Day::Sat, Day::Sun], |days| days.weekend.clone()),
        years: days
            .map(|days| days.years.iter().map(|(y, list)| (*y, list.iter().map(holiday).collect())).collect())
            .unwrap_or_default(),
        zones: vectors.zones.iter().map(|(name, changes)| (name.clone(), zone(changes))).collect(),
    }
}

#[test]
fn every_deadline_is_as_the_referee_says() {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../tests/vectors/deadlines.json")).expect("vectors");
    assert!(vectors.cases.len() >= 265, "the file holds all cases");
    for case in &vectors.cases {
        let from =
            Stamp { wall_ms: case.event_ms, offset_minutes: case.offset_minutes, steady_ms: 0, doubt: None };
        let deadline = Deadline {
            limits: case.limits.iter().map(|(amount, unit)| Limit { amount: *amount, unit: *unit }).collect(),
            counts_from: Event::Found,
            day_zero: case.day_zero,
            on_expiry: None,
        };
        let listed = case.calendar.as_ref().is_none_or(|name| vectors.calendars.contains_key(name));
        assert!(listed, "{}: the file holds its calendar", case.name);
        let calendar = calendar(&vectors, case.calendar.as_ref());
        let zone = case.zone.as_deref().unwrap_or("Nowhere/Unknown");
        let due = due(&deadline, &from, zone, Some(&calendar)).expect(&case.name);
        // Two limits may end in the same moment; then either may stand for both.
        assert_eq!(due.act_by.until_ms, case.expect.act_by.until_ms, "{}", case.name);
        assert_eq!(due.outer_limit.until_ms, case.expect.outer_limit.until_ms, "{}", case.name);
        assert_eq!(due.ambiguous, case.expect.ambiguous, "{}", case.name);
        if !due.ambiguous || due.act_by.until_ms != due.outer_limit.until_ms {
            let (act_by, outer) = (End::from(due.act_by), End::from(due.outer_limit));
            assert_eq!(act_by, case.expect.act_by, "{}", case.name);
            assert_eq!(outer, case.expect.outer_limit, "{}", case.name);
        }
        if case.zone.is_none() && case.calendar.is_none() {
            // Without a pack it is the same as with one that knows neither.
            let without =
                amparo_core::protocol::deadline::due(&deadline, &from, zone, None).expect(&case.name);
            assert_eq!(without, due, "{}", case.name);
        }
    }
}
