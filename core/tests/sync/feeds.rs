//! What comes down: each entry once, poison set aside, feeds that were set back.

use amparo_core::seal::{Signer, to_bytes, write_letter};
use amparo_core::sync::{Budget, Outbox, Why};
use amparo_schema::id::DeviceId;
use amparo_schema::wire::enrol::Revocation;
use amparo_schema::wire::feed::{Cursor, Entry, FeedId, Note};

use super::{DEVICE, agency, relay, world};

fn follow_up(from: &str) -> Note {
    follow_up_in(from, "synthetic")
}

fn follow_up_in(from: &str, text: &str) -> Note {
    Note::FollowUp {
        case: amparo_schema::id::CaseId([1; 16]),
        screening: None,
        from: amparo_schema::name::Name::new(from).unwrap(),
        text: text.into(),
        due_ms: None,
    }
}

/// I27, downwards: whatever an entry is, those around it are applied, and it stays visible.
#[test]
fn i27_a_poisonous_entry_delays_only_itself() {
    let mut world = world();
    let feed = FeedId::device(DEVICE);
    let key = world.outbox.letter_secret().public();
    let stranger = Signer::from_seed(&[66; 32]);
    let letter = |note, device, key, author: &Signer, entropy: &_| {
        Entry::Letter(write_letter(&note, device, key, author, entropy).unwrap())
    };
    let other = amparo_core::seal::SecretKey::new(&[5; 32]).public();
    world.letter(1);
    world.relay.publish_raw(feed, vec![0xff; 40]);
    world.relay.publish_raw(feed, to_bytes(&(99_u32, "a later build knows")).unwrap());
    world.letter(2);
    let entropy = &world.entropy;
    let named = "synthetic-agency";
    for entry in [
        letter(follow_up(named), DEVICE, &key, &stranger, entropy),
        letter(follow_up("another-agency"), DEVICE, &key, &agency(), entropy),
        letter(follow_up(named), DeviceId([1; 16]), &key, &agency(), entropy),
        letter(follow_up(named), DEVICE, &other, &agency(), entropy),
        letter(follow_up_in(named, "synthetic\u{1b}[2J"), DEVICE, &key, &agency(), entropy),
        letter(follow_up_in(named, &"s".repeat(281)), DEVICE, &key, &agency(), entropy),
        Entry::Revoked(stranger.sign_object(&Revocation { device: DEVICE, from_ms: 1 }).unwrap()),
        Entry::Revoked(
            relay::signer().sign_object(&Revocation { device: DeviceId([1; 16]), from_ms: 1 }).unwrap(),
        ),
        Entry::Pack(b"a pack in a feed of letters".to_vec()),
    ] {
        world.relay.publish(feed, &entry);
    }
    world.relay.publish(FeedId::packs(), &Entry::Pack(b"synthetic".to_vec()));
    world.letter(3);
    world.sync();
    assert_eq!((world.outbox.letters().len(), world.outbox.packs().len()), (3, 1));
    assert_eq!(world.outbox.revoked_ms(), None);
    let why: Vec<Why> = world.outbox.aside().iter().map(|(_, why)| *why).collect();
    let expected = [
        Why::Unknown,
        Why::Unknown,
        Why::Stranger,
        Why::Letter,
        Why::OtherDevice,
        Why::Letter,
        Why::Letter,
        Why::Letter,
        Why::Signature,
        Why::OtherDevice,
        Why::Unknown,
    ];
    assert_eq!(why, expected);
    assert_eq!(world.outbox.cursor(feed).unwrap().read, 14, "nothing waits");
}

/// I22, the device's part: each entry once, whatever the size of the pages and the repeats.
#[test]
fn i22_each_entry_is_taken_once() {
    for down_bytes in [1, 300, 700, 100_000] {
        let mut world = world();
        (0..9).for_each(|n| world.letter(n));
        let mut budget = Budget { down_bytes, ..Budget::default() };
        let mut entries = 0;
        for _ in 0..12 {
            let up = amparo_core::sync::upload(&world.outbox, &budget).unwrap();
            let replies = world.relay.exchange(&up);
            for _ in 0..2 {
                let report = amparo_core::sync::take(&mut world.outbox, &replies).unwrap();
                entries += report.entries;
                assert!(report.rewound.is_empty() && report.aside.is_empty());
            }
            budget.learn(&amparo_core::sync::items(&up), &mut amparo_core::sync::Report::default());
        }
        assert_eq!((entries, world.outbox.letters().len()), (9, 9), "{down_bytes}");
    }
}

/// I23, the device's part: a feed that was set back or forked is read again, and what is known changes nothing.
#[test]
fn i23_a_feed_that_was_set_back_is_noticed() {
    let mut world = world();
    let feed = FeedId::device(DEVICE);
    (0..2).for_each(|n| world.letter(n));
    let old = world.relay.clone();
    (2..5).for_each(|n| world.letter(n));
    world.sync();
    world.relay.feeds = old.feeds;
    (5..7).for_each(|n| world.letter(n));
    let reports = world.sync();
    assert!(reports.iter().any(|report| report.rewound == [feed]), "{reports:?}");
    assert_eq!(world.outbox.letters().len(), 7);
    assert_eq!(world.outbox.cursor(feed).unwrap().read, 4);
}

#[test]
fn an_old_page_read_again_changes_nothing() {
    let mut world = world();
    let feed = FeedId::device(DEVICE);
    (0..3).for_each(|n| world.letter(n));
    let up = amparo_core::sync::upload(&world.outbox, &Budget::default()).unwrap();
    let old = world.relay.exchange(&up);
    world.sync();
    let before = world.outbox.cursor(feed).unwrap();
    let report = amparo_core::sync::take(&mut world.outbox, &old).unwrap();
    assert_eq!((report.entries, report.rewound.len()), (0, 0));
    assert_eq!(world.outbox.cursor(feed).unwrap(), before);
    assert_ne!(before, Cursor::start(feed));
}

#[test]
fn a_revocation_of_headquarters_is_taken_and_nothing_is_lost() {
    let mut world = world();
    (0..3).for_each(|n| world.seal(n));
    world.relay.revoke();
    world.sync();
    assert_eq!(world.outbox.revoked_ms(), Some(77));
    assert_eq!(world.relay.count(), 3, "I28: still sent");
}
