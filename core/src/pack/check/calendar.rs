//! Calendars: holidays in their year, offsets in order.

use std::collections::BTreeSet;

use amparo_schema::limits::{CALENDAR_DAYS_MAX, CALENDAR_YEARS_MAX, NAME_CHARS_MAX, ZONE_CHANGES_MAX};
use amparo_schema::pack::calendar::{Calendar, Zone};

use super::finding::{At, Findings, Rule};
use super::limit;

/// Seconds that an offset from UTC may have; places have used up to 15 h 13 min.
const OFFSET_SECONDS_MAX: i32 = 16 * 3600;
/// Zones of one calendar; the IANA database has about 600.
const ZONES_MAX: usize = 700;

pub(super) fn check(c: &Calendar, root: &At<'_>, out: &mut Findings) {
    let at = root.key("weekend");
    limit(c.weekend.len(), 6, "six days of weekend", &at, out);
    for (i, day) in c.weekend.iter().enumerate() {
        if c.weekend.iter().take(i).any(|d| d == day) {
            out.add(Rule::DuplicateId, &at.index(i), "a day stands twice");
        }
    }
    let years = root.key("years");
    limit(c.years.len(), CALENDAR_YEARS_MAX, "CALENDAR_YEARS_MAX", &years, out);
    for (year, days) in &c.years {
        let key = year.to_string();
        let at = years.key(&key);
        limit(days.len(), CALENDAR_DAYS_MAX, "CALENDAR_DAYS_MAX", &at, out);
        let mut seen = BTreeSet::new();
        for (i, day) in days.iter().enumerate() {
            let at = at.index(i);
            if day.date.year() != *year {
                out.add(Rule::HolidayOutsideYear, &at.key("date"), format!("{} under {year}", day.date));
            }
            if !seen.insert(day.date) {
                out.add(Rule::DuplicateId, &at.key("date"), format!("{} stands twice", day.date));
            }
            out.source(&day.source, &at.key("source"));
            out.review(&day.review, &at);
        }
    }
    let zones = root.key("zones");
    limit(c.zones.len(), ZONES_MAX, "700", &zones, out);
    for (name, zone) in &c.zones {
        let at = zones.key(name);
        zone_name(name, &at, out);
        self::zone(zone, &at, out);
    }
}

/// The form of an IANA name; whether there is such a zone is known where offsets are compiled.
pub(super) fn zone_name(name: &str, at: &At<'_>, out: &mut Findings) {
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric() || "+-_".contains(c));
    if name.len() > NAME_CHARS_MAX || !name.split('/').all(part) || (!name.contains('/') && name != "UTC") {
        out.add(Rule::ZoneName, at, "not of the form Area/City");
    }
}

fn zone(zone: &Zone, at: &At<'_>, out: &mut Findings) {
    let at = at.key("changes");
    limit(zone.changes.len(), ZONE_CHANGES_MAX, "ZONE_CHANGES_MAX", &at, out);
    let ordered = zone.changes.iter().zip(zone.changes.iter().skip(1)).all(|(a, b)| a.at < b.at);
    let offsets = zone.changes.iter().all(|c| (-OFFSET_SECONDS_MAX..=OFFSET_SECONDS_MAX).contains(&c.offset));
    let known = zone.changes.last().is_some_and(|last| last.at <= zone.known_until);
    if !ordered || !offsets || !known {
        out.add(Rule::ZoneChanges, &at, "not ascending, none, past known_until, or no such offset");
    }
}
