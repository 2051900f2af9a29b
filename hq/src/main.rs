//! The binary `amparo-hq`.

use std::process::ExitCode;

use amparo_hq::cli::{Args, run};
use clap::Parser;

fn main() -> ExitCode {
    ExitCode::from(run(&Args::parse()))
}
