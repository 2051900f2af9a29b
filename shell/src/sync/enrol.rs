//! Belonging to a headquarters, by its ticket.

use std::io::Read;
use std::path::Path;

use amparo_core::seal::{OpenError, read_ticket};
use amparo_schema::wire::enrol::{TICKET_PREFIX, Ticket};
use serde_json::json;

use super::send::Watcher;
use super::{NotDone, Seat, say};
use crate::args::exit;
use crate::ask::Ask;
use crate::commands::CommandError;
use crate::transport::{CBOR, CallError, Http};
use crate::words::Word;

/// Bytes of a certificate, and of the file of a ticket.
const SMALL_BYTES_MAX: usize = 16 * 1024;

impl Seat<'_> {
    /// Enrols the device by a ticket: its text, a file that holds it, or without either what is typed. Again with
    /// the same ticket it gives the same certificate.
    ///
    /// # Errors
    /// [`NotDone`] for no ticket, a headquarters that was not reached or did not accept it, and a certificate that
    /// is not this device's; an enrolment that there was stays then.
    pub fn enrol(
        &self,
        ask: &mut dyn Ask,
        given: Option<&str>,
        ca: Option<&Path>,
    ) -> Result<u8, CommandError> {
        let ticket = self.ticket(ask, given)?;
        let headquarters = &ticket.headquarters.url;
        let http = Http::new(headquarters, ca).map_err(|why| self.not_reached(&why))?;
        let request = self.device.enrolment_request(&ticket)?;
        let watcher = Watcher::new(self.speaker, self.json);
        watcher.begin();
        let answer = http.post("/v1/enrol", CBOR, &request, SMALL_BYTES_MAX);
        watcher.end();
        let certificate = answer.map_err(|why| self.not_enrolled(&why))?;
        let certificate = match self.device.enrolled(&certificate) {
            Ok(certificate) => certificate,
            Err(amparo_core::device::Error::Sync(_)) => {
                return Err(self.not_done(exit::REFUSED, Word::CertificateNotOurs).into());
            }
            Err(why) => return Err(why.into()),
        };
        if self.json {
            let agency = &certificate.agency;
            say(&json!({ "agency": agency, "url": headquarters, "device": certificate.device }).to_string());
        } else {
            say(&format!("{} {} ({headquarters}).", self.word(Word::Enrolled), certificate.agency));
            say(&format!("{} amparo sync", self.word(Word::NextThing)));
        }
        Ok(exit::OK)
    }

    fn ticket(&self, ask: &mut dyn Ask, given: Option<&str>) -> Result<Ticket, CommandError> {
        let text = match given {
            Some(text) if is_ticket(text) => text.to_owned(),
            Some(file) => {
                let mut text = String::new();
                let io = |why| CommandError::Io { place: file.to_owned(), why };
                let bytes_max = u64::try_from(SMALL_BYTES_MAX).unwrap_or(u64::MAX);
                let file = std::fs::File::open(file).map_err(io)?;
                file.take(bytes_max).read_to_string(&mut text).map_err(io)?;
                text
            }
            None => ask.line(self.word(Word::TicketPlease))?,
        };
        let refused = |why| match why {
            OpenError::Address => self.not_reached(&CallError::Address),
            _ => self.not_done(exit::USAGE, Word::NoTicket),
        };
        read_ticket(&text).map_err(|why| refused(why).into())
    }

    fn not_enrolled(&self, why: &CallError) -> NotDone {
        let word = match why {
            CallError::Refused { status: 404 } => Word::TicketUnknown,
            CallError::Refused { status: 409 } => Word::TicketUsed,
            CallError::Refused { status: 410 } => Word::TicketExpired,
            CallError::Refused { status: 403 } => Word::TicketWrong,
            other => return self.not_reached(other),
        };
        self.not_done(exit::REFUSED, word)
    }
}

fn is_ticket(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(TICKET_PREFIX.len()).collect();
    start.eq_ignore_ascii_case(TICKET_PREFIX)
}
