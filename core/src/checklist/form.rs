//! The form, compiled once from a policy and a checklist: items in the order of the walk, and who looks at
//! whom.
//!
//! Never holds an answer, so one form serves every screening on the same packs.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};

use amparo_schema::answer::{Answer, Mode};
use amparo_schema::condition::{Condition, PersonTest};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::checklist::{Checklist, Dimension, Indicator, Item, Rule};
use amparo_schema::pack::policy::{Policy, intake};

use super::accept::{AnswerError, accept};

/// The items of a policy's intake and of a checklist, in the order of the walk: what is seen or filled in
/// from papers (intake, then checklist), the gate, what is asked (intake, then checklist). Beside them what
/// the assessment makes of the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    entries: Vec<Entry>,
    gate: usize,
    /// Positions so that each item comes after every item that its `when` looks at.
    settling: Vec<usize>,
    // A hash with fixed keys: the cost of finding an item does not grow with the form, nothing is drawn, and
    // its order is never seen.
    index: HashMap<Name, usize, BuildHasherDefault<DefaultHasher>>,
    indicators: Vec<Indicator>,
    dimensions: Vec<Dimension>,
    rules: Vec<Rule>,
}

/// One item with its place in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) item: Item,
    /// Its place in [`Form::settling`].
    pub(super) rank: usize,
    /// The items whose `when` looks at this one.
    pub(super) dependents: Vec<usize>,
    /// One of the reserved items from which the person is derived.
    pub(super) of_person: bool,
}

/// Why a policy and a checklist make no form. An author's mistake; found when a pack is checked, and again here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Two items share an id.
    #[error("two items are called {0}")]
    Duplicate(Name),
    /// The `when` of an item looks, through others, at the item itself.
    #[error("whether item {0} applies depends on itself")]
    Circle(Name),
    /// A rule gives the outcome that only the engine gives.
    #[error("rule {0} gives none_noted_today, which only the engine gives")]
    GivesNoneNoted(Name),
    /// A rule for `presumed` that a further sign could undo: it holds an indicator or a dimension under `not`.
    #[error("rule {0} for presumed could be undone by a further sign")]
    UndoneBySign(Name),
}

impl Form {
    /// Puts the form together. Costs time in the number of items and of nodes in their conditions, both of
    /// which are bounded where a pack is checked.
    ///
    /// # Errors
    /// [`FormError`] with the item or rule at fault.
    pub fn compile(policy: &Policy, checklist: &Checklist) -> Result<Self, FormError> {
        checklist.rules.iter().try_for_each(check_rule)?;
        let (asked, seen): (Vec<_>, Vec<_>) =
            policy.intake.iter().chain(&checklist.items).partition(|item| item.mode == Mode::Ask);
        let gate = seen.len();
        let items: Vec<&Item> = seen.into_iter().chain(asked).collect();
        let mut index = HashMap::default();
        for (at, item) in items.iter().enumerate() {
            if index.insert(item.id.clone(), at).is_some() {
                return Err(FormError::Duplicate(item.id.clone()));
            }
        }
        let mut entries: Vec<Entry> = items.into_iter().map(Entry::new).collect();
        let settling = settle(&mut entries, &index)?;
        Ok(Self {
            entries,
            gate,
            settling,
            index,
            indicators: checklist.indicators.clone(),
            dimensions: checklist.dimensions.clone(),
            rules: checklist.rules.clone(),
        })
    }

    /// The item of this id.
    #[must_use]
    pub fn item(&self, id: &Name) -> Option<&Item> {
        self.at(id).and_then(|at| self.entry(at)).map(|entry| &entry.item)
    }

    /// Every item in the order of the walk, whether it applies or not.
    pub fn items(&self) -> impl ExactSizeIterator<Item = &Item> {
        self.entries.iter().map(|entry| &entry.item)
    }

    /// Whether an answer fits the item: kind, options, bounds, length, characters. Unknown, with any reason,
    /// fits every item. Does not look at whether the item applies.
    ///
    /// # Errors
    /// [`AnswerError`], which names the item and never the answer.
    pub fn accept(&self, item: &Name, answer: &Answer) -> Result<(), AnswerError> {
        let item = self.item(item).ok_or_else(|| AnswerError::NoSuchItem(item.clone()))?;
        accept(item, answer)
    }

    /// The indicators, in the order of the checklist.
    #[must_use]
    pub fn indicators(&self) -> &[Indicator] {
        &self.indicators
    }

    /// The dimensions, in the order of the checklist.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The outcome rules, in the order of the checklist.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many items come before the gate.
    pub(super) fn gate(&self) -> usize {
        self.gate
    }

    pub(super) fn at(&self, item: &Name) -> Option<usize> {
        self.index.get(item).copied()
    }

    pub(super) fn entry(&self, at: usize) -> Option<&Entry> {
        self.entries.get(at)
    }

    pub(super) fn settling(&self) -> &[usize] {
        &self.settling
    }
}

impl Entry {
    fn new(item: &Item) -> Self {
        Self {
            of_person: intake::ALL.contains(&item.id.as_str()),
            item: item.clone(),
            rank: 0,
            dependents: Vec::new(),
        }
    }
}

/// Fills in who looks at whom, and returns the positions so that each comes after those it looks at (Kahn's
/// order, lowest position first). A `when` that names no item of the form stays unknown: the item is offered.
fn settle(
    entries: &mut [Entry],
    index: &HashMap<Name, usize, BuildHasherDefault<DefaultHasher>>,
) -> Result<Vec<usize>, FormError> {
    let mut waits_for = Vec::with_capacity(entries.len());
    for at in 0..entries.len() {
        let mut looks_at = BTreeSet::new();
        if let Some(when) = entries.get(at).and_then(|entry| entry.item.when.as_ref()) {
            collect(when, &mut |id| looks_at.extend(index.get(id).copied()));
        }
        waits_for.push(looks_at.len());
        for of in looks_at {
            if let Some(entry) = entries.get_mut(of) {
                entry.dependents.push(at);
            }
        }
    }
    let mut ready: BTreeSet<usize> =
        waits_for.iter().enumerate().filter(|(_, n)| **n == 0).map(|(at, _)| at).collect();
    let mut settling = Vec::with_capacity(entries.len());
    while let Some(at) = ready.pop_first() {
        let Some(entry) = entries.get_mut(at) else { continue };
        entry.rank = settling.len();
        settling.push(at);
        for dependent in &entry.dependents {
            if let Some(n) = waits_for.get_mut(*dependent) {
                *n -= 1;
                if *n == 0 {
                    ready.insert(*dependent);
                }
            }
        }
    }
    match entries.iter().zip(&waits_for).find(|(_, n)| **n > 0) {
        Some((entry, _)) => Err(FormError::Circle(entry.item.id.clone())),
        None => Ok(settling),
    }
}

/// Every item that a `when` looks at; a test of the person looks at the intake item that answers it.
fn collect(when: &Condition, found: &mut impl FnMut(&str)) {
    match when {
        Condition::Yes(item) | Condition::No(item) | Condition::Answered(item) => found(item.as_str()),
        Condition::Has { item, .. } | Condition::Number { item, .. } => found(item.as_str()),
        Condition::Child => found(intake::AGE),
        Condition::Person(test) => found(match test {
            PersonTest::Foreign => intake::FOREIGN,
            PersonTest::Unaccompanied => intake::UNACCOMPANIED,
            PersonTest::OffenceSuspected => intake::OFFENCE,
            PersonTest::ChildrenAlong => intake::CHILDREN,
            PersonTest::Female | PersonTest::Male => intake::SEX,
        }),
        _ => {}
    }
    when.parts().iter().for_each(|part| collect(part, found));
}

fn check_rule(rule: &Rule) -> Result<(), FormError> {
    match rule.outcome {
        Outcome::NoneNotedToday => Err(FormError::GivesNoneNoted(rule.id.clone())),
        Outcome::Presumed if undone_by_sign(&rule.when, false) => {
            Err(FormError::UndoneBySign(rule.id.clone()))
        }
        _ => Ok(()),
    }
}

/// Whether one more indicator could turn the condition from yes to no.
pub(crate) fn undone_by_sign(when: &Condition, under_not: bool) -> bool {
    match when {
        Condition::Indicator(_) | Condition::Noted(_) | Condition::NotedAny | Condition::Positive(_) => {
            under_not
        }
        Condition::Not(part) => undone_by_sign(part, !under_not),
        _ => when.parts().iter().any(|part| undone_by_sign(part, under_not)),
    }
}
