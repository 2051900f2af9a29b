//! Disclosures: who may be given what, and how far each delivery is.
//!
//! Owns the one decision for a segment and a recipient. Within an incarnation the highest number decides.
//! Between incarnations of one device nothing tells which came later, so the most restrictive decides: what
//! any of them withholds is not given. Whatever the order of arrival, the same set gives the same decision.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{DISCLOSURE_GRANTS_MAX, PENDING_SEGMENTS_MAX};
use amparo_schema::wire::disclosure::Disclosure;
use amparo_schema::wire::push::Refusal;
use amparo_schema::wire::segment::Grant;
use amparo_schema::wire::signed::Signed;
use amparo_seal::{OpenError, unverified};

use super::RelayError;
use super::aside::{Claim, Put};
use super::exchange::Taken;
use super::log::Action;
use super::work::{Work, chain_key};
use crate::storage::{Chain, Delivery, Landed, Recipient, Shelf, Stage, Standing, Voice};

/// Incarnations that may speak about one segment and recipient. No honest store has so many lives; past it
/// nothing is given any more.
const VOICES_MAX: usize = 64;

/// What may be done with one segment for one recipient, as things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It may be given, with this grant.
    Give(Grant),
    /// It is not here, or a person has to look first.
    Hold,
    /// It may not be given any more.
    Withdraw,
}

/// Decides from what every incarnation says and how the segment stands.
pub(super) fn decide(delivery: &Delivery, standing: Option<Standing>) -> Decision {
    let withheld = delivery.voices.iter().any(|voice| voice.grant.is_none());
    if withheld || standing == Some(Standing::Erased) {
        return Decision::Withdraw;
    }
    let grant = delivery.voices.iter().rev().find_map(|voice| voice.grant.clone());
    match (standing, grant) {
        (Some(Standing::Sound), Some(grant)) => Decision::Give(grant),
        _ => Decision::Hold,
    }
}

/// Where what may not be given yet waits. What is granted and here is held back, and stays open.
pub(super) fn held(delivery: &Delivery) -> Stage {
    if delivery.landed.is_some() { Stage::Held } else { Stage::Waiting }
}

/// Where a delivery goes from here. A reader who was ever given the segment is told of every withdrawal,
/// whatever was said in between.
fn next_stage(delivery: &Delivery, decision: &Decision) -> Stage {
    let given = delivery.position.is_some();
    match (decision, delivery.stage) {
        (Decision::Give(_), Stage::Waiting | Stage::Held | Stage::Retract | Stage::Retracted) => Stage::Due,
        (Decision::Withdraw, Stage::Retracted) => Stage::Retracted,
        (Decision::Withdraw, _) if given => Stage::Retract,
        (Decision::Withdraw, Stage::Due | Stage::Held) => Stage::Waiting,
        (Decision::Hold, Stage::Waiting | Stage::Due | Stage::Held | Stage::Retracted) => held(delivery),
        (_, stage) => stage,
    }
}

impl Work<'_> {
    pub(super) fn take_disclosure(
        &mut self,
        frame: &[u8],
        signed: &Signed<Disclosure>,
        released: bool,
    ) -> Result<Taken, RelayError> {
        let Ok(claimed) = unverified(signed) else { return self.aside(frame, Claim::NONE, Refusal::Form) };
        let Some(device) = self.device(claimed.device)? else {
            return self.aside(frame, Claim::Unproven(claimed.device), Refusal::Stranger);
        };
        let disclosure = match device.verify_key().open_object(signed) {
            Ok(disclosure) => disclosure,
            Err(OpenError::Form) => return self.aside(frame, Claim::NONE, Refusal::Form),
            Err(_) => return Ok(Taken::Refused(Refusal::Signature)),
        };
        if disclosure.pairs() > DISCLOSURE_GRANTS_MAX {
            return Ok(Taken::Refused(Refusal::TooLarge));
        }
        if device.revoked.is_some() && !released {
            return self.aside(frame, Claim::Proven(disclosure.device), Refusal::Revoked);
        }
        self.apply(frame, signed, &disclosure, &device.verify_key())
    }

    fn apply(
        &mut self,
        frame: &[u8],
        signed: &Signed<Disclosure>,
        disclosure: &Disclosure,
        key: &amparo_seal::VerifyKey,
    ) -> Result<Taken, RelayError> {
        let Disclosure { device, incarnation, number, .. } = *disclosure;
        let chain = Chain { device, incarnation };
        let mut head = self.head(chain, key)?;
        let hash = Hash::of("amparo-disclosure-held-1", &[&signed.payload]);
        let there = self.tx.record(Shelf::Disclosure, &disclosure_key(chain, number))?;
        if there.as_deref() == Some(&hash.0[..]) {
            return Ok(Taken::Kept);
        }
        let Some(pairs) = self.room.pairs.checked_sub(disclosure.pairs()) else { return Ok(Taken::Later) };
        self.room.pairs = pairs;
        if there.is_some() {
            let put = self.put_aside(frame, Claim::Proven(device), Refusal::Fork)?;
            if put == Put::New {
                self.log_action(Action::Fork { device, incarnation, number })?;
                // A copy of the phone said it. What it gives waits for a person; what it holds back holds, as a
                // voice of its own that nothing overrules.
                let own = u64::from_be_bytes(hash.short()) >> 1;
                for no in disclosure.withheld() {
                    let voice = Voice { incarnation: own, number: 0, grant: None };
                    self.hear(device, no.segment, no.recipient, voice)?;
                }
            }
            return Ok(put.taken(Claim::Proven(device), Refusal::Fork));
        }
        if number >= head.disclosures.saturating_add(PENDING_SEGMENTS_MAX) {
            return Ok(Taken::Later);
        }
        self.tx.put_record(Shelf::Disclosure, &disclosure_key(chain, number), &hash.0)?;
        if number == head.disclosures {
            head.disclosures += 1;
            while self.tx.record(Shelf::Disclosure, &disclosure_key(chain, head.disclosures))?.is_some() {
                head.disclosures += 1;
            }
            self.put_head(chain, &head)?;
        }
        for grant in disclosure.grants() {
            let (segment, recipient) = (grant.segment, grant.recipient);
            self.hear(device, segment, recipient, Voice { incarnation, number, grant: Some(grant) })?;
        }
        for no in disclosure.withheld() {
            self.hear(device, no.segment, no.recipient, Voice { incarnation, number, grant: None })?;
        }
        Ok(Taken::Kept)
    }

    /// Takes what one incarnation says, if it did not say something later already.
    fn hear(
        &mut self,
        device: DeviceId,
        segment: Hash,
        recipient: Recipient,
        mut voice: Voice,
    ) -> Result<(), RelayError> {
        let stored = self.named(device, &segment)?;
        let standing = stored.as_ref().map(|(_, stored)| stored.standing);
        if standing == Some(Standing::Erased) {
            voice.grant = None;
        }
        let there = self.tx.delivery(device, segment, recipient)?;
        let mut delivery = there.unwrap_or_else(|| Delivery {
            device,
            segment,
            recipient,
            landed: stored.map(|(at, stored)| Landed {
                incarnation: at.chain.incarnation,
                number: at.number,
                leaf: stored.leaf,
            }),
            stage: Stage::Waiting,
            position: None,
            voices: Vec::new(),
        });
        match delivery.voices.binary_search_by_key(&voice.incarnation, |v| v.incarnation) {
            Err(_) if delivery.voices.len() >= VOICES_MAX => {
                delivery.voices.iter_mut().for_each(|voice| voice.grant = None);
            }
            Err(at) => delivery.voices.insert(at, voice),
            Ok(at) => {
                let Some(before) = delivery.voices.get_mut(at) else { return Ok(()) };
                // Within one disclosure what is withheld weighs more than what is given.
                if (voice.number, voice.grant.is_none()) <= (before.number, before.grant.is_none()) {
                    return Ok(());
                }
                *before = voice;
            }
        }
        delivery.stage = next_stage(&delivery, &decide(&delivery, standing));
        Ok(self.tx.put_delivery(&delivery)?)
    }

    /// Tells the deliveries of a segment that it came, or that it went.
    pub(super) fn land(
        &mut self,
        device: DeviceId,
        segment: Hash,
        landed: Option<Landed>,
    ) -> Result<(), RelayError> {
        for mut delivery in self.tx.deliveries(device, segment)? {
            delivery.landed = landed;
            delivery.stage = next_stage(&delivery, &decide(&delivery, landed.map(|_| Standing::Sound)));
            self.tx.put_delivery(&delivery)?;
        }
        Ok(())
    }

    /// Brings the deliveries of a segment to what may be done with it now. Grants of what was erased go.
    pub(super) fn settle_all(&mut self, device: DeviceId, segment: Hash) -> Result<(), RelayError> {
        let standing = self.named(device, &segment)?.map(|(_, stored)| stored.standing);
        for mut delivery in self.tx.deliveries(device, segment)? {
            if standing == Some(Standing::Erased) {
                delivery.voices.iter_mut().for_each(|voice| voice.grant = None);
            }
            delivery.stage = next_stage(&delivery, &decide(&delivery, standing));
            self.tx.put_delivery(&delivery)?;
        }
        Ok(())
    }
}

fn disclosure_key(chain: Chain, number: u64) -> Vec<u8> {
    [&chain_key(chain)[..], &number.to_be_bytes()].concat()
}
