//! What came down: how far each feed was read, letters, and what was kept aside.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, Tx, hash_at, signed, unsigned};
use crate::schema::id::Hash;
use crate::schema::limits::ASIDE_MAX;
use crate::schema::wire::feed::{Cursor, FeedId};

/// How far a feed was read.
///
/// # Errors
/// As SQLite.
pub fn cursor(rows: &Rows<'_>, feed: FeedId) -> Result<Cursor, StoreError> {
    let mut query = rows.conn.prepare_cached("SELECT read, link FROM cursor WHERE feed = ?1")?;
    let found = query.query_row([feed.0.0], |r| Ok((r.get(0)?, hash_at(r, 1)?))).optional()?;
    match found {
        Some((read, link)) => Ok(Cursor { feed, read: unsigned(read, "cursor")?, link }),
        None => Ok(Cursor::start(feed)),
    }
}

/// Moves the cursor of a feed.
///
/// # Errors
/// As SQLite.
pub fn set_cursor(tx: &Tx<'_>, to: Cursor) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO cursor (feed, read, link) VALUES (?1, ?2, ?3)
             ON CONFLICT (feed) DO UPDATE SET read = ?2, link = ?3",
        )?
        .execute((to.feed.0.0, signed(to.read)?, to.link.0))?;
    Ok(())
}

/// What has become of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterState {
    /// It is to be applied.
    New,
    /// It was applied.
    Applied,
    /// It cannot be applied: what it is about is not here, or stands otherwise.
    Idle,
}

impl LetterState {
    fn number(self) -> i64 {
        match self {
            Self::New => 0,
            Self::Applied => 1,
            Self::Idle => 2,
        }
    }
}

/// A letter as it was taken. `Debug` does not show what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct LetterRow {
    /// Its id.
    pub id: [u8; 16],
    /// The agency that wrote it.
    pub author: String,
    /// What it says, encoded.
    pub note: Vec<u8>,
    /// When it came, milliseconds since 1970 by the phone's clock.
    pub taken_ms: i64,
    /// What has become of it.
    pub state: LetterState,
}

impl std::fmt::Debug for LetterRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LetterRow").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Takes a letter; false when it was taken before.
///
/// # Errors
/// As SQLite.
pub fn take_letter(tx: &Tx<'_>, letter: &LetterRow) -> Result<bool, StoreError> {
    let taken = tx
        .conn
        .prepare_cached(
            "INSERT OR IGNORE INTO letter (letter_id, author, note, taken_ms, state)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((letter.id, &letter.author, &letter.note, letter.taken_ms, letter.state.number()))?;
    Ok(taken == 1)
}

/// Notes what became of a letter.
///
/// # Errors
/// As SQLite.
pub fn set_letter(tx: &Tx<'_>, id: &[u8; 16], state: LetterState) -> Result<(), StoreError> {
    let sql = "UPDATE letter SET state = ?2 WHERE letter_id = ?1";
    tx.conn.prepare_cached(sql)?.execute((id, state.number()))?;
    Ok(())
}

/// At most `limit` letters, newest first; of one state or of all.
///
/// # Errors
/// As SQLite.
pub fn letters(
    rows: &Rows<'_>,
    state: Option<LetterState>,
    limit: u32,
) -> Result<Vec<LetterRow>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT letter_id, author, note, taken_ms, state FROM letter
         WHERE state = coalesce(?1, state) ORDER BY row DESC LIMIT ?2",
    )?;
    query.query((state.map(LetterState::number), limit))?.mapped(|r| Ok(letter(r))).map(|row| row?).collect()
}

fn letter(row: &Row<'_>) -> Result<LetterRow, StoreError> {
    let number: i64 = row.get(4)?;
    Ok(LetterRow {
        id: row.get(0)?,
        author: row.get(1)?,
        note: row.get(2)?,
        taken_ms: row.get(3)?,
        state: [LetterState::New, LetterState::Applied, LetterState::Idle]
            .into_iter()
            .find(|state| state.number() == number)
            .ok_or(StoreError::Malformed { table: "letter" })?,
    })
}

/// Something kept aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideRow {
    /// Its number.
    pub row: i64,
    /// Why, as its owner numbers reasons.
    pub why: u32,
    /// When it came, milliseconds since 1970 by the phone's clock.
    pub kept_ms: i64,
    /// As it came.
    pub bytes: Vec<u8>,
}

/// Keeps something aside, with why and when, once for each thing that it `says`: false when that was said before. Past
/// `ASIDE_MAX` only that it came is known, from the report.
///
/// # Errors
/// As SQLite.
pub fn set_aside(
    tx: &Tx<'_>,
    bytes: &[u8],
    says: &[u8],
    (why, now_ms): (u32, i64),
) -> Result<bool, StoreError> {
    let hash = Hash::of("amparo-aside-1", &[says]);
    let mut known = tx.conn.prepare_cached("SELECT 1 FROM aside WHERE hash = ?1")?;
    if known.exists([hash.0])? {
        return Ok(false);
    }
    let room = i64::try_from(ASIDE_MAX).unwrap_or(i64::MAX);
    tx.conn.execute(
        "INSERT INTO aside (hash, why, kept_ms, bytes)
         SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM aside) < ?5",
        (hash.0, why, now_ms, bytes, room),
    )?;
    Ok(true)
}

/// At most `limit` things kept aside, oldest first; for one reason or for all.
///
/// # Errors
/// As SQLite.
pub fn aside(rows: &Rows<'_>, why: Option<u32>, limit: u32) -> Result<Vec<AsideRow>, StoreError> {
    let mut query = rows.conn.prepare_cached(
        "SELECT row, why, kept_ms, bytes FROM aside WHERE why = coalesce(?1, why) ORDER BY row LIMIT ?2",
    )?;
    let row =
        |r: &Row<'_>| Ok(AsideRow { row: r.get(0)?, why: r.get(1)?, kept_ms: r.get(2)?, bytes: r.get(3)? });
    Ok(query.query((why, limit))?.mapped(row).collect::<Result<_, _>>()?)
}

/// How many things are kept aside.
///
/// # Errors
/// As SQLite.
pub fn count_aside(rows: &Rows<'_>) -> Result<u64, StoreError> {
    let count = rows.conn.prepare_cached("SELECT count(*) FROM aside")?.query_row([], |r| r.get(0))?;
    unsigned(count, "aside")
}

/// How many things are kept aside for one reason.
///
/// # Errors
/// As SQLite.
pub fn count_aside_for(rows: &Rows<'_>, why: u32) -> Result<u64, StoreError> {
    let mut query = rows.conn.prepare_cached("SELECT count(*) FROM aside WHERE why = ?1")?;
    unsigned(query.query_row([why], |r| r.get(0))?, "aside")
}

/// Lets go of something that was kept aside, because it could be applied after all.
///
/// # Errors
/// As SQLite.
pub fn drop_aside(tx: &Tx<'_>, row: i64) -> Result<(), StoreError> {
    tx.conn.execute("DELETE FROM aside WHERE row = ?1", [row])?;
    Ok(())
}
