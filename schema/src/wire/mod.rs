//! What leaves the device: segments and grants.

pub mod segment;
