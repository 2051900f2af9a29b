//! Sealing again, after a change of headquarters, what the one before does not have for good.
//!
//! Owns which screenings these are: those of which a life that was left behind holds something that its headquarters
//! never called durable. All of each that can still be read here is sealed once more in the present life, whole, so
//! that a reader of the new headquarters has it from its opening on; facts keep their counters, by which whoever reads
//! both counts each once. Never seals what the former headquarters keeps, and never touches what cannot be read here
//! any more: that stays in its old life and waits for the day on which the device returns there.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use amparo_schema::fact::{Compartment, Lane};
use amparo_schema::id::ScreeningId;

use super::audit;
use super::outbox::read_receipt;
use crate::device::close::{About, Events, parts};
use crate::device::{Device, Error};
use crate::screening::Keep;
use crate::store;

/// Set while something may be left to seal again: [`MOVED`] until what is withheld was said again, then empty.
pub(super) const SETTING: &str = "sync.again";
/// Nothing was done yet.
pub(super) const MOVED: &[u8] = &[1];

impl Device {
    /// Begins a new life if the present one was left behind, and seals again in it what must be. Each screening in one transaction; cut short, it goes on at
    /// the next call. A screening that cannot be read holds up no other.
    pub(super) fn seal_again(&self) -> Result<(), Error> {
        let Some(left_to_do) = self.store.read(|rows| store::setting::get(rows, SETTING))? else {
            return Ok(());
        };
        let lives = self.store.read(store::progress::lives)?;
        if lives.last().is_some_and(|present| present.left) {
            self.store.begin_again(None, &*self.entropy, self.clock.now())?;
            self.begin_incarnation()?;
        }
        let present = self.store.identity().incarnation;
        let (left, others): (Vec<_>, Vec<_>) = lives.into_iter().partition(|life| life.left);
        if left_to_do == MOVED {
            let before: Vec<_> = others.into_iter().filter(|life| life.incarnation != present).collect();
            self.store.write(|tx| {
                self.withhold_again(tx, &before)?;
                Ok::<_, Error>(store::setting::set(tx, SETTING, &[])?)
            })?;
        }
        let mut failed = false;
        for life in left {
            let durable =
                life.receipt.map(|bytes| read_receipt(&bytes)).transpose()?.map_or(0, |r| r.durable);
            let left = self.store.read(|rows| store::left::screenings(rows, life.incarnation, durable))?;
            for id in left {
                match self.seal_screening_again(id) {
                    Ok(()) => {}
                    Err(error @ (Error::Store(_) | Error::NoEntropy(_))) => return Err(error),
                    Err(_) => failed = true,
                }
            }
            self.store.write(|tx| {
                if store::left::replace_audit(tx, life.incarnation, durable)? > 0 {
                    store::setting::remove(tx, audit::SETTING)?;
                }
                Ok::<_, Error>(())
            })?;
        }
        if !failed {
            self.store.write(|tx| store::setting::remove(tx, SETTING))?;
        }
        Ok(())
    }

    fn seal_screening_again(&self, id: ScreeningId) -> Result<(), Error> {
        // Until it is sealed, nobody adds a fact.
        let _working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        let (about, lanes, whole) = match self.load(id) {
            Ok(session) => (About::closed(&session.screening), self.events(&session, Keep::Full)?, true),
            Err(Error::Purged) => (self.about_purged(id)?, self.added_since(id)?, false),
            Err(why) => return Err(why),
        };
        if lanes.is_empty() {
            return Ok(());
        }
        let now = self.stamp();
        self.store.write(|tx| {
            for (lane, events) in lanes {
                for part in parts(events) {
                    self.seal_into(tx, Some(about), lane, part, now)?;
                }
            }
            Ok(store::left::replace(tx, id, whole)?)
        })
    }

    /// What was added to a screening of which nothing else can be read here any more.
    fn added_since(&self, id: ScreeningId) -> Result<BTreeMap<Lane, Events>, Error> {
        let mut added: BTreeMap<Lane, Events> = BTreeMap::new();
        for row in self.store.read(|rows| store::fact::of_screening(rows, id))? {
            if let Some(body) = row.body.filter(|_| row.compartment != Compartment::Identity) {
                added.entry(row.compartment.lane()).or_default().push((row.counter, body));
            }
        }
        Ok(added)
    }
}
