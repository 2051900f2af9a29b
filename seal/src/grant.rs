//! Grants: the key of one segment, wrapped for one recipient.
//!
//! The costly part, an encapsulation for the recipient, may serve for many segments; each key is wrapped for
//! itself, so that a relay can hand out any one of them alone and none opens as another segment's.

use amparo_schema::id::Hash;
use amparo_schema::wire::segment::{GRANT_CONTEXT, GRANT_KEY_CONTEXT, Grant};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use zeroize::Zeroizing;

use crate::hpke::{Sender, hpke_receiver, hpke_sender};
use crate::random::Entropy;
use crate::secret::Key;
use crate::{OpenError, PublicKey, SealError, SecretKey, SegmentKey};

/// A wrapping key wraps one segment key, so the nonce may be zero.
const NONCE: [u8; 12] = [0; 12];

/// Wraps keys for one recipient, all from one encapsulation. Whether the recipient may have them is the caller's to
/// decide, by the consent known now.
pub struct Granter {
    recipient: [u8; 8],
    encapsulated: [u8; 32],
    sender: Sender,
}

impl std::fmt::Debug for Granter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Granter").field("recipient", &self.recipient).finish_non_exhaustive()
    }
}

impl Granter {
    /// Encapsulates for a recipient.
    ///
    /// # Errors
    /// [`SealError::BadRecipient`], [`SealError::Entropy`].
    pub fn new(recipient: &PublicKey, entropy: &dyn Entropy) -> Result<Self, SealError> {
        let (sender, encapsulated) = hpke_sender(recipient, GRANT_CONTEXT, entropy)?;
        Ok(Self { recipient: recipient.id(), encapsulated, sender })
    }

    /// Wraps the key of the segment with this header hash. One hash has one key: what seals the segment binds the
    /// two.
    ///
    /// # Errors
    /// [`SealError::Encoding`].
    pub fn grant(&self, key: &SegmentKey, segment: Hash) -> Result<Grant, SealError> {
        let wrapping = wrapping_key(&segment, |context, out| self.sender.export(context, out));
        let wrapped = wrapping
            .ok()
            .and_then(|wrapping| {
                let cipher = ChaCha20Poly1305::new(wrapping.expose().into());
                cipher.encrypt(&NONCE.into(), &key.expose()[..]).ok()?.try_into().ok()
            })
            .ok_or(SealError::Encoding)?;
        Ok(Grant { segment, recipient: self.recipient, encapsulated: self.encapsulated, wrapped })
    }
}

/// One grant with an encapsulation of its own.
///
/// # Errors
/// As [`Granter`].
pub fn grant(
    key: &SegmentKey,
    segment: Hash,
    recipient: &PublicKey,
    entropy: &dyn Entropy,
) -> Result<Grant, SealError> {
    Granter::new(recipient, entropy)?.grant(key, segment)
}

/// The key in a grant, for the segment with this header hash.
///
/// # Errors
/// [`OpenError`].
pub(crate) fn unwrap(grant: &Grant, segment: &Hash, secret: &SecretKey) -> Result<SegmentKey, OpenError> {
    if grant.segment != *segment {
        return Err(OpenError::OtherSegment);
    }
    if grant.recipient != secret.public().id() {
        return Err(OpenError::Recipient);
    }
    let receiver = hpke_receiver(secret, &grant.encapsulated, GRANT_CONTEXT)?;
    let wrapping = wrapping_key(segment, |context, out| receiver.export(context, out));
    let wrapping = wrapping.map_err(|_| OpenError::Wrapped)?;
    let key = ChaCha20Poly1305::new(wrapping.expose().into())
        .decrypt(&NONCE.into(), &grant.wrapped[..])
        .map(Zeroizing::new)
        .map_err(|_| OpenError::Wrapped)?;
    let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| OpenError::Wrapped)?;
    Ok(SegmentKey::new(key))
}

/// The key that wraps one segment's, drawn from the context that both sides have.
fn wrapping_key(
    segment: &Hash,
    export: impl FnOnce(&[u8], &mut [u8]) -> Result<(), hpke::HpkeError>,
) -> Result<Key, hpke::HpkeError> {
    let mut bytes = Zeroizing::new([0; 32]);
    export(&[GRANT_KEY_CONTEXT, &segment.0].concat(), &mut *bytes)?;
    Ok(Key::new(&bytes))
}
