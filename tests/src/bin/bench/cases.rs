//! The single cases that valgrind and strace look at: a set-up, then `n` operations, and nothing else.

use std::path::Path;

use amparo_core::assessment::assess;
use amparo_core::checklist::{Gate, Walk};
use amparo_core::device::{Device, NextStep};
use amparo_core::random::SeededEntropy;
use amparo_core::seal::{PublicKey, SegmentInput, Signer, first_previous, grant, hpke_seal, seal};
use amparo_schema::fact::Compartment;
use amparo_schema::id::{CaseId, DeviceId, ScreeningId};
use amparo_schema::name::Name;
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use ed25519_dalek::{Signer as _, SigningKey};
use rusqlite::Connection;

use super::{Fallible, directory, relay, world};

/// Runs a case.
pub(crate) fn run(name: &str, n: usize, folder: &Path) -> Fallible<()> {
    match name {
        "walk-50" => walk(50, n),
        "walk-500" => walk(500, n),
        "answer" => {
            let device = world::open(folder)?;
            let id = world::start(&device)?;
            (0..n).try_for_each(|n| answer(&device, id, n))
        }
        // No case to be counted: makes the store of the others, to look at them by hand.
        "fill" => world::fill(folder, n).and_then(|packs| make_plain(folder, packs)),
        "cold" => (0..n).try_for_each(|_| cold(folder).map(drop)),
        "plain" => (0..n).try_for_each(|_| plain(folder).map(drop)),
        "search" => {
            let typed = std::fs::read_to_string(folder.join("typed"))?;
            let device = world::open(folder)?;
            typed.lines().take(n).try_for_each(|typed| search(&device, typed))
        }
        "assess" => {
            let (form, packs) = (world::form(500, 300)?, world::no_packs()?);
            let answers = world::answers(&form);
            for _ in 0..n {
                std::hint::black_box(assess(&form, &answers, &packs.checklist));
            }
            Ok(())
        }
        "seal" => {
            let sealing = Sealing::new()?;
            (0..n).try_for_each(|_| sealing.whole().map(drop))
        }
        "bare" => {
            let sealing = Sealing::new()?;
            (0..n).try_for_each(|_| sealing.bare().map(drop))
        }
        "accept" => relay::accept_times(folder, n),
        "accept-bare" => relay::bare_times(folder, n),
        _ => Err(format!("there is no case {name}").into()),
    }
}

/// `n` answers to the items of a form of so many, each followed by the question what is next.
pub(crate) fn walk(items: usize, n: usize) -> Fallible<()> {
    let form = world::form(items, 0)?;
    let ids: Vec<Name> = form.items().map(|item| item.id.clone()).collect();
    let mut walk = Walk::new(form, &Default::default());
    walk_on(&mut walk, &ids, n)
}

/// Answers `n` items in their order, from the start again at the end and then with the other answer.
pub(crate) fn walk_on(walk: &mut Walk, ids: &[Name], n: usize) -> Fallible<()> {
    for (k, id) in ids.iter().cycle().take(n).enumerate() {
        walk.set(id, world::said(k / 5 + k / ids.len()))?;
        std::hint::black_box(walk.next(Gate::Passed));
    }
    Ok(())
}

/// One durable answer.
pub(crate) fn answer(device: &Device, id: ScreeningId, n: usize) -> Fallible<()> {
    device.answer(id, &Name::new(world::OBSERVED)?, world::said(n))?;
    Ok(())
}

/// From nothing to the first question.
pub(crate) fn cold(folder: &Path) -> Fallible<Device> {
    let device = world::open(folder)?;
    let id = world::open_screening(folder)?;
    match device.next(id)? {
        NextStep::Item(item) => std::hint::black_box(device.question(id, &item)?),
        other => return Err(format!("no question: {other:?}").into()),
    };
    Ok(device)
}

/// The peer of [`cold`]: a plain SQLite file, one read of as many bytes as the packs have.
pub(crate) fn plain(folder: &Path) -> Fallible<Connection> {
    let conn = Connection::open(folder.join("plain.db"))?;
    let bytes: Vec<u8> = conn.query_row("SELECT body FROM blob WHERE id = 1", [], |row| row.get(0))?;
    std::hint::black_box(bytes);
    Ok(conn)
}

/// Makes the file of [`plain`].
pub(crate) fn make_plain(folder: &Path, bytes: usize) -> Fallible<()> {
    let conn = Connection::open(folder.join("plain.db"))?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch("CREATE TABLE blob (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    conn.execute("INSERT INTO blob (id, body) VALUES (1, ?1)", [vec![0x5a_u8; bytes]])?;
    Ok(())
}

/// One key stroke.
pub(crate) fn search(device: &Device, typed: &str) -> Fallible<()> {
    std::hint::black_box(device.lookup(typed, None, directory::SHOWN)?);
    Ok(())
}

/// The facts of one screening, to be sealed for one reader.
pub(crate) struct Sealing {
    input: SegmentInput,
    signer: Signer,
    reader: PublicKey,
    entropy: SeededEntropy,
    bytes: Vec<u8>,
    bare_signer: SigningKey,
}

impl Sealing {
    pub(crate) fn new() -> Fallible<Self> {
        let (case, screening) = (CaseId([1; 16]), ScreeningId([2; 16]));
        let facts = world::facts(case, screening, "BENCH-0".into(), &world::no_packs()?)?;
        let signer = Signer::from_seed(&[3; 32]);
        Ok(Self {
            bytes: facts.concat(),
            input: SegmentInput {
                case: Some(case),
                screening: Some(screening),
                compartment: Compartment::Case,
                events: (1..).zip(facts).collect(),
                device: DeviceId([4; 16]),
                incarnation: 5,
                number: 0,
                previous: first_previous(&signer.public()),
            },
            signer,
            reader: PublicKey::from(amparo_shell::content::keys::demo_custodian_public()),
            entropy: SeededEntropy::new(6),
            bare_signer: SigningKey::from_bytes(&[3; 32]),
        })
    }

    /// Bytes of the facts.
    pub(crate) fn plain_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Encoded, packed, padded, sealed, signed, granted. Gives the bytes of the segment.
    pub(crate) fn whole(&self) -> Fallible<usize> {
        let sealed = seal(&self.input, &self.signer, &self.entropy)?;
        std::hint::black_box(grant(&sealed.key, sealed.hash, &self.reader, &self.entropy)?);
        Ok(sealed.segment.len())
    }

    /// The primitives alone: the cipher over the facts, one signature over as much as a header, one wrap.
    pub(crate) fn bare(&self) -> Fallible<usize> {
        let cipher = ChaCha20Poly1305::new(&[8; 32].into());
        let sealed = cipher.encrypt(&[0; 12].into(), &*self.bytes).map_err(|_| "the cipher failed")?;
        std::hint::black_box(self.bare_signer.sign(self.bytes.get(..200).unwrap_or(&self.bytes)));
        std::hint::black_box(hpke_seal(&self.reader, &[0; 46], &[], &[8; 32], &self.entropy)?);
        Ok(sealed.len())
    }
}
