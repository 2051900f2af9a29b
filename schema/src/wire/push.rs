//! One exchange with headquarters: frames up, replies down, each a CBOR sequence without end mark.
//!
//! A cut costs the frame that was cut; what came before it counts. Frames may come in any order, twice, from
//! several devices, over any carrier. There is no session: each frame says whose it is.

use minicbor::{Decode, Encode};

use super::disclosure::Disclosure;
use super::enrol::Certificate;
use super::feed::{Mark, Page};
use super::receipt::{Brief, Receipt};
use super::signed::{Payload, Signed};
use crate::id::DeviceId;

/// A frame from a device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Frame {
    /// Who calls, and what is already known; replies go to callers only.
    #[n(0)]
    Hello(#[n(0)] Signed<Hello>),
    /// The caller's certificate; sent when headquarters asks, and on carriers that cannot ask.
    #[n(1)]
    Certificate(#[n(0)] Signed<Certificate>),
    /// An encoded segment.
    #[n(2)]
    Segment(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// A disclosure.
    #[n(3)]
    Disclosure(#[n(0)] Signed<Disclosure>),
}

/// Who calls, signed by the device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// The incarnation of its store.
    #[n(1)]
    pub incarnation: u64,
    /// The newest receipt that it holds for this incarnation.
    #[n(2)]
    pub receipt: Option<Shown>,
    /// Where to go on with the feed of its own; none does not ask for it.
    #[n(3)]
    pub own: Option<Mark>,
    /// Where to go on with the feed of packs.
    #[n(4)]
    pub packs: Option<Mark>,
    /// Bytes of pages that it will take in this exchange.
    #[n(5)]
    pub down_bytes: u32,
}

/// A receipt as a device shows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Shown {
    /// As it came: proof, if headquarters lost something. On carriers that cannot ask, and when headquarters asks.
    #[n(0)]
    Whole(#[n(0)] Signed<Receipt>),
    /// What it says. Proves nothing: headquarters asks for the whole when it could not say as much now.
    #[n(1)]
    Brief(#[n(0)] Brief),
}

impl Payload for Hello {
    const CONTEXT: &'static [u8] = b"amparo-hello-1";
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Reply {
    /// What headquarters now holds of the caller's incarnation.
    #[n(0)]
    Receipt(#[n(0)] Signed<Receipt>),
    /// Nothing changed since the receipt that the caller showed.
    #[n(1)]
    Unchanged,
    /// A run of a feed.
    #[n(2)]
    Page(#[n(0)] Page),
    /// The caller is not known: show the certificate, then send again.
    #[n(3)]
    CertificateWanted,
    /// A frame that was not taken, by its place in the upload from 0, and why. It is no reason to stop.
    #[n(4)]
    Refused {
        /// Which frame.
        #[n(0)]
        frame: u64,
        /// Why.
        #[n(1)]
        why: Refusal,
    },
    /// Too much at once: what was taken is in the receipt; go on after so many milliseconds.
    #[n(5)]
    Later {
        /// Milliseconds.
        #[n(0)]
        wait_ms: u64,
    },
    /// What the caller showed in brief does not fit: show the receipt whole. The caller is told nothing else.
    #[n(6)]
    ReceiptWanted,
}

/// Why a frame was not taken as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Refusal {
    /// It is not the one form of a frame; kept aside.
    #[n(0)]
    Form,
    /// Its signature does not hold; not kept.
    #[n(1)]
    Signature,
    /// Its device is not enrolled here; kept aside.
    #[n(2)]
    Stranger,
    /// Another segment with this number is there; both are kept, this one aside.
    #[n(3)]
    Fork,
    /// Its device was revoked; kept aside until a person releases it.
    #[n(4)]
    Revoked,
    /// Of a newer version or suite than headquarters knows; kept aside.
    #[n(5)]
    Newer,
    /// Past a limit; not kept.
    #[n(6)]
    TooLarge,
    /// There is no room to keep more aside of what no known device signed; not kept. What an enrolled or revoked
    /// device signed never meets this.
    #[n(7)]
    Full,
}
