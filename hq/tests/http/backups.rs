//! Backups and restores as operators make them.

use std::path::Path;
use std::process::Command;

use amparo_hq::relay::{Checkpoint, Relay};
use amparo_hq::storage::sqlite::Sqlite;
use serde_json::{Value, json};

use crate::process::{Hq, mode};

impl Hq {
    fn text(&self, name: &str) -> String {
        self.file(name).to_str().unwrap().to_owned()
    }

    /// A backup on the same disk, as a test has no other.
    fn back_up(&self, name: &str) -> Value {
        self.json(&["backup", "--same-disk", &self.text(name)])
    }

    /// Tickets, each a leaf of the log.
    fn tickets(&self, count: usize) {
        for _ in 0..count {
            self.json(&["enrol", "--agency", "agency-a"]);
        }
    }

    fn code(&self, words: &[&str]) -> Option<i32> {
        self.run(words).status.code()
    }
}

fn root(file: &Path) -> Checkpoint {
    let relay: Relay = crate::common::relay(|_| {});
    relay.checkpoint(&mut Sqlite::look(file).unwrap()).unwrap()
}

#[test]
fn after_a_restore_only_backups_of_this_life_say_what_devices_may_let_go_of() {
    let hq = Hq::made();
    for (name, leaves) in [("b1", 2), ("b2", 2), ("b3", 2)] {
        hq.tickets(leaves);
        hq.back_up(name);
    }
    assert_eq!(root(&hq.file("b2")).size, 4);
    // The four tickets since come along, so that the log is as long as that of b3, but another.
    hq.json(&["restore", &hq.text("b1")]);
    let told = hq.back_up("b4");
    assert_eq!((&told["log_size"], &told["oldest_log_size"]), (&json!(6), &json!(2)), "b1 and b4");
    assert_ne!(root(&hq.file("b3")), root(&hq.file("b4")));
    assert_eq!(told["to_destroy"], json!([hq.text("b2"), hq.text("b3")]));
    hq.tickets(3);
    let told = hq.json(&["backup", "--same-disk", "--keep", "2", &hq.text("b5")]);
    assert_eq!((&told["log_size"], &told["oldest_log_size"]), (&json!(9), &json!(6)));
    assert_eq!(told["to_destroy"], json!([hq.text("b1")]));
}

#[test]
fn a_backup_on_the_stores_own_disk_makes_nothing_durable_until_it_was_copied_away() {
    let hq = Hq::made();
    hq.tickets(2);
    assert_eq!(hq.code(&["backup", &hq.text("b")]), Some(2));
    assert!(!hq.file("b").exists());
    let told = hq.back_up("b");
    assert_eq!((&told["durable"], mode(&hq.file("b"))), (&json!(false), 0o600));
    let counts = |hq: &Hq| {
        let status = hq.json(&["status"]);
        (status["newest_backup"].clone(), status["oldest_backup"].clone())
    };
    assert_eq!(counts(&hq), (json!(0), json!(0)));
    let note = told["note"].as_str().unwrap();
    let words = note.split('`').nth(1).unwrap().strip_prefix("amparo-hq ").unwrap();
    hq.json(&words.split(' ').collect::<Vec<_>>());
    assert_eq!(counts(&hq), (json!(2), json!(2)));
}

/// The memory of Linux is another disk than a test's folder.
#[cfg(target_os = "linux")]
#[test]
fn a_backup_elsewhere_is_durable_and_none_on_the_same_disk_takes_its_place() {
    let hq = Hq::made();
    let other = tempfile::tempdir_in("/dev/shm").unwrap();
    for (n, oldest) in [(1, 1), (2, 1), (3, 1), (4, 2)] {
        hq.tickets(1);
        let file = other.path().join(format!("away {n}"));
        let told = hq.json(&["backup", file.to_str().unwrap()]);
        assert_eq!((&told["durable"], &told["note"], mode(&file)), (&json!(true), &Value::Null, 0o600));
        let gone = if n == 4 { json!([other.path().join("away 1")]) } else { json!([]) };
        assert_eq!((&told["log_size"], &told["to_destroy"]), (&json!(n), &gone));
        let status = hq.json(&["status"]);
        assert_eq!((&status["newest_backup"], &status["oldest_backup"]), (&json!(n), &json!(oldest)));
    }
    for n in 5..9 {
        hq.tickets(1);
        let told = hq.back_up(&format!("here {n}"));
        let gone = if n == 8 { json!([hq.text("here 5")]) } else { json!([]) };
        assert_eq!((&told["to_destroy"], &told["oldest_log_size"]), (&gone, &json!(2)));
        let status = hq.json(&["status"]);
        assert_eq!((&status["newest_backup"], &status["oldest_backup"]), (&json!(4), &json!(2)));
    }
    // Restored from elsewhere, as after the loss of the machine's disk.
    let told = hq.json(&["restore", other.path().join("away 4").to_str().unwrap()]);
    assert_eq!((&told["tickets_kept"], &hq.json(&["status"])["log_size"]), (&json!(4), &json!(8)), "{told}");
}

/// SQLite makes files by the umask; whoever watches the folder would read it before its mode is set.
#[test]
fn a_backup_is_never_for_others_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("store"), None).unwrap();
    store.back_up(&folder.path().join("copy")).unwrap();
    assert_eq!(mode(&folder.path().join("copy")), 0o600);
}

#[test]
fn only_a_whole_backup_of_this_headquarters_is_put_in_place() {
    let hq = Hq::made();
    hq.back_up("nothing in it");
    hq.tickets(1);
    hq.back_up("good");
    let other = Hq::made();
    other.tickets(1);
    other.back_up("foreign");
    std::fs::write(hq.file("empty"), b"").unwrap();
    let mut torn = std::fs::read(hq.file("good")).unwrap();
    let middle = torn.len() / 2;
    torn[middle..middle + 3_000].fill(0x5a);
    std::fs::write(hq.file("torn"), torn).unwrap();
    drop(Sqlite::open(&hq.file("of no headquarters"), None).unwrap());
    hq.tickets(1);
    let bad = ["none", "empty", "torn", "nothing in it", "of no headquarters"].map(|name| hq.text(name));
    for file in bad.iter().chain([&other.text("foreign")]) {
        let done = hq.run(&["restore", file]);
        assert_eq!(done.status.code(), Some(1), "{file}");
        assert_eq!(hq.json(&["status"])["log_size"], 2, "{file}");
        assert!(!hq.file("hq/store.restored").exists(), "{file}");
    }
    let told = hq.json(&["restore", &hq.text("good")]);
    assert_eq!(told["restored_log_size"], 1);
    assert_eq!(hq.json(&["status"])["log_size"], 2, "the ticket since came along");
    // What was there is whole where it was put.
    let before = Path::new(told["before"].as_str().unwrap()).join("relay.db");
    assert_eq!(
        crate::common::relay(|_| {}).checkpoint(&mut Sqlite::open(&before, None).unwrap()).unwrap().size,
        2
    );
}

#[test]
fn nothing_works_with_a_store_that_a_restore_moves_and_one_that_was_cut_is_done_again() {
    let hq = Hq::made();
    hq.tickets(1);
    hq.back_up("b");
    let alone = std::fs::File::options().write(true).open(hq.file("hq/store.lock")).unwrap();
    alone.lock().unwrap();
    let device = "00".repeat(16);
    for words in [
        &["status"][..],
        &["revoke", &device],
        &["enrol", "--agency", "agency-a"],
        &["backup", "--same-disk", &hq.text("c")],
        &["carry", &hq.text("b"), "--out", &hq.text("out")],
    ] {
        let done = hq.run(words);
        assert_eq!(done.status.code(), Some(1), "{words:?}");
        assert!(String::from_utf8(done.stderr).unwrap().contains("another process"), "{words:?}");
    }
    drop(alone);
    // As a crash between the two moves leaves it.
    std::fs::rename(hq.file("hq/store"), hq.file("hq/store.before-restore-1")).unwrap();
    std::fs::create_dir(hq.file("hq/store.restored")).unwrap();
    let done = hq.run(&["status"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8(done.stderr).unwrap().contains("run `restore` again"));
    hq.json(&["restore", &hq.text("b")]);
    assert_eq!(hq.json(&["status"])["log_size"], 1);
    // Two backups at once take turns at the list.
    let turn = std::fs::File::options().write(true).open(hq.file("hq/backup.lock")).unwrap();
    turn.lock().unwrap();
    assert_eq!(hq.code(&["backup", "--same-disk", &hq.text("d")]), Some(1));
}

#[test]
fn a_folder_without_keys_is_said_to_be_one_and_stays_as_it_is() {
    let hq = Hq::new();
    std::fs::write(hq.file("b"), b"").unwrap();
    for words in [&["serve"][..], &["restore", &hq.text("b")], &["status"]] {
        let done = hq.run(words);
        assert_eq!(done.status.code(), Some(4), "{words:?}");
        assert!(String::from_utf8(done.stderr).unwrap().contains("init"), "{words:?}");
    }
    assert!(!hq.file("hq").exists());
    // A shared folder stays open to those who work in it.
    std::fs::create_dir(hq.file("shared")).unwrap();
    assert!(Command::new("chmod").arg("755").arg(hq.file("shared")).status().unwrap().success());
    hq.json(&["init"]);
    std::fs::write(hq.file("volume"), b"no volume").unwrap();
    assert_eq!(hq.code(&["carry", &hq.text("volume"), "--out", &hq.text("shared")]), Some(3));
    assert_eq!(mode(&hq.file("shared")), 0o755);
    assert_eq!((mode(&hq.file("hq")), mode(&hq.file("hq/store"))), (0o700, 0o700));
}

#[test]
fn a_restore_says_what_it_took_back_again_and_what_is_left_to_people() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let stolen = hq.enrolled(61, serving.address).device.to_string();
    serving.terminate();
    assert!(serving.wait());
    hq.back_up("b");
    hq.json(&["revoke", &stolen]);
    hq.tickets(1);
    let told = hq.json(&["restore", &hq.text("b")]);
    assert_eq!(told["revoked_again"], json!([stolen]));
    assert_eq!(told["by_hand"], json!([]), "its ticket came along");
    assert_eq!(hq.json(&["devices"])[0]["revoked"], true);
    // A store that does not open any more tells nothing; people are told that.
    std::fs::write(hq.file("hq/store/relay.db"), b"no database").unwrap();
    let told = hq.json(&["restore", &hq.text("b")]);
    assert!(told["by_hand"][1].as_str().unwrap().contains("revoke"));
    assert_eq!(hq.json(&["devices"])[0]["revoked"], false);
}
