//! Whole walks through the real binary: each scenario of `tests/scenarios` against what was reasoned by hand
//! (`expect`, in the scenario) and against its golden file, byte for byte.
//!
//! `UPDATE_GOLDEN=1` writes the golden files anew; what was reasoned by hand must hold even then.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use amparo_shell::scenario;
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

/// The JSON files of a folder, by name without ending.
fn names(name: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder(name)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let json = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    json.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn run(file: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_amparo"))
        .arg("--scenario")
        .arg(file)
        .arg("--json")
        .env_clear()
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && stderr.is_empty(), "{}: {stderr}", file.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_scenario_gives_its_golden_file_and_what_was_reasoned_by_hand() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut misses = Vec::new();
    for name in names("scenarios") {
        let file = folder("scenarios").join(format!("{name}.json"));
        let scenario = scenario::read(&file).unwrap();
        assert!(scenario.synthetic && scenario.about.starts_with("Synthetic."), "{name} does not say so");
        let printed = run(&file);
        let result: Value = serde_json::from_str(&printed).unwrap();
        let expect = scenario.expect.unwrap_or_else(|| panic!("{name} expects nothing"));
        misses.extend(expect.misses(&result).into_iter().map(|miss| format!("{name}: {miss}")));
        let golden = folder("golden").join(format!("{name}.json"));
        if update {
            std::fs::write(&golden, &printed).unwrap();
        } else if std::fs::read_to_string(&golden).ok().as_deref() != Some(&printed) {
            misses.push(format!("{name}: the golden file is missing or differs"));
        }
    }
    assert!(misses.is_empty(), "\n{}", misses.join("\n"));
}

#[test]
fn every_golden_file_has_a_scenario() {
    assert_eq!(names("golden"), names("scenarios"));
}

fn golden(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder("golden").join(format!("{name}.json"))).unwrap())
        .unwrap()
}

fn scenario_of(name: &str) -> scenario::Scenario {
    scenario::read(&folder("scenarios").join(format!("{name}.json"))).unwrap()
}

#[test]
fn another_person_is_another_case_and_another_checklist_is_not() {
    let cases = |name: &str| {
        let lines = golden(name).pointer("/screenings").unwrap().as_array().unwrap().clone();
        let codes: BTreeSet<_> = lines.iter().map(|line| line["code"].to_string()).collect();
        (lines.len(), codes.len())
    };
    assert_eq!(cases("02-labour-site-six-workers"), (6, 6));
    assert_eq!(cases("15-second-checklist-stays-visible"), (2, 1));
}

#[test]
fn identity_stands_nowhere_but_in_a_packet() {
    let mut seen = 0;
    for name in names("scenarios") {
        let mut result = golden(&name);
        for packet in result["moves"].as_array_mut().unwrap() {
            if let Some(identity) = packet.pointer_mut("/ok/identity") {
                seen += usize::from(!identity.take().is_null());
            }
        }
        let rest = result.to_string();
        for next in scenario_of(&name).then {
            if let scenario::Move::Identity { value, .. } = next {
                assert!(!rest.contains(&value), "{name}: identity outside of a packet");
            }
        }
    }
    assert_eq!(seen, 2, "the two packets of 17 that consent allows");
}

#[test]
fn what_is_expected_can_fail() {
    let result = golden("01-mother-two-children-creole");
    let mut expect = scenario_of("01-mother-two-children-creole").expect.unwrap();
    assert_eq!(expect.misses(&result), Vec::<String>::new());
    expect.outcomes.pop();
    expect.first_steps.swap(0, 1);
    expect.never_steps.push("make-safe".parse().unwrap());
    expect.steps.push("no-such-step".parse().unwrap());
    expect.gate = Value::Null;
    expect.at.insert("/walk/0/item".into(), Value::Bool(true));
    expect.due.insert("make-safe".parse().unwrap(), ("2026-01-01".into(), "2026-01-01".into()));
    assert_eq!(expect.misses(&result).len(), 7);
}
