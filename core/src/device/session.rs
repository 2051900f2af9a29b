//! One screening in memory while it is worked on.
//!
//! Everything in it follows from facts and packs; it can be dropped at any time and built again. Never writes.

use std::sync::Arc;

use amparo_schema::fact::{Compartment, Fact};
use amparo_schema::id::ScreeningId;
use amparo_schema::pack::calendar::Calendar;
use amparo_schema::pack::checklist::Checklist;
use amparo_schema::pack::directory::Directory;
use amparo_schema::pack::policy::{Policy, Purpose};
use amparo_schema::pack::protocol::Protocol;
use amparo_schema::pack::{Content, PackRef};

use super::{Device, Error};
use crate::assessment::{Assessment, assess};
use crate::checklist::{Form, Gate, Walk};
use crate::consent::State;
use crate::pack::Pack;
use crate::screening::{self, NoFold, Screening};
use crate::store::{self, fact};

/// The screening with its packs and its walk.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) screening: Screening,
    pub(super) walk: Walk,
    pub(super) form: Arc<Form>,
    pub(super) packs: SessionPacks,
    /// True when facts of it were erased: what is left of it no longer tells why it came out as it did.
    pub(super) erased: bool,
}

/// The packs that the next question needs. The others that the screening stays on are read when they are needed.
#[derive(Clone, Debug)]
pub(super) struct SessionPacks {
    pub(super) checklist: Arc<Pack>,
    pub(super) policy: Arc<Pack>,
}

impl SessionPacks {
    pub(super) fn checklist(&self) -> Result<&Checklist, Error> {
        match &*self.checklist.content {
            Content::Checklist(checklist) => Ok(checklist),
            _ => Err(Error::NoPack { kind: "checklist" }),
        }
    }

    pub(super) fn policy(&self) -> Result<&Policy, Error> {
        match &*self.policy.content {
            Content::Policy(policy) => Ok(policy),
            _ => Err(Error::NoPack { kind: "policy" }),
        }
    }
}

/// The protocol in a pack.
pub(super) fn protocol(pack: &Pack) -> Result<&Protocol, Error> {
    match &*pack.content {
        Content::Protocol(protocol) => Ok(protocol),
        _ => Err(Error::NoPack { kind: "protocol" }),
    }
}

/// The calendar in a pack.
pub(super) fn calendar(pack: &Pack) -> Option<&Calendar> {
    match &*pack.content {
        Content::Calendar(calendar) => Some(calendar),
        _ => None,
    }
}

/// The directory in a pack.
pub(super) fn directory(pack: &Pack) -> Result<&Directory, Error> {
    match &*pack.content {
        Content::Directory(directory) => Ok(directory),
        _ => Err(Error::NoPack { kind: "directory" }),
    }
}

impl Session {
    /// Where the gate stands for the walk: passed once the checks are confirmed and the person agreed to talk.
    pub(super) fn gate(&self, now_ms: i64) -> Gate {
        let talks = self.screening.consents.state(Purpose::Talk, None, now_ms) == State::Given;
        match self.screening.gate {
            screening::Gate::Passed if talks => Gate::Passed,
            _ => Gate::Ahead,
        }
    }

    /// Whether facts were erased: what is left does not give the recorded outcome.
    pub(super) fn is_erased(&self) -> bool {
        self.erased
    }

    /// The assessment of the answers as they are.
    pub(super) fn assess(&self) -> Assessment {
        assess(&self.form, &self.screening.answers, &self.packs.checklist.pack_ref)
    }
}

impl Device {
    /// Builds the session of a screening from its facts and its packs.
    pub(super) fn load(&self, id: ScreeningId) -> Result<Session, Error> {
        let rows = self.store.read(|rows| fact::of_screening(rows, id))?;
        if rows.is_empty() {
            return Err(Error::NotFound { what: "screening" });
        }
        let mut facts = Vec::with_capacity(rows.len());
        let erased = rows.iter().any(|row| row.body.is_none());
        for row in rows {
            // Identity stays closed; purged bodies have left their hash.
            let Some(body) = row.body.filter(|_| row.compartment != Compartment::Identity) else { continue };
            facts.push((row.counter, decode(row.counter, &body)?));
        }
        let screening = Screening::from_facts(facts).map_err(|why| match why.what {
            // Only what was added after a purge is left.
            NoFold::NotOpened if erased => Error::Purged,
            _ => why.into(),
        })?;
        let packs = self.packs_of(&screening)?;
        let form = Arc::new(Form::compile(packs.policy()?, packs.checklist()?)?);
        let walk = Walk::new(Arc::clone(&form), &screening.answers);
        Ok(Session { screening, walk, form, packs, erased })
    }

    fn packs_of(&self, screening: &Screening) -> Result<SessionPacks, Error> {
        let packs = &screening.packs;
        Ok(SessionPacks { checklist: self.pack(&packs.checklist)?, policy: self.pack(&packs.policy)? })
    }

    /// The calendar that the screening stays on.
    pub(super) fn calendar_pack(&self, screening: &Screening) -> Result<Option<Arc<Pack>>, Error> {
        screening.packs.calendar.as_ref().map(|calendar| self.pack(calendar)).transpose()
    }

    /// A pack by reference, from memory or from the store.
    pub(super) fn pack(&self, pack: &PackRef) -> Result<Arc<Pack>, Error> {
        if let Some(known) = self.memory().packs.get(&pack.hash) {
            return Ok(Arc::clone(known));
        }
        let bytes = self
            .store
            .read(|rows| store::pack::file(rows, &pack.hash))?
            .ok_or(Error::NotFound { what: "pack" })?;
        let read = Arc::new(crate::pack::reopen(&bytes, &self.trust)?);
        self.memory().packs.insert(pack.hash, Arc::clone(&read));
        Ok(read)
    }
}

/// Reads a fact.
pub(super) fn decode(counter: u64, body: &[u8]) -> Result<Fact, Error> {
    minicbor::decode(body).map_err(|_| Error::Unreadable { counter })
}

/// Writes a fact. Writing to memory does not fail; a fact past the limit is refused by the store.
pub(super) fn encode(fact: &Fact) -> Result<Vec<u8>, Error> {
    minicbor::to_vec(fact).map_err(|_| Error::Unreadable { counter: 0 })
}
