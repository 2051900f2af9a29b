//! Replies that may be long: they take room until they are sent, so that callers who ask for much and read slowly
//! cannot fill the memory. Nor can they keep receipts from others: short replies need no room, and where there is none a
//! reply goes without its pages.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use amparo_schema::wire::push::Reply;
use amparo_seal::{First, first, from_bytes};
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use super::Problem;
use super::admission::{Admission, Room};

/// What is handed to the connection at once; it asks for the next piece when this one is on its way.
const PIECE_BYTES: usize = 64 * 1024;

/// Up to here a reply needs no room: 2,048 connections hold no more than 32 MiB of them.
const SHORT_BYTES: usize = 16 * 1024;

/// The rest of a reply and its room.
struct Rest {
    rest: Bytes,
    _room: Option<Room>,
}

/// A body of these bytes.
///
/// # Errors
/// [`Problem::Busy`] if there is no room. What was asked for is done; asking again gives the reply.
pub(super) fn body(admission: &Admission, bytes: Vec<u8>) -> Result<Body, Problem> {
    let room = match bytes.len() {
        ..=SHORT_BYTES => None,
        long => Some(admission.reply(long)?),
    };
    Ok(Body::new(Rest { rest: bytes.into(), _room: room }))
}

/// A body of the replies to an upload; where there is no room for all of them, of those that are no page: a page is asked
/// for again, and what became of the upload must not wait for it.
///
/// # Errors
/// As [`body`].
pub(super) fn replies(admission: &Admission, bytes: Vec<u8>) -> Result<Body, Problem> {
    if bytes.len() > SHORT_BYTES && admission.reply(bytes.len()).is_err() {
        return body(admission, without_pages(&bytes));
    }
    body(admission, bytes)
}

fn without_pages(replies: &[u8]) -> Vec<u8> {
    let (mut kept, mut rest) = (Vec::new(), replies);
    while let Ok(First::Item(reply, after)) = first(rest) {
        rest = after;
        if !matches!(from_bytes(reply), Ok(Reply::Page(_))) {
            kept.extend_from_slice(reply);
        }
    }
    kept
}

impl HttpBody for Rest {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.rest.len().min(PIECE_BYTES);
        let piece = (length > 0).then(|| Ok(Frame::data(self.rest.split_to(length))));
        Poll::Ready(piece)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use amparo_schema::wire::feed::{self, Cursor, FeedId, Page};
    use amparo_seal::to_bytes;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::http::Limits;

    #[test]
    fn a_reply_takes_its_room_until_the_last_piece_is_asked_for() {
        let admission = Admission::new(Limits { body_kib: 1, reply_kib: 200, ..Limits::default() });
        let _bodies_have_none_left = admission.body().unwrap();
        let mut reply = body(&admission, vec![7; 150 * 1024]).unwrap();
        assert!(matches!(body(&admission, vec![7; 60 * 1024]), Err(Problem::Busy)));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut got = 0;
        while let Some(piece) = runtime.block_on(reply.frame()) {
            let piece = piece.unwrap().into_data().unwrap();
            assert!(piece.len() <= PIECE_BYTES && admission.reply(51 * 1024).is_err());
            got += piece.len();
        }
        assert_eq!(got, 150 * 1024);
        drop(reply);
        assert!(admission.reply(200 * 1024).is_ok());
    }

    #[test]
    fn what_became_of_an_upload_is_said_without_room_for_pages() {
        let admission = Admission::new(Limits { reply_kib: 20, ..Limits::default() });
        let others = admission.reply(20 * 1024).unwrap();
        let later = to_bytes(&Reply::Later { wait_ms: 7 }).unwrap();
        let entry = feed::Bytes(vec![7; 30 * 1024]);
        let from = Cursor::start(FeedId::packs());
        let page = to_bytes(&Reply::Page(Page { from, entries: vec![entry], head: 1 })).unwrap();
        let unchanged = to_bytes(&Reply::Unchanged).unwrap();
        let all = [&later[..], &page, &unchanged].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let said = |body: Body| runtime.block_on(body.collect()).unwrap().to_bytes().to_vec();
        assert!(matches!(body(&admission, all.clone()), Err(Problem::Busy)));
        assert_eq!(said(replies(&admission, all.clone()).unwrap()), [later, unchanged].concat());
        drop(others);
        let room = Admission::new(Limits { reply_kib: 40, ..Limits::default() });
        assert_eq!(said(replies(&room, all.clone()).unwrap()), all);
    }
}
