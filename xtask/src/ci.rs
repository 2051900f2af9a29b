//! What the continuous integration runs.

use crate::run::{Outcome, cargo, command, works};

pub(crate) fn run() -> Outcome {
    let cargo = cargo();
    crate::layout::run()?;
    command(&cargo, &["fmt", "--all", "--check"])?;
    command(&cargo, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    if !works(&cargo, &["deny", "--version"]) {
        return Err("cargo-deny is not installed: cargo install cargo-deny --locked".into());
    }
    command(&cargo, &["deny", "--workspace", "check", "licenses", "bans", "sources"])?;
    crate::test::run(true)
}
