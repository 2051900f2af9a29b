//! What a service is told about one person: the packet, its sealing, and the card for the person.
//!
//! Owns the one place where facts about a person leave for a service. A packet cannot be built without a
//! [`Permit`], which only consent gives, and holds nothing outside its scope (DOMAIN rules 20, 21, 23). The
//! card never holds identity, a place, or what was noted.

pub mod card;
pub mod code;

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::answer::AgeRange;
use amparo_schema::fact::{ContactCopy, IdentityField, Packs, ReferralState, Scope, Stamp};
use amparo_schema::id::ReferralId;
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::person::{Country, Person, Sex};
use amparo_schema::text::Lang;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::consent::{Ground, Permit};
use crate::random::Entropy;
use crate::screening::Screening;
use crate::seal::{self, OpenError, PublicKey, SealError, SecretKey};

/// HPKE `info` of a sealed packet.
pub const PACKET_CONTEXT: &[u8] = b"amparo-packet-1";
/// The format that this build writes and reads.
pub const FORMAT: u8 = 1;

/// What a service is told. `None` says "not in scope", never "not known".
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packet {
    /// The format, [`FORMAT`].
    pub format: u8,
    /// The random code of the case.
    pub case_code: String,
    /// The referral that it belongs to.
    pub referral: ReferralId,
    /// When it was made; a doubted clock says so.
    pub made_at: Stamp,
    /// The country of the screening.
    pub country: Country,
    /// The code of the post or crossing; nothing more exact.
    pub post: Option<Name>,
    /// What the person needs.
    pub needs: Option<Needs>,
    /// The classes of the outcome.
    pub outcomes: Option<Vec<Class>>,
    /// The indicators that were noted, by id.
    pub indicators: Option<BTreeSet<Name>>,
    /// Name, and how to reach the person.
    pub identity: Option<Identity>,
    /// The contact as it was when the referral was offered.
    pub contact: ContactCopy,
    /// What was permitted.
    pub scope: BTreeSet<Scope>,
    /// On what grounds: consents, and exceptions with their law.
    pub grounds: Vec<Ground>,
    /// The packs that the screening stands on.
    pub packs: Packs,
}

/// What the person needs from a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Languages in which the person can talk.
    pub languages: BTreeSet<Lang>,
    /// Children along; none if not known.
    pub children_along: Option<u8>,
    /// Age band; none if not known.
    pub age: Option<AgeRange>,
    /// Whether to be treated as a child; also when the age is not known.
    pub treat_as_child: bool,
    /// Sex; none if not known.
    pub sex: Option<Sex>,
}

/// Who the person is. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(pub BTreeMap<IdentityField, String>);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl std::fmt::Debug for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packet").field("referral", &self.referral).finish_non_exhaustive()
    }
}

/// The classes of an outcome as an export may say them: at most "possible".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// An immediate danger or health need.
    UrgentSafety,
    /// To be treated as a child.
    ChildProtection,
    /// Indicators were noted that together call for a referral.
    Possible,
    /// Not enough is known.
    Unresolved,
    /// Signs of a breach of labour law.
    LabourRights,
    /// Fears return, or may seek asylum.
    ReturnConcern,
    /// Nothing was noted on that day.
    NoneNotedToday,
}

impl From<Outcome> for Class {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::UrgentSafety => Self::UrgentSafety,
            Outcome::ChildProtection => Self::ChildProtection,
            Outcome::Presumed => Self::Possible,
            Outcome::ConcernUnresolved => Self::Unresolved,
            Outcome::LabourRights => Self::LabourRights,
            Outcome::ReturnConcern => Self::ReturnConcern,
            Outcome::NoneNotedToday => Self::NoneNotedToday,
        }
    }
}

/// What a packet is made from, besides the screening. The permit decides how much of it goes in.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The random code of the case.
    pub case_code: &'a str,
    /// The person, as the assessment completed it.
    pub person: &'a Person,
    /// The classes of the outcome, most urgent first.
    pub outcomes: &'a [Outcome],
    /// The indicators that were noted.
    pub indicators: &'a BTreeSet<Name>,
    /// Identity, opened for this referral; empty unless it is to be shared.
    pub identity: &'a BTreeMap<IdentityField, String>,
    /// Now.
    pub made_at: Stamp,
}

/// Why no packet was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPacket {
    /// There is no such referral.
    #[error("no referral with this id")]
    NoReferral,
    /// The referral was declined, rejected, revoked, or is done.
    #[error("the referral is {0:?}")]
    Ended(ReferralState),
    /// The permit is for another receiver or screening, or consent has changed or lapsed since.
    #[error("the permit does not hold for this packet")]
    Permit,
}

/// Builds the packet for the contact of a referral, within the permit and nothing beyond.
///
/// # Errors
/// [`NoPacket`]. The permit is asked again at `inputs.made_at`: a withdrawal or lapse since then wins.
pub fn build(
    screening: &Screening,
    referral: ReferralId,
    permit: &Permit,
    inputs: &Inputs<'_>,
) -> Result<Packet, NoPacket> {
    let held = screening.referrals.get(referral).ok_or(NoPacket::NoReferral)?;
    if !crate::referral::is_open(held.state) {
        return Err(NoPacket::Ended(held.state));
    }
    let again = screening.permit(referral, permit.scope(), screening.consent_ms(&inputs.made_at));
    if again.as_ref() != Ok(permit) {
        return Err(NoPacket::Permit);
    }
    let within = |field: Scope| permit.scope().contains(&field);
    let person = inputs.person;
    Ok(Packet {
        format: FORMAT,
        case_code: inputs.case_code.to_owned(),
        referral,
        made_at: inputs.made_at,
        country: screening.place.country,
        post: screening.place.post.clone(),
        needs: within(Scope::Needs).then(|| Needs {
            languages: person.languages.clone(),
            children_along: person.children_along,
            age: person.age,
            treat_as_child: person.is_child(),
            sex: person.sex,
        }),
        outcomes: within(Scope::Outcome).then(|| inputs.outcomes.iter().map(|o| Class::from(*o)).collect()),
        indicators: within(Scope::Indicators).then(|| inputs.indicators.clone()),
        identity: (within(Scope::Identity) && !inputs.identity.is_empty())
            .then(|| Identity(inputs.identity.clone())),
        contact: held.contact.clone(),
        scope: permit.scope().clone(),
        grounds: permit.grounds().to_vec(),
        packs: screening.packs.clone(),
    })
}

/// A sealed packet as it travels: the CBOR array of these fields.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(array)]
struct SealedPacket {
    #[n(0)]
    format: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    recipient: [u8; 8],
    #[cbor(n(2), with = "minicbor::bytes")]
    encapsulated: Vec<u8>,
    #[cbor(n(3), with = "minicbor::bytes")]
    ciphertext: Vec<u8>,
}

/// Seals a packet for the one key that may open it: HPKE base mode, `info` [`PACKET_CONTEXT`], the recipient's
/// key id as additional data; the JSON is padded like a segment, so that its length tells little.
///
/// # Errors
/// [`SealError`].
pub fn seal_for(packet: &Packet, recipient: &PublicKey, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
    let json = Zeroizing::new(serde_json::to_vec(packet).map_err(|_| SealError::Encoding)?);
    let padded = seal::pad(&json)?;
    let (encapsulated, ciphertext) =
        seal::hpke_seal(recipient, PACKET_CONTEXT, &recipient.id(), &padded, entropy)?;
    seal::to_bytes(&SealedPacket { format: FORMAT, recipient: recipient.id(), encapsulated, ciphertext })
}

/// Opens a sealed packet.
///
/// # Errors
/// [`OpenError`]; a packet of another format or for another key says so.
pub fn open(bytes: &[u8], secret: &SecretKey) -> Result<Packet, OpenError> {
    let sealed: SealedPacket = seal::from_bytes(bytes)?;
    if sealed.format != FORMAT {
        return Err(OpenError::Version);
    }
    let own = secret.public().id();
    if sealed.recipient != own {
        return Err(OpenError::Recipient);
    }
    let padded = seal::hpke_open(secret, &sealed.encapsulated, PACKET_CONTEXT, &own, &sealed.ciphertext)?;
    serde_json::from_slice(seal::unpad(&padded)?).map_err(|_| OpenError::Form)
}
