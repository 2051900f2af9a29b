//! A link between a caller and a server, in this process: as slow, late and faulty as it is told to be.
//!
//! A proxy for TCP on loopback. Each way has one transmitter, which sends a piece for as long as its bits take at
//! the rate and takes the next one only then, so that what does not fit on the link waits in the system's buffers,
//! as on a phone; what was sent arrives half a round trip later. A connection costs a round trip before its first byte, as TCP's
//! handshake does. It counts bytes and connections. TLS, IP and the radio beneath are not there.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use amparo_tests::dice::Dice;

use crate::cost::{Traffic, of_thread};

/// Bytes sent at once: a quarter of a packet, so that little is rounded.
const PIECE_BYTES: usize = 512;
/// How often a link that is dead looks whether it may end.
const LOOK: Duration = Duration::from_millis(20);

/// A kind of link.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// What it is called.
    pub name: &'static str,
    /// Bits per second, each way.
    pub rate: f64,
    /// There and back.
    pub trip: Duration,
}

impl Profile {
    /// Seconds that so many bytes and round trips take at least.
    pub fn seconds(&self, bytes: f64, trips: f64) -> f64 {
        8.0 * bytes / self.rate + trips * self.trip.as_secs_f64()
    }
}

/// The links of the figures.
pub const PROFILES: [Profile; 4] = [
    Profile { name: "GPRS", rate: 16_000.0, trip: Duration::from_millis(800) },
    Profile { name: "EDGE", rate: 60_000.0, trip: Duration::from_millis(500) },
    Profile { name: "Iridium", rate: 2_400.0, trip: Duration::from_millis(1_500) },
    Profile { name: "Certus", rate: 22_000.0, trip: Duration::from_millis(1_000) },
];

/// Part of the round trip by which a piece may come early or late.
const JITTER: f64 = 0.1;

/// What befalls every connection from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// After so many bytes up it is cut; both sides see it.
    Cut(u64),
    /// After so many bytes up nothing goes either way any more, and nobody is told.
    Dead(u64),
}

/// A link.
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    profile: Option<Profile>,
    up: Way,
    down: Way,
    connections: AtomicU64,
    fault: Mutex<Fault>,
    dice: Mutex<Dice>,
    /// Processor time of the link itself, nanoseconds.
    spent: AtomicU64,
    ended: AtomicBool,
}

/// One way.
#[derive(Default)]
struct Way {
    bytes: AtomicU64,
    /// When its transmitter is free again.
    free: Mutex<Option<Instant>>,
}

/// What travels.
enum Piece {
    Bytes(Instant, Vec<u8>),
    /// The sender has said everything.
    End(Instant),
    Cut,
}

/// One way of one connection.
struct Pump<'a> {
    shared: &'a Shared,
    way: &'a Way,
    /// Bytes of this connection until its fault.
    left: Option<u64>,
    dead: bool,
    /// Set when either way of the connection is dead.
    silent: &'a AtomicBool,
    /// Nothing overtakes.
    last: Instant,
}

impl Link {
    /// A link to a server; without a profile it only counts and fails.
    pub fn to(server: SocketAddr, profile: Option<Profile>, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            profile,
            up: Way::default(),
            down: Way::default(),
            connections: AtomicU64::new(0),
            fault: Mutex::new(Fault::None),
            dice: Mutex::new(Dice::new(seed)),
            spent: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let carried = Arc::clone(&shared);
        std::thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                if carried.ended.load(SeqCst) {
                    break;
                }
                let shared = Arc::clone(&carried);
                // A caller that goes away is no concern of anybody else.
                std::thread::spawn(move || shared.carry(&caller));
            }
        });
        Ok(Self { address, shared })
    }

    /// Where callers find it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What went over it so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            up: self.shared.up.bytes.load(SeqCst),
            down: self.shared.down.bytes.load(SeqCst),
            connections: self.shared.connections.load(SeqCst),
        }
    }

    /// Its own processor time so far.
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.shared.spent.load(SeqCst))
    }

    /// What befalls connections that are made from now on. One that is dead ends when this is called again.
    pub fn fault(&self, fault: Fault) {
        *held(&self.shared.fault) = fault;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.ended.store(true, SeqCst);
        // Wakes whoever accepts.
        drop(TcpStream::connect(self.address));
    }
}

fn held<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn carry(&self, caller: &TcpStream) {
        self.connections.fetch_add(1, SeqCst);
        let fault = *held(&self.fault);
        if let Some(profile) = self.profile {
            sleep(profile.trip);
        }
        let Ok(server) = TcpStream::connect(self.server) else { return };
        let _ = (caller.set_nodelay(true), server.set_nodelay(true));
        let silent = AtomicBool::new(false);
        let (left, dead) = match fault {
            Fault::None => (None, false),
            Fault::Cut(bytes) => (Some(bytes), false),
            Fault::Dead(bytes) => (Some(bytes), true),
        };
        let last = Instant::now();
        let up = Pump { shared: self, way: &self.up, left, dead, silent: &silent, last };
        let down = Pump { shared: self, way: &self.down, left: None, dead: false, silent: &silent, last };
        std::thread::scope(|both| {
            let (send, sent) = channel();
            both.spawn(move || up.read(caller, send));
            let to_server = &server;
            both.spawn(move || self.write(to_server, caller, sent));
            let (answer, answered) = channel();
            both.spawn(move || self.write(caller, to_server, answered));
            down.read(to_server, answer);
        });
    }

    /// When what is sent now has left, and when it arrives.
    fn send(&self, way: &Way, bytes: usize) -> (Instant, Instant) {
        let now = Instant::now();
        let Some(profile) = self.profile else { return (now, now) };
        let mut free = held(&way.free);
        let took = Duration::from_secs_f64(8.0 * bytes as f64 / profile.rate);
        let left = free.map_or(now, |free| free.max(now)) + took;
        *free = Some(left);
        let swing = (held(&self.dice).below(1_000) as f64 / 1_000.0 - 0.5) * JITTER;
        (left, left + profile.trip.mul_f64(0.5 + swing))
    }

    fn write(&self, mut to: &TcpStream, from: &TcpStream, pieces: Receiver<Piece>) {
        let mut clock = of_thread();
        for piece in pieces {
            match piece {
                Piece::Bytes(arrives, bytes) => {
                    sleep(arrives.saturating_duration_since(Instant::now()));
                    if to.write_all(&bytes).is_err() {
                        break;
                    }
                }
                Piece::End(arrives) => {
                    sleep(arrives.saturating_duration_since(Instant::now()));
                    let _ = to.shutdown(Shutdown::Write);
                }
                Piece::Cut => {
                    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                }
            }
            clock = self.spend(clock);
        }
    }

    fn spend(&self, before: Duration) -> Duration {
        let now = of_thread();
        let nanos = u64::try_from((now - before).as_nanos()).unwrap_or(0);
        self.spent.fetch_add(nanos, SeqCst);
        now
    }
}

impl Pump<'_> {
    fn read(mut self, mut from: &TcpStream, pieces: Sender<Piece>) {
        let mut clock = of_thread();
        let mut buffer = [0; PIECE_BYTES];
        loop {
            let most = self
                .left
                .map_or(PIECE_BYTES, |left| PIECE_BYTES.min(usize::try_from(left).unwrap_or(PIECE_BYTES)));
            if most == 0 {
                if self.dead {
                    self.wait();
                }
                let _ = pieces.send(Piece::Cut);
                return;
            }
            let read = from.read(&mut buffer[..most]);
            if self.silent.load(SeqCst) {
                return;
            }
            let Ok(read) = read else {
                let _ = pieces.send(Piece::Cut);
                return;
            };
            let (left, arrives) = self.shared.send(self.way, read);
            self.last = self.last.max(arrives);
            let bytes = read as u64;
            self.way.bytes.fetch_add(bytes, SeqCst);
            self.left = self.left.map(|left| left - bytes);
            let piece = if read == 0 {
                Piece::End(self.last)
            } else {
                Piece::Bytes(self.last, buffer[..read].to_vec())
            };
            if pieces.send(piece).is_err() || read == 0 {
                return;
            }
            clock = self.shared.spend(clock);
            sleep(left.saturating_duration_since(Instant::now()));
        }
    }

    /// Until the fault is over or the link ends.
    fn wait(&self) {
        self.silent.store(true, SeqCst);
        while matches!(*held(&self.shared.fault), Fault::Dead(_)) && !self.shared.ended.load(SeqCst) {
            sleep(LOOK);
        }
    }
}
