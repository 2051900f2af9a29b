//! Tables of services and agencies, as extracted from the OAS progress report, to the types of a directory pack.
//!
//! Owns the meaning of every column and of every issue code, and the checks of numbers. Never guesses: an attribute
//! that is not known stays unknown, a number is only ever the printed one, and a row that says nothing of use is
//! dropped with a note. An issue code that is not listed here is an error, so that nobody adds one without deciding
//! what it means:
//!
//! | code | what becomes of the row |
//! |---|---|
//! | `COUNTRY_UNNAMED` | dropped with a note: never shown for a country that did not name it |
//! | `SAFETY_REVIEW` | withheld: a social network leaves traces on the phone |
//! | `NOT_TIP` | withheld: the line is for something else |
//! | `LIKELY_TYPO` | withheld, and its channel is do-not-dial, without anything to dial |
//! | `SUPERSEDED_BY_<short code>` | superseded by the current row of the country that dials this code |
//! | `NO_NUMBER`, `NO_ADDRESS` | no contact: named as a last resort |
//! | `NOT_DIALABLE_FROM_ABROAD` | not reachable from abroad |
//! | `OBSOLETE_PREFIX` | dialled without the `01` that was printed; remark; unverified |
//! | `MENU_STEP_REQUIRED` | dialled with a pause and the option; remark |
//! | `VANITY_DECODED` | the letters must spell the digits, else an error |
//! | `AREA_CODE_ASSUMED`, `ROW_MISALIGNED`, `INSTITUTION_IN_TEXT`, `INFERRED_ATTRS` | remark; unverified |
//! | `RELAY_CODE`, `MOBILE_LIKELY_STALE`, `AGENCY_SINCE_REPLACED`, `ALSO_GENERIC_POLICE_LINE`, `LIMITED_HOURS`, `TRANSLATED_BRAND`, `TEXT_SAYS_NUMBER_GIVEN` | remark |
//! | `TITLE_SWAP`, `NO_INSTITUTION` | kept as a code: they matter to editors only |
//!
//! Of several statuses the first in this table holds. E.164 is kept where it was printed or follows without doubt;
//! one that the table calls `derived low` is checked and left out. All answers are of 2016 and 2017 and nobody has
//! called since: `printed_in` is 2017 and `verified_on` stays empty.

mod agencies;
mod issues;
mod numbers;
mod services;
#[cfg(test)]
mod tests;

pub use agencies::agencies;
pub use numbers::spelled;
pub use services::services;

use amparo_schema::text::{Lang, NotALang, Source, Text};
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;

/// The year of the answers that the tables hold.
const PRINTED_IN: u16 = 2017;

/// What is to be said of one line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, as the caller named it.
    pub file: String,
    /// The line in the file, from 1; the header is line 1.
    pub line: u64,
    /// Whether it stops a build.
    pub weight: Weight,
    /// The rule, such as `number-does-not-parse`.
    pub rule: &'static str,
    /// What breaks it, in words for an author.
    pub detail: String,
}

/// Whether a finding stops a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Something was done that an author should know of.
    Note,
    /// The table is wrong.
    Error,
}

/// Collects the findings of one line.
struct Findings<'a> {
    file: &'a str,
    line: u64,
    all: &'a mut Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, weight: Weight, rule: &'static str, detail: String) {
        let (file, line) = (self.file.to_owned(), self.line);
        self.all.push(Finding { file, line, weight, rule, detail });
    }

    fn error(&mut self, rule: &'static str, detail: impl Into<String>) {
        self.add(Weight::Error, rule, detail.into());
    }

    fn note(&mut self, rule: &'static str, detail: impl Into<String>) {
        self.add(Weight::Note, rule, detail.into());
    }
}

/// Reads each row of a table and hands it on with its findings.
fn rows<Row: serde::de::DeserializeOwned>(
    table: &str,
    file: &str,
    all: &mut Vec<Finding>,
    mut each: impl FnMut(Row, &mut Findings<'_>),
) {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let headers = reader.headers().cloned().unwrap_or_default();
    for record in reader.records() {
        let position = |p: Option<&csv::Position>| p.map_or(0, csv::Position::line);
        match record {
            Err(error) => {
                let line = position(error.position());
                Findings { file, line, all }.error("not-a-table", error.to_string());
            }
            Ok(record) => {
                let mut findings = Findings { file, line: position(record.position()), all };
                match record.deserialize(Some(&headers)) {
                    Ok(row) => each(row, &mut findings),
                    Err(error) => findings.error("not-a-row", error.to_string()),
                }
            }
        }
    }
}

/// An enum word as the schema spells it; `None` for any other.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    let text: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(text).ok()
}

/// A text of the languages that are not empty.
fn text(words: &[(&str, &str)]) -> Result<Text, NotALang> {
    let filled = words.iter().filter(|(_, words)| !words.is_empty());
    filled
        .map(|(lang, words)| Ok((Lang::new(*lang)?, (*words).to_owned())))
        .collect::<Result<_, _>>()
        .map(Text)
}

/// The one source of a row. An empty field is an error: no fact without its source.
fn source(document: &str, place: &str, line: &str, findings: &mut Findings<'_>) -> Vec<Source> {
    if document.is_empty() || place.is_empty() {
        findings.error("unsourced", "the row names no document or no place in it");
    }
    let place = if line.is_empty() { place.to_owned() } else { format!("{place}, text line {line}") };
    vec![Source { document: document.to_owned(), place, as_of: Some(PRINTED_IN.to_string()) }]
}

fn codes(issue_codes: &str) -> Vec<String> {
    issue_codes.split(';').filter(|code| !code.is_empty()).map(str::to_owned).collect()
}
