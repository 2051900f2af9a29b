//! The form: which items there are, in which order, which of them apply, and what an answer may be.
//!
//! Owns the order of the walk (what is seen first, then the gate, then what is asked), the checking of
//! answers, and what it means that an item does not apply. Never stores anything, never says what answers
//! mean together (that is the assessment), never keeps a cursor: where a walk stands follows from its answers.

mod accept;
mod form;
mod marks;
mod reading;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod walk;

pub use accept::AnswerError;
pub(crate) use form::undone_by_sign;
pub use form::{Form, FormError};
pub use walk::{Gate, Next, Position, Walk};

pub(crate) use reading::{Doubt, ItemView, Reading};
