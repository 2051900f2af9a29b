//! Search and match over made-up directories: nothing is lost, and the cost of a query does not grow with the
//! number of services.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::convert::Infallible;

use amparo_core::directory::search::{
    Index, Memory, PREFIX_TOP, Posting, Postings, SCAN_POSTINGS_MAX, WORDS_MAX, run, static_rank, words,
};
use amparo_core::directory::{Calling, ClockTrust, Query, Rung, find, to_dial};
use amparo_core::schema::answer::AgeRange;
use amparo_core::schema::pack::directory::{Known, Service, ServiceKind, ServiceStatus};
use amparo_core::schema::person::{Exploitation, Person, Sex};
use amparo_core::schema::text::Text;
use amparo_schema::pack::directory::SearchWords;
use amparo_tests::synthetic::synthetic;

fn index(services: &[Service]) -> Memory {
    Memory(Index::build((0..).zip(services), &SearchWords::default()))
}

/// What each service can be found by, folded by hand: the generator uses these letters only.
fn folded(service: &Service) -> Vec<String> {
    let texts = service.name.0.values().chain(&service.organisation).chain(&service.places);
    let text = texts.cloned().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut plain = String::new();
    for c in text.chars() {
        plain.push(match c {
            'í' => 'i',
            'ñ' => 'n',
            'ó' => 'o',
            c => c,
        });
    }
    plain.split(' ').map(str::to_owned).collect()
}

/// Every service with a word that begins with each word of the query, by static rank and number: by scanning
/// all.
fn oracle(services: &[Service], folded: &[Vec<String>], query: &[&str]) -> Vec<u32> {
    let fits = |words: &Vec<String>| query.iter().all(|q| words.iter().any(|word| word.starts_with(q)));
    let mut hits: Vec<(u32, u32)> = (0_u32..)
        .zip(services.iter().zip(folded))
        .filter(|(_, (_, words))| fits(words))
        .map(|(n, (service, _))| (static_rank(service), n))
        .collect();
    hits.sort_unstable();
    hits.into_iter().map(|(_, n)| n).collect()
}

#[test]
fn every_prefix_of_every_name_finds_its_service() {
    let services = synthetic(300, 7);
    let (index, folded) = (index(&services), services.iter().map(folded).collect::<Vec<_>>());
    let mut asked = BTreeSet::new();
    for words in &folded {
        for word in words {
            asked.extend((1..=word.len()).filter_map(|end| word.get(..end)).map(str::to_owned));
        }
    }
    assert!(asked.len() > 300);
    for prefix in &asked {
        let expected = oracle(&services, &folded, &[prefix]);
        let hits = run(&index, &prefix.to_uppercase(), PREFIX_TOP).unwrap();
        // Numbers of channels are words too: a prefix of digits alone can find more.
        if prefix.chars().all(|c| c.is_ascii_digit()) {
            let found: BTreeSet<u32> = hits.services.iter().copied().collect();
            assert!(hits.more || expected.iter().all(|n| found.contains(n)), "{prefix}");
            continue;
        }
        let first: Vec<u32> = expected.iter().copied().take(PREFIX_TOP).collect();
        assert_eq!(hits.services, first, "{prefix}");
        assert!(hits.more || expected.len() <= PREFIX_TOP, "{prefix}");
    }
}

#[test]
fn several_words_agree_with_a_scan_of_all() {
    let services = synthetic(2_000, 11);
    let (index, folded) = (index(&services), services.iter().map(folded).collect::<Vec<_>>());
    for query in [
        ["linea", "norte"],
        ["nin", "front"],
        ["fict", "1999"],
        ["casa", "org"],
        ["mujer", "sur"],
        ["villa", "42"],
        ["v", "s"],
        ["nada", "sur"],
    ] {
        let expected = oracle(&services, &folded, &query);
        let hits = run(&index, &query.join(" "), PREFIX_TOP).unwrap();
        assert!(hits.services.iter().all(|n| expected.contains(n)), "{query:?}");
        let first: Vec<u32> = expected.iter().copied().take(PREFIX_TOP).collect();
        if !hits.more || expected.len() <= PREFIX_TOP {
            assert_eq!(hits.services, first, "{query:?}");
        }
    }
}

/// Counts what a query reads.
struct Counted {
    inner: Memory,
    rows: Cell<usize>,
    checks: Cell<usize>,
}

impl Postings for Counted {
    type Error = Infallible;
    fn prefix_top(&self, prefix: &str, limit: usize) -> Result<Vec<(u32, u32)>, Infallible> {
        let rows = self.inner.prefix_top(prefix, limit)?;
        self.rows.set(self.rows.get() + rows.len());
        Ok(rows)
    }
    fn range(&self, prefix: &str, after: Option<&Posting>, limit: usize) -> Result<Vec<Posting>, Infallible> {
        let rows = self.inner.range(prefix, after, limit)?;
        self.rows.set(self.rows.get() + rows.len());
        Ok(rows)
    }
    fn holds(&self, term: &str, rank: u32, n: u32) -> Result<bool, Infallible> {
        self.checks.set(self.checks.get() + 1);
        self.inner.holds(term, rank, n)
    }
    fn contains(&self, n: u32, prefix: &str) -> Result<bool, Infallible> {
        self.checks.set(self.checks.get() + 1);
        self.inner.contains(n, prefix)
    }
}

/// Rows read and services checked by a query.
fn cost(index: &Counted, query: &str) -> (usize, usize) {
    index.rows.set(0);
    index.checks.set(0);
    assert!(run(index, query, PREFIX_TOP).is_ok());
    (index.rows.get(), index.checks.get())
}

#[test]
fn the_cost_of_a_query_does_not_grow_with_the_directory() {
    let counted = |count| {
        let services = synthetic(count, 3);
        Counted { inner: index(&services), rows: Cell::new(0), checks: Cell::new(0) }
    };
    let (small, large) = (counted(1_000), counted(20_000));
    for query in ["f", "ninez", "555", "linea 777", "organizacion 1234"] {
        let (before, after) = (cost(&small, query), cost(&large, query));
        let most = 2 * (PREFIX_TOP + 1) * query.split(' ').count();
        assert!(after.0 <= most && before.0 <= most, "{query}: {before:?} to {after:?}");
        assert!(after.1 <= 2 * PREFIX_TOP, "{query}: {before:?} to {after:?}");
    }
    // All words frequent, and the first ones by rank hold them all: no scan.
    assert_eq!(cost(&large, "ficticia organizacion villa").0, 3 * (PREFIX_TOP + 1) + PREFIX_TOP);
    // All words frequent, but seldom together: within the budget, whatever the size.
    let (rows, checks) = cost(&large, "ninez norte casa");
    let most = SCAN_POSTINGS_MAX + WORDS_MAX * 2 * (PREFIX_TOP + 1);
    assert!(rows <= most && checks <= most * 2, "{rows} rows, {checks} checks");
    // The stored prefixes stay a small part of the index.
    let (terms, prefixes) = (large.inner.0.postings().count(), large.inner.0.prefix_rows().count());
    assert!(prefixes < terms, "{prefixes} prefix rows for {terms} postings");
    println!("20,000 services: {terms} postings, {prefixes} prefix rows");
}

#[test]
fn a_match_over_many_is_bounded_sorted_and_never_dials_what_it_must_not() {
    let services = synthetic(20_000, 5);
    let last = Text::default();
    let mut query = Query::new(Person::default(), "XA".parse().unwrap(), 1_795_000_000_000);
    query.limit = 50;
    let found = find(&services, [], &query, None, &last);
    assert_eq!((found.rung, found.offers.len(), found.out.len()), (Rung::Fits, 50, 50));
    let home = services.iter().filter(|s| s.country == query.country).count();
    assert_eq!(found.offers_total + found.out_total, home);
    assert!(found.offers.iter().all(|offer| offer.service.kind == ServiceKind::DedicatedLine));
    let channels = found.offers.iter().flat_map(|offer| &offer.channels);
    assert!(
        channels.into_iter().all(|channel| !channel.do_not_dial && to_dial(channel, Calling::Home).is_some())
    );
    // The order does not depend on the order of the input.
    let backwards = find(services.iter().rev(), [], &query, None, &last);
    let ids = |found: &amparo_core::directory::Found<'_>| -> Vec<String> {
        found.offers.iter().map(|offer| offer.service.id.to_string()).collect()
    };
    assert_eq!(ids(&found), ids(&backwards));
}

#[test]
fn the_generator_is_reproducible_and_says_that_it_is_fiction() {
    let services = synthetic(500, 42);
    assert_eq!((services.len(), &services), (500, &synthetic(500, 42)));
    assert_ne!(services, synthetic(500, 43));
    for service in &services {
        assert!(service.country.as_str().starts_with('X'));
        assert!(service.name.0.values().all(|name| words(name).contains(&"ficticia".to_owned())));
        assert!(
            service
                .channels
                .iter()
                .flat_map(|c| &c.dial)
                .all(|dial| dial.starts_with("55501") && dial.len() == 7)
        );
    }
}

/// Whether anything that is known of the service speaks against this person, worked out trait by trait and
/// age by age.
fn contradicts(service: &Service, person: &Person, area: &str) -> bool {
    let takes = &service.takes;
    let sex = [Sex::Female, Sex::Male]
        .iter()
        .any(|sex| person.sex == Some(*sex) && !takes.sexes.is_empty() && !takes.sexes.contains(sex));
    let taken =
        |age: u8| takes.age_min.is_none_or(|min| age >= min) && takes.age_max.is_none_or(|max| age <= max);
    let age = person.age.is_some_and(|range| !(range.from..=range.to).any(taken));
    let children = takes.children_along == Known::No && person.children_along.is_some_and(|n| n > 0);
    let forms = |form: &Exploitation| takes.exploitation.contains(form);
    let form = !takes.exploitation.is_empty()
        && !person.exploitation.is_empty()
        && !person.exploitation.iter().any(forms);
    let nationality = (person.foreign == Some(true) && takes.foreign == Known::No)
        || (person.foreign == Some(false) && takes.nationals == Known::No);
    let unreachable =
        service.status != ServiceStatus::Current || service.channels.iter().all(|c| c.do_not_dial);
    let elsewhere = !service.areas.is_empty() && !service.areas.contains(area);
    sex || age || children || form || nationality || unreachable || elsewhere || service.capacity == Some(0)
}

#[test]
fn what_is_left_out_is_exactly_what_is_known_to_contradict() {
    let services = synthetic(2_000, 13);
    let (last, area) = (Text::default(), "XA-3");
    let ages = [None, Some((10, 12)), Some((16, 19)), Some((18, 25)), Some((58, 62)), Some((61, 70))];
    let sexes = [None, Some(Sex::Female), Some(Sex::Male), Some(Sex::Other)];
    for (sex, age) in sexes.into_iter().flat_map(|sex| ages.iter().map(move |age| (sex, age))) {
        for (children, foreign, forms) in [
            (None, None, vec![]),
            (Some(0), Some(true), vec![Exploitation::Labour]),
            (Some(2), Some(false), vec![Exploitation::Sexual, Exploitation::Begging]),
            (Some(1), Some(true), vec![Exploitation::Organs]),
        ] {
            let person = Person {
                age: age.map(|(from, to)| AgeRange { from, to }),
                sex,
                children_along: children,
                foreign,
                exploitation: forms.into_iter().collect(),
                ..Person::default()
            };
            let mut query = Query::new(person.clone(), "XA".parse().unwrap(), 0);
            query.area = Some(area.to_owned());
            query.clock = ClockTrust::InDoubt; // hours have tests of their own
            let found = find(&services, [], &query, None, &last);
            let home = services.iter().filter(|service| service.country == query.country);
            let expected = home.filter(|service| !contradicts(service, &person, area)).count();
            assert!(expected > 0, "{person:?}");
            assert_eq!((found.rung, found.offers_total), (Rung::Fits, expected), "{person:?}");
            assert!(found.offers.iter().all(|offer| !contradicts(offer.service, &person, area)));
            assert!(found.out.iter().all(|out| !out.because.is_empty()));
        }
    }
}
