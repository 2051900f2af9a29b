//! Facts as a set: what came twice is one, and the order of coming is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::fact::{Compartment, Fact};
use amparo_schema::id::{DeviceId, ScreeningId};
use amparo_schema::name::Name;
use amparo_seal::from_bytes;

use super::Author;
use crate::desk::store::Row;

/// One fact of the set.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) device: DeviceId,
    pub(super) counter: u64,
    /// Every incarnation that sealed it: a phone that was set back seals again what it had before.
    pub(super) incarnations: BTreeSet<u64>,
    pub(super) screening: Option<ScreeningId>,
    pub(super) compartment: Compartment,
    pub(super) agency: Name,
    pub(super) received_ms: i64,
    /// Withdrawn, in whichever copy.
    pub(super) hidden: bool,
    /// None for a kind or a form that this build does not know.
    pub(super) fact: Option<Fact>,
}

/// The set of these rows, by device and counter. Two facts with one counter and different words are two, but
/// for one that was erased: nobody knows any more whose copy it was, so whatever has its place is hidden with it.
pub(super) fn merge(rows: &[Row]) -> Vec<Known> {
    let mut set: BTreeMap<_, Known> = BTreeMap::new();
    let place = |row: &Row| (row.device, row.counter, row.screening, row.compartment);
    let erased: BTreeSet<_> = rows.iter().filter(|row| row.body.is_empty()).map(place).collect();
    for row in rows {
        let body = if erased.contains(&place(row)) { &[][..] } else { row.body.as_slice() };
        let key = (row.device, row.counter, row.screening, row.compartment, body);
        let known = set.entry(key).or_insert_with(|| Known {
            device: row.device,
            counter: row.counter,
            incarnations: BTreeSet::new(),
            screening: row.screening,
            compartment: row.compartment,
            agency: row.agency.clone(),
            received_ms: row.received_ms,
            hidden: false,
            fact: from_bytes(body).ok(),
        });
        known.incarnations.insert(row.incarnation);
        known.received_ms = known.received_ms.min(row.received_ms);
        known.hidden |= row.hidden || body.is_empty();
    }
    set.into_values().collect()
}

impl Known {
    /// Whether `later` stands after this fact in one chain: whoever wrote it knew of this one.
    pub(super) fn precedes(&self, later: &Self) -> bool {
        self.device == later.device
            && self.counter < later.counter
            && !self.incarnations.is_disjoint(&later.incarnations)
    }

    pub(super) fn author(&self) -> Author {
        Author {
            device: self.device,
            agency: self.agency.clone(),
            incarnation: self.incarnations.first().copied().unwrap_or_default(),
            counter: self.counter,
        }
    }
}

/// The last words of each chain among facts on one matter: those after which no chain says more.
pub(super) fn heads<'a>(facts: &[&'a Known]) -> Vec<&'a Known> {
    let mut last: BTreeMap<(DeviceId, u64), u64> = BTreeMap::new();
    for fact in facts {
        for incarnation in &fact.incarnations {
            let newest = last.entry((fact.device, *incarnation)).or_insert(fact.counter);
            *newest = (*newest).max(fact.counter);
        }
    }
    let is_last = |fact: &Known| {
        let newest = |i: &u64| last.get(&(fact.device, *i)).copied() == Some(fact.counter);
        fact.incarnations.iter().all(newest)
    };
    facts.iter().filter(|fact| is_last(fact)).copied().collect()
}
