//! The weights of the shipped ILO checklists, against the list itself.
//!
//! ILO and European Commission, Operational indicators of trafficking in human beings, revised September 2009
//! (WCMS_105023), as known second-hand, with our codes. The two labour sets agree with the published
//! counts; the two sexual-exploitation sets were compared with nothing and ship disabled.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests

use amparo_core::pack::open;
use amparo_core::schema::pack::Content;
use amparo_core::schema::pack::checklist::{Checklist, Weight};
use amparo_shell::embedded;

const SETS: [&str; 4] = ["ilo-adult-labour", "ilo-child-labour", "ilo-adult-sexual", "ilo-child-sexual"];

/// By group of codes, for each set: S strong, M medium, W weak, - not in that list, ? weight not known. The
/// n-th letter is the n-th code of the group (`dr01`, `dr02` ..).
const WEIGHTS: [(&str, [&str; 4]); 6] = [
    ("dr", ["SMMMMMMMMW", "SMMMMMMMMS", "SMMMMMMMMW", "SMMMMMMMMS"]),
    ("cr", ["SMMMMMMMMM", "SSMSMMSMMM", "S?M?MM?MMM", "SSMSMMSMMM"]),
    ("av", ["MMMMMMMMMMMMMMWW", "MMMMMMM-MMMMMMMM", "MMMMMMMMMMMMMMWW", "MMMMMMM?MMMMMMMM"]),
    ("ex", ["SMMMMMMMW", "SMMMMMM-M", "MMMMMMMMW", "?MMMMSM?M"]),
    ("cd", ["SSSSMMMMMMMMMMW", "SSSSSSSSMMMMMMM", "SSSSSMSSMMMMMMM", "SSSSSSSSMMMMMMM"]),
    ("ad", ["MMMMMWW", "MMMMMMM", "MMMMMWW", "MMMMMMM"]),
];

/// The dimension of each group, in its order.
const DIMENSIONS: [&str; 6] = ["d1", "d2", "d3", "d4", "d5", "d6"];

fn checklist(id: &str) -> Checklist {
    let trust = embedded::trust().unwrap();
    let packs = embedded::PACKS.iter().map(|bytes| open(bytes, &trust, None).unwrap());
    let pack = packs.into_iter().find(|pack| pack.header.id.as_str() == id).unwrap();
    match &*pack.content {
        Content::Checklist(checklist) => checklist.clone(),
        _ => unreachable!("{id} is a checklist"),
    }
}

/// Code, dimension and weight of every indicator of a set. Where the weight is not known, what ships is taken.
fn expected(set: usize, shipped: &Checklist) -> Vec<(String, String, Weight)> {
    let mut list = Vec::new();
    for ((group, sets), dimension) in WEIGHTS.iter().zip(DIMENSIONS) {
        for (letter, number) in sets[set].chars().zip(1..) {
            let code = format!("{group}{number:02}");
            let ours = shipped.indicators.iter().find(|i| i.id.as_str() == code).map(|i| i.weight);
            let weight = match letter {
                'S' => Some(Weight::Strong),
                'M' => Some(Weight::Medium),
                'W' => Some(Weight::Weak),
                '?' => ours,
                _ => None,
            };
            list.extend(weight.map(|weight| (code, dimension.to_owned(), weight)));
        }
    }
    list
}

#[test]
fn every_weight_is_that_of_the_list() {
    for (set, id) in SETS.into_iter().enumerate() {
        let shipped = checklist(id);
        let indicators = shipped.indicators.iter();
        let mut ours: Vec<_> =
            indicators.map(|i| (i.id.to_string(), i.dimension.to_string(), i.weight)).collect();
        let mut theirs = expected(set, &shipped);
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{id}");
    }
}

/// Indicators for adult labour in each dimension, as published (Seafish record of the list), and 65 for children,
/// none of them weak.
#[test]
fn there_are_as_many_as_were_published() {
    let adult: Vec<usize> =
        WEIGHTS.iter().map(|(_, sets)| sets[0].chars().filter(|c| *c != '-').count()).collect();
    assert_eq!(adult, [10, 10, 16, 9, 15, 7]);
    let child: String = WEIGHTS.iter().map(|(_, sets)| sets[1]).collect();
    assert_eq!(child.chars().filter(|c| *c != '-').count(), 65);
    assert!(!child.contains('W'));
    assert_eq!((checklist(SETS[0]).indicators.len(), checklist(SETS[1]).indicators.len()), (67, 65));
}

#[test]
fn what_was_compared_with_nothing_is_not_offered() {
    for id in SETS {
        assert_eq!(checklist(id).enabled, id.ends_with("-labour"), "{id}");
    }
}
