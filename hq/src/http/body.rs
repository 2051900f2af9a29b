//! Reading bodies: bounded in bytes and in time, and kept as far as they came.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use tokio::time::timeout_at;

use super::Problem;
use super::admission::{Admission, Room, now};

/// A body as far as it came.
pub(super) struct Upload {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Why there are no more of them, if it is not that this is all.
    pub(super) broken: Option<Problem>,
    /// The room that it takes, until it is dropped.
    _room: Room,
}

/// Refuses another kind of body, or one that is announced as too large, before anything of it is read.
pub(super) fn check(headers: &HeaderMap, kind: &str, bytes_max: usize) -> Result<(), Problem> {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(kind) {
        return Err(Problem::MediaType);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let bytes_max = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    if length.is_some_and(|length| length > bytes_max) { Err(Problem::TooLarge) } else { Ok(()) }
}

/// Reads a body. One that is cut, slow, too large for the room that is left, or that has to give way to others is
/// given as far as it came.
///
/// # Errors
/// [`Problem::TooLarge`] past `bytes_max`; [`Problem::Busy`] if there is no room at all.
pub(super) async fn read(admission: &Admission, body: Body, bytes_max: usize) -> Result<Upload, Problem> {
    let mut room = admission.body()?;
    let (mut body, mut bytes) = (body, Vec::new());
    let end = now() + admission.limits.body;
    let broken = loop {
        let next = timeout_at(end.min(now() + admission.limits.piece), body.frame());
        let next = tokio::select! {
            next = next => next,
            () = room.cut() => break Some(Problem::Busy),
        };
        let piece = match next {
            Err(_) => break Some(Problem::Slow),
            Ok(None) => break None,
            Ok(Some(Err(_))) => break Some(Problem::Cut),
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        };
        let length = bytes.len().saturating_add(piece.len());
        if length > bytes_max {
            return Err(Problem::TooLarge);
        }
        if let Err(busy) = room.grow(length) {
            break Some(busy);
        }
        bytes.extend_from_slice(&piece);
    };
    Ok(Upload { bytes, broken, _room: room.arrived() })
}
