//! `sync`: sending and fetching, with what became of everything and what to do next.

use std::io::{IsTerminal, Write};
use std::path::Path;

use amparo_core::device::{Level, SyncState};
use amparo_core::sync::{Ended, Go, Progress, SyncReport, Transport, TransportError};

use super::{Seat, report, say, words};
use crate::args::exit;
use crate::ask::{Ask, Choice, choose};
use crate::commands::CommandError;
use crate::transport::{DISTRUSTED, Http};
use crate::words::{Speaker, Word};

impl Seat<'_> {
    /// Sends what headquarters lacks and fetches what it has.
    ///
    /// # Errors
    /// [`super::NotDone`] before enrolment; those of the device. A link that fails is none: it is told.
    pub fn sync(&self, ask: &mut dyn Ask, ca: Option<&Path>) -> Result<u8, CommandError> {
        let enrolment = self.device.enrolment()?;
        let enrolment = enrolment.ok_or_else(|| self.not_done(exit::REFUSED, Word::NotEnrolled))?;
        let http = Http::new(&enrolment.headquarters.url, ca).map_err(|why| self.not_reached(&why))?;
        // One screening that does not close must not keep all others here.
        let _ = self.device.close_overdue();
        let report = self.sync_over(&http)?;
        let revoked = self.device.sync_state()?.revoked_ms.is_some();
        if revoked && !self.json {
            self.offer_wipe(ask)?;
        }
        Ok(code(&report.ended))
    }

    /// The same over any carrier, and tells what came of it.
    ///
    /// # Errors
    /// As [`Seat::sync`].
    pub fn sync_over(&self, transport: &dyn Transport) -> Result<SyncReport, CommandError> {
        let watcher = Watcher::new(self.speaker, self.json);
        watcher.begin();
        let done = self.device.sync(transport, &watcher);
        watcher.end();
        let done = match done {
            Ok(done) => done,
            Err(why) => return Err(self.fault(why)?.into()),
        };
        let state = self.device.sync_state()?;
        if self.json {
            say(&report::sync(&done, &state, self.device)?.to_string());
        } else {
            self.tell(&done, &state)?;
        }
        Ok(done)
    }

    fn tell(&self, done: &SyncReport, state: &SyncState) -> Result<(), CommandError> {
        let (up, down) = (kb(done.up_bytes), kb(done.down_bytes));
        let (sent, received) = (self.word(Word::SentBytes), self.word(Word::ReceivedBytes));
        say(&format!("{} {sent} {up} · {received} {down}", self.word(ended(&done.ended))));
        self.screenings(state)?;
        self.letters(state);
        for why in &done.aside {
            say(&format!("  ! {}", self.word(words::why(*why))));
        }
        self.refusals(state);
        if done.begun_again {
            say(&format!("  ! {}", self.word(Word::BegunAgain)));
        }
        if done.withheld_back > 0 {
            say(&format!("  ! {} {}", self.word(Word::NotDisclosed), done.withheld_back));
        }
        if done.purged > 0 {
            say(&format!("{} {}", self.word(Word::PurgedNow), done.purged));
        }
        say(&format!("{} {}", self.word(Word::NextThing), self.next(done, state)));
        Ok(())
    }

    /// The one thing to do next.
    fn next(&self, done: &SyncReport, state: &SyncState) -> String {
        let open = state.screenings.iter().any(|line| line.level == Level::Open);
        let word = match &done.ended {
            _ if state.revoked_ms.is_some() => Word::NextRevoked,
            Ended::Broken(TransportError::Offline) => Word::NextOffline,
            Ended::Broken(TransportError::Refused { code: DISTRUSTED }) => Word::NextDistrusted,
            Ended::Broken(TransportError::Refused { .. }) => Word::NextLater,
            Ended::Broken(TransportError::Cut { .. }) | Ended::Stopped => Word::NextAgain,
            Ended::Later => {
                let seconds = done.wait_ms.unwrap_or_default().div_ceil(1_000);
                return format!("{} {seconds} s: amparo sync", self.word(Word::NextWait));
            }
            Ended::Stuck => Word::NextStuck,
            Ended::Done if !state.refused.is_empty() => Word::NextStuck,
            Ended::Done if done.entries > 0 && !state.follow_ups.is_empty() => Word::NextFollowUps,
            Ended::Done if open => Word::NextClose,
            Ended::Done if state.waiting > 0 => Word::NextStuck,
            Ended::Done => Word::NextNothing,
        };
        self.word(word).to_owned()
    }

    /// A phone that belongs nowhere any more: whether what was said goes from it now.
    fn offer_wipe(&self, ask: &mut dyn Ask) -> Result<(), CommandError> {
        let choices = [(false, Word::WipeLater), (true, Word::WipeNow)].map(|(value, word)| Choice {
            value,
            label: self.word(word).into(),
            hint: String::new(),
        });
        // Nobody there to be asked: nothing is wiped.
        if choose(ask, self.word(Word::WipeAsk), &choices).unwrap_or(false) {
            let wiped = self.device.wipe()?;
            say(&format!("{} {}", self.word(Word::Wiped), wiped.screenings));
        }
        Ok(())
    }
}

fn code(ended: &Ended) -> u8 {
    match ended {
        Ended::Done => exit::OK,
        Ended::Broken(TransportError::Refused { code: DISTRUSTED }) => exit::REFUSED,
        _ => exit::UNFINISHED,
    }
}

fn ended(ended: &Ended) -> Word {
    match ended {
        Ended::Done => Word::SyncDone,
        Ended::Stuck => Word::SyncStuck,
        Ended::Later => Word::SyncLater,
        Ended::Stopped => Word::SyncStopped,
        Ended::Broken(TransportError::Offline) => Word::Unreached,
        Ended::Broken(TransportError::Refused { code: DISTRUSTED }) => Word::Distrusted,
        Ended::Broken(TransportError::Refused { .. }) => Word::HqRefuses,
        Ended::Broken(TransportError::Cut { .. }) => Word::BrokenOff,
    }
}

/// Bytes as people read them.
fn kb(bytes: u64) -> String {
    format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100)
}

/// Shows on standard error how far a call is: one line that changes on a terminal, a line for each exchange elsewhere.
pub(super) struct Watcher {
    speaker: Speaker,
    silent: bool,
    terminal: bool,
}

impl Watcher {
    pub(super) fn new(speaker: Speaker, silent: bool) -> Self {
        Self { speaker, silent, terminal: std::io::stderr().is_terminal() }
    }

    /// Says that headquarters is called: an answer may take long.
    pub(super) fn begin(&self) {
        let line = format!("… {}", self.speaker.word(Word::Calling));
        self.write(&if self.terminal { line } else { format!("{line}\n") });
    }

    fn write(&self, text: &str) {
        if !self.silent {
            // Losing a line about progress harms nothing.
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    }

    /// Clears the line.
    pub(super) fn end(&self) {
        if self.terminal {
            self.write("\r\u{1b}[K");
        }
    }
}

impl Progress for Watcher {
    fn exchanged(&self, so_far: &SyncReport) -> Go {
        let (sent, received) = (self.speaker.word(Word::SentBytes), self.speaker.word(Word::ReceivedBytes));
        let (up, down) = (kb(so_far.up_bytes), kb(so_far.down_bytes));
        let line = format!("… {sent} {up} · {received} {down}");
        self.write(&if self.terminal { format!("\r\u{1b}[K{line}") } else { format!("{line}\n") });
        Go::On
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use amparo_core::device::Device;
    use amparo_core::random::SeededEntropy;
    use amparo_core::secret::Key;
    use amparo_core::sync::Item;
    use amparo_core::time::{FixedClock, Moment};
    use amparo_schema::wire::push::Refusal;

    use super::*;
    use crate::embedded;

    #[test]
    fn what_headquarters_refused_is_never_told_as_all_well() {
        let folder = tempfile::tempdir().unwrap();
        let at = Moment { wall_ms: 1_795_195_800_000, offset_minutes: -180, steady_ms: 0 };
        let (clock, entropy) = (Arc::new(FixedClock::new(at)), Arc::new(SeededEntropy::new(1)));
        let (store, trust) = (folder.path().join("store.db"), embedded::trust().unwrap());
        let device = Device::create(&store, &Key::new(&[7; 32]), trust, clock, entropy).unwrap();
        let seat = Seat { device: &device, speaker: Speaker::Es, json: false };
        let (done, mut state) = (SyncReport::default(), device.sync_state().unwrap());
        assert_eq!(
            (&done.ended, seat.next(&done, &state)),
            (&Ended::Done, seat.word(Word::NextNothing).into())
        );
        state.refused.push((Item::Segment { incarnation: 1, number: 0 }, Refusal::Fork));
        assert_eq!(seat.next(&done, &state), seat.word(Word::NextStuck));
    }
}
