//! A store in memory that counts what is read of it.

use std::sync::{Arc, Mutex};

use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::{
    Chain, Delivery, Entry, Leaf, Place, Recipient, Record, Segment, Shelf, Standing, Storage, StorageError,
    Tx,
};
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::feed::FeedId;

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Transactions begun.
    pub transactions: usize,
    /// Rows of any kind but leaves.
    pub rows: usize,
    /// Bodies of segments.
    pub bodies: usize,
    /// Leaves of the log.
    pub leaves: usize,
}

/// The store.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    pub inner: Memory,
    seen: Arc<Mutex<Seen>>,
}

impl Counted {
    pub fn over(inner: Memory) -> Self {
        Self { inner, seen: Arc::default() }
    }

    /// Another way to the same counts.
    pub fn counts(&self) -> Arc<Mutex<Seen>> {
        Arc::clone(&self.seen)
    }

    /// What was read since this was asked last.
    pub fn seen(&self) -> Seen {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

impl Storage for Counted {
    fn transact(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let seen = Arc::clone(&self.seen);
        seen.lock().unwrap().transactions += 1;
        self.inner.transact(&mut |tx| {
            let mut watching = Watching { tx, seen: Seen::default() };
            let done = work(&mut watching);
            let more = watching.seen;
            let mut seen = seen.lock().unwrap();
            seen.rows += more.rows;
            seen.bodies += more.bodies;
            seen.leaves += more.leaves;
            done
        })
    }
}

struct Watching<'a> {
    tx: &'a mut dyn Tx,
    seen: Seen,
}

impl Watching<'_> {
    fn rows<T>(&mut self, rows: Result<Vec<T>, StorageError>) -> Result<Vec<T>, StorageError> {
        self.seen.rows += rows.as_ref().map_or(0, Vec::len);
        rows
    }

    fn row<T>(&mut self, row: Result<Option<T>, StorageError>) -> Result<Option<T>, StorageError> {
        self.seen.rows += usize::from(matches!(row, Ok(Some(_))));
        row
    }
}

impl Tx for Watching<'_> {
    fn record(&mut self, shelf: Shelf, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let row = self.tx.record(shelf, key);
        self.row(row)
    }
    fn put_record(&mut self, shelf: Shelf, key: &[u8], value: &[u8]) -> Result<(), StorageError> {
        self.tx.put_record(shelf, key, value)
    }
    fn remove_record(&mut self, shelf: Shelf, key: &[u8]) -> Result<(), StorageError> {
        self.tx.remove_record(shelf, key)
    }
    fn records(
        &mut self,
        shelf: Shelf,
        prefix: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<Record>, StorageError> {
        let rows = self.tx.records(shelf, prefix, after, limit);
        self.rows(rows)
    }
    fn segment(&mut self, at: Place) -> Result<Option<Segment>, StorageError> {
        let row = self.tx.segment(at);
        self.row(row)
    }
    fn body(&mut self, at: Place) -> Result<Option<Vec<u8>>, StorageError> {
        self.seen.bodies += 1;
        self.tx.body(at)
    }
    fn put_segment(&mut self, at: Place, segment: &Segment, body: &[u8]) -> Result<(), StorageError> {
        self.tx.put_segment(at, segment, body)
    }
    fn put_standing(&mut self, at: Place, standing: Standing) -> Result<(), StorageError> {
        self.tx.put_standing(at, standing)
    }
    fn remove_segment(&mut self, at: Place) -> Result<(), StorageError> {
        self.tx.remove_segment(at)
    }
    fn numbers(&mut self, chain: Chain, from: u64, limit: usize) -> Result<Vec<u64>, StorageError> {
        let rows = self.tx.numbers(chain, from, limit);
        self.rows(rows)
    }
    fn first_logged_from(&mut self, chain: Chain, leaf: u64) -> Result<Option<u64>, StorageError> {
        self.tx.first_logged_from(chain, leaf)
    }
    fn delivery(
        &mut self,
        device: DeviceId,
        segment: Hash,
        recipient: Recipient,
    ) -> Result<Option<Delivery>, StorageError> {
        let row = self.tx.delivery(device, segment, recipient);
        self.row(row)
    }
    fn deliveries(&mut self, device: DeviceId, segment: Hash) -> Result<Vec<Delivery>, StorageError> {
        let rows = self.tx.deliveries(device, segment);
        self.rows(rows)
    }
    fn put_delivery(&mut self, delivery: &Delivery) -> Result<(), StorageError> {
        self.tx.put_delivery(delivery)
    }
    fn due(&mut self, recipient: Recipient, limit: usize) -> Result<Vec<Delivery>, StorageError> {
        let rows = self.tx.due(recipient, limit);
        self.rows(rows)
    }
    fn first_undelivered(&mut self, chain: Chain) -> Result<Option<u64>, StorageError> {
        self.tx.first_undelivered(chain)
    }
    fn acknowledge(&mut self, recipient: Recipient, position: u64) -> Result<(), StorageError> {
        self.tx.acknowledge(recipient, position)
    }
    fn entry(&mut self, feed: FeedId, position: u64) -> Result<Option<Entry>, StorageError> {
        let row = self.tx.entry(feed, position);
        self.row(row)
    }
    fn put_entry(&mut self, feed: FeedId, position: u64, entry: &Entry) -> Result<(), StorageError> {
        self.tx.put_entry(feed, position, entry)
    }
    fn leaves(&mut self, from: u64, limit: usize) -> Result<Vec<Leaf>, StorageError> {
        let leaves = self.tx.leaves(from, limit);
        self.seen.leaves += leaves.as_ref().map_or(0, Vec::len);
        leaves
    }
    fn put_leaf(&mut self, position: u64, leaf: &Leaf) -> Result<(), StorageError> {
        self.tx.put_leaf(position, leaf)
    }
}
