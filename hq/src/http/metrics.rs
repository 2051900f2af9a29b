//! Counts for whoever watches the server, in Prometheus' text form. Counts only: no device, no agency, no
//! address.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What was counted since the start.
#[derive(Default)]
pub(super) struct Metrics {
    responses: Mutex<BTreeMap<(&'static str, u16), u64>>,
    /// Bytes of exchanges that were taken.
    pub(super) up_bytes: AtomicU64,
    /// Bytes of replies to exchanges.
    pub(super) down_bytes: AtomicU64,
    /// Exchanges that ended before their end.
    pub(super) broken: AtomicU64,
    /// Transactions that took exchanges.
    pub(super) groups: AtomicU64,
    /// Exchanges in them.
    pub(super) grouped: AtomicU64,
    /// Transactions that failed and were tried again exchange by exchange.
    pub(super) ungrouped: AtomicU64,
}

/// Adds to a count.
pub(super) fn add(count: &AtomicU64, by: usize) {
    count.fetch_add(u64::try_from(by).unwrap_or(u64::MAX), Ordering::Relaxed);
}

impl Metrics {
    pub(super) fn response(&self, route: &'static str, status: u16) {
        let mut responses = self.responses.lock().unwrap_or_else(PoisonError::into_inner);
        *responses.entry((route, status)).or_default() += 1;
    }

    /// The text; `requests` and `body_kib` are under way now.
    pub(super) fn text(&self, requests: usize, body_kib: usize) -> String {
        let mut out = String::new();
        let mut line = |name: &str, kind: &str, value: u64| {
            // Writing into a String does not fail.
            let _ = writeln!(out, "# TYPE {name} {kind}\n{name} {value}");
        };
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        line("amparo_exchange_up_bytes_total", "counter", read(&self.up_bytes));
        line("amparo_exchange_down_bytes_total", "counter", read(&self.down_bytes));
        line("amparo_exchange_broken_total", "counter", read(&self.broken));
        line("amparo_group_commits_total", "counter", read(&self.groups));
        line("amparo_group_exchanges_total", "counter", read(&self.grouped));
        line("amparo_group_failures_total", "counter", read(&self.ungrouped));
        line("amparo_requests_under_way", "gauge", u64::try_from(requests).unwrap_or(u64::MAX));
        line("amparo_body_kib_under_way", "gauge", u64::try_from(body_kib).unwrap_or(u64::MAX));
        let _ = writeln!(out, "# TYPE amparo_responses_total counter");
        for ((route, status), count) in &*self.responses.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(out, "amparo_responses_total{{route=\"{route}\",status=\"{status}\"}} {count}");
        }
        out
    }
}
