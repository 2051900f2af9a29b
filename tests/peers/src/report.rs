//! The figures as Markdown, each table with what it is of.

use crate::cost::Cost;
use crate::cuts::{Resume, WINDOW};
use crate::faults::Failed;
use crate::limit::{FLOOR, Limit};
use crate::link::{Fault, PROFILES};
use crate::shaped::Measured;

/// One way of sending the same facts.
pub struct Row {
    /// Screenings in each sync.
    pub batch: usize,
    /// Who, and what.
    pub who: &'static str,
    /// All screenings together.
    pub cost: Cost,
}

fn title(text: &str) {
    println!("\n### {text}");
}

/// The head of a table, and the line beneath.
fn head(columns: &[&str]) {
    println!("\n| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
}

fn per(sum: u64, screenings: usize) -> f64 {
    sum as f64 / screenings as f64
}

/// Bytes, trips and what they come to on each link.
pub fn bytes(rows: &[Row], screenings: usize) {
    title("Bytes, round trips, links");
    let links = PROFILES.map(|profile| format!("{}, s", profile.name));
    let mut columns =
        vec!["screenings per sync", "", "bodies: up", "down", "with heads: up", "down", "trips"];
    columns.extend(links.iter().map(String::as_str));
    head(&columns);
    for Row { batch, who, cost } in rows {
        let per = |sum| per(sum, screenings);
        let (bodies, wire) = (cost.bodies, cost.wire);
        let trips = per(bodies.requests) + per(wire.connections);
        let seconds = PROFILES.map(|link| format!("{:.2}", link.seconds(per(wire.bytes()), trips)));
        println!(
            "| {batch} | {who} | {:.0} | {:.0} | {:.0} | {:.0} | {trips:.2} | {} |",
            per(bodies.up),
            per(bodies.down),
            per(wire.up),
            per(wire.down),
            seconds.join(" | ")
        );
    }
    println!(
        "\nAll per screening. A trip is a request or a connection; seconds are 8 x bytes / rate + trips x round trip."
    );
}

/// Processor time and disk.
pub fn work(rows: &[Row], screenings: usize) {
    title("Processor and disk");
    head(&[
        "screenings per sync",
        "",
        "client: closing",
        "client: sync",
        "server",
        "server's disk, bytes per screening",
    ]);
    for Row { batch, who, cost } in rows {
        let seconds = |time: std::time::Duration| time.as_secs_f64() * 1_000.0 / screenings as f64;
        let closing =
            if cost.closing.is_zero() { "-".into() } else { format!("{:.2} s", seconds(cost.closing)) };
        println!(
            "| {batch} | {who} | {closing} | {:.2} s | {:.2} s | {:.0} |",
            seconds(cost.client),
            seconds(cost.server),
            per(cost.disk, screenings)
        );
    }
    println!(
        "\nProcessor time per 1,000 screenings. Amparo seals when a screening is closed, into an encrypted store on disk;"
    );
    println!(
        "TaskChampion's storage is the one in memory, and deriving its key is not counted. Both servers keep what they"
    );
    println!("acknowledge in SQLite, WAL, synchronous FULL.");
}

/// What was measured over shaped links.
pub fn shaped(measured: &[Measured]) {
    title("Over shaped links");
    head(&["link", "screenings per sync", "", "measured over the shaped link", "computed", "difference"]);
    for Measured { profile, who, batch, syncs, took, computed } in measured {
        let computed = computed / f64::from(*syncs);
        let name = profile.name;
        match took {
            Ok(took) => {
                let took = took.as_secs_f64() / f64::from(*syncs);
                let difference = 100.0 * (took / computed - 1.0);
                println!("| {name} | {batch} | {who} | {took:.1} s | {computed:.1} s | {difference:+.0} % |");
            }
            Err(why) => println!("| {name} | {batch} | {who} | given up: {why} | - | - |"),
        }
    }
    println!(
        "\nSeconds of one sync (mean of three where there is one screening in it), each on a connection of its own."
    );
}

/// What links that fail cost, over real HTTP.
pub fn faults(failed: &[Failed]) {
    title("Links that fail");
    head(&[
        "real HTTP, a link that",
        "",
        "told after",
        "bytes up, heads included",
        "without it",
        "the next sync",
    ]);
    for Failed { who, fault, told, up, whole, then } in failed {
        let fault = match fault {
            Fault::Cut(at) => format!("is cut after {at} bytes up"),
            Fault::Dead(at) => format!("says nothing after {at} bytes up"),
            Fault::None => "works".into(),
        };
        let then = if *then { "brings everything" } else { "**does not end well**" };
        println!("| {fault} | {who} | {:.1} s | {up} | {whole} | {then} |", told.as_secs_f64());
    }
    println!("\nOne sync of {} screenings, and the one after it.", crate::faults::BATCH);
}

/// What cuts cost.
pub fn resume(sides: &[Resume], screenings: usize) {
    title("A cut anywhere");
    let window = format!("each connection carries {} KiB", WINDOW / 1024);
    head(&[
        "",
        "upload",
        "cuts",
        "bytes more: mean",
        "most",
        "answer lost",
        "trips more, mean",
        "lost",
        "doubled",
        &window,
    ]);
    for side in sides {
        let ((mean, most), unanswered) = (side.cut(), side.again(&side.unanswered));
        let windows = side
            .windows
            .map_or("never ends".into(), |spent| format!("{} syncs, {} bytes", spent.syncs, spent.up));
        println!(
            "| {} | {} | {} | {mean:.0} | {most} | {unanswered} | {:.2} | {} | {} | {windows} |",
            side.who,
            side.whole.up,
            side.cuts.len(),
            side.trips(),
            side.lost,
            side.doubled,
        );
    }
    println!(
        "\nOne sync of {screenings} screenings, its upload cut once at each KiB (TaskChampion: each 8 KiB): bytes of bodies,"
    );
    println!("both ways, and requests, more than without a cut.");
}

/// How far from what is possible.
pub fn limit(limit: &Limit, single: &Cost, screenings: usize) {
    title("The limit");
    let per = |sum| per(sum, screenings);
    let (least, up) = (limit.bytes(), per(single.bodies.up));
    println!(
        "\nThe limit: {:.0} bytes of facts (zstd 19 with the dictionary) + tag 16 + signature 64 + 80 for each of {:.2} readers = {least:.0} bytes.",
        limit.packed, limit.readers
    );
    let verdict = if up <= FLOOR { "met" } else { "**MISSED**" };
    println!(
        "Amparo, one screening per sync: {up:.0} bytes up, {:.2}x; the floor of {FLOOR:.0} is {verdict}.",
        up / least
    );
    head(&["link", "least", "Amparo, HTTP and connection included", "ratio"]);
    let trips = per(single.bodies.requests) + per(single.wire.connections);
    for link in PROFILES {
        let (least, ours) = (link.seconds(least, 1.0), link.seconds(per(single.wire.bytes()), trips));
        println!("| {} | {least:.2} s | {ours:.2} s | {:.2}x |", link.name, ours / least);
    }
}
