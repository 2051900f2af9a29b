//! `backup` and `restore` of the SQLite store.
//!
//! Owns the list of backups, because devices let go of what every backup holds from which headquarters could
//! be restored. A backup has no keys; `keys.json` is kept apart.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::CliError;
use super::files::{own, read_json, sync_folder, write_json};
use super::home::Home;
use super::host::now_ms;
use crate::relay::Durability;
use crate::storage::sqlite::Sqlite;

/// One backup, as `backups.json` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    file: PathBuf,
    /// Leaves of the log that it holds.
    log_size: u64,
    /// By headquarters' clock, milliseconds since 1970.
    at_ms: i64,
}

/// Copies the store and tells the relay what the copy holds.
pub(super) fn backup(home: &Home, file: &Path, keep: u32) -> Result<Value, CliError> {
    let source = home.sqlite_file()?;
    let relay = home.relay(Durability::Local)?;
    let mut storage = home.storage()?;
    if file.exists() {
        return Err(CliError::Exists(file.display().to_string()));
    }
    Sqlite::open(&source, None)?.back_up(file)?;
    own(file)?;
    fs::File::open(file).and_then(|f| f.sync_all()).map_err(CliError::at(file))?;
    sync_folder(file).map_err(CliError::at(file))?;
    // What it holds is read from the copy itself, through a copy of its own so that it stays as it is.
    let log_size = inspect(home, file)?;
    let list = home.file("backups.json");
    let mut made: Vec<Made> = read_json(&list)?.unwrap_or_default();
    let whole = fs::canonicalize(file).map_err(CliError::at(file))?;
    made.push(Made { file: whole, log_size, at_ms: now_ms() });
    let kept = usize::try_from(keep).unwrap_or(usize::MAX);
    let retired: Vec<Made> = made.drain(..made.len().saturating_sub(kept)).collect();
    write_json(&list, &made)?;
    let oldest = made.iter().map(|made| made.log_size).min().unwrap_or(0);
    relay.backed_up(&mut *storage, log_size, oldest)?;
    let retired: Vec<_> = retired.into_iter().map(|made| made.file).collect();
    Ok(json!({ "file": file, "log_size": log_size, "oldest_log_size": oldest, "to_destroy": retired }))
}

/// Leaves of the log in a backup. Proves that it opens and reads.
fn inspect(home: &Home, file: &Path) -> Result<u64, CliError> {
    let copy = home.file("backup.check");
    remove(&copy)?;
    fs::copy(file, &copy).map_err(CliError::at(&copy))?;
    let size = (|| {
        let relay = home.relay(Durability::Local)?;
        Ok(relay.checkpoint(&mut Sqlite::open(&copy, None)?)?.size)
    })();
    remove(&copy)?;
    size
}

/// Puts a backup in the place of the store. What was there is moved aside, not removed.
pub(super) fn restore(home: &Home, file: &Path) -> Result<Value, CliError> {
    let store = home.sqlite_file()?;
    let _alone = home.hold(true)?;
    let log_size = inspect(home, file)?;
    let aside = home.file(&format!("relay.db.before-restore-{}", now_ms()));
    let fresh = home.file("relay.db.restored");
    fs::copy(file, &fresh).map_err(CliError::at(&fresh))?;
    own(&fresh)?;
    fs::File::open(&fresh).and_then(|f| f.sync_all()).map_err(CliError::at(&fresh))?;
    for ending in ["", "-wal", "-shm"] {
        let (from, to) = (with_ending(&store, ending), with_ending(&aside, ending));
        match fs::rename(&from, &to) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(CliError::at(&from)(e)),
            _ => {}
        }
    }
    fs::rename(&fresh, &store).and_then(|()| sync_folder(&store)).map_err(CliError::at(&store))?;
    Ok(json!({ "restored_log_size": log_size, "before": aside }))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), CliError> {
    for ending in ["", "-wal", "-shm"] {
        let path = with_ending(path, ending);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(CliError::at(&path)(e)),
            _ => {}
        }
    }
    Ok(())
}
