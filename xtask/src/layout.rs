//! The shape of the project: file lengths, direction of dependencies, SQL and words where they belong.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, cargo, root, say};

const LINES_MAX: usize = 500;

/// Who may look at whom; nothing else may.
const MAY_USE: &[(&str, &[&str])] = &[
    ("amparo-schema", &[]),
    ("amparo-seal", &["amparo-schema"]),
    ("amparo-sqlcipher", &[]),
    ("amparo-core", &["amparo-schema", "amparo-seal", "amparo-sqlcipher"]),
    ("amparo-hq", &["amparo-schema", "amparo-seal", "amparo-sqlcipher"]),
    // Headquarters only under its feature `testing`.
    ("amparo", &["amparo-schema", "amparo-core", "amparo-hq"]),
    ("amparo-shell", &["amparo-schema", "amparo-core", "amparo-hq"]),
    ("amparo-tests", &["amparo-schema", "amparo-seal", "amparo-core", "amparo-hq", "amparo-shell"]),
    ("xtask", &[]),
];

/// Rooms inside the core that may not look at these: the pure domain knows no store, no clock, no device;
/// the store knows no rule of the domain.
const CORE_ROOMS: &[(&[&str], &[&str])] = &[
    (
        &[
            "answers.rs",
            "condition.rs",
            "person.rs",
            "checklist",
            "assessment",
            "calendar.rs",
            "protocol",
            "directory",
            "pack",
            "consent.rs",
            "consent",
            "referral.rs",
            "packet.rs",
            "packet",
            "journal.rs",
            "screening.rs",
            "screening",
        ],
        &["crate::store", "crate::device", "rusqlite"],
    ),
    (
        &["store"],
        &["crate::device", "crate::checklist", "crate::assessment", "crate::protocol", "crate::screening"],
    ),
];

pub(crate) fn run() -> Outcome {
    say("== layout");
    let files = sources()?;
    let mut faults = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(root().join(file)).map_err(|e| e.to_string())?;
        let lines = text.lines().count();
        if lines > LINES_MAX {
            faults.push(format!("{}: {lines} lines, more than {LINES_MAX}", file.display()));
        }
        sql_stays_in_the_store(file, &text, &mut faults);
        rooms_look_one_way(file, &text, &mut faults);
    }
    packages_look_one_way(&mut faults)?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n        ")) }
}

fn sources() -> Result<Vec<PathBuf>, String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs", "*.py"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("git: {e}"))?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    Ok(text.lines().map(PathBuf::from).filter(|path| root().join(path).exists()).collect())
}

fn sql_stays_in_the_store(file: &Path, text: &str, faults: &mut Vec<String>) {
    let shipped = file.starts_with("core/src") || file.starts_with("shell/src");
    if !shipped || file.starts_with("core/src/store") {
        return;
    }
    for (number, line) in text.lines().enumerate() {
        let sql = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "PRAGMA ", "CREATE TABLE"];
        if sql.iter().any(|word| line.contains(word)) && !line.trim_start().starts_with("//") {
            faults.push(format!("{}:{}: SQL outside core/src/store", file.display(), number + 1));
        }
    }
}

fn rooms_look_one_way(file: &Path, text: &str, faults: &mut Vec<String>) {
    let Ok(inside) = file.strip_prefix("core/src") else { return };
    for (rooms, banned) in CORE_ROOMS {
        if !rooms.iter().any(|room| inside.starts_with(room)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                if !line.trim_start().starts_with("//") {
                    faults.push(format!("{}:{}: looks at {word}", file.display(), number + 1));
                }
            }
        }
    }
}

fn packages_look_one_way(faults: &mut Vec<String>) -> Outcome {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    let data: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    let packages = data.get("packages").and_then(|p| p.as_array()).cloned().unwrap_or_default();
    let names: BTreeSet<&str> = packages.iter().filter_map(|p| p.get("name")?.as_str()).collect();
    for package in &packages {
        let name = package.get("name").and_then(|n| n.as_str()).unwrap_or_default();
        let Some((_, allowed)) = MAY_USE.iter().find(|(who, _)| *who == name) else {
            faults.push(format!("{name}: a package that xtask/src/layout.rs does not place"));
            continue;
        };
        let uses = package.get("dependencies").and_then(|d| d.as_array()).cloned().unwrap_or_default();
        for used in uses.iter().filter_map(|d| d.get("name")?.as_str()) {
            if names.contains(used) && !allowed.contains(&used) {
                faults.push(format!("{name} uses {used}, against the direction of ARCHITECTURE.md"));
            }
        }
    }
    Ok(())
}
