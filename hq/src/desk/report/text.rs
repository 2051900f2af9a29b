//! Reports as text.

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
            ("counted".into(), word(&self.counted)?, String::new()),
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

/// Rows as CSV. What a spreadsheet would run as a formula is written as text.
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

fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
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
