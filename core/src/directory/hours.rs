//! Opening hours: open now, or when next. Pure; total for any numbers.
//!
//! Spans are read on the wall clock of the service's zone. A span may pass midnight, and one that closes at the
//! minute at which it opens lasts a whole day. Zones come as offsets, because a phone carries no zone database.

use amparo_schema::pack::calendar::Calendar;
use amparo_schema::pack::directory::{Day, Hours, Span};

/// Offsets of time zones.
pub trait Zones {
    /// Seconds east of UTC in `zone` at this instant (seconds since 1970, UTC); `None` when the zone is not known,
    /// or not for that time.
    fn offset_seconds(&self, zone: &str, at_utc_seconds: i64) -> Option<i32>;
}

impl Zones for Calendar {
    fn offset_seconds(&self, zone: &str, at_utc_seconds: i64) -> Option<i32> {
        let zone = self.zones.get(zone)?;
        if at_utc_seconds >= zone.known_until {
            return None;
        }
        let begun = zone.changes.partition_point(|change| change.at <= at_utc_seconds);
        zone.changes.get(begun.saturating_sub(1)).map(|change| change.offset)
    }
}

/// Whether a service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// It answers now.
    Now,
    /// Nobody knows: no hours in the directory, a zone that is not known, or a clock in doubt.
    Unknown,
    /// It does not answer now.
    Closed {
        /// When it next opens, milliseconds since 1970, UTC; `None` for hours without any span.
        opens_at_ms: Option<i64>,
    },
}

const DAY: i64 = 86_400;
const MINUTE: i64 = 60;

/// Whether a service with these hours answers at `now_ms` (milliseconds since 1970, UTC).
#[must_use]
pub fn at(hours: &Hours, now_ms: i64, zones: Option<&dyn Zones>) -> Open {
    let (zone, spans) = match hours {
        Hours::Unknown => return Open::Unknown,
        Hours::Always => return Open::Now,
        Hours::Weekly { zone, spans } => (zone, spans),
    };
    let now = now_ms.div_euclid(1000);
    let Some((zones, offset)) = zones.and_then(|z| z.offset_seconds(zone, now).map(|offset| (z, offset)))
    else {
        return Open::Unknown;
    };
    let local = now.saturating_add(offset.into());
    let today = local.div_euclid(DAY);
    // Yesterday's spans may still run; within eight days every span has opened again.
    if on_days(spans, today.saturating_sub(1), 2).any(|(from, to)| from <= local && local < to) {
        return Open::Now;
    }
    let next = on_days(spans, today, 8).map(|(from, _)| from).filter(|from| *from > local).min();
    Open::Closed { opens_at_ms: next.map(|from| utc(from, offset, zone, zones).saturating_mul(1000)) }
}

/// The spans that open on `count` days from day number `first`, as local seconds from opening to closing.
fn on_days(spans: &[Span], first: i64, count: i64) -> impl Iterator<Item = (i64, i64)> {
    (0..count).flat_map(move |ahead| {
        let day = first.saturating_add(ahead);
        let (weekday, start) = (weekday(day), day.saturating_mul(DAY));
        spans.iter().filter(move |span| span.days.contains(&weekday)).map(move |span| {
            let (opens, closes) = (i64::from(span.opens_minute), i64::from(span.closes_minute));
            let lasts = if closes > opens { closes - opens } else { closes - opens + 1440 };
            let from = start.saturating_add(opens * MINUTE);
            (from, from.saturating_add(lasts * MINUTE))
        })
    })
}

/// The weekday of a day number; day 0 is Thursday, 1 January 1970.
fn weekday(day: i64) -> Day {
    match day.rem_euclid(7) {
        0 => Day::Thu,
        1 => Day::Fri,
        2 => Day::Sat,
        3 => Day::Sun,
        4 => Day::Mon,
        5 => Day::Tue,
        _ => Day::Wed,
    }
}

/// UTC seconds of a local time near an instant with `offset`. An opening across a change of offset takes the offset
/// that holds then; where that one is not known, today's.
fn utc(local: i64, offset: i32, zone: &str, zones: &dyn Zones) -> i64 {
    let guess = local.saturating_sub(offset.into());
    let then = zones.offset_seconds(zone, guess).unwrap_or(offset);
    local.saturating_sub(then.into())
}

#[cfg(test)]
mod tests {
    use amparo_schema::pack::calendar::{Zone, ZoneChange};
    use jiff::civil::{DateTime, Weekday};
    use jiff::tz::Offset;
    use proptest::prelude::*;

    use super::*;

    /// One zone, `z`: three hours west until `change`, four hours west from then on.
    fn zone(change: i64) -> Calendar {
        let changes = vec![ZoneChange { at: 0, offset: -10_800 }, ZoneChange { at: change, offset: -14_400 }];
        let zone = Zone { release: "test".into(), changes, known_until: 4_000_000_000 };
        Calendar { weekend: Vec::new(), years: [].into(), zones: [("z".into(), zone)].into() }
    }

    fn weekly(spans: &[(&[Day], u16, u16)]) -> Hours {
        let span = |(days, opens, closes): &(&[Day], u16, u16)| Span {
            days: days.iter().copied().collect(),
            opens_minute: *opens,
            closes_minute: *closes,
        };
        Hours::Weekly { zone: "z".into(), spans: spans.iter().map(span).collect() }
    }

    fn ms(utc: &str) -> i64 {
        utc.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    fn closed(until: &str) -> Open {
        Open::Closed { opens_at_ms: Some(ms(until)) }
    }

    #[test]
    fn office_hours_in_the_zone_of_the_service() {
        let zones = zone(3_000_000_000);
        let office = weekly(&[(&[Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri], 540, 1080)]);
        let at = |utc| at(&office, ms(utc), Some(&zones));
        // 20 November 2026 is a Friday; local time is UTC-3.
        assert_eq!(at("2026-11-20T12:00:00Z"), Open::Now);
        assert_eq!(at("2026-11-20T11:59:59Z"), closed("2026-11-20T12:00:00Z"));
        assert_eq!(at("2026-11-20T20:59:59Z"), Open::Now);
        assert_eq!(at("2026-11-20T21:00:00Z"), closed("2026-11-23T12:00:00Z"));
    }

    #[test]
    fn a_night_line_is_open_after_midnight() {
        let zones = zone(3_000_000_000);
        let night = weekly(&[(&[Day::Sat], 1320, 360)]);
        let at = |utc| at(&night, ms(utc), Some(&zones));
        assert_eq!(at("2026-11-22T06:00:00Z"), Open::Now); // Sunday 03:00
        assert_eq!(at("2026-11-22T09:00:00Z"), closed("2026-11-29T01:00:00Z")); // Sunday 06:00
        assert_eq!(at("2026-11-21T06:00:00Z"), closed("2026-11-22T01:00:00Z")); // Saturday 03:00
    }

    #[test]
    fn an_opening_after_a_change_of_offset_takes_the_new_one() {
        let change = ms("2026-11-22T03:00:00Z") / 1000; // Sunday 00:00 at UTC-3
        let zones = zone(change);
        let monday = weekly(&[(&[Day::Mon], 540, 600)]);
        assert_eq!(at(&monday, ms("2026-11-21T12:00:00Z"), Some(&zones)), closed("2026-11-23T13:00:00Z"));
    }

    #[test]
    fn what_is_not_known_is_unknown() {
        let zones = zone(3_000_000_000);
        let monday = weekly(&[(&[Day::Mon], 540, 600)]);
        assert_eq!(at(&Hours::Unknown, 0, Some(&zones)), Open::Unknown);
        assert_eq!(at(&monday, 0, None), Open::Unknown);
        assert_eq!(at(&monday, 4_000_000_000_000, Some(&zones)), Open::Unknown);
        assert_eq!(at(&weekly(&[]), 0, Some(&zones)), Open::Closed { opens_at_ms: None });
        assert_eq!(at(&Hours::Always, i64::MAX, None), Open::Now);
        assert_eq!(zones.offset_seconds("other", 0), None);
        assert_eq!(zones.offset_seconds("z", -1), Some(-10_800));
    }

    fn day_of(weekday: Weekday) -> Day {
        match weekday {
            Weekday::Monday => Day::Mon,
            Weekday::Tuesday => Day::Tue,
            Weekday::Wednesday => Day::Wed,
            Weekday::Thursday => Day::Thu,
            Weekday::Friday => Day::Fri,
            Weekday::Saturday => Day::Sat,
            Weekday::Sunday => Day::Sun,
        }
    }

    /// Open in the minute of this civil time, worked out minute by minute with civil dates.
    fn oracle(local: DateTime, days: &std::collections::BTreeSet<Day>, opens: u16, closes: u16) -> bool {
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap();
        let today = days.contains(&day_of(local.weekday()));
        let yesterday = days.contains(&day_of(local.date().yesterday().unwrap().weekday()));
        match closes > opens {
            true => today && (opens..closes).contains(&minute),
            false => (today && minute >= opens) || (yesterday && minute < closes),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_civil_dates(
            second in 0_i64..2_000_000_000, mask in 0_u8..128, opens in 0_u16..1440, closes in 1_u16..=1440,
        ) {
            let all = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
            let days: Vec<Day> =
                all.into_iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0).map(|(_, d)| d).collect();
            let zones = zone(3_000_000_000);
            let found = at(&weekly(&[(&days, opens, closes)]), second * 1000, Some(&zones));
            let local = |s: i64| {
                Offset::from_seconds(-10_800).unwrap().to_datetime(jiff::Timestamp::from_second(s).unwrap())
            };
            let set = days.iter().copied().collect();
            prop_assert_eq!(found == Open::Now, oracle(local(second), &set, opens, closes));
            if let Open::Closed { opens_at_ms } = found {
                prop_assert_eq!(opens_at_ms.is_none(), days.is_empty());
                if let Some(next) = opens_at_ms {
                    prop_assert!(next > second * 1000);
                    prop_assert!(oracle(local(next / 1000), &set, opens, closes));
                    prop_assert!(!oracle(local(next / 1000 - 60), &set, opens, closes));
                }
            }
        }

        #[test]
        fn never_panics(now: i64, opens: u16, closes: u16) {
            let zones = zone(3_000_000_000);
            let _ = at(&weekly(&[(&[Day::Mon], opens, closes)]), now, Some(&zones));
        }
    }
}
