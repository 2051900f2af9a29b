//! Installing a directory and searching it as one types, at three sizes.

use std::path::Path;
use std::time::Duration;

use amparo_core::device::Device;
use sha2::{Digest, Sha256};

use super::table::{Row, Verdict};
use super::tool::{Calls, Case, said};
use super::watch::{self, exponent, quantile, ratio, time};
use super::{Fallible, alloc, cases, directory, world};

/// Services in the directory, names that are typed to both sides, how often the copy is measured.
const SIZES: [(usize, usize); 3] = [(1_000, 300), (10_000, 100), (100_000, 16)];

/// What was found at one size.
struct Found {
    services: f64,
    /// Sorted, all names.
    all: Vec<Duration>,
    /// Sorted, the names that both sides were asked.
    ours: Vec<Duration>,
    theirs: Vec<Duration>,
    instructions: Option<f64>,
    calls: Option<Calls>,
    install: Install,
}

struct Install {
    took: Duration,
    copied: Duration,
    peak: usize,
    bytes: usize,
}

pub(crate) fn rows(folder: &Path, rows: &mut Vec<Row>) -> Fallible<()> {
    let mut found = Vec::new();
    for (services, names) in SIZES {
        let folder = folder.join(format!("directory-{services}"));
        std::fs::create_dir_all(&folder)?;
        found.push(one(services, names, &folder)?);
        std::fs::remove_dir_all(&folder)?;
    }
    rows.push(search_row(&found)?);
    rows.push(install_row(&found)?);
    Ok(())
}

fn one(count: usize, names: usize, folder: &Path) -> Fallible<Found> {
    let services = directory::services(count);
    let all = directory::typed(&services, directory::NAMES);
    let paired = directory::typed(&services, names);
    // Every seventh key stroke, so that a short sample sees short and long texts.
    let sample: Vec<&str> = all.iter().step_by(7).map(String::as_str).collect();
    std::fs::write(folder.join("typed"), sample.join("\n"))?;
    let peer = directory::peer(folder, &services)?;
    let bytes = directory::pack_file(services, 1)?;
    let device = world::create(folder)?;
    let install = install(&device, &bytes, folder)?;
    device.rest()?;
    drop((device, bytes));
    let case = Case { name: "search", folder, operations: 200 };
    let (instructions, calls) = (case.instructions()?, case.calls()?);
    let device = world::open(folder)?;
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for typed in &paired {
        ours.push(stroke(|| cases::search(&device, typed))?);
        theirs.push(stroke(|| directory::ask_peer(&peer, typed).map(drop))?);
    }
    let mut all =
        all.iter().map(|typed| stroke(|| cases::search(&device, typed))).collect::<Fallible<Vec<_>>>()?;
    [&mut all, &mut ours, &mut theirs].into_iter().for_each(|times| times.sort());
    Ok(Found { services: count as f64, all, ours, theirs, instructions, calls, install })
}

fn stroke(work: impl FnOnce() -> Fallible<()>) -> Fallible<Duration> {
    let (took, done) = watch::timed(work);
    done.map(|()| took)
}

/// Installs once, and copies and hashes the same bytes.
fn install(device: &Device, bytes: &[u8], folder: &Path) -> Fallible<Install> {
    let (from, to) = (folder.join("directory.pack"), folder.join("copy.pack"));
    std::fs::write(&from, bytes)?;
    let mut copies = Vec::new();
    for _ in 0..5 {
        copies.push(stroke(|| {
            std::fs::copy(&from, &to)?;
            std::hint::black_box(Sha256::digest(bytes));
            Ok(())
        })?);
    }
    copies.sort();
    let (peak, (took, done)) = alloc::peak(|| watch::timed(|| device.install(bytes)));
    done?;
    Ok(Install { took, copied: quantile(&copies, 0.5), peak, bytes: bytes.len() })
}

fn search_row(found: &[Found]) -> Fallible<Row> {
    let (first, last) = found.first().zip(found.last()).ok_or("nothing was measured")?;
    let faster = |found: &Found| {
        quantile(&found.theirs, 0.99).as_secs_f64() / quantile(&found.ours, 0.99).as_secs_f64()
    };
    let (small, large) = (quantile(&first.all, 0.99), quantile(&last.all, 0.99));
    let grew = large.as_secs_f64() / small.as_secs_f64();
    let line = |found: &Found| {
        format!(
            "{} services: p50 {}, p99 {} (FTS5 {}, {}), {} instructions, {} page reads",
            found.services,
            time(quantile(&found.all, 0.5)),
            time(quantile(&found.all, 0.99)),
            time(quantile(&found.theirs, 0.5)),
            time(quantile(&found.theirs, 0.99)),
            said(found.instructions),
            said(found.calls.map(|calls| calls.reads)),
        )
    };
    let counted = first.instructions.zip(last.instructions).map(|(small, large)| {
        let exponent = exponent((first.services, small), (last.services, large));
        format!("; instructions {exponent:.3} ({})", ratio(large / small))
    });
    let wall = exponent((first.services, small.as_secs_f64()), (last.services, large.as_secs_f64()));
    let times: Vec<String> = found.iter().map(|found| ratio(faster(found))).collect();
    Ok(Row {
        what: "contact search as typed, 20 whole services (against FTS5 in the same encrypted SQLite, same key, page \
               size, HMAC and cache: `MATCH .. ORDER BY rank LIMIT 20`, numbers of rows only)"
            .into(),
        counts: found.iter().map(line).collect::<Vec<_>>().join("<br>"),
        ratio: format!("faster at p99: {}", times.join(", ")),
        growth: format!("p99 {wall:.3} ({}){}", ratio(grew), counted.unwrap_or_default()),
        floor: "10x faster at p99, 100,000 services",
        goal: "100x, and <= 2x its own p99 at 1,000",
        verdict: Verdict::of(faster(last) >= 10.0, faster(last) >= 100.0 && grew <= 2.0),
    })
}

fn install_row(found: &[Found]) -> Fallible<Row> {
    let (first, last) = found.first().zip(found.last()).ok_or("nothing was measured")?;
    let slower = |found: &Found| found.install.took.as_secs_f64() / found.install.copied.as_secs_f64();
    let line = |found: &Found| {
        let Install { took, copied, peak, bytes } = &found.install;
        format!(
            "{} services, {:.1} MB: {} (copy and hash {}), peak heap {:.1} MB beside the file",
            found.services,
            *bytes as f64 / 1e6,
            time(*took),
            time(*copied),
            *peak as f64 / 1e6
        )
    };
    let grew = exponent(
        (first.services, first.install.took.as_secs_f64()),
        (last.services, last.install.took.as_secs_f64()),
    );
    let peak = last.install.peak as f64 / 1e6;
    Ok(Row {
        what:
            "install 100,000 services: verified, checked, indexed, atomic (against cp + SHA-256, not synced)"
                .into(),
        counts: found.iter().map(line).collect::<Vec<_>>().join("<br>"),
        ratio: found.iter().map(|found| ratio(slower(found))).collect::<Vec<_>>().join(", "),
        growth: format!("{grew:.2} in services"),
        floor: "<= 15x",
        goal: "<= 5x, <= 16 MB heap",
        verdict: Verdict::of(slower(last) <= 15.0, slower(last) <= 5.0 && peak <= 16.0),
    })
}
