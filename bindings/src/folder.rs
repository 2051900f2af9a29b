//! The folder of a store: making it, and what lies in it.
//!
//! Never opens, makes or moves a store. Says when an empty one must not be made: beside what is left of another it would
//! look whole.

use std::io;
use std::path::Path;

/// The name of the store in its folder.
pub(crate) const STORE: &str = "store.db";

/// What of a store lies in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The store.
    Whole,
    /// None, or one whose making was cut short: nobody was ever told of it.
    Nothing,
    /// What belongs to one, without it; the code says how it was noticed.
    Lost(&'static str),
}

/// Looks what of a store lies in the folder.
pub(crate) fn found(folder: &Path) -> io::Result<Found> {
    let beside = |suffix: &str| folder.join(format!("{STORE}{suffix}")).exists();
    // Another process may be making it now, and the store itself comes last: so it is looked for last.
    let (headed, unfinished, aside) = (beside(".head"), beside(".new"), any_aside(folder)?);
    Ok(match (beside(""), aside) {
        (true, _) => Found::Whole,
        (false, true) => Found::Lost("set-aside"),
        (false, false) if headed && !unfinished => Found::Lost("gone"),
        (false, false) => Found::Nothing,
    })
}

/// Whether a store was set aside here.
fn any_aside(folder: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(STORE)?.strip_prefix(".set-aside-"));
        if number.is_some_and(|number| number.parse::<u32>().is_ok()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes the folder, where it is not there, for its owner alone. One that was there keeps its mode: it may hold more
/// than this, and be somebody else's.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Nobody else on this machine may read the files of the store, whatever the folder allows.
#[cfg(unix)]
pub(crate) fn private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(STORE) {
            // A file system without modes is no reason to keep anyone from their store.
            let _ = std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o600));
        }
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn private(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)] // a test may
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::device::Device;
    use crate::errors::FieldError;
    use crate::host::KeyStore;
    use crate::requests::OpenRequest;

    struct Keys;

    impl KeyStore for Keys {
        fn wrap(&self, plain: Vec<u8>) -> Result<Vec<u8>, FieldError> {
            Ok(plain)
        }

        fn unwrap(&self, wrapped: Vec<u8>) -> Result<Vec<u8>, FieldError> {
            Ok(wrapped)
        }
    }

    fn open(folder: &Path) -> Result<bool, FieldError> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content/keys/root.json");
        let request = OpenRequest {
            folder: folder.to_str().unwrap().to_owned(),
            root_json: std::fs::read(root).unwrap(),
        };
        let device = Device::open_with_keystore(request, Arc::new(Keys), None)?;
        let whole = device.verify()?.whole;
        device.lock()?;
        Ok(whole)
    }

    fn made() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        assert_eq!(open(&data), Ok(true));
        (folder, data)
    }

    fn lost(code: &str) -> Result<bool, FieldError> {
        Err(FieldError::StoreDamaged { code: code.into() })
    }

    #[test]
    fn a_damaged_store_is_not_replaced_by_an_empty_one() {
        let (_folder, data) = made();
        let store = data.join(STORE);
        let whole = std::fs::read(&store).unwrap();
        let mut damaged = whole.clone();
        damaged[10] ^= 1;
        std::fs::write(&store, damaged).unwrap();
        for _ in 0..3 {
            assert_eq!(open(&data), lost("set-aside"));
            assert!(!store.exists());
        }
        std::fs::write(&store, whole).unwrap();
        assert_eq!(open(&data), Ok(true), "put back");
    }

    #[test]
    fn a_store_that_is_gone_is_missed_and_one_that_was_never_finished_is_made() {
        let (_folder, data) = made();
        std::fs::rename(data.join(STORE), data.join("elsewhere")).unwrap();
        assert_eq!((open(&data), open(&data)), (lost("gone"), lost("gone")));
        std::fs::rename(data.join("elsewhere"), data.join("store.db.new")).unwrap();
        assert_eq!(open(&data), Ok(true));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_was_there_keeps_its_mode_and_the_store_is_still_private() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (folder, data) = made();
        assert_eq!(mode(&data), 0o700, "made here");
        let shared = folder.path().join("shared");
        std::fs::create_dir(&shared).unwrap();
        std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(open(&shared), Ok(true));
        assert_eq!(mode(&shared), 0o755);
        for name in [STORE, "store.db.head", "store.db.canary", "store.key"] {
            assert_eq!(mode(&shared.join(name)), 0o600, "{name}");
        }
    }
}
