//! Callers: what they are told, and what their receipts prove.
//!
//! Owns receipts. A receipt counts only what a finished transaction holds, so it is made in a transaction of
//! its own after those that took the frames. One that headquarters signed and cannot live up to proves that
//! headquarters lost data; then the epoch rises, once for each loss, and the device sends again.

use amparo_schema::limits::{CURSORS_MAX, RECEIPT_RANGES_MAX};
use amparo_schema::wire::feed::FeedId;
use amparo_schema::wire::push::{Hello, Refusal, Reply};
use amparo_schema::wire::receipt::{Range, Receipt};
use amparo_schema::wire::signed::Signed;
use amparo_seal::unverified;

use super::exchange::Taken;
use super::log::Action;
use super::work::Work;
use super::{Durability, RelayError};
use crate::storage::Chain;

/// Numbers read at once when gaps are looked for.
const STEP: usize = 256;

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
        if let Some(shown) = self.shown(&hello) {
            let own = self.receipt(&hello, &device.verify_key())?;
            self.remember(&shown, &own)?;
        }
        Ok(Taken::Caller(Box::new(hello)))
    }

    /// The receipt that the caller shows, if it is one of ours about this incarnation.
    fn shown(&self, hello: &Hello) -> Option<Receipt> {
        let receipt = self.relay.signer.public().open_object(hello.receipt.as_ref()?).ok()?;
        (receipt.device == hello.device && receipt.incarnation == hello.incarnation).then_some(receipt)
    }

    /// Compares a receipt with the one that could be given now; raises the epoch if something is lost that was
    /// not known.
    fn remember(&mut self, shown: &Receipt, own: &Receipt) -> Result<(), RelayError> {
        // Of an earlier epoch: that loss is known, and its receipts bind nobody.
        if shown.epoch < own.epoch {
            return Ok(());
        }
        let chain = Chain { device: shown.device, incarnation: shown.incarnation };
        let hash = match shown.stored.checked_sub(1) {
            None => Some(shown.hash),
            Some(_) if shown.stored == own.stored => Some(own.hash),
            Some(last) => self.tx.segment(chain.at(last))?.map(|s| s.hash),
        };
        let counts = |r: &Receipt| [r.stored, r.durable, r.delivered, r.horizon, r.disclosures];
        let kept = shown.epoch == own.epoch
            && counts(shown).iter().zip(counts(own)).all(|(shown, own)| *shown <= own)
            && hash == Some(shown.hash)
            && self.has_log_of(shown)?;
        if kept {
            return Ok(());
        }
        let mut state = self.state()?;
        state.epoch = shown.epoch.saturating_add(1);
        self.put_state(&state)?;
        self.log_action(Action::Amnesia { device: shown.device, epoch: state.epoch })?;
        Ok(())
    }

    /// What the caller is told: its receipt, and pages of its own feed and of packs.
    pub(super) fn replies(&mut self, hello: &Hello, down_bytes_max: usize) -> Result<Vec<Reply>, RelayError> {
        let Some(device) = self.device(hello.device)? else { return Ok(vec![Reply::CertificateWanted]) };
        let receipt = self.receipt(hello, &device.verify_key())?;
        let unchanged = self.shown(hello).is_some_and(|shown| {
            let Receipt { hq_ms, log_size, log_root, .. } = shown;
            shown == Receipt { hq_ms, log_size, log_root, ..receipt.clone() }
        });
        let first = if unchanged {
            Reply::Unchanged
        } else {
            Reply::Receipt(self.relay.signer.sign_object(&receipt).map_err(|_| RelayError::Encoding)?)
        };
        let mut replies = vec![first];
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
        Ok(replies)
    }

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
        let log = self.checkpoint()?;
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
            log_size: log.size,
            log_root: log.root,
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

fn chain_of(hello: &Hello) -> Chain {
    Chain { device: hello.device, incarnation: hello.incarnation }
}
