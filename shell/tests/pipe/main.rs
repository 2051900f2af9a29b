//! The interactive shell through pipes: a whole screening typed as numbers, input that ends anywhere, rubbish,
//! wrong passphrases, and the commands with their exit codes. Everything typed is synthetic.

#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::unwrap_used, clippy::expect_used)] // a test may

mod folder;
mod home;

use std::path::PathBuf;

use home::{Home, SECRET};
use serde_json::Value;

const SCREEN: [&str; 5] = ["screen", "--checklist", "four-questions", "--post", "cl-chacalluta"];

/// One whole screening as numbers: the same in every language.
const SESSION: &[(&str, &str)] = &[
    ("13", "the other language"),
    ("13", "and back"),
    ("5", "age: 18 to 29"),
    ("1", "sex: female"),
    ("1", "languages"),
    ("5", "Haitian Creole"),
    ("1", "children along"),
    ("2", "two"),
    ("1", "foreign: yes"),
    ("x", "rubbish is asked again"),
    ("", "an empty line too"),
    ("2", "offence: looked for, not seen"),
    (BACK, "exploitation: back"),
    ("2", "offence: as before"),
    ("3", "exploitation: skipped"),
    ("1,2,3,4,5,6,7", "gate: nobody to call"),
    ("1", "try the gate again"),
    ("1,2,3,4,5,6,7,8", "gate: all of it"),
    ("1", "agrees to talk"),
    ("1", "agrees to storing"),
    ("1", "tricked: yes"),
    ("4", "unsafe: does not want to answer"),
    ("2", "not free: no"),
    ("2", "fear: no"),
    ("3", "the whole explanation"),
    ("2", "log the steps"),
    ("2", "the first step"),
    ("2", "not done"),
    ("synthetic: no time", "why"),
    ("1", "back to the menu"),
    ("1", "contacts"),
    ("2", "the shelter, for which an agency reads"),
    ("1", "only what is needed"),
    ("1", "agrees to sharing"),
    ("6", "close and seal"),
    ("1", "agrees to being counted"),
];
const BACK: &str = "4";

fn lines(upto: usize) -> Vec<&'static str> {
    SESSION.iter().take(upto).map(|(line, _)| *line).collect()
}

/// The screens that an output shows, in order: `item 3 11`, `gate`, `consent ...`, `menu`.
fn screens(out: &str) -> Vec<String> {
    let mut screens = Vec::new();
    let mut rows = out.lines().peekable();
    while let Some(row) = rows.next() {
        let next = rows.peek().copied().unwrap_or_default();
        if let Some((_, position)) = row.split_once("  [pregunta ").or_else(|| row.split_once("  [question "))
        {
            let numbers: Vec<_> =
                position.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).collect();
            screens.push(format!("item {}", numbers.join(" ")));
        } else if row.starts_with("ANTES DE PREGUNTAR") || row.starts_with("BEFORE ASKING") {
            screens.push("gate".into());
        } else if row.starts_with("CONSENTIMIENTO") || row.starts_with("CONSENT:") {
            screens.push(format!("consent {next}"));
        } else if row == "¿Qué sigue?" || row == "What next?" {
            screens.push("menu".into());
        }
    }
    screens
}

#[test]
fn a_whole_screening_typed_as_numbers_in_two_languages() {
    for (lang, card) in [("es", "TARJETA"), ("en", "CARD")] {
        let home = Home::new();
        let first =
            [SECRET, SECRET].into_iter().chain(lines(SESSION.len())).collect::<Vec<_>>().join("\n") + "\n";
        let args: Vec<&str> = SCREEN.into_iter().chain(["--lang", lang]).collect();
        let ran = home.run(&args, first.as_bytes());
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert_eq!(ran.err, "");
        assert!(ran.out.contains(card), "{}", ran.out);
        // The person speaks Haitian Creole: the question stands in it as well.
        assert!(
            ran.out.contains("«Èske yon moun te twonpe w sou yon travay oswa sou sa ou ta gen pou fè?»"),
            "{}",
            ran.out
        );
        let seen = screens(&ran.out);
        if lang == "en" {
            assert_shown_in_the_readme(&ran.out);
        }
        assert_eq!(seen.iter().filter(|screen| *screen == "gate").count(), 2, "{seen:?}");
        assert_eq!(seen.iter().filter(|screen| screen.starts_with("consent ")).count(), 4, "{seen:?}");
        commands(&home);
        home.assert_whole("after closing");
    }
}

/// The README shows this session; its lines are what is printed, but for the code, which is drawn anew.
fn assert_shown_in_the_readme(out: &str) {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let from = readme.find("shortened at `[...]`").unwrap();
    let shown = readme[from..].split("```").nth(1).unwrap();
    let printed: std::collections::BTreeSet<&str> = out.lines().map(str::trim_end).collect();
    let ours = |line: &&str| !line.is_empty() && *line != "[...]" && !line.starts_with("│ Your code: ");
    for line in shown.lines().map(str::trim_end).filter(ours) {
        assert!(printed.contains(line), "the README shows a line that is not printed: {line}");
    }
}

#[test]
fn the_person_says_how_much_an_agency_may_read() {
    let made = Home::made();
    let extent = SESSION.iter().position(|(_, what)| *what == "only what is needed").unwrap();
    let all_of_it = "¿Quienes responden por este servicio pueden leer todo lo que anotamos hoy";
    // What is needed; all; all, which is refused, and then what is needed.
    for (typed, indicators) in [(&["1", "1"][..], false), (&["2", "1"], true), (&["2", "2", "1"], false)] {
        let home = made.copy();
        let mut all = lines(SESSION.len());
        all.splice(extent..extent + 2, typed.iter().copied());
        let ran = home.typed(&SCREEN, &all);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        // What the person hears is what is recorded, in a language of the person.
        let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said.contains(all_of_it), typed[0] == "2", "{}", ran.out);
        assert_eq!(said.contains("Èske moun ki reskonsab sèvis sa a ka li tout"), typed[0] == "2");
        let holds = || {
            let packet = home.packets().remove(0);
            let packet: Value = serde_json::from_slice(&std::fs::read(packet).unwrap()).unwrap();
            !packet["indicators"].is_null()
        };
        assert_eq!(holds(), indicators);
        let listed = home.typed(&["list", "--json"], &[]);
        let list: Value = serde_json::from_str(listed.out.lines().last().unwrap()).unwrap();
        assert_eq!(home.typed(&["lock"], &[]).code, 0);
        assert_eq!(home.typed(&["packet", list[0]["code"].as_str().unwrap()], &[]).code, 0);
        assert_eq!(holds(), indicators, "written again");
    }
}

/// The commands on a store with one closed screening.
fn commands(home: &Home) {
    let file = home.folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let run = |args: &[&str]| {
        let args: Vec<&str> =
            ["--passphrase-file", file.to_str().unwrap()].iter().chain(args).copied().collect();
        home.run(&args, b"")
    };
    let listed = run(&["list", "--json"]);
    assert_eq!(listed.code, 0);
    let list = listed.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["closed"], true);
    let code = list[0]["code"].as_str().unwrap();
    let shown = run(&["show", code, "--json"]);
    assert_eq!(shown.code, 0);
    let result = shown.json();
    assert_eq!(result["outcomes"], serde_json::json!(["concern_unresolved"]));
    assert_eq!(result["log"]["referrals"][0]["state"], "sent");
    let id = result["screening"]["screening"].as_str().unwrap();
    assert_eq!(run(&["show", id]).code, 0);
    assert_eq!(run(&["show", &code.to_lowercase()]).code, 0);
    let explained = run(&["explain", code, "--json"]).json();
    assert_eq!(explained["outcomes"][0]["outcome"], "concern_unresolved");
    assert_eq!(run(&["explain", code]).code, 0);
    // What went to the service: what consent allows, and no word of a name.
    let referral = result["log"]["referrals"][0]["id"].as_str().unwrap();
    let packet = std::fs::read_to_string(home.path().join(format!("{referral}.json"))).unwrap();
    let packet: Value = serde_json::from_str(&packet).unwrap();
    assert_eq!((&packet["identity"], &packet["indicators"]), (&Value::Null, &Value::Null));
    assert_eq!(packet["needs"]["children_along"], 2);
    for (args, code) in [
        (&["show", "NO-SUCH"][..], 5),
        (&["explain", "NO-SUCH"], 5),
        (&["lookup", "trata"], 0),
        (&["lookup", "trata", "--country", "MX", "--json"], 0),
        (&["lookup", "trata", "--country", "mx"], 0),
        (&["lookup", "trata", "--country", "mexico"], 5),
        (&["lookup", "zzzzzz"], 5),
        (&["packet", "NO-SUCH"], 5),
        (&["screen", "--checklist", "four-questions", "--country", "Chile"], 5),
        (&["screen", "--checklist", "no-such"], 5),
        (&["screen", "--checklist", "four-questions", "--post", "no-such"], 5),
        (&["content", "packs"], 0),
        (&["verify"], 0),
        (&["lock"], 0),
        (&["no-such-command"], 2),
    ] {
        let ran = run(args);
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.out, ran.err);
    }
    assert_eq!(home.packets(), Vec::<PathBuf>::new(), "no packet lies open after locking");
    // And none is lost: it is written again, as wide as the person agreed to, and locking says how.
    assert_eq!(run(&["packet", code]).code, 0);
    let again = std::fs::read_to_string(home.path().join(format!("{referral}.json"))).unwrap();
    let mut again: Value = serde_json::from_str(&again).unwrap();
    again["made_at"] = packet["made_at"].clone();
    assert_eq!(again, packet);
    let locked = run(&["lock"]);
    assert!(locked.out.contains("amparo packet") && locked.out.ends_with(" 1\n"), "{}", locked.out);
    assert_eq!(home.packets(), Vec::<PathBuf>::new());
    let again = run(&["packet", code, "--json"]).json();
    assert_eq!(again["packets"].as_array().unwrap().len(), home.packets().len());
}

#[test]
fn input_that_ends_anywhere_loses_nothing() {
    let made = Home::made();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || loop {
        let k = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if k >= SESSION.len() {
            break;
        }
        cut_after(&made.copy(), k);
    };
    std::thread::scope(|scope| {
        for worker in [scope.spawn(work), scope.spawn(work)] {
            worker.join().unwrap();
        }
    });
}

/// Types `k` lines of the session, then nothing; then asks whether all is there.
fn cut_after(home: &Home, k: usize) {
    let place = format!("cut after {k} lines: {:?}", SESSION[k.saturating_sub(1)].1);
    let cut = home.typed(&SCREEN, &lines(k));
    assert_eq!(cut.code, 6, "{place}: {}{}", cut.out, cut.err);
    home.assert_whole(&place);
    let resumed = home.typed(&SCREEN, &[]);
    assert_eq!(resumed.code, 6, "{place}: {}", resumed.err);
    let (before, after) = (screens(&cut.out), screens(&resumed.out));
    // Going back shows an item again and changes nothing: the question that is open stays the open one.
    let went_back = k > 0 && SESSION[k - 1] == (BACK, "exploitation: back");
    let open = if before.iter().any(|screen| screen == "menu") {
        Some("menu")
    } else {
        before.iter().rev().nth(usize::from(went_back)).map(String::as_str)
    };
    // A talk that was cut off between the gate and the consent to it begins at the gate again.
    let open = if place.contains("gate: all of it") { Some("gate") } else { open };
    assert_eq!(after.first().map(String::as_str), open, "{place}: {}", resumed.out);
    // One screening, not a second one.
    let list = home.typed(&["list", "--json"], &[]);
    let last: Value = serde_json::from_str(list.out.lines().last().unwrap()).unwrap();
    assert_eq!(last.as_array().unwrap().len(), 1, "{place}");
}

#[test]
fn a_child_own_yes_opens_no_packet_and_ends_nothing() {
    let made = Home::made();
    // Age 9 to 12, all else skipped; the gate; talk and store; four times no; contacts, the first.
    let child = ["2", "5", "3", "3", "3", "4", "4", "3", "1,2,3,4,5,6,7,8", "1", "1", "1", "2", "2", "2"];
    // The authority or the guardian agrees, beside the child; or nobody does, and the child's own yes is not offered.
    for (who, state) in [("3", "declined"), ("2", "sent"), ("1", "sent")] {
        let home = made.copy();
        let all: Vec<&str> = child.into_iter().chain(["1", "1", who, "6", "1"]).collect();
        let ran = home.typed(&SCREEN, &all);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let list = home.typed(&["list", "--json"], &[]);
        let list: Value = serde_json::from_str(list.out.lines().last().unwrap()).unwrap();
        let shown = home.typed(&["show", list[0]["code"].as_str().unwrap(), "--json"], &[]);
        let result: Value = serde_json::from_str(&shown.out[shown.out.find('{').unwrap()..]).unwrap();
        assert_eq!(result["log"]["referrals"][0]["state"], state, "{}", ran.out);
    }
}

#[test]
fn rubbish_ends_in_order() {
    let made = Home::made();
    const WORDS: [&str; 20] = [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "1,2",
        "1,2,3,4,5,6,7,8",
        "10",
        "11",
        "12",
        "0",
        "-1",
        "",
        "99999999999999999999",
        "x",
        "¿qué?",
        "1, 1 ,1",
        "\u{202e}\u{7}\t",
    ];
    for seed in 0..8_usize {
        let home = made.copy();
        // A small generator (Knuth, MMIX): the same at every run.
        let mut state = seed as u64;
        let mut word = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            WORDS[usize::try_from(state >> 33).unwrap() % WORDS.len()]
        };
        let typed: Vec<&str> = (0..400).map(|_| word()).collect();
        let args: &[&str] = if seed % 2 == 0 { &SCREEN } else { &[] };
        let ran = home.typed(args, &typed);
        assert!(matches!(ran.code, 0 | 6), "seed {seed}, code {}: {}", ran.code, ran.err);
        home.assert_whole(&format!("seed {seed}"));
    }
}

#[test]
fn bytes_that_are_no_text_and_lines_without_end_are_an_end_of_input() {
    let made = Home::made();
    let start = format!("{SECRET}\n");
    for tail in [&b"\xff\xfe\n1\n"[..], &[b'1'; 200_000], &[b'\0'; 9], &b"5\r\n1\r\n"[..]] {
        let home = made.copy();
        let ran = home.run(&SCREEN, &[start.as_bytes(), tail].concat());
        assert_eq!(ran.code, 6, "{}", ran.err);
        home.assert_whole("bytes");
    }
    // A reason that is too long is refused, and ends nothing.
    let home = made.copy();
    let long = "ñ".repeat(5_000);
    let why = SESSION.iter().position(|(_, what)| *what == "why").unwrap();
    let mut all = lines(SESSION.len());
    all[why] = &long;
    let ran = home.typed(&SCREEN, &all);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}
