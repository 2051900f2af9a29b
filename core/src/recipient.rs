//! Who may be given the key of one sealed segment, by what the person agreed to until now. Pure.
//!
//! Owns that one decision, for every lane of compartments and every kind of recipient. Never makes a grant, never keeps
//! one back by itself, never asks a clock: the same facts, pack and moment give the same readers. It is asked anew
//! before a transmission when there are other facts or other recipients than when it was asked last, and says at once
//! when its answer lapses ([`lapses`]); so that a consent that ended has ended for what was not delivered yet.
//!
//! | recipient | audit | case, consent | identity |
//! |---|---|---|---|
//! | custodian | yes | yes | while a consent to share identity stands, with anyone |
//! | agency | no | while a service of its own is referred to, and a consent to share everything but identity with that service stands | as before, and a consent to share identity with that service |
//! | oversight | yes | no | no |
//!
//! Consents alone count here. A recorded exception to consent covers the packet that the law asks for, and no
//! key: a key opens all that was said, and cannot be taken back.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::fact::{Compartment, Lane, ReferralState, Scope, Stamp};
use amparo_schema::name::Name;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::pack::recipients::{Recipient, RecipientKey, RecipientRole, Recipients};
use jiff::civil::Date;

use crate::consent::{Ground, State};
use crate::screening::{Keep, Screening, retention};
use crate::seal::PublicKey;

/// What a segment is about.
#[derive(Clone, Copy, Debug)]
pub enum About<'a> {
    /// The store itself.
    Store,
    /// A screening, folded from all its facts.
    Screening(&'a Screening),
    /// A screening whose facts were erased because the person did not, or no longer, agree to storing.
    Erased,
}

/// Whom there is, and when it is.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The custodian of the policy that the screening stays on.
    pub custodian: PublicKey,
    /// The installed recipients pack, if there is one.
    pub recipients: Option<&'a Recipients>,
    /// Now, as the phone knows it. A clock in doubt neither lapses a consent nor revives one: time then stands at the
    /// last moment that was not doubted and is known of the screening.
    pub at: Stamp,
    /// The date to choose keys by; while the clock is in doubt, one on which the installed content is in use.
    pub today: Date,
}

/// Who may read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    /// The keys to which grants are made now: one for each recipient, by the id that a grant names it with.
    pub grant: BTreeMap<[u8; 8], PublicKey>,
    /// Every key of these same recipients, old ones included. A grant made earlier to one of them stands, for a
    /// change of keys is no withdrawal; a grant to any other key is to be withheld.
    pub keep: BTreeSet<[u8; 8]>,
}

impl Readers {
    fn add(&mut self, now: PublicKey, all: impl Iterator<Item = PublicKey>) {
        self.grant.insert(now.id(), now);
        self.keep.extend(all.map(|key| key.id()));
    }
}

/// Who may be given the key of a segment of this compartment now.
#[must_use]
pub fn readers(compartment: Compartment, about: About<'_>, known: &Known<'_>) -> Readers {
    let consent = Consent::now(about, &known.at);
    // Facts of one lane share a segment and its key: nothing finer than the lane may be asked here.
    let may = |role, services: &[Name]| match (role, compartment.lane()) {
        (RecipientRole::Custodian, Lane::Identity) => consent.identity_with_anyone,
        (RecipientRole::Custodian, _) | (RecipientRole::Oversight, Lane::Audit) => true,
        (RecipientRole::Oversight, _) | (RecipientRole::Agency, Lane::Audit) => false,
        (RecipientRole::Agency, Lane::Case) => {
            services.iter().any(|service| consent.with.contains_key(service))
        }
        (RecipientRole::Agency, Lane::Identity) => {
            services.iter().any(|service| consent.with.get(service) == Some(&Reach::AndIdentity))
        }
    };
    let mut readers = Readers::default();
    if may(RecipientRole::Custodian, &[]) {
        readers.add(known.custodian, std::iter::once(known.custodian));
    }
    for recipient in known.recipients.into_iter().flat_map(|pack| &pack.recipients) {
        if may(recipient.role, &recipient.services)
            && let Some(key) = key_on(recipient, known.today)
        {
            readers.add(key.public_key.into(), recipient.keys.iter().map(|key| key.public_key.into()));
        }
    }
    readers
}

/// When each of these readers ends being one by the terms of consents alone, milliseconds since 1970, by the id that a
/// grant names it with. One that no term ends is not here.
#[must_use]
pub fn lapses(
    compartment: Compartment,
    about: About<'_>,
    known: &Known<'_>,
    now: &Readers,
) -> BTreeMap<[u8; 8], i64> {
    let mut lapses = BTreeMap::new();
    let About::Screening(screening) = about else { return lapses };
    let now_ms = screening.consent_ms(&known.at);
    let terms: BTreeSet<i64> = screening.consents.terms().filter(|at_ms| *at_ms > now_ms).collect();
    for at_ms in terms {
        let at = Stamp { wall_ms: at_ms, doubt: None, ..known.at };
        let left = readers(compartment, about, &Known { at, ..*known });
        for gone in now.keep.difference(&left.keep) {
            lapses.entry(*gone).or_insert(at_ms);
        }
    }
    lapses
}

/// The key to which a recipient is granted something on this day: of those in use the one that came into use
/// last, for it will be read longest, and whoever holds it holds the older ones too. When none is in use, the
/// one that lasts or lasted longest: sealing never stops. None only for a recipient without keys.
#[must_use]
pub fn key_on(recipient: &Recipient, today: Date) -> Option<&RecipientKey> {
    let in_use = recipient.keys.iter().filter(|key| key.from <= today && today <= key.until);
    in_use
        .max_by_key(|key| (key.from, key.until, key.public_key))
        .or_else(|| recipient.keys.iter().max_by_key(|key| (key.until, key.from, key.public_key)))
}

/// How far a consent to share with a service reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Everything but identity.
    Case,
    /// Identity as well.
    AndIdentity,
}

/// What the person agrees to at this moment. The default is nothing.
#[derive(Debug, Default)]
struct Consent<'a> {
    identity_with_anyone: bool,
    /// Services that are referred to and may be given keys.
    with: BTreeMap<&'a Name, Reach>,
}

impl<'a> Consent<'a> {
    fn now(about: About<'a>, at: &Stamp) -> Self {
        let About::Screening(screening) = about else { return Self::default() };
        let now_ms = screening.consent_ms(at);
        if !is_kept(screening, now_ms) {
            return Self::default();
        }
        let referred = screening.referrals.iter().filter(|referral| is_under_way(referral.state));
        let with = referred
            .map(|referral| &referral.contact.service)
            .filter_map(|service| Some((service, reach(screening, service, now_ms)?)))
            .collect();
        Self { identity_with_anyone: screening.consents.shares_identity(now_ms), with }
    }
}

/// Whether anything of the screening may be kept, and so shared. Erasing cannot be taken back and never rests
/// on a clock that was in doubt; giving a key cannot either, so here such a clock lapses a consent to store.
fn is_kept(screening: &Screening, now_ms: i64) -> bool {
    let by_law = screening.consents.waivers().any(|waiver| waiver.purpose == Purpose::Store);
    retention(screening, now_ms) == Keep::Full
        && (by_law || screening.consents.state(Purpose::Store, None, now_ms) != State::Expired)
}

/// Whether the service has, or had, something to do with the case. One that has not answered in time still has:
/// its silence takes back nothing that the person agreed to.
fn is_under_way(state: ReferralState) -> bool {
    match state {
        ReferralState::Sent | ReferralState::Accepted | ReferralState::Done | ReferralState::Overdue => true,
        ReferralState::Offered
        | ReferralState::Declined
        | ReferralState::Rejected
        | ReferralState::Revoked => false,
    }
}

/// What may be shared with the service by key; none where consent covers less than all that a segment holds,
/// which only a packet can select from.
fn reach(screening: &Screening, service: &Name, now_ms: i64) -> Option<Reach> {
    let case = BTreeSet::from([Scope::Needs, Scope::Outcome, Scope::Indicators]);
    let consents = |scope: &BTreeSet<Scope>| {
        let permit = screening.consents.allows(scope, service, screening.subject(), now_ms);
        permit.is_ok_and(|p| p.grounds().iter().all(|ground| matches!(ground, Ground::Consent { .. })))
    };
    if !consents(&case) {
        return None;
    }
    let identity = consents(&BTreeSet::from([Scope::Identity]));
    Some(if identity { Reach::AndIdentity } else { Reach::Case })
}
