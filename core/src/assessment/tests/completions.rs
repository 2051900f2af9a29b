//! Unknown is never no: states against every completion, and what a skipped answer may not hide.

use std::sync::Arc;

use amparo_schema::answer::{Answer, Unknown, Value};
use amparo_schema::condition::{Condition, PersonTest, Truth};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::checklist::{Checklist, Threshold, Weight};
use amparo_schema::pack::policy::intake;
use proptest::prelude::*;

use crate::answers::Answers;
use crate::assessment::dimension::Tally;
use crate::assessment::{Assessment, DimensionState, assess};
use crate::checklist::Form;
use crate::checklist::testing::*;

const WEIGHTS: [Weight; 3] = [Weight::Strong, Weight::Medium, Weight::Weak];
const TRUTHS: [Truth; 3] = [Truth::No, Truth::Unknown, Truth::Yes];

/// Rules in the words of the test, beside the same as thresholds.
type Written = fn(usize, usize, usize) -> bool;

fn written() -> Vec<(Vec<Threshold>, Written)> {
    let of = Threshold::default();
    vec![
        (ilo().to_vec(), |s, m, w| s >= 2 || (s >= 1 && m + w >= 1) || m >= 3 || (m >= 2 && w >= 1)),
        (vec![Threshold { any: 3, ..of }], |s, m, w| s + m + w >= 3),
        (vec![Threshold { weak: 2, strong: 1, ..of }], |s, _, w| s >= 1 && w >= 2),
        (vec![Threshold { medium: 1, any: 2, ..of }, Threshold { weak: 4, ..of }], |s, m, w| {
            (m >= 1 && s + m + w >= 2) || w >= 4
        }),
        (Vec::new(), |_, _, _| false),
        (vec![of], |_, _, _| true),
    ]
}

/// Every dimension of up to six indicators of any weight and truth, as a multiset: 5,005 of them.
fn small_dimensions() -> Vec<Vec<(Weight, Truth)>> {
    let classes: Vec<_> = WEIGHTS.into_iter().flat_map(|w| TRUTHS.map(|t| (w, t))).collect();
    let mut all = vec![Vec::new()];
    for class in classes {
        let grown = all.iter().flat_map(|set: &Vec<_>| {
            (0..=6 - set.len()).map(move |n| set.iter().copied().chain(vec![class; n]).collect())
        });
        all = grown.collect();
    }
    all
}

/// The truth of a dimension under every completion: bit `k` of `choice` says whether unknown `k` is noted.
fn under(set: &[(Weight, Truth)], rule: Written, choice: u32) -> bool {
    let mut open = 0;
    let mut count = [0_usize; 3];
    for (weight, truth) in set {
        let noted = match truth {
            Truth::Yes => true,
            Truth::No => false,
            Truth::Unknown => {
                open += 1;
                choice & (1 << (open - 1)) != 0
            }
        };
        count[WEIGHTS.iter().position(|w| w == weight).unwrap()] += usize::from(noted);
    }
    rule(count[0], count[1], count[2])
}

#[test]
fn states_and_tipping_are_exact_over_all_completions() {
    let sets = small_dimensions();
    assert_eq!(sets.len(), 5005);
    for (thresholds, rule) in written() {
        let of = dimension("d", &thresholds);
        for set in &sets {
            let open: Vec<Weight> =
                set.iter().filter(|(_, t)| *t == Truth::Unknown).map(|(w, _)| *w).collect();
            let all: Vec<bool> = (0..1_u32 << open.len()).map(|choice| under(set, rule, choice)).collect();
            let expected = match (all.iter().all(|p| *p), all.iter().any(|p| *p)) {
                (true, _) => DimensionState::Positive,
                (_, false) => DimensionState::Negative,
                _ => DimensionState::Undetermined,
            };
            let tally = Tally::new(&of, set.iter().copied());
            assert_eq!(tally.state(), expected, "{thresholds:?} {set:?}");
            for (k, weight) in open.iter().enumerate() {
                let tips = (0..all.len()).any(|c| c & (1 << k) == 0 && !all[c] && all[c | 1 << k]);
                assert_eq!(tally.can_tip(*weight), tips, "{weight:?} {thresholds:?} {set:?}");
            }
        }
    }
}

fn outcomes(form: &Form, answers: &Answers) -> Vec<Outcome> {
    assess(form, answers, &pack()).outcomes()
}

/// One sign, one dimension, one rule, and an item for adults only.
fn for_adults() -> Arc<Form> {
    let mut list = checklist(vec![when(seen("q"), not(Condition::Child))]);
    list.dimensions = vec![dimension("d", &[Threshold { any: 1, ..Threshold::default() }])];
    list.indicators = vec![indicator("i", "d", Weight::Weak, yes("q"))];
    list.rules = vec![rule("r", Outcome::Presumed, positive("d"))];
    form(&list)
}

#[test]
fn an_item_hidden_by_doubt_about_age_hides_no_outcome() {
    let form = for_adults();
    let nothing = assess(&form, &Answers::default(), &pack());
    assert_eq!(nothing.outcomes(), [Outcome::ConcernUnresolved]);
    assert_eq!(nothing.dimensions[0].state, DimensionState::Undetermined);
    assert!(nothing.not_applicable.is_empty());
    let of_age = |from, to| [(name(intake::AGE), age(from, to))].into_iter().collect::<Answers>();
    assert_eq!(outcomes(&form, &of_age(17, 19)), [Outcome::ConcernUnresolved]);
    assert_eq!(outcomes(&form, &of_age(17, 18)), [Outcome::ConcernUnresolved]);
    assert_eq!(outcomes(&form, &of_age(12, 17)), [Outcome::NoneNotedToday]);
    assert_eq!(outcomes(&form, &of_age(18, 90)), [Outcome::ConcernUnresolved]);
}

#[test]
fn an_item_that_may_apply_and_was_answered_counts() {
    let mut list = checklist(vec![seen("a"), when(seen("q"), yes("a"))]);
    list.indicators = vec![indicator("i", "d", Weight::Weak, yes("q"))];
    list.rules = vec![rule("r", Outcome::LabourRights, Condition::NotedAny)];
    let form = form(&list);
    let mut answers: Answers = [(name("q"), known(Value::Yes))].into_iter().collect();
    assert_eq!(outcomes(&form, &answers), [Outcome::LabourRights]);
    answers.set(name("a"), unknown(Unknown::Refused));
    assert_eq!(outcomes(&form, &answers), [Outcome::LabourRights]);
    // Once it certainly does not apply, the yes is history.
    answers.set(name("a"), known(Value::No));
    assert_eq!(outcomes(&form, &answers), [Outcome::NoneNotedToday]);
}

#[test]
fn nobody_is_noted_for_a_no_that_was_never_said() {
    let mut list = checklist(vec![seen("a"), when(seen("holds-papers"), yes("a"))]);
    list.indicators = vec![indicator("i", "d", Weight::Weak, no("holds-papers"))];
    let form = form(&list);
    let state = |answers: Answers| assess(&form, &answers, &pack()).indicators[0].state;
    assert_eq!(state([(name("a"), known(Value::No))].into_iter().collect()), Truth::No);
    let said = [(name("a"), known(Value::Yes)), (name("holds-papers"), known(Value::No))];
    assert_eq!(state(said.into_iter().collect()), Truth::Yes);
}

#[test]
fn a_sign_that_no_rule_speaks_of_is_never_none_noted() {
    let mut list = checklist(vec![seen("q")]);
    list.indicators = vec![indicator("i", "d", Weight::Weak, yes("q"))];
    let form = form(&list);
    let with = |answer| outcomes(&form, &[(name("q"), answer)].into_iter().collect());
    assert_eq!(with(known(Value::Yes)), [Outcome::ConcernUnresolved]);
    assert_eq!(with(unknown(Unknown::NotObservable)), [Outcome::ConcernUnresolved]);
    assert_eq!(with(known(Value::No)), [Outcome::NoneNotedToday]);
}

/// Any condition over these leaves.
fn over(
    leaf: impl Strategy<Value = Condition> + Clone + 'static,
) -> impl Strategy<Value = Condition> + Clone {
    leaf.prop_recursive(3, 12, 3, |part| {
        let parts = || prop::collection::vec(part.clone(), 1..4);
        prop_oneof![
            parts().prop_map(Condition::All),
            parts().prop_map(Condition::Any),
            (1_u32..3, parts()).prop_map(|(n, of)| Condition::AtLeast { n: n.min(of.len() as u32), of }),
            part.clone().prop_map(not),
            part.prop_map(possible),
        ]
    })
}

fn item_tests(below: usize) -> impl Strategy<Value = Condition> + Clone {
    prop_oneof![
        (0..below).prop_map(|n| yes(&format!("q{n}"))),
        (0..below).prop_map(|n| no(&format!("q{n}"))),
        (0..below).prop_map(|n| Condition::Answered(name(&format!("q{n}")))),
    ]
}

fn person_tests() -> impl Strategy<Value = Condition> + Clone {
    prop_oneof![Just(Condition::Child), Just(Condition::Person(PersonTest::Foreign))]
}

fn sign_tests() -> impl Strategy<Value = Condition> + Clone {
    prop_oneof![
        (0..INDICATORS).prop_map(|n| Condition::Indicator(name(&format!("i{n}")))),
        (0..2).prop_map(|n| positive(&format!("d{n}"))),
        (0..2).prop_map(|n| Condition::Noted(name(&format!("d{n}")))),
        Just(Condition::NotedAny),
    ]
}

const ITEMS: usize = 6;
const INDICATORS: usize = 4;

/// A checklist of any shape that a pack may have, and more: indicators with `not`, `possible`, `answered`.
fn any_checklist() -> impl Strategy<Value = Checklist> {
    let whens: Vec<_> = (0..ITEMS)
        .map(|n| prop::option::of(over(prop_oneof![item_tests(n.max(1)), person_tests()])))
        .collect();
    let threshold = (0_u32..3, 0_u32..2, 0_u32..3).prop_map(|(strong, medium_or_weak, any)| Threshold {
        strong,
        medium_or_weak,
        any,
        ..Threshold::default()
    });
    let weighed = (prop::sample::select(&WEIGHTS[..]), 0..2_usize, over(item_tests(ITEMS)));
    let ruled = (
        prop::sample::select(&Outcome::ALL[..6]),
        over(prop_oneof![3 => sign_tests(), 1 => item_tests(ITEMS), 1 => person_tests()]),
    );
    (
        whens,
        prop::collection::vec(weighed, INDICATORS),
        prop::collection::vec(prop::collection::vec(threshold, 1..3), 2),
        prop::collection::vec(ruled, 0..4),
    )
        .prop_map(|(whens, indicators, thresholds, rules)| {
            let mut list = checklist(Vec::new());
            for (n, condition) in whens.into_iter().enumerate() {
                let base = if n % 2 == 0 { seen(&format!("q{n}")) } else { asked(&format!("q{n}")) };
                let condition = condition.filter(|_| n > 0);
                list.items.push(match condition {
                    Some(condition) => when(base, condition),
                    None => base,
                });
            }
            for (n, (weight, of, from)) in indicators.into_iter().enumerate() {
                list.indicators.push(indicator(&format!("i{n}"), &format!("d{of}"), weight, from));
            }
            for (n, of) in thresholds.iter().enumerate() {
                list.dimensions.push(dimension(&format!("d{n}"), of));
            }
            for (n, (outcome, condition)) in rules.into_iter().enumerate() {
                list.rules.push(rule(&format!("r{n}"), outcome, condition));
            }
            list
        })
}

/// For each item what is answered: 0 nothing, 1 refused, else something known.
type Choices = Vec<u8>;

fn any_choices() -> impl Strategy<Value = Choices> {
    prop::collection::vec(0_u8..6, ITEMS + 2)
}

fn answer_of(item: &Name, choice: u8) -> Option<Answer> {
    match (choice, item.as_str()) {
        (0, _) => None,
        (1, _) => Some(unknown(Unknown::Refused)),
        (2, intake::AGE) => Some(age(10, 15)),
        (3, intake::AGE) => Some(age(17, 19)),
        (_, intake::AGE) => Some(age(25, 40)),
        (2 | 3, _) => Some(known(Value::Yes)),
        (_, _) => Some(known(Value::No)),
    }
}

fn to_answers(choices: &[u8]) -> Answers {
    let ids = (0..ITEMS).map(|n| format!("q{n}")).chain([intake::AGE.into(), intake::FOREIGN.into()]);
    let ids = ids.map(|id| name(&id));
    ids.zip(choices).filter_map(|(id, c)| answer_of(&id, *c).map(|answer| (id, answer))).collect()
}

/// `first` where it knows something, else `then`.
fn completed(first: &[u8], then: &[u8]) -> Choices {
    first.iter().zip(then).map(|(a, b)| if *a > 1 { *a } else { *b }).collect()
}

fn compiled(list: &Checklist) -> Option<Form> {
    Form::compile(&policy(intake_items()), list).ok()
}

fn check_shape(result: &Assessment) -> Result<(), TestCaseError> {
    let outcomes = result.outcomes();
    prop_assert!(!outcomes.is_empty());
    prop_assert!(outcomes.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", outcomes);
    prop_assert!(outcomes.len() == 1 || !outcomes.contains(&Outcome::NoneNotedToday));
    prop_assert!(result.outcomes.iter().all(|given| !given.by.is_empty()));
    let written = serde_json::to_vec(result).unwrap();
    let read: Assessment = serde_json::from_slice(&written).unwrap();
    prop_assert_eq!(&read, result);
    prop_assert_eq!(read.hash(), result.hash());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// What is said with less knowledge binds what is said with more.
    #[test]
    fn no_completion_undoes_what_was_certain(
        list in any_checklist(), first in any_choices(), then in any_choices(),
    ) {
        let Some(form) = compiled(&list) else { return Ok(()) };
        let before = assess(&form, &to_answers(&first), &pack());
        let after = assess(&form, &to_answers(&completed(&first, &then)), &pack());
        check_shape(&before)?;
        check_shape(&after)?;
        if before.gave(Outcome::NoneNotedToday) {
            prop_assert_eq!(after.outcomes(), vec![Outcome::NoneNotedToday]);
        }
        for (a, b) in before.indicators.iter().zip(&after.indicators) {
            prop_assert!(a.state != Truth::No || b.state == Truth::No, "{}", a.id);
            prop_assert_eq!(a.state == Truth::Unknown, !a.waits_for.is_empty());
        }
        for (a, b) in before.dimensions.iter().zip(&after.dimensions) {
            prop_assert!(a.state != DimensionState::Negative || b.state == DimensionState::Negative);
            prop_assert_eq!(a.state == DimensionState::Undetermined, !a.could_tip.is_empty());
            prop_assert_eq!(a.state == DimensionState::Positive, a.reached.is_some());
        }
        for (a, b) in before.rules.iter().zip(&after.rules) {
            prop_assert!(a.state != Truth::No || b.state == Truth::No, "{}", a.id);
            prop_assert_eq!(a.state == Truth::No, a.because.is_empty());
        }
    }

    /// A rule that could still give presumed leaves at least an unresolved concern.
    #[test]
    fn an_open_rule_is_never_silent(list in any_checklist(), first in any_choices()) {
        let Some(form) = compiled(&list) else { return Ok(()) };
        let result = assess(&form, &to_answers(&first), &pack());
        let open = |r: &&crate::assessment::RuleFinding| r.state == Truth::Unknown && !result.gave(r.outcome);
        if result.rules.iter().any(|r| open(&r)) {
            prop_assert!(result.gave(Outcome::ConcernUnresolved) || result.gave(Outcome::Presumed));
        }
    }

    /// To stop is to know less, never to say no: whatever reason stands for the rest, the outcome is the same.
    #[test]
    fn the_reason_of_not_knowing_changes_no_outcome(list in any_checklist(), first in any_choices()) {
        let Some(form) = compiled(&list) else { return Ok(()) };
        let answers = to_answers(&first);
        let before = assess(&form, &answers, &pack());
        for why in [Unknown::Interrupted, Unknown::NotAsked, Unknown::DoesNotKnow] {
            let mut stopped = answers.clone();
            for item in form.items() {
                if answers.unknown(&item.id).is_some() {
                    stopped.set(item.id.clone(), unknown(why));
                }
            }
            let after = assess(&form, &stopped, &pack());
            prop_assert_eq!(after.outcomes, before.outcomes.clone());
            prop_assert_eq!(after.rules, before.rules.clone());
        }
    }

    /// The same answers in any order, and answers that were replaced on the way, give the same bytes.
    #[test]
    fn order_and_history_leave_no_trace(
        list in any_checklist(), first in any_choices(), then in any_choices(), turn in 0_usize..8,
    ) {
        let Some(form) = compiled(&list) else { return Ok(()) };
        let answers = to_answers(&first);
        let mut entries: Vec<_> = answers.iter().map(|(id, a)| (id.clone(), a.clone())).collect();
        let expected = assess(&form, &answers, &pack());
        let middle = turn.min(entries.len());
        entries.rotate_left(middle);
        entries.reverse();
        let mut other: Answers =
            to_answers(&then).iter().filter(|(id, _)| answers.get(id).is_some()).map(|(id, a)| (id.clone(), a.clone())).collect();
        entries.into_iter().for_each(|(id, answer)| other.set(id, answer));
        let result = assess(&form, &other, &pack());
        prop_assert_eq!(serde_json::to_vec(&result).unwrap(), serde_json::to_vec(&expected).unwrap());
        prop_assert_eq!(result.hash(), expected.hash());
    }

    /// One more yes among signs that always apply never takes presumed away, nor a positive dimension.
    #[test]
    fn a_further_sign_never_takes_presumed_away(
        rules in prop::collection::vec(over(sign_tests()), 1..4),
        thresholds in prop::collection::vec(0_u32..3, 2),
        first in any_choices(),
        more in 0..INDICATORS,
    ) {
        let mut list = checklist((0..ITEMS).map(|n| seen(&format!("q{n}"))).collect());
        for n in 0..INDICATORS {
            let sign = Condition::Any(vec![yes(&format!("q{n}")), yes(&format!("q{}", n + 1))]);
            list.indicators.push(indicator(&format!("i{n}"), &format!("d{}", n % 2), WEIGHTS[n % 3], sign));
        }
        for (n, any) in thresholds.into_iter().enumerate() {
            list.dimensions.push(dimension(&format!("d{n}"), &[Threshold { any, ..Threshold::default() }]));
        }
        for (n, condition) in rules.into_iter().enumerate() {
            list.rules.push(rule(&format!("r{n}"), Outcome::Presumed, condition));
        }
        let Some(form) = compiled(&list) else { return Ok(()) };
        let mut answers = to_answers(&first);
        let before = assess(&form, &answers, &pack());
        answers.set(name(&format!("q{more}")), known(Value::Yes));
        let after = assess(&form, &answers, &pack());
        prop_assert!(!before.gave(Outcome::Presumed) || after.gave(Outcome::Presumed));
        for (a, b) in before.dimensions.iter().zip(&after.dimensions) {
            prop_assert!(a.state != DimensionState::Positive || b.state == DimensionState::Positive);
        }
    }
}
