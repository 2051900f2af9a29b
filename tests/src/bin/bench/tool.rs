//! Counts that another program takes of this one: instructions by valgrind, system calls by strace.
//!
//! A case is run in a process of its own with `n` operations and with `2n`. The difference, divided by `n`, is
//! the cost of one operation: the set-up is the same in both and falls out.

use std::path::Path;
use std::process::Command;

use super::Fallible;

/// One case of [`super::cases`] to be counted.
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    /// Where its store is.
    pub(crate) folder: &'a Path,
    pub(crate) operations: usize,
}

/// System calls of one operation.
#[derive(Clone, Copy, Default)]
pub(crate) struct Calls {
    pub(crate) syncs: f64,
    pub(crate) reads: f64,
}

impl Case<'_> {
    /// Instructions of one operation; none where valgrind is not to be had.
    pub(crate) fn instructions(&self) -> Fallible<Option<f64>> {
        if !there("valgrind") {
            return Ok(None);
        }
        let count = |n: usize| -> Fallible<f64> {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
            let said = self.run(valgrind, n)?;
            let line = said.lines().find_map(|line| line.split_once("Collected :"));
            let (_, number) =
                line.ok_or_else(|| format!("{}: valgrind counted nothing: {said}", self.name))?;
            Ok(number.trim().parse()?)
        };
        Ok(Some(self.slope(count(self.operations)?, count(2 * self.operations)?)))
    }

    /// System calls of one operation; none where strace is not to be had or may not trace.
    pub(crate) fn calls(&self) -> Fallible<Option<Calls>> {
        if !there("strace") {
            return Ok(None);
        }
        let table = self.folder.join("strace.txt");
        let count = |n: usize| -> Fallible<Option<Calls>> {
            let mut strace = Command::new("strace");
            strace.args(["-f", "-c", "-e", "trace=fsync,fdatasync,pread64", "-o"]).arg(&table);
            if self.run(strace, n).is_err() {
                return Ok(None);
            }
            let text = std::fs::read_to_string(&table)?;
            let of = |wanted: &[&str]| -> f64 {
                let columns = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
                let wanted = columns.filter(|c| c.last().is_some_and(|name| wanted.contains(name)));
                wanted.filter_map(|c| c.get(3)?.parse::<f64>().ok()).sum()
            };
            Ok(Some(Calls { syncs: of(&["fsync", "fdatasync"]), reads: of(&["pread64"]) }))
        };
        let (Some(one), Some(two)) = (count(self.operations)?, count(2 * self.operations)?) else {
            return Ok(None);
        };
        Ok(Some(Calls { syncs: self.slope(one.syncs, two.syncs), reads: self.slope(one.reads, two.reads) }))
    }

    fn slope(&self, one: f64, two: f64) -> f64 {
        (two - one) / self.operations as f64
    }

    fn run(&self, mut under: Command, n: usize) -> Fallible<String> {
        let this = std::env::current_exe()?;
        let done = under.arg(this).args(["one", self.name, &n.to_string()]).arg(self.folder).output()?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        if done.status.success() { Ok(said) } else { Err(format!("{}: {said}", self.name).into()) }
    }
}

fn there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|done| done.status.success())
}

/// A count, or that there is none.
pub(crate) fn said(count: Option<f64>) -> String {
    count.map_or_else(|| "not counted".into(), super::watch::count)
}
