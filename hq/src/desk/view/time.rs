//! When something happened, as far as the desk can tell.
//!
//! A phone's clock may be wrong, and is never corrected in place: the stamp stays, and beside it stands the
//! span of days in which the fact lies. A trusted stamp gives one day, in the phone's own time zone. A doubted
//! one is bounded by the trusted stamps before and after it in the same chain, and by the day on which the
//! desk got it. All of it follows from the set of facts.

use std::collections::BTreeMap;

use amparo_schema::fact::{Doubt, Stamp};
use amparo_schema::id::DeviceId;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;

use super::known::Known;

/// How far a clock may be ahead of the desk's before it is doubted.
const AHEAD_MS: i64 = 24 * 60 * 60 * 1000;

/// When something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct When {
    /// The earliest day on which it can have been; none when unknown.
    pub from: Option<Date>,
    /// The latest day on which it can have been.
    pub to: Option<Date>,
    /// How the days were found.
    pub quality: TimeQuality,
    /// What the phone's clock said, milliseconds since 1970.
    pub wall_ms: i64,
}

/// How a day was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeQuality {
    /// The phone's clock, which nobody doubts.
    Clear,
    /// The phone doubted its own clock; the days are bounds.
    Doubted,
    /// The phone's clock is more than a day ahead of the desk's at arrival; the days are bounds.
    Ahead,
}

impl When {
    /// The day, where it is known exactly.
    #[must_use]
    pub fn day(&self) -> Option<Date> {
        self.from.filter(|from| Some(*from) == self.to)
    }
}

/// The trusted stamps of a case: for each chain, by counter.
pub(super) struct Clocks(BTreeMap<(DeviceId, u64), BTreeMap<u64, (Date, Date)>>);

impl Clocks {
    pub(super) fn new(facts: &[Known]) -> Self {
        let mut chains: BTreeMap<_, BTreeMap<u64, (Date, Date)>> = BTreeMap::new();
        for known in facts.iter().filter(|known| !known.hidden) {
            let Some(fact) = &known.fact else { continue };
            let (TimeQuality::Clear, Some(day)) = (quality(&fact.at, known.received_ms), day(&fact.at))
            else {
                continue;
            };
            for incarnation in &known.incarnations {
                let chain = chains.entry((known.device, *incarnation)).or_default();
                let days = chain.entry(known.counter).or_insert((day, day));
                *days = (days.0.min(day), days.1.max(day));
            }
        }
        for chain in chains.values_mut() {
            settle(chain);
        }
        Self(chains)
    }

    pub(super) fn when(&self, known: &Known, stamp: &Stamp) -> When {
        let quality = quality(stamp, known.received_ms);
        let wall_ms = stamp.wall_ms;
        if let (TimeQuality::Clear, Some(day)) = (quality, day(stamp)) {
            return When { from: Some(day), to: Some(day), quality, wall_ms };
        }
        let chains = || known.incarnations.iter().filter_map(|i| self.0.get(&(known.device, *i)));
        let before = |chain: &BTreeMap<u64, (Date, Date)>| {
            chain.range(..known.counter).next_back().map(|(_, days)| days.1)
        };
        let after = |chain: &BTreeMap<u64, (Date, Date)>| {
            chain.range(known.counter.saturating_add(1)..).next().map(|(_, days)| days.0)
        };
        let arrived = utc_day(known.received_ms);
        let from = chains().filter_map(before).max();
        let to = chains().filter_map(after).chain(arrived).min();
        // Bounds that contradict each other bound nothing.
        let from = from.filter(|from| to.is_none_or(|to| *from <= to));
        When { from, to, quality, wall_ms }
    }
}

/// Makes each entry hold the earliest day from it on, and the latest day up to it.
fn settle(chain: &mut BTreeMap<u64, (Date, Date)>) {
    let mut latest = None;
    for days in chain.values_mut() {
        days.1 = latest.map_or(days.1, |l: Date| l.max(days.1));
        latest = Some(days.1);
    }
    let mut earliest = None;
    for days in chain.values_mut().rev() {
        days.0 = earliest.map_or(days.0, |e: Date| e.min(days.0));
        earliest = Some(days.0);
    }
}

fn quality(stamp: &Stamp, received_ms: i64) -> TimeQuality {
    match stamp.doubt {
        Some(Doubt::Backwards | Doubt::Jumped | Doubt::BeforeContent | Doubt::FarAfterContent) => {
            TimeQuality::Doubted
        }
        None if stamp.wall_ms > received_ms.saturating_add(AHEAD_MS) => TimeQuality::Ahead,
        None => TimeQuality::Clear,
    }
}

/// The day that the phone showed; none for a stamp outside of what a calendar holds.
fn day(stamp: &Stamp) -> Option<Date> {
    let offset = Offset::from_seconds(i32::from(stamp.offset_minutes) * 60).ok()?;
    let at = jiff::Timestamp::from_millisecond(stamp.wall_ms).ok()?;
    Some(offset.to_datetime(at).date())
}

fn utc_day(ms: i64) -> Option<Date> {
    let at = jiff::Timestamp::from_millisecond(ms).ok()?;
    // A phone may stand a day ahead of UTC.
    Offset::UTC.to_datetime(at).date().tomorrow().ok()
}
