//! Why a condition has its value: the single tests in it that made it yes, or that keep it unknown.

use amparo_schema::condition::{Condition, Truth};
use amparo_schema::name::Name;

use crate::condition::{View, evaluate};

/// The tests that make a condition yes, in the order in which they stand; a test that counts by being false
/// stands under `not`. Empty when the condition is not yes.
pub(super) fn holding(condition: &Condition, view: &dyn View) -> Vec<Condition> {
    let mut found = Vec::new();
    gather(condition, view, Truth::Yes, &mut found);
    found
}

/// The tests that are unknown and on which an unknown condition depends. Empty when the condition is known.
pub(super) fn open(condition: &Condition, view: &dyn View) -> Vec<Condition> {
    let mut found = Vec::new();
    gather(condition, view, Truth::Unknown, &mut found);
    found
}

/// Goes down into every part that has the wanted value and so carries it up.
fn gather(condition: &Condition, view: &dyn View, wanted: Truth, found: &mut Vec<Condition>) {
    if evaluate(condition, view) != wanted {
        return;
    }
    match condition {
        Condition::All(of) | Condition::Any(of) | Condition::AtLeast { of, .. } => {
            of.iter().for_each(|part| gather(part, view, wanted, found));
        }
        Condition::Not(part) => {
            let mut under = Vec::new();
            gather(part, view, wanted.not(), &mut under);
            found.extend(under.into_iter().map(negated));
        }
        // Possible and not known: the possibility itself is the ground.
        Condition::Possible(part) if evaluate(part, view) != wanted => found.push(condition.clone()),
        Condition::Possible(part) => gather(part, view, wanted, found),
        test => found.push(test.clone()),
    }
}

fn negated(condition: Condition) -> Condition {
    match condition {
        Condition::Not(part) => *part,
        other => Condition::Not(Box::new(other)),
    }
}

/// The items that a list of tests looks at, each once, in order.
pub(super) fn items(tests: &[Condition]) -> Vec<&Name> {
    let mut found = Vec::new();
    for test in tests {
        collect(test, &mut found);
    }
    found
}

fn collect<'a>(test: &'a Condition, found: &mut Vec<&'a Name>) {
    match test {
        Condition::Yes(item) | Condition::No(item) | Condition::Answered(item) => push(item, found),
        Condition::Has { item, .. } | Condition::Number { item, .. } => push(item, found),
        other => other.parts().iter().for_each(|part| collect(part, found)),
    }
}

fn push<'a>(item: &'a Name, found: &mut Vec<&'a Name>) {
    if !found.contains(&item) {
        found.push(item);
    }
}
