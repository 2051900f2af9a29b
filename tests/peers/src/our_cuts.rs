//! Our device and relay on a line that is cut: every time the same store, copied, and the same relay.

use std::cell::RefCell;
use std::collections::BTreeSet;

use amparo_core::seal::from_bytes;
use amparo_core::sync::{Ended, Transport, TransportError};
use amparo_hq::relay::Relay;
use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::{Shelf, Storage, StorageError, Tx};
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::segment::Segment;
use tempfile::TempDir;

use crate::Fallible;
use crate::cuts::{Line, SYNCS_MAX, Sender, Spent};
use crate::field::{Field, NOW_MS};
use crate::hq::{enrol, relay};

/// More rows than there are.
const ALL: usize = 1_000_000;

/// A device with screenings that were never sent, and the relay that waits for them.
pub struct OurCuts {
    store: TempDir,
    relay: Memory,
    /// What the relay must hold in the end.
    wanted: BTreeSet<Hash>,
    counts: Option<Counts>,
}

/// Counts of what the relay holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    segments: usize,
    deliveries: usize,
}

/// The relay in memory, at the end of a line.
struct Wire {
    relay: Relay,
    state: RefCell<(Memory, Line, Spent)>,
}

impl Transport for Wire {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut state = self.state.borrow_mut();
        let (memory, line, spent) = &mut *state;
        let cut = line.next();
        let most =
            cut.map_or(upload.len(), |cut| usize::try_from(cut).unwrap_or(usize::MAX).min(upload.len()));
        let came = upload.get(..most).unwrap_or(upload);
        spent.up += came.len() as u64;
        spent.requests += 1;
        let replies = self.relay.exchange(memory, came, NOW_MS).map_err(|_| TransportError::Offline)?;
        // An upload that fits into what a connection carries is answered; one that is cut is not.
        let answered = cut.is_none() || (matches!(line, Line::CutAlways(_)) && most == upload.len());
        spent.down += if answered { replies.len() as u64 } else { 0 };
        if answered { Ok(replies) } else { Err(TransportError::Cut { replies: Vec::new() }) }
    }
}

impl OurCuts {
    /// A device with so many screenings.
    pub fn new(screenings: usize) -> Fallible<Self> {
        let mut field = Field::new()?;
        let mut memory = Memory::default();
        enrol(&relay(), &mut memory, &field)?;
        let wire = Wire::over(memory, Line::Whole);
        // What the store says of itself goes first, once.
        crate::ours::done(&field.device.sync(&wire, &())?)?;
        let (memory, ..) = wire.state.into_inner();
        let ids = (0..screenings).map(|_| field.screen()).collect::<Fallible<Vec<_>>>()?;
        let store = field.leave();
        let field = Field::copy(store.path())?;
        let mut wanted = BTreeSet::new();
        for id in ids {
            for sealed in field.device.sealed(id)? {
                wanted.insert(from_bytes::<Segment>(&sealed.segment)?.hash());
            }
        }
        Ok(Self { store, relay: memory, wanted, counts: None })
    }
}

impl Wire {
    fn over(memory: Memory, line: Line) -> Self {
        Self { relay: relay(), state: RefCell::new((memory, line, Spent::default())) }
    }
}

impl Sender for OurCuts {
    const WHO: &'static str = "Amparo";
    const STEP: u64 = 1024;

    fn send(&mut self, line: Line) -> Fallible<(Option<Spent>, u64, u64)> {
        let field = Field::copy(self.store.path())?;
        let wire = Wire::over(self.relay.clone(), line);
        let ended = loop {
            let report = field.device.sync(&wire, &())?;
            let mut state = wire.state.borrow_mut();
            state.2.syncs += 1;
            match report.ended {
                Ended::Done => break true,
                _ if state.2.syncs >= SYNCS_MAX => break false,
                _ => {}
            }
        };
        let (mut memory, _, spent) = wire.state.into_inner();
        if !ended {
            return Ok((None, 0, 0));
        }
        let (counts, lost, doubled) = look(&mut memory, &self.wanted)?;
        let first = *self.counts.get_or_insert(counts);
        let fewer = first.segments.saturating_sub(counts.segments)
            + first.deliveries.saturating_sub(counts.deliveries);
        let more = counts.segments.saturating_sub(first.segments)
            + counts.deliveries.saturating_sub(first.deliveries);
        Ok((Some(spent), (lost + fewer) as u64, (doubled + more) as u64))
    }
}

/// What a relay holds, how much of what was wanted it does not, and what it holds twice.
fn look(memory: &mut Memory, wanted: &BTreeSet<Hash>) -> Result<(Counts, usize, usize), StorageError> {
    let mut found = (Counts { segments: 0, deliveries: 0 }, 0, 0);
    memory.transact(&mut |tx| {
        let names = tx.records(Shelf::Name, &[], &[], ALL)?;
        let leaves: Vec<Hash> = tx
            .leaves(0, ALL)?
            .into_iter()
            .filter(|leaf| leaf.action.is_none())
            .map(|leaf| leaf.hash)
            .collect();
        let once: BTreeSet<&Hash> = leaves.iter().collect();
        let lost = wanted.iter().filter(|hash| !once.contains(hash)).count();
        let deliveries = deliveries(tx, &names)?;
        let doubled = leaves.len() - once.len() + leaves.len().abs_diff(names.len());
        found = (Counts { segments: names.len(), deliveries }, lost, doubled);
        Ok(())
    })?;
    Ok(found)
}

/// Deliveries of the segments with these names, each a device and a hash.
fn deliveries(tx: &mut dyn Tx, names: &[(Vec<u8>, Vec<u8>)]) -> Result<usize, StorageError> {
    let mut count = 0;
    for (name, _) in names {
        let (Some(device), Some(hash)) = (name.first_chunk::<16>(), name.last_chunk::<32>()) else {
            return Err(StorageError::Damaged("record"));
        };
        count += tx.deliveries(DeviceId(*device), Hash(*hash))?.len();
    }
    Ok(count)
}
