//! A link that keeps what went over it, to show what anyone on the way could see.

use std::sync::{Mutex, MutexGuard, PoisonError};

use amparo_core::seal::{First, first, from_bytes, unverified};
use amparo_core::sync::{Transport, TransportError};
use amparo_schema::wire::disclosure::Disclosure;
use amparo_schema::wire::push::{Frame, Reply};
use amparo_schema::wire::receipt::Receipt;
use amparo_schema::wire::segment::{Header, Segment};

/// A link that keeps what went over it.
pub struct Recorder<T> {
    over: T,
    wire: Mutex<Wire>,
}

#[derive(Default)]
struct Wire {
    up: Vec<u8>,
    down: Vec<u8>,
}

impl<T: Transport> Recorder<T> {
    /// Records what goes over this link.
    pub fn new(over: T) -> Self {
        Self { over, wire: Mutex::default() }
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All bytes until now: sent, received.
    pub fn bytes(&self) -> (Vec<u8>, Vec<u8>) {
        let wire = self.wire();
        (wire.up.clone(), wire.down.clone())
    }

    /// Headers of the segments that were sent, in order, each with the length of its ciphertext.
    pub fn headers(&self) -> Vec<(Header, usize)> {
        let header = |frame: &[u8]| match from_bytes(frame) {
            Ok(Frame::Segment(bytes)) => {
                let segment: Segment = from_bytes(&bytes).ok()?;
                Some((from_bytes(&segment.header).ok()?, segment.ciphertext.len()))
            }
            _ => None,
        };
        items(&self.wire().up).into_iter().filter_map(header).collect()
    }

    /// Disclosures that were sent, in order.
    pub fn disclosures(&self) -> Vec<Disclosure> {
        let made = |frame: &[u8]| match from_bytes(frame) {
            Ok(Frame::Disclosure(signed)) => unverified(&signed).ok(),
            _ => None,
        };
        items(&self.wire().up).into_iter().filter_map(made).collect()
    }

    /// The last receipt that came.
    pub fn receipt(&self) -> Option<Receipt> {
        let receipt = |reply: &[u8]| match from_bytes(reply) {
            Ok(Reply::Receipt(signed)) => unverified(&signed).ok(),
            _ => None,
        };
        items(&self.wire().down).into_iter().filter_map(receipt).next_back()
    }
}

impl<T: Transport> Transport for Recorder<T> {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.wire().up.extend_from_slice(upload);
        let answer = self.over.exchange(upload);
        if let Ok(replies) | Err(TransportError::Cut { replies }) = &answer {
            self.wire().down.extend_from_slice(replies);
        }
        answer
    }
}

/// Whole items of a sequence.
fn items(sequence: &[u8]) -> Vec<&[u8]> {
    let (mut items, mut rest) = (Vec::new(), sequence);
    while let Ok(First::Item(item, after)) = first(rest) {
        items.push(item);
        rest = after;
    }
    items
}
