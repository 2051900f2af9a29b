//! Weighing receipts: whether one is newer, old, or against what headquarters said before. Pure.

use amparo_schema::id::Hash;
use amparo_schema::limits::RECEIPT_RANGES_MAX;
use amparo_schema::wire::receipt::Receipt;

use super::outbox::{Life, Outbox, Why};
use crate::seal::first_previous;

/// How a receipt stands to the one that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It says more, or of a later epoch.
    Newer,
    /// It is the same, or was overtaken by the one that is held.
    Older,
    /// It is later than the one that is held, of the same epoch, and some count fell.
    Fallen,
}

/// Weighs a verified receipt against the one that is held for the same incarnation. Within one epoch no count
/// may fall. Carriers repeat and reorder, so one that is older in every respect is no contradiction.
#[must_use]
pub fn weigh(held: Option<&Receipt>, new: &Receipt) -> Weight {
    let Some(held) = held else { return Weight::Newer };
    if new.epoch != held.epoch {
        return if new.epoch > held.epoch { Weight::Newer } else { Weight::Older };
    }
    let counts = |r: &Receipt| [r.stored, r.durable, r.delivered, r.horizon, r.disclosures];
    let pairs = counts(held).into_iter().zip(counts(new));
    let (mut rose, mut fell) = (false, false);
    for (before, after) in pairs {
        rose |= after > before;
        fell |= after < before;
    }
    let later = new.log_size > held.log_size || new.hq_ms > held.hq_ms;
    match (rose, fell) {
        (_, false) if rose || later && new.ranges != held.ranges => Weight::Newer,
        (true, true) => Weight::Fallen,
        (false, true) if later => Weight::Fallen,
        _ => Weight::Older,
    }
}

/// Whether a receipt makes sense by itself.
pub(super) fn is_sound(receipt: &Receipt) -> bool {
    let mut floor = receipt.stored;
    let ranges = receipt.ranges.iter().all(|range| {
        // A range that touched the one before, or the prefix, would be part of it.
        let apart = range.from > floor && range.to > range.from;
        floor = range.to;
        apart
    });
    ranges
        && receipt.ranges.len() <= RECEIPT_RANGES_MAX
        && receipt.horizon <= receipt.durable
        && receipt.durable <= receipt.stored
        && receipt.delivered <= receipt.stored
}

/// What a receipt that is refused says, so that it is kept and told once: without headquarters' clock and log, which go
/// on by themselves, and where the chains `parted` without how far copies and deliveries have come.
pub(super) fn gist(receipt: &Receipt, parted: bool) -> Receipt {
    let mut gist = Receipt { hq_ms: 0, log_size: 0, log_root: Hash([0; 32]), ..receipt.clone() };
    if parted {
        (gist.durable, gist.delivered, gist.horizon) = (0, 0, 0);
    }
    gist
}

/// Whether a receipt speaks of the chain that this store has.
///
/// # Errors
/// Those of the store.
pub(super) fn is_ours<O: Outbox>(
    outbox: &O,
    life: &Life,
    present: bool,
    receipt: &Receipt,
) -> Result<Option<Why>, O::Error> {
    let beyond = receipt.ranges.last().map_or(receipt.stored, |range| range.to);
    if beyond > life.segments || receipt.disclosures > life.disclosures {
        // Of a life that ended headquarters may well know more: the prefix may be ours all the same, and the hash says so.
        if present || receipt.stored > life.segments {
            return Ok(Some(Why::Ahead));
        }
    }
    let ours: Option<Hash> = match receipt.stored.checked_sub(1) {
        Some(last) => outbox.hash(life.incarnation, last)?,
        None => Some(first_previous(&outbox.signer().public())),
    };
    Ok((ours != Some(receipt.hash)).then_some(Why::Fork))
}

#[cfg(test)]
mod tests {
    use super::*;
    use amparo_schema::id::DeviceId;
    use amparo_schema::wire::receipt::Range;

    fn receipt(epoch: u64, counts: [u64; 5], log_size: u64) -> Receipt {
        let [stored, durable, delivered, horizon, disclosures] = counts;
        Receipt {
            device: DeviceId([1; 16]),
            incarnation: 7,
            epoch,
            stored,
            hash: Hash([0; 32]),
            ranges: Vec::new(),
            durable,
            delivered,
            horizon,
            disclosures,
            hq_ms: 0,
            log_size,
            log_root: Hash([0; 32]),
        }
    }

    #[test]
    fn within_one_epoch_no_count_falls_and_a_new_epoch_may_begin_lower() {
        let held = receipt(3, [5, 4, 3, 2, 9], 20);
        assert_eq!(weigh(None, &held), Weight::Newer);
        assert_eq!(weigh(Some(&held), &held), Weight::Older);
        for at in 0..5 {
            let mut counts = [5, 4, 3, 2, 9];
            counts[at] += 1;
            assert_eq!(weigh(Some(&held), &receipt(3, counts, 20)), Weight::Newer, "{at}");
            counts[(at + 1) % 5] -= 1;
            assert_eq!(weigh(Some(&held), &receipt(3, counts, 30)), Weight::Fallen, "{at}");
            counts[at] -= 1;
            assert_eq!(weigh(Some(&held), &receipt(3, counts, 30)), Weight::Fallen, "{at}");
            assert_eq!(weigh(Some(&held), &receipt(3, counts, 19)), Weight::Older, "a delayed one, {at}");
        }
        assert_eq!(weigh(Some(&held), &receipt(4, [0; 5], 0)), Weight::Newer);
        assert_eq!(weigh(Some(&held), &receipt(2, [9; 5], 99)), Weight::Older);
    }

    #[test]
    fn a_receipt_that_contradicts_itself_is_not_sound() {
        let with = |ranges: &[(u64, u64)]| Receipt {
            ranges: ranges.iter().map(|(from, to)| Range { from: *from, to: *to }).collect(),
            ..receipt(1, [5, 4, 5, 4, 0], 1)
        };
        for sound in [&[][..], &[(6, 7)], &[(6, 7), (9, 12)]] {
            assert!(is_sound(&with(sound)), "{sound:?}");
        }
        for bad in [&[(5, 6)][..], &[(6, 6)], &[(8, 7)], &[(9, 12), (6, 7)], &[(6, 7), (7, 8)], &[(0, 9)]] {
            assert!(!is_sound(&with(bad)), "{bad:?}");
        }
        let many: Vec<(u64, u64)> = (3..12).map(|n| (2 * n, 2 * n + 1)).collect();
        assert!(!is_sound(&with(&many)));
        for counts in [[5, 6, 0, 0, 0], [5, 4, 6, 0, 0], [5, 4, 0, 5, 0]] {
            assert!(!is_sound(&receipt(1, counts, 1)), "{counts:?}");
        }
    }
}
