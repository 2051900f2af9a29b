//! Enrolment: a ticket from headquarters, a request of the device, a certificate, and its revocation.

use minicbor::{Decode, Encode};

use super::signed::{Payload, Signed};
use crate::id::{DeviceId, Hash};
use crate::name::Name;

/// What begins a ticket as text: in a QR code, a file or a message.
pub const TICKET_PREFIX: &str = "AMPARO1:";
/// HMAC-SHA-256 context of [`Request::proof`].
pub const PROOF_CONTEXT: &[u8] = b"amparo-enrol-proof-1";

/// Headquarters, as a device must know it. Pinned at enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Headquarters {
    /// Where it listens: an https URL, or http on loopback.
    #[n(0)]
    pub url: String,
    /// Ed25519 public key of receipts, certificates and revocations.
    #[n(1)]
    pub key: Hash,
    /// X25519 public key to which bundles are sealed.
    #[n(2)]
    pub bundle_key: Hash,
}

/// One invitation for one device. Whoever holds it can enrol, once, until it expires.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ticket {
    /// Headquarters.
    #[n(0)]
    pub headquarters: Headquarters,
    /// Random; names the ticket.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub id: [u8; 16],
    /// Random; proves to headquarters that the ticket was seen.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub secret: [u8; 16],
    /// When it expires by headquarters' clock, milliseconds since 1970.
    #[n(3)]
    pub expires_ms: i64,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(..)")
    }
}

/// A device's request, signed by the key that it names.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Request {
    /// The ticket.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub ticket: [u8; 16],
    /// The device.
    #[n(1)]
    pub device: DeviceId,
    /// Its Ed25519 public key.
    #[n(2)]
    pub key: Hash,
    /// Its X25519 public key, for letters.
    #[n(3)]
    pub letter_key: Hash,
    /// HMAC-SHA-256 with the ticket's secret over [`PROOF_CONTEXT`], ticket, device, key, letter key, and the two keys of
    /// headquarters as the ticket names them.
    #[n(4)]
    pub proof: Hash,
}

impl Payload for Request {
    const CONTEXT: &'static [u8] = b"amparo-enrol-request-1";
}

/// That a device belongs to headquarters, signed by headquarters.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Certificate {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Its Ed25519 public key.
    #[n(1)]
    pub key: Hash,
    /// Its X25519 public key, for letters.
    #[n(2)]
    pub letter_key: Hash,
    /// The agency that it belongs to.
    #[n(3)]
    pub agency: Name,
    /// Since when, milliseconds since 1970 by headquarters' clock.
    #[n(4)]
    pub from_ms: i64,
}

impl Payload for Certificate {
    const CONTEXT: &'static [u8] = b"amparo-certificate-1";
}

/// That a certificate holds no longer, signed by headquarters. What the device still sends is kept aside.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Revocation {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Since when, milliseconds since 1970 by headquarters' clock.
    #[n(1)]
    pub from_ms: i64,
}

impl Payload for Revocation {
    const CONTEXT: &'static [u8] = b"amparo-revocation-1";
}

/// What a device keeps of its enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Enrolment {
    /// Headquarters.
    #[n(0)]
    pub headquarters: Headquarters,
    /// The certificate.
    #[n(1)]
    pub certificate: Signed<Certificate>,
}
