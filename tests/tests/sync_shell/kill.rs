//! A syncing shell that is killed at random loses nothing and sends nothing twice.
//!
//! `AMPARO_KILLS` sets how many kills, `AMPARO_SEED` where randomness starts; both are printed.

use std::collections::BTreeSet;
use std::time::Instant;

use amparo_tests::dice::Dice;

use crate::field::{Field, desks, headquarters, invite};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
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
    let begun = Instant::now();
    field.expect(0, &["sync"]);
    let mut whole = begun.elapsed();
    println!("{kills} kills, seed {seed}, a sync takes {} ms", whole.as_millis());
    let (mut killed, mut rounds, mut reached) = (0, 0, 0);
    while killed < kills {
        rounds += 1;
        assert!(rounds <= 100 + 10 * kills, "{killed} of {rounds} were killed before their end");
        made.push(field.screen());
        let before = hq.status().unwrap().segments;
        let mut child = field.begin(&["sync"]);
        // Most of the time goes by before the link is used: that part is aimed at less.
        let late = u32::try_from(dice.below(1_000)).unwrap();
        std::thread::sleep(whole / 2 + whole * late / 2_000);
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            // The machine is faster than it was.
            whole = whole * 98 / 100;
        } else {
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
    for made in &made {
        assert_eq!(field.level(made.screening), "stored");
    }
    let (segments, _) = custodian.pull().unwrap();
    let held = hq.status().unwrap();
    assert_eq!((held.segments, held.aside, held.chains, held.epoch), (segments, 0, 1, 0));
    agency.pull().unwrap();
    let wanted: BTreeSet<_> = made.iter().map(|made| made.case).collect();
    for office in [&mut custodian, &mut agency] {
        let cases: BTreeSet<_> = office.desk().cases().unwrap().into_iter().collect();
        assert_eq!(cases, wanted);
        for made in &made {
            crate::is_whole(&office.desk().case(made.case).unwrap(), made);
        }
        assert_eq!(office.pull().unwrap(), (0, 0));
        assert_eq!(office.desk().status().unwrap().forks, []);
    }
}
