//! Disclosures: who may read what, as the device says now.
//!
//! Grants are detached from segments, so that the consent known at transmission decides, and a withdrawal
//! stops what has not been delivered yet. Disclosures of one incarnation are numbered without gaps. For one
//! segment and one recipient the highest number decides, whatever the order of arrival; so repeats, detours
//! and old copies change nothing.

use minicbor::{Decode, Encode};

use super::segment::Grant;
use super::signed::Payload;
use crate::id::{DeviceId, Hash};

/// What the device discloses, signed by its key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Disclosure {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// The incarnation of its store.
    #[n(1)]
    pub incarnation: u64,
    /// Position among the disclosures of this incarnation, dense from 0.
    #[n(2)]
    pub number: u64,
    /// Keys given. At most `DISCLOSURE_GRANTS_MAX`.
    #[cbor(n(3), decode_with = "super::list::bounded::<_, _, { usize::MAX }, 46>")]
    pub grants: Vec<Grant>,
    /// What may no longer be delivered.
    #[cbor(n(4), decode_with = "super::list::bounded::<_, _, { usize::MAX }, 44>")]
    pub withheld: Vec<Withheld>,
}

impl Payload for Disclosure {
    const CONTEXT: &'static [u8] = b"amparo-disclosure-1";
}

/// One segment that one recipient may no longer be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Withheld {
    /// [`super::segment::header_hash`] of the segment.
    #[n(0)]
    pub segment: Hash,
    /// The recipient, as in [`Grant::recipient`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub recipient: [u8; 8],
}
