//! What is stored of a directory so that it can be searched.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::pack::directory::{SearchWords, Service, ServiceKind, ServiceStatus};

use super::words::{WORD_CHARS_MAX, words};

/// Services that are stored with a prefix which more postings than this begin with; also the most that a
/// search for one word gives.
pub const PREFIX_TOP: usize = 64;

/// Service `n` holds `term`. In the order of the fields, which is the order of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Posting {
    /// The word.
    pub term: String,
    /// [`static_rank`] of the service.
    pub rank: u32,
    /// The number that the caller gave the service.
    pub n: u32,
}

/// The index of one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// For each word its services as `(rank, n)`: rows of `search_token`, in key order.
    pub terms: BTreeMap<String, BTreeSet<(u32, u32)>>,
    /// For each prefix of more than [`PREFIX_TOP`] postings its best services as `(rank, n)`: rows of
    /// `search_prefix`, in key order.
    pub prefixes: BTreeMap<String, BTreeSet<(u32, u32)>>,
    /// For each service its words, sorted, parted by one space: what [`holds_prefix`] reads.
    pub words: BTreeMap<u32, String>,
}

impl Index {
    /// Builds the index. Each service comes with the number by which the store knows it; a number that comes
    /// twice counts as one service with the words of both.
    #[must_use]
    pub fn build<'a>(services: impl IntoIterator<Item = (u32, &'a Service)>, extra: &SearchWords) -> Self {
        let mut index = Self::default();
        for (n, service) in services {
            let rank = static_rank(service);
            let terms = terms(service, extra);
            let line = index.words.entry(n).or_default();
            for term in terms {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&term);
                index.terms.entry(term).or_default().insert((rank, n));
            }
        }
        index.prefixes = frequent(&index.terms);
        index
    }

    /// Rows of `search_token` in key order: term, rank, number.
    pub fn postings(&self) -> impl Iterator<Item = (&str, u32, u32)> {
        rows(&self.terms)
    }

    /// Rows of `search_prefix` in key order: prefix, rank, number.
    pub fn prefix_rows(&self) -> impl Iterator<Item = (&str, u32, u32)> {
        rows(&self.prefixes)
    }
}

fn rows(map: &BTreeMap<String, BTreeSet<(u32, u32)>>) -> impl Iterator<Item = (&str, u32, u32)> {
    map.iter().flat_map(|(key, places)| places.iter().map(move |(rank, n)| (key.as_str(), *rank, *n)))
}

/// Whether a line of words, sorted and parted by spaces, holds one that begins with `prefix`.
#[must_use]
pub fn holds_prefix(line: &str, prefix: &str) -> bool {
    line.split(' ').any(|word| word.starts_with(prefix))
}

/// The rank by which search results stand: current services first, those that only have a name next, history
/// last; then by kind, in the order of a match.
#[must_use]
pub fn static_rank(service: &Service) -> u32 {
    let status = match service.status {
        ServiceStatus::Current => 0,
        ServiceStatus::NoContact => 1,
        ServiceStatus::Superseded { .. } | ServiceStatus::Withheld => 2,
    };
    let kind = match service.kind {
        ServiceKind::DedicatedLine => 0,
        ServiceKind::Shelter => 1,
        ServiceKind::Specialised => 2,
        ServiceKind::Child => 3,
        ServiceKind::VictimSupport => 4,
        ServiceKind::Women => 5,
        ServiceKind::Labour => 6,
        ServiceKind::Migration => 7,
        ServiceKind::Justice => 8,
        ServiceKind::Police => 9,
        ServiceKind::Emergency => 10,
        ServiceKind::Other => 11,
    };
    status * 16 + kind
}

/// The words by which a service is found: its names in all languages, the body that runs it, its places, the
/// words of its kind and country, and its numbers, as they are shown and as bare digits.
#[must_use]
pub fn terms(service: &Service, extra: &SearchWords) -> BTreeSet<String> {
    let kinds = extra.kinds.get(&service.kind).into_iter().flatten();
    let countries = extra.countries.get(&service.country).into_iter().flatten();
    let labels = kinds.chain(countries);
    let texts = service.name.0.values().chain(&service.organisation).chain(&service.places).chain(labels);
    let shown = service.channels.iter().filter_map(|channel| channel.display.as_ref());
    let mut terms: BTreeSet<String> = texts.chain(shown).flat_map(|text| words(text)).collect();
    let numbers = service.channels.iter().flat_map(|c| [&c.display, &c.dial, &c.e164]).flatten();
    terms.extend(numbers.map(|number| digits(number)).filter(|digits| !digits.is_empty()));
    terms
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(WORD_CHARS_MAX).collect()
}

/// One open prefix while the sorted words go by.
#[derive(Default)]
struct Level {
    postings: usize,
    best: BTreeSet<(u32, u32)>,
}

impl Level {
    /// Keeps the smallest [`PREFIX_TOP`] places, each once.
    fn take(&mut self, place: (u32, u32)) {
        self.postings += 1;
        if self.best.len() < PREFIX_TOP {
            self.best.insert(place);
        } else if self.best.last().is_some_and(|worst| place < *worst) && self.best.insert(place) {
            self.best.pop_last();
        }
    }
}

/// The frequent prefixes. Words come sorted, so the services of a prefix stand together: only the prefixes of
/// one word are open at a time.
fn frequent(terms: &BTreeMap<String, BTreeSet<(u32, u32)>>) -> BTreeMap<String, BTreeSet<(u32, u32)>> {
    let mut out = BTreeMap::new();
    let mut open: Vec<(String, Level)> = Vec::new();
    let mut close = |level: Option<(String, Level)>| {
        if let Some((prefix, level)) = level.filter(|(_, level)| level.postings > PREFIX_TOP) {
            out.insert(prefix, level.best);
        }
    };
    for (term, places) in terms {
        while open.last().is_some_and(|(prefix, _)| !term.starts_with(prefix.as_str())) {
            close(open.pop());
        }
        let ends = term.char_indices().map(|(at, c)| at + c.len_utf8()).skip(open.len());
        for prefix in ends.filter_map(|end| term.get(..end)) {
            open.push((prefix.to_owned(), Level::default()));
        }
        for (_, level) in &mut open {
            places.iter().for_each(|place| level.take(*place));
        }
    }
    while let Some(level) = open.pop() {
        close(Some(level));
    }
    out
}
