//! What the other rooms keep in the store: facts, packs, services, search rows, cases, screenings,
//! segments, settings; and that reads and writes do not stand in each other's way.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod support;

use std::sync::mpsc;

use amparo_core::schema::fact::{Compartment, body_hash, chain_hash};
use amparo_core::schema::id::{CaseId, Hash, ScreeningId};
use amparo_core::schema::limits::FACT_BYTES_MAX;
use amparo_core::schema::name::Name;
use amparo_core::schema::pack::Kind;
use amparo_core::schema::person::Country;
use amparo_core::schema::wire::receipt::Range;
use amparo_core::schema::wire::segment::{Grant, Segment};
use amparo_core::secret::Key;
use amparo_core::store::case::CaseRow;
use amparo_core::store::pack::{NewPack, PackRow};
use amparo_core::store::screening::{NewScreening, State};
use amparo_core::store::search::Term;
use amparo_core::store::segment::NewSegment;
use amparo_core::store::service::ServiceRow;
use amparo_core::store::{
    Store, StoreError, Tx, case, fact, pack, screening, search, segment, service, setting,
};
use support::{append, bodies, create, files, open};

const CASE: CaseId = CaseId([1; 16]);
const SCREENING: ScreeningId = ScreeningId([2; 16]);

fn fresh() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = create(folder.path());
    (folder, store)
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn install(tx: &Tx<'_>, id: &str, version: u32) -> Result<(PackRow, Hash), StoreError> {
    let header = format!("{id} {version}").into_bytes();
    let hash = Hash::of("test", &[&header]);
    let file = vec![0xF1; 10_000];
    let id = name(id);
    let new = NewPack {
        kind: Kind::Directory,
        id: &id,
        version,
        hash,
        header: &header,
        file: &file,
        installed_ms: 5,
    };
    Ok((pack::install(tx, &new)?, hash))
}

fn open_case(tx: &Tx<'_>, packs: &[Hash]) -> Result<(), StoreError> {
    case::insert(tx, &CaseRow { case: CASE, code: "K7-1".into(), memorable: "azul 4".into(), opened_ms: 9 })?;
    screening::insert(
        tx,
        &NewScreening { screening: SCREENING, case: CASE, checklist: Hash([3; 32]), packs, opened_ms: 10 },
    )
}

#[test]
fn facts_are_counted_and_chained_as_the_schema_says() {
    let (folder, store) = fresh();
    store.write(|tx| open_case(tx, &[])).unwrap();
    let id = store.identity().store;
    let mut previous = Hash([0; 32]);
    for (n, screening) in [(1, None), (2, Some(SCREENING)), (3, Some(SCREENING))] {
        let body = vec![n as u8; 30];
        let (counter, hash) =
            store.write(|tx| fact::append(tx, screening, Compartment::Consent, &body)).unwrap();
        let expected = chain_hash(id, n, &previous, screening, &body_hash(&body));
        assert_eq!((counter, hash), (n, expected));
        previous = hash;
    }
    drop(store);
    let store = open(folder.path()).unwrap();
    let facts = store.read(|rows| fact::of_screening(rows, SCREENING)).unwrap();
    assert_eq!(facts.iter().map(|f| f.counter).collect::<Vec<_>>(), [2, 3]);
    assert!(facts.iter().all(|f| f.screening == Some(SCREENING) && f.compartment == Compartment::Consent));
    assert_eq!(facts[1].body.as_deref(), Some(&[3_u8; 30][..]));
    assert_eq!(store.read(fact::last).unwrap(), (3, previous));
    assert_eq!(store.read(|rows| fact::of_screening(rows, ScreeningId([9; 16]))).unwrap(), []);
    assert_eq!(store.read(|rows| fact::from(rows, 2, 1)).unwrap()[0].counter, 2);
}

#[test]
fn what_is_refused_leaves_nothing() {
    let (_folder, store) = fresh();
    let long = vec![0; FACT_BYTES_MAX + 1];
    let limit = StoreError::TooLarge { limit: "FACT_BYTES_MAX" };
    assert_eq!(store.write(|tx| fact::append(tx, None, Compartment::Case, &long)).unwrap_err(), limit);
    let unknown = StoreError::Unknown { table: "screening" };
    let told = store.write(|tx| fact::append(tx, Some(SCREENING), Compartment::Case, b"x"));
    assert_eq!(told.unwrap_err(), unknown);
    // Half a transaction is none.
    let told = store.write(|tx| {
        fact::append(tx, None, Compartment::Case, b"first")?;
        assert_eq!(fact::last(tx)?.0, 1, "a transaction sees itself");
        assert_eq!(store.read(fact::last).unwrap().0, 0, "and nobody else does");
        fact::append(tx, Some(SCREENING), Compartment::Case, b"second")
    });
    assert_eq!(told.unwrap_err(), unknown);
    assert_eq!(bodies(&store).unwrap(), []);
    assert_eq!(append(&store, b"after").0, 1, "no gap");
    assert_eq!(store.verify().unwrap().faults, []);
}

#[test]
fn a_panic_inside_a_transaction_leaves_a_sound_store() {
    let (_folder, store) = fresh();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.write(|tx| -> Result<(), StoreError> {
            fact::append(tx, None, Compartment::Case, b"lost")?;
            panic!("as a bug might")
        })
    }));
    assert!(caught.is_err());
    assert_eq!(append(&store, b"kept").0, 1);
    assert_eq!(bodies(&store).unwrap(), [Some(b"kept".to_vec())]);
}

#[test]
fn purged_bodies_are_gone_and_the_chain_stays() {
    let (folder, store) = fresh();
    let body = b"synthetic words to be forgotten";
    store.write(|tx| open_case(tx, &[])).unwrap();
    for compartment in [Compartment::Case, Compartment::Identity, Compartment::Case] {
        store.write(|tx| fact::append(tx, Some(SCREENING), compartment, body)).unwrap();
    }
    append(&store, b"of no screening");
    let purged = store.write(|tx| fact::purge_bodies(tx, SCREENING, Some(Compartment::Identity))).unwrap();
    assert_eq!(purged, 1);
    assert_eq!(store.write(|tx| fact::purge_bodies(tx, SCREENING, None)).unwrap(), 2);
    store.empty_log().unwrap();
    assert!(files(folder.path())["amparo.db-wal"].is_empty());
    let report = store.verify().unwrap();
    assert_eq!((report.facts, report.purged, report.faults), (4, 3, vec![]));
    let kept: Vec<bool> = bodies(&store).unwrap().iter().map(Option::is_some).collect();
    assert_eq!(kept, [false, false, false, true]);
    store.write(|tx| screening::close(tx, SCREENING, 20)).unwrap();
    store.write(|tx| screening::mark_purged(tx, SCREENING)).unwrap();
    let row = store.read(|rows| screening::by_id(rows, SCREENING)).unwrap().unwrap();
    assert_eq!((row.state, row.closed_ms), (State::Purged, Some(20)));
}

#[test]
fn packs_keep_old_versions_while_a_screening_needs_them() {
    let (_folder, store) = fresh();
    let (_, one) = store.write(|tx| install(tx, "lines", 1)).unwrap();
    assert_eq!(store.write(|tx| install(tx, "lines", 1).map(|_| ())).unwrap_err(), StoreError::Conflict);
    store.write(|tx| open_case(tx, &[one])).unwrap();
    let (two_row, two) = store.write(|tx| install(tx, "lines", 2)).unwrap();
    store.write(|tx| install(tx, "lines", 3).map(|_| ())).unwrap();
    let body = ServiceRow {
        n: 0,
        id: name("s-0"),
        country: Country::new("CL").unwrap(),
        rank: 1,
        body: "{}".into(),
    };
    store.write(|tx| service::insert(tx, two_row, &body)).unwrap();

    let versions = |store: &Store| -> Vec<(u32, bool)> {
        store.read(pack::list).unwrap().iter().map(|p| (p.version, p.current)).collect()
    };
    assert_eq!(versions(&store), [(1, false), (2, false), (3, true)]);
    assert_eq!(store.write(pack::delete_unused).unwrap(), 1);
    assert_eq!(versions(&store), [(1, false), (3, true)]);
    assert_eq!(store.read(|rows| pack::by_hash(rows, &two)).unwrap(), None);
    assert_eq!(store.read(|rows| service::count(rows, two_row)).unwrap(), 0, "went with its pack");
    let current = store.read(|rows| pack::current(rows, Kind::Directory, &name("lines"))).unwrap().unwrap();
    assert_eq!((current.version, current.kind, current.installed_ms), (3, Kind::Directory, 5));
    assert_eq!(store.read(|rows| pack::file(rows, &one)).unwrap().unwrap(), vec![0xF1; 10_000]);
    assert_eq!(store.read(|rows| pack::header(rows, &one)).unwrap().unwrap(), b"lines 1");
    assert_eq!(store.read(|rows| pack::row(rows, &one)).unwrap(), store_row(&store, &one));
    let unknown = StoreError::Unknown { table: "pack" };
    assert_eq!(store.write(|tx| open_second(tx, Hash([9; 32]))).unwrap_err(), unknown);
}

fn store_row(store: &Store, hash: &Hash) -> PackRow {
    store.read(|rows| pack::by_hash(rows, hash)).unwrap().unwrap().row
}

fn open_second(tx: &Tx<'_>, missing: Hash) -> Result<(), StoreError> {
    let new = NewScreening {
        screening: ScreeningId([8; 16]),
        case: CASE,
        checklist: missing,
        packs: &[missing],
        opened_ms: 0,
    };
    screening::insert(tx, &new)
}

#[test]
fn services_and_search_rows() {
    let (_folder, store) = fresh();
    let (pack, _) = store.write(|tx| install(tx, "lines", 1)).unwrap();
    let services = [
        (0, "CL", 30, &["chile", "linea"][..]),
        (1, "PE", 10, &["linea", "lima"]),
        (2, "CL", 20, &["lineas", "mujer", "\u{10FFFE}x"]),
    ];
    store
        .write(|tx| {
            for (n, country, rank, words) in services {
                let row = ServiceRow {
                    n,
                    id: name(&format!("s-{n}")),
                    country: Country::new(country).unwrap(),
                    rank: i64::from(rank),
                    body: format!("{{\"n\":{n}}}"),
                };
                service::insert(tx, pack, &row)?;
                search::insert_words(tx, pack, n, &words.join(" "))?;
                for word in words {
                    search::insert_token(tx, pack, Term { text: word, rank, n })?;
                    let first: String = word.chars().take(2).collect();
                    search::insert_prefix(tx, pack, Term { text: &first, rank, n })?;
                    search::insert_prefix(tx, pack, Term { text: &first, rank, n })?;
                }
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    store
        .read(|rows| {
            let chile = service::of_country(rows, pack, Country::new("CL").unwrap())?;
            assert_eq!(chile.iter().map(|s| s.n).collect::<Vec<_>>(), [2, 0], "by rank");
            assert_eq!(service::at(rows, pack, 1)?.unwrap().body, "{\"n\":1}");
            assert_eq!(service::by_id(rows, pack, &name("s-2"))?.unwrap().rank, 20);
            assert_eq!(service::at(rows, pack, 3)?, None);
            assert_eq!(service::count(rows, pack)?, 3);
            assert_eq!(search::prefix_top(rows, pack, "li", 10)?, [(10, 1), (20, 2), (30, 0)]);
            assert_eq!(search::prefix_top(rows, pack, "li", 2)?, [(10, 1), (20, 2)]);
            let range = |start: &str, after| {
                let end = format!("{start}\u{10FFFF}");
                search::range(rows, pack, (start, &end), after, 10)
            };
            let word = |text: &str, rank, n| (text.to_owned(), rank, n);
            let all = [word("linea", 10, 1), word("linea", 30, 0), word("lineas", 20, 2)];
            assert_eq!(range("linea", None)?, all);
            assert_eq!(range("linea", Some(Term { text: "linea", rank: 10, n: 1 }))?, all[1..]);
            assert_eq!(range("lineas", None)?, all[2..]);
            assert_eq!(range("\u{10FFFE}", None)?, [word("\u{10FFFE}x", 20, 2)]);
            let holds = |text, rank, n| search::holds(rows, pack, Term { text, rank, n });
            assert!(holds("linea", 10, 1)? && !holds("linea", 10, 0)? && !holds("line", 10, 1)?);
            assert_eq!(search::words(rows, pack, 0)?, "chile linea");
            assert_eq!(search::words(rows, pack, 9)?, "");
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn cases_and_screenings() {
    let (_folder, store) = fresh();
    store.write(|tx| open_case(tx, &[])).unwrap();
    let again = store.write(|tx| open_case(tx, &[]));
    assert_eq!(again.unwrap_err(), StoreError::Conflict);
    let found = store.read(|rows| case::by_code(rows, "K7-1")).unwrap().unwrap();
    assert_eq!(Some(&found), store.read(|rows| case::by_id(rows, CASE)).unwrap().as_ref());
    assert_eq!((found.case, found.memorable.as_str()), (CASE, "azul 4"));
    assert_eq!(store.read(|rows| case::newest(rows, 5)).unwrap(), [found]);

    assert!(store.read(|rows| case::identity_key(rows, CASE)).unwrap().is_none());
    store.write(|tx| case::set_identity_key(tx, CASE, &Key::new(&[4; 32]))).unwrap();
    let twice = store.write(|tx| case::set_identity_key(tx, CASE, &Key::new(&[5; 32])));
    assert_eq!(twice.unwrap_err(), StoreError::Conflict);
    let kept = store.read(|rows| case::identity_key(rows, CASE)).unwrap().unwrap();
    assert_eq!(kept.expose(), &[4; 32]);
    store.write(|tx| case::shred_identity_key(tx, CASE)).unwrap();
    assert!(store.read(|rows| case::identity_key(rows, CASE)).unwrap().is_none());

    let early = store.write(|tx| screening::mark_purged(tx, SCREENING));
    assert_eq!(early.unwrap_err(), StoreError::Conflict, "only a closed one is purged");
    assert_eq!(store.read(|rows| screening::newest(rows, Some(State::Open), 5)).unwrap().len(), 1);
    store.write(|tx| screening::close(tx, SCREENING, 11)).unwrap();
    assert_eq!(store.write(|tx| screening::close(tx, SCREENING, 12)).unwrap_err(), StoreError::Conflict);
    assert_eq!(store.read(|rows| screening::newest(rows, Some(State::Open), 5)).unwrap(), []);
    let row = store.read(|rows| screening::of_case(rows, CASE)).unwrap().remove(0);
    assert_eq!((row.state, row.closed_ms, row.code.as_str()), (State::Closed, Some(11), "K7-1"));
    assert_eq!(store.read(|rows| screening::newest(rows, None, 5)).unwrap(), [row]);
}

#[test]
fn segments_are_numbered_without_gaps() {
    let (_folder, store) = fresh();
    store.write(|tx| open_case(tx, &[])).unwrap();
    let incarnation = store.identity().incarnation;
    let bytes = |n: u8| Segment { header: vec![n; 9], signature: vec![n; 64], ciphertext: vec![n; 99] };
    let content_key = Key::new(&[6; 32]);
    let keep = |number: u64, n: u8, incarnation: u64| {
        let segment = bytes(n);
        let new = NewSegment {
            incarnation,
            number,
            screening: Some(SCREENING),
            compartment: Compartment::Case,
            segment: &segment,
            key: Some(&content_key),
            sealed_ms: 0,
            urgent: number == 1,
        };
        store.write(|tx| segment::insert(tx, &new))
    };
    assert_eq!(store.read(|rows| segment::next(rows, incarnation)).unwrap(), (0, None));
    assert_eq!(keep(1, 0, incarnation).unwrap_err(), StoreError::Conflict, "a gap");
    assert_eq!(keep(0, 0, incarnation + 1).unwrap_err(), StoreError::Conflict, "of another life");
    let first = keep(0, 0, incarnation).unwrap();
    assert_eq!(first, bytes(0).hash());
    assert_eq!(keep(0, 1, incarnation).unwrap_err(), StoreError::Conflict, "taken");
    let second = keep(1, 1, incarnation).unwrap();
    assert_eq!(store.read(|rows| segment::next(rows, incarnation)).unwrap(), (2, Some(second)));
    let urgent =
        |to| store.read(|rows| segment::urgent(rows, incarnation, Range { from: 0, to }, 9)).unwrap();
    assert_eq!((urgent(1), urgent(9)), (vec![], vec![1]));
    let from = store.read(|rows| segment::from(rows, incarnation, 1, 10)).unwrap();
    assert_eq!(from.iter().map(|s| s.segment.clone()).collect::<Vec<_>>(), [bytes(1)]);
    assert_eq!(store.read(|rows| segment::of_screening(rows, SCREENING)).unwrap().len(), 2);

    assert_eq!(store.read(|rows| segment::key(rows, &first)).unwrap().unwrap().expose(), &[6; 32]);
    store.write(|tx| segment::drop_key(tx, &first)).unwrap();
    assert!(store.read(|rows| segment::key(rows, &first)).unwrap().is_none());
    let grant = Grant { segment: first, recipient: [1; 8], encapsulated: [2; 32], wrapped: [3; 48] };
    store.write(|tx| segment::insert_grant(tx, &grant)).unwrap();
    assert_eq!(store.write(|tx| segment::insert_grant(tx, &grant)).unwrap_err(), StoreError::Conflict);
    let stray = Grant { segment: Hash([9; 32]), ..grant.clone() };
    assert_eq!(store.write(|tx| segment::insert_grant(tx, &stray)).unwrap_err(), StoreError::Conflict);
    assert_eq!(store.read(|rows| segment::grants(rows, &first)).unwrap(), [grant]);
}

#[test]
fn settings() {
    let (_folder, store) = fresh();
    assert_eq!(store.read(|rows| setting::get(rows, "lang")).unwrap(), None);
    store.write(|tx| setting::set(tx, "lang", b"es")).unwrap();
    store.write(|tx| setting::set(tx, "lang", b"en")).unwrap();
    assert_eq!(store.read(|rows| setting::get(rows, "lang")).unwrap().unwrap(), b"en");
    store.write(|tx| setting::remove(tx, "lang")).unwrap();
    assert_eq!(store.read(|rows| setting::get(rows, "lang")).unwrap(), None);
}

#[test]
fn a_long_read_neither_waits_nor_makes_wait() {
    let (_folder, store) = fresh();
    append(&store, b"before");
    let (started, wait_started) = mpsc::channel();
    let (finish, wait_finish) = mpsc::channel();
    std::thread::scope(|scope| {
        let store = &store;
        let reader = scope.spawn(move || {
            store.read(|rows| {
                let before = fact::last(rows)?.0;
                started.send(()).unwrap();
                wait_finish.recv().unwrap();
                Ok::<_, StoreError>((before, fact::last(rows)?.0))
            })
        });
        wait_started.recv().unwrap();
        for n in 2..=20 {
            assert_eq!(append(store, b"meanwhile").0, n);
        }
        assert_eq!(store.empty_log().unwrap_err(), StoreError::Busy, "the read still needs the log");
        finish.send(()).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), (1, 1), "one consistent view");
    });
    assert_eq!(store.read(fact::last).unwrap().0, 20);
    store.empty_log().unwrap();
}

#[test]
fn many_threads_write_one_chain() {
    let (_folder, store) = fresh();
    std::thread::scope(|scope| {
        for n in 0..4_u8 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..10 {
                    append(store, &[n]);
                }
            });
        }
    });
    let report = store.verify().unwrap();
    assert_eq!((report.facts, report.faults), (40, vec![]));
}
