//! The desk from its feeds to its reports. Every person, case and agency here is synthetic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;
mod counting;
mod covered;
mod feed;
mod flips;
mod htcds;
mod letters;
mod opening;
mod pulling;
