//! Export to IOM's Human Trafficking Case Data Standard (HTCDS 2.0 of 24 December 2021, CC BY 4.0), with a
//! report of what is lost.
//!
//! Owns which case may leave, and what of it: the screenings in which the person agreed to share with the
//! receiver, each as far as it was agreed there, field group by field group. A no in any screening holds for the
//! whole case, and so does a last word that is narrower. Pseudonymous unless identity is asked for and was consented to for this receiver. Says at most
//! "possible" of anyone. Never fills a field of the standard with a guess. IOM endorses nothing of this.

mod mapping;

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::answer::Answer;
use amparo_schema::fact::{ConsentBy, IdentityField, Scope};
use amparo_schema::id::{Hash, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::policy::{Purpose, intake};
use serde::Serialize;

use super::report::{Format, csv_text};
use super::view::{CaseView, ConsentView, Consents, IdentityEntry, ReferralView, ScreeningView, Standing};
use super::{Desk, DeskError};
use mapping::{LOSSES, Lossy, exploitation, gender, language};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who will receive it, by its id in the directory; each receiver gets other pseudonyms.
    pub receiver: Name,
    /// Whether identity goes along.
    pub identity: Identity,
}

/// Whether identity goes along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// Never.
    #[default]
    LeftOut,
    /// Where the person consented to share it with this receiver.
    WhereConsented,
}

/// An export and what was lost on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Export {
    /// The standard.
    pub standard: &'static str,
    /// One record for each case that may go.
    pub records: Vec<Record>,
    /// Cases that may not go: no standing consent to share with the receiver. For the desk, and in no file for
    /// the receiver, whom it would tell how many said no.
    #[serde(skip)]
    pub left_out: u64,
    /// What is lost, either way.
    pub losses: Vec<Loss>,
}

/// One case. `Debug` shows the pseudonym alone. Fields bear the names of the standard; several values of one
/// field are joined by `;`. An empty field says nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The case under a name that only this receiver gets. Not a field of the standard.
    #[serde(rename = "case")]
    pub case: String,
    /// What the person wants to be called; only with identity.
    #[serde(rename = "prs_FirstName")]
    pub first_name: String,
    /// Number of a document; only with identity.
    #[serde(rename = "prs_IdentityNumber")]
    pub identity_number: String,
    /// Gender, from the sex that was noted.
    #[serde(rename = "prs_Gender")]
    pub gender: String,
    /// ISO 639-2, where one language alone is known.
    #[serde(rename = "prs_PrimaryLanguage")]
    pub language: String,
    /// `PossibleVictimOfTrafficking` or nothing.
    #[serde(rename = "vic_TraffickingStatus")]
    pub status: String,
    /// Forms of exploitation.
    #[serde(rename = "vic_TypeOfExploitation")]
    pub exploitation: String,
    /// `Active` while a referral to the receiver is under way, or nothing.
    #[serde(rename = "cas_Status")]
    pub case_status: String,
    /// That the person consented to this sharing.
    #[serde(rename = "con_Consent")]
    pub consent: String,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("case", &self.case).finish_non_exhaustive()
    }
}

/// One thing that is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// Ours; empty for a field of the standard that nothing of ours fills.
    pub ours: &'static str,
    /// The field of the standard; empty where it has none.
    pub htcds: &'static str,
    /// What is lost, or why nothing goes.
    pub lost: &'static str,
    /// How often it happened in this export; 0 for what is always so, and for what would speak against somebody.
    /// For the operator, and in no file for the receiver: in an export of few it speaks of one person.
    #[serde(skip)]
    pub times: u64,
}

const HEAD: [&str; 9] = [
    "case",
    "prs_FirstName",
    "prs_IdentityNumber",
    "prs_Gender",
    "prs_PrimaryLanguage",
    "vic_TraffickingStatus",
    "vic_TypeOfExploitation",
    "cas_Status",
    "con_Consent",
];

/// The export of every case that may go to the receiver. `now_ms` is the desk's clock, by which consents
/// lapse.
///
/// # Errors
/// Those of the store.
pub fn export(desk: &Desk, asked: &Asked, now_ms: i64) -> Result<Export, DeskError> {
    let mut making = Making::new(asked, now_ms);
    desk.each_case(now_ms, |case| making.add(&case))?;
    Ok(making.done())
}

/// A screening of which something may go.
struct Shared<'c> {
    screening: &'c ScreeningView,
    scope: BTreeSet<Scope>,
    identity: bool,
}

/// An export in the making; pure.
#[derive(Debug)]
pub struct Making<'a> {
    asked: &'a Asked,
    now_ms: i64,
    export: Export,
    times: BTreeMap<Lossy, u64>,
}

impl<'a> Making<'a> {
    /// Nothing exported yet.
    #[must_use]
    pub fn new(asked: &'a Asked, now_ms: i64) -> Self {
        let export = Export { standard: "HTCDS 2.0", ..Export::default() };
        Self { asked, now_ms, export, times: BTreeMap::new() }
    }

    /// Exports a case, if anything of it may go.
    pub fn add(&mut self, case: &CaseView) {
        let shared = self.shared(case);
        if shared.is_empty() {
            self.export.left_out += 1;
        } else {
            let record = self.record(case, &shared);
            self.export.records.push(record);
        }
    }

    /// The export, by pseudonym: the order of cases tells nothing.
    #[must_use]
    pub fn done(mut self) -> Export {
        self.export.records.sort_by(|a, b| a.case.cmp(&b.case));
        let loss = |(kind, ours, htcds, lost): &mapping::Line| {
            let times = kind.and_then(|kind| self.times.get(&kind).copied()).unwrap_or_default();
            Loss { ours, htcds, lost, times }
        };
        self.export.losses = LOSSES.iter().map(loss).collect();
        self.export
    }

    /// The screenings of which something may go.
    fn shared<'c>(&self, case: &'c CaseView) -> Vec<Shared<'c>> {
        let shared = |screening| {
            let scope = self.scope(case, screening, Purpose::ShareService)?;
            let identity = self.scope(case, screening, Purpose::ShareIdentity);
            let identity = identity.is_some_and(|scope| scope.contains(&Scope::Identity));
            Some(Shared { screening, scope, identity })
        };
        case.screenings.iter().filter(|s| !s.is_hidden()).filter_map(shared).collect()
    }

    /// What of a screening may go for this purpose: what was agreed in it, and in the case as a whole. A person
    /// who is or may be a child in any screening needs a guardian's consent or the authority's.
    fn scope(&self, case: &CaseView, screening: &ScreeningView, purpose: Purpose) -> Option<BTreeSet<Scope>> {
        let child = case.screenings.iter().any(|s| s.person.is_child());
        let permit = |consents: &Consents| self.permit(consents, purpose, child);
        let (whole, own) = (permit(&case.consents)?, permit(&screening.consents)?);
        Some(whole.intersection(&own).copied().collect())
    }

    fn permit(&self, consents: &Consents, purpose: Purpose, child: bool) -> Option<BTreeSet<Scope>> {
        let receiver = Some(&self.asked.receiver);
        let stands = |c: &&ConsentView| {
            c.purpose == purpose && c.receiver.as_ref() == receiver && c.standing == Standing::Given
        };
        let found = consents.all.iter().find(stands)?;
        let grown = !child || !found.by.contains(&ConsentBy::Person);
        (grown && consents.allows(purpose, receiver, self.now_ms)).then(|| found.scope.clone())
    }

    fn lost(&mut self, kind: Lossy) {
        *self.times.entry(kind).or_default() += 1;
    }

    fn record(&mut self, case: &CaseView, shared: &[Shared<'_>]) -> Record {
        let name = Hash::of("amparo-htcds-case-1", &[self.asked.receiver.as_str().as_bytes(), &case.case.0]);
        let mut record = Record {
            case: name.to_string().chars().take(32).collect(),
            consent: "Yes".into(),
            ..Record::default()
        };
        let with = |scope| -> Vec<&ScreeningView> {
            shared.iter().filter(|s| s.scope.contains(&scope)).map(|s| s.screening).collect()
        };
        self.needs(&with(Scope::Needs), &mut record);
        self.outcome(case, &with(Scope::Outcome), &mut record);
        self.indicators(&with(Scope::Indicators), &mut record);
        if self.asked.identity == Identity::WhereConsented {
            let named = shared.iter().filter(|s| s.identity).map(|s| s.screening.screening).collect();
            self.identity(case, &named, &mut record);
        }
        record
    }

    fn needs(&mut self, screenings: &[&ScreeningView], record: &mut Record) {
        let sexes: BTreeSet<_> = screenings.iter().filter_map(|s| s.person.sex).collect();
        // Devices may disagree within one screening, which then has no sex at all.
        let unsettled = |s: &&ScreeningView| s.person.sex.is_none() && said_differently(s, intake::SEX);
        match (sexes.first(), sexes.len()) {
            (Some(sex), 1) if !screenings.iter().any(unsettled) => {
                record.gender = gender(*sex).into();
                self.lost(Lossy::Sex);
            }
            (None, _) if !screenings.iter().any(unsettled) => {}
            _ => self.lost(Lossy::Disagree),
        }
        let spoken: BTreeSet<_> = screenings.iter().flat_map(|s| &s.person.languages).collect();
        match (spoken.first().and_then(|lang| language(lang)), spoken.len()) {
            (_, 0) => {}
            (Some(code), 1) => record.language = code.into(),
            _ => self.lost(Lossy::Language),
        }
        if screenings.iter().any(|s| s.person.age.is_some()) {
            self.lost(Lossy::Age);
        }
        if screenings.iter().any(|s| s.person.foreign.is_some()) {
            self.lost(Lossy::Foreign);
        }
    }

    fn outcome(&mut self, case: &CaseView, screenings: &[&ScreeningView], record: &mut Record) {
        let outcomes: BTreeSet<Outcome> =
            screenings.iter().flat_map(|s| s.outcomes.iter().copied()).collect();
        if outcomes.contains(&Outcome::Presumed) {
            record.status = "PossibleVictimOfTrafficking".into();
        }
        for _ in outcomes.iter().filter(|class| **class != Outcome::Presumed) {
            self.lost(Lossy::Outcome);
        }
        let told = |r: &&ReferralView| {
            let here = screenings.iter().any(|s| r.screening == Some(s.screening));
            here && r.contact.as_ref().is_some_and(|contact| contact.service == self.asked.receiver)
        };
        let referrals: Vec<&ReferralView> = case.referrals.iter().filter(told).collect();
        if referrals.iter().any(|r| r.is_under_way()) {
            record.case_status = "Active".into();
        }
        for _ in &referrals {
            self.lost(Lossy::Referral);
        }
    }

    fn indicators(&mut self, screenings: &[&ScreeningView], record: &mut Record) {
        let forms: BTreeSet<_> =
            screenings.iter().flat_map(|s| s.person.exploitation.iter().copied()).collect();
        let mut words = BTreeSet::new();
        for form in forms {
            let (word, exact) = exploitation(form);
            words.insert(word);
            if !exact {
                self.lost(Lossy::Exploitation);
            }
        }
        record.exploitation = words.into_iter().collect::<Vec<_>>().join(";");
    }

    fn identity(&mut self, case: &CaseView, screenings: &BTreeSet<ScreeningId>, record: &mut Record) {
        let told = |entry: &&IdentityEntry| entry.screening.is_some_and(|id| screenings.contains(&id));
        let told: Vec<&IdentityEntry> = case.identity.iter().filter(told).collect();
        for (field, to) in [
            (IdentityField::Name, &mut record.first_name),
            (IdentityField::Document, &mut record.identity_number),
        ] {
            // The last that each phone wrote; where phones differ, nobody here knows better.
            let mut last: BTreeMap<_, &IdentityEntry> = BTreeMap::new();
            for entry in told.iter().filter(|entry| entry.field == field) {
                let author = &entry.author;
                let newest = last.entry((author.device, author.incarnation)).or_insert(entry);
                if newest.author.counter < author.counter {
                    *newest = entry;
                }
            }
            let values: BTreeSet<&str> = last.values().map(|entry| entry.value.as_str()).collect();
            match (values.first(), values.len()) {
                (Some(value), 1) => *to = (*value).to_owned(),
                (None, _) => {}
                _ => self.lost(Lossy::Identity),
            }
        }
        if !record.first_name.is_empty() {
            self.lost(Lossy::Name);
        }
        let fits =
            |entry: &&&IdentityEntry| matches!(entry.field, IdentityField::Name | IdentityField::Document);
        for _ in told.iter().filter(|entry| !fits(entry)) {
            self.lost(Lossy::Identity);
        }
    }
}

/// Whether devices gave different answers to an item of one screening.
fn said_differently(screening: &ScreeningView, item: &str) -> bool {
    let sides = screening.answers.get(item).map(Vec::as_slice).unwrap_or_default();
    let known = sides.iter().filter(|side| matches!(side.said, Answer::Known(_)));
    let said: Vec<&Answer> = known.map(|side| &side.said).collect();
    said.windows(2).any(|pair| matches!(pair, [a, b] if a != b))
}

impl Export {
    /// The records as CSV, beside which [`Export::losses_csv`] belongs, or records and losses as JSON.
    ///
    /// # Errors
    /// [`DeskError::Text`].
    pub fn write(&self, format: Format) -> Result<String, DeskError> {
        match format {
            Format::Json => serde_json::to_string_pretty(self).map_err(|_| DeskError::Text),
            Format::Csv => csv_text(&HEAD, self.records.iter().map(Record::cells)),
        }
    }

    /// The loss report as CSV.
    ///
    /// # Errors
    /// [`DeskError::Text`].
    pub fn losses_csv(&self) -> Result<String, DeskError> {
        let row = |l: &Loss| [l.ours, l.htcds, l.lost].map(str::to_owned);
        csv_text(&["ours", "htcds", "lost"], self.losses.iter().map(row))
    }
}

impl Record {
    fn cells(&self) -> [String; 9] {
        let fields = [
            &self.case,
            &self.first_name,
            &self.identity_number,
            &self.gender,
            &self.language,
            &self.status,
            &self.exploitation,
            &self.case_status,
            &self.consent,
        ];
        fields.map(Clone::clone)
    }
}
