//! Consent, referral, identity, and what is handed to a service and to the person.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::condition::Truth;
use amparo_schema::fact::{Body, Compartment, Consent, ConsentBy, Fact, IdentityField, ReferralState, Scope};
use amparo_schema::id::{Hash, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::directory::{Hours, Service};
use amparo_schema::pack::policy::{ConsentWording, Purpose};
use amparo_schema::pack::protocol::ExceptionKind;
use amparo_schema::text::{Lang, Source};

use super::session::{self, Session, directory};
use super::{DAY_MS, Device, Error};
use crate::packet::card::{Card, card};
use crate::packet::{self, Inputs, Packet};
use crate::seal::{PublicKey, fresh_key, identity_box, identity_open};
use crate::secret::Key;
use crate::{random, referral, store};

/// A consent to record. The wording and its expiry come from the policy that the screening is on.
#[derive(Clone, Debug)]
pub struct ConsentRequest {
    /// What for.
    pub purpose: Purpose,
    /// The service that may receive, for sharing.
    pub receiver: Option<Name>,
    /// What may be shared, for sharing.
    pub scope: BTreeSet<Scope>,
    /// The language in which the words were read.
    pub lang: Lang,
    /// Who consented.
    pub by: ConsentBy,
}

impl Device {
    /// The words of a consent, to be read aloud before it is asked for.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the policy has no such wording.
    pub fn consent_wording(&self, id: ScreeningId, purpose: Purpose) -> Result<ConsentWording, Error> {
        self.work(id, |session| wording(session, purpose).cloned())
    }

    /// Records that the person agreed, and returns the counter by which it can be withdrawn.
    ///
    /// # Errors
    /// [`Error::Refused`] when receiver and scope do not fit the purpose, [`Error::Store`].
    pub fn consent(&self, id: ScreeningId, request: &ConsentRequest) -> Result<u64, Error> {
        let now = self.stamp();
        self.work(id, |session| {
            let wording = wording(session, request.purpose)?;
            let expires_ms = wording
                .expires_days
                .map(|days| i64::from(days).saturating_mul(DAY_MS))
                .map(|lasts| session.screening.consent_ms(&now).saturating_add(lasts));
            let consent = Consent {
                purpose: request.purpose,
                receiver: request.receiver.clone(),
                scope: request.scope.clone(),
                wording: wording.version,
                lang: request.lang.clone(),
                expires_ms,
                by: request.by,
            };
            self.add(session, Body::ConsentGiven(consent))
        })
    }

    /// Records that the person did not agree.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Store`].
    pub fn refuse_consent(&self, id: ScreeningId, request: &ConsentRequest) -> Result<(), Error> {
        self.work(id, |session| {
            let body = Body::ConsentRefused {
                purpose: request.purpose,
                wording: wording(session, request.purpose)?.version,
                lang: request.lang.clone(),
                receiver: request.receiver.clone(),
            };
            self.add(session, body)?;
            Ok(session.erased)
        })
        .map(|erased| self.forget_if(erased))
    }

    /// Withdraws the consent that was recorded under this counter. Works after closing too, and travels; where
    /// it was the consent to store, all but the outcome is erased from this device. Of a screening that was purged
    /// every reader is withheld, and a counter that no consent has withdraws everything.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such consent.
    pub fn withdraw_consent(&self, id: ScreeningId, consent: u64) -> Result<(), Error> {
        let body = Body::ConsentWithdrawn { consent };
        let withdrawn = self.work(id, |session| {
            self.add(session, body.clone())?;
            Ok(session.erased)
        });
        match withdrawn {
            Err(Error::Purged) => self.add_to_purged(id, body),
            done => done.map(|erased| self.forget_if(erased)),
        }
    }

    /// Records that the law lets something go ahead without consent. It must be told to the person; `told`
    /// says whether that was possible.
    ///
    /// # Errors
    /// [`Error::Refused`] for a purpose that is never forced, or without a law and the place in it.
    pub fn waive_consent(
        &self,
        id: ScreeningId,
        purpose: Purpose,
        situation: ExceptionKind,
        legal_basis: Source,
        told: bool,
    ) -> Result<(), Error> {
        let body = Body::ConsentWaived { purpose, situation, legal_basis, told };
        self.work(id, |session| self.add(session, body).map(|_| ()))
    }

    /// Offers a referral to a service of the screening's directory, by a channel of it (none where there is
    /// nothing to dial), and copies the contact.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown service, [`Error::NoCopy`] for a channel that is never dialled.
    pub fn refer(
        &self,
        id: ScreeningId,
        service: &Name,
        channel: Option<usize>,
    ) -> Result<ReferralId, Error> {
        let referral = ReferralId(random::bytes(&*self.entropy)?);
        self.work(id, |session| {
            let pack = session.screening.packs.directory.clone();
            let service = self.service(session, service)?;
            let contact = referral::copy(&service, channel, &pack)?;
            self.add(session, Body::ReferralOffered { referral, contact })?;
            Ok(referral)
        })
    }

    /// Moves a referral on. A reason is needed where the table of moves asks for one.
    ///
    /// # Errors
    /// [`Error::Refused`] for a move that is not legal.
    pub fn move_referral(
        &self,
        id: ScreeningId,
        referral: ReferralId,
        to: ReferralState,
        reason: Option<String>,
    ) -> Result<(), Error> {
        let body = Body::ReferralMoved { referral, to, reason };
        self.work(id, |session| self.add(session, body).map(|_| ()))
    }

    /// Records who the person is: into the identity compartment, under the key of the case, only at referral.
    ///
    /// # Errors
    /// [`Error::Refused`] before there is a referral or a consent to share identity, or for a text that is
    /// empty or too long.
    pub fn give_identity(&self, id: ScreeningId, field: IdentityField, value: String) -> Result<(), Error> {
        self.work(id, |session| self.add(session, Body::IdentityGiven { field, value }).map(|_| ()))
    }

    /// Builds the packet for the contact of a referral: what consent covers and nothing beyond.
    ///
    /// # Errors
    /// [`Error::NoPermit`] without consent, [`Error::Packet`] when the referral has ended.
    pub fn packet(
        &self,
        id: ScreeningId,
        referral: ReferralId,
        scope: &BTreeSet<Scope>,
    ) -> Result<Packet, Error> {
        let now = self.stamp();
        self.work(id, |session| {
            let permit = session.screening.permit(referral, scope, session.screening.consent_ms(&now))?;
            let case = self.case(session.screening.case)?;
            let identity = match scope.contains(&Scope::Identity) {
                true => self.open_identity(session)?,
                false => BTreeMap::new(),
            };
            let assessment = session.assess();
            let noted = assessment
                .indicators
                .iter()
                .filter(|finding| finding.state == Truth::Yes)
                .map(|finding| finding.id.clone())
                .collect();
            let inputs = Inputs {
                case_code: &case.code,
                person: &assessment.person,
                outcomes: &assessment.outcomes(),
                indicators: &noted,
                identity: &identity,
                made_at: now,
            };
            Ok(packet::build(&session.screening, referral, &permit, &inputs)?)
        })
    }

    /// Seals a packet for the one key that may open it.
    ///
    /// # Errors
    /// [`Error::Seal`] for a key that is none.
    pub fn seal_packet(&self, packet: &Packet, recipient: Hash) -> Result<Vec<u8>, Error> {
        Ok(packet::seal_for(packet, &PublicKey::from(recipient), &*self.entropy)?)
    }

    /// The card for the person: the memorable code and the contact, without identity.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Card`].
    pub fn card(&self, id: ScreeningId, referral: ReferralId, lang: &Lang) -> Result<Card, Error> {
        let today = self.today();
        self.work(id, |session| {
            let case = self.case(session.screening.case)?;
            let contact = session.screening.referrals.get(referral).map(|held| held.contact.service.clone());
            let service = contact.and_then(|service| self.service(session, &service).ok());
            let hours = service.map_or(Hours::Unknown, |service| service.hours);
            Ok(card(&session.screening, referral, &case.memorable, &hours, today, lang)?)
        })
    }

    fn service(&self, session: &Session, service: &Name) -> Result<Service, Error> {
        let pack = self.pack(&session.screening.packs.directory)?;
        let found = directory(&pack)?.services.iter().find(|candidate| candidate.id == *service);
        found.cloned().ok_or(Error::NotFound { what: "service" })
    }

    /// Encrypts an identity fact under the key of its case, which is drawn at first use.
    pub(super) fn box_identity(&self, session: &Session, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let case = session.screening.case;
        let key = match self.store.read(|rows| store::case::identity_key(rows, case))? {
            Some(key) => key,
            None => {
                let key = fresh_key(&*self.entropy)?;
                self.store.write(|tx| store::case::set_identity_key(tx, case, &key))?;
                key
            }
        };
        Ok(identity_box(&key, plain, &case.0, &*self.entropy)?)
    }

    /// Identity facts of a screening, opened: counter and encoded fact.
    pub(super) fn opened_identity(&self, session: &Session) -> Result<Vec<Opened>, Error> {
        let case = session.screening.case;
        let (key, rows) = self.store.read(|rows| {
            let key = store::case::identity_key(rows, case)?;
            Ok::<_, Error>((key, store::fact::of_screening(rows, session.screening.id)?))
        })?;
        let Some(key) = key else { return Ok(Vec::new()) };
        let boxed = rows.into_iter().filter(|row| row.compartment == Compartment::Identity);
        boxed
            .filter_map(|row| row.body.map(|body| (row.counter, body)))
            .map(|(counter, body)| open_one(&key, counter, &body, &case.0))
            .collect()
    }

    fn open_identity(&self, session: &Session) -> Result<BTreeMap<IdentityField, String>, Error> {
        let mut identity = BTreeMap::new();
        for (counter, plain) in self.opened_identity(session)? {
            let fact: Fact = session::decode(counter, &plain)?;
            if let Body::IdentityGiven { field, value } = fact.body {
                identity.insert(field, value);
            }
        }
        Ok(identity)
    }
}

/// An identity fact, opened: its counter and its encoded bytes, wiped when dropped.
pub(super) type Opened = (u64, zeroize::Zeroizing<Vec<u8>>);

fn open_one(key: &Key, counter: u64, body: &[u8], case: &[u8]) -> Result<Opened, Error> {
    identity_open(key, body, case).map(|plain| (counter, plain)).map_err(|_| Error::Unreadable { counter })
}

fn wording(session: &Session, purpose: Purpose) -> Result<&ConsentWording, Error> {
    session
        .packs
        .policy()?
        .consents
        .iter()
        .find(|wording| wording.purpose == purpose)
        .ok_or(Error::NotFound { what: "consent wording" })
}
