//! The product's side of `tests/referees/sqlcipher_interop.py`.
//!
//! `make <file> <key>` makes a store with three facts; `verify <file> <key>` opens one and prints what it
//! finds; `saves <file> <key> <n>` appends `n` facts, one transaction each, for counting system calls.
#![allow(clippy::print_stdout, reason = "a program for a script to read")]

use std::path::Path;

use amparo_core::random::{Entropy, NoEntropy};
use amparo_core::schema::fact::Compartment;
use amparo_core::secret::Key;
use amparo_core::store::{Store, StoreError, fact};
use amparo_core::time::Moment;

const NOW: Moment = Moment { wall_ms: 1_800_000_000_000, offset_minutes: 0, steady_ms: 1 };

struct System;

impl Entropy for System {
    #[allow(clippy::disallowed_methods, reason = "this program is the host")]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(buffer).map_err(|_| NoEntropy)
    }
}

fn key(hex: &str) -> Option<Key> {
    let digits: &[u8; 64] = hex.as_bytes().try_into().ok()?;
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Key::new(&key))
}

fn append(store: &Store, body: &[u8]) -> Result<(), StoreError> {
    store.write(|tx| fact::append(tx, None, Compartment::Case, body).map(drop))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["make", file, hex] => {
            let store = Store::create(Path::new(file), &key(hex).ok_or("key")?, &System, NOW)?;
            for body in ["synthetic one", "synthetic two", "synthetic three"] {
                append(&store, body.as_bytes())?;
            }
        }
        ["saves", file, hex, n] => {
            let store = Store::open(Path::new(file), &key(hex).ok_or("key")?, &System, NOW)?;
            for _ in 0..n.parse::<u32>()? {
                append(&store, &[7; 100])?;
            }
        }
        ["verify", file, hex] => {
            let store = Store::open(Path::new(file), &key(hex).ok_or("key")?, &System, NOW)?;
            let report = store.verify()?;
            println!(
                "facts={} faults={} findings={}",
                report.facts,
                report.faults.len(),
                store.findings().len()
            );
        }
        _ => return Err("make|verify <file> <key>, saves <file> <key> <n>".into()),
    }
    Ok(())
}
