//! Letters from agencies.

use amparo_core::device::Level;
use amparo_core::random::SeededEntropy;
use amparo_core::seal::{PublicKey, Signer, write_letter};
use amparo_core::sync::Why;
use amparo_schema::fact::ReferralState;
use amparo_schema::id::{CaseId, ReferralId, ScreeningId};
use amparo_schema::wire::feed::{Entry, FeedId, Note};
use amparo_shell::content::keys::demo_agency_signing_key;

use super::relay::{self, Relay};
use super::{HOUR_MS, World, name, start, talk, world};

fn agency(id: &str) -> Signer {
    Signer::from_seed(&demo_agency_signing_key(id).to_bytes())
}

fn letter_key(world: &World) -> PublicKey {
    Relay::letter_key(&world.device().enrolment_request(&relay::ticket()).unwrap())
}

fn send(world: &World, author: &Signer, note: &Note, seed: u64) {
    let (key, device) = (letter_key(world), world.relay(|relay| relay.device.unwrap().0));
    let letter = write_letter(note, device, &key, author, &SeededEntropy::new(seed)).unwrap();
    world.relay(|relay| relay.publish(FeedId::device(device), &Entry::Letter(letter)));
}

fn answer(referral: ReferralId, state: ReferralState, reason: Option<&str>) -> Note {
    Note::ReferralAnswered { referral, state, reason: reason.map(str::to_owned) }
}

fn follow_up(case: CaseId, from: &str) -> Note {
    Note::FollowUp {
        case,
        screening: None,
        from: name(from),
        text: "synthetic follow-up".into(),
        due_ms: None,
    }
}

/// A closed screening with a referral to a service of the demonstration agency.
fn referred(world: &World) -> (ScreeningId, ReferralId) {
    let device = world.device();
    let id = start(device);
    talk(device, id);
    device.record_outcome(id).unwrap();
    let referral = device.refer(id, &name("cl-sernameg-shelter"), None).unwrap();
    device.close(id).unwrap();
    device.move_referral(id, referral, ReferralState::Sent, None).unwrap();
    (id, referral)
}

fn state(world: &World, id: ScreeningId, referral: ReferralId) -> ReferralState {
    world.device().screening(id).unwrap().screening.referrals.get(referral).unwrap().state
}

#[test]
fn an_answer_moves_its_referral_once_and_the_move_is_sent() {
    let world = world();
    let (id, referral) = referred(&world);
    world.sync();
    send(&world, &agency("demo-agency-chile"), &answer(referral, ReferralState::Accepted, None), 1);
    let report = world.sync();
    assert_eq!((report.entries, state(&world, id, referral)), (1, ReferralState::Accepted));
    assert_eq!(world.level(id), Level::Answered);
    let told = world.custodian(id).iter().filter(|(_, kinds)| kinds.contains(&"referral_moved")).count();
    assert_eq!(told, 2, "sent, and accepted in the same sync");
    // The same again, and one that is not legal from there: nothing.
    send(&world, &agency("demo-agency-chile"), &answer(referral, ReferralState::Accepted, None), 2);
    send(&world, &agency("demo-agency-chile"), &answer(referral, ReferralState::Offered, None), 3);
    world.sync();
    assert_eq!(state(&world, id, referral), ReferralState::Accepted);
    send(&world, &agency("demo-agency-chile"), &answer(referral, ReferralState::Rejected, Some("full")), 4);
    world.sync();
    assert_eq!(state(&world, id, referral), ReferralState::Rejected);
}

/// An answer that comes before the one that it follows, or before the referral was sent, waits for it.
#[test]
fn an_answer_that_comes_too_early_waits() {
    for together in [false, true] {
        let world = world();
        let (id, referral) = referred(&world);
        world.sync();
        send(&world, &agency("demo-agency-chile"), &answer(referral, ReferralState::Done, None), 1);
        if !together {
            world.sync();
            assert_eq!(state(&world, id, referral), ReferralState::Sent);
        }
        send(&world, &agency("demo-agency-chile"), &answer(referral, ReferralState::Accepted, None), 2);
        world.sync();
        assert_eq!(state(&world, id, referral), ReferralState::Done, "{together}");
        assert_eq!(world.level(id), Level::Answered);
    }
}

#[test]
fn an_answer_to_what_was_only_offered_waits_until_it_was_sent_or_is_over() {
    for next in [ReferralState::Sent, ReferralState::Declined] {
        let world = world();
        let device = world.device();
        let id = start(device);
        talk(device, id);
        device.record_outcome(id).unwrap();
        let referral = device.refer(id, &name("cl-sernameg-shelter"), None).unwrap();
        world.sync();
        send(&world, &agency("demo-agency-chile"), &answer(referral, ReferralState::Accepted, None), 1);
        world.sync();
        assert_eq!(state(&world, id, referral), ReferralState::Offered);
        device.move_referral(id, referral, next, None).unwrap();
        world.sync();
        let taken = next == ReferralState::Sent;
        assert_eq!(state(&world, id, referral), if taken { ReferralState::Accepted } else { next });
    }
}

#[test]
fn only_the_agency_that_answers_for_the_service_is_believed() {
    let world = world();
    let (id, referral) = referred(&world);
    let accepted = answer(referral, ReferralState::Accepted, None);
    send(&world, &agency("demo-agency-mexico"), &accepted, 1);
    send(&world, &Signer::from_seed(&[1; 32]), &accepted, 2);
    let case = world.device().screenings().unwrap()[0].case;
    send(&world, &agency("demo-agency-mexico"), &follow_up(case, "demo-agency-chile"), 3);
    let report = world.sync();
    assert_eq!(report.aside, [Why::Stranger, Why::Letter]);
    assert_eq!((state(&world, id, referral), world.level(id)), (ReferralState::Sent, Level::Durable));
    assert_eq!(world.device().sync_state().unwrap().aside, 2);
}

#[test]
fn a_follow_up_finds_its_case_when_what_was_said_is_purged() {
    let world = world();
    let (id, referral) = referred(&world);
    let line = world.device().screenings().unwrap().remove(0);
    world.sync();
    (0..24 * 40).for_each(|_| world.pass_ms(HOUR_MS));
    assert_eq!(world.sync().purged, 1);
    send(&world, &agency("demo-agency-chile"), &follow_up(line.case, "demo-agency-chile"), 1);
    send(&world, &agency("demo-agency-chile"), &follow_up(CaseId([3; 16]), "demo-agency-chile"), 2);
    send(&world, &agency("demo-agency-chile"), &answer(referral, ReferralState::Accepted, None), 3);
    world.sync();
    let follow_ups = world.device().sync_state().unwrap().follow_ups;
    let codes: Vec<Option<String>> = follow_ups.iter().map(|follow_up| follow_up.code.clone()).collect();
    assert_eq!(codes, [None, Some(line.code)], "newest first");
    assert_eq!(world.level(id), Level::Answered);
    assert!(!format!("{follow_ups:?}").contains("synthetic follow-up"));
}
