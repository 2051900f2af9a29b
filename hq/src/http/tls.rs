//! TLS, by rustls: certificate chain and key from PEM files.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Why there is no TLS. Names the file by its role, and nothing in it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file does not read.
    #[error("the certificate file does not read as PEM")]
    Certificate,
    /// The key file does not read.
    #[error("the key file does not read as PEM")]
    Key,
    /// They do not go together.
    #[error("certificate and key cannot be used: {0}")]
    Config(#[from] rustls::Error),
}

/// TLS 1.2 and 1.3 with this certificate chain and key.
///
/// # Errors
/// [`TlsError`].
pub fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).map_err(|_| TlsError::Certificate)?.collect();
    let chain = chain.map_err(|_| TlsError::Certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|_| TlsError::Key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
