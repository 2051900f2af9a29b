//! What the facts say: cases as people read them, and as a console will.
//!
//! Every view is a pure function of the set of facts (and of the letters that this desk wrote): any order of
//! coming gives the same. Where facts disagree all sides are shown, each with who, when and where; where one
//! answer is needed the higher risk and the most restrictive consent win. What was withdrawn, or may be read no
//! longer, is counted and not shown. Holds no words about the person but those that facts hold.

mod consent;
mod known;
mod referral;
mod screening;
#[cfg(test)]
mod tests;
mod time;

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::answer::Answer;
use amparo_schema::fact::{Body, Compartment, IdentityField};
use amparo_schema::id::{CaseId, DeviceId, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::person::Place;
use serde::Serialize;

pub use consent::{ConsentView, Consents, Standing};
pub use referral::{MoveView, ReferralView, Who};
pub use screening::{ScreeningView, StepView};
pub use time::{TimeQuality, When};

use crate::desk::store::{Row, Sent};
use known::{Known, merge};
use time::Clocks;

/// One person's case, as far as this desk may read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseView {
    /// The case.
    pub case: CaseId,
    /// Its random codes for the records. More than one says that two devices opened it.
    pub codes: BTreeSet<String>,
    /// Its screenings. Two screenings of one person both stand.
    pub screenings: Vec<ScreeningView>,
    /// Every class that any screening gave: the higher risk wins.
    pub outcomes: BTreeSet<Outcome>,
    /// Consents of all screenings together.
    pub consents: Consents,
    /// Where facts disagree.
    pub contradictions: Vec<Contradiction>,
    /// Referrals.
    pub referrals: Vec<ReferralView>,
    /// Referrals that different services accepted: someone must coordinate.
    pub accepted_twice: BTreeSet<ReferralId>,
    /// Who the person is, where it was disclosed and nothing forbids to show it: the last that each chain says in
    /// each screening, because a name is corrected by writing it again.
    pub identity: Vec<IdentityEntry>,
    /// Words about who the person is that are not shown: the person said no or took it back, the consent has
    /// lapsed, or it is not clear whether it stands.
    pub identity_withheld: u64,
    /// Letters that this desk wrote, in the order of writing.
    pub letters: Vec<Sent>,
    /// Facts that were withdrawn, or that the consent to share them no longer covers.
    pub hidden: u64,
    /// Facts that are newer than this reader.
    pub newer: u64,
}

/// Who wrote a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Author {
    /// The device.
    pub device: DeviceId,
    /// The agency of the device.
    pub agency: Name,
    /// The incarnation of its store; the lowest, where several sealed it.
    pub incarnation: u64,
    /// The counter of the fact in that store.
    pub counter: u64,
}

/// Something said, with who, when and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side<T> {
    /// What.
    pub said: T,
    /// Who.
    pub author: Author,
    /// When.
    pub when: When,
    /// Where its screening took place.
    pub place: Option<Place>,
    /// In which screening.
    pub screening: Option<ScreeningId>,
}

/// Something on which facts disagree. None is struck out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contradiction {
    /// Different answers to one item.
    Item {
        /// The item.
        item: Name,
        /// The sides; unknown answers take none.
        sides: Vec<Side<Answer>>,
    },
    /// Different classes of outcome.
    Outcomes {
        /// The sides.
        sides: Vec<Side<BTreeSet<Outcome>>>,
    },
}

/// Something about who the person is. `Debug` shows which field, never the words.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct IdentityEntry {
    /// Which field.
    pub field: IdentityField,
    /// The words.
    pub value: String,
    /// Who wrote it.
    pub author: Author,
    /// In which screening.
    pub screening: Option<ScreeningId>,
}

impl std::fmt::Debug for IdentityEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityEntry").field("field", &self.field).finish_non_exhaustive()
    }
}

/// Facts about devices' stores, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// How many of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// Facts that are newer than this reader.
    pub newer: u64,
    /// Facts that were withdrawn.
    pub hidden: u64,
}

/// Who reads, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    /// The services that the reading agency answers for; none for one that reads by its office.
    pub(super) services: &'a BTreeSet<Name>,
    /// The desk's clock, milliseconds since 1970, by which consents lapse.
    pub(super) now_ms: i64,
}

/// The view of a case.
pub(super) fn case(case: CaseId, rows: &[Row], letters: &[Sent], reading: &Reading<'_>) -> CaseView {
    let facts = while_shared(merge(rows), reading);
    let clocks = Clocks::new(&facts);
    let all: Vec<&Known> = facts.iter().collect();
    let seen: Vec<&Known> = facts.iter().filter(|known| !known.hidden).collect();
    let consents = consent::consents(&all);
    let screenings = screening::screenings(&all, &clocks);
    let mut outcomes: BTreeSet<Outcome> =
        screenings.iter().flat_map(|s| s.outcomes.iter().copied()).collect();
    leave_out_none(&mut outcomes);
    let referrals = referral::referrals(&seen, letters, &clocks);
    let (identity, identity_withheld) = identity(&seen, consents.forbids(Purpose::ShareIdentity, reading));
    CaseView {
        case,
        codes: codes(&seen),
        contradictions: contradictions(&screenings),
        accepted_twice: referral::accepted_twice(&referrals),
        screenings,
        outcomes,
        consents,
        referrals,
        identity,
        identity_withheld,
        letters: letters.to_vec(),
        hidden: amount(facts.iter().filter(|known| known.hidden)),
        newer: amount(seen.iter().filter(|known| known.fact.is_none())),
    }
}

/// Hides what was said in each screening of which the reader may not read any more. Consents stay: they say why.
fn while_shared(mut facts: Vec<Known>, reading: &Reading<'_>) -> Vec<Known> {
    let mut by_id: BTreeMap<Option<ScreeningId>, Vec<&Known>> = BTreeMap::new();
    for known in &facts {
        by_id.entry(known.screening).or_default().push(known);
    }
    let ended = by_id.into_iter().filter(|(_, facts)| consent::consents(facts).ended(reading));
    let ended: BTreeSet<Option<ScreeningId>> = ended.map(|(id, _)| id).collect();
    for known in facts.iter_mut().filter(|known| ended.contains(&known.screening)) {
        known.hidden |= known.compartment != Compartment::Consent;
    }
    facts
}

/// Who the person is, where the law was used to share it without consent; empty where it was not. What was
/// withdrawn stays hidden.
pub(super) fn identity_by_law(rows: &[Row]) -> Vec<IdentityEntry> {
    let facts = merge(rows);
    let seen: Vec<&Known> = facts.iter().filter(|known| !known.hidden).collect();
    let waived =
        consent::consents(&seen).waived.iter().any(|(purpose, _)| *purpose == Purpose::ShareIdentity);
    identity(&seen, !waived).0
}

/// What facts of no case say.
pub(super) fn audit(rows: &[Row]) -> Audit {
    let facts = merge(rows);
    let mut kinds = BTreeMap::new();
    for fact in facts.iter().filter(|known| !known.hidden).filter_map(|known| known.fact.as_ref()) {
        *kinds.entry(fact.body.kind().to_owned()).or_default() += 1;
    }
    let newer = amount(facts.iter().filter(|known| !known.hidden && known.fact.is_none()));
    Audit { kinds, newer, hidden: amount(facts.iter().filter(|known| known.hidden)) }
}

/// "None noted" says nothing beside a class that was noted.
fn leave_out_none(outcomes: &mut BTreeSet<Outcome>) {
    if outcomes.len() > 1 {
        outcomes.remove(&Outcome::NoneNotedToday);
    }
}

fn codes(facts: &[&Known]) -> BTreeSet<String> {
    let code = |known: &&Known| match &known.fact.as_ref()?.body {
        Body::CaseOpened { code, .. } => Some(code.clone()),
        _ => None,
    };
    facts.iter().filter_map(code).collect()
}

/// The last words of each chain on each field, screening by screening, or how many these are.
fn identity(facts: &[&Known], forbidden: bool) -> (Vec<IdentityEntry>, u64) {
    let mut said: BTreeMap<_, Vec<&Known>> = BTreeMap::new();
    for known in facts.iter().filter(|known| known.compartment == Compartment::Identity) {
        if let Some(Body::IdentityGiven { field, .. }) = known.fact.as_ref().map(|fact| &fact.body) {
            said.entry((*field, known.screening)).or_default().push(known);
        }
    }
    let entry = |known: &Known| match &known.fact.as_ref()?.body {
        Body::IdentityGiven { field, value } => {
            let (field, value) = (*field, value.clone());
            Some(IdentityEntry { field, value, author: known.author(), screening: known.screening })
        }
        _ => None,
    };
    let entries: Vec<IdentityEntry> =
        said.values().flat_map(|facts| known::heads(facts)).filter_map(entry).collect();
    if forbidden { (Vec::new(), amount(entries.iter())) } else { (entries, 0) }
}

fn contradictions(screenings: &[ScreeningView]) -> Vec<Contradiction> {
    let mut items: BTreeMap<&Name, Vec<Side<Answer>>> = BTreeMap::new();
    for (item, sides) in screenings.iter().flat_map(|s| &s.answers) {
        let known = sides.iter().filter(|side| matches!(side.said, Answer::Known(_)));
        items.entry(item).or_default().extend(known.cloned());
    }
    let mut out: Vec<Contradiction> = items
        .into_iter()
        .filter(|(_, sides)| disagree(sides))
        .map(|(item, sides)| Contradiction::Item { item: item.clone(), sides })
        .collect();
    let sides: Vec<_> = screenings.iter().flat_map(|s| s.recorded.iter().cloned()).collect();
    if disagree(&sides) {
        out.push(Contradiction::Outcomes { sides });
    }
    out
}

fn disagree<T: PartialEq>(sides: &[Side<T>]) -> bool {
    sides.windows(2).any(|pair| matches!(pair, [a, b] if a.said != b.said))
}

fn amount(of: impl Iterator) -> u64 {
    u64::try_from(of.count()).unwrap_or(u64::MAX)
}
