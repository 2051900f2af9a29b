//! One item on a screen.

use std::collections::BTreeSet;

use amparo_core::device::{Error, NextStep, Question};
use amparo_core::screening::Refused;
use amparo_schema::answer::{AgeRange, Answer, Mode, Unknown, Value};
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::{Item, ItemKind};
use amparo_schema::text::{Lang, Text};

use super::{Walk, WalkError};
use crate::ask::{Choice, choose};
use crate::words::Word;

/// What was chosen on the screen of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Chosen {
    Answer(Answer),
    Several,
    Type,
    Unknown(Unknown),
    Back,
    Stop,
    Language,
}

impl Walk<'_> {
    /// Shows an item and records what is chosen. Returns the screen to show instead of the device's next one.
    pub(super) fn item(&mut self, item: &Name) -> Result<Option<NextStep>, WalkError> {
        let question = self.device.question(self.id, item)?;
        let same = Some(NextStep::Item(item.clone()));
        let prompt = self.prompt(&question)?;
        let choices = self.choices(&question.item);
        self.ask.page();
        let answer = match choose(self.ask, &prompt, &choices)? {
            Chosen::Answer(answer) => answer,
            Chosen::Unknown(why) => Answer::Unknown(why),
            Chosen::Several => self.several(&question.item)?,
            Chosen::Type => match self.typed(&question.item)? {
                Some(answer) => answer,
                None => return Ok(same),
            },
            Chosen::Back => {
                let back = self.device.back(self.id, &NextStep::Item(item.clone()))?;
                return Ok(back.map(NextStep::Item).or(same));
            }
            Chosen::Stop => {
                self.stop()?;
                return Ok(Some(NextStep::End));
            }
            Chosen::Language => {
                self.switch_language()?;
                return Ok(same);
            }
        };
        match self.device.answer(self.id, item, answer) {
            Ok(_) => Ok(None),
            // The consent to talk has lapsed since, or was taken back: it is asked for again.
            Err(Error::Refused(Refused::Talk(_))) => self.consents_before_questions().map(|()| None),
            Err(Error::Answer(_)) => {
                self.ask.tell(self.speaker.word(Word::NotAccepted));
                Ok(same)
            }
            Err(why) => Err(why.into()),
        }
    }

    fn prompt(&self, question: &Question) -> Result<String, WalkError> {
        let item = &question.item;
        let mode = match item.mode {
            Mode::Observe => Word::Observe,
            Mode::Staff => Word::Staff,
            Mode::Ask => Word::SayThis,
        };
        let position = question.position.map_or(String::new(), |position| {
            let (of, what) = (self.word(Word::Of), self.word(Word::Position));
            format!("  [{what} {} {of} {}]", position.number, position.of)
        });
        let mut lines =
            vec![format!("{}{position}", self.word(mode)), self.words(&item.prompt, &self.lang())];
        // What is said to the person stands in the person's language as well.
        let person = self.person_lang()?;
        if item.mode == Mode::Ask && person != self.lang() {
            lines.push(format!("«{}»", self.words(&item.prompt, &person)));
        }
        if let Some(hint) = &item.hint {
            lines.push(format!("({})", self.words(hint, &self.lang())));
        }
        Ok(lines.join("\n"))
    }

    /// The words in a language; another language is shown visibly where there are none.
    pub(crate) fn words(&self, text: &Text, lang: &Lang) -> String {
        match text.find(lang) {
            Some(found) if found.fallback => {
                format!("{} [{}: {}]", found.words, found.lang, self.word(Word::MachineText))
            }
            Some(found) => found.words.to_owned(),
            None => String::new(),
        }
    }

    fn choices(&self, item: &Item) -> Vec<Choice<Chosen>> {
        let lang = self.lang();
        let choice = |value, label: &str| Choice { value, label: label.to_owned(), hint: String::new() };
        let known = |value, label: &str| choice(Chosen::Answer(Answer::Known(value)), label);
        let mut choices = match &item.kind {
            ItemKind::YesNo if item.mode == Mode::Observe => {
                vec![known(Value::Yes, self.word(Word::Seen)), known(Value::No, self.word(Word::NotSeen))]
            }
            ItemKind::YesNo => {
                vec![known(Value::Yes, self.word(Word::Yes)), known(Value::No, self.word(Word::No))]
            }
            ItemKind::Choice(options) => options
                .iter()
                .map(|option| known(Value::Choice(option.id.clone()), option.label.words(&lang)))
                .collect(),
            ItemKind::Age(bands) => bands
                .iter()
                .map(|band| {
                    known(Value::Age(AgeRange { from: band.from, to: band.to }), band.label.words(&lang))
                })
                .collect(),
            ItemKind::Choices(_) => vec![choice(Chosen::Several, self.word(Word::AnswerNow))],
            ItemKind::Number { .. } | ItemKind::Date | ItemKind::ShortText { .. } => {
                vec![choice(Chosen::Type, self.word(Word::AnswerNow))]
            }
        };
        let unknown: &[_] = match item.mode {
            Mode::Observe | Mode::Staff => &[(Unknown::NotObservable, Word::NotObservable)],
            Mode::Ask => &[(Unknown::DoesNotKnow, Word::DoesNotKnow), (Unknown::Refused, Word::Refused)],
        };
        choices.extend(unknown.iter().map(|(why, word)| choice(Chosen::Unknown(*why), self.word(*word))));
        choices.push(choice(Chosen::Unknown(Unknown::NotAsked), self.word(Word::Skip)));
        choices.push(choice(Chosen::Back, self.word(Word::Back)));
        choices.push(choice(Chosen::Stop, self.word(Word::Stop)));
        choices.push(choice(Chosen::Language, self.word(Word::SwitchLanguage)));
        choices
    }

    fn several(&mut self, item: &Item) -> Result<Answer, WalkError> {
        let ItemKind::Choices(options) = &item.kind else { return Ok(Answer::Unknown(Unknown::NotAsked)) };
        let lang = self.lang();
        let lines: Vec<_> =
            options.iter().map(|option| (option.label.words(&lang).to_owned(), String::new())).collect();
        let chosen = self.ask.several(&self.words(&item.prompt, &lang), &lines)?;
        let names: BTreeSet<Name> =
            chosen.into_iter().filter_map(|at| options.get(at)).map(|option| option.id.clone()).collect();
        Ok(Answer::Known(Value::Choices(names)))
    }

    fn typed(&mut self, item: &Item) -> Result<Option<Answer>, WalkError> {
        let prompt = match &item.kind {
            ItemKind::Number { min, max, unit } => {
                format!("{} {min}-{max} {}", self.word(Word::HowMany), unit.words(&self.lang()))
            }
            ItemKind::Date => self.word(Word::DateForm).to_owned(),
            _ => self.words(&item.prompt, &self.lang()),
        };
        let line = self.ask.line(&prompt)?;
        let value = match &item.kind {
            ItemKind::Number { .. } => line.trim().parse().ok().map(Value::Number),
            ItemKind::Date => line.trim().parse().ok().map(Value::Date),
            _ => Some(Value::Text(line.trim().to_owned())),
        };
        if value.is_none() {
            self.ask.tell(self.speaker.word(Word::NotAccepted));
        }
        Ok(value.map(Answer::Known))
    }
}
