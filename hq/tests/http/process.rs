//! The program as operators run it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use amparo_schema::wire::enrol::{Certificate, Ticket};
use amparo_schema::wire::signed::Signed;
use amparo_seal::{from_bytes, read_ticket, request, to_bytes};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::Phone;
use crate::socket::call;

/// A folder, and the program on it.
pub(crate) struct Hq {
    pub folder: TempDir,
}

impl Hq {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn made() -> Self {
        let hq = Self::new();
        hq.json(&["init"]);
        hq
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amparo-hq"));
        command.args(words).arg("--home").arg(self.folder.path().join("hq"));
        command.env_remove("AMPARO_DATABASE").env_remove("AMPARO_HQ_HOME");
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What a command that succeeds answers.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let done = self.command(words).arg("--json").output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// The exit code of a command, and what it answers.
    pub(crate) fn said(&self, words: &[&str]) -> (Option<i32>, Value) {
        let done = self.command(words).arg("--json").output().unwrap();
        (done.status.code(), serde_json::from_slice(&done.stdout).unwrap())
    }

    pub(crate) fn serve(&self, words: &[&str]) -> Serving {
        self.serve_at("127.0.0.1:0", words)
    }

    pub(crate) fn serve_at(&self, listen: &str, words: &[&str]) -> Serving {
        let mut child = self
            .command(&[&["serve", "--listen", listen][..], words].concat())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once("//").expect("it listens").1.parse().unwrap();
        Serving { child: Some(child), address, _out: out }
    }

    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Enrols a phone as phones do.
    pub(crate) fn enrolled(&self, seed: u8, address: SocketAddr) -> Phone {
        self.enrolled_with(&[], seed, address)
    }

    pub(crate) fn enrolled_with(&self, words: &[&str], seed: u8, address: SocketAddr) -> Phone {
        let told = self.json(&[&["enrol", "--agency", "agency-a"][..], words].concat());
        let ticket: Ticket = read_ticket(told["ticket"].as_str().unwrap()).unwrap();
        let mut phone = Phone::new(seed);
        let asked = request(&ticket, phone.device, &phone.signer, &phone.letter.public()).unwrap();
        let told = call(address, "POST", "/v1/enrol", "application/cbor", &to_bytes(&asked).unwrap());
        assert_eq!(told.status, 200);
        let certificate: Signed<Certificate> = from_bytes(&told.body).unwrap();
        assert_eq!(
            amparo_seal::VerifyKey::from(ticket.headquarters.key).open_object(&certificate).unwrap().device,
            phone.device
        );
        phone.certificate = Some(certificate);
        phone
    }
}

/// A server as a process. Killed when dropped.
pub(crate) struct Serving {
    child: Option<Child>,
    pub address: SocketAddr,
    // A closed pipe would be no fault, and another thing to test.
    _out: BufReader<ChildStdout>,
}

impl Serving {
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        assert!(Command::new("kill").arg(self.pid().to_string()).status().unwrap().success());
    }

    /// Waits for its end; true if it ended well.
    pub(crate) fn wait(mut self) -> bool {
        self.child.take().unwrap().wait().unwrap().success()
    }

    /// The process itself, to be killed.
    pub(crate) fn into_child(mut self) -> (Child, SocketAddr) {
        (self.child.take().unwrap(), self.address)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Permission bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
