//! Consent against a table that is written out here, over every short history.

use std::collections::BTreeSet;

use amparo_core::consent::{Consents, Denied, Ground, State, Subject};
use amparo_core::schema::fact::{Body, ConsentBy, Scope};
use amparo_core::schema::pack::policy::Purpose;

use crate::common::{SCREENING, consent, lang, name, scopes, share, share_identity, waive};

const NOW: i64 = 500;

/// Acts of a history. "Mine" is the service `mine`; "other" another one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Give,
    GiveLapsed,
    GiveNeedsOnly,
    GiveByGuardian,
    GiveOther,
    RefuseMine,
    RefuseOther,
    RefuseAll,
    WithdrawFirstGiven,
    WithdrawOther,
    WithdrawUnknown,
    Waive,
}

const ACTS: [Act; 12] = [
    Act::Give,
    Act::GiveLapsed,
    Act::GiveNeedsOnly,
    Act::GiveByGuardian,
    Act::GiveOther,
    Act::RefuseMine,
    Act::RefuseOther,
    Act::RefuseAll,
    Act::WithdrawFirstGiven,
    Act::WithdrawOther,
    Act::WithdrawUnknown,
    Act::Waive,
];

/// The independent table: what stands after each act, carried forward. An act on
/// another service, or an exception, leaves it as it was.
fn after(standing: &'static str, act: Act) -> &'static str {
    match act {
        Act::Give => "full",
        Act::GiveLapsed => "lapsed",
        Act::GiveNeedsOnly => "needs",
        Act::GiveByGuardian => "guardian",
        Act::RefuseMine | Act::RefuseAll => "refused",
        Act::WithdrawFirstGiven | Act::WithdrawUnknown => "withdrawn",
        Act::GiveOther | Act::RefuseOther | Act::WithdrawOther | Act::Waive => standing,
    }
}

fn state_of(standing: &str) -> State {
    match standing {
        "full" | "needs" | "guardian" => State::Given,
        "lapsed" => State::Expired,
        "refused" => State::Refused,
        "withdrawn" => State::Withdrawn,
        "none" => State::NotAsked,
        other => panic!("{other}"),
    }
}

/// May needs and outcome go to `mine`: rows of the table by standing, columns adult, child.
fn may_share(standing: &str) -> [bool; 2] {
    match standing {
        "full" => [true, false],
        "guardian" => [true, true],
        _ => [false, false],
    }
}

fn body(act: Act, first_given: Option<u64>, other_given: Option<u64>) -> Option<Body> {
    let mut mine =
        consent(Purpose::ShareService, Some("mine"), &[Scope::Needs, Scope::Outcome, Scope::Indicators]);
    let refuse = |receiver: Option<&str>| Body::ConsentRefused {
        purpose: Purpose::ShareService,
        wording: 3,
        lang: lang("es"),
        receiver: receiver.map(name),
    };
    Some(match act {
        Act::Give => Body::ConsentGiven(mine),
        Act::GiveLapsed => {
            mine.expires_ms = Some(NOW);
            Body::ConsentGiven(mine)
        }
        Act::GiveNeedsOnly => {
            mine.scope = scopes(&[Scope::Needs]);
            Body::ConsentGiven(mine)
        }
        Act::GiveByGuardian => {
            mine.by = ConsentBy::Guardian;
            mine.expires_ms = Some(NOW + 1);
            Body::ConsentGiven(mine)
        }
        Act::GiveOther => share("other"),
        Act::RefuseMine => refuse(Some("mine")),
        Act::RefuseOther => refuse(Some("other")),
        Act::RefuseAll => refuse(None),
        Act::WithdrawFirstGiven => Body::ConsentWithdrawn { consent: first_given.unwrap_or(7_777) },
        Act::WithdrawOther => Body::ConsentWithdrawn { consent: other_given? },
        Act::WithdrawUnknown => Body::ConsentWithdrawn { consent: 9_999 },
        Act::Waive => waive(Purpose::ShareService),
    })
}

/// Every history of up to four acts (22,620 of them) against the table.
#[test]
fn every_short_history_follows_the_table() {
    let mut histories: Vec<Vec<Act>> = vec![vec![]];
    let mut last = histories.clone();
    for _ in 0..4 {
        last = last
            .iter()
            .flat_map(|h| ACTS.iter().map(move |a| h.iter().copied().chain([*a]).collect()))
            .collect();
        histories.extend(last.iter().cloned());
    }
    let wanted = scopes(&[Scope::Needs, Scope::Outcome]);
    for history in histories {
        let mut consents = Consents::new(SCREENING);
        let (mut standing, mut waived) = ("none", false);
        let (mut first_given, mut other_given) = (None, None);
        for (counter, act) in (1_u64..).zip(&history) {
            let Some(body) = body(*act, first_given, other_given) else { continue };
            consents.add(counter, &body);
            standing = after(standing, *act);
            waived |= *act == Act::Waive;
            match act {
                Act::Give | Act::GiveLapsed | Act::GiveNeedsOnly | Act::GiveByGuardian => {
                    first_given = first_given.or(Some(counter));
                }
                Act::GiveOther => other_given = Some(counter),
                _ => {}
            }
        }
        let mine = name("mine");
        assert_eq!(
            consents.state(Purpose::ShareService, Some(&mine), NOW),
            state_of(standing),
            "{history:?}"
        );
        for (subject, may) in [Subject::Adult, Subject::Child].into_iter().zip(may_share(standing)) {
            let permit = consents.allows(&wanted, &mine, subject, NOW);
            assert_eq!(permit.is_ok(), may || waived, "{history:?} {subject:?}");
            if let Ok(permit) = permit {
                let by_waiver = matches!(permit.grounds(), [Ground::Waiver(_)]);
                assert_eq!(by_waiver, !may, "an exception is named only where it was needed: {history:?}");
            }
        }
    }
}

#[test]
fn a_withdrawal_ends_every_earlier_consent_of_its_kind_and_a_later_one_counts() {
    let mine = name("mine");
    let state = |bodies: &[Body]| {
        let mut consents = Consents::new(SCREENING);
        (1..).zip(bodies).for_each(|(counter, body)| consents.add(counter, body));
        consents.state(Purpose::ShareService, Some(&mine), NOW)
    };
    let withdraw = |consent| Body::ConsentWithdrawn { consent };
    assert_eq!(state(&[share("mine"), share("mine"), withdraw(2)]), State::Withdrawn);
    assert_eq!(state(&[share("mine"), share("mine"), withdraw(1)]), State::Withdrawn);
    assert_eq!(state(&[share("mine"), withdraw(1), share("mine")]), State::Given);
    // A withdrawal that points forward, or at itself, withdraws all that stands.
    assert_eq!(state(&[share("mine"), withdraw(2)]), State::Withdrawn);
    assert_eq!(state(&[share("mine"), withdraw(3), share("other")]), State::Withdrawn);
}

#[test]
fn identity_needs_its_own_consent_for_this_receiver() {
    let mut consents = Consents::new(SCREENING);
    let mine = name("mine");
    let identity = scopes(&[Scope::Identity]);
    // Even a consent to share that names identity is not the consent to share identity.
    consents.add(1, &Body::ConsentGiven(consent(Purpose::ShareService, Some("mine"), &[Scope::Identity])));
    consents.add(2, &share_identity("other"));
    let denied = Denied::Standing(Purpose::ShareIdentity, State::NotAsked);
    assert_eq!(consents.allows(&identity, &mine, Subject::Adult, NOW), Err(denied));
    consents.add(3, &share_identity("mine"));
    assert!(consents.allows(&identity, &mine, Subject::Adult, NOW).is_ok());
    let denied = Denied::NeedsGuardian(Purpose::ShareIdentity);
    assert_eq!(consents.allows(&identity, &mine, Subject::Child, NOW), Err(denied));
    // A wider wish than the consent is denied whole.
    let wide = scopes(&[Scope::Identity, Scope::Needs]);
    assert_eq!(consents.allows(&wide, &mine, Subject::Adult, NOW), Err(Denied::Scope(Scope::Needs)));
    assert_eq!(consents.allows(&BTreeSet::new(), &mine, Subject::Adult, NOW), Err(Denied::Nothing));
}

/// I35: whatever is added, unless it gives consent or waives it, never widens what may be shared.
#[test]
fn nothing_but_a_consent_or_an_exception_widens() {
    let mine = name("mine");
    let all = [Scope::Needs, Scope::Outcome, Scope::Indicators];
    let open = |consents: &Consents| {
        all.iter().filter(|s| consents.allows(&scopes(&[**s]), &mine, Subject::Adult, NOW).is_ok()).count()
    };
    for a in ACTS {
        for b in ACTS {
            for c in ACTS {
                let mut consents = Consents::new(SCREENING);
                let mut first = None;
                for (counter, act) in [(1, a), (2, b)] {
                    let Some(body) = body(act, first, None) else { continue };
                    consents.add(counter, &body);
                    if matches!(body, Body::ConsentGiven(_)) {
                        first = first.or(Some(counter));
                    }
                }
                let before = open(&consents);
                let Some(body) = body(c, first, None) else { continue };
                consents.add(3, &body);
                if !matches!(body, Body::ConsentGiven(_) | Body::ConsentWaived { .. }) {
                    assert!(open(&consents) <= before, "{a:?} {b:?} {c:?}");
                }
            }
        }
    }
}
