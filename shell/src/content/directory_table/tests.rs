use std::collections::BTreeMap;

use amparo_core::directory::{Calling, Found, Query, find, to_dial};
use amparo_schema::pack::directory::{
    Agency, ChannelKind, Hours, Known, Service, ServiceKind, ServiceStatus,
};
use amparo_schema::person::Person;
use amparo_schema::text::{Review, Text};
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::content::yaml;

const SERVICES: &str = include_str!("../../../../content/directory/services.csv");
const AGENCIES: &str = include_str!("../../../../content/directory/agencies.csv");
const PACK: &str = include_str!("../../../../content/directory/americas.yaml");
const VECTORS: &str = include_str!("../../../../tests/vectors/directory.json");

fn errors(findings: &[Finding]) -> Vec<(u64, &'static str)> {
    findings.iter().filter(|f| f.weight == Weight::Error).map(|f| (f.line, f.rule)).collect()
}

fn notes(findings: &[Finding]) -> Vec<&str> {
    let notes = findings.iter().filter(|f| f.weight == Weight::Note);
    notes.map(|f| f.detail.split(' ').next().unwrap_or_default()).collect()
}

fn read() -> Vec<Service> {
    let (services, findings) = services(SERVICES, "services.csv");
    assert_eq!(errors(&findings), []);
    assert_eq!(notes(&findings), ["OASD-085", "OASD-086"]);
    services
}

fn by_id<'a>(services: &'a [Service], id: &str) -> &'a Service {
    services.iter().find(|service| service.id.as_str() == id).unwrap()
}

/// The numbers were counted in the table with awk, column by column.
#[test]
fn ninety_two_rows_become_what_was_counted_by_hand() {
    let services = read();
    let count = |fits: &dyn Fn(&Service) -> bool| services.iter().filter(|s| fits(s)).count();
    assert_eq!(SERVICES.lines().count(), 93);
    assert_eq!(services.len(), 90);
    assert_eq!(count(&|s| s.status == ServiceStatus::Current), 35);
    assert_eq!(count(&|s| s.status == ServiceStatus::NoContact), 49);
    assert_eq!(count(&|s| s.status == ServiceStatus::Withheld), 5);
    assert_eq!(count(&|s| matches!(s.status, ServiceStatus::Superseded { .. })), 1);
    assert_eq!(count(&|s| s.channels[0].e164.is_some()), 13);
    assert_eq!(count(&|s| s.channels[0].from_abroad == Known::No), 10);
    assert_eq!(count(&|s| s.review == Review::Unverified), 14);
    assert_eq!(count(&|s| s.hours == Hours::Always), 2);
    assert_eq!(count(&|s| s.kind == ServiceKind::DedicatedLine), 18);
    assert_eq!(count(&|s| s.kind == ServiceKind::Women), 9);
    assert_eq!(count(&|s| s.kind == ServiceKind::Labour), 9);
    assert_eq!(count(&|s| s.channels[0].kind == ChannelKind::Phone), 65);
    // Nobody has called, and nothing that is not known was filled in.
    assert!(services.iter().all(|s| s.verified_on.is_none() && s.printed_in == Some(2017)));
    assert!(services.iter().all(|s| s.takes == Default::default() && s.languages.is_empty()));
    assert!(services.iter().all(|s| s.name.0.len() == 2 && !s.sources.is_empty()));
}

#[test]
fn each_code_does_what_it_says() {
    let services = read();
    let by = by_id(&services, "oasd-010").id.clone();
    assert_eq!(by_id(&services, "oasd-011").status, ServiceStatus::Superseded { by: Some(by) });
    for id in ["oasd-012", "oasd-013", "oasd-053", "oasd-072", "oasd-075"] {
        assert_eq!(by_id(&services, id).status, ServiceStatus::Withheld, "{id}");
    }
    for (id, dial) in [
        ("oasd-008", "8000085400"),
        ("oasd-010", "1818,1"),
        ("oasd-016", "8004288"),
        ("oasd-037", "18664879243"),
        ("oasd-042", "08006853737"),
        ("oasd-048", "1800335486"),
        ("oasd-001", "145"),
    ] {
        assert_eq!(by_id(&services, id).channels[0].dial.as_deref(), Some(dial), "{id}");
    }
    // Derived with doubt: the table has an E.164, the directory does not.
    for id in ["oasd-008", "oasd-009", "oasd-016", "oasd-032"] {
        assert_eq!(by_id(&services, id).channels[0].e164, None, "{id}");
    }
    let words = |id: &str| by_id(&services, id).remark.as_ref().map_or(0, |remark| remark.0.len());
    for id in ["oasd-007", "oasd-008", "oasd-010", "oasd-018", "oasd-026", "oasd-032", "oasd-053", "oasd-057"]
    {
        assert_eq!(words(id), 2, "{id}");
    }
    assert_eq!(words("oasd-017"), 0);
    let argentina = by_id(&services, "oasd-001").features;
    assert_eq!((argentina.multilingual, argentina.anonymous), (Known::No, Known::Yes));
    assert_eq!(by_id(&services, "oasd-002").features, Default::default());
}

#[test]
fn the_misprinted_number_can_never_be_dialled() {
    let services = read();
    let channel = &by_id(&services, "oasd-053").channels[0];
    assert_eq!(channel.display.as_deref(), Some("1-806-347-2423"));
    assert!(channel.do_not_dial && channel.dial.is_none() && channel.e164.is_none());
    assert_eq!(to_dial(channel, Calling::Home), None);
    // Not even when an author fills in what was left empty.
    let filled =
        SERVICES.replace("1-806-347-2423,toll_free_nanp,,,", "1-806-347-2423,x,18063472423,+18063472423,");
    let (careless, _) = super::services(&filled, "services.csv");
    let channel = &by_id(&careless, "oasd-053").channels[0];
    assert!(filled != SERVICES && channel.do_not_dial && channel.dial.is_none() && channel.e164.is_none());
    let numbers = services.iter().flat_map(|s| &s.channels).flat_map(|c| [&c.dial, &c.e164]).flatten();
    assert!(numbers.into_iter().all(|number| !number.contains("8063472423")));
}

#[test]
fn letters_spell_digits() {
    for (letters, digits) in
        [("4USWAGE", "4879243"), ("MUJERES", "6853737"), ("DELITO", "335486"), ("4CTU", "4288")]
    {
        assert_eq!(spelled(letters).as_deref(), Some(digits));
    }
    assert_eq!(spelled("Ñ"), None);
}

/// A change to one row is found, on its line.
#[test]
fn a_wrong_row_is_an_error_with_its_line() {
    for (from, to, error) in [
        ("08006853737", "08006853738", (43, "letters-spell-another-number")),
        ("8000085400,+52", "8000085401,+52", (9, "dial-differs-from-print")),
        ("4635555,+12684635555", "4635556,+12684635555", (22, "dial-differs-from-print")),
        ("+18883737888", "+1888", (18, "number-does-not-parse")),
        ("18883737888,+", "1888-3737888,+", (18, "bad-dial")),
        (",ALSO_GENERIC_POLICE_LINE,", ",NEVER_SEEN,", (6, "unknown-issue-code")),
        ("OASD-006", "OASD 006", (7, "bad-id")),
        ("OASD-006,GY", "OASD-006,guyana", (7, "bad-country")),
        ("dedicated_tip,tty", "dedicated_tip,telex", (19, "unknown-kind")),
        ("OASD-010,PE", "OASD-010,BO", (12, "no-successor")),
        ("yes,AGENCY_SINCE_REPLACED", "no_number,AGENCY_SINCE_REPLACED", (58, "dialable-disagrees")),
        ("145,,none,y,", "145,,none,maybe,", (2, "not-yes-no-unknown")),
    ] {
        assert_eq!(SERVICES.matches(from).count(), 1, "{from}");
        let (_, findings) = services(&SERVICES.replace(from, to), "services.csv");
        assert!(errors(&findings).contains(&error), "{from}: {findings:?}");
    }
    for table in ["", "id\nx", "\u{feff}", "id,\"\n", &SERVICES.replace("dialable", "diallable")] {
        let (services, _) = services(table, "services.csv");
        assert!(services.is_empty());
    }
}

#[test]
fn agencies_of_every_country_with_a_row() {
    let (agencies, findings) = agencies(AGENCIES, "agencies.csv");
    assert_eq!(errors(&findings), []);
    assert_eq!(notes(&findings), ["OASA-008", "OASA-037", "OASA-071"]);
    assert_eq!(agencies.len(), 69);
    let countries = |text: &str| -> Vec<String> {
        let mut all: Vec<String> =
            text.lines().skip(1).filter_map(|l| l.split(',').nth(1)).map(str::to_owned).collect();
        all.sort();
        all.dedup();
        all
    };
    let mut found: Vec<String> = agencies.iter().map(|a| a.country.as_str().to_owned()).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, countries(AGENCIES));
    assert!(agencies.iter().all(|a| a.name.0.values().all(|n| !n.starts_with('('))));
    let broken = AGENCIES.replace("OASA-001,AG", "OASA-001,Ag").replace("ROW_BLANK", "NEVER_SEEN");
    let (_, findings) = super::agencies(&broken, "agencies.csv");
    assert_eq!(errors(&findings), [(2, "bad-country"), (38, "unknown-issue-code")]);
}

/// The whole directory: both tables and the additions.
fn americas() -> (Vec<Service>, Vec<Agency>) {
    let pack = yaml::parse(PACK).unwrap();
    let additions = pack.get("content").unwrap();
    let mut all = read();
    all.extend(yaml::read::<Vec<Service>>(additions.get("services").unwrap()).unwrap());
    let (mut bodies, _) = agencies(AGENCIES, "agencies.csv");
    bodies.extend(yaml::read::<Vec<Agency>>(additions.get("agencies").unwrap()).unwrap());
    (all, bodies)
}

#[test]
fn additions_are_sourced_bilingual_and_without_an_address() {
    let (services, agencies) = americas();
    let added: Vec<&Service> = services.iter().filter(|s| !s.id.as_str().starts_with("oasd")).collect();
    assert_eq!((added.len(), agencies.len()), (18, 70));
    for service in added {
        assert!(!matches!(service.status, ServiceStatus::Current), "{}", service.id);
        assert!(service.channels.is_empty() && service.places.is_empty(), "{}", service.id);
        assert!(!service.sources.is_empty() && service.name.0.len() == 2, "{}", service.id);
        assert!(service.remark.as_ref().is_none_or(|remark| remark.0.len() == 2), "{}", service.id);
    }
    let ids: BTreeMap<&str, usize> = services.iter().fold(BTreeMap::new(), |mut ids, service| {
        *ids.entry(service.id.as_str()).or_default() += 1;
        ids
    });
    assert!(ids.values().all(|times| *times == 1));
    for service in &services {
        if let ServiceStatus::Superseded { by: Some(by) } = &service.status {
            assert!(ids.contains_key(by.as_str()), "{by}");
        }
    }
}

#[derive(Deserialize)]
struct Case {
    name: String,
    person: Person,
    country: String,
    area: Option<String>,
    at: jiff::Timestamp,
    #[serde(default)]
    kinds: Vec<ServiceKind>,
    #[serde(default)]
    calling: String,
    rung: String,
    first: Vec<String>,
    offers: Option<usize>,
    nearest: Option<Value>,
    agencies: Option<Vec<String>>,
}

fn found<'a>(case: &Case, services: &'a [Service], agencies: &'a [Agency], last: &'a Text) -> Found<'a> {
    let mut query = Query::new(case.person.clone(), case.country.parse().unwrap(), case.at.as_millisecond());
    query.area.clone_from(&case.area);
    query.kinds.clone_from(&case.kinds);
    if case.calling == "abroad" {
        query.calling = Calling::Abroad;
    }
    find(services, agencies, &query, None, last)
}

#[test]
fn who_takes_this_person_in_the_americas() {
    let (services, agencies) = americas();
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = Vec::<Case>::deserialize(&vectors["cases"]).unwrap();
    assert_eq!(cases.len(), 20);
    let last = Text::default();
    for case in cases {
        let found = found(&case, &services, &agencies, &last);
        let name = &case.name;
        assert_eq!(serde_json::to_value(found.rung).unwrap(), case.rung, "{name}");
        let ids: Vec<&str> = found.offers.iter().map(|offer| offer.service.id.as_str()).collect();
        assert!(
            ids.len() >= case.first.len() && ids.iter().zip(&case.first).all(|(a, b)| a == b),
            "{name}: {ids:?}"
        );
        assert!(case.offers.is_none_or(|offers| offers == found.offers_total), "{name}: {ids:?}");
        let nearest =
            found.out.first().map(|out| serde_json::json!({"id": out.service.id, "because": out.because}));
        assert_eq!(nearest, case.nearest, "{name}");
        let bodies: Vec<&str> = found.agencies.iter().map(|agency| agency.id.as_str()).collect();
        assert_eq!(bodies, case.agencies.unwrap_or_default(), "{name}");
        let reachable = found.offers.iter().any(|offer| !offer.channels.is_empty());
        assert_eq!(reachable, found.last_resort.is_none(), "{name}");
    }
}
