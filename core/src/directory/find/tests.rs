//! The match over a small made-up country, `XA`. Every person and service here is synthetic.

use amparo_schema::pack::calendar::{Calendar, Zone, ZoneChange};
use amparo_schema::pack::directory::{ChannelKind, ServiceKind};
use amparo_schema::person::{Country, Person};

use super::*;
use crate::directory::fit::Trait;
use crate::directory::query::{Calling, ClockTrust, to_dial};

/// Friday, 20 November 2026, 03:00 at UTC-3.
const NIGHT: &str = "2026-11-20T06:00:00Z";
/// The same day, 12:00.
const NOON: &str = "2026-11-20T15:00:00Z";

fn ms(utc: &str) -> i64 {
    utc.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn zones() -> Calendar {
    let zone = Zone {
        release: "test".into(),
        changes: vec![ZoneChange { at: 0, offset: -10_800 }],
        known_until: 4_000_000_000,
    };
    Calendar { weekend: Vec::new(), years: [].into(), zones: [("z".into(), zone)].into() }
}

/// A service from its differing fields, as JSON.
fn service(id: &str, kind: &str, more: &str) -> Service {
    let channels = r#"[{"kind":"phone","display":"555-0100","dial":"5550100"}]"#;
    let mut fields = serde_json::json!({
        "id": id, "country": "XA", "name": {"en": format!("Made-up {id}")}, "kind": kind, "status": "current",
        "channels": serde_json::from_str::<serde_json::Value>(channels).unwrap(), "printed_in": 2017,
        "sources": [], "review": "unverified",
    });
    let more: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&format!("{{{more}}}")).unwrap();
    fields.as_object_mut().unwrap().extend(more);
    serde_json::from_value(fields).unwrap()
}

fn agency(id: &str, kind: &str) -> Agency {
    let fields = serde_json::json!({
        "id": id, "country": "XA", "name": {"en": id}, "kind": kind, "sources": [], "review": "unverified",
    });
    serde_json::from_value(fields).unwrap()
}

const OFFICE: &str = r#""hours":{"weekly":{"zone":"z","spans":[{"days":["mon","tue","wed","thu","fri"],
    "opens_minute":540,"closes_minute":1080}]}}"#;

/// One of each, with what matters for the table below.
fn directory() -> Vec<Service> {
    let office = |more: &str| format!("{OFFICE}{more}");
    vec![
        service("line", "dedicated_line", r#""features":{"free":"yes","anonymous":"yes"},"hours":"always""#),
        service(
            "shelter-women",
            "shelter",
            r#""takes":{"sexes":["female"],"age_min":18,"children_along":"yes",
            "foreign":"yes","nationals":"yes"},"languages":["es"]"#,
        ),
        service(
            "shelter-north",
            "shelter",
            r#""areas":["XA-N"],"takes":{"sexes":["male","female"],"age_min":18,
            "children_along":"no","exploitation":["labour"]},"languages":["es","ht"]"#,
        ),
        service("shelter-full", "shelter", r#""capacity":0,"verified_on":"2026-11-01""#),
        service("child", "child", r#""takes":{"age_max":17},"hours":"always""#),
        service("women", "women", r#""takes":{"sexes":["female"]},"features":{"free":"yes"}"#),
        service("labour", "labour", &office(r#","takes":{"exploitation":["labour","domestic"]}"#)),
        service("migration", "migration", &office("")),
        service("police", "police", r#""hours":"always""#),
        service("old", "dedicated_line", r#""status":{"superseded":{"by":"line"}}"#),
        service("kept-back", "dedicated_line", r#""status":"withheld""#),
        service(
            "typo",
            "police",
            r#""channels":[{"kind":"phone","display":"555-0199","dial":"5550199",
            "do_not_dial":true}]"#,
        ),
        service("web-only", "specialised", r#""channels":[{"kind":"web","display":"example.org"}]"#),
        service("nameless", "specialised", r#""status":"no_contact""#),
        service("abroad", "dedicated_line", r#""country":"XB""#),
    ]
}

fn person(json: &str) -> Person {
    serde_json::from_str(json).unwrap()
}

fn query(person_json: &str, area: Option<&str>, at: &str) -> Query {
    let mut query = Query::new(person(person_json), Country::new("XA").unwrap(), ms(at));
    query.area = area.map(str::to_owned);
    query
}

fn ids<'a>(found: &Found<'a>) -> Vec<&'a str> {
    found.offers.iter().map(|offer| offer.service.id.as_str()).collect()
}

fn because<'a>(found: &'a Found<'_>, id: &str) -> &'a [Exclusion] {
    found.out.iter().find(|out| out.service.id.as_str() == id).map_or(&[], |out| &out.because)
}

fn despite<'a>(found: &'a Found<'_>, id: &str) -> &'a Offer<'a> {
    found.offers.iter().find(|offer| offer.service.id.as_str() == id).unwrap()
}

const MAN: &str = r#"{"age":{"from":30,"to":40},"sex":"male","languages":["es"],"children_along":0,"foreign":true,
    "exploitation":["labour"]}"#;
const MOTHER: &str = r#"{"age":{"from":25,"to":30},"sex":"female","languages":["ht"],"children_along":2,
    "foreign":true,"exploitation":["sexual"]}"#;
const CHILD: &str = r#"{"age":{"from":12,"to":15},"sex":"male","children_along":0,"unaccompanied":true}"#;

/// Person, area, time, the offers in order.
type Case = (&'static str, Option<&'static str>, &'static str, &'static [&'static str]);

const CASES: [Case; 9] = [
    // A man in labour exploitation in the north at 03:00: the shelter takes him; offices are closed.
    (MAN, Some("XA-N"), NIGHT, &["line", "shelter-north", "police"]),
    // At noon the labour office (his need) stands before the migration office (who he is).
    (MAN, Some("XA-N"), NOON, &["line", "shelter-north", "labour", "migration", "police"]),
    // In the south the northern shelter does not serve him.
    (MAN, Some("XA-S"), NIGHT, &["line", "police"]),
    // A mother with two children: the women's shelter takes all of them; nobody is known to speak her language.
    (MOTHER, Some("XA-S"), NIGHT, &["line", "shelter-women", "women", "police"]),
    // At noon too; the labour office takes other forms of exploitation.
    (MOTHER, Some("XA-N"), NOON, &["line", "shelter-women", "women", "migration", "police"]),
    // A child alone: child protection before anything but the dedicated line.
    (CHILD, None, NIGHT, &["line", "child", "police"]),
    // A girl of 16 to 19 may be a child: child protection stays, and the women's shelter is not ruled out.
    (
        r#"{"age":{"from":16,"to":19},"sex":"female","children_along":0}"#,
        Some("XA-S"),
        NIGHT,
        &["line", "child", "shelter-women", "women", "police"],
    ),
    // Nothing known: unknown leaves nothing out, and may be a child. Of the shelters the one that asks less first.
    ("{}", None, NIGHT, &["line", "child", "shelter-women", "shelter-north", "women", "police"]),
    // A person of another sex is left out nowhere for it. Three questions stay open with either shelter: by id.
    (
        r#"{"age":{"from":20,"to":20},"sex":"other","children_along":0,"exploitation":["labour"]}"#,
        Some("XA-N"),
        NIGHT,
        &["line", "shelter-north", "shelter-women", "women", "police"],
    ),
];

#[test]
fn who_takes_this_person() {
    let (services, zones, last) = (directory(), zones(), Text::default());
    for (person, area, at, expected) in CASES {
        let query = query(person, area, at);
        let found = find(&services, &[], &query, Some(&zones), &last);
        assert_eq!((found.rung, ids(&found)), (Rung::Fits, expected.to_vec()), "{person} {area:?} {at}");
        assert_eq!(found.offers_total + found.out_total, 14);
        assert!(found.last_resort.is_none() && found.agencies.is_empty());
    }
}

#[test]
fn each_one_left_out_says_why() {
    let (services, zones, last) = (directory(), zones(), Text::default());
    let found = find(&services, &[], &query(MAN, Some("XA-S"), NIGHT), Some(&zones), &last);
    let opens = Some(ms("2026-11-20T12:00:00Z"));
    for (id, expected) in [
        ("shelter-women", vec![Exclusion::TakesOthers(Trait::Sex)]),
        ("shelter-north", vec![Exclusion::WrongArea]),
        ("shelter-full", vec![Exclusion::Full { as_of: Some("2026-11-01".parse().unwrap()) }]),
        ("child", vec![Exclusion::TakesOthers(Trait::Age)]),
        ("women", vec![Exclusion::TakesOthers(Trait::Sex)]),
        ("labour", vec![Exclusion::ClosedNow { opens_at_ms: opens }]),
        ("old", vec![Exclusion::Superseded { by: Some("line".parse().unwrap()) }]),
        ("kept-back", vec![Exclusion::Withheld]),
        ("typo", vec![Exclusion::DoNotDialOnly]),
        ("web-only", vec![Exclusion::NoSafeChannel]),
        ("nameless", vec![Exclusion::NoContact]),
    ] {
        assert_eq!(because(&found, id), expected, "{id}");
    }
    // Another country is not listed at all, and the nearest stands first.
    assert!(because(&found, "abroad").is_empty());
    assert_eq!(found.out.first().unwrap().service.kind, ServiceKind::DedicatedLine);
}

#[test]
fn offers_say_what_is_known_and_what_is_not() {
    let (services, zones, last) = (directory(), zones(), Text::default());
    let found = find(&services, &[], &query(MOTHER, Some("XA-S"), NIGHT), Some(&zones), &last);
    let shelter = &despite(&found, "shelter-women").reasons;
    for reason in [
        Reason::Takes(Trait::Sex),
        Reason::Takes(Trait::Age),
        Reason::Takes(Trait::Children),
        Reason::TakesUnknown(Trait::Exploitation),
        Reason::Takes(Trait::Nationality),
        Reason::LanguageOther,
        Reason::HoursUnknown,
        Reason::UnverifiedSince(Some(2017)),
    ] {
        assert!(shelter.contains(&reason), "{reason:?} in {shelter:?}");
    }
    assert!(despite(&found, "police").reasons.contains(&Reason::AnyOffence));
    assert!(despite(&found, "line").reasons.contains(&Reason::OpenNow));
    assert!(despite(&found, "women").reasons.contains(&Reason::ThemeFits));
}

#[test]
fn a_clock_in_doubt_closes_nothing() {
    let (services, zones, last) = (directory(), zones(), Text::default());
    let mut query = query(MAN, Some("XA-N"), NIGHT);
    query.clock = ClockTrust::InDoubt;
    let found = find(&services, &[], &query, Some(&zones), &last);
    assert_eq!(ids(&found), ["line", "shelter-north", "labour", "migration", "police"]);
    assert!(despite(&found, "labour").reasons.contains(&Reason::ClockInDoubt));
    assert!(despite(&found, "line").reasons.contains(&Reason::OpenNow));
}

#[test]
fn a_wish_orders_but_does_not_hide() {
    let (services, zones, last) = (directory(), zones(), Text::default());
    let mut query = query(MAN, Some("XA-N"), NOON);
    query.kinds = vec![ServiceKind::Police, ServiceKind::Labour];
    let found = find(&services, &[], &query, Some(&zones), &last);
    assert_eq!(ids(&found), ["police", "labour", "line", "shelter-north", "migration"]);
    assert!(despite(&found, "line").reasons.contains(&Reason::OtherKindThanWanted));
    assert!(!despite(&found, "labour").reasons.contains(&Reason::OtherKindThanWanted));
    query.limit = 2;
    let found = find(&services, &[], &query, Some(&zones), &last);
    assert_eq!((ids(&found), found.offers_total, found.out.len()), (vec!["police", "labour"], 5, 2));
}

#[test]
fn within_a_kind_fits_then_features_then_open_then_id() {
    let last = Text::default();
    let services = [
        service("d", "police", ""),
        service("c", "police", r#""hours":"always""#),
        service("b", "police", r#""features":{"free":"yes","anonymous":"yes"}"#),
        service("a", "police", r#""takes":{"sexes":["male"]}"#),
        service("e", "police", r#""verified_on":"2026-01-01""#),
        service("f", "police", r#""languages":["pt"],"takes":{"sexes":["male"]}"#),
        service("g", "police", r#""features":{"confidential":"yes"}"#),
    ];
    let found = find(&services, &[], &query(MAN, None, NOON), None, &last);
    assert_eq!(ids(&found), ["a", "b", "c", "e", "d", "g", "f"]);
    let reversed: Vec<Service> = services.iter().rev().cloned().collect();
    assert_eq!(ids(&find(&reversed, &[], &query(MAN, None, NOON), None, &last)), ids(&found));
}

/// Each rung alone, by taking away what stands above it.
#[test]
fn never_empty_down_to_the_last_resort() {
    let (zones, last) = (zones(), Text([("es".parse().unwrap(), "x".into())].into()));
    let closed = service("closed", "labour", OFFICE);
    let far = service("far", "police", r#""areas":["XA-N"]"#);
    let others = service("others", "shelter", r#""takes":{"sexes":["female"]}"#);
    let named = service("named", "specialised", r#""status":"no_contact""#);
    let not_him = service("not-him", "shelter", r#""status":"no_contact","takes":{"sexes":["female"]}"#);
    let typo = directory().into_iter().find(|s| s.id.as_str() == "typo").unwrap();
    let all = [closed, far, others, named, not_him, typo];
    let bodies =
        [agency("b-police", "police"), agency("a-help", "assistance"), agency("c-committee", "coordination")];
    let at = query(MAN, Some("XA-S"), NIGHT);
    for (skip, rung, first) in [
        (0, Rung::Closed, Some("closed")),
        (1, Rung::Elsewhere, Some("far")),
        (2, Rung::TakesOthers, Some("others")),
        (3, Rung::Named, Some("named")),
        (4, Rung::Agencies, None),
        (6, Rung::Agencies, None),
    ] {
        let found = find(&all[skip..], &bodies, &at, Some(&zones), &last);
        assert_eq!((found.rung, ids(&found).first().copied()), (rung, first), "{skip}");
        let reachable = rung < Rung::Named;
        assert_eq!(found.last_resort.is_none(), reachable);
        let help: Vec<&str> = found.agencies.iter().map(|a| a.id.as_str()).collect();
        assert_eq!(help, if reachable { vec![] } else { vec!["a-help", "c-committee", "b-police"] });
        let numbers = found.offers.iter().flat_map(|o| &o.channels).filter_map(|c| to_dial(c, Calling::Home));
        assert!(numbers.into_iter().all(|dial| dial != "5550199"));
        assert!(found.offers.iter().all(|o| !o.despite.is_empty()));
    }
    let none = find(&[], &[], &at, Some(&zones), &last);
    assert_eq!((none.rung, none.last_resort), (Rung::LastResort, Some(&last)));
}

#[test]
fn channels_that_are_not_safe_are_not_offered() {
    let last = Text::default();
    let services = [service(
        "two",
        "dedicated_line",
        r#""channels":[{"kind":"chat","display":"example.org"},{"kind":"phone","display":"555-0101",
            "dial":"5550101"},{"kind":"phone","dial":"5550199","do_not_dial":true}]"#,
    )];
    let mut query = query(MAN, None, NOON);
    let kinds = |query: &Query| -> Vec<ChannelKind> {
        let found = find(&services, &[], query, None, &last);
        found.offers[0].channels.iter().map(|channel| channel.kind).collect()
    };
    assert_eq!(kinds(&query), [ChannelKind::Phone]);
    query.channels.insert(ChannelKind::Chat);
    assert_eq!(kinds(&query), [ChannelKind::Chat, ChannelKind::Phone]);
}

#[test]
fn from_abroad_only_what_can_be_reached() {
    let last = Text::default();
    let services = [
        service(
            "toll-free",
            "dedicated_line",
            r#""channels":[{"kind":"phone","dial":"800555","from_abroad":"no"}]"#,
        ),
        service(
            "full",
            "police",
            r#""channels":[{"kind":"phone","dial":"5550100","e164":"+15555550100",
            "e164_basis":"derived: +1 added"}]"#,
        ),
    ];
    let mut query = query(MAN, None, NOON);
    let home = find(&services, &[], &query, None, &last);
    assert_eq!(ids(&home), ["toll-free", "full"]);
    assert!(despite(&home, "toll-free").reasons.contains(&Reason::NotReachableFromAbroad));
    query.calling = Calling::Abroad;
    let abroad = find(&services, &[], &query, None, &last);
    assert_eq!(ids(&abroad), ["full"]);
    assert_eq!(because(&abroad, "toll-free"), [Exclusion::NotReachableFromAbroad]);
    let reasons = &despite(&abroad, "full").reasons;
    assert!(reasons.contains(&Reason::FromAbroadUnknown) && reasons.contains(&Reason::NumberDerived));
    assert_eq!(to_dial(abroad.offers[0].channels[0], Calling::Abroad), Some("+15555550100"));
    let only = find(&services[..1], &[], &query, None, &last);
    assert_eq!((only.rung, ids(&only)), (Rung::Elsewhere, vec!["toll-free"]));
}

#[test]
fn ages_in_doubt_leave_nothing_out() {
    let last = Text::default();
    let services = [service("adults", "shelter", r#""takes":{"age_min":18,"age_max":60}"#)];
    for (from, to, expected) in [
        (18, 60, Some(Reason::Takes(Trait::Age))),
        (17, 18, Some(Reason::TakesUnknown(Trait::Age))),
        (60, 61, Some(Reason::TakesUnknown(Trait::Age))),
        (0, 120, Some(Reason::TakesUnknown(Trait::Age))),
        (40, 20, Some(Reason::TakesUnknown(Trait::Age))), // no range at all
        (10, 17, None),
        (61, 61, None),
    ] {
        let at = query(&format!(r#"{{"age":{{"from":{from},"to":{to}}}}}"#), None, NOON);
        let found = find(&services, &[], &at, None, &last);
        let fits = found.rung == Rung::Fits;
        assert_eq!(fits, expected.is_some(), "{from} to {to}");
        match expected {
            Some(reason) => assert!(despite(&found, "adults").reasons.contains(&reason), "{from} to {to}"),
            None => assert_eq!(despite(&found, "adults").despite, [Exclusion::TakesOthers(Trait::Age)]),
        }
    }
}
