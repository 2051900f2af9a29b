//! The device: the one object that a shell holds.
//!
//! Owns the order of things: each public method is one check, one transaction, one result. Knows the store
//! and the domain, and is the only one that does. Never holds a rule of the domain itself, never keeps a
//! transaction open after a call, never prints.
//!
//! Every method blocks; call it off the thread that draws. A device may be shared between threads.

mod ask;
mod close;
mod consult;
mod error;
mod inspect;
mod lookup;
mod packs;
mod refer;
mod session;
mod start;
mod sync;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amparo_schema::fact::{Body, Compartment, Doubt, Fact, Stamp};
use amparo_schema::id::{Hash, ScreeningId};

pub use ask::{NextStep, Question};
pub use close::Closing;
pub use consult::{
    AgencyLine, ConsentView, Contacts, ExcludedService, OfferedService, ProtocolView, StepView,
};
pub use error::{Error, ErrorKind, SyncFault};
pub use inspect::{ScreeningLine, ScreeningView, SealedSegment};
pub use packs::{Installed, PackLine};
pub use refer::ConsentRequest;
pub use start::StartRequest;
pub use sync::{CaseStub, FollowUp, Level, PurgeReport, ScreeningSync, SyncState, Volume};

use crate::pack::{Pack, Trust};
use crate::random::Entropy;
use crate::seal::Signer;
use crate::secret::Key;
use crate::store::{self, Store};
use crate::time::{Clock, Moment};
use session::Session;

/// How far the wall clock may fall back before it is doubted: networks correct it by seconds. Milliseconds.
const BACKWARDS_MS_MAX: i64 = 5 * 60 * 1000;
/// How far wall and steady time may drift apart between two facts before the clock is doubted. Milliseconds.
const DRIFT_MS_MAX: i64 = 60 * 60 * 1000;
/// How many of the newest facts are looked at for the time of the last one: identity facts stay closed.
const LOOK_BACK_FACTS: u64 = 15;
const LOOK_BACK_FACTS_U32: u32 = 16;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The device.
pub struct Device {
    store: Store,
    trust: Trust,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    signer: Signer,
    memory: Mutex<Memory>,
    working: Mutex<Option<Session>>,
}

/// What is kept in memory and can be read again at any time.
#[derive(Default)]
struct Memory {
    packs: BTreeMap<Hash, Arc<Pack>>,
    /// What is installed, with headers; none until asked, and again after an installation.
    installed: Option<Arc<Vec<packs::PackEntry>>>,
    /// First day of the youngest and last day of the longest-lived installed pack, as milliseconds since 1970.
    content_span_ms: Option<(i64, i64)>,
    /// The clocks at the last fact: wall and, if written by this process, steady.
    last: Option<(i64, Option<u64>)>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Device")
    }
}

impl Device {
    /// Makes a new store at `path` and opens it.
    ///
    /// # Errors
    /// [`Error::Store`] when there is a file already or the system refuses.
    pub fn create(
        path: &Path,
        key: &Key,
        trust: Trust,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        let store = Store::create(path, key, &*entropy, clock.now())?;
        Self::over(store, trust, clock, entropy)
    }

    /// Opens the store at `path`.
    ///
    /// # Errors
    /// [`Error::Store`]: wrong key, plaintext file, newer store, damaged store (set aside, never deleted),
    /// full disk.
    pub fn open(
        path: &Path,
        key: &Key,
        trust: Trust,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        let store = Store::open(path, key, &*entropy, clock.now())?;
        Self::over(store, trust, clock, entropy)
    }

    fn over(
        store: Store,
        trust: Trust,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        let last = store.read(last_wall_ms)?.map(|wall_ms| (wall_ms, None));
        let signer = Signer::from_seed(store.signing_seed()?.expose());
        let memory = Mutex::new(Memory { last, ..Memory::default() });
        let device = Self { store, trust, clock, entropy, signer, memory, working: Mutex::new(None) };
        device.remember_content_span()?;
        device.begin_incarnation()?;
        Ok(device)
    }

    /// The first fact of a new incarnation says that it began: the store was created, found to have gone back, or moved
    /// to another headquarters.
    fn begin_incarnation(&self) -> Result<(), Error> {
        let identity = self.store.identity();
        let (last, _) = self.store.read(store::fact::last)?;
        if last >= identity.first_counter {
            return Ok(());
        }
        let body = Body::IncarnationBegun { incarnation: identity.incarnation };
        let fact = session::encode(&Fact { at: self.stamp(), body })?;
        self.store.write(|tx| store::fact::append(tx, None, Compartment::Audit, &fact))?;
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the clocks say, with the reason to doubt them, if there is one.
    pub(super) fn stamp(&self) -> Stamp {
        let now = self.clock.now();
        Stamp {
            wall_ms: now.wall_ms,
            offset_minutes: now.offset_minutes,
            steady_ms: now.steady_ms,
            doubt: self.doubt(now),
        }
    }

    fn doubt(&self, now: Moment) -> Option<Doubt> {
        let memory = self.memory();
        if let Some((wall_ms, steady_ms)) = memory.last {
            if now.wall_ms < wall_ms.saturating_sub(BACKWARDS_MS_MAX) {
                return Some(Doubt::Backwards);
            }
            if let Some(steady_ms) = steady_ms {
                let wall = now.wall_ms.saturating_sub(wall_ms);
                let steady = i64::try_from(now.steady_ms.saturating_sub(steady_ms)).unwrap_or(i64::MAX);
                if wall.abs_diff(steady) > DRIFT_MS_MAX.unsigned_abs() {
                    return Some(Doubt::Jumped);
                }
            }
        }
        match memory.content_span_ms {
            Some((from, _)) if now.wall_ms < from.saturating_sub(DAY_MS) => Some(Doubt::BeforeContent),
            Some((_, to)) if now.wall_ms > to.saturating_add(365 * DAY_MS) => Some(Doubt::FarAfterContent),
            _ => None,
        }
    }

    /// Works on one screening: loads it if another one was in memory. An error drops it from memory, so that
    /// the next call reads the truth from the store again.
    fn work<T>(
        &self,
        id: ScreeningId,
        on: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        let mut session = match working.take() {
            Some(session) if session.screening.id == id => session,
            _ => self.load(id)?,
        };
        let result = on(&mut session)?;
        *working = Some(session);
        Ok(result)
    }

    /// Adds one fact to a screening: checks, writes, and only then changes memory. Returns its counter. After
    /// closing, the addition is sealed in the same transaction.
    fn add(&self, session: &mut Session, body: Body) -> Result<u64, Error> {
        let at = self.stamp();
        if session.erased {
            return Err(Error::Erased);
        }
        crate::screening::allow(&session.screening, &body, session.screening.consent_ms(&at))?;
        let fact = Fact { at, body };
        let id = session.screening.id;
        let compartment = fact.body.compartment();
        let plain = zeroize::Zeroizing::new(session::encode(&fact)?);
        let stored = match compartment {
            Compartment::Identity => self.box_identity(session, &plain)?,
            _ => plain.to_vec(),
        };
        let counter = if session.screening.closed.is_some() {
            session.erased = close::takes_back(&session.screening, &fact);
            self.add_sealed(session, &fact, &plain, &stored)?
        } else {
            self.store.write(|tx| {
                let (counter, _) = store::fact::append(tx, Some(id), compartment, &stored)?;
                close::index(tx, id, &fact.body)?;
                Ok::<_, Error>(counter)
            })?
        };
        self.memory().last = Some((at.wall_ms, Some(at.steady_ms)));
        session.screening.add(counter, fact).map_err(|what| crate::screening::FoldError { counter, what })?;
        Ok(counter)
    }

    /// Lets go of what is in memory and writes the store home. The key goes with the device itself.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn rest(&self) -> Result<(), Error> {
        self.forget_screening();
        Ok(self.store.empty_log()?)
    }

    fn forget_screening(&self) {
        *self.working.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn forget_if(&self, erased: bool) {
        if erased {
            self.forget();
        }
    }

    /// After an erasure: what was erased must linger neither in memory nor in the log. A log that is in use now
    /// is emptied at the next rest.
    fn forget(&self) {
        self.forget_screening();
        let _ = self.store.empty_log();
    }
}

/// The wall time of the newest fact that can be read without an identity key.
fn last_wall_ms(rows: &store::Rows<'_>) -> Result<Option<i64>, Error> {
    let (last, _) = store::fact::last(rows)?;
    let newest = store::fact::from(rows, last.saturating_sub(LOOK_BACK_FACTS), LOOK_BACK_FACTS_U32)?;
    let readable = newest.iter().rev().filter(|fact| fact.compartment != Compartment::Identity);
    // One that does not read is no reason not to open; its own screening will say so.
    let mut read = readable.filter_map(|fact| session::decode(fact.counter, fact.body.as_ref()?).ok());
    Ok(read.next().map(|fact| fact.at.wall_ms))
}
