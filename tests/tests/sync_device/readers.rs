//! Who may read what is decided when it is sent.

use amparo_core::device::Device;
use amparo_schema::fact::{Compartment, IdentityField, ReferralState, Scope};
use amparo_schema::id::{ReferralId, ScreeningId};
use amparo_schema::pack::policy::Purpose;
use amparo_shell::content::keys::demo_agency_secret;

use super::{HOUR_MS, closed, consent, name, start, talk, world};

pub(super) const SERVICE: &str = "cl-sernameg-shelter";

pub(super) fn agency() -> [u8; 32] {
    demo_agency_secret("demo-agency-chile", "2026")
}

pub(super) fn all_but_identity() -> [Scope; 3] {
    [Scope::Needs, Scope::Outcome, Scope::Indicators]
}

/// A closed screening, referred to a service with consent to share everything; the referral and the counters of
/// the consents to share the case and identity.
pub(super) fn referred(device: &Device) -> (ScreeningId, ReferralId, u64, u64) {
    let id = start(device);
    talk(device, id);
    device.record_outcome(id).unwrap();
    let service = name(SERVICE);
    let referral = device.refer(id, &service, None).unwrap();
    let case =
        device.consent(id, &consent(Purpose::ShareService, Some(&service), &all_but_identity())).unwrap();
    let identity =
        device.consent(id, &consent(Purpose::ShareIdentity, Some(&service), &[Scope::Identity])).unwrap();
    device.give_identity(id, IdentityField::Name, "Synthetic Person 0003".into()).unwrap();
    device.close(id).unwrap();
    device.move_referral(id, referral, ReferralState::Sent, None).unwrap();
    (id, referral, case, identity)
}

pub(super) fn compartments(read: &[(Vec<Compartment>, Vec<&'static str>)]) -> Vec<Compartment> {
    let mut compartments: Vec<_> = read.iter().flat_map(|(compartments, _)| compartments.clone()).collect();
    compartments.sort_unstable();
    compartments.dedup();
    compartments
}

#[test]
fn an_agency_reads_what_was_agreed_to_and_each_reader_for_itself() {
    let world = world();
    let (id, ..) = referred(world.device());
    world.sync();
    let all = [Compartment::Identity, Compartment::Case, Compartment::Consent];
    assert_eq!(compartments(&world.reads(&agency(), id)), all);
    assert_eq!(compartments(&world.custodian(id)), all);
    assert_eq!(world.reads(&demo_agency_secret("demo-agency-mexico", "2026"), id), []);
}

/// I19: after a withdrawal on the device no grant in its scope is made, even for what was sealed before it.
#[test]
fn i19_no_grant_is_made_after_a_withdrawal() {
    let world = world();
    let device = world.device();
    let (id, _, case, identity) = referred(device);
    device.withdraw_consent(id, identity).unwrap();
    device.withdraw_consent(id, case).unwrap();
    world.sync();
    assert_eq!(world.reads(&agency(), id), [], "never sent, never given");
    let custodian = world.custodian(id);
    assert_eq!(compartments(&custodian), [Compartment::Case, Compartment::Consent]);
    assert!(custodian.iter().any(|(_, kinds)| kinds.contains(&"consent_withdrawn")));
}

/// I19: a withdrawal after transmission withholds what was not delivered yet; a later consent gives again.
#[test]
fn i19_a_withdrawal_withholds_what_was_given() {
    let world = world();
    let device = world.device();
    let (id, _, case, identity) = referred(device);
    world.sync();
    device.withdraw_consent(id, identity).unwrap();
    world.sync();
    assert_eq!(world.relay(|relay| relay.seen.len()), 4, "hello, withheld, granted, segment");
    assert_eq!(compartments(&world.reads(&agency(), id)), [Compartment::Case, Compartment::Consent]);
    assert_eq!(compartments(&world.custodian(id)), [Compartment::Case, Compartment::Consent]);
    device.withdraw_consent(id, case).unwrap();
    world.sync();
    assert_eq!(world.reads(&agency(), id), []);
    device.consent(id, &consent(Purpose::ShareService, Some(&name(SERVICE)), &all_but_identity())).unwrap();
    world.sync();
    assert_eq!(compartments(&world.reads(&agency(), id)), [Compartment::Case, Compartment::Consent]);
}

/// I19: the right to withdraw outlives what was said on the device.
#[test]
fn i19_a_withdrawal_after_the_purge_withholds_every_reader() {
    let world = world();
    let device = world.device();
    let (id, ..) = referred(device);
    world.sync();
    (0..24 * 40).for_each(|_| world.pass_ms(HOUR_MS));
    assert_eq!(world.sync().purged, 1);
    assert_eq!(compartments(&world.reads(&agency(), id)).len(), 3);
    device.withdraw_consent(id, 0).unwrap();
    world.sync();
    assert_eq!(world.reads(&agency(), id), []);
    assert_eq!(world.custodian(id), [(vec![Compartment::Consent], vec!["consent_withdrawn"])]);
    assert!(matches!(device.screening(id), Err(amparo_core::device::Error::Purged)));
    assert!(device.verify().unwrap().is_whole());
}

#[test]
fn a_referral_that_is_taken_back_ends_what_the_agency_may_be_given() {
    let world = world();
    let device = world.device();
    let (id, referral, ..) = referred(device);
    world.sync();
    let why = Some("synthetic reason".to_owned());
    device.move_referral(id, referral, ReferralState::Revoked, why).unwrap();
    world.sync();
    assert_eq!(world.reads(&agency(), id), []);
}

/// I19: with the consent to store taken back, nothing that was sealed before it is ever given to anyone.
#[test]
fn i19_a_consent_to_store_taken_back_before_transmission_leaves_the_withdrawal_alone() {
    for sent_before in [false, true] {
        let world = world();
        let device = world.device();
        let id = start(device);
        let store = talk(device, id);
        device.close(id).unwrap();
        if sent_before {
            world.sync();
            assert_eq!(world.custodian(id).len(), 1);
        }
        device.withdraw_consent(id, store).unwrap();
        world.sync();
        assert_eq!(
            world.custodian(id),
            [(vec![Compartment::Consent], vec!["consent_withdrawn"])],
            "{sent_before}"
        );
    }
}

#[test]
fn the_audit_is_sealed_in_batches_and_oversight_reads_nothing_else() {
    let world = world();
    let device = world.device();
    let oversight = || {
        let secret = amparo_core::seal::SecretKey::new(&demo_agency_secret("demo-oversight", "2026"));
        world.relay(|relay| relay.readable(&secret))
    };
    world.sync();
    let first = oversight();
    assert_eq!((first.len(), super::compartments(&first[0])), (1, vec![Compartment::Audit]));
    let kinds = super::kinds(&first[0]);
    assert_eq!((kinds[0], kinds[1]), ("incarnation_begun", "pack_installed"));
    for _ in 0..9 {
        closed(device);
    }
    world.sync();
    assert_eq!(oversight().len(), 1, "nothing happened to the store");
    world.pass_ms(25 * HOUR_MS);
    world.sync();
    assert_eq!(oversight().len(), 1, "nothing happened to the store, a day later");
}
