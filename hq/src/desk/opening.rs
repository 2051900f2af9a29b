//! Opening one entry of a feed. Pure.
//!
//! Owns what must hold before anything of an entry is believed: the one form, a certificate signed by
//! headquarters, the device's own signature and name, the grant, the commitment, and that the facts belong
//! where the segment says. Never touches the store; an entry either opens whole or not at all.

use amparo_schema::fact::{Body, Fact};
use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{FACT_BYTES_MAX, FRAME_BYTES_MAX};
use amparo_schema::wire::enrol::Certificate;
use amparo_schema::wire::feed::Entry;
use amparo_schema::wire::segment::{Event, Grant, Header, Plain};
use amparo_schema::wire::signed::Signed;
use amparo_seal::{First, OpenError, VerifyKey, first, from_bytes, inspect, open, to_bytes};

use super::Keys;

/// An entry that opened.
pub(super) enum Opened {
    /// A segment.
    Sealed(Box<Sealed>),
    /// Something that was delivered is withdrawn.
    Withdrawn(Hash),
}

/// A segment that opened.
pub(super) struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) header: Header,
    pub(super) hash: Hash,
    pub(super) granted: Vec<u8>,
    pub(super) plain: Plain,
    pub(super) certificate: Certificate,
    pub(super) certificate_hash: Hash,
}

/// Why an entry is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Not in the one form of an entry: damaged, or of a kind that this build does not know.
    Form,
    /// Past a limit.
    TooLarge,
    /// An entry that only devices get.
    NotForADesk,
    /// The certificate is not signed by headquarters.
    Certificate,
    /// The segment names another device than the certificate.
    OtherDevice,
    /// The segment's signature does not hold.
    Signature,
    /// The grant is for a key that this desk does not hold.
    NoKey,
    /// The segment is of a version or suite that this build does not know.
    Newer,
    /// Segment and grant do not open.
    DoesNotOpen,
    /// The facts are of another compartment than the segment says, or name another case than their segment.
    OutOfPlace,
    /// It opened, and there is no room left for what its device says of this case.
    CaseFull,
}

impl Why {
    /// As a fixed word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form_or_newer",
            Self::TooLarge => "too_large",
            Self::NotForADesk => "not_for_a_desk",
            Self::Certificate => "certificate",
            Self::OtherDevice => "other_device",
            Self::Signature => "signature",
            Self::NoKey => "no_key",
            Self::Newer => "newer",
            Self::DoesNotOpen => "does_not_open",
            Self::OutOfPlace => "facts_out_of_place",
            Self::CaseFull => "case_full",
        }
    }
}

/// An entry that is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) why: Why,
    /// The device whose certificate it shows, where headquarters signed that: what lies aside takes its room.
    pub(super) device: Option<DeviceId>,
}

impl From<Why> for Refused {
    fn from(why: Why) -> Self {
        Self { why, device: None }
    }
}

/// Names everything on which opening depends: this build, and the keys. What did not open for one reader need not
/// be tried by it again.
pub(super) fn reader(keys: &Keys) -> Hash {
    let read = keys.read.iter().map(|key| *key.public().bytes());
    let keys: Vec<[u8; 32]> = read.chain(keys.headquarters.iter().map(|key| key.0)).collect();
    let keys = keys.concat();
    Hash::of("amparo-desk-reader-1", &[env!("CARGO_PKG_VERSION").as_bytes(), &keys])
}

/// Opens an entry.
///
/// # Errors
/// [`Refused`] where it cannot be; nothing of it is given.
pub(super) fn open_entry(entry: &[u8], keys: &Keys) -> Result<Opened, Refused> {
    if entry.len() > FRAME_BYTES_MAX {
        return Err(Why::TooLarge.into());
    }
    match from_bytes(entry).map_err(|_| Why::Form)? {
        Entry::Sealed { segment, grant, certificate: shown } => {
            let opened = keys.headquarters.iter().find_map(|key| key.open_object(&shown).ok());
            let certificate = opened.ok_or(Why::Certificate)?;
            let device = Some(certificate.device);
            sealed(segment, &grant, certificate, &shown, keys)
                .map(|sealed| Opened::Sealed(Box::new(sealed)))
                .map_err(|why| Refused { why, device })
        }
        Entry::Withdrawn { segment } => Ok(Opened::Withdrawn(segment)),
        Entry::Letter(_) | Entry::Revoked(_) | Entry::Pack(_) => Err(Why::NotForADesk.into()),
    }
}

fn sealed(
    bytes: Vec<u8>,
    grant: &Grant,
    certificate: Certificate,
    shown: &Signed<Certificate>,
    keys: &Keys,
) -> Result<Sealed, Why> {
    let device = VerifyKey::from(certificate.key);
    let (header, hash) = inspect(&bytes, &device).map_err(why)?;
    if header.device != certificate.device {
        return Err(Why::OtherDevice);
    }
    let secret = keys.read.iter().find(|s| s.public().id() == grant.recipient).ok_or(Why::NoKey)?;
    let plain = open(&bytes, grant, secret, &device).map_err(why)?;
    if !in_place(&plain) {
        return Err(Why::OutOfPlace);
    }
    let granted = to_bytes(grant).map_err(|_| Why::Form)?;
    let certificate_hash = Hash::of("amparo-desk-certificate-1", &[&shown.payload]);
    Ok(Sealed { bytes, header, hash, granted, plain, certificate, certificate_hash })
}

fn why(error: OpenError) -> Why {
    match error {
        OpenError::Version => Why::Newer,
        OpenError::Signature => Why::Signature,
        _ => Why::DoesNotOpen,
    }
}

/// Whether the facts are whole and belong to the compartment, case and screening that the segment names. Of a
/// kind that this build does not know only the form can be asked.
fn in_place(plain: &Plain) -> bool {
    // SQLite counts to 2^63; a store with as many facts does not exist.
    let bounded = plain.events.last().is_none_or(|last| i64::try_from(last.counter).is_ok());
    bounded && plain.events.iter().all(|event| belongs(event, plain))
}

fn belongs(event: &Event, plain: &Plain) -> bool {
    if event.fact.len() > FACT_BYTES_MAX || !matches!(first(&event.fact), Ok(First::Item(_, []))) {
        return false;
    }
    let Ok(fact) = from_bytes::<Fact>(&event.fact) else { return true };
    let there = match &fact.body {
        Body::CaseOpened { case, .. } => plain.case == Some(*case),
        Body::ScreeningOpened { case, screening, .. } => {
            plain.case == Some(*case) && plain.screening == Some(*screening)
        }
        _ => true,
    };
    there && fact.body.compartment() == event.compartment
}
