//! A walk: what is offered next, what came before, how far along.
//!
//! Holds no cursor: everything follows from the answers, so a walk that is built again after a crash stands
//! where it stood. One answer costs what its dependents cost, not what the form costs.

use std::sync::Arc;

use amparo_schema::answer::Answer;
use amparo_schema::condition::Truth;
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::Item;
use amparo_schema::person::Person;

use super::accept::AnswerError;
use super::form::Form;
use super::marks::Marks;
use super::reading::{Doubt, Reading};
use crate::answers::Answers;

/// Whether the safe-interview gate has been passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Not yet: nothing is asked.
    Ahead,
    /// Passed.
    Passed,
}

/// Where a walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// This item is offered.
    Item(&'a Item),
    /// The gate is to be passed before anything is asked. Only said when there is something to ask.
    Gate,
    /// Nothing is left to offer.
    End,
}

/// Item `number` of `of` that apply now; from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The place among the items that apply.
    pub number: usize,
    /// How many apply.
    pub of: usize,
}

/// A walk through a form, held in memory while a screening is open.
///
/// An item is offered while it may apply (its `when` is yes or unknown) and has no answer. Unknown with any
/// reason is an answer: an item that was skipped is not offered again, and can still be answered by its id.
/// An item whose `when` became no after it was answered is ignored and counts as "no"; its answer stays, and
/// counts again if the item applies again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    form: Arc<Form>,
    reading: Reading,
    /// Items that apply or may.
    applicable: Marks,
    /// Of those, the ones without any answer.
    open: Marks,
}

impl Walk {
    /// Builds the walk from the last answers, in time linear in the form. Answers to items that the form
    /// does not have are left out; answers that came from this form's packs were accepted when they were given.
    #[must_use]
    pub fn new(form: Arc<Form>, answers: &Answers) -> Self {
        let reading = Reading::new(&form, answers, Doubt::Decided);
        let mut walk =
            Self { applicable: Marks::none(form.len()), open: Marks::none(form.len()), form, reading };
        (0..walk.form.len()).for_each(|at| walk.mark(at));
        walk
    }

    /// Takes an answer, also to an item that does not apply now (it is kept and does not count). Touches the
    /// items whose `when` looks at this one, directly or through others, and no more.
    ///
    /// # Errors
    /// [`AnswerError`] when the answer does not fit the item; nothing has changed then.
    pub fn set(&mut self, item: &Name, answer: Answer) -> Result<(), AnswerError> {
        self.form.accept(item, &answer)?;
        let at = self.form.at(item).ok_or_else(|| AnswerError::NoSuchItem(item.clone()))?;
        let changed = self.reading.set(&self.form, at, answer);
        self.mark(at);
        changed.into_iter().for_each(|at| self.mark(at));
        Ok(())
    }

    fn mark(&mut self, at: usize) {
        let applies = self.reading.applies(at) != Truth::No;
        self.applicable.put(at, applies);
        self.open.put(at, applies && self.reading.answer(at).is_none());
    }

    /// What is offered next: the first item of the form that may apply and has no answer, the gate when that
    /// item is asked and the gate is ahead, or the end.
    #[must_use]
    pub fn next(&self, gate: Gate) -> Next<'_> {
        match self.open.first() {
            Some(at) if at >= self.form.gate() && gate == Gate::Ahead => Next::Gate,
            Some(at) => self.form.entry(at).map_or(Next::End, |entry| Next::Item(&entry.item)),
            None => Next::End,
        }
    }

    /// The item before: the nearest earlier one in the form that applies. From the gate, the last one that is
    /// seen; from the end, the last one of all. `None` at the beginning.
    #[must_use]
    pub fn back(&self, from: Next<'_>) -> Option<&Item> {
        let end = match from {
            Next::Item(item) => self.form.at(&item.id)?,
            Next::Gate => self.form.gate(),
            Next::End => self.form.len(),
        };
        let at = self.applicable.last_below(end)?;
        self.form.entry(at).map(|entry| &entry.item)
    }

    /// Where an item stands among those that apply; `None` for one that does not.
    #[must_use]
    pub fn position(&self, item: &Name) -> Option<Position> {
        let at = self.form.at(item).filter(|at| self.reading.applies(*at) != Truth::No)?;
        let of = self.applicable.count_below(self.form.len());
        Some(Position { number: self.applicable.count_below(at) + 1, of })
    }

    /// Whether an item applies: no, unknown (and therefore offered), or yes. `None` for one that the form
    /// does not have.
    #[must_use]
    pub fn applies(&self, item: &Name) -> Option<Truth> {
        self.form.at(item).map(|at| self.reading.applies(at))
    }

    /// The last answer to an item, whether it counts now or not.
    #[must_use]
    pub fn answer(&self, item: &Name) -> Option<&Answer> {
        self.form.at(item).and_then(|at| self.reading.answer(at))
    }

    /// All last answers, for the assessment. Linear in the form.
    #[must_use]
    pub fn answers(&self) -> Answers {
        let answers = (0..self.form.len()).map(|at| self.reading.answer(at).cloned());
        self.form.items().zip(answers).filter_map(|(item, answer)| Some((item.id.clone(), answer?))).collect()
    }

    /// The person, as far as the intake says.
    #[must_use]
    pub fn person(&self) -> &Person {
        self.reading.person()
    }

    /// The form that is walked.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }
}
