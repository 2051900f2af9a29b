//! Protocols: something to do for every outcome, limits that can be counted, successors that exist.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::answer::AgeRange;
use amparo_schema::condition::Truth;
use amparo_schema::limits::STEPS_MAX;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::protocol::{Deadline, Obligation, Protocol, Step, Unit};
use amparo_schema::person::Person;

use super::condition::{self, Names, Place};
use super::finding::{At, Findings, Rule};
use super::{limit, unique};
use crate::condition::{View, evaluate};

/// Limits that one deadline may name.
const LIMITS_MAX: usize = 3;
/// Units that one limit may count.
const AMOUNT_MAX: u32 = 10_000;
/// Situations, kinds and the like that one step may list.
const LIST_MAX: usize = 32;

pub(super) fn check(c: &Protocol, root: &At<'_>, out: &mut Findings) {
    super::calendar::zone_name(&c.zone, &root.key("zone"), out);
    let list = root.key("steps");
    limit(c.steps.len(), STEPS_MAX, "STEPS_MAX", &list, out);
    unique(c.steps.iter().map(|s| &s.id), &list, out);
    let nothing = Names::default();
    for (i, step) in c.steps.iter().enumerate() {
        let at = list.index(i);
        condition::check(&step.trigger, Place::Trigger, &nothing, &at.key("trigger"), out);
        if let Some(limits) = &step.deadline {
            deadline(limits, c.calendar.is_some(), &at.key("deadline"), out);
        }
        if matches!((step.valid_from, step.valid_to), (Some(from), Some(to)) if from > to) {
            out.add(Rule::DatesOutOfOrder, &at.key("valid_to"), "before valid_from");
        }
        out.sources(&step.legal_basis, "legal_basis", &at);
        out.review(&step.review, &at);
        let exceptions = at.key("consent_exceptions");
        limit(step.consent_exceptions.len(), LIST_MAX, "32", &exceptions, out);
        for (j, exception) in step.consent_exceptions.iter().enumerate() {
            out.source(&exception.legal_basis, &exceptions.index(j).key("legal_basis"));
        }
        if let Some(contact) = &step.contact {
            limit(contact.kinds.len(), LIST_MAX, "32", &at.key("contact").key("kinds"), out);
        }
    }
    let next = c.steps.iter().map(|s| (&s.id, s.superseded_by.as_ref())).collect();
    let place = |i: usize| c.steps.get(i).map(|s| &s.id);
    successors(&next, place, "superseded_by", &list, out);
    outcomes(&c.steps, &list, out);
}

/// Whoever was replaced leads, in finitely many steps, to what holds today.
pub(super) fn successors<'a>(
    next: &BTreeMap<&'a Name, Option<&'a Name>>,
    at_index: impl Fn(usize) -> Option<&'a Name>,
    field: &str,
    list: &At<'_>,
    out: &mut Findings,
) {
    for (i, id) in (0..).map_while(|i| at_index(i).map(|id| (i, id))) {
        let at = list.index(i);
        let Some(first) = next.get(id).copied().flatten() else { continue };
        if !next.contains_key(first) {
            out.add(Rule::UnknownSuccessor, &at.key(field), format!("there is no {first}"));
            continue;
        }
        let mut seen = BTreeSet::from([id]);
        let mut here = Some(first);
        while let Some(id) = here {
            if !seen.insert(id) {
                out.add(Rule::SuccessorCycle, &at.key(field), format!("comes back to {id}"));
                break;
            }
            here = next.get(id).copied().flatten();
        }
    }
}

fn deadline(deadline: &Deadline, calendar: bool, at: &At<'_>, out: &mut Findings) {
    let at = at.key("limits");
    if deadline.limits.is_empty() || deadline.limits.len() > LIMITS_MAX {
        out.add(
            Rule::DeadlineLimits,
            &at,
            format!("{} limits, not 1 to {LIMITS_MAX}", deadline.limits.len()),
        );
    }
    for (i, limit) in deadline.limits.iter().enumerate() {
        let at = at.index(i);
        if limit.amount > AMOUNT_MAX {
            out.add(Rule::DeadlineAmount, &at.key("amount"), format!("more than {AMOUNT_MAX}"));
        }
        if limit.unit == Unit::WorkingDays && !calendar {
            out.add(Rule::WorkingDaysWithoutCalendar, &at.key("unit"), "the protocol names no calendar");
        }
    }
}

/// For each outcome that a rule can give, and for a child as for an adult, at least one step that is in
/// force and not a prohibition applies or may apply.
fn outcomes(steps: &[Step], at: &At<'_>, out: &mut Findings) {
    for outcome in Outcome::ALL.into_iter().filter(|o| *o != Outcome::NoneNotedToday) {
        for age in [17, 18] {
            if outcome == Outcome::ChildProtection && age >= 18 {
                continue;
            }
            let person = Person { age: Some(AgeRange { from: age, to: age }), ..Person::default() };
            let only = Only { outcome, person };
            let something = steps.iter().any(|step| {
                step.obligation != Obligation::Forbidden
                    && step.valid_to.is_none()
                    && step.superseded_by.is_none()
                    && evaluate(&step.trigger, &only) != Truth::No
            });
            if !something {
                let who = if age < 18 { "a child" } else { "an adult" };
                let detail = format!("nothing to do for {} of {who}", outcome.as_str());
                out.add(Rule::OutcomeWithoutSteps, at, detail);
                break;
            }
        }
    }
}

/// A world in which one outcome holds, the age is known, and nothing else is.
struct Only {
    outcome: Outcome,
    person: Person,
}

impl View for Only {
    fn outcome(&self, outcome: Outcome) -> Truth {
        (outcome == self.outcome).into()
    }
    fn person(&self) -> Option<&Person> {
        Some(&self.person)
    }
}
