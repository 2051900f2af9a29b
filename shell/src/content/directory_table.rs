//! (being written)

use amparo_schema::pack::directory::{Agency, Service};

/// What is to be said of one line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line, from 1.
    pub line: u64,
    /// Whether it stops a build.
    pub weight: Weight,
    /// The rule.
    pub rule: &'static str,
    /// What breaks it.
    pub detail: String,
}

/// Whether a finding stops a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Worth knowing.
    Note,
    /// The table is wrong.
    Error,
}

/// Reads a table of services.
#[must_use]
pub fn services(_table: &str, _file: &str) -> (Vec<Service>, Vec<Finding>) {
    let detail = "tables are not read yet".to_owned();
    (Vec::new(), vec![Finding { line: 1, weight: Weight::Error, rule: "table", detail }])
}

/// Reads a table of agencies.
#[must_use]
pub fn agencies(_table: &str, _file: &str) -> (Vec<Agency>, Vec<Finding>) {
    (Vec::new(), Vec::new())
}
