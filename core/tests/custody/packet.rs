//! Packets and cards: nothing leaves beyond the permit, and identity never without its own consent.

use std::collections::{BTreeMap, BTreeSet};

use amparo_core::consent::{Denied, State};
use amparo_core::packet::card::{NoCard, Verified, card};
use amparo_core::packet::{Class, Inputs, NoPacket, build, open, seal_for};
use amparo_core::random::SeededEntropy;
use amparo_core::schema::fact::{Body, IdentityField, ReferralState, Scope};
use amparo_core::schema::id::{ReferralId, ScreeningId};
use amparo_core::schema::name::Name;
use amparo_core::schema::outcome::Outcome;
use amparo_core::schema::pack::directory::Hours;
use amparo_core::schema::pack::policy::Purpose;
use amparo_core::schema::person::Person;
use amparo_core::screening::{NoPermit, Screening};
use amparo_core::seal::{OpenError, SecretKey};

use crate::common::{
    CANARY, REFERRAL, adult, consent, fact, gate_passed, go, lang, name, offer, opening, scopes, screening,
    share, share_identity, stamp, talk, waive,
};

const ALL: [Scope; 4] = [Scope::Needs, Scope::Outcome, Scope::Indicators, Scope::Identity];

struct World {
    person: Person,
    indicators: BTreeSet<Name>,
    identity: BTreeMap<IdentityField, String>,
}

impl World {
    fn new() -> Self {
        Self {
            person: Person { languages: [lang("ht")].into(), children_along: Some(2), ..Person::default() },
            indicators: [name("ex01")].into(),
            identity: [(IdentityField::Name, CANARY.to_owned())].into(),
        }
    }

    fn inputs(&self, now: i64) -> Inputs<'_> {
        Inputs {
            case_code: "7KQ2M-9XW4T",
            person: &self.person,
            outcomes: &Outcome::ALL,
            indicators: &self.indicators,
            identity: &self.identity,
            made_at: stamp(now),
        }
    }
}

fn facts(more: &[Body]) -> Vec<Body> {
    [vec![adult(), talk(), gate_passed(), offer(REFERRAL, "mine")], more.to_vec()].concat()
}

/// Every scope: a field is there exactly when it was permitted, and the canary only with identity.
#[test]
fn a_packet_holds_what_is_permitted_and_no_more() {
    let world = World::new();
    let screening = screening(&facts(&[share("mine"), share_identity("mine")]));
    for bits in 1_u8..16 {
        let scope: BTreeSet<Scope> =
            ALL.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, s)| *s).collect();
        let permit = screening.permit(REFERRAL, &scope, 2_000).unwrap();
        let packet = build(&screening, REFERRAL, &permit, &world.inputs(2_000)).unwrap();
        let json = serde_json::to_string(&packet).unwrap();
        let has = |s| scope.contains(&s);
        assert_eq!(packet.needs.is_some(), has(Scope::Needs));
        assert_eq!(packet.outcomes.is_some(), has(Scope::Outcome));
        assert_eq!(packet.indicators.is_some(), has(Scope::Indicators));
        assert_eq!(packet.identity.is_some(), has(Scope::Identity));
        assert_eq!(json.contains(CANARY), has(Scope::Identity));
        assert_eq!(json.contains("ex01"), has(Scope::Indicators));
        assert!(!format!("{packet:?}{:?}", packet.identity).contains(CANARY));
        assert_eq!((packet.scope, packet.grounds.len()), (scope, permit.grounds().len()));
        assert!(!json.contains("CL-AP"), "no place more exact than country and post");
    }
}

/// The one way to identity is a permit for it; without the consent there is none, whatever else was given.
#[test]
fn identity_is_never_reached_without_its_consent() {
    let world = World::new();
    for more in [
        vec![],
        vec![share("mine")],
        vec![share("mine"), share_identity("other")],
        vec![share("mine"), share_identity("mine"), Body::ConsentWithdrawn { consent: 7 }],
        vec![share("mine"), waive(Purpose::ShareService)],
    ] {
        let screening = screening(&facts(&more));
        assert!(screening.permit(REFERRAL, &scopes(&ALL), 2_000).is_err());
        assert!(screening.permit(REFERRAL, &scopes(&[Scope::Identity]), 2_000).is_err());
        let permit = screening.permit(REFERRAL, &scopes(&[Scope::Needs]), 2_000);
        if let Ok(permit) = permit {
            let packet = build(&screening, REFERRAL, &permit, &world.inputs(2_000)).unwrap();
            assert!(!serde_json::to_string(&packet).unwrap().contains(CANARY));
        }
    }
}

#[test]
fn an_exception_is_named_with_its_law() {
    let world = World::new();
    let screening = screening(&facts(&[waive(Purpose::ShareIdentity), waive(Purpose::ShareService)]));
    let permit = screening.permit(REFERRAL, &scopes(&ALL), 2_000).unwrap();
    let packet = build(&screening, REFERRAL, &permit, &world.inputs(2_000)).unwrap();
    let json = serde_json::to_value(&packet).unwrap();
    let laws: Vec<_> = json["grounds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| (&g["waiver"]["legal_basis"]["document"], &g["waiver"]["situation"], &g["waiver"]["told"]))
        .collect();
    assert_eq!(laws.len(), 2);
    for (law, situation, told) in laws {
        assert_eq!((law, situation), (&"synthetic law".into(), &"imminent_danger".into()));
        assert_eq!(told, &true);
    }
}

#[test]
fn a_permit_dies_with_what_it_rests_on() {
    let world = World::new();
    let mut lapsing = consent(Purpose::ShareService, Some("mine"), &ALL[..3]);
    lapsing.expires_ms = Some(3_000);
    let before = facts(&[Body::ConsentGiven(lapsing), offer(ReferralId([2; 16]), "other"), share("other")]);
    let open = screening(&before);
    let needs = scopes(&[Scope::Needs]);
    let permit = open.permit(REFERRAL, &needs, 2_000).unwrap();
    let made = |screening: &Screening, referral, now| {
        build(screening, referral, &permit, &world.inputs(now)).map(|_| ())
    };
    assert_eq!(made(&open, REFERRAL, 2_999), Ok(()));
    assert_eq!(made(&open, REFERRAL, 3_000), Err(NoPacket::Permit), "lapsed");
    assert_eq!(made(&open, ReferralId([2; 16]), 2_000), Err(NoPacket::Permit), "another receiver");
    assert_eq!(made(&open, ReferralId([3; 16]), 2_000), Err(NoPacket::NoReferral));
    let with = |body: Body| screening(&[before.clone(), vec![body]].concat());
    let withdrawn = with(Body::ConsentWithdrawn { consent: 6 });
    assert_eq!(made(&withdrawn, REFERRAL, 2_000), Err(NoPacket::Permit));
    let standing = Denied::Standing(Purpose::ShareService, State::Withdrawn);
    assert_eq!(withdrawn.permit(REFERRAL, &needs, 2_000), Err(NoPermit::Denied(standing)));
    let declined = with(go(REFERRAL, ReferralState::Declined));
    assert_eq!(made(&declined, REFERRAL, 2_000), Err(NoPacket::Ended(ReferralState::Declined)));
    // The same facts in another screening: the permit is not for it.
    let other = (1..).zip(std::iter::once(opening()).chain(before.clone())).map(|(counter, body)| {
        let body = match body {
            Body::ScreeningOpened { case, packs, place, lang, .. } => {
                Body::ScreeningOpened { case, screening: ScreeningId([7; 16]), packs, place, lang }
            }
            body => body,
        };
        fact(counter, body)
    });
    assert_eq!(made(&Screening::from_facts(other).unwrap(), REFERRAL, 2_000), Err(NoPacket::Permit));
}

#[test]
fn exports_say_at_most_possible() {
    let words = serde_json::to_string(&Outcome::ALL.map(Class::from)).unwrap();
    assert!(words.contains("\"possible\""));
    for never in ["presumed", "victim", "score", "probab", "credib", "suspect"] {
        assert!(!words.contains(never), "{never}");
    }
    let distinct: BTreeSet<Class> = Outcome::ALL.into_iter().map(Class::from).collect();
    assert_eq!(distinct.len(), Outcome::ALL.len());
}

#[test]
fn a_sealed_packet_opens_for_its_service_alone() {
    let world = World::new();
    let screening = screening(&facts(&[share("mine"), share_identity("mine")]));
    let permit = screening.permit(REFERRAL, &scopes(&ALL), 2_000).unwrap();
    let packet = build(&screening, REFERRAL, &permit, &world.inputs(2_000)).unwrap();
    let (mine, other) = (SecretKey::new(&[5; 32]), SecretKey::new(&[6; 32]));
    let sealed = seal_for(&packet, &mine.public(), &SeededEntropy::new(1)).unwrap();
    assert_eq!(open(&sealed, &mine).as_ref(), Ok(&packet));
    assert_eq!(open(&sealed, &other), Err(OpenError::Recipient));
    assert!(!sealed.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()));
    for i in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[i] ^= 1 << (i % 8);
        assert!(open(&flipped, &mine).is_err(), "byte {i}");
        assert!(open(&sealed[..i], &mine).is_err(), "cut at {i}");
    }
    // A packet with one more letter is as long, but for the bucket: the length tells little.
    let mut longer = packet.clone();
    longer.case_code.push('X');
    let again = seal_for(&longer, &mine.public(), &SeededEntropy::new(1)).unwrap();
    assert_eq!((again.len() as i64 - sealed.len() as i64) % 128, 0);
}

/// A child's own word does not open a packet; an unknown age is a child's.
#[test]
fn a_child_needs_guardian_or_authority() {
    let unknown_age = screening(&[offer(REFERRAL, "mine"), share("mine")]);
    let denied = Denied::NeedsGuardian(Purpose::ShareService);
    let needs = scopes(&[Scope::Needs]);
    assert_eq!(unknown_age.permit(REFERRAL, &needs, 0), Err(NoPermit::Denied(denied)));
    let mut by_authority = consent(Purpose::ShareService, Some("mine"), &[Scope::Needs]);
    by_authority.by = amparo_core::schema::fact::ConsentBy::Authority;
    let consented = screening(&[offer(REFERRAL, "mine"), Body::ConsentGiven(by_authority)]);
    assert!(consented.permit(REFERRAL, &needs, 0).is_ok());
}

#[test]
fn a_card_names_the_contact_and_nothing_of_the_person() {
    let all = facts(&[share("mine"), share_identity("mine"), crate::common::identity()]);
    let screening = screening(&all);
    let today = "2026-11-21".parse().unwrap();
    let made =
        |id, screening: &Screening| card(screening, id, "nube-puente-47", &Hours::Always, today, &lang("ht"));
    let card = made(REFERRAL, &screening).unwrap();
    assert_eq!(card.display.as_deref(), Some("+1-555-0100"));
    assert_eq!((card.verified, card.fallback), (Verified::DaysAgo(20), true));
    let json = serde_json::to_string(&card).unwrap();
    for never in [CANARY, "post-1", "CL", "7KQ2M", "border", "presumed", "2026"] {
        assert!(!json.contains(never), "{never}");
    }
    assert_eq!(made(ReferralId([8; 16]), &screening), Err(NoCard::NoReferral));
    let revoked = crate::common::screening(&[all, vec![go(REFERRAL, ReferralState::Revoked)]].concat());
    assert_eq!(made(REFERRAL, &revoked), Err(NoCard::Revoked));
}
