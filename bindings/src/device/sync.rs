//! Enrolment, sync with headquarters, and what goes from the device once headquarters has it.

use std::sync::{Arc, Mutex, PoisonError};

use amparo_core::device as core;
use amparo_core::device::SyncFault;
use amparo_core::seal::{OpenError, read_ticket};
use amparo_core::sync::{self, Ended, Go, SyncReport};
use amparo_schema::wire::enrol::Ticket;

use super::content::tell;
use super::{Device, guarded};
use crate::errors::FieldError;
use crate::host::{ProgressListener, Transport, TransportError};
use crate::views::{self, EnrolmentView, PurgeView, RepliesView, SyncReportView, SyncStateView, VolumeView};

#[uniffi::export]
impl Device {
    /// The request to be enrolled by a ticket, which is text of a QR code, a file or a message; blanks, line ends
    /// and lower case do not matter. Carry the bytes to headquarters; `enrolled` takes what comes back. An enrolment
    /// that there is stays until then. Whoever holds a ticket can enrol with it, once: never log one.
    ///
    /// # Errors
    /// `InvalidInput` with `form` for a text that is no ticket, with `address` for one that leads neither to https
    /// nor to http on loopback.
    pub fn enrolment_request(&self, ticket: &str) -> Result<Vec<u8>, FieldError> {
        const NAME: &str = "enrolment_request";
        let ticket = self.ticket(NAME, ticket)?;
        self.call(NAME, |device| device.enrolment_request(&ticket))
    }

    /// The address of the headquarters that gave this ticket, for carrying the request there: by HTTP, POST it to
    /// `/v1/enrol` under this address as `application/cbor`; the body of a 200, of the same type, is for `enrolled`.
    /// Https, or http on loopback.
    ///
    /// # Errors
    /// `InvalidInput` as `enrolment_request`; `WrongState` while locked.
    pub fn ticket_url(&self, ticket: &str) -> Result<String, FieldError> {
        const NAME: &str = "ticket_url";
        let url = self.ticket(NAME, ticket)?.headquarters.url;
        self.call(NAME, |_| Ok(url))
    }

    /// Takes the certificate that headquarters gave for the last request. In place of another headquarters,
    /// everything is sent anew.
    ///
    /// # Errors
    /// `InvalidInput` for anything but this device's certificate of that headquarters; `WrongState` with
    /// `enrolment-not-asked`.
    pub fn enrolled(&self, bytes: Vec<u8>) -> Result<EnrolmentView, FieldError> {
        self.call("enrolled", |device| {
            device.enrolled(&bytes)?;
            enrolment(device)?.ok_or_else(|| SyncFault::NotEnrolled.into())
        })
    }

    /// The headquarters to which this device belongs; none before enrolment.
    ///
    /// # Errors
    /// `WrongState` while locked.
    pub fn enrolment(&self) -> Result<Option<EnrolmentView>, FieldError> {
        self.call("enrolment", enrolment)
    }

    /// Sends what headquarters lacks and fetches what it has, until nothing is left, nothing moves, or the listener
    /// stops it; then purges what is due. A transport that fails is no error: the report says so, and what was done
    /// stays done. Nothing else waits meanwhile; several syncs at once cost no more than time.
    ///
    /// The listener is called before the first exchange and after each.
    ///
    /// # Errors
    /// `WrongState` with `not-enrolled`, or with `locked` when `lock` came in between; `Host` when the transport
    /// throws what no transport should; what the listener throws; `StoreDamaged`, `DiskFull`, `Internal`.
    pub fn sync(
        &self,
        transport: Arc<dyn Transport>,
        listener: Option<Arc<dyn ProgressListener>>,
    ) -> Result<SyncReportView, FieldError> {
        let done = guarded("sync", || {
            let open = self.held()?;
            if open.enrolment()?.is_none() {
                return Err(core::Error::from(SyncFault::NotEnrolled).into());
            }
            let host = Host { device: self, open: &open, transport, listener, failed: Mutex::new(None) };
            if host.tell(0) == Go::Stop {
                let stopped = SyncReport { ended: Ended::Stopped, ..SyncReport::default() };
                return host.failed().map_or_else(|| Ok(views::sync_report(&stopped)), Err);
            }
            let report = open.sync(&host, &host)?;
            host.failed().map_or_else(|| Ok(views::sync_report(&report)), Err)
        });
        done.map_err(|e| self.refuse("sync", e))
    }

    /// How sync stands, for all screenings at once.
    ///
    /// # Errors
    /// `WrongState` while locked.
    pub fn sync_state(&self) -> Result<SyncStateView, FieldError> {
        self.call("sync_state", |device| device.sync_state().map(views::sync_state))
    }

    /// What headquarters lacks, as files that anyone may carry: at least one, at most some 16 MB at a time. Removes
    /// nothing from the device; what was never received is exported again.
    ///
    /// # Errors
    /// `WrongState` with `not-enrolled`.
    pub fn export_bundle(&self) -> Result<Vec<VolumeView>, FieldError> {
        self.turn("export_bundle", |device| {
            Ok(device.export_bundle()?.into_iter().map(views::volume).collect())
        })
    }

    /// Takes one file of replies. Repeats and any order change nothing.
    ///
    /// # Errors
    /// `InvalidInput` for one that is damaged or not for this device; `WrongState` with `not-enrolled`.
    pub fn import_bundle(&self, bytes: Vec<u8>) -> Result<RepliesView, FieldError> {
        self.turn("import_bundle", |device| Ok(views::replies(&device.import_bundle(&bytes)?)))
    }

    /// Purges what headquarters has and the policy lets go: at the end of each sync by itself, here whenever the
    /// shell likes. Never before headquarters has it safely, never by a clock in doubt.
    ///
    /// # Errors
    /// `WrongState` while locked.
    pub fn purge_due(&self) -> Result<PurgeView, FieldError> {
        self.turn("purge_due", |device| device.purge_due().map(views::purged))
    }

    /// Wipes what was said in every screening, at once and for good, for a phone about to be taken or one that was
    /// revoked: open screenings are closed and sealed first. What is sealed stays and is still sent. Ask before.
    ///
    /// # Errors
    /// `WrongState` while locked; what was wiped before an error stays wiped.
    pub fn wipe(&self) -> Result<PurgeView, FieldError> {
        self.turn("wipe", |device| device.wipe().map(views::purged))
    }
}

impl Device {
    fn ticket(&self, name: &'static str, text: &str) -> Result<Ticket, FieldError> {
        let code = |why| if why == OpenError::Address { "address" } else { "form" };
        read_ticket(text).map_err(|why| self.refuse(name, FieldError::invalid("ticket", code(why))))
    }

    /// The open device, without a lock. Dropped after `lock`, it closes the store.
    fn held(&self) -> Result<Arc<core::Device>, FieldError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.clone().ok_or_else(|| FieldError::state("locked"))
    }

    fn holds(&self, device: &Arc<core::Device>) -> bool {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().is_some_and(|open| Arc::ptr_eq(open, device))
    }
}

fn enrolment(device: &core::Device) -> Result<Option<EnrolmentView>, core::Error> {
    let view = device.enrolment()?.map(views::enrolment).transpose();
    Ok(view.map_err(SyncFault::Unreadable)?)
}

/// The host's transport and listener for one sync. The first thing in them that fails ends the sync, and is its
/// error: the core sees a carrier that is offline.
struct Host<'a> {
    device: &'a Device,
    open: &'a Arc<core::Device>,
    transport: Arc<dyn Transport>,
    listener: Option<Arc<dyn ProgressListener>>,
    failed: Mutex<Option<FieldError>>,
}

impl Host<'_> {
    fn fail(&self, error: FieldError) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn failed(&self) -> Option<FieldError> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, exchanges: u64) -> Go {
        let done = u32::try_from(exchanges).unwrap_or(u32::MAX);
        match tell(self.listener.as_deref(), done, 0) {
            Ok(()) => Go::On,
            Err(FieldError::Interrupted) => Go::Stop,
            Err(error) => {
                self.fail(error);
                Go::Stop
            }
        }
    }

    /// Nothing goes out, and nothing is applied, once the host has locked.
    fn while_open(&self) -> Result<(), sync::TransportError> {
        if self.device.holds(self.open) {
            return Ok(());
        }
        self.fail(FieldError::state("locked"));
        Err(sync::TransportError::Offline)
    }
}

impl sync::Transport for Host<'_> {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, sync::TransportError> {
        self.while_open()?;
        let done = self.transport.exchange(upload.to_vec());
        self.while_open()?;
        done.map_err(|error| match error {
            TransportError::Offline => sync::TransportError::Offline,
            TransportError::Refused { code } => sync::TransportError::Refused { code },
            TransportError::Cut { replies } => sync::TransportError::Cut { replies },
            TransportError::Failed => {
                self.fail(FieldError::Host { code: "transport".into() });
                sync::TransportError::Offline
            }
        })
    }
}

impl sync::Progress for Host<'_> {
    fn exchanged(&self, so_far: &SyncReport) -> Go {
        if self.failed().is_some() {
            return Go::Stop;
        }
        self.tell(so_far.exchanges)
    }
}
