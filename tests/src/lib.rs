//! What acceptance tests share.

pub mod answers;
pub mod canary;
pub mod device;
pub mod dice;
pub mod synthetic;
pub mod world;
