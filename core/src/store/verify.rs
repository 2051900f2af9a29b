//! Looking over a whole store.
//!
//! Owns the walk along the chain and the questions to SQLite and SQLCipher. Tells what is wrong and what
//! it cannot see. Never repairs, and never stops at the first fault.

use rusqlite::{Connection, TransactionBehavior};

use super::finding::{self, FindingKind};
use super::head::Read;
use super::{OpenError, StoreError, fact, unsigned};
use crate::schema::fact::{body_hash, chain_hash};
use crate::schema::id::{Hash, ScreeningId, StoreId};

/// Faults of one kind that a report lists; the rest is only counted.
pub const FAULTS_MAX: usize = 100;

/// One thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The next fact after a gap.
    Gap {
        /// The counter that should have come.
        expected: u64,
        /// The counter that came.
        found: u64,
    },
    /// The body of a fact does not have the hash that was written with it.
    BodyChanged {
        /// The fact.
        counter: u64,
    },
    /// The link of a fact does not follow from the one before.
    LinkBroken {
        /// The fact.
        counter: u64,
    },
    /// Store and head file disagree.
    Head(FindingKind),
    /// Pages whose seal does not hold.
    Pages {
        /// How many.
        count: u64,
    },
    /// Faults in the structure of the file.
    Structure {
        /// How many; SQLite counts at most a hundred.
        count: u64,
    },
    /// Rows that refer to rows which are not there.
    Dangling {
        /// How many.
        count: u64,
    },
    /// A part of the store could not be read to the end.
    Unreadable,
}

/// What no look from inside can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blind {
    /// Store, log and head file were all set back together to an earlier moment. Only headquarters, which
    /// holds receipts of later segments, can tell.
    EverythingSetBack,
    /// What stood in purged bodies. Their hashes are still bound into the chain.
    PurgedBodies,
}

/// What a look over a store found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// Facts that were walked.
    pub facts: u64,
    /// Facts among them whose bodies were purged.
    pub purged: u64,
    /// Everything that is wrong, at most [`FAULTS_MAX`] of the chain; empty if nothing is.
    pub faults: Vec<Fault>,
    /// Faults of the chain beyond those listed.
    pub unlisted: u64,
    /// What this look could not see.
    pub blind: [Blind; 2],
}

impl VerifyReport {
    /// True when nothing is wrong as far as a look from inside can see.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty() && self.unlisted == 0
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }
}

/// Looks over a store on a connection that only reads.
pub(super) fn verify(
    conn: &mut Connection,
    head: Result<Read, OpenError>,
) -> Result<VerifyReport, StoreError> {
    let mut report = VerifyReport {
        facts: 0,
        purged: 0,
        faults: Vec::new(),
        unlisted: 0,
        blind: [Blind::EverythingSetBack, Blind::PurgedBodies],
    };
    // Outside a transaction: it reads the file itself, page by page.
    match pages(conn) {
        Ok(0) => {}
        Ok(count) => report.fault(Fault::Pages { count }),
        Err(error) => unreadable(&mut report, error)?,
    }
    let sql = conn.transaction_with_behavior(TransactionBehavior::Deferred)?;
    match (head, walk(&sql, &mut report)) {
        (_, Err(error)) => unreadable(&mut report, error)?,
        (Err(_), Ok(())) => report.fault(Fault::Head(FindingKind::HeadUnreadable)),
        (Ok(head), Ok(())) => match finding::compare(&sql, &head) {
            Ok(None) => {}
            Ok(Some((kind, _, _))) => report.fault(Fault::Head(kind)),
            Err(error) => unreadable(&mut report, error)?,
        },
    }
    match structure(&sql) {
        Ok(0) => {}
        Ok(count) => report.fault(Fault::Structure { count }),
        Err(error) => unreadable(&mut report, error)?,
    }
    match count(&sql, "SELECT count(*) FROM pragma_foreign_key_check") {
        Ok(0) => {}
        Ok(count) => report.fault(Fault::Dangling { count }),
        Err(error) => unreadable(&mut report, error)?,
    }
    Ok(report)
}

/// Damage is a fault to report; only the rest keeps the look from going on.
fn unreadable(report: &mut VerifyReport, error: StoreError) -> Result<(), StoreError> {
    match error {
        StoreError::Damaged | StoreError::Malformed { .. } | StoreError::Io { .. } => {
            if !report.faults.contains(&Fault::Unreadable) {
                report.fault(Fault::Unreadable);
            }
            Ok(())
        }
        other => Err(other),
    }
}

fn pages(conn: &Connection) -> Result<u64, StoreError> {
    let mut query = conn.prepare("PRAGMA cipher_integrity_check")?;
    let mut rows = query.query([])?;
    let mut count = 0;
    while rows.next()?.is_some() {
        count += 1;
    }
    Ok(count)
}

fn structure(conn: &Connection) -> Result<u64, StoreError> {
    let mut query = conn.prepare("PRAGMA integrity_check")?;
    let mut rows = query.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        if row.get_ref(0)?.as_str().map(|text| text != "ok").unwrap_or(true) {
            count += 1;
        }
    }
    Ok(count)
}

fn count(conn: &Connection, sql: &str) -> Result<u64, StoreError> {
    unsigned(conn.query_row(sql, [], |r| r.get(0))?, "?")
}

/// Walks the chain from its first link to its last.
fn walk(conn: &Connection, report: &mut VerifyReport) -> Result<(), StoreError> {
    let lives = lives(conn)?;
    let mut query = conn.prepare(
        "SELECT f.counter, s.screening_id, f.body_hash, f.hash, f.body
         FROM fact f LEFT JOIN screening s ON s.row = f.screening ORDER BY f.counter",
    )?;
    let mut rows = query.query([])?;
    let (mut expected, mut previous) = (1_u64, fact::GENESIS);
    while let Some(row) = rows.next()? {
        let counter: u64 = unsigned(row.get(0)?, "fact")?;
        let screening = row.get::<_, Option<[u8; 16]>>(1)?.map(ScreeningId);
        let (body_is, link_is): (Hash, Hash) = (super::hash_at(row, 2)?, super::hash_at(row, 3)?);
        if counter != expected {
            report.fault(Fault::Gap { expected, found: counter });
        }
        match row.get_ref(4)?.as_blob_or_null() {
            Ok(Some(body)) if body_hash(body) != body_is => report.fault(Fault::BodyChanged { counter }),
            Ok(Some(_)) => {}
            Ok(None) => report.purged = report.purged.saturating_add(1),
            Err(_) => report.fault(Fault::BodyChanged { counter }),
        }
        let store = lives.iter().rev().find(|(first, _)| *first <= counter).map(|(_, store)| *store);
        if store.map(|store| chain_hash(store, counter, &previous, screening, &body_is)) != Some(link_is) {
            report.fault(Fault::LinkBroken { counter });
        }
        report.facts = report.facts.saturating_add(1);
        (expected, previous) = (counter.saturating_add(1), link_is);
    }
    Ok(())
}

/// First counter and store id of each life, in order.
fn lives(conn: &Connection) -> Result<Vec<(u64, StoreId)>, StoreError> {
    let mut query = conn.prepare("SELECT first_counter, store_id FROM incarnation ORDER BY row")?;
    let mut rows = query.query([])?;
    let mut lives = Vec::new();
    while let Some(row) = rows.next()? {
        lives.push((unsigned(row.get(0)?, "incarnation")?, StoreId(row.get(1)?)));
    }
    Ok(lives)
}
