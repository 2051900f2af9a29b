//! `amparo content check`: every finding in a folder of content.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use amparo_core::pack::Severity;
use amparo_schema::pack::Content;
use amparo_schema::pack::directory::Hours;

use super::compile::{Compiled, compile};
use super::finding::{ContentError, Finding, Summary, print};
use super::yaml::{FILE_BYTES_MAX, Mark};

/// Folders under content that hold no authored packs.
const NOT_AUTHORED: [&str; 2] = ["keys", "packs"];
/// Folders within folders that are followed.
const FOLDERS_DEEP_MAX: usize = 8;

/// What a folder holds.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Files that compiled, by path; also those with findings about their content.
    pub packs: Vec<Compiled>,
    /// Findings, by file and place.
    pub findings: Vec<Finding>,
    /// Files that were read.
    pub files: usize,
}

impl Report {
    /// Counts.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let errors = self.findings.iter().filter(|f| f.severity == Severity::Error).count();
        Summary { packs: self.files, errors, warnings: self.findings.len().saturating_sub(errors) }
    }
}

/// Checks a folder, or one file, and prints `file:line:column: error[rule] place: what` for each finding,
/// then one line of counts. Errors in the content are no error here: see [`Summary::errors`].
///
/// # Errors
/// [`ContentError::Io`] when something cannot be read or printed.
pub fn run(dir: &Path, out: &mut dyn Write) -> Result<Summary, ContentError> {
    let report = check(dir)?;
    print(&report.findings, out)?;
    let summary = report.summary();
    writeln!(out, "{} packs, {} errors, {} warnings", summary.packs, summary.errors, summary.warnings)
        .map_err(ContentError::io(dir))?;
    Ok(summary)
}

/// Checks a folder, or one file. Folders `keys` and `packs` are passed over.
///
/// # Errors
/// [`ContentError::Io`] when something cannot be read.
pub fn check(dir: &Path) -> Result<Report, ContentError> {
    let mut files = Vec::new();
    find(dir, 0, &mut files)?;
    files.sort();
    let mut report = Report { files: files.len(), ..Report::default() };
    for file in files {
        let bytes = std::fs::metadata(&file).map_err(ContentError::io(&file))?.len();
        if bytes > FILE_BYTES_MAX as u64 {
            let detail = format!("more than {FILE_BYTES_MAX} bytes");
            report.findings.push(Finding::error(&file, Mark { line: 1, column: 1 }, "yaml-limit", detail));
            continue;
        }
        let text = std::fs::read_to_string(&file).map_err(ContentError::io(&file))?;
        let (compiled, findings) = compile(&file, &text);
        report.packs.extend(compiled);
        report.findings.extend(findings);
    }
    together(&report.packs, &mut report.findings);
    report.findings.sort_by(|a, b| (&a.file, a.mark).cmp(&(&b.file, b.mark)));
    Ok(report)
}

fn find(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), ContentError> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(ContentError::io(path))? {
        let entry = entry.map_err(ContentError::io(path))?.path();
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let passed_over = depth == 0 && NOT_AUTHORED.contains(&name);
        if entry.is_dir() && !passed_over && depth < FOLDERS_DEEP_MAX {
            find(&entry, depth.saturating_add(1), files)?;
        } else if entry.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(entry);
        }
    }
    Ok(())
}

/// What no pack can tell alone: within a kind, ids stand once; calendars, zones and services that are named
/// exist, as soon as there is any calendar or directory. UTC needs none.
fn together(packs: &[Compiled], findings: &mut Vec<Finding>) {
    times(packs, findings);
    services(packs, findings);
    let mut ids: BTreeMap<_, &Path> = BTreeMap::new();
    for pack in packs {
        if let Some(first) = ids.insert((pack.header.kind, &pack.header.id), &pack.file) {
            let detail = format!("{} is the id of {} as well", pack.header.id, first.display());
            findings.push(Finding::error(&pack.file, pack.mark("pack.id"), "duplicate-pack", detail));
        }
    }
}

/// Every service that a recipient answers for stands in a directory.
fn services(packs: &[Compiled], findings: &mut Vec<Finding>) {
    let directories = packs.iter().filter_map(|pack| match &pack.content {
        Content::Directory(directory) => Some(directory.services.iter().map(|service| &service.id)),
        _ => None,
    });
    let known: BTreeSet<_> = directories.flatten().collect();
    if known.is_empty() {
        return;
    }
    for pack in packs {
        let Content::Recipients(content) = &pack.content else { continue };
        for (i, recipient) in content.recipients.iter().enumerate() {
            for (j, service) in recipient.services.iter().enumerate().filter(|(_, s)| !known.contains(s)) {
                let path = format!("recipients[{i}].services[{j}]");
                let what = format!("{path}: no directory has {service}");
                findings.push(Finding::error(&pack.file, pack.mark(&path), "unknown-service", what));
            }
        }
    }
}

/// Every calendar and zone that is named exists.
fn times(packs: &[Compiled], findings: &mut Vec<Finding>) {
    let calendars: BTreeMap<_, _> = packs
        .iter()
        .filter_map(|pack| match &pack.content {
            Content::Calendar(calendar) => Some((&pack.header.id, calendar)),
            _ => None,
        })
        .collect();
    if calendars.is_empty() {
        return;
    }
    let zone =
        |name: &str| name == "UTC" || calendars.values().any(|calendar| calendar.zones.contains_key(name));
    for pack in packs {
        let mut wrong = |path: &str, rule, what: String| {
            findings.push(Finding::error(&pack.file, pack.mark(path), rule, what));
        };
        match &pack.content {
            Content::Protocol(protocol) => {
                if let Some(id) = protocol.calendar.as_ref().filter(|id| !calendars.contains_key(id)) {
                    wrong("calendar", "unknown-calendar", format!("there is no calendar {id}"));
                }
                if !zone(&protocol.zone) {
                    wrong("zone", "unknown-zone", format!("no calendar has {}", protocol.zone));
                }
            }
            Content::Directory(directory) => {
                for (i, service) in directory.services.iter().enumerate() {
                    if let Hours::Weekly { zone: name, .. } = &service.hours
                        && !zone(name)
                    {
                        let path = format!("services[{i}].hours");
                        wrong(&path, "unknown-zone", format!("{path}: no calendar has {name}"));
                    }
                }
            }
            _ => {}
        }
    }
}
