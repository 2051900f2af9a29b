//! The gallery of bad packs: each file breaks the rule that it is named after, and nothing else.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use amparo_core::pack::{Rule, Severity};
use amparo_shell::content::check::check;

/// Errors that no authored file can bring about: the compiler writes complete languages itself.
const NOT_FROM_YAML: [&str; 1] = ["language-incomplete"];

fn folder(name: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name);
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

fn stem(file: &Path) -> &str {
    file.file_stem().and_then(|stem| stem.to_str()).unwrap()
}

#[test]
fn each_bad_pack_breaks_its_rule_and_no_other() {
    let mut wrong = Vec::new();
    for file in folder("bad-packs") {
        let report = check(&file).unwrap();
        let errors: Vec<_> = report.findings.iter().filter(|f| f.severity == Severity::Error).collect();
        let rules: BTreeSet<_> = errors.iter().map(|f| f.rule.as_ref()).collect();
        // Line 1 is the comment that says what is wrong: no finding can stand there.
        let placed = errors.iter().all(|f| f.mark.line > 1 && f.mark.column > 0);
        if rules != BTreeSet::from([stem(&file)]) || !placed {
            wrong.push(format!("{}: {:#?}", stem(&file), report.findings));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The line that differs from the good pack is the line that is reported.
#[test]
fn each_finding_names_the_line_that_was_changed() {
    let good: Vec<String> =
        folder("good-packs").iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let mut exact = 0;
    let mut elsewhere = Vec::new();
    for file in folder("bad-packs") {
        let text = std::fs::read_to_string(&file).unwrap();
        let kind = text.lines().find(|line| line.starts_with("  kind:")).unwrap();
        let mut base: Vec<_> =
            good.iter().find(|text| text.lines().any(|line| line == kind)).unwrap().lines().collect();
        let changed: BTreeSet<_> = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.starts_with('#') && *line != "  id: bad")
            .filter(|(_, line)| base.iter().position(|b| b == line).map(|at| base.remove(at)).is_none())
            .map(|(i, _)| i + 1)
            .collect();
        let report = check(&file).unwrap();
        let errors = report.findings.iter().filter(|f| f.severity == Severity::Error);
        if errors.clone().any(|f| changed.contains(&f.mark.line)) {
            exact += 1;
        } else {
            elsewhere.push(format!("{}: {changed:?} {:?}", stem(&file), errors.collect::<Vec<_>>()));
        }
    }
    // What is missing as a whole is reported at the list in which it is missing, and a YAML scanner sees
    // an open bracket only where the next line does not fit.
    let lists = ["missing-consent", "missing-outcome-words", "outcome-without-steps", "yaml"];
    elsewhere.retain(|line| !lists.iter().any(|rule| line.starts_with(&format!("{rule}:"))));
    assert!(elsewhere.is_empty(), "{exact} exact\n{}", elsewhere.join("\n"));
}

#[test]
fn every_error_has_a_bad_pack() {
    let files = folder("bad-packs");
    let shown: BTreeSet<_> = files.iter().map(|file| stem(file)).collect();
    let missing: Vec<_> = Rule::ALL
        .iter()
        .filter(|rule| rule.severity() == Severity::Error)
        .map(|rule| rule.slug())
        .filter(|slug| !shown.contains(slug) && !NOT_FROM_YAML.contains(slug))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_good_packs_have_no_error() {
    for file in folder("good-packs") {
        let report = check(&file).unwrap();
        let errors: Vec<_> = report.findings.iter().filter(|f| f.severity == Severity::Error).collect();
        assert!(errors.is_empty() && report.packs.len() == 1, "{errors:#?}");
    }
}
