//! I3 on one machine: a relay killed with SIGKILL at any moment can read back all that its receipts counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::print_stdout, reason = "the child tells its parent")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use amparo_hq::storage::sqlite::Sqlite;
use common::{Desk, Phone, push, receipt, relay, sealed_hashes, segment, told};

const FILE: &str = "AMPARO_TEST_KILLED_STORE";
const ROUNDS: usize = 12;

#[test]
#[ignore = "this is the process that the other test kills"]
fn the_killed_one() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let hq = relay(|settings| settings.group = 2);
    let mut storage = Sqlite::open(file.as_ref(), None).unwrap();
    let desk = Desk::registered(20, &hq, &mut storage);
    let mut phone = Phone::new(3);
    let stored = told(&hq, &mut storage, &phone).stored;
    // The phone seals the same bytes again up to where headquarters is.
    loop {
        let (one, two) = (phone.seal(), phone.seal());
        let mut frames = vec![segment(&one), segment(&two), phone.give(&one, &desk), phone.give(&two, &desk)];
        frames.push(phone.hello(None, vec![]));
        if phone.number > stored {
            let said = receipt(&hq, &push(&hq, &mut storage, &frames)).0;
            println!("\nstored {} {}", said.stored, said.disclosures);
        }
    }
}

#[test]
fn i3_what_a_receipt_counts_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("killed.db");
    let hq = relay(|_| {});
    let mut storage = Sqlite::open(&file, None).unwrap();
    Phone::enrolled(3, &hq, &mut storage);
    drop(storage);
    let mut last = (0, 0);
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["the_killed_one", "--exact", "--ignored", "--nocapture"])
            .env(FILE, &file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut told_lines = lines.filter_map(|line| {
            let (stored, disclosures) = line.strip_prefix("stored ")?.split_once(' ')?;
            Some((stored.parse::<u64>().ok()?, disclosures.parse::<u64>().ok()?))
        });
        for _ in 0..=round % 4 {
            last = told_lines.next().expect("the child tells");
        }
        // A little later, at another moment each time.
        std::thread::sleep(std::time::Duration::from_micros(700 * round as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        last = told_lines.last().unwrap_or(last);

        let mut storage = Sqlite::open(&file, None).unwrap();
        let said = told(&hq, &mut storage, &Phone::new(3));
        assert!((said.stored, said.disclosures) >= last, "{said:?} after {last:?}");
        let mut desk = Desk::registered(20, &hq, &mut storage);
        let mut given = 0;
        loop {
            let page = desk.pull(&hq, &mut storage);
            if page.is_empty() {
                break;
            }
            given += sealed_hashes(&page).len() as u64;
        }
        assert!(given >= said.disclosures.min(said.stored), "every grant finds its segment");
    }
    assert!(last.0 > ROUNDS as u64);
}
