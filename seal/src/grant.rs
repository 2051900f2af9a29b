//! Grants: the key of one segment, wrapped for one recipient.

use amparo_schema::id::Hash;
use amparo_schema::wire::segment::{GRANT_CONTEXT, Grant};

use crate::random::Entropy;
use crate::{OpenError, PublicKey, SealError, SecretKey, SegmentKey, hpke_open, hpke_seal};

/// Wraps the key of the segment with this header hash for a recipient. Whether the recipient may have it is
/// the caller's to decide, by the consent known now.
///
/// # Errors
/// [`SealError::BadRecipient`], [`SealError::Entropy`].
pub fn grant(
    key: &SegmentKey,
    segment: Hash,
    recipient: &PublicKey,
    entropy: &dyn Entropy,
) -> Result<Grant, SealError> {
    let (encapsulated, wrapped) = hpke_seal(recipient, &info(&segment), &[], key.expose(), entropy)?;
    Ok(Grant { segment, recipient: recipient.id(), encapsulated, wrapped })
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
    let key = hpke_open(secret, &grant.encapsulated, &info(segment), &[], &grant.wrapped)?;
    let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| OpenError::Wrapped)?;
    Ok(SegmentKey::new(key))
}

fn info(segment: &Hash) -> Vec<u8> {
    [GRANT_CONTEXT, &segment.0].concat()
}
