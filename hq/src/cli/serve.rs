//! `serve`: the server as a process.

use tokio::net::TcpListener;

use super::args::Serve;
use super::error::CliError;
use super::home::{Home, Opened};
use super::host::now_ms;
use super::say;
use crate::http::{Engine, Limits, Server, serve, tls};

/// Serves until the process is told to stop.
pub(super) fn run(home: &Home, words: &Serve) -> Result<(), CliError> {
    let tls = match (&words.tls_cert, &words.tls_key) {
        (Some(certificate), Some(key)) => Some(tls(certificate, key)?),
        _ => None,
    };
    if tls.is_none() && !words.listen.ip().is_loopback() && !words.behind_proxy {
        return Err(CliError::Refused(
            "elsewhere than on loopback only with --tls-cert and --tls-key, or --behind-proxy",
        ));
    }
    let Opened { relay, storage, held: _held } = home.open()?;
    let mut engine = Engine { relay, storage, now_ms };
    // Reads the log once, so that the first caller does not wait for it.
    engine.relay.checkpoint(&mut *engine.storage)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::at(&home.file("")))?;
    runtime.block_on(async {
        let at = |why| CliError::Io { place: words.listen.to_string(), why };
        let listener = TcpListener::bind(words.listen).await.map_err(at)?;
        let address = listener.local_addr().map_err(at)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        say(&format!("listening on {scheme}://{address}"));
        let server = Server { listener, tls, engine, limits: Limits::default() };
        serve(server, told_to_stop()).await.map_err(CliError::from)
    })?;
    say("stopped; everything that was taken is in the store");
    Ok(())
}

/// SIGTERM or ctrl-c. A machine that gives no signals serves until it is killed.
async fn told_to_stop() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
