//! Errors as callers see them: RFC 9457, a code from a fixed list, and nothing of what was sent.

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::relay::RelayError;
use crate::storage::StorageError;

/// Why a request was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The body is not in the one form of what is asked for here.
    Form,
    /// The body ended before its end. What was whole was taken.
    Cut,
    /// A signature or proof does not hold.
    Signature,
    /// No such path.
    NoPath,
    /// No such ticket, recipient, author, device, segment or state of the log.
    Unknown,
    /// Not with this method.
    Method,
    /// The body came too slowly. What was whole was taken.
    Slow,
    /// The ticket or the device id is taken.
    Taken,
    /// The ticket is too old.
    Expired,
    /// The device was revoked.
    Revoked,
    /// Past a limit.
    TooLarge,
    /// Another kind of body than this path takes.
    MediaType,
    /// More is under way than headquarters takes at once, or it is stopping, and this body had to give way. What was
    /// whole was taken.
    Busy,
    /// More requests are under way than headquarters takes at once, or it is stopping.
    Overloaded,
    /// The store does not answer. Nothing was lost that a receipt names.
    Store,
    /// Headquarters itself failed.
    Failed,
}

impl Problem {
    /// Status, code, title, and seconds after which to come again.
    fn parts(self) -> (StatusCode, &'static str, &'static str, Option<u16>) {
        use StatusCode as S;
        match self {
            Self::Form => (S::BAD_REQUEST, "form", "The body is not in the form of this request.", None),
            Self::Cut => (S::BAD_REQUEST, "cut", "The body was cut; what was whole was taken.", None),
            Self::Signature => (S::FORBIDDEN, "signature", "The signature or proof does not hold.", None),
            Self::NoPath => (S::NOT_FOUND, "no_path", "There is nothing at this path.", None),
            Self::Unknown => (S::NOT_FOUND, "unknown", "What the request names is not known here.", None),
            Self::Method => (S::METHOD_NOT_ALLOWED, "method", "Not with this method.", None),
            Self::Slow => {
                (S::REQUEST_TIMEOUT, "slow", "The body came too slowly; what was whole was taken.", None)
            }
            Self::Taken => (S::CONFLICT, "taken", "The ticket or the device id is taken.", None),
            Self::Expired => (S::GONE, "expired", "The ticket has expired.", None),
            Self::Revoked => (S::GONE, "revoked", "The device was revoked; it is given no letters.", None),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too_large", "The body is past the limit.", None),
            Self::MediaType => (S::UNSUPPORTED_MEDIA_TYPE, "media_type", "Not this kind of body.", None),
            Self::Busy => {
                let title = "Too much is under way; what was whole was taken.";
                (S::TOO_MANY_REQUESTS, "busy", title, Some(5))
            }
            Self::Overloaded => {
                (S::SERVICE_UNAVAILABLE, "overloaded", "Too many requests are under way.", Some(5))
            }
            Self::Store => (S::SERVICE_UNAVAILABLE, "store", "The store does not answer.", Some(30)),
            Self::Failed => (S::INTERNAL_SERVER_ERROR, "failed", "Headquarters failed.", None),
        }
    }
}

impl From<RelayError> for Problem {
    fn from(error: RelayError) -> Self {
        match error {
            RelayError::Storage(StorageError::Damaged(_)) => Self::Failed,
            RelayError::Storage(_) => Self::Store,
            RelayError::Entropy | RelayError::Encoding | RelayError::Damaged => Self::Failed,
            RelayError::Signature => Self::Signature,
            RelayError::TooLarge => Self::TooLarge,
            RelayError::TicketUsed | RelayError::DeviceTaken => Self::Taken,
            RelayError::TicketExpired => Self::Expired,
            RelayError::Revoked => Self::Revoked,
            RelayError::UnknownTicket
            | RelayError::UnknownDevice
            | RelayError::UnknownRecipient
            | RelayError::UnknownAuthor
            | RelayError::UnknownSegment => Self::Unknown,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, title, wait) = self.parts();
        let text = serde_json::json!({ "title": title, "status": status.as_u16(), "code": code }).to_string();
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = wait {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        // What is left of the body is not read: the next request could not be told from it.
        if matches!(self, Self::Cut | Self::Slow | Self::TooLarge | Self::Busy | Self::Overloaded) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
