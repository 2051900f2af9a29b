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
use super::recipient::is_low_order;
use super::{banned, checklist, directory, limit, unique};

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
            Rule::RecipientKey,
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
            if let Some(stem) = banned::stem(word) {
                out.add(Rule::BannedWord, &at.index(i), format!("a word that begins with {stem}"));
            }
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
