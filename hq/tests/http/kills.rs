//! `kill -9` of the server at any moment, and SIGTERM in the middle of an upload.

use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Write as _;
use std::time::Duration;

use amparo_hq::storage::sqlite::Sqlite;
use amparo_hq::storage::{Chain, Storage as _};
use amparo_schema::wire::enrol::Certificate;
use amparo_schema::wire::push::Reply;
use amparo_schema::wire::receipt::Receipt;
use amparo_schema::wire::signed::Signed;
use amparo_seal::random::{Entropy as _, SeededEntropy};
use amparo_seal::{Sealed, unverified};

use crate::common::{Phone, segment, upload};
use crate::process::Hq;
use crate::socket::{CBOR_SEQ, answer, call, connect, head, try_call, wait_until};

/// Kills; more by `AMPARO_KILLS`. The moments follow `AMPARO_SEED`, which is printed.
const KILLS: u64 = 25;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn newest(replies: &[Reply]) -> Option<(Receipt, Signed<Receipt>)> {
    replies.iter().find_map(|reply| match reply {
        Reply::Receipt(signed) => Some((unverified(signed).unwrap(), signed.clone())),
        _ => None,
    })
}

/// A phone with what it sealed and the newest receipt that it saw.
struct Sender {
    phone: Phone,
    sealed: Vec<Sealed>,
    held: Option<(Receipt, Signed<Receipt>)>,
}

impl Sender {
    fn stored(&self) -> u64 {
        self.held.as_ref().map_or(0, |(receipt, _)| receipt.stored)
    }

    /// What headquarters is not known to have, and a call.
    fn upload(&self) -> Vec<u8> {
        let rest = self.sealed.iter().skip(usize::try_from(self.stored()).unwrap());
        let mut frames: Vec<_> = rest.map(segment).collect();
        frames.push(self.phone.hello(self.held.as_ref().map(|(_, signed)| signed.clone()), vec![]));
        upload(&frames)
    }

    /// Takes what was answered; nothing that a receipt covered may be missing.
    fn take(&mut self, replies: &[Reply]) {
        if replies.contains(&Reply::Unchanged) {
            return;
        }
        let (receipt, signed) = newest(replies).unwrap();
        assert_eq!(receipt.epoch, 0, "headquarters lost what it had signed for");
        assert!(receipt.stored >= self.stored(), "{} after {}", receipt.stored, self.stored());
        if let Some(last) = receipt.stored.checked_sub(1) {
            assert_eq!(receipt.hash, self.sealed[usize::try_from(last).unwrap()].hash);
        }
        self.held = Some((receipt, signed));
    }
}

#[test]
fn whatever_a_receipt_covered_is_there_after_kill_9() {
    let kills = setting("AMPARO_KILLS").unwrap_or(KILLS);
    let seed =
        setting("AMPARO_SEED").unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
    println!("AMPARO_SEED={seed} AMPARO_KILLS={kills}");
    let dice = SeededEntropy::new(seed);
    let draw = |below: u64| {
        let mut bytes = [0; 8];
        dice.fill(&mut bytes).unwrap();
        u64::from_be_bytes(bytes) % below
    };
    let hq = Hq::made();
    let first = hq.serve(&[]);
    let phone = hq.enrolled(21, first.address);
    drop(first);
    let mut sender = Sender { phone, sealed: Vec::new(), held: None };
    let (mut answered, mut torn) = (0, 0);
    for _ in 0..kills {
        let (mut child, address) = hq.serve(&[]).into_child();
        let back = call(address, "POST", "/v1/exchange", CBOR_SEQ, &sender.upload());
        sender.take(&back.replies());
        let moment = Duration::from_micros(draw(60_000));
        let killer = std::thread::spawn(move || {
            std::thread::sleep(moment);
            child.kill().unwrap();
            child.wait().unwrap();
        });
        loop {
            for _ in 0..=draw(3) {
                let sealed = sender.phone.seal();
                sender.sealed.push(sealed);
            }
            match try_call(address, "POST", "/v1/exchange", CBOR_SEQ, &sender.upload()) {
                Some(told) if told.status == 200 => {
                    answered += 1;
                    sender.take(&told.replies());
                }
                Some(told) => panic!("{told:?}"),
                None => {
                    torn += 1;
                    break;
                }
            }
        }
        killer.join().unwrap();
    }
    println!("{answered} exchanges answered, {torn} torn, {} segments sealed", sender.sealed.len());
    assert!(answered > 0 && torn == kills);
    let mut store = Sqlite::open(&hq.file("hq/store/relay.db"), None).unwrap();
    let chain = Chain { device: sender.phone.device, incarnation: sender.phone.incarnation };
    store
        .transact(&mut |tx| {
            for (number, sealed) in (0..sender.stored()).zip(&sender.sealed) {
                assert_eq!(tx.body(chain.at(number))?.unwrap(), sealed.segment, "{number}");
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn an_upload_that_is_under_way_at_sigterm_is_finished_and_answered() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let mut phone = hq.enrolled(22, serving.address);
    let whole = upload(&[segment(&phone.seal()), phone.hello(None, vec![])]);
    let mut stream = connect(serving.address);
    let framing = format!("content-length: {}", whole.len());
    stream.write_all(head("POST", "/v1/exchange", CBOR_SEQ, &framing).as_bytes()).unwrap();
    let (before, after) = whole.split_at(100);
    stream.write_all(before).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    serving.terminate();
    wait_until("nobody is let in any more", || std::net::TcpStream::connect(serving.address).is_err());
    stream.write_all(after).unwrap();
    let (receipt, _) = newest(&answer(&mut stream).unwrap().replies()).unwrap();
    assert_eq!(receipt.stored, 1);
    assert!(serving.wait());
    assert_eq!(hq.json(&["status"])["segments"], 1);
}

/// A request to enrol that was answered stays answered: the same again gives the same certificate.
#[test]
fn an_enrolment_survives_the_server() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let phone = hq.enrolled(23, serving.address);
    drop(serving);
    let again = hq.serve(&[]);
    let replies =
        call(again.address, "POST", "/v1/exchange", CBOR_SEQ, &upload(&[phone.hello(None, vec![])]))
            .replies();
    assert!(newest(&replies).is_some());
    let certificate: Certificate = unverified(phone.certificate.as_ref().unwrap()).unwrap();
    assert_eq!(certificate.agency.as_str(), "agency-a");
    assert_eq!(hq.json(&["status"])["devices"], 1);
}
