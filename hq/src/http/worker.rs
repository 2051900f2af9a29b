//! The relay's own thread.
//!
//! One thread, because every segment takes the next place in one log: more of them would only wait for each
//! other. Owns group commit: exchanges that wait together are taken in one transaction, and each is answered only
//! after that transaction is finished. A group that fails is taken apart and tried exchange by exchange, so
//! that one cannot spoil the others.

use std::sync::Arc;
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

/// What the server works with. Several servers may work with one store that takes it.
pub struct Engine {
    /// The relay.
    pub relay: Arc<Relay>,
    /// The way to its store.
    pub storage: Box<dyn Storage + Send>,
    /// The clock: milliseconds since 1970.
    pub now_ms: fn() -> i64,
}

type Reply = oneshot::Sender<Result<Vec<u8>, RelayError>>;
type Act = Box<dyn FnOnce(&Relay, &mut dyn Storage, i64) + Send>;

enum Job {
    Exchange(Upload, Reply),
    Other(Act),
}

/// The way to the thread. It ends when the last copy of this is dropped.
#[derive(Clone)]
pub(super) struct Worker(mpsc::Sender<Job>);

/// Starts the thread.
pub(super) fn start(engine: Engine, metrics: &Arc<Metrics>) -> std::io::Result<(Worker, JoinHandle<()>)> {
    let (sender, queue) = mpsc::channel(QUEUE);
    let mut thread = Thread { engine, queue, metrics: Arc::clone(metrics) };
    let thread = std::thread::Builder::new().name("relay".into()).spawn(move || thread.run())?;
    Ok((Worker(sender), thread))
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

    /// Waits until the thread ended though nobody told it to: a fault of this program.
    pub(super) async fn failed(&self) {
        self.0.closed().await;
    }

    fn send(&self, job: Job) -> Result<(), Problem> {
        self.0.try_send(job).map_err(|_| Problem::Overloaded)
    }
}

struct Thread {
    engine: Engine,
    queue: mpsc::Receiver<Job>,
    metrics: Arc<Metrics>,
}

impl Thread {
    fn run(&mut self) {
        let mut jobs = Vec::with_capacity(GROUP_MAX);
        while self.queue.blocking_recv_many(&mut jobs, GROUP_MAX) > 0 {
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
                    Job::Other(act) => {
                        let Engine { relay, storage, now_ms } = &mut self.engine;
                        act(relay, &mut **storage, now_ms());
                    }
                }
            }
            self.exchanges(group);
        }
    }

    fn exchanges(&mut self, group: Vec<(Upload, Reply)>) {
        if group.is_empty() {
            return;
        }
        let Engine { relay, storage, now_ms } = &mut self.engine;
        let now_ms = now_ms();
        add(&self.metrics.groups, 1);
        add(&self.metrics.grouped, group.len());
        let uploads: Vec<&[u8]> = group.iter().map(|(upload, _)| upload.bytes.as_slice()).collect();
        let replies = match together(relay, &mut **storage, &uploads, now_ms) {
            Ok(replies) => replies.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(_) => {
                add(&self.metrics.ungrouped, 1);
                let alone = |upload: &&[u8]| relay.exchange(&mut **storage, upload, now_ms);
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

/// Takes several uploads as one transaction: all of them or none. The receipts are made inside as well, and
/// leave only after the end of it. The relay's tree of the log is then for a moment ahead of what others see in
/// the store: nobody else uses this relay meanwhile, and after a failure the tree notices by itself.
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
