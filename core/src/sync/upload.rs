//! What to send next.
//!
//! Order: who calls; withdrawals; all disclosures in their turn; urgent segments; the others. A receipt's ranges are
//! left out, and so is what headquarters refused in this session, so that one bad frame delays only itself. A receipt
//! counts disclosures without ranges, so that those that went ahead of their turn go again in it: they get half the room,
//! once in a session, and the first in its turn goes whatever its size.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::limits::{
    DOWN_BYTES_MAX, PENDING_SEGMENTS_MAX, RECEIPT_RANGES_MAX, UPLOAD_BYTES_MAX, UPLOAD_FRAMES_MAX,
};
use amparo_schema::wire::enrol::Enrolment;
use amparo_schema::wire::feed::FeedId;
use amparo_schema::wire::push::{Frame, Hello, Refusal, Shown};
use amparo_schema::wire::receipt::{Brief, Range, Receipt};
use amparo_schema::wire::segment::{Header, Segment};
use amparo_schema::wire::signed::Signed;
use minicbor::{Decode, Encode};

use super::SyncError;
use super::outbox::{Life, Outbox, Past};
use super::report::Report;
use crate::seal::{First, SealError, first, from_bytes, to_bytes, unverified};

/// Incarnations that say hello in one upload; others wait for the next.
const HELLOS_MAX: usize = 8;

/// How much, and what not. A session keeps one and lets it learn from every exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of the upload. One frame is sent whatever its size, so that nothing waits for ever.
    pub up_bytes: usize,
    /// Bytes of feeds that will be taken in reply.
    pub down_bytes: u32,
    /// Whether to show the certificate: when headquarters asked, and on carriers that cannot ask.
    pub certificate: bool,
    /// Whether to show receipts whole: when headquarters asked, and on carriers that cannot ask.
    pub whole: bool,
    /// What was refused in this session, or is kept aside as a fork since an earlier one, and is not sent again in it.
    pub refused: BTreeMap<Item, Refusal>,
    /// What headquarters judged in this session. Where no receipt can tell that it was taken, it is not sent again.
    pub judged: BTreeSet<Item>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            up_bytes: UPLOAD_BYTES_MAX,
            down_bytes: u32::try_from(DOWN_BYTES_MAX).unwrap_or(u32::MAX),
            certificate: false,
            whole: false,
            refused: BTreeMap::new(),
            judged: BTreeSet::new(),
        }
    }
}

impl Budget {
    /// Learns from the replies to an upload that carried `items`: whether certificate and whole receipts are wanted,
    /// and what was refused, which it gives back. Asked once more for what was shown already, there is nothing to
    /// answer, and of frames that carry no facts and no keys nothing is kept: both go from the report.
    pub fn learn(&mut self, items: &[Option<Item>], report: &mut Report) -> Vec<(Item, Refusal)> {
        let at = |frame: u64| items.get(usize::try_from(frame).ok()?).copied().flatten();
        // Asked for the certificate, headquarters has judged nothing yet.
        let judged = !report.certificate_wanted;
        report.refused.retain(|(frame, _)| judged && at(*frame).is_some());
        let refused = report.refused.iter().filter_map(|(frame, why)| Some((at(*frame)?, *why)));
        let refused: Vec<_> = refused.filter(|(item, why)| !report.frees(item, *why)).collect();
        self.refused.extend(refused.iter().copied());
        self.refused.retain(|item, why| !report.frees(item, *why));
        if judged && report.replies > 0 && !report.cut && report.wait_ms.is_none() {
            let before = self.judged.len();
            self.judged.extend(items.iter().flatten());
            report.judged = self.judged.len() > before;
        }
        report.certificate_wanted &= !self.certificate;
        self.certificate = report.certificate_wanted;
        report.receipt_wanted &= !self.whole;
        // Headquarters that forgot who calls forgot what it signed.
        self.whole |= report.receipt_wanted || report.certificate_wanted;
        refused
    }
}

/// What a frame carries that can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A segment.
    Segment {
        /// Its incarnation.
        incarnation: u64,
        /// Its number.
        number: u64,
    },
    /// A disclosure.
    Disclosure {
        /// Its incarnation.
        incarnation: u64,
        /// Its number.
        number: u64,
    },
}

/// An upload in parts, for carriers that split it: each part goes with the head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// The certificate, where wanted, and who calls.
    pub head: Vec<Vec<u8>>,
    /// Disclosures and segments.
    pub body: Vec<Vec<u8>>,
}

/// The next upload: a CBOR sequence of frames. Changes nothing; asked again, it gives the same.
///
/// # Errors
/// [`SyncError`].
pub fn upload<O: Outbox>(outbox: &O, budget: &Budget) -> Result<Vec<u8>, SyncError<O::Error>> {
    let Frames { head, body } = frames(outbox, budget)?;
    Ok(head.into_iter().chain(body).flatten().collect())
}

/// The frames of the next upload.
///
/// # Errors
/// [`SyncError`].
pub fn frames<O: Outbox>(outbox: &O, budget: &Budget) -> Result<Frames, SyncError<O::Error>> {
    let enrolment = outbox.enrolment().map_err(SyncError::Outbox)?.ok_or(SyncError::NotEnrolled)?;
    let lives = calling(outbox.lives().map_err(SyncError::Outbox)?);
    let head = head(outbox, budget, &enrolment, &lives)?;
    let mut body = Room::new(budget, &head);
    for life in &lives {
        withdrawals(outbox, life, &mut body)?;
    }
    for life in &lives {
        disclosures(outbox, life, &mut body)?;
    }
    for life in &lives {
        urgent(outbox, life, &mut body)?;
    }
    for life in &lives {
        segments(outbox, life, &mut body)?;
    }
    Ok(Frames { head, body: body.frames })
}

/// The incarnations that say hello: the present one first, then those of which headquarters may say more.
fn calling(mut lives: Vec<Life>) -> Vec<Life> {
    lives.reverse();
    let mut lives = lives.into_iter();
    let present = lives.next();
    // Oldest first, so that leftovers are not left over again; those in doubt last, for they may never be done.
    let mut before: Vec<Life> = lives.filter(Life::awaits).collect();
    before.reverse();
    before.sort_by_key(|life| life.past);
    present.into_iter().chain(before).take(HELLOS_MAX).collect()
}

fn head<O: Outbox>(
    outbox: &O,
    budget: &Budget,
    enrolment: &Enrolment,
    lives: &[Life],
) -> Result<Vec<Vec<u8>>, SyncError<O::Error>> {
    let mut head = Vec::new();
    // First, so that headquarters that forgot the caller knows it when it calls.
    if budget.certificate {
        head.push(to_bytes(&Frame::Certificate(enrolment.certificate.clone()))?);
    }
    for (n, life) in lives.iter().enumerate() {
        // One feed, one mark: the first hello asks for all.
        let [own, packs] = match n {
            0 => feeds(outbox).map(|feed| outbox.cursor(feed).map(|at| Some(at.mark()))),
            _ => [Ok(None), Ok(None)],
        };
        let hello = Hello {
            device: outbox.device(),
            incarnation: life.incarnation,
            receipt: life.receipt.as_ref().map(|signed| shown(signed, budget)),
            own: own.map_err(SyncError::Outbox)?,
            packs: packs.map_err(SyncError::Outbox)?,
            down_bytes: if n == 0 { budget.down_bytes } else { 0 },
        };
        head.push(to_bytes(&Frame::Hello(outbox.signer().sign_object(&hello)?))?);
    }
    Ok(head)
}

fn shown(signed: &Signed<Receipt>, budget: &Budget) -> Shown {
    match unverified(signed) {
        Ok(receipt) if !budget.whole => Shown::Brief(Brief::from(&receipt)),
        _ => Shown::Whole(signed.clone()),
    }
}

/// The feeds that a device reads: its own, and that of packs.
pub(super) fn feeds<O: Outbox>(outbox: &O) -> [FeedId; 2] {
    [FeedId::device(outbox.device()), FeedId::packs()]
}

/// Frames and the room that is left for them.
struct Room<'b> {
    budget: &'b Budget,
    frames: Vec<Vec<u8>>,
    added: BTreeSet<Item>,
    left: usize,
    /// Of what is left, for what goes ahead of its turn.
    ahead: usize,
    /// Nothing went in its turn yet: the first does whatever its size.
    first: bool,
    full: bool,
}

impl<'b> Room<'b> {
    fn new(budget: &'b Budget, head: &[Vec<u8>]) -> Self {
        let taken = head.iter().map(Vec::len).sum();
        let left = budget.up_bytes.min(UPLOAD_BYTES_MAX).saturating_sub(taken);
        Self {
            budget,
            frames: Vec::new(),
            added: BTreeSet::new(),
            left,
            ahead: left / 2,
            first: true,
            full: false,
        }
    }

    fn wants(&self, item: &Item, life: &Life) -> bool {
        // Receipts of a life in doubt may be another copy's, and are silent about what is here.
        let silent = life.past == Past::Doubted && self.budget.judged.contains(item);
        !silent && !self.budget.refused.contains_key(item) && !self.added.contains(item)
    }

    fn fits(&self, frame: &[u8], left: usize) -> bool {
        frame.len() <= left && self.frames.len() < UPLOAD_FRAMES_MAX - 2 * HELLOS_MAX
    }

    /// Adds a frame ahead of its turn, and says whether there was room.
    fn push_ahead(&mut self, item: Item, frame: Vec<u8>) -> bool {
        let fits = self.fits(&frame, self.ahead);
        if fits {
            self.ahead = self.ahead.saturating_sub(frame.len());
            self.add(item, frame);
        }
        fits
    }

    /// Adds a frame in its turn; the first that does not fit ends the upload.
    fn push(&mut self, item: Item, frame: Vec<u8>) {
        if self.full || !(self.first || self.fits(&frame, self.left)) {
            self.full = true;
            return;
        }
        self.first = false;
        self.add(item, frame);
    }

    fn add(&mut self, item: Item, frame: Vec<u8>) {
        self.left = self.left.saturating_sub(frame.len());
        self.added.insert(item);
        self.frames.push(frame);
    }
}

/// Disclosures of a life that headquarters does not count.
fn uncounted(life: &Life) -> Range {
    Range { from: life.held().map_or(0, |held| held.disclosures), to: life.disclosures }
}

fn withdrawals<O: Outbox>(outbox: &O, life: &Life, body: &mut Room<'_>) -> Result<(), SyncError<O::Error>> {
    let mut within = uncounted(life);
    // Past that headquarters says `later`, which would end the session.
    within.to = within.to.min(within.from.saturating_add(PENDING_SEGMENTS_MAX));
    while within.from < within.to {
        let kept = outbox.withdrawals(life.incarnation, within, body.ahead).map_err(SyncError::Outbox)?;
        let Some(last) = kept.last() else { break };
        within.from = last.number.saturating_add(1);
        for made in kept {
            let item = Item::Disclosure { incarnation: life.incarnation, number: made.number };
            let once = body.wants(&item, life) && !body.budget.judged.contains(&item);
            if once && !body.push_ahead(item, disclosure(&made.bytes)?) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn disclosures<O: Outbox>(outbox: &O, life: &Life, body: &mut Room<'_>) -> Result<(), SyncError<O::Error>> {
    let mut within = uncounted(life);
    while within.from < within.to && !body.full {
        let kept = outbox.disclosures(life.incarnation, within, body.left);
        let kept = kept.map_err(SyncError::Outbox)?;
        let Some(last) = kept.last() else { break };
        within.from = last.number.saturating_add(1);
        for made in kept {
            let item = Item::Disclosure { incarnation: life.incarnation, number: made.number };
            if body.wants(&item, life) {
                body.push(item, disclosure(&made.bytes)?);
            }
        }
    }
    Ok(())
}

/// One that does not read any more is sent as an empty one: headquarters refuses it, the rest goes on.
fn disclosure(made: &[u8]) -> Result<Vec<u8>, SealError> {
    let signed = from_bytes(made).unwrap_or_else(|_| Signed::new(Vec::new(), Vec::new()));
    to_bytes(&Frame::Disclosure(signed))
}

fn urgent<O: Outbox>(outbox: &O, life: &Life, body: &mut Room<'_>) -> Result<(), SyncError<O::Error>> {
    let held = life.held();
    // What arrives ahead of its turn is told by ranges, and what they cannot tell would be sent again.
    let mut left = RECEIPT_RANGES_MAX.saturating_sub(held.as_ref().map_or(0, |held| held.ranges.len()));
    for gap in gaps(held.as_ref(), within_window(held.as_ref(), life.segments)) {
        if left == 0 || body.full {
            break;
        }
        let urgent = outbox.urgent(life.incarnation, gap).map_err(SyncError::Outbox)?;
        for at in urgent.into_iter().take(left) {
            left -= 1;
            run(outbox, life, Range { from: at, to: at.saturating_add(1) }, body)?;
        }
    }
    Ok(())
}

fn segments<O: Outbox>(outbox: &O, life: &Life, body: &mut Room<'_>) -> Result<(), SyncError<O::Error>> {
    for gap in gaps(life.held().as_ref(), life.segments) {
        run(outbox, life, gap, body)?;
    }
    Ok(())
}

fn run<O: Outbox>(
    outbox: &O,
    life: &Life,
    mut within: Range,
    body: &mut Room<'_>,
) -> Result<(), SyncError<O::Error>> {
    let incarnation = life.incarnation;
    while within.from < within.to && !body.full {
        let kept = outbox.segments(incarnation, within, body.left).map_err(SyncError::Outbox)?;
        let Some(last) = kept.last() else { break };
        within.from = last.number.saturating_add(1);
        for segment in kept {
            let item = Item::Segment { incarnation, number: segment.number };
            if body.wants(&item, life) {
                body.push(item, to_bytes(&Frame::Segment(segment.bytes))?);
            }
        }
    }
    Ok(())
}

/// How far of `segments` headquarters takes ahead of their turn. Past that it says `later`, which would end the session.
fn within_window(held: Option<&Receipt>, segments: u64) -> u64 {
    segments.min(held.map_or(0, |held| held.stored).saturating_add(PENDING_SEGMENTS_MAX))
}

/// Numbers below `segments` that a receipt covers neither by its prefix nor by its ranges.
fn gaps(held: Option<&Receipt>, segments: u64) -> Vec<Range> {
    let mut from = held.map_or(0, |held| held.stored);
    let mut gaps = Vec::new();
    for range in held.map_or(&[][..], |held| &held.ranges) {
        gaps.push(Range { from, to: range.from.min(segments) });
        from = range.to;
    }
    gaps.push(Range { from, to: segments });
    gaps.retain(|gap| gap.from < gap.to);
    gaps
}

/// What each frame of an upload carries, by its place.
#[must_use]
pub fn items(upload: &[u8]) -> Vec<Option<Item>> {
    let mut items = Vec::new();
    let mut rest = upload;
    while let Ok(First::Item(frame, after)) = first(rest) {
        items.push(item(frame));
        rest = after;
    }
    items
}

fn item(frame: &[u8]) -> Option<Item> {
    match lenient(frame)? {
        Frame::Segment(bytes) => {
            let header: Header = lenient(&lenient::<Segment>(&bytes)?.header)?;
            Some(Item::Segment { incarnation: header.incarnation, number: header.number })
        }
        Frame::Disclosure(signed) => {
            let made = unverified(&signed).ok()?;
            Some(Item::Disclosure { incarnation: made.incarnation, number: made.number })
        }
        Frame::Hello(_) | Frame::Certificate(_) => None,
    }
}

/// Our own bytes: read as far as they can be, whatever headquarters says against them.
fn lenient<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Option<T> {
    minicbor::decode(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_what_neither_prefix_nor_ranges_cover() {
        let receipt = |stored, ranges: &[(u64, u64)]| {
            let mut numbers: BTreeSet<u64> = (0..stored).collect();
            ranges.iter().for_each(|(from, to)| numbers.extend(*from..*to));
            let receipt = Receipt {
                device: amparo_schema::id::DeviceId([1; 16]),
                incarnation: 1,
                epoch: 0,
                stored,
                hash: amparo_schema::id::Hash([0; 32]),
                ranges: ranges.iter().map(|(from, to)| Range { from: *from, to: *to }).collect(),
                durable: 0,
                delivered: 0,
                horizon: 0,
                disclosures: 0,
                hq_ms: 0,
                log_size: 0,
                log_root: amparo_schema::id::Hash([0; 32]),
            };
            (receipt, numbers)
        };
        for (stored, ranges) in [(0, &[][..]), (3, &[]), (2, &[(4, 5)]), (0, &[(1, 3), (6, 9)]), (9, &[])] {
            let (held, covered) = receipt(stored, ranges);
            for segments in 0..12 {
                let left: Vec<u64> = (0..segments).filter(|n| !covered.contains(n)).collect();
                let found: Vec<u64> =
                    gaps(Some(&held), segments).iter().flat_map(|gap| gap.from..gap.to).collect();
                assert_eq!(found, left, "{stored} {ranges:?} {segments}");
            }
        }
        assert_eq!(gaps(None, 2), [Range { from: 0, to: 2 }]);
        let (held, _) = receipt(3, &[(5, 6)]);
        for (held, stored) in [(None, 0), (Some(&held), 3)] {
            let (within, end) = (|segments| within_window(held, segments), stored + PENDING_SEGMENTS_MAX);
            assert_eq!([within(9), within(end), within(end + 1)], [9, end, end]);
        }
    }
}
