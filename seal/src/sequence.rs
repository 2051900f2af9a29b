//! CBOR sequences (RFC 8742): frames and replies one after the other, without end mark.

use amparo_schema::limits::FRAME_BYTES_MAX;
use amparo_schema::wire::item::skip;
use minicbor::decode::Decoder;

use crate::OpenError;

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First<'a> {
    /// Nothing.
    Empty,
    /// One whole item, and the bytes after it.
    Item(&'a [u8], &'a [u8]),
    /// The beginning of an item; more bytes may complete it.
    Cut,
}

/// Splits the first item off. Looks at lengths alone; what the item says is for [`crate::from_bytes`].
///
/// # Errors
/// [`OpenError::Form`] for what no more bytes can make an item of this protocol: reserved or indefinite
/// lengths, nesting past 16, more than `FRAME_BYTES_MAX` bytes. Nothing after it can be read either.
pub fn first(bytes: &[u8]) -> Result<First<'_>, OpenError> {
    if bytes.is_empty() {
        return Ok(First::Empty);
    }
    let mut decoder = Decoder::new(bytes);
    match skip(&mut decoder) {
        Ok(()) if decoder.position() <= FRAME_BYTES_MAX => {
            let (item, rest) = bytes.split_at_checked(decoder.position()).ok_or(OpenError::Form)?;
            Ok(First::Item(item, rest))
        }
        Err(why) if why.is_end_of_input() && bytes.len() <= FRAME_BYTES_MAX => Ok(First::Cut),
        _ => Err(OpenError::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_of_an_item_is_a_cut_and_the_whole_is_the_item() {
        // [1, [h'0102', "ab", {1: null}], true] and one more byte, written by hand after RFC 8949.
        let item = [0x83, 0x01, 0x83, 0x42, 1, 2, 0x62, b'a', b'b', 0xa1, 0x01, 0xf6, 0xf5];
        for at in 1..item.len() {
            assert_eq!(first(&item[..at]), Ok(First::Cut), "{at}");
        }
        let longer = [&item[..], &[0x01]].concat();
        assert_eq!(first(&longer), Ok(First::Item(&item, &[0x01])));
        assert_eq!(first(&[]), Ok(First::Empty));
    }

    #[test]
    fn what_can_never_be_an_item_is_refused() {
        for bad in [&[0x1c][..], &[0x9f, 0x01, 0xff], &[0x5f], &[0xff], &[0x81; 40]] {
            assert_eq!(first(bad), Err(OpenError::Form), "{bad:02x?}");
        }
    }

    #[test]
    fn a_length_that_nobody_sent_costs_nothing() {
        assert_eq!(first(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Ok(First::Cut));
        assert_eq!(first(&[0x5b, 0, 0, 0, 1, 0, 0, 0, 0]), Ok(First::Cut));
    }
}
