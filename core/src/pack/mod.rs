//! Packs: who may say what, what a pack says, and whether it makes sense.
//!
//! Owns verification of pack files, reading of their content, and the proof that content can be worked with:
//! ids resolve, conditions look only where they may, no outcome is without steps. Never touches a store, a
//! clock or a pack's words beyond their form; an error names a place and a rule, never a text of the pack.

pub mod check;
pub mod parse;
pub mod verify;

pub use check::{Finding, Rule, Severity, check, languages};
pub use verify::{Pack, PackError, Trust, Warning, glance, key_id, may_replace, open, reopen, sign, write};
