//! What can go wrong at the desk. No error carries words of a person, an official or an agency.

use amparo_seal::SealError;

/// Why the desk could not do it. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The desk's store does not open or does not answer; a wrong key and a damaged file look the same.
    #[error("the desk's store does not answer: {0}")]
    Store(#[from] rusqlite::Error),
    /// The desk's store was written by a newer build.
    #[error("the desk's store has version {0}, which this build does not know")]
    Newer(i64),
    /// A row of the desk's store is not what the desk writes.
    #[error("the desk's store holds a damaged {0}")]
    Damaged(&'static str),
    /// The desk has no reading key.
    #[error("the desk has no key to read with")]
    NoKeys,
    /// The page is of a feed that is not this desk's.
    #[error("the page is of another feed")]
    OtherFeed,
    /// The page is past `DOWN_BYTES_MAX`, or its head lies before its end.
    #[error("the page cannot be one")]
    NotAPage,
    /// The pages of a feed do not lead to its end.
    #[error("headquarters' feed does not go on where this desk stands; try again, then ask headquarters")]
    NoEnd,
    /// There is no such referral among what the desk may read.
    #[error("no such referral")]
    NoReferral,
    /// There is no such case among what the desk may read.
    #[error("no such case")]
    NoCase,
    /// The person declined or took the referral back, or it is over.
    #[error("the referral is over")]
    Over,
    /// The referral is to a service for which this desk does not answer.
    #[error("the referral is to a service for which this desk does not answer")]
    NotOurs,
    /// Only an accepted referral can be done.
    #[error("the referral was not accepted")]
    NotAccepted,
    /// A reason or text is missing, longer than `REASON_CHARS_MAX`, or holds characters that are not words.
    #[error("the words are missing, too long, or hold characters that are not words")]
    Words,
    /// The letter could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Something could not be written as CSV or JSON.
    #[error("cannot be written as text")]
    Text,
}
