//! Segments: taken, chained, disputed, erased.
//!
//! Owns the one chain of each incarnation. A number is chained only after the one before it, by its hash;
//! what comes early waits in its place and may be delivered; what does not fit is kept aside and told.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::limits::{PENDING_SEGMENTS_MAX, SEGMENT_BYTES_MAX};
use amparo_schema::wire::push::{Frame, Refusal};
use amparo_schema::wire::segment::{Header, Segment};
use amparo_seal::{OpenError, VerifyKey, from_bytes, inspect, to_bytes};

use super::RelayError;
use super::aside::{Claim, Put};
use super::exchange::Taken;
use super::log::Action;
use super::work::{Head, Where, Work, decoded, named_key};
use crate::storage::{Chain, Landed, Place, Segment as Stored, Shelf, Standing, StorageError};

/// What is kept of an erased segment: as much as its signature and its place in the chain cover.
#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(array)]
struct Erased {
    #[cbor(n(0), with = "minicbor::bytes")]
    header: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: Vec<u8>,
    #[n(2)]
    ciphertext_sha256: Hash,
}

impl Work<'_> {
    /// Takes a segment; `frame` is the frame that holds it. `released` when a person lets a revoked device's
    /// facts in.
    pub(super) fn take_segment(
        &mut self,
        frame: &[u8],
        bytes: &[u8],
        released: bool,
    ) -> Result<Taken, RelayError> {
        if bytes.len() > SEGMENT_BYTES_MAX {
            return Ok(Taken::Refused(Refusal::TooLarge));
        }
        let claimed = from_bytes::<Segment>(bytes).and_then(|s| from_bytes::<Header>(&s.header));
        let Ok(claimed) = claimed else { return self.aside(frame, Claim::NONE, Refusal::Form) };
        let Some(device) = self.device(claimed.device)? else {
            return self.aside(frame, Claim::Unproven(claimed.device), Refusal::Stranger);
        };
        let claim = Claim::Proven(claimed.device);
        let (header, hash) = match inspect(bytes, &device.verify_key()) {
            Ok(inspected) => inspected,
            Err(OpenError::Version) => return self.aside(frame, claim, Refusal::Newer),
            Err(_) => return Ok(Taken::Refused(Refusal::Signature)),
        };
        if device.revoked.is_some() && !released {
            return self.aside(frame, claim, Refusal::Revoked);
        }
        self.place(frame, bytes, &header, hash, &device.verify_key())
    }

    fn place(
        &mut self,
        frame: &[u8],
        bytes: &[u8],
        header: &Header,
        hash: Hash,
        key: &VerifyKey,
    ) -> Result<Taken, RelayError> {
        let chain = Chain { device: header.device, incarnation: header.incarnation };
        let at = chain.at(header.number);
        let mut head = self.head(chain, key)?;
        if let Some(there) = self.tx.segment(at)? {
            if there.hash == hash {
                return Ok(Taken::Kept);
            }
            return self.fork(frame, at, Some(&there));
        }
        if header.number >= head.next.saturating_add(PENDING_SEGMENTS_MAX) {
            return Ok(Taken::Later);
        }
        if header.number == head.next && header.previous != head.hash {
            return self.fork(frame, at, None);
        }
        let leaf = self.log_segment(hash)?;
        let segment = Stored { hash, previous: header.previous, leaf, standing: Standing::Sound };
        self.tx.put_segment(at, &segment, bytes)?;
        let place = Where { incarnation: chain.incarnation, number: at.number };
        self.put(&named_key(chain.device, &hash), &place)?;
        self.land(
            chain.device,
            hash,
            Some(Landed { incarnation: chain.incarnation, number: at.number, leaf }),
        )?;
        if at.number == head.next {
            head.next += 1;
            head.hash = hash;
            self.catch_up(chain, &mut head)?;
            self.put_head(chain, &head)?;
        }
        Ok(Taken::Kept)
    }

    /// Chains what waited. One that does not fit goes aside; its place waits for the one that does.
    fn catch_up(&mut self, chain: Chain, head: &mut Head) -> Result<(), RelayError> {
        while let Some(waiting) = self.tx.segment(chain.at(head.next))? {
            if waiting.previous != head.hash {
                let at = chain.at(head.next);
                let bytes = self.tx.body(at)?.ok_or(StorageError::Damaged("segment"))?;
                let frame = to_bytes(&Frame::Segment(bytes)).map_err(|_| RelayError::Encoding)?;
                self.lay_aside(&frame, Claim::Proven(chain.device), Refusal::Fork)?;
                self.alarm(at)?;
                self.tx.remove_segment(at)?;
                self.tx.remove_record(Shelf::Name, &named_key(chain.device, &waiting.hash))?;
                self.land(chain.device, waiting.hash, None)?;
                return Ok(());
            }
            head.next += 1;
            head.hash = waiting.hash;
        }
        Ok(())
    }

    /// Keeps a second claim to a number aside, holds back the first, and raises the alarm, once. A claim that lies
    /// aside already changes nothing: a person may have looked at both and released the first.
    fn fork(&mut self, frame: &[u8], at: Place, first: Option<&Stored>) -> Result<Taken, RelayError> {
        let claim = Claim::Proven(at.chain.device);
        let put = self.put_aside(frame, claim, Refusal::Fork)?;
        let sound = first.filter(|first| put != Put::Again && first.standing == Standing::Sound);
        if let Some(first) = sound {
            self.tx.put_standing(at, Standing::Disputed)?;
            self.settle_all(at.chain.device, first.hash)?;
        }
        // One for which there is no room leaves no other trace.
        if put == Put::New || sound.is_some() {
            self.alarm(at)?;
        }
        Ok(put.taken(claim, Refusal::Fork))
    }

    /// Raises the alarm about a number.
    pub(super) fn alarm(&mut self, Place { chain, number }: Place) -> Result<(), RelayError> {
        let Chain { device, incarnation } = chain;
        self.log_action(Action::Fork { device, incarnation, number }).map(drop)
    }

    /// A segment by its header hash.
    pub(super) fn named(
        &mut self,
        device: DeviceId,
        hash: &Hash,
    ) -> Result<Option<(Place, Stored)>, RelayError> {
        let Some(place) = self.get::<Where>(&named_key(device, hash))? else { return Ok(None) };
        let at = Chain { device, incarnation: place.incarnation }.at(place.number);
        Ok(self.tx.segment(at)?.map(|stored| (at, stored)))
    }

    /// Lets what is disputed of a device be delivered again.
    pub(super) fn undispute(&mut self, device: DeviceId) -> Result<(), RelayError> {
        let mut after = Vec::new();
        loop {
            let names = self.tx.records(Shelf::Name, &device.0, &after, 64)?;
            let Some((last, _)) = names.last() else { return Ok(()) };
            after.clone_from(last);
            for (_, bytes) in names {
                let place: Where = decoded(&bytes)?;
                let at = Chain { device, incarnation: place.incarnation }.at(place.number);
                let Some(stored) = self.tx.segment(at)? else { continue };
                if stored.standing == Standing::Disputed {
                    self.tx.put_standing(at, Standing::Sound)?;
                    self.settle_all(device, stored.hash)?;
                }
            }
        }
    }

    /// Erases ciphertext and grants; header, signature and log stay, and the hash that links them.
    pub(super) fn erase(&mut self, device: DeviceId, hash: &Hash) -> Result<(), RelayError> {
        let Some((at, stored)) = self.named(device, hash)? else { return Err(RelayError::UnknownSegment) };
        if stored.standing == Standing::Erased {
            return Ok(());
        }
        let bytes = self.tx.body(at)?.ok_or(StorageError::Damaged("segment"))?;
        let segment: Segment = from_bytes(&bytes).map_err(|_| RelayError::Damaged)?;
        let ciphertext_sha256 = segment.ciphertext_sha256();
        let rest = Erased { header: segment.header, signature: segment.signature, ciphertext_sha256 };
        let bytes = to_bytes(&rest).map_err(|_| RelayError::Encoding)?;
        self.tx.put_segment(at, &Stored { standing: Standing::Erased, ..stored }, &bytes)?;
        self.settle_all(device, *hash)?;
        self.log_action(Action::Erased { segment: *hash })?;
        Ok(())
    }
}
