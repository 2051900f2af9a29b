//! The header of a pack.

use amparo_schema::limits::PACK_HEADER_BYTES_MAX;
use amparo_schema::pack::{Content, Header};

use super::finding::{At, Findings, Rule};
use super::{strings, text};

/// Headers list few countries and audiences; the limit of header bytes holds in any case.
pub(super) fn check(header: &Header, content: &Content, out: &mut Findings) {
    let root = At::root();
    let at = root.key("pack");
    if header.valid_from > header.expires {
        out.add(Rule::DatesOutOfOrder, &at.key("expires"), "before valid_from");
    }
    for (i, country) in header.countries.iter().enumerate() {
        if header.countries.iter().take(i).any(|c| c == country) {
            out.add(Rule::DuplicateId, &at.key("countries").index(i), format!("{country} stands twice"));
        }
    }
    if header.licence.trim().is_empty() {
        out.add(Rule::Unsourced, &at.key("licence"), "no licence");
    }
    let complete = text::languages(content);
    for lang in header.languages.iter().filter(|lang| !complete.contains(lang)) {
        out.add(Rule::LanguageIncomplete, &at.key("languages"), format!("{lang} is not complete"));
    }
    let json = serde_json::to_vec(header).unwrap_or_default();
    super::limit(json.len(), PACK_HEADER_BYTES_MAX, "PACK_HEADER_BYTES_MAX", &at, out);
    strings::check(&json, &at, out);
}
