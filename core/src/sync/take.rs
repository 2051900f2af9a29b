//! Applying what came back.
//!
//! Every whole reply counts, whatever stands before or after it. Nothing is believed for coming from
//! headquarters' address: receipts and revocations must be signed by the key that was pinned at enrolment,
//! letters by an agency, packs by their authority.

use amparo_schema::wire::enrol::Enrolment;
use amparo_schema::wire::push::Reply;
use amparo_schema::wire::receipt::Receipt;
use amparo_schema::wire::signed::Signed;

use super::outbox::{Change, Effect, Outbox, Why};
use super::receipt::{Weight, gist, is_ours, is_sound, weigh};
use super::report::Report;
use super::upload::{Budget, Item};
use super::{SyncError, page};
use crate::seal::{First, VerifyKey, first, from_bytes, unverified};

/// Applies replies, each whole one by itself; a cut at the end costs the reply that was cut.
///
/// # Errors
/// [`SyncError::NotEnrolled`]; [`SyncError::Outbox`] when the store fails: what was applied before stays.
pub fn take<O: Outbox>(outbox: &mut O, replies: &[u8]) -> Result<Report, SyncError<O::Error>> {
    let enrolment = outbox.enrolment().map_err(SyncError::Outbox)?.ok_or(SyncError::NotEnrolled)?;
    let mut report = Report::default();
    let mut rest = replies;
    loop {
        match first(rest) {
            Ok(First::Item(reply, after)) => {
                rest = after;
                report.replies = report.replies.saturating_add(1);
                one(outbox, &enrolment, reply, &mut report).map_err(SyncError::Outbox)?;
            }
            Ok(First::Empty) => return Ok(report),
            Ok(First::Cut) => {
                report.cut = true;
                return Ok(report);
            }
            Err(_) => {
                report.unreadable = report.unreadable.saturating_add(1);
                return Ok(report);
            }
        }
    }
}

fn one<O: Outbox>(
    outbox: &mut O,
    enrolment: &Enrolment,
    reply: &[u8],
    report: &mut Report,
) -> Result<(), O::Error> {
    let Ok(reply) = from_bytes::<Reply>(reply) else {
        report.unreadable = report.unreadable.saturating_add(1);
        return Ok(());
    };
    match reply {
        Reply::Receipt(signed) => return receipt(outbox, enrolment, &signed, report),
        Reply::Page(page) => return page::page(outbox, enrolment, &page, report),
        Reply::Unchanged => {}
        Reply::CertificateWanted => report.certificate_wanted = true,
        Reply::ReceiptWanted => report.receipt_wanted = true,
        Reply::Refused { frame, why } => report.refused.push((frame, why)),
        Reply::Later { wait_ms } => report.wait_ms = Some(report.wait_ms.unwrap_or(0).max(wait_ms)),
    }
    report.answered();
    Ok(())
}

/// Takes receipts of ended lives that count more than this store sealed in them, as after a backup of a phone came back:
/// where headquarters was sent the last segment that is here, and did not say that it has another, their chain is a
/// continuation of this one. `sent` is what the upload carried that they answer. Others change nothing.
///
/// # Errors
/// [`SyncError::Outbox`].
pub fn believe<O: Outbox>(
    outbox: &mut O,
    sent: &[Option<Item>],
    budget: &Budget,
    report: &mut Report,
) -> Result<(), SyncError<O::Error>> {
    let lives = outbox.lives().map_err(SyncError::Outbox)?;
    for signed in std::mem::take(&mut report.beyond) {
        let Ok(receipt) = unverified(&signed) else { continue };
        let incarnation = receipt.incarnation;
        let last = lives.iter().find(|life| life.incarnation == incarnation);
        let Some(number) = last.and_then(|life| life.segments.checked_sub(1)) else { continue };
        let item = Item::Segment { incarnation, number };
        let judged = budget.judged.contains(&item) && sent.contains(&Some(item));
        if judged && !budget.refused.contains_key(&item) {
            let change = Change::Receipt { signed: &signed, receipt: &receipt };
            if outbox.apply(change).map_err(SyncError::Outbox)? == Effect::Applied {
                report.receipts = report.receipts.saturating_add(1);
                report.stored.insert(incarnation, receipt.stored);
            }
        }
    }
    Ok(())
}

fn receipt<O: Outbox>(
    outbox: &mut O,
    enrolment: &Enrolment,
    signed: &Signed<Receipt>,
    report: &mut Report,
) -> Result<(), O::Error> {
    let key = VerifyKey::from(enrolment.headquarters.key);
    let Ok(receipt) = key.open_object(signed) else {
        // Not kept: anyone could have written it.
        report.aside.push(Why::Signature);
        return Ok(());
    };
    if receipt.device != outbox.device() {
        report.aside.push(Why::OtherDevice);
        return Ok(());
    }
    let lives = outbox.lives()?;
    let Some(at) = lives.iter().position(|life| life.incarnation == receipt.incarnation) else {
        report.aside.push(Why::OtherDevice);
        return Ok(());
    };
    let Some(life) = lives.get(at) else { return Ok(()) };
    report.answered();
    let present = at.saturating_add(1) == lives.len();
    let held = life.held();
    let weight = weigh(held.as_ref(), &receipt);
    let why = match weight {
        _ if !is_sound(&receipt) => Some(Why::Malformed),
        Weight::Older => return Ok(()),
        Weight::Fallen => Some(Why::Fallen),
        Weight::Newer => is_ours(outbox, life, present, &receipt)?,
    };
    match why {
        None => {
            if outbox.apply(Change::Receipt { signed, receipt: &receipt })? == Effect::Applied {
                report.receipts = report.receipts.saturating_add(1);
                report.stored.insert(receipt.incarnation, receipt.stored);
            }
        }
        // Of an ended life, and longer than what was sealed here: no hash tells yet whether it is this copy's.
        Some(Why::Ahead) if !present => report.beyond.push(signed.clone()),
        Some(why) => {
            let parted = matches!(why, Why::Ahead | Why::Fork);
            let bytes = crate::seal::to_bytes(signed).unwrap_or_default();
            let says = crate::seal::to_bytes(&gist(&receipt, parted)).unwrap_or_default();
            let effect = outbox.apply(Change::Aside { bytes: &bytes, says: &says, why })?;
            let astray = present && parted;
            report.astray |= astray;
            if parted && held.is_some_and(|held| held.epoch < receipt.epoch) {
                outbox.apply(Change::Distrust { incarnation: receipt.incarnation })?;
            }
            // What was told before is no news; a life that goes astray now is.
            if astray || effect == Effect::Aside(why) {
                report.aside.push(why);
            }
        }
    }
    Ok(())
}
