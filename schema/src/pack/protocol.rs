//! A protocol: who must do what, by when, with whose consent, under which law, and what is forbidden.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::name::Name;
use crate::pack::directory::ServiceKind;
use crate::text::{Review, Source, Text};

/// The content of a protocol pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// The time zone of the competent offices, by its IANA name; its offsets are in the calendar pack.
    pub zone: String,
    /// The calendar of working days, by the id of its pack; none where none is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Name>,
    /// The steps; order within a phase is order here.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its id.
    pub id: Name,
    /// The phase it belongs to.
    pub phase: Phase,
    /// What to do, or what not to do.
    pub title: Text,
    /// How, in a few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Text>,
    /// What may be said to the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<Text>,
    /// When it applies: outcome, person, country, setting. Unknown shows the step, marked as possible.
    pub trigger: Condition,
    /// Who acts.
    pub actor: Text,
    /// How binding it is.
    pub obligation: Obligation,
    /// By when, none if no time is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Deadline>,
    /// Which consent it needs.
    pub consent: ConsentNeed,
    /// Situations in which it may be done without that consent; each is then recorded and told to the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consent_exceptions: Vec<ConsentException>,
    /// The law or document it rests on.
    pub legal_basis: Vec<Source>,
    /// Whom to reach for it, none if nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactWish>,
    /// First day on which it is in force; none if unknown or always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// Last day on which it was in force; none while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Date>,
    /// The step that replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<Name>,
    /// How far it was checked.
    pub review: Review,
}

/// Phases of a referral, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Non-punishment and what is forbidden.
    Protect,
    /// Separate, make safe, urgent needs.
    Safety,
    /// Inform and ask for consent.
    Inform,
    /// Refer to services and authorities.
    Refer,
    /// Reflection, residence, support.
    Recover,
    /// Justice and redress.
    Justice,
    /// Follow up and report.
    FollowUp,
}

/// How binding a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obligation {
    /// Must not be done.
    Forbidden,
    /// Must be done.
    Mandatory,
    /// Should be done.
    Recommended,
}

/// A time limit. More than one limit says that the source names several: act by the earlier, the outer
/// limit is the later, and the ambiguity is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// The limits, at least one, at most three.
    pub limits: Vec<Limit>,
    /// The event from which it counts.
    pub counts_from: Event,
    /// Whether the day of the event is day one.
    pub day_zero: DayZero,
    /// What happens when it has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_expiry: Option<Text>,
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How many, from 0 ("at once", in hours) to 10,000.
    pub amount: u32,
    /// Of what.
    pub unit: Unit,
}

/// The unit of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Elapsed hours, in UTC.
    Hours,
    /// Days of the office's calendar date.
    CalendarDays,
    /// Days that are neither weekend nor holiday of the office's calendar.
    WorkingDays,
    /// Months, clamped to the end of the month.
    Months,
}

/// From which event a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The screening was opened.
    Found,
    /// The outcome was recorded.
    Outcome,
    /// A referral was made.
    Referral,
    /// The person applied for or was granted what the step is about; unknown until recorded.
    StepDone,
}

/// Whether the day of the event counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayZero {
    /// It is day one.
    Counts,
    /// The day after it is day one.
    DoesNotCount,
}

/// Which consent a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentNeed {
    /// None.
    None,
    /// The person's word.
    Verbal,
    /// In writing.
    Written,
    /// Of the guardian or the child-protection authority, with the child's assent.
    Guardian,
}

/// A situation in which the law lets a step go ahead without consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentException {
    /// Which situation.
    pub situation: ExceptionKind,
    /// The law that allows it.
    pub legal_basis: Source,
}

/// The situations that the law knows.
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
pub enum ExceptionKind {
    /// A child at risk.
    #[n(0)]
    ChildAtRisk,
    /// Imminent danger to life.
    #[n(1)]
    ImminentDanger,
    /// A legal duty to report.
    #[n(2)]
    LegalDuty,
}

/// Whom a step wants reached. The person's own profile completes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContactWish {
    /// Kinds of service, best first; empty for any.
    pub kinds: Vec<ServiceKind>,
}
