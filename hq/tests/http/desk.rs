//! The whole loop by the command line: relay, desk, letters, backups, TLS.

use amparo_schema::fact::{Body, Compartment, Fact, Packs, ReferralState, Stamp};
use amparo_schema::id::{CaseId, Hash, ReferralId, ScreeningId};
use amparo_schema::pack::PackRef;
use amparo_schema::person::{Country, Place, Setting};
use amparo_schema::text::Lang;
use amparo_schema::wire::feed::{Cursor, Entry, FeedId, Note};
use amparo_schema::wire::push::{Frame, Reply};
use amparo_schema::wire::receipt::Receipt;
use amparo_seal::{
    Direction, PublicKey, Sealed, SegmentInput, VerifyKey, grant, open_volume, read_letter, seal,
    seal_volume, to_bytes, unverified,
};
use serde_json::Value;

use crate::common::{NOW, Phone, entries, name, replies, segment, upload};
use crate::process::{Hq, mode};
use crate::socket::exchange;

const CASE: CaseId = CaseId([7; 16]);
const REFERRAL: ReferralId = ReferralId([9; 16]);

fn opening() -> Body {
    let pack = || PackRef { id: name("pack"), version: 1, hash: Hash([0; 32]) };
    let packs =
        Packs { checklist: pack(), policy: pack(), protocol: pack(), directory: pack(), calendar: None };
    let country = Country::new("CL").unwrap();
    let place = Place { country, post: Some(name("post-1")), area: None, setting: Setting::Border };
    let lang = Lang::new("es").unwrap();
    Body::ScreeningOpened { case: CASE, screening: ScreeningId([8; 16]), packs, place, lang }
}

/// A synthetic screening with a referral that was sent.
fn screening(phone: &mut Phone) -> Sealed {
    let sent = Body::ReferralMoved { referral: REFERRAL, to: ReferralState::Sent, reason: None };
    let at = Stamp { wall_ms: NOW, offset_minutes: 0, steady_ms: 1, doubt: None };
    let encoded = |body| to_bytes(&Fact { at, body }).unwrap();
    let input = SegmentInput {
        case: Some(CASE),
        screening: Some(ScreeningId([8; 16])),
        compartment: Compartment::Case,
        events: vec![(1, encoded(opening())), (2, encoded(sent))],
        device: phone.device,
        incarnation: phone.incarnation,
        number: phone.number,
        previous: phone.previous,
    };
    let sealed = seal(&input, &phone.signer, &phone.entropy).unwrap();
    phone.number += 1;
    phone.previous = sealed.hash;
    sealed
}

fn key(told: &Value, field: &str) -> [u8; 32] {
    let hash: Hash = told[field].as_str().unwrap().parse().unwrap();
    hash.0
}

/// Makes a desk and registers it.
fn desk(hq: &Hq, url: &str, more: &[&str]) -> (Hq, Value) {
    let known = hq.json(&["status"]);
    let desk = Hq::new();
    let words =
        ["desk", "init", "--agency", "agency-b", "--url", url, "--key", known["key"].as_str().unwrap()];
    let told = desk.json(&[&words[..], more].concat());
    hq.json(&[
        "recipient",
        "add",
        "agency-b",
        told["key"].as_str().unwrap(),
        told["signing"].as_str().unwrap(),
    ]);
    (desk, told)
}

fn given(phone: &mut Phone, sealed: &Sealed, desk: &Value) -> Frame {
    let reader = PublicKey::new(key(desk, "key"));
    let granted = grant(&sealed.key, sealed.hash, &reader, &phone.entropy).unwrap();
    phone.disclosures += 1;
    phone.disclosure_at(phone.disclosures - 1, vec![granted], vec![])
}

#[test]
fn a_screening_reaches_the_desk_and_its_answer_the_phone() {
    let hq = Hq::made();
    assert_eq!((mode(&hq.file("hq")), mode(&hq.file("hq/keys.json"))), (0o700, 0o600));
    let serving = hq.serve(&[]);
    let mut phone = hq.enrolled(31, serving.address);
    let (desk, told) = desk(&hq, &format!("http://{}", serving.address), &[]);
    assert_eq!(mode(&desk.file("hq/desk-keys.json")), 0o600);

    let sealed = screening(&mut phone);
    let granted = given(&mut phone, &sealed, &told);
    exchange(serving.address, &upload(&[segment(&sealed), granted])).replies();
    let pulled = desk.json(&["desk", "pull"]);
    assert_eq!((&pulled["segments"], &pulled["set_aside"]), (&1.into(), &0.into()));
    assert_eq!(desk.json(&["desk", "pull"])["segments"], 0);
    let listed = desk.json(&["desk", "list"]);
    assert_eq!((&listed[0]["case"], &listed[0]["screenings"]), (&CASE.to_string().into(), &1.into()));
    let (case, referral) = (CASE.to_string(), REFERRAL.to_string());
    assert_eq!(desk.json(&["desk", "show", &case])["case"], case.as_str());

    let answered = desk.json(&["desk", "answer", &case, &referral, "--accepted"]);
    assert_eq!(answered["letters_sent"], 1);
    assert_eq!(desk.json(&["desk", "follow-up", &case, "Synthetic: call back"])["letters_sent"], 1);
    assert_eq!(desk.run(&["desk", "answer", &case, &"0".repeat(32), "--done"]).status.code(), Some(5));

    let feed = Cursor::start(FeedId::device(phone.device));
    let replies = exchange(serving.address, &upload(&[phone.hello(None, vec![feed])])).replies();
    let page = replies.iter().find_map(|reply| match reply {
        Reply::Page(page) => Some(page),
        _ => None,
    });
    let author = VerifyKey(key(&told, "signing"));
    let notes: Vec<Note> = entries(page.unwrap())
        .iter()
        .map(|entry| match entry {
            Entry::Letter(letter) => read_letter(letter, &author, phone.device, &phone.letter).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    let accepted =
        Note::ReferralAnswered { referral: REFERRAL, state: ReferralState::Accepted, reason: None };
    assert_eq!(notes[0], accepted);
    assert!(matches!(&notes[1], Note::FollowUp { text, .. } if text == "Synthetic: call back"));

    for words in [
        &["desk", "report", "--annual", "2026", "--csv"][..],
        &["desk", "report", "--sdg", "2026", "--published"],
        &["desk", "htcds", "agency-c"],
    ] {
        let done = desk.run(words);
        assert!(done.status.success() && !done.stdout.is_empty(), "{words:?}");
    }
    let status = hq.json(&["status"]);
    assert_eq!(
        (&status["devices"], &status["segments"], &status["recipients"]),
        (&1.into(), &1.into(), &1.into())
    );
}

/// Volumes that somebody carried: the phone's upload in, an answer for the phone out, a damaged one told.
#[test]
fn volumes_are_taken_and_answered() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let mut phone = hq.enrolled(34, serving.address);
    let known = hq.json(&["status"]);
    let bundle = PublicKey::new(key(&known, "bundle_key"));
    let frames = upload(&[segment(&phone.seal()), phone.hello(None, vec![])]);
    let (whole, damaged, out) = (hq.file("a.amparo"), hq.file("b.amparo"), hq.file("out"));
    std::fs::write(&whole, seal_volume(&frames, Direction::Up, &bundle, &phone.entropy).unwrap()).unwrap();
    std::fs::write(&damaged, "not a volume").unwrap();
    let words = ["carry", whole.to_str().unwrap(), damaged.to_str().unwrap(), "--out", out.to_str().unwrap()];
    assert_eq!(hq.run(&words).status.code(), Some(3));
    let answers: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [answer] = &answers[..] else { panic!("{answers:?}") };
    let opened = open_volume(&std::fs::read(answer).unwrap(), Direction::Down, &phone.letter).unwrap();
    let Some(Reply::Receipt(signed)) = replies(&opened).into_iter().next() else { panic!("no receipt") };
    assert_eq!(unverified::<Receipt>(&signed).unwrap().stored, 1);
    let listed = hq.json(&["devices"]);
    assert_eq!(listed[0]["device"], phone.device.to_string().as_str());
    hq.json(&["revoke", &phone.device.to_string()]);
    assert_eq!(hq.json(&["devices"])[0]["revoked"], true);
    assert_eq!(hq.run(&["revoke", &"0".repeat(32)]).status.code(), Some(5));
}

#[test]
fn letters_wait_while_headquarters_is_away_and_a_new_key_reads_on() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let mut phone = hq.enrolled(32, serving.address);
    let url = format!("http://{}", serving.address);
    let (desk, told) = desk(&hq, &url, &[]);
    let sealed = screening(&mut phone);
    let granted = given(&mut phone, &sealed, &told);
    exchange(serving.address, &upload(&[segment(&sealed), granted])).replies();
    desk.json(&["desk", "pull"]);
    let address = serving.address.to_string();
    drop(serving);
    let waits = desk.json(&["desk", "follow-up", &CASE.to_string(), "Synthetic: call back"]);
    assert_eq!(waits["letters_sent"], 0);
    assert!(waits["waiting"].is_string());
    let _again = hq.serve_at(&address, &[]);
    assert_eq!(desk.json(&["desk", "pull"])["letters_sent"], 1);
    let newer = desk.json(&["desk", "new-key"]);
    assert_ne!(newer["key"], told["key"]);
    assert_eq!(newer["signing"], told["signing"]);
}

#[test]
fn a_restored_backup_is_proven_old_and_the_phone_sends_again() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let mut phone = hq.enrolled(33, serving.address);
    let sealed: Vec<Sealed> = (0..3).map(|_| phone.seal()).collect();
    let receipt = |frames: &[Frame], serving: &crate::process::Serving| {
        let replies = exchange(serving.address, &upload(frames)).replies();
        replies.into_iter().find_map(|reply| match reply {
            Reply::Receipt(signed) => Some((unverified(&signed).unwrap(), signed)),
            _ => None,
        })
    };
    let (first, _) = receipt(&[segment(&sealed[0]), phone.hello(None, vec![])], &serving).unwrap();
    assert_eq!((first.stored, first.durable, first.horizon), (1, 0, 0));
    let file = hq.file("one.backup");
    let told = hq.json(&["backup", file.to_str().unwrap()]);
    assert_eq!((&told["log_size"], mode(&file)), (&first.log_size.into(), 0o600));
    assert_eq!(hq.run(&["backup", file.to_str().unwrap()]).status.code(), Some(1));
    let frames: Vec<Frame> = sealed[1..].iter().map(segment).chain([phone.hello(None, vec![])]).collect();
    let (ahead, signed) = receipt(&frames, &serving).unwrap();
    assert_eq!((ahead.stored, ahead.durable, ahead.horizon, ahead.epoch), (3, 1, 1, 0));
    let busy = hq.run(&["restore", file.to_str().unwrap()]);
    assert!(!busy.status.success(), "restored under a running server");
    serving.terminate();
    assert!(serving.wait());
    hq.json(&["restore", file.to_str().unwrap()]);
    let serving = hq.serve(&[]);
    let (back, _) = receipt(&[phone.hello(Some(signed), vec![])], &serving).unwrap();
    assert_eq!((back.epoch, back.stored), (1, 1));
    let frames: Vec<Frame> = sealed.iter().map(segment).chain([phone.hello(None, vec![])]).collect();
    assert_eq!(receipt(&frames, &serving).unwrap().0.stored, 3);
}

#[test]
fn tls_is_spoken_where_it_is_asked_for_and_plain_stays_on_loopback() {
    let hq = Hq::made();
    let (certificate, secret) = crate::common::certificate::make(&hq.file(""));
    let (certificate, secret) = (certificate.to_str().unwrap(), secret.to_str().unwrap());
    let serving = hq.serve(&["--tls-cert", certificate, "--tls-key", secret]);
    let url = format!("https://{}", serving.address);
    let (trusting, _) = desk(&hq, &url, &["--ca", certificate]);
    assert_eq!(trusting.json(&["desk", "pull"])["segments"], 0);
    let (distrusting, _) = desk(&hq, &url, &[]);
    assert_eq!(distrusting.run(&["desk", "pull"]).status.code(), Some(1));
    for words in [
        &["serve", "--listen", "0.0.0.0:0"][..],
        &["init", "--url", "http://hq.example"],
        &["desk", "init", "--agency", "a", "--url", "http://hq.example", "--key", &"0".repeat(64)],
    ] {
        assert_eq!(hq.run(words).status.code(), Some(2), "{words:?}");
    }
    assert_eq!(Hq::new().run(&["status"]).status.code(), Some(4));
}

/// A ticket for people and for pipes: text alone when piped, pictures on request.
#[test]
fn a_ticket_is_text_for_pipes_and_a_picture_for_phones() {
    let hq = Hq::made();
    let (png, svg) = (hq.file("t.png"), hq.file("t.svg"));
    let words =
        ["enrol", "--agency", "agency-a", "--png", png.to_str().unwrap(), "--svg", svg.to_str().unwrap()];
    let done = hq.run(&words);
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(amparo_seal::read_ticket(&text).is_ok() && !text.contains('\u{1b}'));
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    assert!(std::fs::read_to_string(&svg).unwrap().contains("<svg"));
    assert_eq!((mode(&png), mode(&svg)), (0o600, 0o600));
}
