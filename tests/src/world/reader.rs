//! An agency of the world: keeps a cursor and what it opened, together.

use std::collections::{BTreeMap, BTreeSet};

use amparo_core::seal::{PublicKey, SecretKey, Signer, VerifyKey, from_bytes, open};
use amparo_schema::fact::{Body, Fact};
use amparo_schema::id::Hash;
use amparo_schema::wire::enrol::Certificate;
use amparo_schema::wire::feed::{Cursor, Entry, FeedId, Page};
use amparo_schema::wire::segment::Segment;

/// A reader. A clone of it is what it had before it crashed.
#[derive(Clone)]
pub(super) struct Reader {
    /// Its number, from which its keys are made.
    pub(super) number: u8,
    /// How far it is.
    pub(super) cursor: Cursor,
    /// Marks it has seen, by segment; none for what was withdrawn.
    pub(super) seen: BTreeMap<Hash, Option<BTreeSet<Hash>>>,
    /// Times that the feed began again.
    pub(super) rewound: u32,
}

impl Reader {
    /// A new one.
    #[must_use]
    pub(super) fn new(number: u8) -> Self {
        let feed = FeedId::recipient(secret(number).public().id());
        Self { number, cursor: Cursor::start(feed), seen: BTreeMap::new(), rewound: 0 }
    }

    /// Its key for grants.
    #[must_use]
    pub(super) fn key(&self) -> PublicKey {
        secret(self.number).public()
    }

    /// Its key for pulls and letters.
    #[must_use]
    pub(super) fn signer(&self) -> Signer {
        Signer::from_seed(&[self.number.wrapping_add(100); 32])
    }

    /// Takes a page. Gives the segments that were in it.
    ///
    /// # Errors
    /// What was wrong with it.
    pub(super) fn take(&mut self, page: &Page, hq: &VerifyKey) -> Result<Vec<Hash>, String> {
        if page.from != self.cursor {
            if page.from != Cursor::start(self.cursor.feed) {
                return Err("a page from nowhere".into());
            }
            self.rewound += 1;
            // Headquarters lost something, perhaps a withdrawal: nothing counts until it is given again.
            self.seen.values_mut().for_each(|marks| *marks = None);
        }
        let mut cursor = page.from;
        let mut given = Vec::new();
        for entry in &page.entries {
            cursor = cursor.after(&entry.0);
            match from_bytes(&entry.0).map_err(|why| format!("an entry that is none: {why}"))? {
                Entry::Sealed { segment, grant, certificate } => {
                    let certificate: Certificate =
                        hq.open_object(&certificate).map_err(|why| format!("certificate: {why}"))?;
                    let author = VerifyKey::from(certificate.key);
                    let plain = open(&segment, &grant, &secret(self.number), &author)
                        .map_err(|why| format!("a segment that does not open: {why}"))?;
                    let marks = plain.events.iter().filter_map(|event| mark(&event.fact)).collect();
                    self.seen.insert(grant.segment, Some(marks));
                    given.push(grant.segment);
                }
                Entry::Withdrawn { segment } => {
                    self.seen.insert(segment, None);
                }
                other => return Err(format!("an entry that is not for a reader: {other:?}")),
            }
        }
        self.cursor = cursor;
        Ok(given)
    }
}

fn secret(number: u8) -> SecretKey {
    SecretKey::new(&[number.wrapping_add(1); 32])
}

fn mark(fact: &[u8]) -> Option<Hash> {
    match from_bytes::<Fact>(fact).ok()?.body {
        Body::OutcomeRecorded { assessment, .. } => Some(assessment),
        _ => None,
    }
}

/// The header hash of an encoded segment.
#[must_use]
pub(super) fn hash_of(segment: &[u8]) -> Option<Hash> {
    let segment: Segment = from_bytes(segment).ok()?;
    Some(segment.hash())
}
