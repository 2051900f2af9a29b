//! A refusal or a withdrawal never gives anyone a key.

use amparo_core::recipient::{About, Known, readers};
use amparo_core::schema::answer::{Mode, Value};
use amparo_core::schema::fact::{Body, ConsentBy, Doubt, Fact, ReferralState as R, Scope, Stamp};
use amparo_core::schema::id::ReferralId;
use amparo_core::schema::pack::policy::Purpose;
use amparo_core::screening::Screening;
use proptest::prelude::*;

use crate::common::{REFERRAL, adult, answer, go, offer, opening, stamp, waive};
use crate::recipient::{COMPARTMENTS, FULL, NOW_MS, given, known, pack, refused, withdrawn};

fn service() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("mine")), Just(Some("other"))]
}

fn purpose() -> impl Strategy<Value = Purpose> {
    prop_oneof![Just(Purpose::ShareService), Just(Purpose::ShareIdentity), Just(Purpose::Store)]
}

fn a_no() -> impl Strategy<Value = Body> {
    prop_oneof![
        (purpose(), service()).prop_map(|(purpose, service)| refused(purpose, service)),
        (1_usize..20).prop_map(withdrawn),
    ]
}

fn any_act() -> impl Strategy<Value = Body> {
    let by = prop_oneof![Just(ConsentBy::Person), Just(ConsentBy::Guardian)];
    let scope = prop_oneof![Just(&FULL[..]), Just(&FULL[1..]), Just(&[Scope::Identity][..])];
    let consent = (purpose(), service(), scope, by, any::<bool>())
        .prop_map(|(purpose, service, scope, by, lapses)| given(purpose, service, scope, by, lapses));
    prop_oneof![
        4 => consent,
        1 => a_no(),
        1 => purpose().prop_map(waive),
        1 => Just(answer("q1", Mode::Ask, Value::Yes)),
        1 => Just(adult()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_refusal_or_withdrawal_never_widens(
        acts in prop::collection::vec((any_act(), any::<bool>()), 0..14),
        no in a_no(),
        no_in_doubt in any::<bool>(),
        now_ms in 2_000_i64..NOW_MS,
        now_in_doubt in any::<bool>(),
    ) {
        let pack = pack();
        let mut bodies = vec![(opening(), false)];
        // Both are referred to, so that consent alone decides; full consents to begin with, so that something
        // can be lost.
        for (id, service) in [(REFERRAL, "mine"), (ReferralId([2; 16]), "other")] {
            bodies.extend([(offer(id, service), false), (go(id, R::Sent), false)]);
            let by = ConsentBy::Authority;
            bodies.push((given(Purpose::ShareService, Some(service), &FULL, by, false), false));
            bodies.push((given(Purpose::ShareIdentity, Some(service), &[Scope::Identity], by, false), false));
        }
        bodies.extend(acts);
        bodies.push((no, no_in_doubt));
        let facts: Vec<_> = (1..)
            .zip(bodies)
            .map(|(counter, (body, doubt))| {
                let at = stamp(1_000 + i64::try_from(counter).unwrap());
                (counter, Fact { at: Stamp { doubt: doubt.then_some(Doubt::Jumped), ..at }, body })
            })
            .collect();
        let before = Screening::from_facts(facts[..facts.len() - 1].iter().cloned()).unwrap();
        let after = Screening::from_facts(facts).unwrap();
        let doubt = now_in_doubt.then_some(Doubt::Backwards);
        let known = Known { at: Stamp { doubt, ..stamp(now_ms) }, ..known(Some(&pack), false) };
        for (word, compartment) in COMPARTMENTS {
            let before = readers(compartment, About::Screening(&before), &known);
            let after = readers(compartment, About::Screening(&after), &known);
            prop_assert!(after.keep.is_subset(&before.keep), "{}", word);
            prop_assert!(after.grant.iter().all(|(id, key)| before.grant.get(id) == Some(key)), "{}", word);
        }
    }
}
