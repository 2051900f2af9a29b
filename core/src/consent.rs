//! What the person agreed to, and the permit without which no packet can be built.
//!
//! Owns the reading of consent facts: the last act on a purpose and receiver counts, a withdrawal or refusal
//! ends what came before it, and only a consent given after it counts again. Never guesses: what was not
//! asked is not given. Order is the counter, never the clock; the clock only lapses a consent.

use std::collections::BTreeSet;

use amparo_schema::fact::{Body, Consent, ConsentBy, Scope};
use amparo_schema::id::ScreeningId;
use amparo_schema::name::Name;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::pack::protocol::ExceptionKind;
use amparo_schema::text::{Lang, Source};
use serde::{Deserialize, Serialize};

/// Where one consent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The person agreed and it has not lapsed.
    Given,
    /// The person said no.
    Refused,
    /// The person took it back.
    Withdrawn,
    /// It has lapsed by its own term.
    Expired,
    /// The person was not asked.
    NotAsked,
}

/// Whether a guardian or the child-protection authority must consent to sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Known to be 18 or over.
    Adult,
    /// Under 18, or of unknown age (DOMAIN rule 3: age in doubt counts as a child).
    Child,
}

/// One act on consent, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    Given(Consent),
    /// What was withdrawn; `None` for everything.
    Withdrawn(Option<(Purpose, Option<Name>)>),
    Refused(Purpose, Option<Name>),
    Waived(Waiver),
}

/// A recorded exception: the law let something go ahead without consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The counter of its fact.
    pub counter: u64,
    /// What for.
    pub purpose: Purpose,
    /// The situation.
    pub situation: ExceptionKind,
    /// The law.
    pub legal_basis: Source,
    /// Whether the person was told.
    pub told: bool,
}

/// What a permit rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ground {
    /// A consent.
    Consent {
        /// The counter of its fact.
        counter: u64,
        /// What for.
        purpose: Purpose,
        /// The version of the wording that was read.
        wording: u32,
        /// The language it was read in.
        lang: Lang,
        /// Who consented.
        by: ConsentBy,
    },
    /// A recorded exception.
    Waiver(Waiver),
}

/// The right to hand these fields to this receiver. Only [`Consents::allows`] makes one; it is bound to the
/// screening, and whoever uses it asks again whether it still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    screening: ScreeningId,
    receiver: Name,
    scope: BTreeSet<Scope>,
    grounds: Vec<Ground>,
}

impl Permit {
    /// The receiver.
    #[must_use]
    pub fn receiver(&self) -> &Name {
        &self.receiver
    }

    /// The fields.
    #[must_use]
    pub fn scope(&self) -> &BTreeSet<Scope> {
        &self.scope
    }

    /// What it rests on: at least one ground, at most one for each purpose.
    #[must_use]
    pub fn grounds(&self) -> &[Ground] {
        &self.grounds
    }
}

/// Why nothing may be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No field was asked for.
    #[error("nothing was asked for")]
    Nothing,
    /// The consent does not stand.
    #[error("consent {0:?} is {1:?}")]
    Standing(Purpose, State),
    /// The consent does not cover this field.
    #[error("consent does not cover {0:?}")]
    Scope(Scope),
    /// The person is or may be a child, and neither guardian nor authority consented.
    #[error("consent {0:?} of a child needs a guardian or the authority")]
    NeedsGuardian(Purpose),
}

/// The acts on consent of one screening, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consents {
    screening: ScreeningId,
    acts: Vec<(u64, Act)>,
}

impl Consents {
    /// None yet.
    #[must_use]
    pub fn new(screening: ScreeningId) -> Self {
        Self { screening, acts: Vec::new() }
    }

    /// Takes a fact, in counter order; facts of other kinds change nothing.
    pub fn add(&mut self, counter: u64, body: &Body) {
        let act = match body {
            Body::ConsentGiven(consent) => Act::Given(consent.clone()),
            // A withdrawal whose consent cannot be found (it was given elsewhere, or is damaged) withdraws
            // everything before it: the most restrictive reading wins.
            Body::ConsentWithdrawn { consent } => {
                Act::Withdrawn(self.given(*consent).map(|given| (given.purpose, given.receiver.clone())))
            }
            Body::ConsentRefused { purpose, receiver, .. } => Act::Refused(*purpose, receiver.clone()),
            Body::ConsentWaived { purpose, situation, legal_basis, told } => Act::Waived(Waiver {
                counter,
                purpose: *purpose,
                situation: *situation,
                legal_basis: legal_basis.clone(),
                told: *told,
            }),
            _ => return,
        };
        self.acts.push((counter, act));
    }

    /// Where the consent to `purpose` stands, for `receiver` where it is one to share. `now_ms` is
    /// milliseconds since 1970; a consent has lapsed at the millisecond that it names.
    #[must_use]
    pub fn state(&self, purpose: Purpose, receiver: Option<&Name>, now_ms: i64) -> State {
        for (_, act) in self.acts.iter().rev() {
            match act {
                Act::Given(consent) if is_on(consent, purpose, receiver) => {
                    let lapsed = consent.expires_ms.is_some_and(|at| at <= now_ms);
                    return if lapsed { State::Expired } else { State::Given };
                }
                Act::Withdrawn(None) => return State::Withdrawn,
                Act::Withdrawn(Some((p, r))) if *p == purpose && r.as_ref() == receiver => {
                    return State::Withdrawn;
                }
                Act::Refused(p, r) if *p == purpose && (r.is_none() || r.as_ref() == receiver) => {
                    return State::Refused;
                }
                _ => {}
            }
        }
        State::NotAsked
    }

    /// A permit to hand `scope` to `receiver`, on consent or on recorded exceptions. Identity rests on
    /// [`Purpose::ShareIdentity`] and everything else on [`Purpose::ShareService`], each for this receiver.
    ///
    /// # Errors
    /// [`Denied`], with the first reason.
    pub fn allows(
        &self,
        scope: &BTreeSet<Scope>,
        receiver: &Name,
        subject: Subject,
        now_ms: i64,
    ) -> Result<Permit, Denied> {
        let (identity, other): (BTreeSet<Scope>, BTreeSet<Scope>) =
            scope.iter().partition(|s| **s == Scope::Identity);
        let mut grounds = Vec::new();
        for (purpose, fields) in [(Purpose::ShareService, other), (Purpose::ShareIdentity, identity)] {
            if !fields.is_empty() {
                grounds.push(self.ground(purpose, &fields, receiver, subject, now_ms)?);
            }
        }
        if grounds.is_empty() {
            return Err(Denied::Nothing);
        }
        Ok(Permit { screening: self.screening, receiver: receiver.clone(), scope: scope.clone(), grounds })
    }

    /// Whether a consent to share identity stands for anyone.
    #[must_use]
    pub fn shares_identity(&self, now_ms: i64) -> bool {
        self.acts.iter().any(|(_, act)| match act {
            Act::Given(consent) => {
                let on = consent.receiver.as_ref();
                consent.purpose == Purpose::ShareIdentity
                    && self.state(Purpose::ShareIdentity, on, now_ms) == State::Given
            }
            _ => false,
        })
    }

    /// The recorded exceptions, in order.
    pub fn waivers(&self) -> impl Iterator<Item = &Waiver> {
        self.acts.iter().filter_map(|(_, act)| match act {
            Act::Waived(waiver) => Some(waiver),
            _ => None,
        })
    }

    /// When consents lapse by their own terms, milliseconds since 1970, whether or not they stand.
    pub fn terms(&self) -> impl Iterator<Item = i64> {
        self.acts.iter().filter_map(|(_, act)| match act {
            Act::Given(consent) => consent.expires_ms,
            _ => None,
        })
    }

    /// The consent that the fact with this counter gave.
    #[must_use]
    pub fn given(&self, counter: u64) -> Option<&Consent> {
        let at = self.acts.binary_search_by_key(&counter, |(counter, _)| *counter).ok()?;
        match self.acts.get(at) {
            Some((_, Act::Given(consent))) => Some(consent),
            _ => None,
        }
    }

    fn ground(
        &self,
        purpose: Purpose,
        fields: &BTreeSet<Scope>,
        receiver: &Name,
        subject: Subject,
        now_ms: i64,
    ) -> Result<Ground, Denied> {
        self.consented(purpose, fields, receiver, subject, now_ms).or_else(|denied| {
            self.waivers()
                .find(|waiver| waiver.purpose == purpose)
                .map(|waiver| Ground::Waiver(waiver.clone()))
                .ok_or(denied)
        })
    }

    fn consented(
        &self,
        purpose: Purpose,
        fields: &BTreeSet<Scope>,
        receiver: &Name,
        subject: Subject,
        now_ms: i64,
    ) -> Result<Ground, Denied> {
        let state = self.state(purpose, Some(receiver), now_ms);
        let standing = self.acts.iter().rev().find_map(|(counter, act)| match act {
            Act::Given(consent) if is_on(consent, purpose, Some(receiver)) => Some((counter, consent)),
            _ => None,
        });
        let (State::Given, Some((counter, consent))) = (state, standing) else {
            return Err(Denied::Standing(purpose, state));
        };
        if let Some(field) = fields.difference(&consent.scope).next() {
            return Err(Denied::Scope(*field));
        }
        if subject == Subject::Child && consent.by == ConsentBy::Person {
            return Err(Denied::NeedsGuardian(purpose));
        }
        Ok(Ground::Consent {
            counter: *counter,
            purpose,
            wording: consent.wording,
            lang: consent.lang.clone(),
            by: consent.by,
        })
    }
}

fn is_on(consent: &Consent, purpose: Purpose, receiver: Option<&Name>) -> bool {
    consent.purpose == purpose && consent.receiver.as_ref() == receiver
}
