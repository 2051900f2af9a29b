//! One upload, taken frame by frame.
//!
//! Owns the order of things: frames in groups, each group one transaction, and only after the last of them
//! what callers are told. A cut costs the frame that was cut; a frame that is no good costs itself.

use amparo_schema::id::DeviceId;
use amparo_schema::limits::{DOWN_BYTES_MAX, FRAME_BYTES_MAX, UPLOAD_BYTES_MAX, UPLOAD_FRAMES_MAX};
use amparo_schema::wire::push::{Frame, Refusal, Reply};
use amparo_seal::{First, first, from_bytes, to_bytes};

use super::aside::Claim;
use super::hello::Call;
use super::work::{Room, Work};
use super::{Relay, RelayError};
use crate::storage::Storage;

/// What became of one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It counts, or it counted before.
    Kept,
    /// It was not taken as it should be.
    Refused(Refusal),
    /// Not now.
    Later,
    /// Somebody calls.
    Caller(Box<Call>),
    /// Somebody unknown calls.
    CertificateWanted(DeviceId),
}

/// What an upload brought about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Frames that were refused, in order, and whether to come again later.
    pub notes: Vec<Reply>,
    /// What each caller is told, in order of the calls.
    pub callers: Vec<(DeviceId, Vec<Reply>)>,
}

impl Relay {
    /// Takes an upload, a sequence of frames, and gives the replies as a sequence.
    ///
    /// # Errors
    /// [`RelayError::Storage`]: groups of frames that were finished before count; sending all again is safe.
    pub fn exchange(
        &self,
        storage: &mut dyn Storage,
        upload: &[u8],
        now_ms: i64,
    ) -> Result<Vec<u8>, RelayError> {
        let Answers { notes, callers } = self.take(storage, upload, now_ms)?;
        let mut out = sequence(&notes)?;
        for (_, replies) in callers {
            out.append(&mut sequence(&replies)?);
        }
        Ok(out)
    }

    /// Takes an upload and gives the replies apart for each caller, for carriers that bring several devices'.
    ///
    /// # Errors
    /// As [`Relay::exchange`].
    pub fn take(&self, storage: &mut dyn Storage, upload: &[u8], now_ms: i64) -> Result<Answers, RelayError> {
        self.take_within(storage, upload, (Room::UPLOAD, DOWN_BYTES_MAX), now_ms)
    }

    /// As [`Relay::take`], with this room, and at most so many bytes of pages for each caller.
    pub(super) fn take_within(
        &self,
        storage: &mut dyn Storage,
        upload: &[u8],
        (mut room, down_bytes_max): (Room, usize),
        now_ms: i64,
    ) -> Result<Answers, RelayError> {
        let (frames, end) = split(upload);
        let mut answers = Answers::default();
        let (mut callers, mut wait) = (Vec::<Call>::new(), matches!(end, End::TooMuch));
        let mut index = 0;
        for group in frames.chunks(self.settings.group.max(1)) {
            let (taken, left) = self.run(storage, now_ms, |work| {
                work.room = room;
                let taken =
                    group.iter().map(|frame| work.take(frame, false)).collect::<Result<Vec<_>, _>>()?;
                Ok((taken, work.room))
            })?;
            room = left;
            for (frame, taken) in (index..).zip(taken) {
                match taken {
                    Taken::Kept => {}
                    Taken::Refused(why) => answers.notes.push(Reply::Refused { frame, why }),
                    Taken::Later => wait = true,
                    Taken::CertificateWanted(_) => answers.notes.push(Reply::CertificateWanted),
                    Taken::Caller(call) => {
                        // Who calls twice is told once, by what was said last.
                        callers.retain(|before| before.chain() != call.chain());
                        callers.push(*call);
                    }
                }
            }
            index += group.len() as u64;
        }
        if let End::Form(rest) = end {
            // Where its frames begin cannot be known any more; a person may still find facts in it.
            self.run(storage, now_ms, |work| {
                let mut pieces = rest.chunks(FRAME_BYTES_MAX);
                pieces.try_for_each(|piece| work.aside(piece, Claim::NONE, Refusal::Form).map(drop))
            })?;
            answers.notes.push(Reply::Refused { frame: index, why: Refusal::Form });
        }
        if wait {
            answers.notes.push(Reply::Later { wait_ms: self.settings.wait_ms });
        }
        answers.callers = self.answer(storage, callers, down_bytes_max, now_ms)?;
        Ok(answers)
    }
}

impl Work<'_> {
    /// Takes one whole frame.
    pub(super) fn take(&mut self, frame: &[u8], released: bool) -> Result<Taken, RelayError> {
        match from_bytes::<Frame>(frame) {
            Err(_) => self.aside(frame, Claim::NONE, Refusal::Form),
            Ok(Frame::Hello(hello)) => self.take_hello(&hello),
            Ok(Frame::Certificate(certificate)) => self.take_certificate(&certificate),
            Ok(Frame::Segment(segment)) => self.take_segment(frame, &segment, released),
            Ok(Frame::Disclosure(disclosure)) => self.take_disclosure(frame, &disclosure, released),
        }
    }
}

/// Replies as a sequence.
pub(super) fn sequence(replies: &[Reply]) -> Result<Vec<u8>, RelayError> {
    let encoded = replies.iter().map(to_bytes).collect::<Result<Vec<_>, _>>();
    encoded.map(|all| all.concat()).map_err(|_| RelayError::Encoding)
}

/// How an upload ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End<'a> {
    /// After a frame, or within one that was cut.
    Clean,
    /// In what can never be a frame, and whatever follows.
    Form(&'a [u8]),
    /// There was more than one exchange takes.
    TooMuch,
}

fn split(upload: &[u8]) -> (Vec<&[u8]>, End<'_>) {
    let whole = upload.get(..UPLOAD_BYTES_MAX).unwrap_or(upload);
    let (mut rest, mut frames) = (whole, Vec::new());
    loop {
        match first(rest) {
            Ok(First::Item(..)) if frames.len() == UPLOAD_FRAMES_MAX => return (frames, End::TooMuch),
            Ok(First::Item(item, after)) => {
                frames.push(item);
                rest = after;
            }
            Ok(First::Empty | First::Cut) if whole.len() < upload.len() => return (frames, End::TooMuch),
            Ok(First::Empty | First::Cut) => return (frames, End::Clean),
            Err(_) => return (frames, End::Form(rest)),
        }
    }
}
