//! Phones, desks and a headquarters for the tests of this package. All of it synthetic.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

pub mod certificate;
pub mod counted;
pub mod server;

use amparo_hq::relay::{Action, Reader, Relay, Settings, read_entry};
use amparo_hq::storage::Storage;
use amparo_hq::storage::memory::Memory;
use amparo_schema::fact::{Body, Compartment, Fact, Stamp};
use amparo_schema::id::{CaseId, DeviceId, Hash, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::wire::desk::Pull;
use amparo_schema::wire::disclosure::{Disclosure, Withheld};
use amparo_schema::wire::enrol::Certificate;
use amparo_schema::wire::feed::{Cursor, Entry, FeedId, Page};
use amparo_schema::wire::push::{Frame, Hello, Refusal, Reply, Shown};
use amparo_schema::wire::receipt::{Brief, Receipt};
use amparo_schema::wire::segment::Grant;
use amparo_schema::wire::signed::Signed;
use amparo_seal::random::SeededEntropy;
use amparo_seal::{
    First, PublicKey, Sealed, SecretKey, SegmentInput, Signer, first, first_previous, from_bytes, grant,
    request, seal, to_bytes,
};

pub const NOW: i64 = 1_790_000_000_000;

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn relay(settings: impl FnOnce(&mut Settings)) -> Relay {
    let mut all = Settings::local("https://hq.example.org");
    settings(&mut all);
    Relay::new(Signer::from_seed(&[1; 32]), SecretKey::new(&[2; 32]), all)
}

/// One incarnation of one phone.
pub struct Phone {
    pub device: DeviceId,
    pub signer: Signer,
    pub letter: SecretKey,
    pub incarnation: u64,
    pub number: u64,
    pub previous: Hash,
    pub disclosures: u64,
    pub entropy: SeededEntropy,
    pub certificate: Option<Signed<Certificate>>,
}

impl Phone {
    pub fn new(seed: u8) -> Self {
        let signer = Signer::from_seed(&[seed; 32]);
        Self {
            device: DeviceId([seed; 16]),
            previous: first_previous(&signer.public()),
            signer,
            letter: SecretKey::new(&[seed ^ 0x80; 32]),
            incarnation: u64::MAX - u64::from(seed),
            number: 0,
            disclosures: 0,
            entropy: SeededEntropy::new(u64::from(seed)),
            certificate: None,
        }
    }

    pub fn enrolled(seed: u8, relay: &Relay, storage: &mut dyn Storage) -> Self {
        let mut phone = Self::new(seed);
        let ticket = relay
            .invite(
                storage,
                &name("agency-a"),
                NOW + 1_000,
                NOW,
                &SeededEntropy::new(u64::from(seed) + 1_000),
            )
            .unwrap();
        let asked = request(&ticket, phone.device, &phone.signer, &phone.letter.public()).unwrap();
        phone.certificate = Some(relay.enrol(storage, &asked, NOW).unwrap());
        phone
    }

    /// A segment at any place; `word` tells its content.
    pub fn sealed_at(&self, number: u64, previous: Hash, word: &str) -> Sealed {
        let body = Body::GateChecked { confirmed: vec![name(word)], missing: vec![] };
        let at = Stamp { wall_ms: NOW, offset_minutes: 0, steady_ms: number, doubt: None };
        let input = SegmentInput {
            case: Some(CaseId([7; 16])),
            screening: Some(ScreeningId([8; 16])),
            compartment: Compartment::Case,
            events: vec![(number + 1, to_bytes(&Fact { at, body }).unwrap())],
            device: self.device,
            incarnation: self.incarnation,
            number,
            previous,
        };
        seal(&input, &self.signer, &self.entropy).unwrap()
    }

    /// The next segment of the chain.
    pub fn seal(&mut self) -> Sealed {
        let sealed = self.sealed_at(self.number, self.previous, &format!("n{}", self.number));
        self.number += 1;
        self.previous = sealed.hash;
        sealed
    }

    pub fn disclosure_at(&self, number: u64, grants: &[Grant], withheld: &[Withheld]) -> Frame {
        let (device, incarnation) = (self.device, self.incarnation);
        let disclosure = Disclosure::new((device, incarnation, number), grants, withheld);
        Frame::Disclosure(self.signer.sign_object(&disclosure).unwrap())
    }

    pub fn give(&mut self, sealed: &Sealed, desk: &Desk) -> Frame {
        let grant = grant(&sealed.key, sealed.hash, &desk.secret.public(), &self.entropy).unwrap();
        self.disclosures += 1;
        self.disclosure_at(self.disclosures - 1, &[grant], &[])
    }

    pub fn withhold(&mut self, segment: Hash, desk: &Desk) -> Frame {
        self.disclosures += 1;
        let withheld = [Withheld { segment, recipient: desk.recipient() }];
        self.disclosure_at(self.disclosures - 1, &[], &withheld)
    }

    pub fn hello(&self, receipt: Option<Signed<Receipt>>, cursors: Vec<Cursor>) -> Frame {
        self.hello_for(receipt, cursors, 1_000_000)
    }

    /// Shows what a receipt says, without proof.
    pub fn hello_in_brief(&self, receipt: &Receipt, cursors: Vec<Cursor>) -> Frame {
        self.call(Some(Shown::Brief(Brief::from(receipt))), &cursors, 1_000_000)
    }

    pub fn hello_for(
        &self,
        receipt: Option<Signed<Receipt>>,
        cursors: Vec<Cursor>,
        down_bytes: u32,
    ) -> Frame {
        self.call(receipt.map(Shown::Whole), &cursors, down_bytes)
    }

    fn call(&self, receipt: Option<Shown>, cursors: &[Cursor], down_bytes: u32) -> Frame {
        let mark = |feed| cursors.iter().find(|cursor| cursor.feed == feed).map(Cursor::mark);
        let (own, packs) = (mark(FeedId::device(self.device)), mark(FeedId::packs()));
        let hello =
            Hello { device: self.device, incarnation: self.incarnation, receipt, own, packs, down_bytes };
        Frame::Hello(self.signer.sign_object(&hello).unwrap())
    }

    pub fn shown_certificate(&self) -> Frame {
        Frame::Certificate(self.certificate.clone().unwrap())
    }
}

/// An agency's desk, as far as the relay knows it.
pub struct Desk {
    pub signer: Signer,
    pub secret: SecretKey,
    pub cursor: Cursor,
}

impl Desk {
    pub fn registered(seed: u8, relay: &Relay, storage: &mut dyn Storage) -> Self {
        let (signer, secret) = (Signer::from_seed(&[seed; 32]), SecretKey::new(&[seed; 32]));
        let key = Hash(*secret.public().bytes());
        let reader = Reader { key, signing: Hash(signer.public().0), agency: name("agency-a") };
        let recipient = relay.register(storage, &reader, NOW).unwrap();
        Self { signer, secret, cursor: Cursor::start(FeedId::recipient(recipient)) }
    }

    pub fn recipient(&self) -> [u8; 8] {
        PublicKey::id(&self.secret.public())
    }

    pub fn ask(&self, cursor: Cursor, down_bytes: u32) -> Signed<Pull> {
        self.signer.sign_object(&Pull { recipient: self.recipient(), cursor, down_bytes }).unwrap()
    }

    /// Pulls one page and keeps it.
    pub fn pull(&mut self, relay: &Relay, storage: &mut dyn Storage) -> Vec<Entry> {
        let page = relay.pull(storage, &self.ask(self.cursor, 1_000_000), NOW).unwrap();
        self.cursor = after(&page);
        entries(&page)
    }
}

pub fn after(page: &Page) -> Cursor {
    page.entries.iter().fold(page.from, |cursor, entry| cursor.after(&entry.0))
}

pub fn entries(page: &Page) -> Vec<Entry> {
    page.entries.iter().map(|bytes| read_entry(bytes).unwrap()).collect()
}

pub fn upload(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| to_bytes(frame).unwrap()).collect()
}

pub fn segment(sealed: &Sealed) -> Frame {
    Frame::Segment(sealed.segment.clone())
}

pub fn replies(mut bytes: &[u8]) -> Vec<Reply> {
    let mut out = Vec::new();
    while let First::Item(item, rest) = first(bytes).unwrap() {
        out.push(from_bytes(item).unwrap());
        bytes = rest;
    }
    assert!(bytes.is_empty(), "a reply was cut");
    out
}

pub fn push(relay: &Relay, storage: &mut dyn Storage, frames: &[Frame]) -> Vec<Reply> {
    replies(&relay.exchange(storage, &upload(frames), NOW).unwrap())
}

/// The receipt among replies, verified.
pub fn receipt(relay: &Relay, replies: &[Reply]) -> (Receipt, Signed<Receipt>) {
    let signed = replies.iter().find_map(|reply| match reply {
        Reply::Receipt(signed) => Some(signed.clone()),
        _ => None,
    });
    let signed = signed.unwrap_or_else(|| panic!("no receipt among {replies:?}"));
    let key = amparo_seal::VerifyKey::from(relay.headquarters().key);
    (key.open_object(&signed).unwrap(), signed)
}

pub fn hq() -> (Relay, Memory) {
    (relay(|_| {}), Memory::new())
}

pub fn refusals(replies: &[Reply]) -> Vec<(u64, Refusal)> {
    let refused = replies.iter().filter_map(|reply| match reply {
        Reply::Refused { frame, why } => Some((*frame, *why)),
        _ => None,
    });
    refused.collect()
}

/// What a phone's receipt says now.
pub fn told(relay: &Relay, storage: &mut dyn Storage, phone: &Phone) -> Receipt {
    receipt(relay, &push(relay, storage, &[phone.hello(None, vec![])])).0
}

pub fn acts(relay: &Relay, storage: &mut dyn Storage) -> Vec<Action> {
    relay.acts(storage, 0, 10_000).unwrap().into_iter().map(|(_, act)| act.action).collect()
}

pub fn sealed_hashes(entries: &[Entry]) -> Vec<Hash> {
    let sealed = entries.iter().filter_map(|entry| match entry {
        Entry::Sealed { grant, .. } => Some(grant.segment),
        _ => None,
    });
    sealed.collect()
}
