//! The binary `amparo`.

use std::process::ExitCode;

use amparo_shell::args::Args;
use clap::Parser;

fn main() -> ExitCode {
    ExitCode::from(amparo_shell::commands::run(&Args::parse()))
}
