//! Who takes room and brings little gives it back as soon as others find none.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use amparo_hq::http::Limits;
use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::sqlite::Sqlite;
use amparo_schema::limits::UPLOAD_BYTES_MAX;
use amparo_schema::wire::push::Frame;

use crate::common::{Phone, receipt, relay, segment, told, upload};
use crate::socket::{CBOR_SEQ, Inside, answer, connect, count, exchange, get, head, wait_until};

const BODIES: &str = "amparo_body_kib_under_way";

fn started<const N: usize>(limits: Limits) -> (Inside, [Phone; N]) {
    let mut memory = Memory::new();
    let relay = relay(|_| {});
    let mut seed = 10;
    let phones = [(); N].map(|()| {
        seed += 1;
        Phone::enrolled(seed, &relay, &mut memory)
    });
    (Inside::start(Box::new(memory), limits), phones)
}

/// Begins an upload of `of` bytes beside so many KiB of others, and waits until the server has read these.
fn begin(address: SocketAddr, bytes: &[u8], of: usize, beside: u64) -> TcpStream {
    let mut stream = connect(address);
    let framing = format!("content-length: {of}");
    stream.write_all(head("POST", "/v1/exchange", CBOR_SEQ, &framing).as_bytes()).unwrap();
    stream.write_all(bytes).unwrap();
    let kib = u64::try_from(bytes.len().div_ceil(1024).max(1)).unwrap();
    wait_until("it was read", || count(address, BODIES) == beside + kib);
    stream
}

/// Segments of at least so many bytes.
fn sealed(phone: &mut Phone, bytes: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    while upload(&frames).len() < bytes {
        frames.push(segment(&phone.seal()));
    }
    frames
}

fn stored(server: &Inside, phone: &Phone) -> u64 {
    let replies = exchange(server.address, &upload(&[phone.hello(None, vec![])])).replies();
    receipt(&server.relay, &replies).0.stored
}

/// Comes again until it is let in, as callers do.
fn insists(address: SocketAddr, bytes: &[u8]) {
    wait_until("it is let in", || match exchange(address, bytes).status {
        200 => true,
        status => {
            assert!(matches!(status, 429 | 503), "{status}");
            false
        }
    });
}

#[test]
fn whoever_fills_the_memory_and_stalls_gives_way_and_counts_as_far_as_it_came() {
    let limits = Limits { body_kib: 64, grace: Duration::from_millis(50), ..Limits::default() };
    let (server, [mut hog, mut phone]) = started(limits);
    let held = sealed(&mut hog, 60 * 1024);
    let mut stalled = begin(server.address, &upload(&held), UPLOAD_BYTES_MAX, 0);
    let frames = sealed(&mut phone, 16 * 1024);
    insists(server.address, &upload(&frames));
    let told = answer(&mut stalled).unwrap();
    assert_eq!((told.status, told.code().as_str(), told.header("retry-after")), (429, "busy", Some("5")));
    assert_eq!(stored(&server, &phone), frames.len() as u64);
    assert_eq!(stored(&server, &hog), held.len() as u64);
    server.stop();
}

#[test]
fn whoever_trickles_in_every_place_gives_one_back() {
    let limits = Limits { requests: 3, grace: Duration::from_millis(50), ..Limits::default() };
    let (server, [mut phone]) = started(limits);
    let trickling: Vec<_> = (0..3).map(|n| begin(server.address, &[0x83], UPLOAD_BYTES_MAX, n)).collect();
    assert_eq!(count(server.address, "amparo_requests_under_way"), 3);
    insists(server.address, &upload(&sealed(&mut phone, 2 * 1024)));
    assert!(stored(&server, &phone) > 0);
    drop(trickling);
    server.stop();
}

/// Who holds least and brings most is not the one that is in the way, however slowly it comes.
#[test]
fn a_slow_phone_gets_through_beside_a_larger_body_and_a_slower_one() {
    let limits = Limits { body_kib: 64, requests: 3, grace: Duration::ZERO, ..Limits::default() };
    let (server, [mut slow, mut hog, mut other]) = started(limits);
    let at = server.address;
    let frames = sealed(&mut slow, 4 * 1024);
    let whole = upload(&frames);
    let (first, rest) = whole.split_at(3 * 1024);
    let mut coming = begin(at, first, whole.len(), 0);
    let mut stalled = begin(at, &upload(&sealed(&mut hog, 52 * 1024)), UPLOAD_BYTES_MAX, 3);
    let more = upload(&sealed(&mut other, 16 * 1024));
    assert_eq!(exchange(at, &more).code(), "busy");
    assert_eq!(answer(&mut stalled).unwrap().code(), "busy");
    wait_until("its room is free", || count(at, BODIES) == 3);
    assert_eq!(exchange(at, &more).status, 200);
    // Now all places are taken, two of them by who brings less than the slow one.
    wait_until("that room as well", || count(at, BODIES) == 3);
    let trickling = [3, 4].map(|beside| begin(at, &[0x83], UPLOAD_BYTES_MAX, beside));
    assert_eq!(get(at, "/ready").code(), "overloaded");
    wait_until("one gives way", || count(at, "amparo_requests_under_way") == 2);
    assert_eq!(get(at, "/ready").status, 200);
    coming.write_all(rest).unwrap();
    assert_eq!(answer(&mut coming).unwrap().status, 200);
    assert_eq!(stored(&server, &slow), frames.len() as u64);
    drop(trickling);
    server.stop();
}

/// Where it is the only one that can give way, each attempt still counts as far as it was whole.
#[test]
fn a_slow_phone_that_always_gives_way_gets_everything_through() {
    let limits = Limits { requests: 1, grace: Duration::ZERO, ..Limits::default() };
    let (server, [mut phone]) = started(limits);
    let at = server.address;
    let frames = sealed(&mut phone, 16 * 1024);
    let mut attempts = 0;
    loop {
        let left = &frames[usize::try_from(stored(&server, &phone)).unwrap()..];
        if left.is_empty() {
            break;
        }
        let whole = upload(left);
        let mut coming = begin(at, &whole[..whole.len().min(3_000)], whole.len() + 1, 0);
        assert_eq!(get(at, "/ready").code(), "overloaded");
        assert_eq!(answer(&mut coming).unwrap().code(), "busy");
        attempts += 1;
        assert!(attempts <= frames.len(), "an attempt brought nothing");
    }
    server.stop();
}

/// A slow body is in nobody's way while there is room.
#[test]
fn whoever_is_slow_while_there_is_room_is_let_be() {
    let (server, [mut phone]) = started(Limits { grace: Duration::ZERO, ..Limits::default() });
    let whole = upload(&sealed(&mut phone, 2 * 1024));
    let mut coming = begin(server.address, &whole[..1_500], whole.len(), 0);
    for _ in 0..20 {
        assert_eq!(stored(&server, &phone), 0);
    }
    coming.write_all(&whole[1_500..]).unwrap();
    assert_eq!(answer(&mut coming).unwrap().status, 200);
    server.stop();
}

#[test]
fn what_came_whole_of_a_body_that_stalls_at_the_end_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let mut store = Sqlite::open(&file, None).unwrap();
    let mut phone = Phone::enrolled(9, &relay(|_| {}), &mut store);
    let limits = Limits { stop: Duration::from_millis(300), ..Limits::default() };
    let server = Inside::start(Box::new(store), limits);
    let frames = sealed(&mut phone, 2 * 1024);
    let mut stalled = begin(server.address, &upload(&frames), UPLOAD_BYTES_MAX, 0);
    server.stop();
    assert_eq!(answer(&mut stalled).unwrap().code(), "busy", "it is told to come again");
    let mut store = Sqlite::open(&file, None).unwrap();
    assert_eq!(told(&relay(|_| {}), &mut store, &phone).stored, frames.len() as u64);
}
