//! The identity box: what says who the person is, encrypted under the case's own key before it is stored.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use zeroize::Zeroizing;

use crate::random::{Entropy, bytes};
use crate::secret::Key;
use crate::{OpenError, SealError};

const NONCE_BYTES: usize = 12;

/// Encrypts a body with ChaCha20-Poly1305 and a random nonce, which stands first; `aad` binds it to its place
/// (the case and the screening). A case has few identity facts, so random nonces do not meet.
///
/// # Errors
/// [`SealError`].
pub fn identity_box(key: &Key, body: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
    let nonce: [u8; NONCE_BYTES] = bytes(entropy)?;
    let sealed = ChaCha20Poly1305::new(key.expose().into())
        .encrypt(&nonce.into(), Payload { msg: body, aad })
        .map_err(|_| SealError::Encoding)?;
    Ok([&nonce[..], &sealed].concat())
}

/// Decrypts what [`identity_box`] made.
///
/// # Errors
/// [`OpenError::Form`] when too short, [`OpenError::Cipher`] for another key, place or any damage.
pub fn identity_open(key: &Key, boxed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (nonce, sealed) = boxed.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Form)?;
    ChaCha20Poly1305::new(key.expose().into())
        .decrypt(&(*nonce).into(), Payload { msg: sealed, aad })
        .map(Zeroizing::new)
        .map_err(|_| OpenError::Cipher)
}
