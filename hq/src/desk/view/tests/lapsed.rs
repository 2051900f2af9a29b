//! What the view shows of a screening after the consent to share it ended. All persons here are synthetic.

use super::*;

const TERM: i64 = NOON + 90 * DAY;

fn shared(counter: u64, receiver: &str, expires_ms: Option<i64>) -> Row {
    let scope = [Scope::Needs, Scope::Outcome, Scope::Indicators];
    let Body::ConsentGiven(consent) = consent(Purpose::ShareService, Some(receiver), &scope) else {
        unreachable!()
    };
    row(1, counter, Body::ConsentGiven(Consent { expires_ms, ..consent }))
}

/// Answers, outcome and referral of screening 1, with these consents; an answer of screening 2.
fn facts(consents: &[Row]) -> Vec<Row> {
    let said = [
        row(1, 1, opened(ScreeningId([1; 16]), "CL-AP")),
        row(1, 2, answer("a", Value::Yes)),
        row(1, 3, recorded(&[Outcome::Presumed])),
        row(1, 4, offered(1, "refuge")),
        row(1, 5, moved(1, ReferralState::Sent)),
        Row { screening: Some(ScreeningId([2; 16])), ..row(1, 6, answer("b", Value::Yes)) },
    ];
    [&said, consents].concat()
}

/// Whether screening 1 is shown to whoever answers for these services: all of it, or nothing.
fn is_shown(consents: &[Row], now_ms: i64, services: &[&str]) -> bool {
    let services = services.iter().map(|service| name(service)).collect();
    let view = at(&facts(consents), now_ms, &services);
    let (first, second) = (&view.screenings[0], &view.screenings[1]);
    assert_eq!(second.answers.len(), 1, "the other screening has consents of its own");
    assert_eq!(first.consents, at(&facts(consents), NOON, &services).screenings[0].consents, "it says why");
    let shown = (first.answers.len(), view.outcomes.len(), view.referrals.len(), view.hidden);
    assert!(matches!(shown, (1, 1, 1, 0) | (0, 0, 0, 5)), "{shown:?}");
    shown.3 == 0
}

#[test]
fn what_was_shared_is_shown_no_longer_than_it_was_agreed() {
    let once = [shared(10, "refuge", Some(TERM))];
    assert!(is_shown(&once, TERM - 1, &["refuge"]));
    assert!(!is_shown(&once, TERM, &["refuge"]));
    assert!(is_shown(&once, TERM, &[]), "whoever answers for no service reads by its office");
    let renewed = [once[0].clone(), shared(11, "refuge", Some(TERM + DAY))];
    assert!(is_shown(&renewed, TERM, &["refuge"]) && !is_shown(&renewed, TERM + DAY, &["refuge"]));
    let twice = [once[0].clone(), shared(11, "shelter", Some(TERM + DAY))];
    assert!(is_shown(&twice, TERM, &["refuge", "shelter"]), "one of ours may still read");
    assert!(!is_shown(&twice, TERM, &["refuge"]));
    assert!(is_shown(&once, TERM, &["line"]), "of ours nothing was disclosed, either way");
}

#[test]
fn a_no_that_was_disclosed_ends_it_too() {
    let given = shared(10, "refuge", None);
    let no = row(1, 11, refusal(Purpose::ShareService, Some("refuge")));
    assert!(!is_shown(&[given.clone(), no.clone()], NOON, &["refuge"]));
    assert!(is_shown(&[given.clone(), no.clone(), shared(12, "refuge", None)], NOON, &["refuge"]));
    assert!(!is_shown(&[given, row(1, 11, Body::ConsentWithdrawn { consent: 10 })], NOON, &["refuge"]));
    let later = [row(1, 10, refusal(Purpose::ShareService, None)), shared(11, "refuge", None)];
    assert!(is_shown(&later, NOON, &["refuge"]), "asked again after a no to everybody");
}
