//! The main job at a terminal: one screening, one thing per screen.
//!
//! Owns the order of screens and nothing else: what comes next, what follows from it and whether it may be
//! recorded is the device's. When the input ends, nothing is lost and the screening stays open.

mod after;
mod consent;
mod item;
mod start;

use amparo_core::device::{Device, Error, NextStep};
use amparo_schema::fact::StopReason;
use amparo_schema::id::ScreeningId;
use amparo_schema::pack::Content;
use amparo_schema::pack::policy::Policy;
use amparo_schema::text::Lang;

use crate::ask::{Ask, Choice, Ended, choose};
use crate::words::{Speaker, Word};

pub use start::{Start, begin};

/// Why the walk ended early.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The device refused or failed.
    #[error(transparent)]
    Device(#[from] Error),
    /// The input ended. Everything that was answered is kept.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// Nothing fits what was asked for on the command line.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The system refused to write a file.
    #[error("{place}: {why}")]
    Io {
        /// Which file.
        place: String,
        /// What the system said.
        why: std::io::Error,
    },
}

/// Someone at the terminal with one screening.
pub struct Walk<'a> {
    /// The device.
    pub device: &'a Device,
    /// The way of asking.
    pub ask: &'a mut dyn Ask,
    /// The official's language.
    pub speaker: Speaker,
    /// The screening.
    pub id: ScreeningId,
    /// Where packets for services are written.
    pub out: std::path::PathBuf,
}

impl Walk<'_> {
    /// Leads through the screening to its end, or to where the person at the terminal leaves it.
    ///
    /// # Errors
    /// [`WalkError`]; what was answered before is kept.
    pub fn run(&mut self) -> Result<(), WalkError> {
        self.consent_that_was_cut_off()?;
        let mut shown: Option<NextStep> = None;
        loop {
            let next = match shown.take() {
                Some(step) => step,
                None => self.device.next(self.id)?,
            };
            match next {
                NextStep::Item(item) => shown = self.item(&item)?,
                NextStep::Gate => self.gate()?,
                NextStep::End => match self.after()? {
                    after::Leave::Yes => return Ok(()),
                    after::Leave::BackToQuestions => {
                        if self.device.screening(self.id)?.screening.stop.is_some() {
                            self.gate()?;
                        } else {
                            let last = self.device.back(self.id, &NextStep::End)?;
                            shown = last.map(NextStep::Item);
                        }
                    }
                },
            }
        }
    }

    pub(crate) fn word(&self, word: Word) -> &'static str {
        self.speaker.word(word)
    }

    pub(crate) fn lang(&self) -> Lang {
        self.speaker.lang()
    }

    /// The words of the policy that the screening stays on, for the length of a closure.
    pub(crate) fn with_policy<T>(&self, use_it: impl FnOnce(&Policy) -> T) -> Result<T, WalkError> {
        let pack = self.device.policy_of(self.id)?;
        match &*pack.content {
            Content::Policy(policy) => Ok(use_it(policy)),
            _ => Err(WalkError::NotFound("policy")),
        }
    }

    /// The safe-interview gate; once passed, the consents to talk and to store.
    fn gate(&mut self) -> Result<(), WalkError> {
        let checks = self.device.gate_checks(self.id)?;
        let lang = self.lang();
        let lines: Vec<_> =
            checks.iter().map(|check| (check.prompt.words(&lang).to_owned(), String::new())).collect();
        self.ask.tell(self.word(Word::GateTitle));
        let confirmed = self.ask.several(self.word(Word::GateConfirm), &lines)?;
        let names = confirmed.iter().filter_map(|at| checks.get(*at)).map(|check| check.id.clone()).collect();
        match self.device.gate(self.id, &names)? {
            amparo_core::screening::Gate::Passed => {
                self.ask.tell(self.word(Word::GatePassed));
                self.consents_before_questions()
            }
            _ => {
                for check in checks.iter().filter(|check| !names.contains(&check.id)) {
                    self.ask.tell(check.otherwise.words(&lang));
                }
                let choices = [
                    Choice { value: true, label: self.word(Word::GateAgain).into(), hint: String::new() },
                    Choice { value: false, label: self.word(Word::GateLater).into(), hint: String::new() },
                ];
                let prompt = self.word(Word::GatePostponed);
                if !choose(self.ask, prompt, &choices)? {
                    self.device.stop(self.id, StopReason::Unsafe)?;
                }
                Ok(())
            }
        }
    }

    /// Asks why, and stops the talk.
    pub(crate) fn stop(&mut self) -> Result<(), WalkError> {
        let choices = [
            (StopReason::PersonStopped, Word::StopPerson),
            (StopReason::Unsafe, Word::StopUnsafe),
            (StopReason::NoTime, Word::StopTime),
            (StopReason::UrgentHelp, Word::StopUrgent),
        ]
        .map(|(value, word)| Choice { value, label: self.word(word).into(), hint: String::new() });
        let reason = choose(self.ask, self.speaker.word(Word::StopWhy), &choices)?;
        self.device.stop(self.id, reason)?;
        Ok(())
    }

    /// Changes between Spanish and English, for the official.
    pub(crate) fn switch_language(&mut self) -> Result<(), WalkError> {
        self.speaker = match self.speaker {
            Speaker::Es => Speaker::En,
            Speaker::En => Speaker::Es,
        };
        match self.device.set_language(self.id, self.lang(), false) {
            Err(Error::Refused(_)) | Ok(()) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use amparo_core::consent::State;
    use amparo_core::device::StartRequest;
    use amparo_core::random::SeededEntropy;
    use amparo_core::secret::Key;
    use amparo_core::time::{FixedClock, Moment};
    use amparo_schema::answer::Value;
    use amparo_schema::pack::policy::Purpose;
    use amparo_schema::person::{Country, Place, Setting};

    use super::*;
    use crate::ask::Plain;
    use crate::{embedded, home};

    #[test]
    fn a_consent_to_talk_that_has_lapsed_is_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let at = Moment { wall_ms: 1_795_195_800_000, offset_minutes: -180, steady_ms: 0 };
        let clock = Arc::new(FixedClock::new(at));
        let entropy = Arc::new(SeededEntropy::new(1));
        let store = folder.path().join("store.db");
        let trust = embedded::trust().unwrap();
        let device = Device::create(&store, &Key::new(&[7; 32]), trust, clock.clone(), entropy).unwrap();
        home::install_embedded(&device).unwrap();
        let place =
            Place { country: Country::new("CL").unwrap(), post: None, area: None, setting: Setting::Border };
        let checklist = "four-questions".parse().unwrap();
        let id =
            device.start(&StartRequest { checklist, case: None, place, lang: Speaker::Es.lang() }).unwrap();
        let typed = |lines: &str| {
            let mut ask = Plain::new(lines.as_bytes(), Vec::new(), Speaker::Es);
            let out = folder.path().to_owned();
            let ended = Walk { device: &device, ask: &mut ask, speaker: Speaker::Es, id, out }.run();
            assert!(matches!(ended, Err(WalkError::Ended(_))), "{ended:?}");
        };
        // Age 18 to 29, all else skipped; the gate; talk and store; "tricked: no". Two days later the talk begins
        // at the gate again, and only then goes on: the gate; talk and store; "unsafe: yes".
        typed("5\n5\n3\n3\n4\n4\n3\n1,2,3,4,5,6,7,8\n1\n1\n2\n");
        (0..48).for_each(|_| clock.advance_ms(60 * 60 * 1000));
        let answers = |item: &str| device.screening(id).unwrap().screening.answers.value(item).cloned();
        assert_eq!((answers("tricked"), answers("unsafe")), (Some(Value::No), None));
        typed("1,2,3,4,5,6,7,8\n1\n1\n1\n");
        assert_eq!(answers("unsafe"), Some(Value::Yes));
        let consents = device.screening(id).unwrap().screening.consents;
        let now_ms = at.wall_ms + 48 * 60 * 60 * 1000;
        assert_eq!(consents.state(Purpose::Talk, None, now_ms), State::Given);
    }
}
