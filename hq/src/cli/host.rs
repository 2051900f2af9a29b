//! The machine's clock and randomness. The only place of headquarters that reads either.

use amparo_seal::random::{Entropy, NoEntropy};

/// Milliseconds since 1970 by the machine's clock.
#[must_use]
#[allow(clippy::disallowed_methods)] // the one place that may
pub(super) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The system's randomness.
#[derive(Debug)]
pub(super) struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(clippy::disallowed_methods)] // the one place that may
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|_| NoEntropy)
    }
}
