//! Real time over shaped links: few screenings, all links at once, each with sides of its own.

use std::thread::JoinHandle;
use std::time::Duration;

use crate::Fallible;
use crate::field::Facts;
use crate::link::{Link, PROFILES, Profile};
use crate::ours::Ours;
use crate::theirs::{Payload, Theirs};

/// Screenings in each sync over each link.
const PLAN: [usize; 4] = [1, 1, 1, 10];
/// One more sync of ours over the slowest link: its upload takes longer than any wait of the shell between two pieces.
const LONG: usize = 20;

/// Syncs of one kind over one link, summed.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The link.
    pub profile: Profile,
    /// Who.
    pub who: &'static str,
    /// Screenings in each sync.
    pub batch: usize,
    /// Syncs.
    pub syncs: u32,
    /// By the clock on the wall; none if it was given up, and why.
    pub took: Result<Duration, String>,
    /// By bytes, rate and round trips, a connection being one; seconds.
    pub computed: f64,
}

type Sent = Result<(Duration, u64), String>;

/// A sync of so many screenings over a link.
trait Side {
    fn send(&mut self, from: usize, count: usize) -> Sent;
    fn link(&self) -> &Link;
}

impl Side for Ours {
    fn send(&mut self, _: usize, count: usize) -> Sent {
        Ours::send(self, count).map_err(|why| why.to_string())
    }

    fn link(&self) -> &Link {
        &self.link
    }
}

impl Side for (Theirs, Vec<Facts>) {
    fn send(&mut self, from: usize, count: usize) -> Sent {
        let (theirs, facts) = self;
        let facts = facts.get(from..from + count).unwrap_or_default();
        theirs.send(facts, Payload::Facts).map_err(|why| why.to_string())
    }

    fn link(&self) -> &Link {
        &self.0.link
    }
}

/// Measures all links at once. The facts are those of the first screenings that any device of ours makes.
pub fn measure(facts: &[Facts]) -> Fallible<Vec<Measured>> {
    let mut running: Vec<JoinHandle<Result<Vec<Measured>, String>>> = Vec::new();
    for profile in PROFILES {
        let slow = PROFILES.iter().all(|other| profile.rate <= other.rate);
        running.push(std::thread::spawn(move || {
            let plan: Vec<usize> = PLAN.into_iter().chain(slow.then_some(LONG)).collect();
            let side = Ours::new(Some(profile)).map_err(|why| why.to_string())?;
            Ok(over(profile, "Amparo", side, &plan))
        }));
        let facts = facts.to_vec();
        running.push(std::thread::spawn(move || {
            let theirs = Theirs::new(Some(profile)).map_err(|why| why.to_string())?;
            Ok(over(profile, "TaskChampion", (theirs, facts), &PLAN))
        }));
    }
    let mut measured = Vec::new();
    for thread in running {
        measured.extend(thread.join().map_err(|_| "a thread failed")??);
    }
    Ok(measured)
}

fn over(profile: Profile, who: &'static str, mut side: impl Side, plan: &[usize]) -> Vec<Measured> {
    let (mut all, mut from) = (Vec::<Measured>::new(), 0);
    for batch in plan.iter().copied() {
        let before = side.link().traffic();
        let sent = side.send(from, batch);
        from += batch;
        let traffic = side.link().traffic() - before;
        let trips = sent.as_ref().map_or(0, |(_, requests)| *requests) + traffic.connections;
        let computed = profile.seconds(traffic.bytes() as f64, trips as f64);
        let took = sent.map(|(took, _)| took);
        eprintln!("{}: {who}, {batch} in one sync: {took:?}, computed {computed:.1} s", profile.name);
        let failed = took.is_err();
        match all.last_mut().filter(|last| last.batch == batch) {
            Some(last) => {
                last.syncs += 1;
                last.computed += computed;
                last.took = last.took.clone().and_then(|sum| took.map(|took| sum + took));
            }
            None => all.push(Measured { profile, who, batch, syncs: 1, took, computed }),
        }
        if failed {
            break;
        }
    }
    all
}
