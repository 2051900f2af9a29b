//! A calendar: non-working days by year, and the offsets of time zones, compiled at headquarters.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::pack::directory::Day;
use crate::text::{Review, Source, Text};

/// The content of a calendar pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Days of the week that are never working days.
    pub weekend: Vec<Day>,
    /// Years that are complete. A year that is absent makes every date in it provisional.
    pub years: BTreeMap<i16, Vec<Holiday>>,
    /// Time zones by IANA name.
    pub zones: BTreeMap<String, Zone>,
}

/// One non-working day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The day.
    pub date: Date,
    /// Its name.
    pub name: Text,
    /// Where it comes from.
    pub source: Source,
    /// How far it was checked.
    pub review: Review,
}

/// One time zone: from each instant on, this offset holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// The release of the IANA database that it was compiled from.
    pub release: String,
    /// Changes in ascending order; the first holds for all earlier times as well.
    pub changes: Vec<ZoneChange>,
    /// Seconds since 1970 from which on nothing is known: later times are provisional.
    pub known_until: i64,
}

/// One change of offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneChange {
    /// Seconds since 1970, UTC.
    pub at: i64,
    /// Seconds east of UTC from then on.
    pub offset: i32,
}
