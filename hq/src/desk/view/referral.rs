//! Referrals: where each stands, and who answered.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::fact::{Body, ContactCopy, ReferralState};
use amparo_schema::id::{DeviceId, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use serde::Serialize;

use super::Author;
use super::known::{Known, heads};
use super::time::{Clocks, When};
use crate::desk::store::Sent;

/// One referral.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReferralView {
    /// The referral.
    pub referral: ReferralId,
    /// Its screening.
    pub screening: Option<ScreeningId>,
    /// The device that offered it, or that told of it first; letters go there.
    pub device: DeviceId,
    /// The contact as it was used; none when the offer was not disclosed.
    pub contact: Option<ContactCopy>,
    /// When it was offered.
    pub offered: Option<When>,
    /// Where it stands. Where chains differ, a no of the person comes first, then one of the service; what
    /// devices tell outweighs what this desk answered.
    pub state: ReferralState,
    /// Every move that was told, each with who told it.
    pub moves: Vec<MoveView>,
}

/// One move of a referral. `Debug` does not show why.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct MoveView {
    /// To which state.
    pub to: ReferralState,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// Who told.
    pub who: Who,
}

/// Who told of a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// An official, on a device.
    Device {
        /// Which.
        author: Author,
        /// When.
        when: When,
    },
    /// This desk, by a letter.
    ThisDesk {
        /// When, milliseconds since 1970 by the desk's clock.
        written_ms: i64,
    },
}

impl std::fmt::Debug for MoveView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MoveView").field("to", &self.to).field("who", &self.who).finish_non_exhaustive()
    }
}

/// The referrals of a case, by id.
pub(super) fn referrals(facts: &[&Known], letters: &[Sent], clocks: &Clocks) -> Vec<ReferralView> {
    let mut by_id: BTreeMap<ReferralId, Vec<&Known>> = BTreeMap::new();
    for known in facts {
        let body = known.fact.as_ref().map(|fact| &fact.body);
        if let Some(Body::ReferralOffered { referral, .. } | Body::ReferralMoved { referral, .. }) = body {
            by_id.entry(*referral).or_default().push(known);
        }
    }
    by_id.into_iter().filter_map(|(id, facts)| referral(id, &facts, letters, clocks)).collect()
}

fn referral(
    referral: ReferralId,
    facts: &[&Known],
    letters: &[Sent],
    clocks: &Clocks,
) -> Option<ReferralView> {
    let offer = facts.iter().find_map(|known| match &known.fact.as_ref()?.body {
        Body::ReferralOffered { contact, .. } => Some((*known, contact)),
        _ => None,
    });
    let first = offer.map_or(facts.first().copied()?, |(known, _)| known);
    let answers: Vec<(i64, ReferralState)> = letters
        .iter()
        .filter_map(|sent| sent.answer.filter(|(id, _)| *id == referral).map(|(_, to)| (sent.written_ms, to)))
        .collect();
    let told = heads(facts).into_iter().map(state_of).max_by_key(|state| weight(*state));
    let own: Vec<ReferralState> = answers.iter().map(|(_, to)| *to).collect();
    let device_moves = facts.iter().filter_map(|known| {
        let fact = known.fact.as_ref()?;
        let Body::ReferralMoved { to, reason, .. } = &fact.body else { return None };
        let who = Who::Device { author: known.author(), when: clocks.when(known, &fact.at) };
        Some(MoveView { to: *to, reason: reason.clone(), who })
    });
    let own_moves = answers.iter().map(|(written_ms, to)| MoveView {
        to: *to,
        reason: None,
        who: Who::ThisDesk { written_ms: *written_ms },
    });
    Some(ReferralView {
        referral,
        screening: first.screening,
        device: first.device,
        contact: offer.map(|(_, contact)| contact.clone()),
        offered: offer.and_then(|(known, _)| Some(clocks.when(known, &known.fact.as_ref()?.at))),
        state: with_own(told.unwrap_or(ReferralState::Offered), &own),
        moves: device_moves.chain(own_moves).collect(),
    })
}

fn state_of(known: &Known) -> ReferralState {
    match known.fact.as_ref().map(|fact| &fact.body) {
        Some(Body::ReferralMoved { to, .. }) => *to,
        _ => ReferralState::Offered,
    }
}

/// Where a referral stands by what devices tell and by what this desk answered, oldest first. A device takes
/// the letter of the service alone that it referred to, so what it tells outweighs: an answer of this desk
/// counts while devices tell of none, and where it goes on from the one that they took.
fn with_own(told: ReferralState, own: &[ReferralState]) -> ReferralState {
    use ReferralState::{Accepted, Done, Offered, Overdue, Sent};
    let Some((last, before)) = own.split_last() else { return told };
    let goes_on = match told {
        Offered | Sent | Overdue => true,
        Accepted => *last == Done || before.contains(&Accepted),
        _ => false,
    };
    if goes_on { *last } else { told }
}

/// Which of two states that chains tell wins: the person's no, the service's no, then how far it came.
fn weight(state: ReferralState) -> u8 {
    match state {
        ReferralState::Offered => 0,
        ReferralState::Sent => 1,
        ReferralState::Overdue => 2,
        ReferralState::Accepted => 3,
        ReferralState::Done => 4,
        ReferralState::Rejected => 5,
        ReferralState::Declined => 6,
        ReferralState::Revoked => 7,
    }
}

impl ReferralView {
    /// Whether the service took the person, as far as it was told.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self.state, ReferralState::Accepted | ReferralState::Done)
    }

    /// Whether it ever left for the service. What was declined or taken back may not have.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        use ReferralState::{Declined, Offered, Revoked};
        let left = |to| !matches!(to, Offered | Declined | Revoked);
        left(self.state) || self.moves.iter().any(|m| left(m.to))
    }

    /// Whether it was sent and is not over.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        use ReferralState::{Accepted, Overdue, Sent};
        matches!(self.state, Sent | Overdue | Accepted)
    }
}

/// The referrals that stand accepted, if they are of different services.
pub(super) fn accepted_twice(referrals: &[ReferralView]) -> BTreeSet<ReferralId> {
    let accepted = || referrals.iter().filter(|r| r.is_accepted());
    let service = |r: &'_ ReferralView| r.contact.as_ref().map(|contact| contact.service.clone());
    let services: BTreeSet<Option<Name>> = accepted().map(service).collect();
    if services.len() > 1 { accepted().map(|r| r.referral).collect() } else { BTreeSet::new() }
}
