//! A server for TaskChampion's client, by the description of its protocol over HTTP: versions in a chain, each
//! kept durably before it is acknowledged, for one client. It asks for no snapshots, holds no accounts, and
//! sends no header that the description does not name. It stands in for the server of its makers, which is no
//! package of a registry.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as At, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::Fallible;
use crate::cost::Bodies;

const SEGMENT: &str = "application/vnd.taskchampion.history-segment";
const VERSION: HeaderName = HeaderName::from_static("x-version-id");
const PARENT: HeaderName = HeaderName::from_static("x-parent-version-id");
/// Bytes of a body; its client makes versions of a million at most.
const BODY_BYTES_MAX: usize = 4_000_000;

/// The server. It stops with the value.
pub struct Depot {
    /// Where.
    pub address: SocketAddr,
    file: PathBuf,
    store: Arc<Mutex<Store>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<std::io::Result<()>>)>,
}

struct Store {
    conn: Connection,
    /// What came and went so far.
    bodies: Bodies,
}

type App = State<Arc<Mutex<Store>>>;

impl Depot {
    /// Serves a new store in a folder.
    pub fn start(folder: &Path) -> Fallible<Self> {
        let file = folder.join("depot.db");
        let store = Arc::new(Mutex::new(Store { conn: open(&file)?, bodies: Bodies::default() }));
        let router = Router::new()
            .route("/v1/client/add-version/{parent}", post(add))
            .route("/v1/client/get-child-version/{parent}", get(child))
            .route("/v1/client/snapshot", get(async || StatusCode::NOT_FOUND))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::clone(&store));
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::select! {
                    ended = axum::serve(listener, router).into_future() => ended,
                    _ = stopped => Ok(()),
                }
            })
        });
        Ok(Self { address, file, store, running: Some((stop, thread)) })
    }

    /// Bodies so far, and requests.
    pub fn bodies(&self) -> Bodies {
        held(&self.store).bodies
    }

    /// Bytes of its store.
    pub fn disk(&self) -> Fallible<u64> {
        crate::cost::disk(&self.file)
    }
}

impl Drop for Depot {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

/// As durable as headquarters' store: the same engine, log and sync.
fn open(file: &Path) -> Fallible<Connection> {
    amparo_sqlcipher::initialise();
    let conn = Connection::open(file)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch(
        "CREATE TABLE version (id BLOB PRIMARY KEY, parent BLOB NOT NULL UNIQUE, body BLOB NOT NULL) STRICT",
    )?;
    Ok(conn)
}

fn held(store: &Mutex<Store>) -> std::sync::MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id(of: Uuid) -> HeaderValue {
    HeaderValue::from_str(&of.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn failed(_: rusqlite::Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn add(State(store): App, At(parent): At<Uuid>, body: Bytes) -> Result<Response, StatusCode> {
    let mut store = held(&store);
    store.bodies += Bodies { up: body.len() as u64, down: 0, requests: 1 };
    let newest = "SELECT id FROM version ORDER BY rowid DESC LIMIT 1";
    let newest: Option<[u8; 16]> =
        store.conn.query_row(newest, [], |r| r.get(0)).optional().map_err(failed)?;
    if let Some(newest) = newest.map(Uuid::from_bytes).filter(|newest| *newest != parent) {
        return Ok((StatusCode::CONFLICT, [(PARENT, id(newest))]).into_response());
    }
    let made = Uuid::new_v4();
    let values = (made.as_bytes(), parent.as_bytes(), &body[..]);
    let sql = "INSERT INTO version (id, parent, body) VALUES (?1, ?2, ?3)";
    store.conn.execute(sql, values).map_err(failed)?;
    Ok([(VERSION, id(made))].into_response())
}

async fn child(State(store): App, At(parent): At<Uuid>) -> Result<Response, StatusCode> {
    let mut store = held(&store);
    store.bodies += Bodies { up: 0, down: 0, requests: 1 };
    let sql = "SELECT id, body FROM version WHERE parent = ?1";
    let found = store
        .conn
        .query_row(sql, [parent.as_bytes()], |r| Ok((r.get::<_, [u8; 16]>(0)?, r.get::<_, Vec<u8>>(1)?)));
    let (made, body) = found.optional().map_err(failed)?.ok_or(StatusCode::NOT_FOUND)?;
    store.bodies += Bodies { up: 0, down: body.len() as u64, requests: 0 };
    let mut headers = HeaderMap::new();
    headers.insert(VERSION, id(Uuid::from_bytes(made)));
    headers.insert(PARENT, id(parent));
    headers.insert("content-type", HeaderValue::from_static(SEGMENT));
    Ok((headers, body).into_response())
}
