//! Lists that take no more memory while they are read than their bytes call for: neither for elements that are
//! not there nor for twice as many as there are.

use minicbor::decode::{Decode, Decoder, Error};

/// Reads a list of at most `MAX` elements, each of at least `LEAST` bytes.
pub(super) fn bounded<'b, C, T: Decode<'b, C>, const MAX: usize, const LEAST: usize>(
    d: &mut Decoder<'b>,
    context: &mut C,
) -> Result<Vec<T>, Error> {
    let at = d.position();
    let length = d.array()?.and_then(|length| usize::try_from(length).ok());
    let there = d.input().len().saturating_sub(d.position()) / LEAST;
    let length = length.filter(|length| *length <= there.min(MAX));
    let length = length.ok_or_else(|| Error::message("no list, or too long a one").at(at))?;
    let mut list = Vec::with_capacity(length);
    for _ in 0..length {
        list.push(d.decode_with(context)?);
    }
    Ok(list)
}
