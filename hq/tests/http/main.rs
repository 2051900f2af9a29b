//! Headquarters through real sockets on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests are tests"
)]

mod backups;
mod cuts;
mod desk;
mod groups;
mod kills;
mod limits;
mod operators;
mod postgres;
mod pressure;
mod process;
mod socket;

#[path = "../common/mod.rs"]
mod common;
