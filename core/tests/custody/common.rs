//! Facts of a synthetic screening.

use std::collections::BTreeSet;

use amparo_core::schema::answer::{AgeRange, Answer, Mode, Value};
use amparo_core::schema::fact::{
    Body, Consent, ConsentBy, ContactCopy, Fact, IdentityField, Packs, ReferralState, Scope, Stamp,
};
use amparo_core::schema::id::{CaseId, Hash, ReferralId, ScreeningId};
use amparo_core::schema::name::Name;
use amparo_core::schema::outcome::Outcome;
use amparo_core::schema::pack::PackRef;
use amparo_core::schema::pack::directory::ChannelKind;
use amparo_core::schema::pack::policy::{Purpose, intake};
use amparo_core::schema::person::{Country, Place, Setting};
use amparo_core::schema::text::{Lang, Source, Text};
use amparo_core::screening::Screening;

pub(crate) const CASE: CaseId = CaseId([0xca; 16]);
pub(crate) const SCREENING: ScreeningId = ScreeningId([0x5c; 16]);
pub(crate) const REFERRAL: ReferralId = ReferralId([1; 16]);
/// A synthetic name that must never turn up where identity may not be.
pub(crate) const CANARY: &str = "Canario Sintético 7f3a";

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn lang(tag: &str) -> Lang {
    Lang::new(tag).unwrap()
}

pub(crate) fn pack(id: &str) -> PackRef {
    PackRef { id: name(id), version: 1, hash: Hash::of("test", &[id.as_bytes()]) }
}

pub(crate) fn stamp(wall_ms: i64) -> Stamp {
    Stamp { wall_ms, offset_minutes: -180, steady_ms: 5, doubt: None }
}

pub(crate) fn fact(counter: u64, body: Body) -> (u64, Fact) {
    (counter, Fact { at: stamp(1_000 + i64::try_from(counter).unwrap()), body })
}

pub(crate) fn opening() -> Body {
    Body::ScreeningOpened {
        case: CASE,
        screening: SCREENING,
        packs: Packs {
            checklist: pack("checklist"),
            policy: pack("policy"),
            protocol: pack("protocol"),
            directory: pack("directory"),
            calendar: None,
        },
        place: Place {
            country: Country::new("CL").unwrap(),
            post: Some(name("post-1")),
            area: Some("CL-AP".into()),
            setting: Setting::Border,
        },
        lang: lang("es"),
    }
}

/// A screening of these facts after the opening; the first of them has counter 2.
pub(crate) fn screening(bodies: &[Body]) -> Screening {
    let bodies = std::iter::once(opening()).chain(bodies.iter().cloned());
    Screening::from_facts((1..).zip(bodies).map(|(counter, body)| fact(counter, body))).unwrap()
}

pub(crate) fn answer(item: &str, mode: Mode, value: Value) -> Body {
    Body::Answered { item: name(item), answer: Answer::Known(value), mode }
}

pub(crate) fn adult() -> Body {
    answer(intake::AGE, Mode::Observe, Value::Age(AgeRange { from: 25, to: 40 }))
}

pub(crate) fn gate_passed() -> Body {
    Body::GateChecked { confirmed: vec![name("alone")], missing: vec![] }
}

pub(crate) fn consent(purpose: Purpose, receiver: Option<&str>, scope: &[Scope]) -> Consent {
    Consent {
        purpose,
        receiver: receiver.map(name),
        scope: scope.iter().copied().collect(),
        wording: 3,
        lang: lang("ht"),
        expires_ms: None,
        by: ConsentBy::Person,
    }
}

pub(crate) fn talk() -> Body {
    Body::ConsentGiven(consent(Purpose::Talk, None, &[]))
}

pub(crate) fn share(receiver: &str) -> Body {
    let scope = [Scope::Needs, Scope::Outcome, Scope::Indicators];
    Body::ConsentGiven(consent(Purpose::ShareService, Some(receiver), &scope))
}

pub(crate) fn share_identity(receiver: &str) -> Body {
    Body::ConsentGiven(consent(Purpose::ShareIdentity, Some(receiver), &[Scope::Identity]))
}

pub(crate) fn waive(purpose: Purpose) -> Body {
    Body::ConsentWaived {
        purpose,
        situation: amparo_core::schema::pack::protocol::ExceptionKind::ImminentDanger,
        legal_basis: Source { document: "synthetic law".into(), place: "art. 1".into(), as_of: None },
        told: true,
    }
}

pub(crate) fn contact(service: &str) -> ContactCopy {
    ContactCopy {
        service: name(service),
        directory: pack("directory"),
        name: Text([(lang("es"), "Refugio sintético".to_owned())].into()),
        channel: Some(ChannelKind::Phone),
        display: Some("+1-555-0100".into()),
        dial: Some("+15550100".into()),
        verified_on: Some("2026-11-01".into()),
        printed_in: Some(2017),
    }
}

pub(crate) fn offer(id: ReferralId, service: &str) -> Body {
    Body::ReferralOffered { referral: id, contact: contact(service) }
}

pub(crate) fn go(id: ReferralId, to: ReferralState) -> Body {
    Body::ReferralMoved { referral: id, to, reason: Some("synthetic reason".into()) }
}

pub(crate) fn outcome() -> (Vec<Outcome>, Hash) {
    (vec![Outcome::Presumed], Hash::of("test", &[b"assessment"]))
}

pub(crate) fn recorded() -> Body {
    let (outcomes, assessment) = outcome();
    Body::OutcomeRecorded { outcomes, assessment }
}

pub(crate) fn closed() -> Body {
    let (outcomes, assessment) = outcome();
    Body::Closed { outcomes, assessment }
}

pub(crate) fn identity() -> Body {
    Body::IdentityGiven { field: IdentityField::Name, value: CANARY.into() }
}

pub(crate) fn scopes(of: &[Scope]) -> BTreeSet<Scope> {
    of.iter().copied().collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}
