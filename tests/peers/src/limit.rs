//! What no scheme with the same promises can go below: facts as well compressed as we know how, one tag, one
//! signature, one wrapped key for each reader; and one round trip.

use crate::Fallible;
use crate::field::Facts;
use crate::theirs::packed;

/// A tag of an AEAD.
const TAG: usize = 16;
/// A signature of Ed25519.
const SIGNATURE: usize = 64;
/// An encapsulated key, and a wrapped one with its tag.
const READER: usize = 80;
/// The floor that was promised, bytes up for a screening with two readers.
pub const FLOOR: f64 = 800.0;

/// Means over screenings.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Bytes of compressed facts.
    pub packed: f64,
    /// Readers.
    pub readers: f64,
}

impl Limit {
    /// Of these screenings.
    pub fn of(facts: &[Facts]) -> Fallible<Self> {
        let count = facts.len() as f64;
        let packed: usize = facts.iter().map(|facts| Ok(packed(facts)?.len())).sum::<Fallible<usize>>()?;
        let readers: usize = facts.iter().map(|facts| facts.readers).sum();
        Ok(Self { packed: packed as f64 / count, readers: readers as f64 / count })
    }

    /// Bytes of one screening.
    pub fn bytes(&self) -> f64 {
        self.packed + (TAG + SIGNATURE) as f64 + READER as f64 * self.readers
    }
}
