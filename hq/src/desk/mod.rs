//! An agency's desk: reads what was granted to the agency, and answers.
//!
//! Owns the agency's keys while it runs, the following of feeds, what was opened, and everything that is told
//! from it: views, letters, reports, exports. Never speaks to a network (pages come as arguments), never
//! merges or edits a fact, never shows what was withdrawn, and stops at no entry: one that does not open is
//! set aside and the next is read.

mod error;
pub mod htcds;
mod letters;
mod opening;
mod pull;
pub mod report;
mod store;
mod take;
pub mod view;

use std::collections::BTreeSet;
use std::path::Path;

use amparo_schema::id::{CaseId, DeviceId};
use amparo_schema::name::Name;
use amparo_schema::wire::feed::{Cursor, FeedId, Letter};
use amparo_schema::wire::signed::Signed;
use amparo_seal::secret::Key;
use amparo_seal::{SecretKey, Signer, VerifyKey};
use serde::Serialize;

pub use error::DeskError;
pub use letters::{Answer, Failed, FollowUp, Posted};
pub use pull::Pulled;
pub use store::{Aside, FeedState, Sent};
pub use take::Taken;

use report::Rules;
use store::{Store, Which};
use view::CaseView;

/// What makes a desk the desk of one agency.
#[derive(Debug)]
pub struct Keys {
    /// X25519 keys with which it reads, the one in use first. Old ones stay: a phone may come back after
    /// years and have sealed to them.
    pub read: Vec<SecretKey>,
    /// Ed25519 key with which it signs letters; the recipients pack names its public half.
    pub sign: Signer,
    /// Headquarters' Ed25519 keys, pinned; certificates are signed by one of them.
    pub headquarters: Vec<VerifyKey>,
    /// The agency, by its id in the recipients pack.
    pub agency: Name,
    /// The services of the directory that it answers for; refusals to share with them bind it.
    pub services: BTreeSet<Name>,
}

/// An agency's desk.
pub struct Desk {
    store: Store,
    keys: Keys,
    rules: Rules,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("agency", &self.keys.agency).finish_non_exhaustive()
    }
}

/// How the desk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Every feed that was ever read.
    pub feeds: Vec<FeedState>,
    /// Segments held.
    pub segments: u64,
    /// Of these, not shown: withdrawn and erased, or in doubt.
    pub withdrawn: u64,
    /// Entries that could not be taken.
    pub aside: Vec<Aside>,
    /// Places in devices' chains at which two segments came: a copied phone, or worse.
    pub forks: Vec<Fork>,
}

/// A place in a device's chain at which two segments came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fork {
    /// The device.
    pub device: DeviceId,
    /// The incarnation.
    pub incarnation: u64,
    /// The number.
    pub number: u64,
}

impl Desk {
    /// Opens the desk's store, or makes it when there is none. `key` encrypts the whole file.
    ///
    /// # Errors
    /// [`DeskError::NoKeys`]; [`DeskError::Store`] for a wrong key or a damaged file, which is left as it is.
    pub fn open(path: &Path, key: &Key, keys: Keys, rules: Rules) -> Result<Self, DeskError> {
        if keys.read.is_empty() || keys.headquarters.is_empty() {
            return Err(DeskError::NoKeys);
        }
        Ok(Self { store: Store::open(path, key)?, keys, rules })
    }

    /// Where to go on reading: one cursor for each key.
    ///
    /// # Errors
    /// Those of the store.
    pub fn cursors(&self) -> Result<Vec<Cursor>, DeskError> {
        let tx = self.store.look()?;
        let feeds = self.keys.read.iter().map(|key| FeedId::recipient(key.public().id()));
        feeds.map(|feed| Ok(tx.feed(feed)?.cursor)).collect()
    }

    /// How the desk stands.
    ///
    /// # Errors
    /// Those of the store.
    pub fn status(&self) -> Result<Status, DeskError> {
        let tx = self.store.look()?;
        let (segments, withdrawn) = tx.segments()?;
        let forks = tx.forks()?;
        let fork = |(device, incarnation, number)| Fork { device, incarnation, number };
        let forks = forks.into_iter().map(fork).collect();
        Ok(Status { feeds: tx.feeds()?, segments, withdrawn, aside: tx.aside()?, forks })
    }

    /// Every case of which something was ever delivered.
    ///
    /// # Errors
    /// Those of the store.
    pub fn cases(&self) -> Result<Vec<CaseId>, DeskError> {
        self.store.look()?.cases()
    }

    /// One case, at `now_ms` of the desk's clock, by which consents lapse.
    ///
    /// # Errors
    /// [`DeskError::NoCase`]; those of the store.
    pub fn case(&self, case: CaseId, now_ms: i64) -> Result<CaseView, DeskError> {
        let tx = self.store.look()?;
        let rows = tx.rows(Some(case))?;
        if rows.is_empty() {
            return Err(DeskError::NoCase);
        }
        Ok(view::case(case, &rows, &tx.sent(case)?, &self.reading(now_ms)))
    }

    /// Who the person of a case is, where a device recorded that the law lets it be shared without consent.
    /// A step of its own: the case view keeps to what the person said.
    ///
    /// # Errors
    /// Those of the store.
    pub fn identity_by_law(&self, case: CaseId) -> Result<Vec<view::IdentityEntry>, DeskError> {
        Ok(view::identity_by_law(&self.store.look()?.rows(Some(case))?))
    }

    /// All cases, one after the other, as one state of the store; holds one at a time in memory.
    ///
    /// # Errors
    /// Those of the store.
    pub fn each_case(&self, now_ms: i64, mut see: impl FnMut(CaseView)) -> Result<(), DeskError> {
        let tx = self.store.look()?;
        for case in tx.cases()? {
            see(view::case(case, &tx.rows(Some(case))?, &tx.sent(case)?, &self.reading(now_ms)));
        }
        Ok(())
    }

    fn reading(&self, now_ms: i64) -> view::Reading<'_> {
        view::Reading { services: &self.keys.services, now_ms }
    }

    /// Facts about devices' stores that belong to no case, by kind: how many.
    ///
    /// # Errors
    /// Those of the store.
    pub fn audit(&self) -> Result<view::Audit, DeskError> {
        Ok(view::audit(&self.store.look()?.rows(None)?))
    }

    /// Every letter that was written here, oldest first. A device takes each once.
    ///
    /// # Errors
    /// Those of the store.
    pub fn letters(&self) -> Result<Vec<Signed<Letter>>, DeskError> {
        Ok(self.store.look()?.letters(Which::All)?.into_iter().map(|kept| kept.letter).collect())
    }

    /// Lets every letter wait again. Headquarters that was restored may lack some without showing it in a
    /// feed; it takes each letter once.
    ///
    /// # Errors
    /// Those of the store.
    pub fn post_again(&mut self) -> Result<(), DeskError> {
        let tx = self.store.begin()?;
        tx.post_again()?;
        tx.commit()
    }

    /// How this desk counts.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}
