//! TaskChampion's side: one task per screening, one operation per fact, versions to a server that counts.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use taskchampion::server::{
    AddVersionResult, GetVersionResult, HistorySegment, Server, Snapshot, SnapshotUrgency, VersionId,
};
use taskchampion::storage::inmemory::InMemoryStorage;
use taskchampion::{Operations, Replica, TaskData, Uuid};

use crate::{Cost, timed};

/// What its encryption adds to a version: format, nonce, tag.
const SEALING_BYTES: usize = 29;
/// An id of a version, as its protocol names it in a path.
const ID_BYTES: usize = 36;

struct Counting(Rc<RefCell<(Cost, VersionId)>>);

#[async_trait(?Send)]
impl Server for Counting {
    async fn add_version(
        &mut self,
        parent: VersionId,
        segment: HistorySegment,
    ) -> Result<(AddVersionResult, SnapshotUrgency), taskchampion::Error> {
        let mut state = self.0.borrow_mut();
        state.0.up += segment.len() + SEALING_BYTES + ID_BYTES;
        state.0.down += ID_BYTES;
        state.0.trips += 1;
        if state.1 != parent && state.1 != Uuid::nil() {
            return Ok((AddVersionResult::ExpectedParentVersion(state.1), SnapshotUrgency::None));
        }
        state.1 = Uuid::new_v4();
        Ok((AddVersionResult::Ok(state.1), SnapshotUrgency::None))
    }

    async fn get_child_version(&mut self, _: VersionId) -> Result<GetVersionResult, taskchampion::Error> {
        let mut state = self.0.borrow_mut();
        state.0.up += ID_BYTES;
        state.0.trips += 1;
        Ok(GetVersionResult::NoSuchVersion)
    }

    async fn add_snapshot(&mut self, _: VersionId, _: Snapshot) -> Result<(), taskchampion::Error> {
        Ok(())
    }

    async fn get_snapshot(&mut self) -> Result<Option<(VersionId, Snapshot)>, taskchampion::Error> {
        Ok(None)
    }
}

/// Sends the facts of each screening, `batch` screenings in each sync.
pub fn run(facts: &[Vec<String>], batch: usize) -> Result<Cost, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let state = Rc::new(RefCell::new((Cost::default(), Uuid::nil())));
    let mut server: Box<dyn Server> = Box::new(Counting(state.clone()));
    let mut replica = Replica::new(InMemoryStorage::new());
    let mut took = std::time::Duration::ZERO;
    for screenings in facts.chunks(batch) {
        for facts in screenings {
            runtime.block_on(async {
                let mut ops = Operations::new();
                let mut task = TaskData::create(Uuid::new_v4(), &mut ops);
                for (n, fact) in facts.iter().enumerate() {
                    task.update(format!("fact{n}"), Some(fact.clone()), &mut ops);
                }
                replica.commit_operations(ops).await
            })?;
        }
        let (time, done) = timed(|| runtime.block_on(replica.sync(&mut server, true)));
        done?;
        took += time;
    }
    let mut cost = state.borrow().0;
    cost.took = took;
    Ok(cost)
}
