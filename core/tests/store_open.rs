//! Opening: each way in which a store does not open has its own answer, and no file is ever lost.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod support;

use std::fs;

use amparo_core::random::{Entropy, NoEntropy, SeededEntropy};
use amparo_core::secret::Key;
use amparo_core::store::{OpenError, Store};
use support::{NOW, append, bodies, create, files, key, open, path};

fn closed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    append(&store, b"synthetic");
    drop(store);
    folder
}

#[test]
fn a_store_comes_back() {
    let folder = closed();
    let store = open(folder.path()).unwrap();
    assert_eq!(bodies(&store).unwrap(), [Some(b"synthetic".to_vec())]);
    assert_eq!(store.findings(), []);
    assert_eq!(store.verify().unwrap().faults, []);
}

#[test]
fn missing_and_existing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open(folder.path()).unwrap_err(), OpenError::Missing);
    assert!(files(folder.path()).is_empty());
    drop(create(folder.path()));
    let before = files(folder.path());
    let again = Store::create(&path(folder.path()), &key(), &SeededEntropy::new(3), NOW);
    assert_eq!(again.unwrap_err(), OpenError::Exists);
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_store_in_use_lets_nobody_else_in() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    append(&store, b"synthetic");
    assert_eq!(open(folder.path()).unwrap_err(), OpenError::Busy);
    assert_eq!(append(&store, b"and on").0, 2);
    drop(store);
    assert_eq!(bodies(&open(folder.path()).unwrap()).unwrap().len(), 2);
}

#[test]
fn a_wrong_key_changes_nothing() {
    let folder = closed();
    let before = files(folder.path());
    for wrong in [[0; 32], [8; 32]] {
        let error = Store::open(&path(folder.path()), &Key::new(&wrong), &SeededEntropy::new(3), NOW);
        assert_eq!(error.unwrap_err(), OpenError::WrongKey);
        assert_eq!(files(folder.path()), before);
    }
    assert!(open(folder.path()).is_ok());
}

#[test]
fn a_wrong_key_does_not_touch_a_log() {
    let live = tempfile::tempdir().unwrap();
    let store = create(live.path());
    append(&store, b"in the log");
    let dead = tempfile::tempdir().unwrap();
    support::copy(live.path(), dead.path());
    let before = files(dead.path());
    assert!(before["amparo.db-wal"].len() > 4096);
    let error = Store::open(&path(dead.path()), &Key::new(&[9; 32]), &SeededEntropy::new(3), NOW);
    assert_eq!(error.unwrap_err(), OpenError::WrongKey);
    let after = files(dead.path());
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    assert_eq!(bodies(&open(dead.path()).unwrap()).unwrap().len(), 1);
}

#[test]
fn an_unencrypted_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = b"SQLite format 3\0".to_vec();
    bytes.resize(4096, 0);
    fs::write(path(folder.path()), &bytes).unwrap();
    assert_eq!(open(folder.path()).unwrap_err(), OpenError::Plaintext);
    assert_eq!(fs::read(path(folder.path())).unwrap(), bytes);
}

#[test]
fn damage_is_set_aside_and_never_recreated() {
    let damages: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes[5000 % 4096] ^= 1,
        |bytes| bytes[3] ^= 1,
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(100),
        |bytes| bytes.iter_mut().for_each(|b| *b = 0),
    ];
    for (n, damage) in damages.into_iter().enumerate() {
        let folder = closed();
        let mut bytes = fs::read(path(folder.path())).unwrap();
        damage(&mut bytes);
        fs::write(path(folder.path()), &bytes).unwrap();
        let before = files(folder.path());

        let error = open(folder.path()).unwrap_err();
        let aside = folder.path().join("amparo.db.set-aside-1");
        assert_eq!(error, OpenError::Damaged { set_aside: aside.clone() }, "damage {n}");
        let after = files(folder.path());
        for (name, bytes) in &before {
            let moved = name.replace("amparo.db", "amparo.db.set-aside-1");
            assert_eq!(after.get(&moved), Some(bytes), "damage {n}: {name}");
        }
        assert_eq!(open(folder.path()).unwrap_err(), OpenError::Missing, "nothing in its place");

        // A new store may be made, and a second disaster does not run over the first.
        append(&create(folder.path()), b"new");
        fs::write(path(folder.path()), b"broken again").unwrap();
        assert_eq!(
            open(folder.path()).unwrap_err(),
            OpenError::Damaged { set_aside: folder.path().join("amparo.db.set-aside-2") }
        );
        assert_eq!(fs::read(aside).unwrap(), bytes);
    }
}

#[test]
fn a_store_set_aside_can_be_opened_where_it_is() {
    let folder = closed();
    let sound = fs::read(path(folder.path())).unwrap();
    fs::write(path(folder.path()), b"damaged").unwrap();
    let Err(OpenError::Damaged { set_aside }) = open(folder.path()) else { panic!() };
    fs::write(&set_aside, sound).unwrap();
    let store = Store::open(&set_aside, &key(), &SeededEntropy::new(2), NOW).unwrap();
    assert_eq!(store.findings(), []);
    assert_eq!(bodies(&store).unwrap().len(), 1);
}

#[test]
fn without_a_canary_nothing_is_moved() {
    let folder = closed();
    let sound = fs::read(path(folder.path())).unwrap();
    fs::remove_file(folder.path().join("amparo.db.canary")).unwrap();
    fs::write(path(folder.path()), b"damaged").unwrap();
    assert_eq!(open(folder.path()).unwrap_err(), OpenError::Unreadable);
    assert_eq!(fs::read(path(folder.path())).unwrap(), b"damaged");
    fs::write(path(folder.path()), sound).unwrap();
    drop(open(folder.path()).unwrap());
    assert!(folder.path().join("amparo.db.canary").exists(), "made again by a key that fits");
}

#[test]
fn a_canary_of_another_key_cannot_lock_a_store() {
    let (folder, other) = (closed(), tempfile::tempdir().unwrap());
    drop(Store::create(&path(other.path()), &Key::new(&[1; 32]), &SeededEntropy::new(4), NOW).unwrap());
    let canary = folder.path().join("amparo.db.canary");
    let own = fs::read(&canary).unwrap();
    fs::copy(other.path().join("amparo.db.canary"), &canary).unwrap();
    drop(open(folder.path()).unwrap());
    assert_eq!(fs::read(&canary).unwrap(), own);
}

#[test]
fn leftovers_of_a_lost_store_are_set_aside() {
    let folder = closed();
    fs::remove_file(path(folder.path())).unwrap();
    let head = fs::read(folder.path().join("amparo.db.head")).unwrap();
    let store = create(folder.path());
    assert_eq!(store.findings(), []);
    assert_eq!(fs::read(folder.path().join("amparo.db.set-aside-1.head")).unwrap(), head);
}

#[test]
fn nothing_readable_lies_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    let secret = b"synthetic words that nobody may find";
    append(&store, secret);
    for (name, bytes) in files(folder.path()) {
        assert!(!bytes.windows(12).any(|w| secret.windows(12).any(|s| s == w)), "{name}");
        assert!(!bytes.windows(12).any(|w| w == b"CREATE TABLE"), "{name}");
    }
}

#[test]
fn no_randomness_makes_no_store() {
    struct Dry;
    impl Entropy for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
            Err(NoEntropy)
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let error = Store::create(&path(folder.path()), &key(), &Dry, NOW).unwrap_err();
    assert_eq!(error, OpenError::NoEntropy(NoEntropy));
    assert!(files(folder.path()).is_empty());
}
