//! What `toString`, `str` and `description` show of a record that holds what a person said, did or carries: its
//! name, and nothing of what is in it.
//!
//! Generated languages print every field of a record unless Rust prints it for them. Hosts log views, crash
//! reporters collect them; so each type that holds something of a person has `redacted!` and exports
//! `Display`. A record around one shows the name of it, and needs none of its own.

/// `Display` and `Debug` that show the name of the type only.
macro_rules! redacted {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    )+};
}

pub(crate) use redacted;
