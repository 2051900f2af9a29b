//! Files that only their owner may read, and that are never half written.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

use super::error::CliError;

/// Bytes of the largest file of ours that is read whole; a pack is larger than any other.
const BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A secret of 32 bytes as a file has it: 64 hexadecimal digits. Wiped when dropped; never shown.
#[derive(Clone)]
pub(super) struct Secret(pub(super) Zeroizing<[u8; 32]>);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(HEXLOWER.encode(&*self.0)))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().map(Zeroizing::new);
        let mut out = Zeroizing::new([0; 32]);
        match bytes {
            Some(bytes) if bytes.len() == out.len() => out.copy_from_slice(&bytes),
            _ => return Err(serde::de::Error::custom("not 64 hexadecimal digits")),
        }
        Ok(Self(out))
    }
}

/// Makes a folder that only its owner may look into. One that is there stays as it is: others may work in it.
pub(super) fn make_folder(folder: &Path) -> Result<(), CliError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder).map_err(CliError::at(folder))
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

/// Makes sure that only the owner may read a file.
pub(super) fn own(path: &Path) -> Result<(), CliError> {
    restrict(path, 0o600).map_err(CliError::at(path))
}

/// Writes a file that only its owner may read. After a crash it holds the old bytes or the new ones.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let temporary = path.with_extension("new");
    let done = || {
        match fs::remove_file(&temporary) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_folder(path)
    };
    done().map_err(CliError::at(path))
}

/// Makes the names in the folder of a file last.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(unix)]
fn create(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

/// Writes a value as a JSON file that only its owner may read.
pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), CliError> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    let done = write(path, &text);
    text.zeroize();
    done
}

/// Reads a value from a JSON file; none if there is no file.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, CliError> {
    let text = match read(path) {
        Err(CliError::Io { why, .. }) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => Zeroizing::new(read?),
    };
    serde_json::from_slice(&text).map(Some).map_err(|_| CliError::Damaged(path.display().to_string()))
}

/// Reads a file, bounded.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes));
    read.map_err(CliError::at(path))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_folders_that_were_made_are_closed_to_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let shared = tempfile::tempdir().unwrap();
        fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o755)).unwrap();
        make_folder(shared.path()).unwrap();
        assert_eq!(mode(shared.path()), 0o755);
        let own = shared.path().join("a/b");
        make_folder(&own).unwrap();
        assert_eq!((mode(&own), mode(&shared.path().join("a"))), (0o700, 0o700));
    }

    #[test]
    fn secrets_are_the_owners_alone_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        for byte in [1, 2] {
            write_json(&path, &[Secret(Zeroizing::new([byte; 32]))]).unwrap();
            let back: Vec<Secret> = read_json(&path).unwrap().unwrap();
            assert_eq!(*back[0].0, [byte; 32]);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "[\"00\"]").unwrap();
        assert!(matches!(read_json::<Vec<Secret>>(&path), Err(CliError::Damaged(_))));
        assert!(read_json::<Vec<Secret>>(&folder.path().join("none")).unwrap().is_none());
    }
}
