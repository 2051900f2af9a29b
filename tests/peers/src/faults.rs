//! Real HTTP over links that fail: cut in the middle, or silent for ever, and then whole again.

use std::time::Duration;

use crate::Fallible;
use crate::cost::timed;
use crate::field::Facts;
use crate::link::Fault;
use crate::ours::{Ours, done};
use crate::theirs::{Payload, Theirs};

/// Screenings in each sync.
pub const BATCH: usize = 10;
/// A handful; the exhaustive ones are in memory. Silence comes last, for it takes longest.
const FAULTS: [Fault; 4] = [Fault::None, Fault::Cut(2_000), Fault::Cut(6_000), Fault::Dead(4_000)];

/// What one fault cost one side.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Who.
    pub who: &'static str,
    /// What befell the first sync.
    pub fault: Fault,
    /// Until whoever syncs knew.
    pub told: Duration,
    /// Bytes up of both syncs.
    pub up: u64,
    /// The same of a sync that nothing befalls.
    pub whole: u64,
    /// Whether the second one brought everything.
    pub then: bool,
}

/// Every fault for both sides.
pub fn everywhere(facts: &[Facts]) -> Fallible<Vec<Failed>> {
    let few: Vec<Facts> = facts.iter().take(BATCH).cloned().collect();
    let theirs = std::thread::spawn(move || theirs(&few).map_err(|why| why.to_string()));
    let mut all = ours()?;
    all.extend(theirs.join().map_err(|_| "a thread failed")??);
    Ok(all)
}

fn ours() -> Fallible<Vec<Failed>> {
    let (mut ours, mut all, mut whole) = (Ours::new(None)?, Vec::new(), 0);
    for fault in FAULTS {
        (0..BATCH).try_for_each(|_| ours.field.screen().map(drop))?;
        let before = ours.link.traffic();
        ours.link.fault(fault);
        let (told, sent) = timed(|| ours.sync());
        let broke = done(&sent?.0).is_err();
        ours.link.fault(Fault::None);
        if fault == Fault::None {
            whole = (ours.link.traffic() - before).up;
            continue;
        }
        let then = done(&ours.sync()?.0).is_ok();
        let up = (ours.link.traffic() - before).up;
        all.push(Failed { who: "Amparo", fault, told, up, whole, then: then && broke });
    }
    Ok(all)
}

fn theirs(facts: &[Facts]) -> Fallible<Vec<Failed>> {
    let (mut theirs, mut all, mut whole) = (Theirs::new(None)?, Vec::new(), 0);
    for fault in FAULTS {
        theirs.keep(facts, Payload::Facts)?;
        let before = theirs.link.traffic();
        let mut client = theirs.client()?;
        theirs.link.fault(fault);
        let (told, sent) = timed(|| theirs.sync(&mut client));
        theirs.link.fault(Fault::None);
        if fault == Fault::None {
            whole = (theirs.link.traffic() - before).up;
            continue;
        }
        let mut client = theirs.client()?;
        let then = theirs.sync(&mut client).is_ok();
        let up = (theirs.link.traffic() - before).up;
        all.push(Failed { who: "TaskChampion", fault, told, up, whole, then: then && sent.is_err() });
    }
    Ok(all)
}
