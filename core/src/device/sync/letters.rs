//! Letters that were taken, applied to what they are about.
//!
//! An answer moves its referral by a fact like any other, under the same rules; the move is legal only once, so a
//! crash between the fact and its mark costs nothing. Letters come in any order, and an agency may answer what was
//! only offered yet: an answer to which the referral can still come waits until it has, or never can any more.

use amparo_schema::fact::{Body, ReferralState};
use amparo_schema::id::{CaseId, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::recipients::RecipientRole;
use amparo_schema::wire::feed::{Entry, Note};

use super::disclose::recipients;
use super::outbox::{StoreOutbox, number};
use crate::device::{Device, Error};
use crate::referral::next;
use crate::seal::{from_bytes, to_bytes};
use crate::store::feed::{LetterRow, LetterState};
use crate::store::referral::ReferralRow;
use crate::store::screening::State;
use crate::store::{self, StoreError};
use crate::sync::{Arrival, Why, letter};

/// Letters applied, or tried again, at once.
const AT_ONCE: u32 = 1_000;

/// Something that an agency asks to be done about a case. `Debug` does not show what.
#[derive(Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// The letter.
    pub letter: [u8; 16],
    /// The agency, by its id in the recipients pack.
    pub from: Name,
    /// The case, by which a stub is found even when what was said is purged.
    pub case: CaseId,
    /// The code of the case; none if this device does not know the case.
    pub code: Option<String>,
    /// The screening, if it is about one.
    pub screening: Option<ScreeningId>,
    /// What to do.
    pub text: String,
    /// Until when, milliseconds since 1970.
    pub due_ms: Option<i64>,
    /// When it came, milliseconds since 1970 by the phone's clock.
    pub taken_ms: i64,
}

impl std::fmt::Debug for FollowUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FollowUp").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Device {
    /// Applies every letter that was taken and not applied; returns how many moved something. One that waits may
    /// follow from one that came after it: while letters move something, those that wait are asked again.
    pub(super) fn apply_letters(&self) -> Result<u64, Error> {
        let mut applied = 0_u64;
        loop {
            let new = self.store.read(|rows| store::feed::letters(rows, Some(LetterState::New), AT_ONCE))?;
            let (mut moved, mut waiting) = (0_u64, false);
            for letter in new.iter().rev() {
                let done = match self.apply_letter(letter) {
                    Ok(done) => done,
                    Err(error @ (Error::Store(_) | Error::NoEntropy(_))) => return Err(error),
                    // It stays listed; what it asks is not possible here.
                    Err(_) => Done::Never,
                };
                let state = match done {
                    Done::Moved => LetterState::Applied,
                    Done::Never => LetterState::Idle,
                    Done::NotYet => {
                        waiting = true;
                        continue;
                    }
                };
                self.store.write(|tx| store::feed::set_letter(tx, &letter.id, state))?;
                moved = moved.saturating_add(u64::from(done == Done::Moved));
            }
            applied = applied.saturating_add(moved);
            if moved == 0 || !waiting {
                return Ok(applied);
            }
        }
    }

    fn apply_letter(&self, letter: &LetterRow) -> Result<Done, Error> {
        let Ok(note) = from_bytes::<Note>(&letter.note) else { return Ok(Done::Never) };
        match note {
            Note::FollowUp { .. } => Ok(Done::Moved),
            Note::ReferralAnswered { referral, state, reason } => {
                self.referral_answered(&letter.author, referral, state, reason)
            }
        }
    }

    fn referral_answered(
        &self,
        author: &str,
        referral: ReferralId,
        state: ReferralState,
        reason: Option<String>,
    ) -> Result<Done, Error> {
        let Some(answer) = answer_number(state) else { return Ok(Done::Never) };
        let Some(row) = self.store.read(|rows| store::referral::by_id(rows, referral))? else {
            return Ok(Done::Never);
        };
        if !self.answers_for(author, &row)? {
            return Ok(Done::Never);
        }
        let screening = self.store.read(|rows| store::screening::by_id(rows, row.screening))?;
        let purged = screening.is_some_and(|row| row.state == State::Purged);
        if !purged {
            let body = Body::ReferralMoved { referral, to: state, reason };
            let waits = self.work(row.screening, |session| {
                let stands = session.screening.referrals.get(referral).map(|held| held.state);
                if stands.is_some_and(|from| !next(from).contains(&state) && comes_to(from, state)) {
                    return Ok(true);
                }
                self.add(session, body).map(|_| false)
            })?;
            if waits {
                return Ok(Done::NotYet);
            }
        } else if row.answer.and_then(answered).is_some_and(|from| !next(from).contains(&state)) {
            // Of what was purged the last answer alone is known.
            return Ok(Done::Never);
        }
        self.store.write(|tx| store::referral::answer(tx, referral, answer))?;
        Ok(Done::Moved)
    }

    /// Whether an agency may answer a referral: it answers for its service, or keeps the case.
    fn answers_for(&self, author: &str, referral: &ReferralRow) -> Result<bool, Error> {
        let rows = self.pack_rows()?;
        let packs = rows.iter().filter(|row| row.current);
        for row in packs.filter(|row| row.header.kind == amparo_schema::pack::Kind::Recipients) {
            let pack = self.pack(&row.pack)?;
            let mut named = recipients(&pack).into_iter().flat_map(|all| &all.recipients);
            let may = named.any(|recipient| {
                let service = recipient.services.iter().any(|s| s.as_str() == referral.service);
                recipient.id.as_str() == author && (service || recipient.role == RecipientRole::Custodian)
            });
            if may {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tries letters again whose author was not known when they came.
    pub(super) fn retry_strangers(&self) -> Result<(), Error> {
        let stranger = number(Why::Stranger);
        let kept = self.store.read(|rows| store::feed::aside(rows, Some(stranger), AT_ONCE))?;
        if kept.is_empty() {
            return Ok(());
        }
        let outbox = StoreOutbox::new(self)?;
        for aside in kept {
            let Ok(Entry::Letter(signed)) = from_bytes::<Entry>(&aside.bytes) else { continue };
            let Arrival::Letter { id, author, note } = letter(&outbox, &signed)? else { continue };
            let row = LetterRow {
                id,
                author: author.as_str().to_owned(),
                note: to_bytes(&note)?,
                taken_ms: aside.kept_ms,
                state: LetterState::New,
            };
            self.store.write(|tx| {
                store::feed::take_letter(tx, &row)?;
                store::feed::drop_aside(tx, aside.row)
            })?;
        }
        Ok(())
    }

    /// What agencies ask to be done, newest first, at most `limit`.
    pub(super) fn follow_ups(&self, limit: u32) -> Result<Vec<FollowUp>, Error> {
        self.store
            .read(|rows| {
                let letters = store::feed::letters(rows, Some(LetterState::Applied), limit)?;
                let mut follow_ups = Vec::new();
                for row in letters {
                    let Ok(Note::FollowUp { case, screening, from, text, due_ms }) = from_bytes(&row.note)
                    else {
                        continue;
                    };
                    let code = store::case::by_id(rows, case)?.map(|case| case.code);
                    let (letter, taken_ms) = (row.id, row.taken_ms);
                    follow_ups.push(FollowUp { letter, from, case, code, screening, text, due_ms, taken_ms });
                }
                Ok::<_, StoreError>(follow_ups)
            })
            .map_err(Error::from)
    }
}

/// What a letter did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// It was applied.
    Moved,
    /// It may be possible later.
    NotYet,
    /// It is not possible here, and will not be.
    Never,
}

/// Whether a referral that stands at `from` can ever come to `to`, by whatever moves.
fn comes_to(from: ReferralState, to: ReferralState) -> bool {
    let mut seen = vec![from];
    let mut at = 0;
    while let Some(state) = seen.get(at).copied() {
        if next(state).contains(&to) {
            return true;
        }
        seen.extend(next(state).iter().filter(|state| !seen.contains(state)).copied().collect::<Vec<_>>());
        at += 1;
    }
    false
}

/// The states in which an agency answers, by their numbers in the store, which are those of CBOR.
fn answer_number(state: ReferralState) -> Option<u32> {
    match state {
        ReferralState::Accepted => Some(3),
        ReferralState::Rejected => Some(4),
        ReferralState::Done => Some(5),
        ReferralState::Offered
        | ReferralState::Declined
        | ReferralState::Sent
        | ReferralState::Revoked
        | ReferralState::Overdue => None,
    }
}

/// The answer with this number.
fn answered(number: u32) -> Option<ReferralState> {
    let answers = [ReferralState::Accepted, ReferralState::Rejected, ReferralState::Done];
    answers.into_iter().find(|state| answer_number(*state) == Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand from the table of moves in DOMAIN: declined, rejected, done and revoked are ends.
    #[test]
    fn what_can_still_be_answered() {
        use ReferralState::{Accepted, Declined, Done, Offered, Overdue, Rejected, Revoked, Sent};
        for to in [Accepted, Rejected, Done] {
            for from in [Offered, Sent, Overdue] {
                assert!(comes_to(from, to), "{from:?} {to:?}");
            }
            for from in [Declined, Rejected, Done, Revoked] {
                assert!(!comes_to(from, to), "{from:?} {to:?}");
            }
        }
        assert!(comes_to(Accepted, Done) && comes_to(Accepted, Rejected) && !comes_to(Accepted, Accepted));
    }
}
