//! Several relays' threads on one PostgreSQL: feeds and log stay dense, and a desk sees each segment once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use amparo_hq::storage::postgres::Postgres;
use amparo_schema::wire::feed::Entry;
use amparo_schema::wire::receipt::Receipt;
use common::server::Server;
use common::{Desk, Phone, push, receipt, relay, segment};

const WRITERS: u8 = 3;
const ROUNDS: usize = 8;

#[test]
fn i22_many_writers_and_one_reader_lose_and_repeat_nothing() {
    let server = Server::start();
    let url = server.database("many");
    let hq = relay(|_| {});
    let mut storage = Postgres::open(&url).unwrap();
    let mut desk = Desk::registered(20, &hq, &mut storage);
    let phones: Vec<Phone> = (3..3 + WRITERS).map(|n| Phone::enrolled(n, &hq, &mut storage)).collect();
    let before = hq.checkpoint(&mut storage).unwrap().size;
    let mut given = Vec::new();
    let receipts: Vec<Receipt> = std::thread::scope(|scope| {
        let desk = &desk;
        let threads: Vec<_> = phones
            .into_iter()
            .map(|mut phone| {
                let (hq, url) = (&hq, &url);
                scope.spawn(move || {
                    let mut storage = Postgres::open(url).unwrap();
                    // Two of the threads share a relay, one is a process of its own.
                    let own = relay(|_| {});
                    let hq = if phone.device.0[0] == 3 { &own } else { hq };
                    let mut last = None;
                    for _ in 0..ROUNDS {
                        let sealed = phone.seal();
                        let frames = [segment(&sealed), phone.give(&sealed, desk), phone.hello(None, vec![])];
                        last = Some(receipt(hq, &push(hq, &mut storage, &frames)).0);
                    }
                    last.unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let end = hq.checkpoint(&mut storage).unwrap();
    for said in &receipts {
        assert_eq!(said.stored, ROUNDS as u64);
        assert!(said.log_size <= end.size);
    }
    assert_eq!(end.size - before, u64::from(WRITERS) * ROUNDS as u64);
    assert_eq!(
        relay(|_| {}).checkpoint(&mut storage).unwrap(),
        end,
        "a relay that starts anew reads the same"
    );
    loop {
        let page = desk.pull(&hq, &mut storage);
        if page.is_empty() {
            break;
        }
        given.extend(page.into_iter().map(|entry| match entry {
            Entry::Sealed { grant, .. } => grant.segment,
            other => panic!("{other:?}"),
        }));
    }
    given.sort();
    given.dedup();
    assert_eq!(given.len(), usize::from(WRITERS) * ROUNDS);
    assert_eq!(desk.cursor.read, given.len() as u64);
}
