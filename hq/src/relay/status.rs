//! How the relay stands, in counts.

use super::work::{AsideLoad, EVERYTHING, Work, decoded};
use super::{Durability, Relay, RelayError};
use crate::storage::{Shelf, Storage};

/// Records read at once.
const STEP: usize = 1_024;

/// How the relay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Raised whenever headquarters was proven to have lost data.
    pub epoch: u64,
    /// Enrolled devices, revoked ones among them.
    pub devices: u64,
    /// Incarnations of which something was taken.
    pub chains: u64,
    /// Segments taken.
    pub segments: u64,
    /// Frames kept aside.
    pub aside: u64,
    /// Registered recipient keys.
    pub recipients: u64,
    /// What makes a segment durable.
    pub durability: Durability,
    /// Leaves of the log that the newest backup holds; all where the store is replicated.
    pub newest_backup: u64,
    /// Leaves of the log that every backup holds from which headquarters could be restored.
    pub oldest_backup: u64,
}

impl Relay {
    /// Counts what is there; reads every key of it.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn status(&self, storage: &mut dyn Storage) -> Result<Status, RelayError> {
        self.run(storage, 0, |work| {
            let state = work.state()?;
            let mut aside = 0;
            let devices = work.each(Shelf::Device, |_| Ok(()))?;
            let chains = work.each(Shelf::Head, |_| Ok(()))?;
            let segments = work.each(Shelf::Name, |_| Ok(()))?;
            let recipients = work.each(Shelf::Recipient, |_| Ok(()))?;
            work.each(Shelf::AsideLoad, |load| {
                aside += decoded::<AsideLoad>(load)?.count;
                Ok(())
            })?;
            let replicated = state.newest_backup == EVERYTHING;
            Ok(Status {
                epoch: state.epoch,
                devices,
                chains,
                segments,
                aside,
                recipients,
                durability: if replicated { Durability::Replicated } else { self.settings.durability },
                newest_backup: state.newest_backup.min(state.log_size),
                oldest_backup: state.oldest_backup,
            })
        })
    }
}

impl Work<'_> {
    /// Sees every record of a shelf and gives how many there are.
    fn each(
        &mut self,
        shelf: Shelf,
        mut see: impl FnMut(&[u8]) -> Result<(), RelayError>,
    ) -> Result<u64, RelayError> {
        let (mut after, mut count) = (Vec::new(), 0);
        loop {
            let records = self.tx.records(shelf, &[], &after, STEP)?;
            let Some((last, _)) = records.last() else { return Ok(count) };
            after.clone_from(last);
            for (_, value) in &records {
                see(value)?;
                count += 1;
            }
        }
    }
}
