//! The relay's invariants about feeds and disclosures, each a named test, over the store in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use amparo_hq::relay::RelayError;
use amparo_hq::storage::memory::Memory;
use amparo_schema::limits::{DOWN_BYTES_MAX, FRAME_BYTES_MAX};
use amparo_schema::wire::feed::{Cursor, Entry, FeedId};
use amparo_schema::wire::push::{Frame, Reply};
use amparo_seal::{Signer, write_letter};
use common::{Desk, NOW, Phone, entries, hq, push, sealed_hashes, segment, told, upload};

#[test]
fn i19_what_is_withheld_before_the_desk_kept_it_is_not_given() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let sealed: Vec<_> = (0..3).map(|_| phone.seal()).collect();
    let mut frames: Vec<Frame> = sealed.iter().map(segment).collect();
    frames.extend(sealed.iter().map(|s| phone.give(s, &desk)));
    push(&relay, &mut storage, &frames);
    // Not pulled yet.
    let no = phone.withhold(sealed[0].hash, &desk);
    push(&relay, &mut storage, &[no]);
    // Pulled, but the answer was lost.
    let lost = relay.pull(&mut storage, &desk.ask(desk.cursor, 1_000_000), NOW).unwrap();
    assert_eq!(sealed_hashes(&entries(&lost)), [sealed[1].hash, sealed[2].hash]);
    let no = phone.withhold(sealed[1].hash, &desk);
    push(&relay, &mut storage, &[no]);
    let given = desk.pull(&relay, &mut storage);
    assert_eq!(sealed_hashes(&given), [sealed[2].hash]);
    assert!(given.contains(&Entry::Withdrawn { segment: sealed[1].hash }));
    // Kept, and said so: then the desk is told.
    assert_eq!(desk.pull(&relay, &mut storage), []);
    let no = phone.withhold(sealed[2].hash, &desk);
    push(&relay, &mut storage, &[no]);
    assert_eq!(desk.pull(&relay, &mut storage), [Entry::Withdrawn { segment: sealed[2].hash }]);
    assert_eq!(desk.pull(&relay, &mut storage), []);
    // A desk that lost everything reads from the start and is given nothing of it either.
    let again =
        relay.pull(&mut storage.clone(), &desk.ask(Cursor::start(desk.cursor.feed), 1_000_000), NOW).unwrap();
    assert_eq!(sealed_hashes(&entries(&again)), []);
    // An older disclosure that comes late changes nothing; a later one does.
    push(&relay, &mut storage, &frames);
    assert_eq!(desk.pull(&relay, &mut storage), []);
    let yes = phone.give(&sealed[0], &desk);
    push(&relay, &mut storage, &[yes]);
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut storage)), [sealed[0].hash]);
}

/// Found by a simulated world (seed 8656): what was granted anew in between made the relay forget that the desk had it.
#[test]
fn i19_a_desk_is_told_of_a_withdrawal_whatever_was_said_before_it_came() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let first = phone.seal();
    let yes = phone.give(&first, &desk);
    push(&relay, &mut storage, &[segment(&first), yes]);
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut storage)), [first.hash]);
    let said =
        [phone.withhold(first.hash, &desk), phone.give(&first, &desk), phone.withhold(first.hash, &desk)];
    for frame in said {
        push(&relay, &mut storage, &[frame]);
    }
    assert_eq!(desk.pull(&relay, &mut storage), [Entry::Withdrawn { segment: first.hash }]);
    assert_eq!(desk.pull(&relay, &mut storage), []);
}

/// A pull is not fresh: somebody who caught one says it again, or a desk has a copy that stops halfway.
#[test]
fn i19_a_repeated_pull_does_not_hide_a_withdrawal_from_the_desk() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let sealed = [phone.seal(), phone.seal()];
    let give = sealed.each_ref().map(|one| phone.give(one, &desk));
    push(&relay, &mut storage, &[segment(&sealed[0]), segment(&sealed[1]), give[0].clone(), give[1].clone()]);
    let caught = desk.ask(desk.cursor, 1_000_000);
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut storage)).len(), 2);
    let no = phone.withhold(sealed[0].hash, &desk);
    push(&relay, &mut storage, &[no]);
    // A page that ends before the desk's cursor leaves the cursor as it is.
    let halfway = desk.ask(Cursor::start(desk.cursor.feed), 300);
    let withdrawn = Entry::Withdrawn { segment: sealed[0].hash };
    assert_eq!(entries(&relay.pull(&mut storage, &halfway, NOW).unwrap()), std::slice::from_ref(&withdrawn));
    let mut told = storage.clone();
    assert_eq!(desk.pull(&relay, &mut told), std::slice::from_ref(&withdrawn));
    assert_eq!(desk.pull(&relay, &mut told), []);
    // One that goes further changes what stood there, and the desk reads anew.
    let whole = entries(&relay.pull(&mut storage, &caught, NOW).unwrap());
    assert_eq!(whole.len(), 3);
    assert_eq!(desk.pull(&relay, &mut storage), whole);
    assert_eq!((whole.first(), whole.last()), (Some(&withdrawn), Some(&withdrawn)));
}

#[test]
fn i19_a_withdrawal_that_comes_first_blocks_the_grant_that_comes_later() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let first = phone.seal();
    let (yes, no) = (phone.give(&first, &desk), phone.withhold(first.hash, &desk));
    push(&relay, &mut storage, &[no, yes, segment(&first)]);
    assert_eq!(desk.pull(&relay, &mut storage), []);
    // Another incarnation cannot know which came later: the most restrictive decides.
    phone.incarnation = 5;
    phone.disclosures = 0;
    let yes = phone.give(&first, &desk);
    push(&relay, &mut storage, &[yes]);
    assert_eq!(desk.pull(&relay, &mut storage), []);
}

#[test]
fn another_device_can_neither_give_nor_withhold() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let mut other = Phone::enrolled(4, &relay, &mut storage);
    let first = phone.seal();
    let no = other.withhold(first.hash, &desk);
    let yes = other.give(&first, &desk);
    push(&relay, &mut storage, &[segment(&first), yes]);
    assert_eq!(desk.pull(&relay, &mut storage), []);
    let own = phone.give(&first, &desk);
    push(&relay, &mut storage, &[no, own]);
    assert_eq!(sealed_hashes(&desk.pull(&relay, &mut storage)), [first.hash]);
}

#[test]
fn i22_positions_have_no_gap_and_each_entry_is_seen_once() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phones: Vec<Phone> = (3..6).map(|seed| Phone::enrolled(seed, &relay, &mut storage)).collect();
    let (mut given, mut sent) = (Vec::new(), Vec::new());
    for round in 0..12_u32 {
        for phone in &mut phones {
            let next = phone.seal();
            sent.push(next.hash);
            let frames = [phone.give(&next, &desk), segment(&next)];
            push(&relay, &mut storage, &frames);
        }
        // Every third page is lost on its way; pages are small.
        let page = relay.pull(&mut storage, &desk.ask(desk.cursor, 2_500), NOW).unwrap();
        assert_eq!(page.from, desk.cursor);
        assert!(page.entries.iter().map(|e| e.0.len()).sum::<usize>() <= 2_500);
        if round % 3 != 0 {
            assert_eq!(common::after(&page).read, desk.cursor.read + page.entries.len() as u64);
            desk.cursor = common::after(&page);
            given.extend(sealed_hashes(&entries(&page)));
        }
    }
    loop {
        let more = desk.pull(&relay, &mut storage);
        if more.is_empty() {
            break;
        }
        given.extend(sealed_hashes(&more));
    }
    given.sort();
    sent.sort();
    assert_eq!(given, sent);
    assert_eq!(desk.cursor.read, sent.len() as u64);
}

#[test]
fn i23_a_feed_that_went_back_is_noticed_at_the_next_pull() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let sealed: Vec<_> = (0..3).map(|_| phone.seal()).collect();
    let give: Vec<Frame> = sealed.iter().map(|s| phone.give(s, &desk)).collect();
    push(&relay, &mut storage, &[segment(&sealed[0]), give[0].clone()]);
    desk.pull(&relay, &mut storage);
    let backup = storage.clone();
    push(&relay, &mut storage, &[segment(&sealed[1]), give[1].clone()]);
    desk.pull(&relay, &mut storage);
    let mut storage = backup;
    let page = relay.pull(&mut storage, &desk.ask(desk.cursor, 1_000_000), NOW).unwrap();
    assert_eq!(page.from, Cursor::start(desk.cursor.feed), "shorter than the reader knows");
    push(&relay, &mut storage, &[segment(&sealed[1]), segment(&sealed[2]), give[2].clone()]);
    let page = relay.pull(&mut storage, &desk.ask(desk.cursor, 1_000_000), NOW).unwrap();
    assert_eq!(page.from, Cursor::start(desk.cursor.feed), "as long, but another");
    assert_eq!(sealed_hashes(&entries(&page)), [sealed[0].hash, sealed[2].hash]);
}

#[test]
fn letters_come_from_those_who_are_registered_and_come_once() {
    let (relay, mut storage) = hq();
    let desk = Desk::registered(20, &relay, &mut storage);
    let phone = Phone::enrolled(3, &relay, &mut storage);
    let note = amparo_schema::wire::feed::Note::ReferralAnswered {
        referral: amparo_schema::id::ReferralId([1; 16]),
        state: amparo_schema::fact::ReferralState::Accepted,
        reason: None,
    };
    let write = |author: &Signer| {
        write_letter(&note, phone.device, &phone.letter.public(), author, &phone.entropy).unwrap()
    };
    let letter = write(&desk.signer);
    for _ in 0..2 {
        relay.post(&mut storage, &letter, NOW).unwrap();
        relay.publish(&mut storage, b"a pack", NOW).unwrap();
    }
    assert_eq!(relay.post(&mut storage, &write(&phone.signer), NOW), Err(RelayError::UnknownAuthor));
    let cursors = [FeedId::device(phone.device), FeedId::packs()].map(Cursor::start).to_vec();
    let replies = push(&relay, &mut storage, &[phone.hello(None, cursors)]);
    let down: Vec<Entry> = replies
        .iter()
        .filter_map(|r| if let Reply::Page(page) = r { Some(entries(page)) } else { None })
        .flatten()
        .collect();
    assert_eq!(down, [Entry::Letter(letter), Entry::Pack(b"a pack".to_vec())]);
    let foreign =
        Desk { secret: amparo_seal::SecretKey::new(&[20; 32]), ..Desk::registered(21, &relay, &mut storage) };
    let asked = relay.pull(&mut storage, &foreign.ask(desk.cursor, 10), NOW);
    assert_eq!(asked, Err(RelayError::Signature), "another's key does not open another's feed");
}

/// Whoever took the phone has the key to its letters.
#[test]
fn a_revoked_device_is_given_no_letter_from_before_and_none_is_taken_for_it() {
    let (relay, mut storage) = hq();
    let desk = Desk::registered(20, &relay, &mut storage);
    let phone = Phone::enrolled(3, &relay, &mut storage);
    let note = amparo_schema::wire::feed::Note::FollowUp {
        case: amparo_schema::id::CaseId([1; 16]),
        screening: None,
        from: common::name("agency-a"),
        text: "synthetic".into(),
        due_ms: None,
    };
    let write =
        || write_letter(&note, phone.device, &phone.letter.public(), &desk.signer, &phone.entropy).unwrap();
    let pages = |storage: &mut Memory, cursor| {
        let replies = push(&relay, storage, &[phone.hello(None, vec![cursor])]);
        replies.into_iter().find_map(|r| if let Reply::Page(page) = r { Some(page) } else { None })
    };
    let start = Cursor::start(FeedId::device(phone.device));
    let letters = [write(), write()];
    relay.post(&mut storage, &letters[0], NOW).unwrap();
    let read = common::after(&pages(&mut storage, start).unwrap());
    relay.post(&mut storage, &letters[1], NOW).unwrap();
    let revoked = Entry::Revoked(relay.revoke(&mut storage, phone.device, NOW).unwrap());
    for letter in [&letters[0], &letters[1], &write()] {
        assert_eq!(relay.post(&mut storage, letter, NOW), Err(RelayError::Revoked));
    }
    let rest = pages(&mut storage, read).unwrap();
    assert_eq!(
        (rest.from, entries(&rest)),
        (read, vec![revoked.clone(); 2]),
        "the one that waited, and its own"
    );
    assert_eq!(pages(&mut storage, common::after(&rest)), None, "it has all");
    let again = pages(&mut storage, start).unwrap();
    assert_eq!(entries(&again), vec![revoked; 3], "from the start as well");
    assert_eq!(pages(&mut storage, common::after(&again)), None);
}

#[test]
fn a_page_is_one_reply_and_the_next_goes_on() {
    let (relay, mut storage) = hq();
    let phone = Phone::enrolled(3, &relay, &mut storage);
    let packs: Vec<Vec<u8>> = (0..4_u8).map(|n| vec![n; 2_500_000]).collect();
    packs.iter().for_each(|pack| relay.publish(&mut storage, pack, NOW).unwrap());
    assert_eq!(relay.publish(&mut storage, &vec![0; FRAME_BYTES_MAX], NOW), Err(RelayError::TooLarge));
    let mut cursor = Cursor::start(FeedId::packs());
    let mut given = Vec::new();
    for pages in 0.. {
        let hello = phone.hello_for(None, vec![cursor], u32::MAX);
        let down = relay.exchange(&mut storage, &upload(&[hello]), NOW).unwrap();
        let replies = common::replies(&down);
        let Some(Reply::Page(page)) = replies.get(1) else {
            assert_eq!(pages, 2, "two packs fit a page");
            break;
        };
        assert_eq!(page.head, 4);
        given.extend(entries(page));
        cursor = common::after(page);
    }
    assert_eq!(given, packs.into_iter().map(Entry::Pack).collect::<Vec<_>>());
    // However many call in one exchange, what goes down is bounded.
    let mut many = Phone::enrolled(4, &relay, &mut storage);
    let call = |n| {
        many.incarnation = n;
        many.hello_for(None, vec![Cursor::start(FeedId::packs())], u32::MAX)
    };
    let hellos: Vec<Frame> = (0..12).map(call).collect();
    let down = relay.exchange(&mut storage, &upload(&hellos), NOW).unwrap();
    assert_eq!(common::replies(&down).iter().filter(|r| matches!(r, Reply::Receipt(_))).count(), 12);
    assert!(down.len() < DOWN_BYTES_MAX + 12 * 1_000, "{}", down.len());
}

/// What waits for a person is granted and not delivered; no count says so before.
#[test]
fn what_is_held_back_does_not_count_as_delivered() {
    let (relay, mut storage) = hq();
    let mut desk = Desk::registered(20, &relay, &mut storage);
    let mut phone = Phone::enrolled(3, &relay, &mut storage);
    let start = phone.previous;
    let sealed = [phone.seal(), phone.seal(), phone.seal()];
    let give = [0, 1].map(|n| phone.give(&sealed[n], &desk));
    push(&relay, &mut storage, &sealed.each_ref().map(segment));
    push(&relay, &mut storage, &give[..1]);
    // The first is disputed when it is due; the second when it was given and not kept; for the third nobody waits.
    let other = |phone: &Phone, number: u64, previous| segment(&phone.sealed_at(number, previous, "other"));
    push(&relay, &mut storage, &[other(&phone, 0, start)]);
    assert_eq!(told(&relay, &mut storage, &phone).delivered, 0);
    push(&relay, &mut storage, &give[1..]);
    relay.pull(&mut storage, &desk.ask(desk.cursor, 1_000_000), NOW).unwrap();
    push(&relay, &mut storage, &[other(&phone, 1, sealed[0].hash)]);
    relay.pull(&mut storage, &desk.ask(desk.cursor, 1_000_000), NOW).unwrap();
    assert_eq!(told(&relay, &mut storage, &phone).delivered, 0);
    // A grant that comes while it is held back, and one that is taken back then.
    let mut late = Desk::registered(21, &relay, &mut storage);
    let frames = [phone.give(&sealed[0], &late), phone.withhold(sealed[0].hash, &desk)];
    push(&relay, &mut storage, &frames);
    assert_eq!(told(&relay, &mut storage, &phone).delivered, 0);
    relay.release(&mut storage, phone.device, NOW).unwrap();
    assert_eq!(sealed_hashes(&late.pull(&relay, &mut storage)), [sealed[0].hash]);
    assert_eq!(told(&relay, &mut storage, &phone).delivered, 0, "not kept yet");
    late.pull(&relay, &mut storage);
    assert_eq!(told(&relay, &mut storage, &phone).delivered, 1);
    while !desk.pull(&relay, &mut storage).is_empty() {}
    assert_eq!(told(&relay, &mut storage, &phone).delivered, 3);
}
