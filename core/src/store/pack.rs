//! Installed packs, byte for byte.
//!
//! Owns which version is current and which may go. Trusts its caller that a pack was verified. Never
//! changes the bytes of a pack, never deletes one that a screening stays on.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, Tx, hash_at, row_of, unsigned};
use crate::schema::id::Hash;
use crate::schema::limits::PACK_BYTES_MAX;
use crate::schema::name::Name;
use crate::schema::pack::Kind;

const COLUMNS: &str = "SELECT row, kind, id, version, hash, installed_ms, current FROM pack";
pub(super) const ROW: &str = "SELECT row FROM pack WHERE hash = ?1";

/// Number of an installed pack inside this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackRow(pub(super) i64);

/// A pack to be installed.
#[derive(Clone, Copy, Debug)]
pub struct NewPack<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: &'a Name,
    /// Its version.
    pub version: u32,
    /// Hash of its header bytes.
    pub hash: Hash,
    /// Its header bytes.
    pub header: &'a [u8],
    /// The whole file.
    pub file: &'a [u8],
    /// Milliseconds since 1970, by the phone's clock.
    pub installed_ms: i64,
}

/// An installed pack, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its number.
    pub row: PackRow,
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: Name,
    /// Its version.
    pub version: u32,
    /// Hash of its header bytes.
    pub hash: Hash,
    /// Milliseconds since 1970, by the phone's clock.
    pub installed_ms: i64,
    /// Whether new screenings use it.
    pub current: bool,
}

/// Installs a pack and makes it the current one of its kind and id.
///
/// # Errors
/// [`StoreError::Conflict`] if this pack, or another with its kind, id and version, is installed;
/// [`StoreError::TooLarge`] past [`PACK_BYTES_MAX`].
pub fn install(tx: &Tx<'_>, pack: &NewPack<'_>) -> Result<PackRow, StoreError> {
    if pack.file.len() > PACK_BYTES_MAX {
        return Err(StoreError::TooLarge { limit: "PACK_BYTES_MAX" });
    }
    let kind = number(pack.kind);
    tx.conn.execute(
        "UPDATE pack SET current = 0 WHERE kind = ?1 AND id = ?2 AND current = 1",
        (kind, pack.id.as_str()),
    )?;
    tx.conn.execute(
        "INSERT INTO pack (kind, id, version, hash, installed_ms, current, header, file)
         VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7)",
        (kind, pack.id.as_str(), pack.version, pack.hash.0, pack.installed_ms, pack.header, pack.file),
    )?;
    Ok(PackRow(tx.conn.last_insert_rowid()))
}

/// The current version of a pack.
///
/// # Errors
/// As SQLite.
pub fn current(rows: &Rows<'_>, kind: Kind, id: &Name) -> Result<Option<Installed>, StoreError> {
    let sql = format!("{COLUMNS} WHERE kind = ?1 AND id = ?2 AND current = 1");
    rows.conn
        .prepare_cached(&sql)?
        .query_row((number(kind), id.as_str()), |row| Ok(installed(row)))
        .optional()?
        .transpose()
}

/// The pack with this hash.
///
/// # Errors
/// As SQLite.
pub fn by_hash(rows: &Rows<'_>, hash: &Hash) -> Result<Option<Installed>, StoreError> {
    let sql = format!("{COLUMNS} WHERE hash = ?1");
    rows.conn.prepare_cached(&sql)?.query_row([hash.0], |row| Ok(installed(row))).optional()?.transpose()
}

/// Every installed pack, by kind, id and version.
///
/// # Errors
/// As SQLite.
pub fn list(rows: &Rows<'_>) -> Result<Vec<Installed>, StoreError> {
    let sql = format!("{COLUMNS} ORDER BY kind, id, version");
    let mut query = rows.conn.prepare_cached(&sql)?;
    query.query([])?.mapped(|row| Ok(installed(row))).map(|pack| pack?).collect()
}

/// The header bytes of a pack.
///
/// # Errors
/// As SQLite.
pub fn header(rows: &Rows<'_>, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
    let mut query = rows.conn.prepare_cached("SELECT header FROM pack WHERE hash = ?1")?;
    Ok(query.query_row([hash.0], |r| r.get(0)).optional()?)
}

/// The whole file of a pack.
///
/// # Errors
/// As SQLite.
pub fn file(rows: &Rows<'_>, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
    let mut query = rows.conn.prepare_cached("SELECT file FROM pack WHERE hash = ?1")?;
    Ok(query.query_row([hash.0], |r| r.get(0)).optional()?)
}

/// The number of the pack with this hash.
///
/// # Errors
/// [`StoreError::Unknown`] if there is none.
pub fn row(rows: &Rows<'_>, hash: &Hash) -> Result<PackRow, StoreError> {
    row_of(rows.conn, ROW, &hash.0, "pack").map(PackRow)
}

/// Deletes old versions that no screening stays on, with their services and search rows; returns how many.
///
/// # Errors
/// As SQLite.
pub fn delete_unused(tx: &Tx<'_>) -> Result<usize, StoreError> {
    Ok(tx.conn.execute(
        "DELETE FROM pack WHERE current = 0
         AND NOT EXISTS (SELECT 1 FROM screening_pack WHERE screening_pack.pack = pack.row)",
        [],
    )?)
}

fn installed(row: &Row<'_>) -> Result<Installed, StoreError> {
    let malformed = StoreError::Malformed { table: "pack" };
    let kind: i64 = row.get(1)?;
    Ok(Installed {
        row: PackRow(row.get(0)?),
        kind: Kind::ALL.into_iter().find(|k| number(*k) == kind).ok_or(malformed)?,
        id: Name::new(row.get::<_, String>(2)?).map_err(|_| malformed)?,
        version: unsigned(row.get(3)?, "pack")?,
        hash: hash_at(row, 4)?,
        installed_ms: row.get(5)?,
        current: row.get(6)?,
    })
}

/// The number of a kind, the same as in CBOR.
fn number(kind: Kind) -> i64 {
    match kind {
        Kind::Checklist => 0,
        Kind::Protocol => 1,
        Kind::Directory => 2,
        Kind::Calendar => 3,
        Kind::Policy => 4,
        Kind::Recipients => 5,
    }
}
