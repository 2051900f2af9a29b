//! Public keys of recipients: of custodians and of services.

/// The X25519 public keys for which the shared secret is known to everybody: u of order 1, 2, 4 or 8 on the
/// curve and its twist, reduced or not (RFC 7748, section 6.1 and 7). The top bit is ignored, as X25519 does.
pub(super) fn is_low_order(key: &[u8; 32]) -> bool {
    const ORDER_8_A: [u8; 32] = [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ];
    const ORDER_8_B: [u8; 32] = [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ];
    let [first, middle @ .., last] = key;
    let last = last & 0x7f;
    // 0 and 1; and p - 1, p, p + 1, that is 2^255 less 20, 19, 18.
    let small = *first <= 1 && middle.iter().all(|b| *b == 0) && last == 0;
    let near_p = (0xec..=0xee).contains(first) && middle.iter().all(|b| *b == 0xff) && last == 0x7f;
    let same = |other: &[u8; 32]| {
        let [a, b @ .., c] = other;
        a == first && b == middle && *c == last
    };
    small || near_p || same(&ORDER_8_A) || same(&ORDER_8_B)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hpke::{
        Deserializable, Kem, OpModeR, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256,
    };

    /// What another implementation says of a key: it refuses an agreement whose secret is zero.
    fn hpke_refuses(key: &[u8; 32]) -> bool {
        let (secret, _) = X25519HkdfSha256::derive_keypair(b"a test");
        let sender = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(key).unwrap();
        hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret,
            &sender,
            b"",
        )
        .is_err()
    }

    #[test]
    fn keys_that_open_for_anyone_are_those_that_hpke_refuses() {
        let mut keys = vec![[0xff; 32], [9; 32]];
        for first in 0..=255 {
            for (middle, last) in [(0, 0), (0, 0x80), (0xff, 0x7f), (0xff, 0xff)] {
                let mut key = [middle; 32];
                (key[0], key[31]) = (first, last);
                keys.push(key);
            }
        }
        // Order 8, as printed in RFC 7748's security literature, and one bit beside it.
        for text in [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
            "e1eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        ] {
            keys.push(text.parse::<amparo_schema::id::Hash>().unwrap().0);
        }
        let refused = keys.iter().filter(|key| hpke_refuses(key)).count();
        assert_eq!(refused, 13, "0, 1, p-1, p, p+1 and two of order 8, most with and without the top bit");
        for key in keys {
            assert_eq!(is_low_order(&key), hpke_refuses(&key), "{key:02x?}");
        }
    }
}
