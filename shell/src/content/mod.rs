//! Content authoring: from the files under `content/` to signed packs.
//!
//! Owns reading of what people write and reporting with file, line and rule. What makes sense is decided by
//! `amparo_core::pack`, the same on a device; nothing here weakens or repeats it.

pub mod build;
pub mod check;
pub mod compile;
pub mod condition_text;
pub mod directory_table;
pub mod finding;
mod joined;
pub mod keys;
pub mod yaml;
mod yaml_de;
pub mod zones;

pub use finding::{ContentError, Finding, Summary};
