//! The relay's own threads.
//!
//! Owns group commit: exchanges that wait together are taken in one transaction, and each is answered only
//! after that transaction is finished. A group that fails is taken apart and tried exchange by exchange, so
//! that one cannot spoil the others.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::Problem;
use super::body::Upload;
use super::metrics::{Metrics, add};
use crate::relay::{Relay, RelayError};
use crate::storage::{Storage, StorageError, Tx};

/// Exchanges in one transaction.
const GROUP_MAX: usize = 64;
/// Bytes of exchanges from which one more opens another transaction.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
/// Jobs that wait.
const QUEUE: usize = 1_024;

/// What the server works with: one relay and as many ways to its store as threads shall work.
pub struct Engine {
    /// The relay.
    pub relay: Arc<Relay>,
    /// Each thread's own way to the one store.
    pub stores: Vec<Box<dyn Storage + Send>>,
    /// The clock: milliseconds since 1970.
    pub now_ms: fn() -> i64,
}

type Reply = oneshot::Sender<Result<Vec<u8>, RelayError>>;
type Act = Box<dyn FnOnce(&Relay, &mut dyn Storage, i64) + Send>;

enum Job {
    Exchange(Upload, Reply),
    Other(Act),
}

/// The way to the threads. They end when the last copy of it is dropped.
#[derive(Clone)]
pub(super) struct Worker(mpsc::Sender<Job>);

/// Starts the threads.
pub(super) fn start(
    engine: Engine,
    metrics: &Arc<Metrics>,
) -> std::io::Result<(Worker, Vec<JoinHandle<()>>)> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let queue = Arc::new(Mutex::new(receiver));
    let mut threads = Vec::new();
    for storage in engine.stores {
        let (relay, now_ms) = (Arc::clone(&engine.relay), engine.now_ms);
        let mut thread =
            Thread { relay, storage, now_ms, queue: Arc::clone(&queue), metrics: Arc::clone(metrics) };
        threads.push(std::thread::Builder::new().name("relay".into()).spawn(move || thread.run())?);
    }
    Ok((Worker(sender), threads))
}

impl Worker {
    /// Has an upload taken.
    pub(super) async fn exchange(&self, upload: Upload) -> Result<Vec<u8>, Problem> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Exchange(upload, reply))?;
        Ok(answer.await.map_err(|_| Problem::Failed)??)
    }

    /// Has something else done.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Relay, &mut dyn Storage, i64) -> Result<T, RelayError> + Send + 'static,
    ) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        // Whoever asked may have gone; what was asked for is done all the same.
        let act: Act = Box::new(move |relay, storage, now_ms| drop(reply.send(act(relay, storage, now_ms))));
        self.send(Job::Other(act))?;
        Ok(answer.await.map_err(|_| Problem::Failed)??)
    }

    fn send(&self, job: Job) -> Result<(), Problem> {
        self.0.try_send(job).map_err(|_| Problem::Overloaded)
    }
}

struct Thread {
    relay: Arc<Relay>,
    storage: Box<dyn Storage + Send>,
    now_ms: fn() -> i64,
    queue: Arc<Mutex<mpsc::Receiver<Job>>>,
    metrics: Arc<Metrics>,
}

impl Thread {
    fn run(&mut self) {
        let mut jobs = Vec::with_capacity(GROUP_MAX);
        // The threads wait for their turn at the queue, one at the head of it.
        while self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv_many(&mut jobs, GROUP_MAX)
            > 0
        {
            let (mut group, mut bytes) = (Vec::new(), 0_usize);
            for job in jobs.drain(..) {
                match job {
                    Job::Exchange(upload, reply) => {
                        bytes = bytes.saturating_add(upload.bytes.len());
                        group.push((upload, reply));
                        if bytes >= GROUP_BYTES {
                            self.exchanges(std::mem::take(&mut group));
                            bytes = 0;
                        }
                    }
                    Job::Other(act) => act(&self.relay, &mut *self.storage, (self.now_ms)()),
                }
            }
            self.exchanges(group);
        }
    }

    fn exchanges(&mut self, group: Vec<(Upload, Reply)>) {
        if group.is_empty() {
            return;
        }
        let now_ms = (self.now_ms)();
        add(&self.metrics.groups, 1);
        add(&self.metrics.grouped, group.len());
        let uploads: Vec<&[u8]> = group.iter().map(|(upload, _)| upload.bytes.as_slice()).collect();
        let replies = match together(&self.relay, &mut *self.storage, &uploads, now_ms) {
            Ok(replies) => replies.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(_) => {
                add(&self.metrics.ungrouped, 1);
                let alone = |upload: &&[u8]| self.relay.exchange(&mut *self.storage, upload, now_ms);
                uploads.iter().map(alone).collect()
            }
        };
        for ((upload, reply), answer) in group.into_iter().zip(replies) {
            add(&self.metrics.up_bytes, upload.bytes.len());
            add(&self.metrics.down_bytes, answer.as_ref().map_or(0, Vec::len));
            // Whoever asked may have gone; the room of the upload is given back here in any case.
            drop(reply.send(answer));
        }
    }
}

/// Takes several uploads as one transaction: all of them or none. Also the receipts are made inside; they
/// leave only after the end of it.
fn together(
    relay: &Relay,
    storage: &mut dyn Storage,
    uploads: &[&[u8]],
    now_ms: i64,
) -> Result<Vec<Vec<u8>>, StorageError> {
    let mut replies = Vec::new();
    storage.transact(&mut |tx| {
        replies.clear();
        for upload in uploads {
            match relay.exchange(&mut Inside(tx), upload, now_ms) {
                Ok(reply) => replies.push(reply),
                Err(RelayError::Storage(error)) => return Err(error),
                Err(_) => return Err(StorageError::Abandoned),
            }
        }
        Ok(())
    })?;
    Ok(replies)
}

/// A store inside a transaction that is under way: what the relay takes for transactions are its parts.
struct Inside<'a>(&'a mut dyn Tx);

impl Storage for Inside<'_> {
    fn transact(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        work(self.0)
    }
}
