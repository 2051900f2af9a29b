//! What acceptance tests share.

pub mod synthetic;
