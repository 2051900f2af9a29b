//! A field shell of Amparo for a terminal, and the content authoring commands.
//!
//! A second user of the core's API that keeps it honest. Never holds domain logic.

pub mod args;
pub mod ask;
pub mod commands;
pub mod content;
pub mod demo;
pub mod draw;
pub mod embedded;
pub mod home;
pub mod host;
pub mod keystore;
pub mod packets;
pub mod report;
pub mod scenario;
pub mod sync;
pub mod transport;
pub mod walk;
pub mod words;
