//! Lists, search, and the state of the store.

use amparo_schema::limits::RESULTS_MAX;
use amparo_schema::person::Country;
use amparo_schema::text::Lang;

use super::Device;
use crate::errors::FieldError;
use crate::views::{self, DiagnosticsView, LookupView, ScreeningListView, VerifyView};

/// Lines of one page of the list.
const PAGE_MAX: u32 = 500;

#[uniffi::export]
impl Device {
    /// A page of the list of screenings, newest first: `most` lines, at most 500, after the first `skip`.
    ///
    /// # Errors
    /// `WrongState` while locked.
    pub fn screenings(&self, skip: u32, most: u32) -> Result<ScreeningListView, FieldError> {
        self.call("screenings", |device| {
            let all = device.screenings()?;
            let (skip, most) = (usize(skip), usize(most.min(PAGE_MAX)));
            Ok(ScreeningListView {
                lines: all.iter().skip(skip).take(most).map(views::line).collect(),
                total: count(all.len()),
            })
        })
    }

    /// Services as typed, over names, places and kinds in every language, accents and case ignored; at most
    /// 200. Needs no screening.
    ///
    /// # Errors
    /// `InvalidInput` for a text that is too long; `NotFound` without a directory.
    pub fn lookup(
        &self,
        typed: String,
        country: Option<Country>,
        lang: Lang,
        most: u32,
    ) -> Result<LookupView, FieldError> {
        self.call("lookup", |device| {
            let (found, more) = device.lookup(&typed, country, usize(most).min(RESULTS_MAX))?;
            let services = found.iter().map(|service| views::whole_service(service, &lang)).collect();
            Ok(LookupView { services, more })
        })
    }

    /// Checks the whole store: pages, chain of facts, links, and where its head was last seen. Takes a while.
    ///
    /// # Errors
    /// `WrongState` while locked; `StoreDamaged` when it cannot even be read.
    pub fn verify(&self) -> Result<VerifyView, FieldError> {
        self.call("verify", |device| Ok(views::verify(&device.verify()?, device.findings())))
    }

    /// Counts, versions and codes for those who help. Nothing of a person.
    ///
    /// # Errors
    /// `WrongState` while locked.
    pub fn diagnostics(&self) -> Result<DiagnosticsView, FieldError> {
        self.call("diagnostics", |device| {
            let (packs, screenings) = (device.packs()?, device.screenings()?);
            let open = screenings.iter().filter(|line| !line.closed).count();
            Ok(DiagnosticsView {
                version: env!("CARGO_PKG_VERSION").into(),
                packs: count(packs.len()),
                expired_packs: count(packs.iter().filter(|line| line.current && line.expired).count()),
                screenings: count(screenings.len()),
                open_screenings: count(open),
                findings: views::findings(device.findings()),
            })
        })
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn usize(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
