//! Checks of numbers: what is dialled must be what is printed.

use super::Findings;
use super::services::Row;

/// The digits of the letters on a telephone's keys: `4USWAGE` is `4879243`. `None` for a character that is neither a
/// letter nor a digit of ASCII.
#[must_use]
pub fn spelled(letters: &str) -> Option<String> {
    letters
        .chars()
        .map(|c| match c.to_ascii_uppercase() {
            c @ '0'..='9' => Some(c),
            'A'..='C' => Some('2'),
            'D'..='F' => Some('3'),
            'G'..='I' => Some('4'),
            'J'..='L' => Some('5'),
            'M'..='O' => Some('6'),
            'P'..='S' => Some('7'),
            'T'..='V' => Some('8'),
            'W'..='Z' => Some('9'),
            _ => None,
        })
        .collect()
}

/// Reports what is wrong with the numbers of a row.
pub(super) fn check(row: &Row, codes: &[String], findings: &mut Findings<'_>) {
    let has = |code: &str| codes.iter().any(|c| c == code);
    let dial = digits(&row.national_dial);
    // The metadata of the library knows which lengths and ranges each country has.
    let parsed = phonenumber::parse(None, &row.e164);
    if !row.e164.is_empty() && !parsed.is_ok_and(|number| phonenumber::is_valid(&number)) {
        findings.error("number-does-not-parse", format!("{} is no E.164 number", row.e164));
    }
    if !row.national_dial.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#' | ',')) {
        findings.error("bad-dial", format!("{} holds more than digits, *, # and pauses", row.national_dial));
    }
    let printed = digits(&row.number_as_printed);
    if has("VANITY_DECODED") {
        let runs = row.number_as_printed.split(|c: char| !c.is_ascii_alphanumeric());
        let lettered = runs.filter(|run| run.chars().any(|c| c.is_ascii_alphabetic()));
        let spelled: Vec<String> = lettered.filter_map(spelled).collect();
        if spelled.is_empty() || !spelled.iter().all(|digits| dial.ends_with(digits.as_str())) {
            findings
                .error("letters-spell-another-number", format!("{} is not {dial}", row.number_as_printed));
        }
    } else if has("OBSOLETE_PREFIX") {
        if printed.strip_prefix("01") != Some(dial.as_str()) {
            findings.error("dial-differs-from-print", format!("{printed} without 01 is not {dial}"));
        }
    } else if !printed.ends_with(&dial) && !dial.ends_with(&printed) {
        findings.error("dial-differs-from-print", format!("{printed} is not {dial}"));
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}
