//! Disclosures: who may read what, as the device says now.
//!
//! Grants are detached from segments, so that the consent known at transmission decides, and a withdrawal
//! stops what has not been delivered yet. Disclosures of one incarnation are numbered without gaps. For one
//! segment and one recipient the highest number decides, whatever the order of arrival; so repeats, detours
//! and old copies change nothing.
//!
//! A segment is named once, and a recipient has one encapsulation for all its keys. What one says has one
//! spelling: it is made so, and anything else is not read.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::decode::{Decoder, Error};
use minicbor::{Decode, Encode};

use super::list::bounded;
use super::segment::Grant;
use super::signed::Payload;
use crate::id::{DeviceId, Hash};

/// What the device discloses, signed by its key. Names at most `DISCLOSURE_GRANTS_MAX` pairs of segment and
/// recipient, each once.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Disclosure {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// The incarnation of its store.
    #[n(1)]
    pub incarnation: u64,
    /// Position among the disclosures of this incarnation, dense from 0.
    #[n(2)]
    pub number: u64,
    /// [`super::segment::header_hash`] of each segment that is named below; ascending.
    #[n(3)]
    segments: Vec<Hash>,
    /// Keys given; ascending.
    #[n(4)]
    shares: Vec<Share>,
    /// What may no longer be delivered; ascending.
    #[n(5)]
    stopped: Vec<Stopped>,
}

impl Payload for Disclosure {
    const CONTEXT: &'static [u8] = b"amparo-disclosure-1";
}

/// The keys that one recipient is given from one encapsulation. Bounds: the bytes that each takes at least.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Share {
    #[cbor(n(0), with = "minicbor::bytes")]
    recipient: [u8; 8],
    #[cbor(n(1), with = "minicbor::bytes")]
    encapsulated: [u8; 32],
    /// At least one; ascending.
    #[cbor(n(2), decode_with = "bounded::<_, _, { usize::MAX }, 52>")]
    keys: Vec<Key>,
}

/// One of them, by the segment's place in the list.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Key {
    #[n(0)]
    at: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    wrapped: [u8; 48],
}

/// A withheld pair, by the segment's place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
struct Stopped {
    #[n(0)]
    at: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    recipient: [u8; 8],
}

/// One segment that one recipient may no longer be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Withheld {
    /// [`super::segment::header_hash`] of the segment.
    pub segment: Hash,
    /// The recipient, as in [`Grant::recipient`].
    pub recipient: [u8; 8],
}

impl Disclosure {
    /// Puts grants and withdrawals into the one spelling. Of a pair that comes twice the first grant stays, and
    /// none if it is withheld too. Past `DISCLOSURE_GRANTS_MAX` pairs headquarters refuses it.
    #[must_use]
    pub fn new(
        (device, incarnation, number): (DeviceId, u64, u64),
        grants: &[Grant],
        withheld: &[Withheld],
    ) -> Self {
        let named = grants.iter().map(|grant| grant.segment).chain(withheld.iter().map(|no| no.segment));
        let segments: Vec<Hash> = named.collect::<BTreeSet<_>>().into_iter().collect();
        let at = |segment: &Hash| {
            let (Ok(at) | Err(at)) = segments.binary_search(segment);
            u32::try_from(at).unwrap_or(u32::MAX)
        };
        let stopped: BTreeSet<_> =
            withheld.iter().map(|no| Stopped { at: at(&no.segment), recipient: no.recipient }).collect();
        let mut said = stopped.clone();
        let mut shares = BTreeMap::<_, BTreeMap<u32, [u8; 48]>>::new();
        for grant in grants {
            let pair = Stopped { at: at(&grant.segment), recipient: grant.recipient };
            if said.insert(pair) {
                let keys = shares.entry((grant.recipient, grant.encapsulated)).or_default();
                keys.insert(pair.at, grant.wrapped);
            }
        }
        let share = |((recipient, encapsulated), keys): (_, BTreeMap<_, _>)| {
            let keys = keys.into_iter().map(|(at, wrapped)| Key { at, wrapped }).collect();
            Share { recipient, encapsulated, keys }
        };
        let shares = shares.into_iter().map(share).collect();
        let stopped = stopped.into_iter().collect();
        Self { device, incarnation, number, segments, shares, stopped }
    }

    /// Keys given, as each recipient gets them: each stands alone.
    pub fn grants(&self) -> impl Iterator<Item = Grant> + '_ {
        self.shares.iter().flat_map(|share| {
            share.keys.iter().filter_map(|key| {
                Some(Grant {
                    segment: self.segment(key.at)?,
                    recipient: share.recipient,
                    encapsulated: share.encapsulated,
                    wrapped: key.wrapped,
                })
            })
        })
    }

    /// What may no longer be delivered.
    pub fn withheld(&self) -> impl Iterator<Item = Withheld> + '_ {
        let withheld =
            |no: &Stopped| Some(Withheld { segment: self.segment(no.at)?, recipient: no.recipient });
        self.stopped.iter().filter_map(withheld)
    }

    /// Pairs named.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.keys().count().saturating_add(self.stopped.len())
    }

    fn keys(&self) -> impl Iterator<Item = Stopped> + '_ {
        let of = |share: &Share, key: &Key| Stopped { at: key.at, recipient: share.recipient };
        self.shares.iter().flat_map(move |share| share.keys.iter().map(move |key| of(share, key)))
    }

    fn segment(&self, at: u32) -> Option<Hash> {
        self.segments.get(usize::try_from(at).ok()?).copied()
    }

    /// Whether it is spelled as [`Disclosure::new`] spells it.
    fn is_in_order(&self) -> bool {
        let named = |share: &Share| (share.recipient, share.encapsulated);
        let keys = |keys: &[Key]| !keys.is_empty() && keys.is_sorted_by(|a, b| a.at < b.at);
        let mut pairs: Vec<Stopped> = self.keys().chain(self.stopped.iter().copied()).collect();
        pairs.sort_unstable();
        let once = pairs.is_sorted_by(|a, b| a < b);
        pairs.dedup_by_key(|pair| pair.at);
        let places = (0_u32..).zip(&self.segments).map(|(at, _)| at);
        self.segments.is_sorted_by(|a, b| a < b)
            && self.shares.is_sorted_by(|a, b| named(a) < named(b))
            && self.shares.iter().all(|share| keys(&share.keys))
            && self.stopped.is_sorted_by(|a, b| a < b)
            && once
            && pairs.iter().map(|pair| pair.at).eq(places)
    }
}

impl<'b, C> Decode<'b, C> for Disclosure {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, Error> {
        let begins = d.position();
        if d.array()? != Some(6) {
            return Err(Error::message("not a disclosure").at(begins));
        }
        let read = Self {
            device: d.decode_with(context)?,
            incarnation: d.u64()?,
            number: d.u64()?,
            segments: bounded::<_, _, { usize::MAX }, 34>(d, context)?,
            shares: bounded::<_, _, { usize::MAX }, 45>(d, context)?,
            stopped: bounded::<_, _, { usize::MAX }, 11>(d, context)?,
        };
        let in_order = read.is_in_order();
        in_order.then_some(read).ok_or_else(|| Error::message("not in its one order").at(begins))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(segment: u8, recipient: u8, encapsulated: u8, wrapped: u8) -> Grant {
        Grant {
            segment: Hash([segment; 32]),
            recipient: [recipient; 8],
            encapsulated: [encapsulated; 32],
            wrapped: [wrapped; 48],
        }
    }

    fn no(segment: u8, recipient: u8) -> Withheld {
        Withheld { segment: Hash([segment; 32]), recipient: [recipient; 8] }
    }

    fn made(grants: &[Grant], withheld: &[Withheld]) -> Disclosure {
        Disclosure::new((DeviceId([1; 16]), 7, 3), grants, withheld)
    }

    fn read(made: &Disclosure) -> Result<Disclosure, Error> {
        minicbor::decode(&minicbor::to_vec(made).unwrap())
    }

    #[test]
    fn what_was_put_in_comes_out_whatever_its_order() {
        let mut state = 20_261_122_u64;
        let mut roll = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 33) % below) as u8
        };
        for _ in 0..2_000 {
            let list: Vec<_> = (0..roll(40)).map(|_| (roll(6), roll(4), roll(3), roll(2) > 0)).collect();
            let given = list.iter().filter(|n| n.3);
            let grants: Vec<Grant> = given.map(|n| grant(n.0, n.1, n.2, n.0 ^ n.1)).collect();
            let withheld: Vec<Withheld> = list.iter().filter(|n| !n.3).map(|n| no(n.0, n.1)).collect();
            let one = made(&grants, &withheld);
            assert_eq!(read(&one).unwrap(), one, "{list:?}");
            // Of each pair the first grant, and none where it is withheld.
            let pair_of = |grant: &Grant| (grant.segment, grant.recipient);
            let mut expected = BTreeMap::new();
            expected.extend(grants.iter().rev().map(|grant| (pair_of(grant), Some(grant.clone()))));
            expected.extend(withheld.iter().map(|no| ((no.segment, no.recipient), None)));
            let mut found = BTreeMap::new();
            found.extend(one.grants().map(|grant| (pair_of(&grant), Some(grant))));
            found.extend(one.withheld().map(|no| ((no.segment, no.recipient), None)));
            assert_eq!((one.pairs(), &found), (expected.len(), &expected), "{list:?}");
            // Each pair once, and the order is nothing.
            let mut grants: Vec<Grant> = one.grants().collect();
            let mut withheld: Vec<Withheld> = one.withheld().collect();
            grants.reverse();
            withheld.reverse();
            assert_eq!(made(&grants, &withheld), one, "{list:?}");
        }
    }

    #[test]
    fn a_second_spelling_is_not_read() {
        let sound = made(&[grant(1, 1, 1, 1), grant(2, 1, 1, 2), grant(2, 2, 2, 3)], &[no(3, 1), no(3, 2)]);
        assert_eq!(read(&sound).unwrap(), sound);
        type Change = fn(&mut Disclosure);
        let changes: [(&str, Change); 14] = [
            ("segments out of order", |d| d.segments.swap(0, 1)),
            ("a segment twice", |d| d.segments[1] = d.segments[0]),
            ("a segment that nothing names", |d| d.segments.push(Hash([9; 32]))),
            ("a key of no segment", |d| d.shares[0].keys[1].at = 3),
            ("a key of a segment far away", |d| d.shares[0].keys[1].at = u32::MAX),
            ("a withheld pair of no segment", |d| d.stopped[1].at = 3),
            ("recipients out of order", |d| d.shares.swap(0, 1)),
            ("an encapsulation twice", |d| {
                let keys = vec![d.shares[0].keys.remove(1)];
                d.shares.insert(1, Share { keys, ..d.shares[0].clone() });
            }),
            ("a recipient without keys", |d| d.shares[0].keys.clear()),
            ("keys out of order", |d| d.shares[0].keys.swap(0, 1)),
            ("a key twice", |d| d.shares[0].keys[1].at = 0),
            ("a pair from two encapsulations", |d| {
                let (keys, encapsulated) = (d.shares[0].keys.clone(), [7; 32]);
                d.shares.insert(1, Share { recipient: [1; 8], encapsulated, keys });
            }),
            ("withheld out of order", |d| d.stopped.swap(0, 1)),
            ("given and withheld", |d| d.stopped[0] = Stopped { at: 1, recipient: [1; 8] }),
        ];
        for (what, change) in changes {
            let mut changed = sound.clone();
            change(&mut changed);
            assert_ne!(changed, sound, "{what}");
            assert!(read(&changed).is_err(), "{what}");
        }
        // Two encapsulations for one recipient are sound, as long as no pair is there twice.
        let two = made(&[grant(1, 1, 1, 1), grant(2, 1, 2, 2)], &[]);
        assert_eq!((two.shares.len(), read(&two).unwrap()), (2, two.clone()));
    }
}
