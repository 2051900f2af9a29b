//! Time as an argument.
//!
//! Owns the trait by which the host tells the time. Never reads a clock itself: tests set it, phones lie
//! about it, and order is never taken from it.

/// What the host's clocks say at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970, UTC, by the wall clock.
    pub wall_ms: i64,
    /// Minutes east of UTC that the phone shows.
    pub offset_minutes: i16,
    /// Milliseconds since the phone started, sleep included.
    pub steady_ms: u64,
}

/// The host's clocks.
pub trait Clock: Send + Sync {
    /// What they say now.
    fn now(&self) -> Moment;
}

/// A clock that stands where it is put; for tests and for scenarios without a person.
#[derive(Debug)]
pub struct FixedClock(std::sync::Mutex<Moment>);

impl FixedClock {
    /// Stands at `moment`.
    #[must_use]
    pub fn new(moment: Moment) -> Self {
        Self(std::sync::Mutex::new(moment))
    }

    /// Moves wall and steady time forward together.
    pub fn advance_ms(&self, ms: u32) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        now.wall_ms = now.wall_ms.saturating_add(i64::from(ms));
        now.steady_ms = now.steady_ms.saturating_add(u64::from(ms));
    }

    /// Sets the wall time alone, as a person or a network does.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).wall_ms = wall_ms;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
