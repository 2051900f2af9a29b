//! Deadlines: from the event and the limits of a step to the last moment in time.
//!
//! Owns the arithmetic of DOMAIN rule 12. Never lets a doubted clock open or close a deadline in silence, and
//! never moves a date that falls on a day without work: the source of the limit would have to say so.

use amparo_schema::fact::{Doubt, Stamp};
use amparo_schema::limits::{DEADLINE_AMOUNT_MAX, DEADLINE_LIMITS_MAX};
use amparo_schema::pack::calendar::{Calendar, Zone};
use amparo_schema::pack::protocol::{DayZero, Deadline, Limit, Unit};
use jiff::Span;
use jiff::civil::Date;

use crate::calendar::{self, Basis, CalendarError};

/// When a step is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Act by this: the earliest of the limits.
    pub act_by: LimitDue,
    /// The latest of the limits; the same as `act_by` where there is one.
    pub outer_limit: LimitDue,
    /// The source names several limits; a shell says so.
    pub ambiguous: bool,
    /// The event that it counts from.
    pub from: Stamp,
}

/// When one limit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitDue {
    /// The last millisecond in time, since 1970, UTC: for hours that many after the event, for all other
    /// units the end of `date` at the office.
    pub until_ms: i64,
    /// The date of that moment at the office.
    pub date: Date,
    /// The limit.
    pub limit: Limit,
    /// Whether the office's zone is known for that moment. If not, `date` may be off by one and, but for
    /// hours, `until_ms` by some hours.
    pub zone: Basis,
    /// Whether the holidays of all years that were counted are known. If not, `date` may be too early.
    pub days: Basis,
}

impl LimitDue {
    /// [`Basis::Provisional`] when zone or days are.
    #[must_use]
    pub fn basis(&self) -> Basis {
        self.zone.max(self.days)
    }
}

/// Where a deadline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Both clocks are trusted.
    Firm(Progress),
    /// The clock was doubted at the event or is now, or the event lies ahead: this is what the clocks say,
    /// to be shown with the doubt and never to be acted on by itself.
    Doubtful(Progress),
}

/// How far a deadline has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The limit is no hours: it is due from the event on and is never "late".
    AtOnce,
    /// There is time.
    Open,
    /// The earlier limit has passed, the outer one has not.
    BetweenLimits,
    /// The last limit has passed.
    Late,
}

/// Why a deadline has no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadlineError {
    /// Not one to [`DEADLINE_LIMITS_MAX`] limits.
    #[error("a deadline has 1 to {DEADLINE_LIMITS_MAX} limits")]
    Limits,
    /// More than [`DEADLINE_AMOUNT_MAX`] of a unit.
    #[error("a limit is of at most {DEADLINE_AMOUNT_MAX}")]
    Amount,
    /// No date follows from the calendar.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
}

/// When a deadline that counts from the event at `from` ends, at the office in the zone named `zone`.
///
/// Amounts: the n-th hour, calendar day, working day, month. Where the day of the event counts it is day one
/// (if it is no working day, the first one after it is), and months end the day before the one with the same
/// number. A month that is too short ends with its last day. A limit of 0 days, working days or months ends
/// with the day of the event.
///
/// # Errors
/// [`DeadlineError`]: a number of limits or an amount past the bounds, or a date that no calendar can name.
pub fn due(
    deadline: &Deadline,
    from: &Stamp,
    zone: &str,
    calendar: Option<&Calendar>,
) -> Result<Due, DeadlineError> {
    if deadline.limits.len() > DEADLINE_LIMITS_MAX {
        return Err(DeadlineError::Limits);
    }
    let zone = calendar::zone(calendar, zone, from.offset_minutes);
    let mut ends = Vec::with_capacity(deadline.limits.len());
    for limit in &deadline.limits {
        ends.push(end(*limit, deadline.day_zero, from, &zone, calendar)?);
    }
    let act_by = ends.iter().min_by_key(|end| end.until_ms).ok_or(DeadlineError::Limits)?;
    let outer_limit = ends.iter().max_by_key(|end| end.until_ms).ok_or(DeadlineError::Limits)?;
    Ok(Due { act_by: *act_by, outer_limit: *outer_limit, ambiguous: ends.len() > 1, from: *from })
}

fn end(
    limit: Limit,
    zero: DayZero,
    from: &Stamp,
    zone: &Zone,
    calendar: Option<&Calendar>,
) -> Result<LimitDue, DeadlineError> {
    const HOUR_MS: i64 = 3_600_000;
    if limit.amount > DEADLINE_AMOUNT_MAX {
        return Err(DeadlineError::Amount);
    }
    if limit.unit == Unit::Hours {
        let until_ms = from.wall_ms.saturating_add(i64::from(limit.amount) * HOUR_MS);
        let (time, zone) = calendar::local(zone, until_ms)?;
        return Ok(LimitDue { until_ms, date: time.date(), limit, zone, days: Basis::Known });
    }
    let day = calendar::local(zone, from.wall_ms)?.0.date();
    let (date, days) = last_day(limit, zero, day, calendar)?;
    let (until_ms, zone) = calendar::end_of_day(zone, date)?;
    Ok(LimitDue { until_ms, date, limit, zone, days })
}

/// The last day in time of a limit that counts from `day`.
fn last_day(
    limit: Limit,
    zero: DayZero,
    day: Date,
    calendar: Option<&Calendar>,
) -> Result<(Date, Basis), CalendarError> {
    let after = |span: Result<Span, jiff::Error>| {
        span.and_then(|span| day.checked_add(span)).map_err(|_| CalendarError::OutOfRange)
    };
    let counts = zero == DayZero::Counts;
    if limit.amount == 0 {
        return Ok((day, Basis::Known));
    }
    match limit.unit {
        // Hours end on an instant; whoever asks for their last day is asking for the day of the event.
        Unit::Hours => Ok((day, Basis::Known)),
        Unit::CalendarDays => {
            let days = if counts { limit.amount - 1 } else { limit.amount };
            Ok((after(Span::new().try_days(days))?, Basis::Known))
        }
        Unit::WorkingDays => {
            let first = if counts { day } else { after(Span::new().try_days(1))? };
            calendar::nth_working_day(calendar, first, limit.amount)
        }
        Unit::Months => {
            let same = after(Span::new().try_months(limit.amount))?;
            // Where jiff has clamped to the end of the month, the day before the missing one is that end.
            let clamped = same.day() != day.day();
            let last = if counts && !clamped { same.yesterday() } else { Ok(same) };
            Ok((last.map_err(|_| CalendarError::OutOfRange)?, Basis::Known))
        }
    }
}

impl Due {
    /// Why the clock was doubted at the event, if it was.
    #[must_use]
    pub fn clock_doubt(&self) -> Option<Doubt> {
        self.from.doubt
    }

    /// Where the deadline stands at `now`.
    #[must_use]
    pub fn state(&self, now: &Stamp) -> State {
        let at_once = Limit { amount: 0, unit: Unit::Hours };
        let progress = if self.outer_limit.limit == at_once {
            Progress::AtOnce
        } else if now.wall_ms <= self.act_by.until_ms {
            Progress::Open
        } else if now.wall_ms <= self.outer_limit.until_ms {
            Progress::BetweenLimits
        } else {
            Progress::Late
        };
        let doubted = self.from.doubt.is_some() || now.doubt.is_some() || now.wall_ms < self.from.wall_ms;
        if doubted { State::Doubtful(progress) } else { State::Firm(progress) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use amparo_schema::pack::calendar::ZoneChange;
    use amparo_schema::pack::protocol::Event;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::sample::stamp;

    const HOUR: i64 = 3_600_000;

    fn deadline(limits: &[(u32, Unit)], day_zero: DayZero) -> Deadline {
        let limits = limits.iter().map(|(amount, unit)| Limit { amount: *amount, unit: *unit }).collect();
        Deadline { limits, counts_from: Event::Found, day_zero, on_expiry: None }
    }

    fn of(limits: &[(u32, Unit)], from: &Stamp) -> Result<Due, DeadlineError> {
        due(&deadline(limits, DayZero::DoesNotCount), from, "America/Santiago", None)
    }

    #[test]
    fn bounds_are_kept() {
        assert_eq!(of(&[], &stamp(0)), Err(DeadlineError::Limits));
        assert_eq!(of(&[(1, Unit::Hours); 4], &stamp(0)), Err(DeadlineError::Limits));
        for unit in [Unit::Hours, Unit::CalendarDays, Unit::WorkingDays, Unit::Months] {
            assert!(of(&[(10_000, unit)], &stamp(0)).is_ok(), "{unit:?}");
            assert_eq!(of(&[(10_001, unit)], &stamp(0)), Err(DeadlineError::Amount), "{unit:?}");
            for far in [i64::MIN, i64::MAX, 253_402_207_200_000 - 1] {
                let from = stamp(far);
                let out = Err(DeadlineError::Calendar(CalendarError::OutOfRange));
                assert_eq!(of(&[(10_000, unit)], &from), out, "{unit:?} {far}");
            }
        }
    }

    #[test]
    fn a_calendar_without_working_days_ends() {
        let mut calendar = Calendar {
            weekend: vec![amparo_schema::pack::directory::Day::Mon, amparo_schema::pack::directory::Day::Sun],
            years: BTreeMap::new(),
            zones: BTreeMap::new(),
        };
        let ask = deadline(&[(10_000, Unit::WorkingDays)], DayZero::Counts);
        assert!(due(&ask, &stamp(0), "x", Some(&calendar)).is_ok());
        use amparo_schema::pack::directory::Day::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        calendar.weekend = vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun];
        let none = Err(DeadlineError::Calendar(CalendarError::NoWorkingDay));
        assert_eq!(due(&ask, &stamp(0), "x", Some(&calendar)), none);
    }

    #[test]
    fn a_doubted_clock_is_never_silent() {
        use amparo_schema::fact::Doubt::{Backwards, BeforeContent};
        let from = stamp(0);
        let doubted = Stamp { doubt: Some(Backwards), ..from };
        let trusted = of(&[(1, Unit::Hours)], &from).unwrap();
        let untrusted = of(&[(1, Unit::Hours)], &doubted).unwrap();
        assert_eq!(untrusted.clock_doubt(), Some(Backwards));
        assert_eq!(trusted.state(&stamp(HOUR)), State::Firm(Progress::Open));
        assert_eq!(trusted.state(&stamp(HOUR + 1)), State::Firm(Progress::Late));
        for (now, progress) in [(HOUR, Progress::Open), (HOUR + 1, Progress::Late)] {
            assert_eq!(untrusted.state(&stamp(now)), State::Doubtful(progress));
            let now = Stamp { doubt: Some(BeforeContent), ..stamp(now) };
            assert_eq!(trusted.state(&now), State::Doubtful(progress));
        }
        // An event that lies ahead is a doubt of its own.
        assert_eq!(trusted.state(&stamp(-1)), State::Doubtful(Progress::Open));
    }

    #[test]
    fn two_limits_leave_a_time_between() {
        let due = of(&[(3, Unit::Hours), (1, Unit::Hours)], &stamp(0)).unwrap();
        assert!(due.ambiguous);
        let states = [HOUR, HOUR + 1, 3 * HOUR, 3 * HOUR + 1].map(|now| due.state(&stamp(now)));
        let expected = [Progress::Open, Progress::BetweenLimits, Progress::BetweenLimits, Progress::Late];
        assert_eq!(states, expected.map(State::Firm));
        let now = of(&[(0, Unit::Hours)], &stamp(0)).unwrap();
        assert_eq!(now.state(&stamp(99 * HOUR)), State::Firm(Progress::AtOnce));
    }

    fn any_unit() -> impl Strategy<Value = Unit> {
        prop_oneof![Just(Unit::Hours), Just(Unit::CalendarDays), Just(Unit::WorkingDays), Just(Unit::Months)]
    }

    fn any_calendar() -> impl Strategy<Value = Calendar> {
        let change = (any::<i64>(), any::<i32>()).prop_map(|(at, offset)| ZoneChange { at, offset });
        let zone = (prop::collection::vec(change, 0..5), any::<i64>())
            .prop_map(|(changes, known_until)| Zone { release: String::new(), changes, known_until });
        zone.prop_map(|zone| Calendar {
            weekend: Vec::new(),
            years: BTreeMap::new(),
            zones: [("z".to_owned(), zone)].into(),
        })
    }

    proptest! {
        #[test]
        fn any_input_gives_a_date_or_an_error(
            amounts in prop::collection::vec((0_u32..12_000, any_unit()), 0..5),
            wall_ms in any::<i64>(), offset_minutes in any::<i16>(), counts in any::<bool>(),
            calendar in any_calendar(), now in any::<i64>(),
        ) {
            let zero = if counts { DayZero::Counts } else { DayZero::DoesNotCount };
            let from = Stamp { offset_minutes, ..stamp(wall_ms) };
            if let Ok(due) = due(&deadline(&amounts, zero), &from, "z", Some(&calendar)) {
                let _ = due.state(&stamp(now));
            }
        }

        /// Within this century: the limits are in order, none ends before the event, and leaving the day of
        /// the event out never makes a limit shorter.
        #[test]
        fn limits_are_in_order(
            amounts in prop::collection::vec((0_u32..3_000, any_unit()), 1..4),
            wall_ms in 0_i64..4_102_444_800_000, offset_minutes in -840_i16..841,
        ) {
            let from = Stamp { offset_minutes, ..stamp(wall_ms) };
            let due = |zero| due(&deadline(&amounts, zero), &from, "z", None).unwrap();
            let (counts, later) = (due(DayZero::Counts), due(DayZero::DoesNotCount));
            prop_assert!(wall_ms <= counts.act_by.until_ms);
            prop_assert!(counts.act_by.until_ms <= counts.outer_limit.until_ms);
            prop_assert!(counts.act_by.until_ms <= later.act_by.until_ms);
            prop_assert!(counts.outer_limit.until_ms <= later.outer_limit.until_ms);
        }
    }
}
