//! The relay's own thread.
//!
//! One thread, because every segment takes the next place in one log: more of them would only wait for each
//! other. Owns group commit: exchanges that wait together are taken in one transaction; after its end another, which
//! writes next to nothing, makes their answers; after its end they leave. So the relay's tree of the log holds
//! finished leaves alone, and a late conflict costs no more than doing the same again. A group that fails is taken
//! apart and tried exchange by exchange, so that one cannot spoil the others; where the store is gone, not all of
//! them wait for it.

use std::collections::VecDeque;
use std::slice::from_mut;
use std::sync::Arc;
use std::thread::JoinHandle;

use amparo_schema::limits::UPLOAD_PAIRS_MAX;
use tokio::sync::{mpsc, oneshot};

use super::Problem;
use super::body::Upload;
use super::metrics::{Metrics, add};
use crate::relay::{Received, Relay, RelayError};
use crate::storage::{Storage, StorageError, Tx};

/// Exchanges in one transaction.
const GROUP_MAX: usize = 64;
/// Bytes of exchanges, or of their answers, from which one more opens another transaction.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
/// Exchanges that the store fails, one after the other, until it is said to be gone.
const GONE: usize = 2;
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
type Group = VecDeque<(Upload, Reply)>;
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
            let (mut group, mut bytes) = (VecDeque::new(), 0_usize);
            for job in jobs.drain(..) {
                match job {
                    Job::Exchange(upload, reply) => {
                        bytes = bytes.saturating_add(upload.bytes.len());
                        group.push_back((upload, reply));
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

    /// Takes and answers a group, as many at once as a transaction should hold.
    fn exchanges(&mut self, mut group: Group) {
        while !group.is_empty() {
            let Engine { relay, storage, now_ms } = &mut self.engine;
            let (now_ms, mut gone) = (now_ms(), Gone::default());
            let uploads: Vec<&[u8]> = group.iter().map(|(upload, _)| upload.bytes.as_slice()).collect();
            let take = |storage: &mut dyn Storage, upload: &&[u8]| relay.receive(storage, upload, now_ms);
            let received: Vec<_> =
                match together(&mut **storage, &uploads, take, (Received::pairs, UPLOAD_PAIRS_MAX)) {
                    Ok(all) => all.into_iter().map(Ok).collect(),
                    Err(_) => {
                        add(&self.metrics.ungrouped, 1);
                        uploads.iter().map(|upload| gone.unless(|| take(&mut **storage, upload))).collect()
                    }
                };
            add(&self.metrics.groups, 1);
            add(&self.metrics.grouped, received.len());
            let (mut waiting, mut taken) = (VecDeque::new(), Vec::new());
            for ((upload, reply), received) in group.drain(..received.len()).zip(received) {
                match received {
                    Ok(received) => {
                        waiting.push_back((upload, reply));
                        taken.push(received);
                    }
                    Err(error) => self.send((upload, reply), Err(error)),
                }
            }
            self.answer(waiting, taken, now_ms, gone);
        }
    }

    /// Answers those whose uploads were taken.
    fn answer(&mut self, mut waiting: Group, mut taken: Vec<Received>, now_ms: i64, mut gone: Gone) {
        let relay = Arc::clone(&self.engine.relay);
        let mut judged = relay.judge(&mut *self.engine.storage, &mut taken, now_ms).is_ok();
        while judged && !taken.is_empty() {
            let tell = |storage: &mut dyn Storage, one: &Received| relay.reply(storage, one, now_ms);
            match together(&mut *self.engine.storage, &taken, tell, (Vec::len, GROUP_BYTES)) {
                Ok(answers) => {
                    taken.drain(..answers.len());
                    for (one, answer) in waiting.drain(..answers.len()).zip(answers) {
                        self.send(one, Ok(answer));
                    }
                }
                Err(_) => judged = false,
            }
        }
        // What could not be told together.
        add(&self.metrics.ungrouped, usize::from(!taken.is_empty()));
        for (one, mut received) in waiting.into_iter().zip(taken) {
            let storage = &mut *self.engine.storage;
            let answer = gone.unless(|| {
                relay.judge(storage, from_mut(&mut received), now_ms)?;
                relay.reply(storage, &received, now_ms)
            });
            self.send(one, answer);
        }
    }

    fn send(&self, (upload, reply): (Upload, Reply), answer: Result<Vec<u8>, RelayError>) {
        add(&self.metrics.up_bytes, upload.bytes.len());
        add(&self.metrics.down_bytes, answer.as_ref().map_or(0, Vec::len));
        // Whoever asked may have gone; the room of the upload is given back here in any case.
        drop(reply.send(answer));
    }
}

/// Notices that the store is gone, so that not everybody waits until that shows.
#[derive(Default)]
struct Gone(usize, Option<RelayError>);

impl Gone {
    fn unless<T>(&mut self, act: impl FnOnce() -> Result<T, RelayError>) -> Result<T, RelayError> {
        let Self(failed, why) = self;
        if let Some(why) = why.as_ref().filter(|_| *failed >= GONE) {
            return Err(why.clone());
        }
        let done = act();
        match &done {
            Err(error @ RelayError::Storage(StorageError::Engine(_) | StorageError::Lost)) => {
                *failed += 1;
                *why = Some(error.clone());
            }
            _ => *failed = 0,
        }
        done
    }
}

/// Does what is next of `all` in one transaction, all of it or none, until that weighs too much.
fn together<I, T>(
    storage: &mut dyn Storage,
    all: &[I],
    act: impl Fn(&mut dyn Storage, &I) -> Result<T, RelayError>,
    (weight, most): (fn(&T) -> usize, usize),
) -> Result<Vec<T>, StorageError> {
    let mut done = Vec::new();
    storage.transact(&mut |tx| {
        done.clear();
        let mut weighs = 0_usize;
        for one in all {
            let one = act(&mut Inside(tx), one).map_err(|error| match error {
                RelayError::Storage(error) => error,
                _ => StorageError::Abandoned,
            })?;
            weighs = weighs.saturating_add(weight(&one));
            done.push(one);
            if weighs >= most {
                break;
            }
        }
        Ok(())
    })?;
    Ok(done)
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
