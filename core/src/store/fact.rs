//! Facts: append-only, counted from 1 without gaps, chained.
//!
//! Owns the counter and the chain. Bodies are bytes here; what they say is not this room's business.
//! Never changes a fact: a purge removes a body and leaves its hash, so that the chain stays whole.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, Tx, hash_at, row_of, signed, unsigned};
use crate::schema::fact::{Compartment, body_hash, chain_hash};
use crate::schema::id::{Hash, ScreeningId};
use crate::schema::limits::FACT_BYTES_MAX;

/// The link before the first fact.
pub(super) const GENESIS: Hash = Hash([0; 32]);

const COLUMNS: &str = "SELECT f.counter, s.screening_id, f.compartment, f.hash, f.body
    FROM fact f LEFT JOIN screening s ON s.row = f.screening";
pub(super) const SCREENING_ROW: &str = "SELECT row FROM screening WHERE screening_id = ?1";

/// A fact as it lies in the store.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFact {
    /// Its position, from 1.
    pub counter: u64,
    /// Its screening; none for facts of a case or of the store.
    pub screening: Option<ScreeningId>,
    /// Its compartment.
    pub compartment: Compartment,
    /// Its link of the chain.
    pub hash: Hash,
    /// Its bytes; none once purged.
    pub body: Option<Vec<u8>>,
}

// The body may hold what someone said; it is never shown.
impl std::fmt::Debug for StoredFact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredFact").field("counter", &self.counter).finish_non_exhaustive()
    }
}

/// Appends a fact and returns its counter and link.
///
/// # Errors
/// [`StoreError::TooLarge`] past [`FACT_BYTES_MAX`]; [`StoreError::Unknown`] for a screening that is not
/// in the store; else as SQLite.
pub fn append(
    tx: &Tx<'_>,
    screening: Option<ScreeningId>,
    compartment: Compartment,
    body: &[u8],
) -> Result<(u64, Hash), StoreError> {
    if body.len() > FACT_BYTES_MAX {
        return Err(StoreError::TooLarge { limit: "FACT_BYTES_MAX" });
    }
    let row = match screening {
        Some(id) => Some(row_of(tx.conn, SCREENING_ROW, &id.0, "screening")?),
        None => None,
    };
    let (last, previous) = self::last(tx)?;
    let counter = last.saturating_add(1);
    let body_hash = body_hash(body);
    let hash = chain_hash(tx.store, counter, &previous, screening, &body_hash);
    tx.conn
        .prepare_cached(
            "INSERT INTO fact (counter, screening, compartment, body_hash, hash, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((signed(counter)?, row, number(compartment), body_hash.0, hash.0, body))?;
    Ok((counter, hash))
}

/// Counter and link of the last fact; 0 and zeros in an empty store.
///
/// # Errors
/// As SQLite.
pub fn last(rows: &Rows<'_>) -> Result<(u64, Hash), StoreError> {
    let last = rows
        .conn
        .prepare_cached("SELECT counter, hash FROM fact ORDER BY counter DESC LIMIT 1")?
        .query_row([], |r| Ok((r.get(0)?, hash_at(r, 1)?)))
        .optional()?;
    last.map_or(Ok((0, GENESIS)), |(counter, hash)| Ok((unsigned(counter, "fact")?, hash)))
}

/// The facts of a screening, in order; empty for an unknown one.
///
/// # Errors
/// As SQLite.
pub fn of_screening(rows: &Rows<'_>, screening: ScreeningId) -> Result<Vec<StoredFact>, StoreError> {
    let sql = format!("{COLUMNS} WHERE f.screening = ({SCREENING_ROW}) ORDER BY f.counter");
    let mut query = rows.conn.prepare_cached(&sql)?;
    query.query([screening.0])?.mapped(|row| Ok(stored(row))).map(|fact| fact?).collect()
}

/// At most `limit` facts from `counter` on, in order, of all screenings and of none.
///
/// # Errors
/// As SQLite.
pub fn from(rows: &Rows<'_>, counter: u64, limit: u32) -> Result<Vec<StoredFact>, StoreError> {
    let sql = format!("{COLUMNS} WHERE f.counter >= ?1 ORDER BY f.counter LIMIT ?2");
    let mut query = rows.conn.prepare_cached(&sql)?;
    query.query((signed(counter)?, limit))?.mapped(|row| Ok(stored(row))).map(|fact| fact?).collect()
}

/// At most `limit` facts of the store itself after `counter`, in order.
///
/// # Errors
/// As SQLite.
pub fn of_store(rows: &Rows<'_>, counter: u64, limit: u32) -> Result<Vec<StoredFact>, StoreError> {
    let sql = format!(
        "{COLUMNS} WHERE f.counter > ?1 AND f.screening IS NULL AND f.compartment = ?2
         ORDER BY f.counter LIMIT ?3"
    );
    let mut query = rows.conn.prepare_cached(&sql)?;
    let of_store = (signed(counter)?, number(Compartment::Audit), limit);
    query.query(of_store)?.mapped(|row| Ok(stored(row))).map(|fact| fact?).collect()
}

/// Removes the bodies of a screening's facts, of one compartment or of all, and returns how many.
/// Call [`super::Store::empty_log`] afterwards.
///
/// # Errors
/// As SQLite.
pub fn purge_bodies(
    tx: &Tx<'_>,
    screening: ScreeningId,
    compartment: Option<Compartment>,
) -> Result<usize, StoreError> {
    let sql = format!(
        "UPDATE fact SET body = NULL WHERE screening = ({SCREENING_ROW})
         AND body IS NOT NULL AND compartment = coalesce(?2, compartment)"
    );
    Ok(tx.conn.prepare_cached(&sql)?.execute((screening.0, compartment.map(number)))?)
}

/// Removes the bodies of a screening's facts but for those with these counters, and returns how many.
/// Call [`super::Store::empty_log`] afterwards.
///
/// # Errors
/// As SQLite.
pub fn purge_all_but(tx: &Tx<'_>, screening: ScreeningId, kept: &[u64]) -> Result<usize, StoreError> {
    let mut purged = 0_usize;
    for fact in of_screening(tx, screening)?.into_iter().filter(|fact| !kept.contains(&fact.counter)) {
        let sql = "UPDATE fact SET body = NULL WHERE counter = ?1 AND body IS NOT NULL";
        purged = purged.saturating_add(tx.conn.prepare_cached(sql)?.execute([signed(fact.counter)?])?);
    }
    Ok(purged)
}

fn stored(row: &Row<'_>) -> Result<StoredFact, StoreError> {
    Ok(StoredFact {
        counter: unsigned(row.get(0)?, "fact")?,
        screening: row.get::<_, Option<[u8; 16]>>(1)?.map(ScreeningId),
        compartment: compartment(row.get(2)?)?,
        hash: hash_at(row, 3)?,
        body: row.get(4)?,
    })
}

const COMPARTMENTS: [Compartment; 4] =
    [Compartment::Identity, Compartment::Case, Compartment::Consent, Compartment::Audit];

/// The number of a compartment, the same as in CBOR.
pub(super) fn number(compartment: Compartment) -> i64 {
    match compartment {
        Compartment::Identity => 0,
        Compartment::Case => 1,
        Compartment::Consent => 2,
        Compartment::Audit => 3,
    }
}

/// The compartment of a number.
pub(super) fn compartment(stored: i64) -> Result<Compartment, StoreError> {
    COMPARTMENTS.into_iter().find(|c| number(*c) == stored).ok_or(StoreError::Malformed { table: "fact" })
}
