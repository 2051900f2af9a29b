//! A headquarters in this process: relay, embedded store and server, on a port of loopback.
//!
//! For the demonstration and for tests of the whole loop. What devices and desks meet is what `amparo-hq serve`
//! runs; only the process is another.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use amparo_core::random;
use amparo_core::seal::{SecretKey, Signer};
use amparo_hq::http::{Engine, Limits, ServeError, Server, serve, tls};
use amparo_hq::relay::{Durability, Reader, Relay, Settings, Status};
use amparo_hq::storage::Storage;
use amparo_hq::storage::sqlite::Sqlite;
use amparo_schema::id::DeviceId;
use amparo_schema::name::Name;
use amparo_schema::wire::enrol::{Headquarters as Known, Ticket};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::DemoError;
use crate::host::SystemEntropy;

/// How long a ticket counts.
const TICKET_MS: i64 = 60 * 60 * 1_000;
/// For what is under way when it stops.
const STOP: Duration = Duration::from_secs(5);

/// What a headquarters may be told beside its folder.
#[derive(Clone, Debug)]
pub struct Manner {
    /// Its clock: milliseconds since 1970.
    pub now_ms: fn() -> i64,
    /// Certificate and key for TLS, as PEM files; none for plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether ctrl-c stops it, and is told by [`Headquarters::was_interrupted`].
    pub interruptible: bool,
}

/// How to tell the server to stop, and its thread.
type Running = (oneshot::Sender<()>, JoinHandle<Result<(), ServeError>>);

/// A headquarters.
pub struct Headquarters {
    relay: Arc<Relay>,
    file: PathBuf,
    address: SocketAddr,
    manner: Manner,
    interrupted: Arc<AtomicBool>,
    running: Option<Running>,
}

impl std::fmt::Debug for Headquarters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Headquarters").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Headquarters {
    /// Makes one with its store in a folder, with new keys, and serves on a free port of loopback.
    ///
    /// # Errors
    /// Those of the system and of the store.
    pub fn start(folder: &Path, manner: Manner) -> Result<Self, DemoError> {
        let at = DemoError::at(folder);
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(&at)?;
        let address = listener.local_addr().map_err(&at)?;
        let scheme = if manner.tls.is_some() { "https" } else { "http" };
        let settings =
            Settings { durability: Durability::Local, ..Settings::local(&format!("{scheme}://{address}")) };
        let signer = Signer::from_seed(&random::bytes(&SystemEntropy)?);
        let bundle = SecretKey::new(&random::bytes(&SystemEntropy)?);
        let mut made = Self {
            relay: Arc::new(Relay::new(signer, bundle, settings)),
            file: folder.join("relay.db"),
            address,
            manner,
            interrupted: Arc::new(AtomicBool::new(false)),
            running: None,
        };
        made.listen(listener)?;
        Ok(made)
    }

    /// Serves again after [`Headquarters::stop`], at the same address.
    ///
    /// # Errors
    /// Those of the system and of the store.
    pub fn serve(&mut self) -> Result<(), DemoError> {
        let listener = std::net::TcpListener::bind(self.address).map_err(DemoError::at(&self.file))?;
        self.listen(listener)
    }

    fn listen(&mut self, listener: std::net::TcpListener) -> Result<(), DemoError> {
        let at = DemoError::at(&self.file);
        listener.set_nonblocking(true).map_err(&at)?;
        let storage: Box<dyn Storage + Send> = Box::new(self.storage()?);
        let engine = Engine { relay: Arc::clone(&self.relay), storage, now_ms: self.manner.now_ms };
        let tls = self.manner.tls.as_ref().map(|(certificate, key)| tls(certificate, key)).transpose()?;
        let limits = Limits { stop: STOP, ..Limits::default() };
        let (stop, stopped) = oneshot::channel::<()>();
        let interrupted = self.manner.interruptible.then(|| Arc::clone(&self.interrupted));
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener)?;
                serve(Server { listener, tls, engine, limits }, until(stopped, interrupted)).await
            })
        };
        let thread = std::thread::Builder::new().name("headquarters".into()).spawn(work).map_err(&at)?;
        self.running = Some((stop, thread));
        Ok(())
    }

    /// Stops serving, after what is under way. What was taken is in the store.
    ///
    /// # Errors
    /// [`DemoError::Serve`].
    pub fn stop(&mut self) -> Result<(), DemoError> {
        let Some((stop, thread)) = self.running.take() else { return Ok(()) };
        // It may have stopped already.
        let _ = stop.send(());
        Ok(thread.join().unwrap_or(Err(ServeError::Failed))?)
    }

    /// Whether ctrl-c stopped it.
    #[must_use]
    pub fn was_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// What devices and desks must know of it.
    #[must_use]
    pub fn known(&self) -> Known {
        self.relay.headquarters()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The file of its store. It is not encrypted here: what lies in it is sealed.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Invites one device.
    ///
    /// # Errors
    /// Those of the relay.
    pub fn invite(&self, agency: &Name) -> Result<Ticket, DemoError> {
        let now_ms = (self.manner.now_ms)();
        let expires_ms = now_ms.saturating_add(TICKET_MS);
        Ok(self.relay.invite(&mut self.storage()?, agency, expires_ms, now_ms, &SystemEntropy)?)
    }

    /// Registers a key that an agency reads with.
    ///
    /// # Errors
    /// Those of the relay.
    pub fn register(&self, reader: &Reader) -> Result<(), DemoError> {
        self.relay.register(&mut self.storage()?, reader, (self.manner.now_ms)())?;
        Ok(())
    }

    /// Revokes a device.
    ///
    /// # Errors
    /// Those of the relay.
    pub fn revoke(&self, device: DeviceId) -> Result<(), DemoError> {
        self.relay.revoke(&mut self.storage()?, device, (self.manner.now_ms)())?;
        Ok(())
    }

    /// Takes a volume of a stick, and gives one for each device that called in it.
    ///
    /// # Errors
    /// Those of the relay.
    pub fn carry(&self, volume: &[u8]) -> Result<Vec<(DeviceId, Vec<u8>)>, DemoError> {
        Ok(self.relay.carry(&mut self.storage()?, volume, (self.manner.now_ms)(), &SystemEntropy)?.answers)
    }

    /// Makes a backup, so that what it holds counts as durable.
    ///
    /// # Errors
    /// Those of the store.
    pub fn back_up(&self, file: &Path) -> Result<(), DemoError> {
        self.storage()?.back_up(file)?;
        let held = self.relay.checkpoint(&mut Sqlite::open(file, None)?)?.size;
        Ok(self.relay.backed_up(&mut self.storage()?, held, held)?)
    }

    /// How the relay stands.
    ///
    /// # Errors
    /// Those of the relay.
    pub fn status(&self) -> Result<Status, DemoError> {
        Ok(self.relay.status(&mut self.storage()?)?)
    }

    fn storage(&self) -> Result<Sqlite, DemoError> {
        Ok(Sqlite::open(&self.file, None)?)
    }
}

impl Drop for Headquarters {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// Until it is told to stop, or ctrl-c where that counts.
async fn until(stopped: oneshot::Receiver<()>, interrupted: Option<Arc<AtomicBool>>) {
    let interrupt = async {
        match &interrupted {
            Some(interrupted) if tokio::signal::ctrl_c().await.is_ok() => {
                interrupted.store(true, Ordering::SeqCst)
            }
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = stopped => {}
        () = interrupt => {}
    }
}
