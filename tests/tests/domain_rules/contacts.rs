//! Rules 14 to 18: whom the shipped directory offers, over a grid of countries and people.

use std::collections::{BTreeMap, BTreeSet};

use amparo_core::directory::{Calling, Query, find, to_dial};
use amparo_core::schema::answer::AgeRange;
use amparo_core::schema::pack::directory::{ChannelKind, ServiceKind, ServiceStatus};
use amparo_core::schema::person::{Country, Exploitation, Person, Sex};
use amparo_core::schema::text::Lang;

use super::Shipped;

/// 2026-11-22 04:00 in Santiago: a Sunday night.
const NOW_MS: i64 = 1_795_330_800_000;

fn people() -> Vec<Person> {
    let mut people = vec![Person::default()];
    for age in [AgeRange { from: 9, to: 12 }, AgeRange { from: 16, to: 20 }, AgeRange { from: 30, to: 59 }] {
        for sex in [Sex::Female, Sex::Male, Sex::Other] {
            for exploitation in [Exploitation::Labour, Exploitation::Sexual, Exploitation::Begging] {
                people.push(Person {
                    age: Some(age),
                    sex: Some(sex),
                    languages: BTreeSet::from([Lang::new("ht").unwrap()]),
                    children_along: Some(2),
                    foreign: Some(true),
                    exploitation: BTreeSet::from([exploitation]),
                    ..Person::default()
                });
            }
        }
    }
    people
}

/// Every country of the directory, and two that it has never heard of.
fn countries(shipped: &Shipped) -> BTreeSet<Country> {
    let services = shipped.directory().services.iter().map(|s| s.country);
    services.chain(["AQ", "ZZ"].map(|c| Country::new(c).unwrap())).collect()
}

#[test]
fn rules_14_to_16_every_person_everywhere_gets_an_answer_and_no_number_that_must_not_be_dialled() {
    let shipped = Shipped::new();
    let (directory, policy) = (shipped.directory(), shipped.policy());
    let mut rungs = BTreeMap::new();
    for country in countries(&shipped) {
        for person in people() {
            for calling in [Calling::Home, Calling::Abroad] {
                let query = Query { calling, ..Query::new(person.clone(), country, NOW_MS) };
                let found = find(&directory.services, &directory.agencies, &query, None, &policy.last_resort);
                assert!(
                    !found.offers.is_empty() || !found.agencies.is_empty() || found.last_resort.is_some(),
                    "{country:?} {person:?}"
                );
                for offer in &found.offers {
                    let service = offer.service;
                    let history =
                        matches!(service.status, ServiceStatus::Superseded { .. } | ServiceStatus::Withheld);
                    assert!(!history, "{}", service.id);
                    for channel in &offer.channels {
                        assert!(!channel.do_not_dial, "{}", service.id);
                    }
                }
                for out in &found.out {
                    assert!(!out.because.is_empty(), "{}", out.service.id);
                }
                *rungs.entry(found.rung).or_insert(0_u32) += 1;
            }
        }
    }
    assert!(rungs.len() >= 3, "{rungs:?}");
}

#[test]
fn rule_14_and_16_what_is_past_or_misprinted_is_kept_and_never_dialled() {
    let shipped = Shipped::new();
    let directory = shipped.directory();
    let mut stopped = 0;
    for service in &directory.services {
        for channel in service.channels.iter().filter(|c| c.do_not_dial) {
            stopped += 1;
            for calling in [Calling::Home, Calling::Abroad] {
                assert_eq!(to_dial(channel, calling), None, "{}", service.id);
            }
        }
        let names = service.name.0.values().chain(&service.organisation);
        if names.into_iter().any(|n| n.contains("SENAME") || n.contains("PGR")) {
            assert!(matches!(service.status, ServiceStatus::Superseded { .. }), "{}", service.id);
        }
        // The obsolete prefix of Mexico is no part of what is dialled.
        let dialled = service.channels.iter().filter_map(|c| to_dial(c, Calling::Home));
        for number in dialled.filter(|_| service.country.as_str() == "MX") {
            assert!(!number.starts_with("01"), "{}: {number}", service.id);
        }
    }
    assert!(stopped > 0);
}

#[test]
fn rule_16_every_contact_says_when_it_was_checked_or_how_old_it_is() {
    let shipped = Shipped::new();
    for service in shipped.directory().services.iter().filter(|service| !service.channels.is_empty()) {
        assert!(service.verified_on.is_some() || service.printed_in.is_some(), "{}", service.id);
    }
}

#[test]
fn rule_18_no_shelter_has_an_address() {
    let shipped = Shipped::new();
    let shelters = shipped.directory().services.iter().filter(|s| s.kind == ServiceKind::Shelter);
    let mut seen = 0;
    for shelter in shelters {
        seen += 1;
        assert!(shelter.channels.iter().all(|c| c.kind != ChannelKind::InPerson), "{}", shelter.id);
        let words = shelter.name.0.values().chain(shelter.remark.iter().flat_map(|r| r.0.values()));
        for words in words.chain(&shelter.places).chain(&shelter.organisation) {
            let lower = words.to_lowercase();
            for street in ["calle ", "avenida ", "av. ", "street", "avenue", "colonia ", "km "] {
                assert!(!lower.contains(street), "{}: {words}", shelter.id);
            }
        }
    }
    assert!(seen >= 5, "{seen}");
}
