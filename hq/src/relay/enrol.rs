//! Who belongs here: tickets, devices, recipients, and what a person decides about them.
//!
//! Owns enrolment. A ticket enrols one device, once; the same request again gives the same certificate. A
//! device that a restore forgot comes back with the certificate that headquarters itself signed.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::name::Name;
use amparo_schema::wire::enrol::{Certificate, Headquarters, Request, Revocation, Ticket};
use amparo_schema::wire::push::Refusal;
use amparo_schema::wire::signed::Signed;
use amparo_seal::random::{Entropy, bytes};
use amparo_seal::{PublicKey, check_request, unverified};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use super::exchange::Taken;
use super::log::Action;
use super::work::{AsideLoad, Device, Kept, Room, Work, decoded};
use super::{Relay, RelayError};
use crate::storage::{Recipient, Shelf, Storage};

/// A ticket as it is kept.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
struct Invitation {
    #[cbor(n(0), with = "minicbor::bytes")]
    secret: [u8; 16],
    #[n(1)]
    agency: Name,
    #[n(2)]
    expires_ms: i64,
    #[n(3)]
    used: Option<Used>,
}

/// What a ticket was used for.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
struct Used {
    /// Hash of the request.
    #[n(0)]
    request: Hash,
    #[n(1)]
    certificate: Signed<Certificate>,
}

impl Kept for Invitation {
    const SHELF: Shelf = Shelf::Ticket;
    const TABLE: &'static str = "ticket";
}

/// A registered recipient.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reader {
    /// Its X25519 public key; grants are made for it.
    #[n(0)]
    pub key: Hash,
    /// The Ed25519 public key with which its desk signs requests and letters.
    #[n(1)]
    pub signing: Hash,
    /// Whose it is.
    #[n(2)]
    pub agency: Name,
}

impl Kept for Reader {
    const SHELF: Shelf = Shelf::Recipient;
    const TABLE: &'static str = "recipient";
}

/// A device as headquarters lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The device.
    pub device: DeviceId,
    /// Whose it is.
    pub agency: Name,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Frames that lie aside for it, its signature proven.
    pub aside: u64,
}

impl Relay {
    /// At most `limit` devices whose id follows `after`, by id.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn devices(
        &self,
        storage: &mut dyn Storage,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<Listed>, RelayError> {
        self.run(storage, 0, |work| {
            let after = after.as_ref().map_or(&[][..], |device| &device.0);
            let mut listed = Vec::new();
            for (key, bytes) in work.tx.records(Shelf::Device, &[], after, limit)? {
                let there: Device = decoded(&bytes)?;
                let device = DeviceId(key.try_into().map_err(|_| RelayError::Damaged)?);
                let aside = work.get::<AsideLoad>(&device.0)?.unwrap_or_default().count;
                listed.push(Listed { device, agency: there.agency, revoked: there.revoked.is_some(), aside });
            }
            Ok(listed)
        })
    }

    /// What a device must know of this headquarters.
    #[must_use]
    pub fn headquarters(&self) -> Headquarters {
        Headquarters {
            url: self.settings.url.clone(),
            key: Hash(self.signer.public().0),
            bundle_key: Hash(*self.bundle.public().bytes()),
        }
    }

    /// Makes a ticket for one device of an agency.
    ///
    /// # Errors
    /// [`RelayError::Entropy`], [`RelayError::Storage`].
    pub fn invite(
        &self,
        storage: &mut dyn Storage,
        agency: &Name,
        expires_ms: i64,
        now_ms: i64,
        entropy: &dyn Entropy,
    ) -> Result<Ticket, RelayError> {
        let id = bytes(entropy).map_err(|_| RelayError::Entropy)?;
        let secret = bytes(entropy).map_err(|_| RelayError::Entropy)?;
        let kept = Invitation { secret, agency: agency.clone(), expires_ms, used: None };
        self.run(storage, now_ms, |work| {
            work.put(&id, &kept)?;
            work.log_action(Action::Invited { agency: agency.clone() })
        })?;
        Ok(Ticket { headquarters: self.headquarters(), id, secret, expires_ms })
    }

    /// Enrols a device by a ticket, once. The same request again gives the same certificate.
    ///
    /// # Errors
    /// [`RelayError::UnknownTicket`], [`RelayError::Signature`], [`RelayError::TicketUsed`],
    /// [`RelayError::TicketExpired`], [`RelayError::DeviceTaken`], [`RelayError::Storage`].
    pub fn enrol(
        &self,
        storage: &mut dyn Storage,
        signed: &Signed<Request>,
        now_ms: i64,
    ) -> Result<Signed<Certificate>, RelayError> {
        self.run(storage, now_ms, |work| {
            let claimed = unverified(signed).map_err(|_| RelayError::Signature)?;
            let mut ticket: Invitation = work.get(&claimed.ticket)?.ok_or(RelayError::UnknownTicket)?;
            let secret = Zeroizing::new(ticket.secret);
            let request =
                check_request(signed, &secret, &self.headquarters()).map_err(|_| RelayError::Signature)?;
            let hash = Hash::of("amparo-enrol-used-1", &[&signed.payload]);
            let there = work.device(request.device)?;
            // A revoked device starts over under another id; to the ticket it was let in by it would forget that.
            let taken = there.is_some_and(|there| there.key != request.key || there.revoked.is_some());
            match ticket.used {
                Some(used) if used.request == hash && !taken => return Ok(used.certificate),
                Some(used) if used.request != hash => return Err(RelayError::TicketUsed),
                None if work.now_ms >= ticket.expires_ms => return Err(RelayError::TicketExpired),
                _ if taken => return Err(RelayError::DeviceTaken),
                _ => {}
            }
            let certificate = Certificate {
                device: request.device,
                key: request.key,
                letter_key: request.letter_key,
                agency: ticket.agency.clone(),
                from_ms: work.now_ms,
            };
            let signed = self.signer.sign_object(&certificate).map_err(|_| RelayError::Encoding)?;
            ticket.used = Some(Used { request: hash, certificate: signed.clone() });
            work.put(&claimed.ticket, &ticket)?;
            work.admit(&certificate, &signed)?;
            work.log_action(Action::Enrolled { device: request.device })?;
            // As for an upload: what lies aside was sent by anyone, and its device sends again what is not counted.
            work.room = Room::UPLOAD;
            work.replay(request.device, false)?;
            Ok(signed)
        })
    }

    /// Revokes a device: what it still sends is kept aside, and its feed tells it. Again gives the same.
    ///
    /// # Errors
    /// [`RelayError::UnknownDevice`], [`RelayError::Storage`].
    pub fn revoke(
        &self,
        storage: &mut dyn Storage,
        device: DeviceId,
        now_ms: i64,
    ) -> Result<Signed<Revocation>, RelayError> {
        self.run(storage, now_ms, |work| {
            let mut there = work.device(device)?.ok_or(RelayError::UnknownDevice)?;
            if let Some(revoked) = there.revoked {
                return Ok(revoked);
            }
            let revocation = Revocation { device, from_ms: work.now_ms };
            let signed = self.signer.sign_object(&revocation).map_err(|_| RelayError::Encoding)?;
            there.revoked = Some(signed.clone());
            work.put(&device.0, &there)?;
            work.append_revocation(device, &signed)?;
            work.log_action(Action::Revoked { device })?;
            Ok(signed)
        })
    }

    /// A person lets in what lies aside for a device, and lets its disputed segments be delivered. Gives how
    /// many frames count now. The device stays what it is.
    ///
    /// # Errors
    /// [`RelayError::UnknownDevice`], [`RelayError::Storage`].
    pub fn release(
        &self,
        storage: &mut dyn Storage,
        device: DeviceId,
        now_ms: i64,
    ) -> Result<u64, RelayError> {
        self.run(storage, now_ms, |work| {
            work.device(device)?.ok_or(RelayError::UnknownDevice)?;
            work.log_action(Action::Released { device })?;
            work.undispute(device)?;
            work.replay(device, true)
        })
    }

    /// Registers a recipient key with the key with which its desk signs. Gives how grants name it.
    ///
    /// # Errors
    /// [`RelayError::Storage`].
    pub fn register(
        &self,
        storage: &mut dyn Storage,
        reader: &Reader,
        now_ms: i64,
    ) -> Result<Recipient, RelayError> {
        let recipient = PublicKey::from(reader.key).id();
        self.run(storage, now_ms, |work| {
            if work.get::<Reader>(&recipient)?.as_ref() == Some(reader) {
                return Ok(recipient);
            }
            work.put(&recipient, reader)?;
            work.tx.put_record(Shelf::Author, &reader.signing.0, &recipient)?;
            let Reader { key, signing, agency } = reader.clone();
            work.log_action(Action::Recipient { agency, key, signing })?;
            Ok(recipient)
        })
    }
}

impl Work<'_> {
    /// Takes over a ticket from a store that this one replaces: one that was used there is used here as well. Whether
    /// that changed anything.
    pub(super) fn take_ticket(&mut self, id: &[u8], there: &[u8]) -> Result<bool, RelayError> {
        let there: Invitation = decoded(there)?;
        let here = self.get::<Invitation>(id)?;
        if here.as_ref().is_some_and(|here| here.used.is_some() || *here == there) {
            return Ok(false);
        }
        self.put(id, &there)?;
        if here.is_none() {
            self.log_action(Action::Invited { agency: there.agency })?;
        }
        Ok(true)
    }

    fn admit(&mut self, certificate: &Certificate, signed: &Signed<Certificate>) -> Result<(), RelayError> {
        let device = Device {
            certificate: signed.clone(),
            key: certificate.key,
            letter_key: certificate.letter_key,
            agency: certificate.agency.clone(),
            revoked: None,
        };
        self.put(&certificate.device.0, &device)
    }

    /// Takes a certificate that a device shows.
    pub(super) fn take_certificate(&mut self, signed: &Signed<Certificate>) -> Result<Taken, RelayError> {
        let Ok(certificate) = self.relay.signer.public().open_object(signed) else {
            return Ok(Taken::Refused(Refusal::Signature));
        };
        match self.device(certificate.device)? {
            Some(there) if there.revoked.is_some() => return Ok(Taken::Refused(Refusal::Revoked)),
            // The first key stays; two keys for one device are never both ours.
            Some(there) if there.key != certificate.key => return Ok(Taken::Refused(Refusal::Fork)),
            Some(_) => return Ok(Taken::Kept),
            None => {}
        }
        self.admit(&certificate, signed)?;
        self.log_action(Action::Readmitted { device: certificate.device })?;
        self.replay(certificate.device, false)?;
        Ok(Taken::Kept)
    }
}
