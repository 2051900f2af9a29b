//! The proof that the content of a pack makes sense, the same at headquarters and on a device.
//!
//! Owns every rule that content must keep beyond its form. Reads one pack by itself; never judges whether
//! content is true. A finding names a rule and a place, so that it may be logged and shown anywhere.

mod banned;
mod calendar;
mod checklist;
mod condition;
mod directory;
mod finding;
mod header;
mod number;
mod policy;
mod protocol;
mod recipient;
mod recipients;
mod strings;
mod text;

use amparo_schema::name::Name;
use amparo_schema::pack::{Content, Header};

pub use finding::{Finding, Rule, Severity};
pub use text::languages;

use finding::{At, Findings};

/// The authority whose packs are for demonstration and may claim no approval.
pub const DEMO_AUTHORITY: &str = "amparo-demo";

/// Findings that one check returns at most; past it the content is wrong in a way that more do not explain.
pub const FINDINGS_MAX: usize = 1_000;

/// Every finding in a pack, in the order of its content; empty for content without fault. `json` are the
/// bytes that the content was read from, or is written as.
#[must_use]
pub fn check(header: &Header, content: &Content, json: &[u8]) -> Vec<Finding> {
    let mut out = Findings::new(header.authority.as_str() == DEMO_AUTHORITY);
    let root = At::root();
    header::check(header, content, &mut out);
    match content {
        Content::Checklist(c) => checklist::check(c, &root, &mut out),
        Content::Protocol(c) => protocol::check(c, &root, &mut out),
        Content::Directory(c) => directory::check(c, header, &root, &mut out),
        Content::Calendar(c) => calendar::check(c, &root, &mut out),
        Content::Policy(c) => policy::check(c, header, &root, &mut out),
        Content::Recipients(c) => recipients::check(c, &root, &mut out),
    }
    text::check(header, content, &mut out);
    strings::check(json, &root, &mut out);
    out.into_list()
}

/// Reports every id that an earlier one in the list has already.
fn unique<'a>(ids: impl Iterator<Item = &'a Name>, at: &At<'_>, out: &mut Findings) {
    let mut seen = std::collections::BTreeSet::new();
    for (i, id) in ids.enumerate() {
        if !seen.insert(id) {
            out.add(Rule::DuplicateId, &at.index(i).key("id"), format!("{id} stands twice"));
        }
    }
}

/// Reports a list that is longer than its limit.
fn limit(length: usize, most: usize, name: &'static str, at: &At<'_>, out: &mut Findings) {
    if length > most {
        out.add(Rule::LimitExceeded, at, format!("{length} are more than {name}, {most}"));
    }
}
