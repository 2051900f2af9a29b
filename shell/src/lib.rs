//! A field shell of Amparo for a terminal, and the content authoring commands.
//!
//! A second user of the core's API that keeps it honest. Never holds domain logic.

pub mod content;
pub mod host;
pub mod keystore;
pub mod ask;
pub mod words;
