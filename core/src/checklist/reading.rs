//! What the answers say, item by item: which items apply, and what each shows.
//!
//! Owns the meaning of "does not apply" and the two ways to read doubt. Never decides what is offered next
//! (the walk) nor what the signs mean together (the assessment).

use std::collections::BTreeSet;

use amparo_schema::answer::{AgeRange, Answer, Unknown, Value};
use amparo_schema::condition::Truth;
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::ItemKind;
use amparo_schema::person::Person;

use super::form::{Entry, Form};
use crate::answers::Answers;
use crate::condition::{View, evaluate};
use crate::person;

/// How doubt is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// As the formats decide it for the person: who may be a child is one, what is possible counts, an item
    /// that may apply is offered and its answer counts.
    Decided,
    /// Not decided at all: whatever further answers could still change is unknown. What is yes or no in
    /// this reading stays so under every completion of the answers.
    Kept,
}

/// The answers of a form with all that follows for each item. A pure function of form, answers and doubt,
/// whether built at once or answer by answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    doubt: Doubt,
    answers: Vec<Option<Answer>>,
    applies: Vec<Truth>,
    /// The answers to the reserved intake items, as they count.
    of_person: Answers,
    person: Person,
}

impl Reading {
    /// Reads all answers. Those to items that the form does not have are left out.
    pub(crate) fn new(form: &Form, answers: &Answers, doubt: Doubt) -> Self {
        let mut reading = Self {
            doubt,
            answers: form.items().map(|item| answers.get(&item.id).cloned()).collect(),
            applies: vec![Truth::Yes; form.len()],
            of_person: Answers::default(),
            person: Person::default(),
        };
        for at in form.settling() {
            reading.resettle(form, *at);
            reading.tell_person(form, *at);
        }
        reading
    }

    /// Puts one answer and settles the items that look at it, and those only. Returns the positions of which
    /// it changed whether they apply.
    pub(super) fn set(&mut self, form: &Form, at: usize, answer: Answer) -> Vec<usize> {
        let Some(slot) = self.answers.get_mut(at) else { return Vec::new() };
        *slot = Some(answer);
        self.tell_person(form, at);
        let (mut due, mut changed) = (BTreeSet::new(), Vec::new());
        let entries = |at: usize| form.entry(at).map_or(&[][..], |entry| &entry.dependents);
        let ranked = |at: &usize| form.entry(*at).map(|entry| (entry.rank, *at));
        due.extend(entries(at).iter().filter_map(ranked));
        // By rank: each item is settled once, after everything that it looks at.
        while let Some((_, next)) = due.pop_first() {
            if self.resettle(form, next) {
                self.tell_person(form, next);
                changed.push(next);
                due.extend(entries(next).iter().filter_map(ranked));
            }
        }
        changed
    }

    /// Looks again at whether an item applies; says whether that changed.
    fn resettle(&mut self, form: &Form, at: usize) -> bool {
        let Some(when) = form.entry(at).and_then(|entry| entry.item.when.as_ref()) else { return false };
        let now = evaluate(when, &self.view(form));
        match self.applies.get_mut(at) {
            Some(before) if *before != now => {
                *before = now;
                true
            }
            _ => false,
        }
    }

    /// Derives the person again when the item is one of those that say who the person is.
    fn tell_person(&mut self, form: &Form, at: usize) {
        let Some(entry) = form.entry(at).filter(|entry| entry.of_person) else { return };
        let counts = self.counts(entry, at).unwrap_or(Answer::Unknown(Unknown::NotAsked));
        self.of_person.set(entry.item.id.clone(), counts);
        self.person = person::derive(&self.of_person);
    }

    /// The answer as it counts: an item that does not apply says no.
    fn counts(&self, entry: &Entry, at: usize) -> Option<Answer> {
        let no = || match entry.item.kind {
            ItemKind::YesNo => Some(Answer::Known(Value::No)),
            ItemKind::Choices(_) => Some(Answer::Known(Value::Choices(BTreeSet::new()))),
            _ => None,
        };
        let given = self.answer(at).cloned();
        match (self.applies(at), self.doubt) {
            (Truth::No, _) => no(),
            // Either what was answered, or no: certain only where both say the same.
            (Truth::Unknown, Doubt::Kept) => given.filter(|given| no().as_ref() == Some(given)),
            _ => given,
        }
    }

    /// The last answer to the item at a position.
    pub(crate) fn answer(&self, at: usize) -> Option<&Answer> {
        self.answers.get(at).and_then(Option::as_ref)
    }

    /// The last answer to an item.
    pub(crate) fn answer_to(&self, form: &Form, item: &Name) -> Option<&Answer> {
        form.at(item).and_then(|at| self.answer(at))
    }

    /// Whether the item at a position applies.
    pub(crate) fn applies(&self, at: usize) -> Truth {
        self.applies.get(at).copied().unwrap_or(Truth::No)
    }

    /// The person, as far as the answers say.
    pub(crate) fn person(&self) -> &Person {
        &self.person
    }

    /// The reading as conditions look at it.
    pub(crate) fn view<'a>(&'a self, form: &'a Form) -> ItemView<'a> {
        ItemView { form, reading: self }
    }
}

/// What conditions see of a reading: items and the person. An item that does not apply counts as "no".
#[derive(Clone, Copy)]
pub(crate) struct ItemView<'a> {
    form: &'a Form,
    reading: &'a Reading,
}

impl ItemView<'_> {
    /// What a test says of an item: no where it does not apply, unknown where nothing is known.
    fn test(&self, item: &Name, test: impl FnOnce(&Value) -> Option<bool>) -> Truth {
        let Some(at) = self.form.at(item) else { return Truth::Unknown };
        let shown = match self.reading.answer(at) {
            Some(Answer::Known(value)) => Truth::from(test(value)),
            _ => Truth::Unknown,
        };
        match (self.reading.applies(at), self.reading.doubt) {
            (Truth::No, _) => Truth::No,
            (Truth::Unknown, Doubt::Kept) => shown.min(Truth::Unknown),
            _ => shown,
        }
    }

    /// Answered no, where the item applies. Unlike "counts as no", this is something that was seen or said.
    pub(crate) fn said_no(&self, item: &Name) -> Truth {
        self.test(item, |value| match value {
            Value::No => Some(true),
            Value::Yes => Some(false),
            _ => None,
        })
    }
}

impl View for ItemView<'_> {
    fn yes(&self, item: &Name) -> Truth {
        self.test(item, |value| match value {
            Value::Yes => Some(true),
            Value::No => Some(false),
            _ => None,
        })
    }

    fn has(&self, item: &Name, option: &Name) -> Truth {
        self.test(item, |value| match value {
            Value::Choice(chosen) => Some(chosen == option),
            Value::Choices(chosen) => Some(chosen.contains(option)),
            _ => None,
        })
    }

    fn within(&self, item: &Name, min: Option<i64>, max: Option<i64>) -> Truth {
        self.test(item, |value| match value {
            Value::Number(n) => Some(min.is_none_or(|min| *n >= min) && max.is_none_or(|max| *n <= max)),
            _ => None,
        })
    }

    fn answered(&self, item: &Name) -> Truth {
        match (self.test(item, |_| Some(true)), self.reading.doubt) {
            (Truth::Unknown, Doubt::Decided) => Truth::No,
            (known, _) => known,
        }
    }

    fn person(&self) -> Option<&Person> {
        Some(&self.reading.person)
    }

    fn child(&self) -> Truth {
        match (self.reading.doubt, self.reading.person.age) {
            (Doubt::Decided, _) => self.reading.person.is_child().into(),
            (Doubt::Kept, None) => Truth::Unknown,
            (Doubt::Kept, Some(AgeRange { from, to })) if from < 18 && to >= 18 => Truth::Unknown,
            (Doubt::Kept, Some(age)) => age.is_child().into(),
        }
    }

    fn possible(&self, part: Truth) -> Truth {
        match self.reading.doubt {
            Doubt::Decided => (part != Truth::No).into(),
            Doubt::Kept => part,
        }
    }
}
