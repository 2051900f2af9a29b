//! One of every object of the wire, as JSON, with the keys that open it: for referees and second
//! implementations. The same number gives the same bytes; everything in them is synthetic, the keys included.
//!
//! `cargo run -p amparo-seal --example wire -- 1`
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing)] // a program for tests

use std::collections::BTreeSet;

use amparo_schema::answer::{AgeRange, Answer, Mode, Unknown, Value};
use amparo_schema::fact::{
    Body, Compartment, Consent, ConsentBy, ContactCopy, Doubt, Fact, IdentityField, Packs, ReferralState,
    Scope, Stamp, StepState, StopReason,
};
use amparo_schema::id::{CaseId, DeviceId, Hash, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::PackRef;
use amparo_schema::pack::directory::ChannelKind;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::pack::protocol::ExceptionKind;
use amparo_schema::person::{Country, Place, Setting};
use amparo_schema::text::{Lang, Source, Text};
use amparo_schema::wire::disclosure::{Disclosure, Withheld};
use amparo_schema::wire::enrol::{Certificate, Enrolment, Headquarters, Revocation, Ticket};
use amparo_schema::wire::feed::{Bytes, Cursor, Entry, FeedId, Note, Page};
use amparo_schema::wire::push::{Frame, Hello, Refusal, Reply, Shown};
use amparo_schema::wire::receipt::{Brief, Range, Receipt};
use amparo_schema::wire::segment::Grant;
use amparo_schema::wire::signed::Signed;
use amparo_seal::random::{Entropy, SeededEntropy, bytes};
use amparo_seal::{
    Direction, Granter, PublicKey, Sealed, SecretKey, SegmentInput, Signer, first_previous, request, seal,
    seal_volume, ticket_text, to_bytes, unverified, write_letter,
};
use data_encoding::HEXLOWER;
use minicbor::Encode;
use serde_json::{Map, Value as Json, json};

/// Seeded values, and the objects so far.
struct Samples {
    entropy: SeededEntropy,
    objects: Vec<Json>,
}

impl Samples {
    fn draw<const N: usize>(&self) -> [u8; N] {
        bytes(&self.entropy).unwrap()
    }

    /// A number of any length, small ones as often as large ones.
    fn number(&self) -> u64 {
        let [shift] = self.draw::<1>();
        u64::from_be_bytes(self.draw()) >> (shift % 64)
    }

    fn ms(&self) -> i64 {
        i64::try_from(self.number() >> 1).unwrap()
    }

    fn hash(&self) -> Hash {
        Hash(self.draw())
    }

    /// Keeps an object under the name of its rule in `schema/wire.cddl`.
    fn add(&mut self, rule: &str, bytes: &[u8]) {
        self.objects.push(json!({ "rule": rule, "bytes": HEXLOWER.encode(bytes) }));
    }

    fn add_value<T: Encode<()>>(&mut self, rule: &str, value: &T) -> Vec<u8> {
        let bytes = to_bytes(value).unwrap();
        self.add(rule, &bytes);
        bytes
    }

    /// Keeps a signed object, and its payload under the rule of that.
    fn add_signed<T>(&mut self, rule: &str, signed: &Signed<T>) {
        self.add_value("signed", signed);
        self.add(rule, &signed.payload);
    }
}

fn hex(bytes: &[u8]) -> Json {
    Json::String(HEXLOWER.encode(bytes))
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn lang(tag: &str) -> Lang {
    Lang::new(tag).unwrap()
}

fn pack(s: &Samples, id: &str) -> PackRef {
    PackRef { id: name(id), version: 7, hash: s.hash() }
}

fn source() -> Source {
    Source { document: "synthetic law".into(), place: "art. 1".into(), as_of: Some("2026".into()) }
}

// ---- facts ----------------------------------------------------------------------------------------------

fn case_facts(s: &Samples, case: CaseId, screening: ScreeningId) -> Vec<Body> {
    let mut packs = Packs {
        checklist: pack(s, "checklist"),
        policy: pack(s, "policy"),
        protocol: pack(s, "protocol"),
        directory: pack(s, "directory"),
        calendar: None,
    };
    if s.number().is_multiple_of(2) {
        packs.calendar = Some(pack(s, "calendar"));
    }
    let place = Place {
        country: Country::new("CL").unwrap(),
        post: Some(name("post")),
        area: None,
        setting: Setting::Border,
    };
    let mut bodies = vec![
        Body::CaseOpened { case, code: "SYN-1".into(), memorable: "uno dos tres".into() },
        Body::ScreeningOpened { case, screening, packs, place, lang: lang("es") },
        Body::GateChecked { confirmed: vec![name("alone")], missing: vec![] },
        Body::StepLogged { step: name("refer"), state: StepState::Done },
        Body::StepLogged { step: name("call"), state: StepState::Skipped { reason: "synthetic".into() } },
        Body::StepLogged { step: name("call"), state: StepState::Impossible { reason: "synthetic".into() } },
        Body::LanguageSet { lang: lang("ht"), person: true },
        Body::Stopped { reason: StopReason::NoTime },
    ];
    bodies.extend(answers(s).into_iter().map(|answer| Body::Answered {
        item: name("item"),
        answer,
        mode: Mode::Ask,
    }));
    let referral = ReferralId(s.draw());
    bodies.push(Body::ReferralOffered { referral, contact: contact(s) });
    let to = ReferralState::Rejected;
    bodies.push(Body::ReferralMoved { referral, to, reason: Some("synthetic".into()) });
    let outcomes = vec![Outcome::Presumed, Outcome::ReturnConcern];
    bodies.push(Body::OutcomeRecorded { outcomes: outcomes.clone(), assessment: s.hash() });
    bodies.push(Body::Closed { outcomes, assessment: s.hash() });
    bodies
}

fn answers(s: &Samples) -> Vec<Answer> {
    let known = [
        Value::Yes,
        Value::No,
        Value::Choice(name("a")),
        Value::Choices(BTreeSet::from([name("a"), name("b")])),
        Value::Number(-s.ms()),
        Value::Date(jiff::civil::date(2026, 11, 22)),
        Value::Age(AgeRange { from: 17, to: 19 }),
        Value::Text("sintético".into()),
    ];
    known.into_iter().map(Answer::Known).chain([Answer::Unknown(Unknown::Refused)]).collect()
}

fn contact(s: &Samples) -> ContactCopy {
    ContactCopy {
        service: name("service"),
        directory: pack(s, "directory"),
        name: Text([(lang("es"), "Refugio sintético".to_owned())].into()),
        channel: Some(ChannelKind::Phone),
        display: Some("+1-555-0100".into()),
        dial: Some("+15550100".into()),
        verified_on: None,
        printed_in: Some(2017),
    }
}

fn consent_facts(s: &Samples) -> Vec<Body> {
    let consent = Consent {
        purpose: Purpose::ShareService,
        receiver: Some(name("service")),
        scope: BTreeSet::from([Scope::Needs, Scope::Outcome]),
        wording: 3,
        lang: lang("ht"),
        expires_ms: Some(s.ms()),
        by: ConsentBy::Guardian,
    };
    vec![
        Body::ConsentGiven(consent),
        Body::ConsentWithdrawn { consent: s.number() },
        Body::ConsentRefused { purpose: Purpose::Store, wording: 1, lang: lang("es"), receiver: None },
        Body::ConsentWaived {
            purpose: Purpose::Store,
            situation: ExceptionKind::LegalDuty,
            legal_basis: source(),
            told: false,
        },
    ]
}

// ---- the device -----------------------------------------------------------------------------------------

/// Who takes part, with the seeds of their keys.
struct Parties {
    device: DeviceId,
    seeds: [[u8; 32]; 3],
    secrets: [[u8; 32]; 4],
}

const SIGNERS: [&str; 3] = ["device", "headquarters", "agency"];
const READERS: [&str; 4] = ["custodian", "agency", "bundle", "letters"];

impl Parties {
    fn signer(&self, who: &str) -> Signer {
        Signer::from_seed(&self.seeds[SIGNERS.iter().position(|s| *s == who).unwrap()])
    }

    fn secret(&self, who: &str) -> SecretKey {
        SecretKey::new(&self.secrets[READERS.iter().position(|r| *r == who).unwrap()])
    }

    fn json(&self) -> Json {
        let mut all = Map::new();
        all.insert("device".into(), hex(&self.device.0));
        for (who, seed) in SIGNERS.iter().zip(&self.seeds) {
            all.insert(format!("{who}_seed"), hex(seed));
            all.insert(format!("{who}_key"), hex(&Signer::from_seed(seed).public().0));
        }
        for (who, secret) in READERS.iter().zip(&self.secrets) {
            all.insert(format!("{who}_secret"), hex(secret));
        }
        all.into()
    }
}

/// Seals a chain of three segments, one for each lane: identity; case and consent, mixed; audit.
fn chain(s: &mut Samples, who: &Parties, incarnation: u64) -> (Vec<(Sealed, Json)>, CaseId, ScreeningId) {
    let (case, screening) = (CaseId(s.draw()), ScreeningId(s.draw()));
    let identity =
        vec![Body::IdentityGiven { field: IdentityField::Name, value: "Nombre Sintético".into() }];
    let audit = vec![Body::PackInstalled { pack: pack(s, "policy") }, Body::IncarnationBegun { incarnation }];
    let mut talk = case_facts(s, case, screening);
    let consents = consent_facts(s);
    talk.splice(3..3, consents);
    let lanes = [(Compartment::Identity, identity), (Compartment::Case, talk), (Compartment::Audit, audit)];
    let signer = who.signer("device");
    let mut previous = first_previous(&signer.public());
    let mut counter = s.number() >> 8;
    let mut chain = Vec::new();
    for (number, (compartment, bodies)) in (0..).zip(lanes) {
        let of_case = compartment != Compartment::Audit;
        let mut events = Vec::new();
        for (i, body) in bodies.into_iter().enumerate() {
            // Not all that a device notes is of one screening: counters leave some out.
            counter += if i % 4 == 3 { 2 } else { 1 };
            let doubt = (i == 0).then_some(Doubt::Jumped);
            let at = Stamp { wall_ms: s.ms(), offset_minutes: -180, steady_ms: s.number(), doubt };
            let fact = s.add_value("fact", &Fact { at, body });
            events.push((counter, fact));
        }
        let input = SegmentInput {
            case: of_case.then_some(case),
            screening: of_case.then_some(screening),
            compartment,
            events,
            device: who.device,
            incarnation,
            number,
            previous,
        };
        let sealed = seal(&input, &signer, &s.entropy).unwrap();
        previous = sealed.hash;
        s.add("segment", &sealed.segment);
        let events: Vec<Json> = input.events.iter().map(|(n, fact)| json!([n, hex(fact)])).collect();
        let told =
            json!({ "segment": hex(&sealed.segment), "key": hex(sealed.key.expose()), "events": events });
        chain.push((sealed, told));
    }
    (chain, case, screening)
}

fn enrolment(s: &mut Samples, who: &Parties) -> (Signed<Certificate>, Json) {
    let headquarters = Headquarters {
        url: "https://hq.example/".into(),
        key: Hash(who.signer("headquarters").public().0),
        bundle_key: Hash(*who.secret("bundle").public().bytes()),
    };
    let ticket =
        Ticket { headquarters: headquarters.clone(), id: s.draw(), secret: s.draw(), expires_ms: s.ms() };
    s.add_value("ticket", &ticket);
    let letter_key = who.secret("letters").public();
    let signed = request(&ticket, who.device, &who.signer("device"), &letter_key).unwrap();
    s.add_signed("request", &signed);
    let text = ticket_text(&ticket).unwrap();
    let told = json!({ "ticket": text, "request": hex(&to_bytes(&signed).unwrap()) });
    let certificate = Certificate {
        device: who.device,
        key: Hash(who.signer("device").public().0),
        letter_key: Hash(*letter_key.bytes()),
        agency: name("agency"),
        from_ms: s.ms(),
    };
    let certificate = who.signer("headquarters").sign_object(&certificate).unwrap();
    s.add_signed("certificate", &certificate);
    s.add_value("enrolment", &Enrolment { headquarters, certificate: certificate.clone() });
    (certificate, told)
}

fn receipt(s: &mut Samples, who: &Parties, incarnation: u64, hash: Hash) -> Signed<Receipt> {
    let receipt = Receipt {
        device: who.device,
        incarnation,
        epoch: s.number(),
        stored: 3,
        hash,
        ranges: vec![Range { from: 6, to: 7 }, Range { from: 9, to: 300 }],
        durable: 3,
        delivered: 2,
        horizon: 1,
        disclosures: 1,
        hq_ms: s.ms(),
        log_size: s.number(),
        log_root: s.hash(),
    };
    let signed = who.signer("headquarters").sign_object(&receipt).unwrap();
    s.add_signed("receipt", &signed);
    signed
}

/// Frames of one upload, in order.
fn upload(
    s: &mut Samples,
    who: &Parties,
    chain: &[(Sealed, Json)],
    grants: &[Grant],
    certificate: &Signed<Certificate>,
    receipt: Signed<Receipt>,
) -> Vec<u8> {
    let signer = who.signer("device");
    let withheld = [Withheld { segment: chain[0].0.hash, recipient: who.secret("agency").public().id() }];
    let disclosure = Disclosure::new((who.device, 1, 0), grants, &withheld);
    let disclosure = signer.sign_object(&disclosure).unwrap();
    s.add_signed("disclosure", &disclosure);
    let own = Some(Cursor::start(FeedId::device(who.device)).mark());
    let packs = Some(Cursor::start(FeedId::packs()).mark());
    let brief = Shown::Brief(Brief::from(&unverified(&receipt).unwrap()));
    let mut frames = Vec::new();
    for (receipt, packs) in [(None, packs), (Some(Shown::Whole(receipt)), None), (Some(brief), packs)] {
        let hello = Hello { device: who.device, incarnation: 1, receipt, own, packs, down_bytes: 1 << 20 };
        let hello = signer.sign_object(&hello).unwrap();
        s.add_signed("hello", &hello);
        frames.push(Frame::Hello(hello));
    }
    frames.push(Frame::Certificate(certificate.clone()));
    frames.extend(chain.iter().map(|(sealed, _)| Frame::Segment(sealed.segment.clone())));
    frames.push(Frame::Disclosure(disclosure));
    frames.iter().flat_map(|frame| s.add_value("frame", frame)).collect()
}

// ---- what comes down -------------------------------------------------------------------------------------

fn letters(s: &mut Samples, who: &Parties, case: CaseId, screening: ScreeningId) -> (Vec<Entry>, Json) {
    let notes = [
        Note::ReferralAnswered {
            referral: ReferralId(s.draw()),
            state: ReferralState::Rejected,
            reason: Some("synthetic".into()),
        },
        Note::ReferralAnswered {
            referral: ReferralId(s.draw()),
            state: ReferralState::Accepted,
            reason: None,
        },
        Note::FollowUp {
            case,
            screening: Some(screening),
            from: name("agency"),
            text: "Llamar, sintético".into(),
            due_ms: Some(s.ms()),
        },
    ];
    let mut entries = Vec::new();
    let mut told = Vec::new();
    for note in notes {
        let bytes = s.add_value("note", &note);
        let key = who.secret("letters").public();
        let letter = write_letter(&note, who.device, &key, &who.signer("agency"), &s.entropy).unwrap();
        s.add_signed("letter", &letter);
        told.push(json!({ "letter": hex(&to_bytes(&letter).unwrap()), "note": hex(&bytes) }));
        entries.push(Entry::Letter(letter));
    }
    (entries, told.into())
}

fn feed(s: &mut Samples, id: FeedId, entries: Vec<Entry>) -> (Page, Json) {
    let from = Cursor::start(id);
    let entries: Vec<Bytes> = entries.iter().map(|entry| Bytes(s.add_value("entry", entry))).collect();
    let end = entries.iter().fold(from, |cursor, entry| cursor.after(&entry.0));
    let page = Page { from, head: u64::try_from(entries.len()).unwrap(), entries };
    s.add_value("page", &page);
    let told = json!({
        "page": hex(&to_bytes(&page).unwrap()),
        "start": hex(&to_bytes(&from).unwrap()),
        "end": hex(&to_bytes(&end).unwrap()),
    });
    (page, told)
}

fn replies(s: &mut Samples, receipt: Signed<Receipt>, pages: Vec<Page>) -> Vec<u8> {
    let mut replies =
        vec![Reply::Receipt(receipt), Reply::Unchanged, Reply::CertificateWanted, Reply::ReceiptWanted];
    replies.extend(pages.into_iter().map(Reply::Page));
    replies.push(Reply::Later { wait_ms: s.number() });
    replies.push(Reply::Refused { frame: s.number(), why: Refusal::Fork });
    replies.iter().flat_map(|reply| s.add_value("reply", reply)).collect()
}

fn volume(s: &mut Samples, sequence: &[u8], way: Direction, to: &PublicKey) -> Json {
    let volume = seal_volume(sequence, way, to, &s.entropy).unwrap();
    s.add("volume", &volume);
    json!({ "volume": hex(&volume), "sequence": hex(sequence) })
}

fn main() {
    let seed = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(1);
    let mut s = Samples { entropy: SeededEntropy::new(seed), objects: Vec::new() };
    let who = Parties {
        device: DeviceId(s.draw()),
        seeds: std::array::from_fn(|_| s.draw()),
        secrets: std::array::from_fn(|_| s.draw()),
    };
    let (chain, case, screening) = chain(&mut s, &who, 1);
    let (certificate, enrolment) = enrolment(&mut s, &who);
    let mut grants = Vec::new();
    let granters = ["custodian", "agency"]
        .map(|reader| Granter::new(&who.secret(reader).public(), &s.entropy as &dyn Entropy).unwrap());
    for (sealed, _) in &chain[1..] {
        for granter in &granters {
            let grant = granter.grant(&sealed.key, sealed.hash).unwrap();
            s.add_value("grant", &grant);
            grants.push(grant);
        }
    }
    let told_grants: Vec<Json> = grants.iter().map(|grant| hex(&to_bytes(grant).unwrap())).collect();
    let receipt = receipt(&mut s, &who, 1, chain[2].0.hash);
    let frames = upload(&mut s, &who, &chain, &grants, &certificate, receipt.clone());
    let (mut down, letters) = letters(&mut s, &who, case, screening);
    let revocation = Revocation { device: who.device, from_ms: s.ms() };
    let revocation = who.signer("headquarters").sign_object(&revocation).unwrap();
    s.add_signed("revocation", &revocation);
    down.push(Entry::Revoked(revocation));
    let agency = who.secret("agency").public();
    let desk = vec![
        Entry::Sealed { segment: chain[1].0.segment.clone(), grant: grants[1].clone(), certificate },
        Entry::Withdrawn { segment: chain[1].0.hash },
    ];
    let packs = vec![Entry::Pack(s.draw::<40>().to_vec())];
    let mut feeds = Vec::new();
    let mut pages = Vec::new();
    for (id, entries) in
        [(FeedId::device(who.device), down), (FeedId::recipient(agency.id()), desk), (FeedId::packs(), packs)]
    {
        let (page, told) = feed(&mut s, id, entries);
        feeds.push(told);
        pages.push(page);
    }
    let replies = replies(&mut s, receipt, pages);
    let up = volume(&mut s, &frames, Direction::Up, &who.secret("bundle").public());
    let down = volume(&mut s, &replies, Direction::Down, &who.secret("letters").public());
    let all = json!({
        "about": "Synthetic. One of every object of the wire, with the keys that open it; schema/WIRE.md says what each is.",
        "seed": seed,
        "parties": who.json(),
        "objects": s.objects,
        "chain": chain.into_iter().map(|(_, told)| told).collect::<Vec<_>>(),
        "grants": told_grants,
        "enrolment": enrolment,
        "letters": letters,
        "feeds": feeds,
        "up": up,
        "down": down,
    });
    println!("{}", serde_json::to_string_pretty(&all).unwrap());
}
