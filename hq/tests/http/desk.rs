//! The whole loop by the command line: relay, desk, letters, backups, TLS.

use amparo_schema::fact::{Body, Compartment, Fact, IdentityField, Packs, ReferralState, Stamp};
use amparo_schema::id::{CaseId, Hash, ReferralId, ScreeningId};
use amparo_schema::limits::FRAME_BYTES_MAX;
use amparo_schema::pack::PackRef;
use amparo_schema::person::{Country, Place, Setting};
use amparo_schema::text::Lang;
use amparo_schema::wire::disclosure::Withheld;
use amparo_schema::wire::feed::{Cursor, Entry, FeedId, Note};
use amparo_schema::wire::push::{Frame, Reply};
use amparo_schema::wire::receipt::Receipt;
use amparo_seal::random::{Entropy as _, SeededEntropy};
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
    phone.disclosure_at(phone.disclosures - 1, &[granted], &[])
}

/// A damaged row of what lies aside is told, and keeps back neither withdrawals nor letters.
#[test]
fn what_is_damaged_aside_keeps_nothing_back() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let mut phone = hq.enrolled(31, serving.address);
    let (desk, told) = desk(&hq, &format!("http://{}", serving.address), &[]);
    let sealed = screening(&mut phone);
    let granted = given(&mut phone, &sealed, &told);
    exchange(serving.address, &upload(&[segment(&sealed), granted])).replies();
    let kept: Value =
        serde_json::from_slice(&std::fs::read(desk.file("hq/desk-keys.json")).unwrap()).unwrap();
    amparo_sqlcipher::initialise();
    let store = rusqlite::Connection::open(desk.file("hq/desk.db")).unwrap();
    let key = format!("PRAGMA key = \"x'{}'\";", kept["store"].as_str().unwrap());
    let damage = "PRAGMA cipher_page_size = 4096; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;
        INSERT INTO aside VALUES (x'00', x'00', 0, 0, 'form_or_newer', 0, NULL, x'00', 1, x'00')";
    store.execute_batch(&(key + damage)).unwrap();
    drop(store);
    let pulled = desk.run(&["desk", "pull", "--json"]);
    let done: Value = serde_json::from_slice(&pulled.stdout).unwrap();
    assert_eq!((pulled.status.code(), &done["segments"]), (Some(1), &1.into()));
    let failures = done["failures"].as_array().unwrap();
    assert!(failures.len() == 1 && failures[0].as_str().unwrap().contains("aside"), "{failures:?}");
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
    assert_eq!(desk.json(&["desk", "show", &case, "--by-law"])["identity_by_law"], serde_json::json!([]));

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
    let losses = desk.file("losses.csv");
    let csv = ["desk", "htcds", "agency-c", "--csv"];
    assert_eq!(desk.run(&csv).status.code(), Some(2), "records alone would not say what is lost");
    let done = desk.run(&[&csv[..], &["--losses", losses.to_str().unwrap()]].concat());
    assert!(done.status.success() && done.stdout.starts_with(b"case,"));
    assert!(std::fs::read_to_string(&losses).unwrap().contains("prs_Birthdate"));
    assert!(String::from_utf8(done.stderr).unwrap().contains("1 cases are left out"));
    let report = ["desk", "report", "--annual", "2026"];
    for inside in [&["--threshold", "5"][..], &["--place", "post"], &["--place", "area"]] {
        let words = [&report[..], inside].concat();
        let done = desk.run(&words);
        assert!(String::from_utf8(done.stdout).unwrap().contains("inside the agency"), "{words:?}");
        let published = desk.run(&[&words[..], &["--published"]].concat());
        assert_eq!((published.status.code(), published.stdout.len()), (Some(2), 0), "{words:?}");
    }
    assert!(desk.run(&[&report[..], &["--published", "--place", "setting"]].concat()).status.success());
    let status = hq.json(&["status"]);
    assert_eq!(
        (&status["devices"], &status["segments"], &status["recipients"]),
        (&1.into(), &1.into(), &1.into())
    );
}

/// I27 by the command line: what a desk could not read is read by the next pull once it can.
#[test]
fn what_was_set_aside_is_read_once_the_desk_can() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let mut phone = hq.enrolled(35, serving.address);
    let (desk, told) = desk(&hq, &format!("http://{}", serving.address), &[]);
    let settings = desk.file("hq/desk.json");
    let right = std::fs::read_to_string(&settings).unwrap();
    let known = hq.json(&["status"]);
    std::fs::write(&settings, right.replace(known["key"].as_str().unwrap(), &"01".repeat(32))).unwrap();
    let sealed = screening(&mut phone);
    let granted = given(&mut phone, &sealed, &told);
    exchange(serving.address, &upload(&[segment(&sealed), granted])).replies();
    let pulled = desk.json(&["desk", "pull"]);
    assert_eq!((&pulled["segments"], &pulled["set_aside"]), (&0.into(), &1.into()));
    assert_eq!(pulled["set_aside_without_room"], 0);
    std::fs::write(&settings, right).unwrap();
    assert_eq!(desk.json(&["desk", "pull"])["read_after_all"], 1);
    assert_eq!(desk.json(&["desk", "show", &CASE.to_string()])["case"], CASE.to_string());
    assert_eq!(desk.json(&["desk", "pull"])["read_after_all"], 0);
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
    let again = hq.serve_at(&address, &[]);
    assert_eq!(desk.json(&["desk", "pull"])["letters_sent"], 1);
    assert_eq!(desk.json(&["desk", "pull", "--letters-again"])["letters_sent"], 1);
    let newer = desk.json(&["desk", "new-key"]);
    assert_ne!(newer["key"], told["key"]);
    assert_eq!(newer["signing"], told["signing"]);

    // Headquarters does not know the new key yet: that is told, and the old key's feed is read all the same.
    phone.disclosures += 1;
    let recipient = PublicKey::new(key(&told, "key")).id();
    let withheld = vec![Withheld { segment: sealed.hash, recipient }];
    let taken_back = phone.disclosure_at(phone.disclosures - 1, &[], &withheld);
    exchange(again.address, &upload(&[taken_back])).replies();
    let (done, told) = desk.said(&["desk", "pull"]);
    assert_eq!((done, &told["withdrawn"]), (Some(1), &1.into()));
    let failures = told["failures"].as_array().unwrap();
    assert!(matches!(&failures[..], [one] if one.as_str().unwrap().starts_with("key ")), "{failures:?}");
}

/// A segment that fills most of a page.
fn large(phone: &mut Phone) -> Sealed {
    let at = Stamp { wall_ms: NOW, offset_minutes: 0, steady_ms: 1, doubt: None };
    let noise = |n: u8| {
        let mut bytes = vec![0; 45_000];
        SeededEntropy::new((u64::from(n) << 8) | u64::from(phone.device.0[0])).fill(&mut bytes).unwrap();
        let value = data_encoding::BASE64.encode(&bytes);
        to_bytes(&Fact { at, body: Body::IdentityGiven { field: IdentityField::Document, value } }).unwrap()
    };
    let input = SegmentInput {
        case: Some(CASE),
        screening: Some(ScreeningId([8; 16])),
        compartment: Compartment::Identity,
        events: (1..=75).map(|n| (u64::from(n), noise(n))).collect(),
        device: phone.device,
        incarnation: phone.incarnation,
        number: phone.number,
        previous: phone.previous,
    };
    let sealed = seal(&input, &phone.signer, &phone.entropy).unwrap();
    assert!(sealed.segment.len() * 2 > FRAME_BYTES_MAX, "two of them are more than one page");
    phone.number += 1;
    phone.previous = sealed.hash;
    sealed
}

/// Headquarters is restored under a desk whose feed is longer than one page: the desk reads the other history
/// to its end, in a few questions, and learns of a withdrawal that stands behind the first page.
#[test]
fn a_desk_reads_on_after_headquarters_was_restored() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let address = serving.address.to_string();
    let mut phones = [41, 42, 43].map(|seed| hq.enrolled(seed, serving.address));
    let (desk, told) = desk(&hq, &format!("http://{address}"), &[]);
    // What fills pages is not for this desk to open, which would take long and show nothing.
    let mut give = |phone: usize, size: fn(&mut Phone) -> Sealed, at| {
        let phone = &mut phones[phone];
        let mut sealed = size(phone);
        sealed.key = screening(&mut Phone::new(99)).key;
        let granted = given(phone, &sealed, &told);
        exchange(at, &upload(&[segment(&sealed), granted])).replies();
        assert_eq!(desk.json(&["desk", "pull"])["set_aside"], 1);
        sealed
    };
    let first = give(0, large, serving.address);
    let file = hq.file("one.backup");
    hq.json(&["backup", "--same-disk", file.to_str().unwrap()]);
    give(1, screening, serving.address);
    serving.terminate();
    assert!(serving.wait());
    hq.json(&["restore", file.to_str().unwrap()]);
    let serving = hq.serve_at(&address, &[]);
    assert_eq!(desk.json(&["desk", "pull"])["headquarters_went_back"], true);
    give(2, large, serving.address);
    phones[0].disclosures += 1;
    let recipient = PublicKey::new(key(&told, "key")).id();
    let withheld = vec![Withheld { segment: first.hash, recipient }];
    let taken_back = phones[0].disclosure_at(phones[0].disclosures - 1, &[], &withheld);
    exchange(serving.address, &upload(&[taken_back])).replies();
    assert_eq!(desk.json(&["desk", "pull"])["withdrawn"], 1);
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
    let told = hq.json(&["backup", "--same-disk", file.to_str().unwrap()]);
    assert_eq!((&told["log_size"], mode(&file)), (&first.log_size.into(), 0o600));
    // As if it had been copied to another machine.
    let size = told["log_size"].to_string();
    hq.json(&["backed-up", "--newest", &size, "--oldest", &size]);
    assert_eq!(hq.run(&["backup", "--same-disk", file.to_str().unwrap()]).status.code(), Some(1));
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

/// What would be given to every device, or let them forget, is looked at first.
#[test]
fn rubbish_is_not_published_and_no_backup_is_believed_that_cannot_be() {
    let hq = Hq::made();
    let packs = concat!(env!("CARGO_MANIFEST_DIR"), "/../content/packs");
    let pack = std::fs::read_dir(packs).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&pack).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let secrets = std::fs::read(hq.file("hq/keys.json")).unwrap();
    for bad in [
        &b""[..],
        b"a passphrase",
        &secrets,
        &whole[..whole.len() - 1],
        &[&whole[..], b"0"].concat(),
        &flipped,
    ] {
        let file = hq.file("bad.pack");
        std::fs::write(&file, bad).unwrap();
        assert_eq!(hq.run(&["publish", file.to_str().unwrap()]).status.code(), Some(2));
    }
    let told = hq.json(&["publish", pack.to_str().unwrap()]);
    assert_eq!(told["published_bytes"], whole.len());
    let size = hq.json(&["status"])["log_size"].as_u64().unwrap();
    let ahead = (size + 1).to_string();
    assert_eq!(hq.run(&["backed-up", "--newest", &ahead, "--oldest", &ahead]).status.code(), Some(2));
}
