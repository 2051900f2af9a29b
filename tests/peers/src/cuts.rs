//! What a cut costs: a sync of many screenings cut all along its upload, then done again until all is there.
//!
//! In memory, for every offset, by both sides' own machines; the frames that came whole before a cut count. Ours
//! must lose nothing and hold nothing twice, or the program fails.

use crate::Fallible;

/// What each connection carries on the worst link.
pub const WINDOW: u64 = 16 * 1024;
/// Syncs after which it is said that they never end.
pub const SYNCS_MAX: u64 = 40;

/// Bytes and requests until all was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Bytes up, those of requests that were cut as far as they came.
    pub up: u64,
    /// Bytes back, as far as they were answered.
    pub down: u64,
    /// Requests, cut ones among them.
    pub requests: u64,
    /// Syncs.
    pub syncs: u64,
}

/// What cuts cost one side.
#[derive(Clone, Debug)]
pub struct Resume {
    /// Who.
    pub who: &'static str,
    /// Without any cut.
    pub whole: Spent,
    /// By offset of the cut.
    pub cuts: Vec<Spent>,
    /// Everything arrived and the answer was lost.
    pub unanswered: Spent,
    /// Every connection carries [`WINDOW`] bytes; none if it never ends.
    pub windows: Option<Spent>,
    /// Things lost, and things held twice, over all cuts.
    pub lost: u64,
    pub doubled: u64,
}

impl Resume {
    /// Bytes more than without a cut, both ways.
    pub fn again(&self, spent: &Spent) -> u64 {
        (spent.up + spent.down).saturating_sub(self.whole.up + self.whole.down)
    }

    /// The same of all cuts: mean and most.
    pub fn cut(&self) -> (f64, u64) {
        let again = || self.cuts.iter().map(|spent| self.again(spent));
        (again().sum::<u64>() as f64 / self.cuts.len().max(1) as f64, again().max().unwrap_or(0))
    }

    /// Requests more than without a cut, in the mean.
    pub fn trips(&self) -> f64 {
        let sum: u64 = self.cuts.iter().map(|spent| spent.requests.saturating_sub(self.whole.requests)).sum();
        sum as f64 / self.cuts.len().max(1) as f64
    }
}

/// A side that can send everything, over a line that does this to its uploads.
pub trait Sender {
    /// Who.
    const WHO: &'static str;
    /// Bytes between two offsets.
    const STEP: u64;
    /// Starts from the same moment each time and syncs until all is there; none if it does not end. Also gives what
    /// was lost and what is held twice.
    fn send(&mut self, line: Line) -> Fallible<(Option<Spent>, u64, u64)>;
}

/// What befalls uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Nothing.
    Whole,
    /// The first is cut after so many bytes; at its end or later the answer is lost.
    CutOnce(u64),
    /// Each is cut after so many bytes.
    CutAlways(u64),
}

impl Line {
    /// How much of the next upload comes through; none for all of it.
    pub fn next(&mut self) -> Option<u64> {
        match *self {
            Self::Whole => None,
            Self::CutOnce(at) => {
                *self = Self::Whole;
                Some(at)
            }
            Self::CutAlways(at) => Some(at),
        }
    }
}

/// Cuts one side everywhere.
pub fn everywhere<S: Sender>(side: &mut S) -> Fallible<Resume> {
    let mut wrong = (0, 0);
    let mut sum = |(spent, lost, doubled): (Option<Spent>, u64, u64)| {
        wrong = (wrong.0 + lost, wrong.1 + doubled);
        spent
    };
    let whole = sum(side.send(Line::Whole)?).ok_or("an undisturbed sync does not end")?;
    let mut cuts = Vec::new();
    for at in (S::STEP..whole.up).step_by(usize::try_from(S::STEP)?) {
        cuts.push(sum(side.send(Line::CutOnce(at))?).ok_or("a sync after a cut does not end")?);
    }
    let unanswered = sum(side.send(Line::CutOnce(u64::MAX))?).ok_or("a sync does not end")?;
    // One that never ends has not lost anything: it is not there yet.
    let (windows, ..) = side.send(Line::CutAlways(WINDOW))?;
    eprintln!("{}: cut at {} offsets", S::WHO, cuts.len());
    let (lost, doubled) = wrong;
    Ok(Resume { who: S::WHO, whole, cuts, unanswered, windows, lost, doubled })
}
