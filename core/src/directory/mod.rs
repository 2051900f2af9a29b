//! The directory: who takes this person, now, from here, in this language; and search as typed.
//!
//! Owns the match ([`find`]), the opening hours ([`hours`]) and the search index ([`search`]). Pure functions of
//! services, a query and a time that the caller gives. Never returns an empty answer, never offers a number that is
//! marked do-not-dial, never takes "unknown" for "no", and never knows a database: the store hands in services and
//! serves the index through a trait.
//!
//! The rules are 14 to 18 of the domain rules: content is dated, the person comes first, the lines are ranked and
//! each nearer one that is left out says why.

pub mod find;
pub mod fit;
pub mod hours;
pub mod query;
pub mod rank;
pub mod search;

pub use find::{Found, Offer, Out, Rung, find};
pub use fit::{Exclusion, Reason, Trait, Verdict, judge};
pub use hours::{Open, Zones};
pub use query::{Calling, ClockTrust, Query, to_dial};
