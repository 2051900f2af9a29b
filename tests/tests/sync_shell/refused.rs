//! Headquarters that is away, broken off, or not the one; tickets that do not count.

use amparo_core::seal::ticket_text;
use amparo_schema::id::Hash;
use amparo_shell::demo::{Headquarters, Manner};

use crate::certificate;
use crate::field::{Field, desks, headquarters, invite, now_ms};
use crate::wire::Wire;

#[test]
fn what_is_cut_anywhere_goes_on_and_arrives_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut hq = headquarters(folder.path());
    let wire = Wire::to(hq.address());
    let offices = tempfile::tempdir().unwrap();
    let (mut custodian, mut agency) = desks(offices.path(), &hq);
    let field = Field::new();
    let mut ticket = invite(&hq);
    ticket.headquarters.url = wire.url();
    field.enrol(&ticket);
    let made = field.screen();
    hq.stop().unwrap();
    // The wire is there and headquarters is not: a call that ends without an answer.
    assert_eq!(field.json(7, &["sync"])["ended"], "cut");
    hq.serve().unwrap();
    for (up, down) in
        [(Some(1), None), (Some(900), None), (Some(2_000), None), (None, Some(1)), (None, Some(300))]
    {
        wire.cut(up, down);
        let told = field.json(7, &["sync"]);
        assert_eq!(told["ended"], "cut", "{up:?} {down:?}");
        assert_ne!(field.level(made.screening), "answered");
    }
    wire.cut(None, None);
    assert_eq!(field.json(0, &["sync"])["ended"], "done");
    assert_eq!(field.level(made.screening), "stored");
    assert_eq!((agency.pull().unwrap().0, custodian.pull().unwrap().0), (2, 3));
    assert_eq!((agency.pull().unwrap().0, custodian.pull().unwrap().0), (0, 0));
    assert_eq!((hq.status().unwrap().segments, hq.status().unwrap().aside), (3, 0));
}

#[test]
fn headquarters_that_is_away_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut hq = headquarters(folder.path());
    let field = Field::new();
    let made = field.screen();
    let (_, told) = field.expect(8, &["--lang", "en", "sync"]);
    assert!(told.contains("belongs to no headquarters"), "{told}");
    field.expect(8, &["bundle", "export", field.file("stick").to_str().unwrap()]);
    field.enrol(&invite(&hq));
    hq.stop().unwrap();
    for (lang, words) in
        [("es", ["No se llegó a la sede", "bundle export"]), ("en", ["was not reached", "bundle export"])]
    {
        let (told, _) = field.expect(7, &["--lang", lang, "sync"]);
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }
    assert_eq!(field.level(made.screening), "sealed");
    let other = Field::new();
    other.expect(7, &["enrol", &ticket_text(&invite(&hq)).unwrap()]);
    hq.serve().unwrap();
    assert_eq!(field.json(0, &["sync"])["ended"], "done");
    assert_eq!(field.level(made.screening), "stored");
}

#[test]
fn a_ticket_enrols_one_device_and_only_at_its_headquarters() {
    let folder = tempfile::tempdir().unwrap();
    let hq = headquarters(folder.path());
    let (first, second) = (Field::new(), Field::new());
    let ticket = invite(&hq);
    // From a file, as a message brings it: in lines and in small letters.
    let text = ticket_text(&ticket).unwrap().to_lowercase();
    let file = first.file("ticket.txt");
    std::fs::write(&file, format!("{}\n{}\n", &text[..60], &text[60..])).unwrap();
    first.expect(0, &["enrol", file.to_str().unwrap()]);
    first.enrol(&ticket);
    let (_, told) = second.expect(8, &["--lang", "en", "enrol", &ticket_text(&ticket).unwrap()]);
    assert!(told.contains("enrolled another device"), "{told}");
    let mut unknown = invite(&hq);
    unknown.id[0] ^= 1;
    let mut changed = invite(&hq);
    changed.secret[0] ^= 1;
    // Somebody who answers in the place of the headquarters of the ticket: its key does not fit.
    let mut other = invite(&hq);
    other.headquarters.key = Hash([7; 32]);
    let mut plain = invite(&hq);
    plain.headquarters.url = "http://hq.example".into();
    for ticket in [unknown, changed, other, plain] {
        second.expect(8, &["enrol", &ticket_text(&ticket).unwrap()]);
    }
    second.expect(2, &["enrol", "AMPARO1:nothing"]);
    // Nobody is there to type it.
    second.expect(6, &["enrol"]);
    let status = second.json(0, &["status"]);
    assert!(status["agency"].is_null() && status["url"].is_null());
    let enrolled = second.json(0, &["enrol", &ticket_text(&invite(&hq)).unwrap()]);
    hq.revoke(enrolled["device"].as_str().unwrap().parse().unwrap()).unwrap();
    let (told, _) = second.expect(0, &["--lang", "en", "sync"]);
    assert!(told.contains("talk to your headquarters"), "{told}");
}

#[test]
fn a_server_that_cannot_show_to_be_headquarters_is_sent_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, key) = certificate::make(folder.path());
    let manner = Manner { now_ms, tls: Some((pem.clone(), key)), interruptible: false };
    let hq = Headquarters::start(folder.path(), manner).unwrap();
    let field = Field::new();
    let made = field.screen();
    let ticket = ticket_text(&invite(&hq)).unwrap();
    field.expect(8, &["enrol", &ticket]);
    assert!(field.json(0, &["status"])["agency"].is_null());
    let ca = pem.to_str().unwrap();
    field.expect(0, &["enrol", "--ca", ca, &ticket]);
    let (told, _) = field.expect(8, &["--lang", "en", "sync"]);
    assert!(told.contains("cannot show that it is headquarters"), "{told}");
    assert_eq!((field.level(made.screening).as_str(), hq.status().unwrap().segments), ("sealed", 0));
    field.expect(0, &["sync", "--ca", ca]);
    assert_eq!((field.level(made.screening).as_str(), hq.status().unwrap().segments), ("stored", 3));
}
