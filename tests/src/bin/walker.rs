//! A process to kill: works on the store of a folder and says what it was told is done.
//!
//! `walker <folder> <seed> create` makes a store and installs packs; `walker <folder> <seed> walk` goes on
//! with the open screening, or starts one, answers with seeded answers, closes, and begins again.
//! `walker <folder> <seed> together` makes eight stores at once, the first that this process sees.
//!
//! One line per call that returned `Ok`, flushed at once: `ack <what> ..`. `begin <what>` comes before a
//! call that tests aim at. A line is only true when it is whole.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use amparo_core::consent::State;
use amparo_core::device::{Device, Error, NextStep};
use amparo_core::screening::Gate;
use amparo_core::store::StoreError;
use amparo_schema::fact::{StepState, StopReason};
use amparo_schema::id::ScreeningId;
use amparo_schema::pack::policy::Purpose;
use amparo_tests::dice::Dice;
use amparo_tests::{answers, device};

/// Screenings after which a walker that nobody kills ends.
const SCREENINGS_MAX: usize = 2;
/// Stores that are made at once.
const THREADS: usize = 8;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (folder, seed, job) = (arguments.next(), arguments.next(), arguments.next());
    let (Some(folder), Some(Ok(seed))) = (folder.map(PathBuf::from), seed.map(|seed| seed.parse())) else {
        return ExitCode::from(2);
    };
    let mut dice = Dice::new(seed);
    let done = match job.as_deref() {
        Some("create") => create(&folder),
        Some("walk") => walk(&folder, &mut dice),
        Some("together") => together(&folder),
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed {error}"));
            ExitCode::FAILURE
        }
    }
}

/// One whole line in one write.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody left to tell: the test killed its own end as well.
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}

fn create(folder: &Path) -> Result<(), Error> {
    say("begin create");
    let made = if device::store(folder).exists() { device::open(folder)? } else { device::create(folder)? };
    say("ack create");
    for bytes in device::needed_packs() {
        say("begin install");
        let pack = made.install(bytes)?;
        say(&format!("ack install {}", pack.pack.hash));
    }
    Ok(())
}

/// SQLite and SQLCipher are set up by the first that opens; the others must wait for it.
fn together(folder: &Path) -> Result<(), Error> {
    let start = std::sync::Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let (own, start) = (folder.join(n.to_string()), &start);
                scope.spawn(move || {
                    // A folder that cannot be made shows as a store that cannot be.
                    let _ = std::fs::create_dir_all(&own);
                    start.wait();
                    device::create(&own).map(drop)
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or(Err(StoreError::Internal { code: 0 }.into())))
    })
}

fn walk(folder: &Path, dice: &mut Dice) -> Result<(), Error> {
    say("begin open");
    let device = device::open(folder)?;
    say("ack open");
    for _ in 0..SCREENINGS_MAX {
        let open = device.screenings()?.into_iter().find(|line| !line.closed);
        let id = match open {
            Some(line) => line.screening,
            None => {
                say("begin start");
                let checklist = dice.one(&device::CHECKLISTS).copied().unwrap_or_default();
                let id = device::start(&device, checklist)?;
                say(&format!("ack start {id}"));
                id
            }
        };
        screening(&device, id, dice)?;
    }
    Ok(())
}

fn screening(device: &Device, id: ScreeningId, dice: &mut Dice) -> Result<(), Error> {
    let found = device.screening(id)?.screening;
    if found.gate == Gate::Passed && found.consents.state(Purpose::Store, None, 0) == State::NotAsked {
        // Died between the two consents.
        ask_to_store(device, id, dice)?;
    }
    loop {
        match device.next(id)? {
            NextStep::Item(item) => {
                let question = device.question(id, &item)?;
                let answer = answers::some(&question.item, dice);
                let told = serde_json::to_string(&answer).unwrap_or_default();
                let next = device.answer(id, &item, answer)?;
                say(&format!("ack answer {id} {item} {} {told}", step(&next)));
            }
            NextStep::Gate => gate(device, id, dice)?,
            NextStep::End => return after(device, id, dice),
        }
    }
}

/// A step as one word.
fn step(next: &NextStep) -> String {
    match next {
        NextStep::Item(item) => format!("item:{item}"),
        NextStep::Gate => "gate".into(),
        NextStep::End => "end".into(),
    }
}

fn gate(device: &Device, id: ScreeningId, dice: &mut Dice) -> Result<(), Error> {
    let checks = device.gate_checks(id)?.into_iter().map(|check| check.id).collect();
    let passed = device.gate(id, &checks)? == Gate::Passed;
    say(&format!("ack gate {id}"));
    if !passed {
        device.stop(id, StopReason::Unsafe)?;
        say(&format!("ack fact {id}"));
        return Ok(());
    }
    device.consent(id, &device::plain_consent(Purpose::Talk)?)?;
    say(&format!("ack fact {id}"));
    ask_to_store(device, id, dice)
}

fn ask_to_store(device: &Device, id: ScreeningId, dice: &mut Dice) -> Result<(), Error> {
    let storing = device::plain_consent(Purpose::Store)?;
    let agrees = dice.below(4) > 0;
    if agrees {
        device.consent(id, &storing)?;
    } else {
        device.refuse_consent(id, &storing)?;
    }
    say(&format!("ack store {id} {}", if agrees { "yes" } else { "no" }));
    Ok(())
}

fn after(device: &Device, id: ScreeningId, dice: &mut Dice) -> Result<(), Error> {
    let steps = device.protocol(id)?.steps;
    if let Some(step) = steps.first().filter(|_| dice.below(2) == 0) {
        let _ = device.log_step(id, &step.step.id, StepState::Skipped { reason: "synthetic".into() })?;
        say(&format!("ack fact {id}"));
    }
    if let Some(offer) = device.contacts(id, &[])?.offers.first().filter(|_| dice.below(2) == 0) {
        device.refer(id, &offer.service.id, offer.channels.first().map(|(at, _)| *at))?;
        say(&format!("ack fact {id}"));
    }
    say(&format!("begin close {id}"));
    device.close(id)?;
    say(&format!("ack close {id}"));
    device.rest()?;
    Ok(())
}
