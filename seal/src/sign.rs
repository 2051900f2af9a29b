//! Signatures: Ed25519 over a COSE `Sig_structure`, of segments and of every other signed object.

use amparo_schema::id::Hash;
use amparo_schema::wire::signed::{Payload, Signed};
use coset::{HeaderBuilder, ProtectedHeader, SignatureContext, iana, sig_structure_data};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::canonical::{from_bytes, to_bytes};
use crate::{OpenError, SealError};

/// A signing key: of a device, of headquarters, of an agency. Wiped when dropped; never shown.
pub struct Signer(SigningKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// The public half of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifyKey(pub [u8; 32]);

impl Signer {
    /// The key of a 32-byte seed (RFC 8032); the caller wipes its own copy.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> VerifyKey {
        VerifyKey(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes as they stand.
    #[must_use]
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Encodes and signs an object.
    ///
    /// # Errors
    /// [`SealError::Encoding`].
    pub fn sign_object<T: Payload>(&self, object: &T) -> Result<Signed<T>, SealError> {
        let payload = to_bytes(object)?;
        let signature = self.sign(&signed_bytes(T::CONTEXT, &payload)).to_vec();
        Ok(Signed::new(payload, signature))
    }
}

/// As certificates and packs write it: 64 hexadecimal digits.
impl From<Hash> for VerifyKey {
    fn from(bytes: Hash) -> Self {
        Self(bytes.0)
    }
}

impl VerifyKey {
    /// Verifies strictly: one signature for one message and key, no weak keys.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), OpenError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| OpenError::Signature)?;
        let signature = Signature::from_slice(signature).map_err(|_| OpenError::Signature)?;
        key.verify_strict(message, &signature).map_err(|_| OpenError::Signature)
    }

    /// Verifies a signed object and gives it.
    ///
    /// # Errors
    /// [`OpenError::Signature`]; [`OpenError::Form`] for a payload that is not in its one form.
    pub fn open_object<T: Payload>(&self, signed: &Signed<T>) -> Result<T, OpenError> {
        self.verify(&signed_bytes(T::CONTEXT, &signed.payload), &signed.signature)?;
        from_bytes(&signed.payload)
    }
}

/// What a signed object says, without asking whether its signature holds: to find out whose key to ask.
///
/// # Errors
/// [`OpenError::Form`].
pub fn unverified<T: Payload>(signed: &Signed<T>) -> Result<T, OpenError> {
    from_bytes(&signed.payload)
}

/// The bytes that a signature covers.
pub(crate) fn signed_bytes(context: &[u8], payload: &[u8]) -> Vec<u8> {
    let protected = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).build();
    let protected = ProtectedHeader { original_data: None, header: protected };
    sig_structure_data(SignatureContext::CoseSign1, protected, None, context, payload)
}
