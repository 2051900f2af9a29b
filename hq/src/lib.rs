//! Headquarters.
//!
//! [`relay`] takes what devices send, chains it, gives receipts, and hands each agency what was granted to it;
//! it sees sealed bytes alone. [`storage`] is what the relay keeps, behind one narrow trait. [`desk`] is an
//! agency's reader: it holds the agency's key, opens, verifies, counts and answers. [`http`] lets callers in;
//! [`cli`] is the command line of both.
//!
//! Shares formats with devices through `amparo_schema` and `amparo_seal`, and nothing else.

pub mod cli;
pub mod desk;
pub mod http;
pub mod relay;
pub mod storage;
