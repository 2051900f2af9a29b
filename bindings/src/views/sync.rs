//! Enrolment, sync and what came of it. No view holds a key or a ticket; what an agency wrote is `redacted!`.

use std::collections::BTreeMap;

use amparo_core::device::{FollowUp, PurgeReport, SyncState, Volume};
use amparo_core::seal::{OpenError, unverified};
use amparo_core::sync::{Ended, Report, SyncReport, TransportError};
use amparo_schema::id::{CaseId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::wire::enrol::Enrolment;

use crate::kinds::{AsideReason, FrameRefusal, SyncLevel};
use crate::redact::redacted;

/// The headquarters to which this device belongs.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct EnrolmentView {
    /// The agency.
    pub agency: Name,
    /// Where headquarters listens; its paths go under it. As it stood in the ticket: take nothing but https, or http
    /// on loopback.
    pub url: String,
    /// The id of this device.
    pub device: String,
    /// Since when, milliseconds since 1970 by headquarters' clock.
    pub since_ms: i64,
}

/// How sync stands.
#[derive(Clone, uniffi::Record)]
pub struct SyncStateView {
    /// The agency to which the device belongs; none before enrolment.
    pub agency: Option<Name>,
    /// Where headquarters listens; none before enrolment.
    pub url: Option<String>,
    /// Since when the certificate holds no longer, by headquarters' clock. Ask the official whether to `wipe`; what
    /// is sealed is still sent.
    pub revoked_ms: Option<i64>,
    /// When headquarters last answered, by the phone's clock; none for never.
    pub contact_ms: Option<i64>,
    /// The newest 10,000 screenings, newest first.
    pub screenings: Vec<ScreeningSyncView>,
    /// Sealed parts that headquarters does not have, as far as it said.
    pub waiting: u64,
    /// What agencies ask to be done, the newest 1,000, newest first.
    pub follow_ups: Vec<FollowUpView>,
    /// How many things from headquarters were kept aside because they could not be applied.
    pub aside: u64,
}

/// One screening on its way.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ScreeningSyncView {
    /// The screening.
    pub id: ScreeningId,
    /// How far it is.
    pub level: SyncLevel,
    /// Whether what was said is gone from this device; headquarters has it.
    pub purged: bool,
}

/// A letter: something that an agency asks to be done about a case.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct FollowUpView {
    /// The id of the letter, in hexadecimal digits.
    pub letter: String,
    /// The agency, by its id in the recipients pack.
    pub agency: Name,
    /// The case.
    pub case: CaseId,
    /// The code of the case; none if this device does not know the case.
    pub code: Option<String>,
    /// The screening, if it is about one.
    pub screening: Option<ScreeningId>,
    /// What to do.
    pub text: String,
    /// Until when.
    pub due_ms: Option<i64>,
    /// When it came, by the phone's clock.
    pub taken_ms: i64,
}

/// What a sync did, over all its exchanges.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncReportView {
    /// How it ended.
    pub end: SyncEnd,
    /// Exchanges that brought replies.
    pub exchanges: u64,
    /// Bytes sent.
    pub up_bytes: u64,
    /// Bytes received.
    pub down_bytes: u64,
    /// Receipts that were newer than those held.
    pub receipts: u64,
    /// Letters, packs and revocations that were applied for the first time.
    pub entries: u64,
    /// What came and could not be applied, by reason.
    pub aside: Vec<AsideView>,
    /// What headquarters did not take, by reason. It stays here, and nothing waits for it.
    pub refused: Vec<RefusedView>,
    /// How long headquarters asks to wait before the next sync, milliseconds.
    pub wait_ms: Option<u64>,
    /// True when headquarters proved that this store had gone back in time or was copied. Nothing is lost; tell
    /// those who help.
    pub begun_again: bool,
    /// Screenings that could not be prepared for sending; they are tried again.
    pub held_back: u64,
    /// Screenings whose plaintext was purged afterwards.
    pub purged: u64,
}

/// How a sync ended. What was done before stays done, whichever it is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SyncEnd {
    /// Nothing is left to send or to fetch.
    Done,
    /// What is left did not move in the last exchange.
    Stuck,
    /// Headquarters asked to wait.
    Later,
    /// The listener stopped it.
    Stopped,
    /// The transport did not reach headquarters.
    Offline,
    /// The transport was refused.
    Refused {
        /// The code that the transport gave.
        code: u16,
    },
    /// The transport broke off; what came until then was applied.
    Cut,
}

/// How often something that came could not be applied, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AsideView {
    /// Why.
    pub why: AsideReason,
    /// How often.
    pub times: u64,
}

/// How often headquarters did not take something, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RefusedView {
    /// Why.
    pub why: FrameRefusal,
    /// How often.
    pub times: u64,
}

/// What was in one volume of replies.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RepliesView {
    /// Whole replies that were read.
    pub replies: u64,
    /// Receipts that were newer than those held.
    pub receipts: u64,
    /// Letters, packs and revocations that were applied for the first time.
    pub entries: u64,
    /// What came and could not be applied, by reason.
    pub aside: Vec<AsideView>,
    /// What headquarters did not take, by reason.
    pub refused: Vec<RefusedView>,
    /// As in `SyncReportView`.
    pub begun_again: bool,
    /// True when headquarters has more for this device: export again.
    pub more: bool,
}

/// One file of a bundle. Anyone may carry it: only headquarters opens it.
#[uniffi::export(Display)]
#[derive(Clone, uniffi::Record)]
pub struct VolumeView {
    /// A random file name, which says nothing.
    pub name: String,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
}

/// What was purged.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PurgeView {
    /// Screenings whose plaintext and keys are gone.
    pub screenings: u64,
    /// Sealed parts that were dropped.
    pub segments: u64,
    /// Screenings that could not be looked at, or not be closed; they hold up no other.
    pub failed: u64,
}

redacted!(FollowUpView, VolumeView);

pub(crate) fn enrolment(enrolment: Enrolment) -> Result<EnrolmentView, OpenError> {
    let certificate = unverified(&enrolment.certificate)?;
    Ok(EnrolmentView {
        agency: certificate.agency,
        url: enrolment.headquarters.url,
        device: certificate.device.to_string(),
        since_ms: certificate.from_ms,
    })
}

pub(crate) fn sync_state(state: SyncState) -> SyncStateView {
    let screening = |line: amparo_core::device::ScreeningSync| ScreeningSyncView {
        id: line.screening,
        level: line.level,
        purged: line.purged,
    };
    SyncStateView {
        agency: state.agency,
        url: state.url,
        revoked_ms: state.revoked_ms,
        contact_ms: state.contact_ms,
        screenings: state.screenings.into_iter().map(screening).collect(),
        waiting: state.waiting,
        follow_ups: state.follow_ups.into_iter().map(follow_up).collect(),
        aside: state.aside,
    }
}

fn follow_up(letter: FollowUp) -> FollowUpView {
    FollowUpView {
        letter: letter.letter.iter().map(|byte| format!("{byte:02x}")).collect(),
        agency: letter.from,
        case: letter.case,
        code: letter.code,
        screening: letter.screening,
        text: letter.text,
        due_ms: letter.due_ms,
        taken_ms: letter.taken_ms,
    }
}

pub(crate) fn sync_report(report: &SyncReport) -> SyncReportView {
    SyncReportView {
        end: end(&report.ended),
        exchanges: report.exchanges,
        up_bytes: report.up_bytes,
        down_bytes: report.down_bytes,
        receipts: report.receipts,
        entries: report.entries,
        aside: aside(&report.aside),
        refused: refused(report.refused.iter().map(|(_, why)| *why)),
        wait_ms: report.wait_ms,
        begun_again: report.begun_again,
        held_back: report.withheld_back,
        purged: report.purged,
    }
}

fn end(ended: &Ended) -> SyncEnd {
    match ended {
        Ended::Done => SyncEnd::Done,
        Ended::Stuck => SyncEnd::Stuck,
        Ended::Later => SyncEnd::Later,
        Ended::Stopped => SyncEnd::Stopped,
        Ended::Broken(TransportError::Offline) => SyncEnd::Offline,
        Ended::Broken(TransportError::Refused { code }) => SyncEnd::Refused { code: *code },
        Ended::Broken(TransportError::Cut { .. }) => SyncEnd::Cut,
    }
}

fn aside(all: &[AsideReason]) -> Vec<AsideView> {
    counted(all.iter().copied()).into_iter().map(|(why, times)| AsideView { why, times }).collect()
}

fn refused(all: impl Iterator<Item = FrameRefusal>) -> Vec<RefusedView> {
    counted(all).into_iter().map(|(why, times)| RefusedView { why, times }).collect()
}

/// A reply of 20 MB may hold a hundred thousand reasons: a view of them has no more lines than there are reasons.
fn counted<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for one in all {
        let count: &mut u64 = counts.entry(one).or_default();
        *count = count.saturating_add(1);
    }
    counts
}

pub(crate) fn replies(report: &Report) -> RepliesView {
    RepliesView {
        replies: report.replies,
        receipts: report.receipts,
        entries: report.entries,
        aside: aside(&report.aside),
        refused: refused(report.refused.iter().map(|(_, why)| *why)),
        begun_again: report.astray,
        more: !report.unread.is_empty() || !report.rewound.is_empty(),
    }
}

pub(crate) fn volume(volume: Volume) -> VolumeView {
    VolumeView { name: volume.name, bytes: volume.bytes }
}

pub(crate) fn purged(report: PurgeReport) -> PurgeView {
    PurgeView { screenings: report.screenings, segments: report.segments, failed: report.failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_and_no_more_lines_than_reasons() {
        let all: Vec<AsideReason> = AsideReason::ALL.into_iter().cycle().take(100_003).collect();
        let lines = aside(&all);
        assert_eq!(lines.len(), 10);
        assert_eq!(lines.first().map(|line| (line.why, line.times)), Some((AsideReason::Unknown, 10_001)));
        assert_eq!(lines.last().map(|line| (line.why, line.times)), Some((AsideReason::Fork, 10_000)));
        assert!(aside(&[]).is_empty());
    }

    #[test]
    fn every_end_has_its_name() {
        let broken = [
            (TransportError::Offline, SyncEnd::Offline),
            (TransportError::Refused { code: 503 }, SyncEnd::Refused { code: 503 }),
            (TransportError::Cut { replies: vec![1] }, SyncEnd::Cut),
        ];
        for (error, expected) in broken {
            assert_eq!(end(&Ended::Broken(error)), expected);
        }
    }
}
