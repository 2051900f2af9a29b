//! What the person agreed to, from all devices together.
//!
//! The most restrictive act wins: a refusal or withdrawal stands until a consent to the same that comes after
//! it in the same chain, because only there is it certain that whoever asked again knew of it. While the
//! consent that a withdrawal names is not here, it may be any, and nothing counts as agreed. So no fact but a
//! consent ever widens what may be done.

use std::collections::BTreeSet;

use amparo_schema::fact::{Body, Compartment, Consent, ConsentBy, Scope};
use amparo_schema::name::Name;
use amparo_schema::pack::policy::Purpose;
use serde::Serialize;

use super::known::{Known, heads};
use super::{Author, Reading};

/// Consents of a case or of a screening.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Consents {
    /// By purpose and receiver; what was never asked is not here.
    pub all: Vec<ConsentView>,
    /// Withdrawals whose consent is not here. While there is one, nothing counts as agreed.
    pub pending: u64,
    /// Facts about consent that are newer than this reader. While there is one, nothing counts as agreed.
    pub newer: u64,
    /// Recorded exceptions by law, by purpose: shown, and never counted as a consent here.
    pub waived: Vec<(Purpose, Author)>,
}

/// Where one consent stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsentView {
    /// What for.
    pub purpose: Purpose,
    /// The service that may receive; none for no particular one.
    pub receiver: Option<Name>,
    /// Where it stands.
    pub standing: Standing,
    /// What may be shared: what every last word of every chain agrees on.
    pub scope: BTreeSet<Scope>,
    /// Who consented, each once.
    pub by: Vec<ConsentBy>,
    /// When it lapses, milliseconds since 1970; the earliest term.
    pub expires_ms: Option<i64>,
    /// Who recorded the acts that stand.
    pub authors: Vec<Author>,
}

/// Where a consent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The person agreed.
    Given,
    /// The person agreed, but there is something newer about consent that this reader does not understand, or
    /// a withdrawal of which it is not known what it takes back.
    Unclear,
    /// The person said no.
    Refused,
    /// The person took it back.
    Withdrawn,
}

impl Consents {
    /// Whether this may be done at `now_ms`. What was not asked may not.
    #[must_use]
    pub fn allows(&self, purpose: Purpose, receiver: Option<&Name>, now_ms: i64) -> bool {
        self.all.iter().any(|c| {
            c.purpose == purpose
                && c.receiver.as_ref() == receiver
                && c.standing == Standing::Given
                && !c.has_lapsed(now_ms)
        })
    }

    /// Whether anything speaks against it, for one of the reader's services or for all; with no services, for
    /// any: the person said no or took it back, every consent to it has lapsed, or something about consent is
    /// not clear. A consent that was not disclosed speaks neither way.
    pub(super) fn forbids(&self, purpose: Purpose, reading: &Reading<'_>) -> bool {
        let meant = || self.meant(purpose, reading);
        self.newer > 0
            || self.pending > 0
            || meant().any(|c| c.standing != Standing::Given)
            || (meant().next().is_some() && meant().all(|c| c.has_lapsed(reading.now_ms)))
    }

    /// Whether the reader may read no longer what was said in the screening that these are of: it answers for
    /// services, consents to share with one of them were disclosed or refused, and all of these have lapsed or
    /// were taken back. A phone that is lost never sends a withdrawal. Whoever answers for no service keeps the
    /// records by its office and rests on no consent to share (`core/src/recipient.rs`).
    pub(super) fn ended(&self, reading: &Reading<'_>) -> bool {
        let meant = || self.meant(Purpose::ShareService, reading);
        let said_no = |s| matches!(s, Standing::Refused | Standing::Withdrawn);
        let over = |c: &ConsentView| said_no(c.standing) || c.has_lapsed(reading.now_ms);
        !reading.services.is_empty() && meant().next().is_some() && meant().all(over)
    }

    /// Consents to this with one of the reader's services or with all; for a reader without services, with any.
    fn meant<'a>(
        &'a self,
        purpose: Purpose,
        reading: &'a Reading<'_>,
    ) -> impl Iterator<Item = &'a ConsentView> {
        let ours = |r: &Name| reading.services.is_empty() || reading.services.contains(r);
        self.all.iter().filter(move |c| c.purpose == purpose && c.receiver.as_ref().is_none_or(ours))
    }
}

impl ConsentView {
    fn has_lapsed(&self, now_ms: i64) -> bool {
        self.expires_ms.is_some_and(|at| at <= now_ms)
    }
}

/// One act that takes something away.
struct No<'a> {
    fact: &'a Known,
    purpose: Purpose,
    /// None for every receiver.
    receiver: Option<&'a Name>,
    standing: Standing,
}

/// The consents that these facts show. Hidden facts give nothing, but what they take away stays away.
pub(super) fn consents(facts: &[&Known]) -> Consents {
    let mut given = Vec::new();
    let mut out = Consents::default();
    for fact in facts.iter().filter(|fact| fact.compartment == Compartment::Consent) {
        match fact.fact.as_ref().map(|f| &f.body) {
            None => out.newer += 1,
            Some(Body::ConsentGiven(consent)) => given.push((*fact, consent)),
            Some(Body::ConsentWaived { purpose, .. }) => out.waived.push((*purpose, fact.author())),
            Some(_) => {}
        }
    }
    let mut taken = Vec::new();
    for fact in facts {
        out.pending += u64::from(!take_away(fact, &given, &mut taken));
    }
    let keys: BTreeSet<(Purpose, Option<&Name>)> = given
        .iter()
        .map(|(_, c)| (c.purpose, c.receiver.as_ref()))
        .chain(taken.iter().map(|no| (no.purpose, no.receiver)))
        .collect();
    let yes: Vec<_> = given.iter().filter(|(fact, _)| !fact.hidden).copied().collect();
    out.all = keys
        .into_iter()
        .filter_map(|key| stands(key, &yes, &taken, out.newer > 0 || out.pending > 0))
        .collect();
    out
}

/// Adds what this fact takes away; false for a withdrawal whose consent is not here.
fn take_away<'a>(fact: &'a Known, given: &[(&'a Known, &'a Consent)], taken: &mut Vec<No<'a>>) -> bool {
    match fact.fact.as_ref().map(|f| &f.body) {
        Some(Body::ConsentRefused { purpose, receiver, .. }) => {
            let no = No { fact, purpose: *purpose, receiver: receiver.as_ref(), standing: Standing::Refused };
            taken.push(no);
            true
        }
        Some(Body::ConsentWithdrawn { consent }) => {
            // Of a phone that was set back, every consent with this counter is meant: the restrictive reading.
            let meant = given.iter().filter(|(g, _)| g.device == fact.device && g.counter == *consent);
            let before = taken.len();
            taken.extend(meant.map(|(_, c)| {
                let receiver = c.receiver.as_ref();
                No { fact, purpose: c.purpose, receiver, standing: Standing::Withdrawn }
            }));
            taken.len() > before
        }
        _ => true,
    }
}

fn stands(
    (purpose, receiver): (Purpose, Option<&Name>),
    given: &[(&Known, &Consent)],
    taken: &[No<'_>],
    unclear: bool,
) -> Option<ConsentView> {
    let to_this = |c: &Consent| c.purpose == purpose && c.receiver.as_ref() == receiver;
    let yes: Vec<_> = given.iter().filter(|(_, c)| to_this(c)).copied().collect();
    let standing_no: Vec<&No<'_>> = taken
        .iter()
        .filter(|no| no.purpose == purpose && (no.receiver.is_none() || no.receiver == receiver))
        .filter(|no| !yes.iter().any(|(g, _)| no.fact.precedes(g)))
        .collect();
    let view = |standing, authors| ConsentView {
        purpose,
        receiver: receiver.cloned(),
        standing,
        scope: BTreeSet::new(),
        by: Vec::new(),
        expires_ms: None,
        authors,
    };
    if let Some(standing) = standing_no.iter().map(|no| no.standing).max() {
        let authors: BTreeSet<Author> = standing_no.iter().map(|no| no.fact.author()).collect();
        return Some(view(standing, authors.into_iter().collect()));
    }
    let facts: Vec<&Known> = yes.iter().map(|(fact, _)| *fact).collect();
    let last = heads(&facts);
    let words: Vec<&Consent> = last.iter().filter_map(|fact| consent_of(fact)).collect();
    let mut scopes = words.iter().map(|c| c.scope.clone());
    let scope = scopes.next()?;
    let standing = if unclear { Standing::Unclear } else { Standing::Given };
    let mut by = Vec::new();
    for word in &words {
        if !by.contains(&word.by) {
            by.push(word.by);
        }
    }
    Some(ConsentView {
        scope: scopes.fold(scope, |both, one| both.intersection(&one).copied().collect()),
        by,
        expires_ms: words.iter().filter_map(|c| c.expires_ms).min(),
        ..view(standing, last.iter().map(|fact| fact.author()).collect())
    })
}

fn consent_of(known: &Known) -> Option<&Consent> {
    match &known.fact.as_ref()?.body {
        Body::ConsentGiven(consent) => Some(consent),
        _ => None,
    }
}
