//! Exchanges that are whole, repeated, cut and slow.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use amparo_hq::http::Limits;
use amparo_hq::storage::memory::Memory;
use amparo_schema::wire::push::{Frame, Refusal, Reply};

use crate::common::{Phone, receipt, segment, upload};
use crate::socket::{CBOR_SEQ, Inside, answer, connect, count, exchange, head, wait_until};

fn started(limits: Limits) -> (Inside, Phone) {
    let mut memory = Memory::new();
    let relay = crate::common::relay(|_| {});
    let phone = Phone::enrolled(5, &relay, &mut memory);
    (Inside::start(Box::new(memory), limits), phone)
}

fn stored(server: &Inside, phone: &Phone) -> u64 {
    let replies = exchange(server.address, &upload(&[phone.hello(None, vec![])])).replies();
    receipt(&server.relay, &replies).0.stored
}

#[test]
fn an_exchange_is_answered_with_a_receipt_and_a_repeat_changes_nothing() {
    let (server, mut phone) = started(Limits::default());
    let mut frames: Vec<Frame> = (0..3).map(|_| segment(&phone.seal())).collect();
    frames.push(phone.hello(None, vec![]));
    let (first, signed) = receipt(&server.relay, &exchange(server.address, &upload(&frames)).replies());
    assert_eq!((first.stored, first.hash), (3, phone.previous));
    let (again, _) = receipt(&server.relay, &exchange(server.address, &upload(&frames)).replies());
    assert_eq!((again.stored, again.log_size), (3, first.log_size));
    let shown = upload(&[phone.hello(Some(signed), vec![])]);
    assert_eq!(exchange(server.address, &shown).replies(), [Reply::Unchanged]);
    server.stop();
}

#[test]
fn damaged_frames_are_answered_in_the_sequence() {
    let (server, mut phone) = started(Limits::default());
    let mut bytes = vec![0x01];
    bytes.extend(upload(&[segment(&phone.seal()), phone.hello(None, vec![])]));
    bytes.push(0xff);
    let replies = exchange(server.address, &bytes).replies();
    assert_eq!(replies[0], Reply::Refused { frame: 0, why: Refusal::Form });
    assert_eq!(replies[1], Reply::Refused { frame: 3, why: Refusal::Form });
    assert_eq!(receipt(&server.relay, &replies).0.stored, 1);
    server.stop();
}

/// Ends of frames from the start of an upload.
fn ends(frames: &[Frame]) -> Vec<usize> {
    (1..=frames.len()).map(|n| upload(&frames[..n]).len()).collect()
}

fn send_cut(address: SocketAddr, bytes: &[u8], of: usize, chunked: bool) {
    let mut stream = connect(address);
    if chunked {
        stream
            .write_all(head("POST", "/v1/exchange", CBOR_SEQ, "transfer-encoding: chunked").as_bytes())
            .unwrap();
        stream.write_all(format!("{:x}\r\n", of.max(1)).as_bytes()).unwrap();
    } else {
        let framing = format!("content-length: {of}");
        stream.write_all(head("POST", "/v1/exchange", CBOR_SEQ, &framing).as_bytes()).unwrap();
    }
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
}

/// A caller that goes away in the middle loses the frame in the middle and nothing else.
#[test]
fn a_cut_upload_counts_as_far_as_it_was_whole() {
    let (server, mut phone) = started(Limits::default());
    let frames: Vec<Frame> = (0..8).map(|_| segment(&phone.seal())).collect();
    let (whole, ends) = (upload(&frames), ends(&frames));
    let mut cuts: Vec<usize> = (1..whole.len()).step_by(211).collect();
    cuts.extend(ends.iter().flat_map(|end| [end - 1, *end, end + 1]).filter(|at| *at < whole.len()));
    cuts.sort_unstable();
    for (n, at) in cuts.iter().enumerate() {
        let before = count(server.address, "amparo_exchange_broken_total");
        send_cut(server.address, &whole[..*at], whole.len(), n % 2 == 0);
        wait_until("the cut upload is taken", || {
            count(server.address, "amparo_exchange_broken_total") > before
        });
        let expected = ends.iter().filter(|end| *end <= at).count();
        assert_eq!(stored(&server, &phone), expected as u64, "cut at {at}");
    }
    server.stop();
}

#[test]
fn a_slow_body_counts_as_far_as_it_came_and_its_caller_is_told() {
    let limits = Limits { piece: Duration::from_millis(300), ..Limits::default() };
    let (server, mut phone) = started(limits);
    let frames = [segment(&phone.seal()), segment(&phone.seal())];
    let (whole, end) = (upload(&frames), ends(&frames)[0]);
    let mut stream = connect(server.address);
    let framing = format!("content-length: {}", whole.len());
    stream.write_all(head("POST", "/v1/exchange", CBOR_SEQ, &framing).as_bytes()).unwrap();
    stream.write_all(&whole[..end + 3]).unwrap();
    let told = answer(&mut stream).unwrap();
    assert_eq!((told.status, told.code().as_str()), (408, "slow"));
    assert_eq!(told.header("connection"), Some("close"));
    assert_eq!(stored(&server, &phone), 1);
    server.stop();
}

/// A body that never pauses long enough ends at the bound for whole bodies.
#[test]
fn a_trickling_body_ends() {
    let limits =
        Limits { piece: Duration::from_millis(400), body: Duration::from_millis(900), ..Limits::default() };
    let (server, _) = started(limits);
    let mut stream = connect(server.address);
    stream.write_all(head("POST", "/v1/exchange", CBOR_SEQ, "content-length: 1000").as_bytes()).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let told = std::thread::spawn(move || answer(&mut reader));
    for _ in 0..100 {
        // The server closes at some time.
        if stream.write_all(&[0x01]).is_err() || told.is_finished() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(told.join().unwrap().unwrap().status, 408);
    server.stop();
}

/// Asks many times without reading; gives the connection and how many bytes will come.
fn asked(address: SocketAddr) -> (TcpStream, usize) {
    let mut stream = connect(address);
    let one = head("GET", "/openapi.yaml", "", "");
    stream.write_all(one.as_bytes()).unwrap();
    let first = answer(&mut stream).unwrap();
    // More than the buffers of both sides hold.
    let times = 64 * 1024 * 1024 / first.body.len();
    let mut writer = stream.try_clone().unwrap();
    std::thread::spawn(move || {
        // The server may close at any time.
        let _ = writer.write_all(one.repeat(times).as_bytes());
    });
    (stream, times * (first.head.len() + first.body.len()))
}

/// The only place is free again soon after its holder stopped reading.
#[test]
fn who_stops_reading_is_let_go() {
    let limits = Limits { connections: 1, stall: Duration::from_millis(300), ..Limits::default() };
    let (server, phone) = started(limits);
    let (mut stalled, all) = asked(server.address);
    assert_eq!(stored(&server, &phone), 0);
    let mut came = Vec::new();
    // Cut in the middle, or an error of the system that says so.
    let _ = stalled.read_to_end(&mut came);
    assert!(came.len() < all, "{} of {all}", came.len());
    server.stop();
}

#[test]
fn who_reads_slowly_is_served_to_the_end() {
    let limits = Limits { stall: Duration::from_secs(1), ..Limits::default() };
    let (server, _) = started(limits);
    let (mut slow, all) = asked(server.address);
    let (mut came, mut piece) = (0, vec![0; 1 << 20]);
    let (pause, mut pauses) = (Duration::from_millis(30), 0);
    while came < all {
        let read = slow.read(&mut piece).unwrap();
        assert!(read > 0, "{came} of {all}");
        came += read;
        std::thread::sleep(pause);
        pauses += 1;
    }
    assert!(pause * pauses > Duration::from_secs(1), "it must be slower than the bound");
    server.stop();
}

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let limits = Limits { head: Duration::from_millis(300), ..Limits::default() };
    let (server, phone) = started(limits);
    let mut stream = connect(server.address);
    stream.write_all(b"POST /v1/exchange HT").unwrap();
    // Nothing, or a 408 of the HTTP library; in any case the end.
    assert!(answer(&mut stream).is_none_or(|told| told.status == 408));
    assert_eq!(stored(&server, &phone), 0);
    server.stop();
}
