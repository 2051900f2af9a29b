//! Answers and follow-ups, as the device reads them.

use amparo_hq::desk::view::Who as Told;
use amparo_hq::desk::{Answer, DeskError, FollowUp};
use amparo_schema::fact::{Body, Consent, ReferralState, Scope};
use amparo_schema::id::{CaseId, ReferralId};
use amparo_schema::pack::policy::Purpose;
use amparo_schema::wire::feed::Note;
use amparo_seal::random::SeededEntropy;
use amparo_seal::{VerifyKey, read_letter};

use crate::common::{ARRIVED, DAY, Feed, NOON, Office, Phone, Who, consent, keys, name, offer, office, sent};

const KEY: u8 = 0x0a;
const CASE: CaseId = CaseId([1; 16]);
const REFERRAL: ReferralId = ReferralId([1; 16]);

fn referred() -> (Phone, Office) {
    let mut phone = Phone::new(1);
    let mut facts = Who::woman().facts(1);
    facts.extend([offer(1, "refuge"), sent(1, ReferralState::Sent), offer(2, "refuge")]);
    facts.push(sent(2, ReferralState::Declined));
    let mut office = office(&[KEY]);
    Feed::with(KEY, &[phone.entry_of(KEY, 1, NOON, &facts)]).pull(&mut office.desk, 9);
    (phone, office)
}

fn author() -> VerifyKey {
    keys(&[KEY]).sign.public()
}

#[test]
fn an_answer_reaches_the_device_that_referred() {
    let (phone, mut office) = referred();
    let desk = &mut office.desk;
    let entropy = SeededEntropy::new(5);
    assert_eq!(desk.case(CASE, ARRIVED).unwrap().referrals[0].state, ReferralState::Sent);
    let done = desk.answer(CASE, REFERRAL, &Answer::Done, NOON, &entropy);
    assert!(matches!(done, Err(DeskError::NotAccepted)));
    let letter = desk.answer(CASE, REFERRAL, &Answer::Accepted, NOON + DAY, &entropy).unwrap();
    let note = read_letter(&letter, &author(), phone.id, &phone.letters).unwrap();
    let accepted = ReferralState::Accepted;
    assert_eq!(note, Note::ReferralAnswered { referral: REFERRAL, state: accepted, reason: None });
    let view = desk.case(CASE, ARRIVED).unwrap();
    assert_eq!(view.referrals[0].state, accepted);
    let last = view.referrals[0].moves.last().unwrap();
    assert!(matches!(last.who, Told::ThisDesk { written_ms } if written_ms == NOON + DAY));
    assert_eq!(desk.letters().unwrap(), [letter]);
    desk.answer(CASE, REFERRAL, &Answer::Done, NOON + 2 * DAY, &entropy).unwrap();
    let again = desk.answer(CASE, REFERRAL, &Answer::Accepted, NOON + 3 * DAY, &entropy);
    assert!(matches!(again, Err(DeskError::Over)));
    assert_eq!(desk.letters().unwrap().len(), 2);
}

#[test]
fn a_rejection_says_why_and_a_declined_referral_is_over() {
    let (phone, mut office) = referred();
    let desk = &mut office.desk;
    let entropy = SeededEntropy::new(6);
    for bad in [String::new(), "  ".into(), "x".repeat(281), "a\u{202e}b".into()] {
        let refused = desk.answer(CASE, REFERRAL, &Answer::Rejected { reason: bad }, NOON, &entropy);
        assert!(matches!(refused, Err(DeskError::Words)));
    }
    let over = desk.answer(CASE, ReferralId([2; 16]), &Answer::Accepted, NOON, &entropy);
    assert!(matches!(over, Err(DeskError::Over)), "the person declined");
    let nothing = desk.answer(CASE, ReferralId([3; 16]), &Answer::Accepted, NOON, &entropy);
    assert!(matches!(nothing, Err(DeskError::NoReferral)));
    let reason = "synthetic: no place for children".to_owned();
    let answer = Answer::Rejected { reason: reason.clone() };
    let letter = desk.answer(CASE, REFERRAL, &answer, NOON, &entropy).unwrap();
    let note = read_letter(&letter, &author(), phone.id, &phone.letters).unwrap();
    let state = ReferralState::Rejected;
    assert_eq!(note, Note::ReferralAnswered { referral: REFERRAL, state, reason: Some(reason) });
    assert!(!format!("{answer:?}").contains("children"));
}

/// What another service is asked is not for this desk to answer; and what the device tells of a referral
/// outweighs a letter that the device would not take.
#[test]
fn a_desk_answers_for_its_own_services_and_the_device_has_the_last_word() {
    let mut phone = Phone::new(1);
    let mut facts = Who::woman().facts(1);
    facts.extend([offer(1, "line"), sent(1, ReferralState::Sent)]);
    let mut entries = vec![phone.entry_of(KEY, 1, NOON, &facts)];
    // Of this one the offer was not disclosed, so nobody here knows to whom it went.
    entries.push(phone.entry_of(KEY, 1, NOON, &[sent(2, ReferralState::Sent)]));
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 9);
    let entropy = SeededEntropy::new(8);
    let no = Answer::Rejected { reason: "synthetic: full".into() };
    let refused = office.desk.answer(CASE, REFERRAL, &no, NOON, &entropy);
    assert!(matches!(refused, Err(DeskError::NotOurs)));
    assert_eq!(office.desk.letters().unwrap(), []);

    let other = ReferralId([2; 16]);
    let state = |office: &Office| office.desk.case(CASE, ARRIVED).unwrap().referrals[1].state;
    office.desk.answer(CASE, other, &no, NOON, &entropy).unwrap();
    assert_eq!(state(&office), ReferralState::Rejected);
    entries.push(phone.entry_of(KEY, 1, NOON, &[sent(2, ReferralState::Accepted)]));
    Feed::with(KEY, &entries).pull(&mut office.desk, 9);
    assert_eq!(state(&office), ReferralState::Accepted, "another service's letter was taken");
    office.desk.answer(CASE, other, &Answer::Done, NOON, &entropy).unwrap();
    assert_eq!(state(&office), ReferralState::Done);
}

/// When the consent to share has lapsed the desk reads no more, and so answers no more.
#[test]
fn nothing_is_answered_after_the_consent_lapsed() {
    let mut phone = Phone::new(1);
    let mut facts = Who::woman().facts(1);
    let share = consent(Purpose::ShareService, Some("refuge"), &[Scope::Needs]);
    facts.push(Body::ConsentGiven(Consent { expires_ms: Some(NOON + 90 * DAY), ..share }));
    facts.extend([offer(1, "refuge"), sent(1, ReferralState::Sent)]);
    let mut office = office(&[KEY]);
    Feed::with(KEY, &[phone.entry_of(KEY, 1, NOON, &facts)]).pull(&mut office.desk, 9);
    let entropy = SeededEntropy::new(9);
    let late = office.desk.answer(CASE, REFERRAL, &Answer::Accepted, NOON + 90 * DAY, &entropy);
    assert!(matches!(late, Err(DeskError::NoReferral)));
    office.desk.answer(CASE, REFERRAL, &Answer::Accepted, NOON + 90 * DAY - 1, &entropy).unwrap();
}

#[test]
fn a_follow_up_goes_to_the_device_that_screened() {
    let (phone, mut office) = referred();
    let entropy = SeededEntropy::new(7);
    let asked = FollowUp {
        case: CASE,
        screening: None,
        text: "synthetic: call the refuge back".into(),
        due_ms: Some(NOON + 7 * DAY),
    };
    let letters = office.desk.follow_up(&asked, NOON, &entropy).unwrap();
    assert_eq!(letters.len(), 1);
    let note = read_letter(&letters[0], &author(), phone.id, &phone.letters).unwrap();
    let FollowUp { case, screening, text, due_ms } = asked.clone();
    assert_eq!(note, Note::FollowUp { case, screening, from: name("agency-a"), text, due_ms });
    assert_eq!(office.desk.case(CASE, ARRIVED).unwrap().letters.len(), 1);
    let unknown = FollowUp { case: CaseId([9; 16]), ..asked };
    assert!(matches!(office.desk.follow_up(&unknown, NOON, &entropy), Err(DeskError::NoCase)));
}
