//! Receipts: what headquarters holds of one incarnation, signed.
//!
//! A receipt names a prefix of the incarnation's chain that headquarters can read back, and up to
//! `RECEIPT_RANGES_MAX` ranges that arrived before their turn. Within one epoch no count ever falls. A device
//! that holds a receipt ahead of what headquarters has proves that headquarters lost data: the epoch rises,
//! and the device sends again by itself.

use minicbor::{Decode, Encode};

use super::signed::Payload;
use crate::id::{DeviceId, Hash};

/// What headquarters holds. All counts are numbers of segments from 0, so `stored == 3` covers 0, 1 and 2;
/// `horizon <= durable <= stored`, `delivered <= stored`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// The incarnation of its store.
    #[n(1)]
    pub incarnation: u64,
    /// Raised whenever headquarters is proven to have lost data.
    #[n(2)]
    pub epoch: u64,
    /// Level 1: written and synced on one machine.
    #[n(3)]
    pub stored: u64,
    /// Header hash of the last stored segment; for none, the chain's first `previous`.
    #[n(4)]
    pub hash: Hash,
    /// Segments behind a gap, each `[from, to)`, ascending, beyond `stored`. At most `RECEIPT_RANGES_MAX`.
    #[cbor(n(5), decode_with = "super::list::bounded::<_, _, { crate::limits::RECEIPT_RANGES_MAX }, 3>")]
    pub ranges: Vec<Range>,
    /// Level 2: survives the loss of any one machine. Plaintext may be purged.
    #[n(6)]
    pub durable: u64,
    /// Level 3: every recipient that had been granted something of them when this was first told has it. What is held
    /// back until a person looks is not there.
    #[n(7)]
    pub delivered: u64,
    /// Contained in every backup from which headquarters could be restored. Sealed bytes may go.
    #[n(8)]
    pub horizon: u64,
    /// Disclosures held, counted from 0 without gap.
    #[n(9)]
    pub disclosures: u64,
    /// Headquarters' clock, milliseconds since 1970; a hint for the device's.
    #[n(10)]
    pub hq_ms: i64,
    /// Leaves of headquarters' log.
    #[n(11)]
    pub log_size: u64,
    /// RFC 9162 root of that log.
    #[n(12)]
    pub log_root: Hash,
}

impl Payload for Receipt {
    const CONTEXT: &'static [u8] = b"amparo-receipt-1";
}

/// What a receipt says, in few bytes and without proof: for headquarters to see whether it could say less now.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Brief {
    /// As [`Receipt::epoch`].
    #[n(0)]
    pub epoch: u64,
    /// As [`Receipt::stored`].
    #[n(1)]
    pub stored: u64,
    /// [`Hash::short`] of [`Receipt::hash`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub hash: [u8; 8],
    /// As [`Receipt::ranges`].
    #[cbor(n(3), decode_with = "super::list::bounded::<_, _, { crate::limits::RECEIPT_RANGES_MAX }, 3>")]
    pub ranges: Vec<Range>,
    /// As [`Receipt::durable`].
    #[n(4)]
    pub durable: u64,
    /// As [`Receipt::delivered`].
    #[n(5)]
    pub delivered: u64,
    /// As [`Receipt::horizon`].
    #[n(6)]
    pub horizon: u64,
    /// As [`Receipt::disclosures`].
    #[n(7)]
    pub disclosures: u64,
    /// As [`Receipt::log_size`].
    #[n(8)]
    pub log_size: u64,
    /// As [`Receipt::log_root`]: whole, for a proof that the log goes on needs all of it.
    #[n(9)]
    pub log_root: Hash,
}

impl From<&Receipt> for Brief {
    fn from(receipt: &Receipt) -> Self {
        Self {
            epoch: receipt.epoch,
            stored: receipt.stored,
            hash: receipt.hash.short(),
            ranges: receipt.ranges.clone(),
            durable: receipt.durable,
            delivered: receipt.delivered,
            horizon: receipt.horizon,
            disclosures: receipt.disclosures,
            log_size: receipt.log_size,
            log_root: receipt.log_root,
        }
    }
}

/// Numbers from `from` up to, not including, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Range {
    /// The first.
    #[n(0)]
    pub from: u64,
    /// One past the last.
    #[n(1)]
    pub to: u64,
}
