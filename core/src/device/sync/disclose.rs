//! Disclosures: who may read what, decided when it is sent.
//!
//! Owns the moment at which a consent becomes a grant. While it looks and until it has written, no fact can be
//! added: no grant is made after the withdrawal that forbids it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, PoisonError};

use amparo_schema::fact::Compartment;
use amparo_schema::id::{Hash, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::recipients::{Recipient, RecipientRole, Recipients};
use amparo_schema::pack::{Content, Kind};
use amparo_schema::person::Country;
use amparo_schema::wire::disclosure::{Disclosure, Withheld};
use amparo_schema::wire::receipt::Range;
use amparo_schema::wire::segment::Grant;
use amparo_schema::wire::signed::Signed;

use super::outbox::read_receipt;
use crate::device::session::Session;
use crate::device::{Device, Error};
use crate::pack::Pack;
use crate::recipient::{About, Known, Readers, readers};
use crate::seal::{Granter, PublicKey, SegmentKey, from_bytes, to_bytes, unverified};
use crate::store::{self, Tx};

/// Screenings looked at in one call; the rest stays due.
const LOOKED_AT_MAX: u32 = 100_000;

/// Grants, or what is held back, in one disclosure; many fewer than `DISCLOSURE_GRANTS_MAX`, for a cut costs the whole
/// frame: some 2 kB.
const TOGETHER: usize = 32;

/// What is to be disclosed, and which segments were looked at for it.
#[derive(Default)]
struct Plan {
    /// One encapsulation for each recipient serves the whole batch.
    granters: BTreeMap<[u8; 8], Granter>,
    grants: Vec<Grant>,
    withheld: Vec<Withheld>,
    looked_at: Vec<Hash>,
}

/// What due segments are about.
enum Subject {
    Store,
    Screening(Box<Session>),
    /// A screening of which nothing can be read here any more but what was added since.
    Purged,
}

impl Plan {
    fn is_full(&self) -> bool {
        self.grants.len().max(self.withheld.len()) >= TOGETHER
    }
}

impl Device {
    /// Makes the disclosures that are due, of one screening or of everything; each batch and what it rests on in
    /// one transaction. Returns how many screenings could not be looked at: they stay due and hold up no other.
    pub(in crate::device) fn disclose(&self, only: Option<ScreeningId>) -> Result<u64, Error> {
        let due: Vec<Option<ScreeningId>> = match only {
            Some(id) => vec![Some(id)],
            None => {
                let due = self.store.read(|rows| store::disclosure::due_screenings(rows, LOOKED_AT_MAX))?;
                due.into_iter().map(Some).chain([None]).collect()
            }
        };
        let mut failed = 0_u64;
        let mut due = due.into_iter().peekable();
        while due.peek().is_some() {
            // Until the batch is written, nobody adds a fact.
            let _working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
            let mut plan = Plan::default();
            for about in due.by_ref() {
                match self.look(about, &mut plan) {
                    Ok(()) => {}
                    Err(Error::Store(why)) => return Err(why.into()),
                    Err(_) => failed = failed.saturating_add(1),
                }
                if plan.is_full() {
                    break;
                }
            }
            self.store.write(|tx| self.write_plan(tx, &plan))?;
        }
        Ok(failed)
    }

    /// Looks at the due segments of one screening, or of none.
    fn look(&self, about: Option<ScreeningId>, plan: &mut Plan) -> Result<(), Error> {
        let due = self.store.read(|rows| store::disclosure::due_segments(rows, about))?;
        if due.is_empty() {
            return Ok(());
        }
        let subject = match about.map(|id| self.load(id)) {
            None => Subject::Store,
            Some(Err(Error::Purged)) => Subject::Purged,
            Some(session) => Subject::Screening(Box::new(session?)),
        };
        for segment in due {
            let (compartment, key, given) = self.store.read(|rows| {
                let compartment = store::segment::compartment(rows, &segment)?;
                let key = store::segment::key(rows, &segment)?;
                Ok::<_, Error>((compartment, key, store::segment::grants(rows, &segment)?))
            })?;
            // A key that is gone was dropped because nothing may be kept: nobody is to be given it any more.
            let readers = match &key {
                Some(_) => self.readers(&subject, compartment)?,
                None => Readers::default(),
            };
            for (recipient, to) in &readers.grant {
                let has = given.iter().any(|grant| grant.recipient == *recipient);
                if let Some(key) = key.as_ref().filter(|_| !has) {
                    let key = SegmentKey::new(key.expose());
                    let granter = match plan.granters.entry(*recipient) {
                        Entry::Occupied(there) => there.into_mut(),
                        Entry::Vacant(room) => room.insert(Granter::new(to, &*self.entropy)?),
                    };
                    plan.grants.push(granter.grant(&key, segment)?);
                }
            }
            let ended = given.iter().map(|grant| grant.recipient).filter(|r| !readers.keep.contains(r));
            plan.withheld.extend(ended.map(|recipient| Withheld { segment, recipient }));
            plan.looked_at.push(segment);
        }
        Ok(())
    }

    fn readers(&self, subject: &Subject, compartment: Compartment) -> Result<Readers, Error> {
        let (about, country) = match subject {
            Subject::Store => (About::Store, None),
            Subject::Purged => (About::Erased, None),
            Subject::Screening(session) => {
                let erased = session.erased;
                let about = if erased { About::Erased } else { About::Screening(&session.screening) };
                (about, Some(session.screening.place.country))
            }
        };
        let policy = match subject {
            Subject::Screening(session) => Arc::clone(&session.packs.policy),
            Subject::Store | Subject::Purged => self.current(Kind::Policy, None)?,
        };
        let Content::Policy(policy) = &*policy.content else { return Err(Error::NoPack { kind: "policy" }) };
        let pack = self.recipients_pack(country)?;
        let known = Known {
            custodian: PublicKey::from(policy.custodian.public_key),
            recipients: pack.as_deref().and_then(recipients),
            at: self.stamp(),
            today: self.trusted_today(),
        };
        Ok(readers(compartment, about, &known))
    }

    /// The current recipients pack for a country; none if none is installed.
    pub(super) fn recipients_pack(&self, country: Option<Country>) -> Result<Option<Arc<Pack>>, Error> {
        match self.current(Kind::Recipients, country) {
            Err(Error::NoPack { .. }) if country.is_some() => self.recipients_pack(None),
            Err(Error::NoPack { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    fn write_plan(&self, tx: &Tx<'_>, plan: &Plan) -> Result<(), Error> {
        for withheld in &plan.withheld {
            store::segment::remove_grant(tx, &withheld.segment, &withheld.recipient)?;
        }
        for grant in &plan.grants {
            store::segment::insert_grant(tx, grant)?;
        }
        // Apart, and withdrawals first: they are sent before everything else.
        for withheld in plan.withheld.chunks(TOGETHER) {
            self.sign_disclosure(tx, &[], withheld)?;
        }
        for grants in plan.grants.chunks(TOGETHER) {
            self.sign_disclosure(tx, grants, &[])?;
        }
        for segment in &plan.looked_at {
            store::disclosure::clear_due(tx, segment)?;
        }
        Ok(())
    }

    /// Says once more, in this life, what a life in doubt disclosed and headquarters has not acknowledged: under its
    /// own numbers headquarters may hold others, and a withdrawal must not be lost to that.
    pub(super) fn disclose_again(&self, doubted: u64) -> Result<(), Error> {
        self.store.write(|tx| {
            let held = store::progress::receipt(tx, doubted)?;
            let from = held.map(|bytes| read_receipt(&bytes)).transpose()?.map_or(0, |held| held.disclosures);
            let to = store::disclosure::next(tx, doubted)?;
            for (_, bytes) in store::disclosure::range(tx, doubted, Range { from, to }, usize::MAX)? {
                let Ok(signed) = from_bytes::<Signed<Disclosure>>(&bytes) else { continue };
                let Ok(made) = unverified::<Disclosure>(&signed) else { continue };
                let grants: Vec<Grant> = made.grants().collect();
                let withheld: Vec<Withheld> = made.withheld().collect();
                self.sign_disclosure(tx, &grants, &withheld)?;
            }
            Ok(())
        })
    }

    fn sign_disclosure(&self, tx: &Tx<'_>, grants: &[Grant], withheld: &[Withheld]) -> Result<(), Error> {
        let identity = self.store.identity();
        let incarnation = identity.incarnation;
        let number = store::disclosure::next(tx, incarnation)?;
        let withholds = !withheld.is_empty();
        let made = Disclosure::new((identity.device, incarnation, number), grants, withheld);
        let signed = to_bytes(&self.signer.sign_object(&made)?)?;
        Ok(store::disclosure::insert(tx, (incarnation, number), withholds, &signed)?)
    }
}

impl Device {
    /// The agencies that read what is shared with a service, by the installed recipients pack; empty where the
    /// service can be reached by packet and telephone alone. They are given keys only while the person agrees to
    /// sharing needs, outcome and indicators with this service.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the screening, [`Error::Store`].
    pub fn agencies(&self, id: ScreeningId, service: &Name) -> Result<Vec<Name>, Error> {
        let country = self.screening(id)?.place.country;
        let pack = self.recipients_pack(Some(country))?;
        let all = pack.as_deref().and_then(recipients).into_iter().flat_map(|known| &known.recipients);
        let reads = |r: &&Recipient| r.role == RecipientRole::Agency && r.services.contains(service);
        Ok(all.filter(reads).map(|recipient| recipient.id.clone()).collect())
    }
}

/// The recipients in a pack.
pub(super) fn recipients(pack: &Pack) -> Option<&Recipients> {
    match &*pack.content {
        Content::Recipients(recipients) => Some(recipients),
        _ => None,
    }
}
