//! Verification: from bytes to a pack that may be used, or one typed reason why not.
//!
//! Owns every step between a file and [`Pack`], so that nothing else needs to know how packs are signed.
//! Nothing of the content is read before enough signatures hold. Expiry warns and never refuses: an old
//! protocol is better than none at a border without signal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use amparo_schema::id::Hash;
use amparo_schema::limits::{
    PACK_BYTES_MAX, PACK_HEADER_BYTES_MAX, ROOT_KEYS_MAX, SIGNATURES_MAX, SMALL_PACK_BYTES_MAX,
};
use amparo_schema::pack::root::{Authority, Root};
use amparo_schema::pack::{
    Content, Envelope, FORMAT, Header, Kind, PackRef, Signature, header_hash, signed_bytes,
};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::check::{Finding, Severity, check};
use super::parse;

/// A verified pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its header.
    pub header: Header,
    /// The header as it was signed.
    pub header_bytes: Vec<u8>,
    /// Its content, shared by everyone who reads it.
    pub content: Arc<Content>,
    /// The hash of its header bytes, by which it is known for ever.
    pub hash: Hash,
    /// Id, version and hash, as facts name it.
    pub pack_ref: PackRef,
    /// What to tell the official; none of it stops a screening.
    pub warnings: Vec<Warning>,
}

/// Something about a pack that is said and does not refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The pack's last day has passed.
    Expired {
        /// Its last day.
        on: Date,
    },
    /// The pack's first day has not come.
    NotYetValid {
        /// Its first day.
        from: Date,
    },
    /// The root file's last day has passed.
    RootExpired {
        /// Its last day.
        on: Date,
    },
}

/// Why a pack or a root file is refused. Carries no text of the pack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// Past a limit of `schema::limits`.
    #[error("past the limit {limit}")]
    TooLarge {
        /// The name of the limit.
        limit: &'static str,
    },
    /// The bytes are no pack file.
    #[error("not a pack file, at byte {at}")]
    NotAPack {
        /// Where reading stopped.
        at: usize,
    },
    /// A format that this build does not read.
    #[error("format {found} is not known")]
    Format {
        /// The format found.
        found: u8,
    },
    /// The header cannot be read.
    #[error("the header cannot be read, at byte {at}")]
    Header {
        /// Where reading stopped, within the header.
        at: usize,
    },
    /// The root file names no such authority.
    #[error("the authority is not in the root file")]
    UnknownAuthority,
    /// The authority may not sign packs of this kind.
    #[error("the authority may not sign this kind")]
    KindNotAllowed,
    /// The authority may not speak of one of the countries, or not of all.
    #[error("the authority may not speak of these countries")]
    CountryNotAllowed,
    /// Fewer different keys signed than the authority needs.
    #[error("{valid} valid signatures of {needed}")]
    Signatures {
        /// Different keys of the authority with a valid signature.
        valid: usize,
        /// How many it needs.
        needed: u32,
    },
    /// The content is not what the header was signed for.
    #[error("the content is not the one that was signed")]
    ContentMismatch,
    /// The content cannot be read.
    #[error("the content cannot be read, line {line}, column {column}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The content makes no sense.
    #[error("{count} findings; first: {first}")]
    Content {
        /// The first error.
        first: Box<Finding>,
        /// The number of errors.
        count: usize,
    },
    /// Another kind or id than the pack that it would replace.
    #[error("not a version of the installed pack")]
    OtherPack,
    /// An older version than the installed one.
    #[error("version {new} is older than the installed {installed}")]
    Older {
        /// Version installed.
        installed: u32,
        /// Version offered.
        new: u32,
    },
    /// The same version with other bytes.
    #[error("version {version} is installed with other content")]
    SameVersion {
        /// The version.
        version: u32,
    },
    /// The root file makes no sense.
    #[error("the root file is not usable: {why}")]
    Root {
        /// What is wrong with it.
        why: &'static str,
    },
}

impl PackError {
    /// A fixed code for shells and logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too-large",
            Self::NotAPack { .. } => "not-a-pack",
            Self::Format { .. } => "unknown-format",
            Self::Header { .. } => "bad-header",
            Self::UnknownAuthority => "unknown-authority",
            Self::KindNotAllowed => "kind-not-allowed",
            Self::CountryNotAllowed => "country-not-allowed",
            Self::Signatures { .. } => "not-enough-signatures",
            Self::ContentMismatch => "content-mismatch",
            Self::Json { .. } => "bad-content",
            Self::Content { .. } => "senseless-content",
            Self::OtherPack => "other-pack",
            Self::Older { .. } => "older-version",
            Self::SameVersion { .. } => "same-version",
            Self::Root { .. } => "bad-root",
        }
    }
}

/// The root file, checked: which keys may sign what.
#[derive(Clone, Debug)]
pub struct Trust {
    authorities: BTreeMap<String, Authority>,
    keys: BTreeMap<Hash, VerifyingKey>,
    expires: Date,
    version: u32,
}

impl Trust {
    /// Checks a root file and takes it.
    ///
    /// # Errors
    /// [`PackError::Root`] when a key id is not the hash of its key, a key is weak or none, an authority
    /// names an unknown key or a threshold that is zero or out of reach; [`PackError::TooLarge`].
    pub fn new(root: Root) -> Result<Self, PackError> {
        let bad = |why| Err(PackError::Root { why });
        if root.format != FORMAT {
            return Err(PackError::Format { found: root.format });
        }
        if root.keys.len() > ROOT_KEYS_MAX || root.authorities.len() > ROOT_KEYS_MAX {
            return Err(PackError::TooLarge { limit: "ROOT_KEYS_MAX" });
        }
        let mut keys = BTreeMap::new();
        for (id, public) in &root.keys {
            match VerifyingKey::from_bytes(&public.0) {
                Ok(key) if !key.is_weak() && key_id(&public.0) == *id => keys.insert(*id, key),
                Ok(_) => return bad("a key is weak or not the one its id names"),
                Err(_) => return bad("a key is no Ed25519 key"),
            };
        }
        for authority in root.authorities.values() {
            let different: BTreeSet<_> = authority.keys.iter().collect();
            if different.len() != authority.keys.len() || !different.iter().all(|id| keys.contains_key(id)) {
                return bad("an authority names a key twice or an unknown one");
            }
            if authority.threshold == 0 || authority.threshold as usize > different.len() {
                return bad("a threshold is zero or out of reach");
            }
        }
        let authorities = root.authorities.into_iter().map(|(name, a)| (name.into(), a)).collect();
        Ok(Self { authorities, keys, expires: root.expires, version: root.version })
    }

    /// Reads and checks a root file (JSON).
    ///
    /// # Errors
    /// [`PackError::Json`] and those of [`Trust::new`].
    pub fn read(json: &[u8]) -> Result<Self, PackError> {
        let root = serde_json::from_slice(json)
            .map_err(|e| PackError::Json { line: e.line(), column: e.column() })?;
        Self::new(root)
    }

    /// The version of the root file; a shell accepts only a higher one.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }
}

/// The id of a public key in a root file.
#[must_use]
pub fn key_id(public: &[u8; 32]) -> Hash {
    Hash::of("amparo-key-1", &[public])
}

/// The header of a pack file as it stands, without trusting any of it: to tell whether a file is worth opening.
///
/// # Errors
/// [`PackError`] when the bytes are no pack file.
pub fn glance(bytes: &[u8]) -> Result<Header, PackError> {
    read_header(Parts::read(bytes)?.header)
}

/// Verifies, reads and checks a pack file. `today` only decides about warnings; without it there are none
/// about dates, since a clock that is not trusted is not asked.
///
/// # Errors
/// The first reason why it is refused, see [`PackError`].
pub fn open(bytes: &[u8], trust: &Trust, today: Option<Date>) -> Result<Pack, PackError> {
    let (mut pack, json) = read(bytes, trust)?;
    let errors: Vec<_> = check(&pack.header, &pack.content, json)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    let count = errors.len();
    if let Some(first) = errors.into_iter().next() {
        return Err(PackError::Content { first: Box::new(first), count });
    }
    pack.warnings = today.map_or_else(Vec::new, |today| warnings(&pack.header, trust, today));
    Ok(pack)
}

/// Verifies and reads a pack file that was opened with [`open`] when it was installed. Who signed it and that
/// it is unchanged is looked at again; whether it makes sense is not, for the same bytes make the same sense.
///
/// # Errors
/// As [`open`], but for [`PackError::Content`].
pub fn reopen(bytes: &[u8], trust: &Trust) -> Result<Pack, PackError> {
    read(bytes, trust).map(|(pack, _)| pack)
}

/// The pack, not yet checked, and the bytes of its content.
fn read<'b>(bytes: &'b [u8], trust: &Trust) -> Result<(Pack, &'b [u8]), PackError> {
    if bytes.len() > PACK_BYTES_MAX {
        return Err(PackError::TooLarge { limit: "PACK_BYTES_MAX" });
    }
    let parts = Parts::read(bytes)?;
    let header = read_header(parts.header)?;
    if header.kind != Kind::Directory && bytes.len() > SMALL_PACK_BYTES_MAX {
        return Err(PackError::TooLarge { limit: "SMALL_PACK_BYTES_MAX" });
    }
    authorised(&header, &parts, trust)?;
    let digest: [u8; 32] = Sha256::digest(parts.content).into();
    if header.content_bytes != parts.content.len() as u64 || header.content_sha256.0 != digest {
        return Err(PackError::ContentMismatch);
    }
    let content = Arc::new(parse::content(header.kind, parts.content)?);
    let hash = header_hash(parts.header);
    let pack = Pack {
        header_bytes: parts.header.to_vec(),
        pack_ref: PackRef { id: header.id.clone(), version: header.version, hash },
        warnings: Vec::new(),
        content,
        header,
        hash,
    };
    Ok((pack, parts.content))
}

fn authorised(header: &Header, parts: &Parts<'_>, trust: &Trust) -> Result<(), PackError> {
    let authority = trust.authorities.get(header.authority.as_str()).ok_or(PackError::UnknownAuthority)?;
    if !authority.kinds.contains(&header.kind) {
        return Err(PackError::KindNotAllowed);
    }
    // An empty list means all countries on both sides: whoever may speak of some may not speak of all.
    let allowed = authority.countries.is_empty()
        || (!header.countries.is_empty() && header.countries.iter().all(|c| authority.countries.contains(c)));
    if !allowed {
        return Err(PackError::CountryNotAllowed);
    }
    let message = signed_bytes(parts.header);
    let signed_by: BTreeSet<Hash> = parts
        .signatures
        .iter()
        .filter(|(id, signature)| {
            authority.keys.contains(id)
                && trust.keys.get(id).is_some_and(|key| {
                    ed25519_dalek::Signature::from_slice(signature)
                        .is_ok_and(|signature| key.verify_strict(&message, &signature).is_ok())
                })
        })
        .map(|(id, _)| *id)
        .collect();
    if signed_by.len() < authority.threshold as usize {
        return Err(PackError::Signatures { valid: signed_by.len(), needed: authority.threshold });
    }
    Ok(())
}

fn warnings(header: &Header, trust: &Trust, today: Date) -> Vec<Warning> {
    [
        (today > header.expires).then_some(Warning::Expired { on: header.expires }),
        (today < header.valid_from).then_some(Warning::NotYetValid { from: header.valid_from }),
        (today > trust.expires).then_some(Warning::RootExpired { on: trust.expires }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn read_header(bytes: &[u8]) -> Result<Header, PackError> {
    if bytes.len() > PACK_HEADER_BYTES_MAX {
        return Err(PackError::TooLarge { limit: "PACK_HEADER_BYTES_MAX" });
    }
    let mut d = minicbor::Decoder::new(bytes);
    let header = d.decode().map_err(|_| PackError::Header { at: d.position() })?;
    if d.position() == bytes.len() { Ok(header) } else { Err(PackError::Header { at: d.position() }) }
}

/// A pack file in its parts, borrowed. Read by hand because a derived reader would pass over additional
/// elements of an array, and a file has exactly one form.
struct Parts<'b> {
    header: &'b [u8],
    signatures: Vec<(Hash, &'b [u8])>,
    content: &'b [u8],
}

impl<'b> Parts<'b> {
    fn read(bytes: &'b [u8]) -> Result<Self, PackError> {
        let mut d = minicbor::Decoder::new(bytes);
        let read = Self::decode(&mut d);
        let at = d.position();
        match read {
            Ok(Ok(parts)) if at == bytes.len() => Ok(parts),
            Ok(Err(refused)) => Err(refused),
            _ => Err(PackError::NotAPack { at }),
        }
    }

    /// The outer error: not a pack file. The inner: a pack file that is refused.
    fn decode(d: &mut minicbor::Decoder<'b>) -> Result<Result<Self, PackError>, minicbor::decode::Error> {
        array(d, 4)?;
        let format = d.u8()?;
        if format != FORMAT {
            return Ok(Err(PackError::Format { found: format }));
        }
        let header = d.bytes()?;
        let count = d.array()?.ok_or_else(|| minicbor::decode::Error::message("indefinite"))?;
        if count > SIGNATURES_MAX as u64 {
            return Ok(Err(PackError::TooLarge { limit: "SIGNATURES_MAX" }));
        }
        let mut signatures = Vec::new();
        for _ in 0..count {
            array(d, 2)?;
            signatures.push((d.decode()?, d.bytes()?));
        }
        Ok(Ok(Self { header, signatures, content: d.bytes()? }))
    }
}

fn array(d: &mut minicbor::Decoder<'_>, length: u64) -> Result<(), minicbor::decode::Error> {
    if d.array()? == Some(length) { Ok(()) } else { Err(minicbor::decode::Error::message("length")) }
}

/// Whether a pack may take the place of an installed one: same kind, id and authority, and versions only go
/// up. The very same pack again is allowed and changes nothing.
///
/// # Errors
/// [`PackError::OtherPack`], [`PackError::Older`], [`PackError::SameVersion`].
pub fn may_replace(installed: &Header, new: &Header) -> Result<(), PackError> {
    if (installed.kind, &installed.id, &installed.authority) != (new.kind, &new.id, &new.authority) {
        return Err(PackError::OtherPack);
    }
    match new.version.cmp(&installed.version) {
        std::cmp::Ordering::Less => Err(PackError::Older { installed: installed.version, new: new.version }),
        std::cmp::Ordering::Equal if installed != new => Err(PackError::SameVersion { version: new.version }),
        _ => Ok(()),
    }
}

/// Signs header bytes. Ed25519 is deterministic: the same bytes and key give the same signature.
#[must_use]
pub fn sign(header: &[u8], key: &SigningKey) -> Signature {
    Signature {
        key: key_id(&key.verifying_key().to_bytes()),
        signature: key.sign(&signed_bytes(header)).to_bytes().to_vec(),
    }
}

/// Writes a pack file. The header's `content_sha256` and `content_bytes` are set here from the content.
///
/// # Errors
/// [`PackError::TooLarge`] for a header, a file or signatures past their limits; [`PackError::Header`] when
/// it cannot be encoded, which no header brings about.
pub fn write(mut header: Header, content: Vec<u8>, keys: &[&SigningKey]) -> Result<Vec<u8>, PackError> {
    header.content_sha256 = Hash(Sha256::digest(&content).into());
    header.content_bytes = content.len() as u64;
    let kind = header.kind;
    let header = minicbor::to_vec(&header).map_err(|_| PackError::Header { at: 0 })?;
    if header.len() > PACK_HEADER_BYTES_MAX {
        return Err(PackError::TooLarge { limit: "PACK_HEADER_BYTES_MAX" });
    }
    if keys.len() > SIGNATURES_MAX {
        return Err(PackError::TooLarge { limit: "SIGNATURES_MAX" });
    }
    let signatures = keys.iter().map(|key| sign(&header, key)).collect();
    let file = minicbor::to_vec(Envelope { format: FORMAT, header, signatures, content })
        .map_err(|_| PackError::Header { at: 0 })?;
    match kind {
        Kind::Directory if file.len() > PACK_BYTES_MAX => {
            Err(PackError::TooLarge { limit: "PACK_BYTES_MAX" })
        }
        Kind::Directory => Ok(file),
        _ if file.len() > SMALL_PACK_BYTES_MAX => Err(PackError::TooLarge { limit: "SMALL_PACK_BYTES_MAX" }),
        _ => Ok(file),
    }
}
