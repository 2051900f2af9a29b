//! The store as a whole: counts, versions, codes. Nothing of a person.

use amparo_core::store::{Blind, Fault, Finding, FindingKind, VerifyReport};

/// What a look over the whole store found.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct VerifyView {
    /// True when nothing is wrong as far as a look from inside can see.
    pub whole: bool,
    /// Facts that were walked.
    pub facts: u64,
    /// Facts among them whose bodies were purged.
    pub purged: u64,
    /// What is wrong, at most 100 of the chain.
    pub faults: Vec<FaultView>,
    /// Faults of the chain beyond those listed.
    pub unlisted: u64,
    /// What was found at opening, now or before: `rollback`, `fork`, `head-missing`, `head-unreadable`.
    pub findings: Vec<String>,
    /// What no look from inside can see: `everything-set-back`, `purged-bodies`.
    pub cannot_see: Vec<String>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FaultView {
    /// What: `gap`, `body-changed`, `link-broken`, `rollback`, `fork`, `head-missing`, `head-unreadable`,
    /// `pages`, `structure`, `dangling`, `unreadable`.
    pub code: String,
    /// The counter of the fact, or how many; 0 where neither makes sense.
    pub number: u64,
}

/// What to send to those who help. Nothing of a person.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DiagnosticsView {
    /// The version of this library.
    pub version: String,
    /// Packs on the device.
    pub packs: u32,
    /// Packs in use whose last day has passed.
    pub expired_packs: u32,
    /// Screenings on the device.
    pub screenings: u32,
    /// Those that are not closed.
    pub open_screenings: u32,
    /// What was found at opening, now or before; see `VerifyView`.
    pub findings: Vec<String>,
}

pub(crate) fn verify(report: &VerifyReport, found: &[Finding]) -> VerifyView {
    let blind = |blind: &Blind| match blind {
        Blind::EverythingSetBack => "everything-set-back".to_owned(),
        Blind::PurgedBodies => "purged-bodies".to_owned(),
    };
    VerifyView {
        whole: report.is_whole(),
        facts: report.facts,
        purged: report.purged,
        faults: report.faults.iter().map(fault).collect(),
        unlisted: report.unlisted,
        findings: findings(found),
        cannot_see: report.blind.iter().map(blind).collect(),
    }
}

pub(crate) fn findings(found: &[Finding]) -> Vec<String> {
    found.iter().map(|finding| finding_code(finding.kind).to_owned()).collect()
}

fn finding_code(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Rollback => "rollback",
        FindingKind::Fork => "fork",
        FindingKind::HeadMissing => "head-missing",
        FindingKind::HeadUnreadable => "head-unreadable",
    }
}

fn fault(fault: &Fault) -> FaultView {
    let (code, number) = match fault {
        Fault::Gap { expected, .. } => ("gap", *expected),
        Fault::BodyChanged { counter } => ("body-changed", *counter),
        Fault::LinkBroken { counter } => ("link-broken", *counter),
        Fault::Head(kind) => (finding_code(*kind), 0),
        Fault::Pages { count } => ("pages", *count),
        Fault::Structure { count } => ("structure", *count),
        Fault::Dangling { count } => ("dangling", *count),
        Fault::Unreadable => ("unreadable", 0),
    };
    FaultView { code: code.into(), number }
}
