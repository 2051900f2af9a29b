//! Running commands, and saying what is run.

use std::path::PathBuf;
use std::process::Command;

/// What went wrong, in one line.
pub(crate) type Outcome = Result<(), String>;

/// Prints a line.
#[allow(clippy::print_stdout)] // a developer's command talks to a terminal
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// The top folder of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}

/// Runs a command in the top folder and fails with its words when it fails.
pub(crate) fn command(program: &str, words: &[&str]) -> Outcome {
    command_in(".", program, words)
}

/// The same in a folder below the top.
pub(crate) fn command_in(folder: &str, program: &str, words: &[&str]) -> Outcome {
    say(&format!("== {program} {}", words.join(" ")));
    run(Command::new(program).args(words).current_dir(root().join(folder)), program, words)
}

/// As [`command`], with variables of the environment set.
pub(crate) fn command_with(variables: &[(&str, &str)], program: &str, words: &[&str]) -> Outcome {
    let set: String = variables.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    say(&format!("== {set}{program} {}", words.join(" ")));
    let environment = variables.iter().copied();
    run(Command::new(program).args(words).envs(environment).current_dir(root()), program, words)
}

fn run(command: &mut Command, program: &str, words: &[&str]) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} {}: {status}", words.join(" "))),
        Err(e) => Err(format!("{program}: {e}")),
    }
}

/// True when a command runs and succeeds; nothing of it is shown.
pub(crate) fn works(program: &str, words: &[&str]) -> bool {
    Command::new(program)
        .args(words)
        .current_dir(root())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The cargo that runs this.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}
