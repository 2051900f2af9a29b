//! The figures of docs/BENCHMARKS.md.

use crate::run::{Outcome, cargo, command, say, works};

/// What counts instructions and system calls. Without them these cells say "not counted".
const COUNTERS: &[&str] = &["valgrind", "strace"];

pub(crate) fn run() -> Outcome {
    for counter in COUNTERS {
        if !works(counter, &["--version"]) {
            say(&format!("NOT COUNTED: {counter} is not installed"));
        }
    }
    let cargo = cargo();
    // The shell's binary is built for its size only.
    command(
        &cargo,
        &["build", "--release", "--locked", "-p", "amparo-shell", "-p", "amparo-tests", "--bins"],
    )?;
    command(&cargo, &["run", "--release", "--locked", "-p", "amparo-tests", "--bin", "bench"])
}
