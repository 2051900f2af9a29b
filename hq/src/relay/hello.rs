//! Callers: what they are told, and what their receipts prove.
//!
//! Owns receipts. A receipt counts only what finished transactions hold, so it is made after those that took
//! the frames, and the log that it points into is read last: what it counts is in that log. A receipt that
//! headquarters signed and cannot live up to proves that headquarters lost data; then the epoch rises, once for
//! each loss, and the device sends again.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{CURSORS_MAX, DOWN_BYTES_MAX, RECEIPT_RANGES_MAX};
use amparo_schema::wire::feed::FeedId;
use amparo_schema::wire::push::{Hello, Refusal, Reply};
use amparo_schema::wire::receipt::{Range, Receipt};
use amparo_schema::wire::signed::Signed;
use amparo_seal::unverified;

use super::exchange::Taken;
use super::log::{Action, Tree, checkpoint, continues};
use super::work::Work;
use super::{Durability, Relay, RelayError};
use crate::storage::{Chain, Storage};

/// Numbers read at once when gaps are looked for.
const STEP: usize = 256;

/// What is told to one caller.
pub(super) type Told = (DeviceId, Vec<Reply>);

impl Relay {
    /// Answers callers after their frames were taken, with at most so many bytes of pages for each, and
    /// `DOWN_BYTES_MAX` for all.
    pub(super) fn answer(
        &self,
        storage: &mut dyn Storage,
        callers: &[Hello],
        down_bytes_max: usize,
        now_ms: i64,
    ) -> Result<Vec<Told>, RelayError> {
        if callers.is_empty() {
            return Ok(Vec::new());
        }
        let shown: Vec<_> = callers.iter().map(|hello| self.shown(hello)).collect();
        // A log that is no continuation of one that was signed proves a loss too, whoever's data it was.
        let torn = |tree: &Tree| {
            shown.iter().flatten().filter(|r| !continues(tree, r)).cloned().collect::<Vec<Receipt>>()
        };
        for receipt in self.with_log(storage, torn)? {
            self.run(storage, now_ms, |work| work.raise_epoch(&receipt))?;
        }
        let (mut told, mut left) = (Vec::new(), DOWN_BYTES_MAX);
        for hello in callers {
            let most = down_bytes_max.min(left);
            let one = self.run(storage, now_ms, |work| work.tell(hello, most))?;
            left = left.saturating_sub(one.as_ref().map_or(0, |(_, pages)| bytes_of(pages)));
            told.push(one);
        }
        let log = self.with_log(storage, checkpoint)?;
        let finished = callers.iter().zip(shown).zip(told).map(|((hello, shown), told)| {
            let Some((receipt, pages)) = told else {
                return Ok((hello.device, vec![Reply::CertificateWanted]));
            };
            let receipt = Receipt { log_size: log.size, log_root: log.root, ..receipt };
            let mut replies = vec![self.finish(&receipt, shown)?];
            replies.extend(pages);
            Ok((hello.device, replies))
        });
        finished.collect()
    }

    /// The receipt that the caller shows, if it is one of ours about this incarnation.
    fn shown(&self, hello: &Hello) -> Option<Receipt> {
        let receipt = self.signer.public().open_object(hello.receipt.as_ref()?).ok()?;
        (receipt.device == hello.device && receipt.incarnation == hello.incarnation).then_some(receipt)
    }

    /// The receipt, signed, or that it says nothing new.
    fn finish(&self, receipt: &Receipt, shown: Option<Receipt>) -> Result<Reply, RelayError> {
        let Receipt { hq_ms, log_size, log_root, .. } = *receipt;
        if shown.is_some_and(|shown| *receipt == Receipt { hq_ms, log_size, log_root, ..shown }) {
            return Ok(Reply::Unchanged);
        }
        self.signer.sign_object(receipt).map(Reply::Receipt).map_err(|_| RelayError::Encoding)
    }
}

impl Work<'_> {
    /// Takes a call: checks who it is and what the shown receipt proves.
    pub(super) fn take_hello(&mut self, signed: &Signed<Hello>) -> Result<Taken, RelayError> {
        let Ok(claimed) = unverified(signed) else { return Ok(Taken::Refused(Refusal::Signature)) };
        let Some(device) = self.device(claimed.device)? else {
            return Ok(Taken::CertificateWanted(claimed.device));
        };
        let Ok(hello) = device.verify_key().open_object(signed) else {
            return Ok(Taken::Refused(Refusal::Signature));
        };
        if hello.cursors.len() > CURSORS_MAX {
            return Ok(Taken::Refused(Refusal::TooLarge));
        }
        if let Some(shown) = self.relay.shown(&hello) {
            let own = self.receipt(&hello, &device.verify_key())?;
            if !self.lives_up(&own, &shown)? {
                self.raise_epoch(&shown)?;
            }
        }
        Ok(Taken::Caller(Box::new(hello)))
    }

    /// Whether the receipt that could be given now takes nothing back that an earlier one said.
    fn lives_up(&mut self, own: &Receipt, shown: &Receipt) -> Result<bool, RelayError> {
        let chain = Chain { device: shown.device, incarnation: shown.incarnation };
        let hash = match shown.stored.checked_sub(1) {
            None => Some(shown.hash),
            Some(_) if shown.stored == own.stored => Some(own.hash),
            Some(last) => self.tx.segment(chain.at(last))?.map(|s| s.hash),
        };
        let counts = |r: &Receipt| [r.stored, r.durable, r.delivered, r.horizon, r.disclosures];
        let falls = counts(shown).iter().zip(counts(own)).any(|(shown, own)| *shown > own);
        Ok(shown.epoch == own.epoch && !falls && hash == Some(shown.hash))
    }

    /// Raises the epoch above a receipt's, unless that was done: one of an earlier epoch tells of a loss that is
    /// known, and binds nobody.
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
        for cursor in &hello.cursors {
            let own = cursor.feed == FeedId::device(hello.device);
            // A revoked device learns that it is, and no more.
            if !own && (cursor.feed != FeedId::packs() || device.revoked.is_some()) {
                continue;
            }
            let (page, bytes) = self.page(*cursor, None, budget)?;
            budget = budget.saturating_sub(bytes);
            if !page.entries.is_empty() || page.from != *cursor {
                replies.push(Reply::Page(page));
            }
        }
        Ok(Some((receipt, replies)))
    }

    /// The receipt as things stand, without log.
    fn receipt(&mut self, hello: &Hello, key: &amparo_seal::VerifyKey) -> Result<Receipt, RelayError> {
        let chain = chain_of(hello);
        let mut head = self.head(chain, key)?;
        let state = self.state()?;
        let delivered = self.tx.first_undelivered(chain)?.map_or(head.next, |n| n.min(head.next));
        if delivered > head.delivered {
            head.delivered = delivered;
            self.put_head(chain, &head)?;
        }
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
