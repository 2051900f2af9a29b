//! Policies: a known intake, a gate, all consents, words for every outcome, a recipient.

use std::collections::BTreeSet;

use amparo_schema::limits::{ITEMS_MAX, SERVICES_MAX};
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::Header;
use amparo_schema::pack::checklist::{Item, ItemKind};
use amparo_schema::pack::policy::{Policy, Purpose, intake};
use amparo_schema::text::Lang;
use unicode_normalization::is_nfc;

use super::condition::Names;
use super::finding::{At, Findings, Rule};
use super::{checklist, directory, limit, unique};

/// Code words that a language needs, so that a code of a few words is not guessed.
const CODE_WORDS_MIN: usize = 64;
/// Code words that a language may have.
const CODE_WORDS_MAX: usize = 10_000;

pub(super) fn check(c: &Policy, header: &Header, root: &At<'_>, out: &mut Findings) {
    let names = Names { items: checklist::names(&c.intake), ..Names::default() };
    let at = root.key("intake");
    checklist::items(&c.intake, &names, &at, out);
    for (i, item) in c.intake.iter().enumerate() {
        intake_item(item, &at.index(i), out);
    }
    gate(c, &root.key("gate"), out);
    consents(c, &root.key("consents"), out);
    let outcomes = root.key("outcomes");
    for outcome in Outcome::ALL.into_iter().filter(|outcome| !c.outcomes.contains_key(outcome)) {
        out.add(Rule::MissingOutcomeWords, &outcomes, format!("no words for {}", outcome.as_str()));
    }
    let posts = root.key("posts");
    limit(c.posts.len(), SERVICES_MAX, "SERVICES_MAX", &posts, out);
    unique(c.posts.iter().map(|p| &p.id), &posts, out);
    for (i, post) in c.posts.iter().enumerate() {
        let at = posts.index(i);
        directory::country(post.country, header, &at, out);
        if let Some(area) = &post.area {
            directory::area(area, post.country, &at.key("area"), out);
        }
        out.sources(&post.sources, "sources", &at);
    }
    code_words(c, &root.key("code_words"), out);
    if c.last_resort.0.values().all(|words| words.trim().is_empty()) {
        out.add(Rule::EmptyLastResort, &root.key("last_resort"), "a search could come back empty");
    }
    if is_low_order(&c.custodian.public_key.0) {
        out.add(
            Rule::CustodianKey,
            &root.key("custodian").key("public_key"),
            "anyone could open what is sealed",
        );
    }
    let retention = root.key("retention");
    for (key, amount) in [
        ("plaintext_hours", c.retention.plaintext_hours),
        ("observation_days", c.retention.observation_days),
        ("open_hours", c.retention.open_hours),
    ] {
        if amount == 0 {
            out.add(Rule::RetentionZero, &retention.key(key), "nothing would be kept long enough to be used");
        }
    }
    out.review(&c.review, root);
}

fn intake_item(item: &Item, at: &At<'_>, out: &mut Findings) {
    let kind = &item.kind;
    let fits = match item.id.as_str() {
        intake::AGE => matches!(kind, ItemKind::Age(_)),
        intake::SEX => matches!(kind, ItemKind::Choice(_)),
        intake::LANGUAGES | intake::EXPLOITATION => matches!(kind, ItemKind::Choices(_)),
        intake::CHILDREN => matches!(kind, ItemKind::Number { min: 0.., max: ..=255, .. }),
        intake::UNACCOMPANIED | intake::FOREIGN | intake::OFFENCE => matches!(kind, ItemKind::YesNo),
        _ => {
            out.add(Rule::UnknownIntake, &at.key("id"), format!("{} is no id of an intake item", item.id));
            return;
        }
    };
    if !fits {
        out.add(Rule::IntakeKind, &at.key("kind"), format!("not the kind of {}", item.id));
    }
    let (ItemKind::Choice(options) | ItemKind::Choices(options)) = kind else { return };
    for option in options {
        let id = option.id.as_str();
        let known = match item.id.as_str() {
            intake::SEX => matches!(id, "female" | "male" | "other"),
            intake::LANGUAGES => Lang::new(id).is_ok(),
            intake::EXPLOITATION => crate::person::exploitation(&option.id).is_some(),
            _ => true,
        };
        if !known {
            out.add(Rule::IntakeOption, &at.key("kind"), format!("{id} says nothing in {}", item.id));
        }
    }
}

fn gate(c: &Policy, list: &At<'_>, out: &mut Findings) {
    if c.gate.is_empty() {
        out.add(Rule::MissingGate, list, "questions need a safe place first");
    }
    limit(c.gate.len(), ITEMS_MAX, "ITEMS_MAX", list, out);
    unique(c.gate.iter().map(|g| &g.id), list, out);
    for (i, check) in c.gate.iter().enumerate() {
        out.sources(&check.sources, "sources", &list.index(i));
    }
}

fn consents(c: &Policy, list: &At<'_>, out: &mut Findings) {
    let all = [
        (Purpose::Talk, "talk"),
        (Purpose::Store, "store"),
        (Purpose::ShareService, "share_service"),
        (Purpose::ShareIdentity, "share_identity"),
        (Purpose::Statistics, "statistics"),
    ];
    for (purpose, word) in all {
        let mut same = c.consents.iter().enumerate().filter(|(_, consent)| consent.purpose == purpose);
        if same.next().is_none() {
            out.add(Rule::MissingConsent, list, format!("no wording for {word}"));
        }
        for (i, _) in same {
            out.add(Rule::DuplicateId, &list.index(i).key("purpose"), format!("{word} stands twice"));
        }
    }
}

fn code_words(c: &Policy, at: &At<'_>, out: &mut Findings) {
    for tag in ["es", "en"] {
        if !c.code_words.keys().any(|lang| lang.primary() == tag) {
            out.add(Rule::CodeWords, at, format!("none in {tag}"));
        }
    }
    for (lang, words) in &c.code_words {
        let at = at.key(lang.as_str());
        limit(words.len(), CODE_WORDS_MAX, "10,000 words", &at, out);
        let mut seen = BTreeSet::new();
        for (i, word) in words.iter().enumerate() {
            let plain = (2..=16).contains(&word.chars().count())
                && word.chars().all(char::is_alphabetic)
                && *word == word.to_lowercase()
                && is_nfc(word);
            if !plain || !seen.insert(word) {
                out.add(
                    Rule::CodeWords,
                    &at.index(i),
                    "not a lower-case word (NFC) of its own, 2 to 16 letters",
                );
            }
        }
        if words.len() < CODE_WORDS_MIN {
            out.add(Rule::CodeWords, &at, format!("{} words of {CODE_WORDS_MIN}", words.len()));
        }
    }
}

/// The X25519 public keys for which the shared secret is known to everybody: u of order 1, 2, 4 or 8 on the
/// curve and its twist, reduced or not (RFC 7748, section 6.1 and 7). The top bit is ignored, as X25519 does.
fn is_low_order(key: &[u8; 32]) -> bool {
    const ORDER_8_A: [u8; 32] = [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ];
    const ORDER_8_B: [u8; 32] = [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ];
    let [first, middle @ .., last] = key;
    let last = last & 0x7f;
    // 0 and 1; and p - 1, p, p + 1, that is 2^255 less 20, 19, 18.
    let small = *first <= 1 && middle.iter().all(|b| *b == 0) && last == 0;
    let near_p = (0xec..=0xee).contains(first) && middle.iter().all(|b| *b == 0xff) && last == 0x7f;
    let same = |other: &[u8; 32]| {
        let [a, b @ .., c] = other;
        a == first && b == middle && *c == last
    };
    small || near_p || same(&ORDER_8_A) || same(&ORDER_8_B)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hpke::{
        Deserializable, Kem, OpModeR, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256,
    };

    /// What another implementation says of a key: it refuses an agreement whose secret is zero.
    fn hpke_refuses(key: &[u8; 32]) -> bool {
        let (secret, _) = X25519HkdfSha256::derive_keypair(b"a test");
        let sender = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(key).unwrap();
        hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret,
            &sender,
            b"",
        )
        .is_err()
    }

    #[test]
    fn keys_that_open_for_anyone_are_those_that_hpke_refuses() {
        let mut keys = vec![[0xff; 32], [9; 32]];
        for first in 0..=255 {
            for (middle, last) in [(0, 0), (0, 0x80), (0xff, 0x7f), (0xff, 0xff)] {
                let mut key = [middle; 32];
                (key[0], key[31]) = (first, last);
                keys.push(key);
            }
        }
        // Order 8, as printed in RFC 7748's security literature, and one bit beside it.
        for text in [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
            "e1eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        ] {
            keys.push(text.parse::<amparo_schema::id::Hash>().unwrap().0);
        }
        let refused = keys.iter().filter(|key| hpke_refuses(key)).count();
        assert_eq!(refused, 13, "0, 1, p-1, p, p+1 and two of order 8, most with and without the top bit");
        for key in keys {
            assert_eq!(is_low_order(&key), hpke_refuses(&key), "{key:02x?}");
        }
    }
}
