//! Damage: single flipped bytes in every file of a store, and files put back to an earlier moment.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use amparo_core::random::SeededEntropy;
use amparo_core::store::{Fault, FindingKind, Store};
use support::{Outcome, append, bodies, copy, create, flip_each, judge, key, open};

/// Bytes between flips; `AMPARO_FLIP_STEP=1` flips every one.
fn step(usual: usize) -> usize {
    std::env::var("AMPARO_FLIP_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(usual)
}

/// A store with 40 saves whose process has died: everything is still in the log.
fn died_with_forty(folder: &Path) -> Vec<Vec<u8>> {
    let live = folder.join("live");
    fs::create_dir(&live).unwrap();
    let store = create(&live);
    let saves: Vec<Vec<u8>> = (0..40_u8).map(|n| vec![n; 100]).collect();
    saves.iter().for_each(|body| {
        append(&store, body);
    });
    copy(&live, &folder.join("dead"));
    saves
}

fn tally(
    name: &str,
    folder: &Path,
    file: &str,
    usual_step: usize,
    saves: &[Vec<u8>],
) -> BTreeMap<Outcome, usize> {
    let mut tally = BTreeMap::new();
    let flips = flip_each(folder, file, 0, step(usual_step), |copy, at| {
        let outcome = judge(copy, saves);
        assert_ne!(outcome, Outcome::Silent, "{name} at byte {at}");
        *tally.entry(outcome).or_default() += 1;
    });
    println!("{name}: {flips} flips, {tally:?}");
    assert!(flips > 0);
    tally
}

#[test]
fn no_flipped_byte_of_the_log_goes_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let saves = died_with_forty(folder.path());
    let dead = folder.path().join("dead");
    let sound = folder.path().join("sound");
    copy(&dead, &sound);
    assert_eq!(judge(&sound, &saves), Outcome::Harmless, "undamaged");
    let tally = tally("log", &dead, "amparo.db-wal", 1009, &saves);
    assert!(tally.get(&Outcome::Finding).is_some_and(|n| *n > 0), "the test must bite");
}

#[test]
fn no_flipped_byte_of_the_store_goes_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    let saves: Vec<Vec<u8>> = (0..40_u8).map(|n| vec![n; 100]).collect();
    saves.iter().for_each(|body| {
        append(&store, body);
    });
    drop(store);
    let tally = tally("store", folder.path(), "amparo.db", 1009, &saves);
    assert!(!tally.contains_key(&Outcome::Harmless), "every page is sealed");
}

#[test]
fn no_flipped_byte_beside_the_store_loses_a_save() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    let saves = vec![vec![1; 100], vec![2; 100]];
    saves.iter().for_each(|body| {
        append(&store, body);
    });
    drop(store);
    let head = tally("head", folder.path(), "amparo.db.head", 1, &saves);
    assert_eq!(head.keys().collect::<Vec<_>>(), [&Outcome::Finding]);
    let canary = tally("canary", folder.path(), "amparo.db.canary", 1, &saves);
    assert_eq!(canary.keys().collect::<Vec<_>>(), [&Outcome::Harmless]);
}

#[test]
fn an_old_copy_of_the_store_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let old = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    (0..5).for_each(|n| {
        append(&store, &[n]);
    });
    let before = store.identity();
    drop(store);
    copy(folder.path(), old.path());
    let store = open(folder.path()).unwrap();
    (5..8).for_each(|n| {
        append(&store, &[n]);
    });
    drop(store);
    fs::copy(support::path(old.path()), support::path(folder.path())).unwrap();

    let store = open(folder.path()).unwrap();
    let finding = store.findings()[0];
    assert_eq!(finding.kind, FindingKind::Rollback);
    assert_eq!((finding.store.counter, finding.head.unwrap().counter), (5, 8));
    assert_eq!(bodies(&store).unwrap().len(), 5, "the rest can be read");
    let after = store.identity();
    assert_ne!((after.incarnation, after.store), (before.incarnation, before.store));
    assert_eq!((after.device, after.first_counter), (before.device, 6));
    assert_eq!(append(&store, b"on").0, 6, "and used");
    assert_eq!(store.verify().unwrap().faults, []);
    drop(store);
    assert!(folder.path().join("amparo.db.set-aside-1.head").exists());

    let store = open(folder.path()).unwrap();
    assert_eq!(store.findings(), [finding], "remembered, and not found twice");
    assert_eq!(store.identity(), after);
}

#[test]
fn lost_saves_keep_their_log() {
    let folder = tempfile::tempdir().unwrap();
    died_with_forty(folder.path());
    let dead = folder.path().join("dead");
    let log = fs::read(dead.join("amparo.db-wal")).unwrap();
    let mut flipped = log.clone();
    flipped[log.len() / 2] ^= 1;
    fs::write(dead.join("amparo.db-wal"), &flipped).unwrap();
    let store = open(&dead).unwrap();
    assert_eq!(store.findings()[0].kind, FindingKind::Rollback);
    assert!(bodies(&store).unwrap().len() < 40);
    assert_eq!(fs::read(dead.join("amparo.db.set-aside-1-wal")).unwrap(), flipped);
}

#[test]
fn two_histories_are_a_fork() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    drop(create(folder.path()));
    copy(folder.path(), other.path());
    for (folder, body) in [(&folder, b"one"), (&other, b"two")] {
        append(&open(folder.path()).unwrap(), body);
    }
    fs::copy(other.path().join("amparo.db.head"), folder.path().join("amparo.db.head")).unwrap();
    assert_eq!(open(folder.path()).unwrap().findings()[0].kind, FindingKind::Fork);
}

#[test]
fn a_missing_or_older_head_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    append(&store, b"one");
    let old = fs::read(folder.path().join("amparo.db.head")).unwrap();
    append(&store, b"two");
    drop(store);
    // Behind: what a power cut leaves, since the head file is never synced.
    fs::write(folder.path().join("amparo.db.head"), old).unwrap();
    assert_eq!(open(folder.path()).unwrap().findings(), []);
    fs::remove_file(folder.path().join("amparo.db.head")).unwrap();
    let store = open(folder.path()).unwrap();
    assert_eq!(store.findings()[0].kind, FindingKind::HeadMissing);
    drop(store);
    assert_eq!(open(folder.path()).unwrap().findings().len(), 1, "said once, kept for ever");
}

#[test]
fn a_head_changed_under_an_open_store_shows_in_verify() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    append(&store, b"one");
    assert_eq!(store.verify().unwrap().faults, []);
    fs::remove_file(folder.path().join("amparo.db.head")).unwrap();
    assert_eq!(store.verify().unwrap().faults, [Fault::Head(FindingKind::HeadMissing)]);
}

#[test]
fn a_page_put_back_is_found() {
    // SQLCipher seals pages one by one: an older version of the same page passes all of its checks.
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    append(&store, &[1; 100]);
    store.empty_log().unwrap();
    let older = fs::read(support::path(folder.path())).unwrap();
    append(&store, &[2; 100]);
    store.empty_log().unwrap();
    drop(store);
    let newer = fs::read(support::path(folder.path())).unwrap();
    assert_eq!(older.len(), newer.len());
    let mut replaced = 0;
    for (page, start) in (0..newer.len()).step_by(4096).enumerate() {
        let page_range = start..start + 4096;
        if older[page_range.clone()] == newer[page_range.clone()] {
            continue;
        }
        let scratch = tempfile::tempdir().unwrap();
        copy(folder.path(), scratch.path());
        let mut mixed = newer.clone();
        mixed[page_range.clone()].copy_from_slice(&older[page_range]);
        fs::write(support::path(scratch.path()), mixed).unwrap();
        replaced += 1;
        // Page 1 holds only SQLite's own counters, which change with every checkpoint.
        let outcome = judge(scratch.path(), &[vec![1; 100], vec![2; 100]]);
        println!("page {}: {outcome:?}", page + 1);
        assert!(
            outcome != Outcome::Silent && (page == 0 || outcome != Outcome::Harmless),
            "page {}",
            page + 1
        );
    }
    assert!(replaced >= 2);
}

#[test]
fn the_same_seed_makes_another_life_only_with_other_randomness() {
    let folder = tempfile::tempdir().unwrap();
    drop(create(folder.path()));
    let one = open(folder.path()).unwrap().identity();
    let two =
        Store::open(&support::path(folder.path()), &key(), &SeededEntropy::new(9), support::NOW).unwrap();
    assert_eq!(one, two.identity(), "opening a sound store draws no new life");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// Saves, closings, emptied logs and deaths in any order: what was acknowledged is there.
    #[test]
    fn acknowledged_saves_survive_every_death(steps in proptest::collection::vec((0_u8..8, 1_usize..5000), 1..40)) {
        let root = tempfile::tempdir().unwrap();
        let mut folder = root.path().join("0");
        fs::create_dir(&folder).unwrap();
        let mut store = create(&folder);
        let mut saves: Vec<Option<Vec<u8>>> = Vec::new();
        for (n, (step, size)) in steps.into_iter().enumerate() {
            match step {
                0 => {
                    // The process dies: what is on the disk goes on, the rest is forgotten.
                    let next = root.path().join(format!("{}", n + 1));
                    copy(&folder, &next);
                    folder = next;
                    store = open(&folder).unwrap();
                }
                1 => {
                    drop(store);
                    store = open(&folder).unwrap();
                }
                2 => store.empty_log().unwrap(),
                _ => {
                    append(&store, &vec![step; size]);
                    saves.push(Some(vec![step; size]));
                }
            }
            proptest::prop_assert_eq!(&bodies(&store).unwrap(), &saves);
            proptest::prop_assert_eq!(store.findings(), &[]);
        }
        proptest::prop_assert_eq!(store.verify().unwrap().faults, vec![]);
    }
}
