//! The numbered rules of the domain, held against the content that ships. `tests/DOMAIN.md` says which test
//! proves which rule. All persons and cases are synthetic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod contacts;
mod outcomes;
mod steps;
mod talk;
mod words;

use std::collections::BTreeMap;

use amparo_core::pack::{Pack, open};
use amparo_core::schema::name::Name;
use amparo_core::schema::pack::Content;
use amparo_core::schema::pack::checklist::Checklist;
use amparo_core::schema::pack::directory::Directory;
use amparo_core::schema::pack::policy::Policy;
use amparo_core::schema::pack::protocol::Protocol;
use amparo_shell::embedded;

/// Every pack that ships, by its id.
struct Shipped(BTreeMap<String, Pack>);

impl Shipped {
    fn new() -> Self {
        let trust = embedded::trust().unwrap();
        let packs = embedded::PACKS.iter().map(|bytes| open(bytes, &trust, None).unwrap());
        Self(packs.map(|pack| (pack.header.id.to_string(), pack)).collect())
    }

    fn checklists(&self) -> impl Iterator<Item = (&str, &Checklist)> {
        self.0.iter().filter_map(|(id, pack)| match &*pack.content {
            Content::Checklist(c) => Some((id.as_str(), c)),
            _ => None,
        })
    }

    fn enabled(&self) -> impl Iterator<Item = (&str, &Checklist)> {
        self.checklists().filter(|(_, c)| c.enabled)
    }

    fn protocols(&self) -> impl Iterator<Item = (&str, &Protocol)> {
        self.0.iter().filter_map(|(id, pack)| match &*pack.content {
            Content::Protocol(p) => Some((id.as_str(), p)),
            _ => None,
        })
    }

    fn policy(&self) -> &Policy {
        let policy = self.0.values().find_map(|pack| match &*pack.content {
            Content::Policy(p) => Some(p),
            _ => None,
        });
        policy.unwrap()
    }

    fn directory(&self) -> &Directory {
        let directory = self.0.values().find_map(|pack| match &*pack.content {
            Content::Directory(d) => Some(d),
            _ => None,
        });
        directory.unwrap()
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Numbers from a seed (SplitMix64), so that a failure can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }
}
