//! The table: one row for each figure, and what the promise was.

use std::fmt::Write as _;
use std::path::Path;

use super::Fallible;

const BEGIN: &str = "<!-- figures: written by `cargo xtask bench`, not by hand -->";
const END: &str = "<!-- end of figures -->";

/// One figure.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) counts: String,
    pub(crate) ratio: String,
    pub(crate) growth: String,
    pub(crate) floor: &'static str,
    pub(crate) goal: &'static str,
    pub(crate) verdict: Verdict,
}

/// Whether the promise is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Floor and goal.
    Met,
    /// The floor; the goal is ahead.
    Floor,
    /// Not even the floor.
    Missed,
    /// Nothing is promised, or it could not be measured here.
    None,
}

impl Verdict {
    pub(crate) fn of(floor: bool, goal: bool) -> Self {
        match (floor, goal) {
            (true, true) => Self::Met,
            (true, false) => Self::Floor,
            (false, _) => Self::Missed,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Floor => "floor met",
            Self::Missed => "**MISSED**",
            Self::None => "-",
        }
    }
}

/// The rows as Markdown, with the machine that they come from.
pub(crate) fn markdown(rows: &[Row], machine: &str) -> String {
    let mut out = format!("{machine}\n\n");
    out.push_str(
        "| what | counts | ratio | growth | floor | goal | verdict |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let Row { what, counts, ratio, growth, floor, goal, verdict } = row;
        let word = verdict.word();
        let _ = writeln!(out, "| {what} | {counts} | {ratio} | {growth} | {floor} | {goal} | {word} |");
    }
    out
}

/// Puts the table between its marks in the document, and leaves the rest as people wrote it.
pub(crate) fn keep(document: &Path, table: &str) -> Fallible<()> {
    let text = std::fs::read_to_string(document)?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or("the document has lost its marks")?;
    Ok(std::fs::write(document, format!("{before}{BEGIN}\n{table}{END}{after}"))?)
}

/// Processor, cores, load.
pub(crate) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let of = |key: &str| {
        let line = info.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_once(':')).map_or("unknown", |(_, value)| value.trim()).to_owned()
    };
    let has = |flag: &str| if of("flags").split(' ').any(|f| f == flag) { "with" } else { "without" };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ");
    format!(
        "Machine: {} (family {}, model {}), {cores} cores, {} SHA instructions, {} AES instructions; load average at the end {load}.",
        of("model name"),
        of("cpu family"),
        of("model\t"),
        has("sha_ni"),
        has("aes"),
    )
}
