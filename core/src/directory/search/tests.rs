use std::collections::BTreeSet;
use std::convert::Infallible;

use amparo_schema::pack::directory::Service;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use amparo_schema::pack::directory::SearchWords;

fn service(id: &str, name: &str, more: serde_json::Value) -> Service {
    let mut fields = serde_json::json!({
        "id": id, "country": "XA", "name": {"es": name}, "kind": "police", "channels": [], "status": "current",
        "sources": [], "review": "unverified",
    });
    if let serde_json::Value::Object(more) = more {
        fields.as_object_mut().unwrap().extend(more);
    }
    serde_json::from_value(fields).unwrap()
}

fn index(services: &[Service]) -> Memory {
    let numbered = services.iter().enumerate().map(|(n, service)| (u32::try_from(n).unwrap(), service));
    Memory(Index::build(numbered, &SearchWords::default()))
}

fn find(index: &Memory, text: &str) -> Vec<u32> {
    run(index, text, 64).unwrap().services
}

#[test]
fn folds_case_accents_and_strokes() {
    for (text, expected) in [
        ("Niñez y ADOLESCENCIA", "ninez y adolescencia"),
        ("Đakovo, Łódź; Ħal", "dakovo lodz hal"),
        ("d'Ivoire", "d ivoire"),
        ("Sèvis pou timoun yo", "sevis pou timoun yo"),
        ("Straße ÆØÅ", "strasse aeoa"),
        ("１８１８", "1818"),
        ("so\u{ad}cor\u{200b}ro", "socorro"),
        ("İstanbul", "istanbul"),
        ("01-800 00 854", "01 800 00 854"),
        ("", ""),
    ] {
        assert_eq!(words(text).join(" "), expected, "{text}");
    }
    assert_eq!(words(&"x".repeat(100)), ["x".repeat(WORD_CHARS_MAX)]);
}

#[test]
fn finds_by_name_place_kind_and_number() {
    let phone = serde_json::json!({
        "places": ["Chacalluta"], "organisation": "Órgano Ficticio",
        "channels": [{"kind": "phone", "display": "01-555 01 23", "dial": "5550123", "e164": "+15555550123"}],
    });
    let services = [service("a", "Línea de Ayuda", phone), service("b", "Línea Norte", Value::Null)];
    let labels = SearchWords {
        kinds: [(services[0].kind, vec!["Policía".to_owned()])].into(),
        countries: [(services[0].country, vec!["Uruguay".to_owned()])].into(),
    };
    let index = Memory(Index::build([(7, &services[0]), (9, &services[1])], &labels));
    assert_eq!(find(&index, "linea"), [7, 9]);
    for (text, expected) in [
        ("AYUDA lín", 7),
        ("chaca", 7),
        ("organo", 7),
        ("555 01", 7),
        ("5550123", 7),
        ("01555", 7),
        ("1555555", 7),
        ("policia nor", 9),
        ("norte norte", 9),
    ] {
        assert_eq!(find(&index, text), [expected], "{text}");
    }
    assert!(find(&index, "ayuda norte").is_empty());
}

#[test]
fn history_stands_last_and_dedicated_lines_first() {
    let history = serde_json::json!({"status": {"superseded": {"by": null}}, "kind": "dedicated_line"});
    let services = [
        service("a", "uno", history),
        service("b", "uno", Value::Null),
        service("c", "uno", serde_json::json!({"kind": "dedicated_line"})),
    ];
    assert_eq!(find(&index(&services), "uno"), [2, 1, 0]);
}

#[test]
fn hostile_text_is_an_error_or_finds_nothing() {
    let services: Vec<Service> = (0..100).map(|n| service(&format!("s{n}"), "común", Value::Null)).collect();
    let index = index(&services);
    assert_eq!(run(&index, &"a".repeat(10_000), 64), Err(SearchError::<Infallible>::TooLong));
    let many = "b c d e f g h i j";
    assert_eq!(run(&index, many, 64), Err(SearchError::<Infallible>::TooManyWords));
    for text in ["", "   ", "'; DROP TABLE x;--", "\" OR 1=1 *", "%_", "😀🏳️‍🌈", "\u{202e}\u{2066}", "\0"]
    {
        let hits = run(&index, text, 64).unwrap();
        assert!(hits.services.is_empty() && !hits.more, "{text:?}");
    }
    // Controls around a word do not hide it.
    assert_eq!(find(&index, "\u{202e}co\u{200d}mun").len(), 64);
    let hits = run(&index, "comun", 200).unwrap();
    assert_eq!((hits.services.len(), hits.more), (64, true));
    assert_eq!(run(&index, "comun", 0).unwrap().services, Vec::<u32>::new());
}

/// Words that differ and share prefixes, so that some prefixes are frequent and some rare.
fn generated() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[abñÁ]{1,4}( [ab]{1,3}){0,2}", 1..200)
}

/// Every service that has, for each word of the query, a word that begins with it: by scanning all.
fn oracle(names: &[String], query: &str) -> BTreeSet<u32> {
    let plain = |text: &str| text.replace('ñ', "n").replace('Á', "a");
    let query = plain(query);
    let fits = |name: &String| {
        let name = plain(name);
        query.split(' ').all(|q| name.split(' ').any(|word| word.starts_with(q)))
    };
    (0..).zip(names).filter(|(_, name)| fits(name)).map(|(n, _)| n).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn agrees_with_a_scan(names in generated(), query in "[abñÁ]{1,3}( [ab]{1,2}){0,2}") {
        let services: Vec<Service> =
            names.iter().enumerate().map(|(n, name)| service(&format!("s{n}"), name, Value::Null)).collect();
        let hits = run(&index(&services), &query, 64).unwrap();
        let expected = oracle(&names, &query);
        let first: Vec<u32> = expected.iter().copied().take(64).collect();
        // All are of one rank, so the order is by number; a directory this small is within every budget.
        prop_assert_eq!(&hits.services, &first);
        prop_assert!(hits.more || expected.len() <= 64);
    }

    #[test]
    fn words_are_stable_and_hold_no_space(text in "\\PC{0,60}") {
        let once = words(&text);
        prop_assert_eq!(words(&once.join(" ")), once.clone());
        prop_assert!(once.iter().all(|word| !word.is_empty() && !word.contains(' ')));
    }
}
