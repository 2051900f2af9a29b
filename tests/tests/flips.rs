//! One flipped byte, a cut, a page of zeros: refused, found, or harmless; never silent.
//!
//! By default every byte of the small files is flipped, and a sample of the larger ones: of a store and its log
//! every 397th byte and every third byte of the log's own headers and the edges of pages, of packs of 20,000
//! bytes and more every 7th byte. `AMPARO_FLIPS=all` flips every byte of everything (some tens of minutes).
//! Each table says how many.
//!
//! What no look from inside can tell, and what is therefore not counted here: store, log and head file all set
//! back together to one earlier moment ([`Blind::EverythingSetBack`](amparo_core::store::Blind)). What only
//! the head file tells, for neither SQLite nor SQLCipher does: a damaged log frame, after which every later
//! save is gone without an error. The head file is written after each commit and not synced: where a power cut
//! leaves it behind and the tail of the log is damaged as well, the saves in between are gone unsaid.
#![allow(clippy::print_stdout, reason = "tests")]

#[path = "../../core/tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use amparo_core::device::{Device, Error};
use amparo_core::pack::{self, PackError, Trust, open};
use amparo_schema::id::ScreeningId;
use amparo_schema::name::Name;
use amparo_schema::pack::{Content, Envelope, Kind};
use amparo_shell::content::keys::signing_key;
use amparo_shell::embedded;
use amparo_tests::device;
use amparo_tests::dice::Dice;
use support::{Outcome, append, judge};

const PAGE: usize = 4096;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const FRAME: usize = FRAME_HEADER + PAGE;

fn every_byte() -> bool {
    std::env::var("AMPARO_FLIPS").is_ok_and(|text| text == "all")
}

/// What became of the damage to one file.
#[derive(Clone, Copy, Default)]
struct Tally {
    refused: usize,
    found: usize,
    harmless: usize,
    silent: usize,
}

impl Tally {
    fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Refused => &mut self.refused,
            Outcome::Finding | Outcome::Verify | Outcome::Read => &mut self.found,
            Outcome::Harmless => &mut self.harmless,
            Outcome::Silent => &mut self.silent,
        } += 1;
    }

    fn print(&self, name: &str, bytes: usize) {
        let Self { refused, found, harmless, silent } = self;
        let tried = refused + found + harmless + silent;
        println!(
            "{name:44} {bytes:7} bytes {tried:6} tried {refused:6} refused {found:6} found {harmless:5} harmless {silent:2} silent"
        );
        assert!(tried > 0, "{name}: nothing was tried");
        assert_eq!(*silent, 0, "{name}");
    }
}

/// Opens a pack that was damaged. Harmless means that all of it is what it was.
fn judge_pack(bytes: &[u8], trust: &Trust, whole: &pack::Pack) -> Outcome {
    match open(bytes, trust, None) {
        Err(_) => Outcome::Refused,
        Ok(read) if read.header_bytes == whole.header_bytes && read.content == whole.content => {
            Outcome::Harmless
        }
        Ok(_) => Outcome::Silent,
    }
}

#[test]
fn no_flipped_byte_of_a_pack_is_taken() {
    let trust = embedded::trust().unwrap();
    let half = embedded::PACKS.len() / 2;
    let (some, others) = embedded::PACKS.split_at(half);
    std::thread::scope(|scope| {
        for packs in [some, others] {
            let trust = &trust;
            scope.spawn(move || packs.iter().for_each(|bytes| flip_pack(bytes, trust)));
        }
    });
}

fn flip_pack(bytes: &[u8], trust: &Trust) {
    let whole = open(bytes, trust, None).unwrap();
    let step = if bytes.len() < 20_000 || every_byte() { 1 } else { 7 };
    let mut tally = Tally::default();
    let mut damaged = bytes.to_vec();
    for at in (0..bytes.len()).step_by(step) {
        // All bits and a single one in turn: another letter rather than no letter.
        damaged[at] ^= if at % 2 == 0 { 0xFF } else { 1 << (at / 2 % 8) };
        tally.count(judge_pack(&damaged, trust, &whole));
        damaged[at] = bytes[at];
    }
    let name = format!("{}-{}, flips", whole.header.kind.as_str(), whole.header.id);
    tally.print(&name, bytes.len());
    assert_eq!(tally.harmless, 0, "a pack has one form");

    let mut tally = Tally::default();
    let cut_step = if every_byte() { 1 } else { 101 };
    for length in (0..700.min(bytes.len())).chain((700..bytes.len()).step_by(cut_step)) {
        tally.count(judge_pack(&bytes[..length], trust, &whole));
    }
    for trailing in [&[0][..], &[0xF6], &[0x40], bytes] {
        tally.count(judge_pack(&[bytes, trailing].concat(), trust, &whole));
    }
    tally.print(&format!("{}-{}, cuts and tails", whole.header.kind.as_str(), whole.header.id), bytes.len());
    assert_eq!(tally.harmless, 0, "a pack has one length");
}

#[test]
fn parts_of_packs_do_not_mix() {
    let trust = embedded::trust().unwrap();
    let envelopes: Vec<Envelope> =
        embedded::PACKS.iter().map(|bytes| minicbor::decode(bytes).unwrap()).collect();
    let mut tried = 0;
    for (n, one) in envelopes.iter().enumerate() {
        for (_, other) in envelopes.iter().enumerate().filter(|(m, _)| *m != n) {
            let mixes = [
                Envelope { content: other.content.clone(), ..one.clone() },
                Envelope { header: other.header.clone(), ..one.clone() },
                Envelope { signatures: other.signatures.clone(), ..one.clone() },
                Envelope { signatures: one.signatures.clone(), ..other.clone() },
            ];
            for mix in mixes {
                let bytes = minicbor::to_vec(mix).unwrap();
                assert!(open(&bytes, &trust, None).is_err(), "pack {n}");
                tried += 1;
            }
        }
        let none = Envelope { signatures: Vec::new(), ..one.clone() };
        let refused = open(&minicbor::to_vec(none).unwrap(), &trust, None).unwrap_err();
        assert_eq!(refused, PackError::Signatures { valid: 0, needed: 1 });
        let later = Envelope { format: 2, ..one.clone() };
        let refused = open(&minicbor::to_vec(later).unwrap(), &trust, None).unwrap_err();
        assert_eq!(refused, PackError::Format { found: 2 });
        // The same signature twice says nothing more, and nothing else.
        let twice = [one.signatures.clone(), one.signatures.clone()].concat();
        let twice = minicbor::to_vec(Envelope { signatures: twice, ..one.clone() }).unwrap();
        let whole = open(embedded::PACKS[n], &trust, None).unwrap();
        assert_eq!(judge_pack(&twice, &trust, &whole), Outcome::Harmless);
    }
    println!("{tried} mixtures of the parts of {} packs", envelopes.len());
}

#[test]
fn one_key_twice_is_not_two_keys() {
    let trust = embedded::trust().unwrap();
    let protocol = embedded::PACKS
        .iter()
        .map(|bytes| open(bytes, &trust, None).unwrap())
        .find(|pack| pack.header.kind == Kind::Protocol && pack.header.id.as_str() == "chile")
        .unwrap();
    let json = pack::parse::json(&protocol.content).unwrap();
    assert!(matches!(*protocol.content, Content::Protocol(_)));
    let mut header = protocol.header;
    header.authority = Name::new("amparo-two").unwrap();
    let key =
        |which: &str| signing_key(&format!("amparo demo key two-{which}: published, signs nothing real"));
    let (a, b) = (key("a"), key("b"));
    let signed = |keys: &[_]| {
        let bytes = pack::write(header.clone(), json.clone(), keys).unwrap();
        open(&bytes, &trust, None).map(|_| ())
    };
    assert_eq!(signed(&[&a, &b]), Ok(()));
    assert_eq!(signed(&[&a, &a]), Err(PackError::Signatures { valid: 1, needed: 2 }));
    assert_eq!(signed(&[&b]), Err(PackError::Signatures { valid: 1, needed: 2 }));
}

/// Damages a file in a fresh copy of `folder` for each of `cases`, and tells what became of it.
fn damage_each<C: Copy>(
    folder: &Path,
    file: &str,
    cases: impl IntoIterator<Item = C>,
    damage: impl Fn(&mut Vec<u8>, C),
    mut judge: impl FnMut(&Path) -> Outcome,
) -> Tally {
    let whole = fs::read(folder.join(file)).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    for case in cases {
        let copy = scratch.path().join("copy");
        let _ = fs::remove_dir_all(&copy);
        support::copy(folder, &copy);
        let mut bytes = whole.clone();
        damage(&mut bytes, case);
        fs::write(copy.join(file), bytes).unwrap();
        tally.count(judge(&copy));
    }
    tally
}

#[allow(clippy::ptr_arg)] // one of the ways to damage a file, all of one type
fn flip(bytes: &mut Vec<u8>, at: usize) {
    bytes[at] ^= 0xFF;
}

fn cut(bytes: &mut Vec<u8>, length: usize) {
    bytes.truncate(length);
}

#[allow(clippy::ptr_arg)] // as above
fn zero(bytes: &mut Vec<u8>, (from, length): (usize, usize)) {
    bytes[from..from + length].fill(0);
}

/// A folder with a small store that was closed (`log` false), or whose process died (`log` true), and what was
/// saved in it.
fn small_store(root: &Path, log: bool) -> (std::path::PathBuf, Vec<Vec<u8>>) {
    let live = root.join("live");
    fs::create_dir(&live).unwrap();
    let store = support::create(&live);
    let saves: Vec<Vec<u8>> = (0..12_u8).map(|n| vec![n; 300]).collect();
    saves.iter().for_each(|body| {
        append(&store, body);
    });
    if log {
        let dead = root.join("dead");
        support::copy(&live, &dead);
        return (dead, saves);
    }
    drop(store);
    (live, saves)
}

/// Offsets to flip: every byte of `edges`, and every 397th of all.
fn offsets(length: usize, edges: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    let step = if every_byte() { 1 } else { 397 };
    edges.into_iter().chain((0..length).step_by(step)).filter(|at| *at < length).collect()
}

#[test]
fn damage_to_a_store_is_never_silent() {
    let root = tempfile::tempdir().unwrap();
    let (folder, saves) = small_store(root.path(), false);
    let length = fs::metadata(support::path(&folder)).unwrap().len() as usize;
    assert_eq!(judge(&folder, &saves), Outcome::Harmless, "undamaged");
    let pages = length / PAGE;
    let judge = |copy: &Path| judge(copy, &saves);
    let file = "amparo.db";

    let edges =
        (0..pages).flat_map(|page| [0, 1, 15, 16, 4015, 4016, 4063, 4064, 4095].map(|at| page * PAGE + at));
    damage_each(&folder, file, offsets(length, edges), flip, judge).print("store, flips", length);
    let lengths = (0..=pages).flat_map(|page| [page * PAGE, page * PAGE + 1, page * PAGE + PAGE - 1]);
    let lengths: Vec<usize> = lengths.filter(|cut| *cut < length).collect();
    damage_each(&folder, file, lengths, cut, judge).print("store, cuts", length);
    let zeroed = (0..pages).map(|page| (page * PAGE, PAGE));
    damage_each(&folder, file, zeroed, zero, judge).print("store, pages of zeros", length);

    for (name, harmless) in [("amparo.db.head", false), ("amparo.db.canary", true)] {
        let length = fs::metadata(folder.join(name)).unwrap().len() as usize;
        let tally = damage_each(&folder, name, 0..length, flip, judge);
        tally.print(&format!("{name}, flips"), length);
        assert_eq!(tally.harmless == length, harmless, "the canary is only ever asked, the head is trusted");
        damage_each(&folder, name, 0..length, cut, judge).print(&format!("{name}, cuts"), length);
    }
}

#[test]
fn damage_to_a_log_is_never_silent() {
    let root = tempfile::tempdir().unwrap();
    let (folder, saves) = small_store(root.path(), true);
    let file = "amparo.db-wal";
    let length = fs::metadata(folder.join(file)).unwrap().len() as usize;
    let sound = root.path().join("sound");
    support::copy(&folder, &sound);
    assert_eq!(judge(&sound, &saves), Outcome::Harmless, "undamaged");
    assert!(length > LOG_HEADER + 10 * FRAME, "the saves are in the log");
    let frames: Vec<usize> = (LOG_HEADER..length).step_by(FRAME).collect();
    let judge = |copy: &Path| judge(copy, &saves);

    let headers = frames.iter().flat_map(|frame| (*frame..*frame + FRAME_HEADER).step_by(3));
    let tally = damage_each(&folder, file, offsets(length, (0..LOG_HEADER).chain(headers)), flip, judge);
    tally.print("log, flips", length);
    assert!(tally.found > 0, "the test must bite");
    let lengths = frames.iter().flat_map(|frame| [*frame, frame + 1, frame + FRAME_HEADER, frame + PAGE]);
    let lengths: Vec<usize> =
        [0, 1, LOG_HEADER - 1].into_iter().chain(lengths).filter(|n| *n < length).collect();
    damage_each(&folder, file, lengths, cut, judge).print("log, cuts", length);
    let zeroed = frames.iter().map(|frame| (*frame, FRAME)).filter(|(from, n)| from + n <= length);
    damage_each(&folder, file, zeroed, zero, judge).print("log, frames of zeros", length);
}

/// What a device shows of its screenings, as far as words and numbers go.
fn shown(device: &Device, ids: &[ScreeningId]) -> Result<String, Error> {
    let mut all = String::new();
    for line in device.screenings()? {
        all += &format!("{} {} {}\n", line.screening, line.code, line.closed);
    }
    for id in ids {
        let view = device.screening(*id)?;
        for given in &view.screening.history {
            all += &format!("{} {}\n", given.item, serde_json::to_string(&given.answer).unwrap_or_default());
        }
        all += &format!("{:?} {:?}\n", device.next(*id)?, device.explain(*id)?.outcomes());
    }
    all += &format!("{}\n", device.packs()?.len());
    Ok(all)
}

/// Damage under a whole device: a typed error, a finding, a fault, or everything as it was. Nothing panics.
fn judge_device(folder: &Path, ids: &[ScreeningId], wanted: &str) -> Outcome {
    let device = match device::open(folder) {
        Ok(device) => device,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Outcome::Refused;
        }
    };
    let told = !device.findings().is_empty();
    let read = shown(&device, ids);
    let _ = device.lookup("mujer", None, 5);
    let whole = device.verify().unwrap().is_whole();
    match read {
        _ if told => Outcome::Finding,
        Err(_) => Outcome::Read,
        Ok(_) if !whole => Outcome::Verify,
        Ok(read) if read == wanted => Outcome::Harmless,
        Ok(_) => Outcome::Silent,
    }
}

#[test]
fn damage_under_a_whole_device_is_never_silent() {
    let root = tempfile::tempdir().unwrap();
    let (live, dead) = (root.path().join("live"), root.path().join("dead"));
    fs::create_dir(&live).unwrap();
    let device = device::create(&live).unwrap();
    device::install_needed(&device).unwrap();
    device.rest().unwrap();
    let mut dice = Dice::new(11);
    let ids: Vec<ScreeningId> = device::CHECKLISTS
        .iter()
        .map(|checklist| {
            let id = device::start(&device, checklist).unwrap();
            device::answer_all(&device, id, &mut dice).unwrap();
            id
        })
        .collect();
    device.close(ids[0]).unwrap();
    let wanted = shown(&device, &ids).unwrap();
    support::copy(&live, &dead);
    drop(device);
    assert_eq!(judge_device(&dead, &ids, &wanted), Outcome::Harmless, "undamaged");
    fs::remove_dir_all(&dead).unwrap();
    let device = device::open(&live).unwrap();
    let third = device::start(&device, "border-observation").unwrap();
    device::answer_all(&device, third, &mut dice).unwrap();
    let ids = [&ids[..], &[third]].concat();
    let wanted = shown(&device, &ids).unwrap();
    support::copy(&live, &dead);

    let tries = if every_byte() { 5_000 } else { 60 };
    for file in ["store.db", "store.db-wal"] {
        let length = fs::metadata(dead.join(file)).unwrap().len() as usize;
        let cases: Vec<usize> = (0..tries).map(|_| dice.below(length)).collect();
        let judge = |copy: &Path| judge_device(copy, &ids, &wanted);
        damage_each(&dead, file, cases, flip, judge).print(&format!("{file} of a device, flips"), length);
        let cases: Vec<usize> = (0..tries / 4).map(|_| dice.below(length)).collect();
        damage_each(&dead, file, cases, cut, judge).print(&format!("{file} of a device, cuts"), length);
    }
}
