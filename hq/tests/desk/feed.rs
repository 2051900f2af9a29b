//! Following a feed: I2, I34 end to end, gaps, rollback, forks, poison, withdrawal.

use amparo_hq::desk::report::Rules;
use amparo_hq::desk::view::Standing;
use amparo_hq::desk::{Desk, DeskError};
use amparo_schema::answer::Value;
use amparo_schema::fact::{Body, IdentityField};
use amparo_schema::id::{CaseId, Hash};
use amparo_schema::limits::SEGMENT_EVENTS_MAX;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::wire::feed::{Entry, FeedId};
use amparo_seal::secret::Key;
use amparo_seal::to_bytes;
use proptest::prelude::*;

use crate::common::{ARRIVED, Feed, NOON, Office, Phone, Who, consent, office, open, reading, shown};

const KEY: u8 = 0x0a;

fn people(n: u8) -> Vec<Vec<u8>> {
    let mut phones = [Phone::new(1), Phone::new(2)];
    (1..=n).flat_map(|i| phones[usize::from(i % 2)].screening(KEY, i, NOON, &Who::woman())).collect()
}

/// I2: pages twice, out of order, cut anywhere, and a headquarters that lost entries or has them in another
/// order: every segment counts once, and what is shown is what one straight reading shows. I34, end to end.
#[test]
fn i2_every_fact_is_there_once() {
    let entries = people(4);
    let mut straight = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut straight.desk, 100);
    let expected = shown(&straight.desk);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(16));
    let plan = (
        Just(entries.clone()).prop_shuffle(),
        proptest::collection::vec((0..8_usize, 0..8_usize), 0..8),
        0..8_usize,
        1..5_usize,
    );
    runner
        .run(&plan, |(order, pages, lost, most)| {
            let mut office = office(&[KEY]);
            let first = Feed::with(KEY, &order);
            for (a, b) in pages {
                office.desk.take(&first.page(a.min(b), a.max(b)), ARRIVED).unwrap();
            }
            first.pull(&mut office.desk, most);
            // Headquarters comes back from a backup with `lost` entries fewer, then gets all again, repeats
            // some, and ends in another order.
            let mut again: Vec<Vec<u8>> = order[..order.len() - lost].to_vec();
            again.extend(entries.iter().cloned());
            Feed::with(KEY, &again).pull(&mut office.desk, most);
            prop_assert_eq!(shown(&office.desk), expected.clone());
            let status = office.desk.status().unwrap();
            prop_assert_eq!((status.segments, status.aside.len()), (8, 0));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_gap_is_noticed_and_nothing_is_taken() {
    let feed = Feed::with(KEY, &people(2));
    let mut office = office(&[KEY]);
    let taken = office.desk.take(&feed.page(2, 4), NOON).unwrap();
    assert!(taken.gap && taken.more && taken.segments == 0);
    assert_eq!(office.desk.cursors().unwrap(), [feed.cursor(0)]);
    feed.pull(&mut office.desk, 1);
    assert_eq!(office.desk.cursors().unwrap(), [feed.cursor(4)]);
}

/// I23 at the desk: what headquarters lost, and what it tells otherwise, is noticed at the next pull.
#[test]
fn rollback_and_fork_are_noticed() {
    let entries = people(3);
    let feed = Feed::with(KEY, &entries);
    let mut office = office(&[KEY]);
    feed.pull(&mut office.desk, 2);
    let rolled_back = Feed::with(KEY, &entries[..3]);
    let taken = rolled_back.pull(&mut office.desk, 2);
    assert!(taken.iter().any(|t| t.behind));
    assert_eq!(office.desk.status().unwrap().feeds[0].behind_at, Some(3));
    assert_eq!(office.desk.cursors().unwrap(), [feed.cursor(6)], "the desk stays where it was");
    let hidden = |desk: &Desk| {
        let mut sum = 0;
        desk.each_case(ARRIVED, |case| sum += case.hidden).unwrap();
        sum
    };
    assert!(hidden(&office.desk) > 0, "what headquarters lost may have been withdrawn since");
    feed.pull(&mut office.desk, 2);
    assert_eq!(hidden(&office.desk), 0, "all of it was given again");
    rolled_back.pull(&mut office.desk, 2);
    let other = Feed::with(KEY, &[&entries[..3], &entries[4..], &entries[3..4]].concat());
    let taken = other.pull(&mut office.desk, 2);
    assert_eq!(taken.iter().filter_map(|t| t.forked_at).collect::<Vec<_>>(), [3]);
    assert_eq!(taken.iter().map(|t| t.segments).sum::<u64>(), 0, "all of it was here");
    let state = office.desk.status().unwrap().feeds[0].clone();
    assert_eq!((state.resets, state.forked_at, state.behind_at, state.read), (1, Some(3), None, 6));
    assert_eq!(office.desk.cursors().unwrap(), [other.cursor(6)]);
    // A page that goes on from a link which never was is of no history at all.
    let mut unlinked = other.page(6, 6);
    unlinked.from.link = Hash([9; 32]);
    assert!(office.desk.take(&unlinked, NOON).unwrap().unlinked);
}

/// I27 at the desk: poison delays only itself, stays visible, and is read once the desk can.
#[test]
fn what_does_not_open_is_kept_aside() {
    let mut entries = people(1);
    let to_old_key = Phone::new(3).screening(0x0b, 9, NOON, &Who::woman());
    let letter = to_bytes(&Entry::Pack(vec![1, 2, 3])).unwrap();
    let poison = [vec![0xff; 40], vec![], letter, to_old_key[0].clone()];
    for (at, bad) in poison.iter().enumerate() {
        entries.insert(at, bad.clone());
    }
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 2);
    let status = office.desk.status().unwrap();
    let why: Vec<&str> = status.aside.iter().map(|a| a.why.as_str()).collect();
    assert_eq!(why, ["form_or_newer", "form_or_newer", "not_for_a_desk", "no_key"]);
    assert_eq!(status.segments, 2, "the rest was read");
    drop(office.desk);
    // Another session with the old key beside the new one.
    let mut desk = open(&office.dir, &[KEY, 0x0b]);
    assert_eq!(desk.retry_aside().unwrap(), 1);
    let status = desk.status().unwrap();
    assert_eq!((status.segments, status.aside.len()), (3, 3));
    assert_eq!(desk.cursors().unwrap().len(), 2, "one feed for each key");
}

/// An entry that lies aside keeps the place that it has in the history that is followed now.
#[test]
fn what_lay_aside_is_shown_where_headquarters_tells_it_now() {
    let entries = people(2);
    let old = Phone::new(3).screening(0x0b, 9, NOON, &Who::woman());
    let mut office = office(&[KEY]);
    Feed::with(KEY, &[&entries[..1], &old[..1], &entries[1..]].concat()).pull(&mut office.desk, 9);
    let restored = Feed::with(KEY, &[&entries[..3], &old[..1], &entries[3..]].concat());
    restored.pull(&mut office.desk, 9);
    assert_eq!(office.desk.status().unwrap().feeds[0].forked_at, Some(1));
    let [aside] = &office.desk.status().unwrap().aside[..] else { panic!("one lies aside") };
    assert_eq!((aside.position, aside.device), (3, Some(Phone::new(3).id)));
    drop(office.desk);
    let mut desk = open(&office.dir, &[KEY, 0x0b]);
    assert_eq!(desk.retry_aside().unwrap(), 1);
    assert_eq!(desk.case(CaseId([9; 16]), ARRIVED).unwrap().hidden, 0);
}

/// Given, withdrawn, and given at another place by a headquarters that fell back and lost the withdrawal: read at last,
/// it is still what was withdrawn.
#[test]
fn what_lay_aside_does_not_forget_that_it_was_withdrawn() {
    let mut phone = Phone::new(3);
    let sealed = phone.seal(9, NOON, &Who::woman().facts(9));
    let given = to_bytes(&phone.entry(&sealed, &reading(0x0b).public())).unwrap();
    let withdrawn = to_bytes(&Entry::Withdrawn { segment: sealed.hash }).unwrap();
    let others = people(2);
    let mut office = office(&[KEY]);
    Feed::with(KEY, &[others[0].clone(), given.clone(), withdrawn]).pull(&mut office.desk, 9);
    Feed::with(KEY, &[&others[..2], &[given], &others[2..]].concat()).pull(&mut office.desk, 9);
    let [aside] = &office.desk.status().unwrap().aside[..] else { panic!("one lies aside") };
    assert_eq!(aside.position, 2);
    drop(office.desk);
    let mut desk = open(&office.dir, &[KEY, 0x0b]);
    assert_eq!(desk.retry_aside().unwrap(), 1);
    let case = desk.case(CaseId([9; 16]), ARRIVED).unwrap();
    assert!(case.hidden > 0 && case.screenings.iter().all(|screening| screening.opened.is_empty()));
}

/// What lies aside is tried again when the desk could read more than before, and not at each pull.
#[test]
fn what_lies_aside_is_tried_once_by_each_reader() {
    let mut office = office(&[KEY]);
    Feed::with(KEY, &[vec![0xff; 40]]).pull(&mut office.desk, 9);
    // As if it could be read after all: whoever tries it takes it.
    let readable = people(1).remove(0);
    beside(&office).execute("UPDATE aside SET bytes = ?1", [&readable]).unwrap();
    assert_eq!(office.desk.retry_aside().unwrap(), 0, "nothing changed since it came");
    drop(office.desk);
    let mut desk = open(&office.dir, &[KEY]);
    assert_eq!(desk.retry_aside().unwrap(), 0);
    drop(desk);
    desk = open(&office.dir, &[KEY, 0x0b]);
    assert_eq!((desk.retry_aside().unwrap(), desk.status().unwrap().aside.len()), (1, 0));
}

/// One phone fills neither a case nor the room of others: what is past its share of a case lies aside and is
/// told, and other phones' facts of that case are taken.
#[test]
fn a_phone_cannot_fill_a_case() {
    let mut phones = [Phone::new(1), Phone::new(2)];
    let many = vec![crate::common::answer("a", Value::Yes); SEGMENT_EVENTS_MAX];
    let mut entries: Vec<Vec<u8>> = (0..5).map(|_| phones[0].entry_of(KEY, 1, NOON, &many)).collect();
    entries.push(phones[1].entry_of(KEY, 1, NOON, &Who::woman().facts(1)));
    entries.push(phones[0].entry_of(KEY, 2, NOON, &Who::woman().facts(2)));
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 9);
    let status = office.desk.status().unwrap();
    let [aside] = &status.aside[..] else { panic!("{}", status.aside.len()) };
    assert_eq!((aside.position, aside.why.as_str(), aside.device), (4, "case_full", Some(phones[0].id)));
    assert_eq!(status.segments, 6);
    assert_eq!(office.desk.case(CaseId([1; 16]), ARRIVED).unwrap().screenings[0].opened.len(), 1);
}

#[test]
fn what_was_withdrawn_is_hidden_and_counted_until_it_is_granted_anew() {
    let mut phone = Phone::new(1);
    let sealed = phone.seal(1, NOON, &Who::woman().facts(1));
    let reader = reading(KEY).public();
    let granted = to_bytes(&phone.entry(&sealed, &reader)).unwrap();
    let withdrawn = to_bytes(&Entry::Withdrawn { segment: sealed.hash }).unwrap();
    let mut office = office(&[KEY]);
    let mut feed = Feed::with(KEY, &[granted, withdrawn]);
    feed.pull(&mut office.desk, 9);
    let case = office.desk.case(CaseId([1; 16]), ARRIVED).unwrap();
    assert_eq!((case.hidden, case.screenings[0].hidden, case.screenings[0].opened.len()), (6, 6, 0));
    assert!(case.outcomes.is_empty() && !shown(&office.desk).contains("person-sex"));
    assert_eq!(office.desk.status().unwrap().withdrawn, 1);
    let granted_anew = to_bytes(&phone.entry(&sealed, &reader)).unwrap();
    feed.entries.push(granted_anew);
    feed.pull(&mut office.desk, 9);
    assert_eq!(office.desk.case(CaseId([1; 16]), ARRIVED).unwrap().hidden, 0);
}

/// Headquarters fell back, and another entry stands where a segment stood: that history never gave it, and an
/// older one, in which it was given, shows nothing.
#[test]
fn what_the_followed_history_never_gave_stays_hidden() {
    let entries: Vec<Vec<u8>> =
        people(2).into_iter().chain(Phone::new(3).screening(KEY, 9, NOON, &Who::woman())).collect();
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries[..4]).pull(&mut office.desk, 9);
    let facts = |desk: &Desk, case| desk.case(CaseId([case; 16]), ARRIVED).unwrap().hidden;
    Feed::with(KEY, &entries[..2]).pull(&mut office.desk, 9);
    assert_eq!((facts(&office.desk, 1), facts(&office.desk, 2)), (0, 7));
    Feed::with(KEY, &[&entries[..2], &entries[4..]].concat()).pull(&mut office.desk, 9);
    assert_eq!((facts(&office.desk, 1), facts(&office.desk, 2), facts(&office.desk, 9)), (0, 7, 0));
    // It falls back once more, below where the histories parted: what both hold is in doubt too.
    Feed::with(KEY, &entries[..1]).pull(&mut office.desk, 9);
    assert_eq!((facts(&office.desk, 1), facts(&office.desk, 9)), (1, 7));
    Feed::with(KEY, &[&entries[..2], &entries[4..], &entries[2..4]].concat()).pull(&mut office.desk, 9);
    assert_eq!((facts(&office.desk, 1), facts(&office.desk, 2), facts(&office.desk, 9)), (0, 0, 0));
}

/// Each key's feed is judged alone. A device that changes keys withholds from the old one and grants to the new
/// one; a no of the person reaches every key that had a grant.
#[test]
fn a_change_of_keys_hides_nothing_and_a_withdrawal_reaches_each_key() {
    const NEW: u8 = 0x0b;
    let mut phone = Phone::new(1);
    let sealed = phone.seal(1, NOON, &Who::woman().facts(1));
    let [old, new] = [KEY, NEW].map(|key| to_bytes(&phone.entry(&sealed, &reading(key).public())).unwrap());
    let withdrawn = to_bytes(&Entry::Withdrawn { segment: sealed.hash }).unwrap();
    let from_old = Feed::with(KEY, &[old, withdrawn.clone()]);
    let to_new = Feed::with(NEW, std::slice::from_ref(&new));
    let hidden = |desk: &Desk| desk.case(CaseId([1; 16]), ARRIVED).unwrap().hidden;
    for order in [[&from_old, &to_new], [&to_new, &from_old]] {
        let mut office = office(&[NEW, KEY]);
        for feed in order {
            feed.pull(&mut office.desk, 9);
        }
        assert_eq!(hidden(&office.desk), 0);
        Feed::with(NEW, &[new.clone(), withdrawn.clone()]).pull(&mut office.desk, 9);
        assert_eq!(hidden(&office.desk), 6);
    }
}

/// The store's own words: facts that say something, and segments that
/// open.
fn held(office: &Office) -> (i64, i64) {
    let conn = beside(office);
    let sum = |sql: &str| conn.query_row(sql, [], |row| row.get(0)).unwrap();
    (
        sum("SELECT sum(length(body) > 0) FROM fact"),
        sum("SELECT sum(length(bytes) > 0 OR length(granted) > 0) FROM segment"),
    )
}

/// The desk's store, opened with its key beside the desk.
fn beside(office: &Office) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(office.dir.path().join("desk.db")).unwrap();
    conn.execute_batch(
        "PRAGMA key = \"x'0101010101010101010101010101010101010101010101010101010101010101'\";
         PRAGMA cipher_page_size = 4096; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;",
    )
    .unwrap();
    conn
}

fn in_the_log(office: &Office) -> u64 {
    std::fs::metadata(office.dir.path().join("desk.db-wal")).map_or(0, |file| file.len())
}

/// What was withdrawn is erased from the store, not only hidden, also where it was sealed together with
/// consents, as every device does; a new grant brings it back whole. A no stays a no also when it was withdrawn
/// itself.
#[test]
fn what_was_withdrawn_is_erased() {
    let mut phone = Phone::new(1);
    let name = Body::IdentityGiven { field: IdentityField::Name, value: "Canario Sintético".into() };
    let lang = crate::common::lang("es");
    let no = Body::ConsentRefused { purpose: Purpose::Statistics, wording: 1, lang, receiver: None };
    let talk = Body::ConsentGiven(consent(Purpose::Talk, None, &[]));
    let mixed = [Who::woman().facts(1), vec![talk, no]].concat();
    let sealed = [vec![name], mixed].map(|facts| phone.seal(1, NOON, &facts));
    let reader = reading(KEY).public();
    let mut give = |which: usize| to_bytes(&phone.entry(&sealed[which], &reader)).unwrap();
    let mut feed = Feed::with(KEY, &[give(0), give(1)]);
    let mut office = office(&[KEY]);
    feed.pull(&mut office.desk, 9);
    assert_eq!(held(&office), (9, 2));
    let case = |office: &Office| office.desk.case(CaseId([1; 16]), ARRIVED).unwrap();
    assert_eq!(case(&office).identity.len(), 1);
    feed.entries.extend(sealed.iter().map(|s| to_bytes(&Entry::Withdrawn { segment: s.hash }).unwrap()));
    feed.pull(&mut office.desk, 9);
    assert_eq!(held(&office), (2, 0), "the yes and the no alone are left, and nothing that opens");
    let view = case(&office);
    assert_eq!((view.hidden, view.identity.len(), view.screenings.len()), (9, 0, 1));
    let standing = |purpose| view.consents.all.iter().find(|c| c.purpose == purpose).map(|c| c.standing);
    assert_eq!(standing(Purpose::Statistics), Some(Standing::Refused));
    assert_eq!(standing(Purpose::Talk), None, "what is hidden gives nothing");
    assert_eq!(office.desk.status().unwrap().withdrawn, 2);
    assert_eq!(in_the_log(&office), 0, "nor in the log beside the file");
    feed.entries.push(give(1));
    feed.pull(&mut office.desk, 9);
    assert_eq!(held(&office), (8, 1));
    assert_eq!((case(&office).hidden, case(&office).outcomes.len()), (1, 1));
}

/// Whatever erases lets go of the log: also a history that parted, and an entry that was read after all.
#[test]
fn what_a_fork_or_a_new_key_erases_is_not_in_the_log_either() {
    const NEW: u8 = 0x0b;
    let mut phone = Phone::new(1);
    let sealed = phone.seal(1, NOON, &Who::woman().facts(1));
    let [old, new] = [KEY, NEW].map(|key| to_bytes(&phone.entry(&sealed, &reading(key).public())).unwrap());
    let withdrawn = to_bytes(&Entry::Withdrawn { segment: sealed.hash }).unwrap();
    let mut forked = office(&[KEY, NEW]);
    Feed::with(NEW, &[new]).pull(&mut forked.desk, 9);
    Feed::with(KEY, &[old.clone(), withdrawn.clone()]).pull(&mut forked.desk, 9);
    assert_eq!(held(&forked), (6, 1), "the new key still gives it");
    let taken = Feed::with(NEW, &people(1)[..1]).pull(&mut forked.desk, 9);
    assert_eq!((taken[0].forked_at, taken[0].withdrawn), (Some(0), 0));
    assert_eq!((held(&forked), in_the_log(&forked)), ((6, 1), 0), "what stands there now is another one");

    let before = office(&[NEW]);
    let Office { dir, mut desk } = before;
    Feed::with(NEW, &[old, withdrawn]).pull(&mut desk, 9);
    drop(desk);
    let mut after = Office { desk: open(&dir, &[NEW, KEY]), dir };
    assert_eq!(after.desk.retry_aside().unwrap(), 1);
    assert_eq!((held(&after), in_the_log(&after)), ((0, 0), 0));
}

#[test]
fn a_withdrawal_that_arrives_before_its_segment_hides_it() {
    let mut phone = Phone::new(1);
    let sealed = phone.seal(1, NOON, &Who::woman().facts(1));
    let granted = to_bytes(&phone.entry(&sealed, &reading(KEY).public())).unwrap();
    let withdrawn = to_bytes(&Entry::Withdrawn { segment: sealed.hash }).unwrap();
    let mut office = office(&[KEY]);
    Feed::with(KEY, std::slice::from_ref(&withdrawn)).pull(&mut office.desk, 9);
    Feed::with(KEY, &[withdrawn.clone(), granted, withdrawn]).pull(&mut office.desk, 9);
    assert_eq!(office.desk.case(CaseId([1; 16]), ARRIVED).unwrap().hidden, 6);
}

#[test]
fn facts_and_cursor_survive_together_and_only_with_the_key() {
    let feed = Feed::with(KEY, &people(2));
    let mut office = office(&[KEY]);
    feed.pull(&mut office.desk, 3);
    let before = shown(&office.desk);
    drop(office.desk);
    let path = office.dir.path().join("desk.db");
    let wrong = amparo_hq::desk::Desk::open(
        &path,
        &Key::new(&[2; 32]),
        crate::common::keys(&[KEY]),
        Rules::default(),
    );
    assert!(matches!(wrong, Err(DeskError::Store(_))));
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(6).any(|w| w == b"SQLite"), "the file is encrypted from its first byte");
    let desk = open(&office.dir, &[KEY]);
    assert_eq!((shown(&desk), desk.cursors().unwrap()), (before, vec![feed.cursor(4)]));
}

#[test]
fn pages_that_are_none_of_ours_change_nothing() {
    let feed = Feed::with(KEY, &people(1));
    let mut office = office(&[KEY]);
    let mut other = feed.page(0, 2);
    other.from.feed = FeedId::packs();
    assert!(matches!(office.desk.take(&other, NOON), Err(DeskError::OtherFeed)));
    let mut short = feed.page(0, 2);
    short.head = 1;
    assert!(matches!(office.desk.take(&short, NOON), Err(DeskError::NotAPage)));
    assert_eq!(office.desk.cursors().unwrap(), [feed.cursor(0)]);
}

#[test]
fn a_copied_phone_is_noticed_and_both_stand() {
    let (mut one, mut other) = (Phone::new(1), Phone::new(1));
    let said = |p: &mut Phone, case| p.entry_of(KEY, case, NOON, &Who::woman().facts(case));
    let entries = [said(&mut one, 1), said(&mut other, 2)];
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 9);
    let status = office.desk.status().unwrap();
    assert_eq!((status.segments, status.forks.len(), status.forks[0].number), (2, 1, 0));
    assert_eq!(office.desk.cases().unwrap().len(), 2);
}

#[test]
fn facts_of_no_case_are_counted_by_kind() {
    let mut phone = Phone::new(1);
    let begun = |n| Body::IncarnationBegun { incarnation: n };
    let entries = [phone.entry_of(KEY, 0, NOON, &[begun(7), begun(8)])];
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 9);
    let audit = office.desk.audit().unwrap();
    assert_eq!(audit.kinds, [("incarnation_begun".to_owned(), 2)].into());
    assert_eq!((audit.newer, audit.hidden, office.desk.cases().unwrap().len()), (0, 0, 0));
}
