//! Counting: one case after the other, then the report.

use std::collections::BTreeMap;

use amparo_schema::outcome::Outcome;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::person::{Exploitation, Person, Setting, Sex};

use super::period::Lies;
use super::suppress::{Threshold, adding_up, overlapping};
use super::{Cell, Period, PlaceBy, Report, Rules, Table, Unit, Variable};
use crate::desk::view::{CaseView, ReferralView, ScreeningView, Standing};

/// Counts in the making.
#[derive(Clone, Debug)]
pub struct Tally {
    period: Period,
    rules: Rules,
    now_ms: i64,
    total: u64,
    undated: u64,
    not_counted: u64,
    counts: BTreeMap<Variable, BTreeMap<String, u64>>,
}

const UNKNOWN: &str = "unknown";
/// What small categories of a list without an end are put together as. No name, area or country is written so.
const OTHERS: &str = "(others)";
/// Beside the place.
const VARIABLES: [Variable; 6] = [
    Variable::Sex,
    Variable::AgeBand,
    Variable::Exploitation,
    Variable::Citizenship,
    Variable::Outcome,
    Variable::Referral,
];
/// What SDG 16.2.2 is broken down by (metadata of 2023-03-31), and citizenship.
const SDG_VARIABLES: [Variable; 4] =
    [Variable::Sex, Variable::AgeBand, Variable::Exploitation, Variable::Citizenship];

impl Tally {
    /// Nothing counted yet. `now_ms` is the time by which consents lapse.
    #[must_use]
    pub fn new(period: Period, rules: Rules, now_ms: i64) -> Self {
        let (variables, place) = match period {
            Period::Sdg1622 { .. } => (&SDG_VARIABLES[..], None),
            _ => (&VARIABLES[..], Some(rules.place.variable())),
        };
        let all = variables.iter().copied().chain(place);
        let counts = all.map(|variable| (variable, closed_list(variable))).collect();
        Self { period, rules, now_ms, total: 0, undated: 0, not_counted: 0, counts }
    }

    /// Counts a case: its screenings, or for SDG 16.2.2 the case, once, on the first day on which its
    /// indicators together called for a referral.
    pub fn add(&mut self, case: &CaseView) {
        if is_sdg(self.period) {
            let presumed = case.screenings.iter().filter(|s| s.outcomes.contains(&Outcome::Presumed));
            let first = presumed.min_by_key(|s| (s.when().map(|w| (w.to, w.from)), s.screening));
            if let Some(first) = first {
                self.count(case, first);
            }
        } else {
            for screening in &case.screenings {
                self.count(case, screening);
            }
        }
    }

    fn count(&mut self, case: &CaseView, screening: &ScreeningView) {
        // What is not shown as a whole has no day and no answers; it is counted at the desk, not here.
        if screening.is_hidden() {
            return;
        }
        let lies = self.period.holds(screening.when());
        if lies == Lies::Outside {
            return;
        }
        if !self.may_count(case, screening) {
            self.not_counted += u64::from(lies == Lies::Inside);
            return;
        }
        if lies == Lies::Unclear {
            self.undated += 1;
            return;
        }
        self.total += 1;
        for (variable, counts) in &mut self.counts {
            for category in categories(*variable, case, screening) {
                *counts.entry(category).or_default() += 1;
            }
        }
    }

    /// Whether the person agreed: in this screening, and without a no in any other.
    fn may_count(&self, case: &CaseView, screening: &ScreeningView) -> bool {
        let said_no = |c: &crate::desk::view::Consents| {
            let no = |s| matches!(s, Standing::Refused | Standing::Withdrawn);
            c.all.iter().any(|c| c.purpose == Purpose::Statistics && no(c.standing))
        };
        let refused = said_no(&case.consents) || said_no(&screening.consents);
        !refused && screening.consents.allows(Purpose::Statistics, None, self.now_ms)
    }

    /// The report.
    #[must_use]
    pub fn report(&self) -> Report {
        let sdg = is_sdg(self.period);
        // What goes to a public indicator leaves the agency.
        let asked = self.rules.threshold;
        let least = if sdg { asked.max(Threshold::PUBLISHED) } else { asked };
        let (from, to) = self.period.days();
        let table = |(variable, counts): (&Variable, &BTreeMap<_, _>)| self.table(*variable, counts, least);
        Report {
            report: self.period.name(),
            from,
            to,
            unit: if sdg { Unit::Cases } else { Unit::Screenings },
            threshold: least.get(),
            total: least.alone(self.total),
            tables: self.counts.iter().map(table).collect(),
            undated: least.alone(self.undated),
            not_counted: least.alone(self.not_counted),
            notes: notes(sdg, least, self.rules.place),
        }
    }

    fn table(&self, variable: Variable, counts: &BTreeMap<String, u64>, least: Threshold) -> Table {
        let numbers: Vec<u64> = counts.values().copied().collect();
        let overlaps = matches!(variable, Variable::Exploitation | Variable::Outcome);
        let shown = if overlaps {
            let alone: Vec<bool> = counts.keys().map(|category| stands_alone(category)).collect();
            overlapping(&numbers, &alone, self.total, least)
        } else {
            adding_up(&numbers, least)
        };
        let withheld = shown.is_none();
        let mut cells: Vec<(String, Cell)> = counts.keys().cloned().zip(shown.unwrap_or_default()).collect();
        if is_open(variable) && cells.iter().any(|(_, cell)| *cell == Cell::Suppressed) {
            // The total less what is shown: nothing that was not known, and no name.
            cells.retain(|(_, cell)| *cell != Cell::Suppressed);
            let rest = cells.iter().fold(self.total, |rest, (_, cell)| match cell {
                Cell::Count(n) => rest.saturating_sub(*n),
                Cell::Suppressed => rest,
            });
            cells.push((OTHERS.to_owned(), Cell::Count(rest)));
        }
        Table { variable, overlapping: overlaps, withheld, cells }
    }
}

/// Whether the list of categories has no end, so that a name in it tells that there was someone.
fn is_open(variable: Variable) -> bool {
    matches!(variable, Variable::Country | Variable::Area | Variable::Post)
}

/// Whether nobody falls under this category and another one.
fn stands_alone(category: &str) -> bool {
    category == UNKNOWN || category == Outcome::NoneNotedToday.as_str()
}

fn is_sdg(period: Period) -> bool {
    matches!(period, Period::Sdg1622 { .. })
}

fn notes(sdg: bool, least: Threshold, place: PlaceBy) -> Vec<&'static str> {
    let mut notes = vec![
        "Screenings note indicators. They are not formal identifications; never add the two series.",
        "Counts of one desk: what was disclosed to this agency and it may still read, where the person agreed to be counted.",
        "Numbers below the threshold, and cells that would give them away, are suppressed (Cox 1980). Zero is shown where that gives nothing away.",
        "Do not publish overlapping periods or several desks' reports of one period: they can be subtracted.",
        "Never publish figures of a single post.",
    ];
    if least < Threshold::PUBLISHED || (!sdg && !place.is_coarse()) {
        notes.push(
            "For reading inside the agency alone: small areas, posts or numbers from 1 to 10 are shown. Neither \
             publish it nor hand it on; beside another report of the period it tells what that one hides.",
        );
    }
    if sdg {
        notes.push(
            "This is not SDG 16.2.2. The indicator counts formally detected persons per 100,000 of the \
             population; a screening detects nobody formally, and a desk knows no population. What this gives: \
             presumed cases of one year, each once, by sex, age, form of exploitation and citizenship, as a \
             separate series. What it cannot give: the numerator, the rate, or the number of persons unknown \
             to this agency.",
        );
        notes.push("A person with two cases is counted twice: cases are never joined by guessing.");
    } else {
        notes.push("A person who was screened twice is counted twice.");
    }
    notes
}

/// The categories that are always listed, so that a missing line says nothing.
fn closed_list(variable: Variable) -> BTreeMap<String, u64> {
    let list: &[&str] = match variable {
        Variable::Sex => &["female", "male", "other", UNKNOWN],
        Variable::AgeBand => &["under_18", "18_or_over", "may_be_under_18", UNKNOWN],
        Variable::Citizenship => &["national", "foreign", UNKNOWN],
        Variable::Setting => &["border", "workplace", "street", "custody", "consulate", "other", UNKNOWN],
        Variable::Referral => &["none", "offered", "sent", "accepted"],
        Variable::Exploitation => {
            &["labour", "sexual", "domestic", "begging", "offences", "marriage", "organs", "other", UNKNOWN]
        }
        Variable::Outcome => &[UNKNOWN],
        Variable::Country | Variable::Area | Variable::Post => &[UNKNOWN],
    };
    let mut out: BTreeMap<String, u64> = list.iter().map(|c| ((*c).to_owned(), 0)).collect();
    if variable == Variable::Outcome {
        out.extend(Outcome::ALL.iter().map(|class| (class.as_str().to_owned(), 0)));
    }
    out
}

fn categories(variable: Variable, case: &CaseView, screening: &ScreeningView) -> Vec<String> {
    let one = |category: &str| vec![category.to_owned()];
    let person = &screening.person;
    let place = screening.place();
    match variable {
        Variable::Sex => one(person.sex.map_or(UNKNOWN, sex)),
        Variable::AgeBand => one(age_band(person)),
        Variable::Citizenship => one(match person.foreign {
            Some(true) => "foreign",
            Some(false) => "national",
            None => UNKNOWN,
        }),
        Variable::Exploitation if person.exploitation.is_empty() => one(UNKNOWN),
        Variable::Exploitation => {
            person.exploitation.iter().map(|form| exploitation(*form).to_owned()).collect()
        }
        Variable::Outcome if screening.outcomes.is_empty() => one(UNKNOWN),
        Variable::Outcome => screening.outcomes.iter().map(|class| class.as_str().to_owned()).collect(),
        Variable::Country => one(place.map_or(UNKNOWN, |place| place.country.as_str())),
        Variable::Area => {
            one(place.and_then(|place| place.area.as_deref()).filter(is_area).unwrap_or(UNKNOWN))
        }
        Variable::Post => {
            one(place.and_then(|place| place.post.as_ref()).map_or(UNKNOWN, |post| post.as_str()))
        }
        Variable::Setting => one(place.map_or(UNKNOWN, |place| setting(place.setting))),
        Variable::Referral => one(referral(case, screening)),
    }
}

/// The form of ISO 3166-2. A device's words go into no table.
fn is_area(area: &&str) -> bool {
    let mut parts = area.split('-');
    let country = parts.next().is_some_and(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase()));
    let fits = |p: &str| {
        (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    country && parts.next().is_some_and(fits) && parts.next().is_none()
}

fn referral(case: &CaseView, screening: &ScreeningView) -> &'static str {
    let of_this = || case.referrals.iter().filter(|r| r.screening == Some(screening.screening));
    if of_this().any(ReferralView::is_accepted) {
        "accepted"
    } else if of_this().any(ReferralView::was_sent) {
        "sent"
    } else if of_this().next().is_some() {
        "offered"
    } else {
        "none"
    }
}

/// Under 18, 18 or over, or the age in doubt.
fn age_band(person: &Person) -> &'static str {
    match person.age {
        None => UNKNOWN,
        Some(age) if age.to < 18 => "under_18",
        Some(age) if age.from >= 18 => "18_or_over",
        Some(_) => "may_be_under_18",
    }
}

fn sex(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "female",
        Sex::Male => "male",
        Sex::Other => "other",
    }
}

fn setting(setting: Setting) -> &'static str {
    match setting {
        Setting::Border => "border",
        Setting::Workplace => "workplace",
        Setting::Street => "street",
        Setting::Custody => "custody",
        Setting::Consulate => "consulate",
        Setting::Other => "other",
    }
}

fn exploitation(form: Exploitation) -> &'static str {
    match form {
        Exploitation::Labour => "labour",
        Exploitation::Sexual => "sexual",
        Exploitation::Domestic => "domestic",
        Exploitation::Begging => "begging",
        Exploitation::Offences => "offences",
        Exploitation::Marriage => "marriage",
        Exploitation::Organs => "organs",
        Exploitation::Other => "other",
    }
}
