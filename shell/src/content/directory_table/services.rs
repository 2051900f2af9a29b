//! The table of services.

use amparo_core::directory::fit::is_derived;
use amparo_schema::name::Name;
use amparo_schema::pack::directory::{
    Channel, ChannelKind, Features, Hours, Known, Service, ServiceKind, ServiceStatus, Takes,
};
use amparo_schema::person::Country;
use amparo_schema::text::Review;
use serde::Deserialize;

use super::issues::{self, Fate};
use super::{Finding, Findings, PRINTED_IN, codes, numbers, rows, source, text, word};

/// One row as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    id: String,
    country_iso2: String,
    name_en_as_printed: String,
    name_es: String,
    pub(super) number_as_printed: String,
    /// For editors: what sort of number it is.
    #[serde(rename = "dial_kind")]
    _dial_kind: String,
    pub(super) national_dial: String,
    pub(super) e164: String,
    e164_basis: String,
    free: String,
    h24x7: String,
    anonymous: String,
    confidential: String,
    multilingual: String,
    specialised: String,
    easy_to_remember: String,
    linked_to_services: String,
    institution_as_printed: String,
    kind: String,
    channel: String,
    hours_note: String,
    dialable: String,
    issue_codes: String,
    /// For editors: how the row was read.
    #[serde(rename = "note")]
    _note: String,
    source_document: String,
    source_place: String,
    source_line: String,
}

/// Reads a table of services. `file` is only named in the findings.
///
/// Rows with an error are left out; rows that are dropped on purpose leave a note.
#[must_use]
pub fn services(table: &str, file: &str) -> (Vec<Service>, Vec<Finding>) {
    let (mut services, mut all) = (Vec::new(), Vec::new());
    let mut merged: Vec<(Name, String, u64)> = Vec::new();
    rows(table, file, &mut all, |row: Row, findings| {
        let codes = codes(&row.issue_codes);
        for code in codes.iter().filter(|code| !issues::is_known(code)) {
            findings.error("unknown-issue-code", format!("{code} has no meaning in this compiler"));
        }
        numbers::check(&row, &codes, findings);
        let status = match issues::fate(&codes) {
            Fate::Dropped => {
                let detail = format!("{} is not shown: the source names no country", row.id);
                return findings.note("row-not-shown", detail);
            }
            Fate::Kept(status) => status,
            Fate::SupersededBy(code) => {
                merged.extend(Name::new(row.id.to_lowercase()).ok().map(|id| (id, code, findings.line)));
                ServiceStatus::Superseded { by: None }
            }
        };
        agrees(&row, &status, findings);
        services.extend(service(row, codes, status, findings));
    });
    for (id, code, line) in merged {
        let by = successor(&services, &id, &code);
        if by.is_none() {
            Findings { file, line, all: &mut all }
                .error("no-successor", format!("no current row dials {code}"));
        }
        for service in services.iter_mut().filter(|service| service.id == id) {
            service.status = ServiceStatus::Superseded { by: by.clone() };
        }
    }
    (services, all)
}

/// The current service of the same country that dials this short code, with or without a menu step.
fn successor(services: &[Service], id: &Name, code: &str) -> Option<Name> {
    let country = services.iter().find(|service| service.id == *id)?.country;
    let dials = |channel: &Channel| {
        channel.dial.as_deref().and_then(|dial| dial.split(',').next()).is_some_and(|dial| dial == code)
    };
    let current = |s: &&Service| s.country == country && s.status == ServiceStatus::Current;
    services.iter().filter(current).find(|s| s.channels.iter().any(dials)).map(|s| s.id.clone())
}

/// The column `dialable` and the codes say the same thing twice; they must agree.
fn agrees(row: &Row, status: &ServiceStatus, findings: &mut Findings<'_>) {
    let fits = match row.dialable.as_str() {
        "yes" => *status == ServiceStatus::Current && !row.national_dial.is_empty(),
        "no_number" => *status != ServiceStatus::Current && row.number_as_printed.is_empty(),
        "superseded" | "do_not_dial_as_printed" => {
            matches!(status, ServiceStatus::Superseded { .. } | ServiceStatus::Withheld)
        }
        _ => false,
    };
    if !fits {
        findings.error("dialable-disagrees", format!("`{}` against the issue codes", row.dialable));
    }
}

fn service(
    row: Row,
    codes: Vec<String>,
    status: ServiceStatus,
    findings: &mut Findings<'_>,
) -> Option<Service> {
    let Ok(id) = Name::new(row.id.to_lowercase()) else {
        findings.error("bad-id", format!("`{}`", row.id));
        return None;
    };
    let Ok(country) = Country::new(&row.country_iso2) else {
        findings.error("bad-country", format!("`{}`", row.country_iso2));
        return None;
    };
    let (Some(kind), Some(channel)) = (kind(&row.kind), channel(&row, &codes)) else {
        findings.error("unknown-kind", format!("kind `{}`, channel `{}`", row.kind, row.channel));
        return None;
    };
    if row.name_es.is_empty() {
        findings.note("no-spanish-name", row.id.clone());
    }
    let name = text(&[("en", &row.name_en_as_printed), ("es", &row.name_es)]).unwrap_or_default();
    let derived = issues::is_derived(&codes) || is_derived(&row.e164_basis);
    Some(Service {
        id,
        country,
        areas: [].into(),
        places: Vec::new(),
        name,
        organisation: (!row.institution_as_printed.is_empty()).then(|| row.institution_as_printed.clone()),
        kind,
        channels: vec![channel],
        takes: Takes::default(),
        languages: [].into(),
        hours: match known(&row.h24x7, findings) {
            Known::Yes => Hours::Always,
            Known::No | Known::Unknown => Hours::Unknown,
        },
        features: features(&row, findings),
        capacity: None,
        public_key: None,
        status,
        printed_in: Some(PRINTED_IN),
        verified_on: None,
        remark: issues::remark(&codes, &row.hours_note),
        issues: codes,
        sources: source(&row.source_document, &row.source_place, &row.source_line, findings),
        review: if derived { Review::Unverified } else { Review::Reference },
    })
}

fn kind(text: &str) -> Option<ServiceKind> {
    Some(match text {
        "dedicated_tip" => ServiceKind::DedicatedLine,
        "thematic_child" => ServiceKind::Child,
        "victim_support" => ServiceKind::VictimSupport,
        "thematic_women_gender" | "thematic_violence" => ServiceKind::Women,
        "thematic_labour" | "thematic_labour_contracting" => ServiceKind::Labour,
        "migration" | "consular_migration" => ServiceKind::Migration,
        "justice" => ServiceKind::Justice,
        "police" => ServiceKind::Police,
        "emergency" => ServiceKind::Emergency,
        "tips" | "in_person_report" | "unspecified" | "other" => ServiceKind::Other,
        _ => return None,
    })
}

/// The one channel of a row. A number that must not be dialled is shown and nothing else.
fn channel(row: &Row, codes: &[String]) -> Option<Channel> {
    let has = |code: &str| codes.iter().any(|c| c == code);
    let kind: ChannelKind = word(&row.channel)?;
    let wrong = has("LIKELY_TYPO") || row.dialable == "do_not_dial_as_printed";
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let e164 = filled(&row.e164).filter(|_| !wrong && !row.e164_basis.starts_with("derived low"));
    Some(Channel {
        kind,
        display: filled(&row.number_as_printed),
        dial: filled(&row.national_dial).filter(|_| !wrong),
        e164_basis: e164.is_some().then(|| row.e164_basis.clone()),
        e164,
        from_abroad: if has("NOT_DIALABLE_FROM_ABROAD") { Known::No } else { Known::Unknown },
        do_not_dial: wrong,
    })
}

fn features(row: &Row, findings: &mut Findings<'_>) -> Features {
    Features {
        free: known(&row.free, findings),
        anonymous: known(&row.anonymous, findings),
        easy_to_remember: known(&row.easy_to_remember, findings),
        specialised: known(&row.specialised, findings),
        linked: known(&row.linked_to_services, findings),
        multilingual: known(&row.multilingual, findings),
        confidential: known(&row.confidential, findings),
    }
}

fn known(text: &str, findings: &mut Findings<'_>) -> Known {
    match text {
        "y" => Known::Yes,
        "n" => Known::No,
        "unknown" => Known::Unknown,
        other => {
            findings.error("not-yes-no-unknown", format!("`{other}`"));
            Known::Unknown
        }
    }
}
