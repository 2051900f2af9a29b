//! The walk: starting, gate, answers, languages, steps, closing.

use amparo_core::device as core;
use amparo_schema::id::ScreeningId;
use amparo_schema::name::Name;
use amparo_schema::text::Lang;

use super::Device;
use crate::errors::FieldError;
use crate::kinds::{Keep, StopReason};
use crate::requests::{AnswerValue, StartRequest, StepState};
use crate::views::{self, ScreeningView, Show};

#[uniffi::export]
impl Device {
    /// Opens a screening on the packs in use, and a case unless one is given.
    ///
    /// # Errors
    /// `NotFound` when a kind of pack is missing or the case is unknown; `WrongState` for a checklist that is
    /// not offered.
    pub fn start(&self, request: StartRequest) -> Result<ScreeningView, FieldError> {
        self.turn("start", |device| {
            let id = device.start(&request.into())?;
            self.view(device, id)
        })
    }

    /// A screening as it stands.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn screening(&self, id: ScreeningId) -> Result<ScreeningView, FieldError> {
        self.turn("screening", |device| self.view(device, id))
    }

    /// A screening with this item shown instead of the one that comes next: to correct an answer, or to go
    /// back with the item in `previous`. Nothing is recorded.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn show(&self, id: ScreeningId, item: Name) -> Result<ScreeningView, FieldError> {
        self.turn("show", |device| views::screening(device, id, &Show::Item(&item), self.now_ms()))
    }

    /// Goes back from an item, or from the gate or the end (no item). At the beginning the same is shown.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn back(&self, id: ScreeningId, item: Option<Name>) -> Result<ScreeningView, FieldError> {
        self.turn("back", |device| {
            let from = match item {
                Some(item) => core::NextStep::Item(item),
                None => device.next(id)?,
            };
            match (device.back(id, &from)?, from) {
                (Some(item), _) | (None, core::NextStep::Item(item)) => {
                    views::screening(device, id, &Show::Item(&item), self.now_ms())
                }
                (None, _) => self.view(device, id),
            }
        })
    }

    /// Records an answer; when this returns, it is on disk. The last answer to an item counts, earlier ones
    /// stay in the history.
    ///
    /// # Errors
    /// `InvalidInput` when it does not fit the item; `WrongState` before the gate, without consent to talk,
    /// after closing. Nothing is recorded then.
    pub fn answer(
        &self,
        id: ScreeningId,
        item: Name,
        answer: AnswerValue,
    ) -> Result<ScreeningView, FieldError> {
        let answer = self.given("answer", answer)?;
        self.change("answer", id, |device| device.answer(id, &item, answer).map(drop))
    }

    /// Records a try of the safe-interview gate with these checks confirmed. What is missing postpones the
    /// questions; the gate can be tried again.
    ///
    /// # Errors
    /// `WrongState` with `no-such-gate-check`.
    pub fn gate(&self, id: ScreeningId, confirmed: Vec<Name>) -> Result<ScreeningView, FieldError> {
        self.change("gate", id, |device| device.gate(id, &confirmed.into_iter().collect()).map(drop))
    }

    /// Changes the official's language.
    ///
    /// # Errors
    /// `WrongState` after closing.
    pub fn set_language(&self, id: ScreeningId, lang: Lang) -> Result<ScreeningView, FieldError> {
        self.change("set_language", id, |device| device.set_language(id, lang, false))
    }

    /// Chooses the person's language: that of the words that are said.
    ///
    /// # Errors
    /// `WrongState` after closing.
    pub fn set_person_language(&self, id: ScreeningId, lang: Lang) -> Result<ScreeningView, FieldError> {
        self.change("set_person_language", id, |device| device.set_language(id, lang, true))
    }

    /// Stops the talk. What is known stays; nothing is lowered. To go on, pass the gate again.
    ///
    /// # Errors
    /// `WrongState` after closing.
    pub fn stop(&self, id: ScreeningId, reason: StopReason) -> Result<ScreeningView, FieldError> {
        self.change("stop", id, |device| device.stop(id, reason))
    }

    /// Records the outcome as the answers stand, unless exactly this one is recorded. Call it when `next` is
    /// the end: deadlines that count from the outcome begin here.
    ///
    /// # Errors
    /// `WrongState` after closing.
    pub fn record_outcome(&self, id: ScreeningId) -> Result<ScreeningView, FieldError> {
        self.change("record_outcome", id, |device| device.record_outcome(id).map(drop))
    }

    /// Logs a step as done, skipped (why) or impossible (why). A forbidden step that was done is a breach:
    /// show the official that it will be recorded as one, and then record it; it is never refused.
    ///
    /// # Errors
    /// `InvalidInput` for an unknown step or a missing reason.
    pub fn log_step(
        &self,
        id: ScreeningId,
        step: Name,
        state: StepState,
    ) -> Result<ScreeningView, FieldError> {
        self.change("log_step", id, |device| device.log_step(id, &step, state.into()).map(drop))
    }

    /// Closes a screening: the outcome is computed again and compared, and the facts are sealed. Without
    /// consent to storing everything but the outcome is erased. Afterwards only additions are possible.
    ///
    /// # Errors
    /// `WrongState` when it is closed already.
    pub fn close_screening(&self, id: ScreeningId) -> Result<ClosedView, FieldError> {
        self.turn("close_screening", |device| {
            let closing = device.close(id)?;
            let segments = u32::try_from(closing.segments).unwrap_or(u32::MAX);
            Ok(ClosedView { keep: closing.keep, segments, screening: self.view(device, id)? })
        })
    }
}

/// A screening that was closed.
#[derive(Clone, uniffi::Record)]
pub struct ClosedView {
    /// What was kept: tell the person.
    pub keep: Keep,
    /// Sealed segments that wait for headquarters, one for each lane of compartments.
    pub segments: u32,
    /// The screening after it.
    pub screening: ScreeningView,
}

impl Device {
    pub(super) fn view(&self, device: &core::Device, id: ScreeningId) -> Result<ScreeningView, core::Error> {
        views::screening(device, id, &Show::Next, self.now_ms())
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now().wall_ms
    }

    /// One change and the view after it.
    pub(super) fn change(
        &self,
        name: &'static str,
        id: ScreeningId,
        work: impl FnOnce(&core::Device) -> Result<(), core::Error>,
    ) -> Result<ScreeningView, FieldError> {
        self.turn(name, |device| {
            work(device)?;
            self.view(device, id)
        })
    }
}
