//! What outlives a build of Amparo or leaves the device: content packs, facts, segments, SQL, limits.
//!
//! Owns the formats and their hashes, so that the device, headquarters and authors cannot disagree.
//! Never does I/O, never reads a clock, never draws randomness, never knows a database driver.

pub mod answer;
pub mod condition;
mod debug;
pub mod fact;
pub mod id;
pub mod limits;
pub mod name;
pub mod outcome;
pub mod pack;
pub mod person;
pub mod text;
pub mod wire;

/// The numbered migrations of the device store, in order. Position `n` brings version `n` to `n + 1`.
pub const MIGRATIONS: &[&str] = &[include_str!("../sql/0001_init.sql"), include_str!("../sql/0002_sync.sql")];

/// The documented schema that all migrations together must produce; compared by a test, never executed
/// on a device.
pub const CURRENT_SQL: &str = include_str!("../sql/current.sql");
