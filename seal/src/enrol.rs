//! Tickets as text, and the proof that one was seen.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::enrol::{PROOF_CONTEXT, Request, TICKET_PREFIX, Ticket};
use amparo_schema::wire::signed::Signed;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::canonical::{from_bytes, to_bytes};
use crate::{OpenError, PublicKey, SealError, Signer, VerifyKey};

/// Characters of a ticket as text; a longer one was never ours.
const TICKET_CHARS_MAX: usize = 2_000;

/// A ticket as text that fits the small alphabet of a QR code.
///
/// # Errors
/// [`SealError::Encoding`].
pub fn ticket_text(ticket: &Ticket) -> Result<String, SealError> {
    Ok(format!("{TICKET_PREFIX}{}", BASE32_NOPAD.encode(&to_bytes(ticket)?)))
}

/// Reads a ticket; blanks, line ends and lower case do not matter.
///
/// # Errors
/// [`OpenError::Form`].
pub fn read_ticket(text: &str) -> Result<Ticket, OpenError> {
    if text.len() > TICKET_CHARS_MAX {
        return Err(OpenError::Form);
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let body = text.strip_prefix(TICKET_PREFIX).ok_or(OpenError::Form)?;
    from_bytes(&BASE32_NOPAD.decode(body.as_bytes()).map_err(|_| OpenError::Form)?)
}

/// A device's signed request to be enrolled by a ticket.
///
/// # Errors
/// [`SealError`].
pub fn request(
    ticket: &Ticket,
    device: DeviceId,
    signer: &Signer,
    letter_key: &PublicKey,
) -> Result<Signed<Request>, SealError> {
    let mut request = Request {
        ticket: ticket.id,
        device,
        key: Hash(signer.public().0),
        letter_key: Hash(*letter_key.bytes()),
        proof: Hash([0; 32]),
    };
    request.proof = Hash(proof(&ticket.secret, &request)?.finalize().into_bytes().into());
    signer.sign_object(&request)
}

/// Verifies a request: its signature by the key that it names, and its proof by the ticket's secret.
///
/// # Errors
/// [`OpenError::Signature`] whichever does not hold.
pub fn check_request(request: &Signed<Request>, secret: &[u8; 16]) -> Result<Request, OpenError> {
    let named = crate::unverified(request)?;
    let request = VerifyKey::from(named.key).open_object(request)?;
    let mac = proof(secret, &request).map_err(|_| OpenError::Form)?;
    mac.verify_slice(&request.proof.0).map_err(|_| OpenError::Signature)?;
    Ok(request)
}

fn proof(secret: &[u8; 16], request: &Request) -> Result<Hmac<Sha256>, SealError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| SealError::Encoding)?;
    for part in [PROOF_CONTEXT, &request.ticket, &request.device.0, &request.key.0, &request.letter_key.0] {
        mac.update(part);
    }
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amparo_schema::wire::enrol::Headquarters;

    fn ticket() -> Ticket {
        let headquarters =
            Headquarters { url: "https://hq.example/".into(), key: Hash([1; 32]), bundle_key: Hash([2; 32]) };
        Ticket { headquarters, id: [3; 16], secret: [4; 16], expires_ms: 5 }
    }

    #[test]
    fn a_ticket_survives_text_that_was_broken_into_lines() {
        let text = ticket_text(&ticket()).unwrap();
        let broken: String = text.to_lowercase().chars().flat_map(|c| [c, '\n']).collect();
        assert_eq!(read_ticket(&text), Ok(ticket()));
        assert_eq!(read_ticket(&broken), Ok(ticket()));
        for bad in ["", "AMPARO1:", "AMPARO2:AAAA", text.get(..40).unwrap(), &"A".repeat(3_000)] {
            assert!(read_ticket(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_request_without_the_secret_is_refused() {
        let signer = Signer::from_seed(&[7; 32]);
        let letter_key = PublicKey::new([8; 32]);
        let signed = request(&ticket(), DeviceId([9; 16]), &signer, &letter_key).unwrap();
        assert_eq!(check_request(&signed, &[4; 16]).unwrap().device, DeviceId([9; 16]));
        assert_eq!(check_request(&signed, &[5; 16]), Err(OpenError::Signature));
    }
}
