//! I15: one flipped bit anywhere in a page is noticed, and nothing of what it touched is taken.

use amparo_schema::wire::feed::{Bytes, Cursor, Page};
use amparo_seal::{from_bytes, to_bytes};

use crate::common::{Feed, NOON, Phone, Who, office, shown};

const KEY: u8 = 0x0a;

#[test]
fn i15_no_flipped_bit_passes() {
    let facts = Phone::new(1).entry_of(KEY, 1, NOON, &Who::woman().facts(1));
    let feed = Feed::with(KEY, &[facts]);
    let whole = feed.page(0, 1);
    let bytes = to_bytes(&whole).unwrap();
    let mut office = office(&[KEY]);
    let (mut unreadable, mut refused, mut aside) = (0, 0, 0);
    // Every bit of the first and last bytes, and of each other byte one bit, all eight in turn.
    for at in 0..bytes.len() {
        let edge = at < 60 || at + 20 > bytes.len();
        for bit in (0..8).filter(|bit| edge || at % 8 == *bit) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let Ok(page) = from_bytes::<Page>(&flipped) else {
                unreadable += 1;
                continue;
            };
            let content_is_whole = page.entries == whole.entries && page.from == whole.from;
            match office.desk.take(&page, NOON) {
                Err(_) => refused += 1,
                Ok(taken) if content_is_whole => {
                    // The head is a hint: a wrong one makes the desk ask once more.
                    assert!(taken.more || taken.behind, "byte {at} bit {bit}");
                    continue;
                }
                Ok(taken) => {
                    assert_eq!(taken.segments, 0, "byte {at} bit {bit}");
                    aside += taken.aside + u64::from(taken.gap) + u64::from(taken.unlinked);
                }
            }
        }
    }
    assert!(unreadable > 0 && refused > 0 && aside > 500, "{unreadable} {refused} {aside}");
    feed.pull(&mut office.desk, 9);
    let mut straight = crate::common::office(&[KEY]);
    feed.pull(&mut straight.desk, 9);
    assert_eq!(office.desk.status().unwrap().segments, 1);
    assert_eq!(shown(&office.desk), shown(&straight.desk));
}

/// A flip that hits the one entry which carries no proof, a withdrawal, hides at most something else until
/// the next pull, which notices that the history is another one.
#[test]
fn i15_a_flipped_withdrawal_is_noticed_at_the_next_pull() {
    use amparo_schema::wire::feed::Entry;
    let mut phone = Phone::new(1);
    let sealed = phone.seal(1, NOON, &Who::woman().facts(1));
    let granted = to_bytes(&phone.entry(&sealed, &crate::common::reading(KEY).public())).unwrap();
    let withdrawn = to_bytes(&Entry::Withdrawn { segment: sealed.hash }).unwrap();
    let mut office = office(&[KEY]);
    let mut flipped = withdrawn.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let page = Page {
        from: Cursor::start(Feed::of(KEY).id),
        entries: vec![Bytes(granted.clone()), Bytes(flipped)],
        head: 2,
    };
    office.desk.take(&page, NOON).unwrap();
    assert_eq!(office.desk.status().unwrap().withdrawn, 0);
    let taken = Feed::with(KEY, &[granted, withdrawn]).pull(&mut office.desk, 9);
    assert_eq!(taken[0].forked_at, Some(1));
    assert_eq!(office.desk.status().unwrap().withdrawn, 1);
}
