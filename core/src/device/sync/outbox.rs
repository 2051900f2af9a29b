//! The device's store as an outbox. Every change is one transaction together with its cursor.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::RECIPIENTS_MAX;
use amparo_schema::name::Name;
use amparo_schema::pack::Kind;
use amparo_schema::wire::enrol::Enrolment;
use amparo_schema::wire::feed::{Cursor, FeedId};
use amparo_schema::wire::push::Refusal;
use amparo_schema::wire::receipt::{Range, Receipt};
use amparo_schema::wire::signed::Signed;

use super::disclose::recipients;
use crate::device::{Device, Error};
use crate::pack::PackError;
use crate::seal::{SecretKey, Signer, from_bytes, to_bytes, unverified};
use crate::store::feed::{LetterRow, LetterState};
use crate::store::{self, Rows, StoreError, Tx};
use crate::sync::{Arrival, Change, Effect, Kept, Life, Outbox, Past, Weight, Why, weigh};

/// Segments that go first in one upload, at most: more of them than a receipt has ranges would be sent twice.
const URGENT_MAX: u32 = 8;

/// The store, with the keys that sync needs.
pub(super) struct StoreOutbox<'d> {
    device: &'d Device,
    letter_secret: SecretKey,
}

impl<'d> StoreOutbox<'d> {
    pub(super) fn new(device: &'d Device) -> Result<Self, Error> {
        let letter_secret = device.letter_secret()?;
        Ok(Self { device, letter_secret })
    }

    fn now_ms(&self) -> i64 {
        self.device.clock.now().wall_ms
    }

    fn set_receipt(&self, signed: &Signed<Receipt>, receipt: &Receipt) -> Result<Effect, Error> {
        let bytes = to_bytes(signed)?;
        self.device.store.write(|tx| {
            let held = store::progress::receipt(tx, receipt.incarnation)?;
            let held = held.map(|bytes| read_receipt(&bytes)).transpose()?;
            if weigh(held.as_ref(), receipt) != Weight::Newer {
                return Ok(Effect::Overtaken);
            }
            store::progress::set_receipt(tx, receipt.incarnation, &bytes)?;
            let counts = (receipt.stored, receipt.disclosures);
            store::refused::forget(tx, receipt.incarnation, counts, Refusal::Fork as u32)?;
            Ok(Effect::Applied)
        })
    }

    fn arrive(&self, tx: &Tx<'_>, entry: &[u8], arrival: &Arrival<'_>) -> Result<Effect, Error> {
        let new = match arrival {
            Arrival::Letter { id, author, note } => {
                let author = author.as_str().to_owned();
                let (note, taken_ms) = (to_bytes(note)?, self.now_ms());
                let row = LetterRow { id: *id, author, note, taken_ms, state: LetterState::New };
                store::feed::take_letter(tx, &row)?
            }
            Arrival::Revoked(revocation) => {
                let known = store::enrolment::get(tx)?.is_some_and(|row| row.revoked_ms.is_some());
                store::enrolment::revoke(tx, revocation.from_ms)?;
                !known
            }
            Arrival::Aside(why) => {
                store::feed::set_aside(tx, entry, entry, (number(*why), self.now_ms()))?;
                return Ok(Effect::Aside(*why));
            }
            // Installed by the device, which brings the cursor along.
            Arrival::Pack(_) => false,
        };
        Ok(if new { Effect::Applied } else { Effect::Known })
    }

    fn pack(&self, from: Cursor, to: Cursor, entry: &[u8], bytes: &[u8]) -> Result<Effect, Error> {
        let overtaken = std::cell::Cell::new(false);
        let moved = |tx: &Tx<'_>| match step(tx, from, to)? {
            true => Ok(()),
            false => {
                overtaken.set(true);
                Err(StoreError::Conflict.into())
            }
        };
        let why = match self.device.install_with(bytes, moved) {
            Ok(installed) if installed.already => return Ok(Effect::Known),
            Ok(_) => return Ok(Effect::Applied),
            Err(_) if overtaken.get() => return Ok(Effect::Overtaken),
            Err(Error::Pack(PackError::Older { .. })) => None,
            // Content that conflicts with what is stored would conflict for ever.
            Err(Error::Store(StoreError::Conflict | StoreError::TooLarge { .. })) => Some(Why::Pack),
            Err(error @ (Error::Store(_) | Error::NoEntropy(_))) => return Err(error),
            Err(_) => Some(Why::Pack),
        };
        self.device.store.write(|tx| match (step(tx, from, to)?, why) {
            (false, _) => Ok(Effect::Overtaken),
            (true, None) => Ok(Effect::Known),
            (true, Some(why)) => self.arrive(tx, entry, &Arrival::Aside(why)),
        })
    }
}

impl Outbox for StoreOutbox<'_> {
    type Error = Error;

    fn device(&self) -> DeviceId {
        self.device.store.identity().device
    }

    fn signer(&self) -> &Signer {
        &self.device.signer
    }

    fn letter_secret(&self) -> &SecretKey {
        &self.letter_secret
    }

    fn enrolment(&self) -> Result<Option<Enrolment>, Error> {
        self.device.enrolment()
    }

    fn lives(&self) -> Result<Vec<Life>, Error> {
        let lives = self.device.store.read(store::progress::lives)?;
        let life = |row: store::progress::LifeRow| {
            let receipt = row.receipt.map(|bytes| from_bytes(&bytes)).transpose();
            Ok(Life {
                incarnation: row.incarnation,
                segments: row.segments,
                disclosures: row.disclosures,
                receipt: receipt.map_err(|_| StoreError::Malformed { table: "progress" })?,
                past: if row.doubted { Past::Doubted } else { Past::Known },
            })
        };
        // A life that was left with another headquarters does not call this one.
        lives.into_iter().filter(|row| !row.left).map(life).collect()
    }

    fn segments(&self, incarnation: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Error> {
        let rows = self.device.store.read(|rows| store::segment::range(rows, incarnation, within, bytes))?;
        let kept = rows.into_iter().map(|row| {
            let bytes = to_bytes(&row.segment)?;
            Ok(Kept { number: row.number, bytes })
        });
        kept.collect()
    }

    fn urgent(&self, incarnation: u64, within: Range) -> Result<Vec<u64>, Error> {
        Ok(self.device.store.read(|rows| store::segment::urgent(rows, incarnation, within, URGENT_MAX))?)
    }

    fn disclosures(&self, incarnation: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Error> {
        let rows =
            self.device.store.read(|rows| store::disclosure::range(rows, incarnation, within, bytes))?;
        Ok(rows.into_iter().map(|(number, bytes)| Kept { number, bytes }).collect())
    }

    fn withdrawals(&self, incarnation: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Error> {
        let read = |rows: &Rows<'_>| store::disclosure::withdrawals(rows, incarnation, within, bytes);
        Ok(self.device.store.read(read)?.into_iter().map(|(number, bytes)| Kept { number, bytes }).collect())
    }

    fn hash(&self, incarnation: u64, number: u64) -> Result<Option<Hash>, Error> {
        Ok(self.device.store.read(|rows| store::segment::hash(rows, incarnation, number))?)
    }

    fn cursor(&self, feed: FeedId) -> Result<Cursor, Error> {
        Ok(self.device.store.read(|rows| store::feed::cursor(rows, feed))?)
    }

    fn agency(&self, author: &Hash) -> Result<Option<Name>, Error> {
        let rows = self.device.pack_rows()?;
        for row in rows.iter().filter(|row| row.current && row.header.kind == Kind::Recipients) {
            let pack = self.device.pack(&row.pack)?;
            let mut all = recipients(&pack).into_iter().flat_map(|r| &r.recipients).take(RECIPIENTS_MAX);
            if let Some(agency) = all.find(|recipient| recipient.signing_keys.contains(author)) {
                return Ok(Some(agency.id.clone()));
            }
        }
        Ok(None)
    }

    fn apply(&mut self, change: Change<'_>) -> Result<Effect, Error> {
        match change {
            Change::Receipt { signed, receipt } => self.set_receipt(signed, receipt),
            Change::Entry { from, to, entry, arrival: Arrival::Pack(bytes) } => {
                self.pack(from, to, entry, bytes)
            }
            Change::Entry { from, to, entry, arrival } => self.device.store.write(|tx| {
                if step(tx, from, to)? { self.arrive(tx, entry, &arrival) } else { Ok(Effect::Overtaken) }
            }),
            Change::Rewind { from } => self.device.store.write(|tx| {
                let moved = step(tx, from, Cursor::start(from.feed))?;
                Ok(if moved { Effect::Applied } else { Effect::Overtaken })
            }),
            Change::Distrust { incarnation } => self.device.store.write(|tx| {
                store::progress::forget_receipt(tx, incarnation)?;
                Ok(Effect::Applied)
            }),
            Change::Aside { bytes, says, why } => self.device.store.write(|tx| {
                let new = store::feed::set_aside(tx, bytes, says, (number(why), self.now_ms()))?;
                Ok(if new { Effect::Aside(why) } else { Effect::Known })
            }),
        }
    }
}

/// Moves a cursor, if it still stands where it should.
fn step(tx: &Tx<'_>, from: Cursor, to: Cursor) -> Result<bool, StoreError> {
    if store::feed::cursor(tx, from.feed)? != from {
        return Ok(false);
    }
    store::feed::set_cursor(tx, to)?;
    Ok(true)
}

/// What a receipt of this store says; it was verified when it came.
pub(super) fn read_receipt(bytes: &[u8]) -> Result<Receipt, StoreError> {
    let malformed = |_| StoreError::Malformed { table: "progress" };
    unverified(&from_bytes::<Signed<Receipt>>(bytes).map_err(malformed)?).map_err(malformed)
}

/// The number of a reason in the store.
pub(super) fn number(why: Why) -> u32 {
    let at = Why::ALL.iter().position(|known| *known == why);
    at.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
}
