//! What an agency's desk asks of headquarters.

use minicbor::{Decode, Encode};

use super::feed::Cursor;
use super::signed::Payload;

/// Asks for the next page of a recipient's feed, signed by the agency's signing key. Everything before the
/// cursor is thereby acknowledged as kept; with `down_bytes` 0 that is all it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Pull {
    /// The recipient, as in [`super::segment::Grant::recipient`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub recipient: [u8; 8],
    /// How far the desk is in that recipient's feed.
    #[n(1)]
    pub cursor: Cursor,
    /// Bytes of entries that it will take.
    #[n(2)]
    pub down_bytes: u32,
}

impl Payload for Pull {
    const CONTEXT: &'static [u8] = b"amparo-pull-1";
}
