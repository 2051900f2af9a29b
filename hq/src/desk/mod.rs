//! An agency's desk.
