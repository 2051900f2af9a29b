//! One authored file to one header and content, or findings.

use std::path::{Path, PathBuf};

use amparo_core::pack::{self, parse};
use amparo_schema::condition::Condition;
use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_schema::pack::{Content, Header, Kind};
use amparo_schema::person::Country;
use amparo_schema::text::Text;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::finding::Finding;
use super::yaml::{self, Mark, Node, Value, YamlError};
use super::{condition_text, joined};

/// One file that compiled.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The file.
    pub file: PathBuf,
    /// The header, but for hash and length of the content.
    pub header: Header,
    /// The content.
    pub content: Content,
    /// The content as a pack holds it.
    pub json: Vec<u8>,
    /// The tree, to find places in.
    pub(super) tree: Node,
}

impl Compiled {
    /// The place in the file of a path in the content.
    pub(super) fn mark(&self, path: &str) -> Mark {
        place(&self.tree, path)
    }
}

/// What authors write as `pack:`. The rest of a header is computed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authored {
    kind: Kind,
    id: Name,
    version: u32,
    authority: Name,
    title: Text,
    #[serde(default)]
    countries: Vec<Country>,
    audience: Vec<String>,
    valid_from: Date,
    expires: Date,
    licence: String,
}

/// Compiles one file. Findings may come with a result when they are warnings only.
pub(super) fn compile(file: &Path, text: &str) -> (Option<Compiled>, Vec<Finding>) {
    let mut findings = Vec::new();
    match read(file, text, &mut findings) {
        Ok(compiled) => {
            for found in pack::check(&compiled.header, &compiled.content, &compiled.json) {
                findings.push(Finding {
                    file: file.to_owned(),
                    mark: compiled.mark(&found.path),
                    severity: found.severity,
                    rule: found.rule.slug().into(),
                    detail: format!("{}{}: {}", found.path, of_service(&compiled, &found.path), found.detail),
                });
            }
            (Some(compiled), findings)
        }
        Err(error) => {
            findings.push(Finding::yaml(file, error));
            (None, findings)
        }
    }
}

fn read(file: &Path, text: &str, findings: &mut Vec<Finding>) -> Result<Compiled, YamlError> {
    let mut tree = yaml::parse(text)?;
    if let Value::Map(entries) = &tree.value
        && let Some(entry) = entries.iter().find(|e| !matches!(e.key.as_str(), "pack" | "content" | "tables"))
    {
        return Err(field(
            entry.mark,
            format!("unknown field `{}`, expected pack, content, tables", entry.key),
        ));
    }
    let head = part(&tree, "pack")?;
    let authored: Authored = yaml::read(head)?;
    part(&tree, "content")?;
    if tree.get("tables").is_some()
        && let Some(content) = tree.get_mut("content")
    {
        content.or_empty_list("services");
    }
    conditions(authored.kind, &mut tree)?;
    joined::zones(&mut tree)?;
    let mut content = typed(authored.kind, &tree)?;
    if let Content::Directory(directory) = &mut content {
        joined::tables(file, &tree, directory, findings)?;
    } else if let Some(tables) = tree.get("tables") {
        return Err(field(tables.mark, "only a directory has tables".into()));
    }
    let json = parse::json(&content).map_err(|e| field(tree.mark, e.to_string()))?;
    let header = Header {
        kind: authored.kind,
        id: authored.id,
        version: authored.version,
        authority: authored.authority,
        title: authored.title,
        countries: authored.countries,
        audience: authored.audience,
        valid_from: authored.valid_from,
        expires: authored.expires,
        licence: authored.licence,
        languages: pack::languages(&content),
        content_sha256: Hash([0; 32]),
        content_bytes: 0,
    };
    Ok(Compiled { file: file.to_owned(), header, content, json, tree })
}

pub(super) fn field(mark: Mark, what: String) -> YamlError {
    YamlError { rule: "field", mark, what }
}

fn part<'n>(tree: &'n Node, key: &str) -> Result<&'n Node, YamlError> {
    tree.get(key).ok_or_else(|| field(tree.mark, format!("missing field `{key}`")))
}

fn typed(kind: Kind, tree: &Node) -> Result<Content, YamlError> {
    fn of<T: DeserializeOwned>(tree: &Node) -> Result<T, YamlError> {
        yaml::read(part(tree, "content")?)
    }
    Ok(match kind {
        Kind::Checklist => Content::Checklist(of(tree)?),
        Kind::Protocol => Content::Protocol(of(tree)?),
        Kind::Directory => Content::Directory(of(tree)?),
        Kind::Calendar => Content::Calendar(of(tree)?),
        Kind::Policy => Content::Policy(of(tree)?),
        Kind::Recipients => Content::Recipients(of(tree)?),
    })
}

/// Replaces the text of each condition by its tree.
fn conditions(kind: Kind, tree: &mut Node) -> Result<(), YamlError> {
    let places: &[(&str, &str)] = match kind {
        Kind::Checklist => &[("items", "when"), ("indicators", "from"), ("rules", "when")],
        Kind::Protocol => &[("steps", "trigger")],
        Kind::Policy => &[("intake", "when")],
        Kind::Directory | Kind::Calendar | Kind::Recipients => &[],
    };
    let Some(content) = tree.get_mut("content") else { return Ok(()) };
    for (list, key) in places {
        let Some(list) = content.get_mut(list) else { continue };
        for element in list.list_mut() {
            if let Some(node) = element.get_mut(key) {
                *node = condition(node)?;
            }
        }
    }
    Ok(())
}

fn condition(node: &Node) -> Result<Node, YamlError> {
    let Value::Scalar { text, plain } = &node.value else {
        return Err(field(node.mark, "a condition is written as text, see content/README.md".into()));
    };
    let compiled: Condition = condition_text::parse(text).map_err(|e| {
        // Within a folded text the column says nothing, so it is added on the first line only.
        let quote = usize::from(!plain);
        let column = node.mark.column.saturating_add(quote).saturating_add(e.column).saturating_sub(1);
        let one_line = !text.contains('\n') && text.chars().count() < 200;
        let mark = if one_line { Mark { column, ..node.mark } } else { node.mark };
        let open = text.matches('(').count() > text.matches(')').count();
        let hint = if open { " (within { } a condition with a comma stands in quotes)" } else { "" };
        YamlError { rule: "condition", mark, what: format!("{e}{hint}") }
    })?;
    let json = serde_json::to_value(compiled).map_err(|e| field(node.mark, e.to_string()))?;
    Ok(Node::from_json(&json, node.mark))
}

/// The id of the service that a path leads through, since a service of a table has no place in this file.
fn of_service(compiled: &Compiled, path: &str) -> String {
    let Content::Directory(directory) = &compiled.content else { return String::new() };
    let index = path.strip_prefix("services[").and_then(|rest| rest.split(']').next());
    let service = index.and_then(|i| directory.services.get(i.parse::<usize>().ok()?));
    service.map_or_else(String::new, |service| format!(" ({})", service.id))
}

fn place(tree: &Node, path: &str) -> Mark {
    if path == "pack" || path.starts_with("pack.") {
        return tree.find(path);
    }
    tree.find(&format!("content.{path}"))
}
