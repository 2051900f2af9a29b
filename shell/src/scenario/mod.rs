//! A walk without a person: a JSON file is led through the same device as a person, on a store of its own.
//!
//! Owns the form of scenario files and of their results. Time and randomness come from the file, so a result is
//! the same at every run. A move that the device refuses is part of the result, not the end of the run.

mod expect;
mod moves;
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use amparo_core::device::{ConsentRequest, Device, Error, NextStep, StartRequest};
use amparo_core::random::SeededEntropy;
use amparo_core::secret::Key;
use amparo_core::time::{FixedClock, Moment};
use amparo_schema::fact::{ConsentBy, StopReason};
use amparo_schema::id::{CaseId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::Kind;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::person::Place;
use amparo_schema::text::Lang;
use serde::Deserialize;
use serde_json::{Value, json};

pub use expect::Expect;
pub use moves::Move;
pub use said::Said;

use crate::{embedded, report};

/// Bytes of a scenario file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Screens that one walk may take: more than any form has items.
const SCREENS_MAX: usize = 2_000;

/// A scenario. Everything in it is synthetic.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows.
    pub about: String,
    /// Must be true: no file may hold a real person.
    pub synthetic: bool,
    /// Where randomness starts.
    pub seed: u64,
    /// The wall clock at the start, RFC 3339 with an offset.
    pub at: String,
    /// Where.
    pub place: Place,
    /// The official's language.
    pub lang: Lang,
    /// The person's language, chosen before the gate.
    #[serde(default)]
    pub person_lang: Option<Lang>,
    /// The checklist.
    pub checklist: Name,
    /// What is answered, by item.
    #[serde(default)]
    pub answers: BTreeMap<Name, Said>,
    /// What is answered to every other item.
    pub otherwise: Said,
    /// Gate checks that cannot be confirmed.
    #[serde(default)]
    pub gate_missing: BTreeSet<Name>,
    /// Whether the person agrees to talk.
    #[serde(default = "yes")]
    pub talk: bool,
    /// Whether the person agrees to storing; not asked of who does not talk.
    #[serde(default = "yes")]
    pub store: bool,
    /// The talk is stopped before this item, for this reason.
    #[serde(default)]
    pub stop_before: Option<(Name, StopReason)>,
    /// What follows the questions.
    #[serde(default)]
    pub then: Vec<Move>,
    /// What must come out, reasoned by hand. The run does not look at it; tests do.
    #[serde(default)]
    pub expect: Option<Expect>,
}

fn yes() -> bool {
    true
}

/// Why a scenario did not run. What the device refuses is in the result instead.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file.
    #[error("{place}: {why}")]
    Io {
        /// Which file.
        place: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// The file has not the form of a scenario.
    #[error("{place}, line {line}, column {column}: {why}")]
    Form {
        /// Which file.
        place: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        why: String,
    },
    /// The file does not say that it is synthetic.
    #[error("a scenario must be synthetic and say so")]
    NotSynthetic,
    /// The time does not read.
    #[error("`at` is no RFC 3339 time")]
    Time,
    /// The device failed before the walk was over.
    #[error(transparent)]
    Device(#[from] Error),
    /// The walk did not end.
    #[error("the walk did not end within {SCREENS_MAX} screens")]
    Endless,
}

/// Runs a scenario file.
///
/// # Errors
/// [`ScenarioError`].
pub fn run_file(file: &Path) -> Result<Value, ScenarioError> {
    let scenario = read(file)?;
    let folder =
        tempfile::tempdir().map_err(|why| ScenarioError::Io { place: file.display().to_string(), why })?;
    run(&scenario, folder.path())
}

/// Reads a scenario file.
///
/// # Errors
/// [`ScenarioError::Io`], [`ScenarioError::Form`].
pub fn read(file: &Path) -> Result<Scenario, ScenarioError> {
    let place = || file.display().to_string();
    let io = |why| ScenarioError::Io { place: place(), why };
    let length = std::fs::metadata(file).map_err(io)?.len();
    if length > FILE_BYTES_MAX {
        return Err(io(std::io::Error::other("the file is too large")));
    }
    let text = std::fs::read_to_string(file).map_err(io)?;
    serde_json::from_str(&text).map_err(|e| ScenarioError::Form {
        place: place(),
        line: e.line(),
        column: e.column(),
        why: e.to_string(),
    })
}

/// Runs a scenario on a new store in `folder`.
///
/// # Errors
/// [`ScenarioError`].
pub fn run(scenario: &Scenario, folder: &Path) -> Result<Value, ScenarioError> {
    if !scenario.synthetic {
        return Err(ScenarioError::NotSynthetic);
    }
    let clock = Arc::new(FixedClock::new(moment(&scenario.at)?));
    let entropy = Arc::new(SeededEntropy::new(scenario.seed));
    let trust = embedded::trust().map_err(Error::from)?;
    // A synthetic store needs no secret key; it is removed after the run.
    let key = Key::new(&[7; 32]);
    let device = Device::create(&folder.join("store.db"), &key, trust, clock.clone(), entropy)?;
    // A scenario is about one device: beside the custodian, whom the policy names, nobody reads.
    for bytes in embedded::PACKS {
        if amparo_core::pack::glance(bytes).map_err(Error::from)?.kind != Kind::Recipients {
            device.install(bytes)?;
        }
    }
    run_on(scenario, &device, &clock)
}

/// Runs a scenario on a device with content, whose clock this is. The scenario's own time and seed do not matter.
///
/// # Errors
/// [`ScenarioError`].
pub fn run_on(scenario: &Scenario, device: &Device, clock: &FixedClock) -> Result<Value, ScenarioError> {
    if !scenario.synthetic {
        return Err(ScenarioError::NotSynthetic);
    }
    let said = Answers {
        person_lang: scenario.person_lang.clone(),
        items: scenario.answers.clone(),
        otherwise: scenario.otherwise.clone(),
    };
    let id = ScreeningId([0; 16]);
    Run { device, clock, scenario, said, id, referral: None, given: BTreeMap::new() }.go()
}

/// A moment from RFC 3339 with an offset.
///
/// # Errors
/// [`ScenarioError::Time`].
pub fn moment(at: &str) -> Result<Moment, ScenarioError> {
    let pieces: jiff::Timestamp = at.parse().map_err(|_| ScenarioError::Time)?;
    let offset = at.get(at.len().saturating_sub(6)..).and_then(offset_minutes).unwrap_or(0);
    Ok(Moment { wall_ms: pieces.as_millisecond(), offset_minutes: offset, steady_ms: 1_000_000 })
}

fn offset_minutes(text: &str) -> Option<i16> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let total = hours.parse::<i16>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)?;
    total.checked_mul(sign)
}

/// What the person who is with the official now says.
struct Answers {
    person_lang: Option<Lang>,
    items: BTreeMap<Name, Said>,
    otherwise: Said,
}

/// One run.
struct Run<'a> {
    device: &'a Device,
    clock: &'a FixedClock,
    scenario: &'a Scenario,
    said: Answers,
    id: ScreeningId,
    referral: Option<amparo_schema::id::ReferralId>,
    /// Counters of the consents to share that were given, the last of each purpose.
    given: BTreeMap<Purpose, u64>,
}

impl Run<'_> {
    fn go(&mut self) -> Result<Value, ScenarioError> {
        let scenario = self.scenario;
        let walk = self.screen(&scenario.checklist, None)?;
        let mut moves = Vec::new();
        for next in &scenario.then {
            self.clock.advance_ms(60_000);
            moves.push(match self.make(next) {
                Ok(value) => json!({ "move": next.name(), "ok": value }),
                Err(why) => {
                    json!({ "move": next.name(), "error": format!("{:?}", why.kind()), "why": why.to_string() })
                }
            });
        }
        Ok(json!({
            "about": scenario.about,
            "walk": walk,
            "moves": moves,
            "result": report::screening(self.device, self.id)?,
            "screenings": self.device.screenings()?.iter().map(report::line).collect::<Vec<_>>(),
        }))
    }

    /// Opens a screening, for a new case or as a further one of a case, and walks it to its end.
    fn screen(&mut self, checklist: &Name, case: Option<CaseId>) -> Result<Value, ScenarioError> {
        self.id = self.device.start(&StartRequest {
            checklist: checklist.clone(),
            case,
            place: self.scenario.place.clone(),
            lang: self.scenario.lang.clone(),
        })?;
        self.referral = None;
        if let Some(lang) = &self.said.person_lang {
            self.device.set_language(self.id, lang.clone(), true)?;
        }
        self.walk()
    }

    /// Leads through the items until the end, and records the outcome.
    fn walk(&mut self) -> Result<Value, ScenarioError> {
        let mut shown = Vec::new();
        for _ in 0..SCREENS_MAX {
            self.clock.advance_ms(10_000);
            match self.device.next(self.id)? {
                NextStep::Item(item) => {
                    if self.scenario.stop_before.as_ref().is_some_and(|(stop, _)| *stop == item) {
                        self.stop()?;
                        shown.push(json!({ "stopped_before": item }));
                        continue;
                    }
                    let question = self.device.question(self.id, &item)?;
                    let said = self.said.items.get(&item).unwrap_or(&self.said.otherwise);
                    let answer = said.answer(&question.item);
                    shown.push(json!({
                        "item": item,
                        "position": report::position(question.position),
                        "answer": answer,
                    }));
                    self.device.answer(self.id, &item, answer)?;
                }
                NextStep::Gate => shown.push(self.gate()?),
                NextStep::End => {
                    let assessment = self.device.record_outcome(self.id)?;
                    shown.push(json!({ "outcomes": assessment.outcomes() }));
                    return Ok(Value::Array(shown));
                }
            }
        }
        Err(ScenarioError::Endless)
    }

    fn stop(&self) -> Result<(), Error> {
        match &self.scenario.stop_before {
            Some((_, reason)) => self.device.stop(self.id, *reason),
            None => Ok(()),
        }
    }

    /// The gate; passed, the consents to talk and to store; not passed, the talk ends unsafe.
    fn gate(&self) -> Result<Value, Error> {
        let checks = self.device.gate_checks(self.id)?;
        let confirmed = checks
            .into_iter()
            .map(|check| check.id)
            .filter(|id| !self.scenario.gate_missing.contains(id))
            .collect();
        let gate = self.device.gate(self.id, &confirmed)?;
        if gate != amparo_core::screening::Gate::Passed {
            self.device.stop(self.id, StopReason::Unsafe)?;
            return Ok(json!({ "gate": report::gate(&gate) }));
        }
        // As with a person: who does not want to talk is not asked about storing either.
        let asked = [(Purpose::Talk, self.scenario.talk), (Purpose::Store, self.scenario.store)];
        for (purpose, agrees) in asked.into_iter().take(if self.scenario.talk { 2 } else { 1 }) {
            let request = ConsentRequest {
                purpose,
                receiver: None,
                scope: BTreeSet::new(),
                lang: self.said.person_lang.clone().unwrap_or_else(|| self.scenario.lang.clone()),
                by: ConsentBy::Person,
            };
            if agrees {
                self.device.consent(self.id, &request)?;
            } else {
                self.device.refuse_consent(self.id, &request)?;
            }
        }
        if !self.scenario.talk {
            self.device.stop(self.id, StopReason::PersonStopped)?;
            return Ok(json!({ "gate": report::gate(&gate), "talk": false }));
        }
        Ok(json!({ "gate": report::gate(&gate), "talk": true, "store": self.scenario.store }))
    }
}
