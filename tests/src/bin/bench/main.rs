//! The figures of `docs/BENCHMARKS.md`: counts and ratios, both sides in one run.
//!
//! `bench` measures everything and writes the table; `bench one <case> <n> [folder]` runs one case for the
//! programs that count. Counts come first (instructions, allocations, system calls, bytes): they repeat. Wall
//! time is the second witness, both sides by turns, and no time is ever asserted.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a developer's command talks to a terminal")]

mod alloc;
mod bare;
mod cases;
mod directory;
mod domain;
mod pg;
mod relay;
mod search;
mod store;
mod table;
mod tool;
mod watch;
mod world;

use std::path::{Path, PathBuf};

#[global_allocator]
static HEAP: alloc::Counting = alloc::Counting;

/// What went wrong, for a developer to read.
type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["one", case, n] => cases::run(case, n.parse()?, Path::new(".")),
        ["one", case, n, folder] => cases::run(case, n.parse()?, Path::new(folder)),
        parts => all(parts),
    }
}

/// Measures and writes the table; with names of parts, only prints these.
fn all(wanted: &[&str]) -> Fallible<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    // On the disk of the checkout: the temporary folder of a system is often memory, which does not sync.
    let target = root.join("target");
    std::fs::create_dir_all(&target)?;
    let folder = tempfile::tempdir_in(&target)?;
    let mut rows = Vec::new();
    type Part = fn(&Path, &mut Vec<table::Row>) -> Fallible<()>;
    let parts: [(&str, Part); 4] =
        [("domain", domain::rows), ("store", store::rows), ("search", search::rows), ("relay", relay::rows)];
    for (name, part) in parts {
        if wanted.is_empty() || wanted.contains(&name) {
            let (took, done) = watch::timed(|| part(folder.path(), &mut rows));
            done?;
            eprintln!("{name}: {}", watch::time(took));
        }
    }
    let text = table::markdown(&rows, &table::machine());
    println!("{text}");
    if wanted.is_empty() { table::keep(&root.join("docs/BENCHMARKS.md"), &text) } else { Ok(()) }
}
