//! The command line of headquarters.
//!
//! Owns what operators type and read: the folder, the keys in it, the server as a process. In English alone:
//! its readers run machines. Plain lines when piped, JSON on request. Never prints a secret key; a ticket is
//! printed because it is for handing over.

mod args;
mod backup;
mod client;
mod desk;
mod desk_home;
mod error;
mod files;
mod home;
mod host;
mod picture;
mod relay;
mod serve;

use std::io::Write as _;

pub use args::{Args, exit};
pub use error::CliError;
use serde_json::Value;

use args::Command;

/// Runs the command line; gives the exit code.
#[must_use]
pub fn run(args: &Args) -> u8 {
    let done = match &args.command {
        Command::Desk { command } => desk::run(&args.home, args.json, command),
        _ => relay::run(args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            complain(args.json, &error);
            error.code()
        }
    }
}

#[allow(clippy::print_stderr)] // a command line talks
fn complain(as_json: bool, error: &CliError) {
    if as_json {
        eprintln!("{}", serde_json::json!({ "error": error.to_string() }));
    } else {
        eprintln!("amparo-hq: {error}");
    }
}

/// Writes a line to standard output; a closed pipe is no fault of ours.
fn say(text: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Shows what was done: as JSON, or as one line for each field.
fn show(as_json: bool, done: &Value) {
    match done {
        Value::Object(fields) if !as_json => {
            for (name, value) in fields {
                match value {
                    Value::String(text) => say(&format!("{name}: {text}")),
                    other => say(&format!("{name}: {other}")),
                }
            }
        }
        other => say(&other.to_string()),
    }
}
