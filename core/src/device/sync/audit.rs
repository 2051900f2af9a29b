//! The audit lane: what happened to the store itself, sealed in batches.

use amparo_schema::fact::Lane;
use minicbor::{Decode, Encode};

use crate::device::close::parts;
use crate::device::{DAY_MS, Device, Error};
use crate::seal::to_bytes;
use crate::store;

/// Where it is kept how far the audit was sealed.
pub(super) const SETTING: &str = "sync.audit";
/// Screenings closed since the last batch that make another one due.
const CLOSED_DUE: u64 = 10;
/// Facts of one batch.
const BATCH_MAX: u32 = 1_000;

/// The last batch.
#[derive(Clone, Copy, Default, Encode, Decode)]
#[cbor(array)]
struct Last {
    /// Counter of its last fact.
    #[n(0)]
    counter: u64,
    /// Screenings closed by then.
    #[n(1)]
    closed: u64,
    /// When, by the phone's clock, milliseconds since 1970.
    #[n(2)]
    at_ms: i64,
}

impl Device {
    /// Seals what happened to the store since the last batch, if ten screenings were closed or a day has passed
    /// since.
    pub(super) fn seal_audit(&self) -> Result<(), Error> {
        let now = self.stamp();
        self.store.write(|tx| {
            let kept = store::setting::get(tx, SETTING)?;
            let last = kept.and_then(|bytes| minicbor::decode::<Last>(&bytes).ok());
            let closed = store::screening::count_closed(tx)?;
            let due = last.is_none_or(|last| {
                let day = now.doubt.is_none() && now.wall_ms.saturating_sub(last.at_ms) >= DAY_MS;
                day || closed.saturating_sub(last.closed) >= CLOSED_DUE
            });
            let from = last.unwrap_or_default().counter;
            if !due {
                return Ok(());
            }
            let facts = store::fact::of_store(tx, from, BATCH_MAX)?;
            let Some(counter) = facts.last().map(|fact| fact.counter) else { return Ok(()) };
            let events = facts.into_iter().filter_map(|fact| Some((fact.counter, fact.body?))).collect();
            for part in parts(events) {
                self.seal_into(tx, None, Lane::Audit, part, now)?;
            }
            let last = Last { counter, closed, at_ms: now.wall_ms };
            Ok::<_, Error>(store::setting::set(tx, SETTING, &to_bytes(&last)?)?)
        })
    }
}
