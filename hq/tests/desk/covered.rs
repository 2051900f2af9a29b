//! Signing a segment as a device does, with any key and any header.

use amparo_schema::wire::segment::SIGN_CONTEXT;
use amparo_schema::wire::signed::Payload;

/// What the signature of a segment covers, to be signed by another.
pub(crate) struct Covered(pub(crate) Vec<u8>);

impl<C> minicbor::Encode<C> for Covered {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.writer_mut().write_all(&self.0).map_err(minicbor::encode::Error::write)
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Covered {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(Self(d.input().to_vec()))
    }
}

impl Payload for Covered {
    const CONTEXT: &'static [u8] = SIGN_CONTEXT;
}
