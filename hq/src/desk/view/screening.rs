//! One screening.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::answer::{AgeRange, Answer, Value};
use amparo_schema::fact::{Body, Packs, StepState, StopReason};
use amparo_schema::id::ScreeningId;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::policy::intake;
use amparo_schema::person::{Exploitation, Person, Place, Sex};
use amparo_schema::text::Lang;
use serde::Serialize;

use super::consent::{Consents, consents};
use super::known::{Known, heads};
use super::time::{Clocks, When};
use super::{Side, amount, leave_out_none};

/// One screening, as far as the desk may read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScreeningView {
    /// The screening.
    pub screening: ScreeningId,
    /// Where, when, by whom, on which packs it was opened; empty when that was not disclosed.
    pub opened: Vec<Side<Packs>>,
    /// Every class that was ever recorded for it: the higher risk wins.
    pub outcomes: BTreeSet<Outcome>,
    /// The classes as each chain recorded them last.
    pub recorded: Vec<Side<BTreeSet<Outcome>>>,
    /// The person, as the intake answers show; where they disagree, the more protective reading.
    pub person: Person,
    /// The last answer of each chain to each item.
    pub answers: BTreeMap<Name, Vec<Side<Answer>>>,
    /// What became of each step, as each chain logged it last.
    pub steps: Vec<StepView>,
    /// Why it was stopped, if it was.
    pub stopped: Vec<Side<StopReason>>,
    /// Whether it was closed.
    pub closed: bool,
    /// Its consents.
    pub consents: Consents,
    /// Facts that were withdrawn, or that the consent to share them no longer covers.
    pub hidden: u64,
}

/// One step of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepView {
    /// The step.
    pub step: Name,
    /// What became of it.
    pub sides: Vec<Side<StepState>>,
}

impl ScreeningView {
    /// Whether nothing of what was said in it is shown.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.opened.is_empty() && self.hidden > 0
    }

    /// When it was opened; none when that is not known at all.
    #[must_use]
    pub fn when(&self) -> Option<&When> {
        self.opened.iter().map(|side| &side.when).min()
    }

    /// Where it took place, unless devices disagree.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        let mut places = self.opened.iter().filter_map(|side| side.place.as_ref());
        let place = places.next()?;
        places.all(|other| other == place).then_some(place)
    }
}

/// The screenings of these facts, by id.
pub(super) fn screenings(facts: &[&Known], clocks: &Clocks) -> Vec<ScreeningView> {
    let mut by_id: BTreeMap<ScreeningId, Vec<&Known>> = BTreeMap::new();
    for known in facts {
        if let Some(id) = known.screening {
            by_id.entry(id).or_default().push(known);
        }
    }
    by_id.into_iter().map(|(id, facts)| screening(id, &facts, clocks)).collect()
}

fn screening(id: ScreeningId, all: &[&Known], clocks: &Clocks) -> ScreeningView {
    let seen: Vec<&Known> = all.iter().filter(|known| !known.hidden).copied().collect();
    let sides = Sides { id, clocks, places: places(&seen) };
    let answers: BTreeMap<Name, Vec<Side<Answer>>> = grouped(&seen, answered)
        .into_iter()
        .map(|(item, facts)| (item, sides.of(&heads(&facts), |body| answered(body).map(|(_, a)| a.clone()))))
        .collect();
    let steps = grouped(&seen, logged);
    let step = |(step, facts): (Name, Vec<&Known>)| {
        let sides = sides.of(&heads(&facts), |body| logged(body).map(|(_, state)| state.clone()));
        StepView { step, sides }
    };
    let outcome_facts: Vec<&Known> =
        seen.iter().filter(|k| body(k).and_then(classes).is_some()).copied().collect();
    let mut outcomes: BTreeSet<Outcome> =
        outcome_facts.iter().filter_map(|k| body(k).and_then(classes)).flatten().collect();
    leave_out_none(&mut outcomes);
    ScreeningView {
        screening: id,
        opened: sides.of(&seen, |body| match body {
            Body::ScreeningOpened { packs, .. } => Some(packs.clone()),
            _ => None,
        }),
        outcomes,
        recorded: sides.of(&heads(&outcome_facts), classes),
        person: person(&answers),
        answers,
        steps: steps.into_iter().map(step).collect(),
        stopped: sides.of(&seen, |body| match body {
            Body::Stopped { reason } => Some(*reason),
            _ => None,
        }),
        closed: seen.iter().any(|known| matches!(body(known), Some(Body::Closed { .. }))),
        consents: consents(all),
        hidden: amount(all.iter().filter(|known| known.hidden)),
    }
}

/// What turns facts of one screening into sides.
struct Sides<'a> {
    id: ScreeningId,
    clocks: &'a Clocks,
    places: Vec<(&'a Known, &'a Place)>,
}

impl Sides<'_> {
    fn of<T>(&self, facts: &[&Known], said: impl Fn(&Body) -> Option<T>) -> Vec<Side<T>> {
        let side = |known: &&Known| {
            let fact = known.fact.as_ref()?;
            Some(Side {
                said: said(&fact.body)?,
                author: known.author(),
                when: self.clocks.when(known, &fact.at),
                place: self.place(known).cloned(),
                screening: Some(self.id),
            })
        };
        facts.iter().filter_map(side).collect()
    }

    /// The place that the same device named, or else the first that any did.
    fn place(&self, known: &Known) -> Option<&Place> {
        let own = self.places.iter().find(|(opening, _)| opening.device == known.device);
        own.or_else(|| self.places.first()).map(|(_, place)| *place)
    }
}

fn places<'a>(facts: &[&'a Known]) -> Vec<(&'a Known, &'a Place)> {
    let place = |known: &&'a Known| match body(known) {
        Some(Body::ScreeningOpened { place, .. }) => Some((*known, place)),
        _ => None,
    };
    facts.iter().filter_map(place).collect()
}

fn body(known: &Known) -> Option<&Body> {
    known.fact.as_ref().map(|fact| &fact.body)
}

fn answered(body: &Body) -> Option<(&Name, &Answer)> {
    match body {
        Body::Answered { item, answer, .. } => Some((item, answer)),
        _ => None,
    }
}

fn logged(body: &Body) -> Option<(&Name, &StepState)> {
    match body {
        Body::StepLogged { step, state } => Some((step, state)),
        _ => None,
    }
}

fn classes(body: &Body) -> Option<BTreeSet<Outcome>> {
    match body {
        Body::OutcomeRecorded { outcomes, .. } | Body::Closed { outcomes, .. } => {
            Some(outcomes.iter().copied().collect())
        }
        _ => None,
    }
}

/// Facts of one kind by what they are about.
fn grouped<'a, T>(
    facts: &[&'a Known],
    about: impl Fn(&'a Body) -> Option<(&'a Name, T)>,
) -> BTreeMap<Name, Vec<&'a Known>> {
    let mut out: BTreeMap<Name, Vec<&Known>> = BTreeMap::new();
    for known in facts {
        if let Some((name, _)) = body(known).and_then(&about) {
            out.entry(name.clone()).or_default().push(known);
        }
    }
    out
}

/// The person of these answers. Chains that disagree leave a part unknown; an age spans what all of them
/// allow, so that a person who may be a child stays one; forms of exploitation add up.
fn person(answers: &BTreeMap<Name, Vec<Side<Answer>>>) -> Person {
    let values = |item: &str| {
        let sides = answers.get(item).map(Vec::as_slice).unwrap_or_default();
        sides.iter().filter_map(|side| match &side.said {
            Answer::Known(value) => Some(value),
            Answer::Unknown(_) => None,
        })
    };
    let ages = values(intake::AGE).filter_map(|value| match value {
        Value::Age(range) if range.is_valid() => Some(*range),
        _ => None,
    });
    let chosen = |item| {
        values(item).filter_map(|value| match value {
            Value::Choices(options) => Some(options.iter()),
            _ => None,
        })
    };
    Person {
        age: ages.reduce(|a, b| AgeRange { from: a.from.min(b.from), to: a.to.max(b.to) }),
        sex: agreed(values(intake::SEX).map(sex)),
        languages: chosen(intake::LANGUAGES).flatten().filter_map(|o| Lang::new(o.as_str()).ok()).collect(),
        children_along: agreed(values(intake::CHILDREN).map(|value| match value {
            Value::Number(n) => u8::try_from(*n).ok(),
            _ => None,
        })),
        unaccompanied: agreed(values(intake::UNACCOMPANIED).map(yes)),
        foreign: agreed(values(intake::FOREIGN).map(yes)),
        offence_suspected: agreed(values(intake::OFFENCE).map(yes)),
        exploitation: chosen(intake::EXPLOITATION).flatten().filter_map(exploitation).collect(),
    }
}

fn agreed<T: PartialEq>(mut said: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = said.next()??;
    said.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

fn yes(value: &Value) -> Option<bool> {
    match value {
        Value::Yes => Some(true),
        Value::No => Some(false),
        _ => None,
    }
}

fn sex(value: &Value) -> Option<Sex> {
    let Value::Choice(option) = value else { return None };
    match option.as_str() {
        "female" => Some(Sex::Female),
        "male" => Some(Sex::Male),
        "other" => Some(Sex::Other),
        _ => None,
    }
}

fn exploitation(option: &Name) -> Option<Exploitation> {
    match option.as_str() {
        "labour" => Some(Exploitation::Labour),
        "sexual" => Some(Exploitation::Sexual),
        "domestic" => Some(Exploitation::Domestic),
        "begging" => Some(Exploitation::Begging),
        "offences" => Some(Exploitation::Offences),
        "marriage" => Some(Exploitation::Marriage),
        "organs" => Some(Exploitation::Organs),
        "other" => Some(Exploitation::Other),
        _ => None,
    }
}
