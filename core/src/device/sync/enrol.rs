//! Belonging to a headquarters.

use amparo_schema::wire::enrol::{Certificate, Enrolment, Headquarters, Ticket};
use amparo_schema::wire::signed::Signed;

use super::again;
use crate::device::{Device, Error, SyncFault};
use crate::seal::{SecretKey, from_bytes, request, to_bytes};
use crate::store::{self, StoreError};
use crate::sync::{NotOurs, check_certificate, letter_secret};

impl Device {
    /// A request to be enrolled, by a ticket of headquarters: the encoded `Signed<Request>`. An enrolment that there
    /// is stays until the certificate comes.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Seal`].
    pub fn enrolment_request(&self, ticket: &Ticket) -> Result<Vec<u8>, Error> {
        let device = self.store.identity().device;
        let signed = request(ticket, device, &self.signer, &self.letter_secret()?.public())?;
        let headquarters = to_bytes(&ticket.headquarters)?;
        self.store.write(|tx| store::enrolment::ask(tx, &headquarters))?;
        Ok(to_bytes(&signed)?)
    }

    /// Takes the certificate that headquarters gave, an encoded `Signed<Certificate>`, after verifying it with the key
    /// of the last ticket, and pins that headquarters. In place of another one, everything is sent anew; where sealed
    /// bytes were let go since, in a new life, for the other one could not chain the old.
    ///
    /// # Errors
    /// [`Error::Sync`] for anything but this device's certificate of that headquarters.
    pub fn enrolled(&self, certificate: &[u8]) -> Result<Certificate, Error> {
        let row = self.store.read(store::enrolment::get)?;
        let row = row.ok_or(SyncFault::NotOurs(NotOurs::NotAsked))?;
        let headquarters = read_headquarters(&row.asked)?;
        let signed: Signed<Certificate> = from_bytes(certificate).map_err(SyncFault::Unreadable)?;
        let keys = (&self.signer.public(), &self.letter_secret()?);
        let device = self.store.identity().device;
        let read = check_certificate(&signed, &headquarters, device, keys).map_err(SyncFault::NotOurs)?;
        let pinned = row.headquarters.map(|bytes| read_headquarters(&bytes)).transpose()?;
        let moved = pinned.filter(|pinned| pinned.key != headquarters.key);
        self.store.write(|tx| {
            let keys = moved.as_ref().map(|before| (&before.key, &headquarters.key));
            if keys.is_some() {
                store::setting::set(tx, again::SETTING, again::MOVED)?;
            }
            store::enrolment::certify(tx, certificate, keys)
        })?;
        self.seal_again()?;
        Ok(read)
    }

    /// The headquarters to which this device belongs, with the certificate; none before.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn enrolment(&self) -> Result<Option<Enrolment>, Error> {
        let Some(row) = self.store.read(store::enrolment::get)? else { return Ok(None) };
        let Some((headquarters, certificate)) = row.headquarters.zip(row.certificate) else {
            return Ok(None);
        };
        let malformed = |_| StoreError::Malformed { table: "enrolment" };
        Ok(Some(Enrolment {
            headquarters: read_headquarters(&headquarters)?,
            certificate: from_bytes(&certificate).map_err(malformed)?,
        }))
    }

    pub(super) fn letter_secret(&self) -> Result<SecretKey, Error> {
        Ok(letter_secret(self.store.signing_seed()?.expose()))
    }
}

fn read_headquarters(bytes: &[u8]) -> Result<Headquarters, StoreError> {
    from_bytes(bytes).map_err(|_| StoreError::Malformed { table: "enrolment" })
}
