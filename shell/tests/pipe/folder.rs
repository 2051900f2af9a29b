//! The data folder: a store that is damaged, gone or was never finished, modes, and a key that was destroyed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::home::{Home, SECRET};

#[test]
fn a_store_that_is_gone_is_not_replaced_by_an_empty_one() {
    let home = Home::made().copy();
    std::fs::remove_file(home.path().join("store.db")).unwrap();
    for words in [&["list"][..], &["verify"]] {
        let ran = home.typed(words, &[]);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(!home.path().join("store.db").exists());
    }
}

#[test]
fn a_damaged_store_is_not_replaced_by_an_empty_one() {
    let made = Home::made();
    let whole = std::fs::read(made.path().join("store.db")).unwrap();
    let mut flipped = whole.clone();
    flipped[10] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() / 2], &whole[..100]] {
        let home = made.copy();
        std::fs::write(home.path().join("store.db"), damaged).unwrap();
        let first = home.typed(&["list"], &[]);
        let aside = home.path().join("store.db.set-aside-1");
        // What can still be read in part is not set aside, and says itself what is wrong.
        if !aside.exists() {
            assert_ne!(home.typed(&["verify"], &[]).code, 0);
            continue;
        }
        for (lang, words) in [("es", "avise a la sede"), ("en", "tell headquarters")] {
            let ran = home.typed(&["verify", "--lang", lang], &[]);
            assert_eq!((first.code, ran.code), (1, 1), "{}{}", ran.out, ran.err);
            assert!(ran.err.contains(words) && ran.err.contains(aside.to_str().unwrap()), "{}", ran.err);
            assert!(!home.path().join("store.db").exists());
        }
        assert!(first.err.contains(aside.to_str().unwrap()), "{}", first.err);
        // Put back whole, with what was set aside beside it: all is there.
        for suffix in ["", ".head", ".canary"] {
            let beside = |name: &Path| PathBuf::from(format!("{}{suffix}", name.display()));
            let there = beside(&made.path().join("store.db"));
            std::fs::copy(there, beside(&home.path().join("store.db"))).unwrap();
        }
        home.assert_whole("put back");
    }
}

/// Killed around the moment when the store gets its name, a first run is gone on with: nobody was told of a store.
#[test]
fn a_first_run_that_is_killed_locks_nobody_out() {
    let home = Home::made().copy();
    std::fs::rename(home.path().join("store.db"), home.path().join("store.db.new")).unwrap();
    assert_eq!(home.typed(&["list"], &[]).code, 5);
    home.assert_whole("unfinished");
    for awaited in ["key.json", "store.db.new", "store.db.canary", "store.db.head", "store.db"] {
        let home = Home::new();
        let mut child = Command::new(env!("CARGO_BIN_EXE_amparo"))
            .args(["--home", home.path().to_str().unwrap(), "list"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(format!("{SECRET}\n{SECRET}\n").as_bytes()).unwrap();
        while !home.path().join(awaited).exists() && child.try_wait().unwrap().is_none() {}
        child.kill().unwrap();
        child.wait().unwrap();
        let ran = home.typed(&["list"], &[]);
        assert_eq!(ran.code, 5, "{awaited}: {}{}", ran.out, ran.err);
        home.assert_whole(awaited);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_was_there_keeps_its_mode_and_the_store_is_still_private() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let home = Home::new();
    std::fs::create_dir(home.path()).unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(home.run(&["list"], b"").code, 6);
    assert_eq!(home.run(&["list"], format!("{SECRET}\n{SECRET}\n").as_bytes()).code, 5);
    assert_eq!(mode(&home.path()), 0o755);
    for name in ["store.db", "store.db.head", "store.db.canary", "key.json", "key.attempts"] {
        assert_eq!(mode(&home.path().join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&Home::made().path()), 0o700, "one that was made here");
}

#[test]
fn ten_wrong_passphrases_lock_for_good() {
    let home = Home::made();
    let packet = home.path().join(format!("{}.json", "a".repeat(32)));
    std::fs::write(&packet, "synthetic").unwrap();
    let wrong = "no es esta\n".repeat(12);
    let ran = home.run(&["list"], wrong.as_bytes());
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(!ran.err.contains("no es esta") && !ran.out.contains("no es esta"));
    for left in (1..=9).rev() {
        assert!(ran.out.contains(&format!(": {left}")), "{}", ran.out);
    }
    assert!(!packet.exists() && ran.err.contains("se perdió"), "{}", ran.err);
    assert_eq!(home.typed(&["list"], &[]).code, 4, "the right one comes too late");
    assert!(Path::new(&home.path()).join("store.db").exists(), "the store itself is not deleted");
    // Nine wrong ones and the right one: open, and the count begins anew.
    let home = Home::made();
    for _ in 0..2 {
        let nine = format!("{}{SECRET}\n", "no es esta\n".repeat(9));
        assert_eq!(home.run(&["list"], nine.as_bytes()).code, 5);
    }
}
