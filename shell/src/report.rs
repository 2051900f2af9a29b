//! What is there, as JSON: for `--json`, for scenarios and their golden files.
//!
//! Owns the names of the fields. Holds no words but those of the pack, and never who the person is.

use amparo_core::assessment::Assessment;
use amparo_core::calendar::Basis;
use amparo_core::checklist::Position;
use amparo_core::device::{
    ConsentView, Contacts, Device, Error, Installed, OfferedService, PackLine, ProtocolView, ScreeningLine,
    StepView,
};
use amparo_core::protocol::deadline::{LimitDue, Progress, State};
use amparo_core::protocol::plan::{Certainty, OutOfForce, StepDue};
use amparo_core::screening::{Gate, Screening};
use amparo_core::store::{Finding, VerifyReport};
use amparo_schema::id::ScreeningId;
use serde_json::{Value, json};

/// One line of the list.
#[must_use]
pub fn line(line: &ScreeningLine) -> Value {
    json!({
        "screening": line.screening,
        "case": line.case,
        "code": line.code,
        "memorable": line.memorable,
        "closed": line.closed,
        "opened_ms": line.opened_ms,
    })
}

/// A position in the walk.
#[must_use]
pub fn position(position: Option<Position>) -> Value {
    position.map_or(Value::Null, |p| json!({ "number": p.number, "of": p.of }))
}

/// Everything about a screening but who the person is.
///
/// # Errors
/// Those of the device.
pub fn screening(device: &Device, id: ScreeningId) -> Result<Value, Error> {
    let view = device.screening(id)?;
    let assessment = match device.explain(id) {
        Ok(assessment) => Some(assessment),
        Err(Error::Erased) => None,
        Err(why) => return Err(why),
    };
    Ok(json!({
        "screening": line(&view.line),
        "place": view.place,
        "packs": view.screening.packs,
        "gate": gate(&view.gate),
        "outcomes": view.outcomes,
        "assessment_hash": assessment.as_ref().map(Assessment::hash),
        "assessment": assessment,
        "protocol": protocol(&device.protocol(id)?),
        "log": log(&view.screening),
        "clock_doubts": view.doubts.iter().map(|(at, why)| json!([at, why])).collect::<Vec<_>>(),
        "facts": view.screening.facts,
    }))
}

/// Where the gate stands.
#[must_use]
pub fn gate(gate: &Gate) -> Value {
    match gate {
        Gate::NotTried => json!("not_tried"),
        Gate::Passed => json!("passed"),
        Gate::Postponed { missing } => json!({ "postponed": missing }),
    }
}

fn log(screening: &Screening) -> Value {
    let steps: Vec<_> =
        screening.steps.iter().map(|step| json!({ "step": step.step, "state": step.state })).collect();
    let referrals: Vec<_> = screening
        .referrals
        .iter()
        .map(|referral| {
            json!({
                "id": referral.id,
                "contact": referral.contact,
                "state": referral.state,
                "moves": referral.moves.iter().map(|m| json!([m.to, m.reason])).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "steps": steps,
        "referrals": referrals,
        "stopped": screening.stop.map(|stop| stop.reason),
        "closed": screening.closed.is_some(),
    })
}

/// The protocol.
#[must_use]
pub fn protocol(view: &ProtocolView) -> Value {
    let history: Vec<_> = view
        .history
        .iter()
        .map(|(step, why, by)| {
            let why = match why {
                OutOfForce::NotYet => "not_yet",
                OutOfForce::Ended => "ended",
                OutOfForce::Replaced => "replaced",
            };
            json!({ "step": step, "why": why, "superseded_by": by })
        })
        .collect();
    json!({ "steps": view.steps.iter().map(step).collect::<Vec<_>>(), "history": history })
}

fn step(view: &StepView) -> Value {
    let certainty = match view.certainty {
        Certainty::Applies => "applies",
        Certainty::Possible => "possible",
    };
    let consent = match &view.consent {
        ConsentView::None => json!("none"),
        ConsentView::Needed(need, exceptions) => {
            json!({ "needed": need, "exceptions": exceptions.iter().map(|e| e.situation).collect::<Vec<_>>() })
        }
        ConsentView::Excepted(need) => json!({ "excepted": need }),
    };
    json!({
        "step": view.step.id,
        "phase": view.step.phase,
        "obligation": view.step.obligation,
        "certainty": certainty,
        "due": due(&view.due),
        "state": view.state,
        "consent": consent,
        "review": view.step.review,
    })
}

fn due(due: &StepDue) -> Value {
    match due {
        StepDue::NoLimit => Value::Null,
        StepDue::NotBegun(event) => json!({ "not_begun": event }),
        StepDue::Failed(why) => json!({ "failed": why.to_string() }),
        StepDue::Due { due, state } => {
            let (progress, doubtful) = match state {
                State::Firm(progress) => (progress, false),
                State::Doubtful(progress) => (progress, true),
            };
            let progress = match progress {
                Progress::AtOnce => "at_once",
                Progress::Open => "open",
                Progress::BetweenLimits => "between_limits",
                Progress::Late => "late",
            };
            json!({
                "act_by": limit(&due.act_by),
                "outer_limit": limit(&due.outer_limit),
                "ambiguous": due.ambiguous,
                "progress": progress,
                "clock_in_doubt": doubtful,
            })
        }
    }
}

fn limit(due: &LimitDue) -> Value {
    json!({
        "limit": due.limit,
        "until_ms": due.until_ms,
        "date": due.date,
        "provisional": due.basis() == Basis::Provisional,
    })
}

/// Contacts: at most `most` of each list.
#[must_use]
pub fn contacts(found: &Contacts, most: usize) -> Value {
    let offers: Vec<_> = found.offers.iter().take(most).map(offer).collect();
    let excluded: Vec<_> = found
        .excluded
        .iter()
        .take(most)
        .map(|out| json!({ "service": out.id, "because": out.because }))
        .collect();
    json!({
        "rung": found.rung,
        "offers": offers,
        "excluded": excluded,
        "agencies": found.agencies.iter().take(most).map(|line| &line.agency.id).collect::<Vec<_>>(),
        "last_resort": found.last_resort.is_some(),
    })
}

fn offer(offer: &OfferedService) -> Value {
    let channels: Vec<_> = offer
        .channels
        .iter()
        .map(|(_, channel)| json!({ "kind": channel.kind, "display": channel.display, "dial": channel.dial }))
        .collect();
    json!({
        "service": offer.service.id,
        "channels": channels,
        "reasons": offer.reasons,
        "despite": offer.despite,
    })
}

/// A look over the store.
#[must_use]
pub fn verify(found: &VerifyReport, findings: &[Finding]) -> Value {
    let text = |thing: &dyn std::fmt::Debug| format!("{thing:?}");
    json!({
        "facts": found.facts,
        "purged": found.purged,
        "faults": found.faults.iter().map(|fault| text(fault)).collect::<Vec<_>>(),
        "unlisted": found.unlisted,
        "findings": findings.iter().map(|finding| text(&finding.kind)).collect::<Vec<_>>(),
        "cannot_see": found.blind.iter().map(|blind| text(blind)).collect::<Vec<_>>(),
    })
}

/// A pack on the device.
#[must_use]
pub fn pack(line: &PackLine) -> Value {
    json!({ "header": line.header, "hash": line.pack.hash, "current": line.current, "expired": line.expired })
}

/// A pack that was installed.
#[must_use]
pub fn installed(installed: &Installed) -> Value {
    let warnings: Vec<_> = installed.warnings.iter().map(|warning| format!("{warning:?}")).collect();
    json!({ "pack": installed.pack, "already": installed.already, "warnings": warnings })
}
