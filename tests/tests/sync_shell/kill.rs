//! A syncing shell that is killed at random loses nothing and sends nothing twice.
//!
//! `AMPARO_SYNC_KILLS` sets how many kills, `AMPARO_SEED` where randomness starts; both are printed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use amparo_tests::dice::Dice;

use crate::field::{Field, desks, headquarters, invite};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_killed_sync_goes_on_and_everything_arrives_once() {
    let (kills, seed) = (number("AMPARO_SYNC_KILLS", 12), number("AMPARO_SEED", 20_261_122));
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
    let whole = u64::try_from(begun.elapsed().as_millis()).unwrap();
    println!("{kills} kills, seed {seed}, a sync takes {whole} ms");
    let mut killed = 0;
    for _ in 0..kills {
        made.push(field.screen());
        let mut child = field.begin(&["sync"]);
        // Most of the time goes by before the link is used: that part is aimed at less.
        let late = dice.below(usize::try_from(whole / 2 + whole / 4 + 1).unwrap());
        let aim = whole / 2 + u64::try_from(late).unwrap();
        std::thread::sleep(Duration::from_millis(aim));
        child.kill().unwrap();
        killed += u64::from(!child.wait().unwrap().success());
    }
    field.json(0, &["sync"]);
    println!("{killed} of {kills} were killed before their end");
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
            crate::is_whole(&office.case(made.case).unwrap(), made);
        }
        assert_eq!(office.pull().unwrap(), (0, 0));
        assert_eq!(office.desk().status().unwrap().forks, []);
    }
}
