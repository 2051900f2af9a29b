//! Texts: in which languages they are, and in which they should be.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::answer::Mode;
use amparo_schema::limits::TEXT_LANGUAGES_MAX;
use amparo_schema::pack::checklist::{Checklist, Item, ItemKind};
use amparo_schema::pack::policy::Policy;
use amparo_schema::pack::protocol::Protocol;
use amparo_schema::pack::{Content, Header};
use amparo_schema::text::{Lang, Text};

use super::finding::{At, Findings, Rule};

/// Whom a text is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// The official reads it: Spanish and English must be there.
    Official,
    /// The person hears it: as above, and the other languages of the region are wanted.
    Person,
    /// A proper name, in the languages that it has. It keeps its words, whatever they are.
    Name,
}

/// Languages without which no text is complete.
const REQUIRED: [&str; 2] = ["es", "en"];
/// Languages that are wanted in what a person hears.
const SPOKEN: [&str; 3] = ["pt", "fr", "ht"];

/// The languages that are complete: those in which every text is, proper names left out. Content of proper
/// names alone counts those.
#[must_use]
pub fn languages(content: &Content) -> Vec<Lang> {
    let mut complete: [Option<BTreeSet<Lang>>; 2] = [None, None];
    each(content, &mut |_, text, reader| {
        let [words, names] = &mut complete;
        let set = if reader == Reader::Name { names } else { words };
        let here = || text.0.iter().filter(|(_, w)| !w.trim().is_empty()).map(|(lang, _)| lang.clone());
        match set {
            Some(set) => set.retain(|lang| text.0.get(lang).is_some_and(|w| !w.trim().is_empty())),
            None => *set = Some(here().collect()),
        }
    });
    let [words, names] = complete;
    words.or(names).unwrap_or_default().into_iter().collect()
}

pub(super) fn check(header: &Header, content: &Content, out: &mut Findings) {
    let mut unheard: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let root = At::root();
    one(&root.key("pack").key("title"), &header.title, Reader::Official, out);
    each(content, &mut |at, text, reader| {
        one(at, text, reader, out);
        if reader == Reader::Person {
            for tag in SPOKEN.iter().filter(|tag| !has(text, tag)) {
                let (count, _) = unheard.entry(tag).or_insert_with(|| (0, at.to_string()));
                *count = count.saturating_add(1);
            }
        }
    });
    for (tag, (count, first)) in unheard {
        let detail = format!("{tag} is missing in {count} texts that a person hears, first here");
        out.add(Rule::MissingSpokenLanguage, &root.key(&first), detail);
    }
}

fn one(at: &At<'_>, text: &Text, reader: Reader, out: &mut Findings) {
    super::limit(text.0.len(), TEXT_LANGUAGES_MAX, "TEXT_LANGUAGES_MAX", at, out);
    if text.0.is_empty() {
        out.add(Rule::TextWithoutLanguage, at, "no words in any language");
        return;
    }
    for (lang, _) in text.0.iter().filter(|(_, words)| words.trim().is_empty()) {
        out.add(Rule::TextWithoutLanguage, &at.key(lang.as_str()), "no words");
    }
    if reader != Reader::Name {
        super::banned::check(at, text, out);
        for tag in REQUIRED.iter().filter(|tag| !has(text, tag)) {
            out.add(Rule::MissingTranslation, at, format!("{tag} is missing"));
        }
    }
}

fn has(text: &Text, tag: &str) -> bool {
    text.0.keys().any(|lang| lang.primary() == tag)
}

type Visit<'v> = dyn FnMut(&At<'_>, &Text, Reader) + 'v;

/// Visits every text of the content.
fn each(content: &Content, visit: &mut Visit<'_>) {
    let root = At::root();
    match content {
        Content::Checklist(c) => checklist(c, &root, visit),
        Content::Protocol(c) => protocol(c, &root, visit),
        Content::Policy(c) => policy(c, &root, visit),
        Content::Directory(c) => {
            for (i, service) in c.services.iter().enumerate() {
                let (list, name) = (root.key("services"), &service.name);
                visit(&list.index(i).key("name"), name, Reader::Name);
                if let Some(remark) = &service.remark {
                    visit(&list.index(i).key("remark"), remark, Reader::Official);
                }
            }
            for (i, agency) in c.agencies.iter().enumerate() {
                visit(&root.key("agencies").index(i).key("name"), &agency.name, Reader::Name);
            }
        }
        Content::Recipients(c) => {
            for (i, recipient) in c.recipients.iter().enumerate() {
                visit(&root.key("recipients").index(i).key("name"), &recipient.name, Reader::Name);
            }
        }
        Content::Calendar(c) => {
            let years = root.key("years");
            for (year, days) in &c.years {
                let year = year.to_string();
                for (i, day) in days.iter().enumerate() {
                    visit(&years.key(&year).index(i).key("name"), &day.name, Reader::Official);
                }
            }
        }
    }
}

fn checklist(c: &Checklist, root: &At<'_>, visit: &mut Visit<'_>) {
    visit(&root.key("validation"), &c.validation, Reader::Official);
    items(&c.items, &root.key("items"), visit);
    for (i, indicator) in c.indicators.iter().enumerate() {
        visit(&root.key("indicators").index(i).key("label"), &indicator.label, Reader::Official);
    }
    for (i, dimension) in c.dimensions.iter().enumerate() {
        visit(&root.key("dimensions").index(i).key("label"), &dimension.label, Reader::Official);
    }
    for (i, rule) in c.rules.iter().enumerate() {
        visit(&root.key("rules").index(i).key("because"), &rule.because, Reader::Official);
    }
}

fn items(items: &[Item], list: &At<'_>, visit: &mut Visit<'_>) {
    for (i, item) in items.iter().enumerate() {
        let at = list.index(i);
        let reader = if item.mode == Mode::Ask { Reader::Person } else { Reader::Official };
        visit(&at.key("prompt"), &item.prompt, reader);
        if let Some(hint) = &item.hint {
            visit(&at.key("hint"), hint, Reader::Official);
        }
        let kind = at.key("kind");
        match &item.kind {
            ItemKind::Choice(options) | ItemKind::Choices(options) => {
                let word = if matches!(item.kind, ItemKind::Choice(_)) { "choice" } else { "choices" };
                let list = kind.key(word);
                for (i, option) in options.iter().enumerate() {
                    visit(&list.index(i).key("label"), &option.label, Reader::Official);
                }
            }
            ItemKind::Age(bands) => {
                let list = kind.key("age");
                for (i, band) in bands.iter().enumerate() {
                    visit(&list.index(i).key("label"), &band.label, Reader::Official);
                }
            }
            ItemKind::Number { unit, .. } => visit(&kind.key("number").key("unit"), unit, Reader::Official),
            ItemKind::YesNo | ItemKind::Date | ItemKind::ShortText { .. } => {}
        }
    }
}

fn protocol(c: &Protocol, root: &At<'_>, visit: &mut Visit<'_>) {
    let steps = root.key("steps");
    for (i, step) in c.steps.iter().enumerate() {
        let at = steps.index(i);
        visit(&at.key("title"), &step.title, Reader::Official);
        visit(&at.key("actor"), &step.actor, Reader::Official);
        if let Some(detail) = &step.detail {
            visit(&at.key("detail"), detail, Reader::Official);
        }
        if let Some(say) = &step.say {
            visit(&at.key("say"), say, Reader::Person);
        }
        if let Some(on_expiry) = step.deadline.as_ref().and_then(|deadline| deadline.on_expiry.as_ref()) {
            visit(&at.key("deadline").key("on_expiry"), on_expiry, Reader::Official);
        }
    }
}

fn policy(c: &Policy, root: &At<'_>, visit: &mut Visit<'_>) {
    items(&c.intake, &root.key("intake"), visit);
    for (i, gate) in c.gate.iter().enumerate() {
        let list = root.key("gate");
        visit(&list.index(i).key("prompt"), &gate.prompt, Reader::Official);
        visit(&list.index(i).key("otherwise"), &gate.otherwise, Reader::Official);
    }
    for (i, consent) in c.consents.iter().enumerate() {
        let list = root.key("consents");
        let at = list.index(i);
        visit(&at.key("words"), &consent.words, Reader::Person);
        if let Some(wider) = &consent.wider {
            visit(&at.key("wider"), wider, Reader::Person);
        }
    }
    let outcomes = root.key("outcomes");
    for (outcome, words) in &c.outcomes {
        let at = outcomes.key(outcome.as_str());
        visit(&at.key("title"), &words.title, Reader::Official);
        visit(&at.key("official"), &words.official, Reader::Official);
        visit(&at.key("person"), &words.person, Reader::Person);
    }
    // One without any words has a rule of its own.
    if c.last_resort.0.values().any(|words| !words.trim().is_empty()) {
        visit(&root.key("last_resort"), &c.last_resort, Reader::Official);
    }
}
