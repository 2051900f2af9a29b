//! SQLite with SQLCipher, whose cryptography is RustCrypto's.
//!
//! Owns the provider that SQLCipher asks for and the set-up of both, once per process. Every program that
//! links SQLite here needs it: the device's store and headquarters' own. Knows no schema and no key of anyone.

mod cipher;

use std::sync::Once;

pub use cipher::PROVIDER;

/// Sets SQLite and SQLCipher up, once per process, while every other thread waits. To be called before any
/// connection is opened.
///
/// SQLite runs SQLCipher's part of its set-up after it has let go of its own lock (`sqlite3_initialize`, the
/// last lines), so that a second thread would get connections that know no cipher yet and fail.
pub fn initialise() {
    static ONCE: Once = Once::new();
    // A failure shows again, and is told, when a database is opened.
    ONCE.call_once(|| drop(rusqlite::Connection::open_in_memory()));
}
