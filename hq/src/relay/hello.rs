//! Callers: what they are told, and what their receipts prove.
//!
//! Owns receipts. A receipt counts only what finished transactions hold, so it is made after those that took
//! the frames, and the log that it points into is read last: what it counts is in that log. A receipt that
//! headquarters signed and cannot live up to proves that headquarters lost data; then the epoch rises, once for
//! each loss, and the device sends again. One that is shown in brief is judged alike but proves nothing: where it
//! does not fit, the caller is asked for the whole.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{DOWN_BYTES_MAX, RECEIPT_RANGES_MAX};
use amparo_schema::wire::feed::{Cursor, FeedId};
use amparo_schema::wire::push::{Hello, Refusal, Reply, Shown};
use amparo_schema::wire::receipt::{Range, Receipt};
use amparo_schema::wire::signed::Signed;
use amparo_seal::{VerifyKey, unverified};

use super::exchange::{Received, Taken};
use super::feed::Whom;
use super::log::{Action, Tree, checkpoint, continues};
use super::work::{Head, Work};
use super::{Durability, Relay, RelayError};
use crate::storage::{Chain, Storage};

/// Numbers read at once when gaps are looked for.
const STEP: usize = 256;

/// What is told to one caller.
pub(super) type Told = (DeviceId, Vec<Reply>);

/// Somebody who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    hello: Hello,
    earlier: Option<Earlier>,
    /// What was shown in brief does not fit.
    wanted: bool,
}

impl Call {
    pub(super) fn chain(&self) -> Chain {
        chain_of(&self.hello)
    }
}

/// What headquarters said earlier, as the caller shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Earlier {
    /// Its hash counts as far as it was shown, its clock not at all.
    receipt: Receipt,
    proof: Proof,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// Headquarters' own signature.
    Signed,
    /// The caller's word, with the hash in brief.
    Word,
}

impl Earlier {
    fn agrees(&self, shown: &Hash, now: &Hash) -> bool {
        match self.proof {
            Proof::Signed => shown == now,
            Proof::Word => shown.short() == now.short(),
        }
    }

    /// Whether this log goes on from the one that was told.
    fn continues(&self, tree: &Tree) -> bool {
        continues(tree, &self.receipt)
    }

    /// Whether a receipt says nothing new.
    fn is_still(&self, now: &Receipt) -> bool {
        let Receipt { hq_ms, log_size, log_root, hash, .. } = *now;
        let earlier = self.receipt.clone();
        self.agrees(&earlier.hash, &hash) && *now == Receipt { hq_ms, log_size, log_root, hash, ..earlier }
    }
}

/// A hash of which the beginning is known.
fn long(short: [u8; 8]) -> Hash {
    let mut hash = Hash([0; 32]);
    hash.0.iter_mut().zip(short).for_each(|(to, from)| *to = from);
    hash
}

impl Relay {
    /// Holds what callers show against the log, after their uploads were taken and before they are told. A log that is
    /// no continuation of one that was told shows a loss too, whoever's data it was. Takes transactions of its own,
    /// so that the tree never holds the leaf of an alarm that is not finished.
    ///
    /// # Errors
    /// [`RelayError::Storage`]; judging again is safe.
    pub fn judge(
        &self,
        storage: &mut dyn Storage,
        received: &mut [Received],
        now_ms: i64,
    ) -> Result<(), RelayError> {
        let showing =
            received.iter_mut().flat_map(|one| &mut one.callers).filter(|call| call.earlier.is_some());
        let mut showing: Vec<&mut Call> = showing.collect();
        if showing.is_empty() {
            return Ok(());
        }
        let torn = |call: &Call, tree: &Tree| call.earlier.as_ref().is_some_and(|e| !e.continues(tree));
        self.with_log(storage, |tree| showing.retain(|call| torn(call, tree)))?;
        showing.into_iter().try_for_each(|call| self.run(storage, now_ms, |work| work.fall_short(call)))
    }

    /// Answers callers who were judged, with at most so many bytes of pages for each, and `DOWN_BYTES_MAX` for all.
    pub(super) fn answer(
        &self,
        storage: &mut dyn Storage,
        callers: &[Call],
        down_bytes_max: usize,
        now_ms: i64,
    ) -> Result<Vec<Told>, RelayError> {
        if callers.is_empty() {
            return Ok(Vec::new());
        }
        let (mut told, mut left) = (Vec::new(), DOWN_BYTES_MAX);
        for call in callers {
            let most = down_bytes_max.min(left);
            let one = match call.wanted {
                true => Err(Reply::ReceiptWanted),
                false => self
                    .run(storage, now_ms, |work| work.tell(&call.hello, most))?
                    .ok_or(Reply::CertificateWanted),
            };
            left = left.saturating_sub(one.as_ref().map_or(0, |(_, pages)| bytes_of(pages)));
            told.push(one);
        }
        let log = self.with_log(storage, checkpoint)?;
        let finished = callers.iter().zip(told).map(|(call, told)| {
            let replies = match told {
                Err(wanted) => vec![wanted],
                Ok((receipt, pages)) => {
                    let receipt = Receipt { log_size: log.size, log_root: log.root, ..receipt };
                    let first = self.finish(&receipt, call.earlier.as_ref())?;
                    std::iter::once(first).chain(pages).collect()
                }
            };
            Ok((call.hello.device, replies))
        });
        finished.collect()
    }

    /// What the caller shows, if it is about this incarnation and, where it is whole, one of ours.
    fn earlier(&self, hello: &Hello) -> Option<Earlier> {
        match hello.receipt.as_ref()? {
            Shown::Whole(signed) => {
                let receipt: Receipt = self.signer.public().open_object(signed).ok()?;
                let own = (receipt.device, receipt.incarnation) == (hello.device, hello.incarnation);
                own.then_some(Earlier { receipt, proof: Proof::Signed })
            }
            Shown::Brief(brief) => {
                let receipt = Receipt {
                    device: hello.device,
                    incarnation: hello.incarnation,
                    epoch: brief.epoch,
                    stored: brief.stored,
                    hash: long(brief.hash),
                    ranges: brief.ranges.clone(),
                    durable: brief.durable,
                    delivered: brief.delivered,
                    horizon: brief.horizon,
                    disclosures: brief.disclosures,
                    hq_ms: 0,
                    log_size: brief.log_size,
                    log_root: brief.log_root,
                };
                Some(Earlier { receipt, proof: Proof::Word })
            }
        }
    }

    /// The receipt, signed, or that it says nothing new.
    fn finish(&self, receipt: &Receipt, earlier: Option<&Earlier>) -> Result<Reply, RelayError> {
        if earlier.is_some_and(|earlier| earlier.is_still(receipt)) {
            return Ok(Reply::Unchanged);
        }
        self.signer.sign_object(receipt).map(Reply::Receipt).map_err(|_| RelayError::Encoding)
    }
}

impl Work<'_> {
    /// Takes a call: checks who it is and what the shown receipt proves.
    pub(super) fn take_hello(&mut self, signed: &Signed<Hello>) -> Result<Taken, RelayError> {
        let Ok(claimed) = unverified(signed) else { return Ok(Taken::Refused(Refusal::Signature)) };
        let Some(callers) = self.room.callers.checked_sub(1) else { return Ok(Taken::Later) };
        let Some(device) = self.device(claimed.device)? else {
            return Ok(Taken::CertificateWanted(claimed.device));
        };
        let Ok(hello) = device.verify_key().open_object(signed) else {
            return Ok(Taken::Refused(Refusal::Signature));
        };
        self.room.callers = callers;
        let mut call = Call { earlier: self.relay.earlier(&hello), hello, wanted: false };
        if let Some(earlier) = &call.earlier {
            let own = self.receipt(&call.hello, &device.verify_key())?;
            if !self.lives_up(&own, earlier)? {
                self.fall_short(&mut call)?;
            }
        }
        Ok(Taken::Caller(Box::new(call)))
    }

    /// Whether the receipt that could be given now takes nothing back that an earlier one said.
    fn lives_up(&mut self, own: &Receipt, earlier: &Earlier) -> Result<bool, RelayError> {
        let shown = &earlier.receipt;
        let chain = Chain { device: shown.device, incarnation: shown.incarnation };
        let hash = match shown.stored.checked_sub(1) {
            None => Some(shown.hash),
            Some(_) if shown.stored == own.stored => Some(own.hash),
            Some(last) => self.tx.segment(chain.at(last))?.map(|s| s.hash),
        };
        let counts = |r: &Receipt| [r.stored, r.durable, r.delivered, r.horizon, r.disclosures];
        let falls = counts(shown).iter().zip(counts(own)).any(|(shown, own)| *shown > own);
        let same = hash.is_some_and(|hash| earlier.agrees(&shown.hash, &hash));
        Ok(shown.epoch == own.epoch && !falls && same)
    }

    /// Headquarters cannot live up to what was shown. Signed, that raises the epoch; in brief, the caller is asked
    /// for the whole. One of an earlier epoch tells of a loss that is known, and binds nobody.
    fn fall_short(&mut self, call: &mut Call) -> Result<(), RelayError> {
        match &call.earlier {
            Some(Earlier { receipt, proof: Proof::Signed }) => self.raise_epoch(receipt),
            Some(Earlier { receipt, proof: Proof::Word }) => {
                call.wanted |= receipt.epoch >= self.state()?.epoch;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Raises the epoch above a receipt's, unless that was done.
    fn raise_epoch(&mut self, shown: &Receipt) -> Result<(), RelayError> {
        let mut state = self.state()?;
        if shown.epoch < state.epoch {
            return Ok(());
        }
        state.epoch = shown.epoch.saturating_add(1);
        self.put_state(&state)?;
        self.log_action(Action::Amnesia { device: shown.device, epoch: state.epoch })?;
        Ok(())
    }

    /// What the caller is told, its receipt still without log, and pages of its own feed and of packs.
    fn tell(
        &mut self,
        hello: &Hello,
        down_bytes_max: usize,
    ) -> Result<Option<(Receipt, Vec<Reply>)>, RelayError> {
        let Some(device) = self.device(hello.device)? else { return Ok(None) };
        let receipt = self.receipt(hello, &device.verify_key())?;
        let mut replies = Vec::new();
        let mut budget = usize::try_from(hello.down_bytes).unwrap_or(usize::MAX).min(down_bytes_max);
        // A revoked device learns that it is, and no more.
        let whom = device.revoked.as_ref().map_or(Whom::Device, Whom::Revoked);
        let packs = hello.packs.filter(|_| device.revoked.is_none());
        for (feed, mark) in [(FeedId::device(hello.device), hello.own), (FeedId::packs(), packs)] {
            let Some(mark) = mark else { continue };
            let known = self.marked(feed, mark)?;
            let from = known.unwrap_or_else(|| Cursor::start(feed));
            let (page, bytes) = self.page(from, whom, budget)?;
            budget = budget.saturating_sub(bytes);
            if !page.entries.is_empty() || known.is_none() {
                replies.push(Reply::Page(page));
            }
        }
        Ok(Some((receipt, replies)))
    }

    /// Counts what is delivered of a caller's chain.
    pub(super) fn count_delivered(&mut self, call: &Call) -> Result<(), RelayError> {
        let Some(device) = self.device(call.hello.device)? else { return Ok(()) };
        self.delivered(call.chain(), &device.verify_key()).map(drop)
    }

    /// A chain with what is delivered of it. What was counted once is kept: no count that was told falls.
    fn delivered(&mut self, chain: Chain, key: &VerifyKey) -> Result<Head, RelayError> {
        let mut head = self.head(chain, key)?;
        let delivered = self.tx.first_undelivered(chain)?.map_or(head.next, |n| n.min(head.next));
        if delivered > head.delivered {
            head.delivered = delivered;
            self.put_head(chain, &head)?;
        }
        Ok(head)
    }

    /// The receipt as things stand, without log.
    fn receipt(&mut self, hello: &Hello, key: &VerifyKey) -> Result<Receipt, RelayError> {
        let chain = chain_of(hello);
        let (head, state) = (self.delivered(chain, key)?, self.state()?);
        let mut backed_up = |leaf: u64| -> Result<u64, RelayError> {
            Ok(self.tx.first_logged_from(chain, leaf)?.map_or(head.next, |n| n.min(head.next)))
        };
        let horizon = backed_up(state.oldest_backup)?;
        let durable = match self.relay.settings.durability {
            Durability::Local => backed_up(state.newest_backup)?,
            Durability::Replicated => head.next,
        };
        Ok(Receipt {
            device: chain.device,
            incarnation: chain.incarnation,
            epoch: state.epoch,
            stored: head.next,
            hash: head.hash,
            ranges: self.ranges(chain, head.next)?,
            durable,
            delivered: head.delivered,
            horizon,
            disclosures: head.disclosures,
            hq_ms: self.now_ms,
            log_size: 0,
            log_root: Hash([0; 32]),
        })
    }

    /// The first ranges of what waits behind a gap.
    fn ranges(&mut self, chain: Chain, next: u64) -> Result<Vec<Range>, RelayError> {
        let (mut ranges, mut from) = (Vec::<Range>::new(), next);
        loop {
            let numbers = self.tx.numbers(chain, from, STEP)?;
            for number in &numbers {
                let full = ranges.len() == RECEIPT_RANGES_MAX;
                match ranges.last_mut() {
                    Some(range) if range.to == *number => range.to += 1,
                    _ if full => return Ok(ranges),
                    _ => ranges.push(Range { from: *number, to: number.saturating_add(1) }),
                }
            }
            match numbers.last() {
                Some(last) if numbers.len() == STEP => from = last.saturating_add(1),
                _ => return Ok(ranges),
            }
        }
    }
}

fn bytes_of(pages: &[Reply]) -> usize {
    let page = |reply: &Reply| match reply {
        Reply::Page(page) => page.entries.iter().map(|entry| entry.0.len()).sum(),
        _ => 0,
    };
    pages.iter().map(page).sum()
}

fn chain_of(hello: &Hello) -> Chain {
    Chain { device: hello.device, incarnation: hello.incarnation }
}
