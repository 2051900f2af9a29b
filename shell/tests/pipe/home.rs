//! The shell in a data folder of its own, typed to through a pipe.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

pub(crate) const SECRET: &str = "clave sintetica de prueba";

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}{}", self.out, self.err))
    }
}

/// A data folder of its own, removed afterwards.
pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
}

impl Home {
    /// Not there yet: the first run makes it.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Made, and nothing in it.
    pub(crate) fn made() -> Self {
        let home = Self::new();
        let ran = home.run(&["list"], format!("{SECRET}\n{SECRET}\n").as_bytes());
        assert_eq!(ran.code, 5, "{}", ran.err);
        home
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        std::fs::create_dir(copy.path()).unwrap();
        for entry in std::fs::read_dir(self.path()).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, copy.path().join(from.file_name().unwrap())).unwrap();
        }
        copy
    }

    /// The packets that lie in the data folder, and what is left of writing one.
    pub(crate) fn packets(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path());
        let of_referral = |path: &PathBuf| path.file_stem().unwrap().len() == 32;
        files.filter(of_referral).collect()
    }

    /// Runs the shell with this on standard input, and nothing after it.
    pub(crate) fn run(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_amparo"))
            .arg("--home")
            .arg(self.path())
            .args(args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // The shell may end before it has read everything: a closed pipe is its right.
        let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        let ran = Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ran.err.contains("panicked") && ran.code != 101, "{args:?}: {}", ran.err);
        ran
    }

    /// Runs it with the passphrase typed first.
    pub(crate) fn typed(&self, args: &[&str], lines: &[&str]) -> Ran {
        let input: Vec<_> =
            std::iter::once(SECRET).chain(lines.iter().copied()).map(|l| format!("{l}\n")).collect();
        self.run(args, input.concat().as_bytes())
    }

    pub(crate) fn assert_whole(&self, place: &str) {
        let ran = self.typed(&["verify", "--json"], &[]);
        assert_eq!(ran.code, 0, "{place}: {}{}", ran.out, ran.err);
        let last = ran.out.lines().last().unwrap_or_default();
        let found: Value = serde_json::from_str(last).unwrap();
        assert_eq!(found["faults"], Value::Array(Vec::new()), "{place}");
        assert_eq!(found["findings"], Value::Array(Vec::new()), "{place}");
    }
}
