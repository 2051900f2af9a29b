//! The shell's own binary, run in a data folder; whatever it runs, no secret and no canary is told.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use amparo_tests::canary::{Canary, sightings};

use super::{PASSPHRASE, WRONG, no_log_lines, pack_with_text, planted, text};

/// The shell's binary in a data folder, with a temporary folder of its own.
pub(crate) struct Shell {
    pub(crate) root: tempfile::TempDir,
}

impl Shell {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home", "temp"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        std::fs::write(root.path().join("right"), format!("{PASSPHRASE}\n")).unwrap();
        std::fs::write(root.path().join("wrong"), format!("{WRONG}\n")).unwrap();
        std::fs::write(root.path().join("list.pack"), pack_with_text()).unwrap();
        Self { root }
    }

    pub(crate) fn home(&self) -> std::path::PathBuf {
        self.root.path().join("home")
    }

    /// Runs it with the passphrase of a file (none: it is asked for), and these lines as input.
    pub(crate) fn run(&self, secret: Option<&str>, arguments: &[&str], input: &[&str]) -> Output {
        let temp = self.root.path().join("temp");
        let mut command = Command::new(env!("CARGO_BIN_EXE_amparo-under-test"));
        command.arg("--home").arg(self.home());
        if let Some(secret) = secret {
            command.arg("--passphrase-file").arg(self.root.path().join(secret));
        }
        let mut child = command
            .args(arguments)
            .current_dir(self.root.path())
            .env_remove("AMPARO_HOME")
            .env_remove("RUST_BACKTRACE")
            .envs(["TMPDIR", "SQLITE_TMPDIR", "TMP", "TEMP"].map(|name| (name, &temp)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let lines: String = input.iter().map(|line| format!("{line}\n")).collect();
        // A shell that ends before it read everything closes the pipe.
        let _ = stdin.write_all(lines.as_bytes());
        drop(stdin);
        let done = child.wait_with_output().unwrap();
        no_log_lines(&done.stderr);
        let secrets =
            [Canary::new("passphrase", PASSPHRASE.as_bytes()), Canary::new("wrong", WRONG.as_bytes())];
        assert_eq!(sightings(&secrets, &done.stdout, "stdout"), []);
        assert_eq!(sightings(&planted(), &done.stderr, "stderr"), [], "{arguments:?}");
        done
    }

    /// Runs it; the exit code is as wanted.
    pub(crate) fn expect(
        &self,
        code: i32,
        secret: Option<&str>,
        arguments: &[&str],
        input: &[&str],
    ) -> String {
        let done = self.run(secret, arguments, input);
        let told = format!("{arguments:?}: {}\n{}", text(&done.stdout), text(&done.stderr));
        assert_eq!(done.status.code(), Some(code), "{told}");
        text(&done.stdout)
    }
}
