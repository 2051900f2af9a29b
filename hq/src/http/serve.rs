//! Listening, and stopping without losing what was taken.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use super::admission::{Admission, Limits};
use super::metrics::Metrics;
use super::routes::{Shared, router};
use super::worker::{self, Engine};

/// After an error of the system at accepting, so that it is not asked without end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Between two looks at whether the relay's thread ended.
const LOOK_PAUSE: Duration = Duration::from_millis(10);
/// Bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What is served, and how.
pub struct Server {
    /// Where callers come in.
    pub listener: TcpListener,
    /// TLS; none on loopback and behind a proxy.
    pub tls: Option<TlsAcceptor>,
    /// The relay and its store.
    pub engine: Engine,
    /// Bounds.
    pub limits: Limits,
}

/// Why the server did not run, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The system gave no thread.
    #[error("the system gives no thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The thread of the relay ended by a fault of this program. What receipts name is in the store.
    #[error("the thread of the relay failed")]
    Failed,
    /// The thread of the relay did not end in time. It ends with the process.
    #[error("the store hangs; what it has not finished was not answered, and devices send it again")]
    Hangs,
}

/// Serves until `stop`; then lets nobody in any more, finishes what is under way within
/// [`Limits::stop`], and ends the relay's thread after its last transaction.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(server: Server, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let metrics = Arc::new(Metrics::default());
    let (worker, thread) = worker::start(server.engine, &metrics)?;
    let admission = Admission::new(server.limits.clone());
    let shared = Arc::new(Shared { worker, admission, metrics });
    let door = Door {
        router: router(Arc::clone(&shared)),
        tls: server.tls,
        limits: server.limits,
        graceful: GracefulShutdown::new(),
        open: watch::channel(()).0,
    };
    let connections = Arc::new(Semaphore::new(door.limits.connections.min(Semaphore::MAX_PERMITS)));
    tokio::pin!(stop);
    loop {
        let accepted = async {
            let room = Arc::clone(&connections).acquire_owned().await;
            (server.listener.accept().await, room)
        };
        tokio::select! {
            () = &mut stop => break,
            // Whoever watches over the process starts it again; the store is as the last transaction left it.
            () = shared.worker.failed() => break,
            (accepted, room) = accepted => match (accepted, room) {
                (Ok((stream, _)), Ok(room)) => door.let_in(stream, room),
                _ => sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(server.listener);
    finish(door, shared, thread).await
}

/// Finishes what is under way, and ends the relay's thread.
async fn finish(door: Door, shared: Arc<Shared>, thread: JoinHandle<()>) -> Result<(), ServeError> {
    let Door { router, limits, graceful, open, .. } = door;
    drop(router);
    let over = graceful.shutdown();
    tokio::pin!(over);
    if timeout(limits.stop, &mut over).await.is_err() {
        // Late ones count as far as they came, are told so, and the device sends again.
        shared.admission.cut_all();
        let _ = timeout(limits.stop, over).await;
    }
    let _ = timeout(limits.stop, shared.admission.drained()).await;
    // Callers that do not read their answers would keep the thread.
    drop((open, shared));
    let ended = async {
        while !thread.is_finished() {
            sleep(LOOK_PAUSE).await;
        }
    };
    timeout(limits.stop, ended).await.map_err(|_| ServeError::Hangs)?;
    thread.join().map_err(|_| ServeError::Failed)
}

struct Door {
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    graceful: GracefulShutdown,
    /// Dropped when every connection is to end at once.
    open: watch::Sender<()>,
}

impl Door {
    fn let_in(&self, stream: TcpStream, room: OwnedSemaphorePermit) {
        let (router, tls, limits) = (self.router.clone(), self.tls.clone(), self.limits.clone());
        let watcher = self.graceful.watcher();
        let mut open = self.open.subscribe();
        let serving = async move {
            // Replies are small and awaited.
            let _ = stream.set_nodelay(true);
            // Below TLS, so that whoever stops reading within the handshake ends as well.
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(limits.stall));
            let stream = Box::pin(stream);
            match tls {
                None => speak(stream, router, watcher, &limits).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = timeout(limits.head, tls.accept(stream)).await {
                        speak(stream, router, watcher, &limits).await;
                    }
                }
            }
            drop(room);
        };
        tokio::spawn(async move {
            tokio::select! {
                () = serving => {}
                _ = open.changed() => {}
            }
        });
    }
}

/// HTTP/1.1 on one connection, for its whole life. How it ends is nobody's concern but the caller's.
async fn speak<S>(stream: S, router: Router, watcher: Watcher, limits: &Limits)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let _ = timeout(limits.connection, watcher.watch(connection)).await;
}
