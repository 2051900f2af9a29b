//! The host's clock and randomness, for the core. The only place of the shell that reads either.

use amparo_core::random::{Entropy, NoEntropy};
use amparo_core::time::{Clock, Moment};

/// The system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// Starts the steady clock with the process. On a phone it starts with the phone.
    #[must_use]
    #[allow(clippy::disallowed_methods, clippy::new_without_default)] // the one place that may
    pub fn new() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place that may
    fn now(&self) -> Moment {
        let zoned = jiff::Zoned::now();
        Moment {
            wall_ms: zoned.timestamp().as_millisecond(),
            offset_minutes: i16::try_from(zoned.offset().seconds() / 60).unwrap_or(0),
            steady_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// The system's randomness.
#[derive(Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(clippy::disallowed_methods)] // the one place that may
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|_| NoEntropy)
    }
}
