//! When the view shows who the person is. All persons here are synthetic.

use super::*;

#[test]
fn identity_is_not_shown_after_a_no_and_never_in_debug() {
    let said = Body::IdentityGiven { field: IdentityField::Name, value: "Canario Sintético".into() };
    let shown = see(&[row(1, 1, said.clone())]);
    assert_eq!(shown.identity.len(), 1);
    assert!(!format!("{shown:?}").contains("Canario"));
    let no = row(2, 1, refusal(Purpose::ShareIdentity, Some("refuge")));
    let rows = [row(1, 1, said), no];
    let kept = see(&rows);
    assert_eq!((kept.identity.len(), kept.identity_withheld), (0, 1));
    let other = at(&rows, NOON, &[name("line")].into());
    assert_eq!(other.identity.len(), 1, "the no was for another service");
    assert!(identity_by_law(&rows).is_empty());
    let waived = Body::ConsentWaived {
        purpose: Purpose::ShareIdentity,
        situation: ExceptionKind::ImminentDanger,
        legal_basis: Source { document: "synthetic law".into(), place: "art. 1".into(), as_of: None },
        told: true,
    };
    let by_law = [rows.to_vec(), vec![row(1, 2, waived)]].concat();
    assert_eq!((see(&by_law).identity.len(), identity_by_law(&by_law).len()), (0, 1));
}

/// Whatever speaks against showing who the person is keeps it back; nothing disclosed either way does not.
#[test]
fn identity_waits_while_consent_is_unclear_or_lapsed() {
    let said = row(1, 1, Body::IdentityGiven { field: IdentityField::Name, value: "Canario".into() });
    let given = |counter, receiver, expires_ms| {
        let Body::ConsentGiven(consent) = consent(Purpose::ShareIdentity, receiver, &[Scope::Identity])
        else {
            unreachable!()
        };
        row(1, counter, Body::ConsentGiven(Consent { expires_ms, ..consent }))
    };
    let term = Some(NOON + 5);
    let shown = |more: &[Row], now_ms| {
        let rows = [std::slice::from_ref(&said), more].concat();
        let view = at(&rows, now_ms, &[name("refuge")].into());
        assert_eq!(view.identity.len() as u64 + view.identity_withheld, 1);
        !view.identity.is_empty()
    };
    let refuge = Some("refuge");
    assert!(shown(&[given(2, refuge, None)], NOON));
    assert!(shown(&[given(2, refuge, term)], NOON + 4) && !shown(&[given(2, refuge, term)], NOON + 5));
    assert!(shown(&[given(2, refuge, term), given(3, None, None)], NOON + 5), "another one stands");
    assert!(!shown(&[given(2, refuge, None), newer(1, 4, Compartment::Consent)], NOON));
    assert!(!shown(&[newer(1, 4, Compartment::Consent)], NOON));
    let withdrawn = row(1, 9, Body::ConsentWithdrawn { consent: 7 });
    assert!(!shown(&[given(2, refuge, None), withdrawn.clone()], NOON), "perhaps of this one");
    assert!(shown(&[given(2, refuge, None), withdrawn, given(7, Some("line"), None)], NOON), "of that one");
}
