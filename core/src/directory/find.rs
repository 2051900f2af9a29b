//! The match: the services to offer, in order, and why each nearer one is left out. Never an empty answer.

use amparo_schema::limits::RESULTS_MAX;
use amparo_schema::pack::directory::{Agency, AgencyKind, Channel, Service};
use amparo_schema::text::Text;
use serde::Serialize;

use super::fit::{Exclusion, Reason, Verdict, judge};
use super::hours::{Open, Zones};
use super::query::Query;
use super::rank::{Place, place};

/// How far the answer had to step down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Nothing that is known speaks against these services. Lines whose subject is another need stand last.
    Fits,
    /// Closed now; they would fit when they open.
    Closed,
    /// They serve another area, or cannot be called from abroad.
    Elsewhere,
    /// They take others or are full: ask them who takes this person.
    TakesOthers,
    /// The source names them and gives no number: nothing to dial.
    Named,
    /// No service: the national bodies.
    Agencies,
    /// Nothing for this country: the words of the policy.
    LastResort,
}

/// One service that is offered.
#[derive(Clone, Debug)]
pub struct Offer<'a> {
    /// The service. Reach it by `channels` only.
    pub service: &'a Service,
    /// The channels that may be used now, best first; empty on [`Rung::Named`].
    pub channels: Vec<&'a Channel>,
    /// Whether it answers now.
    pub open: Open,
    /// Why it fits and what to beware of.
    pub reasons: Vec<Reason>,
    /// What speaks against it on a rung below [`Rung::Fits`].
    pub despite: Vec<Exclusion>,
}

/// One service that is left out.
#[derive(Clone, Debug)]
pub struct Out<'a> {
    /// The service. Nothing of it may be dialled for this person now.
    pub service: &'a Service,
    /// Every reason.
    pub because: Vec<Exclusion>,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// The rung on which it stands.
    pub rung: Rung,
    /// Services, best first; all of one rung.
    pub offers: Vec<Offer<'a>>,
    /// Offers there were before the limit.
    pub offers_total: usize,
    /// Services of the country that are left out, in the order in which they would have ranked.
    pub out: Vec<Out<'a>>,
    /// Services left out before the limit.
    pub out_total: usize,
    /// National bodies, best first. Empty while something can be reached.
    pub agencies: Vec<&'a Agency>,
    /// The words of the policy. `None` while something can be reached.
    pub last_resort: Option<&'a Text>,
}

struct Judged<'a> {
    place: Place<'a>,
    service: &'a Service,
    verdict: Verdict<'a>,
}

/// Matches services to a query. Each service is judged once; memory is bounded by the limit, not by their number.
///
/// The answer stands on the first rung that holds anything; from [`Rung::Named`] downwards, where nothing can be
/// dialled, the national bodies and the last resort come with it.
#[must_use]
pub fn find<'a>(
    services: impl IntoIterator<Item = &'a Service>,
    agencies: impl IntoIterator<Item = &'a Agency>,
    query: &Query,
    zones: Option<&dyn Zones>,
    last_resort: &'a Text,
) -> Found<'a> {
    let limit = query.limit.clamp(1, RESULTS_MAX);
    let mut rungs: [(Rung, Top<'a>); 5] =
        [Rung::Fits, Rung::Closed, Rung::Elsewhere, Rung::TakesOthers, Rung::Named]
            .map(|rung| (rung, Top::new(limit)));
    let mut never = Top::new(limit);
    for service in services.into_iter().filter(|service| service.country == query.country) {
        let verdict = judge(service, query, zones);
        let rung = rung(&verdict.excluded);
        let judged = Judged { place: place(service, query, &verdict), service, verdict };
        match rungs.iter_mut().find(|(of, _)| Some(*of) == rung) {
            Some((_, top)) => top.push(judged),
            None => never.push(judged),
        }
    }
    let stands = rungs.iter().find(|(_, top)| top.total > 0).map(|(rung, _)| *rung);
    let mut offered = Top::new(limit);
    for (rung, top) in rungs {
        if Some(rung) == stands { offered = top } else { never.absorb(top) }
    }
    let dialable = stands.is_some_and(|rung| rung < Rung::Named);
    let mut bodies: Vec<&Agency> = Vec::new();
    if !dialable {
        bodies.extend(agencies.into_iter().filter(|agency| agency.country == query.country));
        bodies.sort_by_key(|agency| (need_of(agency.kind), &agency.id));
        bodies.truncate(limit);
    }
    let (offers_total, out_total) = (offered.total, never.total);
    let below = if bodies.is_empty() { Rung::LastResort } else { Rung::Agencies };
    Found {
        rung: stands.unwrap_or(below),
        offers: offered.sorted().into_iter().map(offer).collect(),
        offers_total,
        out: never.sorted().into_iter().map(out).collect(),
        out_total,
        agencies: bodies,
        last_resort: (!dialable).then_some(last_resort),
    }
}

/// The rung on which these reasons may be passed over; `None` when they never may. A service without a number that
/// takes others is not named to the person: a man is not sent looking for a women's shelter.
fn rung(excluded: &[Exclusion]) -> Option<Rung> {
    let mut lowest = Rung::Fits;
    for exclusion in excluded {
        let rung = match exclusion {
            Exclusion::ClosedNow { .. } => Rung::Closed,
            Exclusion::WrongArea | Exclusion::NotReachableFromAbroad => Rung::Elsewhere,
            Exclusion::TakesOthers(_) | Exclusion::Full { .. } => Rung::TakesOthers,
            Exclusion::NoContact => Rung::Named,
            Exclusion::OtherCountry
            | Exclusion::Superseded { .. }
            | Exclusion::Withheld
            | Exclusion::DoNotDialOnly
            | Exclusion::NoSafeChannel => return None,
        };
        let mixed =
            matches!((lowest, rung), (Rung::Named, Rung::TakesOthers) | (Rung::TakesOthers, Rung::Named));
        if mixed {
            return None;
        }
        lowest = lowest.max(rung);
    }
    Some(lowest)
}

/// Assistance first, then the body that co-ordinates it, then the authorities that prosecute.
fn need_of(kind: AgencyKind) -> u8 {
    match kind {
        AgencyKind::Assistance => 0,
        AgencyKind::Coordination => 1,
        AgencyKind::Police => 2,
        AgencyKind::Prosecution => 3,
        AgencyKind::Other => 4,
    }
}

fn offer(judged: Judged<'_>) -> Offer<'_> {
    let Verdict { excluded, reasons, channels, open } = judged.verdict;
    Offer { service: judged.service, channels, open, reasons, despite: excluded }
}

fn out(judged: Judged<'_>) -> Out<'_> {
    Out { service: judged.service, because: judged.verdict.excluded }
}

/// The best few of any number, without holding the rest.
struct Top<'a> {
    limit: usize,
    total: usize,
    kept: Vec<Judged<'a>>,
}

impl<'a> Top<'a> {
    fn new(limit: usize) -> Self {
        Self { limit, total: 0, kept: Vec::new() }
    }

    fn push(&mut self, judged: Judged<'a>) {
        self.total = self.total.saturating_add(1);
        self.kept.push(judged);
        if self.kept.len() >= self.limit.saturating_mul(2) {
            self.cut();
        }
    }

    fn absorb(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        self.kept.extend(other.kept);
        self.cut();
    }

    fn cut(&mut self) {
        self.kept.sort_by(|a, b| a.place.cmp(&b.place));
        self.kept.truncate(self.limit);
    }

    fn sorted(mut self) -> Vec<Judged<'a>> {
        self.cut();
        self.kept
    }
}

#[cfg(test)]
mod tests;
