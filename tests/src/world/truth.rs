//! What really happened, known to the world and to nobody in it; and what must therefore hold.

use std::collections::{BTreeMap, BTreeSet};

use amparo_core::seal::{from_bytes, unverified};
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::disclosure::Disclosure;
use amparo_schema::wire::push::Frame;
use amparo_schema::wire::receipt::Receipt;

/// One segment and one recipient.
pub(super) type Pair = (Hash, [u8; 8]);

/// What each incarnation last said of a pair: number of the disclosure, and whether it grants.
pub(super) type Voices = BTreeMap<(DeviceId, u64), (u64, bool)>;

/// Everything that was said, by whom, whatever became of it.
#[derive(Clone, Default)]
pub(super) struct Truth {
    /// Marks of every segment that was ever sealed.
    pub(super) segments: BTreeMap<Hash, BTreeSet<Hash>>,
    /// Where each segment stands in a chain; two for one place are a fork.
    pub(super) places: BTreeMap<(DeviceId, u64, u64), BTreeSet<Hash>>,
    /// The newest receipt seen per incarnation.
    receipts: BTreeMap<(DeviceId, u64), Receipt>,
}

/// What headquarters was told and has kept, as far as the world can tell from outside. It goes back in time
/// with headquarters.
#[derive(Clone, Default)]
pub(super) struct Told {
    /// What each incarnation said of each pair.
    pub(super) voices: BTreeMap<Pair, Voices>,
    /// Pairs that a copy of a phone held back under a number that was taken: they stay held back.
    forked: BTreeSet<Pair>,
    /// The disclosures heard. The first of each number counts, and which was first only headquarters knows.
    heard: BTreeMap<(DeviceId, u64, u64), Vec<u8>>,
    /// Pairs of disclosures that claim one number: a person has to look.
    disputed: BTreeSet<Pair>,
}

impl Told {
    /// Notes the disclosures among the frames of an upload.
    pub(super) fn hear(&mut self, frames: &[Frame]) {
        for frame in frames {
            let Frame::Disclosure(signed) = frame else { continue };
            let Ok(made) = unverified::<Disclosure>(signed) else { continue };
            let place = (made.device, made.incarnation, made.number);
            let first = self.heard.entry(place).or_insert_with(|| signed.payload.clone());
            if *first != signed.payload {
                let both = [from_bytes::<Disclosure>(first).ok(), Some(made.clone())];
                for made in both.into_iter().flatten() {
                    self.disputed.extend(made.grants().map(|grant| (grant.segment, grant.recipient)));
                }
                self.forked.extend(made.withheld().map(|held| (held.segment, held.recipient)));
                continue;
            }
            let grants = made.grants().map(|grant| ((grant.segment, grant.recipient), true));
            let withheld = made.withheld().map(|held| ((held.segment, held.recipient), false));
            for (pair, granted) in grants.chain(withheld) {
                let voices = self.voices.entry(pair).or_default();
                let voice = voices.entry((made.device, made.incarnation)).or_insert((made.number, granted));
                if made.number >= voice.0 {
                    *voice = (made.number, granted);
                }
            }
        }
    }

    /// Whether some incarnation holds a pair back.
    #[must_use]
    pub(super) fn is_withheld(&self, pair: &Pair) -> bool {
        self.forked.contains(pair)
            || self.voices.get(pair).is_some_and(|voices| voices.values().any(|(_, granted)| !granted))
    }

    /// Whether a pair was granted, and nobody holds it back.
    #[must_use]
    pub(super) fn is_granted(&self, pair: &Pair) -> bool {
        !self.is_withheld(pair) && !self.disputed.contains(pair) && self.voices.contains_key(pair)
    }
}

impl Truth {
    /// Checks a receipt that headquarters gave.
    ///
    /// # Errors
    /// Which invariant it breaks, and how.
    pub(super) fn check_receipt(&mut self, receipt: &Receipt) -> Result<(), String> {
        let chain = (receipt.device, receipt.incarnation);
        if let Some(last) = receipt.stored.checked_sub(1) {
            let place = self.places.get(&(chain.0, chain.1, last));
            if !place.is_some_and(|hashes| hashes.contains(&receipt.hash)) {
                return Err(format!("I4: a receipt for {last} names a segment that was never there"));
            }
        }
        if receipt.horizon > receipt.durable
            || receipt.durable > receipt.stored
            || receipt.delivered > receipt.stored
        {
            return Err(format!("I4: a receipt whose levels contradict each other: {receipt:?}"));
        }
        if let Some(before) = self.receipts.get(&chain).filter(|before| before.epoch == receipt.epoch) {
            let fell = receipt.stored < before.stored
                || receipt.durable < before.durable
                || receipt.horizon < before.horizon
                || receipt.disclosures < before.disclosures;
            if fell && receipt.log_size >= before.log_size {
                return Err(format!(
                    "I4: within epoch {} something fell: {before:?} {receipt:?}",
                    receipt.epoch
                ));
            }
        }
        self.receipts.insert(chain, receipt.clone());
        Ok(())
    }

    /// Headquarters went back in time: receipts of the present epoch may be given again.
    pub(super) fn forget_receipts(&mut self) {
        self.receipts.clear();
    }
}

/// The whole frames at the beginning of an upload.
#[must_use]
pub(super) fn frames(upload: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut rest = upload;
    while let Ok(amparo_core::seal::First::Item(item, after)) = amparo_core::seal::first(rest) {
        frames.extend(from_bytes(item));
        rest = after;
    }
    frames
}
