//! The primitives against their published vectors, through our own functions where those take the inputs.

use amparo_core::seal::{OpenError, PublicKey, SecretKey, Signer, hpke_open, identity_open};
use amparo_core::secret::Key;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::common::{hex, unhex};

fn bytes32(text: &str) -> [u8; 32] {
    unhex(text).try_into().unwrap()
}

/// RFC 8032, section 7.1, tests 1 to 3.
#[test]
fn ed25519() {
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b
             d25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c
             387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659
             4a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let (seed, message, signature) = (bytes32(seed), unhex(message), unhex(signature));
        assert_eq!(Signer::from_seed(&seed).public().0, bytes32(public));
        assert_eq!(SigningKey::from_bytes(&seed).sign(&message).to_bytes().to_vec(), signature);
        let key = VerifyingKey::from_bytes(&bytes32(public)).unwrap();
        key.verify_strict(&message, &Signature::from_slice(&signature).unwrap()).unwrap();
    }
}

/// RFC 8439, section 2.8.2, opened as an identity box: nonce first.
#[test]
fn chacha20_poly1305() {
    let key: [u8; 32] = std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
    let mut boxed = unhex(
        "070000004041424344454647
         d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b
         1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc
         3ff4def08e4b7a9de576d26586cec64b6116
         1ae10b594f09e26a7e902ecbd0600691",
    );
    let aad = unhex("50515253c0c1c2c3c4c5c6c7");
    let opened = identity_open(&Key::new(&key), &boxed, &aad).unwrap();
    assert!(opened.starts_with(b"Ladies and Gentlemen of the class of '99"));
    assert_eq!(opened.len(), 114);
    boxed[20] ^= 1;
    assert_eq!(identity_open(&Key::new(&key), &boxed, &aad), Err(OpenError::Cipher));
}

/// RFC 5869, appendix A.1.
#[test]
fn hkdf_sha256() {
    let salt: Vec<u8> = (0..=0x0c).collect();
    let info: Vec<u8> = (0xf0..=0xf9).collect();
    let mut okm = [0; 42];
    hkdf::Hkdf::<sha2::Sha256>::new(Some(&salt), &[0x0b; 22]).expand(&info, &mut okm).unwrap();
    assert_eq!(
        hex(&okm),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    );
}

/// RFC 9180, appendix A.2.1 (base mode, X25519, HKDF-SHA-256, ChaCha20-Poly1305), sequence number 0.
#[test]
fn hpke_base_mode() {
    let secret = SecretKey::new(&bytes32("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"));
    let public = bytes32("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
    assert_eq!(secret.public(), PublicKey::new(public));
    let enc = unhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
    let info = unhex("4f6465206f6e2061204772656369616e2055726e");
    let ciphertext =
        unhex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28");
    let opened = hpke_open(&secret, &enc, &info, b"Count-0", &ciphertext).unwrap();
    assert_eq!(opened.as_slice(), b"Beauty is truth, truth beauty");
    for (info, aad) in [(&info[1..], &b"Count-0"[..]), (&info[..], b"Count-1")] {
        assert_eq!(hpke_open(&secret, &enc, info, aad, &ciphertext), Err(OpenError::Wrapped));
    }
}
