//! What content must make sense of, beyond what the gallery of bad packs shows. All content is synthetic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use amparo_core::pack::{Severity, check, languages, parse};
use amparo_core::schema::id::Hash;
use amparo_core::schema::name::Name;
use amparo_core::schema::pack::{Header, Kind};
use amparo_core::schema::text::Text;
use serde_json::{Value, json};

fn header(kind: Kind) -> Header {
    let title: Text = serde_json::from_value(json!({"es": "Prueba", "en": "Test"})).unwrap();
    Header {
        kind,
        id: Name::new("test").unwrap(),
        version: 1,
        authority: Name::new("test").unwrap(),
        title,
        countries: vec![],
        audience: vec![],
        valid_from: jiff::civil::date(2026, 1, 1),
        expires: jiff::civil::date(2027, 1, 1),
        licence: "none".into(),
        languages: vec![],
        content_sha256: Hash([0; 32]),
        content_bytes: 0,
    }
}

/// Errors as `rule place`.
fn errors(kind: Kind, content: &Value) -> Vec<String> {
    let bytes = serde_json::to_vec(content).unwrap();
    let read = parse::content(kind, &bytes).unwrap();
    check(&header(kind), &read, &bytes)
        .into_iter()
        .filter(|f| f.severity == Severity::Error)
        .map(|f| format!("{} {}", f.rule.slug(), f.path))
        .collect()
}

fn text() -> Value {
    json!({"es": "Prueba", "en": "Test"})
}

fn sources() -> Value {
    json!([{"document": "Test", "place": "1"}])
}

fn step(id: &str, trigger: &Value, obligation: &str) -> Value {
    json!({
        "id": id, "phase": "safety", "title": text(), "trigger": trigger, "actor": text(),
        "obligation": obligation, "consent": "none", "legal_basis": sources(), "review": "unverified",
    })
}

fn protocol(steps: &[Value]) -> Vec<String> {
    errors(Kind::Protocol, &json!({"zone": "UTC", "steps": steps}))
}

#[test]
fn every_outcome_has_something_to_do_for_child_and_adult() {
    let always = json!("always");
    let adult = json!({"not": "child"});
    let missing = |steps: &[Value]| protocol(steps).len();
    assert_eq!(missing(&[step("a", &always, "mandatory")]), 0);
    assert_eq!(missing(&[step("a", &always, "recommended")]), 0);
    assert_eq!(missing(&[step("a", &always, "forbidden")]), 6, "a prohibition is nothing to do");
    // Child protection is an outcome of children only, so adults lack nothing there.
    assert_eq!(missing(&[step("a", &adult, "mandatory")]), 6);
    assert_eq!(missing(&[step("a", &json!("child"), "mandatory")]), 5);
    let both = [step("a", &adult, "mandatory"), step("b", &json!("child"), "mandatory")];
    assert_eq!(missing(&both), 0);
    assert_eq!(missing(&[step("a", &json!({"outcome": "presumed"}), "mandatory")]), 5);
    assert_eq!(missing(&[step("a", &json!({"person": "foreign"}), "mandatory")]), 0, "unknown may apply");
    assert_eq!(missing(&[step("a", &json!({"country": "CL"}), "mandatory")]), 0, "unknown may apply");
    let with = |field: &str, value: &str| {
        let mut old = step("a", &always, "mandatory");
        old[field] = json!(value);
        missing(&[old, step("b", &json!({"outcome": "presumed"}), "mandatory")])
    };
    assert_eq!(with("superseded_by", "b"), 5, "history is nothing to do");
    assert_eq!(with("valid_to", "2020-01-01"), 5, "history is nothing to do");
}

#[test]
fn successors_lead_to_an_end() {
    let chain = |next: &[(&str, Option<&str>)]| {
        let mut steps = vec![step("now", &json!("always"), "mandatory")];
        for (id, by) in next {
            let mut old = step(id, &json!("always"), "mandatory");
            if let Some(by) = by {
                old["superseded_by"] = json!(by);
            }
            steps.push(old);
        }
        protocol(&steps)
    };
    assert_eq!(chain(&[("a", Some("b")), ("b", Some("now"))]), [""; 0]);
    assert_eq!(chain(&[("a", Some("c"))]), ["unknown-successor steps[1].superseded_by"]);
    assert_eq!(chain(&[("a", Some("b")), ("b", Some("a"))]).len(), 2);
    // One that leads into a circle that it is not part of.
    assert_eq!(chain(&[("a", Some("b")), ("b", Some("c")), ("c", Some("b"))]).len(), 3);
}

/// A checklist with one yes-or-no item, one number, one choice, and this rule.
fn rule(when: &Value) -> Vec<String> {
    let item = |id: &str, kind: Value| json!({"id": id, "mode": "ask", "prompt": text(), "kind": kind, "sources": sources(), "review": "unverified"});
    let number = json!({"number": {"min": 0, "max": 9, "unit": text()}});
    let choice = json!({"choice": [{"id": "x", "label": text()}, {"id": "y", "label": text()}]});
    let content = json!({
        "settings": ["border"], "population": "anyone", "validation": text(), "enabled": false,
        "items": [item("a", json!("yes_no")), item("n", number), item("c", choice)],
        "indicators": [{"id": "i", "label": text(), "dimension": "d", "weight": "weak", "from": {"yes": "a"},
            "sources": sources(), "review": "unverified"}],
        "dimensions": [{"id": "d", "label": text(), "positive": [{"any": 1}]}],
        "rules": [{"id": "r", "outcome": "labour_rights", "when": when, "because": text(), "sources": sources(),
            "review": "unverified"}],
    });
    errors(Kind::Checklist, &content)
}

#[test]
fn conditions_that_can_never_hold_are_found() {
    let never = |when: Value| rule(&when) == ["never-true rules[0].when"];
    let (yes, no) = (json!({"yes": "a"}), json!({"no": "a"}));
    for when in [
        json!({"not": "always"}),
        json!({"all": [yes, no]}),
        json!({"all": ["child", {"not": "child"}]}),
        json!({"all": [yes, {"not": {"answered": "a"}}, {"not": "always"}]}),
        json!({"not": {"any": [yes, {"not": yes}, {"possible": yes}]}}),
        json!({"at_least": {"n": 2, "of": [yes, no]}}),
        json!({"all": [{"positive": "d"}, {"not": {"positive": "d"}}]}),
    ] {
        assert!(never(when.clone()), "{when}");
    }
    for when in [
        json!("always"),
        json!({"not": {"possible": yes}}),
        json!({"any": [yes, no]}),
        json!({"at_least": {"n": 1, "of": [yes, no]}}),
        json!({"all": [{"not": "child"}, {"not": {"person": "male"}}, no, {"not": {"noted": "d"}}]}),
        json!({"all": [{"has": {"item": "c", "option": "x"}}, {"not": {"has": {"item": "c", "option": "y"}}}]}),
        json!({"number": {"item": "n", "min": 9}}),
    ] {
        assert_eq!(rule(&when), [""; 0], "{when}");
    }
}

#[test]
fn limits_of_conditions_are_exact() {
    let wide = |n: usize| json!({"any": vec![json!({"yes": "a"}); n]});
    assert_eq!(rule(&wide(255)), [""; 0]);
    assert_eq!(rule(&wide(256)), ["condition-too-large rules[0].when"]);
    let deep = |n: usize| (1..n).fold(json!({"yes": "a"}), |inner, _| json!({"possible": inner}));
    assert_eq!(rule(&deep(16)), [""; 0]);
    assert_eq!(rule(&deep(17)), ["condition-too-deep rules[0].when"]);
}

#[test]
fn languages_are_those_of_every_text() {
    let calendar = |names: [Value; 2]| {
        let day = |date: &str, name: &Value| json!({"date": date, "name": name, "source": {"document": "Test", "place": "1"}, "review": "unverified"});
        let days = [day("2026-01-01", &names[0]), day("2026-01-02", &names[1])];
        let content = json!({"weekend": [], "years": {"2026": days}, "zones": {}});
        let read = parse::content(Kind::Calendar, content.to_string().as_bytes()).unwrap();
        languages(&read).iter().map(|lang| lang.as_str().to_owned()).collect::<Vec<_>>()
    };
    let full = json!({"es": "a", "en": "a", "pt": "a"});
    assert_eq!(calendar([full.clone(), full.clone()]), ["en", "es", "pt"]);
    assert_eq!(calendar([full.clone(), json!({"es": "a", "en": " ", "fr": "a"})]), ["es"]);
    assert_eq!(calendar([full, json!({})]), [""; 0]);
}

/// One byte of a protocol is replaced, at every place: an answer, never a panic.
#[test]
fn no_changed_byte_makes_the_check_panic() {
    let mut first = step("a", &json!({"any": [{"outcome": "presumed"}, "always"]}), "mandatory");
    first["valid_from"] = json!("2026-01-01");
    first["deadline"] = json!({"limits": [{"amount": 5, "unit": "hours"}], "counts_from": "found",
        "day_zero": "counts"});
    let good = json!({"zone": "UTC", "steps": [first]}).to_string().into_bytes();
    let (mut read, mut found) = (0, 0);
    for at in 0..good.len() {
        for byte in *b"\"{[9x,\0\xff" {
            let mut bytes = good.clone();
            bytes[at] = byte;
            if let Ok(content) = parse::content(Kind::Protocol, &bytes) {
                read += 1;
                found += usize::from(!check(&header(Kind::Protocol), &content, &bytes).is_empty());
            }
        }
    }
    assert!(read > 100 && found > 10, "{read} of the changed protocols could be read, {found} had findings");
}
