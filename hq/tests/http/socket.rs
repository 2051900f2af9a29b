//! HTTP by hand, so that a test can stop at any byte; and a server inside the test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use amparo_hq::http::{Engine, Limits, ServeError, Server, serve};
use amparo_hq::relay::Relay;
use amparo_hq::storage::Storage;
use amparo_schema::wire::push::Reply;
use tokio::sync::oneshot;

use crate::common::{NOW, relay, replies};

pub(crate) const CBOR_SEQ: &str = "application/cbor-seq";
const PATIENCE: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The code of a problem, after it was seen that there is nothing else in it.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        let names: Vec<_> = problem.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["code", "status", "title"]);
        assert_eq!(problem["status"], self.status);
        problem["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn replies(&self) -> Vec<Reply> {
        assert_eq!((self.status, self.header("content-type")), (200, Some(CBOR_SEQ)), "{}", self.head);
        replies(&self.body)
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(crate) fn head(method: &str, path: &str, kind: &str, framing: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n")
}

/// One request whole; none when the other side went away.
pub(crate) fn try_call(
    address: SocketAddr,
    method: &str,
    path: &str,
    kind: &str,
    body: &[u8],
) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(head(method, path, kind, &format!("content-length: {}", body.len())).as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    answer(&mut stream)
}

pub(crate) fn call(address: SocketAddr, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
    try_call(address, method, path, kind, body).expect("an answer")
}

pub(crate) fn exchange(address: SocketAddr, upload: &[u8]) -> Answer {
    call(address, "POST", "/v1/exchange", CBOR_SEQ, upload)
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    call(address, "GET", path, "", &[])
}

/// A count of the metrics.
pub(crate) fn count(address: SocketAddr, name: &str) -> u64 {
    let text = String::from_utf8(get(address, "/metrics").body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}

pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

/// Reads an answer; none when the other side went away before its end.
pub(crate) fn answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, head, body: Vec::new() };
    let length = answer.header("content-length").map_or(0, |text| text.parse().unwrap());
    answer.body.resize(length, 0);
    stream.read_exact(&mut answer.body).ok()?;
    Some(answer)
}

/// A server inside the test.
pub(crate) struct Inside {
    pub address: SocketAddr,
    pub relay: Arc<Relay>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Inside {
    /// Serves this store with these limits.
    pub(crate) fn start(storage: Box<dyn Storage + Send>, limits: Limits) -> Self {
        let relay = Arc::new(relay(|_| {}));
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let engine = Engine { relay: Arc::clone(&relay), storage, now_ms: || NOW };
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                serve(Server { listener, tls: None, engine, limits }, async {
                    let _ = stopped.await;
                })
                .await
            })
        });
        Self { address: told.recv().unwrap(), relay, stop: Some(stop), thread: Some(thread) }
    }

    /// Stops and sees that it ended well.
    pub(crate) fn stop(mut self) {
        self.tell_to_stop();
        self.end().unwrap();
    }

    pub(crate) fn tell_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Whether it ended, and its runtime with it.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.as_ref().unwrap().is_finished()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Result<(), ServeError> {
        self.thread.take().unwrap().join().unwrap()
    }
}
