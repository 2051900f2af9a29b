//! Referrals: a loop from offered to done, with a copy of the contact that was used.
//!
//! Owns the legal moves and the copy of a contact. Never looks up a directory and never decides whether
//! anything may be shared: that is consent's.

use std::collections::BTreeMap;

use amparo_schema::fact::{ContactCopy, ReferralState, Stamp};
use amparo_schema::id::ReferralId;
use amparo_schema::limits::REASON_CHARS_MAX;
use amparo_schema::pack::PackRef;
use amparo_schema::pack::directory::{Service, ServiceStatus};
use amparo_schema::text::is_deceptive;

/// One referral, as its facts show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    /// Its id.
    pub id: ReferralId,
    /// The contact as it was.
    pub contact: ContactCopy,
    /// Where it stands.
    pub state: ReferralState,
    /// When it was offered.
    pub offered: Stamp,
    /// Every move after the offer, in order.
    pub moves: Vec<Move>,
}

/// One move of a referral. `Debug` does not show why.
#[derive(Clone, PartialEq, Eq)]
pub struct Move {
    /// The counter of its fact.
    pub counter: u64,
    /// When.
    pub at: Stamp,
    /// To which state.
    pub to: ReferralState,
    /// Why.
    pub reason: Option<String>,
}

impl std::fmt::Debug for Move {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Move").field("counter", &self.counter).field("to", &self.to).finish_non_exhaustive()
    }
}

/// Why a referral may not begin or move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMove {
    /// The id is taken.
    #[error("a referral with this id was already offered")]
    Taken,
    /// There is no such referral.
    #[error("no referral with this id")]
    Unknown,
    /// The table of moves has no such move.
    #[error("a referral cannot go from {from:?} to {to:?}")]
    NotLegal {
        /// Where it stands.
        from: ReferralState,
        /// Where it should go.
        to: ReferralState,
    },
    /// The move asks for a reason.
    #[error("a referral goes to {0:?} only with a reason")]
    NoReason(ReferralState),
    /// The reason is longer than [`REASON_CHARS_MAX`].
    #[error("the reason is longer than {REASON_CHARS_MAX} characters")]
    LongReason,
    /// The reason holds control characters or some that turn the direction of writing.
    #[error("the reason holds characters that are not words")]
    DeceptiveReason,
}

/// The states to which a referral may go from `from`. What was declined, rejected, done or revoked stays so;
/// another try is another referral. An overdue one may still be answered, or sent once more.
#[must_use]
pub fn next(from: ReferralState) -> &'static [ReferralState] {
    use ReferralState::{Accepted, Declined, Done, Offered, Overdue, Rejected, Revoked, Sent};
    match from {
        Offered => &[Declined, Sent, Revoked],
        Sent => &[Accepted, Rejected, Revoked, Overdue],
        Accepted => &[Rejected, Done, Revoked],
        Overdue => &[Sent, Accepted, Rejected, Revoked],
        Declined | Rejected | Done | Revoked => &[],
    }
}

/// Whether something is still expected of the referral.
#[must_use]
pub fn is_open(state: ReferralState) -> bool {
    !next(state).is_empty()
}

/// The referrals of one screening, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Referrals(BTreeMap<ReferralId, Referral>);

impl Referrals {
    /// The referral.
    #[must_use]
    pub fn get(&self, id: ReferralId) -> Option<&Referral> {
        self.0.get(&id)
    }

    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Referral> {
        self.0.values()
    }

    /// Whether this id may be offered.
    ///
    /// # Errors
    /// [`BadMove::Taken`].
    pub fn may_offer(&self, id: ReferralId) -> Result<(), BadMove> {
        if self.0.contains_key(&id) { Err(BadMove::Taken) } else { Ok(()) }
    }

    /// Whether the referral may move.
    ///
    /// # Errors
    /// [`BadMove`].
    pub fn may_move(&self, id: ReferralId, to: ReferralState, reason: Option<&str>) -> Result<(), BadMove> {
        let from = self.0.get(&id).ok_or(BadMove::Unknown)?.state;
        if !next(from).contains(&to) {
            return Err(BadMove::NotLegal { from, to });
        }
        let reason = reason.unwrap_or_default();
        let asked = matches!(to, ReferralState::Rejected | ReferralState::Revoked);
        if asked && reason.trim().is_empty() {
            return Err(BadMove::NoReason(to));
        }
        if reason.chars().nth(REASON_CHARS_MAX).is_some() {
            return Err(BadMove::LongReason);
        }
        if reason.chars().any(is_deceptive) { Err(BadMove::DeceptiveReason) } else { Ok(()) }
    }

    /// Takes an offer.
    ///
    /// # Errors
    /// [`BadMove::Taken`].
    pub(crate) fn offer(&mut self, at: Stamp, id: ReferralId, contact: &ContactCopy) -> Result<(), BadMove> {
        self.may_offer(id)?;
        let referral = Referral {
            id,
            contact: contact.clone(),
            state: ReferralState::Offered,
            offered: at,
            moves: Vec::new(),
        };
        self.0.insert(id, referral);
        Ok(())
    }

    /// Takes a move.
    ///
    /// # Errors
    /// [`BadMove`].
    pub(crate) fn go(&mut self, id: ReferralId, step: Move) -> Result<(), BadMove> {
        self.may_move(id, step.to, step.reason.as_deref())?;
        let referral = self.0.get_mut(&id).ok_or(BadMove::Unknown)?;
        referral.state = step.to;
        referral.moves.push(step);
        Ok(())
    }
}

/// Why a contact cannot be copied for a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCopy {
    /// The service has no such channel.
    #[error("the service has no channel {0}")]
    NoChannel(usize),
    /// The number is known or believed to be wrong.
    #[error("channel {0} must not be dialled")]
    DoNotDial(usize),
    /// The service is history or withheld.
    #[error("the service may not be offered")]
    NotOffered,
}

/// Copies a service and one of its channels, by position, as a referral keeps it; none for a service that is
/// visited or reached in another way.
///
/// # Errors
/// [`NoCopy`].
pub fn copy(service: &Service, channel: Option<usize>, directory: &PackRef) -> Result<ContactCopy, NoCopy> {
    if matches!(service.status, ServiceStatus::Superseded { .. } | ServiceStatus::Withheld) {
        return Err(NoCopy::NotOffered);
    }
    let chosen = match channel {
        None => None,
        Some(n) => match service.channels.get(n).ok_or(NoCopy::NoChannel(n))? {
            wrong if wrong.do_not_dial => return Err(NoCopy::DoNotDial(n)),
            chosen => Some(chosen),
        },
    };
    Ok(ContactCopy {
        service: service.id.clone(),
        directory: directory.clone(),
        name: service.name.clone(),
        channel: chosen.map(|c| c.kind),
        display: chosen.and_then(|c| c.display.clone()),
        dial: chosen.and_then(|c| c.dial.clone()),
        verified_on: service.verified_on.map(|day| day.to_string()),
        printed_in: service.printed_in,
    })
}
