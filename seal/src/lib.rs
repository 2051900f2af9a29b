//! Sealing: segments for headquarters, grants for their readers, and the identity box.
//!
//! Owns every use of public-key cryptography on what leaves the device, in the format of
//! `schema::wire::segment`. Primitives come from libraries; nothing here invents one. Never draws randomness
//! but through [`Entropy`]; never accepts bytes that it would not have written itself (each decoding is
//! encoded again and compared), so that one meaning has one form and no flipped bit passes.

mod bundle;
mod canonical;
mod enrol;
mod grant;
mod hpke;
mod identity;
mod letter;
pub mod random;
pub mod secret;
mod segment;
mod sequence;
mod sign;
#[cfg(test)]
mod wycheproof;

pub use bundle::{Direction, open_volume, seal_volume};
pub use canonical::{from_bytes, pad, to_bytes, unpad};
pub use enrol::{check_request, is_address, read_ticket, request, ticket_text};
pub use grant::{Granter, grant};
pub use hpke::{PublicKey, SecretKey, hpke_open, hpke_seal};
pub use identity::{identity_box, identity_open};
pub use letter::{read_letter, write_letter};
pub use segment::{Sealed, SegmentInput, first_previous, inspect, open, seal};
pub use sequence::{First, first};
pub use sign::{Signer, VerifyKey, unverified};

use crate::random::{Entropy, NoEntropy, bytes};
use crate::secret::Key;

/// The key of one segment. Used once; wiped when dropped; never shown.
#[derive(Debug)]
pub struct SegmentKey(Key);

impl SegmentKey {
    /// Takes a key that was stored; the caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Key::new(bytes))
    }

    /// The bytes, for storing inside the encrypted store and for the moment of use.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

/// A fresh random key, for one case's identity box.
///
/// # Errors
/// [`NoEntropy`] from the source.
pub fn fresh_key(entropy: &dyn Entropy) -> Result<Key, NoEntropy> {
    let bytes = zeroize::Zeroizing::new(bytes::<32>(entropy)?);
    Ok(Key::new(&bytes))
}

/// Why something was not sealed. Names no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The host gives no randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The recipient's key is no usable X25519 key (all zeros, or of small order).
    #[error("the recipient's key is not usable")]
    BadRecipient,
    /// There are no facts.
    #[error("there is nothing to seal")]
    Empty,
    /// The plaintext is past `SEGMENT_PLAIN_BYTES_MAX`, or has more facts than `SEGMENT_EVENTS_MAX`.
    #[error("too large to seal")]
    TooLarge,
    /// The counters do not go up.
    #[error("the facts are not in order")]
    Order,
    /// The fact with this counter cannot be read.
    #[error("fact {0} cannot be read")]
    NotAFact(u64),
    /// The fact with this counter is of a compartment that other readers have.
    #[error("fact {0} is of another compartment")]
    Compartment(u64),
    /// An encoder failed.
    #[error("cannot be encoded")]
    Encoding,
}

/// Why something sealed does not open. Names no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The bytes are not the one form of what they should be.
    #[error("not in canonical form")]
    Form,
    /// Another format version, suite or dictionary.
    #[error("another version")]
    Version,
    /// The device's signature does not hold over these bytes.
    #[error("the signature does not hold")]
    Signature,
    /// The grant is for another segment.
    #[error("the grant is for another segment")]
    OtherSegment,
    /// It is for another recipient.
    #[error("for another recipient")]
    Recipient,
    /// The wrapped key does not open.
    #[error("the wrapped key does not open")]
    Wrapped,
    /// The ciphertext does not open.
    #[error("the ciphertext does not open")]
    Cipher,
    /// The padding is not what it must be.
    #[error("the padding is wrong")]
    Padding,
    /// The compressed bytes are damaged, or expand past `SEGMENT_PLAIN_BYTES_MAX`.
    #[error("does not expand")]
    Expansion,
    /// What a ticket names is no address at which a headquarters may listen.
    #[error("neither https, nor http on loopback")]
    Address,
    /// The facts are not those that the header commits to.
    #[error("not the facts that were signed")]
    Root,
}
