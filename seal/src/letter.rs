//! Letters: what an agency tells a device, sealed to it and signed by the agency.

use amparo_schema::id::DeviceId;
use amparo_schema::wire::feed::{LETTER_CONTEXT, Letter, Note};
use amparo_schema::wire::signed::Signed;

use crate::canonical::{from_bytes, pad, to_bytes, unpad};
use crate::random::{Entropy, bytes};
use crate::{OpenError, PublicKey, SealError, SecretKey, Signer, VerifyKey, hpke_open, hpke_seal};

/// Seals a note to a device and signs it as its author.
///
/// # Errors
/// [`SealError`].
pub fn write_letter(
    note: &Note,
    device: DeviceId,
    letter_key: &PublicKey,
    author: &Signer,
    entropy: &dyn Entropy,
) -> Result<Signed<Letter>, SealError> {
    let id: [u8; 16] = bytes(entropy)?;
    let padded = pad(&to_bytes(note)?)?;
    let (encapsulated, sealed) =
        hpke_seal(letter_key, LETTER_CONTEXT, &address(&id, device), &padded, entropy)?;
    let author_key = amparo_schema::id::Hash(author.public().0);
    author.sign_object(&Letter { id, device, author: author_key, encapsulated, sealed })
}

/// Opens a letter. The caller has checked that the author named in it may write.
///
/// # Errors
/// [`OpenError`]; nothing of the note is given.
pub fn read_letter(
    letter: &Signed<Letter>,
    author: &VerifyKey,
    device: DeviceId,
    secret: &SecretKey,
) -> Result<Note, OpenError> {
    let letter = author.open_object(letter)?;
    if letter.device != device {
        return Err(OpenError::Recipient);
    }
    let aad = address(&letter.id, device);
    let padded = hpke_open(secret, &letter.encapsulated, LETTER_CONTEXT, &aad, &letter.sealed)?;
    from_bytes(unpad(&padded)?)
}

fn address(id: &[u8; 16], device: DeviceId) -> Vec<u8> {
    [&id[..], &device.0].concat()
}
