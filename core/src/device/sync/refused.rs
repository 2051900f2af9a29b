//! What headquarters did not take: kept to be seen, and not sent again where it is kept aside there.

use std::collections::BTreeSet;

use amparo_schema::wire::push::Refusal;

use super::outbox::read_receipt;
use crate::device::{Device, Error};
use crate::seal::{from_bytes, to_bytes};
use crate::store::refused::RefusedRow;
use crate::store::{self, Rows};
use crate::sync::Item;

/// Refusals in one list.
const REFUSED_MAX: u32 = 10_000;

impl Device {
    /// Notes refusals. A fork puts the life in doubt, unless it is the present one: that ends by its receipt.
    pub(super) fn note_refused(&self, refused: &[(Item, Refusal)]) -> Result<(), Error> {
        if refused.is_empty() {
            return Ok(());
        }
        let present = self.store.identity().incarnation;
        self.store.write(|tx| {
            for (item, why) in refused {
                let (incarnation, number, disclosure) = parts(*item);
                let why: u32 = from_bytes(&to_bytes(why)?).unwrap_or(u32::MAX);
                let epoch = epoch(tx, incarnation)?;
                store::refused::set(tx, &RefusedRow { incarnation, disclosure, number, why, epoch })?;
                if why == fork()? && incarnation != present {
                    store::progress::doubt(tx, incarnation)?;
                }
            }
            Ok(())
        })
    }

    /// What was refused and not acknowledged since.
    pub(super) fn refusals(&self) -> Result<Vec<(Item, Refusal)>, Error> {
        let rows = self.store.read(|rows| store::refused::list(rows, REFUSED_MAX))?;
        let refusal = |row: &RefusedRow| {
            let why = to_bytes(&row.why).ok().and_then(|bytes| from_bytes(&bytes).ok())?;
            Some((item(row), why))
        };
        Ok(rows.iter().filter_map(refusal).collect())
    }

    /// Forks that headquarters keeps aside, and has not lost since.
    pub(super) fn forked(&self) -> Result<BTreeSet<Item>, Error> {
        let fork = fork()?;
        self.store.read(|rows| {
            let mut forked = BTreeSet::new();
            for row in store::refused::list(rows, REFUSED_MAX)?.iter().filter(|row| row.why == fork) {
                if epoch(rows, row.incarnation)? == row.epoch {
                    forked.insert(item(row));
                }
            }
            Ok(forked)
        })
    }
}

/// The number of a fork in the store.
fn fork() -> Result<u32, Error> {
    Ok(from_bytes(&to_bytes(&Refusal::Fork)?).unwrap_or(u32::MAX))
}

fn epoch(rows: &Rows<'_>, incarnation: u64) -> Result<u64, Error> {
    let held = store::progress::receipt(rows, incarnation)?;
    Ok(held.map(|bytes| read_receipt(&bytes)).transpose()?.map_or(0, |held| held.epoch))
}

fn parts(item: Item) -> (u64, u64, bool) {
    match item {
        Item::Segment { incarnation, number } => (incarnation, number, false),
        Item::Disclosure { incarnation, number } => (incarnation, number, true),
    }
}

fn item(row: &RefusedRow) -> Item {
    let (incarnation, number) = (row.incarnation, row.number);
    if row.disclosure {
        Item::Disclosure { incarnation, number }
    } else {
        Item::Segment { incarnation, number }
    }
}
