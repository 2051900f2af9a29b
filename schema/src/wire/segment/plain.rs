//! The plaintext of a segment: facts as callers see them, columns as they are encoded.
//!
//! Owns the column form. The stamps of a screening differ little from one another, so each part of them stands in
//! a column of its own, as differences: most columns are then nothing but zeros, and zeros at the end of a column
//! are left out. Facts come back byte for byte, those of a kind that the reader does not know included. Nothing
//! here is ever sealed or compressed.

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};

use crate::fact::{Compartment, Doubt, Stamp};
use crate::id::{CaseId, ScreeningId};
use crate::limits::SEGMENT_EVENTS_MAX;
use crate::wire::{item, list};

/// The plaintext of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// The case.
    pub case: Option<CaseId>,
    /// The screening.
    pub screening: Option<ScreeningId>,
    /// The facts, counters ascending, all of one lane; at least one, at most `SEGMENT_EVENTS_MAX`.
    pub events: Vec<Event>,
}

/// One fact in a segment. Encoded it is what a leaf under the segment's root stands for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Event {
    /// Its counter in the store.
    #[n(0)]
    pub counter: u64,
    /// Its compartment, said beside it for readers that do not know its kind.
    #[n(1)]
    pub compartment: Compartment,
    /// The encoded [`crate::fact::Fact`], as stored; identity facts opened.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub fact: Vec<u8>,
}

/// As encoded. A column holds one number for each fact: the first, then the difference of each to the one before,
/// modulo 2^64 and signed, without the zeros at the end. So every number has a place in it, and only one.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Columns<'b> {
    #[n(0)]
    case: Option<CaseId>,
    #[n(1)]
    screening: Option<ScreeningId>,
    /// Numbers of the compartments.
    #[cbor(n(2), decode_with = "column")]
    compartments: Vec<i64>,
    /// Counters, each less its place: those that follow one another differ by nothing.
    #[cbor(n(3), decode_with = "column")]
    counters: Vec<i64>,
    #[cbor(n(4), decode_with = "column")]
    wall_ms: Vec<i64>,
    #[cbor(n(5), decode_with = "column")]
    offset_minutes: Vec<i64>,
    /// Time since the phone started less wall time: they go forward together.
    #[cbor(n(6), decode_with = "column")]
    steady_ms: Vec<i64>,
    /// 0 for none, else one more than the number of the doubt.
    #[cbor(n(7), decode_with = "column")]
    doubts: Vec<i64>,
    #[b(8)]
    bodies: Bodies<'b>,
}

fn column<'b, C>(d: &mut Decoder<'b>, context: &mut C) -> Result<Vec<i64>, decode::Error> {
    list::bounded::<_, _, SEGMENT_EVENTS_MAX, 1>(d, context)
}

/// What one event is in the columns.
#[derive(Clone, Copy, Default)]
struct Row([i64; 6]);

const COMPARTMENTS: [Compartment; 4] =
    [Compartment::Identity, Compartment::Case, Compartment::Consent, Compartment::Audit];
const DOUBTS: [Option<Doubt>; 5] = [
    None,
    Some(Doubt::Backwards),
    Some(Doubt::Jumped),
    Some(Doubt::BeforeContent),
    Some(Doubt::FarAfterContent),
];

/// The number of a value: its place in a list of all of them.
fn number<T: PartialEq>(all: &[T], value: &T) -> Option<i64> {
    i64::try_from(all.iter().position(|each| each == value)?).ok()
}

fn numbered<T: Copy>(all: &[T], number: i64) -> Option<T> {
    all.get(usize::try_from(number).ok()?).copied()
}

impl Row {
    fn of(place: u64, event: &Event, at: &Stamp) -> Option<Self> {
        Some(Self([
            number(&COMPARTMENTS, &event.compartment)?,
            event.counter.wrapping_sub(place).cast_signed(),
            at.wall_ms,
            i64::from(at.offset_minutes),
            at.steady_ms.cast_signed().wrapping_sub(at.wall_ms),
            number(&DOUBTS, &at.doubt)?,
        ]))
    }

    /// The counter, the compartment and the stamp; none where a number is none of theirs.
    fn read(self, place: u64) -> Option<(u64, Compartment, Stamp)> {
        let Self([compartment, counter, wall_ms, offset, steady, doubt]) = self;
        let at = Stamp {
            wall_ms,
            offset_minutes: i16::try_from(offset).ok()?,
            steady_ms: steady.wrapping_add(wall_ms).cast_unsigned(),
            doubt: numbered(&DOUBTS, doubt)?,
        };
        Some((counter.cast_unsigned().wrapping_add(place), numbered(&COMPARTMENTS, compartment)?, at))
    }
}

impl<'b> Columns<'b> {
    /// None unless each fact is a stamp and one item, as this build encodes them.
    fn of(plain: &'b Plain) -> Option<Self> {
        let (mut columns, mut before) = ([const { Vec::new() }; 6], Row::default());
        let mut bodies = Vec::with_capacity(plain.events.len());
        for (place, event) in (0..).zip(&plain.events) {
            let (at, body) = split(&event.fact)?;
            let row = Row::of(place, event, &at)?;
            for ((column, now), before) in columns.iter_mut().zip(row.0).zip(before.0) {
                column.push(now.wrapping_sub(before));
            }
            bodies.push(body);
            before = row;
        }
        for column in &mut columns {
            column.truncate(column.iter().rposition(|n| *n != 0).map_or(0, |last| last.saturating_add(1)));
        }
        let [compartments, counters, wall_ms, offset_minutes, steady_ms, doubts] = columns;
        Some(Self {
            case: plain.case,
            screening: plain.screening,
            compartments,
            counters,
            wall_ms,
            offset_minutes,
            steady_ms,
            doubts,
            bodies: Bodies(bodies),
        })
    }

    /// The facts again; none where there is no fact, a column is longer than the bodies, a number is out of its
    /// range, the counters do not ascend, or the compartments are of several lanes.
    fn read(self) -> Option<Plain> {
        let Self { compartments, counters, wall_ms, offset_minutes, steady_ms, doubts, .. } = self;
        let columns = [compartments, counters, wall_ms, offset_minutes, steady_ms, doubts];
        let bodies = self.bodies.0;
        if bodies.is_empty() || columns.iter().any(|column| column.len() > bodies.len()) {
            return None;
        }
        let mut columns = columns.map(Vec::into_iter);
        let (mut row, mut events) = (Row::default(), Vec::<Event>::with_capacity(bodies.len()));
        for (place, body) in (0..).zip(bodies) {
            for (value, column) in row.0.iter_mut().zip(&mut columns) {
                *value = value.wrapping_add(column.next().unwrap_or(0));
            }
            let (counter, compartment, at) = row.read(place)?;
            let follows =
                |last: &Event| last.counter < counter && last.compartment.lane() == compartment.lane();
            if !events.last().is_none_or(follows) {
                return None;
            }
            events.push(Event { counter, compartment, fact: join(&at, body)? });
        }
        Some(Plain { case: self.case, screening: self.screening, events })
    }
}

/// A fact in its two parts; none unless they give the same bytes again.
fn split(fact: &[u8]) -> Option<(Stamp, &[u8])> {
    let mut d = Decoder::new(fact);
    d.array().ok()?;
    let at: Stamp = d.decode().ok()?;
    let body = fact.get(d.position()..)?;
    item::skip(&mut d).ok()?;
    (d.position() == fact.len() && join(&at, body)? == fact).then_some((at, body))
}

fn join(at: &Stamp, body: &[u8]) -> Option<Vec<u8>> {
    let mut e = Encoder::new(Vec::new());
    e.array(2).ok()?.encode(at).ok()?;
    let mut fact = e.into_writer();
    fact.extend_from_slice(body);
    Some(fact)
}

/// The bodies of the facts, as items of one list, as they are.
struct Bodies<'b>(Vec<&'b [u8]>);

impl<C> Encode<C> for Bodies<'_> {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(u64::try_from(self.0.len()).map_err(encode::Error::message)?)?;
        self.0.iter().try_for_each(|body| e.writer_mut().write_all(body).map_err(encode::Error::write))
    }
}

impl<'b, C> Decode<'b, C> for Bodies<'b> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let refused = || decode::Error::message("not the bodies of facts");
        let length = d.array()?.and_then(|length| usize::try_from(length).ok());
        let there = d.input().len().saturating_sub(d.position());
        let length = length.filter(|n| *n <= there.min(SEGMENT_EVENTS_MAX)).ok_or_else(refused)?;
        let mut bodies = Vec::with_capacity(length);
        for _ in 0..length {
            let from = d.position();
            item::skip(d)?;
            bodies.push(d.input().get(from..d.position()).ok_or_else(refused)?);
        }
        Ok(Self(bodies))
    }
}

impl<C> Encode<C> for Plain {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, context: &mut C) -> Result<(), encode::Error<W::Error>> {
        Columns::of(self).ok_or_else(|| encode::Error::message("not facts"))?.encode(e, context)
    }
}

impl<'b, C> Decode<'b, C> for Plain {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let columns = Columns::decode(d, context)?;
        columns.read().ok_or_else(|| decode::Error::message("columns of no facts").at(at))
    }
}
