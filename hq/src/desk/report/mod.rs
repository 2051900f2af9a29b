//! Counts of a period: who was screened, as far as the person agreed to be counted.
//!
//! Owns what is counted, when, and under which categories. Pure from views to a report; never counts someone
//! who said no, never shows a small number ([`suppress`] says how), never adds screenings of a day that is not
//! known to a period.

mod period;
mod suppress;
mod tally;
mod text;

use serde::{Serialize, Serializer};

pub use period::{NoSuchPeriod, Period};
pub use suppress::Threshold;
pub use tally::Tally;
pub(super) use text::csv_text;

use super::{Desk, DeskError};

/// How a desk counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The least number that is shown.
    pub threshold: Threshold,
    /// By what of the place.
    pub place: PlaceBy,
}

/// By what of the place a report counts: one thing for each report, because the numbers of a country and those
/// of its areas or posts could be subtracted from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlaceBy {
    /// By country.
    #[default]
    Country,
    /// By first-level area. For reading inside the agency.
    Area,
    /// By post or crossing. For reading inside the agency.
    Post,
    /// By kind of place.
    Setting,
}

impl PlaceBy {
    /// Whether it may be published (research/domain.md 4.7: no small areas, no posts).
    #[must_use]
    pub fn is_coarse(self) -> bool {
        matches!(self, Self::Country | Self::Setting)
    }

    fn variable(self) -> Variable {
        match self {
            Self::Country => Variable::Country,
            Self::Area => Variable::Area,
            Self::Post => Variable::Post,
            Self::Setting => Variable::Setting,
        }
    }
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, one line for each cell.
    Csv,
    /// JSON.
    Json,
}

/// A report. Serialises as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Which.
    pub report: &'static str,
    /// First day.
    pub from: jiff::civil::Date,
    /// Last day.
    pub to: jiff::civil::Date,
    /// What is counted.
    pub unit: Unit,
    /// The least number that is shown.
    pub threshold: u64,
    /// All that were counted.
    pub total: Cell,
    /// By each variable.
    pub tables: Vec<Table>,
    /// Those whose day is not known well enough to say whether they belong to the period; counted nowhere
    /// else.
    pub undated: Cell,
    /// Those of the period that are not counted, because there is no consent to it.
    pub not_counted: Cell,
    /// What must be known to read it.
    pub notes: Vec<&'static str>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Screenings; a person may have had several.
    Screenings,
    /// Cases: each person once, as far as one case is one person.
    Cases,
}

/// Counts by one variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// The variable.
    pub variable: Variable,
    /// True when a screening may fall under several categories, so that they do not add up to the total.
    pub overlapping: bool,
    /// True when nothing of the table could be shown.
    pub withheld: bool,
    /// The categories.
    pub cells: Vec<(String, Cell)>,
}

/// One number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// As counted.
    Count(u64),
    /// Not shown: it is small, or would give a small one away.
    Suppressed,
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(n) => s.serialize_u64(*n),
            Self::Suppressed => s.serialize_str("suppressed"),
        }
    }
}

/// What is counted by: the variables that the region's reports ask for and a screening can know
/// (research/domain.md 4.5, 4.6). Of the place one alone, as [`PlaceBy`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// Sex.
    Sex,
    /// Under 18, 18 or over, or either.
    AgeBand,
    /// Form of exploitation; several may be known.
    Exploitation,
    /// National of another country, or not.
    Citizenship,
    /// Country of the place.
    Country,
    /// First-level area of the place, ISO 3166-2.
    Area,
    /// Post or crossing.
    Post,
    /// Kind of place.
    Setting,
    /// Class of outcome; several may hold.
    Outcome,
    /// How far a referral came.
    Referral,
}

/// The report of a period, written. `now_ms` is the desk's clock, milliseconds since 1970, by which consents
/// lapse.
///
/// # Errors
/// Those of the store; [`DeskError::Text`].
pub fn report(desk: &Desk, period: Period, now_ms: i64, format: Format) -> Result<String, DeskError> {
    let mut tally = Tally::new(period, *desk.rules(), now_ms);
    desk.each_case(now_ms, |case| tally.add(&case))?;
    tally.report().write(format)
}
