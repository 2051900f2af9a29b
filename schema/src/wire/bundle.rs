//! Bundles: an exchange as files, carried by anyone.
//!
//! A volume is the array of this file, one file with a random name. Inside, padded and sealed, lie frames
//! (to headquarters) or replies (to a device) as a CBOR sequence. A stick shows no device and no count.
//! Volumes need no order, and a damaged one costs only what lies in it.

use minicbor::{Decode, Encode};

/// The format that this build writes and reads.
pub const FORMAT: u8 = 1;
/// HPKE `info` of a volume to headquarters.
pub const UP_CONTEXT: &[u8] = b"amparo-bundle-up-1";
/// HPKE `info` of a volume to a device.
pub const DOWN_CONTEXT: &[u8] = b"amparo-bundle-down-1";
/// How volume files are named.
pub const EXTENSION: &str = "amparo";

/// One volume.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Volume {
    /// The format, 1.
    #[n(0)]
    pub format: u8,
    /// HPKE encapsulated key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    /// The padded sequence, sealed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}
