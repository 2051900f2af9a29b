use std::collections::BTreeSet;
use std::sync::Arc;

use amparo_schema::answer::{Answer, Mode, Unknown, Value};
use amparo_schema::condition::{Condition, PersonTest, Truth};
use amparo_schema::limits::ANSWER_TEXT_CHARS_MAX;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::checklist::{Item, ItemKind};
use amparo_schema::pack::policy::intake;
use amparo_schema::text::Text;
use proptest::prelude::*;

use super::testing::*;
use super::*;
use crate::answers::Answers;

fn compile(items: Vec<Item>) -> Result<Form, FormError> {
    Form::compile(&policy(intake_items()), &checklist(items))
}

fn offered(walk: &Walk, gate: Gate) -> String {
    match walk.next(gate) {
        Next::Item(item) => item.id.to_string(),
        Next::Gate => "(gate)".into(),
        Next::End => "(end)".into(),
    }
}

/// Walks to the end, answering every item so, and lists what was offered.
fn walked(walk: &mut Walk, mut gate: Gate, answer: &dyn Fn(&Item) -> Answer) -> Vec<String> {
    let mut path = Vec::new();
    loop {
        path.push(offered(walk, gate));
        let (id, answer) = match walk.next(gate) {
            Next::Item(item) => (item.id.clone(), answer(item)),
            Next::Gate => {
                gate = Gate::Passed;
                continue;
            }
            Next::End => return path,
        };
        walk.set(&id, answer).unwrap();
    }
}

#[test]
fn what_is_seen_comes_before_the_gate_and_what_is_asked_after() {
    let paper = item("paper", Mode::Staff, ItemKind::YesNo);
    let form = Arc::new(compile(vec![asked("a1"), seen("s1"), asked("a2"), paper]).unwrap());
    let mut walk = Walk::new(form.clone(), &Answers::default());
    let path = walked(&mut walk, Gate::Ahead, &|_| unknown(Unknown::Refused));
    let expected = [
        "person-age",
        "s1",
        "paper",
        "(gate)",
        "person-sex",
        "person-children",
        "person-foreign",
        "a1",
        "a2",
        "(end)",
    ];
    assert_eq!(path, expected);
    // Without anything to ask there is no gate to pass.
    let only_seen = Form::compile(&policy(Vec::new()), &checklist(vec![seen("s1")])).unwrap();
    let mut walk = Walk::new(Arc::new(only_seen), &Answers::default());
    assert_eq!(walked(&mut walk, Gate::Ahead, &|_| known(Value::No)), ["s1", "(end)"]);
}

#[test]
fn a_skipped_item_is_not_offered_again_and_can_still_be_answered() {
    let mut walk = Walk::new(form(&checklist(vec![seen("s1"), seen("s2")])), &Answers::default());
    walk.set(&name("person-age"), unknown(Unknown::NotAsked)).unwrap();
    walk.set(&name("s1"), unknown(Unknown::NotAsked)).unwrap();
    assert_eq!(offered(&walk, Gate::Ahead), "s2");
    walk.set(&name("s1"), known(Value::Yes)).unwrap();
    assert_eq!(walk.answer(&name("s1")), Some(&known(Value::Yes)));
    assert_eq!(offered(&walk, Gate::Ahead), "s2");
}

#[test]
fn an_item_is_hidden_only_when_its_condition_is_no() {
    let items = vec![seen("s1"), when(seen("s2"), yes("s1")), when(seen("s3"), yes("s2")), seen("s4")];
    let mut walk = Walk::new(form(&checklist(items)), &Answers::default());
    assert_eq!(walk.applies(&name("s2")), Some(Truth::Unknown));
    assert_eq!(walk.position(&name("s4")).map(|p| (p.number, p.of)), Some((5, 8)));
    walk.set(&name("s2"), known(Value::Yes)).unwrap();
    assert_eq!(walk.applies(&name("s3")), Some(Truth::Yes));
    // s2 stops to apply: its yes stays, but counts as no, so s3 goes as well.
    walk.set(&name("s1"), known(Value::No)).unwrap();
    assert_eq!(walk.answer(&name("s2")), Some(&known(Value::Yes)));
    assert_eq!((walk.applies(&name("s2")), walk.applies(&name("s3"))), (Some(Truth::No), Some(Truth::No)));
    assert_eq!(walk.position(&name("s4")).map(|p| (p.number, p.of)), Some((3, 6)));
    assert_eq!(walk.position(&name("s3")), None);
    walk.set(&name("s1"), known(Value::Yes)).unwrap();
    assert_eq!(walk.applies(&name("s3")), Some(Truth::Yes));
}

#[test]
fn back_goes_over_what_applies_and_across_the_gate() {
    let items = vec![seen("s1"), when(seen("s2"), yes("s1")), asked("a1")];
    let mut walk = Walk::new(form(&checklist(items)), &Answers::default());
    walk.set(&name("s1"), known(Value::No)).unwrap();
    let back = |from: Next<'_>| walk.back(from).map(|item| item.id.to_string());
    let at = |id: &str| Next::Item(walk.form().item(&name(id)).unwrap());
    assert_eq!(back(Next::End).as_deref(), Some("a1"));
    assert_eq!(back(at("a1")).as_deref(), Some("person-foreign"));
    assert_eq!(back(at("person-sex")).as_deref(), Some("s1"));
    assert_eq!(back(Next::Gate).as_deref(), Some("s1"));
    assert_eq!(back(at("s1")).as_deref(), Some("person-age"));
    assert_eq!(back(at("person-age")), None);
}

#[test]
fn tests_of_the_person_follow_the_intake() {
    let items = vec![
        when(seen("for-children"), Condition::Child),
        when(seen("for-adults"), not(Condition::Child)),
        when(asked("of-abroad"), Condition::Person(PersonTest::Foreign)),
        when(asked("with-children"), Condition::Person(PersonTest::ChildrenAlong)),
    ];
    let mut walk = Walk::new(form(&checklist(items)), &Answers::default());
    let applies = |walk: &Walk, id: &str| walk.applies(&name(id)).unwrap();
    // Nobody knows the age: a child.
    assert_eq!((applies(&walk, "for-children"), applies(&walk, "for-adults")), (Truth::Yes, Truth::No));
    walk.set(&name(intake::AGE), age(17, 19)).unwrap();
    assert_eq!((applies(&walk, "for-children"), applies(&walk, "for-adults")), (Truth::Yes, Truth::No));
    walk.set(&name(intake::AGE), age(18, 30)).unwrap();
    assert_eq!((applies(&walk, "for-children"), applies(&walk, "for-adults")), (Truth::No, Truth::Yes));
    assert_eq!(applies(&walk, "of-abroad"), Truth::Unknown);
    walk.set(&name(intake::FOREIGN), known(Value::No)).unwrap();
    assert_eq!(applies(&walk, "of-abroad"), Truth::No);
    walk.set(&name(intake::CHILDREN), known(Value::Number(2))).unwrap();
    assert_eq!(applies(&walk, "with-children"), Truth::Yes);
    assert_eq!(walk.person().children_along, Some(2));
}

#[test]
fn an_intake_item_that_does_not_apply_says_no_of_the_person() {
    let mut intake = intake_items();
    intake.push(when(asked(intake::UNACCOMPANIED), Condition::Child));
    let items = vec![when(asked("alone"), Condition::Person(PersonTest::Unaccompanied))];
    let form = Form::compile(&policy(intake), &checklist(items)).unwrap();
    let mut walk = Walk::new(Arc::new(form), &Answers::default());
    walk.set(&name(intake::UNACCOMPANIED), known(Value::Yes)).unwrap();
    assert_eq!((walk.person().unaccompanied, walk.applies(&name("alone"))), (Some(true), Some(Truth::Yes)));
    walk.set(&name(intake::AGE), age(30, 30)).unwrap();
    assert_eq!((walk.person().unaccompanied, walk.applies(&name("alone"))), (Some(false), Some(Truth::No)));
}

#[test]
fn a_form_that_cannot_be_is_refused() {
    let duplicate = compile(vec![seen("s1"), asked("s1")]);
    assert_eq!(duplicate, Err(FormError::Duplicate(name("s1"))));
    assert_eq!(compile(vec![seen(intake::AGE)]), Err(FormError::Duplicate(name(intake::AGE))));
    let circle = compile(vec![when(seen("s1"), yes("s2")), when(seen("s2"), no("s1"))]);
    assert!(matches!(circle, Err(FormError::Circle(_))), "{circle:?}");
    let of_itself = compile(vec![when(seen("s1"), yes("s1"))]);
    assert_eq!(of_itself, Err(FormError::Circle(name("s1"))));
    let ruled = |outcome, when| {
        let mut list = checklist(Vec::new());
        list.rules = vec![rule("r", outcome, when)];
        Form::compile(&policy(Vec::new()), &list).err()
    };
    let none = ruled(Outcome::NoneNotedToday, Condition::Always);
    assert_eq!(none, Some(FormError::GivesNoneNoted(name("r"))));
    let undone = ruled(Outcome::Presumed, Condition::All(vec![positive("d1"), not(positive("d4"))]));
    assert_eq!(undone, Some(FormError::UndoneBySign(name("r"))));
    assert_eq!(ruled(Outcome::ConcernUnresolved, not(positive("d4"))), None);
    assert_eq!(ruled(Outcome::Presumed, not(Condition::Child)), None);
    assert_eq!(ruled(Outcome::Presumed, not(not(positive("d4")))), None);
}

/// Every kind of item with the error that each wrong kind of value gets, and one value that fits.
#[allow(clippy::type_complexity)] // a table, read in one place
fn kinds() -> Vec<(ItemKind, fn(Name) -> AnswerError, Value)> {
    let Answer::Known(years) = age(17, 19) else { unreachable!() };
    let number = ItemKind::Number { min: -2, max: 7, unit: Text::default() };
    let two = || options(&["one", "two"]);
    vec![
        (ItemKind::YesNo, AnswerError::NotYesNo, Value::Yes),
        (ItemKind::Choice(two()), AnswerError::NotAChoice, Value::Choice(name("one"))),
        (ItemKind::Choices(two()), AnswerError::NotChoices, Value::Choices(BTreeSet::new())),
        (number, AnswerError::NotANumber, Value::Number(7)),
        (ItemKind::Date, AnswerError::NotADate, Value::Date("2026-11-21".parse().unwrap())),
        (ItemKind::Age(Vec::new()), AnswerError::NotAnAge, years),
        (ItemKind::ShortText { chars_max: 4 }, AnswerError::NotAText, Value::Text("así".into())),
    ]
}

#[test]
fn each_wrong_kind_is_refused_by_its_own_name() {
    for (kind, error, fits) in kinds() {
        let form = compile(vec![item("q", Mode::Ask, kind)]).unwrap();
        for (_, _, value) in kinds() {
            let expected = if value == fits { Ok(()) } else { Err(error(name("q"))) };
            assert_eq!(form.accept(&name("q"), &known(value)), expected);
        }
        for why in [Unknown::NotAsked, Unknown::Refused, Unknown::NotObservable, Unknown::Interrupted] {
            assert_eq!(form.accept(&name("q"), &unknown(why)), Ok(()));
        }
        let missing = form.accept(&name("nowhere"), &known(Value::Yes));
        assert_eq!(missing, Err(AnswerError::NoSuchItem(name("nowhere"))));
    }
}

#[test]
fn options_bounds_and_texts_are_checked() {
    let accept = |kind: ItemKind, value: Value| {
        compile(vec![item("q", Mode::Ask, kind)]).unwrap().accept(&name("q"), &known(value)).err()
    };
    let two = || options(&["one", "two"]);
    let no_option = Some(AnswerError::NoSuchOption(name("q")));
    assert_eq!(accept(ItemKind::Choice(two()), Value::Choice(name("three"))), no_option);
    let mixed = [name("one"), name("three")].into();
    assert_eq!(accept(ItemKind::Choices(two()), Value::Choices(mixed)), no_option);
    assert_eq!(accept(ItemKind::Choices(two()), Value::Choices([name("one"), name("two")].into())), None);
    let number = || ItemKind::Number { min: -2, max: 7, unit: Text::default() };
    for (n, fits) in [(-3, false), (-2, true), (7, true), (8, false), (i64::MIN, false), (i64::MAX, false)] {
        let refused = (!fits).then_some(AnswerError::OutOfBounds { item: name("q"), min: -2, max: 7 });
        assert_eq!(accept(number(), Value::Number(n)), refused, "{n}");
    }
    for (from, to, fits) in [(0, 120, true), (17, 17, true), (19, 17, false), (0, 121, false)] {
        let Answer::Known(value) = age(from, to) else { unreachable!() };
        let refused = (!fits).then_some(AnswerError::NotAnAgeRange(name("q")));
        assert_eq!(accept(ItemKind::Age(Vec::new()), value), refused, "{from}..{to}");
    }
    let text = |chars_max, text: &str| accept(ItemKind::ShortText { chars_max }, Value::Text(text.into()));
    let too_long = |chars_max| Some(AnswerError::TextTooLong { item: name("q"), chars_max });
    assert_eq!(text(4, "ñandú"), too_long(4));
    assert_eq!(text(5, "ñandú"), None);
    assert_eq!(text(u32::MAX, &"x".repeat(ANSWER_TEXT_CHARS_MAX)), None);
    assert_eq!(text(u32::MAX, &"x".repeat(ANSWER_TEXT_CHARS_MAX + 1)), too_long(ANSWER_TEXT_CHARS_MAX));
    assert_eq!(text(9, " \u{a0} "), Some(AnswerError::EmptyText(name("q"))));
    for bad in ['\0', '\n', '\u{7f}', '\u{85}', '\u{2028}', '\u{200f}', '\u{202e}', '\u{2066}', '\u{61c}'] {
        let refused = Some(AnswerError::ForbiddenCharacters(name("q")));
        assert_eq!(text(9, &format!("a{bad}b")), refused, "{bad:?}");
    }
}

/// A form of `n` yes-or-no items, some of which look at earlier ones or at the person.
fn tangled(n: usize, seeds: &[u8]) -> Form {
    let seed = |at: usize| usize::from(seeds[at % seeds.len()]);
    let items = (0..n).map(|at| {
        let id = format!("i{at}");
        let base = if seed(at) % 3 == 0 { seen(&id) } else { asked(&id) };
        let earlier = |k: usize| format!("i{}", (seed(at + k) * 7 + k) % at.max(1));
        match seed(at + 1) % 8 {
            _ if at == 0 => base,
            0 => when(base, yes(&earlier(1))),
            1 => when(base, Condition::Any(vec![no(&earlier(2)), yes(&earlier(3))])),
            2 => when(base, Condition::Child),
            3 => when(base, Condition::All(vec![not(Condition::Child), possible(yes(&earlier(4)))])),
            4 => when(base, Condition::Answered(name(&earlier(5)))),
            _ => base,
        }
    });
    Form::compile(&policy(intake_items()), &checklist(items.collect())).unwrap()
}

proptest! {
    /// A walk that took answers one by one equals one built from the last answers, and its `next` is the
    /// first item in order that applies and has none.
    #[test]
    fn a_walk_equals_one_built_again(
        seeds in prop::collection::vec(any::<u8>(), 8..24),
        sets in prop::collection::vec((0_usize..24, 0_u8..5), 0..60),
    ) {
        let form = Arc::new(tangled(20, &seeds));
        let (mut walk, mut answers) = (Walk::new(form.clone(), &Answers::default()), Answers::default());
        for (at, what) in sets {
            let item = form.items().nth(at).unwrap();
            let answer = match (&item.kind, what) {
                (_, 0) => unknown(Unknown::Refused),
                (ItemKind::YesNo, 1 | 2) => known(Value::Yes),
                (ItemKind::YesNo, _) => known(Value::No),
                (ItemKind::Age(_), n) => age(n * 5, n * 8),
                (ItemKind::Number { .. }, n) => known(Value::Number(i64::from(n) - 1)),
                (_, _) => known(Value::Choice(name("female"))),
            };
            walk.set(&item.id, answer.clone()).unwrap();
            answers.set(item.id.clone(), answer);
            let fresh = Walk::new(form.clone(), &answers);
            prop_assert_eq!(&walk, &fresh);
            prop_assert_eq!(walk.answers(), answers.clone());
            let applies = |item: &&Item| walk.applies(&item.id) != Some(Truth::No);
            let open = form.items().filter(applies).find(|item| answers.get(&item.id).is_none());
            let next = match walk.next(Gate::Passed) { Next::Item(item) => Some(item), _ => None };
            prop_assert_eq!(next, open);
            let applicable: Vec<_> = form.items().filter(applies).collect();
            for (k, item) in applicable.iter().enumerate() {
                let expected = Some(Position { number: k + 1, of: applicable.len() });
                prop_assert_eq!(walk.position(&item.id), expected);
                let before = k.checked_sub(1).map(|k| applicable[k]);
                prop_assert_eq!(walk.back(Next::Item(item)), before);
            }
        }
    }
}
