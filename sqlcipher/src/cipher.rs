//! The cryptography of SQLCipher: AES-256-CBC, HMAC-SHA-2 and PBKDF2 from RustCrypto, behind SQLCipher's
//! provider table.
//!
//! Owns the one symbol that SQLCipher asks for, `amparo_sqlcipher_setup`, and all `unsafe` code of the
//! product. Never lets a panic cross into C, never answers for SHA-1, never invents an algorithm: the file
//! format stays that of a stock SQLCipher 4 (adr/0001).
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

use aes::Aes256;
use cbc::cipher::array::Array;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

/// As `PRAGMA cipher_provider` names it.
pub const PROVIDER: &CStr = c"rustcrypto";
const PROVIDER_VERSION: &CStr = c"1";
const CIPHER: &CStr = c"aes-256-cbc";

const OK: c_int = 0;
const ERROR: c_int = 1;

const KEY_BYTES: usize = 32;
const IV_BYTES: usize = 16;
const BLOCK_BYTES: usize = 16;

const ENCRYPT: c_int = 1;
const DECRYPT: c_int = 0;
// SQLCipher numbers HMAC and PBKDF2 alike; 0 is SHA-1 and refused.
const SHA256: c_int = 1;
const SHA512: c_int = 2;

/// `struct sqlcipher_provider` of sqlcipher.h, field by field.
#[repr(C)]
pub(crate) struct Provider {
    init: Option<extern "C" fn() -> c_int>,
    shutdown: Option<extern "C" fn()>,
    get_provider_name: extern "C" fn(*mut c_void) -> *const c_char,
    add_random: extern "C" fn(*mut c_void, *const c_void, c_int) -> c_int,
    random: unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> c_int,
    hmac: HmacFn,
    kdf: KdfFn,
    cipher: CipherFn,
    get_cipher: extern "C" fn(*mut c_void) -> *const c_char,
    get_key_sz: extern "C" fn(*mut c_void) -> c_int,
    get_iv_sz: extern "C" fn(*mut c_void) -> c_int,
    get_block_sz: extern "C" fn(*mut c_void) -> c_int,
    get_hmac_sz: extern "C" fn(*mut c_void, c_int) -> c_int,
    ctx_init: extern "C" fn(*mut *mut c_void) -> c_int,
    ctx_free: extern "C" fn(*mut *mut c_void) -> c_int,
    fips_status: extern "C" fn(*mut c_void) -> c_int,
    get_provider_version: extern "C" fn(*mut c_void) -> *const c_char,
    next: *mut Provider,
}

type HmacFn = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const u8,
    c_int,
    *const u8,
    c_int,
    *const u8,
    c_int,
    *mut u8,
) -> c_int;
type KdfFn = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const u8,
    c_int,
    *const u8,
    c_int,
    c_int,
    c_int,
    *mut u8,
) -> c_int;
type CipherFn =
    unsafe extern "C" fn(*mut c_void, c_int, *const u8, c_int, *const u8, *const u8, c_int, *mut u8) -> c_int;

/// Fills SQLCipher's provider table; SQLCipher calls it once per process, from `sqlite3_initialize`.
///
/// # Safety
/// `provider` must be null or point to writable memory for one `sqlcipher_provider`, initialised or not.
#[unsafe(no_mangle)]
unsafe extern "C" fn amparo_sqlcipher_setup(provider: *mut Provider) -> c_int {
    if provider.is_null() {
        return ERROR;
    }
    let table = Provider {
        init: None,
        shutdown: None,
        get_provider_name,
        add_random,
        random,
        hmac: page_hmac,
        kdf,
        cipher: page_cipher,
        get_cipher,
        get_key_sz,
        get_iv_sz,
        get_block_sz,
        get_hmac_sz,
        ctx_init,
        ctx_free,
        fips_status,
        get_provider_version,
        next: ptr::null_mut(),
    };
    // SAFETY: the caller gives memory for one table; `write` does not read what was there.
    unsafe { ptr::write(provider, table) };
    OK
}

/// Runs `work`; `None` and panics alike become an SQLite error.
fn guarded(work: impl FnOnce() -> Option<()>) -> c_int {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Some(())) => OK,
        _ => ERROR,
    }
}

/// A C buffer as a slice; an empty one may be null.
///
/// # Safety
/// `data` must be null or readable for `len` bytes, and unchanged for as long as the slice lives.
unsafe fn input<'a>(data: *const u8, len: c_int) -> Option<&'a [u8]> {
    match (data.is_null(), usize::try_from(len).ok()?) {
        (_, 0) => Some(&[]),
        (true, _) => None,
        // SAFETY: as promised by the caller.
        (false, len) => Some(unsafe { slice::from_raw_parts(data, len) }),
    }
}

/// A C buffer to write to, zeroed first because C may hand over memory that was never written.
///
/// # Safety
/// `data` must be null or writable for `len` bytes, and reached by nothing else meanwhile.
unsafe fn output<'a>(data: *mut u8, len: usize) -> Option<&'a mut [u8]> {
    if data.is_null() {
        return None;
    }
    // SAFETY: as promised by the caller.
    Some(unsafe {
        ptr::write_bytes(data, 0, len);
        slice::from_raw_parts_mut(data, len)
    })
}

/// # Safety
/// `buffer` must be null or writable for `length` bytes.
unsafe extern "C" fn random(_: *mut c_void, buffer: *mut c_void, length: c_int) -> c_int {
    guarded(|| {
        // SAFETY: SQLCipher owns the buffer and waits.
        let buffer = unsafe { output(buffer.cast(), usize::try_from(length).ok()?) }?;
        // The trait `Entropy` cannot reach through SQLCipher's C interface, and salts and page IVs decide
        // nothing that a test would want to fix.
        #[allow(clippy::disallowed_methods, reason = "SQLCipher's salts and page IVs come from here alone")]
        getrandom::fill(buffer).ok()
    })
}

/// # Safety
/// Each pointer must be null or good for its length; `out` for [`get_hmac_sz`] bytes.
unsafe extern "C" fn page_hmac(
    _: *mut c_void,
    algorithm: c_int,
    key: *const u8,
    key_sz: c_int,
    first: *const u8,
    first_sz: c_int,
    second: *const u8,
    second_sz: c_int,
    out: *mut u8,
) -> c_int {
    guarded(|| {
        if first.is_null() {
            return None;
        }
        // SAFETY: SQLCipher owns the buffers and waits; `out` overlaps none of them.
        let (key, first) = unsafe { (input(key, key_sz)?, input(first, first_sz)?) };
        // A null second buffer means none, whatever its length says.
        // SAFETY: as above.
        let second = if second.is_null() { &[] } else { unsafe { input(second, second_sz) }? };
        // SAFETY: as above; the length is that which `get_hmac_sz` told SQLCipher.
        let out = unsafe { output(out, hmac_bytes(algorithm)?) }?;
        hmac_into(algorithm, key, &[first, second], out)
    })
}

/// # Safety
/// Each pointer must be null or good for its length; `key` for `key_sz` bytes.
unsafe extern "C" fn kdf(
    _: *mut c_void,
    algorithm: c_int,
    pass: *const u8,
    pass_sz: c_int,
    salt: *const u8,
    salt_sz: c_int,
    rounds: c_int,
    key_sz: c_int,
    key: *mut u8,
) -> c_int {
    guarded(|| {
        // SAFETY: SQLCipher owns the buffers and waits; `key` overlaps none of them.
        let (pass, salt) = unsafe { (input(pass, pass_sz)?, input(salt, salt_sz)?) };
        // SAFETY: as above.
        let key = unsafe { output(key, usize::try_from(key_sz).ok()?) }?;
        let rounds = u32::try_from(rounds).ok().filter(|n| *n > 0)?;
        match algorithm {
            SHA256 => pbkdf2::pbkdf2_hmac::<Sha256>(pass, salt, rounds, key),
            SHA512 => pbkdf2::pbkdf2_hmac::<Sha512>(pass, salt, rounds, key),
            _ => return None,
        }
        Some(())
    })
}

/// # Safety
/// Each pointer must be null or good for its length; `source` and `out` for `size` bytes; they may overlap.
unsafe extern "C" fn page_cipher(
    _: *mut c_void,
    mode: c_int,
    key: *const u8,
    key_sz: c_int,
    iv: *const u8,
    source: *const u8,
    size: c_int,
    out: *mut u8,
) -> c_int {
    guarded(|| {
        if source.is_null() || out.is_null() || usize::try_from(key_sz).ok()? != KEY_BYTES {
            return None;
        }
        let size = usize::try_from(size).ok()?;
        // SAFETY: SQLCipher owns the buffers and waits; the IV lies behind the page in `out`, not in it.
        let (key, iv) = unsafe { (input(key, key_sz)?, input(iv, 16)?) };
        // SAFETY: both are good for `size` bytes; `copy` allows overlap, and only `out` is used from here.
        let out = unsafe {
            ptr::copy(source, out, size);
            slice::from_raw_parts_mut(out, size)
        };
        cbc_in_place(mode, key, iv, out)
    })
}

/// HMAC over the parts, written to `out`, which must have the exact length.
fn hmac_into(algorithm: c_int, key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Option<()> {
    fn run<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]], out: &mut [u8]) -> Option<()> {
        let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
        parts.iter().for_each(|part| mac.update(part));
        let tag = mac.finalize().into_bytes();
        (tag.len() == out.len()).then(|| out.copy_from_slice(&tag))
    }
    match algorithm {
        SHA256 => run::<Hmac<Sha256>>(key, parts, out),
        SHA512 => run::<Hmac<Sha512>>(key, parts, out),
        _ => None,
    }
}

/// AES-256-CBC without padding, whole blocks.
fn cbc_in_place(mode: c_int, key: &[u8], iv: &[u8], data: &mut [u8]) -> Option<()> {
    let (blocks, rest) = Array::slice_as_chunks_mut(data);
    if !rest.is_empty() {
        return None;
    }
    match mode {
        ENCRYPT => cbc::Encryptor::<Aes256>::new_from_slices(key, iv).ok()?.encrypt_blocks(blocks),
        DECRYPT => cbc::Decryptor::<Aes256>::new_from_slices(key, iv).ok()?.decrypt_blocks(blocks),
        _ => return None,
    }
    Some(())
}

fn hmac_bytes(algorithm: c_int) -> Option<usize> {
    match algorithm {
        SHA256 => Some(32),
        SHA512 => Some(64),
        _ => None,
    }
}

// SQLCipher stirs its own randomness in here; the operating system needs none of it.
extern "C" fn add_random(_: *mut c_void, _: *const c_void, _: c_int) -> c_int {
    OK
}

extern "C" fn get_provider_name(_: *mut c_void) -> *const c_char {
    PROVIDER.as_ptr()
}

extern "C" fn get_provider_version(_: *mut c_void) -> *const c_char {
    PROVIDER_VERSION.as_ptr()
}

extern "C" fn get_cipher(_: *mut c_void) -> *const c_char {
    CIPHER.as_ptr()
}

extern "C" fn get_key_sz(_: *mut c_void) -> c_int {
    KEY_BYTES as c_int
}

extern "C" fn get_iv_sz(_: *mut c_void) -> c_int {
    IV_BYTES as c_int
}

extern "C" fn get_block_sz(_: *mut c_void) -> c_int {
    BLOCK_BYTES as c_int
}

extern "C" fn get_hmac_sz(_: *mut c_void, algorithm: c_int) -> c_int {
    hmac_bytes(algorithm).map_or(0, |bytes| bytes as c_int)
}

extern "C" fn ctx_init(_: *mut *mut c_void) -> c_int {
    OK
}

extern "C" fn ctx_free(_: *mut *mut c_void) -> c_int {
    OK
}

extern "C" fn fips_status(_: *mut c_void) -> c_int {
    0
}

#[cfg(test)]
#[path = "cipher_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "wycheproof.rs"]
mod wycheproof;
