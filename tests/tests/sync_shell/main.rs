//! The whole loop as people run it: the shell's own binary in a data folder, a headquarters with its embedded
//! store, two desks, over loopback or over a stick. All persons and cases are synthetic.
#![cfg(unix)]
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a test of processes")]

#[path = "../../../hq/tests/common/certificate.rs"]
#[allow(unreachable_pub, reason = "shared with headquarters' tests")]
mod certificate;
mod demo;
mod field;
mod kill;
#[cfg(target_os = "linux")]
mod memory;
mod packets;
mod refused;
mod wire;

use amparo_hq::desk::view::CaseView;
use amparo_hq::desk::{Answer, FollowUp};
use amparo_schema::fact::ReferralState;
use amparo_shell::demo::Office;
use amparo_shell::host::SystemEntropy;
use amparo_tests::canary::{Canary, in_files, sightings};
use field::{ASKED, Field, IDENTITY, Made, REASON, REJECTED, desks, headquarters, invite, now_ms};
use serde_json::Value;
use wire::Wire;

fn planted() -> Vec<Canary> {
    vec![
        Canary::new("identity", IDENTITY.as_bytes()),
        Canary::new("reason of a step", REASON.as_bytes()),
        Canary::new("note of an agency", ASKED.as_bytes()),
        Canary::new("reason of an agency", REJECTED.as_bytes()),
        Canary::new("post", b"cl-los-libertadores"),
        Canary::new("service", b"cl-sernameg-shelter"),
        Canary::new("checklist", b"ilo-adult-labour"),
        Canary::new("question", b"person-children"),
    ]
}

/// The agency answers, and asks for something.
fn answer(agency: &mut Office, made: &Made, answer: &Answer) {
    let asked =
        FollowUp { case: made.case, screening: Some(made.screening), text: ASKED.into(), due_ms: None };
    agency.desk().answer(made.case, made.referral, answer, now_ms(), &SystemEntropy).unwrap();
    agency.desk().follow_up(&asked, now_ms(), &SystemEntropy).unwrap();
    agency.send().unwrap();
}

/// What the desk of the agency must show of a screening that it was granted.
fn is_whole(view: &CaseView, made: &Made) {
    assert_eq!((view.screenings.len(), view.screenings[0].screening), (1, made.screening));
    assert!(view.screenings[0].closed && !view.outcomes.is_empty());
    assert_eq!((view.referrals.len(), view.referrals[0].referral), (1, made.referral));
    assert_eq!(view.identity.iter().map(|entry| entry.value.as_str()).collect::<Vec<_>>(), [IDENTITY]);
    assert_eq!((view.hidden, view.newer, view.contradictions.len()), (0, 0, 0));
}

/// Answer and note, as `status` tells them.
fn is_answered(field: &Field, made: &Made, answer: &Answer) {
    let (state, reason, words) = match answer {
        Answer::Rejected { reason } => ("rejected", reason.as_str(), ["no aceptada", "not accepted"]),
        _ => ("accepted", "", ["ACEPTADA", "ACCEPTED"]),
    };
    let status = field.json(0, &["status"]);
    let line = &status["screenings"][0];
    assert_eq!(line["screening"], made.screening.to_string());
    assert_eq!((&line["level"], &line["referrals"][0]["state"]), (&"answered".into(), &state.into()));
    assert_eq!(line["referrals"][0]["reason"].as_str().unwrap_or_default(), reason);
    assert_eq!(status["follow_ups"].as_array().unwrap().len(), 1);
    assert_eq!(status["follow_ups"][0]["text"], ASKED);
    assert_eq!((&status["aside"], &status["refused"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    for (lang, more) in
        [("es", ["respondida", "AVISO de", words[0]]), ("en", ["answered", "NOTE from", words[1]])]
    {
        let (told, _) = field.expect(0, &["--lang", lang, "status"]);
        assert!(more.iter().chain([&ASKED, &reason]).all(|word| told.contains(word)), "{told}");
    }
}

/// What is left on the agency's desk when nothing is granted any more.
fn is_hidden(view: &CaseView) {
    assert!(view.outcomes.is_empty() && view.referrals.is_empty() && view.identity.is_empty());
    assert!(view.hidden > 0 && view.screenings.iter().all(|screening| screening.answers.is_empty()));
}

/// What the server tells whoever watches it.
fn metrics(address: std::net::SocketAddr) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    told
}

#[test]
fn a_screening_goes_to_the_desk_and_its_answer_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let hq = headquarters(folder.path());
    let wire = Wire::to(hq.address());
    let offices = tempfile::tempdir().unwrap();
    let (mut custodian, mut agency) = desks(offices.path(), &hq);
    let field = Field::new();
    let mut ticket = invite(&hq);
    ticket.headquarters.url = wire.url();
    field.enrol(&ticket);
    let made = field.screen();
    assert_eq!(field.level(made.screening), "sealed");

    let sent = field.json(0, &["sync"]);
    assert_eq!((&sent["ended"], &sent["state"]["waiting_segments"]), (&"done".into(), &0.into()));
    assert_eq!(field.level(made.screening), "stored");
    hq.back_up(&offices.path().join("backup")).unwrap();
    field.json(0, &["sync"]);
    assert_eq!(field.level(made.screening), "durable");

    // The case with its consents, and identity, for the agency; the store's own facts for the custodian as well.
    assert_eq!((agency.pull().unwrap(), custodian.pull().unwrap()), ((2, 0), (3, 0)));
    is_whole(&agency.case(made.case).unwrap(), &made);
    is_whole(&custodian.case(made.case).unwrap(), &made);
    answer(&mut agency, &made, &Answer::Accepted);
    let fetched = field.json(0, &["sync"]);
    assert_eq!((&fetched["ended"], &fetched["entries"]), (&"done".into(), &2.into()));
    is_answered(&field, &made, &Answer::Accepted);
    let again = field.json(0, &["sync"]);
    assert_eq!((&again["entries"], &again["receipts"]), (&0.into(), &0.into()));

    // What the answer added arrives, and nothing twice.
    agency.pull().unwrap();
    assert_eq!(agency.pull().unwrap(), (0, 0));
    let view = agency.case(made.case).unwrap();
    assert_eq!(view.referrals[0].state, ReferralState::Accepted);
    is_whole(&view, &made);

    let device = field.device(std::sync::Arc::new(amparo_core::time::FixedClock::new(
        amparo_core::time::Clock::now(&amparo_shell::host::SystemClock::new()),
    )));
    device.withdraw_consent(made.screening, made.consent).unwrap();
    drop(device);
    field.json(0, &["sync"]);
    assert!(agency.pull().unwrap().1 >= 2);
    is_hidden(&agency.case(made.case).unwrap());
    assert!(custodian.pull().is_ok() && !custodian.case(made.case).unwrap().outcomes.is_empty());

    // Nothing is logged; what whoever watches the server is told is counts.
    let counts = metrics(hq.address());
    assert!(counts.starts_with(b"HTTP/1.1 200") && sightings(&planted(), &counts, "metrics").is_empty());
    drop(hq);
    let (found, files) = in_files(&planted(), folder.path()).unwrap();
    assert!(found.is_empty() && files >= 1, "{found:?}");
    let (up, down) = wire.bytes();
    println!("scanned {} bytes up, {} down, {files} files of the relay", up.len(), down.len());
    assert!(up.len() > 4_000 && down.len() > 1_000);
    assert_eq!(sightings(&planted(), &up, "up"), []);
    assert_eq!(sightings(&planted(), &down, "down"), []);
}

#[test]
fn a_stick_does_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut hq = headquarters(folder.path());
    let offices = tempfile::tempdir().unwrap();
    let (_, mut agency) = desks(offices.path(), &hq);
    let field = Field::new();
    field.enrol(&invite(&hq));
    hq.stop().unwrap();
    let made = field.screen();
    let (stick, back) = (field.file("stick"), field.file("back"));
    std::fs::create_dir(&back).unwrap();
    // One way and back, each file twice and the last one first.
    let carry = |hq: &amparo_shell::demo::Headquarters, trip: usize| {
        let out = stick.join(trip.to_string());
        let told = field.json(0, &["bundle", "export", out.to_str().unwrap()]);
        let mut files = amparo_tests::canary::files(&out).unwrap();
        assert_eq!(told["files"].as_array().unwrap().len(), files.len());
        files.sort();
        let (repeated, mut answers) = (files.clone(), 0);
        for file in files.iter().rev().chain(&repeated) {
            for (_, volume) in hq.carry(&std::fs::read(file).unwrap()).unwrap() {
                std::fs::write(back.join(format!("{trip}-{answers}.amparo")), volume).unwrap();
                answers += 1;
            }
        }
        field.expect(0, &["bundle", "import", back.to_str().unwrap()]);
    };
    carry(&hq, 0);
    assert_eq!(field.level(made.screening), "stored");
    hq.serve().unwrap();
    assert_eq!(agency.pull().unwrap(), (2, 0));
    is_whole(&agency.case(made.case).unwrap(), &made);
    let rejected = Answer::Rejected { reason: REJECTED.into() };
    answer(&mut agency, &made, &rejected);
    hq.stop().unwrap();
    carry(&hq, 1);
    is_answered(&field, &made, &rejected);
    carry(&hq, 2);
    assert_eq!(field.json(0, &["status"])["waiting_segments"], 0);
    // Who rejected has nothing to do with the case any more.
    hq.serve().unwrap();
    assert!(agency.pull().unwrap().1 > 0);
    is_hidden(&agency.case(made.case).unwrap());

    let (found, files) = in_files(&planted(), &stick).unwrap();
    assert!(found.is_empty() && files >= 3, "{found:?}");
    assert_eq!(in_files(&planted(), &back).unwrap().0, []);
    // One stick for both ways: what it carries to headquarters is no fault, and a folder without answers says so.
    let both = stick.join("2");
    let sent = amparo_tests::canary::files(&both).unwrap();
    field.expect(5, &["bundle", "import", both.to_str().unwrap()]);
    std::fs::copy(back.join("2-0.amparo"), both.join("answer.amparo")).unwrap();
    let told = field.json(0, &["bundle", "import", both.to_str().unwrap()]);
    assert_eq!((&told["files"], &told["for_others"]), (&1.into(), &sent.len().into()));
    field.expect(3, &["bundle", "import", sent[0].to_str().unwrap()]);
    // Damaged, or another's: told, passed over, the rest is taken.
    std::fs::write(back.join("damaged.amparo"), b"not a volume").unwrap();
    let (told, _) = field.expect(3, &["bundle", "import", back.to_str().unwrap()]);
    assert!(told.contains("damaged.amparo"), "{told}");
    is_answered(&field, &made, &rejected);
}
