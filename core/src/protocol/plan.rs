//! The plan: the steps of a protocol that this situation asks for, in the order in which they are shown.
//!
//! Owns which step applies, may apply, or is history, and their order. Never drops a step because something is
//! not known (it is then "possible"), never shows a step that is no longer in force as current, never lets a
//! step with a broken deadline take the others down.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::condition::{Condition, PersonTest, Truth};
use amparo_schema::fact::{Stamp, StepState};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::calendar::Calendar;
use amparo_schema::pack::protocol::{
    ConsentException, ConsentNeed, Event, ExceptionKind, Obligation, Phase, Protocol, Step,
};
use amparo_schema::person::{Person, Place};
use jiff::civil::Date;

use crate::condition::{View, evaluate};
use crate::protocol::deadline::{DeadlineError, Due, State, due};
use crate::protocol::log::{Standing, StepLog, standing};

/// What a plan depends on.
pub struct Situation<'a> {
    /// The classes of the outcome; empty before one was recorded.
    pub outcomes: &'a BTreeSet<Outcome>,
    /// The person, as far as known.
    pub person: &'a Person,
    /// Where the screening takes place.
    pub place: &'a Place,
    /// What has happened so far.
    pub events: Events,
    /// What was last logged about each step.
    pub logged: &'a BTreeMap<Name, StepLog>,
    /// Situations in which the law needs no consent and which an official has stated for this case.
    pub exceptions: &'a BTreeSet<ExceptionKind>,
    /// The date by which a step is in force or not: today at the office ([`crate::calendar::office_date`]), but
    /// with a doubted clock the latest date that is trusted, so that a phone in 1970 hides nothing.
    pub today: Date,
}

/// The events that deadlines count from; none where not recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// The screening was opened.
    pub found: Option<Stamp>,
    /// The outcome was recorded.
    pub outcome: Option<Stamp>,
    /// A referral was made.
    pub referral: Option<Stamp>,
}

/// The steps to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// Steps in force, in the order to show: where the person was found while suspected of an offence, first
    /// the steps against punishment (phase protect, those that ask about the offence before the others); then
    /// what is forbidden; then by phase; else as in the pack.
    pub steps: Vec<PlannedStep<'a>>,
    /// Steps that this situation would ask for and that are not in force. Never to be shown as current.
    pub history: Vec<PastStep<'a>>,
}

/// One step in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep<'a> {
    /// The step.
    pub step: &'a Step,
    /// Whether it applies for certain.
    pub certainty: Certainty,
    /// By when.
    pub due: StepDue,
    /// What was logged about it.
    pub standing: Standing<'a>,
    /// Whose consent it needs.
    pub consent: ConsentAsk<'a>,
}

/// Whether a step applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Its trigger is true.
    Applies,
    /// Its trigger is not known: shown, marked as possible.
    Possible,
}

/// By when a step is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepDue {
    /// No time is set.
    NoLimit,
    /// It counts from an event that is not recorded.
    NotBegun(Event),
    /// It is due.
    Due {
        /// When.
        due: Due,
        /// Where it stands: at the time it was done if it was, else now. A limit that counts from the step
        /// itself being done stands where it stands now.
        state: State,
    },
    /// The pack's deadline gives no date.
    Failed(DeadlineError),
}

/// Whose consent a step needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsentAsk<'a> {
    /// None.
    None,
    /// This one, before the step.
    Needed {
        /// Which.
        need: ConsentNeed,
        /// The situations in which the law would let it go ahead; none has been stated.
        exceptions: &'a [ConsentException],
    },
    /// The law lets it go ahead without: the use is recorded and told to the person. Asking stays better.
    Excepted {
        /// Which it would need.
        need: ConsentNeed,
        /// The situations that were stated, with their law.
        by: Vec<&'a ConsentException>,
    },
}

/// One step that is not in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastStep<'a> {
    /// The step.
    pub step: &'a Step,
    /// Why not.
    pub why: OutOfForce,
    /// What replaced it, as the pack says.
    pub superseded_by: Option<&'a Name>,
}

/// Why a step is not in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfForce {
    /// Its first day is still to come.
    NotYet,
    /// Its last day has passed.
    Ended,
    /// The step that replaced it is in force.
    Replaced,
}

/// The steps that this situation asks for, at `now`.
#[must_use]
pub fn plan<'a>(
    protocol: &'a Protocol,
    situation: &Situation<'a>,
    calendar: Option<&Calendar>,
    now: &Stamp,
) -> Plan<'a> {
    let mut plan = Plan { steps: Vec::new(), history: Vec::new() };
    for step in &protocol.steps {
        let certainty = match evaluate(&step.trigger, situation) {
            Truth::No => continue,
            Truth::Unknown => Certainty::Possible,
            Truth::Yes => Certainty::Applies,
        };
        if let Some(why) = out_of_force(protocol, step, situation.today) {
            plan.history.push(PastStep { step, why, superseded_by: step.superseded_by.as_ref() });
            continue;
        }
        let logged = situation.logged.get(&step.id);
        plan.steps.push(PlannedStep {
            step,
            certainty,
            due: step_due(protocol, step, situation, calendar, now),
            standing: standing(step, logged),
            consent: consent(step, situation.exceptions),
        });
    }
    let offence = situation.person.offence_suspected == Some(true);
    // The sort is stable: steps of one rank and phase keep the order of the pack.
    plan.steps.sort_by_key(|planned| (rank(planned.step, offence), planned.step.phase));
    plan
}

impl View for Situation<'_> {
    fn person(&self) -> Option<&Person> {
        Some(self.person)
    }
    fn place(&self) -> Option<&Place> {
        Some(self.place)
    }
    fn outcome(&self, outcome: Outcome) -> Truth {
        self.outcomes.contains(&outcome).into()
    }
}

fn out_of_force(protocol: &Protocol, step: &Step, today: Date) -> Option<OutOfForce> {
    let begun = |step: &Step| step.valid_from.is_none_or(|from| from <= today);
    let ended = |step: &Step| step.valid_to.is_some_and(|to| to < today);
    if ended(step) {
        return Some(OutOfForce::Ended);
    }
    if !begun(step) {
        return Some(OutOfForce::NotYet);
    }
    // A pack may name the successor and leave the last day open; superseded law is not current all the same.
    let successor = step.superseded_by.as_ref().filter(|id| **id != step.id)?;
    let replaced = protocol.steps.iter().any(|s| s.id == *successor && begun(s) && !ended(s));
    replaced.then_some(OutOfForce::Replaced)
}

fn step_due(
    protocol: &Protocol,
    step: &Step,
    situation: &Situation<'_>,
    calendar: Option<&Calendar>,
    now: &Stamp,
) -> StepDue {
    let Some(deadline) = &step.deadline else { return StepDue::NoLimit };
    let done = match situation.logged.get(&step.id) {
        Some(StepLog { at, state: StepState::Done }) => Some(*at),
        _ => None,
    };
    let (event, at) = match deadline.counts_from {
        Event::Found => (situation.events.found, done),
        Event::Outcome => (situation.events.outcome, done),
        Event::Referral => (situation.events.referral, done),
        Event::StepDone => (done, None),
    };
    let Some(from) = event else { return StepDue::NotBegun(deadline.counts_from) };
    match due(deadline, &from, &protocol.zone, calendar) {
        Ok(due) => StepDue::Due { due, state: due.state(at.as_ref().unwrap_or(now)) },
        Err(error) => StepDue::Failed(error),
    }
}

fn consent<'a>(step: &'a Step, stated: &BTreeSet<ExceptionKind>) -> ConsentAsk<'a> {
    if step.consent == ConsentNeed::None {
        return ConsentAsk::None;
    }
    let by: Vec<_> = step.consent_exceptions.iter().filter(|e| stated.contains(&e.situation)).collect();
    if by.is_empty() {
        ConsentAsk::Needed { need: step.consent, exceptions: &step.consent_exceptions }
    } else {
        ConsentAsk::Excepted { need: step.consent, by }
    }
}

/// The first key of the order; less is earlier.
fn rank(step: &Step, offence: bool) -> u8 {
    let protects = offence && step.phase == Phase::Protect;
    if protects && asks_about_offence(&step.trigger) {
        0
    } else if protects {
        1
    } else if step.obligation == Obligation::Forbidden {
        2
    } else {
        3
    }
}

fn asks_about_offence(trigger: &Condition) -> bool {
    *trigger == Condition::Person(PersonTest::OffenceSuspected)
        || trigger.parts().iter().any(asks_about_offence)
}

#[cfg(test)]
mod tests {
    use amparo_schema::fact::Doubt;
    use amparo_schema::pack::protocol::{DayZero, Deadline, Limit, Unit};
    use amparo_schema::person::{Country, Setting};
    use amparo_schema::text::Source;
    use jiff::civil::date;

    use super::*;
    use crate::protocol::deadline::Progress;
    use crate::protocol::sample::{protocol, stamp, step};

    const HOUR: i64 = 3_600_000;

    /// A situation of which each test changes what it is about.
    struct Case {
        outcomes: BTreeSet<Outcome>,
        person: Person,
        place: Place,
        events: Events,
        logged: BTreeMap<Name, StepLog>,
        exceptions: BTreeSet<ExceptionKind>,
        today: Date,
    }

    impl Case {
        fn new() -> Self {
            let country = Country::new("CL").unwrap();
            Self {
                outcomes: [Outcome::Presumed].into(),
                person: Person::default(),
                place: Place { country, post: None, area: None, setting: Setting::Border },
                events: Events::default(),
                logged: BTreeMap::new(),
                exceptions: BTreeSet::new(),
                today: date(2026, 11, 20),
            }
        }

        fn plan<'a>(&'a self, protocol: &'a Protocol, now: &Stamp) -> Plan<'a> {
            let situation = Situation {
                outcomes: &self.outcomes,
                person: &self.person,
                place: &self.place,
                events: self.events,
                logged: &self.logged,
                exceptions: &self.exceptions,
                today: self.today,
            };
            plan(protocol, &situation, None, now)
        }

        fn log(&mut self, step: &str, at: Stamp, state: StepState) {
            self.logged.insert(name(step), StepLog { at, state });
        }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn ids<'a>(plan: &Plan<'a>) -> Vec<&'a str> {
        plan.steps.iter().map(|planned| planned.step.id.as_str()).collect()
    }

    fn hours(amount: u32, counts_from: Event) -> Option<Deadline> {
        let limits = vec![Limit { amount, unit: Unit::Hours }];
        Some(Deadline { limits, counts_from, day_zero: DayZero::DoesNotCount, on_expiry: None })
    }

    fn only<'a>(plan: &'a Plan<'_>) -> &'a PlannedStep<'a> {
        assert_eq!(plan.steps.len(), 1);
        &plan.steps[0]
    }

    #[test]
    fn unknown_is_possible_and_no_is_left_out() {
        let mut steps = vec![
            step("a", Phase::Refer, Obligation::Mandatory),
            step("b", Phase::Refer, Obligation::Mandatory),
            step("c", Phase::Refer, Obligation::Mandatory),
        ];
        steps[0].trigger = Condition::Outcome(Outcome::Presumed);
        steps[1].trigger = Condition::Person(PersonTest::Foreign);
        steps[2].trigger = Condition::Setting(Setting::Workplace);
        let (protocol, case) = (protocol(steps), Case::new());
        let plan = case.plan(&protocol, &stamp(0));
        let seen: Vec<_> = plan.steps.iter().map(|s| (s.step.id.as_str(), s.certainty)).collect();
        assert_eq!(seen, [("a", Certainty::Applies), ("b", Certainty::Possible)]);
        assert!(plan.history.is_empty());
    }

    #[test]
    fn order_puts_prohibitions_first_and_non_punishment_before_them() {
        let mut steps = vec![
            step("report", Phase::FollowUp, Obligation::Mandatory),
            step("shelter", Phase::Refer, Obligation::Mandatory),
            step("no-call", Phase::Inform, Obligation::Forbidden),
            step("hotline", Phase::Refer, Obligation::Recommended),
            step("no-detention", Phase::Protect, Obligation::Forbidden),
            step("ask-control", Phase::Protect, Obligation::Mandatory),
            step("apart", Phase::Safety, Obligation::Mandatory),
        ];
        steps[5].trigger = Condition::Any(vec![Condition::Person(PersonTest::OffenceSuspected)]);
        let (protocol, mut case) = (protocol(steps), Case::new());
        let rest = ["apart", "shelter", "hotline", "report"];
        for (offence, first) in [
            (Some(true), &["ask-control", "no-detention", "no-call"][..]),
            (None, &["no-detention", "no-call", "ask-control"][..]),
            (Some(false), &["no-detention", "no-call"][..]),
        ] {
            case.person.offence_suspected = offence;
            let plan = case.plan(&protocol, &stamp(0));
            assert_eq!(ids(&plan), [first, &rest[..]].concat(), "{offence:?}");
        }
    }

    #[test]
    fn superseded_law_is_history() {
        let mut steps: Vec<_> = ["old-residence", "new-residence", "to-come", "renamed", "always"]
            .map(|id| step(id, Phase::Recover, Obligation::Mandatory))
            .into();
        steps[0].valid_to = Some(date(2022, 2, 11));
        steps[0].superseded_by = Some(name("new-residence"));
        steps[1].valid_from = Some(date(2022, 2, 12));
        steps[2].valid_from = Some(date(2027, 1, 1));
        steps[3].superseded_by = Some(name("new-residence"));
        let (protocol, mut case) = (protocol(steps), Case::new());
        let history = |case: &Case| -> Vec<_> {
            let plan = case.plan(&protocol, &stamp(0));
            plan.history.iter().map(|past| (past.step.id.as_str().to_owned(), past.why)).collect()
        };
        assert_eq!(ids(&case.plan(&protocol, &stamp(0))), ["new-residence", "always"]);
        let expected = [
            ("old-residence".to_owned(), OutOfForce::Ended),
            ("to-come".to_owned(), OutOfForce::NotYet),
            ("renamed".to_owned(), OutOfForce::Replaced),
        ];
        assert_eq!(history(&case), expected);
        let plan = case.plan(&protocol, &stamp(0));
        assert_eq!(plan.history[0].superseded_by, Some(&name("new-residence")));
        // On the last day of the old law it is current, and what it was replaced by is not.
        case.today = date(2022, 2, 11);
        assert_eq!(ids(&case.plan(&protocol, &stamp(0))), ["old-residence", "renamed", "always"]);
        case.today = date(2022, 2, 12);
        assert_eq!(ids(&case.plan(&protocol, &stamp(0))), ["new-residence", "always"]);
    }

    #[test]
    fn deadlines_begin_with_their_event() {
        for event in [Event::Found, Event::Outcome, Event::Referral, Event::StepDone] {
            let mut notify = step("notify", Phase::Refer, Obligation::Mandatory);
            notify.deadline = hours(24, event);
            let (protocol, mut case) = (protocol(vec![notify]), Case::new());
            assert_eq!(only(&case.plan(&protocol, &stamp(0))).due, StepDue::NotBegun(event));
            match event {
                Event::Found => case.events.found = Some(stamp(HOUR)),
                Event::Outcome => case.events.outcome = Some(stamp(HOUR)),
                Event::Referral => case.events.referral = Some(stamp(HOUR)),
                Event::StepDone => case.log("notify", stamp(HOUR), StepState::Done),
            }
            for (now, progress) in [(25 * HOUR, Progress::Open), (25 * HOUR + 1, Progress::Late)] {
                let plan = case.plan(&protocol, &stamp(now));
                let StepDue::Due { due, state } = only(&plan).due else { panic!("{event:?}") };
                assert_eq!(due.act_by.until_ms, 25 * HOUR);
                assert_eq!(state, State::Firm(progress), "{event:?}");
            }
        }
    }

    #[test]
    fn what_was_done_in_time_stays_in_time() {
        let mut notify = step("notify", Phase::Refer, Obligation::Mandatory);
        notify.deadline = hours(24, Event::Found);
        let (protocol, mut case) = (protocol(vec![notify]), Case::new());
        case.events.found = Some(stamp(0));
        let state = |case: &Case| match only(&case.plan(&protocol, &stamp(99 * HOUR))).due {
            StepDue::Due { state, .. } => state,
            _ => panic!("no date"),
        };
        assert_eq!(state(&case), State::Firm(Progress::Late));
        case.log("notify", stamp(3 * HOUR), StepState::Skipped { reason: "no signal".into() });
        assert_eq!(state(&case), State::Firm(Progress::Late));
        case.log("notify", stamp(4 * HOUR), StepState::Done);
        assert_eq!(state(&case), State::Firm(Progress::Open));
        case.log("notify", Stamp { doubt: Some(Doubt::Jumped), ..stamp(4 * HOUR) }, StepState::Done);
        assert_eq!(state(&case), State::Doubtful(Progress::Open));
    }

    #[test]
    fn a_broken_deadline_takes_nothing_down() {
        let mut steps: Vec<_> =
            ["bad", "good"].map(|id| step(id, Phase::Refer, Obligation::Mandatory)).into();
        steps[0].deadline = hours(10_001, Event::Found);
        let (protocol, mut case) = (protocol(steps), Case::new());
        case.events.found = Some(stamp(0));
        let plan = case.plan(&protocol, &stamp(0));
        assert_eq!(plan.steps[0].due, StepDue::Failed(DeadlineError::Amount));
        assert_eq!(plan.steps[1].due, StepDue::NoLimit);
    }

    #[test]
    fn consent_is_needed_unless_the_law_and_the_case_say_otherwise() {
        let mut notify = step("notify", Phase::Refer, Obligation::Mandatory);
        notify.consent = ConsentNeed::Written;
        let legal_basis = Source { document: "synthetic".into(), place: "1".into(), as_of: None };
        let exception = ConsentException { situation: ExceptionKind::ChildAtRisk, legal_basis };
        notify.consent_exceptions = vec![exception.clone()];
        let (protocol, mut case) = (protocol(vec![notify]), Case::new());
        let needed =
            ConsentAsk::Needed { need: ConsentNeed::Written, exceptions: std::slice::from_ref(&exception) };
        assert_eq!(only(&case.plan(&protocol, &stamp(0))).consent, needed);
        // Another situation than the one this law knows changes nothing.
        case.exceptions = [ExceptionKind::ImminentDanger].into();
        assert_eq!(only(&case.plan(&protocol, &stamp(0))).consent, needed);
        case.exceptions = [ExceptionKind::ChildAtRisk].into();
        let excepted = ConsentAsk::Excepted { need: ConsentNeed::Written, by: vec![&exception] };
        assert_eq!(only(&case.plan(&protocol, &stamp(0))).consent, excepted);
    }

    #[test]
    fn a_breach_shows() {
        let steps = vec![step("no-return", Phase::Protect, Obligation::Forbidden)];
        let (protocol, mut case) = (protocol(steps), Case::new());
        assert_eq!(only(&case.plan(&protocol, &stamp(0))).standing, Standing::Open);
        case.log("no-return", stamp(5), StepState::Done);
        assert_eq!(only(&case.plan(&protocol, &stamp(9))).standing, Standing::Breached(stamp(5)));
    }
}
