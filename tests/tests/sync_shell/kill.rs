//! A syncing shell that is killed at random loses nothing and sends nothing twice.
//!
//! Killed once its passphrase was right: ten kills in a row while one is tried destroy the key, as they must, for an
//! attempt counts before it is known to be wrong. `AMPARO_KILLS` sets how many kills, `AMPARO_SEED` where randomness starts; both are printed.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::time::{Duration, Instant};

use amparo_tests::dice::Dice;

use crate::field::{Field, desks, headquarters, invite};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A sync that has its key, and goes on.
fn begun(field: &Field) -> Child {
    let attempts = || std::fs::read_to_string(field.file("home/key.attempts")).unwrap();
    let mut child = field.begin(&["sync"]);
    for counted in [true, false] {
        while (attempts().trim() != "0") != counted && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    child
}

#[test]
fn a_killed_sync_goes_on_and_everything_arrives_once() {
    let (kills, seed) = (number("AMPARO_KILLS", 12), number("AMPARO_SEED", 20_261_122));
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let hq = headquarters(folder.path());
    let offices = tempfile::tempdir().unwrap();
    let (mut custodian, mut agency) = desks(offices.path(), &hq);
    let field = Field::new();
    field.enrol(&invite(&hq));
    let mut made = vec![field.screen()];
    let mut child = begun(&field);
    let since = Instant::now();
    assert!(child.wait().unwrap().success());
    let mut whole = since.elapsed();
    println!("{kills} kills, seed {seed}, a sync takes {} ms", whole.as_millis());
    let (mut killed, mut rounds, mut reached) = (0, 0, 0);
    while killed < kills {
        rounds += 1;
        assert!(rounds <= 100 + 10 * kills, "{killed} of {rounds} were killed before their end");
        made.push(field.screen());
        let before = hq.status().unwrap().segments;
        let mut child = begun(&field);
        std::thread::sleep(whole * u32::try_from(dice.below(1_000)).unwrap() / 1_000);
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        if ended.success() {
            // The machine is faster than it was.
            whole = whole * 98 / 100;
        } else {
            assert_eq!(ended.signal(), Some(9), "it ended by itself");
            killed += 1;
            reached += u64::from(hq.status().unwrap().segments > before);
            whole = whole * 101 / 100;
        }
    }
    field.json(0, &["sync"]);
    println!("{killed} of {rounds} were killed before their end, {reached} when something had arrived");
    assert!(reached > 0 || kills < 12, "it must bite");
    let status = field.json(0, &["status"]);
    assert_eq!(status["waiting_segments"], 0);
    let levels = status["screenings"].as_array().unwrap();
    assert!(levels.len() == made.len() && levels.iter().all(|line| line["level"] == "stored"), "{status}");
    let (segments, _) = custodian.pull().unwrap();
    let held = hq.status().unwrap();
    assert_eq!((held.segments, held.aside, held.chains, held.epoch), (segments, 0, 1, 0));
    agency.pull().unwrap();
    let wanted: BTreeSet<_> = made.iter().map(|made| made.case).collect();
    for office in [&mut custodian, &mut agency] {
        let cases: BTreeSet<_> = office.desk().cases().unwrap().into_iter().collect();
        assert_eq!(cases, wanted);
        for made in &made {
            crate::is_whole(&office.case(made.case).unwrap(), made);
        }
        assert_eq!(office.pull().unwrap(), (0, 0));
        assert_eq!(office.desk().status().unwrap().forks, []);
    }
}
