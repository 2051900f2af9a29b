//! Assesses cases from standard input, one JSON object a line, for the referee in `tests/referees/assessment.py`.
//!
//! In: `{"policy": .., "checklist": .., "answers": {item: answer}}`. Out: `{"outcomes": [..], "dimensions": {..},
//! "indicators": {..}}`, or `{"error": ".."}`.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use amparo_core::answers::Answers;
use amparo_core::assessment::assess;
use amparo_core::checklist::Form;
use amparo_schema::answer::Answer;
use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_schema::pack::PackRef;
use amparo_schema::pack::checklist::Checklist;
use amparo_schema::pack::policy::Policy;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    policy: Policy,
    checklist: Checklist,
    answers: BTreeMap<Name, Answer>,
}

fn one(line: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let case: Case = serde_json::from_str(line)?;
    let form = Form::compile(&case.policy, &case.checklist)?;
    let answers: Answers = case.answers.into_iter().collect();
    let pack = PackRef { id: Name::new("case")?, version: 1, hash: Hash([0; 32]) };
    let found = assess(&form, &answers, &pack);
    let dimensions: BTreeMap<_, _> = found.dimensions.iter().map(|d| (&d.id, json!(d.state))).collect();
    let indicators: BTreeMap<_, _> = found.indicators.iter().map(|i| (&i.id, json!(i.state))).collect();
    Ok(json!({ "outcomes": found.outcomes(), "dimensions": dimensions, "indicators": indicators }))
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = one(&line?).unwrap_or_else(|why| json!({ "error": why.to_string() }));
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
