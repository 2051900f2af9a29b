//! What may be kept of a screening after it is closed. Pure.

use amparo_schema::pack::policy::Purpose;

use super::Screening;
use crate::consent::State;

/// What may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Everything, for as long as the policy says.
    Full,
    /// Counts only: no answer, no identity, no code by which the person could be found again.
    AggregateOnly,
}

/// What may be kept when the screening closes (research 7.3). A talk without consent to store leaves counts
/// only, and so does a refusal or withdrawal. Where nobody was asked anything, the nameless observations
/// stay, for the policy's `observation_days` at most. A recorded exception for storing keeps everything.
/// Erasing cannot be taken back: where the clock was ever in doubt, it lapses no consent to store.
#[must_use]
pub fn retention(screening: &Screening, now_ms: i64) -> Keep {
    let waived = screening.consents.waivers().any(|waiver| waiver.purpose == Purpose::Store);
    let now_ms = if screening.doubts.is_empty() { now_ms } else { i64::MIN };
    match screening.consents.state(Purpose::Store, None, now_ms) {
        State::Given => Keep::Full,
        State::NotAsked if !screening.was_asked() => Keep::Full,
        _ if waived => Keep::Full,
        _ => Keep::AggregateOnly,
    }
}
