//! Exchanges that wait are taken together, and answered only after the end of their transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use amparo_hq::http::{Limits, ServeError};
use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::{Storage, StorageError, Tx};
use amparo_schema::limits::SMALL_PACK_BYTES_MAX;
use amparo_schema::wire::feed::{Cursor, FeedId};
use amparo_schema::wire::push::Frame;

use crate::common::counted::Counted;
use crate::common::{NOW, Phone, receipt, relay, segment, upload};
use crate::socket::{CBOR_SEQ, Inside, call, count, exchange, get, try_call, wait_until};

type Work<'a> = &'a mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>;

/// Says when a transaction begins and waits to be let go on.
struct Gated<S> {
    store: S,
    begun: Sender<()>,
    go: Receiver<()>,
}

impl<S: Storage> Storage for Gated<S> {
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
        // The first is taken and answered; the others are taken and answered.
        for (at, answered) in [0, 0, 1, 1].into_iter().enumerate() {
            let finished = asked.iter().filter(|thread| thread.is_finished()).count();
            assert!(finished <= answered, "an answer before the end");
            open.send(()).unwrap();
            if at < 3 {
                began.recv().unwrap();
            }
        }
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

/// Counts its transactions and fails at some of them, by number, as a database does that cannot be reached.
struct Unreachable {
    store: Memory,
    asked: Arc<AtomicUsize>,
    down: fn(usize) -> bool,
}

impl Storage for Unreachable {
    fn transact(&mut self, work: Work<'_>) -> Result<(), StorageError> {
        match (self.down)(self.asked.fetch_add(1, Ordering::SeqCst)) {
            true => Err(StorageError::Engine("it cannot be reached".into())),
            false => self.store.transact(work),
        }
    }
}

/// Lets the exchange of one phone begin, and those of all others wait behind it as one group; then nothing holds the
/// store up any more. Gives the statuses of those that waited.
fn behind_one<S: Storage + Send + 'static>(store: S, uploads: &[Vec<u8>]) -> Vec<u16> {
    let ((begun, began), (open, go)) = (channel(), channel());
    let server = Inside::start(Box::new(Gated { store, begun, go }), Limits::default());
    let statuses = std::thread::scope(|scope| {
        let address = server.address;
        let ask = |bytes: Vec<u8>| scope.spawn(move || exchange(address, &bytes).status);
        let first = ask(uploads[0].clone());
        began.recv().unwrap();
        let waiting: Vec<_> = uploads[1..].iter().map(|bytes| ask(bytes.clone())).collect();
        wait_until("all others wait", || {
            count(address, "amparo_body_kib_under_way") == u64::try_from(uploads.len()).unwrap()
        });
        std::thread::sleep(std::time::Duration::from_millis(100));
        for _ in 0..1_000 {
            open.send(()).unwrap();
        }
        assert_eq!(first.join().unwrap(), 200);
        waiting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    server.stop();
    statuses
}

/// A store in which phones are enrolled, and what each of them sends.
fn phones(count: u8, call: fn(&Phone) -> Frame) -> (Memory, Vec<Vec<u8>>) {
    let (relay, mut store) = (relay(|_| {}), Memory::new());
    let mut phones: Vec<Phone> = (0..count).map(|n| Phone::enrolled(n + 10, &relay, &mut store)).collect();
    let uploads = phones.iter_mut().map(|phone| upload(&[segment(&phone.seal()), call(phone)])).collect();
    (store, uploads)
}

fn failing(down: fn(usize) -> bool) -> (Vec<u16>, usize) {
    let (store, uploads) = phones(21, |phone| phone.hello(None, vec![]));
    let asked = Arc::new(AtomicUsize::new(0));
    let statuses = behind_one(Unreachable { store, asked: Arc::clone(&asked), down }, &uploads);
    (statuses, asked.load(Ordering::SeqCst))
}

#[test]
fn a_store_that_is_gone_is_not_asked_once_for_each_of_a_group() {
    // 0 takes the first exchange and 1 answers it.
    let (statuses, asked) = failing(|transaction| transaction >= 2);
    assert_eq!(statuses, [503; 20]);
    assert_eq!(asked, 2 + 3, "the group, and two of it by themselves");
}

#[test]
fn one_that_the_store_does_not_take_spoils_no_other() {
    // The group fails, and of its exchanges the third, which are two transactions each.
    let (mut statuses, _) = failing(|transaction| [2, 7].contains(&transaction));
    statuses.sort_unstable();
    assert_eq!((&statuses[..19], statuses[19]), (&[200; 19][..], 503));
}

/// What was taken stays taken when its answers fail; they are given one by one.
#[test]
fn answers_that_fail_together_are_given_by_themselves() {
    let (statuses, asked) = failing(|transaction| transaction == 3);
    assert_eq!(statuses, [200; 20]);
    assert!(asked > 4 + 20, "{asked}");
}

#[test]
fn answers_that_are_large_together_are_made_a_few_at_a_time() {
    let call = |phone: &Phone| phone.hello_for(None, vec![Cursor::start(FeedId::packs())], u32::MAX);
    let (mut store, uploads) = phones(9, call);
    relay(|_| {}).publish(&mut store, &vec![7; SMALL_PACK_BYTES_MAX], NOW).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let statuses = behind_one(Unreachable { store, asked: Arc::clone(&asked), down: |_| false }, &uploads);
    assert_eq!(statuses, [200; 8]);
    assert_eq!(asked.load(Ordering::SeqCst), 2 + 3, "one takes all, two answer 16 MiB each");
}

/// Another server is first, once in every transaction, and notes something in the log.
struct Contended {
    store: Counted,
    asked: u64,
}

impl Storage for Contended {
    fn transact(&mut self, work: Work<'_>) -> Result<(), StorageError> {
        self.asked += 1;
        self.store.transact(&mut |tx| work(tx).and(Err(StorageError::Conflict))).unwrap_err();
        relay(|_| {}).publish(&mut self.store.inner, &self.asked.to_be_bytes(), NOW).unwrap();
        self.store.transact(work)
    }
}

#[test]
fn a_late_conflict_does_not_read_the_log_again() {
    const LEAVES: u64 = 2_000;
    let (mut store, uploads) = phones(21, |phone| phone.hello(None, vec![]));
    for n in 0..LEAVES {
        relay(|_| {}).publish(&mut store, &[&[1][..], &n.to_be_bytes()].concat(), NOW).unwrap();
    }
    let store = Counted::over(store);
    let counts = store.counts();
    assert_eq!(behind_one(Contended { store, asked: 0 }, &uploads), [200; 20]);
    let read = u64::try_from(counts.lock().unwrap().leaves).unwrap();
    assert!((LEAVES..LEAVES + 500).contains(&read), "{read}");
}
