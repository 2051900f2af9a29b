//! How sync stands, as JSON. Owns the names of the fields; never who a person is.

use amparo_core::device::{Device, Error, Level, SyncState};
use amparo_core::referral::Referral;
use amparo_core::sync::{Ended, Item, SyncReport, TransportError, Why};
use amparo_schema::id::ScreeningId;
use amparo_schema::wire::push::Refusal;
use serde_json::{Value, json};

/// The newest screenings whose referrals are told too; further back it would take long.
const DETAILED: usize = 200;

/// What a sync did, and how everything stands after it.
pub(super) fn sync(done: &SyncReport, now: &SyncState, device: &Device) -> Result<Value, Error> {
    Ok(json!({
        "ended": ended(&done.ended),
        "wait_ms": done.wait_ms,
        "exchanges": done.exchanges,
        "up_bytes": done.up_bytes,
        "down_bytes": done.down_bytes,
        "receipts": done.receipts,
        "entries": done.entries,
        "aside": done.aside.iter().map(|reason| why(*reason)).collect::<Vec<_>>(),
        "refused": refused(&done.refused),
        "begun_again": done.begun_again,
        "not_disclosed": done.withheld_back,
        "purged": done.purged,
        "state": state(now, device)?,
    }))
}

/// How everything stands.
pub(super) fn state(now: &SyncState, device: &Device) -> Result<Value, Error> {
    let mut screenings = Vec::new();
    for (n, line) in now.screenings.iter().enumerate() {
        let referrals = if n < DETAILED { referrals(device, line.screening)? } else { Value::Null };
        screenings.push(json!({
            "screening": line.screening,
            "level": level(line.level),
            "purged": line.purged,
            "referrals": referrals,
        }));
    }
    let follow_ups: Vec<_> = now
        .follow_ups
        .iter()
        .map(|asked| {
            json!({
                "from": asked.from,
                "case": asked.case,
                "code": asked.code,
                "screening": asked.screening,
                "text": asked.text,
                "due_ms": asked.due_ms,
                "taken_ms": asked.taken_ms,
            })
        })
        .collect();
    let aside: Vec<_> = device
        .aside()?
        .into_iter()
        .map(|(reason, count)| json!({ "why": why(reason), "count": count }))
        .collect();
    Ok(json!({
        "agency": now.agency,
        "url": now.url,
        "revoked_ms": now.revoked_ms,
        "contact_ms": now.contact_ms,
        "waiting_segments": now.waiting,
        "screenings": screenings,
        "follow_ups": follow_ups,
        "refused": refused(&now.refused),
        "aside": aside,
    }))
}

/// The referrals of a screening; nothing where what was said is gone from here.
fn referrals(device: &Device, screening: ScreeningId) -> Result<Value, Error> {
    let view = match device.screening(screening) {
        Err(Error::Purged | Error::Erased) => return Ok(Value::Null),
        view => view?,
    };
    let referral = |referral: &Referral| {
        let reason = referral.moves.last().and_then(|last| last.reason.as_deref());
        let service = &referral.contact.service;
        json!({ "id": referral.id, "service": service, "state": referral.state, "reason": reason })
    };
    Ok(view.screening.referrals.iter().map(referral).collect())
}

/// What headquarters did not take.
fn refused(refused: &[(Item, Refusal)]) -> Vec<Value> {
    let line = |(item, why): &(Item, Refusal)| match item {
        Item::Segment { incarnation, number } => {
            json!({ "segment": number, "incarnation": incarnation, "why": refusal(*why) })
        }
        Item::Disclosure { incarnation, number } => {
            json!({ "disclosure": number, "incarnation": incarnation, "why": refusal(*why) })
        }
    };
    refused.iter().map(line).collect()
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Open => "open",
        Level::Sealed => "sealed",
        Level::Sent => "sent",
        Level::Stored => "stored",
        Level::Durable => "durable",
        Level::Delivered => "delivered",
        Level::Answered => "answered",
    }
}

fn ended(ended: &Ended) -> &'static str {
    match ended {
        Ended::Done => "done",
        Ended::Stuck => "stuck",
        Ended::Later => "later",
        Ended::Stopped => "stopped",
        Ended::Broken(TransportError::Offline) => "offline",
        Ended::Broken(TransportError::Refused { .. }) => "refused",
        Ended::Broken(TransportError::Cut { .. }) => "cut",
    }
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Unknown => "unknown",
        Why::Signature => "signature",
        Why::OtherDevice => "other_device",
        Why::Stranger => "stranger",
        Why::Letter => "letter",
        Why::Pack => "pack",
        Why::Malformed => "malformed",
        Why::Fallen => "fallen",
        Why::Ahead => "ahead",
        Why::Fork => "fork",
    }
}

fn refusal(why: Refusal) -> &'static str {
    match why {
        Refusal::Form => "form",
        Refusal::Signature => "signature",
        Refusal::Stranger => "stranger",
        Refusal::Fork => "fork",
        Refusal::Revoked => "revoked",
        Refusal::Newer => "newer",
        Refusal::TooLarge => "too_large",
        Refusal::Full => "full",
    }
}
