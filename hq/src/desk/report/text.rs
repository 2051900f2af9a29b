//! Reports as text.

use amparo_schema::text::is_deceptive;

use super::{Cell, Format, Report};
use crate::desk::DeskError;

impl Report {
    /// The report as CSV or JSON. The CSV has the columns `report, from, to, variable, category, count`; the
    /// notes stand as lines of the variable `note`.
    ///
    /// # Errors
    /// [`DeskError::Text`].
    pub fn write(&self, format: Format) -> Result<String, DeskError> {
        match format {
            Format::Json => serde_json::to_string_pretty(self).map_err(|_| DeskError::Text),
            Format::Csv => self.csv(),
        }
    }

    fn csv(&self) -> Result<String, DeskError> {
        let mut lines: Vec<(String, String, String)> = vec![
            ("all".into(), word(&self.unit)?, count(self.total)),
            ("undated".into(), String::new(), count(self.undated)),
            ("not_counted".into(), String::new(), count(self.not_counted)),
            ("threshold".into(), String::new(), self.threshold.to_string()),
        ];
        for table in &self.tables {
            let variable = word(&table.variable)?;
            if table.withheld {
                lines.push((variable.clone(), String::new(), count(Cell::Suppressed)));
            }
            lines.extend(table.cells.iter().map(|(c, n)| (variable.clone(), c.clone(), count(*n))));
        }
        lines.extend(self.notes.iter().map(|note| ("note".into(), (*note).to_owned(), String::new())));
        let (from, to) = (self.from.to_string(), self.to.to_string());
        let head = ["report", "from", "to", "variable", "category", "count"];
        let rows = lines.iter().map(|(v, c, n)| [self.report, &from, &to, v, c, n].map(str::to_owned));
        csv_text(&head, rows)
    }
}

/// Rows as CSV. What a spreadsheet would run as a formula, or a terminal obey, is written as text.
pub(in crate::desk) fn csv_text<const N: usize>(
    head: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<String, DeskError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(head).map_err(|_| DeskError::Text)?;
    for row in rows {
        writer.write_record(row.map(harmless)).map_err(|_| DeskError::Text)?;
    }
    let bytes = writer.into_inner().map_err(|_| DeskError::Text)?;
    String::from_utf8(bytes).map_err(|_| DeskError::Text)
}

/// What a device wrote, as nothing but words: no character that steers a terminal or ends a line, and nothing
/// that begins like a formula, neither at the start nor after a semicolon, at which spreadsheets in Spanish
/// begin the next cell.
fn harmless(text: String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars().map(|c| if is_deceptive(c) { char::REPLACEMENT_CHARACTER } else { c }) {
        if begins && matches!(c, '=' | '+' | '-' | '@') {
            out.push('\'');
        }
        begins = c == ';' || (begins && matches!(c, ' ' | '"'));
        out.push(c);
    }
    out
}

fn word(value: &impl serde::Serialize) -> Result<String, DeskError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(DeskError::Text),
    }
}

fn count(cell: Cell) -> String {
    match cell {
        Cell::Count(n) => n.to_string(),
        Cell::Suppressed => "suppressed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Read with a comma or, as in Spanish, with a semicolon: no cell begins like a formula.
        #[test]
        fn no_cell_is_a_formula(words in proptest::array::uniform3("[x;,=\"' \n\t\u{202e}+@-]{0,12}")) {
            let text = csv_text(&["a", "b", "c"], std::iter::once(words)).unwrap();
            prop_assert!(!text.chars().any(|c| is_deceptive(c) && c != '\n'));
            for delimiter in [b',', b';'] {
                let mut reader = csv::ReaderBuilder::new();
                let mut reader = reader.delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
                for record in reader.records() {
                    for cell in &record.unwrap() {
                        let begins = cell.trim_start_matches([' ', '"']);
                        prop_assert!(!begins.starts_with(['=', '+', '-', '@']), "{text:?} {cell:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn words_stay_words() {
        let cells = ["A-B = 1", "x;=HYPERLINK(1)", "a\u{202e}b"].map(str::to_owned);
        let text = csv_text(&["a", "b", "c"], std::iter::once(cells)).unwrap();
        assert_eq!(text, "a,b,c\nA-B = 1,x;'=HYPERLINK(1),a\u{fffd}b\n");
    }
}
