//! Runs of feeds: one entry, one transaction, one step of the cursor.
//!
//! Pages are not signed. Their links chain them to the cursor, and a wrong one shows at the next pull, when
//! headquarters does not know the cursor; then all is read again, and what is known already changes nothing.

use amparo_schema::limits::REASON_CHARS_MAX;
use amparo_schema::text::fits;
use amparo_schema::wire::enrol::Enrolment;
use amparo_schema::wire::feed::{Cursor, Entry, FeedId, Letter, Note, Page};
use amparo_schema::wire::signed::Signed;

use super::outbox::{Arrival, Change, Effect, Outbox, Why};
use super::report::Report;
use super::upload::feeds;
use crate::seal::{VerifyKey, from_bytes, read_letter, unverified};

pub(super) fn page<O: Outbox>(
    outbox: &mut O,
    enrolment: &Enrolment,
    page: &Page,
    report: &mut Report,
) -> Result<(), O::Error> {
    let feed = page.from.feed;
    if !feeds(outbox).contains(&feed) {
        report.unreadable = report.unreadable.saturating_add(1);
        return Ok(());
    }
    let mut at = outbox.cursor(feed)?;
    let Some(skip) = meeting(page, &at) else {
        if page.from != Cursor::start(feed) {
            report.unreadable = report.unreadable.saturating_add(1);
            return Ok(());
        }
        if outbox.apply(Change::Rewind { from: at })? == Effect::Overtaken {
            return Ok(());
        }
        report.rewound.push(feed);
        at = Cursor::start(feed);
        return entries(outbox, enrolment, page, 0, at, report);
    };
    entries(outbox, enrolment, page, skip, at, report)
}

/// How many entries of the page stand before the cursor, if the page meets it.
fn meeting(page: &Page, at: &Cursor) -> Option<usize> {
    let mut walk = page.from;
    if walk == *at {
        return Some(0);
    }
    for (n, entry) in page.entries.iter().enumerate() {
        walk = walk.after(&entry.0);
        if walk == *at {
            return Some(n.saturating_add(1));
        }
    }
    None
}

fn entries<O: Outbox>(
    outbox: &mut O,
    enrolment: &Enrolment,
    page: &Page,
    skip: usize,
    mut at: Cursor,
    report: &mut Report,
) -> Result<(), O::Error> {
    report.answered();
    for entry in page.entries.iter().skip(skip) {
        let to = at.after(&entry.0);
        let decoded = from_bytes::<Entry>(&entry.0);
        let arrival = match &decoded {
            Ok(entry) => arrival(outbox, enrolment, at.feed, entry)?,
            Err(_) => Arrival::Aside(Why::Unknown),
        };
        let effect = outbox.apply(Change::Entry { from: at, to, entry: &entry.0, arrival })?;
        report.count(effect);
        if effect == Effect::Overtaken {
            return Ok(());
        }
        at = to;
    }
    if page.head > at.read {
        report.unread.push(at.feed);
    }
    Ok(())
}

/// What an entry is to this device, verified as far as can be done without a store.
fn arrival<'a, O: Outbox>(
    outbox: &O,
    enrolment: &Enrolment,
    feed: FeedId,
    entry: &'a Entry,
) -> Result<Arrival<'a>, O::Error> {
    let packs = feed == FeedId::packs();
    Ok(match entry {
        Entry::Letter(letter) if !packs => self::letter(outbox, letter)?,
        Entry::Revoked(revocation) if !packs => {
            match VerifyKey::from(enrolment.headquarters.key).open_object(revocation) {
                Err(_) => Arrival::Aside(Why::Signature),
                Ok(revocation) if revocation.device != outbox.device() => Arrival::Aside(Why::OtherDevice),
                Ok(revocation) => Arrival::Revoked(revocation),
            }
        }
        Entry::Pack(bytes) if packs => Arrival::Pack(bytes),
        _ => Arrival::Aside(Why::Unknown),
    })
}

/// A letter, opened; its author must be the agency in whose name it speaks.
pub(crate) fn letter<'a, O: Outbox>(outbox: &O, letter: &Signed<Letter>) -> Result<Arrival<'a>, O::Error> {
    let Ok(named) = unverified(letter) else { return Ok(Arrival::Aside(Why::Unknown)) };
    if named.device != outbox.device() {
        return Ok(Arrival::Aside(Why::OtherDevice));
    }
    let key = VerifyKey::from(named.author);
    if key.open_object(letter).is_err() {
        return Ok(Arrival::Aside(Why::Signature));
    }
    let Some(author) = outbox.agency(&named.author)? else { return Ok(Arrival::Aside(Why::Stranger)) };
    let Ok(note) = read_letter(letter, &key, outbox.device(), outbox.letter_secret()) else {
        return Ok(Arrival::Aside(Why::Letter));
    };
    match &note {
        // An agency checks what it writes; one that does not may not put false lines before an official.
        Note::FollowUp { from, text, .. } if *from != author || !fits(text, REASON_CHARS_MAX) => {
            Ok(Arrival::Aside(Why::Letter))
        }
        _ => Ok(Arrival::Letter { id: named.id, author, note }),
    }
}
