//! The content that this shell carries, so that it works where there is no network.

use amparo_core::pack::{PackError, Trust};

/// The packs of `content/packs`, in the order of their names.
pub const PACKS: &[&[u8]] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// The root file that this shell pins. It trusts the published demonstration key and nothing real.
const ROOT: &[u8] = include!(concat!(env!("OUT_DIR"), "/root.rs"));

/// The trust that this shell pins.
///
/// # Errors
/// [`PackError`] when the embedded root file is not usable: a fault of the build.
pub fn trust() -> Result<Trust, PackError> {
    let root = serde_json::from_slice(ROOT).map_err(|_| PackError::Root { why: "it does not read" })?;
    Trust::new(root)
}
