//! An outbox in memory, for simulated worlds: cheap to clone, which is a snapshot, a rollback or a copied phone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use amparo_schema::fact::Compartment;
use amparo_schema::id::{CaseId, DeviceId, Hash, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::wire::disclosure::{Disclosure, Withheld};
use amparo_schema::wire::enrol::{Enrolment, Request, Ticket};
use amparo_schema::wire::feed::{Cursor, FeedId, Note};
use amparo_schema::wire::receipt::{Range, Receipt};
use amparo_schema::wire::segment::Grant;
use amparo_schema::wire::signed::Signed;

use super::outbox::{Arrival, Change, Effect, Kept, Life, Outbox, Past, Why};
use super::receipt::{Weight, weigh};
use crate::random::Entropy;
use crate::seal::{
    SealError, Sealed, SecretKey, SegmentInput, Signer, first_previous, request, seal, to_bytes,
};

/// The facts of one segment to be sealed.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The case; none in the audit compartment.
    pub case: Option<CaseId>,
    /// The screening; none in the audit compartment.
    pub screening: Option<ScreeningId>,
    /// The compartment of every fact.
    pub compartment: Compartment,
    /// Counters and encoded facts, in order.
    pub events: Vec<(u64, Vec<u8>)>,
    /// Whether the segment is sent before others.
    pub urgent: bool,
}

/// A store in memory. A clone shares nothing that changes.
#[derive(Clone)]
pub struct MemoryOutbox {
    device: DeviceId,
    signer: Arc<Signer>,
    letter_secret: Arc<SecretKey>,
    enrolment: Option<Enrolment>,
    lives: Vec<MemoryLife>,
    cursors: BTreeMap<FeedId, Cursor>,
    agencies: BTreeMap<Hash, Name>,
    letters: BTreeMap<[u8; 16], (Name, Note)>,
    packs: BTreeSet<Hash>,
    aside: Vec<(Arc<[u8]>, Why)>,
    /// What was said by that which lies aside.
    said: BTreeSet<Hash>,
    revoked_ms: Option<i64>,
}

#[derive(Clone)]
struct MemoryLife {
    incarnation: u64,
    segments: Vec<MemorySegment>,
    /// Encoded, and whether something is withheld.
    disclosures: Vec<(Arc<[u8]>, bool)>,
    receipt: Option<(Arc<Signed<Receipt>>, Receipt)>,
    past: Past,
}

#[derive(Clone)]
struct MemorySegment {
    hash: Hash,
    /// Encoded; none once purged.
    bytes: Option<Arc<[u8]>>,
    urgent: bool,
}

impl std::fmt::Debug for MemoryOutbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryOutbox").field("device", &self.device).finish_non_exhaustive()
    }
}

impl MemoryOutbox {
    /// A new device in its first incarnation.
    #[must_use]
    pub fn new(device: DeviceId, seed: &[u8; 32], incarnation: u64) -> Self {
        let mut outbox = Self {
            device,
            signer: Arc::new(Signer::from_seed(seed)),
            letter_secret: Arc::new(super::letter_secret(seed)),
            enrolment: None,
            lives: Vec::new(),
            cursors: BTreeMap::new(),
            agencies: BTreeMap::new(),
            letters: BTreeMap::new(),
            packs: BTreeSet::new(),
            aside: Vec::new(),
            said: BTreeSet::new(),
            revoked_ms: None,
        };
        outbox.begin(incarnation);
        outbox
    }

    /// A request to be enrolled.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn request(&self, ticket: &Ticket) -> Result<Signed<Request>, SealError> {
        request(ticket, self.device, &self.signer, &self.letter_secret.public())
    }

    /// Enrols the device; the certificate is not looked at.
    pub fn enrol(&mut self, enrolment: Enrolment) {
        self.enrolment = Some(enrolment);
    }

    /// Believes letters that are signed with this key to be of this agency.
    pub fn believe(&mut self, author: Hash, agency: Name) {
        self.agencies.insert(author, agency);
    }

    /// Begins a new incarnation after a rollback. The one that ends is in doubt, also where that was noticed before
    /// anything more was sealed: another copy may have gone on with it.
    pub fn begin(&mut self, incarnation: u64) {
        if let Some(last) = self.lives.last_mut() {
            last.past = Past::Doubted;
        }
        self.lives.push(MemoryLife {
            incarnation,
            segments: Vec::new(),
            disclosures: Vec::new(),
            receipt: None,
            past: Past::Known,
        });
    }

    /// Seals the next segment of the present incarnation.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&mut self, facts: Facts, entropy: &dyn Entropy) -> Result<Sealed, SealError> {
        let (device, signer) = (self.device, Arc::clone(&self.signer));
        let life = self.lives.last_mut().ok_or(SealError::Empty)?;
        let sealed = seal(
            &SegmentInput {
                case: facts.case,
                screening: facts.screening,
                compartment: facts.compartment,
                events: facts.events,
                device,
                incarnation: life.incarnation,
                number: life.segments.len() as u64,
                previous: life
                    .segments
                    .last()
                    .map_or_else(|| first_previous(&signer.public()), |last| last.hash),
            },
            &signer,
            entropy,
        )?;
        let bytes = Some(sealed.segment.clone().into());
        life.segments.push(MemorySegment { hash: sealed.hash, bytes, urgent: facts.urgent });
        Ok(sealed)
    }

    /// Makes the next disclosure of the present incarnation and returns its number.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn disclose(&mut self, grants: &[Grant], withheld: &[Withheld]) -> Result<u64, SealError> {
        let (device, signer) = (self.device, Arc::clone(&self.signer));
        let life = self.lives.last_mut().ok_or(SealError::Empty)?;
        let number = life.disclosures.len() as u64;
        let withholds = !withheld.is_empty();
        let made = Disclosure::new((device, life.incarnation, number), grants, withheld);
        life.disclosures.push((to_bytes(&signer.sign_object(&made)?)?.into(), withholds));
        Ok(number)
    }

    /// Drops the sealed bytes that every backup of headquarters has; returns how many segments.
    pub fn purge_sealed(&mut self) -> usize {
        let mut purged = 0;
        for life in &mut self.lives {
            let horizon = life.receipt.as_ref().map_or(0, |(_, receipt)| receipt.horizon);
            let covered = life.segments.iter_mut().take(usize::try_from(horizon).unwrap_or(usize::MAX));
            purged += covered.filter_map(|segment| segment.bytes.take()).count();
        }
        purged
    }

    /// The newest receipt of an incarnation.
    #[must_use]
    pub fn receipt(&self, incarnation: u64) -> Option<&Receipt> {
        self.life(incarnation)?.receipt.as_ref().map(|(_, receipt)| receipt)
    }

    /// The present incarnation.
    #[must_use]
    pub fn incarnation(&self) -> u64 {
        self.lives.last().map_or(0, |life| life.incarnation)
    }

    /// The letters that were taken, by id, each with its author.
    #[must_use]
    pub fn letters(&self) -> &BTreeMap<[u8; 16], (Name, Note)> {
        &self.letters
    }

    /// Hashes (label `pack`) of the packs that came.
    #[must_use]
    pub fn packs(&self) -> &BTreeSet<Hash> {
        &self.packs
    }

    /// What was kept aside, in order, and why.
    #[must_use]
    pub fn aside(&self) -> &[(Arc<[u8]>, Why)] {
        &self.aside
    }

    /// Since when the certificate holds no longer, if headquarters said so.
    #[must_use]
    pub fn revoked_ms(&self) -> Option<i64> {
        self.revoked_ms
    }

    fn life(&self, incarnation: u64) -> Option<&MemoryLife> {
        self.lives.iter().find(|life| life.incarnation == incarnation)
    }

    /// Segments of an incarnation with numbers in `within`, in order.
    fn within(&self, incarnation: u64, within: Range) -> impl Iterator<Item = (u64, &MemorySegment)> {
        let all = self.life(incarnation).map_or(&[][..], |life| &life.segments);
        (0_u64..).zip(all).filter(move |(number, _)| (within.from..within.to).contains(number))
    }

    /// Disclosures of an incarnation with numbers in `within`, in order, and whether something is withheld.
    fn made(&self, incarnation: u64, within: Range) -> impl Iterator<Item = (Kept, bool)> {
        let all = self.life(incarnation).map_or(&[][..], |life| &life.disclosures);
        let made = (0_u64..).zip(all).filter(move |(number, _)| (within.from..within.to).contains(number));
        made.map(|(number, (bytes, withholds))| (Kept { number, bytes: bytes.to_vec() }, *withholds))
    }

    fn set_aside(&mut self, bytes: &[u8], says: &[u8], why: Why) -> bool {
        let new = self.said.insert(Hash::of("aside", &[says]));
        if new {
            self.aside.push((bytes.into(), why));
        }
        new
    }

    fn arrive(&mut self, entry: &[u8], arrival: Arrival<'_>) -> Effect {
        let new = match arrival {
            Arrival::Letter { id, author, note } => {
                let new = !self.letters.contains_key(&id);
                if new {
                    self.letters.insert(id, (author, note));
                }
                new
            }
            Arrival::Revoked(revocation) => self.revoked_ms.replace(revocation.from_ms).is_none(),
            Arrival::Pack(bytes) => self.packs.insert(Hash::of("pack", &[bytes])),
            Arrival::Aside(why) => {
                self.set_aside(entry, entry, why);
                return Effect::Aside(why);
            }
        };
        if new { Effect::Applied } else { Effect::Known }
    }
}

/// As many items as fit into `bytes`, and at least one.
fn fitting(kept: impl Iterator<Item = Kept>, bytes: usize) -> Vec<Kept> {
    let mut left = bytes;
    let mut fits = Vec::new();
    for item in kept {
        if item.bytes.len() > left && !fits.is_empty() {
            break;
        }
        left = left.saturating_sub(item.bytes.len());
        fits.push(item);
    }
    fits
}

impl Outbox for MemoryOutbox {
    type Error = std::convert::Infallible;

    fn device(&self) -> DeviceId {
        self.device
    }

    fn signer(&self) -> &Signer {
        &self.signer
    }

    fn letter_secret(&self) -> &SecretKey {
        &self.letter_secret
    }

    fn enrolment(&self) -> Result<Option<Enrolment>, Self::Error> {
        Ok(self.enrolment.clone())
    }

    fn lives(&self) -> Result<Vec<Life>, Self::Error> {
        let life = |life: &MemoryLife| Life {
            incarnation: life.incarnation,
            segments: life.segments.len() as u64,
            disclosures: life.disclosures.len() as u64,
            receipt: life.receipt.as_ref().map(|(signed, _)| (**signed).clone()),
            past: life.past,
        };
        Ok(self.lives.iter().map(life).collect())
    }

    fn segments(&self, incarnation: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Self::Error> {
        let kept = self
            .within(incarnation, within)
            .filter_map(|(number, segment)| Some(Kept { number, bytes: segment.bytes.as_ref()?.to_vec() }));
        Ok(fitting(kept, bytes))
    }

    fn urgent(&self, incarnation: u64, within: Range) -> Result<Vec<u64>, Self::Error> {
        let urgent = self.within(incarnation, within).filter(|(_, segment)| segment.urgent);
        Ok(urgent.map(|(number, _)| number).collect())
    }

    fn disclosures(&self, incarnation: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Self::Error> {
        Ok(fitting(self.made(incarnation, within).map(|(kept, _)| kept), bytes))
    }

    fn withdrawals(&self, incarnation: u64, within: Range, bytes: usize) -> Result<Vec<Kept>, Self::Error> {
        let withheld = self.made(incarnation, within).filter(|(_, withholds)| *withholds);
        Ok(fitting(withheld.map(|(kept, _)| kept), bytes))
    }

    fn hash(&self, incarnation: u64, number: u64) -> Result<Option<Hash>, Self::Error> {
        let life = self.life(incarnation);
        let at = usize::try_from(number).ok();
        Ok(life.zip(at).and_then(|(life, at)| life.segments.get(at)).map(|segment| segment.hash))
    }

    fn cursor(&self, feed: FeedId) -> Result<Cursor, Self::Error> {
        Ok(self.cursors.get(&feed).copied().unwrap_or_else(|| Cursor::start(feed)))
    }

    fn agency(&self, author: &Hash) -> Result<Option<Name>, Self::Error> {
        Ok(self.agencies.get(author).cloned())
    }

    fn apply(&mut self, change: Change<'_>) -> Result<Effect, Self::Error> {
        Ok(match change {
            Change::Receipt { signed, receipt } => {
                let lives = &mut self.lives;
                let life = lives.iter_mut().find(|life| life.incarnation == receipt.incarnation);
                match life {
                    Some(life)
                        if weigh(life.receipt.as_ref().map(|held| &held.1), receipt) == Weight::Newer =>
                    {
                        life.receipt = Some((Arc::new(signed.clone()), receipt.clone()));
                        Effect::Applied
                    }
                    _ => Effect::Overtaken,
                }
            }
            Change::Entry { from, .. } | Change::Rewind { from } if self.cursor(from.feed)? != from => {
                Effect::Overtaken
            }
            Change::Entry { to, entry, arrival, .. } => {
                self.cursors.insert(to.feed, to);
                self.arrive(entry, arrival)
            }
            Change::Rewind { from } => {
                self.cursors.remove(&from.feed);
                Effect::Applied
            }
            Change::Distrust { incarnation } => {
                let lives = self.lives.iter_mut().filter(|life| life.incarnation == incarnation);
                lives.for_each(|life| life.receipt = None);
                Effect::Applied
            }
            Change::Aside { bytes, says, why } => match self.set_aside(bytes, says, why) {
                true => Effect::Aside(why),
                false => Effect::Known,
            },
        })
    }
}
