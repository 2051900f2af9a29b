//! Rules 2, 3, 4, 5 and 7: what answers, and their absence, may bring about on the shipped checklists.

use std::collections::BTreeSet;

use amparo_core::answers::Answers;
use amparo_core::assessment::{Assessment, assess};
use amparo_core::checklist::Form;
use amparo_core::schema::answer::{AgeRange, Answer, Unknown, Value};
use amparo_core::schema::name::Name;
use amparo_core::schema::outcome::Outcome;
use amparo_core::schema::pack::checklist::{Item, ItemKind, Threshold};
use amparo_core::schema::pack::policy::intake;

use super::{Dice, Shipped, name};

const ADULT: AgeRange = AgeRange { from: 30, to: 59 };
const REASONS: [Unknown; 5] =
    [Unknown::NotAsked, Unknown::Refused, Unknown::NotObservable, Unknown::Interrupted, Unknown::DoesNotKnow];

/// A possible answer; `quiet` leans to what shows nothing.
fn answer(item: &Item, quiet: bool, dice: &mut Dice) -> Answer {
    let silent = quiet && dice.roll(60) > 0;
    Answer::Known(match &item.kind {
        ItemKind::YesNo if silent => Value::No,
        ItemKind::YesNo => [Value::Yes, Value::No][dice.roll(2)].clone(),
        ItemKind::Choice(options) => Value::Choice(options[dice.roll(options.len())].id.clone()),
        ItemKind::Choices(_) if silent => Value::Choices(BTreeSet::new()),
        ItemKind::Choices(options) => {
            Value::Choices(options.iter().filter(|_| dice.roll(3) == 0).map(|o| o.id.clone()).collect())
        }
        ItemKind::Number { min, .. } if silent => Value::Number(*min),
        ItemKind::Number { min, max, .. } => {
            Value::Number(min + i64::try_from(dice.roll(usize::try_from(max - min + 1).unwrap())).unwrap())
        }
        ItemKind::Age(_) if silent => Value::Age(ADULT),
        ItemKind::Age(bands) => {
            let band = &bands[dice.roll(bands.len())];
            Value::Age(AgeRange { from: band.from, to: band.to })
        }
        ItemKind::Date | ItemKind::ShortText { .. } => unreachable!("no shipped item takes one"),
    })
}

fn answered(form: &Form, quiet: bool, dice: &mut Dice) -> Answers {
    form.items().map(|item| (item.id.clone(), answer(item, quiet, dice))).collect()
}

fn found(shipped: &Shipped, id: &str, form: &Form, answers: &Answers) -> Assessment {
    assess(form, answers, &shipped.0[id].pack_ref)
}

/// Answers that show nothing: no to what would be a sign, yes to what is well.
fn well(form: &Form) -> Answers {
    let yes = [
        "papers-own",
        "own-decision",
        "leave",
        "trip-free",
        "live-well",
        "rest-day",
        "know-plan",
        "as-told",
        "can-quit",
        "school",
        "free-time",
        "talk-family",
        "safe-return",
        "debt-leave",
    ];
    let options = ["self", "agreed", "none", "complete", "parents"];
    let one = |item: &Item| match &item.kind {
        ItemKind::YesNo if yes.contains(&item.id.as_str()) => Value::Yes,
        ItemKind::YesNo => Value::No,
        ItemKind::Choice(of) => {
            let good = of.iter().find(|o| options.contains(&o.id.as_str())).unwrap_or(&of[0]);
            Value::Choice(good.id.clone())
        }
        ItemKind::Choices(_) => Value::Choices(BTreeSet::new()),
        ItemKind::Number { min, .. } => Value::Number(*min),
        ItemKind::Age(_) => Value::Age(ADULT),
        ItemKind::Date | ItemKind::ShortText { .. } => unreachable!("no shipped item takes one"),
    };
    form.items().map(|item| (item.id.clone(), Answer::Known(one(item)))).collect()
}

#[test]
fn rule_2_and_7_what_was_skipped_never_ends_as_nothing_noted() {
    let shipped = Shipped::new();
    for (id, checklist) in shipped.enabled() {
        let form = Form::compile(shipped.policy(), checklist).unwrap();
        assert!(!found(&shipped, id, &form, &Answers::default()).gave(Outcome::NoneNotedToday), "{id}");
        let base = well(&form);
        let none = found(&shipped, id, &form, &base).gave(Outcome::NoneNotedToday);
        // A list for children never says so of a child without looking at who is along; all others can.
        assert!(none || id == "ilo-child-labour", "{id}: {:?}", found(&shipped, id, &form, &base).outcomes());
        let (mut hidden, mut kept) = (0_u32, 0_u32);
        for seed in 0..400 {
            let mut dice = Dice(seed);
            let mut answers = if seed % 2 == 0 { base.clone() } else { answered(&form, true, &mut dice) };
            let skipped: Vec<&Item> = form.items().filter(|_| dice.roll(8) == 0).collect();
            for item in &skipped {
                answers.set(item.id.clone(), Answer::Unknown(REASONS[dice.roll(REASONS.len())]));
            }
            if !found(&shipped, id, &form, &answers).gave(Outcome::NoneNotedToday) {
                hidden += 1;
                continue;
            }
            // Only where nothing that could have been said would have shown anything.
            kept += 1;
            for _ in 0..8 {
                for item in &skipped {
                    answers.set(item.id.clone(), answer(item, false, &mut dice));
                }
                let given = found(&shipped, id, &form, &answers).outcomes();
                assert_eq!(given, [Outcome::NoneNotedToday], "{id}, seed {seed}");
            }
        }
        assert!(hidden > 100, "{id}: {hidden} against {kept}");
    }
}

#[test]
fn rule_7_each_item_that_can_show_a_sign_is_missed_when_it_alone_is_skipped() {
    let shipped = Shipped::new();
    for (id, checklist) in shipped.enabled().filter(|(id, _)| *id != "ilo-child-labour") {
        let form = Form::compile(shipped.policy(), checklist).unwrap();
        let base = well(&form);
        let mut missed = 0;
        for item in &checklist.items {
            let alone = |answer: Answer| {
                let mut answers = base.clone();
                answers.set(item.id.clone(), answer);
                found(&shipped, id, &form, &answers)
            };
            let mut dice = Dice(7);
            let shows = (0..60).any(|_| !alone(answer(item, false, &mut dice)).gave(Outcome::NoneNotedToday));
            let skipped = alone(Answer::Unknown(Unknown::Refused));
            assert!(!(shows && skipped.gave(Outcome::NoneNotedToday)), "{id} {}", item.id);
            assert!(!shows || skipped.gaps.iter().any(|gap| gap.item == item.id), "{id} {}", item.id);
            missed += u32::from(shows);
        }
        assert!(missed >= 4, "{id}: {missed}");
    }
}

#[test]
fn rule_7_stopping_takes_no_outcome_away() {
    // Whoever stops after some answers has at least what those answers gave, and a concern where it is open.
    let shipped = Shipped::new();
    for (id, checklist) in shipped.enabled() {
        let form = Form::compile(shipped.policy(), checklist).unwrap();
        for seed in 0..200 {
            let mut dice = Dice(seed);
            let whole = answered(&form, false, &mut dice);
            let mut known = Answers::default();
            let age = name(intake::AGE);
            known.set(age.clone(), whole.get(&age).unwrap().clone());
            let cut = dice.roll(form.items().len() + 1);
            for item in form.items().take(cut) {
                known.set(item.id.clone(), whole.get(&item.id).unwrap().clone());
            }
            let at_stop = found(&shipped, id, &form, &known);
            let mut later = known.clone();
            for item in form.items().skip(cut).filter(|item| item.id != age) {
                later.set(item.id.clone(), Answer::Unknown(Unknown::Interrupted));
            }
            assert_eq!(
                at_stop.outcomes(),
                found(&shipped, id, &form, &later).outcomes(),
                "{id}, seed {seed}"
            );
            if at_stop.gave(Outcome::Presumed) {
                let all = found(&shipped, id, &form, &whole);
                assert!(all.gave(Outcome::Presumed), "{id}, seed {seed}");
            }
        }
    }
}

#[test]
fn rule_3_each_ilo_dimension_has_the_thresholds_of_the_rule() {
    let rule = [
        Threshold { strong: 2, ..Threshold::default() },
        Threshold { strong: 1, medium_or_weak: 1, ..Threshold::default() },
        Threshold { medium: 3, ..Threshold::default() },
        Threshold { medium: 2, weak: 1, ..Threshold::default() },
    ];
    let shipped = Shipped::new();
    for (id, checklist) in shipped.checklists().filter(|(id, _)| id.starts_with("ilo-")) {
        assert_eq!(checklist.dimensions.len(), 6, "{id}");
        for dimension in &checklist.dimensions {
            assert_eq!(dimension.positive, rule, "{id} {}", dimension.id);
        }
    }
}

fn set(answers: &mut Answers, item: &str, value: Value) {
    answers.set(name(item), Answer::Known(value));
}

fn options(of: &[&str]) -> Value {
    Value::Choices(of.iter().map(|id| name(id)).collect::<BTreeSet<Name>>())
}

/// An adult who was told something else about job and housing, on the way.
fn on_the_way() -> Answers {
    let mut answers = Answers::default();
    set(&mut answers, intake::AGE, Value::Age(ADULT));
    set(&mut answers, "offer", Value::Yes);
    set(&mut answers, "diff-work", options(&["job"]));
    set(&mut answers, "diff-life", options(&["housing"]));
    answers
}

#[test]
fn rule_4_recruitment_without_exploitation_yet_is_an_unresolved_concern() {
    let shipped = Shipped::new();
    let (id, checklist) = shipped.enabled().find(|(id, _)| *id == "ilo-adult-labour").unwrap();
    let form = Form::compile(shipped.policy(), checklist).unwrap();
    for worked in [None, Some(Value::No)] {
        let mut answers = on_the_way();
        if let Some(value) = worked.clone() {
            set(&mut answers, "worked", value);
        }
        let found = found(&shipped, id, &form, &answers);
        let given = found.outcomes();
        assert!(given.contains(&Outcome::ConcernUnresolved), "{worked:?}: {given:?}");
        assert!(
            !given.contains(&Outcome::Presumed) && !given.contains(&Outcome::NoneNotedToday),
            "{given:?}"
        );
    }
    // The same person with exploitation known is presumed; consent to the work is asked nowhere.
    let mut answers = on_the_way();
    set(&mut answers, "worked", Value::Yes);
    set(&mut answers, "hours-day", Value::Number(14));
    set(&mut answers, "pay", Value::Choice(name("none")));
    assert!(found(&shipped, id, &form, &answers).gave(Outcome::Presumed));
}

#[test]
fn rule_3_and_5_a_child_needs_no_means_and_outcomes_stand_side_by_side() {
    let shipped = Shipped::new();
    let (id, checklist) = shipped.enabled().find(|(id, _)| *id == "ilo-adult-labour").unwrap();
    let form = Form::compile(shipped.policy(), checklist).unwrap();
    let mut answers = Answers::default();
    set(&mut answers, "worked", Value::Yes);
    set(&mut answers, "hours-day", Value::Number(14));
    set(&mut answers, "pay", Value::Choice(name("none")));
    set(&mut answers, "fear-return", Value::Yes);
    set(&mut answers, "danger-return", Value::Yes);
    for (age, child) in
        [(ADULT, false), (AgeRange { from: 16, to: 20 }, true), (AgeRange { from: 13, to: 17 }, true)]
    {
        set(&mut answers, intake::AGE, Value::Age(age));
        let found = found(&shipped, id, &form, &answers);
        assert_eq!(found.gave(Outcome::Presumed), child, "{age:?}");
        assert_eq!(found.gave(Outcome::ChildProtection), child, "{age:?}");
        for also in [Outcome::UrgentSafety, Outcome::LabourRights, Outcome::ReturnConcern] {
            assert!(found.gave(also), "{age:?} {also:?}");
        }
    }
}
