//! A small headquarters for tests: keeps what it verified, signs receipts, serves feeds. Written from the wire
//! contract alone, and shares no code with the machine under test.
#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::{BTreeMap, BTreeSet};

use amparo_core::seal::{
    Direction, First, PublicKey, SecretKey, Signer, VerifyKey, check_request, first, first_previous,
    from_bytes, inspect, open, open_volume, seal_volume, to_bytes, unverified,
};
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::disclosure::Disclosure;
use amparo_schema::wire::enrol::{Certificate, Enrolment, Headquarters, Request, Revocation, Ticket};
use amparo_schema::wire::feed::{Bytes, Cursor, Entry, FeedId, Mark, Page};
use amparo_schema::wire::push::{Frame, Hello, Refusal, Reply, Shown};
use amparo_schema::wire::receipt::{Brief, Range, Receipt};
use amparo_schema::wire::segment::{Grant, Plain};
use amparo_schema::wire::signed::Signed;

/// How far headquarters' storage goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    Stored,
    Durable,
    Horizon,
}

/// One life of the device, as headquarters has it.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    pub(crate) segments: BTreeMap<u64, (Vec<u8>, Hash)>,
    pub(crate) disclosures: BTreeMap<u64, Disclosure>,
}

/// Headquarters, for one device.
#[derive(Clone)]
pub(crate) struct Relay {
    /// From which its signing key is made.
    pub(crate) seed: u8,
    pub(crate) device: Option<(DeviceId, VerifyKey)>,
    pub(crate) chains: BTreeMap<u64, Chain>,
    pub(crate) feeds: BTreeMap<FeedId, Vec<Vec<u8>>>,
    pub(crate) epoch: u64,
    pub(crate) depth: Depth,
    /// Segments that it will never take.
    pub(crate) poison: BTreeSet<(u64, u64)>,
    /// It forgot the device, until it sees its certificate.
    pub(crate) wants_certificate: bool,
    /// No certificate is good enough.
    pub(crate) admits_nobody: bool,
    /// Asks for whole receipts whatever is shown.
    pub(crate) nags: bool,
    pub(crate) forks: u64,
    pub(crate) asides: u64,
    pub(crate) clock: i64,
    /// Frames of the last upload, as words.
    pub(crate) seen: Vec<String>,
}

/// The one that there is unless a test makes another.
const SEED: u8 = 200;

pub(crate) fn signer() -> Signer {
    Signer::from_seed(&[SEED; 32])
}

fn bundle_secret() -> SecretKey {
    SecretKey::new(&[201; 32])
}

pub(crate) fn headquarters() -> Headquarters {
    Relay::new().headquarters()
}

pub(crate) fn ticket() -> Ticket {
    Relay::new().ticket()
}

impl Relay {
    pub(crate) fn new() -> Self {
        Self {
            seed: SEED,
            device: None,
            chains: BTreeMap::new(),
            feeds: BTreeMap::new(),
            epoch: 1,
            depth: Depth::Durable,
            poison: BTreeSet::new(),
            wants_certificate: false,
            admits_nobody: false,
            nags: false,
            forks: 0,
            asides: 0,
            clock: 0,
            seen: Vec::new(),
        }
    }

    fn signer(&self) -> Signer {
        Signer::from_seed(&[self.seed; 32])
    }

    pub(crate) fn headquarters(&self) -> Headquarters {
        Headquarters {
            url: "https://hq.example/".into(),
            key: Hash(self.signer().public().0),
            bundle_key: Hash(*bundle_secret().public().bytes()),
        }
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket { headquarters: self.headquarters(), id: [1; 16], secret: [2; 16], expires_ms: 0 }
    }

    /// Takes a request and gives the certificate, encoded.
    pub(crate) fn enrol(&mut self, request: &[u8]) -> Vec<u8> {
        let request: Signed<Request> = from_bytes(request).unwrap();
        let request = check_request(&request, &[2; 16], &self.headquarters()).unwrap();
        self.device = Some((request.device, VerifyKey::from(request.key)));
        let certificate = Certificate {
            device: request.device,
            key: request.key,
            letter_key: request.letter_key,
            agency: amparo_schema::name::Name::new("synthetic-agency").unwrap(),
            from_ms: 1,
        };
        to_bytes(&self.signer().sign_object(&certificate).unwrap()).unwrap()
    }

    pub(crate) fn enrolment(&mut self, request: &[u8]) -> Enrolment {
        let certificate = from_bytes(&self.enrol(request)).unwrap();
        Enrolment { headquarters: self.headquarters(), certificate }
    }

    pub(crate) fn publish(&mut self, feed: FeedId, entry: &Entry) {
        self.publish_raw(feed, to_bytes(entry).unwrap());
    }

    pub(crate) fn publish_raw(&mut self, feed: FeedId, entry: Vec<u8>) {
        self.feeds.entry(feed).or_default().push(entry);
    }

    pub(crate) fn revoke(&mut self) {
        let device = self.device.unwrap().0;
        let revoked = self.signer().sign_object(&Revocation { device, from_ms: 77 }).unwrap();
        self.publish(FeedId::device(device), &Entry::Revoked(revoked));
    }

    /// One exchange.
    pub(crate) fn exchange(&mut self, upload: &[u8]) -> Vec<u8> {
        self.clock += 1;
        self.seen.clear();
        let (mut hellos, mut replies, mut at, mut rest) = (Vec::new(), Vec::new(), 0_u64, upload);
        let mut wanted = false;
        while let Ok(First::Item(frame, after)) = first(rest) {
            rest = after;
            match from_bytes::<Frame>(frame).unwrap() {
                Frame::Hello(_) if self.wants_certificate => {
                    wanted = true;
                    self.seen.push("stranger".into());
                }
                Frame::Hello(hello) => {
                    let key = self.device.unwrap().1;
                    hellos.push(key.open_object(&hello).unwrap());
                    self.seen.push("hello".into());
                }
                Frame::Certificate(certificate) => {
                    self.signer().public().open_object(&certificate).unwrap();
                    self.wants_certificate = self.admits_nobody;
                    self.seen.push("certificate".into());
                }
                _ if self.wants_certificate => {
                    replies.push(Reply::Refused { frame: at, why: Refusal::Stranger })
                }
                Frame::Segment(bytes) => {
                    if let Some(why) = self.segment(&bytes) {
                        replies.push(Reply::Refused { frame: at, why });
                    }
                }
                Frame::Disclosure(signed) => {
                    if let Some(why) = self.disclosure(&signed) {
                        replies.push(Reply::Refused { frame: at, why });
                    }
                }
            }
            at += 1;
        }
        if wanted {
            replies.push(Reply::CertificateWanted);
        }
        for hello in &hellos {
            replies.push(self.receipt(hello));
            let mut room = hello.down_bytes as usize;
            if replies.last() == Some(&Reply::ReceiptWanted) {
                continue;
            }
            for (feed, mark) in [(FeedId::device(hello.device), hello.own), (FeedId::packs(), hello.packs)] {
                let page = mark.and_then(|mark| self.page(feed, mark, &mut room));
                replies.extend(page.map(Reply::Page));
            }
        }
        replies.iter().flat_map(|reply| to_bytes(reply).unwrap()).collect()
    }

    fn segment(&mut self, bytes: &[u8]) -> Option<Refusal> {
        let Ok((header, hash)) = inspect(bytes, &self.device.unwrap().1) else { return Some(Refusal::Form) };
        self.seen.push(format!("segment {}", header.number));
        if self.poison.contains(&(header.incarnation, header.number)) {
            return Some(Refusal::TooLarge);
        }
        let chain = self.chains.entry(header.incarnation).or_default();
        let before = header.number.checked_sub(1).and_then(|n| chain.segments.get(&n));
        let parted = before.is_some_and(|(_, before)| *before != header.previous);
        match chain.segments.get(&header.number) {
            known if parted || known.is_some_and(|(_, known)| *known != hash) => {
                self.forks += 1;
                return Some(Refusal::Fork);
            }
            _ => chain.segments.insert(header.number, (bytes.to_vec(), hash)),
        };
        None
    }

    fn disclosure(&mut self, signed: &Signed<Disclosure>) -> Option<Refusal> {
        let made = self.device.unwrap().1.open_object(signed).unwrap();
        self.seen.push(format!(
            "{} {}",
            if made.withheld().next().is_none() { "grants" } else { "withholds" },
            made.number
        ));
        let chain = self.chains.entry(made.incarnation).or_default();
        let known = chain.disclosures.entry(made.number).or_insert_with(|| made.clone());
        if *known == made {
            return None;
        }
        self.forks += 1;
        Some(Refusal::Fork)
    }

    /// What it holds of a life: the prefix, and the ranges beyond it.
    fn held(&self, incarnation: u64) -> Receipt {
        let empty = Chain::default();
        let chain = self.chains.get(&incarnation).unwrap_or(&empty);
        let dense = |numbers: &mut dyn Iterator<Item = &u64>| {
            let mut next = 0;
            for number in numbers {
                if *number != next {
                    break;
                }
                next += 1;
            }
            next
        };
        let stored = dense(&mut chain.segments.keys());
        let mut ranges: Vec<Range> = Vec::new();
        for number in chain.segments.keys().filter(|n| **n >= stored) {
            match ranges.last_mut().filter(|range| range.to == *number) {
                Some(range) => range.to += 1,
                None => ranges.push(Range { from: *number, to: number + 1 }),
            }
        }
        ranges.truncate(8);
        let (device, key) = self.device.unwrap();
        let hash = match stored.checked_sub(1) {
            Some(last) => chain.segments[&last].1,
            None => first_previous(&key),
        };
        let if_at = |depth: Depth| if self.depth >= depth { stored } else { 0 };
        Receipt {
            device,
            incarnation,
            epoch: self.epoch,
            stored,
            hash,
            ranges,
            durable: if_at(Depth::Durable),
            delivered: 0,
            horizon: if_at(Depth::Horizon),
            disclosures: dense(&mut chain.disclosures.keys()),
            hq_ms: self.clock,
            log_size: 0,
            log_root: Hash([0; 32]),
        }
    }

    fn receipt(&mut self, hello: &Hello) -> Reply {
        let mut held = self.held(hello.incarnation);
        if self.nags {
            return Reply::ReceiptWanted;
        }
        let (shown, proven) = match &hello.receipt {
            None => return Reply::Receipt(self.sign(&held)),
            Some(Shown::Brief(brief)) => (brief.clone(), false),
            Some(Shown::Whole(signed)) => {
                (Brief::from(&self.signer().public().open_object(signed).unwrap()), true)
            }
        };
        assert!(!proven || shown.epoch <= self.epoch, "of an epoch that never was");
        let counts = |b: &Brief| [b.stored, b.durable, b.delivered, b.horizon, b.disclosures];
        let now = Brief::from(&held);
        let lost = counts(&now).iter().zip(counts(&shown)).any(|(ours, theirs)| *ours < theirs);
        match (lost && shown.epoch >= self.epoch, proven) {
            (true, false) => return Reply::ReceiptWanted,
            (true, true) => {
                self.epoch += 1;
                held.epoch = self.epoch;
            }
            (false, _) => {}
        }
        let same = |b: Brief| Brief { log_size: 0, log_root: Hash([0; 32]), ..b };
        if same(shown) == same(Brief::from(&held)) {
            return Reply::Unchanged;
        }
        Reply::Receipt(self.sign(&held))
    }

    pub(crate) fn sign(&self, receipt: &Receipt) -> Signed<Receipt> {
        self.signer().sign_object(receipt).unwrap()
    }

    fn page(&self, feed: FeedId, mark: Mark, room: &mut usize) -> Option<Page> {
        let entries = self.feeds.get(&feed)?;
        let (mut walk, mut at) = (Cursor::start(feed), 0);
        while walk.read < mark.read && at < entries.len() {
            walk = walk.after(&entries[at]);
            at += 1;
        }
        let known = walk.mark() == mark;
        let from = if known { walk } else { Cursor::start(feed) };
        let mut page = Page { from, entries: Vec::new(), head: entries.len() as u64 };
        for entry in &entries[from.read as usize..] {
            if entry.len() > *room && !page.entries.is_empty() {
                break;
            }
            *room = room.saturating_sub(entry.len());
            page.entries.push(Bytes(entry.clone()));
        }
        (page.head > from.read || !known).then_some(page)
    }

    /// What a recipient would be given now, opened: of each segment the highest disclosure decides.
    pub(crate) fn readable(&self, secret: &SecretKey) -> Vec<Plain> {
        let mine = secret.public().id();
        let mut standing: BTreeMap<Hash, Option<Grant>> = BTreeMap::new();
        for chain in self.chains.values() {
            for made in chain.disclosures.values() {
                for grant in made.grants().filter(|grant| grant.recipient == mine) {
                    standing.insert(grant.segment, Some(grant));
                }
                for withheld in made.withheld().filter(|withheld| withheld.recipient == mine) {
                    standing.insert(withheld.segment, None);
                }
            }
        }
        let key = self.device.unwrap().1;
        let segments = self.chains.values().flat_map(|chain| chain.segments.values());
        segments
            .filter_map(|(bytes, hash)| Some((bytes, standing.get(hash)?.clone()?)))
            .map(|(bytes, grant)| open(bytes, &grant, secret, &key).unwrap())
            .collect()
    }

    /// How many segments it holds, of all lives.
    pub(crate) fn count(&self) -> usize {
        self.chains.values().map(|chain| chain.segments.len()).sum()
    }

    /// Opens one volume of a bundle and gives the replies as another.
    pub(crate) fn carry(&mut self, volume: &[u8], letter_key: &PublicKey) -> Vec<u8> {
        let upload = open_volume(volume, Direction::Up, &bundle_secret()).unwrap();
        let replies = self.exchange(&upload);
        let entropy = amparo_core::random::SeededEntropy::new(5);
        seal_volume(&replies, Direction::Down, letter_key, &entropy).unwrap()
    }

    /// The letter key that a request named.
    pub(crate) fn letter_key(request: &[u8]) -> PublicKey {
        let request: Signed<Request> = from_bytes(request).unwrap();
        PublicKey::from(unverified(&request).unwrap().letter_key)
    }
}
