//! The way to headquarters: HTTP by a well-kept client, with TLS by rustls.
//!
//! Owns what a failed call means: not reached, refused, or broken off after so many bytes. Speaks without TLS on
//! loopback alone, follows no redirect, takes no more bytes than it asked for, and waits for nothing for ever.
//! Never decides what is sent, never sends it again by itself, and names no address in an error.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amparo_core::seal::is_address;
use amparo_core::sync::{Transport, TransportError};
use amparo_schema::limits::DOWN_BYTES_MAX;
use ureq::http::Uri;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Timeout};

/// For finding the host and for connecting, each.
const CONNECT: Duration = Duration::from_secs(30);
/// Between two pieces of what is sent or received: a link that is slow goes on, one that is dead is given up.
const PIECE: Duration = Duration::from_secs(90);
/// The slowest link that is waited for: half of what the first Iridium phones do.
const SLOWEST_BYTES_PER_SECOND: u64 = 150;
/// For a whole call, whatever the link.
const CALL: Duration = Duration::from_secs(60 * 60);
/// Bytes of replies beside the pages that were asked for.
const ENVELOPE_BYTES: usize = 1024 * 1024;
/// Bytes of the file of certificates.
const CERTIFICATES_BYTES_MAX: u64 = 1024 * 1024;
/// The code of [`TransportError::Refused`] for a server whose certificate nobody vouches for; HTTP has none.
pub const DISTRUSTED: u16 = 495;

/// Sequences of CBOR items: exchanges.
pub const CBOR_SEQ: &str = "application/cbor-seq";
/// One CBOR item: everything else.
pub const CBOR: &str = "application/cbor";

/// Why a call did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The address is neither https nor http on loopback.
    #[error("the address of headquarters must be https, or http on this machine")]
    Address,
    /// The file of certificates cannot be used.
    #[error("the file holds no certificates as PEM")]
    Certificates,
    /// Nobody answered.
    #[error("headquarters was not reached")]
    Unreached,
    /// Somebody answered who cannot show to be headquarters.
    #[error("the certificate of the server is not trusted")]
    Distrusted,
    /// Headquarters, or something before it, did not do it.
    #[error("refused ({status})")]
    Refused {
        /// The status of HTTP.
        status: u16,
    },
    /// It broke off after the call was sent, or while it was.
    #[error("the exchange broke off")]
    Cut {
        /// The answer as far as it came.
        answer: Vec<u8>,
    },
}

impl From<CallError> for TransportError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Address | CallError::Certificates | CallError::Unreached => Self::Offline,
            CallError::Distrusted => Self::Refused { code: DISTRUSTED },
            CallError::Refused { status } => Self::Refused { code: status },
            CallError::Cut { answer } => Self::Cut { replies: answer },
        }
    }
}

/// Headquarters, as HTTP finds it.
#[derive(Debug)]
pub struct Http {
    agent: Agent,
    url: String,
}

impl Http {
    /// The way to headquarters at this address. Trusts the certificates in the file `ca`, or without it those that
    /// the public trusts; what is sent is sealed and what comes is signed either way.
    ///
    /// # Errors
    /// [`CallError::Address`], [`CallError::Certificates`].
    pub fn new(url: &str, ca: Option<&Path>) -> Result<Self, CallError> {
        if !is_address(url) {
            return Err(CallError::Address);
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent("amparo")
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(PIECE))
            .timeout_per_write(Some(PIECE))
            .timeout_global(Some(CALL));
        // Loopback is not reached through a proxy.
        if url.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() == Some("http")) {
            config = config.proxy(None);
        }
        if let Some(ca) = ca {
            let roots = RootCerts::Specific(Arc::new(certificates(ca)?));
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        let agent = Agent::with_parts(config.build(), DefaultConnector::default(), Names::default());
        Ok(Self { agent, url: url.trim_end_matches('/').to_owned() })
    }

    /// Sends a body of this kind to a path and gives the answer, of the same kind and of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn post(&self, path: &str, kind: &str, body: &[u8], bytes_max: usize) -> Result<Vec<u8>, CallError> {
        let asked = self.agent.post(format!("{}{path}", self.url)).content_type(kind);
        // The system takes a body at once and sends it as the link does: until then nobody answers.
        let seconds = u64::try_from(body.len()).unwrap_or(u64::MAX) / SLOWEST_BYTES_PER_SECOND;
        let patient = PIECE.saturating_add(Duration::from_secs(seconds));
        let sent = asked.config().timeout_per_read(Some(patient)).build().send(body);
        let mut response = sent.map_err(|error| unanswered(&error))?;
        let status = response.status().as_u16();
        let same_kind = response.body().mime_type() == Some(kind);
        let mut answer = Vec::new();
        match status {
            204 => return Ok(answer),
            200 if same_kind => {}
            // The server saw no end of the body: as far as it came, it counts.
            408 => return Err(CallError::Cut { answer }),
            _ => return Err(CallError::Refused { status }),
        }
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        let mut reader = response.body_mut().with_config().limit(limit).reader();
        match reader.read_to_end(&mut answer) {
            Ok(_) => Ok(answer),
            Err(_) => Err(CallError::Cut { answer }),
        }
    }
}

impl Transport for Http {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let bytes_max = DOWN_BYTES_MAX.saturating_add(ENVELOPE_BYTES);
        Ok(self.post("/v1/exchange", CBOR_SEQ, upload, bytes_max)?)
    }
}

/// Finds hosts as the system does. Where no name is resolved, nothing was sent, whatever the system calls it.
#[derive(Debug, Default)]
struct Names(DefaultResolver);

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.0.resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Io(_) => ureq::Error::HostNotFound,
            other => other,
        })
    }
}

fn certificates(file: &Path) -> Result<Vec<ureq::tls::Certificate<'static>>, CallError> {
    let mut pem = Vec::new();
    let read =
        std::fs::File::open(file).and_then(|file| file.take(CERTIFICATES_BYTES_MAX).read_to_end(&mut pem));
    read.map_err(|_| CallError::Certificates)?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            _ => return Err(CallError::Certificates),
        }
    }
    if found.is_empty() { Err(CallError::Certificates) } else { Ok(found) }
}

/// Why no answer began. Once connected, something may have arrived: that is a cut.
fn unanswered(error: &ureq::Error) -> CallError {
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => CallError::Unreached,
        ureq::Error::Io(why) => match why.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::AddrNotAvailable
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown => CallError::Unreached,
            // How rustls reports a certificate.
            ErrorKind::InvalidData => CallError::Distrusted,
            _ => CallError::Cut { answer: Vec::new() },
        },
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => CallError::Distrusted,
        _ => CallError::Cut { answer: Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_the_machine() {
        for good in [
            "https://hq.example",
            "https://hq.example:8443/amparo",
            "http://127.0.0.1:8443",
            "http://[::1]:1/",
        ] {
            assert!(Http::new(good, None).is_ok(), "{good}");
        }
        for bad in [
            "http://hq.example",
            "http://127.0.0.1.example/",
            "http://127.0.0.1@hq.example/",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "https://",
            "hq.example",
            "",
        ] {
            assert_eq!(Http::new(bad, None).err(), Some(CallError::Address), "{bad}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        for missing in [None, Some("no PEM at all")] {
            if let Some(text) = missing {
                std::fs::write(&file, text).unwrap();
            }
            assert_eq!(Http::new("https://hq.example", Some(&file)).err(), Some(CallError::Certificates));
        }
    }

    /// Answers one call with these bytes and hangs up.
    fn server(answer: &'static [u8]) -> Http {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"the upload") {
                let mut piece = [0; 1024];
                let read = stream.read(&mut piece).unwrap();
                asked.extend_from_slice(&piece[..read]);
            }
            std::io::Write::write_all(&mut stream, answer).unwrap();
        });
        Http::new(&url, None).unwrap()
    }

    type Told = Result<Vec<u8>, CallError>;

    #[test]
    fn what_an_answer_means() {
        let cut = |answer: &[u8]| -> Told { Err(CallError::Cut { answer: answer.to_vec() }) };
        let refused = |status| -> Told { Err(CallError::Refused { status }) };
        let cases: [(&'static [u8], Told); 11] = [
            (b"HTTP/1.1 200 OK\r\nContent-Type: application/cbor-seq\r\nContent-Length: 3\r\n\r\nabc", Ok(b"abc".to_vec())),
            (b"HTTP/1.1 204 No Content\r\n\r\n", Ok(Vec::new())),
            (b"HTTP/1.1 200 OK\r\nContent-Type: application/cbor-seq\r\nContent-Length: 9\r\n\r\nabc", cut(b"abc")),
            (b"HTTP/1.1 200 OK\r\nContent-Type: application/cbor-seq\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", cut(b"ab")),
            (b"", cut(b"")),
            (b"HTTP/1.1 200 O", cut(b"")),
            (b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", cut(b"")),
            // Somebody before headquarters, as the page of a hotel.
            (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", refused(200)),
            (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", refused(302)),
            (b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", refused(429)),
            (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", refused(503)),
        ];
        for (answer, meant) in cases {
            let told = server(answer).post("/v1/exchange", CBOR_SEQ, b"the upload", 100);
            assert_eq!(told, meant, "{}", String::from_utf8_lossy(answer));
        }
    }

    #[test]
    fn no_more_is_taken_than_was_asked_for() {
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/cbor-seq\r\nContent-Length: 9\r\n\r\nabcdefghi";
        match server(answer).post("/v1/exchange", CBOR_SEQ, b"the upload", 5) {
            Err(CallError::Cut { answer }) => assert!(b"abcdefghi".starts_with(&answer) && answer.len() <= 5),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nobody_there_is_told_as_such() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        // A name that nobody has (RFC 6761), which is what no signal looks like.
        for url in [url.as_str(), "https://headquarters.invalid"] {
            let told = Http::new(url, None).unwrap().exchange(b"the upload");
            assert_eq!(told, Err(TransportError::Offline), "{url}");
        }
    }
}
