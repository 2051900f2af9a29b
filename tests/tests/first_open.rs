//! The first stores of a process may be opened by several threads at once.
//!
//! SQLite sets SQLCipher up after it has let go of its own lock, so this can only be seen in a process that
//! has opened nothing yet: one walker per try.

use std::process::Command;

/// Enough to have failed every time before the set-up was made to wait.
const PROCESSES: usize = 40;

#[test]
fn eight_threads_make_the_first_stores_of_a_process() {
    for process in 0..PROCESSES {
        let folder = tempfile::tempdir().unwrap();
        let walker = Command::new(env!("CARGO_BIN_EXE_walker"))
            .arg(folder.path())
            .args(["1", "together"])
            .output()
            .unwrap();
        assert!(walker.status.success(), "process {process}: {}", String::from_utf8_lossy(&walker.stdout));
    }
}
