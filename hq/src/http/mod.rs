//! Headquarters on the network.
//!
//! Owns HTTP: what may come in, how much of it at once, how long it may take, and how it is answered. Hands
//! everything else to the relay on a thread of its own, and answers only what a finished transaction holds.
//! Never writes who called, what was sent or where it went to any log, metric or error: a proxy in front sees
//! as much as this does, bytes and addresses.

mod admission;
mod body;
mod metrics;
mod problem;
mod reply;
mod routes;
mod serve;
mod tls;
mod worker;

pub use admission::Limits;
pub use problem::Problem;
pub use routes::OPENAPI;
pub use serve::{ServeError, Server, serve};
pub use tls::{TlsError, tls};
pub use worker::Engine;
