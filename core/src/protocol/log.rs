//! Logging of steps: what an official may record about one.
//!
//! Owns the checks of DOMAIN rule 13: a step is done, skipped (why) or impossible (why). Never refuses the
//! truth: that a forbidden step was done is recorded, as a breach, since whether protocols are kept is what
//! nobody in the region knows. Never repeats a reason in an error or in `Debug`.

use std::fmt;

use amparo_schema::fact::{Stamp, StepState};
use amparo_schema::limits::REASON_CHARS_MAX;
use amparo_schema::name::Name;
use amparo_schema::pack::protocol::{Obligation, Protocol, Step};
use amparo_schema::text::is_deceptive;

/// What was last logged about a step.
#[derive(Clone, PartialEq, Eq)]
pub struct StepLog {
    /// When.
    pub at: Stamp,
    /// What.
    pub state: StepState,
}

/// A reason as the official wrote it; `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Why<'a>(pub &'a str);

impl fmt::Debug for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Why(..)")
    }
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Nothing is logged. For a forbidden step: no breach is known.
    Open,
    /// It was done.
    Done(Stamp),
    /// It is forbidden and was done.
    Breached(Stamp),
    /// It was not done. For a forbidden step: it was kept from, for this reason.
    Skipped(Stamp, Why<'a>),
    /// It could not be done.
    Impossible(Stamp, Why<'a>),
}

/// The standing of a step after what was last logged about it.
#[must_use]
pub fn standing<'a>(step: &Step, logged: Option<&'a StepLog>) -> Standing<'a> {
    let Some(StepLog { at, state }) = logged else { return Standing::Open };
    match state {
        StepState::Done if step.obligation == Obligation::Forbidden => Standing::Breached(*at),
        StepState::Done => Standing::Done(*at),
        StepState::Skipped { reason } => Standing::Skipped(*at, Why(reason)),
        StepState::Impossible { reason } => Standing::Impossible(*at, Why(reason)),
    }
}

/// What logging this would mean. Both may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Meaning {
    /// An ordinary entry.
    Plain,
    /// A forbidden step was done. To be recorded only once the official has been shown that this is what it
    /// says, and always as a breach.
    Breach,
}

/// Why a step cannot be logged so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The protocol has no such step.
    #[error("the protocol has no such step")]
    UnknownStep,
    /// Skipped and impossible need a reason with at least one letter or digit.
    #[error("a reason is needed")]
    ReasonMissing,
    /// The reason is longer than [`REASON_CHARS_MAX`] characters.
    #[error("the reason is longer than {REASON_CHARS_MAX} characters")]
    ReasonTooLong,
    /// The reason holds a control, line-breaking or direction-changing character.
    #[error("character {at} of the reason is not allowed")]
    ReasonCharacter {
        /// Which, counted from 1.
        at: usize,
    },
}

/// Checks what is about to be logged about a step. A step that is not in force today may be logged: an old
/// screening stays on its pack.
///
/// # Errors
/// [`LogError`]; nothing is then to be recorded.
pub fn check(protocol: &Protocol, step: &Name, state: &StepState) -> Result<Meaning, LogError> {
    let step = protocol.steps.iter().find(|s| s.id == *step).ok_or(LogError::UnknownStep)?;
    match state {
        StepState::Done if step.obligation == Obligation::Forbidden => Ok(Meaning::Breach),
        StepState::Done => Ok(Meaning::Plain),
        StepState::Skipped { reason } | StepState::Impossible { reason } => {
            check_reason(reason).map(|()| Meaning::Plain)
        }
    }
}

fn check_reason(reason: &str) -> Result<(), LogError> {
    if reason.chars().nth(REASON_CHARS_MAX).is_some() {
        return Err(LogError::ReasonTooLong);
    }
    if let Some(at) = reason.chars().position(is_deceptive) {
        return Err(LogError::ReasonCharacter { at: at + 1 });
    }
    if reason.chars().any(char::is_alphanumeric) { Ok(()) } else { Err(LogError::ReasonMissing) }
}

#[cfg(test)]
mod tests {
    use amparo_schema::pack::protocol::Phase;

    use super::*;
    use crate::protocol::sample;

    fn protocol() -> Protocol {
        sample::protocol(vec![
            sample::step("shelter", Phase::Refer, Obligation::Mandatory),
            sample::step("return", Phase::Protect, Obligation::Forbidden),
        ])
    }

    fn logged(step: &str, state: &StepState) -> Result<Meaning, LogError> {
        check(&protocol(), &Name::new(step).unwrap(), state)
    }

    fn skipped(reason: &str) -> Result<Meaning, LogError> {
        let impossible = logged("shelter", &StepState::Impossible { reason: reason.into() });
        let skipped = logged("shelter", &StepState::Skipped { reason: reason.into() });
        assert_eq!(impossible, skipped);
        skipped
    }

    #[test]
    fn a_forbidden_step_that_was_done_is_a_breach() {
        assert_eq!(logged("shelter", &StepState::Done), Ok(Meaning::Plain));
        assert_eq!(logged("return", &StepState::Done), Ok(Meaning::Breach));
        assert_eq!(logged("return", &StepState::Skipped { reason: "kept from".into() }), Ok(Meaning::Plain));
        assert_eq!(logged("unheard-of", &StepState::Done), Err(LogError::UnknownStep));
    }

    #[test]
    fn a_reason_is_needed_and_plain() {
        assert_eq!(skipped("Albergue lleno; se llamó a las 3"), Ok(Meaning::Plain));
        assert_eq!(skipped("أُغلق"), Ok(Meaning::Plain));
        assert_eq!(skipped(&"ñ".repeat(280)), Ok(Meaning::Plain));
        assert_eq!(skipped(&"ñ".repeat(281)), Err(LogError::ReasonTooLong));
        for empty in ["", "   ", "\u{200B}", "...", "-"] {
            assert_eq!(skipped(empty), Err(LogError::ReasonMissing), "{empty:?}");
        }
        for bad in [
            "ab\ncd",
            "ab\0cd",
            "ab\u{7f}cd",
            "ab\u{85}cd",
            "ab\u{202e}cd",
            "ab\u{2066}cd",
            "ab\u{2028}cd",
            "ab\u{61c}cd",
        ] {
            assert_eq!(skipped(bad), Err(LogError::ReasonCharacter { at: 3 }), "{bad:?}");
        }
    }

    #[test]
    fn debug_keeps_the_reason_to_itself() {
        let at = sample::stamp(0);
        let log = StepLog { at, state: StepState::Skipped { reason: "she was ill".into() } };
        let protocol = protocol();
        let standing = standing(&protocol.steps[0], Some(&log));
        assert_eq!(standing, Standing::Skipped(at, Why("she was ill")));
        assert!(!format!("{standing:?}").contains("ill"));
    }
}
