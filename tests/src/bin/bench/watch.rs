//! Wall time, the second witness: two sides by turns in one run, medians, never asserted.

use std::time::{Duration, Instant};

use super::Fallible;

/// How long `work` takes.
#[allow(clippy::disallowed_methods, reason = "a benchmark is asked how long something takes")]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

/// Two sides, by turns.
pub(crate) struct Pairs {
    /// Median of the per-pair ratios.
    pub(crate) ratio: f64,
    /// Its 95 % interval, by order statistics.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) count: usize,
    /// Medians of both sides.
    pub(crate) ours: Duration,
    pub(crate) theirs: Duration,
}

/// Runs both sides `count` times by turns; which one goes first changes with each pair.
pub(crate) fn pairs(
    count: usize,
    mut ours: impl FnMut() -> Fallible<()>,
    mut theirs: impl FnMut() -> Fallible<()>,
) -> Fallible<Pairs> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for n in 0..count {
        if n % 2 == 0 {
            a.push(side(&mut ours)?);
            b.push(side(&mut theirs)?);
        } else {
            b.push(side(&mut theirs)?);
            a.push(side(&mut ours)?);
        }
    }
    Ok(Pairs::of(a, b))
}

impl Pairs {
    /// From the times of both sides, pair by pair.
    pub(crate) fn of(mut ours: Vec<Duration>, mut theirs: Vec<Duration>) -> Self {
        let ratio = |(a, b): (&Duration, &Duration)| a.as_secs_f64() / b.as_secs_f64().max(1e-9);
        let mut ratios: Vec<f64> = ours.iter().zip(&theirs).map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        ours.sort();
        theirs.sort();
        let middle = ratios.len() as f64 / 2.0;
        let half_width = 0.98 * (ratios.len() as f64).sqrt();
        let at = |rank: f64| ratios.get(rank.max(0.0) as usize).or(ratios.last()).copied().unwrap_or(0.0);
        Self {
            ratio: at(middle),
            low: at((middle - half_width).floor()),
            high: at((middle + half_width).ceil()),
            count: ratios.len(),
            ours: quantile(&ours, 0.5),
            theirs: quantile(&theirs, 0.5),
        }
    }
}

fn side(work: &mut impl FnMut() -> Fallible<()>) -> Fallible<Duration> {
    let (took, done) = timed(work);
    done.map(|()| took)
}

/// A quantile of sorted times.
pub(crate) fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at).or(sorted.last()).copied().unwrap_or_default()
}

/// Slope of a power law through two points.
pub(crate) fn exponent(small: (f64, f64), large: (f64, f64)) -> f64 {
    (large.1 / small.1).ln() / (large.0 / small.0).ln()
}

impl std::fmt::Display for Pairs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} to {}, {} pairs)", ratio(self.ratio), ratio(self.low), ratio(self.high), self.count)
    }
}

/// A ratio for people: three digits are enough.
pub(crate) fn ratio(of: f64) -> String {
    match of {
        _ if of >= 100.0 => format!("{of:.0}x"),
        _ if of >= 10.0 => format!("{of:.1}x"),
        _ => format!("{of:.2}x"),
    }
}

/// A time for people.
pub(crate) fn time(of: Duration) -> String {
    let us = of.as_secs_f64() * 1e6;
    match us {
        _ if us >= 1e6 => format!("{:.1} s", us / 1e6),
        _ if us >= 1e3 => format!("{:.2} ms", us / 1e3),
        _ => format!("{us:.1} µs"),
    }
}

/// A count for people.
pub(crate) fn count(of: f64) -> String {
    match of {
        _ if of >= 1e6 => format!("{:.2} M", of / 1e6),
        _ if of >= 1e4 => format!("{:.0} k", of / 1e3),
        _ if of >= 100.0 => format!("{of:.0}"),
        _ => format!("{of:.1}"),
    }
}
