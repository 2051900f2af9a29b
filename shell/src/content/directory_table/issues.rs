//! What each issue code means: for the status of a row, for its review, and in words for the official.

use amparo_schema::pack::directory::ServiceStatus;
use amparo_schema::text::Text;

use super::text;

/// The code that names a successor ends in its short code.
pub(super) const SUPERSEDED_BY: &str = "SUPERSEDED_BY_";

/// Codes without words of their own. The status, the channel or an editor knows them.
const SILENT: [&str; 6] =
    ["NO_NUMBER", "NO_ADDRESS", "NOT_DIALABLE_FROM_ABROAD", "VANITY_DECODED", "TITLE_SWAP", "NO_INSTITUTION"];

/// Codes that say something to the official, in Spanish and English.
const WORDS: [(&str, &str, &str); 16] = [
    (
        "SAFETY_REVIEW",
        "Retenido: una red social deja huellas en el teléfono.",
        "Withheld: a social network leaves traces on the phone.",
    ),
    ("NOT_TIP", "No es para trata de personas.", "Not for trafficking in persons."),
    (
        "LIKELY_TYPO",
        "No marcar: el número impreso parece equivocado y puede ser de un particular.",
        "Do not dial: the printed number looks wrong and may be a private person's.",
    ),
    (
        "OBSOLETE_PREFIX",
        "Impreso con el prefijo 01, que ya no se usa: se marca sin él.",
        "Printed with the prefix 01, no longer in use: dial without it.",
    ),
    (
        "RELAY_CODE",
        "Código del servicio de relevo: hay que darle el número de la línea.",
        "Code of the relay service: give it the number of the hotline.",
    ),
    ("MENU_STEP_REQUIRED", "Hay que elegir una opción del menú.", "An option of the menu must be chosen."),
    (
        "AREA_CODE_ASSUMED",
        "La fuente no imprime el código de área; se supuso el de la capital.",
        "The source prints no area code; the capital's was assumed.",
    ),
    (
        "ROW_MISALIGNED",
        "En la fuente la fila está junto a otro país; el país se dedujo.",
        "In the source the row stands beside another country; the country was worked out.",
    ),
    (
        "INSTITUTION_IN_TEXT",
        "La institución se dedujo del texto de la fuente.",
        "The institution was worked out from the text of the source.",
    ),
    (
        "INFERRED_ATTRS",
        "Algunas características se dedujeron del texto de la fuente.",
        "Some features were worked out from the text of the source.",
    ),
    (
        "MOBILE_LIKELY_STALE",
        "Celular de un equipo: puede haber cambiado.",
        "A team's mobile number: it may have changed.",
    ),
    (
        "AGENCY_SINCE_REPLACED",
        "La institución fue reemplazada después de la fuente.",
        "The institution has been replaced since the source.",
    ),
    (
        "ALSO_GENERIC_POLICE_LINE",
        "Es también la línea general de la policía.",
        "It is also the general police line.",
    ),
    ("LIMITED_HOURS", "Horario limitado según la fuente.", "Limited hours, says the source."),
    ("TRANSLATED_BRAND", "El nombre está traducido en la fuente.", "The name is translated in the source."),
    (
        "TEXT_SAYS_NUMBER_GIVEN",
        "La fuente dice que el país dio el número, pero no lo imprime.",
        "The source says that the country gave the number, but does not print it.",
    ),
];

/// Codes under which something was derived, not printed.
const DERIVED: [&str; 6] = [
    "OBSOLETE_PREFIX",
    "AREA_CODE_ASSUMED",
    "ROW_MISALIGNED",
    "INSTITUTION_IN_TEXT",
    "INFERRED_ATTRS",
    "LIKELY_TYPO",
];

/// What a row becomes by its codes.
pub(super) enum Fate {
    /// Not shown.
    Dropped,
    /// Shown with this status.
    Kept(ServiceStatus),
    /// Superseded by the row that dials this short code.
    SupersededBy(String),
}

/// The fate of a row; the first code in the order of the module's table decides.
pub(super) fn fate(codes: &[String]) -> Fate {
    let has = |wanted: &[&str]| codes.iter().any(|code| wanted.contains(&code.as_str()));
    if has(&["COUNTRY_UNNAMED"]) {
        Fate::Dropped
    } else if has(&["SAFETY_REVIEW", "NOT_TIP", "LIKELY_TYPO"]) {
        Fate::Kept(ServiceStatus::Withheld)
    } else if let Some(code) = codes.iter().find_map(|code| code.strip_prefix(SUPERSEDED_BY)) {
        Fate::SupersededBy(code.to_owned())
    } else if has(&["NO_NUMBER", "NO_ADDRESS"]) {
        Fate::Kept(ServiceStatus::NoContact)
    } else {
        Fate::Kept(ServiceStatus::Current)
    }
}

/// True for a code that this module has decided about.
pub(super) fn is_known(code: &str) -> bool {
    code == "COUNTRY_UNNAMED"
        || SILENT.contains(&code)
        || WORDS.iter().any(|(known, ..)| *known == code)
        || code.strip_prefix(SUPERSEDED_BY).is_some_and(|by| by.bytes().all(|b| b.is_ascii_digit()))
}

/// True when something in the row was derived, not printed.
pub(super) fn is_derived(codes: &[String]) -> bool {
    codes.iter().any(|code| DERIVED.contains(&code.as_str()))
}

/// The remark of a row, from its codes and its note on hours.
pub(super) fn remark(codes: &[String], hours: &str) -> Option<Text> {
    let (mut es, mut en) = (Vec::new(), Vec::new());
    for (_, in_es, in_en) in WORDS.iter().filter(|(code, ..)| codes.iter().any(|c| c == code)) {
        es.push((*in_es).to_owned());
        en.push((*in_en).to_owned());
    }
    for code in codes.iter().filter_map(|code| code.strip_prefix(SUPERSEDED_BY)) {
        es.push(format!("Integrada en el {code}."));
        en.push(format!("Merged into {code}."));
    }
    if !hours.is_empty() {
        es.push(format!("Horario: {hours}."));
        en.push(format!("Hours: {hours}."));
    }
    if es.is_empty() { None } else { text(&[("es", &es.join(" ")), ("en", &en.join(" "))]).ok() }
}
