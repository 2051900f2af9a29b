//! Tickets as text, and the proof that one was seen.

use std::net::IpAddr;

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::enrol::{Headquarters, PROOF_CONTEXT, Request, TICKET_PREFIX, Ticket};
use amparo_schema::wire::signed::Signed;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use http::Uri;
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

/// Whether a headquarters may listen there: https, or http on loopback, where nobody stands between. A name and a
/// password in it, or a port that is none, hide where it leads.
#[must_use]
pub fn is_address(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else { return false };
    let after = authority.as_str().strip_prefix(host);
    let port = |after: &str| after.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if host.is_empty() || !after.is_some_and(|after| after.is_empty() || port(after)) {
        return false;
    }
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(host),
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || inner.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Reads a ticket; blanks, line ends and lower case do not matter.
///
/// # Errors
/// [`OpenError::Form`]; [`OpenError::Address`] by [`is_address`].
pub fn read_ticket(text: &str) -> Result<Ticket, OpenError> {
    if text.len() > TICKET_CHARS_MAX {
        return Err(OpenError::Form);
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    let body = text.strip_prefix(TICKET_PREFIX).ok_or(OpenError::Form)?;
    let bytes = BASE32_NOPAD.decode(body.as_bytes()).map_err(|_| OpenError::Form)?;
    let ticket: Ticket = from_bytes(&bytes)?;
    if is_address(&ticket.headquarters.url) { Ok(ticket) } else { Err(OpenError::Address) }
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
    let proof = proof(&ticket.secret, &ticket.headquarters, &request)?;
    request.proof = Hash(proof.finalize().into_bytes().into());
    signer.sign_object(&request)
}

/// Verifies a request: its signature by the key that it names, and its proof by the ticket's secret and the keys of
/// headquarters. So a ticket that was read with one wrong character enrols nobody, instead of a device whose
/// bundles nobody can open.
///
/// # Errors
/// [`OpenError::Signature`] whichever does not hold.
pub fn check_request(
    request: &Signed<Request>,
    secret: &[u8; 16],
    headquarters: &Headquarters,
) -> Result<Request, OpenError> {
    let named = crate::unverified(request)?;
    let request = VerifyKey::from(named.key).open_object(request)?;
    let mac = proof(secret, headquarters, &request).map_err(|_| OpenError::Form)?;
    mac.verify_slice(&request.proof.0).map_err(|_| OpenError::Signature)?;
    Ok(request)
}

fn proof(secret: &[u8; 16], to: &Headquarters, request: &Request) -> Result<Hmac<Sha256>, SealError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| SealError::Encoding)?;
    let Request { ticket, device, key, letter_key, .. } = request;
    for part in [PROOF_CONTEXT, &ticket[..], &device.0, &key.0, &letter_key.0, &to.key.0, &to.bundle_key.0] {
        mac.update(part);
    }
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_ticket_leads_to_https_or_stays_on_the_machine() {
        let read = |url: &str| {
            let Ticket { headquarters, .. } = ticket();
            let headquarters = Headquarters { url: url.into(), ..headquarters };
            read_ticket(&ticket_text(&Ticket { headquarters, ..ticket() }).unwrap()).map(|_| ())
        };
        for good in [
            "https://hq.example",
            "https://hq.example:8443/amparo/",
            "https://203.0.113.7",
            "http://localhost:1",
            "http://127.0.0.1:8443",
            "http://127.8.9.10/",
            "http://[::1]:8443",
        ] {
            assert_eq!(read(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            " ",
            "/",
            "hq.example",
            "hq.example:8443",
            "https://",
            "https:///path",
            "https://:8443",
            "https://hq.example:",
            "https://hq.example:https",
            "https://hq.example:70000",
            "https://official@hq.example",
            "https://hq.example:1@evil.example",
            "https://hq .example",
            "https://hq.example\n",
            "https://h\u{e9}.example",
            "\0\u{1}\u{7f}",
            "ftp://hq.example",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "httpss://hq.example",
            "http://hq.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://127.0.0.1@hq.example",
            "http://0.0.0.0:8443",
            "http://10.0.0.1",
            "http://[::2]",
            "http://2130706433",
            "//hq.example",
        ] {
            assert_eq!(read(bad), Err(OpenError::Address), "{bad}");
        }
    }

    #[test]
    fn a_request_without_the_secret_is_refused() {
        let signer = Signer::from_seed(&[7; 32]);
        let letter_key = PublicKey::new([8; 32]);
        let signed = request(&ticket(), DeviceId([9; 16]), &signer, &letter_key).unwrap();
        let ours = ticket().headquarters;
        assert_eq!(check_request(&signed, &[4; 16], &ours).unwrap().device, DeviceId([9; 16]));
        assert_eq!(check_request(&signed, &[5; 16], &ours), Err(OpenError::Signature));
        // A ticket that was read wrongly: the keys that the device would pin are not ours.
        for other in [
            Headquarters { key: Hash([6; 32]), ..ours.clone() },
            Headquarters { bundle_key: Hash([6; 32]), ..ours.clone() },
        ] {
            assert_eq!(check_request(&signed, &[4; 16], &other), Err(OpenError::Signature));
        }
        assert!(
            check_request(&signed, &[4; 16], &Headquarters { url: "https://moved.example".into(), ..ours })
                .is_ok()
        );
    }
}
