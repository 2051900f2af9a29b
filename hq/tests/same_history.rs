//! I32: one trace, three engines, one history. Every reply and every page is the same byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use amparo_hq::relay::Relay;
use amparo_hq::storage::Storage;
use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::postgres::Postgres;
use amparo_hq::storage::sqlite::Sqlite;
use amparo_schema::id::Hash;
use amparo_schema::wire::feed::{Cursor, FeedId};
use amparo_schema::wire::push::{Frame, Reply};
use amparo_schema::wire::receipt::Receipt;
use amparo_schema::wire::signed::Signed;
use amparo_seal::Sealed;
use amparo_seal::to_bytes;
use common::server::Server;
use common::{Desk, NOW, Phone, after, relay, segment, upload};

const STEPS: u64 = 250;

#[test]
fn i32_the_same_trace_gives_the_same_history_on_every_engine() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start();
    for seed in [1, 2] {
        let memory = history(&mut Memory::new(), seed);
        assert!(memory.len() as u64 > STEPS);
        for shape in
            ["Sealed", "Withdrawn", "Fork", "Revoked", "Stranger", "Signature", "ranges: [R", "Unchanged"]
        {
            assert!(memory.iter().any(|line| line.contains(shape)), "seed {seed} never shows {shape}");
        }
        let file = directory.path().join(format!("{seed}.db"));
        same(&memory, &history(&mut Sqlite::open(&file, None).unwrap(), seed), seed);
        let url = server.database(&format!("h{seed}"));
        same(&memory, &history(&mut Postgres::open(&url).unwrap(), seed), seed);
    }
}

fn same(one: &[String], other: &[String], seed: u64) {
    for (n, (a, b)) in one.iter().zip(other).enumerate() {
        assert_eq!(a, b, "seed {seed}, line {n}");
    }
    assert_eq!(one.len(), other.len());
}

struct Dice(u64, u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.1 += 1;
        let hash = Hash::of("trace", &[&self.0.to_be_bytes(), &self.1.to_be_bytes()]);
        u64::from_be_bytes(hash.0[..8].try_into().unwrap()) % below
    }
}

/// A phone with what it sealed and what it was last told.
struct Player {
    phone: Phone,
    sealed: Vec<Sealed>,
    frames: Vec<Frame>,
    receipt: Option<Signed<Receipt>>,
    cursors: Vec<Cursor>,
}

/// Plays a seeded trace and writes down all that can be seen.
fn history(storage: &mut dyn Storage, seed: u64) -> Vec<String> {
    let relay = relay(|settings| settings.group = 5);
    let mut dice = Dice(seed, 0);
    let mut desks: Vec<Desk> = (20..22).map(|n| Desk::registered(n, &relay, storage)).collect();
    let mut players: Vec<Player> = (3..7)
        .map(|n| {
            // The last one is a stranger.
            let phone = if n < 6 { Phone::enrolled(n, &relay, storage) } else { Phone::new(n) };
            let cursors = [FeedId::device(phone.device), FeedId::packs()].map(Cursor::start).to_vec();
            Player { phone, sealed: vec![], frames: vec![], receipt: None, cursors }
        })
        .collect();
    let mut seen = Vec::new();
    for step in 0..STEPS {
        let now = NOW + i64::try_from(step).unwrap();
        let who = dice.roll(players.len() as u64) as usize;
        let player = &mut players[who];
        match dice.roll(12) {
            0..=6 => {
                player.write(&desks, &mut dice);
                let up = player.upload(&mut dice);
                let down = relay.exchange(storage, &up, now).unwrap();
                seen.push(format!("{:?}", Hash::of("down", &[&down])));
                player.hear(&relay, &down, &mut seen);
            }
            7 | 8 => {
                let desk = &mut desks[dice.roll(2) as usize];
                let page = relay.pull(storage, &desk.ask(desk.cursor, 3_000), now).unwrap();
                seen.push(format!("{:?}", Hash::of("page", &[&to_bytes(&page).unwrap()])));
                seen.extend(common::entries(&page).iter().map(|entry| format!("{entry:?}")));
                if dice.roll(4) > 0 {
                    desk.cursor = after(&page);
                }
            }
            9 => {
                let log = relay.checkpoint(storage).unwrap();
                let oldest = log.size / 2;
                relay.backed_up(storage, log.size, oldest).unwrap();
                relay.publish(storage, &[step as u8 / 50; 40], now).unwrap();
                seen.push(format!("{log:?}"));
            }
            10 => {
                let sealed = player.sealed.len() as u64;
                let one = (sealed > 0).then(|| player.sealed[dice.roll(sealed) as usize].hash);
                let done = one.map(|hash| relay.erase(storage, player.phone.device, &hash, now));
                seen.push(format!("{done:?}"));
            }
            _ if step < STEPS / 2 || who > 1 => {
                let done = relay.release(storage, player.phone.device, now);
                seen.push(format!("{done:?}"));
            }
            _ => {
                let done = relay.revoke(storage, player.phone.device, now);
                seen.push(format!("{:?}", done.map(|signed| signed.payload)));
            }
        }
    }
    seen.push(format!("{:?}", relay.checkpoint(storage).unwrap()));
    seen.push(format!("{:?}", relay.acts(storage, 0, 10_000).unwrap()));
    for player in &players {
        seen.push(format!("{:?}", relay.aside(storage, player.phone.device, 1_000).unwrap()));
    }
    seen
}

impl Player {
    /// Seals, gives, withholds, forks.
    fn write(&mut self, desks: &[Desk], dice: &mut Dice) {
        let desk = &desks[dice.roll(2) as usize];
        for _ in 0..dice.roll(3) {
            let sealed = self.phone.seal();
            self.frames.push(segment(&sealed));
            if dice.roll(4) > 0 {
                self.frames.push(self.phone.give(&sealed, desk));
            }
            self.sealed.push(sealed);
        }
        if dice.roll(4) == 0 && !self.sealed.is_empty() {
            let one = &self.sealed[dice.roll(self.sealed.len() as u64) as usize];
            self.frames.push(self.phone.withhold(one.hash, desk));
        }
        if dice.roll(9) == 0 {
            let number = dice.roll(self.phone.number + 2);
            self.frames.push(segment(&self.phone.sealed_at(number, Hash([5; 32]), "fork")));
        }
    }

    /// Some of all frames, in any order, some damaged, some cut.
    fn upload(&mut self, dice: &mut Dice) -> Vec<u8> {
        let mut some: Vec<Frame> = Vec::new();
        for frame in self.frames.iter().rev().take(8) {
            if dice.roll(3) > 0 {
                some.insert(dice.roll(some.len() as u64 + 1) as usize, frame.clone());
            }
        }
        let hello = match &self.receipt {
            Some(signed) if dice.roll(2) == 0 => {
                self.phone.hello_in_brief(&amparo_seal::unverified(signed).unwrap(), self.cursors.clone())
            }
            shown => self.phone.hello(shown.clone(), self.cursors.clone()),
        };
        some.insert(dice.roll(some.len() as u64 + 1) as usize, hello.clone());
        if self.phone.certificate.is_some() && dice.roll(8) == 0 {
            some.push(self.phone.shown_certificate());
        }
        let mut bytes = upload(&some);
        if dice.roll(6) == 0 {
            let at = dice.roll(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << dice.roll(8);
        }
        if dice.roll(6) == 0 {
            bytes.truncate(dice.roll(bytes.len() as u64) as usize);
        }
        if dice.roll(3) == 0 {
            bytes = upload(&[hello]);
        }
        bytes
    }

    fn hear(&mut self, relay: &Relay, down: &[u8], seen: &mut Vec<String>) {
        let key = amparo_seal::VerifyKey::from(relay.headquarters().key);
        for reply in common::replies(down) {
            match &reply {
                Reply::Receipt(signed) => {
                    seen.push(format!("{:?}", key.open_object(signed).unwrap()));
                    self.receipt = Some(signed.clone());
                }
                Reply::Page(page) => {
                    for cursor in &mut self.cursors {
                        if cursor.feed == page.from.feed {
                            *cursor = after(page);
                        }
                    }
                }
                _ => {}
            }
            seen.push(format!("{reply:?}"));
        }
    }
}
