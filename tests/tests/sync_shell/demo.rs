//! The demonstration tells every step in both languages and leaves nothing behind.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

fn demo(temp: &std::path::Path, lang: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_amparo-under-test"));
    command.args(["--lang", lang, "demo"]).env("TMPDIR", temp).current_dir(temp);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_demonstration_goes_to_its_end_and_cleans_up() {
    for (lang, words) in [
        ("es", ["[12/12]", "ACEPTADA", "AVISO de", "en el cable: 0 veces", "Todo se borró"]),
        ("en", ["[12/12]", "ACCEPTED", "NOTE from", "on the wire: 0 times", "All was removed"]),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let done = demo(temp.path(), lang).output().unwrap();
        let told = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success(), "{told}\n{}", String::from_utf8_lossy(&done.stderr));
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
    }
}

#[test]
fn ctrl_c_ends_the_demonstration_and_it_cleans_up() {
    let temp = tempfile::tempdir().unwrap();
    let mut child = demo(temp.path(), "en").spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    // By then the server has answered, so that it listens to ctrl-c too.
    while !line.starts_with("[4/") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0);
    }
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut out, &mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(6), "{rest}");
    assert!(!rest.contains("[12/12]"), "{rest}");
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
}
