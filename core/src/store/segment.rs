//! Sealed segments and their grants.
//!
//! Owns their numbering inside the present incarnation. Sealing, signing and chaining is the work of
//! `seal`; here bytes are kept. Never renumbers and never replaces a segment.

use rusqlite::{OptionalExtension, Row};
use zeroize::Zeroizing;

use super::fact::{self, SCREENING_ROW};
use super::{Rows, StoreError, Tx, hash_at, row_of, signed, unsigned};
use crate::schema::fact::Compartment;
use crate::schema::id::{Hash, ScreeningId};
use crate::schema::wire::receipt::Range;
use crate::schema::wire::segment::{Grant, Segment};
use crate::secret::Key;

const COLUMNS: &str =
    "SELECT g.incarnation, g.number, s.screening_id, g.compartment, g.header_hash, g.header,
    g.signature, g.ciphertext FROM segment g LEFT JOIN screening s ON s.row = g.screening";

/// A segment to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewSegment<'a> {
    /// The incarnation that sealed it.
    pub incarnation: u64,
    /// Its number; must be the next.
    pub number: u64,
    /// Its screening, if it is of one.
    pub screening: Option<ScreeningId>,
    /// The compartment by which the lane of its facts is named.
    pub compartment: Compartment,
    /// Its bytes.
    pub segment: &'a Segment,
    /// Its content key, for later grants; none if there may be none.
    pub key: Option<&'a Key>,
    /// When it was sealed, milliseconds since 1970 by the phone's clock.
    pub sealed_ms: i64,
    /// Whether it is sent before others.
    pub urgent: bool,
}

/// A segment as read, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentRow {
    /// The incarnation that sealed it.
    pub incarnation: u64,
    /// Its number.
    pub number: u64,
    /// Its screening, if it is of one.
    pub screening: Option<ScreeningId>,
    /// The compartment by which the lane of its facts is named.
    pub compartment: Compartment,
    /// The hash by which it is chained and granted.
    pub hash: Hash,
    /// Its bytes.
    pub segment: Segment,
}

/// Keeps a segment and returns its hash.
///
/// # Errors
/// [`StoreError::Conflict`] unless its number is the next of its incarnation, or if the incarnation is not
/// this store's; [`StoreError::Unknown`] for a screening that is not in the store.
pub fn insert(tx: &Tx<'_>, new: &NewSegment<'_>) -> Result<Hash, StoreError> {
    if next(tx, new.incarnation)?.0 != new.number {
        return Err(StoreError::Conflict);
    }
    let screening = match new.screening {
        Some(id) => Some(row_of(tx.conn, SCREENING_ROW, &id.0, "screening")?),
        None => None,
    };
    let hash = new.segment.hash();
    tx.conn
        .prepare_cached(
            "INSERT INTO segment (incarnation, number, screening, compartment, header_hash, header, signature,
             key, ciphertext, sealed_ms, urgent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute((
            signed(new.incarnation)?,
            signed(new.number)?,
            screening,
            fact::number(new.compartment),
            hash.0,
            &new.segment.header,
            &new.segment.signature,
            new.key.map(|key| &key.expose()[..]),
            &new.segment.ciphertext,
            new.sealed_ms,
            new.urgent,
        ))?;
    Ok(hash)
}

/// The number that the next segment of an incarnation has, and the hash of the one before; none for the
/// first.
///
/// # Errors
/// As SQLite.
pub fn next(rows: &Rows<'_>, incarnation: u64) -> Result<(u64, Option<Hash>), StoreError> {
    let last = rows
        .conn
        .prepare_cached(
            "SELECT number, header_hash FROM segment WHERE incarnation = ?1 ORDER BY number DESC LIMIT 1",
        )?
        .query_row([signed(incarnation)?], |r| Ok((r.get(0)?, hash_at(r, 1)?)))
        .optional()?;
    last.map_or(Ok((0, None)), |(number, hash)| {
        Ok((unsigned::<u64>(number, "segment")?.saturating_add(1), Some(hash)))
    })
}

/// At most `limit` segments of an incarnation from a number on, in order.
///
/// # Errors
/// As SQLite.
pub fn from(
    rows: &Rows<'_>,
    incarnation: u64,
    number: u64,
    limit: u32,
) -> Result<Vec<SegmentRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE g.incarnation = ?1 AND g.number >= ?2 ORDER BY g.number LIMIT ?3");
    let mut query = rows.conn.prepare_cached(&sql)?;
    query
        .query((signed(incarnation)?, signed(number)?, limit))?
        .mapped(|row| Ok(read(row)))
        .map(|s| s?)
        .collect()
}

/// Numbers in `within` of segments of a life that are sent before others, in order, at most `limit`.
///
/// # Errors
/// As SQLite.
pub fn urgent(rows: &Rows<'_>, incarnation: u64, within: Range, limit: u32) -> Result<Vec<u64>, StoreError> {
    // Named, so that it cannot come to read every segment.
    let mut query = rows.conn.prepare_cached(
        "SELECT number FROM segment INDEXED BY segment_urgent
         WHERE incarnation = ?1 AND number >= ?2 AND number < ?3 AND urgent = 1 ORDER BY number LIMIT ?4",
    )?;
    let found = query
        .query((signed(incarnation)?, signed(within.from)?, signed(within.to)?, limit))?
        .mapped(|row| row.get::<_, i64>(0));
    found.map(|number| unsigned(number?, "segment")).collect()
}

/// Segments of a life with numbers in `within` whose bytes are still here, in order, as many as fit into `bytes`
/// and at least one.
///
/// # Errors
/// As SQLite.
pub fn range(
    rows: &Rows<'_>,
    incarnation: u64,
    within: Range,
    bytes: usize,
) -> Result<Vec<SegmentRow>, StoreError> {
    let sql = format!(
        "{COLUMNS} WHERE g.incarnation = ?1 AND g.number >= ?2 AND g.number < ?3
         AND length(g.ciphertext) > 0 ORDER BY g.number"
    );
    let mut query = rows.conn.prepare_cached(&sql)?;
    let mut found = query.query((signed(incarnation)?, signed(within.from)?, signed(within.to)?))?;
    let (mut fits, mut left): (Vec<SegmentRow>, usize) = (Vec::new(), bytes);
    while let Some(row) = found.next()? {
        let row = read(row)?;
        let size = row.segment.header.len() + row.segment.signature.len() + row.segment.ciphertext.len();
        if size > left && !fits.is_empty() {
            break;
        }
        left = left.saturating_sub(size);
        fits.push(row);
    }
    Ok(fits)
}

/// The hash of a segment; none if it was never sealed here.
///
/// # Errors
/// As SQLite.
pub fn hash(rows: &Rows<'_>, incarnation: u64, number: u64) -> Result<Option<Hash>, StoreError> {
    let mut query =
        rows.conn.prepare_cached("SELECT header_hash FROM segment WHERE incarnation = ?1 AND number = ?2")?;
    // A number past 63 bits was never given.
    let Ok(number) = signed(number) else { return Ok(None) };
    Ok(query.query_row((signed(incarnation)?, number), |r| hash_at(r, 0)).optional()?)
}

/// The compartment by which the lane of a segment's facts is named.
///
/// # Errors
/// [`StoreError::Unknown`] for a segment that is not in the store.
pub fn compartment(rows: &Rows<'_>, segment: &Hash) -> Result<Compartment, StoreError> {
    let mut query = rows.conn.prepare_cached("SELECT compartment FROM segment WHERE header_hash = ?1")?;
    let found: Option<i64> = query.query_row([segment.0], |r| r.get(0)).optional()?;
    fact::compartment(found.ok_or(StoreError::Unknown { table: "segment" })?)
}

/// The segments of a screening, by incarnation and number.
///
/// # Errors
/// As SQLite.
pub fn of_screening(rows: &Rows<'_>, screening: ScreeningId) -> Result<Vec<SegmentRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE g.screening = ({SCREENING_ROW}) ORDER BY g.incarnation, g.number");
    let mut query = rows.conn.prepare_cached(&sql)?;
    query.query([screening.0])?.mapped(|row| Ok(read(row))).map(|s| s?).collect()
}

/// The content key of a segment; none once dropped.
///
/// # Errors
/// [`StoreError::Unknown`] for a segment that is not in the store.
pub fn key(rows: &Rows<'_>, segment: &Hash) -> Result<Option<Key>, StoreError> {
    let key: Option<Option<[u8; 32]>> = rows
        .conn
        .prepare_cached("SELECT key FROM segment WHERE header_hash = ?1")?
        .query_row([segment.0], |r| r.get(0))
        .optional()?;
    let key = key.ok_or(StoreError::Unknown { table: "segment" })?;
    Ok(key.map(|key| Key::new(&Zeroizing::new(key))))
}

/// Drops the content key of a segment: this device can then no longer read it, nor grant it to anyone.
/// Call [`super::Store::empty_log`] afterwards.
///
/// # Errors
/// [`StoreError::Unknown`] for a segment that is not in the store.
pub fn drop_key(tx: &Tx<'_>, segment: &Hash) -> Result<(), StoreError> {
    let done = tx.conn.execute("UPDATE segment SET key = NULL WHERE header_hash = ?1", [segment.0])?;
    if done == 1 { Ok(()) } else { Err(StoreError::Unknown { table: "segment" }) }
}

/// Keeps a grant.
///
/// # Errors
/// [`StoreError::Conflict`] if the recipient has one, or the segment is not in the store.
pub fn insert_grant(tx: &Tx<'_>, grant: &Grant) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO segment_grant (segment, recipient, encapsulated, wrapped) VALUES (?1, ?2, ?3, ?4)",
        (grant.segment.0, grant.recipient, &grant.encapsulated, &grant.wrapped),
    )?;
    Ok(())
}

/// Lets go of a grant that is withheld from now on.
///
/// # Errors
/// As SQLite.
pub fn remove_grant(tx: &Tx<'_>, segment: &Hash, recipient: &[u8; 8]) -> Result<(), StoreError> {
    let sql = "DELETE FROM segment_grant WHERE segment = ?1 AND recipient = ?2";
    tx.conn.prepare_cached(sql)?.execute((segment.0, recipient))?;
    Ok(())
}

/// The grants of a segment, by recipient.
///
/// # Errors
/// As SQLite.
pub fn grants(rows: &Rows<'_>, segment: &Hash) -> Result<Vec<Grant>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT recipient, encapsulated, wrapped FROM segment_grant WHERE segment = ?1 ORDER BY recipient",
    )?;
    let grant = |row: &Row<'_>| {
        Ok(Grant {
            segment: *segment,
            recipient: row.get(0)?,
            encapsulated: row.get(1)?,
            wrapped: row.get(2)?,
        })
    };
    Ok(query.query([segment.0])?.mapped(grant).collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> Result<SegmentRow, StoreError> {
    Ok(SegmentRow {
        incarnation: unsigned(row.get(0)?, "segment")?,
        number: unsigned(row.get(1)?, "segment")?,
        screening: row.get::<_, Option<[u8; 16]>>(2)?.map(ScreeningId),
        compartment: fact::compartment(row.get(3)?)?,
        hash: hash_at(row, 4)?,
        segment: Segment { header: row.get(5)?, signature: row.get(6)?, ciphertext: row.get(7)? },
    })
}
