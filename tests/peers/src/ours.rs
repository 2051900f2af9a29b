//! Amparo's side: real devices, real closing, real sync by the shell's HTTP to headquarters' own server.

use std::cell::Cell;
use std::time::Duration;

use amparo_core::sync::{Ended, SyncReport, Transport, TransportError};
use amparo_schema::id::ScreeningId;
use amparo_shell::transport::Http;
use tempfile::TempDir;

use crate::Fallible;
use crate::cost::{Bodies, Cost, of_process, of_thread, timed};
use crate::field::{Facts, Field};
use crate::hq::Headquarters;
use crate::link::{Link, Profile};

/// A device, its headquarters, and the link between them.
pub struct Ours {
    /// The device.
    pub field: Field,
    /// The link.
    pub link: Link,
    hq: Headquarters,
    _folder: TempDir,
}

/// The shell's HTTP, and what it carried.
struct Counted {
    http: Http,
    bodies: Cell<Bodies>,
}

impl Transport for Counted {
    fn exchange(&self, upload: &[u8]) -> Result<Vec<u8>, TransportError> {
        let answer = self.http.exchange(upload);
        let down = answer.as_ref().map_or(0, Vec::len) as u64;
        let mut bodies = self.bodies.get();
        bodies += Bodies { up: upload.len() as u64, down, requests: 1 };
        self.bodies.set(bodies);
        answer
    }
}

impl Ours {
    /// A device that has told what its store says of itself: that goes first, once.
    pub fn new(profile: Option<Profile>) -> Fallible<Self> {
        let (field, folder) = (Field::new()?, tempfile::tempdir()?);
        let hq = Headquarters::start(folder.path(), &field)?;
        let first = Http::new(&format!("http://{}", hq.address), None)?;
        done(&field.device.sync(&first, &())?)?;
        let link = Link::to(hq.address, profile, 11)?;
        Ok(Self { field, link, hq, _folder: folder })
    }

    /// One sync, on a connection of its own, as after hours without one.
    pub fn sync(&self) -> Fallible<(SyncReport, Bodies)> {
        let carrier = Counted { http: Http::new(&self.link.url(), None)?, bodies: Cell::default() };
        let report = self.field.device.sync(&carrier, &())?;
        Ok((report, carrier.bodies.get()))
    }

    /// Closes and sends so many screenings; gives how long the sync took, and its requests.
    pub fn send(&mut self, screenings: usize) -> Fallible<(Duration, u64)> {
        (0..screenings).try_for_each(|_| self.field.screen().map(drop))?;
        let (took, synced) = timed(|| self.sync());
        let (report, bodies) = synced?;
        done(&report).map_err(|why| format!("{why} after {:.0} s", took.as_secs_f64()))?;
        Ok((took, bodies.requests))
    }
}

/// Whether a sync ended well.
pub fn done(report: &SyncReport) -> Fallible<()> {
    match &report.ended {
        Ended::Done if report.refused.is_empty() => Ok(()),
        Ended::Broken(why) => Err(why.to_string().into()),
        other => Err(format!("ended otherwise: {other:?}").into()),
    }
}

/// Sends `screenings`, `batch` in each sync. Gives the facts of each, for the other side.
pub fn count(screenings: usize, batch: usize) -> Fallible<(Vec<Facts>, Cost)> {
    let mut ours = Ours::new(None)?;
    let (mut cost, mut ids) = (Cost::default(), Vec::<ScreeningId>::new());
    let (disk, traffic) = (ours.hq.disk()?, ours.link.traffic());
    for n in 0..screenings {
        ids.push(ours.field.screen()?);
        if (n + 1) % batch == 0 {
            let (all, thread, link) = (of_process(), of_thread(), ours.link.spent());
            let (report, bodies) = ours.sync()?;
            let (all, thread) = (of_process() - all, of_thread() - thread);
            done(&report)?;
            cost.bodies += bodies;
            cost.client += thread;
            cost.server += all.saturating_sub(thread + (ours.link.spent() - link));
        }
    }
    cost.wire = ours.link.traffic() - traffic;
    cost.closing = ours.field.closing;
    let facts = ids.into_iter().map(|id| ours.field.facts(id)).collect::<Fallible<_>>()?;
    cost.disk = ours.hq.disk()?.saturating_sub(disk);
    Ok((facts, cost))
}
