//! Random identifiers: of stores, devices, cases, screenings, referrals. They tell nothing, not even a time.

use std::fmt;

use minicbor::{Decode, Encode};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(with = "minicbor::bytes")] pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;
            /// Takes exactly 32 lower-case hexadecimal digits.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                hex16(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// One store file. Two copies of a file carry the same one; a new incarnation does not.
    StoreId
);
id!(
    /// One enrolled device.
    DeviceId
);
id!(
    /// One person's case on this device; every screening of the person belongs to it.
    CaseId
);
id!(
    /// One run of one checklist.
    ScreeningId
);
id!(
    /// One referral.
    ReferralId
);

/// A text that is no id of 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 32 lower-case hexadecimal digits")]
pub struct NotAnId;

fn hex16(text: &str) -> Result<[u8; 16], NotAnId> {
    let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| NotAnId)?;
    let mut out = [0; 16];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().try_fold(0, |n, d| match d {
            b'0'..=b'9' => Ok(n * 16 + (d - b'0')),
            b'a'..=b'f' => Ok(n * 16 + (d - b'a' + 10)),
            _ => Err(NotAnId),
        })?;
    }
    Ok(out)
}

/// A SHA-256 hash; shown and written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Hash(#[cbor(with = "minicbor::bytes")] pub [u8; 32]);

impl Hash {
    /// SHA-256 over a domain label, a zero byte and the parts, each preceded by its length (u64, big
    /// endian), so that no two lists of parts give the same bytes.
    #[must_use]
    pub fn of(label: &str, parts: &[&[u8]]) -> Self {
        use sha2::Digest;
        let mut h = sha2::Sha256::new();
        h.update(label.as_bytes());
        h.update([0]);
        for part in parts {
            h.update((part.len() as u64).to_be_bytes());
            h.update(part);
        }
        Self(h.finalize().into())
    }

    /// Its first 8 bytes: enough to see by that two differ, where nothing is to be proven.
    #[must_use]
    pub fn short(&self) -> [u8; 8] {
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Hash {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (Some(a), Some(b)) = (text.get(..32), text.get(32..)) else { return Err(NotAnId) };
        let (a, b) = (hex16(a)?, hex16(b)?);
        let mut out = [0; 32];
        out.iter_mut().zip(a.iter().chain(&b)).for_each(|(o, i)| *o = *i);
        Ok(Self(out))
    }
}

impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_hashes_survive_text() {
        let id = CaseId([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        let hash = Hash::of("test", &[b"a", b""]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_ne!(hash, Hash::of("test", &[b"", b"a"]));
        for bad in ["", "AB", &"g".repeat(32), &"a".repeat(33)] {
            assert!(bad.parse::<CaseId>().is_err());
            assert!(bad.parse::<Hash>().is_err());
        }
    }
}
