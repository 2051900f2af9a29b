//! Exchanges as files on a stick, for where there is no link.

use std::io::Read;
use std::path::{Path, PathBuf};

use amparo_core::device::{Error, SyncFault};
use amparo_core::seal::OpenError;
use amparo_core::sync::Why;
use amparo_schema::limits::VOLUME_BYTES_MAX;
use amparo_schema::wire::bundle::EXTENSION;
use serde_json::json;

use super::{Seat, say, words};
use crate::args::exit;
use crate::commands::CommandError;
use crate::keystore::write_durably;
use crate::words::Word;

/// Bytes of a file that is read: a volume with what seals it.
const FILE_BYTES_MAX: usize = VOLUME_BYTES_MAX + 64 * 1024;

impl Seat<'_> {
    /// Writes what headquarters lacks into a folder, as files that anyone may carry. Nothing goes from this device.
    ///
    /// # Errors
    /// [`super::NotDone`] before enrolment; those of the device and of the system.
    pub fn export(&self, folder: &Path) -> Result<u8, CommandError> {
        // One screening that does not close must not keep all others here.
        let _ = self.device.close_overdue();
        let volumes = match self.device.export_bundle() {
            Ok(volumes) => volumes,
            Err(why) => return Err(self.fault(why)?.into()),
        };
        let io = |path: &Path| {
            let place = path.display().to_string();
            move |why| CommandError::Io { place, why }
        };
        std::fs::create_dir_all(folder).map_err(io(folder))?;
        let mut bytes = 0_usize;
        for volume in &volumes {
            let path = folder.join(&volume.name);
            write_durably(&path, &volume.bytes).map_err(io(&path))?;
            bytes = bytes.saturating_add(volume.bytes.len());
        }
        if self.json {
            let files: Vec<_> = volumes.iter().map(|volume| &volume.name).collect();
            say(&json!({ "folder": folder, "files": files, "bytes": bytes }).to_string());
        } else {
            let count = volumes.len();
            say(&format!("{} {count} ({bytes} B): {}", self.word(Word::BundleWritten), folder.display()));
            say(&format!("{} {}", self.word(Word::NextThing), self.word(Word::NextCarry)));
        }
        Ok(exit::OK)
    }

    /// Takes files of answers, in any order; a folder stands for the files in it. What is not for this device,
    /// damaged, or cannot be read is told and passed over. In a folder, files that open elsewhere are no fault: a stick
    /// carries those to headquarters as well, and other devices'.
    ///
    /// # Errors
    /// [`super::NotDone`] before enrolment; those of the device, with what came before taken.
    pub fn import(&self, given: &[PathBuf]) -> Result<u8, CommandError> {
        if self.device.enrolment()?.is_none() {
            return Err(self.not_done(exit::REFUSED, Word::NotEnrolled).into());
        }
        let (mut taken, mut entries, mut faults, mut elsewhere) = (0_u64, 0_u64, 0_u64, 0_u64);
        let mut aside: Vec<Why> = Vec::new();
        for file in files(given)? {
            let bytes = match read(&file) {
                Ok(bytes) => bytes,
                // One that cannot be read holds up no other.
                Err(why) => {
                    faults = faults.saturating_add(1);
                    if !self.json {
                        say(&format!("  ! {why}"));
                    }
                    continue;
                }
            };
            match self.device.import_bundle(&bytes) {
                Ok(report) => {
                    taken = taken.saturating_add(1);
                    entries = entries.saturating_add(report.entries).saturating_add(report.receipts);
                    aside.extend(report.aside);
                }
                Err(Error::Sync(SyncFault::Unreadable(OpenError::Wrapped))) if !given.contains(&file) => {
                    elsewhere = elsewhere.saturating_add(1);
                }
                Err(Error::Sync(_)) => {
                    faults = faults.saturating_add(1);
                    if !self.json {
                        say(&format!("  ! {}: {}", self.word(Word::NotForUs), file.display()));
                    }
                }
                Err(why) => return Err(why.into()),
            }
        }
        // What came may have made things due that were waiting for it.
        self.device.purge_due()?;
        if self.json {
            let told =
                json!({ "files": taken, "new": entries, "not_taken": faults, "for_others": elsewhere });
            say(&told.to_string());
        } else {
            say(&format!(
                "{} {taken} ({entries} {})",
                self.word(Word::BundleTaken),
                self.word(Word::NewThings)
            ));
            if elsewhere > 0 {
                say(&format!("  – {} {elsewhere}", self.word(Word::ForOthers)));
            }
            for why in aside {
                say(&format!("  ! {}", self.word(words::why(why))));
            }
            let state = self.device.sync_state()?;
            self.screenings(&state)?;
            self.letters(&state);
        }
        Ok(match (faults, taken) {
            (0, 0) => exit::NOTHING,
            (0, _) => exit::OK,
            _ => exit::FAULTS,
        })
    }
}

/// The files, and for a folder those in it that are named as volumes are.
fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for path in given {
        let io = |why| CommandError::Io { place: path.display().to_string(), why };
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        for entry in std::fs::read_dir(path).map_err(io)? {
            let file = entry.map_err(io)?.path();
            if file.extension().is_some_and(|ending| ending == EXTENSION) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// A file, bounded: of one that is too large as much as shows that it is none of ours.
fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    let io = |why| CommandError::Io { place: file.display().to_string(), why };
    let bytes_max = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    std::fs::File::open(file).and_then(|file| file.take(bytes_max).read_to_end(&mut bytes)).map_err(io)?;
    Ok(bytes)
}
