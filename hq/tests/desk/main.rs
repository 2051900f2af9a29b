//! The desk from its feeds to its reports. Every person, case and agency here is synthetic.

mod common;
mod counting;
mod feed;
mod flips;
mod htcds;
mod letters;
mod opening;
