//! What leaves the device and what comes back: segments and grants, disclosures, receipts, feeds, enrolment,
//! bundles. `schema/WIRE.md` says the same for someone who writes a second implementation.
//!
//! Every object authenticates itself, so that a network, a memory stick and another phone may carry the same
//! bytes. Nothing that a relay can read tells who, when, where or what.

pub mod bundle;
pub mod desk;
pub mod disclosure;
pub mod enrol;
pub mod feed;
pub mod item;
mod list;
pub mod push;
pub mod receipt;
pub mod segment;
pub mod signed;
