//! What is measured on: made-up checklists, filled stores, directories of any size. Synthetic throughout.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use amparo_core::answers::Answers;
use amparo_core::checklist::Form;
use amparo_core::device::{Device, StartRequest};
use amparo_core::random::SeededEntropy;
use amparo_core::secret::Key;
use amparo_core::store::case::CaseRow;
use amparo_core::store::screening::NewScreening;
use amparo_core::store::{self, Store};
use amparo_core::time::{FixedClock, Moment};
use amparo_schema::answer::{Answer, Mode, Value};
use amparo_schema::condition::Condition;
use amparo_schema::fact::{Body, Compartment, Fact, Packs, Stamp};
use amparo_schema::id::{CaseId, Hash, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::checklist::{
    Checklist, Dimension, Indicator, Item, ItemKind, Population, Rule, Threshold, Weight,
};
use amparo_schema::pack::policy::{Custodian, Policy, Retention};
use amparo_schema::pack::{Kind, PackRef};
use amparo_schema::person::{Country, Place, Setting};
use amparo_schema::text::{Lang, Review, Text};

use super::Fallible;

pub(crate) const KEY: [u8; 32] = [7; 32];
/// The first of December 2026, noon in Santiago.
pub(crate) const NOW: Moment =
    Moment { wall_ms: 1_796_137_200_000, offset_minutes: -180, steady_ms: 1_000_000 };
/// Answers of one stored screening.
pub(crate) const ANSWERS: usize = 28;

const CHECKLIST: &str = "ilo-adult-labour";
/// Something that is seen, so that it can be answered before the gate.
pub(crate) const OBSERVED: &str = "obs-watched";

pub(crate) fn db(folder: &Path) -> PathBuf {
    folder.join("store.db")
}

pub(crate) fn create(folder: &Path) -> Fallible<Device> {
    let (clock, entropy) = (Arc::new(FixedClock::new(NOW)), Arc::new(SeededEntropy::new(1)));
    Ok(Device::create(&db(folder), &Key::new(&KEY), amparo_shell::embedded::trust()?, clock, entropy)?)
}

/// Opens the store of a folder. The seed of randomness differs from time to time, so that ids do too.
pub(crate) fn open(folder: &Path) -> Fallible<Device> {
    static TIMES: AtomicU64 = AtomicU64::new(0);
    let seed = (u64::from(std::process::id()) << 32) | TIMES.fetch_add(1, Ordering::Relaxed);
    let (clock, entropy) = (Arc::new(FixedClock::new(NOW)), Arc::new(SeededEntropy::new(seed)));
    Ok(Device::open(&db(folder), &Key::new(&KEY), amparo_shell::embedded::trust()?, clock, entropy)?)
}

pub(crate) fn start(device: &Device) -> Fallible<ScreeningId> {
    Ok(device.start(&StartRequest {
        checklist: Name::new(CHECKLIST)?,
        case: None,
        place: place()?,
        lang: Lang::new("es")?,
    })?)
}

fn place() -> Fallible<Place> {
    Ok(Place { country: Country::new("CL")?, post: None, area: None, setting: Setting::Workplace })
}

/// A store with the real content and so many closed screenings of about 30 facts, written past the device so
/// that it takes seconds; then one open screening, made by the device, whose id lies beside the store. Gives
/// the bytes of the packs that its first question needs.
pub(crate) fn fill(folder: &Path, screenings: usize) -> Fallible<usize> {
    let device = create(folder)?;
    amparo_shell::home::install_embedded(&device)?;
    let lines = device.packs()?;
    drop(device);
    let pack = |kind: Kind, id: &str| -> Fallible<PackRef> {
        let found = lines.iter().find(|line| line.header.kind == kind && line.pack.id.as_str() == id);
        Ok(found.ok_or_else(|| format!("no pack {id}"))?.pack.clone())
    };
    let packs = Packs {
        checklist: pack(Kind::Checklist, CHECKLIST)?,
        policy: pack(Kind::Policy, "americas-policy")?,
        protocol: pack(Kind::Protocol, "chile")?,
        directory: pack(Kind::Directory, "americas")?,
        calendar: Some(pack(Kind::Calendar, "chile")?),
    };
    let store = Store::open(&db(folder), &Key::new(&KEY), &SeededEntropy::new(2), NOW)?;
    let numbers: Vec<usize> = (0..screenings).collect();
    for batch in numbers.chunks(500) {
        store.write(|tx| batch.iter().try_for_each(|n| screening(tx, *n, &packs)))?;
    }
    store.empty_log()?;
    let used = [&packs.checklist, &packs.policy];
    let bytes = store.read(|rows| {
        let mut bytes = 0;
        for pack in used {
            bytes += store::pack::file(rows, &pack.hash)?.map_or(0, |file| file.len());
        }
        Ok::<_, store::StoreError>(bytes)
    })?;
    drop(store);
    let device = open(folder)?;
    let id = start(&device)?;
    std::fs::write(folder.join("screening"), id.0)?;
    device.rest()?;
    Ok(bytes)
}

/// The open screening of a filled store.
pub(crate) fn open_screening(folder: &Path) -> Fallible<ScreeningId> {
    let bytes = std::fs::read(folder.join("screening"))?;
    Ok(ScreeningId(bytes.as_slice().try_into()?))
}

fn id(label: &str, n: usize) -> [u8; 16] {
    let hash = Hash::of(label, &[&n.to_be_bytes()]).0;
    let mut id = [0; 16];
    id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    id
}

fn screening(tx: &store::Tx<'_>, n: usize, packs: &Packs) -> Fallible<()> {
    let (case, screening) = (CaseId(id("bench-case", n)), ScreeningId(id("bench-screening", n)));
    let code = format!("BENCH-{n:07}");
    let opened_ms = NOW.wall_ms - 1_000_000;
    let row = CaseRow { case, code: code.clone(), memorable: code.clone(), opened_ms };
    store::case::insert(tx, &row)?;
    let hashes = [&packs.checklist, &packs.policy, &packs.protocol, &packs.directory].map(|pack| pack.hash);
    let new = NewScreening { screening, case, checklist: packs.checklist.hash, packs: &hashes, opened_ms };
    store::screening::insert(tx, &new)?;
    for fact in facts(case, screening, code, packs)? {
        store::fact::append(tx, Some(screening), Compartment::Case, &fact)?;
    }
    Ok(store::screening::close(tx, screening, NOW.wall_ms)?)
}

/// The encoded facts of one made-up screening.
pub(crate) fn facts(
    case: CaseId,
    screening: ScreeningId,
    code: String,
    packs: &Packs,
) -> Fallible<Vec<Vec<u8>>> {
    let at = |n: usize| Stamp {
        wall_ms: NOW.wall_ms - 1_000_000 + n as i64 * 10_000,
        offset_minutes: NOW.offset_minutes,
        steady_ms: NOW.steady_ms + n as u64 * 10_000,
        doubt: None,
    };
    let opened = Body::ScreeningOpened {
        case,
        screening,
        packs: packs.clone(),
        place: place()?,
        lang: Lang::new("es")?,
    };
    let mut bodies = vec![Body::CaseOpened { case, code: code.clone(), memorable: code }, opened];
    for n in 0..ANSWERS {
        let item = Name::new(format!("item-{n:03}"))?;
        bodies.push(Body::Answered { item, answer: said(n), mode: Mode::Observe });
    }
    let encode = |(n, body)| Ok(minicbor::to_vec(Fact { at: at(n), body })?);
    bodies.into_iter().enumerate().map(encode).collect()
}

/// Names for packs that need not be there.
pub(crate) fn no_packs() -> Fallible<Packs> {
    let pack = |id: &str| -> Fallible<PackRef> {
        Ok(PackRef { id: Name::new(id)?, version: 1, hash: Hash::of("bench-pack", &[id.as_bytes()]) })
    };
    Ok(Packs {
        checklist: pack("checklist")?,
        policy: pack("policy")?,
        protocol: pack("protocol")?,
        directory: pack("directory")?,
        calendar: None,
    })
}

/// Yes and no by turns.
pub(crate) fn said(n: usize) -> Answer {
    Answer::Known(if n.is_multiple_of(2) { Value::Yes } else { Value::No })
}

fn name(prefix: &str, n: usize) -> Fallible<Name> {
    Ok(Name::new(format!("{prefix}-{n:03}"))?)
}

/// A form of so many yes-no questions. Every fifth stands alone; the four after it are asked when it was
/// answered yes, so that an answer has at most four dependents, whatever the length.
pub(crate) fn form(items: usize, indicators: usize) -> Fallible<Arc<Form>> {
    let item = |n: usize| -> Fallible<Item> {
        let root = n - n % 5;
        Ok(Item {
            id: name("item", n)?,
            mode: Mode::Ask,
            prompt: Text::default(),
            hint: None,
            kind: ItemKind::YesNo,
            when: if n == root { None } else { Some(Condition::Yes(name("item", root)?)) },
            sources: Vec::new(),
            review: Review::Unverified,
        })
    };
    let indicator = |n: usize| -> Fallible<Indicator> {
        Ok(Indicator {
            id: name("indicator", n)?,
            label: Text::default(),
            dimension: name("dimension", n % 6)?,
            weight: [Weight::Strong, Weight::Medium, Weight::Weak]
                .into_iter()
                .nth(n % 3)
                .unwrap_or(Weight::Weak),
            from: Condition::Any(vec![
                Condition::Yes(name("item", n % items)?),
                Condition::Yes(name("item", (n * 7 + 3) % items)?),
            ]),
            exploitation: Vec::new(),
            sources: Vec::new(),
            review: Review::Unverified,
        })
    };
    let checklist = Checklist {
        settings: Vec::new(),
        population: Population::Anyone,
        validation: Text::default(),
        enabled: true,
        items: (0..items).map(item).collect::<Fallible<_>>()?,
        indicators: (0..indicators).map(indicator).collect::<Fallible<_>>()?,
        dimensions: (0..6).map(dimension).collect::<Fallible<_>>()?,
        rules: rules()?,
    };
    Ok(Arc::new(Form::compile(&policy(), &checklist)?))
}

fn dimension(n: usize) -> Fallible<Dimension> {
    let of = Threshold::default();
    let positive = vec![Threshold { strong: 2, ..of }, Threshold { strong: 1, medium_or_weak: 1, ..of }];
    Ok(Dimension { id: name("dimension", n)?, label: Text::default(), positive })
}

fn rules() -> Fallible<Vec<Rule>> {
    let positive = (0..6).map(|n| Ok(Condition::Positive(name("dimension", n)?))).collect::<Fallible<_>>()?;
    let rule = |n, outcome, when| -> Fallible<Rule> {
        Ok(Rule {
            id: name("rule", n)?,
            outcome,
            when,
            because: Text::default(),
            sources: Vec::new(),
            review: Review::Unverified,
        })
    };
    Ok(vec![
        rule(0, Outcome::Presumed, Condition::AtLeast { n: 3, of: positive })?,
        rule(1, Outcome::ConcernUnresolved, Condition::NotedAny)?,
    ])
}

fn policy() -> Policy {
    Policy {
        intake: Vec::new(),
        gate: Vec::new(),
        consents: Vec::new(),
        outcomes: [].into(),
        posts: Vec::new(),
        code_words: [].into(),
        last_resort: Text::default(),
        custodian: Custodian { name: "synthetic".into(), public_key: Hash([0; 32]) },
        retention: Retention { plaintext_hours: 1, observation_days: 1, open_hours: 1 },
        review: Review::Unverified,
    }
}

/// Every item of the form answered, yes and no by turns.
pub(crate) fn answers(form: &Form) -> Answers {
    form.items().enumerate().map(|(n, item)| (item.id.clone(), said(n / 5))).collect()
}
