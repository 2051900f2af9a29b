//! A synthetic headquarters: devices that seal, a feed that a relay would keep, desks on temporary files.

use amparo_hq::desk::report::Rules;
use amparo_hq::desk::{Desk, Keys, Taken};
use amparo_schema::answer::{AgeRange, Answer, Mode, Value};
use amparo_schema::fact::{
    Body, Compartment, Consent, ConsentBy, ContactCopy, Fact, Packs, ReferralState, Scope, Stamp,
};
use amparo_schema::id::{CaseId, DeviceId, Hash, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::PackRef;
use amparo_schema::pack::policy::{Purpose, intake};
use amparo_schema::person::{Country, Place, Setting};
use amparo_schema::text::{Lang, Text};
use amparo_schema::wire::enrol::Certificate;
use amparo_schema::wire::feed::{Bytes, Cursor, Entry, FeedId, Page};
use amparo_schema::wire::signed::Signed;
use amparo_seal::random::SeededEntropy;
use amparo_seal::secret::Key;
use amparo_seal::{
    PublicKey, Sealed, SecretKey, SegmentInput, Signer, VerifyKey, first_previous, grant, seal, to_bytes,
};

/// 2026-03-10, noon, UTC.
pub(crate) const NOON: i64 = 1_773_144_000_000;
pub(crate) const DAY: i64 = 86_400_000;
/// When pages reach the desk, by its clock.
pub(crate) const ARRIVED: i64 = NOON + 40 * DAY;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn lang(tag: &str) -> Lang {
    Lang::new(tag).unwrap()
}

pub(crate) fn hq() -> Signer {
    Signer::from_seed(&[0x49; 32])
}

pub(crate) fn reading(key: u8) -> SecretKey {
    SecretKey::new(&[key; 32])
}

/// A desk on a file of its own.
pub(crate) struct Office {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) desk: Desk,
}

pub(crate) fn keys(read: &[u8]) -> Keys {
    Keys {
        read: read.iter().map(|key| reading(*key)).collect(),
        sign: Signer::from_seed(&[0x5a; 32]),
        headquarters: vec![hq().public()],
        agency: name("agency-a"),
        services: [name("refuge")].into(),
    }
}

pub(crate) fn office(read: &[u8]) -> Office {
    let dir = tempfile::tempdir().unwrap();
    let desk = open(&dir, read);
    Office { dir, desk }
}

pub(crate) fn open(dir: &tempfile::TempDir, read: &[u8]) -> Desk {
    Desk::open(&dir.path().join("desk.db"), &Key::new(&[1; 32]), keys(read), Rules::default()).unwrap()
}

/// A synthetic phone.
pub(crate) struct Phone {
    pub(crate) id: DeviceId,
    pub(crate) signer: Signer,
    pub(crate) letters: SecretKey,
    pub(crate) incarnation: u64,
    /// The screening of what it seals; as the case, where none is set.
    pub(crate) screening: Option<u8>,
    number: u64,
    previous: Hash,
    counter: u64,
    seed: u64,
}

impl Phone {
    pub(crate) fn new(n: u8) -> Self {
        let signer = Signer::from_seed(&[n; 32]);
        let previous = first_previous(&signer.public());
        let (id, letters) = (DeviceId([n; 16]), SecretKey::new(&[n ^ 0x80; 32]));
        Self {
            id,
            signer,
            letters,
            incarnation: 7,
            screening: None,
            number: 0,
            previous,
            counter: 0,
            seed: u64::from(n) << 32,
        }
    }

    pub(crate) fn certificate(&self) -> Signed<Certificate> {
        let certificate = Certificate {
            device: self.id,
            key: Hash(self.signer.public().0),
            letter_key: Hash(*self.letters.public().bytes()),
            agency: name("frontier"),
            from_ms: 0,
        };
        hq().sign_object(&certificate).unwrap()
    }

    pub(crate) fn entropy(&mut self) -> SeededEntropy {
        self.seed += 1;
        SeededEntropy::new(self.seed)
    }

    /// Seals facts of one compartment, on the day of `wall_ms`.
    pub(crate) fn seal(&mut self, case: u8, wall_ms: i64, bodies: &[Body]) -> Sealed {
        let stamp = |n: u64| Stamp {
            wall_ms: wall_ms + i64::try_from(n).unwrap(),
            offset_minutes: -180,
            steady_ms: n,
            doubt: None,
        };
        let facts = bodies.iter().map(|body| {
            self.counter += 1;
            let fact = Fact { at: stamp(self.counter), body: body.clone() };
            (self.counter, to_bytes(&fact).unwrap())
        });
        let events = facts.collect();
        let compartment = bodies[0].compartment();
        let of_a_case = compartment != Compartment::Audit;
        let input = SegmentInput {
            case: of_a_case.then_some(CaseId([case; 16])),
            screening: of_a_case.then_some(ScreeningId([self.screening.unwrap_or(case); 16])),
            compartment,
            events,
            device: self.id,
            incarnation: self.incarnation,
            number: self.number,
            previous: self.previous,
        };
        let entropy = self.entropy();
        let sealed = seal(&input, &self.signer, &entropy).unwrap();
        self.number += 1;
        self.previous = sealed.hash;
        sealed
    }

    /// The entry by which a relay delivers a segment to a reader.
    pub(crate) fn entry(&mut self, sealed: &Sealed, to: &PublicKey) -> Entry {
        let grant = grant(&sealed.key, sealed.hash, to, &self.entropy()).unwrap();
        Entry::Sealed { segment: sealed.segment.clone(), grant, certificate: self.certificate() }
    }

    pub(crate) fn entry_of(&mut self, to: u8, case: u8, wall_ms: i64, bodies: &[Body]) -> Vec<u8> {
        let sealed = self.seal(case, wall_ms, bodies);
        to_bytes(&self.entry(&sealed, &reading(to).public())).unwrap()
    }

    /// A whole screening of one person: case facts and consent, as two entries.
    pub(crate) fn screening(&mut self, to: u8, case: u8, wall_ms: i64, who: &Who) -> Vec<Vec<u8>> {
        let facts = self.entry_of(to, case, wall_ms, &who.facts(case));
        let consent = Body::ConsentGiven(consent(Purpose::Statistics, None, &[]));
        let refused = Body::ConsentRefused {
            purpose: Purpose::Statistics,
            wording: 1,
            lang: lang("es"),
            receiver: None,
        };
        let said = if who.counted { consent } else { refused };
        vec![facts, self.entry_of(to, case, wall_ms, &[said])]
    }
}

/// A synthetic person, as far as a screening asks.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) sex: &'static str,
    pub(crate) age: (u8, u8),
    pub(crate) foreign: bool,
    pub(crate) forms: Vec<&'static str>,
    pub(crate) outcome: Outcome,
    pub(crate) counted: bool,
    pub(crate) post: &'static str,
}

impl Who {
    pub(crate) fn woman() -> Self {
        Self {
            sex: "female",
            age: (25, 30),
            foreign: true,
            forms: vec!["sexual"],
            outcome: Outcome::Presumed,
            counted: true,
            post: "post-1",
        }
    }

    pub(crate) fn facts(&self, case: u8) -> Vec<Body> {
        let option = |text: &str| Value::Choice(name(text));
        let foreign = if self.foreign { Value::Yes } else { Value::No };
        let forms = self.forms.iter().map(|form| name(form)).collect();
        vec![
            opening(case, self.post),
            answer(intake::SEX, option(self.sex)),
            answer(intake::AGE, Value::Age(AgeRange { from: self.age.0, to: self.age.1 })),
            answer(intake::FOREIGN, foreign),
            answer(intake::EXPLOITATION, Value::Choices(forms)),
            Body::OutcomeRecorded { outcomes: vec![self.outcome], assessment: Hash([0; 32]) },
        ]
    }
}

pub(crate) fn answer(item: &str, value: Value) -> Body {
    Body::Answered { item: name(item), answer: Answer::Known(value), mode: Mode::Ask }
}

fn pack() -> PackRef {
    PackRef { id: name("pack"), version: 1, hash: Hash([0; 32]) }
}

pub(crate) fn opening(case: u8, post: &str) -> Body {
    let packs =
        Packs { checklist: pack(), policy: pack(), protocol: pack(), directory: pack(), calendar: None };
    let place = Place {
        country: Country::new("CL").unwrap(),
        post: Some(name(post)),
        area: Some("CL-AP".into()),
        setting: Setting::Border,
    };
    let (case, screening) = (CaseId([case; 16]), ScreeningId([case; 16]));
    Body::ScreeningOpened { case, screening, packs, place, lang: lang("es") }
}

pub(crate) fn consent(purpose: Purpose, receiver: Option<&str>, scope: &[Scope]) -> Consent {
    Consent {
        purpose,
        receiver: receiver.map(name),
        scope: scope.iter().copied().collect(),
        wording: 1,
        lang: lang("es"),
        expires_ms: None,
        by: ConsentBy::Person,
    }
}

pub(crate) fn offer(referral: u8, service: &str) -> Body {
    let contact = ContactCopy {
        service: name(service),
        directory: pack(),
        name: Text([(lang("es"), "Refugio sintético".to_owned())].into()),
        channel: None,
        display: Some("+1-555-0100".into()),
        dial: Some("+15550100".into()),
        verified_on: None,
        printed_in: None,
    };
    Body::ReferralOffered { referral: ReferralId([referral; 16]), contact }
}

pub(crate) fn sent(referral: u8, to: ReferralState) -> Body {
    Body::ReferralMoved { referral: ReferralId([referral; 16]), to, reason: None }
}

/// What a relay keeps of one feed.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) id: FeedId,
    pub(crate) entries: Vec<Vec<u8>>,
}

impl Feed {
    pub(crate) fn of(key: u8) -> Self {
        Self { id: FeedId::recipient(reading(key).public().id()), entries: Vec::new() }
    }

    pub(crate) fn with(key: u8, entries: &[Vec<u8>]) -> Self {
        Self { entries: entries.to_vec(), ..Self::of(key) }
    }

    pub(crate) fn cursor(&self, read: usize) -> Cursor {
        self.entries[..read].iter().fold(Cursor::start(self.id), |at, entry| at.after(entry))
    }

    pub(crate) fn page(&self, from: usize, to: usize) -> Page {
        let entries = self.entries[from..to].iter().cloned().map(Bytes).collect();
        Page { from: self.cursor(from), entries, head: self.entries.len() as u64 }
    }

    /// As a relay answers: from the cursor if it knows it, else from the start; at most `most` entries.
    pub(crate) fn answer(&self, asked: &Cursor, most: usize) -> Page {
        let read = usize::try_from(asked.read).unwrap();
        let known = read <= self.entries.len() && self.cursor(read) == *asked;
        let from = if known { read } else { 0 };
        self.page(from, self.entries.len().min(from + most))
    }

    /// Pulls until there is no more; every take's result.
    pub(crate) fn pull(&self, desk: &mut Desk, most: usize) -> Vec<Taken> {
        let mut out: Vec<Taken> = Vec::new();
        let mut cursor = *desk.cursors().unwrap().iter().find(|c| c.feed == self.id).unwrap();
        loop {
            assert!(out.len() < 500, "reading makes no progress");
            let taken = desk.take(&self.answer(&cursor, most), ARRIVED).unwrap();
            out.push(taken);
            cursor = taken.next;
            if !taken.more {
                return out;
            }
        }
    }
}

/// Everything that the desk shows, as text.
pub(crate) fn shown(desk: &Desk) -> String {
    let mut out = String::new();
    desk.each_case(ARRIVED, |case| out += &serde_json::to_string(&case).unwrap()).unwrap();
    out
}

pub(crate) fn verify_key() -> VerifyKey {
    hq().public()
}
