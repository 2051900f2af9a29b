//! Headquarters through real sockets on loopback.

mod cuts;
mod desk;
mod groups;
mod kills;
mod limits;
mod process;
mod socket;

#[path = "../common/mod.rs"]
mod common;
