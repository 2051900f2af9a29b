//! Packs, and what may be chosen from them.

use std::sync::Arc;

use amparo_core::device as core;
use amparo_schema::pack::Content;
use amparo_schema::person::Country;
use amparo_schema::text::Lang;

use super::Device;
use crate::errors::FieldError;
use crate::host::{LogLevel, Proceed, ProgressListener};
use crate::views::{self, ChecklistView, InstalledView, PackView, PostView};

#[uniffi::export]
impl Device {
    /// Verifies a pack and installs it. Older versions stay while a screening needs them.
    ///
    /// # Errors
    /// `PackRejected`: the last good version stays.
    pub fn install_pack(&self, bytes: Vec<u8>) -> Result<InstalledView, FieldError> {
        let installed = self.call("install_pack", |device| device.install(&bytes))?;
        self.say(
            LogLevel::Info,
            "installed",
            &format!("{} {}", installed.header.id, installed.header.version),
        );
        Ok(views::installed(&installed))
    }

    /// Installs packs one after the other and tells how far it has come. The first that is refused, or the
    /// listener, ends it; what was installed before stays.
    ///
    /// # Errors
    /// `PackRejected`; `Interrupted` when the listener stops it; what the listener throws.
    pub fn install_packs(
        &self,
        packs: Vec<Vec<u8>>,
        listener: Option<Arc<dyn ProgressListener>>,
    ) -> Result<Vec<InstalledView>, FieldError> {
        let total = u32::try_from(packs.len()).unwrap_or(u32::MAX);
        let mut installed = Vec::with_capacity(packs.len());
        for (done, bytes) in (0..).zip(packs) {
            tell(listener.as_deref(), done, total)?;
            installed.push(self.install_pack(bytes)?);
        }
        tell(listener.as_deref(), total, total)?;
        Ok(installed)
    }

    /// Every pack on the device, those in use first.
    ///
    /// # Errors
    /// `WrongState` while locked.
    pub fn packs(&self, lang: Lang) -> Result<Vec<PackView>, FieldError> {
        self.call("packs", |device| Ok(device.packs()?.iter().map(|line| views::pack(line, &lang)).collect()))
    }

    /// The checklists that may be offered.
    ///
    /// # Errors
    /// `WrongState` while locked.
    pub fn checklists(&self, lang: Lang) -> Result<Vec<ChecklistView>, FieldError> {
        self.call("checklists", |device| {
            let view = |(pack, content): &(_, Arc<amparo_core::pack::Pack>)| match &*content.content {
                Content::Checklist(checklist) => {
                    Some(views::checklist(pack, &content.header, checklist, &lang))
                }
                _ => None,
            };
            Ok(device.checklists()?.iter().filter_map(view).collect())
        })
    }

    /// The posts and crossings of the policy for this country.
    ///
    /// # Errors
    /// `NotFound` when no policy is installed for it.
    pub fn posts(&self, country: Country) -> Result<Vec<PostView>, FieldError> {
        self.call("posts", |device| {
            let pack = device.policy(Some(country))?;
            match &*pack.content {
                Content::Policy(policy) => Ok(policy.posts.iter().map(views::post).collect()),
                _ => Err(core::Error::NoPack { kind: "policy" }),
            }
        })
    }
}

pub(super) fn tell(listener: Option<&dyn ProgressListener>, done: u32, total: u32) -> Result<(), FieldError> {
    match listener.map(|listener| listener.progress(done, total)).transpose()? {
        Some(Proceed::Stop) => Err(FieldError::Interrupted),
        Some(Proceed::GoOn) | None => Ok(()),
    }
}
