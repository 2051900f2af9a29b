//! Reading feeds to their end from a headquarters that answers as a relay does, and letters that it may lose.

use amparo_hq::desk::{Answer, Desk, DeskError, Failed, FollowUp, Posted, Pulled};
use amparo_schema::fact::ReferralState;
use amparo_schema::id::{CaseId, ReferralId};
use amparo_schema::wire::feed::{Cursor, Entry, Letter, Page};
use amparo_schema::wire::signed::Signed;
use amparo_seal::random::SeededEntropy;
use amparo_seal::{to_bytes, unverified};

use crate::common::{ARRIVED, DAY, Feed, NOON, Phone, Who, offer, office, reading, sent};

const KEY: u8 = 0x0a;

/// Pulls from a headquarters that gives at most `most` entries in a page; how often it was asked.
fn pull(feed: &Feed, desk: &mut Desk, most: usize) -> (Pulled, usize) {
    let (mut pulled, mut asked) = (Pulled::default(), 0);
    let ask = |cursor: Cursor| {
        asked += 1;
        Ok::<_, DeskError>(feed.answer(&cursor, most))
    };
    desk.pull(feed.id, ARRIVED, ask, &mut pulled).unwrap();
    (pulled, asked)
}

/// A restored headquarters does not know the desk's cursor and answers from the start, in pages. The desk gets
/// past all that it has, and what is new after it arrives, a withdrawal above all.
#[test]
fn a_restored_headquarters_is_read_to_its_end() {
    let mut phone = Phone::new(1);
    let sealed: Vec<_> = (1..=6).map(|case| phone.seal(case, NOON, &Who::woman().facts(case))).collect();
    let reader = reading(KEY).public();
    let entries: Vec<Vec<u8>> = sealed.iter().map(|s| to_bytes(&phone.entry(s, &reader)).unwrap()).collect();
    let mut office = office(&[KEY]);
    let before = Feed::with(KEY, &entries);
    assert_eq!(pull(&before, &mut office.desk, 2), (Pulled { segments: 6, ..Pulled::default() }, 4));
    assert_eq!(pull(&before, &mut office.desk, 2).1, 1, "one question when there is nothing new");

    let mut restored = Feed::with(KEY, &entries[..5]);
    let (pulled, asked) = pull(&restored, &mut office.desk, 2);
    assert!(pulled.went_back && asked <= 5, "{asked} questions for three pages");
    let withdrawn = to_bytes(&Entry::Withdrawn { segment: sealed[1].hash }).unwrap();
    restored.entries.extend([withdrawn, entries[5].clone()]);
    let (pulled, _) = pull(&restored, &mut office.desk, 2);
    assert_eq!((pulled.withdrawn, pulled.repeated, pulled.segments), (1, 1, 0));
    let case = |n| office.desk.case(CaseId([n; 16]), ARRIVED).unwrap();
    assert_eq!((case(2).outcomes.len(), case(1).outcomes.len(), case(6).outcomes.len()), (0, 1, 1));
    assert_eq!(office.desk.cursors().unwrap(), [restored.cursor(7)]);
}

/// A headquarters that answers every question with the same page, or with nothing while it has more, is left.
#[test]
fn a_feed_without_an_end_is_left_and_what_came_is_kept() {
    let feed = Feed::with(KEY, &Phone::new(1).screening(KEY, 1, NOON, &Who::woman()));
    let stuck: [fn(&Feed) -> Page; 2] =
        [|feed| feed.page(0, 1), |feed| Page { entries: vec![], ..feed.page(0, 1) }];
    for (page, taken) in stuck.iter().zip([1, 0]) {
        let mut office = office(&[KEY]);
        let (mut pulled, mut asked) = (Pulled::default(), 0);
        let ask = |_| {
            asked += 1;
            assert!(asked < 5, "asked for ever");
            Ok::<_, DeskError>(page(&feed))
        };
        let done = office.desk.pull(feed.id, ARRIVED, ask, &mut pulled);
        assert!(matches!(done, Err(DeskError::NoEnd)));
        assert_eq!((pulled.segments, office.desk.status().unwrap().segments), (taken, taken));
    }
}

fn referred() -> (Feed, crate::common::Office) {
    let mut phone = Phone::new(1);
    let mut facts = Who::woman().facts(1);
    facts.extend([offer(1, "refuge"), sent(1, ReferralState::Sent)]);
    let mut entries = vec![phone.entry_of(KEY, 1, NOON, &facts)];
    entries.extend(phone.screening(KEY, 2, NOON, &Who::woman()));
    let feed = Feed::with(KEY, &entries);
    let mut office = office(&[KEY]);
    pull(&feed, &mut office.desk, 9);
    (feed, office)
}

/// Sends what waits to a headquarters that takes everything; what it took.
fn posted(desk: &mut Desk) -> Vec<Signed<Letter>> {
    let mut took = Vec::new();
    let post = |letter: &Signed<Letter>| {
        took.push(letter.clone());
        Ok::<_, ()>(())
    };
    let Posted { sent, failures } = desk.send(post, |()| Failed::Away).unwrap();
    assert_eq!((sent, failures.len()), (took.len() as u64, 0));
    took
}

/// Headquarters had no time for one letter. What follows from it waits with it, and nothing else does; when
/// headquarters is away, everything waits.
#[test]
fn a_letter_never_overtakes_the_one_that_it_follows() {
    let (_, mut office) = referred();
    let desk = &mut office.desk;
    let entropy = SeededEntropy::new(10);
    let (case, referral) = (CaseId([1; 16]), ReferralId([1; 16]));
    let accepted = desk.answer(case, referral, &Answer::Accepted, NOON, &entropy).unwrap();
    desk.answer(case, referral, &Answer::Done, NOON, &entropy).unwrap();
    let asked = FollowUp { case, screening: None, text: "synthetic: call back".into(), due_ms: None };
    let other = desk.follow_up(&asked, NOON, &entropy).unwrap().remove(0);
    let mut seen = Vec::new();
    let busy = |letter: &Signed<Letter>| {
        seen.push(letter.clone());
        if *letter == accepted { Err("busy") } else { Ok(()) }
    };
    let told = desk.send(busy, |_| Failed::Waits).unwrap();
    let id = unverified(&accepted).unwrap().id;
    assert_eq!(told, Posted { sent: 1, failures: vec![(id, "busy")] });
    assert_eq!(seen, [accepted.clone(), other]);
    let mut asked = 0;
    let away = |_: &Signed<Letter>| {
        asked += 1;
        Err::<(), _>("away")
    };
    assert_eq!(desk.send(away, |_| Failed::Away).unwrap().failures, [(id, "away")]);
    assert_eq!(asked, 1);
    let gone = |letter: &Signed<Letter>| if *letter == accepted { Err("revoked") } else { Ok(()) };
    let told = desk.send(gone, |_| Failed::ForGood).unwrap();
    assert_eq!(told, Posted { sent: 1, failures: vec![(id, "revoked")] });
    assert_eq!(posted(desk), [], "what is never taken is told once");
}

/// The order of letters is that of writing, whatever the clock says, and each waits until it was posted.
#[test]
fn a_clock_that_steps_back_neither_hides_nor_repeats_a_letter() {
    let (_, mut office) = referred();
    let desk = &mut office.desk;
    let entropy = SeededEntropy::new(8);
    let (case, referral) = (CaseId([1; 16]), ReferralId([1; 16]));
    let first = desk.answer(case, referral, &Answer::Accepted, NOON + 5 * DAY, &entropy).unwrap();
    assert_eq!(posted(desk), std::slice::from_ref(&first));
    assert_eq!(posted(desk), []);
    let second = desk.answer(case, referral, &Answer::Done, NOON + DAY, &entropy).unwrap();
    assert_eq!(posted(desk), std::slice::from_ref(&second));
    assert_eq!(desk.letters().unwrap(), [first, second]);
    let view = desk.case(case, ARRIVED).unwrap();
    assert_eq!(view.referrals[0].state, ReferralState::Done, "the last word is the one written last");
    assert!(view.letters[0].written_ms > view.letters[1].written_ms);
}

/// Headquarters that went back may have lost letters: they wait again, once, and by hand whenever asked for.
#[test]
fn letters_wait_again_after_headquarters_went_back() {
    let (feed, mut office) = referred();
    let desk = &mut office.desk;
    let entropy = SeededEntropy::new(9);
    desk.answer(CaseId([1; 16]), ReferralId([1; 16]), &Answer::Accepted, NOON, &entropy).unwrap();
    let post = |desk: &mut Desk| posted(desk).len();
    assert_eq!(post(desk), 1);
    pull(&feed, desk, 9);
    assert_eq!(post(desk), 0);
    let behind = Feed::with(KEY, &feed.entries[..2]);
    pull(&behind, desk, 9);
    assert_eq!(post(desk), 1, "it fell behind");
    pull(&behind, desk, 9);
    assert_eq!(post(desk), 0, "it is still behind, and has the letter by now");
    let mut other = behind;
    other.entries.push(vec![0xff; 9]);
    other.entries.push(feed.entries[2].clone());
    pull(&other, desk, 9);
    assert_eq!(post(desk), 1, "it tells another history");
    desk.post_again().unwrap();
    assert_eq!(post(desk), 1);
}
