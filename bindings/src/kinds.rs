//! The closed lists of the domain, as enums of each language.
//!
//! They are the core's own types, not copies: a new case in the core does not compile until it stands here.

pub mod contact;
pub mod protocol;
pub mod screening;
pub mod sharing;
pub mod sync;

pub use contact::*;
pub use protocol::*;
pub use screening::*;
pub use sharing::*;
pub use sync::*;
