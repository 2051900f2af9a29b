//! TLS on the way to PostgreSQL, by rustls. Certificate and host name are always verified.

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;

use postgres::Config;
use postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::storage::StorageError;

/// How TLS is made: certificates in `authorities` (PEM) are trusted, or without it those that the public trusts.
pub(super) fn connector(authorities: Option<&[u8]>) -> Result<MakeRustlsConnect, StorageError> {
    let unreadable = || StorageError::Engine("the certificates for PostgreSQL do not read as PEM".into());
    let mut roots = RootCertStore::empty();
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.add(certificate.map_err(|_| unreadable())?).map_err(|_| unreadable())?;
            }
        }
    }
    if roots.is_empty() {
        return Err(unreadable());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| StorageError::Engine("TLS".into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Where the connection does not say whether it wants TLS: required off this machine, for a network in between
/// could refuse it; none on it. What it says itself (`sslmode=require` or `disable`) stands.
pub(super) fn decide(config: &mut Config) {
    if config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(if stays_here(config) { SslMode::Disable } else { SslMode::Require });
    }
}

fn stays_here(config: &Config) -> bool {
    let host = |host: &Host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    // An address, where there is one, is what is connected to; the host is then a name alone.
    match config.get_hostaddrs() {
        [] => config.get_hosts().iter().all(host),
        addresses => addresses.iter().all(IpAddr::is_loopback),
    }
}

/// Whether a connection failed because of the server's certificate.
pub(super) fn is_distrusted(error: &postgres::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    let cause = cause.and_then(|cause| cause.get_ref()?.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_reached_by_tls_unless_it_is_said_aloud() {
        for (words, mode) in [
            ("host=/run/postgresql", SslMode::Disable),
            ("host=127.0.0.1", SslMode::Disable),
            ("host=::1", SslMode::Disable),
            ("postgresql://amparo@localhost/hq", SslMode::Disable),
            ("host=localhost sslmode=require", SslMode::Require),
            ("host=db.example", SslMode::Require),
            ("host=/run/postgresql,db.example", SslMode::Require),
            ("host=localhost hostaddr=192.0.2.7", SslMode::Require),
            ("host=db.example hostaddr=127.0.0.1", SslMode::Disable),
            ("host=localhost.example", SslMode::Require),
            ("host=db.example sslmode=prefer", SslMode::Require),
            ("host=db.example sslmode=disable", SslMode::Disable),
        ] {
            let mut config: Config = words.parse().unwrap();
            decide(&mut config);
            assert_eq!(config.get_ssl_mode(), mode, "{words}");
        }
    }

    #[test]
    fn certificates_that_do_not_read_are_refused() {
        for bad in [&b""[..], b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(connector(Some(bad)).is_err());
        }
        assert!(connector(None).is_ok());
    }
}
