//! Signed objects: payload bytes with one Ed25519 signature.
//!
//! The signature covers the COSE `Sig_structure` of a `COSE_Sign1` with protected header `{1: -8}`, the
//! payload's [`Payload::CONTEXT`] as external data, and the payload bytes as they stand. Nothing is encoded
//! again to be verified.

use std::marker::PhantomData;

use minicbor::{Decode, Encode};

/// What can be signed, and the context that keeps one kind from passing for another.
pub trait Payload: Encode<()> + for<'b> Decode<'b, ()> {
    /// External data of the signature; no two kinds share one.
    const CONTEXT: &'static [u8];
}

/// A signed object of kind `T`.
#[derive(Encode, Decode)]
#[cbor(array)]
pub struct Signed<T> {
    /// The encoded payload.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub payload: Vec<u8>,
    /// Ed25519 signature, 64 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    #[cbor(skip)]
    kind: PhantomData<fn() -> T>,
}

impl<T> Signed<T> {
    /// Puts payload and signature together; verifies nothing.
    #[must_use]
    pub fn new(payload: Vec<u8>, signature: Vec<u8>) -> Self {
        Self { payload, signature, kind: PhantomData }
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self::new(self.payload.clone(), self.signature.clone())
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        (&self.payload, &self.signature) == (&other.payload, &other.signature)
    }
}

impl<T> Eq for Signed<T> {}

impl<T> std::fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signed({} bytes)", self.payload.len())
    }
}
