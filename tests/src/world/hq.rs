//! Headquarters in the world: the relay as it is, over a store in memory, and what it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use amparo_core::random::Entropy;
use amparo_core::seal::{First, SecretKey, Signer, VerifyKey, first, from_bytes, to_bytes, unverified};
use amparo_core::sync::Outbox;
use amparo_hq::relay::{Durability, Reader as Registered, Relay, RelayError, Settings};
use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::{Chain, Standing, Storage};
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::name::Name;
use amparo_schema::wire::desk::Pull;
use amparo_schema::wire::disclosure::Disclosure;
use amparo_schema::wire::enrol::Enrolment;
use amparo_schema::wire::feed::{Letter, Page};
use amparo_schema::wire::push::{Frame, Reply};
use amparo_schema::wire::receipt::Receipt;
use amparo_schema::wire::signed::Signed;

use super::phone::Phone;
use super::reader::Reader;
use super::truth::{Told, Truth, frames};

/// Headquarters. A clone is a backup.
#[derive(Clone)]
pub(super) struct Hq {
    relay: Arc<Relay>,
    storage: Memory,
    /// What it was told by disclosures that it took.
    pub(super) told: Told,
    keys: BTreeMap<DeviceId, VerifyKey>,
    revoked: BTreeSet<DeviceId>,
    /// Disclosures of revoked devices: they count once a person releases them.
    aside: Vec<(DeviceId, Frame)>,
}

/// The agency of every reader.
pub(super) fn agency() -> Name {
    Name::new("synthetic-agency").expect("a name")
}

impl Hq {
    /// A new headquarters.
    pub(super) fn new(replicated: bool, group: usize) -> Self {
        let durability = if replicated { Durability::Replicated } else { Durability::Local };
        let settings = Settings { group, durability, ..Settings::local("http://127.0.0.1/") };
        let relay = Relay::new(Signer::from_seed(&[200; 32]), SecretKey::new(&[201; 32]), settings);
        Self {
            relay: Arc::new(relay),
            storage: Memory::default(),
            told: Told::default(),
            keys: BTreeMap::new(),
            revoked: BTreeSet::new(),
            aside: Vec::new(),
        }
    }

    /// The key that phones and readers have pinned.
    pub(super) fn key(&self) -> VerifyKey {
        VerifyKey::from(self.relay.headquarters().key)
    }

    /// Registers a reader.
    pub(super) fn know(&mut self, reader: &Reader, now_ms: i64) {
        let registered = Registered {
            key: Hash(*reader.key().bytes()),
            signing: Hash(reader.signer().public().0),
            agency: agency(),
        };
        self.relay.register(&mut self.storage, &registered, now_ms).expect("registers");
    }

    /// Enrols a phone by a ticket.
    pub(super) fn enrol(&mut self, phone: &mut Phone, now_ms: i64, entropy: &dyn Entropy) {
        let ticket =
            self.relay.invite(&mut self.storage, &agency(), now_ms + 1, now_ms, entropy).expect("invites");
        let request = phone.outbox.request(&ticket).expect("asks");
        let certificate = self.relay.enrol(&mut self.storage, &request, now_ms).expect("enrols");
        self.keys.insert(phone.outbox.device(), phone.outbox.signer().public());
        phone.outbox.enrol(Enrolment { headquarters: self.relay.headquarters(), certificate });
    }

    /// Whether its store is as that of another.
    pub(super) fn same_store(&self, other: &Self) -> bool {
        self.storage == other.storage
    }

    /// One exchange.
    pub(super) fn exchange(&mut self, upload: &[u8], now_ms: i64) -> Vec<u8> {
        self.relay.exchange(&mut self.storage, upload, now_ms).expect("a store in memory does not fail")
    }

    /// Notes what an upload told headquarters, as far as it could be believed.
    pub(super) fn hear(&mut self, upload: &[u8]) {
        let mut believed = Vec::new();
        for frame in frames(upload) {
            let Frame::Disclosure(signed) = &frame else { continue };
            let Ok(claimed) = unverified::<Disclosure>(signed) else { continue };
            let Some(key) = self.keys.get(&claimed.device) else { continue };
            if key.open_object(signed).is_err() {
                continue;
            }
            if self.revoked.contains(&claimed.device) {
                self.aside.push((claimed.device, frame));
            } else {
                believed.push(frame);
            }
        }
        self.told.hear(&believed);
    }

    /// Receipts among replies, verified.
    pub(super) fn receipts(&self, replies: &[u8]) -> Vec<Receipt> {
        let mut receipts = Vec::new();
        let mut rest = replies;
        while let Ok(First::Item(item, after)) = first(rest) {
            if let Ok(Reply::Receipt(signed)) = from_bytes(item) {
                receipts.push(self.key().open_object(&signed).expect("signed by headquarters"));
            }
            rest = after;
        }
        receipts
    }

    /// Whether some caller is asked for the whole receipt.
    pub(super) fn asks(&self, mut replies: &[u8]) -> bool {
        let wanted = to_bytes(&Reply::ReceiptWanted).expect("encodes");
        while let Ok(First::Item(item, rest)) = first(replies) {
            if item == wanted {
                return true;
            }
            replies = rest;
        }
        false
    }

    /// I3: what a receipt names can be read back, link by link.
    ///
    /// # Errors
    /// What cannot.
    pub(super) fn reads_back(&mut self, receipt: &Receipt) -> Result<(), String> {
        let chain = Chain { device: receipt.device, incarnation: receipt.incarnation };
        let mut numbers: Vec<u64> = (0..receipt.stored).collect();
        numbers.extend(receipt.ranges.iter().flat_map(|range| range.from..range.to));
        let mut broken = None;
        let done = self.storage.transact(&mut |tx| {
            let mut previous = None;
            for number in &numbers {
                let Some(segment) = tx.segment(chain.at(*number))? else {
                    broken = Some(format!("I3: segment {number} is in the receipt and not in the store"));
                    break;
                };
                let body = tx.body(chain.at(*number))?.unwrap_or_default();
                if super::reader::hash_of(&body) != Some(segment.hash) {
                    broken = Some(format!("I3: segment {number} does not read back"));
                }
                if *number < receipt.stored && previous.is_some_and(|before| before != segment.previous) {
                    broken = Some(format!("I7: segment {number} does not follow the one before"));
                }
                previous = Some(segment.hash);
            }
            Ok(())
        });
        done.map_err(|why| why.to_string())?;
        broken.map_or(Ok(()), Err)
    }

    /// I31: a segment is in its chain and provably in the log, or it lies aside.
    ///
    /// # Errors
    /// What is not.
    pub(super) fn has(&mut self, device: DeviceId, hash: Hash) -> Result<(), String> {
        match self.relay.prove_segment(&mut self.storage, device, &hash) {
            Ok(_) => Ok(()),
            Err(_) if self.is_aside(device, hash) => Ok(()),
            Err(why) => Err(why.to_string()),
        }
    }

    fn is_aside(&mut self, device: DeviceId, hash: Hash) -> bool {
        let aside = self.relay.aside(&mut self.storage, device, usize::MAX).expect("reads");
        aside.iter().any(|(_, frame)| match from_bytes(frame) {
            Ok(Frame::Segment(bytes)) => super::reader::hash_of(&bytes) == Some(hash),
            _ => false,
        })
    }

    /// Whether a segment stands in its chain and nobody disputes its number.
    pub(super) fn is_sound(&mut self, hash: Hash, truth: &Truth) -> bool {
        let places = truth.places.iter().filter(|(_, hashes)| hashes.contains(&hash));
        let places: Vec<_> = places
            .map(|((device, incarnation, number), _)| {
                Chain { device: *device, incarnation: *incarnation }.at(*number)
            })
            .collect();
        let mut sound = false;
        let done = self.storage.transact(&mut |tx| {
            for place in &places {
                let there = tx.segment(*place)?;
                sound |= there.is_some_and(|s| s.hash == hash && s.standing == Standing::Sound);
            }
            Ok(())
        });
        done.is_ok() && sound
    }

    /// A page of a reader's feed.
    ///
    /// # Errors
    /// Why the relay gives none.
    pub(super) fn pull(&mut self, reader: &Reader, bytes: usize, now_ms: i64) -> Result<Page, String> {
        let down_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let pull = Pull { recipient: reader.key().id(), cursor: reader.cursor, down_bytes };
        let signed = reader.signer().sign_object(&pull).map_err(|why| why.to_string())?;
        self.relay.pull(&mut self.storage, &signed, now_ms).map_err(|why| why.to_string())
    }

    /// A reader's letter; none is taken for a device that was revoked.
    pub(super) fn post(&mut self, letter: &Signed<Letter>, now_ms: i64) {
        match self.relay.post(&mut self.storage, letter, now_ms) {
            Ok(()) | Err(RelayError::Revoked) => {}
            Err(why) => panic!("posts: {why}"),
        }
    }

    /// Tells the relay which backups are kept.
    pub(super) fn backed_up(&mut self, oldest: &mut Self) {
        let newest = self.size();
        let oldest = oldest.size();
        self.relay.backed_up(&mut self.storage, newest, oldest).expect("notes");
    }

    /// Whether this headquarters goes on where a backup stands.
    pub(super) fn goes_on(&mut self, backup: &mut Self) -> bool {
        let log = backup.relay.checkpoint(&mut backup.storage).expect("a checkpoint");
        self.relay.holds(&mut self.storage, &log).expect("a log")
    }

    fn size(&mut self) -> u64 {
        self.relay.checkpoint(&mut self.storage).expect("a checkpoint").size
    }

    /// Revokes a device.
    pub(super) fn revoke(&mut self, device: DeviceId, now_ms: i64) {
        self.relay.revoke(&mut self.storage, device, now_ms).expect("revokes");
        self.revoked.insert(device);
    }

    /// Whether a device was revoked.
    pub(super) fn is_revoked(&self, device: DeviceId) -> bool {
        self.revoked.contains(&device)
    }

    /// Takes what lies aside of a device after all.
    pub(super) fn release(&mut self, device: DeviceId, now_ms: i64) {
        self.relay.release(&mut self.storage, device, now_ms).expect("releases");
        let (mut released, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.aside).into_iter().partition(|(whose, _)| *whose == device);
        self.aside = kept;
        // What lies aside lies there by its hash: of two with one number the first there is heard, not the first to come.
        released.sort_by_cached_key(|(_, frame)| {
            Hash::of("amparo-aside-1", &[&to_bytes(frame).expect("a frame that was read")])
        });
        self.told.hear(&released.into_iter().map(|(_, frame)| frame).collect::<Vec<_>>());
    }
}
