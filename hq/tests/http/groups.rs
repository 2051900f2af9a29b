//! Exchanges that wait are taken together, and answered only after the end of their transaction.

use std::sync::mpsc::{Receiver, Sender, channel};

use amparo_hq::http::{Limits, ServeError};
use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::{Storage, StorageError, Tx};

use crate::common::{Phone, receipt, relay, segment, upload};
use crate::socket::{CBOR_SEQ, Inside, call, count, exchange, get, try_call, wait_until};

type Work<'a> = &'a mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>;

/// Says when a transaction begins and waits to be let go on.
struct Gated {
    store: Memory,
    begun: Sender<()>,
    go: Receiver<()>,
}

impl Storage for Gated {
    fn transact(&mut self, work: Work<'_>) -> Result<(), StorageError> {
        self.begun.send(()).unwrap();
        self.go.recv().unwrap();
        self.store.transact(work)
    }
}

#[test]
fn exchanges_that_wait_share_one_transaction() {
    const PHONES: u8 = 20;
    let mut store = Memory::new();
    let relay = relay(|_| {});
    let mut phones: Vec<Phone> = (0..PHONES).map(|n| Phone::enrolled(n + 10, &relay, &mut store)).collect();
    let ((begun, began), (open, go)) = (channel(), channel());
    let server = Inside::start(Box::new(Gated { store, begun, go }), Limits::default());
    let uploads: Vec<Vec<u8>> =
        phones.iter_mut().map(|phone| upload(&[segment(&phone.seal()), phone.hello(None, vec![])])).collect();
    std::thread::scope(|scope| {
        let address = server.address;
        let ask = |bytes: Vec<u8>| scope.spawn(move || exchange(address, &bytes).replies());
        let mut asked = vec![ask(uploads[0].clone())];
        began.recv().unwrap();
        asked.extend(uploads[1..].iter().map(|bytes| ask(bytes.clone())));
        wait_until("all others wait", || count(address, "amparo_body_kib_under_way") == u64::from(PHONES));
        // Bodies that were read go straight into the queue; the last may be a moment on its way.
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(asked.iter().all(|thread| !thread.is_finished()), "an answer before the end");
        open.send(()).unwrap();
        began.recv().unwrap();
        open.send(()).unwrap();
        for (asked, phone) in asked.into_iter().zip(&phones) {
            let (receipt, _) = receipt(&server.relay, &asked.join().unwrap());
            assert_eq!((receipt.device, receipt.stored), (phone.device, 1));
        }
        assert_eq!(count(address, "amparo_group_commits_total"), 2);
        assert_eq!(count(address, "amparo_group_exchanges_total"), u64::from(PHONES));
    });
    server.stop();
}

/// A hung disk or database must not keep the process; and it must not say that all is in the store.
#[test]
fn a_server_whose_store_hangs_ends_and_says_so() {
    let mut store = Memory::new();
    let mut phone = Phone::enrolled(9, &relay(|_| {}), &mut store);
    let ((begun, began), (_never, go)) = (channel(), channel());
    let limits = Limits { stop: std::time::Duration::from_millis(200), ..Limits::default() };
    let mut server = Inside::start(Box::new(Gated { store, begun, go }), limits);
    let (address, bytes) = (server.address, upload(&[segment(&phone.seal())]));
    let asked = std::thread::spawn(move || try_call(address, "POST", "/v1/exchange", CBOR_SEQ, &bytes));
    began.recv().unwrap();
    server.tell_to_stop();
    wait_until("it ends", || server.has_ended());
    assert!(matches!(server.end(), Err(ServeError::Hangs)));
    assert!(asked.join().unwrap().is_none(), "an answer without an end");
}

/// Does everything and then fails at the end, as a full disk does.
struct Forgetful(Memory);

impl Storage for Forgetful {
    fn transact(&mut self, work: Work<'_>) -> Result<(), StorageError> {
        self.0.transact(&mut |tx| work(tx).and(Err(StorageError::Full)))
    }
}

#[test]
fn no_receipt_leaves_when_the_transaction_does_not_end_well() {
    let mut store = Memory::new();
    let mut phone = Phone::enrolled(9, &relay(|_| {}), &mut store);
    let server = Inside::start(Box::new(Forgetful(store)), Limits::default());
    let told = exchange(server.address, &upload(&[segment(&phone.seal()), phone.hello(None, vec![])]));
    assert_eq!((told.status, told.code().as_str(), told.header("retry-after")), (503, "store", Some("30")));
    assert_eq!(get(server.address, "/ready").code(), "store");
    assert_eq!(call(server.address, "GET", "/health", "", b"").status, 200);
    server.stop();
}

/// Fails as no store should.
struct Broken;

impl Storage for Broken {
    fn transact(&mut self, _: Work<'_>) -> Result<(), StorageError> {
        panic!("on purpose")
    }
}

/// A fault of the program ends the server, so that whoever watches over it notices.
#[test]
fn a_server_whose_thread_failed_ends() {
    let server = Inside::start(Box::new(Broken), Limits::default());
    assert_eq!(get(server.address, "/ready").code(), "failed");
    assert!(server.end().is_err());
}
