//! What came of the replies to one upload.

use std::collections::BTreeMap;

use amparo_schema::wire::feed::FeedId;
use amparo_schema::wire::push::Refusal;
use amparo_schema::wire::receipt::Receipt;
use amparo_schema::wire::signed::Signed;

use super::outbox::{Effect, Why};
use super::transport::TransportError;
use super::upload::Item;

/// What [`super::take`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whole replies that were read.
    pub replies: u64,
    /// Those of them that say something to this device, and where they are signed, truly: only by them is it known
    /// that headquarters answered.
    pub answers: u64,
    /// Receipts that were newer than those held, and are held now.
    pub receipts: u64,
    /// The incarnations of those receipts, and how many segments each counts now.
    pub stored: BTreeMap<u64, u64>,
    /// Receipts of ended lives that count more than was sealed here; for [`super::believe`].
    pub beyond: Vec<Signed<Receipt>>,
    /// Entries of feeds that were applied for the first time.
    pub entries: u64,
    /// Entries that were known already.
    pub known: u64,
    /// What was kept aside, in order.
    pub aside: Vec<Why>,
    /// Feeds that headquarters made this device read again from their beginning.
    pub rewound: Vec<FeedId>,
    /// Feeds that have entries which did not come yet.
    pub unread: Vec<FeedId>,
    /// Frames that were not taken, by their place in the upload, and why.
    pub refused: Vec<(u64, Refusal)>,
    /// Headquarters judged something for the first time in this session ([`super::Budget::learn`] says so).
    pub judged: bool,
    /// Headquarters wants to see the certificate; send again with it.
    pub certificate_wanted: bool,
    /// Headquarters wants to see the newest receipts whole; send again with them.
    pub receipt_wanted: bool,
    /// Headquarters asks to wait, milliseconds.
    pub wait_ms: Option<u64>,
    /// A receipt proves that this store went back in time or was copied without noticing: begin a new
    /// incarnation before anything else is sealed.
    pub astray: bool,
    /// Items that are no reply, and pages that fit nowhere; passed over.
    pub unreadable: u64,
    /// The last reply was cut off.
    pub cut: bool,
}

impl Report {
    /// Whether anything moved: only then is another exchange of any use. What was judged for the first time may make
    /// room for what is behind it.
    #[must_use]
    pub fn is_progress(&self) -> bool {
        self.receipts > 0
            || self.judged
            || self.entries > 0
            || self.known > 0
            || !self.rewound.is_empty()
            || self.certificate_wanted
            || self.receipt_wanted
            || self.astray
    }

    /// Whether a receipt that came frees the number of a fork: it comes next, so that whatever had it is gone.
    pub(super) fn frees(&self, item: &Item, why: Refusal) -> bool {
        match item {
            Item::Segment { incarnation, number } if why == Refusal::Fork => {
                self.stored.get(incarnation).is_some_and(|stored| number <= stored)
            }
            _ => false,
        }
    }

    pub(super) fn answered(&mut self) {
        self.answers = self.answers.saturating_add(1);
    }

    pub(super) fn count(&mut self, effect: Effect) {
        match effect {
            Effect::Applied => self.entries = self.entries.saturating_add(1),
            Effect::Known => self.known = self.known.saturating_add(1),
            Effect::Aside(why) => {
                // It was passed over, so the feed moved.
                self.known = self.known.saturating_add(1);
                self.aside.push(why);
            }
            Effect::Overtaken => {}
        }
    }
}

/// What a whole sync did, over all its exchanges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Exchanges that brought replies.
    pub exchanges: u64,
    /// Bytes sent.
    pub up_bytes: u64,
    /// Bytes received.
    pub down_bytes: u64,
    /// Receipts that were newer than those held.
    pub receipts: u64,
    /// Entries of feeds that were applied for the first time.
    pub entries: u64,
    /// What was kept aside, in order.
    pub aside: Vec<Why>,
    /// What headquarters did not take, and why. It stays here, and nothing waits for it.
    pub refused: Vec<(Item, Refusal)>,
    /// How long headquarters asks to wait, milliseconds.
    pub wait_ms: Option<u64>,
    /// A new incarnation was begun, because a receipt proved that this store went back in time or was copied.
    pub begun_again: bool,
    /// Screenings whose disclosures could not be made; they are tried again.
    pub withheld_back: u64,
    /// Screenings whose plaintext was purged afterwards.
    pub purged: u64,
    /// How it ended.
    pub ended: Ended,
}

/// How a sync ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is left to send or to fetch.
    #[default]
    Done,
    /// What is left did not move in the last exchange.
    Stuck,
    /// Headquarters asked to wait.
    Later,
    /// Whoever watched stopped it.
    Stopped,
    /// The carrier failed.
    Broken(TransportError),
}

impl SyncReport {
    /// Adds what one exchange did.
    pub fn add(&mut self, report: &Report, refused: impl IntoIterator<Item = (Item, Refusal)>) {
        self.exchanges = self.exchanges.saturating_add(1);
        self.receipts = self.receipts.saturating_add(report.receipts);
        self.entries = self.entries.saturating_add(report.entries);
        self.aside.extend(&report.aside);
        self.refused.extend(refused);
        self.wait_ms = report.wait_ms;
    }
}
