//! Bundle volumes: a sequence of frames or replies, padded and sealed to whom it is for.

use amparo_schema::limits::VOLUME_BYTES_MAX;
use amparo_schema::wire::bundle::{DOWN_CONTEXT, FORMAT, UP_CONTEXT, Volume};
use zeroize::Zeroizing;

use crate::canonical::{from_bytes, pad, to_bytes, unpad};
use crate::random::Entropy;
use crate::{OpenError, PublicKey, SealError, SecretKey, hpke_open, hpke_seal};

/// Which way a volume goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From devices to headquarters.
    Up,
    /// From headquarters to a device.
    Down,
}

impl Direction {
    fn context(self) -> &'static [u8] {
        match self {
            Self::Up => UP_CONTEXT,
            Self::Down => DOWN_CONTEXT,
        }
    }
}

/// Seals a sequence of at most `VOLUME_BYTES_MAX` bytes.
///
/// # Errors
/// [`SealError`].
pub fn seal_volume(
    sequence: &[u8],
    way: Direction,
    to: &PublicKey,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    if sequence.len() > VOLUME_BYTES_MAX {
        return Err(SealError::TooLarge);
    }
    let (encapsulated, sealed) = hpke_seal(to, way.context(), &[], &pad(sequence)?, entropy)?;
    to_bytes(&Volume { format: FORMAT, encapsulated, sealed })
}

/// Opens a volume.
///
/// # Errors
/// [`OpenError`].
pub fn open_volume(
    volume: &[u8],
    way: Direction,
    secret: &SecretKey,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let volume: Volume = from_bytes(volume)?;
    if volume.format != FORMAT {
        return Err(OpenError::Version);
    }
    let padded = hpke_open(secret, &volume.encapsulated, way.context(), &[], &volume.sealed)?;
    Ok(Zeroizing::new(unpad(&padded)?.to_vec()))
}
