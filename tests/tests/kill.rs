//! A process that is killed loses nothing that it was told is saved.
//!
//! A walker ([`walker`](../src/bin/walker.rs)) works on a store of its own; it is killed with SIGKILL at a
//! random moment, and the store is opened again through the device. What was acknowledged is there, at most
//! the one call that was under way is there as well, the walk stands where its facts put it, and a kill is
//! never taken for a store that went back in time.
//!
//! `AMPARO_KILLS` sets how many kills (default 220, and a third as many while creating and installing), `AMPARO_SEED` where randomness starts; both are printed.
//! What a power cut does to a disk that lies about having written cannot be shown by killing a process: there
//! the head file says it afterwards, see `core/tests/store_faults.rs` and `flips.rs`.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a test of processes")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use amparo_core::checklist::{self, Form, Next, Walk};
use amparo_core::device::{Device, NextStep};
use amparo_core::random::SeededEntropy;
use amparo_core::screening::Gate;
use amparo_core::store::{Store, segment};
use amparo_core::time::Moment;
use amparo_schema::id::ScreeningId;
use amparo_schema::pack::Content;
use amparo_tests::device;
use amparo_tests::dice::Dice;

/// Facts that one call writes at most: opening a case and a screening, or recording an outcome and closing.
const FACTS_OF_A_CALL_MAX: u64 = 2;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// When a walker is killed: so long after it started, or after the n-th line of this kind.
#[derive(Clone, Copy, Debug)]
enum Aim {
    Start,
    Line(&'static str, usize),
}

/// Runs a walker, kills it, and returns its whole lines. `None` as delay lets it end by itself.
fn run(folder: &Path, seed: u64, job: &str, aim: Aim, delay: Option<Duration>) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_walker"))
        .arg(folder)
        .arg(seed.to_string())
        .arg(job)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = Vec::new();
    let mut line = String::new();
    if let Aim::Line(wanted, n) = aim {
        let mut left = n;
        while left > 0 && out.read_line(&mut line).unwrap() > 0 {
            left -= usize::from(line.starts_with(wanted));
            lines.push(std::mem::take(&mut line));
        }
    }
    if let Some(delay) = delay {
        std::thread::sleep(delay);
        child.kill().unwrap();
    }
    while out.read_line(&mut line).unwrap() > 0 {
        lines.push(std::mem::take(&mut line));
    }
    child.wait().unwrap();
    // A line that was cut is no acknowledgement.
    lines.retain(|line| line.ends_with('\n'));
    let lines: Vec<String> = lines.into_iter().map(|line| line.trim_end().to_owned()).collect();
    assert!(!lines.iter().any(|line| line.starts_with("failed")), "{lines:?}");
    lines
}

/// What is known of a screening.
#[derive(Clone, Debug, Default)]
struct Known {
    answers: Vec<(String, String)>,
    closed: bool,
    gated: bool,
    stored: bool,
    next: Option<String>,
}

/// What is known of a store.
#[derive(Clone, Debug, Default)]
struct Model {
    screenings: BTreeMap<String, Known>,
    packs: BTreeSet<String>,
    created: bool,
    facts: u64,
}

impl Model {
    /// Takes the lines of a walker. Returns the fewest and the most facts that they stand for.
    fn take(&mut self, lines: &[String]) -> (u64, u64) {
        let (mut least, mut most) = (0, 0);
        for line in lines {
            let words: Vec<&str> = line.splitn(6, ' ').collect();
            let (low, high) = match words[..] {
                ["ack", "create"] => {
                    self.created = true;
                    // Opening again writes none; creating writes that the incarnation began.
                    (0, 1)
                }
                ["ack", "install", hash] => {
                    let new = self.packs.insert(hash.to_owned());
                    (u64::from(new), u64::from(new))
                }
                ["ack", "start", id] => {
                    self.screenings.insert(id.into(), Known::default());
                    (2, 2)
                }
                ["ack", "answer", id, item, next, told] => {
                    let known = self.screenings.get_mut(id).unwrap();
                    known.answers.push((item.into(), told.into()));
                    known.next = Some(next.into());
                    (1, 1)
                }
                ["ack", "store", id, answer] => {
                    self.screenings.get_mut(id).unwrap().stored = answer == "yes";
                    (1, 1)
                }
                ["ack", "gate", id] => {
                    let known = self.screenings.get_mut(id).unwrap();
                    (known.gated, known.next) = (true, None);
                    (1, 1)
                }
                ["ack", "fact", id] => {
                    self.screenings.get_mut(id).unwrap().next = None;
                    (1, 1)
                }
                ["ack", "close", id] => {
                    let known = self.screenings.get_mut(id).unwrap();
                    (known.closed, known.next) = (true, Some("end".into()));
                    (1, 2)
                }
                ["begin", ..] | ["ack", "open"] => (0, 0),
                _ => panic!("{line}"),
            };
            (least, most) = (least + low, most + high);
        }
        (least, most)
    }
}

fn step(next: &NextStep) -> String {
    match next {
        NextStep::Item(item) => format!("item:{item}"),
        NextStep::Gate => "gate".into(),
        NextStep::End => "end".into(),
    }
}

/// What comes next, computed from the facts alone; `None` where more than the form decides.
fn computed(device: &Device, id: ScreeningId) -> Option<String> {
    let view = device.screening(id).unwrap();
    if view.screening.closed.is_some() {
        return Some("end".into());
    }
    let (policy, checklist) = (device.policy_of(id).unwrap(), device.checklist_of(id).unwrap());
    let (Content::Policy(policy), Content::Checklist(checklist)) = (&*policy.content, &*checklist.content)
    else {
        panic!("packs of another kind");
    };
    let form = Arc::new(Form::compile(policy, checklist).unwrap());
    let walk = Walk::new(form, &view.screening.answers);
    let talks = view.screening.consents.state(amparo_schema::pack::policy::Purpose::Talk, None, 0)
        == amparo_core::consent::State::Given;
    let passed = view.screening.gate == Gate::Passed && talks;
    let gate = if passed { checklist::Gate::Passed } else { checklist::Gate::Ahead };
    if view.screening.stop.is_some() && !passed {
        return None;
    }
    Some(match walk.next(gate) {
        Next::Item(item) => format!("item:{}", item.id),
        Next::Gate => "gate".into(),
        Next::End => "end".into(),
    })
}

/// Opens the store as the official would after the crash, and holds it against what was acknowledged.
/// Returns how many unacknowledged calls are there: 0 or 1.
fn check(folder: &Path, model: &mut Model, lines: &[String]) -> usize {
    let (least, most) = model.take(lines);
    let device = device::open(folder).unwrap();
    assert_eq!(device.findings(), [], "a kill is no rollback");
    let report = device.verify().unwrap();
    assert!(report.is_whole(), "{report:?}");
    let (low, high) = (model.facts + least, model.facts + most + FACTS_OF_A_CALL_MAX);
    assert!((low..=high).contains(&report.facts), "{low}..={high}: {}", report.facts);
    model.facts = report.facts;

    let mut unacknowledged = 0;
    let there: BTreeSet<String> =
        device.packs().unwrap().iter().map(|line| line.pack.hash.to_string()).collect();
    assert!(there.is_superset(&model.packs));
    unacknowledged += there.len() - model.packs.len();
    model.packs = there;

    let listed = device.screenings().unwrap();
    let ids: BTreeSet<String> = listed.iter().map(|line| line.screening.to_string()).collect();
    assert!(model.screenings.keys().all(|id| ids.contains(id)), "a screening is gone");
    for line in &listed {
        let (id, text) = (line.screening, line.screening.to_string());
        let fresh = !model.screenings.contains_key(&text);
        unacknowledged += usize::from(fresh);
        let known = model.screenings.entry(text).or_default();
        let before = unacknowledged;
        let view = device.screening(id).unwrap();
        assert!(line.closed || !known.closed, "a closing is gone");
        assert_eq!(line.closed, view.screening.closed.is_some());
        unacknowledged += usize::from(line.closed && !known.closed);
        known.closed = line.closed;
        let answers: Vec<(String, String)> = view
            .screening
            .history
            .iter()
            .map(|given| (given.item.to_string(), serde_json::to_string(&given.answer).unwrap()))
            .collect();
        // Observations alone, for which nobody was asked anything, are kept.
        if line.closed && known.gated && !known.stored {
            assert!(answers.is_empty(), "without consent to store only counts are kept");
        } else {
            assert!(answers.starts_with(&known.answers), "an acknowledged answer is gone");
            unacknowledged += answers.len() - known.answers.len();
            for (item, last) in &answers.iter().cloned().collect::<BTreeMap<_, _>>() {
                let name = amparo_schema::name::Name::new(item.as_str()).unwrap();
                let kept = view.screening.answers.get(&name).unwrap();
                assert_eq!(&serde_json::to_string(kept).unwrap(), last, "the last answer counts");
            }
            known.answers = answers;
        }
        if !line.closed {
            use amparo_core::consent::State;
            use amparo_schema::pack::policy::Purpose;
            known.gated = view.screening.gate != Gate::NotTried;
            known.stored = view.screening.consents.state(Purpose::Store, None, 0) == State::Given;
        }
        let next = step(&device.next(id).unwrap());
        if let Some(computed) = computed(&device, id) {
            assert_eq!(next, computed);
        }
        if let Some(told) = known.next.take().filter(|_| unacknowledged == before) {
            // A fact that the walker was not told of, such as a consent, may have moved the walk on.
            assert!(told == next || report.facts > low, "{told} was told, {next} comes");
        }
    }
    assert!(unacknowledged <= 1, "{unacknowledged} calls that nobody was told of");
    drop(device);
    sealed(folder, &listed.iter().map(|line| (line.screening, line.closed)).collect::<Vec<_>>());
    no_leftovers(folder, &["store.db", "store.db.canary", "store.db.head", "store.db.lock"]);
    unacknowledged
}

/// A screening has segments when it is closed and not before; segments are numbered without gaps.
fn sealed(folder: &Path, screenings: &[(ScreeningId, bool)]) {
    let now = Moment { wall_ms: 0, offset_minutes: 0, steady_ms: 0 };
    let open = || Ok(Store::open(&device::store(folder), &device::key(), &SeededEntropy::new(1), now)?);
    let store = device::patiently(open).unwrap();
    let mut numbers = BTreeSet::new();
    for (id, closed) in screenings {
        let segments = store.read(|rows| segment::of_screening(rows, *id)).unwrap();
        assert_eq!(!segments.is_empty(), *closed, "closed and sealed are one transaction");
        for row in segments {
            assert!(numbers.insert(row.number), "a number was given twice");
        }
    }
    if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
        assert_eq!((*last - *first + 1) as usize, numbers.len(), "a number is missing");
    }
}

/// Nothing lies in the folder but these, and what a creation that was cut short left to be set aside.
fn no_leftovers(folder: &Path, allowed: &[&str]) {
    for file in fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let known = allowed.iter().any(|allowed| name == *allowed);
        assert!(known || name.contains(".set-aside-"), "{name} was left over");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// A folder with a store that has every pack, and how long a walk on it takes when nobody interferes.
fn template(root: &Path) -> (std::path::PathBuf, Duration) {
    let folder = root.join("template");
    fs::create_dir(&folder).unwrap();
    run(&folder, 1, "create", Aim::Start, None);
    let scratch = root.join("scratch");
    copy(&folder, &scratch);
    let begun = Instant::now();
    let lines = run(&scratch, 1, "walk", Aim::Start, None);
    let length = begun.elapsed();
    assert!(lines.iter().any(|line| line.starts_with("ack close")), "an undisturbed walk comes to its end");
    let mut model = Model { facts: facts(&folder), ..Model::default() };
    model.packs = all_packs();
    assert_eq!(check(&scratch, &mut model, &lines), 0, "nothing is there that was not acknowledged");
    (folder, length)
}

fn facts(folder: &Path) -> u64 {
    device::open(folder).unwrap().verify().unwrap().facts
}

fn all_packs() -> BTreeSet<String> {
    let open = |bytes: &&[u8]| {
        let trust = amparo_shell::embedded::trust().unwrap();
        amparo_core::pack::open(bytes, &trust, None).unwrap().hash.to_string()
    };
    device::needed_packs().iter().map(open).collect()
}

/// Random delays up to `most`; every fourth within its first twentieth.
fn delay(dice: &mut Dice, most: Duration) -> Duration {
    let most = if dice.below(4) == 0 { most / 20 } else { most };
    Duration::from_micros(dice.below(usize::try_from(most.as_micros()).unwrap() + 1) as u64)
}

/// Kills walkers on one store after another walker's death, `kills` times. Returns the tally.
fn kill_walks(template: &Path, root: &Path, seed: u64, kills: u64, length: Duration) -> [usize; 4] {
    // Read from a copy: the template is another worker's as well, and a store has one process at a time.
    let first = root.join(format!("{seed}-facts"));
    copy(template, &first);
    let begun_with = facts(&first);
    let mut dice = Dice::new(seed);
    let mut tally = [0; 4];
    let (mut folder, mut model) = (root.to_path_buf(), Model::default());
    for n in 0..kills {
        // A new store now and then keeps looking at all of it short.
        if n % 40 == 0 {
            folder = root.join(format!("{seed}-{n}"));
            copy(template, &folder);
            model = Model { facts: begun_with, packs: all_packs(), ..Model::default() };
        }
        let (aim, most) = match dice.below(3) {
            0 => (Aim::Line("begin close", 1 + dice.below(2)), Duration::from_millis(12)),
            _ => (Aim::Start, length),
        };
        let delay = delay(&mut dice, most);
        let lines = run(&folder, dice.roll(), "walk", aim, Some(delay));
        let whole = lines.iter().filter(|line| line.starts_with("ack")).count();
        let unacknowledged = check(&folder, &mut model, &lines);
        tally[0] += 1;
        tally[1] += usize::from(matches!(aim, Aim::Line(..)));
        tally[2] += whole;
        tally[3] += unacknowledged;
    }
    tally
}

#[test]
fn a_killed_walk_keeps_what_was_acknowledged() {
    let (kills, seed) = (number("AMPARO_KILLS", 220), number("AMPARO_SEED", 20_261_121));
    let root = tempfile::tempdir().unwrap();
    let (template, length) = template(root.path());
    println!("seed {seed}, {kills} kills, an undisturbed walk takes {length:?}");
    let halves = [(seed, kills / 2), (seed.wrapping_add(1), kills - kills / 2)];
    let tallies: Vec<[usize; 4]> = std::thread::scope(|scope| {
        let (template, root) = (&template, root.path());
        let workers: Vec<_> = halves
            .map(|(seed, kills)| scope.spawn(move || kill_walks(template, root, seed, kills, length)))
            .into_iter()
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let sum = |at: usize| tallies.iter().map(|tally| tally[at]).sum::<usize>();
    println!(
        "{} kills, {} of them around closing; {} acknowledged calls, {} unacknowledged ones found",
        sum(0),
        sum(1),
        sum(2),
        sum(3)
    );
    assert_eq!(sum(0) as u64, kills);
    assert!(sum(2) > sum(0), "the test must bite: walkers get something done before they die");
}

#[test]
fn a_killed_creation_or_installation_can_be_done_again() {
    let kills = number("AMPARO_KILLS", 220).div_ceil(6);
    let seed = number("AMPARO_SEED", 20_261_121);
    let root = tempfile::tempdir().unwrap();
    let undisturbed = root.path().join("undisturbed");
    fs::create_dir(&undisturbed).unwrap();
    let begun = Instant::now();
    let lines = run(&undisturbed, 0, "create", Aim::Start, None);
    let length = begun.elapsed();
    let mut model = Model::default();
    check(&undisturbed, &mut model, &lines);
    assert_eq!(model.packs, all_packs());
    println!("seed {seed}, {kills} kills, an undisturbed installation takes {length:?}");

    let mut dice = Dice::new(seed);
    let (mut without_store, mut installed) = (0, 0);
    for n in 0..kills {
        let folder = root.path().join(n.to_string());
        fs::create_dir(&folder).unwrap();
        let mut model = Model::default();
        // Killed twice, then left alone: the second one goes on where the first one died.
        for _ in 0..2 {
            let (aim, most) = match dice.below(3) {
                0 => (Aim::Line("begin create", 1), length / 4),
                1 => (Aim::Line("begin install", 1 + dice.below(7)), length / 5),
                _ => (Aim::Start, length),
            };
            let delay = delay(&mut dice, most);
            let lines = run(&folder, 0, "create", aim, Some(delay));
            if device::store(&folder).exists() {
                check(&folder, &mut model, &lines);
                installed += usize::from(!model.packs.is_empty());
            } else {
                model.take(&lines);
                assert!(!model.created, "a store that was acknowledged is gone");
                without_store += 1;
            }
        }
        let lines = run(&folder, 0, "create", Aim::Start, None);
        check(&folder, &mut model, &lines);
        assert_eq!(model.packs, all_packs());
    }
    println!("{} kills: {without_store} before there was a store, {installed} with packs", kills * 2);
    assert!(without_store > 0 && installed > 0, "the test must bite");
}
