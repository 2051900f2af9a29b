//! What an author is told: file, line, rule, and what is wrong.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use amparo_core::pack::{PackError, Severity};

use super::yaml::{Mark, YamlError};

/// One finding in an authored file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// The place in it.
    pub mark: Mark,
    /// Error or warning.
    pub severity: Severity,
    /// The rule: a slug of `amparo_core::pack::Rule`, or one of authoring (`content/README.md`).
    pub rule: Cow<'static, str>,
    /// What is wrong.
    pub detail: String,
}

impl Finding {
    /// An error of authoring.
    #[must_use]
    pub fn error(file: &Path, mark: Mark, rule: &'static str, detail: impl Into<String>) -> Self {
        let (file, detail) = (file.to_owned(), detail.into());
        Self { file, mark, severity: Severity::Error, rule: rule.into(), detail }
    }

    pub(super) fn yaml(file: &Path, error: YamlError) -> Self {
        Self::error(file, error.mark, error.rule, error.what)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, severity) = (self.file.display(), self.severity.as_str());
        write!(f, "{file}:{}: {severity}[{}] {}", self.mark, self.rule, self.detail)
    }
}

/// What a check or a build came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that hold a pack.
    pub packs: usize,
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
}

/// Why authoring could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// A file or folder could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The content has errors; nothing was written.
    #[error("{errors} errors; nothing was written")]
    Refused {
        /// How many.
        errors: usize,
    },
    /// The keys cannot be used.
    #[error("{}: {why}", path.display())]
    Keys {
        /// The file of keys.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A pack that was just written does not verify.
    #[error("{}: {error}", path.display())]
    Pack {
        /// The authored file.
        path: PathBuf,
        /// Why.
        error: PackError,
    },
}

impl ContentError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }
}

/// Writes findings, one on each line.
pub(super) fn print(findings: &[Finding], out: &mut dyn Write) -> Result<(), ContentError> {
    for finding in findings {
        writeln!(out, "{finding}").map_err(ContentError::io(&finding.file))?;
    }
    Ok(())
}
