//! One CBOR item, and where it ends.
//!
//! Looks at lengths alone; never says what an item means, never keeps anything of it.

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};

/// Nesting of one item; the deepest of ours has seven levels.
pub const DEPTH_MAX: usize = 16;

/// Skips one item without recursion deeper than [`DEPTH_MAX`].
///
/// # Errors
/// End of input for the beginning of an item, which more bytes may complete; another error for what can never
/// become one of ours: reserved or indefinite lengths, or deeper nesting.
pub fn skip(decoder: &mut Decoder<'_>) -> Result<(), Error> {
    nested(decoder, DEPTH_MAX)
}

fn nested(decoder: &mut Decoder<'_>, depth: usize) -> Result<(), Error> {
    let at = decoder.position();
    let refused = || Error::message("not an item of bounded form").at(at);
    let depth = depth.checked_sub(1).ok_or_else(refused)?;
    let items = match decoder.datatype()? {
        Type::Array => decoder.array()?,
        Type::Map => decoder.map()?.and_then(|pairs| pairs.checked_mul(2)),
        Type::Bytes => return decoder.bytes().map(drop),
        Type::String => return decoder.str().map(drop),
        Type::Tag => {
            decoder.tag()?;
            return nested(decoder, depth);
        }
        Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef | Type::Break => None,
        _ => return decoder.skip(),
    };
    for _ in 0..items.ok_or_else(refused)? {
        nested(decoder, depth)?;
    }
    Ok(())
}
