//! What needs a store: durable answers and cold start, each at three sizes of the store.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::table::{Row, Verdict};
use super::tool::{Calls, Case, said};
use super::watch::{Pairs, exponent, pairs, ratio, time};
use super::{Fallible, cases, world};

/// Screenings in the stores; each is about 30 facts.
const SIZES: [usize; 3] = [10, 1_000, 10_000];
const BLOCK: usize = 4096;
/// The peer writes over its file again from here, as a log does.
const WRAP_BYTES: u64 = 4 * 1024 * 1024;

/// What was found at one size.
struct Found {
    screenings: f64,
    wall: Pairs,
    instructions: Option<f64>,
    calls: Option<Calls>,
    bytes: f64,
}

pub(crate) fn rows(folder: &Path, rows: &mut Vec<Row>) -> Fallible<()> {
    let mut stores = Vec::new();
    for size in SIZES {
        let folder = folder.join(format!("store-{size}"));
        std::fs::create_dir_all(&folder)?;
        let packs = world::fill(&folder, size)?;
        cases::make_plain(&folder, packs)?;
        stores.push((size, folder, packs));
    }
    // Before the answers, so that the open screening is as it was left.
    let cold = stores.iter().map(|(size, folder, _)| cold(*size, folder)).collect::<Fallible<Vec<_>>>()?;
    let saves = stores.iter().map(|(size, folder, _)| save(*size, folder)).collect::<Fallible<Vec<_>>>()?;
    rows.push(save_row(&saves)?);
    rows.push(cold_row(&cold, stores.first().map_or(0, |(_, _, packs)| *packs), &stores)?);
    Ok(())
}

fn save(size: usize, folder: &Path) -> Fallible<Found> {
    const PAIRS: usize = 300;
    let case = Case { name: "answer", folder, operations: 100 };
    let (instructions, calls) = (case.instructions()?, case.calls()?);
    let device = world::open(folder)?;
    let id = world::start(&device)?;
    (0..20).try_for_each(|n| cases::answer(&device, id, n))?;
    let before = written()?;
    (0..100).try_for_each(|n| cases::answer(&device, id, n))?;
    let bytes = (written()? - before) / 100.0;
    let mut file = File::create(folder.join("block"))?;
    let mut n = 0;
    let wall = pairs(
        PAIRS,
        || {
            n += 1;
            cases::answer(&device, id, n)
        },
        || block(&mut file),
    )?;
    Ok(Found { screenings: size as f64, wall, instructions, calls, bytes })
}

/// 4 KiB, durable.
fn block(file: &mut File) -> Fallible<()> {
    if file.stream_position()? >= WRAP_BYTES {
        file.seek(SeekFrom::Start(0))?;
    }
    file.write_all(&[0x5a; BLOCK])?;
    Ok(file.sync_data()?)
}

/// Bytes that this process gave to the system to write so far.
fn written() -> Fallible<f64> {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    Ok(line.map_or(Ok(f64::NAN), str::parse)?)
}

fn cold(size: usize, folder: &Path) -> Fallible<Found> {
    const PAIRS: usize = 100;
    let case = Case { name: "cold", folder, operations: 3 };
    let (instructions, calls) = (case.instructions()?, case.calls()?);
    // Closing is not part of a start: what was opened is kept until the other side has had its turn.
    let (mut device, mut conn) = (None, None);
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..PAIRS {
        drop((device.take(), conn.take()));
        let (took, opened) = super::watch::timed(|| cases::cold(folder));
        device = Some(opened?);
        ours.push(took);
        let (took, opened) = super::watch::timed(|| cases::plain(folder));
        conn = Some(opened?);
        theirs.push(took);
    }
    let wall = Pairs::of(ours, theirs);
    Ok(Found { screenings: size as f64, wall, instructions, calls, bytes: 0.0 })
}

/// Growth of a count from the smallest store to the largest, and its exponent.
fn growth(found: &[Found], of: impl Fn(&Found) -> Option<f64>) -> Option<(f64, f64)> {
    let (first, last) = (found.first()?, found.last()?);
    let (small, large) = (of(first)?, of(last)?);
    Some((large / small, exponent((first.screenings, small), (last.screenings, large))))
}

fn grown(found: &[Found]) -> (String, bool) {
    let counted = growth(found, |found| found.instructions);
    let wall = growth(found, |found| Some(found.wall.ratio));
    let text = |of: Option<(f64, f64)>| {
        of.map_or("not counted".into(), |(by, exponent)| format!("{exponent:.3} ({})", ratio(by)))
    };
    let flat = counted.or(wall).is_some_and(|(by, _)| by <= 1.15);
    let (from, to) = (SIZES.first().copied().unwrap_or(0), SIZES.last().copied().unwrap_or(0));
    (format!("instructions {}, wall ratio {}, {from} to {to} screenings", text(counted), text(wall)), flat)
}

fn save_row(found: &[Found]) -> Fallible<Row> {
    let last = found.last().ok_or("nothing was measured")?;
    let (growth, flat) = grown(found);
    let syncs = last.calls.map(|calls| calls.syncs);
    let once = syncs.is_some_and(|syncs| syncs < 1.5);
    Ok(Row {
        what: "durable answer (against 4 KiB write + fdatasync in the same folder)".into(),
        counts: format!(
            "{} instructions; {} fsync; {:.1} kB written; {} (4 KiB: {})",
            said(last.instructions),
            syncs.map_or("not counted:".into(), |syncs| format!("{syncs:.2}")),
            last.bytes / 1e3,
            time(last.wall.ours),
            time(last.wall.theirs)
        ),
        ratio: format!("wall {}", last.wall),
        growth,
        floor: "<= 3x, 1 fsync",
        goal: "<= 2x; flat (<= 1.15x instructions)",
        verdict: Verdict::of(last.wall.ratio <= 3.0 && once, last.wall.ratio <= 2.0 && flat),
    })
}

fn cold_row(found: &[Found], packs: usize, stores: &[(usize, PathBuf, usize)]) -> Fallible<Row> {
    let last = found.last().ok_or("nothing was measured")?;
    let (growth, flat) = grown(found);
    let plain = match stores.last() {
        Some((_, folder, _)) => Case { name: "plain", folder, operations: 20 }.instructions()?,
        None => None,
    };
    Ok(Row {
        what: format!(
            "cold start to first question (against plain SQLite: open + one read of {} kB, the size of the packs)",
            packs / 1000
        ),
        counts: format!(
            "{} instructions (plain {}); {} page reads; {} (plain {}); no key derivation",
            said(last.instructions),
            said(plain),
            said(last.calls.map(|calls| calls.reads)),
            time(last.wall.ours),
            time(last.wall.theirs)
        ),
        ratio: format!("wall {}", last.wall),
        growth,
        floor: "<= 10x",
        goal: "<= 3x, flat",
        verdict: Verdict::of(last.wall.ratio <= 10.0, last.wall.ratio <= 3.0 && flat),
    })
}
