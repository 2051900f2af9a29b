//! What acceptance tests share.

pub mod answers;
pub mod canary;
pub mod device;
pub mod dice;
pub mod interview;
#[cfg(target_os = "linux")]
pub mod memory;
pub mod synthetic;
pub mod world;
