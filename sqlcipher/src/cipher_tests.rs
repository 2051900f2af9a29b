//! Published vectors, called through the C interface as SQLCipher calls it.

use super::*;

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
}

fn len(bytes: &[u8]) -> c_int {
    bytes.len().try_into().unwrap()
}

pub(super) fn call_hmac(algorithm: c_int, key: &[u8], a: &[u8], b: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut out = vec![0xAA; 64];
    let (second, second_len) = b.map_or((ptr::null(), 7), |b| (b.as_ptr(), len(b)));
    let rc = unsafe {
        page_hmac(
            ptr::null_mut(),
            algorithm,
            key.as_ptr(),
            len(key),
            a.as_ptr(),
            len(a),
            second,
            second_len,
            out.as_mut_ptr(),
        )
    };
    let size = usize::try_from(get_hmac_sz(ptr::null_mut(), algorithm)).unwrap();
    assert!(out[size..].iter().all(|b| *b == 0xAA), "wrote past its end");
    out.truncate(size);
    (rc == OK).then_some(out)
}

pub(super) fn call_kdf(
    algorithm: c_int,
    pass: &[u8],
    salt: &[u8],
    rounds: c_int,
    bytes: usize,
) -> Option<Vec<u8>> {
    let mut out = vec![0; bytes];
    let rc = unsafe {
        kdf(
            ptr::null_mut(),
            algorithm,
            pass.as_ptr(),
            len(pass),
            salt.as_ptr(),
            len(salt),
            rounds,
            len(&out),
            out.as_mut_ptr(),
        )
    };
    (rc == OK).then_some(out)
}

pub(super) fn call_cipher(mode: c_int, key: &[u8], iv: &[u8; 16], data: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; data.len()];
    let rc = unsafe {
        page_cipher(
            ptr::null_mut(),
            mode,
            key.as_ptr(),
            len(key),
            iv.as_ptr(),
            data.as_ptr(),
            len(data),
            out.as_mut_ptr(),
        )
    };
    // The same in place, since SQLCipher may hand over one buffer twice.
    let mut same = data.to_vec();
    let again = unsafe {
        page_cipher(
            ptr::null_mut(),
            mode,
            key.as_ptr(),
            len(key),
            iv.as_ptr(),
            same.as_ptr(),
            len(data),
            same.as_mut_ptr(),
        )
    };
    assert_eq!(rc, again);
    (rc == OK).then(|| {
        assert_eq!(out, same);
        out
    })
}

// NIST SP 800-38A, F.2.5 and F.2.6.
#[test]
fn aes_256_cbc_as_nist_says() {
    let key = hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    let iv: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
    let plain = hex("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
         30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710");
    let sealed = hex("f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d
         39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b");
    assert_eq!(call_cipher(ENCRYPT, &key, &iv, &plain).unwrap(), sealed);
    assert_eq!(call_cipher(DECRYPT, &key, &iv, &sealed).unwrap(), plain);
    assert_eq!(call_cipher(ENCRYPT, &key, &iv, &plain[..20]), None, "half a block");
    assert_eq!(call_cipher(ENCRYPT, &key[..16], &iv, &plain), None, "a short key");
    assert_eq!(call_cipher(2, &key, &iv, &plain), None, "no such mode");
}

// RFC 4231, test cases 1, 2, 3, 6 and 7.
#[test]
fn hmac_as_rfc_4231_says() {
    let long = vec![0xaa; 131];
    let cases: [(Vec<u8>, Vec<u8>, &str, &str); 5] = [
        (
            vec![0x0b; 20],
            b"Hi There".to_vec(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
        ),
        (
            b"Jefe".to_vec(),
            b"what do ya want for nothing?".to_vec(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
        (
            vec![0xaa; 20],
            vec![0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
        ),
        (
            long.clone(),
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
        ),
        (
            long,
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.".to_vec(),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
        ),
    ];
    for (key, data, sha256, sha512) in cases {
        for split in [0, 1, data.len() / 2, data.len()] {
            let (a, b) = data.split_at(split);
            assert_eq!(call_hmac(SHA256, &key, a, Some(b)).unwrap(), hex(sha256));
            assert_eq!(call_hmac(SHA512, &key, a, Some(b)).unwrap(), hex(sha512));
        }
        assert_eq!(call_hmac(SHA256, &key, &data, None).unwrap(), hex(sha256));
        assert_eq!(call_hmac(0, &key, &data, None), None, "SHA-1 is refused");
    }
}

// PBKDF2-HMAC-SHA256: RFC 7914, section 11. PBKDF2-HMAC-SHA512: the RFC 6070 inputs with SHA-512, as
// published with many libraries and as Python's hashlib computes them.
#[test]
fn pbkdf2_as_published() {
    let sha256 = "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc
                  49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783";
    assert_eq!(call_kdf(SHA256, b"passwd", b"salt", 1, 64).unwrap(), hex(sha256));
    for (pass, salt, rounds, bytes, want) in [
        (
            &b"password"[..],
            &b"salt"[..],
            1,
            64,
            "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce",
        ),
        (
            b"password",
            b"salt",
            2,
            64,
            "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e9f0040713f18aefdb866d53cf76cab2868a39b9f7840edce4fef5a82be67335c77a6068e04112754f27ccf4e",
        ),
        (
            b"password",
            b"salt",
            4096,
            64,
            "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5",
        ),
        (
            b"passwordPASSWORDpassword",
            b"saltSALTsaltSALTsaltSALTsaltSALTsalt",
            4096,
            64,
            "8c0511f4c6e597c6ac6315d8f0362e225f3c501495ba23b868c005174dc4ee71115b59f9e60cd9532fa33e0f75aefe30225c583a186cd82bd4daea9724a3d3b8",
        ),
    ] {
        assert_eq!(call_kdf(SHA512, pass, salt, rounds, bytes).unwrap(), hex(want));
    }
    assert_eq!(call_kdf(0, b"p", b"s", 1, 32), None, "SHA-1 is refused");
    assert_eq!(call_kdf(SHA512, b"p", b"s", 0, 32), None, "no rounds");
    assert_eq!(call_kdf(SHA512, b"p", b"s", -1, 32), None, "fewer than none");
}

#[test]
fn null_and_negative_are_errors() {
    let mut out = [0; 64];
    let null = ptr::null_mut();
    unsafe {
        assert_eq!(amparo_sqlcipher_setup(ptr::null_mut()), ERROR);
        assert_eq!(random(null, ptr::null_mut(), 4), ERROR);
        assert_eq!(random(null, out.as_mut_ptr().cast(), -1), ERROR);
        assert_eq!(
            page_hmac(null, 1, out.as_ptr(), 4, ptr::null(), 0, ptr::null(), 0, out.as_mut_ptr()),
            ERROR
        );
        assert_eq!(kdf(null, 2, ptr::null(), 4, out.as_ptr(), 4, 1, 32, out.as_mut_ptr()), ERROR);
        assert_eq!(kdf(null, 2, b"p".as_ptr(), 1, b"s".as_ptr(), 1, 1, 32, ptr::null_mut()), ERROR);
        let key = [0; 32];
        assert_eq!(
            page_cipher(null, 1, key.as_ptr(), 32, ptr::null(), b"x".as_ptr(), 1, out.as_mut_ptr()),
            ERROR
        );
        assert_eq!(
            page_cipher(null, 1, key.as_ptr(), 32, key.as_ptr(), ptr::null(), 16, out.as_mut_ptr()),
            ERROR
        );
    }
}

#[test]
fn randomness_fills_the_whole_buffer() {
    let mut seen = [false; 64];
    for _ in 0..8 {
        let mut out = [0_u8; 64];
        assert_eq!(unsafe { random(ptr::null_mut(), out.as_mut_ptr().cast(), 64) }, OK);
        seen.iter_mut().zip(out).for_each(|(seen, byte)| *seen |= byte != 0);
    }
    // Eight zeros in a row at one place: once in 2^58 runs.
    assert!(seen.iter().all(|s| *s));
}

#[test]
fn panics_stay_here() {
    assert_eq!(guarded(|| panic!("as a cipher might")), ERROR);
}
