//! The table of agencies: bodies to turn to or to notify when no service can be reached.

use amparo_schema::name::Name;
use amparo_schema::pack::directory::{Agency, AgencyKind};
use amparo_schema::person::Country;
use amparo_schema::text::{Review, Text};
use serde::Deserialize;

use super::{Finding, Findings, codes, rows, source, text};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    country_iso2: String,
    name_as_printed: String,
    name_lang: String,
    body_type: String,
    sphere: String,
    chaired_by_or_under: String,
    issue_codes: String,
    /// For editors: how the row was read.
    #[serde(rename = "note")]
    _note: String,
    source_document: String,
    source_place: String,
    source_line: String,
}

/// Codes under which a row is dropped: it names nobody, another country's body, or one that is gone.
const DROPPED: [&str; 3] = ["ROW_BLANK", "LIKELY_COPY_ERROR", "AGENCY_SINCE_REPLACED"];
/// Codes under which it is not sure that the row is read right.
const UNSURE: [&str; 2] = ["MAYBE_MISALIGNED", "COLUMN_LOST"];
/// The source says that there is such a body and does not name it.
const NO_NAME: &str = "NO_NAME";
/// Codes that change nothing.
const SILENT: [&str; 2] = ["CHAIR_BLANK", "TYPO"];

/// Reads a table of agencies. `file` is only named in the findings.
///
/// Rows with an error are left out; rows that are dropped on purpose leave a note.
#[must_use]
pub fn agencies(table: &str, file: &str) -> (Vec<Agency>, Vec<Finding>) {
    let (mut agencies, mut all) = (Vec::new(), Vec::new());
    rows(table, file, &mut all, |row: Row, findings| {
        let codes = codes(&row.issue_codes);
        let has = |wanted: &[&str]| codes.iter().any(|code| wanted.contains(&code.as_str()));
        let known = |code: &str| {
            DROPPED.contains(&code) || UNSURE.contains(&code) || SILENT.contains(&code) || code == NO_NAME
        };
        for code in codes.iter().filter(|code| !known(code)) {
            findings.error("unknown-issue-code", format!("{code} has no meaning in this compiler"));
        }
        if has(&DROPPED) {
            return findings.note("row-not-shown", format!("{} is not shown: {}", row.id, row.issue_codes));
        }
        let review = if has(&UNSURE) { Review::Unverified } else { Review::Reference };
        let unnamed = has(&[NO_NAME]);
        agencies.extend(agency(&row, unnamed, review, findings));
    });
    (agencies, all)
}

fn agency(row: &Row, unnamed: bool, review: Review, findings: &mut Findings<'_>) -> Option<Agency> {
    let Ok(id) = Name::new(row.id.to_lowercase()) else {
        findings.error("bad-id", format!("`{}`", row.id));
        return None;
    };
    let Ok(country) = Country::new(&row.country_iso2) else {
        findings.error("bad-country", format!("`{}`", row.country_iso2));
        return None;
    };
    let Some(kind) = kind(&row.body_type, &row.sphere) else {
        findings.error("unknown-kind", format!("body `{}`, sphere `{}`", row.body_type, row.sphere));
        return None;
    };
    Some(Agency {
        id,
        country,
        name: name(row, unnamed, findings)?,
        under: (!row.chaired_by_or_under.is_empty()).then(|| row.chaired_by_or_under.clone()),
        kind,
        sources: source(&row.source_document, &row.source_place, &row.source_line, findings),
        review,
    })
}

fn name(row: &Row, unnamed: bool, findings: &mut Findings<'_>) -> Option<Text> {
    let named = if unnamed {
        text(&[
            ("es", "Autoridad nacional única (la fuente no la nombra)"),
            ("en", "Sole national authority (the source does not name it)"),
        ])
    } else {
        text(&[(row.name_lang.as_str(), row.name_as_printed.as_str())])
    };
    match named {
        Ok(name) if !name.0.is_empty() => Some(name),
        _ => {
            findings.error("bad-name", format!("`{}` in language `{}`", row.name_as_printed, row.name_lang));
            None
        }
    }
}

fn kind(body: &str, sphere: &str) -> Option<AgencyKind> {
    Some(match (body, sphere) {
        ("inter_agency_body" | "sole_authority", _) => AgencyKind::Coordination,
        ("specialized_unit", "police") => AgencyKind::Police,
        ("specialized_unit", "prosecutor") => AgencyKind::Prosecution,
        ("specialized_unit", "judicial" | "other" | "") => AgencyKind::Other,
        _ => return None,
    })
}
