//! One step of a world: something is done, and something may go wrong with it.

use amparo_core::sync::Outbox;

use amparo_core::seal::write_letter;
use amparo_schema::id::{CaseId, Hash};
use amparo_schema::limits::UPLOAD_BYTES_MAX;
use amparo_schema::wire::feed::Note;

use super::hq::agency;
use super::phone::Made;
use super::{EXCHANGES_MAX, World};

/// Ten years.
const JUMP_MS: i64 = 10 * 365 * 24 * 60 * 60 * 1000;
/// Backups that headquarters keeps.
const BACKUPS: usize = 3;

/// Bytes of one upload: a frame at a time, some, those of a device, all.
const UP_BYTES: [usize; 5] = [1, 600, 4_000, 64 * 1024, UPLOAD_BYTES_MAX];

/// What happens to an exchange on its way.
#[derive(Debug)]
enum Fate {
    Whole,
    /// Cut on the way up, after so many bytes.
    CutUp(usize),
    /// Cut on the way down, after so many bytes.
    CutDown(usize),
    /// One bit flips on the way up.
    Flip(usize),
    /// Headquarters gets it twice.
    Twice,
}

impl World {
    pub(super) fn step(&mut self) -> Result<(), String> {
        let n = self.dice.below(self.phones.len());
        match self.dice.below(100) {
            0..30 => self.screen(n),
            30..38 => self.disclose(n),
            38..43 => self.withdraw(n),
            43..47 => self.write(n),
            47..70 => self.sync(n)?,
            70..75 => self.export(n),
            75..80 => self.import()?,
            80..88 => self.read()?,
            88..91 => self.back_up(),
            91..93 => self.restore(),
            93..95 => {
                self.note(format!("snapshot of phone {n}"));
                self.snapshots.push((n, self.phones[n].clone()));
            }
            95..97 => self.roll_back(),
            97 => {
                let purged = self.phones[n].outbox.purge_sealed();
                self.note(format!("phone {n} drops {purged} sealed"));
            }
            98 => {
                let years = self.dice.below(3) as i64 - 1;
                self.now_ms += years * JUMP_MS;
            }
            _ => {
                self.note(format!("phone {n} is revoked"));
                self.hq.revoke(self.phones[n].outbox.device(), self.now_ms);
            }
        }
        Ok(())
    }

    fn note(&mut self, what: String) {
        self.history.push(what);
    }

    fn screen(&mut self, n: usize) {
        let facts = 1 + self.dice.below(3);
        let urgent = self.dice.below(4) == 0;
        let wall_ms = self.now_ms + self.dice.below(1_000_000) as i64;
        let phone = &mut self.phones[n];
        let made = phone.screen(facts, urgent, wall_ms, &self.entropy).expect("seals").clone();
        let device = phone.outbox.device();
        let life = phone.outbox.incarnation();
        let number = phone.chain().range((life, 0)..=(life, u64::MAX)).count() as u64 - 1;
        self.truth.segments.insert(made.hash, made.marks.iter().copied().collect());
        self.truth.places.entry((device, life, number)).or_default().insert(made.hash);
        self.tally.segments += 1;
        let first = if urgent { ", urgent" } else { "" };
        self.note(format!("phone {n} seals {life:x}/{number} {}{first}", short(&made.hash)));
        if self.dice.below(5) > 0 {
            self.give(n, &[made]);
        }
    }

    fn give(&mut self, n: usize, made: &[Made]) {
        let mut pairs = Vec::new();
        for made in made {
            for reader in &self.readers {
                if self.dice.below(4) > 0 {
                    pairs.push((made.clone(), reader.key()));
                }
            }
        }
        let number = self.phones[n].grant(&pairs, &self.entropy).expect("grants");
        self.note(format!("phone {n} grants {} in {number}", pairs.len()));
    }

    fn disclose(&mut self, n: usize) {
        let few: Vec<Made> = self.phones[n].made.iter().rev().take(3).cloned().collect();
        let chosen: Vec<Made> = few.into_iter().filter(|_| self.dice.below(2) == 0).collect();
        self.give(n, &chosen);
    }

    fn withdraw(&mut self, n: usize) {
        let Some(made) = self.dice.one(&self.phones[n].made).cloned() else { return };
        let Some(reader) = self.dice.one(&self.readers) else { return };
        let number = self.phones[n].withhold(made.hash, &reader.key()).expect("withholds");
        self.note(format!("phone {n} holds {} back in {number}", short(&made.hash)));
        self.tally.withdrawals += 1;
    }

    /// A reader writes to a phone's person.
    fn write(&mut self, n: usize) {
        let Some(reader) = self.dice.one(&self.readers) else { return };
        let outbox = &self.phones[n].outbox;
        let (device, letter_key) = (outbox.device(), outbox.letter_secret().public());
        let note = Note::FollowUp {
            case: CaseId([9; 16]),
            screening: None,
            from: agency(),
            text: "synthetic".into(),
            due_ms: None,
        };
        let letter =
            write_letter(&note, device, &letter_key, &reader.signer(), &self.entropy).expect("writes");
        self.hq.post(&letter, self.now_ms);
        self.letters.push((device, letter));
        self.tally.letters += 1;
        self.note(format!("a letter to phone {n}"));
    }

    /// A new session. How much goes in one upload is the carrier's luck.
    fn call(&mut self, n: usize) {
        let up_bytes = self.dice.one(&UP_BYTES).copied().unwrap_or(UPLOAD_BYTES_MAX);
        self.phones[n].call(up_bytes);
        self.note(format!("phone {n} calls, {up_bytes} bytes at a time"));
    }

    fn fate(&mut self, bytes: usize) -> Fate {
        match self.dice.below(12) {
            0 | 1 => Fate::CutUp(self.dice.below(bytes.max(1))),
            2 | 3 => Fate::CutDown(self.dice.below(600)),
            4 => Fate::Flip(self.dice.below(bytes.max(1) * 8)),
            5 => Fate::Twice,
            _ => Fate::Whole,
        }
    }

    /// One exchange, whatever becomes of it.
    fn sync(&mut self, n: usize) -> Result<(), String> {
        if self.dice.below(2) == 0 {
            self.call(n);
        }
        let upload = self.phones[n].upload();
        let fate = self.fate(upload.len());
        let mut arrives = upload.clone();
        self.note(format!("phone {n} syncs {} bytes, {fate:?}", upload.len()));
        match fate {
            Fate::CutUp(at) => arrives.truncate(at),
            Fate::Flip(bit) => {
                if let Some(byte) = arrives.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
                self.tally.flips += 1;
            }
            _ => {}
        }
        let mut replies = self.arrive(&arrives)?;
        match fate {
            // Nobody is there any more to hear the reply.
            Fate::CutUp(_) => {
                self.tally.cuts += 1;
                return Ok(());
            }
            Fate::CutDown(at) => {
                self.tally.cuts += 1;
                replies.truncate(at);
            }
            Fate::Twice => {
                let again = self.arrive(&arrives)?;
                self.same_counts(&replies, &again)?;
            }
            _ => {}
        }
        let report = self.phones[n].take(&upload, &replies, &self.entropy);
        self.note(format!("  {report:?}"));
        Ok(())
    }

    /// Headquarters gets an upload; what it says is checked.
    fn arrive(&mut self, upload: &[u8]) -> Result<Vec<u8>, String> {
        self.tally.exchanges += 1;
        let replies = self.hq.exchange(upload, self.now_ms);
        self.hq.hear(upload);
        self.tally.asked += u64::from(self.hq.asks(&replies));
        for receipt in self.hq.receipts(&replies) {
            self.truth.check_receipt(&receipt)?;
            self.hq.reads_back(&receipt)?;
        }
        Ok(replies)
    }

    /// I10: the second time changes nothing.
    fn same_counts(&mut self, first: &[u8], second: &[u8]) -> Result<(), String> {
        let counts = |receipts: Vec<amparo_schema::wire::receipt::Receipt>| {
            let all =
                receipts.into_iter().map(|r| (r.incarnation, r.stored, r.hash, r.ranges, r.disclosures));
            all.collect::<Vec<_>>()
        };
        let (first, second) = (counts(self.hq.receipts(first)), counts(self.hq.receipts(second)));
        // The second may say "unchanged" where the first gave a receipt; what both name must agree.
        let differs = second.iter().any(|r| first.iter().any(|s| s.0 == r.0 && s != r));
        if differs { Err(format!("I10: twice gave {second:?} after {first:?}")) } else { Ok(()) }
    }

    fn export(&mut self, n: usize) {
        let upload = self.phones[n].export();
        self.sticks.push(upload);
        self.note(format!("phone {n} exports"));
    }

    /// A stick arrives, perhaps not for the first time, its frames in any order.
    fn import(&mut self) -> Result<(), String> {
        let Some(stick) = self.dice.one(&self.sticks).cloned() else { return Ok(()) };
        let mut parts = Vec::new();
        let mut rest = stick.as_slice();
        while let Ok(amparo_core::seal::First::Item(item, after)) = amparo_core::seal::first(rest) {
            parts.push(item);
            rest = after;
        }
        for at in (1..parts.len()).rev() {
            parts.swap(at, self.dice.below(at + 1));
        }
        let dropped = self.dice.below(4) == 0;
        let keep = if dropped { self.dice.below(parts.len() + 1) } else { parts.len() };
        let shuffled: Vec<u8> = parts.into_iter().take(keep).flatten().copied().collect();
        self.tally.carried += 1;
        self.note("a stick arrives".into());
        self.arrive(&shuffled).map(|_| ())
    }

    fn read(&mut self) -> Result<(), String> {
        let n = self.dice.below(self.readers.len());
        let before = self.readers[n].clone();
        let bytes = 1 + self.dice.below(4_000);
        self.pull(n, bytes)?;
        if self.dice.below(6) == 0 {
            // Crashed before cursor and facts were kept.
            self.readers[n] = before;
        }
        Ok(())
    }

    /// Pulls one page; gives the number of its entries.
    pub(super) fn pull(&mut self, n: usize, bytes: usize) -> Result<usize, String> {
        let page = self.hq.pull(&self.readers[n], bytes, self.now_ms)?;
        let entries = page.entries.len();
        let given = self.readers[n].take(&page, &self.hq.key())?;
        let id = self.readers[n].key().id();
        for segment in given {
            self.tally.read += 1;
            if self.hq.told.is_withheld(&(segment, id)) {
                return Err(format!("I19: {segment} was given to reader {n} although it is held back"));
            }
            if !self.truth.segments.contains_key(&segment) {
                return Err("I21: a reader got a segment that was never sealed".into());
            }
        }
        Ok(entries)
    }

    fn back_up(&mut self) {
        // Those of a life that a restore ended lack what was taken since; they are destroyed.
        let mut backups = std::mem::take(&mut self.backups);
        backups.retain_mut(|backup| self.hq.goes_on(backup));
        self.backups = backups;
        self.backups.push(self.hq.clone());
        self.note("headquarters backs up".into());
        if self.backups.len() > BACKUPS {
            self.backups.remove(0);
        }
        if let Some(oldest) = self.backups.first_mut() {
            self.hq.backed_up(oldest);
        }
    }

    /// Headquarters burns down and comes back as it was at one of its backups.
    fn restore(&mut self) {
        let Some(backup) = self.dice.one(&self.backups).cloned() else { return };
        self.hq = backup;
        self.truth.forget_receipts();
        self.tally.restores += 1;
        self.note("headquarters is restored".into());
    }

    /// A phone comes back as it was: noticed at once, or only when a receipt proves it; or as a second phone.
    fn roll_back(&mut self) {
        let Some((n, before)) = self.dice.one(&self.snapshots).cloned() else { return };
        self.tally.rollbacks += 1;
        let how = self.dice.below(4);
        self.note(format!(
            "phone {n} goes back: {}",
            ["a second phone", "unnoticed", "noticed", "noticed"][how]
        ));
        match how {
            0 => self.phones.push(before),
            1 => self.phones[n] = before,
            _ => {
                self.phones[n] = before;
                self.phones[n].begin(&self.entropy);
            }
        }
    }

    /// Exchanges without faults until nothing is left.
    pub(super) fn settle(&mut self, n: usize) -> Result<(), String> {
        let mut idle = 0;
        self.call(n);
        for _ in 0..EXCHANGES_MAX {
            let upload = self.phones[n].upload();
            let replies = self.arrive(&upload)?;
            let report = self.phones[n].take(&upload, &replies, &self.entropy);
            self.note(format!("phone {n} settles: {report:?}"));
            idle = if report.is_progress() { 0 } else { idle + 1 };
            if idle > 1 {
                return Ok(());
            }
        }
        Err(format!("I27: phone {n} is still not done after {EXCHANGES_MAX} exchanges"))
    }
}

fn short(hash: &Hash) -> String {
    hash.0.iter().take(3).map(|byte| format!("{byte:02x}")).collect()
}
