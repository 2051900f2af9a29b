//! How much is let in at once.
//!
//! Bytes are counted as they arrive, not as they are announced: a caller that promises much and sends nothing
//! takes no room from others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Problem;

/// What bytes are counted in.
const UNIT_BYTES: usize = 1024;

/// Bounds on what is under way at once, and on how long it may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections; more wait in the system's queue.
    pub connections: usize,
    /// Requests under way; more are told to come again.
    pub requests: usize,
    /// KiB of bodies in memory; a body that does not fit is cut and told to come again.
    pub body_kib: u32,
    /// For the TLS handshake, and for the head of each request after the one before.
    pub head: Duration,
    /// Between two pieces of a body.
    pub piece: Duration,
    /// For a whole body.
    pub body: Duration,
    /// Until a caller takes more of its reply. What the system's buffer holds, some MB, must go first.
    pub stall: Duration,
    /// For a connection, whatever it does.
    pub connection: Duration,
    /// For what is under way when the server is told to stop.
    pub stop: Duration,
}

impl Default for Limits {
    /// For one small machine and bad links: 16 MiB at 20 kbit/s do not fit into one exchange, and need not.
    fn default() -> Self {
        Self {
            connections: 2_048,
            requests: 512,
            body_kib: 256 * 1024,
            head: Duration::from_secs(30),
            piece: Duration::from_secs(60),
            body: Duration::from_secs(30 * 60),
            stall: Duration::from_secs(5 * 60),
            connection: Duration::from_secs(60 * 60),
            stop: Duration::from_secs(30),
        }
    }
}

/// Who is let in.
pub(super) struct Admission {
    pub(super) limits: Limits,
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        let requests = Arc::new(Semaphore::new(limits.requests.min(Semaphore::MAX_PERMITS)));
        let units = usize::try_from(limits.body_kib).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { limits, requests, bytes: Arc::new(Semaphore::new(units)) }
    }

    /// Room for one request.
    pub(super) fn request(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| Problem::Overloaded)
    }

    /// Room for a body that grows.
    pub(super) fn body(&self) -> Result<Room, Problem> {
        let units = Arc::clone(&self.bytes).try_acquire_many_owned(1).map_err(|_| Problem::Busy)?;
        Ok(Room { units })
    }

    /// Requests, and KiB of bodies, under way.
    pub(super) fn under_way(&self) -> (usize, usize) {
        let units = usize::try_from(self.limits.body_kib).unwrap_or(usize::MAX);
        let requests = self.limits.requests.saturating_sub(self.requests.available_permits());
        (requests, units.saturating_sub(self.bytes.available_permits()))
    }

    /// Waits until no body is under way any more.
    pub(super) async fn drained(&self) {
        drop(self.bytes.acquire_many(self.limits.body_kib).await);
    }
}

/// The room that one body takes; given back when dropped.
pub(super) struct Room {
    units: OwnedSemaphorePermit,
}

impl Room {
    /// Makes room for a body of so many bytes.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let wanted = bytes.div_ceil(UNIT_BYTES).max(1);
        let more = wanted.saturating_sub(self.units.num_permits());
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more).map_err(|_| Problem::Busy)?;
        let semaphore = Arc::clone(self.units.semaphore());
        self.units.merge(semaphore.try_acquire_many_owned(more).map_err(|_| Problem::Busy)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_arrive_take_room_and_give_it_back() {
        let admission = Admission::new(Limits { body_kib: 4, requests: 1, ..Limits::default() });
        let mut first = admission.body().unwrap();
        first.grow(3 * 1024).unwrap();
        assert_eq!(admission.under_way(), (0, 3));
        let mut second = admission.body().unwrap();
        assert_eq!(second.grow(1025), Err(Problem::Busy));
        assert!(matches!(admission.body(), Err(Problem::Busy)));
        drop(first);
        second.grow(4 * 1024).unwrap();
        drop(second);
        assert_eq!(admission.under_way(), (0, 0));
        let one = admission.request().unwrap();
        assert!(matches!(admission.request(), Err(Problem::Overloaded)));
        drop(one);
        assert!(admission.request().is_ok());
    }
}
