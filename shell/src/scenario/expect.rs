//! What a scenario must give, reasoned by hand and written beside its input.
//!
//! A golden file says what came out; it can be written anew by accident. This says what must come out, and is
//! only ever written by a person. Looks at a result and never at how it was made.

use std::collections::BTreeMap;

use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use serde::Deserialize;
use serde_json::{Value, json};

/// What must come out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The classes of the last screening's outcome, in the order of urgency, no others.
    pub outcomes: Vec<Outcome>,
    /// The steps that the protocol shows first, in this order.
    pub first_steps: Vec<Name>,
    /// Steps that it shows somewhere.
    #[serde(default)]
    pub steps: Vec<Name>,
    /// Steps that it must not show.
    #[serde(default)]
    pub never_steps: Vec<Name>,
    /// The gate: `"passed"`, `"not_tried"`, or what is missing.
    pub gate: Value,
    /// Other places in the result, by JSON pointer (RFC 6901); `null` also where there is nothing.
    #[serde(default)]
    pub at: BTreeMap<String, Value>,
    /// Dates of deadlines by step: act by, outer limit.
    #[serde(default)]
    pub due: BTreeMap<Name, (String, String)>,
}

impl Expect {
    /// What is otherwise than expected, one line each; empty when all is as it must be.
    #[must_use]
    pub fn misses(&self, result: &Value) -> Vec<String> {
        let mut misses = Vec::new();
        let mut same = |what: &str, is: &Value, must: &Value| {
            if is != must {
                misses.push(format!("{what} is {is}, must be {must}"));
            }
        };
        let at = |pointer: &str| result.pointer(pointer).unwrap_or(&Value::Null);
        same("the outcome", at("/result/outcomes"), &json!(self.outcomes));
        same("the gate", at("/result/gate"), &self.gate);
        let steps = at("/result/protocol/steps").as_array().map_or(&[][..], Vec::as_slice);
        let shown: Vec<&str> = steps.iter().filter_map(|step| step.get("step")?.as_str()).collect();
        let first: Vec<_> = shown.iter().take(self.first_steps.len()).collect();
        same("the first steps", &json!(first), &json!(self.first_steps));
        for (pointer, must) in &self.at {
            same(pointer, at(pointer), must);
        }
        for (id, (act_by, outer)) in &self.due {
            let due = steps.iter().find(|step| step.get("step") == Some(&json!(id)));
            let date = |limit: &str| due.and_then(|step| step.pointer(&format!("/due/{limit}/date")));
            let is = json!([date("act_by"), date("outer_limit")]);
            same(&format!("the deadline of {id}"), &is, &json!([act_by, outer]));
        }
        let missing = self.steps.iter().filter(|id| !shown.contains(&id.as_str()));
        misses.extend(missing.map(|id| format!("the step {id} must be shown")));
        let stray = self.never_steps.iter().filter(|id| shown.contains(&id.as_str()));
        misses.extend(stray.map(|id| format!("the step {id} must not be shown")));
        misses
    }
}
