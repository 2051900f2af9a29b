//! A headquarters for the figures: the real relay, in memory or over its own HTTP with its SQLite store.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use amparo_core::random::SeededEntropy;
use amparo_core::seal::{SecretKey, Signer, from_bytes, to_bytes};
use amparo_hq::http::{Engine, Limits, ServeError, Server, serve};
use amparo_hq::relay::{Durability, Relay, Settings};
use amparo_hq::storage::Storage;
use amparo_hq::storage::sqlite::Sqlite;
use amparo_schema::name::Name;
use tokio::sync::oneshot;

use crate::Fallible;
use crate::field::{Field, NOW_MS};

/// The relay, always with the same keys.
pub fn relay() -> Relay {
    // What is stored is durable, so that receipts do not differ by when a backup was made.
    let settings = Settings { durability: Durability::Replicated, ..Settings::local("http://127.0.0.1/") };
    Relay::new(Signer::from_seed(&[1; 32]), SecretKey::new(&[2; 32]), settings)
}

/// Makes a device known.
pub fn enrol(relay: &Relay, storage: &mut dyn Storage, field: &Field) -> Fallible<()> {
    let agency = Name::new("synthetic-agency").map_err(|_| "name")?;
    let ticket = relay.invite(storage, &agency, NOW_MS + 1, NOW_MS, &SeededEntropy::new(2))?;
    let request = from_bytes(&field.device.enrolment_request(&ticket)?)?;
    field.device.enrolled(&to_bytes(&relay.enrol(storage, &request, NOW_MS)?)?)?;
    Ok(())
}

/// How to tell the server to stop, and its thread.
type Running = (oneshot::Sender<()>, JoinHandle<Result<(), ServeError>>);

/// A headquarters that serves on loopback. It stops with the value.
pub struct Headquarters {
    /// Where.
    pub address: SocketAddr,
    file: PathBuf,
    running: Option<Running>,
}

impl Headquarters {
    /// Serves a new store in a folder, in which this device is known already.
    pub fn start(folder: &Path, field: &Field) -> Fallible<Self> {
        let file = folder.join("relay.db");
        let mut storage = Sqlite::open(&file, None)?;
        let relay = relay();
        enrol(&relay, &mut storage, field)?;
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let engine = Engine { relay: relay.into(), storage: Box::new(storage), now_ms: || NOW_MS };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let server = Server { listener, tls: None, engine, limits: Limits::default() };
                serve(server, async { drop(stopped.await) }).await
            })
        });
        Ok(Self { address, file, running: Some((stop, thread)) })
    }

    /// Bytes of its store.
    pub fn disk(&self) -> Fallible<u64> {
        crate::cost::disk(&self.file)
    }

    /// Stops it.
    pub fn stop(&mut self) -> Fallible<()> {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            thread.join().map_err(|_| "the server's thread failed")??;
        }
        Ok(())
    }
}

impl Drop for Headquarters {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}
