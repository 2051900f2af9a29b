//! What facts are made of: packs, consents, contacts, states and reasons.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::pack::PackRef;
use crate::pack::directory::ChannelKind;
use crate::pack::policy::Purpose;
use crate::text::{Lang, Text};

/// The packs of a screening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Packs {
    /// The checklist.
    #[n(0)]
    pub checklist: PackRef,
    /// The policy.
    #[n(1)]
    pub policy: PackRef,
    /// The protocol.
    #[n(2)]
    pub protocol: PackRef,
    /// The directory.
    #[n(3)]
    pub directory: PackRef,
    /// The calendar, where the protocol names one.
    #[n(4)]
    pub calendar: Option<PackRef>,
}

/// A consent as given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Consent {
    /// What for.
    #[n(0)]
    pub purpose: Purpose,
    /// The service that may receive, for sharing; its id in the directory.
    #[n(1)]
    pub receiver: Option<Name>,
    /// What may be shared.
    #[n(2)]
    pub scope: BTreeSet<Scope>,
    /// The version of the wording that was read.
    #[n(3)]
    pub wording: u32,
    /// The language it was read in.
    #[n(4)]
    pub lang: Lang,
    /// Milliseconds since 1970 at which it lapses, none for never.
    #[n(5)]
    pub expires_ms: Option<i64>,
    /// Who consented.
    #[n(6)]
    pub by: ConsentBy,
}

/// Who consented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ConsentBy {
    /// The person.
    #[n(0)]
    Person,
    /// A guardian, with the child's assent.
    #[n(1)]
    Guardian,
    /// The child-protection authority, with the child's assent.
    #[n(2)]
    Authority,
}

/// What a packet may hold.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Scope {
    /// Needs: language, children along, age band, sex.
    #[n(0)]
    Needs,
    /// The classes of the outcome, in words.
    #[n(1)]
    Outcome,
    /// The indicators that were noted.
    #[n(2)]
    Indicators,
    /// Name, and how to reach the person.
    #[n(3)]
    Identity,
}

/// The contact that a referral used, copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct ContactCopy {
    /// The id in the directory.
    #[n(0)]
    pub service: Name,
    /// The directory it was copied from.
    #[n(1)]
    pub directory: PackRef,
    /// Its name.
    #[n(2)]
    pub name: Text,
    /// The channel.
    #[n(3)]
    pub channel: Option<ChannelKind>,
    /// As shown.
    #[n(4)]
    pub display: Option<String>,
    /// As dialled.
    #[n(5)]
    pub dial: Option<String>,
    /// When it was last verified, ISO 8601; none if never.
    #[n(6)]
    pub verified_on: Option<String>,
    /// The year its source was written.
    #[n(7)]
    pub printed_in: Option<u16>,
}

/// States of a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ReferralState {
    /// Offered to the person.
    #[n(0)]
    Offered,
    /// The person declined.
    #[n(1)]
    Declined,
    /// Sent to the service: called, handed over, or in the outgoing queue.
    #[n(2)]
    Sent,
    /// The service accepted.
    #[n(3)]
    Accepted,
    /// The service rejected; the reason says why.
    #[n(4)]
    Rejected,
    /// Done.
    #[n(5)]
    Done,
    /// Taken back.
    #[n(6)]
    Revoked,
    /// No answer within the time that the protocol sets.
    #[n(7)]
    Overdue,
}

/// What became of a step. `Debug` shows no reason.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Done.
    #[n(0)]
    Done,
    /// Not done, for this reason.
    #[n(1)]
    Skipped {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// Could not be done, for this reason.
    #[n(2)]
    Impossible {
        /// Why.
        #[n(0)]
        reason: String,
    },
}

/// Why a talk was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum StopReason {
    /// The person wanted to stop.
    #[n(0)]
    PersonStopped,
    /// It was no longer safe to talk.
    #[n(1)]
    Unsafe,
    /// No time or no place left.
    #[n(2)]
    NoTime,
    /// Urgent help came first.
    #[n(3)]
    UrgentHelp,
}

/// What the identity compartment may hold. Never the name of another person.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum IdentityField {
    /// The name that the person wants to be called by.
    #[n(0)]
    Name,
    /// Nationality.
    #[n(1)]
    Nationality,
    /// Number of a document.
    #[n(2)]
    Document,
    /// A safe way to reach the person.
    #[n(3)]
    SafeContact,
}
