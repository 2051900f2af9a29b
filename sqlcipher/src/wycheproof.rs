//! The vectors of Wycheproof (`tests/vectors/wycheproof/README.md`), through the C interface.

use super::tests::{call_cipher, call_hmac, call_kdf, hex};
use super::*;
use serde_json::Value;

/// Every vector with its group. Fails when there are not as many as the file says, or none.
fn each(json: &str, mut run: impl FnMut(&Value, &Value)) {
    let file: Value = serde_json::from_str(json).unwrap();
    let mut count = 0_u64;
    for group in file["groups"].as_array().unwrap() {
        for vector in group["tests"].as_array().unwrap() {
            run(group, vector);
            count += 1;
        }
    }
    assert!(count > 0 && file["count"] == count, "{count} vectors");
    println!("{}: {count} vectors", file["file"]);
}

fn field(vector: &Value, name: &str) -> Vec<u8> {
    hex(vector[name].as_str().unwrap())
}

fn is_valid(vector: &Value) -> bool {
    vector["result"] == "valid"
}

#[test]
fn hmac() {
    for (algorithm, json) in [
        (SHA256, include_str!("../../tests/vectors/wycheproof/hmac_sha256.json")),
        (SHA512, include_str!("../../tests/vectors/wycheproof/hmac_sha512.json")),
    ] {
        each(json, |group, vector| {
            let message = field(vector, "msg");
            let tag = call_hmac(algorithm, &field(vector, "key"), &message, None).unwrap();
            let bytes = usize::try_from(group["tagSize"].as_u64().unwrap() / 8).unwrap();
            assert_eq!(tag[..bytes] == field(vector, "tag"), is_valid(vector), "{vector}");
            // SQLCipher hands over a page and its number apart.
            let (first, second) = message.split_at(message.len() / 2);
            let again = call_hmac(algorithm, &field(vector, "key"), first, Some(second)).unwrap();
            assert_eq!(tag, again, "{vector}");
        });
    }
}

#[test]
fn aes_256_cbc() {
    each(include_str!("../../tests/vectors/wycheproof/aes_cbc_pkcs5.json"), |_, vector| {
        let (key, sealed) = (field(vector, "key"), field(vector, "ct"));
        let iv: [u8; 16] = field(vector, "iv").try_into().unwrap();
        let mut padded = field(vector, "msg");
        let pad = 16 - padded.len() % 16;
        padded.resize(padded.len() + pad, u8::try_from(pad).unwrap());
        let same = call_cipher(ENCRYPT, &key, &iv, &padded).unwrap() == sealed;
        assert_eq!(same, is_valid(vector), "{vector}");
        let opened = call_cipher(DECRYPT, &key, &iv, &sealed).filter(|opened| !opened.is_empty());
        assert_eq!(opened.is_some_and(|opened| opened == padded), is_valid(vector), "{vector}");
    });
}

#[test]
fn pbkdf2_with_hmac_sha_512() {
    each(include_str!("../../tests/vectors/wycheproof/pbkdf2_hmacsha512.json"), |_, vector| {
        let rounds = vector["iterationCount"].as_u64().and_then(|n| c_int::try_from(n).ok()).unwrap();
        let bytes = usize::try_from(vector["dkLen"].as_u64().unwrap()).unwrap();
        let key = call_kdf(SHA512, &field(vector, "password"), &field(vector, "salt"), rounds, bytes);
        assert_eq!(key.unwrap() == field(vector, "dk"), is_valid(vector), "{vector}");
    });
}
