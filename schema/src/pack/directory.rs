//! A directory: services, how to reach them, whom they take; and agencies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::person::{Country, Exploitation, Sex};
use crate::text::{Lang, Review, Source, Text};

/// The content of a directory pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Services, in any order; the device ranks them.
    pub services: Vec<Service>,
    /// Bodies that co-ordinate or must be notified; not to be dialled, the last resort of a match.
    #[serde(default)]
    pub agencies: Vec<Agency>,
    /// Words by which people search, beside those of the services themselves.
    #[serde(default, skip_serializing_if = "SearchWords::is_empty")]
    pub search_words: SearchWords,
}

/// Words by which people search, in any language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchWords {
    /// For a kind of service: "refugio", "shelter".
    pub kinds: BTreeMap<ServiceKind, Vec<String>>,
    /// For a country: its names.
    pub countries: BTreeMap<Country, Vec<String>>,
}

impl SearchWords {
    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.countries.is_empty()
    }
}

/// One service, line or desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its id.
    pub id: Name,
    /// Its country.
    pub country: Country,
    /// First-level areas that it serves, ISO 3166-2; empty for the whole country.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub areas: BTreeSet<String>,
    /// Places by which people search for it: towns, crossings. Never the place of a secret shelter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
    /// Its name in the languages that are known; the printed one at least.
    pub name: Text,
    /// The body that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// What kind of service.
    pub kind: ServiceKind,
    /// How to reach it, best first.
    pub channels: Vec<Channel>,
    /// Whom it takes; every part may be unknown.
    #[serde(default)]
    pub takes: Takes,
    /// Languages spoken; empty if unknown.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub languages: BTreeSet<Lang>,
    /// When it answers.
    #[serde(default)]
    pub hours: Hours,
    /// The six features of a good line.
    #[serde(default)]
    pub features: Features,
    /// Free places at the time of `verified_on`, none if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// The key to which packets for it are sealed, X25519, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<crate::id::Hash>,
    /// Whether it may be offered.
    pub status: ServiceStatus,
    /// The year in which the source was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed_in: Option<u16>,
    /// The day on which someone called and it was right; none if nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<Date>,
    /// Issue codes of the source table, such as `OBSOLETE_PREFIX`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<String>,
    /// A remark that the official must see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Text>,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// How far it was checked.
    pub review: Review,
}

/// Kinds of service, in the order in which a match prefers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// A line for trafficking in persons.
    DedicatedLine,
    /// A shelter.
    Shelter,
    /// A specialised programme or unit for trafficked persons.
    Specialised,
    /// Child protection.
    Child,
    /// Victim support of any crime.
    VictimSupport,
    /// Women, gender, domestic or sexual violence.
    Women,
    /// Labour rights.
    Labour,
    /// Migration authority or consulate.
    Migration,
    /// Prosecutor, court, legal aid.
    Justice,
    /// Police.
    Police,
    /// Emergency number.
    Emergency,
    /// Anything else.
    Other,
}

/// One way to reach a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// What kind of channel.
    pub kind: ChannelKind,
    /// As shown to a person: `1818, option 1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// As dialled within the country: digits, `*`, `#`, and `,` for a pause. None where nothing may be
    /// dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial: Option<String>,
    /// E.164, only where the source gives it or it follows without doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e164: Option<String>,
    /// Whether the E.164 form was derived rather than printed, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e164_basis: Option<String>,
    /// Reachable from abroad.
    #[serde(default, skip_serializing_if = "Known::is_unknown")]
    pub from_abroad: Known,
    /// The number is known or believed to be wrong: shown as history, never dialled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub do_not_dial: bool,
}

/// Kinds of channel.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    minicbor::Encode,
    minicbor::Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ChannelKind {
    /// Telephone.
    #[n(0)]
    Phone,
    /// Text telephone or relay.
    #[n(1)]
    Tty,
    /// Text message.
    #[n(2)]
    Sms,
    /// Chat in a browser or messenger.
    #[n(3)]
    Chat,
    /// Electronic mail.
    #[n(4)]
    Email,
    /// Web page.
    #[n(5)]
    Web,
    /// Social network: leaves traces.
    #[n(6)]
    Social,
    /// Application.
    #[n(7)]
    App,
    /// In person.
    #[n(8)]
    InPerson,
}

/// Yes, no, or not known. Unknown is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Known to be so.
    Yes,
    /// Known not to be so.
    No,
    /// Not known.
    #[default]
    Unknown,
}

impl Known {
    /// True for `Unknown`.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

/// Whom a service takes. An empty set or `None` is "not known", which never excludes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Takes {
    /// Sexes taken.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub sexes: BTreeSet<Sex>,
    /// Lowest age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_min: Option<u8>,
    /// Highest age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_max: Option<u8>,
    /// Adults with their children.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub children_along: Known,
    /// Forms of exploitation.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub exploitation: BTreeSet<Exploitation>,
    /// Foreign nationals.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub foreign: Known,
    /// Nationals.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub nationals: Known,
}

/// When a service answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Hours {
    /// Not known.
    #[default]
    Unknown,
    /// Day and night.
    Always,
    /// These opening hours, in the time zone of the service.
    Weekly {
        /// IANA name; its offsets are in the calendar pack.
        zone: String,
        /// The spans.
        spans: Vec<Span>,
    },
}

/// One span of opening hours. It may pass midnight: then `closes` is before or equal to `opens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The days on which it opens.
    pub days: BTreeSet<Day>,
    /// Minute of the day at which it opens, 0 to 1439.
    pub opens_minute: u16,
    /// Minute of the day at which it closes, 1 to 1440.
    pub closes_minute: u16,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// The six features that the OAS report wants of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Features {
    /// Costs the caller nothing.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub free: Known,
    /// Takes calls without a name.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub anonymous: Known,
    /// Easy to remember.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub easy_to_remember: Known,
    /// Specialised in trafficking in persons.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub specialised: Known,
    /// Linked to services.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub linked: Known,
    /// Several languages.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub multilingual: Known,
    /// Keeps what it hears to itself.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub confidential: Known,
}

/// Whether a service may be offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ServiceStatus {
    /// It may be offered.
    Current,
    /// Kept as history; this one replaced it.
    Superseded {
        /// The id of the successor, if it is in the directory.
        by: Option<Name>,
    },
    /// The source names it and gives nothing to reach it by. Named in a last resort, never ranked.
    NoContact,
    /// Must not be offered, for the reason in `remark` and `issues`.
    Withheld,
}

/// A body that co-ordinates or must be notified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// Its id.
    pub id: Name,
    /// Its country.
    pub country: Country,
    /// Its name in the languages that are known.
    pub name: Text,
    /// The body that it is under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<String>,
    /// What it is.
    pub kind: AgencyKind,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// How far it was checked.
    pub review: Review,
}

/// Kinds of agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgencyKind {
    /// Inter-agency body.
    Coordination,
    /// Specialised police unit.
    Police,
    /// Specialised prosecutor.
    Prosecution,
    /// Victim assistance.
    Assistance,
    /// Another.
    Other,
}
