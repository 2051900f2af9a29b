//! Disclosures: who may read what, decided when it is sent.
//!
//! Owns the moment at which a consent becomes a grant. While it looks and until it has written, no fact can be
//! added: no grant is made after the withdrawal that forbids it. With each grant it keeps when the consents that carry
//! it lapse, and withholds it then, also when nothing else is known of the screening any more.
//!
//! By a clock in doubt nothing lapses: what has lapsed meanwhile is withheld once the clock is good again. And by no
//! clock does it come back: for the readers of a screening, time stands no earlier than the last term that was acted on.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use amparo_schema::fact::{Compartment, Stamp};
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
use crate::recipient::{About, Known, Readers, lapses, readers};
use crate::seal::{Granter, PublicKey, SegmentKey, from_bytes, to_bytes, unverified};
use crate::store::progress::LifeRow;
use crate::store::{self, Rows, Tx};

/// Screenings looked at in one call; the rest stays due.
const LOOKED_AT_MAX: u32 = 100_000;

/// Grants, or what is held back, in one disclosure; many fewer than `DISCLOSURE_GRANTS_MAX`, for a cut costs the whole
/// frame: some 2 kB.
const TOGETHER: usize = 32;

/// Lapsed grants withheld in one transaction.
const LAPSED_AT_ONCE: u32 = 1_000;

/// When each grant lapses, by the id that it names its reader with.
type Lapses = BTreeMap<[u8; 8], i64>;

/// What is to be disclosed, and which segments were looked at for it.
#[derive(Default)]
struct Plan {
    /// One encapsulation for each recipient serves the whole batch.
    granters: BTreeMap<[u8; 8], Granter>,
    grants: Vec<Grant>,
    withheld: Vec<Withheld>,
    /// The segments that were looked at, and when their grants lapse.
    looked_at: Vec<(Hash, Lapses)>,
}

/// What due segments are about.
enum Subject {
    Store,
    /// With the last term by which a grant of it lapsed.
    Screening(Box<Session>, Option<i64>),
    /// A screening of which nothing can be read here any more but what was added since.
    Purged,
}

impl Plan {
    fn is_full(&self) -> bool {
        self.grants.len().max(self.withheld.len()) >= TOGETHER
    }
}

impl Device {
    /// Makes the disclosures that are due, of one screening or of everything, and withholds what has lapsed; each batch
    /// and what it rests on in one transaction. Returns how many screenings could not be looked at: they stay due and hold up no other.
    pub(in crate::device) fn disclose(&self, only: Option<ScreeningId>) -> Result<u64, Error> {
        self.withhold_lapsed()?;
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

    /// Withholds what has lapsed. Where the person agreed again meanwhile, the look that follows grants it again.
    fn withhold_lapsed(&self) -> Result<(), Error> {
        let now = self.stamp();
        let mut more = now.doubt.is_none();
        while more {
            more = self.store.write(|tx| {
                let lapsed = store::lapse::take(tx, now.wall_ms, LAPSED_AT_ONCE)?;
                for withheld in lapsed.chunks(TOGETHER) {
                    self.sign_disclosure(tx, &[], withheld)?;
                }
                Ok::<_, Error>(!lapsed.is_empty())
            })?;
        }
        Ok(())
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
            Some(session) => {
                let session = Box::new(session?);
                let id = session.screening.id;
                Subject::Screening(session, self.store.read(|rows| store::lapse::last(rows, id))?)
            }
        };
        for segment in due {
            let (compartment, key, given) = self.store.read(|rows| {
                let compartment = store::segment::compartment(rows, &segment)?;
                let key = store::segment::key(rows, &segment)?;
                Ok::<_, Error>((compartment, key, store::segment::grants(rows, &segment)?))
            })?;
            // A key that is gone was dropped because nothing may be kept: nobody is to be given it any more.
            let (readers, lapses) = match &key {
                Some(_) => self.readers(&subject, compartment)?,
                None => Default::default(),
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
            plan.looked_at.push((segment, lapses));
        }
        Ok(())
    }

    fn readers(&self, subject: &Subject, compartment: Compartment) -> Result<(Readers, Lapses), Error> {
        let (about, country) = match subject {
            Subject::Store => (About::Store, None),
            Subject::Purged => (About::Erased, None),
            Subject::Screening(session, _) => {
                let erased = session.erased;
                let about = if erased { About::Erased } else { About::Screening(&session.screening) };
                (about, Some(session.screening.place.country))
            }
        };
        let policy = match subject {
            Subject::Screening(session, _) => Arc::clone(&session.packs.policy),
            Subject::Store | Subject::Purged => self.current(Kind::Policy, None)?,
        };
        let mut at = self.stamp();
        if let Subject::Screening(session, Some(lapsed_ms)) = subject {
            let wall_ms = session.screening.consent_ms(&at).max(*lapsed_ms);
            at = Stamp { wall_ms, doubt: None, ..at };
        }
        let Content::Policy(policy) = &*policy.content else { return Err(Error::NoPack { kind: "policy" }) };
        let pack = self.recipients_pack(country)?;
        let known = Known {
            custodian: PublicKey::from(policy.custodian.public_key),
            recipients: pack.as_deref().and_then(recipients),
            at,
            today: self.trusted_today(),
        };
        let readers = readers(compartment, about, &known);
        let lapses = lapses(compartment, about, &known, &readers);
        Ok((readers, lapses))
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
        for (segment, lapses) in &plan.looked_at {
            for grant in store::segment::grants(tx, segment)? {
                let at_ms = lapses.get(&grant.recipient).copied();
                store::lapse::set(tx, segment, &grant.recipient, at_ms)?;
            }
            store::disclosure::clear_due(tx, segment)?;
        }
        Ok(())
    }

    /// Says once more, in this life and in the old order, what a life in doubt disclosed and headquarters has not
    /// acknowledged: under its own numbers headquarters may hold others, and a withdrawal must not be lost to that.
    pub(super) fn disclose_again(&self, doubted: u64) -> Result<(), Error> {
        self.store.write(|tx| {
            let held = store::progress::receipt(tx, doubted)?;
            let from = held.map(|bytes| read_receipt(&bytes)).transpose()?.map_or(0, |held| held.disclosures);
            let to = store::disclosure::next(tx, doubted)?;
            for made in said(tx, doubted, Range { from, to })? {
                let grants: Vec<Grant> = made.grants().collect();
                let withheld: Vec<Withheld> = made.withheld().collect();
                self.sign_disclosure(tx, &grants, &withheld)?;
            }
            Ok(())
        })
    }

    /// Says in the present life what is withheld now of all that these lives gave: a life that said so may have been left
    /// with another headquarters, and this one would hear the grant alone.
    pub(super) fn withhold_again(&self, tx: &Tx<'_>, lives: &[LifeRow]) -> Result<(), Error> {
        let mut withheld = BTreeSet::new();
        for life in lives {
            for made in said(tx, life.incarnation, Range { from: 0, to: life.disclosures })? {
                for Grant { segment, recipient, .. } in made.grants() {
                    if !store::segment::grants(tx, &segment)?.iter().any(|grant| grant.recipient == recipient)
                    {
                        withheld.insert(Withheld { segment, recipient });
                    }
                }
            }
        }
        let withheld: Vec<Withheld> = withheld.into_iter().collect();
        for withheld in withheld.chunks(TOGETHER) {
            self.sign_disclosure(tx, &[], withheld)?;
        }
        Ok(())
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

/// What a life disclosed, in the old order: the last word on a pair stays the last.
fn said(rows: &Rows<'_>, incarnation: u64, within: Range) -> Result<Vec<Disclosure>, Error> {
    let all = store::disclosure::range(rows, incarnation, within, usize::MAX)?;
    let read = |(_, bytes): (u64, Vec<u8>)| unverified(&from_bytes::<Signed<Disclosure>>(&bytes).ok()?).ok();
    Ok(all.into_iter().filter_map(read).collect())
}

/// The recipients in a pack.
pub(super) fn recipients(pack: &Pack) -> Option<&Recipients> {
    match &*pack.content {
        Content::Recipients(recipients) => Some(recipients),
        _ => None,
    }
}
