//! Consents: the words are read aloud, and yes or no is recorded.

use std::collections::BTreeSet;

use amparo_core::consent::State;
use amparo_core::device::ConsentRequest;
use amparo_core::screening::Gate;
use amparo_schema::answer::Value;
use amparo_schema::fact::{ConsentBy, Scope, StopReason};
use amparo_schema::name::Name;
use amparo_schema::pack::policy::{Purpose, intake};
use amparo_schema::text::Lang;

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

    /// Asks for what was left open when the input ended between the gate and the first question: a talk may not
    /// go on without the consent to it, and what is said may not be lost because nobody asked about storing.
    /// True when something was asked.
    pub(super) fn consents_left(&mut self) -> Result<bool, WalkError> {
        let screening = self.device.screening(self.id)?.screening;
        // Before all time nothing has lapsed: this only asks what was never asked.
        let open = |purpose| screening.consents.state(purpose, None, i64::MIN) == State::NotAsked;
        if screening.gate != Gate::Passed {
            return Ok(false);
        }
        if open(Purpose::Talk) {
            self.consents_before_questions()?;
        } else if open(Purpose::Store) {
            self.consent(Purpose::Store, None, BTreeSet::new())?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads one consent aloud and records the answer.
    pub(super) fn consent(
        &mut self,
        purpose: Purpose,
        receiver: Option<Name>,
        scope: BTreeSet<Scope>,
    ) -> Result<bool, WalkError> {
        let wording = self.device.consent_wording(self.id, purpose)?;
        let lang = self.person_lang()?;
        let mut prompt = format!("{}\n{}", self.word(Word::ConsentTitle), self.words(&wording.words, &lang));
        if lang != self.lang() {
            prompt = format!("{prompt}\n({})", self.words(&wording.words, &self.lang()));
        }
        let choices = [
            Choice { value: true, label: self.word(Word::ConsentYes).into(), hint: String::new() },
            Choice { value: false, label: self.word(Word::ConsentNo).into(), hint: String::new() },
        ];
        let agrees = choose(self.ask, &prompt, &choices)?;
        let sharing = matches!(purpose, Purpose::ShareService | Purpose::ShareIdentity);
        let by = if agrees && sharing { self.who_consents()? } else { ConsentBy::Person };
        let request = ConsentRequest { purpose, receiver, scope, lang, by };
        if agrees {
            self.device.consent(self.id, &request)?;
        } else {
            self.device.refuse_consent(self.id, &request)?;
        }
        Ok(agrees)
    }

    /// Who consents to sharing: for who is or may be under 18, a guardian or the authority, beside the person.
    fn who_consents(&mut self) -> Result<ConsentBy, WalkError> {
        if !self.device.explain(self.id)?.person.is_child() {
            return Ok(ConsentBy::Person);
        }
        let choices = [
            (ConsentBy::Guardian, Word::ByGuardian),
            (ConsentBy::Authority, Word::ByAuthority),
            (ConsentBy::Person, Word::ByPersonOnly),
        ]
        .map(|(value, word)| Choice { value, label: self.word(word).into(), hint: String::new() });
        Ok(choose(self.ask, self.speaker.word(Word::WhoConsents), &choices)?)
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
