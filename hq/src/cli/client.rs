//! A desk's way to headquarters: small signed objects over HTTP, bounded in bytes and time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amparo_seal::is_address;
use serde::Deserialize;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::error::CliError;
use super::files;

const CONNECT: Duration = Duration::from_secs(30);
const CALL: Duration = Duration::from_secs(10 * 60);
const PROBLEM_BYTES: u64 = 64 * 1024;
/// Characters of a title that is shown.
const TITLE_CHARS: usize = 200;

/// Headquarters, as a desk calls it.
pub(super) struct Client {
    agent: Agent,
    url: String,
}

#[derive(Deserialize)]
struct Problem {
    title: String,
}

impl Client {
    /// Trusts the certificates in `ca`, or without it those that the public trusts.
    pub(super) fn new(url: &str, ca: Option<&Path>) -> Result<Self, CliError> {
        if !is_address(url) {
            return Err(CliError::Refused("the URL must be https, or http on loopback"));
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent("amparo-hq")
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(CALL));
        if let Some(ca) = ca {
            let bytes = files::read(ca)?;
            let mut roots = Vec::new();
            for item in parse_pem(&bytes) {
                match item {
                    Ok(PemItem::Certificate(certificate)) => roots.push(certificate),
                    _ => return Err(CliError::Damaged(ca.display().to_string())),
                }
            }
            let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build();
            config = config.tls_config(tls);
        }
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { agent: config.build().into(), url })
    }

    /// Sends an object in CBOR; gives the answer, at most `bytes_max` of it.
    pub(super) fn post(&self, path: &str, object: &[u8], bytes_max: usize) -> Result<Vec<u8>, CliError> {
        let url = format!("{}{path}", self.url);
        let sent = self.agent.post(&url).content_type("application/cbor").send(object);
        let mut response = sent.map_err(reach)?;
        let status = response.status();
        if status.is_success() {
            return read(response.body_mut(), u64::try_from(bytes_max).unwrap_or(u64::MAX));
        }
        let problem = read(response.body_mut(), PROBLEM_BYTES)?;
        let title = serde_json::from_slice(&problem).map(|Problem { title }| title).unwrap_or_default();
        let title = title.chars().filter(|c| !c.is_control()).take(TITLE_CHARS).collect();
        Err(CliError::Answer { status: status.as_u16(), title })
    }
}

fn read(body: &mut Body, bytes_max: u64) -> Result<Vec<u8>, CliError> {
    body.with_config().limit(bytes_max).read_to_vec().map_err(reach)
}

fn reach(error: ureq::Error) -> CliError {
    CliError::Reach(error.to_string())
}
