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

/// An upload that was taken. Whoever called in it is told when the transactions that took it are finished.
#[derive(Clone, Debug)]
pub struct Received {
    /// Frames that were refused, in order, and whether to come again later.
    pub(super) notes: Vec<Reply>,
    pub(super) callers: Vec<Call>,
    pairs: usize,
}

impl Received {
    /// Pairs of segment and reader that it disclosed anew: what taking it costs most.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.pairs
    }
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
        let mut received = self.receive(storage, upload, now_ms)?;
        self.judge(storage, std::slice::from_mut(&mut received), now_ms)?;
        self.reply(storage, &received, now_ms)
    }

    /// Takes an upload; the first of the three parts of [`Relay::exchange`], for those who put several uploads into one
    /// transaction. That one must be finished before the next part.
    ///
    /// # Errors
    /// As [`Relay::exchange`].
    pub fn receive(
        &self,
        storage: &mut dyn Storage,
        upload: &[u8],
        now_ms: i64,
    ) -> Result<Received, RelayError> {
        self.receive_within(storage, upload, Room::UPLOAD, now_ms)
    }

    /// The replies to an upload that was taken and judged ([`Relay::judge`]), as a sequence. Asked again, it says how
    /// things stand then. Adds nothing to the log, so that it may share a transaction with others.
    ///
    /// # Errors
    /// As [`Relay::exchange`].
    pub fn reply(
        &self,
        storage: &mut dyn Storage,
        received: &Received,
        now_ms: i64,
    ) -> Result<Vec<u8>, RelayError> {
        let mut out = sequence(&received.notes)?;
        for (_, replies) in self.answer(storage, &received.callers, DOWN_BYTES_MAX, now_ms)? {
            out.append(&mut sequence(&replies)?);
        }
        Ok(out)
    }

    /// As [`Relay::receive`], with this room.
    pub(super) fn receive_within(
        &self,
        storage: &mut dyn Storage,
        upload: &[u8],
        mut room: Room,
        now_ms: i64,
    ) -> Result<Received, RelayError> {
        let (frames, end) = split(upload);
        let (mut notes, given) = (Vec::new(), room.pairs);
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
                    Taken::Refused(why) => notes.push(Reply::Refused { frame, why }),
                    Taken::Later => wait = true,
                    Taken::CertificateWanted(_) => notes.push(Reply::CertificateWanted),
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
            notes.push(Reply::Refused { frame: index, why: Refusal::Form });
        }
        if wait {
            notes.push(Reply::Later { wait_ms: self.settings.wait_ms });
        }
        if !callers.is_empty() {
            // Counted with what was taken, so that telling it writes nothing more.
            self.run(storage, now_ms, |work| callers.iter().try_for_each(|call| work.count_delivered(call)))?;
        }
        Ok(Received { notes, callers, pairs: given.saturating_sub(room.pairs) })
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
