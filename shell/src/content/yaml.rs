//! YAML as authors write it: a tree that remembers where each part stands, and reading types from it.
//!
//! A scalar is read as what its field wants: `dial: 0800` is the text "0800", `version: 2` a number. So no
//! digit of a telephone number is lost to YAML's guessing. Keys that stand twice, tags, several documents and
//! aliases that grow past a limit are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// Bytes of one authored file.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Nodes of one file, aliases counted as often as they are used.
const NODES_MAX: usize = 500_000;
/// Nesting of one file.
const DEPTH_MAX: usize = 64;

/// A place in a file; both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {what}", line = mark.line, column = mark.column)]
pub struct YamlError {
    /// The rule that is broken: `yaml`, `duplicate-key`, `yaml-limit`, `field`.
    pub rule: &'static str,
    /// Where.
    pub mark: Mark,
    /// What.
    pub what: String,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it begins.
    pub mark: Mark,
    /// What it is.
    pub value: Value,
}

/// What a part of a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text as written; `plain` when it stands without quotes.
    Scalar {
        /// The text.
        text: String,
        /// Without quotes.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// One entry of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub mark: Mark,
    /// The value.
    pub node: Node,
}

impl Node {
    /// The entry of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The entry of a map, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let Value::Map(entries) = &mut self.value else { return None };
        entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }

    /// Adds an empty list to a map that has no such entry.
    pub(super) fn or_empty_list(&mut self, key: &str) {
        let mark = self.mark;
        if let Value::Map(entries) = &mut self.value
            && !entries.iter().any(|entry| entry.key == key)
        {
            let node = Node { mark, value: Value::List(Vec::new()) };
            entries.push(Entry { key: key.to_owned(), mark, node });
        }
    }

    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The nodes of a list; none for anything else.
    pub fn list_mut(&mut self) -> &mut [Node] {
        match &mut self.value {
            Value::List(nodes) => nodes,
            _ => &mut [],
        }
    }

    /// The place of a path such as `items[3].when.es`, as far as the file has it.
    #[must_use]
    pub fn find(&self, path: &str) -> Mark {
        let (mut node, mut mark) = (self, self.mark);
        for step in path.split(['.', '[']) {
            let next = match &node.value {
                Value::List(nodes) => step
                    .strip_suffix(']')
                    .and_then(|i| nodes.get(i.parse::<usize>().ok()?))
                    .map(|n| (n.mark, n)),
                Value::Map(entries) => {
                    entries.iter().find(|entry| entry.key == step).map(|entry| (entry.mark, &entry.node))
                }
                Value::Scalar { .. } => None,
            };
            let Some(found) = next else { break };
            (mark, node) = found;
        }
        mark
    }

    /// A node from JSON, all of it at one place.
    #[must_use]
    pub fn from_json(json: &serde_json::Value, mark: Mark) -> Self {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => Value::Scalar { text: "null".into(), plain: true },
            Json::Bool(b) => Value::Scalar { text: b.to_string(), plain: true },
            Json::Number(n) => Value::Scalar { text: n.to_string(), plain: true },
            Json::String(s) => Value::Scalar { text: s.clone(), plain: false },
            Json::Array(list) => Value::List(list.iter().map(|j| Self::from_json(j, mark)).collect()),
            Json::Object(map) => Value::Map(
                map.iter()
                    .map(|(key, j)| Entry { key: key.clone(), mark, node: Self::from_json(j, mark) })
                    .collect(),
            ),
        };
        Self { mark, value }
    }

    fn size(&self) -> usize {
        match &self.value {
            Value::Scalar { .. } => 1,
            Value::List(nodes) => nodes.iter().map(Self::size).sum::<usize>().saturating_add(1),
            Value::Map(entries) => entries.iter().map(|e| e.node.size()).sum::<usize>().saturating_add(1),
        }
    }
}

/// Reads one document.
///
/// # Errors
/// [`YamlError`] for what is no YAML, or is refused.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    let start = Mark { line: 1, column: 1 };
    if text.len() > FILE_BYTES_MAX {
        return Err(refuse("yaml-limit", start, format!("more than {FILE_BYTES_MAX} bytes")));
    }
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: BTreeMap::new(), nodes: 0 };
    let mut root = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => break,
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (_, mark) if root.is_some() => {
                return Err(refuse("yaml", mark, "one document in a file".into()));
            }
            (event, mark) => root = Some(reader.node(event, mark, 0)?),
        }
    }
    root.ok_or_else(|| refuse("yaml", start, "the file is empty".into()))
}

fn refuse(rule: &'static str, mark: Mark, what: String) -> YamlError {
    YamlError { rule, mark, what }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Mark), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, mark(span))),
            Some(Err(e)) => {
                let at = Mark { line: e.marker().line(), column: e.marker().col().saturating_add(1) };
                Err(refuse("yaml", at, e.info().to_owned()))
            }
            None => Ok((Event::StreamEnd, Mark::default())),
        }
    }

    fn spend(&mut self, nodes: usize, mark: Mark) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            return Err(refuse("yaml-limit", mark, format!("more than {NODES_MAX} nodes")));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'t>, mark: Mark, depth: usize) -> Result<Node, YamlError> {
        if depth > DEPTH_MAX {
            return Err(refuse("yaml-limit", mark, format!("nested deeper than {DEPTH_MAX}")));
        }
        self.spend(1, mark)?;
        let (value, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                (Value::Scalar { text: text.into_owned(), plain }, anchor, tag)
            }
            Event::SequenceStart(anchor, tag) => (self.list(depth)?, anchor, tag),
            Event::MappingStart(anchor, tag) => (self.map(depth)?, anchor, tag),
            Event::Alias(anchor) => {
                let found = self.anchors.get(&anchor).cloned();
                let node = found.ok_or_else(|| refuse("yaml", mark, "an alias of itself".into()))?;
                self.spend(node.size(), mark)?;
                return Ok(node);
            }
            _ => return Err(refuse("yaml", mark, "the file ends too early".into())),
        };
        if tag.is_some() {
            return Err(refuse("yaml", mark, "tags have no meaning here".into()));
        }
        let node = Node { mark, value };
        if anchor != 0 {
            self.spend(node.size(), mark)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(nodes)),
                (event, mark) => nodes.push(self.node(event, mark, depth.saturating_add(1))?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, YamlError> {
        let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
        loop {
            let (event, mark) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Map(entries)),
                other => other,
            };
            let key = match self.node(event, mark, depth.saturating_add(1))?.value {
                Value::Scalar { text, .. } => text,
                _ => return Err(refuse("yaml", mark, "a key is a word".into())),
            };
            if !seen.insert(key.clone()) {
                return Err(refuse("duplicate-key", mark, format!("{key} stands twice")));
            }
            let (event, at) = self.next()?;
            let node = self.node(event, at, depth.saturating_add(1))?;
            entries.push(Entry { key, mark, node });
        }
    }
}

fn mark(span: Span) -> Mark {
    Mark { line: span.start.line(), column: span.start.col().saturating_add(1) }
}

/// Reads a type from a tree. Fields that the type does not have are refused by the type.
///
/// # Errors
/// [`YamlError`] with rule `field` at the innermost part that does not fit.
pub fn read<T: serde::de::DeserializeOwned>(node: &Node) -> Result<T, YamlError> {
    T::deserialize(super::yaml_de::From(node))
        .map_err(|e| refuse("field", e.mark.unwrap_or(node.mark), e.what))
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        dial: String,
        #[serde(default)]
        count: Option<u8>,
        #[serde(default)]
        kind: Kind,
        #[serde(default)]
        years: BTreeMap<i16, bool>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        #[default]
        YesNo,
        Choice(Vec<String>),
        Number {
            min: i64,
        },
    }

    fn line(text: &str) -> Result<Line, (&'static str, String)> {
        parse(text).and_then(|node| read(&node)).map_err(|e| (e.rule, e.mark.to_string()))
    }

    /// YAML readers that guess make 60 of `0o74`, 800 of `0800` and false of `no`.
    #[test]
    fn a_scalar_is_what_its_field_wants() {
        for text in ["0800", "0o74", "no", "1e3", "12:30", "~", "1.0"] {
            assert_eq!(line(&format!("dial: {text}")).unwrap().dial, text);
        }
        let full = line("dial: '1'\ncount: 7\nkind: {choice: [a, 1]}\nyears: {2026: true}").unwrap();
        assert_eq!((full.count, full.years), (Some(7), [(2026, true)].into()));
        assert_eq!(full.kind, Kind::Choice(vec!["a".into(), "1".into()]));
        assert_eq!(line("{dial: 1, kind: {number: {min: -3}}}").unwrap().kind, Kind::Number { min: -3 });
        assert_eq!(line("{dial: 1, kind: yes_no, count: null}").unwrap().count, None);
        assert_eq!(line("dial: &a x\nkind: {choice: [*a]}").unwrap().kind, Kind::Choice(vec!["x".into()]));
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        for (text, rule, place) in [
            ("dial: 1\ncount: 300", "field", "2:8"),
            ("dial: 1\ncount: '3'", "field", "2:8"),
            ("dial: 1\nkind:\n  number: {min: x}", "field", "3:17"),
            ("dial: 1\nkind: maybe", "field", "2:7"),
            ("dial: 1\nkind: choice", "field", "2:7"),
            ("dial: 1\nkind: {yes_no: 1}", "field", "2:8"),
            ("dial: [1]", "field", "1:7"),
            ("dial: 1\nyears: {x: true}", "field", "2:9"),
            ("dial: 1\nscore: 1", "field", "2:1"),
            ("count: 1", "field", "1:1"),
            ("dial: 1\ndial: 2", "duplicate-key", "2:1"),
            ("dial: !!str 1", "yaml", "1:7"),
            ("dial: 1\n---\ndial: 2", "yaml", "3:1"),
            ("? [a]\n: 1", "yaml", "1:3"),
            ("", "yaml", "1:1"),
            ("dial: *nobody", "yaml", "1:7"),
            ("dial: &a [*a]", "yaml", "1:11"),
        ] {
            assert_eq!(line(text), Err((rule, place.to_owned())), "{text}");
        }
        let nested = |levels| parse(&["[".repeat(levels), "]".repeat(levels)].concat()).map_err(|e| e.rule);
        assert_eq!((nested(60).is_ok(), nested(70)), (true, Err("yaml-limit")));
        assert!(nested(100_000).is_err());
    }

    #[test]
    fn paths_lead_to_lines() {
        let tree = parse("a:\n  - x: 1\n  - y:\n      z: 2\n").unwrap();
        for (path, place) in
            [("a", "1:1"), ("a[0]", "2:5"), ("a[1].y.z", "4:7"), ("a[1].y.q", "3:5"), ("b", "1:1")]
        {
            assert_eq!(tree.find(path).to_string(), place, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[a-z:&*\\[\\]{},'\"\\-\n #!|>?0-9]{0,120}|\\PC{0,60}") {
            if let Ok(node) = parse(&text) {
                let _ = read::<Line>(&node);
            }
        }
    }
}
