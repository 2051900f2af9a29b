//! What headquarters did not take: kept to be seen, and not sent again where it is kept aside there.

use std::collections::BTreeSet;

use amparo_schema::wire::push::Refusal;

use super::outbox::read_receipt;
use crate::device::{Device, Error};
use crate::store::refused::RefusedRow;
use crate::store::{self, Rows};
use crate::sync::Item;

/// Refusals in one list.
const REFUSED_MAX: u32 = 10_000;
/// All there are, as they are numbered on the wire and in the store.
const REFUSALS: [Refusal; 8] = [
    Refusal::Form,
    Refusal::Signature,
    Refusal::Stranger,
    Refusal::Fork,
    Refusal::Revoked,
    Refusal::Newer,
    Refusal::TooLarge,
    Refusal::Full,
];

impl Device {
    /// Notes refusals. A fork puts the life in doubt, unless it is the present one: that ends by its receipt.
    pub(super) fn note_refused(&self, refused: &[(Item, Refusal)]) -> Result<(), Error> {
        if refused.is_empty() {
            return Ok(());
        }
        let present = self.store.identity().incarnation;
        self.store.write(|tx| {
            for (item, why) in refused {
                let (incarnation, number, disclosure) = parts(*item);
                let epoch = epoch(tx, incarnation)?;
                let row = RefusedRow { incarnation, disclosure, number, why: numbered(*why), epoch };
                store::refused::set(tx, &row)?;
                if *why == Refusal::Fork && incarnation != present {
                    store::progress::doubt(tx, incarnation)?;
                }
            }
            Ok(())
        })
    }

    /// What was refused and not acknowledged since.
    pub(super) fn refusals(&self) -> Result<Vec<(Item, Refusal)>, Error> {
        let rows = self.store.read(|rows| store::refused::list(rows, REFUSED_MAX))?;
        Ok(rows.iter().filter_map(|row| Some((item(row), refusal(row.why)?))).collect())
    }

    /// Forks that headquarters keeps aside, and has not lost since.
    pub(super) fn forked(&self) -> Result<BTreeSet<Item>, Error> {
        let fork = numbered(Refusal::Fork);
        self.store.read(|rows| {
            let mut forked = BTreeSet::new();
            for row in store::refused::list(rows, REFUSED_MAX)?.iter().filter(|row| row.why == fork) {
                if epoch(rows, row.incarnation)? == row.epoch {
                    forked.insert(item(row));
                }
            }
            Ok(forked)
        })
    }
}

fn numbered(why: Refusal) -> u32 {
    why as u32
}

fn refusal(number: u32) -> Option<Refusal> {
    REFUSALS.into_iter().find(|why| numbered(*why) == number)
}

fn epoch(rows: &Rows<'_>, incarnation: u64) -> Result<u64, Error> {
    let held = store::progress::receipt(rows, incarnation)?;
    Ok(held.map(|bytes| read_receipt(&bytes)).transpose()?.map_or(0, |held| held.epoch))
}

fn parts(item: Item) -> (u64, u64, bool) {
    match item {
        Item::Segment { incarnation, number } => (incarnation, number, false),
        Item::Disclosure { incarnation, number } => (incarnation, number, true),
    }
}

fn item(row: &RefusedRow) -> Item {
    let (incarnation, number) = (row.incarnation, row.number);
    if row.disclosure {
        Item::Disclosure { incarnation, number }
    } else {
        Item::Segment { incarnation, number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{from_bytes, to_bytes};

    #[test]
    fn refusals_are_numbered_as_on_the_wire() {
        for (number, why) in (0_u8..).zip(REFUSALS) {
            assert_eq!(to_bytes(&why).unwrap(), [number]);
            assert_eq!((numbered(why), refusal(u32::from(number))), (u32::from(number), Some(why)));
        }
        assert!(from_bytes::<Refusal>(&[8]).is_err() && refusal(8).is_none(), "there are no others");
    }
}
