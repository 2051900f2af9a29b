use super::*;
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn json(text: &str) -> String {
    serde_json::to_string(&parse(text).unwrap()).unwrap()
}

/// Trees written out by hand, in the JSON that packs hold.
#[test]
fn text_means_what_the_grammar_says() {
    for (text, tree) in [
        ("yes(a)", r#"{"yes":"a"}"#),
        (" no( a-1.b_2 ) ", r#"{"no":"a-1.b_2"}"#),
        ("has(a, b)", r#"{"has":{"item":"a","option":"b"}}"#),
        ("number(a, 3..5)", r#"{"number":{"item":"a","min":3,"max":5}}"#),
        ("number(a, ..-5)", r#"{"number":{"item":"a","max":-5}}"#),
        ("number(a.b, 3 .. )", r#"{"number":{"item":"a.b","min":3}}"#),
        ("adult", r#"{"not":"child"}"#),
        ("offence", r#"{"person":"offence_suspected"}"#),
        ("noted", r#""noted_any""#),
        ("noted(d)", r#"{"noted":"d"}"#),
        ("outcome(presumed)", r#"{"outcome":"presumed"}"#),
        ("country(CL)", r#"{"country":"CL"}"#),
        ("setting(border)", r#"{"setting":"border"}"#),
        (
            "child and not foreign or male",
            r#"{"any":[{"all":["child",{"not":{"person":"foreign"}}]},{"person":"male"}]}"#,
        ),
        (
            "child and (female or male)",
            r#"{"all":["child",{"any":[{"person":"female"},{"person":"male"}]}]}"#,
        ),
        ("possible(yes(a) or\n  yes(b))", r#"{"possible":{"any":[{"yes":"a"},{"yes":"b"}]}}"#),
        (
            "at_least(2, child, male, yes(a))",
            r#"{"at_least":{"n":2,"of":["child",{"person":"male"},{"yes":"a"}]}}"#,
        ),
        ("not not child", r#"{"not":{"not":"child"}}"#),
    ] {
        assert_eq!(json(text), tree, "{text}");
    }
}

#[test]
fn what_is_no_condition_is_refused_where_it_goes_wrong() {
    for (text, column) in [
        ("", 1),
        ("yes", 4),
        ("yes(A)", 5),
        ("yes(a", 6),
        ("yes(a) yes(b)", 8),
        ("yes(a) and", 11),
        ("and yes(a)", 1),
        ("maybe(a)", 1),
        ("child or maybe(a)", 10),
        ("number(a, 5)", 12),
        ("number(a, 99999999999999999999..)", 11),
        ("outcome(guilty)", 9),
        ("country(cl)", 9),
        ("at_least(x, child)", 10),
        ("(child", 7),
        ("yes(a))", 7),
        ("yes(ä)", 5),
    ] {
        assert_eq!(parse(text).map_err(|e| e.column), Err(column), "{text}");
    }
    for deep in ["(".repeat(100_000), "not ".repeat(4_000), "possible(".repeat(2_000)] {
        assert!(parse(&deep).is_err());
    }
}

fn tests() -> impl Strategy<Value = Condition> {
    let item = || "[a-z0-9][a-z0-9._-]{0,6}".prop_map(|text| name(&text));
    prop_oneof![
        item().prop_map(Condition::Yes),
        item().prop_map(Condition::No),
        (item(), item()).prop_map(|(item, option)| Condition::Has { item, option }),
        (item(), any::<Option<i64>>(), any::<Option<i64>>()).prop_map(|(item, min, max)| Condition::Number {
            item,
            min,
            max
        }),
        item().prop_map(Condition::Answered),
        item().prop_map(Condition::Indicator),
        item().prop_map(Condition::Noted),
        item().prop_map(Condition::Positive),
        proptest::sample::select(&Outcome::ALL[..]).prop_map(Condition::Outcome),
        proptest::sample::select(&PERSON[..]).prop_map(|(test, _)| Condition::Person(test)),
        proptest::sample::select(&SETTINGS[..]).prop_map(|(setting, _)| Condition::Setting(setting)),
        Just(Condition::Country(Country::new("CL").unwrap())),
        Just(Condition::Child),
        Just(Condition::NotedAny),
        Just(Condition::Always),
    ]
}

fn conditions() -> impl Strategy<Value = Condition> {
    tests().prop_recursive(6, 64, 4, |inner| {
        let parts = |least| proptest::collection::vec(inner.clone(), least..4);
        prop_oneof![
            parts(2).prop_map(Condition::All),
            parts(2).prop_map(Condition::Any),
            (any::<u32>(), parts(0)).prop_map(|(n, of)| Condition::AtLeast { n, of }),
            inner.clone().prop_map(|c| Condition::Not(Box::new(c))),
            inner.prop_map(|c| Condition::Possible(Box::new(c))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(condition in conditions()) {
        prop_assert_eq!(parse(&print(&condition)), Ok(condition));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z(),. 0-9]{0,80}|\\PC{0,40}") {
        if let Ok(condition) = parse(&text) {
            prop_assert_eq!(parse(&print(&condition)), Ok(condition));
        }
    }
}
