//! Referrals against the table of moves, written out.

use amparo_core::referral::{BadMove, NoCopy, copy, is_open};
use amparo_core::schema::fact::{Body, ReferralState};
use amparo_core::schema::pack::directory::{
    Channel, ChannelKind, Features, Hours, Known, Service, ServiceKind, ServiceStatus, Takes,
};
use amparo_core::schema::person::Country;
use amparo_core::schema::text::{Review, Text};
use amparo_core::screening::{Refused, allow};

use crate::common::{REFERRAL, go, lang, name, offer, pack, screening};

use ReferralState::{Accepted, Declined, Done, Offered, Overdue, Rejected, Revoked, Sent};

const STATES: [ReferralState; 8] = [Offered, Declined, Sent, Accepted, Rejected, Done, Revoked, Overdue];

/// Rows from, columns to, in the order of [`STATES`].
const MOVES: [&str; 8] = [
    ". y y . . . y .", // offered
    ". . . . . . . .", // declined
    ". . . y y . y y", // sent
    ". . . . y y y .", // accepted
    ". . . . . . . .", // rejected
    ". . . . . . . .", // done
    ". . . . . . . .", // revoked
    ". . y y y . y .", // overdue
];

fn path(to: ReferralState) -> Vec<ReferralState> {
    match to {
        Offered => vec![],
        Declined => vec![Declined],
        Sent => vec![Sent],
        Accepted => vec![Sent, Accepted],
        Rejected => vec![Sent, Rejected],
        Done => vec![Sent, Accepted, Done],
        Revoked => vec![Revoked],
        Overdue => vec![Sent, Overdue],
    }
}

#[test]
fn moves_follow_the_table() {
    for (row, from) in MOVES.iter().zip(STATES) {
        let mut facts = vec![offer(REFERRAL, "mine")];
        facts.extend(path(from).into_iter().map(|to| go(REFERRAL, to)));
        let screening = screening(&facts);
        assert_eq!(screening.referrals.get(REFERRAL).unwrap().state, from);
        assert_eq!(is_open(from), row.contains('y'));
        for (cell, to) in row.split(' ').zip(STATES) {
            let expected =
                if cell == "y" { Ok(()) } else { Err(Refused::Referral(BadMove::NotLegal { from, to })) };
            assert_eq!(allow(&screening, &go(REFERRAL, to), 0), expected, "{from:?} to {to:?}");
        }
    }
}

#[test]
fn a_rejection_or_revocation_says_why() {
    let sent = screening(&[offer(REFERRAL, "mine"), go(REFERRAL, Sent)]);
    for to in [Rejected, Revoked, Accepted] {
        for (reason, fine) in [(None, false), (Some("  "), false), (Some("full"), true)] {
            let body = Body::ReferralMoved { referral: REFERRAL, to, reason: reason.map(str::to_owned) };
            let expected = if fine || to == Accepted { Ok(()) } else { Err(BadMove::NoReason(to).into()) };
            assert_eq!(allow(&sent, &body, 0), expected, "{to:?} {reason:?}");
        }
        let body = Body::ReferralMoved { referral: REFERRAL, to, reason: Some("ñ".repeat(281)) };
        assert_eq!(allow(&sent, &body, 0), Err(BadMove::LongReason.into()));
    }
}

fn channel(display: &str, do_not_dial: bool) -> Channel {
    Channel {
        kind: ChannelKind::Phone,
        display: Some(display.into()),
        dial: Some("5550101".into()),
        e164: None,
        e164_basis: None,
        from_abroad: Known::Unknown,
        do_not_dial,
    }
}

fn service() -> Service {
    Service {
        id: name("mine"),
        country: Country::new("CL").unwrap(),
        areas: [].into(),
        places: vec![],
        name: Text([(lang("es"), "Línea sintética".to_owned())].into()),
        organisation: None,
        kind: ServiceKind::DedicatedLine,
        channels: vec![channel("555-0101", false), channel("555-0102", true)],
        takes: Takes::default(),
        languages: [].into(),
        hours: Hours::Always,
        features: Features::default(),
        capacity: None,
        status: ServiceStatus::Current,
        printed_in: Some(2017),
        verified_on: None,
        issues: vec![],
        remark: None,
        sources: vec![],
        review: Review::Unverified,
    }
}

#[test]
fn a_contact_is_copied_and_a_wrong_number_is_not() {
    let directory = pack("directory");
    let copied = copy(&service(), Some(0), &directory).unwrap();
    assert_eq!(copied.display.as_deref(), Some("555-0101"));
    assert_eq!((copied.verified_on, copied.printed_in), (None, Some(2017)));
    assert_eq!(copied.directory, directory);
    assert_eq!(copy(&service(), None, &directory).unwrap().dial, None);
    assert_eq!(copy(&service(), Some(1), &directory), Err(NoCopy::DoNotDial(1)));
    assert_eq!(copy(&service(), Some(2), &directory), Err(NoCopy::NoChannel(2)));
    for status in [ServiceStatus::Withheld, ServiceStatus::Superseded { by: None }] {
        assert_eq!(copy(&Service { status, ..service() }, Some(0), &directory), Err(NoCopy::NotOffered));
    }
}
