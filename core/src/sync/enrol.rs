//! The keys and the certificate of a device. Pure.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::enrol::{Certificate, Headquarters};
use amparo_schema::wire::signed::Signed;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::seal::{SecretKey, VerifyKey};

/// HKDF info of the letter key.
const LETTER_KEY_INFO: &[u8] = b"amparo-letter-key-1";

/// The device's key for letters and bundles: HKDF-SHA-256 of the seed of its signing key, so that a device has
/// one secret to keep.
#[must_use]
pub fn letter_secret(seed: &[u8; 32]) -> SecretKey {
    let mut secret = Zeroizing::new([0; 32]);
    // Fails only past 255 hashes of output.
    let _ = Hkdf::<Sha256>::new(None, seed).expand(LETTER_KEY_INFO, secret.as_mut());
    SecretKey::new(&secret)
}

/// Why a certificate is not this device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// No request was made, so no headquarters is known whose signature could be checked.
    #[error("no enrolment was asked for")]
    NotAsked,
    /// It is not the one form of a certificate, or the signature is not that headquarters'.
    #[error("the certificate does not verify")]
    Signature,
    /// It is for another device, or for other keys.
    #[error("the certificate is for another device")]
    OtherDevice,
}

/// Verifies a certificate for this device.
///
/// # Errors
/// [`NotOurs`].
pub fn check_certificate(
    signed: &Signed<Certificate>,
    headquarters: &Headquarters,
    device: DeviceId,
    keys: (&VerifyKey, &SecretKey),
) -> Result<Certificate, NotOurs> {
    let certificate =
        VerifyKey::from(headquarters.key).open_object(signed).map_err(|_| NotOurs::Signature)?;
    let ours = (device, Hash(keys.0.0), Hash(*keys.1.public().bytes()));
    if (certificate.device, certificate.key, certificate.letter_key) == ours {
        Ok(certificate)
    } else {
        Err(NotOurs::OtherDevice)
    }
}
