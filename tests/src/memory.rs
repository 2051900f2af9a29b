//! The memory of another process, as the system shows it to whoever started that process (Linux).

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::process::Command;
use std::time::Duration;

/// Bytes of all regions together; a process that holds more is not scanned by halves.
pub const IMAGE_BYTES_MAX: usize = 1 << 30;

/// One region.
#[derive(Debug)]
pub struct Region {
    /// What the system calls it: a file, `[heap]`, `[stack]`, or nothing.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Everything that a process wrote or could have written: regions that it may write, and those behind which stands
/// no file. Read-only pages of its program and libraries are files that anybody has. The process stands still
/// meanwhile.
///
/// # Errors
/// What the system says: `PermissionDenied` where the rules for tracing (`kernel.yama.ptrace_scope` above 1, a
/// container's own) let nobody look; [`ErrorKind::FileTooLarge`] past [`IMAGE_BYTES_MAX`].
pub fn image(pid: u32) -> io::Result<Vec<Region>> {
    signal(pid, "STOP")?;
    let read = stopped(pid).and_then(|()| regions(pid));
    signal(pid, "CONT")?;
    read
}

fn regions(pid: u32) -> io::Result<Vec<Region>> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let mut memory = File::open(format!("/proc/{pid}/mem"))?;
    let (mut regions, mut total) = (Vec::new(), 0_usize);
    for (from, to, name) in maps.lines().filter_map(wanted) {
        let length = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
        total = total.saturating_add(length);
        if total > IMAGE_BYTES_MAX {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let mut bytes = vec![0; length];
        memory.seek(SeekFrom::Start(from))?;
        memory.read_exact(&mut bytes)?;
        regions.push(Region { name: name.to_owned(), bytes });
    }
    Ok(regions)
}

fn signal(pid: u32, name: &str) -> io::Result<()> {
    let told = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status()?;
    if told.success() { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
}

/// Waits until every thread stands still.
fn stopped(pid: u32) -> io::Result<()> {
    for _ in 0..1_000 {
        let mut all = true;
        for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            all &= std::fs::read_to_string(thread?.path().join("status"))?.contains("\nState:\tT");
        }
        if all {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(ErrorKind::TimedOut.into())
}

/// Where a line's region begins and ends, and its name, if it is one to look at.
fn wanted(line: &str) -> Option<(u64, u64, &str)> {
    let mut words = line.split_ascii_whitespace();
    let (span, rights) = (words.next()?, words.next()?);
    let inode = words.nth(2)?;
    let name = words.next().unwrap_or_default();
    let (from, to) = span.split_once('-')?;
    let bounds = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
    // Pages of the kernel that every process has.
    let kernel = name.starts_with("[v");
    let own = rights.starts_with("rw") || (rights.starts_with('r') && inode == "0");
    (own && !kernel).then_some((bounds.0, bounds.1, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_are_regions_that_are_written_or_have_no_file() {
        for (line, name) in [
            ("55d0-56a0 rw-p 00000000 00:00 0                          [heap]", Some("[heap]")),
            ("55d0-56a0 rw-p 00000000 00:00 0", Some("")),
            ("55d0-56a0 r--p 00000000 00:00 0", Some("")),
            ("55d0-56a0 rw-s 00000000 fe:01 77    /tmp/relay.db-shm", Some("/tmp/relay.db-shm")),
            ("55d0-56a0 r-xp 00000000 fe:01 77    /usr/bin/program", None),
            ("55d0-56a0 ---p 00000000 00:00 0", None),
            ("55d0-56a0 r--p 00000000 00:00 0     [vvar]", None),
        ] {
            assert_eq!(wanted(line), name.map(|name| (0x55d0, 0x56a0, name)), "{line}");
        }
    }
}
