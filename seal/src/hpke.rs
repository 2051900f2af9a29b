//! HPKE (RFC 9180) in base mode with suite 1: X25519, HKDF-SHA-256, ChaCha20-Poly1305.

use amparo_schema::id::Hash;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use crate::random::{Entropy, NoEntropy};
use crate::secret::Key;
use crate::{OpenError, SealError};

/// A recipient's X25519 public key. One that gives no shared secret is refused at use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Takes the 32 bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id by which grants name it: the first 8 bytes of its SHA-256.
    #[must_use]
    pub fn id(&self) -> [u8; 8] {
        use sha2::Digest;
        let digest: [u8; 32] = sha2::Sha256::digest(self.0).into();
        let mut id = [0; 8];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        id
    }
}

/// As policies write it: 64 hexadecimal digits.
impl From<Hash> for PublicKey {
    fn from(bytes: Hash) -> Self {
        Self(bytes.0)
    }
}

/// A recipient's X25519 secret key. Wiped when dropped; never shown.
#[derive(Debug)]
pub struct SecretKey(Key);

impl SecretKey {
    /// Takes the 32 bytes; the caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Key::new(bytes))
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut public = [0; 32];
        if let Ok(secret) = self.inner() {
            let bytes = X25519HkdfSha256::sk_to_pk(&secret).to_bytes();
            public.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        }
        PublicKey(public)
    }

    fn inner(&self) -> Result<<X25519HkdfSha256 as Kem>::PrivateKey, OpenError> {
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(self.0.expose()).map_err(|_| OpenError::Wrapped)
    }
}

/// The library wants randomness that cannot fail. A failure here is remembered, and what was made with it
/// is thrown away.
struct Source<'a> {
    entropy: &'a dyn Entropy,
    failed: bool,
}

impl hpke::rand_core::TryRng for Source<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Self::Error> {
        self.failed |= self.entropy.fill(buffer).is_err();
        Ok(())
    }
}

impl hpke::rand_core::TryCryptoRng for Source<'_> {}

/// Seals `plaintext` for a recipient; gives the encapsulated key and the ciphertext with tag.
///
/// # Errors
/// [`SealError::BadRecipient`] for a key that gives no shared secret; [`SealError::Entropy`].
pub fn hpke_seal(
    recipient: &PublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<(Vec<u8>, Vec<u8>), SealError> {
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(recipient.bytes())
        .map_err(|_| SealError::BadRecipient)?;
    let mut source = Source { entropy, failed: false };
    let sealed = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        aad,
        &mut source,
    );
    if source.failed {
        return Err(NoEntropy.into());
    }
    let (encapsulated, ciphertext) = sealed.map_err(|_| SealError::BadRecipient)?;
    Ok((encapsulated.to_bytes().to_vec(), ciphertext))
}

/// A context that only exports, at its sender's.
pub(crate) type Sender = hpke::aead::AeadCtxS<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>;
/// The same at its recipient's.
pub(crate) type Receiver = hpke::aead::AeadCtxR<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>;

/// A context to export secrets from that the recipient shares, and the encapsulated key.
///
/// # Errors
/// As [`hpke_seal`].
pub(crate) fn hpke_sender(
    recipient: &PublicKey,
    info: &[u8],
    entropy: &dyn Entropy,
) -> Result<(Sender, [u8; 32]), SealError> {
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(recipient.bytes())
        .map_err(|_| SealError::BadRecipient)?;
    let mut source = Source { entropy, failed: false };
    let set_up = hpke::setup_sender_with_rng(&OpModeS::Base, &public, info, &mut source);
    if source.failed {
        return Err(NoEntropy.into());
    }
    let (key, sender) = set_up.map_err(|_| SealError::BadRecipient)?;
    Ok((sender, key.to_bytes().into()))
}

/// The recipient's side of [`hpke_sender`]. Nothing shows yet whether they are the same: what is opened with what
/// was exported does.
///
/// # Errors
/// [`OpenError::Wrapped`], whatever the reason.
pub(crate) fn hpke_receiver(
    secret: &SecretKey,
    encapsulated: &[u8],
    info: &[u8],
) -> Result<Receiver, OpenError> {
    let key =
        <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| OpenError::Wrapped)?;
    hpke::setup_receiver(&OpModeR::Base, &secret.inner()?, &key, info).map_err(|_| OpenError::Wrapped)
}

/// Opens what [`hpke_seal`] made.
///
/// # Errors
/// [`OpenError::Wrapped`], whatever the reason.
pub fn hpke_open(
    secret: &SecretKey,
    encapsulated: &[u8],
    info: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let key =
        <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| OpenError::Wrapped)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret.inner()?,
        &key,
        info,
        ciphertext,
        aad,
    )
    .map(Zeroizing::new)
    .map_err(|_| OpenError::Wrapped)
}
