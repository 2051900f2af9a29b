//! Every test that this machine can run, and the names of those that it could not.

use crate::run::{Outcome, cargo, command, command_with, root, say, works};

/// One referee: a check written by another hand, in another language.
struct Referee {
    what: &'static str,
    script: &'static str,
    needs: &'static str,
    words: &'static [&'static str],
}

const REFEREES: &[Referee] = &[
    Referee {
        what: "assessment, second evaluator on 10,000 random cases",
        script: "tests/referees/assessment.py",
        needs: "import json",
        words: &["--cases", "10000"],
    },
    Referee {
        what: "deadlines, computed by Python",
        script: "tests/referees/deadlines.py",
        needs: "import zoneinfo; zoneinfo.ZoneInfo('America/Santiago')",
        words: &["--check"],
    },
    Referee {
        what: "every object of the wire, read by a second implementation",
        script: "tests/referees/wire.py",
        needs: "import cbor2, cryptography, zcbor, zstandard; assert zcbor.DataTranslator",
        words: &["--seeds", "20"],
    },
    Referee {
        what: "store files exchanged with a stock SQLCipher",
        script: "tests/referees/sqlcipher_interop.py",
        needs: "import sqlcipher3",
        words: &[],
    },
    Referee {
        what: "headquarters' HTTP against its description, attacked by schemathesis",
        script: "tests/referees/http_contract.py",
        needs: "import schemathesis",
        words: &[],
    },
];

pub(crate) fn run(all: bool) -> Outcome {
    let cargo = cargo();
    command(&cargo, &["test", "--workspace", "--locked"])?;
    if all {
        worlds(&[("AMPARO_WORLDS", "100000")], &[])?;
    }
    content(false)?;
    command(
        &cargo,
        &[
            "build",
            "--locked",
            "-p",
            "amparo-shell",
            "-p",
            "amparo-core",
            "-p",
            "amparo-seal",
            "-p",
            "amparo-hq",
            "--bins",
            "--examples",
        ],
    )?;
    let mut not_run = Vec::new();
    for referee in REFEREES {
        if !works("python3", &["-c", referee.needs]) {
            not_run.push(format!("{} (python3 -c \"{}\" fails)", referee.what, referee.needs));
            continue;
        }
        let mut words = vec![referee.script];
        words.extend(referee.words);
        command("python3", &words)?;
    }
    crate::bindings::tests(&mut not_run)?;
    for what in &not_run {
        say(&format!("NOT RUN: {what}"));
    }
    if not_run.is_empty() {
        say("everything was run");
        Ok(())
    } else if all {
        Err(format!("{} could not run", not_run.len()))
    } else {
        Ok(())
    }
}

/// Runs a million seeded worlds, or as many as `AMPARO_WORLDS` says, with the optimisations of a shipped build.
pub(crate) fn sim() -> Outcome {
    let count = std::env::var("AMPARO_WORLDS").unwrap_or_else(|_| "1000000".into());
    worlds(&[("AMPARO_WORLDS", &count), ("AMPARO_PROGRESS", "1")], &["--release"])
}

fn worlds(variables: &[(&str, &str)], profile: &[&str]) -> Outcome {
    // The whole workspace, so that what was built for its tests is used again.
    let words = ["test", "--locked", "--workspace", "--test", "world"];
    let words = [&words[..], profile, &["--", "--nocapture"]].concat();
    command_with(variables, &cargo(), &words)
}

/// Runs the decoders of the wire on many mutants, with the optimisations that a shipped build has.
pub(crate) fn fuzz() -> Outcome {
    let count = std::env::var("AMPARO_FUZZ").unwrap_or_else(|_| "10000000".into());
    let words =
        ["test", "--release", "--locked", "-p", "amparo-seal", "--test", "hostile", "--", "--nocapture"];
    command_with(&[("AMPARO_FUZZ", &count)], &cargo(), &words)
}

/// Checks and builds `content/`, and compares with the packs that the shell embeds.
pub(crate) fn content(write: bool) -> Outcome {
    let cargo = cargo();
    let amparo = ["run", "--locked", "--quiet", "-p", "amparo-shell", "--"];
    let call = |words: &[&str]| command(&cargo, &[&amparo[..], words].concat());
    call(&["content", "check", "content"])?;
    if write {
        return call(&["content", "build", "content", "content/packs"]);
    }
    let out = root().join("target/content");
    std::fs::remove_dir_all(&out).or_else(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(e.to_string()),
    })?;
    call(&["content", "build", "content", "target/content"])?;
    let names = |folder: &std::path::Path| -> Result<Vec<_>, String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .map_err(|e| format!("{}: {e}", folder.display()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.file_name()))
            .collect();
        names.sort();
        Ok(names)
    };
    let kept = root().join("content/packs");
    if names(&kept)? != names(&out)? {
        return Err("content/packs holds other files than a build makes: cargo xtask content --write".into());
    }
    for name in names(&kept)? {
        if std::fs::read(kept.join(&name)).ok() != std::fs::read(out.join(&name)).ok() {
            return Err(format!("content/packs/{} is not what a build makes", name.display()));
        }
    }
    say("content/packs is what content/ builds, byte for byte");
    Ok(())
}
