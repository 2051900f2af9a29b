//! Screenings: which case, which packs, open or closed.
//!
//! An index over facts for lists and look-ups; what a screening is follows from its facts. Never reopens
//! one: `closed` and `purged` only go forward.

use rusqlite::{OptionalExtension, Row};

use super::fact::SCREENING_ROW;
use super::{Rows, StoreError, Tx, case, hash_at, pack, row_of};
use crate::schema::id::{CaseId, Hash, ScreeningId};

const COLUMNS: &str =
    "SELECT s.screening_id, c.case_id, s.checklist, s.state, s.opened_ms, s.closed_ms, c.code,
    c.memorable
    FROM screening s JOIN case_file c ON c.row = s.case_row";

/// How far a screening is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Answers are taken.
    Open,
    /// Sealed; facts are only added.
    Closed,
    /// Its bodies are gone from this device.
    Purged,
}

/// A screening to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewScreening<'a> {
    /// The screening.
    pub screening: ScreeningId,
    /// Its case.
    pub case: CaseId,
    /// Hash of the checklist that it stays on.
    pub checklist: Hash,
    /// Hashes of every pack that it stays on, the checklist included.
    pub packs: &'a [Hash],
    /// Milliseconds since 1970, by the phone's clock.
    pub opened_ms: i64,
}

/// A screening as read. `Debug` shows no code by which the person could be found.
#[derive(Clone, PartialEq, Eq)]
pub struct ScreeningRow {
    /// The screening.
    pub screening: ScreeningId,
    /// Its case.
    pub case: CaseId,
    /// The code of its case.
    pub code: String,
    /// The code that the person can remember; empty once erased.
    pub memorable: String,
    /// Hash of the checklist that it stays on.
    pub checklist: Hash,
    /// How far it is.
    pub state: State,
    /// Milliseconds since 1970, by the phone's clock.
    pub opened_ms: i64,
    /// When it was closed; none while open.
    pub closed_ms: Option<i64>,
}

impl std::fmt::Debug for ScreeningRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("ScreeningRow");
        shown.field("screening", &self.screening).field("state", &self.state).finish_non_exhaustive()
    }
}

impl State {
    fn number(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::Closed => 1,
            Self::Purged => 2,
        }
    }

    fn of(number: i64) -> Result<Self, StoreError> {
        [Self::Open, Self::Closed, Self::Purged]
            .into_iter()
            .find(|state| state.number() == number)
            .ok_or(StoreError::Malformed { table: "screening" })
    }
}

/// Writes a new screening, open.
///
/// # Errors
/// [`StoreError::Unknown`] if its case or one of its packs is not in the store; [`StoreError::Conflict`] if
/// its id is taken.
pub fn insert(tx: &Tx<'_>, screening: &NewScreening<'_>) -> Result<(), StoreError> {
    let case = row_of(tx.conn, case::ROW, &screening.case.0, "case_file")?;
    tx.conn.execute(
        "INSERT INTO screening (screening_id, case_row, checklist, state, opened_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        (screening.screening.0, case, screening.checklist.0, State::Open.number(), screening.opened_ms),
    )?;
    let row = tx.conn.last_insert_rowid();
    for hash in screening.packs {
        let pack = row_of(tx.conn, pack::ROW, &hash.0, "pack")?;
        tx.conn
            .execute("INSERT OR IGNORE INTO screening_pack (screening, pack) VALUES (?1, ?2)", (row, pack))?;
    }
    Ok(())
}

/// The screening with an id.
///
/// # Errors
/// As SQLite.
pub fn by_id(rows: &Rows<'_>, screening: ScreeningId) -> Result<Option<ScreeningRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE s.screening_id = ?1");
    rows.conn.prepare_cached(&sql)?.query_row([screening.0], |r| Ok(read(r))).optional()?.transpose()
}

/// The screenings of a case, in the order in which they were opened.
///
/// # Errors
/// As SQLite.
pub fn of_case(rows: &Rows<'_>, case: CaseId) -> Result<Vec<ScreeningRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE s.case_row = ({}) ORDER BY s.row", case::ROW);
    let mut query = rows.conn.prepare_cached(&sql)?;
    query.query([case.0])?.mapped(|r| Ok(read(r))).map(|s| s?).collect()
}

/// The newest `limit` screenings, newest first; of one state or of all.
///
/// # Errors
/// As SQLite.
pub fn newest(rows: &Rows<'_>, state: Option<State>, limit: u32) -> Result<Vec<ScreeningRow>, StoreError> {
    before(rows, state, None, limit)
}

/// The newest `limit` screenings that were opened before `than`, or of all, newest first; of one state or of all.
///
/// # Errors
/// As SQLite.
pub fn before(
    rows: &Rows<'_>,
    state: Option<State>,
    than: Option<ScreeningId>,
    limit: u32,
) -> Result<Vec<ScreeningRow>, StoreError> {
    let sql = format!(
        "{COLUMNS} WHERE s.state = coalesce(?1, s.state)
         AND s.row < coalesce((SELECT row FROM screening WHERE screening_id = ?2), 9223372036854775807)
         ORDER BY s.row DESC LIMIT ?3"
    );
    let mut query = rows.conn.prepare_cached(&sql)?;
    let asked = (state.map(State::number), than.map(|id| id.0), limit);
    query.query(asked)?.mapped(|r| Ok(read(r))).map(|s| s?).collect()
}

/// How many screenings were closed so far.
///
/// # Errors
/// As SQLite.
pub fn count_closed(rows: &Rows<'_>) -> Result<u64, StoreError> {
    let mut query = rows.conn.prepare_cached("SELECT count(*) FROM screening WHERE state <> 0")?;
    super::unsigned(query.query_row([], |r| r.get(0))?, "screening")
}

/// Marks an open screening as closed.
///
/// # Errors
/// [`StoreError::Conflict`] if it is not open; [`StoreError::Unknown`] if it is not in the store.
pub fn close(tx: &Tx<'_>, screening: ScreeningId, closed_ms: i64) -> Result<(), StoreError> {
    let row = row_of(tx.conn, SCREENING_ROW, &screening.0, "screening")?;
    let done = tx.conn.execute(
        "UPDATE screening SET state = ?2, closed_ms = ?3 WHERE row = ?1 AND state = ?4",
        (row, State::Closed.number(), closed_ms, State::Open.number()),
    )?;
    if done == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Marks a closed screening as purged; the bodies are removed by [`super::fact::purge_bodies`].
///
/// # Errors
/// [`StoreError::Conflict`] if it is not closed; [`StoreError::Unknown`] if it is not in the store.
pub fn mark_purged(tx: &Tx<'_>, screening: ScreeningId) -> Result<(), StoreError> {
    let row = row_of(tx.conn, SCREENING_ROW, &screening.0, "screening")?;
    let done = tx.conn.execute(
        "UPDATE screening SET state = ?2 WHERE row = ?1 AND state = ?3",
        (row, State::Purged.number(), State::Closed.number()),
    )?;
    if done == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

fn read(row: &Row<'_>) -> Result<ScreeningRow, StoreError> {
    Ok(ScreeningRow {
        screening: ScreeningId(row.get(0)?),
        case: CaseId(row.get(1)?),
        checklist: hash_at(row, 2)?,
        state: State::of(row.get(3)?)?,
        opened_ms: row.get(4)?,
        closed_ms: row.get(5)?,
        code: row.get(6)?,
        memorable: row.get(7)?,
    })
}
