//! Recipients: keys that only their holder can open, in days that run forwards, and services that someone runs.

use std::collections::BTreeSet;

use amparo_schema::id::Hash;
use amparo_schema::limits::{RECIPIENT_KEYS_MAX, RECIPIENTS_MAX};
use amparo_schema::name::Name;
use amparo_schema::pack::recipients::{Recipient, RecipientRole, Recipients};
use ed25519_dalek::VerifyingKey;

use super::finding::{At, Findings, Rule};
use super::recipient::is_low_order;
use super::{limit, unique};

/// Services for which one agency may answer.
const RECIPIENT_SERVICES_MAX: usize = 1_000;

/// What must stand once in the whole pack: a key of two recipients would tell nobody whose letter or grant it
/// is, and a service of two agencies would share with both what the person meant for one.
#[derive(Default)]
struct Seen<'a> {
    services: BTreeSet<&'a Name>,
    keys: BTreeSet<Hash>,
    signing_keys: BTreeSet<Hash>,
}

pub(super) fn check(c: &Recipients, root: &At<'_>, out: &mut Findings) {
    let list = root.key("recipients");
    limit(c.recipients.len(), RECIPIENTS_MAX, "RECIPIENTS_MAX", &list, out);
    unique(c.recipients.iter().map(|r| &r.id), &list, out);
    let mut seen = Seen::default();
    for (i, recipient) in c.recipients.iter().enumerate() {
        self::recipient(recipient, &mut seen, &list.index(i), out);
    }
    out.review(&c.review, root);
}

fn recipient<'a>(r: &'a Recipient, seen: &mut Seen<'a>, at: &At<'_>, out: &mut Findings) {
    let services = at.key("services");
    limit(r.services.len(), RECIPIENT_SERVICES_MAX, "1,000 services", &services, out);
    if (r.role == RecipientRole::Agency) == r.services.is_empty() {
        out.add(Rule::RecipientServices, &services, "an agency runs services, and nobody else does");
    }
    for (i, service) in r.services.iter().enumerate() {
        if !seen.services.insert(service) {
            out.add(Rule::DuplicateId, &services.index(i), format!("{service} stands twice"));
        }
    }
    keys(r, seen, &at.key("keys"), out);
    signing_keys(r, seen, &at.key("signing_keys"), out);
    out.sources(&r.sources, "sources", at);
}

fn keys(r: &Recipient, seen: &mut Seen<'_>, list: &At<'_>, out: &mut Findings) {
    limit(r.keys.len(), RECIPIENT_KEYS_MAX, "RECIPIENT_KEYS_MAX", list, out);
    if r.keys.is_empty() {
        out.add(Rule::RecipientWithoutKey, list, "nothing could be sealed for it");
    }
    for (i, key) in r.keys.iter().enumerate() {
        let at = list.index(i);
        if is_low_order(&key.public_key.0) {
            out.add(Rule::RecipientKey, &at.key("public_key"), "anyone could open what is sealed");
        }
        if !seen.keys.insert(key.public_key) {
            out.add(Rule::DuplicateId, &at.key("public_key"), "the key stands twice");
        }
        if key.from > key.until {
            out.add(Rule::DatesOutOfOrder, &at.key("until"), "before from");
        }
    }
}

fn signing_keys(r: &Recipient, seen: &mut Seen<'_>, list: &At<'_>, out: &mut Findings) {
    limit(r.signing_keys.len(), RECIPIENT_KEYS_MAX, "RECIPIENT_KEYS_MAX", list, out);
    for (i, key) in r.signing_keys.iter().enumerate() {
        let at = list.index(i);
        if VerifyingKey::from_bytes(&key.0).map_or(true, |key| key.is_weak()) {
            out.add(Rule::SigningKey, &at, "no Ed25519 key, or one under which anything verifies");
        }
        if !seen.signing_keys.insert(*key) {
            out.add(Rule::DuplicateId, &at, "the key stands twice");
        }
    }
}
