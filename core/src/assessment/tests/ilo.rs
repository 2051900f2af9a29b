//! The dimension rule of the ILO and the case rules on top of it, against the rule written out.

use amparo_schema::answer::Value;
use amparo_schema::condition::Condition;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::checklist::{Checklist, Population, Weight};
use amparo_schema::pack::policy::intake;

use crate::answers::Answers;
use crate::assessment::{Assessment, DimensionState, assess};
use crate::checklist::testing::*;

/// (S, M, W) noted.
type Count = (usize, usize, usize);

/// The rule as the source words it; the packs write it as thresholds.
fn is_positive((s, m, w): Count) -> bool {
    s >= 2 || (s >= 1 && m + w >= 1) || m >= 3 || (m >= 2 && w >= 1)
}

fn cases() -> impl Iterator<Item = Count> {
    (0..=3).flat_map(|s| (0..=4).flat_map(move |m| (0..=3).map(move |w| (s, m, w))))
}

const DIMENSIONS: [&str; 3] = ["act", "means", "exploitation"];
const CLASSES: [(&str, Weight, usize); 3] =
    [("s", Weight::Strong, 3), ("m", Weight::Medium, 4), ("w", Weight::Weak, 3)];

/// Three dimensions of 3 strong, 4 medium and 3 weak indicators, each shown by one item of its name.
pub(super) fn ilo_checklist(population: Population) -> Checklist {
    let mut list = checklist(Vec::new());
    list.population = population;
    for of in DIMENSIONS {
        list.dimensions.push(dimension(of, &ilo()));
        for (letter, weight, many) in CLASSES {
            for n in 0..many {
                let id = format!("{of}-{letter}{n}");
                list.items.push(asked(&id));
                list.indicators.push(indicator(&id, of, weight, yes(&id)));
            }
        }
    }
    let mut parts = vec![positive("act"), positive("exploitation")];
    if population == Population::Adult {
        parts.push(positive("means"));
    }
    list.rules.push(rule("presumed", Outcome::Presumed, Condition::All(parts)));
    list
}

/// Every item of the dimension answered: as many yes as counted, the others no.
fn answer(answers: &mut Answers, of: &str, (s, m, w): Count) {
    for ((letter, _, many), noted) in CLASSES.into_iter().zip([s, m, w]) {
        for n in 0..many {
            let value = if n < noted { Value::Yes } else { Value::No };
            answers.set(name(&format!("{of}-{letter}{n}")), known(value));
        }
    }
}

fn state(assessment: &Assessment, of: &str) -> DimensionState {
    assessment.dimensions.iter().find(|d| d.id.as_str() == of).unwrap().state
}

fn check_all_cases(population: Population, years: u8) {
    let form = form(&ilo_checklist(population));
    let mut count = 0;
    for case in cases() {
        for (act, means) in [((2, 0, 0), (0, 3, 0)), ((2, 0, 0), (1, 0, 0)), ((0, 2, 0), (1, 1, 0))] {
            let mut answers: Answers = [(name(intake::AGE), age(years, years))].into_iter().collect();
            answer(&mut answers, "act", act);
            answer(&mut answers, "means", means);
            answer(&mut answers, "exploitation", case);
            let result = assess(&form, &answers, &pack());
            for (of, counted) in DIMENSIONS.into_iter().zip([act, means, case]) {
                let expected =
                    if is_positive(counted) { DimensionState::Positive } else { DimensionState::Negative };
                assert_eq!(state(&result, of), expected, "{of} {counted:?}");
            }
            let means_count = population == Population::Child || is_positive(means);
            let presumed = is_positive(act) && means_count && is_positive(case);
            assert_eq!(result.gave(Outcome::Presumed), presumed, "{act:?} {means:?} {case:?}");
        }
        count += 1;
    }
    assert_eq!(count, 80);
}

#[test]
fn eighty_cases_for_an_adult() {
    check_all_cases(Population::Adult, 30);
}

#[test]
fn eighty_cases_for_a_child() {
    check_all_cases(Population::Child, 15);
}

#[test]
fn a_dimension_says_which_threshold_was_reached_and_by_what() {
    let form = form(&ilo_checklist(Population::Adult));
    let mut answers = Answers::default();
    answer(&mut answers, "exploitation", (1, 0, 2));
    let result = assess(&form, &answers, &pack());
    let found = result.dimensions.iter().find(|d| d.id.as_str() == "exploitation").unwrap();
    assert_eq!(found.reached, Some(ilo()[1]));
    let ids = |names: &[Name]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(ids(&found.noted.strong), ["exploitation-s0"]);
    assert_eq!(ids(&found.noted.medium), [""; 0]);
    assert_eq!(ids(&found.noted.weak), ["exploitation-w0", "exploitation-w1"]);
    assert!(found.could_tip.is_empty());
}
