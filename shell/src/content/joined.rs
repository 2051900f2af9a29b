//! What a file names instead of writing out: tables of services and agencies, offsets of time zones.

use std::path::{Path, PathBuf};

use amparo_core::pack::Severity;
use amparo_schema::pack::directory::Directory;

use super::compile::field;
use super::finding::Finding;
use super::yaml::{FILE_BYTES_MAX, Mark, Node, Value, YamlError};
use super::{directory_table, zones};

/// First and last year for which offsets are compiled.
const ZONE_YEARS: (i16, i16) = (2016, 2040);

/// Replaces a list of zone names under `content.zones` by their offsets.
pub(super) fn zones(tree: &mut Node) -> Result<(), YamlError> {
    let Some(zones) = tree.get_mut("content").and_then(|content| content.get_mut("zones")) else {
        return Ok(());
    };
    let Value::List(names) = &zones.value else { return Ok(()) };
    let mut compiled = serde_json::Map::new();
    for node in names {
        let refuse = |rule, what| YamlError { rule, mark: node.mark, what };
        let name = node.text().ok_or_else(|| field(node.mark, "the name of a zone is wanted".into()))?;
        let zone = zones::compile(name, ZONE_YEARS.0, ZONE_YEARS.1)
            .map_err(|e| refuse("unknown-zone", e.to_string()))?;
        let json = serde_json::to_value(zone).map_err(|e| refuse("field", e.to_string()))?;
        if compiled.insert(name.to_owned(), json).is_some() {
            return Err(refuse("duplicate-key", format!("{name} stands twice")));
        }
    }
    *zones = Node::from_json(&compiled.into(), zones.mark);
    Ok(())
}

/// Adds what the tables of a directory hold, and what is to be said of their lines.
pub(super) fn tables(
    file: &Path,
    tree: &Node,
    directory: &mut Directory,
    findings: &mut Vec<Finding>,
) -> Result<(), YamlError> {
    let Some(Value::Map(tables)) = tree.get("tables").map(|tables| &tables.value) else { return Ok(()) };
    for table in tables {
        let (path, text) = read(file, &table.node)?;
        let name = path.display().to_string();
        let found = match table.key.as_str() {
            "services" => {
                let (services, found) = directory_table::services(&text, &name);
                directory.services.extend(services);
                found
            }
            "agencies" => {
                let (agencies, found) = directory_table::agencies(&text, &name);
                directory.agencies.extend(agencies);
                found
            }
            _ => return Err(field(table.mark, "tables are services and agencies".into())),
        };
        findings.extend(found.into_iter().map(|found| Finding {
            file: path.clone(),
            mark: Mark { line: usize::try_from(found.line).unwrap_or_default(), column: 1 },
            severity: match found.weight {
                directory_table::Weight::Note => Severity::Warning,
                directory_table::Weight::Error => Severity::Error,
            },
            rule: found.rule.into(),
            detail: found.detail,
        }));
    }
    Ok(())
}

/// A table lies beside the file that names it; nothing else is ever read.
fn read(file: &Path, node: &Node) -> Result<(PathBuf, String), YamlError> {
    let name = node.text().unwrap_or_default();
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(field(node.mark, "the name of a file beside this one is wanted".into()));
    }
    let path = file.with_file_name(name);
    let unreadable = |e: std::io::Error| field(node.mark, e.to_string());
    if std::fs::metadata(&path).map_err(unreadable)?.len() > FILE_BYTES_MAX as u64 {
        return Err(YamlError { rule: "yaml-limit", mark: node.mark, what: "the table is too large".into() });
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    Ok((path, text))
}
