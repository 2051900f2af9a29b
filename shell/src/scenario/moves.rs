//! What a scenario does after the questions.

use std::collections::{BTreeMap, BTreeSet};

use amparo_core::device::{ConsentRequest, Error};
use amparo_schema::answer::Answer;
use amparo_schema::fact::{ConsentBy, IdentityField, ReferralState, Scope, StepState};
use amparo_schema::id::CaseId;
use amparo_schema::name::Name;
use amparo_schema::pack::directory::ServiceKind;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::pack::protocol::ExceptionKind;
use amparo_schema::text::{Lang, Source};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answers, Run, Said, ScenarioError};
use crate::report;

/// How many contacts a result shows.
const CONTACTS_SHOWN: usize = 5;

/// One move.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Move {
    /// Time goes by.
    AdvanceHours(u32),
    /// Someone sets the wall clock, RFC 3339.
    SetClock(String),
    /// An item is answered, again or late.
    Answer(Name, Answer),
    /// The outcome is recorded.
    Outcome,
    /// Who takes this person.
    Contacts(Vec<ServiceKind>),
    /// A referral to a service, by its id; `null` for the first that is offered.
    Refer(Option<Name>),
    /// The last referral moves on.
    Referral {
        /// Its new state.
        to: ReferralState,
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
    /// The person agrees to share with the receiver of the last referral.
    Consent {
        /// What for.
        purpose: Purpose,
        /// What may be shared.
        #[serde(default)]
        scope: BTreeSet<Scope>,
        /// Who agrees.
        by: ConsentBy,
    },
    /// The person does not agree.
    Refuse {
        /// What for.
        purpose: Purpose,
    },
    /// The last consent for this purpose is withdrawn.
    Withdraw(Purpose),
    /// The law lets something go ahead without consent.
    Waive {
        /// What for.
        purpose: Purpose,
        /// The situation.
        situation: ExceptionKind,
        /// The law.
        legal_basis: Source,
        /// Whether the person was told.
        told: bool,
    },
    /// Who the person is; synthetic.
    Identity {
        /// What.
        field: IdentityField,
        /// The words.
        value: String,
    },
    /// The packet for the last referral.
    Packet(BTreeSet<Scope>),
    /// The card for the person, in a language.
    Card(Lang),
    /// A step is logged.
    Step {
        /// Which.
        step: Name,
        /// What became of it.
        state: StepState,
    },
    /// Another checklist for the same person; what follows is about it.
    Again {
        /// The checklist.
        checklist: Name,
        /// What is answered this time, by item; without it the same as before.
        #[serde(default)]
        answers: Option<BTreeMap<Name, Said>>,
    },
    /// Another person at the same place, with the same checklist: a case of its own. What follows is about it.
    NextPerson {
        /// The language of this person.
        #[serde(default)]
        person_lang: Option<Lang>,
        /// What is answered, by item.
        #[serde(default)]
        answers: BTreeMap<Name, Said>,
        /// What is answered to every other item.
        otherwise: Said,
    },
    /// Search as typed.
    Lookup(String),
    /// The screening is closed.
    Close,
    /// The whole store is checked.
    Verify,
}

impl Move {
    /// The name of the move.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AdvanceHours(_) => "advance_hours",
            Self::SetClock(_) => "set_clock",
            Self::Answer(..) => "answer",
            Self::Outcome => "outcome",
            Self::Contacts(_) => "contacts",
            Self::Refer(_) => "refer",
            Self::Referral { .. } => "referral",
            Self::Consent { .. } => "consent",
            Self::Refuse { .. } => "refuse",
            Self::Withdraw(_) => "withdraw",
            Self::Waive { .. } => "waive",
            Self::Identity { .. } => "identity",
            Self::Packet(_) => "packet",
            Self::Card(_) => "card",
            Self::Step { .. } => "step",
            Self::Again { .. } => "again",
            Self::NextPerson { .. } => "next_person",
            Self::Lookup(_) => "lookup",
            Self::Close => "close",
            Self::Verify => "verify",
        }
    }
}

impl Run<'_> {
    pub(super) fn make(&mut self, next: &Move) -> Result<Value, Error> {
        match next {
            Move::AdvanceHours(hours) => {
                (0..*hours).for_each(|_| self.clock.advance_ms(60 * 60 * 1000));
                Ok(Value::Null)
            }
            Move::SetClock(at) => {
                let moment = super::moment(at).map_err(|_| Error::NotFound { what: "time" })?;
                self.clock.set_wall_ms(moment.wall_ms);
                Ok(Value::Null)
            }
            Move::Answer(item, answer) => {
                self.device.answer(self.id, item, answer.clone()).map(|next| json!(format!("{next:?}")))
            }
            Move::Outcome => Ok(json!(self.device.record_outcome(self.id)?.outcomes())),
            Move::Contacts(kinds) => {
                Ok(report::contacts(&self.device.contacts(self.id, kinds)?, CONTACTS_SHOWN))
            }
            Move::Lookup(typed) => {
                let (services, more) = self.device.lookup(typed, None, CONTACTS_SHOWN)?;
                let ids: Vec<_> = services.into_iter().map(|service| service.id).collect();
                Ok(json!({ "services": ids, "more": more }))
            }
            Move::Step { step, state } => {
                let meaning = self.device.log_step(self.id, step, state.clone())?;
                Ok(json!(format!("{meaning:?}")))
            }
            Move::Again { checklist, answers } => {
                if let Some(answers) = answers {
                    self.said.items = answers.clone();
                }
                let case = self.device.screening(self.id)?.line.case;
                self.further(checklist, Some(case))
            }
            Move::NextPerson { person_lang, answers, otherwise } => {
                self.said = Answers {
                    person_lang: person_lang.clone(),
                    items: answers.clone(),
                    otherwise: otherwise.clone(),
                };
                self.further(&self.scenario.checklist, None)
            }
            Move::Close => {
                let closing = self.device.close(self.id)?;
                let keep = format!("{:?}", closing.keep);
                Ok(json!({ "outcomes": closing.outcomes, "keep": keep, "segments": closing.segments }))
            }
            Move::Verify => Ok(report::verify(&self.device.verify()?, self.device.findings())),
            _ => self.share(next),
        }
    }

    /// Moves about consent and referral.
    fn share(&mut self, next: &Move) -> Result<Value, Error> {
        match next {
            Move::Refer(service) => self.refer(service.as_ref()),
            Move::Referral { to, reason } => {
                self.device.move_referral(self.id, self.last()?, *to, reason.clone()).map(|()| Value::Null)
            }
            Move::Consent { purpose, scope, by } => {
                let request = self.request(*purpose, scope.clone(), *by)?;
                let counter = self.device.consent(self.id, &request)?;
                self.given.insert(*purpose, counter);
                Ok(json!({ "counter": counter }))
            }
            Move::Refuse { purpose } => {
                let request = self.request(*purpose, BTreeSet::new(), ConsentBy::Person)?;
                self.device.refuse_consent(self.id, &request).map(|()| Value::Null)
            }
            Move::Withdraw(purpose) => {
                let counter = self.given.get(purpose).copied().ok_or(Error::NotFound { what: "consent" })?;
                self.device.withdraw_consent(self.id, counter).map(|()| Value::Null)
            }
            Move::Waive { purpose, situation, legal_basis, told } => self
                .device
                .waive_consent(self.id, *purpose, *situation, legal_basis.clone(), *told)
                .map(|()| Value::Null),
            Move::Identity { field, value } => {
                self.device.give_identity(self.id, *field, value.clone()).map(|()| Value::Null)
            }
            Move::Packet(scope) => Ok(json!(self.device.packet(self.id, self.last()?, scope)?)),
            Move::Card(lang) => Ok(json!(self.device.card(self.id, self.last()?, lang)?)),
            _ => Ok(Value::Null),
        }
    }

    fn last(&self) -> Result<amparo_schema::id::ReferralId, Error> {
        self.referral.ok_or(Error::NotFound { what: "referral" })
    }

    fn request(
        &self,
        purpose: Purpose,
        scope: BTreeSet<Scope>,
        by: ConsentBy,
    ) -> Result<ConsentRequest, Error> {
        let sharing = matches!(purpose, Purpose::ShareService | Purpose::ShareIdentity);
        let screening = self.device.screening(self.id)?;
        let lang = screening.person_lang.clone().unwrap_or_else(|| self.scenario.lang.clone());
        let contact = self.referral.and_then(|id| screening.screening.referrals.get(id));
        let receiver = contact.filter(|_| sharing).map(|referral| referral.contact.service.clone());
        Ok(ConsentRequest { purpose, receiver, scope, lang, by })
    }

    fn refer(&mut self, service: Option<&Name>) -> Result<Value, Error> {
        let offers = self.device.contacts(self.id, &[])?.offers;
        let chosen = match service {
            Some(id) => (id.clone(), offers.iter().find(|offer| offer.service.id == *id)),
            None => {
                let first = offers.first().ok_or(Error::NotFound { what: "service" })?;
                (first.service.id.clone(), Some(first))
            }
        };
        let channel = chosen.1.and_then(|offer| offer.channels.first()).map(|(at, _)| *at);
        let id = self.device.refer(self.id, &chosen.0, channel)?;
        self.referral = Some(id);
        Ok(json!({ "referral": id, "service": chosen.0 }))
    }

    fn further(&mut self, checklist: &Name, case: Option<CaseId>) -> Result<Value, Error> {
        match self.screen(checklist, case) {
            Ok(walk) => Ok(walk),
            Err(ScenarioError::Device(why)) => Err(why),
            Err(_) => Err(Error::NotFound { what: "end" }),
        }
    }
}
