//! TaskChampion's replica on a line that is cut, with a server in memory. Its protocol repeats a request whole.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use taskchampion::server::{
    AddVersionResult, GetVersionResult, HistorySegment, Server, Snapshot, SnapshotUrgency, VersionId,
};
use taskchampion::storage::inmemory::InMemoryStorage;
use taskchampion::{Error, Operations, Replica, Uuid};
use tokio::runtime::Runtime;

use crate::Fallible;
use crate::cuts::{Line, SYNCS_MAX, Sender, Spent};
use crate::field::Facts;
use crate::theirs::{Payload, operations};

/// What its encryption adds to a version: format, nonce, tag.
const SEALING_BYTES: u64 = 29;

/// A replica with screenings that were never sent.
pub struct TheirCuts {
    operations: Operations,
    runtime: Runtime,
    /// Operations that the server holds when nothing goes wrong.
    expected: Option<u64>,
}

struct State {
    versions: Vec<(VersionId, VersionId, HistorySegment)>,
    line: Line,
    spent: Spent,
}

struct Wire(Rc<RefCell<State>>);

impl TheirCuts {
    /// A replica with these screenings.
    pub fn new(facts: &[Facts]) -> Fallible<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(Self { operations: operations(facts, Payload::Facts)?, runtime, expected: None })
    }
}

#[async_trait(?Send)]
impl Server for Wire {
    async fn add_version(
        &mut self,
        parent: VersionId,
        segment: HistorySegment,
    ) -> Result<(AddVersionResult, SnapshotUrgency), Error> {
        let mut state = self.0.borrow_mut();
        let bytes = segment.len() as u64 + SEALING_BYTES;
        let cut = state.line.next();
        let came = cut.unwrap_or(u64::MAX).min(bytes);
        state.spent.up += came;
        state.spent.requests += 1;
        let newest = state.versions.last().map_or(Uuid::nil(), |(id, ..)| *id);
        let fits = came == bytes && (newest == parent || newest == Uuid::nil());
        let made = Uuid::new_v4();
        if fits {
            state.versions.push((made, parent, segment));
        }
        let answered = cut.is_none() || (matches!(state.line, Line::CutAlways(_)) && came == bytes);
        match (answered, fits) {
            (false, _) => Err(Error::Server("cut".into())),
            (true, true) => Ok((AddVersionResult::Ok(made), SnapshotUrgency::None)),
            (true, false) => Ok((AddVersionResult::ExpectedParentVersion(newest), SnapshotUrgency::None)),
        }
    }

    async fn get_child_version(&mut self, parent: VersionId) -> Result<GetVersionResult, Error> {
        let mut state = self.0.borrow_mut();
        state.spent.requests += 1;
        let child = state.versions.iter().find(|(_, of, _)| *of == parent).cloned();
        state.spent.down += child.as_ref().map_or(0, |(.., segment)| segment.len() as u64 + SEALING_BYTES);
        Ok(child.map_or(
            GetVersionResult::NoSuchVersion,
            |(version_id, parent_version_id, history_segment)| GetVersionResult::Version {
                version_id,
                parent_version_id,
                history_segment,
            },
        ))
    }

    async fn add_snapshot(&mut self, _: VersionId, _: Snapshot) -> Result<(), Error> {
        Ok(())
    }

    async fn get_snapshot(&mut self) -> Result<Option<(VersionId, Snapshot)>, Error> {
        Ok(None)
    }
}

impl Sender for TheirCuts {
    const WHO: &'static str = "TaskChampion";
    // What comes before the cut is in vain wherever it is; a replica takes long to fill.
    const STEP: u64 = 8 * 1024;

    fn send(&mut self, line: Line) -> Fallible<(Option<Spent>, u64, u64)> {
        let state = Rc::new(RefCell::new(State { versions: Vec::new(), line, spent: Spent::default() }));
        let mut server: Box<dyn Server> = Box::new(Wire(Rc::clone(&state)));
        let mut replica = Replica::new(InMemoryStorage::new());
        self.runtime.block_on(replica.commit_operations(self.operations.clone()))?;
        let ended = loop {
            let synced = self.runtime.block_on(replica.sync(&mut server, true));
            let mut state = state.borrow_mut();
            state.spent.syncs += 1;
            if synced.is_ok() || state.spent.syncs >= SYNCS_MAX {
                break synced.is_ok();
            }
        };
        let state = state.borrow();
        if !ended {
            return Ok((None, 0, 0));
        }
        let mut held = 0_u64;
        for (_, _, segment) in &state.versions {
            let version: serde_json::Value = serde_json::from_slice(segment)?;
            held += version["operations"].as_array().map_or(0, Vec::len) as u64;
        }
        let expected = *self.expected.get_or_insert(held);
        Ok((Some(state.spent), expected.saturating_sub(held), held.saturating_sub(expected)))
    }
}
