//! Services of the installed directories, one row each.
//!
//! Bodies are text here, and rank is a number that the caller gives. Never decides who is fit for whom.

use rusqlite::{OptionalExtension, Row};

use super::pack::PackRow;
use super::{Rows, StoreError, Tx, unsigned};
use crate::schema::limits::SERVICES_MAX;
use crate::schema::name::Name;
use crate::schema::person::Country;

const COLUMNS: &str = "SELECT n, id, country, rank, body FROM service";

/// A service, to be written or as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRow {
    /// Position in its directory, from 0.
    pub n: u32,
    /// Its id.
    pub id: Name,
    /// Its country.
    pub country: Country,
    /// Static rank; the least comes first.
    pub rank: i64,
    /// The service, JSON.
    pub body: String,
}

/// Writes one service of a directory that is being installed.
///
/// # Errors
/// [`StoreError::Conflict`] if its position or id is taken; [`StoreError::TooLarge`] past [`SERVICES_MAX`].
pub fn insert(tx: &Tx<'_>, pack: PackRow, service: &ServiceRow) -> Result<(), StoreError> {
    if service.n as usize >= SERVICES_MAX {
        return Err(StoreError::TooLarge { limit: "SERVICES_MAX" });
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO service (pack, n, id, country, rank, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            pack.0,
            service.n,
            service.id.as_str(),
            service.country.as_str(),
            service.rank,
            &service.body,
        ))?;
    Ok(())
}

/// The services of a country, by rank.
///
/// # Errors
/// As SQLite.
pub fn of_country(rows: &Rows<'_>, pack: PackRow, country: Country) -> Result<Vec<ServiceRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE pack = ?1 AND country = ?2 ORDER BY rank, n");
    let mut query = rows.conn.prepare_cached(&sql)?;
    query.query((pack.0, country.as_str()))?.mapped(|row| Ok(service(row))).map(|s| s?).collect()
}

/// The service at a position.
///
/// # Errors
/// As SQLite.
pub fn at(rows: &Rows<'_>, pack: PackRow, n: u32) -> Result<Option<ServiceRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE pack = ?1 AND n = ?2");
    rows.conn.prepare_cached(&sql)?.query_row((pack.0, n), |row| Ok(service(row))).optional()?.transpose()
}

/// The service with an id.
///
/// # Errors
/// As SQLite.
pub fn by_id(rows: &Rows<'_>, pack: PackRow, id: &Name) -> Result<Option<ServiceRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE pack = ?1 AND id = ?2");
    rows.conn
        .prepare_cached(&sql)?
        .query_row((pack.0, id.as_str()), |row| Ok(service(row)))
        .optional()?
        .transpose()
}

/// How many services a directory has.
///
/// # Errors
/// As SQLite.
pub fn count(rows: &Rows<'_>, pack: PackRow) -> Result<u32, StoreError> {
    let count = rows
        .conn
        .prepare_cached("SELECT count(*) FROM service WHERE pack = ?1")?
        .query_row([pack.0], |r| r.get(0))?;
    unsigned(count, "service")
}

fn service(row: &Row<'_>) -> Result<ServiceRow, StoreError> {
    let malformed = StoreError::Malformed { table: "service" };
    Ok(ServiceRow {
        n: unsigned(row.get(0)?, "service")?,
        id: Name::new(row.get::<_, String>(1)?).map_err(|_| malformed)?,
        country: Country::new(&row.get::<_, String>(2)?).map_err(|_| malformed)?,
        rank: row.get(3)?,
        body: row.get(4)?,
    })
}
