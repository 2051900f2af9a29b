//! After the questions: outcome, steps, contacts, consent, referral card, close.

use std::collections::BTreeSet;

use amparo_core::device::{Error, OfferedService};
use amparo_core::screening::Keep;
use amparo_schema::fact::{ReferralState, Scope, StepState};
use amparo_schema::id::ReferralId;
use amparo_schema::name::Name;
use amparo_schema::pack::Content;
use amparo_schema::pack::protocol::Obligation;

use super::{Walk, WalkError};
use crate::ask::{Choice, choose};
use crate::draw;
use crate::keystore::write_durably;
use crate::words::Word;

/// Where the menu after the questions leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// Out of the screening.
    Yes,
    /// Back to the questions.
    BackToQuestions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Contacts,
    Steps,
    Explain,
    Questions,
    Language,
    Close,
    Open,
}

impl Walk<'_> {
    /// Shows the outcome and leads through what follows from it.
    pub(super) fn after(&mut self) -> Result<Leave, WalkError> {
        self.device.record_outcome(self.id)?;
        self.show_outcome()?;
        self.show_protocol()?;
        loop {
            let choices = [
                (After::Contacts, Word::MenuContacts),
                (After::Steps, Word::LogSteps),
                (After::Explain, Word::MenuExplain),
                (After::Questions, Word::MenuBackToQuestions),
                (After::Language, Word::SwitchLanguage),
                (After::Close, Word::MenuClose),
                (After::Open, Word::MenuLeaveOpen),
            ]
            .map(|(value, word)| Choice {
                value,
                label: self.word(word).into(),
                hint: String::new(),
            });
            match choose(self.ask, self.speaker.word(Word::AfterOutcome), &choices)? {
                After::Contacts => self.contacts()?,
                After::Steps => self.log_steps()?,
                After::Explain => self.explain()?,
                After::Questions => return Ok(Leave::BackToQuestions),
                After::Language => {
                    self.switch_language()?;
                    self.show_outcome()?;
                }
                After::Close => {
                    self.close()?;
                    return Ok(Leave::Yes);
                }
                After::Open => {
                    self.farewell(Word::LeftOpen)?;
                    return Ok(Leave::Yes);
                }
            }
        }
    }

    /// Closes. What was not to be stored does not stay beside the store either: packets that no key protects.
    fn close(&mut self) -> Result<(), WalkError> {
        self.consent_to_counting()?;
        let screening = self.device.screening(self.id)?.screening;
        if self.device.close(self.id)?.keep == Keep::Full {
            return self.farewell(Word::Closed);
        }
        for referral in screening.referrals.iter() {
            let path = self.out.join(format!("{}.json", referral.id));
            match std::fs::remove_file(&path) {
                Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
                    return Err(WalkError::Io { place: path.display().to_string(), why });
                }
                _ => {}
            }
        }
        self.ask.tell(self.speaker.word(Word::OutcomeKept));
        Ok(())
    }

    fn farewell(&mut self, word: Word) -> Result<(), WalkError> {
        let line = self.device.screening(self.id)?.line;
        let text = format!("{} {}  ({})", self.word(word), line.code, line.memorable);
        self.ask.tell(&text);
        Ok(())
    }

    fn show_outcome(&mut self) -> Result<(), WalkError> {
        let assessment = self.device.explain(self.id)?;
        let checklist = self.device.checklist_of(self.id)?;
        let Content::Checklist(checklist) = &*checklist.content else { return Ok(()) };
        let (person, speaker) = (self.person_lang()?, self.speaker);
        let text = self
            .with_policy(|policy| draw::outcome::outcome(&assessment, policy, checklist, &person, speaker))?;
        self.ask.tell(&text);
        Ok(())
    }

    fn show_protocol(&mut self) -> Result<(), WalkError> {
        let view = self.device.protocol(self.id)?;
        let text = draw::steps::protocol(&view, &self.person_lang()?, self.speaker);
        self.ask.tell(&text);
        Ok(())
    }

    fn explain(&mut self) -> Result<(), WalkError> {
        let checklist = self.device.checklist_of(self.id)?;
        if let Content::Checklist(content) = &*checklist.content {
            let text = draw::outcome::explanation(&self.device.explain(self.id)?, content, self.speaker);
            self.ask.tell(&text);
        }
        Ok(())
    }

    fn log_steps(&mut self) -> Result<(), WalkError> {
        loop {
            let view = self.device.protocol(self.id)?;
            let leave = self.word(Word::Back).to_owned();
            let mut choices: Vec<Choice<Option<Name>>> = view
                .steps
                .iter()
                .map(|step| Choice {
                    value: Some(step.step.id.clone()),
                    label: draw::steps::line(step, self.speaker),
                    hint: String::new(),
                })
                .collect();
            choices.insert(0, Choice { value: None, label: leave, hint: String::new() });
            let Some(step) = choose(self.ask, self.speaker.word(Word::LogSteps), &choices)? else {
                return Ok(());
            };
            let Some(chosen) = view.steps.iter().find(|candidate| candidate.step.id == step) else {
                return Ok(());
            };
            let text = draw::steps::one(chosen, &self.person_lang()?, self.speaker);
            self.ask.tell(&text);
            self.log_step(&step, chosen.step.obligation)?;
        }
    }

    /// What became of a step. One that says what not to do was heeded or not.
    fn log_step(&mut self, step: &Name, obligation: Obligation) -> Result<(), WalkError> {
        let (done, skipped) = match obligation {
            Obligation::Forbidden => (Word::StepHeeded, Word::StepNotHeeded),
            _ => (Word::StepDone, Word::StepSkipped),
        };
        let choices = [
            (Some(StepState::Done), done),
            (Some(StepState::Skipped { reason: String::new() }), skipped),
            (Some(StepState::Impossible { reason: String::new() }), Word::StepImpossible),
            (None, Word::StepLater),
        ]
        .map(|(value, word)| Choice { value, label: self.word(word).into(), hint: String::new() });
        let state = match choose(self.ask, step.as_str(), &choices)? {
            None => return Ok(()),
            Some(StepState::Done) => StepState::Done,
            Some(StepState::Skipped { .. }) => StepState::Skipped { reason: self.reason()? },
            Some(StepState::Impossible { .. }) => StepState::Impossible { reason: self.reason()? },
        };
        match self.device.log_step(self.id, step, state) {
            // A missing or an endless reason: said, and the step stays as it was.
            Err(why @ (Error::Step(_) | Error::Refused(_))) => {
                let text = why.to_string();
                self.ask.tell(&text);
                Ok(())
            }
            other => Ok(other.map(|_| ())?),
        }
    }

    fn reason(&mut self) -> Result<String, WalkError> {
        Ok(self.ask.line(self.speaker.word(Word::ReasonPlease))?)
    }

    /// Finds who takes the person, and with consent makes the referral, the packet and the card.
    fn contacts(&mut self) -> Result<(), WalkError> {
        let found = self.device.contacts(self.id, &[])?;
        let text = draw::contacts::contacts(&found, self.speaker);
        self.ask.tell(&text);
        let mut choices: Vec<Choice<Option<OfferedService>>> = found
            .offers
            .iter()
            .map(|offer| Choice {
                value: Some(offer.clone()),
                label: draw::contacts::line(offer, self.speaker),
                hint: String::new(),
            })
            .collect();
        choices.push(Choice { value: None, label: self.word(Word::ContactNone).into(), hint: String::new() });
        match choose(self.ask, self.speaker.word(Word::OfferReferral), &choices)? {
            Some(offer) => self.refer(&offer),
            None => Ok(()),
        }
    }

    fn refer(&mut self, offer: &OfferedService) -> Result<(), WalkError> {
        let channel = offer.channels.first().map(|(at, _)| *at);
        let referral = self.device.refer(self.id, &offer.service.id, channel)?;
        if let Some(scope) = self.consent_to_sharing(&offer.service.id)? {
            match self.write_packet(referral, offer, &scope) {
                Ok(()) => self.device.move_referral(self.id, referral, ReferralState::Sent, None)?,
                // A child's own yes is kept, and opens nothing by itself: the referral stays offered.
                Err(WalkError::Device(Error::NoPermit(_))) => {
                    self.ask.tell(self.speaker.word(Word::NotShared))
                }
                Err(why) => return Err(why),
            }
        } else {
            self.device.move_referral(self.id, referral, ReferralState::Declined, None)?;
        }
        // The card is the person's own: it is made whatever was decided.
        let card = self.device.card(self.id, referral, &self.person_lang()?)?;
        let text = draw::card::card(&card, self.speaker);
        self.ask.tell(&text);
        Ok(())
    }

    fn write_packet(
        &mut self,
        referral: ReferralId,
        offer: &OfferedService,
        scope: &BTreeSet<Scope>,
    ) -> Result<(), WalkError> {
        let packet = self.device.packet(self.id, referral, scope)?;
        let (bytes, ending) = match offer.service.public_key {
            Some(key) => (self.device.seal_packet(&packet, key)?, "sealed"),
            None => (serde_json::to_vec_pretty(&packet).unwrap_or_default(), "json"),
        };
        let path = self.out.join(format!("{referral}.{ending}"));
        write_durably(&path, &bytes)
            .map_err(|why| WalkError::Io { place: path.display().to_string(), why })?;
        let text = format!("{} {}", self.word(Word::PacketWritten), path.display());
        self.ask.tell(&text);
        Ok(())
    }
}
