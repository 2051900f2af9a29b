//! A store in memory, for the simulated world and for tests.
//!
//! Owns nothing on disk. A clone shares what neither side changes, so a world may take snapshots and go back
//! to them. A transaction that fails is undone entry by entry.

use std::collections::BTreeMap;
use std::sync::Arc;

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::feed::FeedId;

use super::{
    Chain, Delivery, Entry, Leaf, Place, Recipient, Record, Segment, Shelf, Stage, Standing, Storage,
    StorageError, Tx,
};

/// One table with what undoes the changes of the transaction under way.
#[derive(Clone, Debug, PartialEq)]
struct Table<K, V> {
    rows: Arc<BTreeMap<K, V>>,
    undo: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: Arc::default(), undo: Vec::new() }
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    fn set(&mut self, key: K, value: Option<V>) {
        let rows = Arc::make_mut(&mut self.rows);
        let before = match value {
            Some(value) => rows.insert(key.clone(), value),
            None => rows.remove(&key),
        };
        self.undo.push((key, before));
    }

    fn end(&mut self, keep: bool) {
        if keep {
            self.undo.clear();
            return;
        }
        for (key, before) in std::mem::take(&mut self.undo).into_iter().rev() {
            self.set(key, before);
        }
        self.undo.clear();
    }
}

/// The store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    records: Table<(Shelf, Vec<u8>), Arc<[u8]>>,
    segments: Table<Place, (Segment, Arc<[u8]>)>,
    deliveries: Table<(DeviceId, Hash, Recipient), Arc<Delivery>>,
    entries: Table<(FeedId, u64), Arc<Entry>>,
    leaves: Table<u64, Arc<Leaf>>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn end(&mut self, keep: bool) {
        self.records.end(keep);
        self.segments.end(keep);
        self.deliveries.end(keep);
        self.entries.end(keep);
        self.leaves.end(keep);
    }
}

impl Storage for Memory {
    fn transact(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let done = work(self);
        self.end(done.is_ok());
        done
    }
}

impl Tx for Memory {
    fn record(&mut self, shelf: Shelf, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.records.rows.get(&(shelf, key.to_vec())).map(|v| v.to_vec()))
    }

    fn put_record(&mut self, shelf: Shelf, key: &[u8], value: &[u8]) -> Result<(), StorageError> {
        self.records.set((shelf, key.to_vec()), Some(value.into()));
        Ok(())
    }

    fn remove_record(&mut self, shelf: Shelf, key: &[u8]) -> Result<(), StorageError> {
        self.records.set((shelf, key.to_vec()), None);
        Ok(())
    }

    fn records(
        &mut self,
        shelf: Shelf,
        prefix: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<Record>, StorageError> {
        let from = (shelf, prefix.max(after).to_vec());
        let rows = self.records.rows.range(from..);
        let rows = rows.take_while(|((s, key), _)| *s == shelf && key.starts_with(prefix));
        let rows = rows.filter(|((_, key), _)| key.as_slice() > after).take(limit);
        Ok(rows.map(|((_, key), value)| (key.clone(), value.to_vec())).collect())
    }

    fn segment(&mut self, at: Place) -> Result<Option<Segment>, StorageError> {
        Ok(self.segments.rows.get(&at).map(|(segment, _)| *segment))
    }

    fn body(&mut self, at: Place) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.segments.rows.get(&at).map(|(_, body)| body.to_vec()))
    }

    fn put_segment(&mut self, at: Place, segment: &Segment, body: &[u8]) -> Result<(), StorageError> {
        self.segments.set(at, Some((*segment, body.into())));
        Ok(())
    }

    fn put_standing(&mut self, at: Place, standing: Standing) -> Result<(), StorageError> {
        if let Some((segment, body)) = self.segments.rows.get(&at).cloned() {
            self.segments.set(at, Some((Segment { standing, ..segment }, body)));
        }
        Ok(())
    }

    fn remove_segment(&mut self, at: Place) -> Result<(), StorageError> {
        self.segments.set(at, None);
        Ok(())
    }

    fn numbers(&mut self, chain: Chain, from: u64, limit: usize) -> Result<Vec<u64>, StorageError> {
        let range = self.segments.rows.range(chain.at(from)..=chain.at(u64::MAX));
        Ok(range.take(limit).map(|(at, _)| at.number).collect())
    }

    fn first_logged_from(&mut self, chain: Chain, leaf: u64) -> Result<Option<u64>, StorageError> {
        let mut range = self.segments.rows.range(chain.at(0)..=chain.at(u64::MAX));
        Ok(range.find(|(_, (segment, _))| segment.leaf >= leaf).map(|(at, _)| at.number))
    }

    fn delivery(
        &mut self,
        device: DeviceId,
        segment: Hash,
        recipient: Recipient,
    ) -> Result<Option<Delivery>, StorageError> {
        Ok(self.deliveries.rows.get(&(device, segment, recipient)).map(|d| Delivery::clone(d)))
    }

    fn deliveries(&mut self, device: DeviceId, segment: Hash) -> Result<Vec<Delivery>, StorageError> {
        let range = (device, segment, [0; 8])..=(device, segment, [0xff; 8]);
        Ok(self.deliveries.rows.range(range).map(|(_, d)| Delivery::clone(d)).collect())
    }

    fn put_delivery(&mut self, delivery: &Delivery) -> Result<(), StorageError> {
        let key = (delivery.device, delivery.segment, delivery.recipient);
        self.deliveries.set(key, Some(Arc::new(delivery.clone())));
        Ok(())
    }

    fn due(&mut self, recipient: Recipient, limit: usize) -> Result<Vec<Delivery>, StorageError> {
        let rows = self.deliveries.rows.values();
        let rows =
            rows.filter(|d| d.recipient == recipient && matches!(d.stage, Stage::Due | Stage::Retract));
        let mut due: Vec<&Delivery> = rows.map(Arc::as_ref).collect();
        due.sort_by_key(|d| (d.stage == Stage::Due, d.landed.map(|l| l.leaf), d.device, d.segment));
        Ok(due.into_iter().take(limit).cloned().collect())
    }

    fn first_undelivered(&mut self, chain: Chain) -> Result<Option<u64>, StorageError> {
        let range = (chain.device, Hash([0; 32]), [0; 8])..=(chain.device, Hash([0xff; 32]), [0xff; 8]);
        let open = self.deliveries.rows.range(range).map(|(_, d)| d);
        let open = open.filter(|d| matches!(d.stage, Stage::Due | Stage::Given | Stage::Held));
        let landed = open.filter_map(|d| d.landed).filter(|l| l.incarnation == chain.incarnation);
        Ok(landed.map(|l| l.number).min())
    }

    fn acknowledge(&mut self, recipient: Recipient, position: u64) -> Result<(), StorageError> {
        let rows = self.deliveries.rows.iter();
        let given = rows.filter(|(_, d)| d.recipient == recipient && d.stage == Stage::Given);
        let given = given.filter(|(_, d)| d.position.is_some_and(|p| p < position));
        let keys: Vec<_> = given.map(|(key, d)| (*key, Arc::clone(d))).collect();
        for (key, mut delivery) in keys {
            Arc::make_mut(&mut delivery).stage = Stage::Acknowledged;
            self.deliveries.set(key, Some(delivery));
        }
        Ok(())
    }

    fn entry(&mut self, feed: FeedId, position: u64) -> Result<Option<Entry>, StorageError> {
        Ok(self.entries.rows.get(&(feed, position)).map(|e| Entry::clone(e)))
    }

    fn put_entry(&mut self, feed: FeedId, position: u64, entry: &Entry) -> Result<(), StorageError> {
        self.entries.set((feed, position), Some(Arc::new(entry.clone())));
        Ok(())
    }

    fn leaves(&mut self, from: u64, limit: usize) -> Result<Vec<Leaf>, StorageError> {
        Ok(self.leaves.rows.range(from..).take(limit).map(|(_, leaf)| Leaf::clone(leaf)).collect())
    }

    fn put_leaf(&mut self, position: u64, leaf: &Leaf) -> Result<(), StorageError> {
        if self.leaves.rows.contains_key(&position) {
            return Err(StorageError::Damaged("log"));
        }
        self.leaves.set(position, Some(Arc::new(leaf.clone())));
        Ok(())
    }
}
