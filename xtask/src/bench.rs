//! The figures of README.

use crate::run::{Outcome, cargo, command};

pub(crate) fn run() -> Outcome {
    command(&cargo(), &["run", "--release", "--locked", "-p", "amparo-tests", "--bin", "bench"])
}
