//! Findings: what is wrong with a store as a whole when it is opened.
//!
//! Owns the comparison of the store with its head file, and the new life that begins after a finding, so
//! that no number is ever given twice. A finding is written down and said; it blocks nothing and repairs
//! nothing.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::error::{Failure, StoreError};
use super::head::{Head, Read};
use super::{Rows, fact, signed, unsigned};
use crate::schema::id::{Hash, StoreId};
use crate::time::Moment;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// The store is behind its head file: saves that had been acknowledged are gone.
    Rollback,
    /// Store and head file disagree about the same moment: two copies of the store went different ways.
    Fork,
    /// The head file is gone, as after a restore from a copy. Whether saves are missing cannot be told.
    HeadMissing,
    /// The head file is damaged. Whether saves are missing cannot be told.
    HeadUnreadable,
}

/// How far a store had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Write transactions.
    pub commits: u64,
    /// Counter of the last fact, 0 for none.
    pub counter: u64,
}

/// One finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Milliseconds since 1970, by the phone's clock.
    pub found_ms: i64,
    /// What was found.
    pub kind: FindingKind,
    /// How far the store had come.
    pub store: Position,
    /// How far it should have come, where the head file could be read.
    pub head: Option<Position>,
}

impl FindingKind {
    fn number(self) -> i64 {
        match self {
            Self::Rollback => 0,
            Self::Fork => 1,
            Self::HeadMissing => 2,
            Self::HeadUnreadable => 3,
        }
    }

    fn of(number: i64) -> Result<Self, StoreError> {
        [Self::Rollback, Self::Fork, Self::HeadMissing, Self::HeadUnreadable]
            .into_iter()
            .find(|kind| kind.number() == number)
            .ok_or(StoreError::Malformed { table: "finding" })
    }
}

/// Where the store stands, and the last link of its chain.
pub(super) fn position(conn: &Connection) -> Result<(Position, Hash), StoreError> {
    let commits = conn.query_row("SELECT commits FROM device", [], |r| r.get(0))?;
    let (counter, hash) = fact::last(&Rows { conn })?;
    Ok((Position { commits: unsigned(commits, "device")?, counter }, hash))
}

/// Compares a store with what its head file says.
pub(super) fn compare(
    conn: &Connection,
    head: &Read,
) -> Result<Option<(FindingKind, Position, Option<Position>)>, StoreError> {
    let (store, last) = position(conn)?;
    let head = match head {
        Read::Missing => return Ok(Some((FindingKind::HeadMissing, store, None))),
        Read::Unreadable => return Ok(Some((FindingKind::HeadUnreadable, store, None))),
        Read::At(head) => head,
    };
    let at = Position { commits: head.commits, counter: head.counter };
    let kind = if at.commits > store.commits || at.counter > store.counter {
        FindingKind::Rollback
    } else if at.commits == store.commits && (at.counter, head.hash) != (store.counter, last)
        || !remembers(conn, head)?
    {
        FindingKind::Fork
    } else {
        return Ok(None);
    };
    Ok(Some((kind, store, Some(at))))
}

/// Whether the store's own past holds the moment of the head file.
fn remembers(conn: &Connection, head: &Head) -> Result<bool, StoreError> {
    let lived: bool = conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM incarnation WHERE incarnation = ?1 AND store_id = ?2)",
        (signed(head.incarnation)?, head.store.0),
        |r| r.get(0),
    )?;
    let link = conn
        .query_row("SELECT hash FROM fact WHERE counter = ?1", [signed(head.counter)?], |r| {
            super::hash_at(r, 0)
        })
        .optional()?;
    Ok(lived && (head.counter == 0 || link == Some(head.hash)))
}

/// Begins a life of the store.
pub(super) fn begin_life(
    conn: &Connection,
    incarnation: u64,
    store: StoreId,
    first_counter: u64,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO incarnation (incarnation, store_id, first_counter, begun_ms) VALUES (?1, ?2, ?3, ?4)",
        (signed(incarnation)?, store.0, signed(first_counter)?, now_ms),
    )?;
    Ok(())
}

/// Writes a finding down, if there is one, and begins a new life, in one transaction.
pub(super) fn record(
    conn: &mut Connection,
    kind: Option<FindingKind>,
    store: Position,
    head: Option<Position>,
    life: (u64, StoreId),
    now: Moment,
) -> Result<(), Failure> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (head_commits, head_counter) = match head {
        Some(head) => (Some(signed(head.commits)?), Some(signed(head.counter)?)),
        None => (None, None),
    };
    if let Some(kind) = kind {
        tx.execute(
            "INSERT INTO finding (found_ms, kind, store_commits, store_counter, head_commits, head_counter)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                now.wall_ms,
                kind.number(),
                signed(store.commits)?,
                signed(store.counter)?,
                head_commits,
                head_counter,
            ),
        )?;
    }
    begin_life(&tx, life.0, life.1, store.counter.saturating_add(1), now.wall_ms)?;
    // Past both, so that the old head file, should it come back, is behind.
    let commits = store.commits.max(head.map_or(0, |head| head.commits)).saturating_add(1);
    tx.execute("UPDATE device SET commits = ?1", [signed(commits)?])?;
    Ok(tx.commit()?)
}

/// Every finding so far, oldest first.
pub(super) fn all(conn: &Connection) -> Result<Vec<Finding>, StoreError> {
    let mut query = conn.prepare(
        "SELECT found_ms, kind, store_commits, store_counter, head_commits, head_counter FROM finding ORDER BY row",
    )?;
    let mut rows = query.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let position = |commits, counter| -> Result<_, StoreError> {
            Ok(Position { commits: unsigned(commits, "finding")?, counter: unsigned(counter, "finding")? })
        };
        let head = match (row.get(4)?, row.get(5)?) {
            (Some(commits), Some(counter)) => Some(position(commits, counter)?),
            _ => None,
        };
        all.push(Finding {
            found_ms: row.get(0)?,
            kind: FindingKind::of(row.get(1)?)?,
            store: position(row.get(2)?, row.get(3)?)?,
            head,
        });
    }
    Ok(all)
}
