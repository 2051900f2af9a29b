//! Sync beside TaskChampion, on the same facts in the same run.
//!
//! Twenty-odd facts of a screening, as the device made them, go through Amparo (sealed, padded, signed, for two
//! readers, by its own `sync` to its own relay) and through TaskChampion (each fact as JSON, one operation, as a
//! version for its server). Both carriers only count. Encoding on the wire beneath (HTTP, TLS) is left out on both
//! sides; TaskChampion's own encryption adds 29 bytes to a version, which are added. Synthetic throughout.

mod ours;
mod theirs;

use std::time::{Duration, Instant};

/// Screenings in each run.
const SCREENINGS: usize = 100;

/// What one way of sending the same facts cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Bytes to the server.
    pub up: usize,
    /// Bytes back.
    pub down: usize,
    /// Exchanges.
    pub trips: usize,
    /// Time of both sides together.
    pub took: Duration,
}

/// Links, as rate in bits per second and round trip in milliseconds.
const LINKS: [(&str, f64, f64); 4] = [
    ("GPRS", 16_000.0, 800.0),
    ("EDGE", 60_000.0, 500.0),
    ("Iridium", 2_400.0, 1_500.0),
    ("Certus", 22_000.0, 1_000.0),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("| screenings per sync | | bytes up | bytes down | round trips | processor ms | {} |",
        LINKS.map(|(name, ..)| format!("{name}, s")).join(" | "));
    println!("|---|---|---|---|---|---|{}", "---|".repeat(LINKS.len()));
    for batch in [1, 10, 100] {
        let (facts, ours) = ours::run(SCREENINGS, batch)?;
        let theirs = theirs::run(&facts, batch)?;
        print(batch, "Amparo", &ours);
        print(batch, "TaskChampion", &theirs);
        if batch == 1 {
            let json: usize = facts.iter().flatten().map(String::len).sum();
            let count: usize = facts.iter().map(Vec::len).sum();
            eprintln!("{} facts and {} bytes of JSON per screening", count / SCREENINGS, json / SCREENINGS);
        }
    }
    println!("\nAll per screening; the links are computed from bytes, rate and round trips, not measured.");
    Ok(())
}

fn print(batch: usize, who: &str, cost: &Cost) {
    let per = |sum: usize| sum as f64 / SCREENINGS as f64;
    let links = LINKS.map(|(_, rate, trip_ms)| {
        let seconds = (per(cost.up) + per(cost.down)) * 8.0 / rate + per(cost.trips) * trip_ms / 1000.0;
        format!("{seconds:.2}")
    });
    println!("| {batch} | {who} | {:.0} | {:.0} | {:.2} | {:.2} | {} |", per(cost.up), per(cost.down),
        per(cost.trips), cost.took.as_secs_f64() * 1000.0 / SCREENINGS as f64, links.join(" | "));
}

/// Runs something and says how long it took.
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let before = Instant::now();
    let done = work();
    (before.elapsed(), done)
}
