//! What sending cost: bytes with and without HTTP, requests, processor time, disk.

use std::ops::AddAssign;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::time::{ClockId, clock_gettime};

use crate::Fallible;

/// What went over a link.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Bytes to the server, heads of HTTP included.
    pub up: u64,
    /// Bytes back, the same.
    pub down: u64,
    /// Connections.
    pub connections: u64,
}

impl Traffic {
    /// Both ways.
    pub fn bytes(&self) -> u64 {
        self.up + self.down
    }
}

impl std::ops::Sub for Traffic {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            up: self.up - before.up,
            down: self.down - before.down,
            connections: self.connections - before.connections,
        }
    }
}

/// Bodies alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bodies {
    /// Bytes to the server.
    pub up: u64,
    /// Bytes back.
    pub down: u64,
    /// Requests, each with its answer.
    pub requests: u64,
}

impl AddAssign for Bodies {
    fn add_assign(&mut self, more: Self) {
        self.up += more.up;
        self.down += more.down;
        self.requests += more.requests;
    }
}

/// What one way of sending the same facts cost, all screenings together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Bodies of HTTP.
    pub bodies: Bodies,
    /// The same with heads, as a proxy saw it.
    pub wire: Traffic,
    /// Processor time of whoever sends, while it syncs.
    pub client: Duration,
    /// The same at closing, where it seals.
    pub closing: Duration,
    /// Processor time of the server.
    pub server: Duration,
    /// What the server's store grew by, bytes.
    pub disk: u64,
}

/// Processor time of this thread so far.
pub fn of_thread() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// Processor time of this process so far, all its threads.
pub fn of_process() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Runs something and says how long it took by the clock on the wall.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let before = Instant::now();
    let done = work();
    (before.elapsed(), done)
}

/// Bytes of a store of SQLite after its log was written back.
pub fn disk(file: &Path) -> Fallible<u64> {
    Connection::open(file)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(std::fs::metadata(file)?.len())
}
