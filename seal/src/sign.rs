//! The device's signature over a segment: Ed25519 over a COSE `Sig_structure`.

use amparo_schema::wire::segment::SIGN_CONTEXT;
use coset::{HeaderBuilder, ProtectedHeader, SignatureContext, iana, sig_structure_data};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::OpenError;

/// The device's signing key. Wiped when dropped; never shown.
pub struct Signer(SigningKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// The public half of a device's signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceKey(pub [u8; 32]);

impl Signer {
    /// The key of a 32-byte seed (RFC 8032); the caller wipes its own copy.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> DeviceKey {
        DeviceKey(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes as they stand.
    #[must_use]
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl DeviceKey {
    /// Verifies strictly: one signature for one message and key, no weak keys.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), OpenError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| OpenError::Signature)?;
        let signature = Signature::from_slice(signature).map_err(|_| OpenError::Signature)?;
        key.verify_strict(message, &signature).map_err(|_| OpenError::Signature)
    }
}

/// The bytes that a segment's signature covers.
pub(crate) fn signed_bytes(header: &[u8]) -> Vec<u8> {
    let protected = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).build();
    let protected = ProtectedHeader { original_data: None, header: protected };
    sig_structure_data(SignatureContext::CoseSign1, protected, None, SIGN_CONTEXT, header)
}
