//! What the relay's own process has in its memory: bytes that it cannot read, and no word of a screening.
//!
//! The relay is the program that operators run, as a process; its memory is read by `/proc`, from its start to
//! after its last caller, while everything that comes through it comes through.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use amparo_core::seal::{read_ticket, ticket_text, to_bytes};
use amparo_core::time::{Clock, FixedClock};
use amparo_hq::desk::Answer;
use amparo_schema::id::DeviceId;
use amparo_schema::wire::enrol::Ticket;
use amparo_shell::demo::{Agency, Office};
use amparo_shell::host::SystemClock;
use amparo_shell::transport::Http;
use amparo_tests::canary::{Canary, Sighting, sightings};
use amparo_tests::memory::image;
use serde_json::Value;

use crate::field::{AGENCY, Field, IDENTITY, now_ms};
use crate::{answer, is_hidden, is_whole, planted};

/// `amparo-hq` on a folder.
struct Hq {
    home: PathBuf,
}

impl Hq {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amparo-hq-under-test"));
        command.args(words).arg("--home").arg(&self.home);
        command.env_remove("AMPARO_DATABASE").env_remove("AMPARO_HQ_HOME");
        command
    }

    fn json(&self, words: &[&str]) -> Value {
        let done = self.command(words).arg("--json").output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }
}

/// The server as a process; killed when dropped.
struct Serving {
    child: Child,
    url: String,
    _out: BufReader<ChildStdout>,
}

impl Serving {
    fn start(hq: &Hq) -> Self {
        let mut command = hq.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("it listens").to_owned();
        Self { child, url, _out: out }
    }

    /// What of these is in its memory, once for each, and how many bytes were looked at.
    fn seen(&self, canaries: &[Canary]) -> (Vec<Sighting>, usize) {
        let regions = image(self.child.id()).unwrap_or_else(|why| {
            panic!(
                "the memory of a process that this test started cannot be read ({why}): the test needs \
                 kernel.yama.ptrace_scope 0 or 1, and a container that lets a process trace its children"
            )
        });
        let found = regions.iter().flat_map(|region| {
            let place = if region.name.is_empty() { "memory" } else { &region.name };
            sightings(canaries, &region.bytes, place)
        });
        (found.collect(), regions.iter().map(|region| region.bytes.len()).sum())
    }

    /// No word of any screening; gives how many bytes were looked at.
    fn shows_nothing(&self, when: &str) -> usize {
        let (found, bytes) = self.seen(&planted());
        assert_eq!(found, [], "{when}");
        bytes
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// The desk of the agency, which this headquarters gets to know.
fn desk(folder: &Path, hq: &Hq, ticket: &Ticket) -> Office {
    let agency = Agency::of_pack(AGENCY.0, &[AGENCY.1], &["2026", "2027"]).unwrap();
    for reader in agency.readers() {
        let words = [reader.agency.to_string(), reader.key.to_string(), reader.signing.to_string()];
        hq.json(&["recipient", "add", &words[0], &words[1], &words[2]]);
    }
    Office::at(folder, agency, &ticket.headquarters, now_ms()).unwrap()
}

#[test]
fn the_memory_of_the_relay_holds_no_word_of_what_goes_through_it() {
    let folder = tempfile::tempdir().unwrap();
    let hq = Hq { home: folder.path().join("hq") };
    hq.json(&["init"]);
    let serving = Serving::start(&hq);
    let invited = hq.json(&["enrol", "--agency", "synthetic-post"]);
    let mut ticket = read_ticket(invited["ticket"].as_str().unwrap()).unwrap();
    ticket.headquarters.url.clone_from(&serving.url);
    let mut agency = desk(folder.path(), &hq, &ticket);
    let field = Field::new();
    let enrolled = field.json(0, &["enrol", &ticket_text(&ticket).unwrap()]);
    let device: DeviceId = enrolled["device"].as_str().unwrap().parse().unwrap();
    let made: Vec<_> = (0..3).map(|_| field.screen()).collect();
    let mut bytes = vec![serving.shows_nothing("before anything came")];

    field.json(0, &["sync"]);
    bytes.push(serving.shows_nothing("after what was sealed came"));
    assert_eq!(agency.pull().unwrap(), (6, 0));
    for made in &made {
        is_whole(&agency.case(made.case).unwrap(), made);
        answer(&mut agency, made, &Answer::Accepted);
    }
    bytes.push(serving.shows_nothing("after the agency read and answered"));
    assert_eq!(field.json(0, &["sync"])["entries"], 6);
    let clock = Arc::new(FixedClock::new(SystemClock::new().now()));
    field.device(clock).withdraw_consent(made[0].screening, made[0].consent).unwrap();
    field.json(0, &["sync"]);
    agency.pull().unwrap();
    is_hidden(&agency.case(made[0].case).unwrap());
    bytes.push(serving.shows_nothing("after the answers came and a consent was withdrawn"));
    println!("scanned {bytes:?} bytes of memory for {} words", planted().len());
    assert!(bytes.iter().all(|bytes| *bytes > 1 << 20), "a program holds more: {bytes:?}");

    // The scan can see: what the relay does hold, it finds.
    let held = [Canary::new("the device", &device.0), Canary::new("its agency", b"synthetic-post")];
    let (found, _) = serving.seen(&held);
    assert!(held.iter().all(|held| found.iter().any(|seen| seen.planted == held.planted)), "{found:?}");
    // And a word of a screening that somebody did send in plain.
    let plain = to_bytes(&IDENTITY.to_owned()).unwrap();
    Http::new(&serving.url, None)
        .unwrap()
        .post("/v1/exchange", "application/cbor-seq", &plain, 1 << 20)
        .unwrap();
    let (found, _) = serving.seen(&planted());
    assert!(found.iter().all(|seen| seen.planted == "identity" && seen.form == "raw"), "{found:?}");
    assert!(!found.is_empty());
}
