//! The vectors of Wycheproof (`tests/vectors/wycheproof/README.md`), through our own functions where those take
//! the inputs.
#![allow(clippy::print_stdout, reason = "tests")]

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use hkdf::Hkdf;
use serde_json::Value;
use sha2::Sha256;

use crate::secret::Key;
use crate::{OpenError, SecretKey, VerifyKey, hpke_open, identity_open};

/// Every vector with its group. Fails when there are not as many as the file says, or none.
fn each(json: &str, mut run: impl FnMut(&Value, &Value)) -> u64 {
    let file: Value = serde_json::from_str(json).unwrap();
    let mut count = 0;
    for group in file["groups"].as_array().unwrap() {
        for vector in group["tests"].as_array().unwrap() {
            run(group, vector);
            count += 1;
        }
    }
    assert!(count > 0 && file["count"] == count, "{count} vectors");
    println!("{}: {count} vectors", file["file"]);
    count
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn hex32(value: &Value) -> [u8; 32] {
    hex(value).try_into().unwrap()
}

fn is_valid(vector: &Value) -> bool {
    match vector["result"].as_str().unwrap() {
        "valid" => true,
        "invalid" => false,
        other => panic!("{other}"),
    }
}

fn has_flag(vector: &Value, flag: &str) -> bool {
    vector["flags"].as_array().unwrap().iter().any(|f| f == flag)
}

#[test]
fn ed25519() {
    let mut held = 0;
    each(include_str!("../../tests/vectors/wycheproof/ed25519.json"), |group, vector| {
        let key = VerifyKey(hex32(&group["pk"]));
        let verified = key.verify(&hex(&vector["msg"]), &hex(&vector["sig"])).is_ok();
        assert_eq!(verified, is_valid(vector), "{vector}");
        held += u32::from(verified);
    });
    assert_eq!(held, 88, "as many as are valid");
}

#[test]
fn chacha20_poly1305() {
    let (mut opened, mut sizes) = (0, 0);
    each(include_str!("../../tests/vectors/wycheproof/chacha20_poly1305.json"), |group, vector| {
        let boxed = [hex(&vector["iv"]), hex(&vector["ct"]), hex(&vector["tag"])].concat();
        let got = identity_open(&Key::new(&hex32(&vector["key"])), &boxed, &hex(&vector["aad"]));
        // Another length of nonce shifts every byte after it: what comes of it must not open.
        if group["ivSize"] != 96 {
            assert!(got.is_err() && !is_valid(vector), "{vector}");
            sizes += 1;
        } else if is_valid(vector) {
            assert_eq!(got.as_deref(), Ok(&hex(&vector["msg"])), "{vector}");
            opened += 1;
        } else {
            assert_eq!(got, Err(OpenError::Cipher), "{vector}");
        }
    });
    assert!(opened == 256 && sizes > 0, "{opened} opened, {sizes} nonces of another length");
}

#[test]
fn hkdf_sha256() {
    each(include_str!("../../tests/vectors/wycheproof/hkdf_sha256.json"), |_, vector| {
        let size = usize::try_from(vector["size"].as_u64().unwrap()).unwrap();
        let (salt, info) = (hex(&vector["salt"]), hex(&vector["info"]));
        let mut okm = vec![0; size];
        let done = Hkdf::<Sha256>::new(Some(&salt), &hex(&vector["ikm"])).expand(&info, &mut okm);
        assert_eq!(done.is_ok(), is_valid(vector), "{vector}");
        assert!(done.is_err() || okm == hex(&vector["okm"]), "{vector}");
    });
}

// ---- X25519, by what HPKE makes of it ---------------------------------------------------------------------

const KEM: &[u8] = b"KEM\x00\x20";
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x03";

fn extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> Vec<u8> {
    let labelled = [b"HPKE-v1", suite, label, ikm].concat();
    Hkdf::<Sha256>::extract(Some(salt), &labelled).0.to_vec()
}

fn expand(suite: &[u8], prk: &[u8], label: &[u8], info: &[u8], length: u16) -> Vec<u8> {
    let labelled = [&length.to_be_bytes()[..], b"HPKE-v1", suite, label, info].concat();
    let mut out = vec![0; usize::from(length)];
    Hkdf::<Sha256>::from_prk(prk).unwrap().expand(&labelled, &mut out).unwrap();
    out
}

/// RFC 9180, sections 4.1, 5.1 and 5.2, for base mode and sequence number 0, from the shared secret of X25519.
fn sealed_by_hand(
    shared: &[u8],
    encapsulated: &[u8],
    recipient: &[u8],
    info: &[u8],
    aad: &[u8],
    text: &[u8],
) -> Vec<u8> {
    let prk = extract(KEM, b"", b"eae_prk", shared);
    let shared = expand(KEM, &prk, b"shared_secret", &[encapsulated, recipient].concat(), 32);
    let psk_id_hash = extract(SUITE, b"", b"psk_id_hash", b"");
    let info_hash = extract(SUITE, b"", b"info_hash", info);
    let context = [vec![0], psk_id_hash, info_hash].concat();
    let secret = extract(SUITE, &shared, b"secret", b"");
    let key: [u8; 32] = expand(SUITE, &secret, b"key", &context, 32).try_into().unwrap();
    let nonce: [u8; 12] = expand(SUITE, &secret, b"base_nonce", &context, 12).try_into().unwrap();
    ChaCha20Poly1305::new(&key.into()).encrypt(&nonce.into(), Payload { msg: text, aad }).unwrap()
}

#[test]
fn x25519_within_hpke() {
    let (mut opened, mut refused) = (0, 0);
    each(include_str!("../../tests/vectors/wycheproof/x25519.json"), |_, vector| {
        let secret = SecretKey::new(&hex32(&vector["private"]));
        let (public, shared) = (hex(&vector["public"]), hex(&vector["shared"]));
        let (info, aad, text) = (&b"some info"[..], &b"some data"[..], &b"what was sealed"[..]);
        let sealed = sealed_by_hand(&shared, &public, secret.public().bytes(), info, aad, text);
        let got = hpke_open(&secret, &public, info, aad, &sealed);
        // A shared secret that everybody knows is refused (RFC 9180, section 7.1.4), whatever was sealed with it.
        if has_flag(vector, "ZeroSharedSecret") {
            assert_eq!(shared, [0; 32]);
            assert_eq!(got, Err(OpenError::Wrapped), "{vector}");
            refused += 1;
        } else {
            assert_eq!(got.as_deref().map(Vec::as_slice), Ok(text), "{vector}");
            opened += 1;
        }
    });
    println!("{opened} opened, {refused} with a shared secret of zero refused");
    assert!(opened > 400 && refused > 0);
}
