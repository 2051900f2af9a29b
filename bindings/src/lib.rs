//! Amparo for Kotlin, Swift and Python.
//!
//! Owns the face of the core towards other languages: one object, [`Device`], flat records (`..View` comes
//! out, `..Request` goes in), one error enum by what the caller can do, and the traits that a host implements.
//! Holds no rule of the domain: each method is one or two calls of the core and one view. Never lets a panic,
//! a word that a person said, or text of a database cross the boundary in an error.
//!
//! Every method blocks. A device may be used from any thread; none of its methods holds a lock while it calls
//! the host.

pub mod device;
pub mod errors;
mod folder;
pub mod host;
pub mod ids;
mod keyfile;
pub mod kinds;
mod redact;
pub mod requests;
#[cfg(feature = "testing")]
pub mod testing;
pub mod views;

pub use device::Device;
pub use errors::FieldError;

uniffi::setup_scaffolding!();
