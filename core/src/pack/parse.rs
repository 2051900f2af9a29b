//! Content bytes to typed content and back. Owns nothing else; what it read is not yet checked.

use amparo_schema::pack::{Content, Kind};

use super::verify::PackError;

/// Reads the content of a pack of this kind. Unknown fields are refused; nesting is bounded by the reader
/// (128 levels).
///
/// # Errors
/// [`PackError::Json`] with line and column when the bytes are not content of this kind.
pub fn content(kind: Kind, json: &[u8]) -> Result<Content, PackError> {
    let read = match kind {
        Kind::Checklist => serde_json::from_slice(json).map(Content::Checklist),
        Kind::Protocol => serde_json::from_slice(json).map(Content::Protocol),
        Kind::Directory => serde_json::from_slice(json).map(Content::Directory),
        Kind::Calendar => serde_json::from_slice(json).map(Content::Calendar),
        Kind::Policy => serde_json::from_slice(json).map(Content::Policy),
        Kind::Recipients => serde_json::from_slice(json).map(Content::Recipients),
    };
    read.map_err(|e| PackError::Json { line: e.line(), column: e.column() })
}

/// Writes content as a pack holds it: JSON without spaces, fields in the order of the types, maps in the
/// order of their keys, so that equal content gives equal bytes.
///
/// # Errors
/// [`PackError::Json`] at line 0 when it cannot be written, which no content of these types brings about.
pub fn json(content: &Content) -> Result<Vec<u8>, PackError> {
    match content {
        Content::Checklist(c) => serde_json::to_vec(c),
        Content::Protocol(c) => serde_json::to_vec(c),
        Content::Directory(c) => serde_json::to_vec(c),
        Content::Calendar(c) => serde_json::to_vec(c),
        Content::Policy(c) => serde_json::to_vec(c),
        Content::Recipients(c) => serde_json::to_vec(c),
    }
    .map_err(|e| PackError::Json { line: e.line(), column: e.column() })
}

/// The kind of some content.
#[must_use]
pub fn kind(content: &Content) -> Kind {
    match content {
        Content::Checklist(_) => Kind::Checklist,
        Content::Protocol(_) => Kind::Protocol,
        Content::Directory(_) => Kind::Directory,
        Content::Calendar(_) => Kind::Calendar,
        Content::Policy(_) => Kind::Policy,
        Content::Recipients(_) => Kind::Recipients,
    }
}
