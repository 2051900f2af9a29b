//! `backup` and `restore` of the SQLite store, and what is done again after either store was restored.
//!
//! Owns the list of backups, because devices let go of what every backup holds from which headquarters could
//! be restored. A backup has neither headquarters' keys nor anybody's facts in plain, but the secrets of open
//! tickets and who belongs here: only its owner may read it. `keys.json` is kept apart.

use std::fs;
use std::path::{Path, PathBuf};

use amparo_schema::id::Hash;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::args::Backup;
use super::error::CliError;
use super::files::{make_folder, own, read_json, sync_folder, write_json};
use super::home::{Held, Home, Opened, RESTORED, SQLITE, STORE};
use super::host::now_ms;
use crate::relay::{Act, Action, Checkpoint, Relay, RelayError};
use crate::storage::sqlite::Sqlite;
use crate::storage::{Storage, StorageError};

/// One backup, as `backups.json` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    file: PathBuf,
    /// Leaves of the log that it holds.
    log_size: u64,
    /// The log's root, which tells backups of a life that a restore ended from those of this one.
    log_root: Hash,
    /// Whether it was made on another disk than the store's. One on the same disk is lost with it.
    elsewhere: bool,
    /// By headquarters' clock, milliseconds since 1970.
    at_ms: i64,
}

impl Made {
    fn log(&self) -> Checkpoint {
        Checkpoint { size: self.log_size, root: self.log_root }
    }
}

/// Copies the store and tells the relay what the copy holds.
pub(super) fn backup(home: &Home, words: &Backup) -> Result<Value, CliError> {
    let Backup { file, keep, same_disk } = words;
    let source = home.sqlite_file()?;
    let Opened { relay, mut storage, held: _held } = home.open()?;
    // The list is read and written by one backup at a time. Servers do not mind.
    let _alone = home.hold("backup.lock", Held::Alone)?;
    if file.exists() {
        return Err(CliError::Exists(file.display().to_string()));
    }
    let elsewhere = !on_one_disk(&source, file)?;
    if !elsewhere && !same_disk {
        return Err(CliError::Refused(
            "a backup on the store's own disk is lost with it: name a file elsewhere, or say --same-disk",
        ));
    }
    Sqlite::open(&source, None)?.back_up(file)?;
    fs::File::open(file).and_then(|f| f.sync_all()).map_err(CliError::at(file))?;
    sync_folder(file).map_err(CliError::at(file))?;
    // What it holds is read from the copy itself.
    let log = inspect(&relay, file)?;
    let list = home.file("backups.json");
    let mut made: Vec<Made> = read_json(&list)?.unwrap_or_default();
    let whole = fs::canonicalize(file).map_err(CliError::at(file))?;
    made.push(Made { file: whole, log_size: log.size, log_root: log.root, elsewhere, at_ms: now_ms() });
    let (mut here, mut retired) = (Vec::new(), Vec::new());
    for made in made {
        // After a restore, what came later than the backup that was restored is of another life: it lacks what
        // was taken since, so what devices may let go of cannot be told from it.
        let own = relay.holds(&mut *storage, &made.log())?;
        if own { here.push(made) } else { retired.push(made) }
    }
    let (kept, older) = newest(here, *keep);
    retired.extend(older);
    write_json(&list, &kept)?;
    let oldest = kept.iter().map(|made| made.log_size).min().unwrap_or(0);
    let newest = kept.iter().filter(|made| made.elsewhere).map(|made| made.log_size).max().unwrap_or(0);
    relay.backed_up(&mut *storage, newest, oldest)?;
    let retired: Vec<_> = retired.into_iter().map(|made| made.file).collect();
    let mut told = json!({
        "file": file, "log_size": log.size, "oldest_log_size": oldest, "durable": elsewhere, "to_destroy": retired
    });
    if let (false, Some(told)) = (elsewhere, told.as_object_mut()) {
        let copied = format!(
            "nothing is durable by it: copy it to another machine, then say \
             `amparo-hq backed-up --newest {} --oldest {oldest}`",
            log.size
        );
        told.insert("note".into(), copied.into());
    }
    Ok(told)
}

/// The backups, oldest first, that count: those with fewer than `keep` newer ones; and the older ones. One on the
/// store's own disk is lost with it, so it takes the place of none elsewhere.
fn newest(made: Vec<Made>, keep: u32) -> (Vec<Made>, Vec<Made>) {
    let (mut all, mut elsewhere) = (0, 0);
    let mut counts: Vec<bool> = Vec::new();
    for one in made.iter().rev() {
        counts.push(if one.elsewhere { elsewhere } else { all } < keep);
        all += 1;
        elsewhere += u32::from(one.elsewhere);
    }
    let (kept, older): (Vec<_>, Vec<_>) =
        made.into_iter().zip(counts.into_iter().rev()).partition(|(_, counts)| *counts);
    let only = |pairs: Vec<(Made, bool)>| pairs.into_iter().map(|(one, _)| one).collect();
    (only(kept), only(older))
}

/// Whether a new file would lie on the disk of one that is there. Where a system does not tell, the operator
/// must know.
#[cfg(unix)]
fn on_one_disk(there: &Path, new: &Path) -> Result<bool, CliError> {
    use std::os::unix::fs::MetadataExt as _;
    let folder = new.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let disk = |path: &Path| fs::metadata(path).map(|known| known.dev()).map_err(CliError::at(path));
    Ok(disk(there)? == disk(folder)?)
}

#[cfg(not(unix))]
fn on_one_disk(_: &Path, _: &Path) -> Result<bool, CliError> {
    Ok(false)
}

/// The log in a backup. Proves that it is whole and of this headquarters; leaves it as it is.
fn inspect(relay: &Relay, file: &Path) -> Result<Checkpoint, CliError> {
    let no = |why: String| CliError::NoBackup(file.display().to_string(), why);
    let mut copy = Sqlite::look(file).map_err(|why| no(why.to_string()))?;
    let founder = relay.founder(&mut copy).map_err(|why| no(why.to_string()))?;
    if founder != Some(relay.headquarters().key) {
        return Err(no("it is not of the headquarters whose keys are in this folder".into()));
    }
    relay.checkpoint(&mut copy).map_err(|why| no(why.to_string()))
}

/// Puts a backup in the place of the store. What was there is moved aside, not removed. After a crash there is
/// the old store, or the new one, or none and then another `restore` makes it.
pub(super) fn restore(home: &Home, file: &Path) -> Result<Value, CliError> {
    home.sqlite_file()?;
    let relay = home.relay()?;
    let _alone = home.hold("store.lock", Held::Alone)?;
    let (store, fresh) = (home.file(STORE), home.file(RESTORED));
    remove(&fresh)?;
    let log = make_ready(&relay, file, &fresh).inspect_err(|_| drop(remove(&fresh)))?;
    let repeated = repeat_file(&relay, &store.join(SQLITE), &fresh.join(SQLITE))?;
    let before = home.file(&format!("{STORE}.before-restore-{}", now_ms()));
    let moved = store.exists();
    if moved {
        // The folder as a whole, so that a file and its log never part.
        fs::rename(&store, &before).map_err(CliError::at(&store))?;
    }
    fs::rename(&fresh, &store).and_then(|()| sync_folder(&store)).map_err(CliError::at(&store))?;
    let mut told = json!({ "restored_log_size": log.size, "before": moved.then_some(before) });
    if let (Some(told), Value::Object(repeated)) = (told.as_object_mut(), repeated) {
        told.extend(repeated);
    }
    Ok(told)
}

/// Does again in the new file what was taken back in the old one, as far as that opens, and tells what is left to
/// people. The new one is not in its place yet: a crash leaves the old.
fn repeat_file(relay: &Relay, old: &Path, new: &Path) -> Result<Value, CliError> {
    let mut fresh = Sqlite::open(new, None)?;
    let done = match old.exists() {
        true => Sqlite::open(old, None)
            .map_err(RelayError::from)
            .and_then(|mut old| repeat_store(relay, &mut old, &mut fresh)),
        false => Err(RelayError::Storage(StorageError::Engine("it is not there".into()))),
    };
    Ok(done.unwrap_or_else(|why| {
        json!({ "by_hand": [
            format!("the store that was here does not tell what was done since the backup: {why}"),
            "do again every revoke, erase, recipient add, publish, release and enrol since the backup",
            "a ticket that was used since can be used once more until it ends: give out none of them again",
            "until its device has called, an agency may be given what a person withdrew since",
        ]})
    }))
}

/// Does again in the store, which PostgreSQL's own tools restored, what was taken back in the database that it
/// replaces.
pub(super) fn repeat(home: &Home, from: &str) -> Result<Value, CliError> {
    let Opened { relay, mut storage, held: _held } = home.open()?;
    let mut old = home.before(from)?;
    if relay.founder(&mut *old)? != Some(relay.headquarters().key) {
        return Err(CliError::Refused("that database is of another headquarters, or of none"));
    }
    Ok(repeat_store(&relay, &mut *old, &mut *storage)?)
}

/// Does again in the new store what was taken back in the old one, and tells what is left to people.
fn repeat_store(relay: &Relay, old: &mut dyn Storage, new: &mut dyn Storage) -> Result<Value, RelayError> {
    let log = relay.checkpoint(new)?;
    let gone = relay.status(old)?.oldest_backup > log.size || !relay.holds(old, &log)?;
    let done = relay.repeat(old, new, now_ms())?;
    let mut by_hand = done.by_hand.iter().filter_map(by_hand).collect::<Vec<_>>();
    let again = |(device, segment)| format!("erase {device} {segment} (once its device has sent it again)");
    by_hand.extend(done.erased_elsewhere.into_iter().map(again));
    if gone {
        let why =
            "this backup was to be destroyed, or was used since: devices may have let go of what it lacks";
        by_hand.push(why.into());
    }
    Ok(json!({
        "revoked_again": done.revoked,
        "erased_again": done.erased,
        "withheld_again": done.withheld,
        "registered_again": done.registered,
        "disputed_again": done.disputed,
        "tickets_kept": done.tickets,
        "aside_kept": done.aside,
        "by_hand": by_hand,
    }))
}

fn by_hand(act: &Act) -> Option<String> {
    match &act.action {
        Action::Released { device } => Some(format!("release {device}")),
        Action::Discarded { device, .. } => Some(format!("aside {device} --discard")),
        Action::Published { pack } => Some(format!("publish the pack whose hash in the log is {pack}")),
        _ => None,
    }
}

/// A folder with a copy of the backup, which is looked at: what is put in place was looked at, whatever becomes of
/// the file meanwhile.
fn make_ready(relay: &Relay, file: &Path, fresh: &Path) -> Result<Checkpoint, CliError> {
    make_folder(fresh)?;
    let copy = fresh.join(SQLITE);
    fs::copy(file, &copy).map_err(CliError::at(file))?;
    own(&copy)?;
    let of_file = |error| match error {
        CliError::NoBackup(_, why) => CliError::NoBackup(file.display().to_string(), why),
        other => other,
    };
    let log = inspect(relay, &copy).map_err(of_file)?;
    if log.size == 0 {
        return Err(CliError::NoBackup(file.display().to_string(), "there is nothing in it".into()));
    }
    fs::File::open(&copy).and_then(|f| f.sync_all()).map_err(CliError::at(&copy))?;
    sync_folder(&copy).map_err(CliError::at(&copy))?;
    Ok(log)
}

fn remove(folder: &Path) -> Result<(), CliError> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(CliError::at(folder)(e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_on_the_same_disk_takes_the_place_of_none_elsewhere() {
        // Elsewhere or on the same disk, oldest first; how many are kept; the sizes of those that count.
        for (made, keep, counts) in [
            ("eee", 3, &[0, 1, 2][..]),
            ("eeee", 3, &[1, 2, 3]),
            ("eeesss", 3, &[0, 1, 2, 3, 4, 5]),
            ("eeessss", 3, &[0, 1, 2, 4, 5, 6]),
            ("ssseee", 3, &[3, 4, 5]),
            ("sesese", 2, &[3, 4, 5]),
            ("ess", 1, &[0, 2]),
            ("sss", 1, &[2]),
        ] {
            let made = made.chars().zip(0..).map(|(kind, log_size)| Made {
                file: PathBuf::new(),
                log_size,
                log_root: Hash([0; 32]),
                elsewhere: kind == 'e',
                at_ms: 0,
            });
            let made: Vec<_> = made.collect();
            let (kept, older) = newest(made.clone(), keep);
            assert_eq!(kept.iter().map(|one| one.log_size).collect::<Vec<_>>(), counts);
            assert_eq!(kept.len() + older.len(), made.len());
        }
    }
}
