//! TaskChampion's side: one task per screening, by its own replica and its own HTTP client, which encrypts.
//!
//! Its storage is its own one in memory: the one on disk brings a second SQLite, which one program cannot hold.

use std::time::Duration;

use amparo_schema::wire::segment::{DICTIONARY, dictionary};
use data_encoding::BASE64;
use taskchampion::storage::inmemory::InMemoryStorage;
use taskchampion::{Operations, Replica, Server, ServerConfig, TaskData, Uuid};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Fallible;
use crate::cost::{Cost, of_process, of_thread, timed};
use crate::depot::Depot;
use crate::field::Facts;
use crate::link::{Link, Profile};

/// What of a screening is given to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Each fact as JSON, one operation each.
    Facts,
    /// All facts as one text: as our segments hold them, compressed with our dictionary, in base64, for its
    /// values are text.
    Blob,
}

/// A replica, its server, and the link between them.
pub struct Theirs {
    /// The link.
    pub link: Link,
    /// The server.
    pub depot: Depot,
    runtime: Runtime,
    replica: Replica<InMemoryStorage>,
    client: Uuid,
    _folder: TempDir,
}

/// The facts of a screening as one compressed blob.
pub fn packed(facts: &Facts) -> Fallible<Vec<u8>> {
    let known = dictionary(DICTIONARY).ok_or("no dictionary")?;
    Ok(zstd::bulk::Compressor::with_dictionary(19, known)?.compress(&facts.plain)?)
}

/// The operations that make a task of each screening.
pub fn operations(facts: &[Facts], payload: Payload) -> Fallible<Operations> {
    let mut operations = Operations::new();
    for facts in facts {
        let mut task = TaskData::create(Uuid::new_v4(), &mut operations);
        match payload {
            Payload::Facts => {
                for (n, fact) in facts.json.iter().enumerate() {
                    task.update(format!("fact{n}"), Some(fact.clone()), &mut operations);
                }
            }
            Payload::Blob => task.update("facts", Some(BASE64.encode(&packed(facts)?)), &mut operations),
        }
    }
    Ok(operations)
}

impl Theirs {
    /// A replica that has synced once with nothing to say, as the other side has.
    pub fn new(profile: Option<Profile>) -> Fallible<Self> {
        let folder = tempfile::tempdir()?;
        let depot = Depot::start(folder.path())?;
        let link = Link::to(depot.address, profile, 12)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let replica = Replica::new(InMemoryStorage::new());
        Ok(Self { link, depot, runtime, replica, client: Uuid::new_v4(), _folder: folder })
    }

    /// Puts screenings into the replica.
    pub fn keep(&mut self, facts: &[Facts], payload: Payload) -> Fallible<()> {
        let operations = operations(facts, payload)?;
        Ok(self.runtime.block_on(self.replica.commit_operations(operations))?)
    }

    /// Its client with a connection of its own, as after hours without one. Deriving its key from a password takes a
    /// tenth of a second or so and is not counted anywhere.
    pub fn client(&self) -> Fallible<Box<dyn Server>> {
        let config = ServerConfig::Remote {
            url: self.link.url(),
            client_id: self.client,
            encryption_secret: b"synthetic".to_vec(),
        };
        Ok(self.runtime.block_on(config.into_server())?)
    }

    /// One sync.
    pub fn sync(&mut self, client: &mut Box<dyn Server>) -> Result<(), taskchampion::Error> {
        self.runtime.block_on(self.replica.sync(client, true))
    }

    /// Sends screenings; gives how long the sync took, and its requests.
    pub fn send(&mut self, facts: &[Facts], payload: Payload) -> Fallible<(Duration, u64)> {
        self.keep(facts, payload)?;
        let mut client = self.client()?;
        let before = self.depot.bodies().requests;
        let (took, synced) = timed(|| self.sync(&mut client));
        synced.map_err(|why| {
            let why = why.to_string();
            // Without the address, which differs each time.
            let why = why.split(" for url").next().unwrap_or_default();
            format!("{why} after {:.0} s", took.as_secs_f64())
        })?;
        Ok((took, self.depot.bodies().requests - before))
    }
}

/// Sends the facts of each screening, `batch` screenings in each sync.
pub fn count(facts: &[Facts], batch: usize, payload: Payload) -> Fallible<Cost> {
    let mut theirs = Theirs::new(None)?;
    let mut cost = Cost::default();
    let disk = theirs.depot.disk()?;
    for screenings in facts.chunks(batch) {
        theirs.keep(screenings, payload)?;
        let mut client = theirs.client()?;
        let (all, thread, link) = (of_process(), of_thread(), theirs.link.spent());
        theirs.sync(&mut client)?;
        let (all, thread) = (of_process() - all, of_thread() - thread);
        cost.client += thread;
        cost.server += all.saturating_sub(thread + (theirs.link.spent() - link));
    }
    cost.bodies = theirs.depot.bodies();
    cost.wire = theirs.link.traffic();
    cost.disk = theirs.depot.disk()?.saturating_sub(disk);
    Ok(cost)
}
