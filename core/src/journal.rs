//! Verifying runs of facts and of segments. Pure: the caller brings rows and bytes, in order.
//!
//! SQLite alone forgets: a lost page or an old copy passes its own checks. The counter, the hash of each body
//! and the chain say which fact is missing, changed or out of place, without reading what it says.

use amparo_schema::fact::{body_hash, chain_hash};
use amparo_schema::id::{DeviceId, Hash, ScreeningId, StoreId};

use crate::seal::{OpenError, VerifyKey, inspect};

/// One fact as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its counter.
    pub counter: u64,
    /// Its screening, if it belongs to one.
    pub screening: Option<ScreeningId>,
    /// Its encoded body (identity: the sealed bytes); none when it was purged.
    pub body: Option<&'a [u8]>,
    /// The hash of its body.
    pub body_hash: Hash,
    /// Its link of the chain.
    pub chain: Hash,
}

/// Where a run ends: what the next row must join to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The counter, or number, that comes next.
    pub next: u64,
    /// The last link, or the hash of the last segment.
    pub hash: Hash,
}

/// The first place at which a run of facts does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fact {counter}: {kind}")]
pub struct Break {
    /// The counter that was expected there.
    pub counter: u64,
    /// What is wrong.
    pub kind: BreakKind,
}

/// What is wrong with a stored fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BreakKind {
    /// It is missing, or stands out of order.
    #[error("missing or out of order")]
    Gap,
    /// Its body is not the one that was hashed.
    #[error("the body was changed")]
    Flip,
    /// It does not join to the fact before it.
    #[error("does not join to the one before")]
    Link,
}

/// Verifies a run of facts that begins with the counter `start` and joins to the link `previous`.
///
/// # Errors
/// The first [`Break`]. A run that was cut at its end is whole here: compare the [`Head`] with the one that is
/// kept elsewhere.
pub fn verify_run<'a>(
    store: StoreId,
    start: u64,
    previous: Hash,
    rows: impl IntoIterator<Item = Row<'a>>,
) -> Result<Head, Break> {
    let mut head = Head { next: start, hash: previous };
    for row in rows {
        let fail = |kind| Break { counter: head.next, kind };
        if row.counter != head.next {
            return Err(fail(BreakKind::Gap));
        }
        if row.body.is_some_and(|body| body_hash(body) != row.body_hash) {
            return Err(fail(BreakKind::Flip));
        }
        if chain_hash(store, row.counter, &head.hash, row.screening, &row.body_hash) != row.chain {
            return Err(fail(BreakKind::Link));
        }
        head = Head { next: row.counter.saturating_add(1), hash: row.chain };
    }
    Ok(head)
}

/// Whose segments these are.
#[derive(Clone, Copy, Debug)]
pub struct Author {
    /// The device.
    pub device: DeviceId,
    /// The incarnation of its store.
    pub incarnation: u64,
    /// Its signing key.
    pub key: VerifyKey,
}

/// The first place at which a run of segments does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("segment {number}: {kind}")]
pub struct SegmentBreak {
    /// The number that was expected there.
    pub number: u64,
    /// What is wrong.
    pub kind: SegmentBreakKind,
}

/// What is wrong with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentBreakKind {
    /// It does not verify by itself.
    #[error(transparent)]
    Damaged(OpenError),
    /// It is of another device or incarnation.
    #[error("of another device or incarnation")]
    Stranger,
    /// It is missing, or stands out of order.
    #[error("missing or out of order")]
    Gap,
    /// It does not join to the segment before it.
    #[error("does not join to the one before")]
    Link,
}

/// Verifies a run of encoded segments of one author that joins to `head`; for the whole chain that is number 0
/// with [`crate::seal::first_previous`].
///
/// # Errors
/// The first [`SegmentBreak`].
pub fn verify_segments<'a>(
    author: &Author,
    mut head: Head,
    segments: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Head, SegmentBreak> {
    for segment in segments {
        let fail = |kind| SegmentBreak { number: head.next, kind };
        let (header, hash) =
            inspect(segment, &author.key).map_err(|why| fail(SegmentBreakKind::Damaged(why)))?;
        if (header.device, header.incarnation) != (author.device, author.incarnation) {
            return Err(fail(SegmentBreakKind::Stranger));
        }
        if header.number != head.next {
            return Err(fail(SegmentBreakKind::Gap));
        }
        if header.previous != head.hash {
            return Err(fail(SegmentBreakKind::Link));
        }
        head = Head { next: header.number.saturating_add(1), hash };
    }
    Ok(head)
}
