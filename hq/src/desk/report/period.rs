//! Periods of reports, and whether a day lies in one.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use crate::desk::view::When;

/// A period, and what is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A month.
    Month {
        /// The year.
        year: i16,
        /// 1 to 12.
        month: i8,
    },
    /// A quarter.
    Quarter {
        /// The year.
        year: i16,
        /// 1 to 4.
        quarter: i8,
    },
    /// A year.
    Year {
        /// The year.
        year: i16,
    },
    /// What a desk can add to SDG indicator 16.2.2 of a year.
    Sdg1622 {
        /// The year.
        year: i16,
    },
}

/// A period that no calendar has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such period")]
pub struct NoSuchPeriod;

/// Where something lies against a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    /// All days on which it can have been are in the period.
    Inside,
    /// None is.
    Outside,
    /// Some are, or nothing is known.
    Unclear,
}

impl Period {
    /// The first day and the last. A month or quarter out of its range is brought into it.
    #[must_use]
    pub fn days(&self) -> (Date, Date) {
        let (year, first, months) = match *self {
            Self::Month { year, month } => (year, month.clamp(1, 12), 1),
            Self::Quarter { year, quarter } => (year, (quarter.clamp(1, 4) - 1) * 3 + 1, 3),
            Self::Year { year } | Self::Sdg1622 { year } => (year, 1, 12),
        };
        let from = Date::new(year, first, 1).unwrap_or(Date::MIN);
        let to = from.checked_add((months - 1).months()).map_or(Date::MAX, Date::last_of_month);
        (from, to)
    }

    /// The name of the report.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Month { .. } => "monthly",
            Self::Quarter { .. } => "quarterly",
            Self::Year { .. } => "annual",
            Self::Sdg1622 { .. } => "sdg_16_2_2",
        }
    }

    pub(super) fn holds(&self, when: Option<&When>) -> Lies {
        let (first, last) = self.days();
        let Some(When { from, to, .. }) = when else { return Lies::Unclear };
        let before = to.is_some_and(|to| to < first);
        let after = from.is_some_and(|from| from > last);
        if before || after {
            return Lies::Outside;
        }
        let inside = from.is_some_and(|from| from >= first) && to.is_some_and(|to| to <= last);
        if inside { Lies::Inside } else { Lies::Unclear }
    }
}

/// Reads `2026`, `2026-Q3`, `2026-09`, `sdg-2026`.
impl std::str::FromStr for Period {
    type Err = NoSuchPeriod;
    fn from_str(text: &str) -> Result<Self, NoSuchPeriod> {
        let year = |text: &str| {
            let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
            if digits { text.parse::<i16>().map_err(|_| NoSuchPeriod) } else { Err(NoSuchPeriod) }
        };
        let part = |text: &str, most: i8| {
            text.parse::<i8>().ok().filter(|n| (1..=most).contains(n)).ok_or(NoSuchPeriod)
        };
        if let Some(text) = text.strip_prefix("sdg-") {
            return Ok(Self::Sdg1622 { year: year(text)? });
        }
        let Some((start, rest)) = text.split_once('-') else { return Ok(Self::Year { year: year(text)? }) };
        match rest.strip_prefix('Q') {
            Some(quarter) => Ok(Self::Quarter { year: year(start)?, quarter: part(quarter, 4)? }),
            None => Ok(Self::Month { year: year(start)?, month: part(rest, 12)? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::view::TimeQuality;
    use jiff::civil::date;

    #[test]
    fn periods_have_their_days() {
        for (text, from, to) in [
            ("2026", date(2026, 1, 1), date(2026, 12, 31)),
            ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
            ("2026-Q3", date(2026, 7, 1), date(2026, 9, 30)),
            ("sdg-2025", date(2025, 1, 1), date(2025, 12, 31)),
        ] {
            assert_eq!(text.parse::<Period>().map(|p| p.days()), Ok((from, to)), "{text}");
        }
        for bad in ["", "26", "2026-13", "2026-Q0", "2026-", "sdg-", "20266", "+026", "2026-Q5"] {
            assert_eq!(bad.parse::<Period>(), Err(NoSuchPeriod), "{bad}");
        }
    }

    #[test]
    fn a_day_that_is_not_known_lies_in_no_period() {
        let month = Period::Month { year: 2026, month: 3 };
        let when = |from, to| When { from, to, quality: TimeQuality::Doubted, wall_ms: 0 };
        let (early, inside, late) = (date(2026, 2, 28), date(2026, 3, 9), date(2026, 4, 1));
        assert_eq!(month.holds(Some(&when(Some(inside), Some(inside)))), Lies::Inside);
        assert_eq!(month.holds(Some(&when(None, Some(early)))), Lies::Outside);
        assert_eq!(month.holds(Some(&when(Some(late), None))), Lies::Outside);
        for unclear in [when(None, None), when(Some(early), Some(inside)), when(None, Some(inside))] {
            assert_eq!(month.holds(Some(&unclear)), Lies::Unclear);
        }
        assert_eq!(month.holds(None), Lies::Unclear);
    }
}
