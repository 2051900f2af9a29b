//! Replies that may be long: they take room until they are sent, so that callers who ask for much and read slowly
//! cannot fill the memory.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use super::Problem;
use super::admission::{Admission, Room};

/// What is handed to the connection at once; it asks for the next piece when this one is on its way.
const PIECE_BYTES: usize = 64 * 1024;

/// The rest of a reply and its room.
struct Reply {
    rest: Bytes,
    _room: Room,
}

/// A body of these bytes.
///
/// # Errors
/// [`Problem::Busy`] if there is no room. What was asked for is done; asking again gives the reply.
pub(super) fn body(admission: &Admission, bytes: Vec<u8>) -> Result<Body, Problem> {
    let room = admission.reply(bytes.len())?;
    Ok(Body::new(Reply { rest: bytes.into(), _room: room }))
}

impl HttpBody for Reply {
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
}
