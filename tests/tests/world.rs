//! Seeded worlds of phones, headquarters, agencies and everything that goes wrong between them.
//!
//! Prints the first seed; `AMPARO_WORLDS` says how many, `AMPARO_SEED` where to begin. CI runs a hundred
//! thousand, `cargo xtask sim` a million. How far it is, is told on a terminal and wherever `AMPARO_PROGRESS` is set.
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test tells how long it takes"
)]

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use amparo_tests::world::{self, Broken, Tally};

/// Worlds in one test run.
const WORLDS: u64 = 500;
/// Between two lines that tell how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(10);

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Tells now and then how far a long run is.
struct Progress {
    shown: bool,
    begun: Instant,
    told: Duration,
    done: u64,
}

impl Progress {
    fn new() -> Self {
        let shown = std::io::stderr().is_terminal() || std::env::var_os("AMPARO_PROGRESS").is_some();
        Self { shown, begun: Instant::now(), told: Duration::ZERO, done: 0 }
    }

    /// One more is done. A broken one ends the run, so that none is broken yet.
    fn more(&mut self, first: u64, worlds: u64) {
        self.done += 1;
        let now = self.begun.elapsed();
        if self.shown && now >= self.told + TOLD_EVERY {
            self.told = now;
            let (done, rate) = (self.done, self.done / now.as_secs().max(1));
            eprintln!("{done} of {worlds} worlds from seed {first}: none broken, {rate} a second");
        }
    }
}

#[test]
fn nothing_is_lost_and_nobody_reads_what_is_not_theirs() {
    let (first, worlds) = (number("AMPARO_SEED", 1), number("AMPARO_WORLDS", WORLDS));
    println!("seeds {first}..{}", first + worlds);
    let next = AtomicU64::new(first);
    let found = Mutex::new((Tally::default(), None::<Broken>));
    let progress = Mutex::new(Progress::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + worlds || found.lock().unwrap().1.is_some() {
                        return;
                    }
                    match world::run(seed) {
                        Ok(tally) => {
                            found.lock().unwrap().0.add(&tally);
                            progress.lock().unwrap().more(first, worlds);
                        }
                        Err(broken) => found.lock().unwrap().1 = Some(broken),
                    }
                }
            });
        }
    });
    let (tally, broken) = found.into_inner().unwrap();
    println!("{tally:?}");
    if let Some(broken) = broken {
        broken.history.iter().for_each(|line| println!("{line}"));
        panic!("seed {}, step {}: {}", broken.seed, broken.step, broken.what);
    }
    // A few worlds, such as one that is played again, need not have everything.
    if worlds < WORLDS {
        return;
    }
    assert!(tally.segments > worlds && tally.read > worlds && tally.restores > worlds / 20, "it must bite");
    assert!(tally.asked > worlds / 50, "a loss is proven by whole receipts");
}

#[test]
fn an_upload_may_be_cut_at_every_byte() {
    let cuts = world::every_byte(100).unwrap();
    println!("{cuts:?}");
    assert!(cuts.cuts > 50_000 && cuts.frames > 200);
    assert!(cuts.again <= 512, "beyond two hellos nothing is sent again: {}", cuts.again);
}
