//! Working days and time zones, as a calendar pack tells them.
//!
//! Owns what a date or an instant means at the office that a protocol names: whether it is a working day, which
//! offset holds, what the wall clock shows. Never reads a clock or the system's time zone database, and never
//! hides that it does not know: a year without holidays and an instant past the compiled zone are
//! [`Basis::Provisional`]. Dates are jiff's; only the compiled tables are looked up here.

use std::borrow::Cow;
use std::collections::BTreeSet;

use amparo_schema::fact::Stamp;
use amparo_schema::limits::{CALENDAR_DAYS_MAX, CALENDAR_YEARS_MAX, DEADLINE_AMOUNT_MAX};
use amparo_schema::pack::calendar::{Calendar, Zone, ZoneChange};
use amparo_schema::pack::directory::Day;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::Offset;

/// How firm the ground under a date or time is. The greater of two is that of both together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The pack covers it.
    Known,
    /// The pack does not: holidays of the year, or offsets of the time, are missing. A shell shows this.
    Provisional,
}

/// Why a calendar gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The date or instant lies outside what can be named (years -9999 to 9999).
    #[error("the date is outside of what a calendar can name")]
    OutOfRange,
    /// More working days were asked for than a deadline may have.
    #[error("more than {DEADLINE_AMOUNT_MAX} working days")]
    TooMany,
    /// The calendar leaves no working day.
    #[error("the calendar has no working day")]
    NoWorkingDay,
}

/// Whether work is done on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It is a working day.
    Yes,
    /// It is a weekend or a holiday.
    No,
}

/// Whether `date` is a working day. Without a calendar Saturday and Sunday are the weekend; without the year's
/// holidays weekends alone count; both are provisional.
#[must_use]
pub fn working_day(calendar: Option<&Calendar>, date: Date) -> (Work, Basis) {
    let year = Year::of(calendar, date.year());
    (year.work(date), year.basis())
}

/// The `n`-th working day, `from` itself being the first that is looked at; `from` for 0. Provisional when any
/// day that was looked at is.
///
/// # Errors
/// [`CalendarError::TooMany`] past `DEADLINE_AMOUNT_MAX`; [`CalendarError::NoWorkingDay`] when the calendar
/// never leaves enough; [`CalendarError::OutOfRange`] past the year 9999.
pub fn nth_working_day(
    calendar: Option<&Calendar>,
    from: Date,
    n: u32,
) -> Result<(Date, Basis), CalendarError> {
    if n > DEADLINE_AMOUNT_MAX {
        return Err(CalendarError::TooMany);
    }
    let (mut day, mut left, mut basis) = (from, n, Basis::Known);
    if left == 0 {
        return Ok((day, basis));
    }
    let mut year = Year::of(calendar, day.year());
    if year.weekend.len() >= 7 {
        return Err(CalendarError::NoWorkingDay);
    }
    // Years with a list may be all holidays; any other week has a working day. So this is enough, and an end.
    for _ in 0..CALENDAR_YEARS_MAX * CALENDAR_DAYS_MAX + 7 * (DEADLINE_AMOUNT_MAX as usize + 1) {
        if day.year() != year.number {
            year = Year::of(calendar, day.year());
        }
        basis = basis.max(year.basis());
        if year.work(day) == Work::Yes {
            left -= 1;
        }
        if left == 0 {
            return Ok((day, basis));
        }
        day = day.tomorrow().map_err(|_| CalendarError::OutOfRange)?;
    }
    Err(CalendarError::NoWorkingDay)
}

/// One year of a calendar, ready for many look-ups.
struct Year {
    number: i16,
    weekend: BTreeSet<Day>,
    holidays: Option<BTreeSet<Date>>,
}

impl Year {
    fn of(calendar: Option<&Calendar>, number: i16) -> Self {
        Self {
            number,
            weekend: calendar
                .map_or_else(|| [Day::Sat, Day::Sun].into(), |c| c.weekend.iter().copied().collect()),
            holidays: calendar
                .and_then(|c| c.years.get(&number))
                .map(|days| days.iter().map(|holiday| holiday.date).collect()),
        }
    }

    fn work(&self, date: Date) -> Work {
        let off = self.weekend.contains(&day_of_week(date))
            || self.holidays.as_ref().is_some_and(|days| days.contains(&date));
        if off { Work::No } else { Work::Yes }
    }

    fn basis(&self) -> Basis {
        if self.holidays.is_some() { Basis::Known } else { Basis::Provisional }
    }
}

/// The day of the week of a date, as packs write it.
#[must_use]
pub fn day_of_week(date: Date) -> Day {
    match date.weekday() {
        Weekday::Monday => Day::Mon,
        Weekday::Tuesday => Day::Tue,
        Weekday::Wednesday => Day::Wed,
        Weekday::Thursday => Day::Thu,
        Weekday::Friday => Day::Fri,
        Weekday::Saturday => Day::Sat,
        Weekday::Sunday => Day::Sun,
    }
}

/// The zone of this name in the calendar; else one with the offset that the phone showed (`offset_minutes` east
/// of UTC; UTC for an offset that no place on earth has), in which everything is provisional.
#[must_use]
pub fn zone<'a>(calendar: Option<&'a Calendar>, name: &str, offset_minutes: i16) -> Cow<'a, Zone> {
    const SHOWN_MINUTES_MAX: u16 = 14 * 60;
    if let Some(zone) = calendar.and_then(|c| c.zones.get(name)).filter(|zone| !zone.changes.is_empty()) {
        return Cow::Borrowed(zone);
    }
    let minutes = if offset_minutes.unsigned_abs() <= SHOWN_MINUTES_MAX { offset_minutes } else { 0 };
    Cow::Owned(Zone {
        release: String::new(),
        changes: vec![ZoneChange { at: 0, offset: i32::from(minutes) * 60 }],
        known_until: i64::MIN,
    })
}

/// The offset that holds at an instant (milliseconds since 1970), in seconds east of UTC. From `known_until` on
/// the last one is taken, provisionally; a zone without changes is UTC, provisionally.
#[must_use]
pub fn offset_at(zone: &Zone, at_ms: i64) -> (i32, Basis) {
    let at = at_ms.div_euclid(1000);
    let begun = zone.changes.partition_point(|change| change.at <= at);
    match zone.changes.get(begun.saturating_sub(1)) {
        Some(change) if at < zone.known_until => (change.offset, Basis::Known),
        Some(change) => (change.offset, Basis::Provisional),
        None => (0, Basis::Provisional),
    }
}

/// What the wall clock of the zone shows at an instant (milliseconds since 1970).
///
/// # Errors
/// [`CalendarError::OutOfRange`] for an instant or an offset that cannot be named.
pub fn local(zone: &Zone, at_ms: i64) -> Result<(DateTime, Basis), CalendarError> {
    let (seconds, basis) = offset_at(zone, at_ms);
    let offset = Offset::from_seconds(seconds).map_err(|_| CalendarError::OutOfRange)?;
    let at = Timestamp::from_millisecond(at_ms).map_err(|_| CalendarError::OutOfRange)?;
    Ok((offset.to_datetime(at), basis))
}

/// The civil date at the office when the stamp was made; in the phone's own offset where the pack does not
/// know the zone.
///
/// # Errors
/// [`CalendarError::OutOfRange`] for a time that cannot be named.
pub fn office_date(
    calendar: Option<&Calendar>,
    zone_name: &str,
    at: &Stamp,
) -> Result<(Date, Basis), CalendarError> {
    let zone = zone(calendar, zone_name, at.offset_minutes);
    local(&zone, at.wall_ms).map(|(time, basis)| (time.date(), basis))
}

/// How often a wall clock shows a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Once.
    Once,
    /// Never: a change of offset skipped it. The instant is that of the change.
    Skipped,
    /// Twice: a change of offset repeated it. The instant is the earlier one.
    Twice,
}

/// The instant (milliseconds since 1970) at which the wall clock of the zone shows `time`. A skipped time is
/// the moment of the change and a repeated one the earlier, so that a day begins at its first instant and a
/// deadline is never thought to be later than it is.
///
/// # Errors
/// [`CalendarError::OutOfRange`] for a time that cannot be named, or a zone whose changes are in disorder.
pub fn instant(zone: &Zone, time: DateTime) -> Result<(i64, Shown, Basis), CalendarError> {
    let as_utc = Offset::UTC.to_timestamp(time).map_err(|_| CalendarError::OutOfRange)?.as_millisecond();
    let shift = |change: &ZoneChange| as_utc.saturating_sub(i64::from(change.offset) * 1000);
    let ends = zone.changes.iter().skip(1).map(|next| next.at.saturating_mul(1000));
    let mut begins = i64::MIN;
    let (mut found, mut skipped) = (None, None);
    for (change, end) in zone.changes.iter().zip(ends.chain([i64::MAX])) {
        let at = shift(change);
        if begins <= at && at < end {
            if let Some(first) = found {
                return Ok((first, Shown::Twice, offset_at(zone, first).1));
            }
            found = Some(at);
        } else if at < begins && found.is_none() && skipped.is_none() {
            // Too late for the offset before, too early for this one: the change jumped over it.
            skipped = Some(begins);
        }
        begins = end;
    }
    match (found, skipped) {
        (Some(at), _) => Ok((at, Shown::Once, offset_at(zone, at).1)),
        (None, Some(at)) => Ok((at, Shown::Skipped, offset_at(zone, at).1)),
        (None, None) if zone.changes.is_empty() => Ok((as_utc, Shown::Once, Basis::Provisional)),
        (None, None) => Err(CalendarError::OutOfRange),
    }
}

/// The last millisecond of a day in the zone.
///
/// # Errors
/// [`CalendarError::OutOfRange`] past the year 9999.
pub fn end_of_day(zone: &Zone, date: Date) -> Result<(i64, Basis), CalendarError> {
    let next = date.tomorrow().map_err(|_| CalendarError::OutOfRange)?;
    let (begins, _, _) = instant(zone, next.at(0, 0, 0, 0))?;
    let end = begins.saturating_sub(1);
    Ok((end, offset_at(zone, end).1))
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};
    use proptest::prelude::*;

    use super::*;

    /// America/Santiago, 2025 to 2027; each change found by halving with Python's zoneinfo (tzdata 2025b).
    fn santiago() -> Zone {
        let changes = [
            (1_735_689_600, -10_800),
            (1_743_908_400, -14_400),
            (1_757_217_600, -10_800),
            (1_775_358_000, -14_400),
            (1_788_667_200, -10_800),
            (1_806_807_600, -14_400),
            (1_820_116_800, -10_800),
        ];
        let changes = changes.map(|(at, offset)| ZoneChange { at, offset }).into();
        Zone { release: "2025b".into(), changes, known_until: 1_830_297_600 }
    }

    #[test]
    fn a_clock_skips_and_repeats() {
        let zone = santiago();
        // 2026-09-06: at 00:00 it is 01:00. 2026-04-04: at 24:00 it is 23:00 again.
        let spring = instant(&zone, datetime(2026, 9, 6, 0, 0, 0, 0)).unwrap();
        assert_eq!(spring, (1_788_667_200_000, Shown::Skipped, Basis::Known));
        let spring = instant(&zone, datetime(2026, 9, 6, 0, 59, 59, 0)).unwrap();
        assert_eq!(spring, (1_788_667_200_000, Shown::Skipped, Basis::Known));
        let autumn = instant(&zone, datetime(2026, 4, 4, 23, 30, 0, 0)).unwrap();
        assert_eq!(autumn, (1_775_356_200_000, Shown::Twice, Basis::Known));
        let midnight = instant(&zone, datetime(2026, 4, 5, 0, 0, 0, 0)).unwrap();
        assert_eq!(midnight, (1_775_361_600_000, Shown::Once, Basis::Known));
        assert_eq!(local(&zone, 1_775_358_000_000).unwrap().0, datetime(2026, 4, 4, 23, 0, 0, 0));
        assert_eq!(local(&zone, 1_775_357_999_999).unwrap().0, datetime(2026, 4, 4, 23, 59, 59, 999_000_000));
    }

    #[test]
    fn what_the_pack_does_not_know_is_provisional() {
        let zone_known = santiago();
        assert_eq!(offset_at(&zone_known, 1_830_297_599_999), (-10_800, Basis::Known));
        assert_eq!(offset_at(&zone_known, 1_830_297_600_000), (-10_800, Basis::Provisional));
        assert_eq!(offset_at(&zone_known, i64::MIN), (-10_800, Basis::Known));
        let changes = vec![ZoneChange { at: -9, offset: 1 }, ZoneChange { at: 0, offset: 2 }];
        let before_1970 = Zone { changes, ..zone_known.clone() };
        assert_eq!([-1, 0].map(|at_ms| offset_at(&before_1970, at_ms).0), [1, 2]);
        assert_eq!(offset_at(&zone(None, "America/Santiago", -240), 0), (-14_400, Basis::Provisional));
        assert_eq!(offset_at(&zone(None, "America/Santiago", i16::MIN), 0), (0, Basis::Provisional));
        // 2026-11-20 is a Friday.
        assert_eq!(working_day(None, date(2026, 11, 20)), (Work::Yes, Basis::Provisional));
        assert_eq!(working_day(None, date(2026, 11, 21)), (Work::No, Basis::Provisional));
    }

    #[test]
    fn a_century_of_holidays_ends() {
        let text = amparo_schema::text::Text::default();
        let source =
            amparo_schema::text::Source { document: String::new(), place: String::new(), as_of: None };
        let holiday = |date| amparo_schema::pack::calendar::Holiday {
            date,
            name: text.clone(),
            source: source.clone(),
            review: amparo_schema::text::Review::Unverified,
        };
        let all =
            |year| date(year, 1, 1).series(jiff::Span::new().days(1)).take_while(move |d| d.year() == year);
        let years = (2026..2126).map(|year| (year, all(year).map(holiday).collect())).collect();
        let calendar = Calendar { weekend: vec![Day::Sat, Day::Sun], years, zones: [].into() };
        assert_eq!(working_day(Some(&calendar), date(2026, 11, 20)), (Work::No, Basis::Known));
        // 2126-01-01 is a Tuesday.
        let found = nth_working_day(Some(&calendar), date(2026, 1, 1), 5);
        assert_eq!(found, Ok((date(2126, 1, 7), Basis::Provisional)));
        assert!(nth_working_day(Some(&calendar), date(2026, 1, 1), 10_000).is_ok());
        assert_eq!(nth_working_day(Some(&calendar), date(2026, 1, 1), 10_001), Err(CalendarError::TooMany));
    }

    #[test]
    fn a_zone_in_disorder_is_an_error() {
        let change = |at, offset| ZoneChange { at, offset };
        let disorder = vec![change(0, i32::MAX), change(i64::MAX, 0), change(i64::MIN, i32::MIN)];
        let zone = Zone { release: String::new(), changes: disorder, known_until: 0 };
        assert_eq!(local(&zone, 0), Err(CalendarError::OutOfRange));
    }

    proptest! {
        /// An instant comes back from its wall clock time; a repeated time comes back as the earlier one.
        #[test]
        fn wall_clock_and_instant_agree(at_ms in 1_735_689_600_000_i64..1_830_297_600_000) {
            let zone = santiago();
            let (time, _) = local(&zone, at_ms).unwrap();
            match instant(&zone, time).unwrap() {
                (back, Shown::Once, _) => prop_assert_eq!(back, at_ms),
                (back, Shown::Twice, _) => prop_assert!(back == at_ms || back == at_ms - 3_600_000),
                (_, Shown::Skipped, _) => prop_assert!(false, "the wall clock showed it"),
            }
        }
    }
}
