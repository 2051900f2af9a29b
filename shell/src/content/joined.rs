//! What a file names instead of writing out: tables of services and agencies, offsets of time zones.

use std::path::Path;

use amparo_schema::pack::calendar::Zone;
use amparo_schema::pack::directory::Directory;

use super::compile::field;
use super::finding::Finding;
use super::yaml::{Node, Value, YamlError};

/// Years for which offsets are compiled.
pub(super) const ZONE_YEARS: (i16, i16) = (2016, 2040);

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
        let zone = zone(name).map_err(|what| refuse("unknown-zone", what))?;
        let json = serde_json::to_value(zone).map_err(|e| refuse("field", e.to_string()))?;
        if compiled.insert(name.to_owned(), json).is_some() {
            return Err(refuse("duplicate-key", format!("{name} stands twice")));
        }
    }
    *zones = Node::from_json(&compiled.into(), zones.mark);
    Ok(())
}

fn zone(name: &str) -> Result<Zone, String> {
    Err(format!("{name}: zones are not compiled yet"))
}

/// Adds what the tables of a directory hold.
pub(super) fn tables(
    file: &Path,
    tree: &Node,
    directory: &mut Directory,
    findings: &mut Vec<Finding>,
) -> Result<(), YamlError> {
    let Some(tables) = tree.get("tables") else { return Ok(()) };
    let _ = (file, directory, findings);
    Err(field(tables.mark, "tables are not compiled yet".into()))
}

fn table(file: &Path, node: &Node) -> Result<String, YamlError> {
    let name = node.text().unwrap_or_default();
    // A table lies beside the file that names it; nothing else is read.
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(field(node.mark, "the name of a file beside this one is wanted".into()));
    }
    std::fs::read_to_string(file.with_file_name(name)).map_err(|e| field(node.mark, e.to_string()))
}

const _: fn(&Path, &Node) -> Result<String, YamlError> = table;
