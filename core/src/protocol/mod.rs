//! The protocol: which steps this person and this outcome ask for, by when, and what became of each.
//!
//! Pure functions of (protocol pack, calendar pack, situation, now). Never stores, never reads a clock, never
//! decides for a person: it lists, dates and checks; officials act and say why.

pub mod deadline;
pub mod log;
pub mod plan;

#[cfg(test)]
mod sample {
    //! Synthetic steps for tests.

    use amparo_schema::condition::Condition;
    use amparo_schema::fact::Stamp;
    use amparo_schema::name::Name;
    use amparo_schema::pack::protocol::{ConsentNeed, Obligation, Phase, Protocol, Step};
    use amparo_schema::text::{Review, Text};

    pub(super) fn step(id: &str, phase: Phase, obligation: Obligation) -> Step {
        Step {
            id: Name::new(id).unwrap(),
            phase,
            title: Text::default(),
            detail: None,
            say: None,
            trigger: Condition::Always,
            actor: Text::default(),
            obligation,
            deadline: None,
            consent: ConsentNeed::None,
            consent_exceptions: Vec::new(),
            legal_basis: Vec::new(),
            contact: None,
            valid_from: None,
            valid_to: None,
            superseded_by: None,
            review: Review::Unverified,
        }
    }

    pub(super) fn protocol(steps: Vec<Step>) -> Protocol {
        Protocol { zone: "America/Santiago".into(), calendar: None, steps }
    }

    pub(super) fn stamp(wall_ms: i64) -> Stamp {
        Stamp { wall_ms, offset_minutes: -180, steady_ms: 0, doubt: None }
    }
}
