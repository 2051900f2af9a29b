//! One suite for every store: what each verb means, and that the engines cannot be told apart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::postgres::Postgres;
use amparo_hq::storage::sqlite::Sqlite;
use amparo_hq::storage::{
    Chain, Delivery, Entry, Landed, Leaf, Place, Segment, Shelf, Stage, Standing, Storage, StorageError, Tx,
    Voice,
};
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::feed::FeedId;
use amparo_schema::wire::segment::Grant;
use common::server::Server;

#[test]
fn memory_conforms() {
    suite(&mut || Box::new(Memory::new()));
}

#[test]
fn sqlite_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let mut n = 0;
    suite(&mut || {
        n += 1;
        Box::new(Sqlite::open(&directory.path().join(format!("{n}.db")), None).unwrap())
    });
}

#[test]
fn encrypted_sqlite_conforms_and_shows_nothing_without_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let mut n = 0;
    suite(&mut || {
        n += 1;
        Box::new(Sqlite::open(&directory.path().join(format!("{n}.db")), Some(&[9; 32])).unwrap())
    });
    let path = directory.path().join("1.db");
    assert!(Sqlite::open(&path, Some(&[8; 32])).is_err());
    assert!(Sqlite::open(&path, None).is_err());
    assert!(!std::fs::read(&path).unwrap().windows(6).any(|w| w == b"CREATE"));
    let mut there = Sqlite::open(&path, Some(&[9; 32])).unwrap();
    let copy = directory.path().join("copy.db");
    there.back_up(&copy).unwrap();
    assert!(there.back_up(&copy).is_err(), "a backup is never written over");
    assert!(Sqlite::open(&copy, None).is_err());
    let mut copy = Sqlite::open(&copy, Some(&[9; 32])).unwrap();
    let all = |store: &mut Sqlite| within(store, |tx| tx.records(Shelf::Device, &[], &[], 1_000).unwrap());
    assert_eq!(all(&mut copy), all(&mut there));
    assert!(!all(&mut there).is_empty());
}

#[test]
fn postgresql_conforms() {
    let server = Server::start();
    let mut n = 0;
    suite(&mut || {
        n += 1;
        Box::new(Postgres::open(&server.database(&format!("d{n}"))).unwrap())
    });
    two_writers_take_turns(&server.database("turns"));
}

#[test]
fn a_hasty_or_silent_postgresql_is_not_waited_for() {
    let server = Server::start();
    let url = server.database("hasty");
    let hasty = Postgres::open(&format!("{url} options='-c synchronous_commit=off'"));
    assert_eq!(hasty.map(drop), Err(StorageError::Hasty));
    drop(Postgres::open(&format!("{url} options='-c synchronous_commit=local'")).unwrap());
    let mut store = Postgres::open(&format!("{url} options='-c statement_timeout=300'")).unwrap();
    let mut other = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    other.batch_execute("BEGIN; LOCK TABLE record IN ACCESS EXCLUSIVE MODE").unwrap();
    let waited = store.transact(&mut |tx| tx.record(Shelf::State, &[0]).map(drop));
    assert_eq!(waited, Err(StorageError::Engine("PostgreSQL 57014".into())));
    other.batch_execute("ROLLBACK").unwrap();
    store.transact(&mut |tx| tx.record(Shelf::State, &[0]).map(drop)).unwrap();
}

type Make<'a> = &'a mut dyn FnMut() -> Box<dyn Storage>;

fn suite(make: Make<'_>) {
    what_fails_leaves_nothing(&mut *make());
    records_are_listed_by_prefix(&mut *make());
    chains_are_apart(&mut *make());
    deliveries_go_their_way(&mut *make());
    the_log_is_written_once(&mut *make());
    for seed in 1..=3 {
        same_answers_as_memory(&mut *make(), seed);
    }
}

fn within<T>(storage: &mut dyn Storage, mut act: impl FnMut(&mut dyn Tx) -> T) -> T {
    let mut out = None;
    storage
        .transact(&mut |tx| {
            out = Some(act(tx));
            Ok(())
        })
        .unwrap();
    out.unwrap()
}

fn what_fails_leaves_nothing(storage: &mut dyn Storage) {
    within(storage, |tx| tx.put_record(Shelf::Device, b"kept", b"1").unwrap());
    let failed = storage.transact(&mut |tx| {
        tx.put_record(Shelf::Device, b"kept", b"2")?;
        tx.put_record(Shelf::Device, b"new", b"3")?;
        tx.remove_record(Shelf::Device, b"kept")?;
        tx.put_segment(place(1, 2, 3), &a_segment(4), &[4])?;
        tx.put_leaf(0, &a_leaf(1))?;
        assert_eq!(tx.record(Shelf::Device, b"new")?.as_deref(), Some(&b"3"[..]), "it reads what it wrote");
        assert_eq!(tx.record(Shelf::Device, b"kept")?, None);
        Err(StorageError::Abandoned)
    });
    assert_eq!(failed, Err(StorageError::Abandoned));
    within(storage, |tx| {
        assert_eq!(tx.record(Shelf::Device, b"kept").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(tx.record(Shelf::Device, b"new").unwrap(), None);
        assert_eq!(tx.record(Shelf::Ticket, b"kept").unwrap(), None, "shelves are apart");
        assert_eq!(tx.segment(place(1, 2, 3)).unwrap(), None);
        assert_eq!(tx.leaves(0, 10).unwrap(), []);
    });
}

fn records_are_listed_by_prefix(storage: &mut dyn Storage) {
    let keys: [&[u8]; 6] = [&[0], &[1], &[1, 0], &[1, 255, 255], &[2, 0], &[255, 255]];
    within(storage, |tx| {
        for key in keys {
            tx.put_record(Shelf::Aside, key, key).unwrap();
        }
        tx.put_record(Shelf::AsideLoad, &[1, 7], &[]).unwrap();
    });
    let list = |storage: &mut dyn Storage, prefix: &[u8], after: &[u8], limit| -> Vec<Vec<u8>> {
        within(storage, |tx| {
            let rows = tx.records(Shelf::Aside, prefix, after, limit).unwrap();
            rows.into_iter().map(|(key, value)| if key == value { key } else { panic!() }).collect()
        })
    };
    assert_eq!(list(storage, &[], &[], 10), keys);
    assert_eq!(list(storage, &[1], &[], 10), keys[1..4]);
    assert_eq!(list(storage, &[1], &[1], 10), keys[2..4]);
    assert_eq!(list(storage, &[1], &[1, 0], 1), keys[3..4]);
    assert_eq!(list(storage, &[255], &[], 10), keys[5..]);
    assert_eq!(list(storage, &[1], &[2], 10), keys[..0]);
    assert_eq!(list(storage, &[3], &[], 10), keys[..0]);
}

fn chains_are_apart(storage: &mut dyn Storage) {
    let incarnation = u64::MAX - 5;
    within(storage, |tx| {
        for (n, leaf) in [(0, 10), (1, 12), (3, 11), (9, 20)] {
            let segment = Segment { leaf, ..a_segment(n as u8) };
            tx.put_segment(place(1, incarnation, n), &segment, &[n as u8]).unwrap();
        }
        tx.put_segment(place(1, 5, 0), &Segment { leaf: 99, ..a_segment(7) }, &[7]).unwrap();
        tx.put_segment(place(2, incarnation, 0), &Segment { leaf: 98, ..a_segment(8) }, &[8]).unwrap();
    });
    let chain = place(1, incarnation, 0).chain;
    within(storage, |tx| {
        assert_eq!(tx.numbers(chain, 0, 10).unwrap(), [0, 1, 3, 9]);
        assert_eq!(tx.numbers(chain, 1, 2).unwrap(), [1, 3]);
        assert_eq!(tx.numbers(chain, u64::MAX, 2).unwrap(), Vec::<u64>::new());
        let first: Vec<_> = [0, 11, 12, 13, 21].map(|l| tx.first_logged_from(chain, l).unwrap()).to_vec();
        assert_eq!(first, [Some(0), Some(1), Some(1), Some(9), None]);
        assert_eq!(tx.segment(place(1, incarnation, 3)).unwrap().map(|s| s.leaf), Some(11));
        assert_eq!(tx.body(place(1, incarnation, 3)).unwrap(), Some(vec![3]));
        let nowhere = place(1, incarnation, u64::MAX);
        assert_eq!((tx.segment(nowhere).unwrap(), tx.body(nowhere).unwrap()), (None, None));
        let there = tx.segment(place(1, 5, 0)).unwrap().unwrap();
        tx.put_standing(place(1, 5, 0), Standing::Erased).unwrap();
        let changed = Segment { standing: Standing::Erased, ..there };
        assert_eq!((tx.segment(place(1, 5, 0)).unwrap(), there == changed), (Some(changed), false));
        assert_eq!(tx.body(place(1, 5, 0)).unwrap(), Some(vec![7]));
        tx.put_standing(nowhere, Standing::Sound).unwrap();
        assert_eq!(tx.segment(nowhere).unwrap(), None);
        tx.remove_segment(place(1, incarnation, 3)).unwrap();
        assert_eq!(tx.numbers(chain, 0, 10).unwrap(), [0, 1, 9]);
    });
}

fn deliveries_go_their_way(storage: &mut dyn Storage) {
    let one = |segment: u8, leaf, stage, position| Delivery {
        landed: Some(Landed { incarnation: 5, number: u64::from(segment), leaf }),
        stage,
        position,
        ..a_delivery(1, segment, 1)
    };
    within(storage, |tx| {
        tx.put_delivery(&one(3, 30, Stage::Due, None)).unwrap();
        tx.put_delivery(&one(2, 40, Stage::Due, None)).unwrap();
        tx.put_delivery(&one(1, 50, Stage::Retract, Some(0))).unwrap();
        tx.put_delivery(&one(4, 10, Stage::Given, Some(1))).unwrap();
        tx.put_delivery(&one(5, 10, Stage::Given, Some(2))).unwrap();
        tx.put_delivery(&Delivery { landed: None, ..a_delivery(1, 6, 2) }).unwrap();
    });
    let chain = place(1, 5, 0).chain;
    within(storage, |tx| {
        let due: Vec<u8> = tx.due([1; 8], 10).unwrap().iter().map(|d| d.segment.0[0]).collect();
        assert_eq!(due, [1, 3, 2], "withdrawals first, then as they came");
        assert_eq!(tx.due([1; 8], 1).unwrap().len(), 1);
        assert_eq!(tx.due([2; 8], 10).unwrap(), []);
        let (device, hash) = (DeviceId([1; 16]), Hash([6; 32]));
        assert_eq!(tx.delivery(device, hash, [2; 8]).unwrap(), Some(a_delivery(1, 6, 2)));
        assert_eq!(tx.delivery(device, hash, [1; 8]).unwrap(), None);
        assert_eq!(tx.first_undelivered(chain).unwrap(), Some(2));
        tx.put_delivery(&one(1, 50, Stage::Held, None)).unwrap();
        assert_eq!(tx.first_undelivered(chain).unwrap(), Some(1));
        tx.put_delivery(&one(1, 50, Stage::Retract, Some(0))).unwrap();
        tx.acknowledge([1; 8], 2).unwrap();
        let stage = |tx: &mut dyn Tx, n| tx.deliveries(DeviceId([1; 16]), Hash([n; 32])).unwrap()[0].stage;
        assert_eq!([stage(tx, 4), stage(tx, 5)], [Stage::Acknowledged, Stage::Given]);
        assert_eq!(tx.first_undelivered(place(1, 6, 0).chain).unwrap(), None);
    });
}

fn the_log_is_written_once(storage: &mut dyn Storage) {
    within(storage, |tx| {
        tx.put_leaf(0, &a_leaf(0)).unwrap();
        tx.put_leaf(1, &Leaf { action: None, ..a_leaf(1) }).unwrap();
        assert_eq!(tx.leaves(1, 10).unwrap(), [Leaf { action: None, ..a_leaf(1) }]);
        assert_eq!(tx.leaves(0, 1).unwrap(), [a_leaf(0)]);
        assert_eq!(tx.leaves(u64::MAX, 1).unwrap(), []);
    });
    assert!(storage.transact(&mut |tx| tx.put_leaf(1, &a_leaf(2))).is_err());
    assert_eq!(within(storage, |tx| tx.leaves(0, 10).unwrap().len()), 2);
}

/// A long random trace: every answer is the one that memory gives.
fn same_answers_as_memory(storage: &mut dyn Storage, seed: u64) {
    let mut memory = Memory::new();
    let mut dice = Dice(seed);
    for step in 0..120 {
        let begun = dice.0;
        let mut answers = Vec::new();
        for store in [&mut memory as &mut dyn Storage, &mut *storage] {
            let mut trace = Vec::new();
            let done = store.transact(&mut |tx| {
                dice.0 = begun;
                trace.clear();
                for _ in 0..dice.roll(12) {
                    trace.push(random_verb(tx, &mut dice)?);
                }
                if dice.roll(4) == 0 { Err(StorageError::Abandoned) } else { Ok(()) }
            });
            answers.push((done, trace));
        }
        assert_eq!(answers[0], answers[1], "seed {seed}, step {step}");
    }
}

fn random_verb(tx: &mut dyn Tx, dice: &mut Dice) -> Result<String, StorageError> {
    let key = [dice.roll(3) as u8, dice.roll(3) as u8];
    let at = place(dice.roll(2) as u8, dice.roll(2), dice.roll(6));
    let recipient = [dice.roll(2) as u8; 8];
    Ok(match dice.roll(18) {
        0 => format!("{:?}", tx.record(Shelf::Head, &key)?),
        1 => format!("{:?}", tx.put_record(Shelf::Head, &key, &dice.roll(99).to_be_bytes())?),
        2 => format!("{:?}", tx.remove_record(Shelf::Head, &key)?),
        3 => format!("{:?}", tx.records(Shelf::Head, &key[..1], &[], 2)?),
        4 => format!("{:?}", tx.segment(at)?),
        5 => {
            let segment = Segment { leaf: dice.roll(9), ..a_segment(dice.roll(200) as u8) };
            format!("{:?}", tx.put_segment(at, &segment, &segment.hash.0[..dice.roll(9) as usize])?)
        }
        6 => format!("{:?}", tx.remove_segment(at)?),
        7 => format!("{:?}", tx.numbers(at.chain, at.number, 3)?),
        8 => format!("{:?}", tx.first_logged_from(at.chain, dice.roll(9))?),
        9 => {
            let landed = Landed { incarnation: dice.roll(2), number: dice.roll(5), leaf: dice.roll(9) };
            let stages = [
                Stage::Waiting,
                Stage::Due,
                Stage::Given,
                Stage::Acknowledged,
                Stage::Retract,
                Stage::Retracted,
                Stage::Held,
            ];
            let delivery = Delivery {
                recipient,
                landed: (dice.roll(4) > 0).then_some(landed),
                stage: stages[dice.roll(7) as usize],
                position: (dice.roll(2) > 0).then(|| dice.roll(5)),
                ..a_delivery(at.chain.device.0[0], dice.roll(3) as u8, 0)
            };
            format!("{:?}", tx.put_delivery(&delivery)?)
        }
        10 => format!("{:?}", tx.deliveries(at.chain.device, Hash([dice.roll(3) as u8; 32]))?),
        11 => format!("{:?}", tx.due(recipient, dice.roll(4) as usize)?),
        12 => format!("{:?}", tx.first_undelivered(at.chain)?),
        13 => format!("{:?}", tx.acknowledge(recipient, dice.roll(5))?),
        14 => format!("{:?}", tx.body(at)?),
        15 => {
            let standing = [Standing::Sound, Standing::Disputed, Standing::Erased][dice.roll(3) as usize];
            format!("{:?}", tx.put_standing(at, standing)?)
        }
        16 => format!("{:?}", tx.delivery(at.chain.device, Hash([dice.roll(3) as u8; 32]), recipient)?),
        _ => {
            let feed = FeedId(Hash([key[0]; 32]));
            let there = tx.entry(feed, dice.roll(4))?;
            let entry = Entry { link: Hash([key[1]; 32]), item: key.to_vec() };
            format!("{there:?} {:?}", tx.put_entry(feed, dice.roll(4), &entry)?)
        }
    })
}

/// Counters are read and written by two connections at once; no step is lost.
fn two_writers_take_turns(url: &str) {
    let steps = 25;
    drop(Postgres::open(url).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut store = Postgres::open(url).unwrap();
                for _ in 0..steps {
                    within(&mut store, |tx| {
                        let now = tx.record(Shelf::State, &[0]).unwrap_or(None);
                        now.map_or(0, |bytes| bytes[0])
                    });
                    let step = store.transact(&mut |tx| {
                        let now = tx.record(Shelf::State, &[0])?.map_or(0, |bytes| bytes[0]);
                        tx.put_record(Shelf::State, &[0], &[now + 1])
                    });
                    step.unwrap();
                }
            });
        }
    });
    let mut store = Postgres::open(url).unwrap();
    let end = within(&mut store, |tx| tx.record(Shelf::State, &[0]).unwrap());
    assert_eq!(end, Some(vec![2 * steps]));
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        let hash = Hash::of("dice", &[&self.0.to_be_bytes()]);
        self.0 = u64::from_be_bytes(hash.0[..8].try_into().unwrap());
        u64::from_be_bytes(hash.0[8..16].try_into().unwrap()) % below
    }
}

fn place(device: u8, incarnation: u64, number: u64) -> Place {
    Chain { device: DeviceId([device; 16]), incarnation }.at(number)
}

fn a_segment(n: u8) -> Segment {
    let standing = [Standing::Sound, Standing::Disputed, Standing::Erased][usize::from(n) % 3];
    Segment { hash: Hash([n; 32]), previous: Hash([n + 1; 32]), leaf: u64::from(n), standing }
}

fn a_leaf(n: u8) -> Leaf {
    Leaf { hash: Hash([n; 32]), chain: Hash([n + 1; 32]), action: Some(vec![n]) }
}

fn a_delivery(device: u8, segment: u8, recipient: u8) -> Delivery {
    let (segment, recipient) = (Hash([segment; 32]), [recipient; 8]);
    let grant = Grant { segment, recipient, encapsulated: [1; 32], wrapped: [2; 48] };
    Delivery {
        device: DeviceId([device; 16]),
        segment,
        recipient,
        landed: None,
        stage: Stage::Waiting,
        position: None,
        voices: vec![
            Voice { incarnation: 3, number: 4, grant: Some(grant) },
            Voice { incarnation: u64::MAX, number: 0, grant: None },
        ],
    }
}
