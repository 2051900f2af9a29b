//! A consent ends by its own term as well, and with it what rests on it.

use amparo_core::sync::Ended;
use amparo_schema::fact::{Compartment, ReferralState};
use amparo_schema::pack::policy::Purpose;
use amparo_shell::content::keys::demo_agency_secret;

use super::readers::{SERVICE, agency, all_but_identity, compartments, referred};
use super::{HOUR_MS, NOW_MS, Nowhere, World, consent, name, world};

const DAY_MS: i64 = 24 * HOUR_MS;

fn days(world: &World, days: i64) {
    (0..days).for_each(|_| world.pass_ms(DAY_MS));
}

const CASE: [Compartment; 2] = [Compartment::Case, Compartment::Consent];
const ALL: [Compartment; 3] = [Compartment::Identity, Compartment::Case, Compartment::Consent];

/// I19: a grant that was signed and did not leave in time is withheld before it arrives, over any carrier.
#[test]
fn i19_a_grant_that_was_signed_offline_is_void_when_the_consent_has_lapsed() {
    for by_bundle in [false, true] {
        let world = world();
        let device = world.device();
        let (id, ..) = referred(device);
        device.sync(&Nowhere, &()).unwrap();
        days(&world, 89);
        device.sync(&Nowhere, &()).unwrap();
        days(&world, 1);
        if by_bundle {
            let key = super::Relay::letter_key(&device.enrolment_request(&super::relay::ticket()).unwrap());
            for volume in device.export_bundle().unwrap() {
                world.relay(|relay| relay.carry(&volume.bytes, &key));
            }
        } else {
            assert_eq!(world.sync().ended, Ended::Done);
        }
        assert_eq!(world.reads(&agency(), id), [], "{by_bundle}");
        assert_eq!(compartments(&world.custodian(id)), CASE, "{by_bundle}");
        let seen = world.relay(|relay| relay.seen.clone());
        let at = |word: &str| seen.iter().position(|frame| frame.starts_with(word));
        assert!(!by_bundle || at("withholds") < at("grants"), "withdrawals first: {seen:?}");
    }
}

/// I19: what waits at headquarters is withheld when the consent lapses, whether or not the device still knows what
/// was said; what rests on no consent stays.
#[test]
fn i19_what_an_agency_did_not_pull_before_the_consent_lapsed_is_withheld() {
    for purged in [false, true] {
        let world = world();
        let device = world.device();
        let (id, ..) = referred(device);
        world.sync();
        days(&world, 89);
        if purged {
            assert_eq!(world.sync().purged, 1);
        }
        assert_eq!(compartments(&world.reads(&agency(), id)), ALL);
        days(&world, 1);
        world.sync();
        assert_eq!(world.reads(&agency(), id), [], "{purged}");
        assert_eq!(compartments(&world.custodian(id)), CASE, "{purged}");
        assert_eq!(world.sync().exchanges, 1, "once");
        assert_eq!(world.relay(|relay| relay.seen.clone()), ["hello"]);
    }
}

/// A consent that was asked for again goes on to its new term, whether or not the device was asked for disclosures
/// in between. By then the agency has another key.
#[test]
fn a_consent_that_was_given_again_lapses_by_its_new_term() {
    for looked in [false, true] {
        let world = world();
        let device = world.device();
        let (id, ..) = referred(device);
        device.sync(&Nowhere, &()).unwrap();
        days(&world, 60);
        let again = consent(Purpose::ShareService, Some(&name(SERVICE)), &all_but_identity());
        device.consent(id, &again).unwrap();
        if looked {
            device.sync(&Nowhere, &()).unwrap();
        }
        days(&world, 40);
        world.sync();
        let later = demo_agency_secret("demo-agency-chile", "2027");
        assert_eq!(compartments(&world.reads(&later, id)), CASE, "identity was not asked for again");
        assert_eq!(world.reads(&agency(), id).is_empty(), !looked);
        days(&world, 50);
        world.sync();
        assert_eq!((world.reads(&agency(), id), world.reads(&later, id)), (vec![], vec![]));
    }
}

/// A clock in doubt neither lapses a consent nor revives one that has lapsed.
#[test]
fn by_a_clock_in_doubt_no_consent_lapses_and_none_comes_back() {
    let world = world();
    let device = world.device();
    let (id, referral, ..) = referred(device);
    world.relay(|relay| relay.depth = super::relay::Depth::Stored);
    device.sync(&Nowhere, &()).unwrap();
    world.clock.set_wall_ms(NOW_MS + 200 * DAY_MS);
    world.sync();
    assert_eq!(compartments(&world.reads(&agency(), id)), ALL, "jumped: no lapse");
    world.clock.set_wall_ms(NOW_MS);
    days(&world, 91);
    device.sync(&Nowhere, &()).unwrap();
    world.clock.set_wall_ms(NOW_MS + 2 * DAY_MS);
    device.move_referral(id, referral, ReferralState::Accepted, None).unwrap();
    world.sync();
    assert_eq!(world.reads(&agency(), id), [], "not by a clock that was set back");
    assert_eq!(compartments(&world.custodian(id)), CASE);
}
