//! Whoever asks, from wherever and whenever: the directory answers, and never with something that may not be
//! dialled. On the real pack over a grid of persons, and on made-up directories.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};

use amparo_core::directory::{Calling, ClockTrust, Query, Rung, Zones, find};
use amparo_core::schema::answer::AgeRange;
use amparo_core::schema::pack::Content;
use amparo_core::schema::pack::calendar::Calendar;
use amparo_core::schema::pack::directory::{Agency, Directory, Service, ServiceKind, ServiceStatus};
use amparo_core::schema::person::{Country, Exploitation, Person, Sex};
use amparo_core::schema::text::{Lang, Text};
use amparo_shell::embedded;
use amparo_tests::synthetic::synthetic;

/// Friday 20 November 2026, 00:00 UTC: night, morning, afternoon and evening of a working day.
const NIGHT_MS: i64 = 1_795_132_800_000;
const HOUR_MS: i64 = 3_600_000;
/// Countries of the Americas of which the directory says nothing.
const WITHOUT_ENTRY: [&str; 3] = ["CU", "KY", "GL"];

fn real() -> (Directory, Calendar) {
    let trust = embedded::trust().unwrap();
    let packs: Vec<Content> = embedded::PACKS
        .iter()
        .map(|bytes| (*amparo_core::pack::open(bytes, &trust, None).unwrap().content).clone())
        .collect();
    let directory = packs.iter().find_map(|pack| match pack {
        Content::Directory(directory) => Some(directory.clone()),
        _ => None,
    });
    let zones = packs.into_iter().filter_map(|pack| match pack {
        Content::Calendar(calendar) => Some(calendar),
        _ => None,
    });
    (directory.unwrap(), zones.max_by_key(|calendar| calendar.zones.len()).unwrap())
}

fn country(code: &str) -> Country {
    Country::new(code).unwrap()
}

fn last_resort() -> Text {
    Text([(Lang::new("es").unwrap(), "palabras de la regla".to_owned())].into())
}

/// Every profile: sex, age, form, children along, language.
fn profiles() -> Vec<Person> {
    use Exploitation::{Begging, Domestic, Labour, Marriage, Offences, Organs, Other, Sexual};
    let forms: Vec<BTreeSet<Exploitation>> =
        [Labour, Sexual, Domestic, Begging, Offences, Marriage, Organs, Other]
            .map(|form| [form].into())
            .into_iter()
            .chain([BTreeSet::new(), [Labour, Sexual].into()])
            .collect();
    let mut out = Vec::new();
    for sex in [None, Some(Sex::Female), Some(Sex::Male), Some(Sex::Other)] {
        for age in [None, Some((9, 12)), Some((16, 20)), Some((30, 59))] {
            for form in &forms {
                for children_along in [None, Some(0), Some(2)] {
                    for tag in [None, Some("es"), Some("ht"), Some("ay")] {
                        out.push(Person {
                            age: age.map(|(from, to)| AgeRange { from, to }),
                            sex,
                            languages: tag.map(|tag| Lang::new(tag).unwrap()).into_iter().collect(),
                            children_along,
                            exploitation: form.clone(),
                            ..Person::default()
                        });
                    }
                }
            }
        }
    }
    out
}

/// The directory of one test with what it must keep to.
struct Bench<'a> {
    services: &'a [Service],
    agencies: &'a [Agency],
    zones: Option<&'a dyn Zones>,
    words: &'a Text,
    name: String,
}

impl Bench<'_> {
    /// Asks, checks what must hold of every answer, and returns its rung.
    fn ask(&self, query: &Query) -> Rung {
        let found = find(self.services, self.agencies, query, self.zones, self.words);
        let place = || format!("{}: {query:?}", self.name);
        let some = !found.offers.is_empty() || !found.agencies.is_empty() || found.last_resort.is_some();
        assert!(some, "an empty answer: {}", place());
        let dialable = found.rung < Rung::Named;
        assert_eq!(
            found.last_resort.is_none(),
            dialable,
            "the words stand where nothing can be dialled: {}",
            place()
        );
        assert!(!dialable || found.agencies.is_empty(), "{}", place());
        for offer in &found.offers {
            assert_eq!(offer.service.country, query.country, "{}", place());
            assert_eq!(offer.channels.is_empty(), !dialable, "{}: {}", offer.service.id, place());
            assert_eq!(
                offer.despite.is_empty(),
                found.rung == Rung::Fits,
                "{}: {}",
                offer.service.id,
                place()
            );
            for channel in &offer.channels {
                assert!(!channel.do_not_dial, "{} may not be dialled: {}", offer.service.id, place());
                assert!(query.channels.contains(&channel.kind), "not safe: {}", place());
                let string = channel.dial.is_some() || channel.e164.is_some() || channel.display.is_some();
                assert!(string, "nothing to dial: {}", place());
            }
            let past =
                matches!(offer.service.status, ServiceStatus::Superseded { .. } | ServiceStatus::Withheld);
            assert!(!past, "{} is not current: {}", offer.service.id, place());
            if found.rung == Rung::Fits {
                assert!(may_take(offer.service, &query.person), "{}: {}", offer.service.id, place());
            }
        }
        for out in &found.out {
            assert!(!out.because.is_empty(), "{} is left out without a reason: {}", out.service.id, place());
        }
        // Nothing is lost: each service of the country is offered or left out, once.
        let ids: BTreeSet<_> = found.offers.iter().map(|offer| &offer.service.id).collect();
        let all =
            ids.into_iter().chain(found.out.iter().map(|out| &out.service.id)).collect::<BTreeSet<_>>().len();
        let wanted = self.services.iter().filter(|service| service.country == query.country).count();
        assert_eq!(found.offers.len() + found.out.len(), all, "twice: {}", place());
        assert_eq!(all, wanted, "lost: {}", place());
        found.rung
    }
}

/// Whether nothing that a service says about whom it takes speaks against this person; by reading the fields.
fn may_take(service: &Service, person: &Person) -> bool {
    let takes = &service.takes;
    let sex = person.sex.is_none_or(|sex| takes.sexes.is_empty() || takes.sexes.contains(&sex));
    let old = person.age.is_none_or(|age| takes.age_min.is_none_or(|min| age.to >= min));
    let young = person.age.is_none_or(|age| takes.age_max.is_none_or(|max| age.from <= max));
    // Someone who calls her sex by another word is not turned away by a list of two.
    (sex || person.sex == Some(Sex::Other)) && old && young
}

#[test]
fn the_real_directory_answers_everyone_everywhere_at_any_hour() {
    let (directory, calendar) = real();
    let entries =
        directory.services.iter().map(|s| s.country).chain(directory.agencies.iter().map(|a| a.country));
    let mut countries: BTreeSet<Country> = entries.collect();
    for code in WITHOUT_ENTRY {
        assert!(countries.insert(country(code)), "{code} has an entry now; choose another");
    }
    assert!(countries.len() >= 20, "{countries:?}");
    let words = last_resort();
    let bench = Bench {
        services: &directory.services,
        agencies: &directory.agencies,
        zones: Some(&calendar),
        words: &words,
        name: "the real directory".into(),
    };
    let wishes: [&[ServiceKind]; 3] = [
        &[],
        &[ServiceKind::Shelter, ServiceKind::Women],
        &[ServiceKind::Child, ServiceKind::Labour, ServiceKind::Justice],
    ];
    let profiles = profiles();
    let (mut asked, mut rungs) = (0_usize, BTreeMap::new());
    for country in countries {
        for (n, person) in profiles.iter().enumerate() {
            for hour in [0, 9, 15, 21] {
                // Wish, caller and clock take turns, so that each meets each profile over the countries.
                let turn = n + asked;
                let mut query = Query::new(person.clone(), country, NIGHT_MS + hour * HOUR_MS);
                query.kinds = wishes[turn % wishes.len()].to_vec();
                query.calling = if turn % 5 == 0 { Calling::Abroad } else { Calling::Home };
                query.clock = if turn % 7 == 0 { ClockTrust::InDoubt } else { ClockTrust::Trusted };
                let rung = bench.ask(&query);
                *rungs.entry((country, rung)).or_insert(0_usize) += 1;
                asked += 1;
            }
        }
    }
    assert!(asked > 150_000, "{asked}");
    for code in WITHOUT_ENTRY {
        let only = rungs.keys().filter(|(place, _)| *place == country(code)).collect::<Vec<_>>();
        assert_eq!(only, [&(country(code), Rung::LastResort)]);
    }
    // The grid can fail: it meets more than one rung of the ladder.
    let met: BTreeSet<Rung> = rungs.keys().map(|(_, rung)| *rung).collect();
    assert!(met.contains(&Rung::Fits) && met.contains(&Rung::Named), "{met:?}");
}

#[test]
fn made_up_directories_answer_everyone() {
    let words = last_resort();
    let profiles = profiles();
    for seed in 0..12_u64 {
        // Countries XA to XH; XZ has no entry. At most 200 are listed: fewer than that for each country.
        let services = synthetic(60 + usize::try_from(seed).unwrap() * 17, seed);
        let bench = Bench {
            services: &services,
            agencies: &[],
            zones: None,
            words: &words,
            name: format!("seed {seed}"),
        };
        let codes = ["XA", "XB", "XC", "XD", "XE", "XF", "XG", "XH", "XZ"];
        for (n, person) in profiles.iter().enumerate().step_by(3) {
            let code = codes[(n / 3) % codes.len()];
            let mut query = Query::new(person.clone(), country(code), NIGHT_MS);
            query.area = (n % 2 == 0).then(|| format!("{code}-{}", n % 10));
            query.calling = if n % 5 == 0 { Calling::Abroad } else { Calling::Home };
            let rung = bench.ask(&query);
            assert_eq!(code == "XZ", rung == Rung::LastResort, "seed {seed}: {query:?}");
        }
    }
}
