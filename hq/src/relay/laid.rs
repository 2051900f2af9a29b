//! What lies aside, for a person who looks.
//!
//! Tells hashes, numbers and sizes, never content: headquarters has none. Changes nothing.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::push::{Frame, Refusal};
use amparo_schema::wire::segment::{Header, Segment};
use amparo_seal::{from_bytes, unverified};

use super::work::{Aside, Work, decoded, named_key};
use super::{Relay, RelayError};
use crate::storage::{Chain, Shelf, Standing, Storage};

/// Frames read at once; each may be as large as a segment.
const STEP: usize = 16;

/// A frame that lies aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid {
    /// How it is found here: the hash of the frame.
    pub id: Hash,
    /// Why it was not taken.
    pub why: Refusal,
    /// Headquarters' clock when it came, milliseconds since 1970.
    pub at_ms: i64,
    /// Bytes of the frame.
    pub bytes: u64,
    /// What it says that it is, as far as that can be read.
    pub what: What,
}

/// What a frame says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A segment.
    Segment {
        /// Its header hash.
        hash: Hash,
        /// The incarnation that it claims.
        incarnation: u64,
        /// The number that it claims.
        number: u64,
        /// What stands at that number.
        instead: Option<(Hash, Standing)>,
    },
    /// A disclosure.
    Disclosure {
        /// The incarnation that it claims.
        incarnation: u64,
        /// The number that it claims.
        number: u64,
        /// How many grants it has.
        grants: u64,
        /// How many it withholds.
        withheld: u64,
    },
    /// Nothing that this build reads.
    Unknown,
}

impl Relay {
    /// At most `limit` frames that lie aside for a device, whose id follows `after`, by id; [`DeviceId`] of zeros
    /// for frames that name no device.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn laid_aside(
        &self,
        storage: &mut dyn Storage,
        device: DeviceId,
        after: Option<Hash>,
        limit: usize,
    ) -> Result<Vec<Laid>, RelayError> {
        self.run(storage, 0, |work| {
            let mut after = after.map_or_else(Vec::new, |id| named_key(device, &id));
            let mut laid = Vec::new();
            while laid.len() < limit {
                let step = STEP.min(limit.saturating_sub(laid.len()));
                let rows = work.tx.records(Shelf::Aside, &device.0, &after, step)?;
                let Some((last, _)) = rows.last() else { break };
                after.clone_from(last);
                for (key, bytes) in rows {
                    let aside: Aside = decoded(&bytes)?;
                    let id = key.get(device.0.len()..).and_then(|id| id.try_into().ok());
                    laid.push(Laid {
                        id: Hash(id.ok_or(RelayError::Damaged)?),
                        why: aside.why,
                        at_ms: aside.at_ms,
                        bytes: aside.frame.len() as u64,
                        what: work.what(device, &aside.frame)?,
                    });
                }
            }
            Ok(laid)
        })
    }
}

impl Work<'_> {
    fn what(&mut self, device: DeviceId, frame: &[u8]) -> Result<What, RelayError> {
        Ok(match from_bytes::<Frame>(frame) {
            Ok(Frame::Segment(bytes)) => {
                let Ok(segment) = from_bytes::<Segment>(&bytes) else { return Ok(What::Unknown) };
                let Ok(header) = from_bytes::<Header>(&segment.header) else { return Ok(What::Unknown) };
                let at = Chain { device, incarnation: header.incarnation }.at(header.number);
                let instead = self.tx.segment(at)?.map(|there| (there.hash, there.standing));
                let Header { incarnation, number, .. } = header;
                What::Segment { hash: segment.hash(), incarnation, number, instead }
            }
            Ok(Frame::Disclosure(signed)) => match unverified(&signed) {
                Ok(said) => What::Disclosure {
                    incarnation: said.incarnation,
                    number: said.number,
                    grants: said.grants().count() as u64,
                    withheld: said.withheld().count() as u64,
                },
                Err(_) => What::Unknown,
            },
            _ => What::Unknown,
        })
    }
}
