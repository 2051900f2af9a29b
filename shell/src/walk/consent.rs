//! Consents: the words are read aloud, and yes or no is recorded.

use std::collections::BTreeSet;

use amparo_core::consent::{State, Subject};
use amparo_core::device::ConsentRequest;
use amparo_core::screening::Gate;
use amparo_schema::answer::Value;
use amparo_schema::fact::{ConsentBy, Scope, StopReason};
use amparo_schema::name::Name;
use amparo_schema::pack::policy::{Purpose, intake};
use amparo_schema::text::{Lang, Text};

use super::{Walk, WalkError};
use crate::ask::{Choice, choose};
use crate::words::Word;

impl Walk<'_> {
    /// To talk and to store, before the first question. A no to talking ends the questions; a no to storing
    /// does not: at closing only the outcome is kept.
    pub(super) fn consents_before_questions(&mut self) -> Result<(), WalkError> {
        if !self.consent(Purpose::Talk, None, BTreeSet::new())? {
            self.device.stop(self.id, StopReason::PersonStopped)?;
            return Ok(());
        }
        self.consent(Purpose::Store, None, BTreeSet::new())?;
        Ok(())
    }

    /// The consent to store, where the program died after the one to talk and it was never asked for: without
    /// it only the outcome would be kept.
    pub(super) fn consent_that_was_cut_off(&mut self) -> Result<(), WalkError> {
        let screening = self.device.screening(self.id)?.screening;
        let asked = |purpose| screening.consents.state(purpose, None, i64::MIN);
        let cut_off = screening.gate == Gate::Passed
            && screening.closed.is_none()
            && asked(Purpose::Talk) == State::Given
            && asked(Purpose::Store) == State::NotAsked;
        if cut_off {
            self.consent(Purpose::Store, None, BTreeSet::new())?;
        }
        Ok(())
    }

    /// To counting the case in figures, at the end; not where nothing of it is kept, or nobody was talked with.
    pub(super) fn consent_to_counting(&mut self) -> Result<(), WalkError> {
        let consents = self.device.screening(self.id)?.screening.consents;
        let state = |purpose| consents.state(purpose, None, i64::MIN);
        if state(Purpose::Store) == State::Given && state(Purpose::Statistics) == State::NotAsked {
            self.consent(Purpose::Statistics, None, BTreeSet::new())?;
        }
        Ok(())
    }

    /// To sharing with a service. Where an agency reads for it through headquarters, all that was noted may be asked
    /// for, in words that say so; without it no agency is given a key. A no to that is not yet a no to what is
    /// needed, as a packet has it. Gives what may be shared; nothing where the person does not agree.
    pub(super) fn consent_to_sharing(
        &mut self,
        service: &Name,
    ) -> Result<Option<BTreeSet<Scope>>, WalkError> {
        let wording = self.device.consent_wording(self.id, Purpose::ShareService)?;
        let receiver = Some(service.clone());
        let needed = BTreeSet::from([Scope::Needs, Scope::Outcome]);
        if let Some(wider) = &wording.wider
            && !self.device.agencies(self.id, service)?.is_empty()
            && self.asks_for_all()?
        {
            let (by, lang) = self.read_aloud(Purpose::ShareService, wider)?;
            if by.is_some() {
                let all = needed.into_iter().chain([Scope::Indicators]).collect::<BTreeSet<_>>();
                self.record(Purpose::ShareService, receiver, all.clone(), by, lang)?;
                return Ok(Some(all));
            }
        }
        let (by, lang) = self.read_aloud(Purpose::ShareService, &wording.words)?;
        let agreed = self.record(Purpose::ShareService, receiver, needed.clone(), by, lang)?;
        Ok(agreed.then_some(needed))
    }

    fn asks_for_all(&mut self) -> Result<bool, WalkError> {
        let choices = [(false, Word::ShareNeeded), (true, Word::ShareAll)].map(|(value, word)| Choice {
            value,
            label: self.word(word).into(),
            hint: String::new(),
        });
        Ok(choose(self.ask, self.speaker.word(Word::ShareHowMuch), &choices)?)
    }

    /// Reads one consent aloud and records the answer.
    pub(super) fn consent(
        &mut self,
        purpose: Purpose,
        receiver: Option<Name>,
        scope: BTreeSet<Scope>,
    ) -> Result<bool, WalkError> {
        let wording = self.device.consent_wording(self.id, purpose)?;
        let (by, lang) = self.read_aloud(purpose, &wording.words)?;
        self.record(purpose, receiver, scope, by, lang)
    }

    /// Who agrees, if anyone does, and in which language it was heard.
    fn read_aloud(&mut self, purpose: Purpose, words: &Text) -> Result<(Option<ConsentBy>, Lang), WalkError> {
        let lang = self.person_lang()?;
        let mut prompt = format!("{}\n{}", self.word(Word::ConsentTitle), self.words(words, &lang));
        if lang != self.lang() {
            prompt = format!("{prompt}\n({})", self.words(words, &self.lang()));
        }
        let choices = self.who_agrees(purpose)?;
        Ok((choose(self.ask, &prompt, &choices)?, lang))
    }

    fn record(
        &self,
        purpose: Purpose,
        receiver: Option<Name>,
        scope: BTreeSet<Scope>,
        by: Option<ConsentBy>,
        lang: Lang,
    ) -> Result<bool, WalkError> {
        let request = ConsentRequest { purpose, receiver, scope, lang, by: by.unwrap_or(ConsentBy::Person) };
        if by.is_some() {
            self.device.consent(self.id, &request)?;
        } else {
            self.device.refuse_consent(self.id, &request)?;
        }
        Ok(by.is_some())
    }

    /// Who may agree: for a child, sharing needs the guardian or the authority, with the child's assent.
    fn who_agrees(&self, purpose: Purpose) -> Result<Vec<Choice<Option<ConsentBy>>>, WalkError> {
        let sharing = matches!(purpose, Purpose::ShareService | Purpose::ShareIdentity);
        let child = self.device.screening(self.id)?.screening.subject() == Subject::Child;
        let agree: &[_] = if sharing && child {
            &[
                (ConsentBy::Authority, Word::ConsentByAuthority),
                (ConsentBy::Guardian, Word::ConsentByGuardian),
            ]
        } else {
            &[(ConsentBy::Person, Word::ConsentYes)]
        };
        let choice = |value, word| Choice { value, label: self.word(word).into(), hint: String::new() };
        let yes = agree.iter().map(|(by, word)| choice(Some(*by), *word));
        Ok(yes.chain([choice(None, Word::ConsentNo)]).collect())
    }

    /// The language in which the person hears: the one that was recorded, else the first that the person is
    /// known to speak, else the official's.
    pub(super) fn person_lang(&self) -> Result<Lang, WalkError> {
        let screening = self.device.screening(self.id)?;
        if let Some(lang) = screening.person_lang {
            return Ok(lang);
        }
        let own = self.lang();
        Ok(match screening.screening.answers.value(intake::LANGUAGES) {
            Some(Value::Choices(known)) if !known.iter().any(|name| name.as_str() == own.as_str()) => {
                known.iter().find_map(|name| Lang::new(name.as_str()).ok()).unwrap_or(own)
            }
            _ => own,
        })
    }
}
