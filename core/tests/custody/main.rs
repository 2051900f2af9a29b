//! What is kept about a person and who may learn it: consent, referrals, moves of a screening, packets,
//! sealing, the journal. All persons and cases are synthetic.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are tests

mod common;
mod consent;
mod journal;
mod known_answers;
mod packet;
mod recipient;
mod recipient_no;
mod referral;
mod screening;
mod seal;
mod seal_hostile;
