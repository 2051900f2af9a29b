//! What headquarters did not take: kept to be seen, and not sent again where it is kept aside there.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use amparo_schema::wire::disclosure::Disclosure;
use amparo_schema::wire::push::Refusal;
use amparo_schema::wire::receipt::Range;
use amparo_schema::wire::signed::Signed;

use super::outbox::read_receipt;
use crate::device::{Device, Error};
use crate::seal::{from_bytes, unverified};
use crate::store::refused::RefusedRow;
use crate::store::{self, Rows, Tx};
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
    /// Notes refusals. A fork puts the life in doubt, unless it is the present one: that ends by its receipt, or goes
    /// on because the other claim was laid aside.
    pub(super) fn note_refused(&self, refused: &[(Item, Refusal)]) -> Result<(), Error> {
        if refused.is_empty() {
            return Ok(());
        }
        let present = self.store.identity().incarnation;
        // Who may read is not being decided meanwhile: what is marked due here stays so until it was looked at.
        let _working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        self.store.write(|tx| {
            let epoch = epoch(tx)?;
            for (item, why) in refused {
                let (incarnation, number, disclosure) = parts(*item);
                let row = RefusedRow { incarnation, disclosure, number, why: numbered(*why), epoch };
                store::refused::set(tx, &row)?;
                match (*why, disclosure) {
                    (Refusal::Fork, _) if incarnation != present => {
                        store::progress::doubt(tx, incarnation)?;
                    }
                    (Refusal::Fork, true) => decide_again(tx, incarnation, number)?,
                    _ => {}
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

    /// Forks of the present life that headquarters keeps aside, and has not lost since. Those of a life in doubt are sent
    /// once in each session: no receipt of its chain is taken here, so none would tell that headquarters lost them.
    pub(super) fn forked(&self) -> Result<BTreeMap<Item, Refusal>, Error> {
        let (fork, present) = (numbered(Refusal::Fork), self.store.identity().incarnation);
        self.store.read(|rows| {
            let epoch = epoch(rows)?;
            let refused = store::refused::list(rows, REFUSED_MAX)?;
            let forked = refused
                .iter()
                .filter(|row| row.why == fork && row.epoch == epoch && row.incarnation == present);
            Ok(forked.map(|row| (item(row), Refusal::Fork)).collect())
        })
    }
}

fn numbered(why: Refusal) -> u32 {
    why as u32
}

fn refusal(number: u32) -> Option<Refusal> {
    REFUSALS.into_iter().find(|why| numbered(*why) == number)
}

/// Headquarters' epoch, as far as receipts said. It is one for all lives, and those in doubt get no receipts.
fn epoch(rows: &Rows<'_>) -> Result<u64, Error> {
    let mut epoch = 0;
    // A life that was left keeps the receipt of another headquarters.
    let lives = store::progress::lives(rows)?.into_iter().filter(|life| !life.left);
    for bytes in lives.filter_map(|life| life.receipt) {
        epoch = epoch.max(read_receipt(&bytes)?.epoch);
    }
    Ok(epoch)
}

/// Headquarters holds another disclosure under this number, so that nobody was given what this one gives: who may
/// read its segments is decided anew, and said under a number of its own. What it withholds is heard all the same.
fn decide_again(tx: &Tx<'_>, incarnation: u64, number: u64) -> Result<(), Error> {
    let within = Range { from: number, to: number.saturating_add(1) };
    for (_, bytes) in store::disclosure::range(tx, incarnation, within, usize::MAX)? {
        let Ok(signed) = from_bytes::<Signed<Disclosure>>(&bytes) else { continue };
        let Ok(made) = unverified::<Disclosure>(&signed) else { continue };
        for grant in made.grants() {
            if store::segment::key(tx, &grant.segment)?.is_some() {
                store::segment::remove_grant(tx, &grant.segment, &grant.recipient)?;
                store::disclosure::mark_due(tx, &grant.segment)?;
            }
        }
    }
    Ok(())
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
    use crate::seal::to_bytes;

    #[test]
    fn refusals_are_numbered_as_on_the_wire() {
        for (number, why) in (0_u8..).zip(REFUSALS) {
            assert_eq!(to_bytes(&why).unwrap(), [number]);
            assert_eq!((numbered(why), refusal(u32::from(number))), (u32::from(number), Some(why)));
        }
        assert!(from_bytes::<Refusal>(&[8]).is_err() && refusal(8).is_none(), "there are no others");
    }
}
