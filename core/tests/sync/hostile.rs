//! Flipped bits, noise, and a store that fails.

use amparo_core::seal::{SecretKey, Signer, to_bytes};
use amparo_core::sync::memory::MemoryOutbox;
use amparo_core::sync::{Budget, Change, Effect, Kept, Life, Outbox, SyncError, take, upload};
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::name::Name;
use amparo_schema::wire::enrol::Enrolment;
use amparo_schema::wire::feed::{Cursor, FeedId};
use amparo_schema::wire::receipt::Range;
use proptest::prelude::*;

use super::world;

/// I15, the device's part: one flipped bit in the replies applies nothing that was not signed, and an honest
/// exchange heals whatever it did to the cursor.
#[test]
fn i15_a_flipped_bit_anywhere_in_the_replies_is_caught() {
    let mut before = world();
    (0..3).for_each(|n| before.seal(n));
    (0..3).for_each(|n| before.letter(n));
    before.relay.revoke();
    let (outbox, relay) = (before.outbox.clone(), before.relay.clone());
    let replies = before.relay.exchange(&upload(&outbox, &Budget::default()).unwrap());
    let honest_relay = before.relay.clone();
    take(&mut before.outbox, &replies).unwrap();
    let honest = before.outbox.clone();
    for bit in 0..replies.len() * 8 {
        let mut flipped = replies.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        before.outbox = outbox.clone();
        let report = take(&mut before.outbox, &flipped).unwrap();
        let now = &before.outbox;
        assert!(!report.astray, "{bit}");
        assert!(now.receipt(1).is_none_or(|held| Some(held) == honest.receipt(1)), "{bit}");
        let known = |(id, letter)| honest.letters().get(id) == Some(letter);
        assert!(now.letters().iter().all(known), "{bit}");
        assert!(now.revoked_ms().is_none_or(|ms| ms == 77), "{bit}");
        if bit % 16 == 0 {
            before.relay = honest_relay.clone();
            before.sync();
            assert_eq!(before.outbox.letters(), honest.letters(), "{bit}");
            assert_eq!(before.outbox.receipt(1).map(|r| r.stored), Some(3), "{bit}");
        }
    }
    drop(relay);
}

proptest! {
    /// I13, the device's part: no bytes make it panic, and none of them is believed.
    #[test]
    fn i13_noise_is_passed_over(noise in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut world = world();
        world.seal(1);
        let before = world.lives();
        take(&mut world.outbox, &noise).unwrap();
        prop_assert_eq!(world.lives(), before);
        prop_assert!(world.outbox.letters().is_empty());
    }
}

/// Fails at the change with this number, once.
struct Failing {
    inner: MemoryOutbox,
    left: u32,
}

impl Outbox for Failing {
    type Error = &'static str;

    fn device(&self) -> DeviceId {
        self.inner.device()
    }

    fn signer(&self) -> &Signer {
        self.inner.signer()
    }

    fn letter_secret(&self) -> &SecretKey {
        self.inner.letter_secret()
    }

    fn enrolment(&self) -> Result<Option<Enrolment>, Self::Error> {
        self.inner.enrolment().map_err(|_| "never")
    }

    fn lives(&self) -> Result<Vec<Life>, Self::Error> {
        self.inner.lives().map_err(|_| "never")
    }

    fn segments(&self, life: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Self::Error> {
        self.inner.segments(life, within, bytes).map_err(|_| "never")
    }

    fn urgent(&self, life: u64, within: Range) -> Result<Vec<u64>, Self::Error> {
        self.inner.urgent(life, within).map_err(|_| "never")
    }

    fn disclosures(&self, life: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Self::Error> {
        self.inner.disclosures(life, within, bytes).map_err(|_| "never")
    }

    fn withdrawals(&self, life: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Self::Error> {
        self.inner.withdrawals(life, within, bytes).map_err(|_| "never")
    }

    fn hash(&self, life: u64, number: u64) -> Result<Option<Hash>, Self::Error> {
        self.inner.hash(life, number).map_err(|_| "never")
    }

    fn cursor(&self, feed: FeedId) -> Result<Cursor, Self::Error> {
        self.inner.cursor(feed).map_err(|_| "never")
    }

    fn agency(&self, author: &Hash) -> Result<Option<Name>, Self::Error> {
        self.inner.agency(author).map_err(|_| "never")
    }

    fn apply(&mut self, change: Change<'_>) -> Result<Effect, Self::Error> {
        self.left = self.left.checked_sub(1).ok_or("the disk is full")?;
        self.inner.apply(change).map_err(|_| "never")
    }
}

/// I29, the device's part: a store that fails at any step keeps what came before, says so, and goes on later.
#[test]
fn i29_a_store_that_fails_at_any_step_loses_nothing() {
    let mut before = world();
    (0..2).for_each(|n| before.seal(n));
    (0..4).for_each(|n| before.letter(n));
    let outbox = before.outbox.clone();
    let replies = before.relay.exchange(&upload(&outbox, &Budget::default()).unwrap());
    for left in 0..7 {
        let mut failing = Failing { inner: outbox.clone(), left };
        let result = take(&mut failing, &replies);
        let whole = left >= 5;
        assert_eq!(result.is_ok(), whole, "{left}");
        if !whole {
            assert_eq!(result.unwrap_err(), SyncError::Outbox("the disk is full"));
        }
        assert_eq!(failing.inner.letters().len() as u32, left.saturating_sub(1).min(4), "{left}");
        before.outbox = failing.inner;
        before.sync();
        assert_eq!(before.outbox.letters().len(), 4);
        assert!(before.is_acknowledged());
    }
}

#[test]
fn a_device_that_was_never_enrolled_sends_nothing() {
    let mut outbox = MemoryOutbox::new(DeviceId([1; 16]), &[2; 32], 3);
    assert_eq!(upload(&outbox, &Budget::default()), Err(SyncError::NotEnrolled));
    assert_eq!(take(&mut outbox, &to_bytes(&0_u8).unwrap()), Err(SyncError::NotEnrolled));
}
