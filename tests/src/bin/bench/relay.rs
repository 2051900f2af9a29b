//! The relay taking uploads, against the same rows put bare into the same tables.
//!
//! Real devices make the uploads, once; then each time a copy of the store in which they are enrolled takes them all
//! in one transaction and answers them, as the server's group commit does, and another copy takes the rows that this left, in one
//! transaction as well. What both hold afterwards is compared.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo_core::device::Device;
use amparo_core::random::SeededEntropy;
use amparo_core::seal::{SecretKey, Signer, from_bytes, to_bytes};
use amparo_core::sync::{Transport, TransportError};
use amparo_core::time::FixedClock;
use amparo_hq::relay::{Relay, Settings};
use amparo_hq::storage::postgres::Postgres;
use amparo_hq::storage::sqlite::Sqlite;
use amparo_hq::storage::{Storage, StorageError, Tx};
use amparo_schema::name::Name;
use amparo_tests::device;
use amparo_tests::dice::Dice;

use super::bare::{self, Rows};
use super::pg::Server;
use super::table::{Row, Verdict};
use super::tool::{Calls, Case, said};
use super::watch::{self, Pairs, ratio, time};
use super::{Fallible, world};

/// Uploads in one group: as many as the server takes into one transaction.
const UPLOADS: u64 = 64;
/// Screenings in one upload.
const SCREENINGS: u64 = 10;
const PAIRS: usize = 30;

pub(crate) fn rows(folder: &Path, rows: &mut Vec<Row>) -> Fallible<()> {
    let folder = folder.join("relay");
    std::fs::create_dir_all(&folder)?;
    make(&folder)?;
    let uploads = uploads(&folder)?;
    let accepted = fresh(&folder, "accepted")?;
    accept(&mut Sqlite::open(&accepted, None)?, &uploads)?;
    let delta = bare::delta(&accepted, &enrolled(&folder))?;
    delta.write(&folder.join("rows"))?;
    let row = sqlite(&folder, &uploads, &delta)?;
    eprintln!("relay on SQLite: {}; {}", row.counts, row.ratio);
    rows.push(row);
    match Server::start(&folder)? {
        Some(server) => rows.push(postgres(&folder, &server, &uploads, &delta)?),
        None => eprintln!("NOT MEASURED: PostgreSQL's programs are not here"),
    }
    Ok(())
}

/// `n` times the group, each into a fresh copy.
pub(crate) fn accept_times(folder: &Path, n: usize) -> Fallible<()> {
    let uploads = uploads(folder)?;
    (0..n).try_for_each(|_| accept(&mut Sqlite::open(&fresh(folder, "one")?, None)?, &uploads))
}

/// `n` times its rows, each into a fresh copy.
pub(crate) fn bare_times(folder: &Path, n: usize) -> Fallible<()> {
    let delta = Rows::read(&folder.join("rows"))?;
    (0..n).try_for_each(|_| delta.put(&mut bare::open(&fresh(folder, "one")?)?))
}

fn enrolled(folder: &Path) -> PathBuf {
    folder.join("enrolled.db")
}

/// A copy of the store in which all devices are enrolled.
fn fresh(folder: &Path, name: &str) -> Fallible<PathBuf> {
    let file = folder.join(format!("{name}.db"));
    for beside in ["-wal", "-shm"] {
        // Of the copy before, if there was one.
        let _ = std::fs::remove_file(folder.join(format!("{name}.db{beside}")));
    }
    std::fs::copy(enrolled(folder), &file)?;
    Ok(file)
}

fn relay() -> Relay {
    Relay::new(Signer::from_seed(&[1; 32]), SecretKey::new(&[2; 32]), Settings::local("http://127.0.0.1/"))
}

/// Takes the uploads in one transaction and answers them in another, as `hq/src/http/worker.rs` does.
fn accept(storage: &mut dyn Storage, uploads: &[Vec<u8>]) -> Fallible<()> {
    let (relay, now_ms) = (relay(), world::NOW.wall_ms);
    let mut received = Vec::new();
    storage.transact(&mut |tx| {
        received.clear();
        for upload in uploads {
            let taken = relay.receive(&mut Inside(tx), upload, now_ms);
            received.push(taken.map_err(|_| StorageError::Abandoned)?);
        }
        Ok(())
    })?;
    relay.judge(storage, &mut received, now_ms)?;
    Ok(storage.transact(&mut |tx| {
        for one in &received {
            let answer = relay.reply(&mut Inside(tx), one, now_ms);
            std::hint::black_box(answer.map_err(|_| StorageError::Abandoned)?);
        }
        Ok(())
    })?)
}

/// A store inside a transaction that is under way.
struct Inside<'a>(&'a mut dyn Tx);

impl Storage for Inside<'_> {
    fn transact(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        work(self.0)
    }
}

/// A carrier that keeps the upload and brings it nowhere.
struct Held(std::cell::RefCell<Vec<u8>>);

impl Transport for Held {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        upload.clone_into(&mut self.0.borrow_mut());
        Err(TransportError::Offline)
    }
}

/// A carrier to a store.
struct Direct<'a>(&'a Relay, std::cell::RefCell<&'a mut Sqlite>);

impl Transport for Direct<'_> {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut store = self.1.borrow_mut();
        self.0.exchange(&mut **store, upload, world::NOW.wall_ms).map_err(|_| TransportError::Offline)
    }
}

/// Makes the devices, has them enrolled, and keeps what each would send.
fn make(folder: &Path) -> Fallible<()> {
    let (relay, mut store) = (relay(), Sqlite::open(&enrolled(folder), None)?);
    let phones = tempfile::tempdir()?;
    let kept = folder.join("uploads");
    std::fs::create_dir_all(&kept)?;
    for n in 0..UPLOADS {
        let path = phones.path().join(n.to_string());
        std::fs::create_dir_all(&path)?;
        let (clock, entropy) = (Arc::new(FixedClock::new(world::NOW)), Arc::new(SeededEntropy::new(100 + n)));
        let trust = amparo_shell::embedded::trust()?;
        let device = Device::create(&device::store(&path), &device::key(), trust, clock, entropy)?;
        device::install_needed(&device)?;
        enrol(&relay, &mut store, &device, n)?;
        // What the store says of itself goes first, once.
        device.sync(&Direct(&relay, (&mut store).into()), &())?;
        for screening in 0..SCREENINGS {
            let id = device::start(&device, "four-questions")?;
            device::answer_all(&device, id, &mut Dice::new(n * SCREENINGS + screening))?;
            device.record_outcome(id)?;
            device.close(id)?;
        }
        let held = Held(Vec::new().into());
        device.sync(&held, &())?;
        std::fs::write(kept.join(format!("{n:03}")), held.0.into_inner())?;
    }
    Ok(())
}

fn enrol(relay: &Relay, store: &mut Sqlite, device: &Device, n: u64) -> Fallible<()> {
    let (now, entropy) = (world::NOW.wall_ms, SeededEntropy::new(1_000 + n));
    let ticket = relay.invite(store, &Name::new("synthetic-agency")?, now + 1, now, &entropy)?;
    let request = from_bytes(&device.enrolment_request(&ticket)?)?;
    device.enrolled(&to_bytes(&relay.enrol(store, &request, now)?)?)?;
    Ok(())
}

fn uploads(folder: &Path) -> Fallible<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder.join("uploads"))? {
        files.push(file?.path());
    }
    files.sort();
    Ok(files.iter().map(std::fs::read).collect::<Result<_, _>>()?)
}

fn sqlite(folder: &Path, uploads: &[Vec<u8>], delta: &Rows) -> Fallible<Row> {
    let count = |name| -> Fallible<(Option<f64>, Option<Calls>)> {
        let case = Case { name, folder, operations: 1 };
        Ok((case.instructions()?, case.calls()?))
    };
    let (ours, theirs) = (count("accept")?, count("accept-bare")?);
    let (mut took, mut bare_took) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        // Copying and opening are no part of either.
        let mut store = Sqlite::open(&fresh(folder, "ours")?, None)?;
        let (time, done) = watch::timed(|| accept(&mut store, uploads));
        done?;
        took.push(time);
        let mut conn = bare::open(&fresh(folder, "bare")?)?;
        let (time, done) = watch::timed(|| delta.put(&mut conn));
        done?;
        bare_took.push(time);
    }
    if !bare::delta(&folder.join("ours.db"), &folder.join("bare.db"))?.is_empty() {
        return Err("the bare inserts left other rows than the relay".into());
    }
    row("SQLite, the same pragmas", uploads, delta, Pairs::of(took, bare_took), Some((ours, theirs)))
}

fn postgres(folder: &Path, server: &Server, uploads: &[Vec<u8>], delta: &Rows) -> Fallible<Row> {
    let empty = folder.join("empty.db");
    drop(Sqlite::open(&empty, None)?);
    let enrolled = bare::delta(&enrolled(folder), &empty)?;
    let (ours, theirs) = (server.database("ours")?, server.database("bare")?);
    // Both are migrated by the store, and set back before each turn.
    let mut store = Postgres::open(&ours)?;
    drop(Postgres::open(&theirs)?);
    let (mut beside, mut client) = (bare::connect(&ours)?, bare::connect(&theirs)?);
    let (mut took, mut bare_took) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        enrolled.set_postgres(&mut beside)?;
        let (time, done) = watch::timed(|| accept(&mut store, uploads));
        done?;
        took.push(time);
        enrolled.set_postgres(&mut client)?;
        let (time, done) = watch::timed(|| delta.put_postgres(&mut client));
        done?;
        bare_took.push(time);
    }
    row("PostgreSQL, fsync on", uploads, delta, Pairs::of(took, bare_took), None)
}

type Counted = ((Option<f64>, Option<Calls>), (Option<f64>, Option<Calls>));

fn row(
    engine: &str,
    uploads: &[Vec<u8>],
    delta: &Rows,
    wall: Pairs,
    counted: Option<Counted>,
) -> Fallible<Row> {
    let bytes: usize = uploads.iter().map(Vec::len).sum();
    let counts = counted.map(|((ours, calls), (theirs, bare_calls))| {
        let syncs = |calls: Option<Calls>| said(calls.map(|calls| calls.syncs));
        let (calls, bare_calls) = (syncs(calls), syncs(bare_calls));
        format!("{} instructions (bare {}); {calls} fsync (bare {bare_calls}); ", said(ours), said(theirs))
    });
    let grew = counted.and_then(|((ours, _), (theirs, _))| Some(ours? / theirs?));
    let grew = grew.map_or(String::new(), |by| format!("; instructions {}", ratio(by)));
    Ok(Row {
        what: format!(
            "relay takes {UPLOADS} uploads of {SCREENINGS} screenings in one transaction (against bare inserts of the rows that this leaves, one transaction; {engine})"
        ),
        counts: format!(
            "{}{:.0} kB of uploads; {} rows of {:.0} kB; {} (bare {})",
            counts.unwrap_or_default(),
            bytes as f64 / 1e3,
            delta.count(),
            delta.bytes() as f64 / 1e3,
            time(wall.ours),
            time(wall.theirs)
        ),
        verdict: Verdict::of(wall.ratio <= 10.0, wall.ratio <= 3.0),
        ratio: format!("wall {wall}{grew}"),
        growth: "-".into(),
        floor: "<= 10x",
        goal: "<= 3x",
    })
}
