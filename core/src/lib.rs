//! The offline backend of Amparo.
//!
//! Rooms, and the one direction in which they may look: `time, random, secret` <- pure domain
//! (`answers, condition, person, pack, checklist, assessment, calendar, protocol, directory, screening,
//! consent, referral, recipient, packet, seal, journal, sync`) <- `store` <- `device`. The pure domain knows no
//! store and no clock; `store` knows no rule of the domain; only [`device`] knows both.
//!
//! Never prints, never opens a socket, never starts a thread or a runtime, never reads a clock or draws
//! randomness but through [`time::Clock`] and [`random::Entropy`].

pub use amparo_schema as schema;
pub use amparo_seal::{self as seal, random, secret};

pub mod answers;
pub mod assessment;
pub mod calendar;
pub mod checklist;
pub mod condition;
pub mod consent;
pub mod device;
pub mod directory;
pub mod journal;
pub mod pack;
pub mod packet;
pub mod person;
pub mod protocol;
pub mod recipient;
pub mod referral;
pub mod screening;
pub mod store;
pub mod sync;
pub mod time;
