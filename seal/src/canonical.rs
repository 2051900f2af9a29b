//! One meaning, one form: CBOR that decodes to a value and encodes back to the same bytes, and padding.

use minicbor::{Decode, Encode};

use crate::{OpenError, SealError};

/// Encodes a value.
///
/// # Errors
/// [`SealError::Encoding`].
pub fn to_bytes<T: Encode<()>>(value: &T) -> Result<Vec<u8>, SealError> {
    minicbor::to_vec(value).map_err(|_| SealError::Encoding)
}

/// Decodes a value from exactly the bytes that encoding it gives.
///
/// # Errors
/// [`OpenError::Form`] for anything else: damage, a second spelling, unknown fields, bytes left over.
pub fn from_bytes<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, OpenError> {
    let value: T = minicbor::decode(bytes).map_err(|_| OpenError::Form)?;
    let mut expected = Expected(bytes);
    match minicbor::encode(&value, &mut expected) {
        Ok(()) if expected.0.is_empty() => Ok(value),
        _ => Err(OpenError::Form),
    }
}

/// Takes what is written as long as it is what is expected, and keeps nothing.
struct Expected<'a>(&'a [u8]);

impl minicbor::encode::Write for Expected<'_> {
    type Error = OpenError;

    fn write_all(&mut self, written: &[u8]) -> Result<(), OpenError> {
        self.0 = self.0.strip_prefix(written).ok_or(OpenError::Form)?;
        Ok(())
    }
}

/// The payload of a padded plaintext: its length (u32, big endian), the payload, zeros up to the bucket.
///
/// # Errors
/// [`OpenError::Padding`] unless the length is that of the bucket and every pad byte is zero.
pub fn unpad(padded: &[u8]) -> Result<&[u8], OpenError> {
    let (length, rest) = padded.split_first_chunk::<4>().ok_or(OpenError::Padding)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| OpenError::Padding)?;
    let (payload, zeros) = rest.split_at_checked(length).ok_or(OpenError::Padding)?;
    let whole = amparo_schema::wire::segment::padded_bytes(length) == padded.len();
    if whole && zeros.iter().all(|b| *b == 0) { Ok(payload) } else { Err(OpenError::Padding) }
}

/// Pads a payload to its bucket.
///
/// # Errors
/// [`SealError::TooLarge`] past 4 GiB.
pub fn pad(payload: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, SealError> {
    let length = u32::try_from(payload.len()).map_err(|_| SealError::TooLarge)?;
    let whole = amparo_schema::wire::segment::padded_bytes(payload.len());
    let mut padded = zeroize::Zeroizing::new(Vec::with_capacity(whole));
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(payload);
    padded.resize(whole, 0);
    Ok(padded)
}
