//! How much is let in at once.
//!
//! Bytes are counted as they arrive, not as they are announced: a caller that promises much and sends nothing
//! takes no room from others. Who holds room gives it back when others find none: the largest body, or where
//! places run out the one that brings least. It counts as far as it came, and its caller comes again. So nobody
//! silences headquarters by sending slowly, and a phone on a bad link is in nobody's way while there is room.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

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
    /// KiB of replies in memory, so that bodies do not keep answers back; one that does not fit is for later.
    pub reply_kib: u32,
    /// For a body before it may have to give way to others.
    pub grace: Duration,
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
            reply_kib: 64 * 1024,
            grace: Duration::from_secs(10),
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
    replies: Arc<Semaphore>,
    coming: Mutex<Coming>,
}

/// The bodies that are coming, by order of arrival.
#[derive(Default)]
struct Coming {
    next: u64,
    bodies: BTreeMap<u64, Body>,
}

/// A body as others see it who find no room.
struct Body {
    since: Instant,
    bytes: usize,
    cut: Arc<Notify>,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        let room = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self {
            requests: room(limits.requests),
            bytes: room(units(limits.body_kib)),
            replies: room(units(limits.reply_kib)),
            coming: Mutex::default(),
            limits,
        }
    }

    /// Room for one request.
    pub(super) fn request(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| {
            self.cut(rate);
            Problem::Overloaded
        })
    }

    /// Room for a body that grows.
    pub(super) fn body(&self) -> Result<Arriving<'_>, Problem> {
        let room = Room::of(&self.bytes).inspect_err(|_| self.cut_largest())?;
        let (since, cut) = (now(), Arc::new(Notify::new()));
        let mut coming = self.coming();
        let id = coming.next;
        coming.next += 1;
        coming.bodies.insert(id, Body { since, bytes: 0, cut: Arc::clone(&cut) });
        Ok(Arriving { room, cut, place: Place { admission: self, id } })
    }

    /// Room for a reply of so many bytes.
    pub(super) fn reply(&self, bytes: usize) -> Result<Room, Problem> {
        let mut room = Room::of(&self.replies)?;
        room.grow(bytes)?;
        Ok(room)
    }

    /// Requests, and KiB of bodies, under way.
    pub(super) fn under_way(&self) -> (usize, usize) {
        let requests = self.limits.requests.saturating_sub(self.requests.available_permits());
        (requests, units(self.limits.body_kib).saturating_sub(self.bytes.available_permits()))
    }

    /// Waits until no body is under way any more.
    pub(super) async fn drained(&self) {
        drop(self.bytes.acquire_many(self.limits.body_kib).await);
    }

    /// Takes every body as far as it came.
    pub(super) fn cut_all(&self) {
        std::mem::take(&mut self.coming().bodies).into_values().for_each(|body| body.cut.notify_one());
    }

    fn cut_largest(&self) {
        self.cut(|body, _| Reverse(body.bytes));
    }

    /// Takes the first body by this order, among those past their grace, as far as it came.
    fn cut<K: Ord>(&self, order: impl Fn(&Body, Duration) -> K) {
        let (now, mut coming) = (now(), self.coming());
        let old = coming.bodies.iter().filter_map(|(id, body)| {
            let age = now.saturating_duration_since(body.since);
            (age >= self.limits.grace).then(|| (order(body, age), *id))
        });
        let first = old.min();
        if let Some(body) = first.and_then(|(_, id)| coming.bodies.remove(&id)) {
            body.cut.notify_one();
        }
    }

    fn coming(&self) -> MutexGuard<'_, Coming> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes in a second, on the whole.
fn rate(body: &Body, age: Duration) -> u128 {
    u128::try_from(body.bytes).unwrap_or(u128::MAX).saturating_mul(1_000) / age.as_millis().max(1)
}

fn units(kib: u32) -> usize {
    usize::try_from(kib).unwrap_or(usize::MAX)
}

/// The runtime's clock: it bounds waiting, and nothing that is kept depends on it.
pub(super) fn now() -> Instant {
    Instant::now()
}

/// The room that one body or reply takes; given back when dropped.
pub(super) struct Room {
    units: OwnedSemaphorePermit,
}

impl Room {
    fn of(pool: &Arc<Semaphore>) -> Result<Self, Problem> {
        let units = Arc::clone(pool).try_acquire_many_owned(1).map_err(|_| Problem::Busy)?;
        Ok(Self { units })
    }

    /// Makes room for so many bytes.
    fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
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

/// A body that is coming, its room, and its place among those that may have to give way.
pub(super) struct Arriving<'a> {
    room: Room,
    cut: Arc<Notify>,
    place: Place<'a>,
}

impl Arriving<'_> {
    /// Makes room for so many bytes of it.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let Place { admission, id } = self.place;
        self.room.grow(bytes).inspect_err(|_| admission.cut_largest())?;
        if let Some(body) = admission.coming().bodies.get_mut(&id) {
            body.bytes = bytes;
        }
        Ok(())
    }

    /// Waits until it has to give way.
    pub(super) async fn cut(&self) {
        self.cut.notified().await;
    }

    /// No more of it comes; it keeps its room.
    pub(super) fn arrived(self) -> Room {
        self.room
    }
}

struct Place<'a> {
    admission: &'a Admission,
    id: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.admission.coming().bodies.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gives_way(arriving: &Arriving<'_>) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        std::pin::pin!(arriving.cut()).poll(&mut context).is_ready()
    }

    #[test]
    fn one_after_the_other_gives_way_once_it_is_past_its_grace() {
        for (grace, cut) in [(Duration::ZERO, true), (Duration::from_secs(3_600), false)] {
            let admission = Admission::new(Limits { body_kib: 10, requests: 0, grace, ..Limits::default() });
            let bodies: Vec<_> = [1, 7, 2]
                .map(|kib| {
                    let mut body = admission.body().unwrap();
                    body.grow(kib * 1024).unwrap();
                    body
                })
                .into();
            assert!(!bodies.iter().any(gives_way));
            assert!(admission.body().is_err());
            assert_eq!([0, 1, 2].map(|n| gives_way(&bodies[n])), [false, cut, false], "the largest");
            assert!(admission.request().is_err());
            assert_eq!(
                [0, 1, 2].map(|n| gives_way(&bodies[n])),
                [cut, false, false],
                "the slowest; each once"
            );
            admission.cut_all();
            assert_eq!([0, 1, 2].map(|n| gives_way(&bodies[n])), [!cut, !cut, true], "all that are left");
        }
    }

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
        assert!(admission.coming().bodies.is_empty());
    }
}
