//! `status`: where everything is, what agencies wrote, and what was kept aside.

use std::collections::BTreeMap;

use amparo_core::device::{Error, ScreeningLine, SyncState};
use amparo_schema::id::ScreeningId;
use amparo_schema::wire::push::Refusal;

use super::{Seat, report, say, words};
use crate::args::exit;
use crate::commands::CommandError;
use crate::draw;
use crate::words::Word;

/// The newest screenings that are shown on a screen; `--json` gives all.
const SHOWN: usize = 30;

impl Seat<'_> {
    /// Shows how everything stands. Changes nothing, sends nothing.
    ///
    /// # Errors
    /// Those of the device.
    pub fn status(&self) -> Result<u8, CommandError> {
        let state = self.device.sync_state()?;
        if self.json {
            say(&report::state(&state, self.device)?.to_string());
            return Ok(exit::OK);
        }
        match (&state.agency, &state.url) {
            (Some(agency), Some(url)) => say(&format!("{} {agency} ({url}).", self.word(Word::BelongsTo))),
            _ => say(self.word(Word::NotEnrolled)),
        }
        if let Some(since) = state.revoked_ms {
            say(&format!("! {} {}", self.word(Word::RevokedSince), draw::utc(since)));
        }
        let contact = state.contact_ms.map_or_else(|| self.word(Word::Never).to_owned(), draw::utc);
        say(&format!("{} {contact}", self.word(Word::LastContact)));
        if state.waiting > 0 {
            say(&format!("{} {}", self.word(Word::WaitingToSend), state.waiting));
        }
        self.screenings(&state)?;
        self.letters(&state);
        self.refusals(&state);
        for (why, count) in self.device.aside()? {
            say(&format!("  ! {count} × {}", self.word(words::why(why))));
        }
        Ok(exit::OK)
    }

    /// One line for each screening, with its referrals.
    pub(super) fn screenings(&self, state: &SyncState) -> Result<(), CommandError> {
        let known: BTreeMap<ScreeningId, ScreeningLine> =
            self.device.screenings()?.into_iter().map(|line| (line.screening, line)).collect();
        for line in state.screenings.iter().take(SHOWN) {
            let code = known.get(&line.screening).map_or("", |known| known.code.as_str());
            let opened =
                known.get(&line.screening).map(|known| draw::utc(known.opened_ms)).unwrap_or_default();
            let level = self.word(words::level(line.level));
            let purged =
                if line.purged { format!(", {}", self.word(Word::PurgedHere)) } else { String::new() };
            say(&format!("  {code}  {opened}  {level}{purged}"));
            self.referrals(line.screening)?;
        }
        let more = state.screenings.len().saturating_sub(SHOWN);
        if more > 0 {
            say(&format!("  … {more} {}", self.word(Word::MoreInJson)));
        }
        Ok(())
    }

    /// What became of the referrals of a screening.
    fn referrals(&self, id: ScreeningId) -> Result<(), CommandError> {
        let view = match self.device.screening(id) {
            Ok(view) => view,
            // What was said is gone from here; how far it is was told already.
            Err(Error::Purged | Error::Erased) => return Ok(()),
            Err(why) => return Err(why.into()),
        };
        for referral in view.screening.referrals.iter() {
            let state = self.word(words::referral(referral.state));
            let reason = referral.moves.last().and_then(|last| last.reason.as_deref());
            let reason = reason.map(|why| format!(": {why}")).unwrap_or_default();
            say(&format!("      → {}: {state}{reason}", referral.contact.service));
        }
        Ok(())
    }

    /// What headquarters did not take, and why.
    pub(super) fn refusals(&self, state: &SyncState) {
        let mut reasons: BTreeMap<Refusal, u64> = BTreeMap::new();
        for (_, why) in &state.refused {
            let count = reasons.entry(*why).or_default();
            *count = count.saturating_add(1);
        }
        for (why, count) in reasons {
            say(&format!("  ! {count} × {}", self.word(words::refusal(why))));
        }
    }

    /// What agencies ask to be done.
    pub(super) fn letters(&self, state: &SyncState) {
        for asked in &state.follow_ups {
            let due = asked.due_ms.map(|due| format!(" ({} {})", self.word(Word::DueBy), draw::utc(due)));
            let (code, due) = (asked.code.as_deref().unwrap_or("?"), due.unwrap_or_default());
            say(&format!("  {} {}, {code}{due}: {}", self.word(Word::FollowUpFrom), asked.from, asked.text));
        }
    }
}
