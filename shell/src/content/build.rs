//! `amparo content build`: a folder of content to signed packs.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use amparo_core::pack::{Trust, open, write};
use amparo_schema::pack::{Header, Kind, PackRef};

use super::check::{Report, check};
use super::compile::Compiled;
use super::finding::{ContentError, Summary, print};
use super::keys::{Keys, ROOT_FILE};

/// One pack that was built.
#[derive(Clone, Debug)]
pub struct BuiltPack {
    /// The authored file.
    pub source: PathBuf,
    /// The header as signed.
    pub header: Header,
    /// Id, version and hash.
    pub pack_ref: PackRef,
    /// The file.
    pub bytes: Vec<u8>,
}

impl BuiltPack {
    /// The name of its file: `checklist-four-questions.pack`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}.pack", self.header.kind.as_str(), self.header.id)
    }
}

/// Builds every pack of a folder into `out_dir` as `<kind>-<id>.pack`, and writes the root file
/// (`keys/root.json`) that the demonstration keys make. Equal content and keys give equal bytes. Files of that form
/// in `out_dir` that no content stands for any more are removed. With errors in the content nothing is written.
///
/// # Errors
/// [`ContentError::Refused`] after printing the findings; [`ContentError`] of keys and files.
pub fn run(dir: &Path, out_dir: &Path, out: &mut dyn Write) -> Result<Summary, ContentError> {
    let report = check(dir)?;
    print(&report.findings, out)?;
    let keys = Keys::read(dir)?;
    let packs = build(&report, &keys)?;
    let mut root = serde_json::to_vec_pretty(&keys.root).map_err(|e| keys_error(dir, &e))?;
    root.push(b'\n');
    std::fs::create_dir_all(out_dir).map_err(ContentError::io(out_dir))?;
    let root_file = dir.join(ROOT_FILE);
    std::fs::write(&root_file, root).map_err(ContentError::io(&root_file))?;
    for pack in &packs {
        let file = out_dir.join(pack.file_name());
        std::fs::write(&file, &pack.bytes).map_err(ContentError::io(&file))?;
    }
    sweep(out_dir, &packs)?;
    for pack in &packs {
        let (version, bytes) = (pack.header.version, pack.bytes.len());
        writeln!(out, "{} {version} {} {bytes} bytes", pack.file_name(), pack.pack_ref.hash)
            .map_err(ContentError::io(out_dir))?;
    }
    Ok(report.summary())
}

/// Signs what compiled and opens it again as a device would.
///
/// # Errors
/// [`ContentError::Refused`] when there are errors, [`ContentError::Keys`] and [`ContentError::Pack`] when
/// the keys do not fit the packs.
pub fn build(report: &Report, keys: &Keys) -> Result<Vec<BuiltPack>, ContentError> {
    let errors = report.summary().errors;
    if errors > 0 {
        return Err(ContentError::Refused { errors });
    }
    let trust = Trust::new(keys.root.clone()).map_err(|e| keys_error(Path::new(ROOT_FILE), &e))?;
    report.packs.iter().map(|compiled| one(compiled, keys, &trust)).collect()
}

fn one(compiled: &Compiled, keys: &Keys, trust: &Trust) -> Result<BuiltPack, ContentError> {
    let refused = |error| ContentError::Pack { path: compiled.file.clone(), error };
    let signers = keys.of(&compiled.header.authority);
    let bytes = write(compiled.header.clone(), compiled.json.clone(), &signers).map_err(refused)?;
    let pack = open(&bytes, trust, None).map_err(refused)?;
    Ok(BuiltPack { source: compiled.file.clone(), header: pack.header, pack_ref: pack.pack_ref, bytes })
}

fn keys_error(path: &Path, why: &dyn std::fmt::Display) -> ContentError {
    ContentError::Keys { path: path.to_owned(), why: why.to_string() }
}

fn sweep(out_dir: &Path, packs: &[BuiltPack]) -> Result<(), ContentError> {
    let built: BTreeSet<_> = packs.iter().map(BuiltPack::file_name).collect();
    for entry in std::fs::read_dir(out_dir).map_err(ContentError::io(out_dir))? {
        let file = entry.map_err(ContentError::io(out_dir))?.path();
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ours = Kind::ALL.iter().any(|kind| {
            name.strip_prefix(kind.as_str())
                .is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".pack"))
        });
        if ours && !built.contains(name) {
            std::fs::remove_file(&file).map_err(ContentError::io(&file))?;
        }
    }
    Ok(())
}
