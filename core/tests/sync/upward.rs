//! What goes up: order, cuts, ranges, loss at headquarters, poison.

use amparo_core::sync::{Budget, Why, take, upload};
use amparo_schema::id::Hash;
use amparo_schema::wire::disclosure::Withheld;

use super::relay::Depth;
use super::{reader, world};

#[test]
fn withdrawals_go_before_everything_else() {
    let mut world = world();
    (0..3).for_each(|n| world.seal(n));
    let withheld = Withheld { segment: Hash([9; 32]), recipient: reader().public().id() };
    world.outbox.disclose(&[], &[withheld]).unwrap();
    world.exchange(&mut Budget::default());
    let order =
        ["hello", "withholds 3", "grants 0", "grants 1", "grants 2", "segment 0", "segment 1", "segment 2"];
    assert_eq!(world.relay.seen, order);
}

/// Withdrawals behind a gap are not counted by any receipt, and must not fill every upload.
#[test]
fn whatever_is_held_back_the_first_in_its_turn_goes_too() {
    for up_bytes in [1, 600, 2_000, 1_000_000] {
        let mut world = world();
        (0..3).for_each(|n| world.seal(n));
        for n in 0..9 {
            let withheld = Withheld { segment: Hash([n; 32]), recipient: reader().public().id() };
            world.outbox.disclose(&[], &[withheld]).unwrap();
        }
        let mut budget = Budget { up_bytes, ..Budget::default() };
        // One exchange for each of 3 segments and 12 disclosures, and for withdrawals that went ahead.
        for _ in 0..3 + 12 + 9 {
            world.exchange(&mut budget);
        }
        assert!(world.is_acknowledged(), "{up_bytes}: {:?}", world.outbox.receipt(1));
    }
}

#[test]
fn a_cut_at_any_byte_costs_no_more_than_what_was_cut() {
    let mut before = world();
    (0..4).for_each(|n| before.seal(n));
    let (outbox, relay) = (before.outbox.clone(), before.relay.clone());
    let whole = upload(&outbox, &Budget::default()).unwrap();
    let largest = 1_024;
    for cut in 0..=whole.len() {
        (before.outbox, before.relay) = (outbox.clone(), relay.clone());
        let replies = before.relay.exchange(&whole[..cut]);
        let held = before.relay.count();
        take(&mut before.outbox, &replies).unwrap();
        let again = upload(&before.outbox, &Budget::default()).unwrap();
        // I11: what is sent again is what did not arrive, the cut frame, and who calls.
        assert!(again.len() <= whole.len() - cut + largest, "{cut}: {} of {}", again.len(), whole.len());
        if replies.is_empty() {
            assert_eq!(again, whole, "nothing came back");
        }
        before.sync();
        assert_eq!(before.relay.count(), 4, "{cut}, {held} before");
        assert!(before.is_acknowledged(), "{cut}");
    }
}

#[test]
fn replies_cut_at_any_byte_count_as_far_as_they_came() {
    let mut before = world();
    (0..3).for_each(|n| before.seal(n));
    (0..3).for_each(|n| before.letter(n));
    let outbox = before.outbox.clone();
    let replies = before.relay.exchange(&upload(&outbox, &Budget::default()).unwrap());
    for cut in 0..=replies.len() {
        before.outbox = outbox.clone();
        let report = take(&mut before.outbox, &replies[..cut]).unwrap();
        assert_eq!((report.unreadable, report.aside.len()), (0, 0), "{cut}");
        before.sync();
        assert!(before.is_acknowledged() && before.outbox.letters().len() == 3, "{cut}");
    }
}

#[test]
fn ranges_beyond_a_gap_are_not_sent_again() {
    let mut world = world();
    (0..6).for_each(|n| world.seal(n));
    world.relay.poison.extend([(1, 1), (1, 4)]);
    world.exchange(&mut Budget::default());
    world.exchange(&mut Budget::default());
    let sent: Vec<&String> = world.relay.seen.iter().filter(|frame| frame.starts_with("segment")).collect();
    assert_eq!(sent, ["segment 1", "segment 4"]);
}

/// I27, upwards: what headquarters refuses holds up nothing, whatever the room, and stays on the device.
#[test]
fn i27_a_refused_segment_delays_only_itself() {
    for up_bytes in [1, 600, 2_000, 1_000_000] {
        let mut world = world();
        (0..8).for_each(|n| world.seal(n));
        world.relay.poison.extend([(1, 0), (1, 3)]);
        let mut budget = Budget { up_bytes, ..Budget::default() };
        for _ in 0..40 {
            world.exchange(&mut budget);
        }
        assert_eq!(world.relay.count(), 6, "{up_bytes}");
        assert_eq!(budget.refused.len(), 2, "{up_bytes}");
        world.relay.poison.clear();
        world.sync();
        assert_eq!(world.relay.count(), 8, "{up_bytes}: it is tried again in another session");
    }
}

/// I6, the device's part: what headquarters lost comes back by itself, whatever it was set back to.
#[test]
fn i6_headquarters_that_was_set_back_gets_everything_again() {
    for kept in 0..4 {
        let mut world = world();
        (0..kept).for_each(|n| world.seal(n));
        world.sync();
        let old = world.relay.clone();
        (kept..4).for_each(|n| world.seal(n));
        world.sync();
        world.relay = old;
        let reports = world.sync();
        // What is shown in brief proves nothing: the device is asked once, and then shows the receipt whole.
        let asked: Vec<bool> = reports.iter().map(|report| report.receipt_wanted).collect();
        assert_eq!((asked[0], asked[1..].contains(&true)), (kept < 4, false), "{kept}: {reports:?}");
        assert_eq!((world.relay.count(), world.relay.readable(&reader()).len()), (4, 4), "{kept}");
        assert!(world.is_acknowledged());
        assert_eq!(world.outbox.receipt(1).unwrap().epoch, if kept == 4 { 1 } else { 2 });
    }
}

/// A brief alone raises no epoch and is answered with nothing that rests on it, until the whole was shown.
#[test]
fn a_loss_is_proven_by_a_whole_receipt_alone() {
    let mut world = world();
    let empty = world.relay.clone();
    (0..3).for_each(|n| world.seal(n));
    world.sync();
    world.relay = empty;
    world.letter(1);
    for _ in 0..5 {
        let report = world.exchange(&mut Budget::default());
        assert!(report.receipt_wanted && report.receipts == 0 && report.entries == 0, "{report:?}");
        assert_eq!(world.relay.epoch, 1);
    }
    let mut whole = Budget { whole: true, ..Budget::default() };
    assert_eq!((world.exchange(&mut whole).receipts, world.relay.epoch), (1, 2));
    world.sync();
    assert!(world.is_acknowledged() && world.outbox.letters().len() == 1);
}

/// A headquarters that asks for ever is answered once in a session.
#[test]
fn whoever_asks_for_what_was_shown_is_not_answered_again() {
    let mut world = world();
    (0..2).for_each(|n| world.seal(n));
    world.sync();
    world.relay.nags = true;
    let mut budget = Budget::default();
    let moved: Vec<bool> = (0..4).map(|_| world.exchange(&mut budget).is_progress()).collect();
    assert_eq!(moved, [true, false, false, false]);
    assert!(budget.whole, "for the rest of the session");
    world.relay.nags = false;
    assert!(!world.exchange(&mut budget).receipt_wanted);
}

/// The same for the certificate, where none is good enough; nothing that was sent meanwhile counts as refused.
#[test]
fn a_certificate_is_shown_once_and_before_who_calls() {
    let mut world = world();
    (0..2).for_each(|n| world.seal(n));
    (world.relay.wants_certificate, world.relay.admits_nobody) = (true, true);
    let mut budget = Budget { up_bytes: 600, ..Budget::default() };
    assert!(world.exchange(&mut budget).is_progress());
    assert!(!world.exchange(&mut budget).is_progress() && budget.refused.is_empty());
    assert_eq!(world.relay.seen[..2], ["certificate", "stranger"]);
    world.relay.admits_nobody = false;
    let reports = world.sync();
    assert!(reports[0].certificate_wanted && reports[1].receipts == 1, "answered at once: {reports:?}");
    assert!(world.is_acknowledged());
}

/// I4, the device's part: within one epoch no count falls; what says so is set aside and told.
#[test]
fn i4_a_receipt_whose_counts_fell_is_set_aside() {
    let mut world = world();
    (0..3).for_each(|n| world.seal(n));
    world.sync();
    let held = world.outbox.receipt(1).unwrap().clone();
    for (at, why) in [(0, Why::Malformed), (1, Why::Fallen), (2, Why::Fallen)] {
        let mut fallen = held.clone();
        fallen.log_size += 1;
        match at {
            0 => fallen.stored = 1,
            1 => fallen.durable = 2,
            _ => fallen.disclosures = 0,
        }
        let reply = amparo_schema::wire::push::Reply::Receipt(world.relay.sign(&fallen));
        let report = take(&mut world.outbox, &amparo_core::seal::to_bytes(&reply).unwrap()).unwrap();
        assert_eq!((report.receipts, report.aside), (0, vec![why]), "{at}");
        assert_eq!(world.outbox.receipt(1), Some(&held));
    }
    assert_eq!(world.outbox.aside().len(), 3);
}

/// I5, the device's part for sealed bytes: they go when every backup has them, and not before.
#[test]
fn i5_sealed_bytes_stay_until_the_horizon_covers_them() {
    let mut world = world();
    (0..3).for_each(|n| world.seal(n));
    world.relay.depth = Depth::Durable;
    world.sync();
    assert_eq!(world.outbox.purge_sealed(), 0);
    world.relay.depth = Depth::Horizon;
    world.sync();
    world.seal(3);
    assert_eq!(world.outbox.purge_sealed(), 3);
    world.sync();
    assert_eq!(world.relay.count(), 4, "the chain goes on from the hash that stayed");
    assert!(world.is_acknowledged());
}
