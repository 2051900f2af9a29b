//! Words that a person said, and secrets, are found nowhere but where they may stand.
//!
//! Canaries are planted in everything that takes words: a short text, reasons, identity, search words,
//! passphrases. A whole screening runs through the device and through the shell's own binary; then every file,
//! every error and every `Debug` is searched for them, raw, in hex, base64 and UTF-16.
//!
//! Standard output of the shell is for the official's eyes and shows what was typed; it is searched for
//! secrets only. A packet for a service may hold what the person agreed to share. What stood in memory, on the
//! command line or in the scrollback of a terminal is not looked at here.
#![allow(clippy::print_stdout, reason = "tests")]

#[path = "support/shell.rs"]
mod shell;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;
use std::process::Command;

use amparo_core::device::{ConsentRequest, Device, Error, NextStep};
use amparo_core::pack;
use amparo_core::store::{Store, fact};
use amparo_schema::answer::{Answer, Value};
use amparo_schema::fact::{ConsentBy, IdentityField, ReferralState, Scope, StepState};
use amparo_schema::id::{CaseId, Hash, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::Content;
use amparo_schema::pack::checklist::ItemKind;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::pack::protocol::ExceptionKind;
use amparo_schema::text::{Lang, Source};
use amparo_shell::content::keys::signing_key;
use amparo_tests::canary::{Canary, in_files, sightings};
use amparo_tests::device;
use amparo_tests::dice::Dice;
use shell::Shell;

const ANSWER: &str = "Canarioamarillo7q3x";
const REASON: &str = "Pajarorazon8w4y";
const REFERRAL: &str = "Loroderivado9e5z";
const IDENTITY: &str = "Persona Sintetica Tucan6r2v";
const SEARCH: &str = "Busquedagaviota5t1u";
const LAW: &str = "Leysintetica Condor4y8i";
const PASSPHRASE: &str = "frase secreta Quetzal3u7o";
const WRONG: &str = "otra frase Colibri2i6p";

fn planted() -> Vec<Canary> {
    vec![
        Canary::new("answer", ANSWER.as_bytes()),
        Canary::new("reason of a step", REASON.as_bytes()),
        Canary::new("reason of a referral", REFERRAL.as_bytes()),
        Canary::new("identity", IDENTITY.as_bytes()),
        Canary::new("search", SEARCH.as_bytes()),
        Canary::new("law", LAW.as_bytes()),
        Canary::new("passphrase", PASSPHRASE.as_bytes()),
        Canary::new("wrong passphrase", WRONG.as_bytes()),
        Canary::new("key", device::key().expose()),
    ]
}

/// The shipped four questions with one more that takes a short text, signed with the published key.
fn pack_with_text() -> Vec<u8> {
    let trust = amparo_shell::embedded::trust().unwrap();
    let shipped = device::needed_packs();
    let of = |bytes: &&&[u8]| pack::glance(bytes).unwrap().id.as_str() == "four-questions";
    let mut four = pack::open(shipped.iter().find(of).unwrap(), &trust, None).unwrap();
    let Content::Checklist(mut checklist) = (*four.content).clone() else { panic!("no checklist") };
    let mut item = checklist.items[0].clone();
    item.id = Name::new("in-own-words").unwrap();
    item.kind = ItemKind::ShortText { chars_max: 200 };
    checklist.items.push(item);
    four.header.id = Name::new("canary-list").unwrap();
    let json = pack::parse::json(&Content::Checklist(checklist)).unwrap();
    let key = signing_key("amparo demo key: published, signs nothing real");
    let bytes = pack::write(four.header, json, &[&key]).unwrap();
    pack::open(&bytes, &trust, None).unwrap();
    bytes
}

/// Nothing that `Debug` or `Display` of a result shows is a canary.
struct Shown {
    canaries: Vec<Canary>,
    looked_at: usize,
}

impl Shown {
    fn debug(&mut self, what: &str, value: &impl Debug) {
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            assert_eq!(sightings(&self.canaries, text.as_bytes(), what), []);
        }
        self.looked_at += 1;
    }

    fn refused<T: Debug>(&mut self, what: &str, result: Result<T, Error>) {
        let error = match result {
            Ok(taken) => panic!("{what} was taken: {taken:?}"),
            Err(error) => error,
        };
        self.debug(what, &error);
        self.debug(what, &error.kind());
        assert_eq!(sightings(&self.canaries, error.to_string().as_bytes(), what), []);
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            let text = format!("{inner} {inner:?}");
            assert_eq!(sightings(&self.canaries, text.as_bytes(), what), []);
            source = inner.source();
        }
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn law() -> Source {
    Source { document: LAW.into(), place: LAW.into(), as_of: None }
}

/// Answers everything until the end; the short text with a canary, everything else with yes where that fits.
fn answer_all(device: &Device, id: ScreeningId) {
    loop {
        match device.next(id).unwrap() {
            NextStep::Item(item) => {
                let question = device.question(id, &item).unwrap();
                let answer = match question.item.kind {
                    ItemKind::ShortText { .. } => Answer::Known(Value::Text(ANSWER.into())),
                    ItemKind::YesNo => Answer::Known(Value::Yes),
                    _ => amparo_tests::answers::some(&question.item, &mut Dice::new(5)),
                };
                device.answer(id, &item, answer).unwrap();
            }
            NextStep::Gate => device::pass_gate(device, id).unwrap(),
            NextStep::End => return,
        }
    }
}

/// Everything after the questions that takes words.
fn follow_up(device: &Device, id: ScreeningId, shown: &mut Shown) {
    device.record_outcome(id).unwrap();
    let step = device.protocol(id).unwrap().steps[0].step.id.clone();
    let _ = device.log_step(id, &step, StepState::Impossible { reason: REASON.into() }).unwrap();
    let service = device.lookup("mujer", None, 1).unwrap().0[0].id.clone();
    let referral = device.refer(id, &service, None).unwrap();
    device.give_identity(id, IdentityField::Name, IDENTITY.into()).unwrap();
    device.waive_consent(id, Purpose::ShareIdentity, ExceptionKind::ImminentDanger, law(), true).unwrap();
    let by = ConsentBy::Guardian;
    let lang = Lang::new("es").unwrap();
    for (purpose, scope) in [
        (Purpose::ShareService, BTreeSet::from([Scope::Needs, Scope::Outcome])),
        (Purpose::ShareIdentity, BTreeSet::from([Scope::Identity])),
    ] {
        let receiver = Some(service.clone());
        device.consent(id, &ConsentRequest { purpose, receiver, scope, lang: lang.clone(), by }).unwrap();
    }
    let packet = device.packet(id, referral, &BTreeSet::from([Scope::Needs, Scope::Identity])).unwrap();
    assert!(serde_json::to_string(&packet).unwrap().contains(IDENTITY), "the service is told, as agreed");
    shown.debug("packet", &packet);
    shown.debug("identity", &packet.identity);
    shown.debug("card", &device.card(id, referral, &lang).unwrap());
    let custodian = Hash(amparo_shell::content::keys::demo_custodian_public().0);
    let sealed = device.seal_packet(&packet, custodian).unwrap();
    assert_eq!(sightings(&shown.canaries, &sealed, "sealed packet"), []);
    device.move_referral(id, referral, ReferralState::Sent, None).unwrap();
    let reason = Some(REFERRAL.to_owned());
    device.move_referral(id, referral, ReferralState::Rejected, reason).unwrap();
    shown.refused("move", device.move_referral(id, referral, ReferralState::Sent, Some(REFERRAL.repeat(40))));
    assert!(device.lookup(SEARCH, None, 5).unwrap().0.is_empty());
}

/// Bad input that carries canaries, into everything that takes words.
fn bad_input(device: &Device, id: ScreeningId, shown: &mut Shown) {
    let text = |words: &str| Answer::Known(Value::Text(words.into()));
    let own = name("in-own-words");
    shown.refused("too long", device.answer(id, &own, text(&ANSWER.repeat(40))));
    shown.refused("control", device.answer(id, &own, text(&format!("{ANSWER}\u{202e}"))));
    shown.refused("not a text", device.answer(id, &name("tricked"), text(ANSWER)));
    let option = Answer::Known(Value::Choice(name("no-such-option")));
    shown.refused("option", device.answer(id, &name("tricked"), option));
    let step = device.protocol(id).unwrap().steps[0].step.id.clone();
    let reason = |words: String| StepState::Skipped { reason: words };
    shown.refused("step", device.log_step(id, &step, reason(REASON.repeat(40))));
    shown.refused("step", device.log_step(id, &step, reason(format!("{REASON}\0"))));
    shown.refused("step", device.log_step(id, &name("no-such-step"), reason(REASON.into())));
    shown.refused("identity", device.give_identity(id, IdentityField::Document, IDENTITY.repeat(40)));
    let kind = ExceptionKind::LegalDuty;
    shown.refused("waiver", device.waive_consent(id, Purpose::Talk, kind, law(), false));
    shown.refused("search", device.lookup(&SEARCH.repeat(40), None, 5));
    let words: String = (0..20).map(|n| format!("{SEARCH}{n} ")).collect();
    shown.refused("search", device.lookup(&words.chars().take(300).collect::<String>(), None, 5));
    shown.refused("pack", device.install(ANSWER.as_bytes()));
    let mut request = device::request("canary-list", Some(CaseId([1; 16]))).unwrap();
    shown.refused("start", device.start(&request));
    (request.case, request.place.area) = (None, Some(IDENTITY.into()));
    shown.refused("start", device.start(&request));
}

/// Everything public that can be looked at.
fn look(device: &Device, id: ScreeningId, shown: &mut Shown) {
    let view = device.screening(id).unwrap();
    shown.debug("device", device);
    shown.debug("screening", &view);
    shown.debug("line", &view.line);
    shown.debug("history", &view.screening.history);
    shown.debug("answers", &view.screening.answers);
    shown.debug("steps", &view.screening.steps);
    shown.debug("referrals", &view.screening.referrals);
    shown.debug("lines", &device.screenings().unwrap());
    shown.debug("explanation", &device.explain(id).unwrap());
    shown.debug("protocol", &device.protocol(id).unwrap());
    shown.debug("contacts", &device.contacts(id, &[]).unwrap());
    shown.debug("next", &device.next(id).unwrap());
    shown.debug("question", &device.question(id, &name("in-own-words")).unwrap());
    shown.debug("packs", &device.packs().unwrap());
    shown.debug("report", &device.verify().unwrap());
}

/// The folder of the child that runs [`in_a_process_of_its_own`].
const FOLDER: &str = "AMPARO_CANARY_FOLDER";

#[test]
#[ignore = "run by no_words_lie_on_the_disk in a process of its own, so that it has a temporary folder of its own"]
fn in_a_process_of_its_own() {
    let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) else { return };
    let device = device::create(&folder).unwrap();
    device::install_needed(&device).unwrap();
    device.install(&pack_with_text()).unwrap();
    let id = device::start(&device, "canary-list").unwrap();
    let mut shown = Shown { canaries: planted(), looked_at: 0 };
    let line = device.screenings().unwrap().remove(0);
    for (planted, code) in [("case code", &line.code), ("memorable code", &line.memorable)] {
        shown.canaries.push(Canary::new(planted, code.as_bytes()));
    }
    answer_all(&device, id);
    bad_input(&device, id, &mut shown);
    follow_up(&device, id, &mut shown);
    look(&device, id, &mut shown);
    let (found, while_open) = in_files(&shown.canaries, &folder).unwrap();
    assert_eq!(found, [], "while the store is open");
    device.close(id).unwrap();
    let late = name("in-own-words");
    shown.refused("closed", device.answer(id, &late, Answer::Known(Value::Text(ANSWER.into()))));
    look(&device, id, &mut shown);
    let (found, _) = in_files(&shown.canaries, &folder).unwrap();
    assert_eq!(found, [], "after closing");
    device.rest().unwrap();
    drop(device);
    let (found, after) = in_files(&shown.canaries, &folder).unwrap();
    assert_eq!(found, [], "after the store was closed");
    wrong_keys(&folder, &mut shown);
    the_words_are_there(&folder);
    println!("{} results looked at; {while_open} files while open, {after} after closing", shown.looked_at);
}

/// A wrong key, a damaged store, a plaintext store: nothing is told.
fn wrong_keys(folder: &Path, shown: &mut Shown) {
    let open = |folder: &Path, key: [u8; 32]| {
        Device::open(
            &device::store(folder),
            &amparo_core::secret::Key::new(&key),
            amparo_shell::embedded::trust().unwrap(),
            std::sync::Arc::new(amparo_shell::host::SystemClock::new()),
            std::sync::Arc::new(amparo_shell::host::SystemEntropy),
        )
    };
    shown.refused("wrong key", open(folder, [8; 32]));
    let other = folder.join("other");
    std::fs::create_dir(&other).unwrap();
    for bytes in [&b"SQLite format 3\0 and more"[..], b"", ANSWER.repeat(1000).as_bytes()] {
        std::fs::write(device::store(&other), bytes).unwrap();
        shown.refused("no store", open(&other, [7; 32]));
    }
    std::fs::remove_dir_all(&other).unwrap();
}

/// The test bites only if the words are in the store: with its key they are read, identity behind another.
fn the_words_are_there(folder: &Path) {
    let now = amparo_core::time::Moment { wall_ms: 0, offset_minutes: 0, steady_ms: 0 };
    let entropy = amparo_core::random::SeededEntropy::new(1);
    let store = Store::open(&device::store(folder), &device::key(), &entropy, now).unwrap();
    let facts = store.read(|rows| fact::from(rows, 1, 10_000)).unwrap();
    let all: Vec<u8> = facts.into_iter().filter_map(|fact| fact.body).flatten().collect();
    for (word, stands) in [(ANSWER, true), (REASON, true), (REFERRAL, true), (LAW, true), (IDENTITY, false)] {
        let canary = Canary::new("control", word.as_bytes());
        assert_eq!(canary.form_in(&all).is_some(), stands, "{word}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What SQLCipher and SQLite write when they are not told to be silent.
fn no_log_lines(stderr: &[u8]) {
    let stderr = text(stderr).to_lowercase();
    for word in ["sqlcipher", "sqlite", "error core", "hmac", "panicked"] {
        assert!(!stderr.contains(word), "{stderr}");
    }
}

#[test]
fn no_words_lie_on_the_disk() {
    let root = tempfile::tempdir().unwrap();
    let (folder, temp) = (root.path().join("data"), root.path().join("temp"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::create_dir(&temp).unwrap();
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_process_of_its_own", "--ignored", "--nocapture"])
        .env(FOLDER, &folder)
        .envs(["TMPDIR", "SQLITE_TMPDIR", "TMP", "TEMP"].map(|name| (name, &temp)))
        .output()
        .unwrap();
    print!("{}", text(&done.stdout));
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("results looked at"), "the child did its work");
    no_log_lines(&done.stderr);
    assert_eq!(sightings(&planted(), &done.stdout, "stdout"), []);
    assert_eq!(sightings(&planted(), &done.stderr, "stderr"), []);
    let (found, files) = in_files(&planted(), root.path()).unwrap();
    assert_eq!(found, []);
    assert!(files >= 3);
    assert_eq!(
        amparo_tests::canary::files(&temp).unwrap(),
        Vec::<std::path::PathBuf>::new(),
        "no temporary file"
    );
}

/// What an official types who chooses the first of everything: learned from a device beside the shell's, which
/// has the same packs and is answered alike.
fn typed() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let device = device::create(folder.path()).unwrap();
    device::install_needed(&device).unwrap();
    device.install(&pack_with_text()).unwrap();
    let id = device::start(&device, "canary-list").unwrap();
    let mut typed = Vec::new();
    loop {
        let item = match device.next(id).unwrap() {
            NextStep::Item(item) => device.question(id, &item).unwrap().item,
            NextStep::Gate => {
                device::pass_gate(&device, id).unwrap();
                let checks = 1..=device.gate_checks(id).unwrap().len();
                typed.push(checks.map(|n| n.to_string()).collect::<Vec<_>>().join(","));
                typed.extend(["1".into(), "1".into()]);
                continue;
            }
            NextStep::End => return typed,
        };
        typed.push("1".into());
        let (value, words) = match &item.kind {
            ItemKind::YesNo => (Value::Yes, None),
            ItemKind::Choice(options) => (Value::Choice(options[0].id.clone()), None),
            ItemKind::Choices(options) => (Value::Choices([options[0].id.clone()].into()), Some("1".into())),
            ItemKind::Number { min, .. } => (Value::Number(*min), Some(min.to_string())),
            ItemKind::Date => (Value::Date(jiff::civil::date(2020, 1, 1)), Some("2020-01-01".into())),
            ItemKind::Age(bands) => {
                let (from, to) = (bands[0].from, bands[0].to);
                (Value::Age(amparo_schema::answer::AgeRange { from, to }), None)
            }
            ItemKind::ShortText { .. } => (Value::Text(ANSWER.into()), Some(ANSWER.to_owned())),
        };
        typed.extend(words);
        device.answer(id, &item.id, Answer::Known(value)).unwrap();
    }
}

#[test]
fn no_words_leave_the_shell() {
    let shell = Shell::new();
    let right = Some("right");
    // The first run asks for the passphrase twice, after one that differs.
    shell.expect(5, None, &["list"], &[PASSPHRASE, WRONG, PASSPHRASE, PASSPHRASE]);
    shell.expect(4, Some("wrong"), &["list"], &[]);
    shell.expect(6, None, &["list"], &[WRONG]);
    shell.expect(0, right, &["content", "install", "list.pack"], &[]);
    shell.expect(5, right, &["lookup", SEARCH], &[]);
    shell.expect(5, right, &["lookup", "mujer", "--country", SEARCH], &[]);
    shell.expect(5, right, &["show", REASON], &[]);
    shell.expect(5, right, &["explain", IDENTITY], &[]);

    let typed = typed();
    let input: Vec<&str> = typed.iter().map(String::as_str).collect();
    shell.expect(6, right, &["screen", "--checklist", "canary-list", "--country", "CL"], &input);
    let steps = ["1", "2", "2", "2", REASON, "1", "6", "2", SEARCH, "5"];
    let talk = shell.expect(0, right, &[], &steps);
    let list = shell.expect(0, right, &["list", "--json"], &[]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list[0]["closed"], true, "the walk came to its end:\n{talk}");
    shell.expect(0, right, &["show", list[0]["code"].as_str().unwrap(), "--json"], &[]);
    shell.expect(0, right, &["verify"], &[]);
    shell.expect(0, right, &["lock"], &[]);
    the_shell_kept_the_words(&shell, &list);

    let mut canaries = planted();
    canaries.push(Canary::new("memorable code", list[0]["memorable"].as_str().unwrap().as_bytes()));
    let (found, files) = in_files(&canaries, &shell.home()).unwrap();
    assert_eq!(found, []);
    let code = [Canary::new("case code", list[0]["code"].as_str().unwrap().as_bytes())];
    let (found, _) = in_files(&code, &shell.home()).unwrap();
    let packet = |place: &str| place.ends_with(".json") && !place.ends_with("key.json");
    assert!(found.iter().all(|sighting| packet(&sighting.place)), "{found:?}");
    let temp = shell.root.path().join("temp");
    assert_eq!(amparo_tests::canary::files(&temp).unwrap(), Vec::<std::path::PathBuf>::new());
    println!("{files} files of the shell, {} of them packets for services", found.len());
}

/// The test bites only if the words that were typed are in the store.
fn the_shell_kept_the_words(shell: &Shell, list: &serde_json::Value) {
    let key = amparo_shell::keystore::Keystore::at(&shell.home()).unlock(PASSPHRASE).unwrap();
    let device = Device::open(
        &device::store(&shell.home()),
        &key,
        amparo_shell::embedded::trust().unwrap(),
        std::sync::Arc::new(amparo_shell::host::SystemClock::new()),
        std::sync::Arc::new(amparo_shell::host::SystemEntropy),
    )
    .unwrap();
    let id: ScreeningId = list[0]["screening"].as_str().unwrap().parse().unwrap();
    let screening = device.screening(id).unwrap().screening;
    let own = screening.answers.get(&name("in-own-words"));
    assert_eq!(own, Some(&Answer::Known(Value::Text(ANSWER.into()))));
    assert!(screening.steps.iter().any(|step| step.state == StepState::Skipped { reason: REASON.into() }));
}

#[test]
fn scenarios_leave_nothing_behind() {
    let shell = Shell::new();
    let scenario = |checklist: &str, value: &str| {
        serde_json::json!({
            "about": "synthetic", "synthetic": true, "seed": 1, "at": "2026-11-21T12:00:00-03:00",
            "place": { "country": "CL", "setting": "border" }, "lang": "es",
            "checklist": checklist, "otherwise": "not_asked",
            "then": [
                { "refer": null },
                { "identity": { "field": "name", "value": value } },
                { "referral": { "to": "revoked", "reason": REFERRAL } },
                { "lookup": SEARCH }, "close", "verify"
            ]
        })
        .to_string()
    };
    for (checklist, value, code) in [
        ("four-questions", IDENTITY.to_owned(), 0),
        ("four-questions", IDENTITY.repeat(40), 0),
        ("no-such-checklist", IDENTITY.to_owned(), 1),
    ] {
        let file = shell.root.path().join("scenario.json");
        std::fs::write(&file, scenario(checklist, &value)).unwrap();
        shell.expect(code, None, &["--scenario", file.to_str().unwrap()], &[]);
        std::fs::remove_file(&file).unwrap();
    }
    for folder in ["home", "temp"] {
        let left = amparo_tests::canary::files(&shell.root.path().join(folder)).unwrap();
        assert_eq!(left, Vec::<std::path::PathBuf>::new(), "a scenario leaves nothing behind");
    }
}
