//! What is refused, and how.

use std::io::Write;

use amparo_hq::http::Limits;
use amparo_hq::storage::memory::Memory;
use amparo_hq::storage::{Storage, StorageError, Tx};
use amparo_schema::fact::ReferralState;
use amparo_schema::id::{Hash, ReferralId};
use amparo_schema::limits::UPLOAD_BYTES_MAX;
use amparo_schema::wire::feed::Note;
use amparo_seal::{to_bytes, write_letter};

use crate::common::{Desk, NOW, Phone, receipt, relay, segment, upload};
use crate::socket::{CBOR_SEQ, Inside, answer, call, connect, exchange, get, head};

const CBOR: &str = "application/cbor";

#[test]
fn other_bodies_methods_and_paths_are_refused_in_one_form() {
    let server = Inside::start(Box::new(Memory::new()), Limits::default());
    let at = server.address;
    for kind in ["", "text/plain", "application/cbor", "application/cbor-seq-x", "multipart/form-data"] {
        assert_eq!(call(at, "POST", "/v1/exchange", kind, b"").code(), "media_type", "{kind}");
    }
    assert_eq!(call(at, "POST", "/v1/exchange", "Application/CBOR-Seq; q=1", b"").status, 200);
    for path in ["/v1/enrol", "/v1/pull", "/v1/letter"] {
        assert_eq!(call(at, "POST", path, CBOR_SEQ, b"").code(), "media_type", "{path}");
        let told = call(at, "GET", path, CBOR, b"");
        assert_eq!((told.status, told.code().as_str(), told.header("allow")), (405, "method", Some("POST")));
        for bytes in [&b""[..], b"\xff", b"\x82\x40\x40", b"\x80"] {
            let told = call(at, "POST", path, CBOR, bytes);
            assert!(matches!(told.code().as_str(), "form" | "signature"), "{path} {bytes:?} {told:?}");
        }
    }
    for path in ["/", "/v1", "/v2/exchange", "/v1/log/x", "/v1/log/01", "/v1/log/-1", "/%00", "/v1/log/%2e"] {
        assert_eq!(get(at, path).code(), "no_path", "{path}");
    }
    assert_eq!(get(at, "/v1/log/18446744073709551615").code(), "unknown");
    server.stop();
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read_and_while() {
    let server = Inside::start(Box::new(Memory::new()), Limits::default());
    let mut announced = connect(server.address);
    let framing = format!("content-length: {}", UPLOAD_BYTES_MAX + 1);
    announced.write_all(head("POST", "/v1/exchange", CBOR_SEQ, &framing).as_bytes()).unwrap();
    assert_eq!(answer(&mut announced).unwrap().code(), "too_large");
    let mut growing = connect(server.address);
    growing.write_all(head("POST", "/v1/enrol", CBOR, "transfer-encoding: chunked").as_bytes()).unwrap();
    for _ in 0..5 {
        // The server may have closed already.
        let _ = growing.write_all(format!("{:x}\r\n{}\r\n", 4_096, "a".repeat(4_096)).as_bytes());
    }
    assert_eq!(answer(&mut growing).unwrap().code(), "too_large");
    server.stop();
}

#[test]
fn without_room_for_bytes_what_was_whole_counts_and_the_rest_is_for_later() {
    let mut memory = Memory::new();
    let mut phone = Phone::enrolled(6, &relay(|_| {}), &mut memory);
    let server = Inside::start(Box::new(memory), Limits { body_kib: 4, ..Limits::default() });
    let frames: Vec<_> = (0..40).map(|_| segment(&phone.seal())).collect();
    let told = exchange(server.address, &upload(&frames));
    assert_eq!((told.status, told.code().as_str(), told.header("retry-after")), (429, "busy", Some("5")));
    // One frame at a time there is room for.
    let hello = exchange(server.address, &upload(&[phone.hello(None, vec![])])).replies();
    let before = receipt(&server.relay, &hello).0.stored;
    assert!(before < 40);
    for frame in &frames {
        exchange(server.address, &upload(std::slice::from_ref(frame))).replies();
    }
    let hello = exchange(server.address, &upload(&[phone.hello(None, vec![])])).replies();
    assert_eq!(receipt(&server.relay, &hello).0.stored, 40);
    server.stop();
}

#[test]
fn without_room_for_requests_callers_come_again_and_watchers_still_see() {
    let server = Inside::start(Box::new(Memory::new()), Limits { requests: 0, ..Limits::default() });
    let told = exchange(server.address, b"");
    assert_eq!(
        (told.status, told.code().as_str(), told.header("retry-after")),
        (503, "overloaded", Some("5"))
    );
    assert_eq!(get(server.address, "/ready").status, 503);
    assert_eq!(get(server.address, "/health").status, 200);
    assert!(String::from_utf8(get(server.address, "/metrics").body).unwrap().contains("503"));
    server.stop();
}

/// Another server writes to the same store after each transaction of this one.
struct Shared(Memory);

impl Storage for Shared {
    fn transact(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let done = self.0.transact(work);
        let entropy = amparo_seal::random::SeededEntropy::new(1);
        relay(|_| {}).invite(&mut self.0, &crate::common::name("b"), NOW, NOW, &entropy).unwrap();
        done
    }
}

#[test]
fn a_proof_is_of_the_root_that_comes_with_it_whoever_else_writes() {
    type Root = ct_merkle::RootHash<sha2::Sha256>;
    let mut memory = Memory::new();
    let mut phone = Phone::enrolled(7, &relay(|_| {}), &mut memory);
    let sealed = phone.seal();
    crate::common::push(&relay(|_| {}), &mut memory, &[segment(&sealed)]);
    let old = relay(|_| {}).checkpoint(&mut memory).unwrap();
    let server = Inside::start(Box::new(Shared(memory)), Limits::default());
    let read = |told: crate::socket::Answer| {
        let told: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
        let root: Hash = serde_json::from_value(told["root"].clone()).unwrap();
        let path = data_encoding::BASE64.decode(told["proof"].as_str().unwrap().as_bytes()).unwrap();
        (Root::new(root.0.into(), told["size"].as_u64().unwrap()), path, told["leaf"].as_u64())
    };
    let (root, path, _) = read(get(server.address, &format!("/v1/log/{}", old.size)));
    let path = ct_merkle::ConsistencyProof::try_from_bytes(path).unwrap();
    root.verify_consistency(&Root::new(old.root.0.into(), old.size), &path).unwrap();
    let body = serde_json::json!({ "device": phone.device, "segment": sealed.hash }).to_string();
    let told = call(server.address, "POST", "/v1/log/inclusion", "application/json", body.as_bytes());
    let (root, path, leaf) = read(told);
    let path = ct_merkle::InclusionProof::try_from_bytes(path).unwrap();
    root.verify_inclusion(&sealed.hash.0, leaf.unwrap(), &path).unwrap();
    server.stop();
}

/// Letters, pulls and proofs come through as the relay gives them.
#[test]
fn a_desk_pulls_and_proofs_are_given() {
    let mut memory = Memory::new();
    let relay = relay(|_| {});
    let mut phone = Phone::enrolled(7, &relay, &mut memory);
    let desk = Desk::registered(9, &relay, &mut memory);
    let gone = Phone::enrolled(8, &relay, &mut memory);
    relay.revoke(&mut memory, gone.device, NOW).unwrap();
    let server = Inside::start(Box::new(memory), Limits::default());
    let sealed = phone.seal();
    let granted = phone.give(&sealed, &desk);
    let hello = phone.hello(None, vec![]);
    let replies = exchange(server.address, &upload(&[segment(&sealed), granted, hello])).replies();
    let log = receipt(&server.relay, &replies).0;

    let asked = to_bytes(&desk.ask(desk.cursor, 1_000_000)).unwrap();
    let page = call(server.address, "POST", "/v1/pull", CBOR, &asked);
    assert_eq!((page.status, page.header("content-type")), (200, Some(CBOR)));
    let page = amparo_seal::from_bytes(&page.body).unwrap();
    assert_eq!(crate::common::entries(&page).len(), 1);
    let note =
        Note::ReferralAnswered { referral: ReferralId([1; 16]), state: ReferralState::Done, reason: None };
    for (to, status) in [(&phone, 204), (&gone, 410)] {
        let key = to.letter.public();
        let letter = write_letter(&note, to.device, &key, &desk.signer, &to.entropy).unwrap();
        let told = call(server.address, "POST", "/v1/letter", CBOR, &to_bytes(&letter).unwrap());
        assert_eq!(told.status, status);
        assert!(status == 204 || told.code() == "revoked");
    }
    let stranger = Desk { signer: amparo_seal::Signer::from_seed(&[3; 32]), ..desk };
    let asked = to_bytes(&stranger.ask(stranger.cursor, 1_000_000)).unwrap();
    assert_eq!(call(server.address, "POST", "/v1/pull", CBOR, &asked).code(), "signature");

    let now: serde_json::Value = serde_json::from_slice(&get(server.address, "/v1/log").body).unwrap();
    assert_eq!((&now["size"], &now["root"]), (&log.log_size.into(), &log.log_root.to_string().into()));
    let consistency = get(server.address, &format!("/v1/log/{}", log.log_size));
    assert_eq!(consistency.status, 200);
    let ask = |segment: Hash| {
        let body = serde_json::json!({ "device": phone.device, "segment": segment }).to_string();
        call(server.address, "POST", "/v1/log/inclusion", "application/json", body.as_bytes())
    };
    let proof: serde_json::Value = serde_json::from_slice(&ask(sealed.hash).body).unwrap();
    let path = data_encoding::BASE64.decode(proof["proof"].as_str().unwrap().as_bytes()).unwrap();
    let proven = ct_merkle::InclusionProof::<sha2::Sha256>::try_from_bytes(path).unwrap();
    let root = ct_merkle::RootHash::<sha2::Sha256>::new(log.log_root.0.into(), log.log_size);
    root.verify_inclusion(&sealed.hash.0, proof["leaf"].as_u64().unwrap(), &proven).unwrap();
    assert_eq!(ask(Hash([0; 32])).code(), "unknown");
    server.stop();
}
