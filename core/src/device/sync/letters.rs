//! Letters that were taken, applied to what they are about.
//!
//! An answer moves its referral by a fact like any other, under the same rules; the move is legal only once, so a
//! crash between the fact and its mark costs nothing.

use amparo_schema::fact::{Body, ReferralState};
use amparo_schema::id::{CaseId, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::recipients::RecipientRole;
use amparo_schema::wire::feed::{Entry, Note};

use super::disclose::recipients;
use super::outbox::{StoreOutbox, number};
use crate::device::{Device, Error};
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
    /// Applies every letter that was taken and not applied; returns how many moved something.
    pub(super) fn apply_letters(&self) -> Result<u64, Error> {
        let mut applied = 0_u64;
        let mut new = self.store.read(|rows| store::feed::letters(rows, Some(LetterState::New), AT_ONCE))?;
        new.reverse();
        for letter in new {
            let moved = match self.apply_letter(&letter) {
                Ok(moved) => moved,
                Err(error @ (Error::Store(_) | Error::NoEntropy(_))) => return Err(error),
                // It stays listed; what it asks is not possible here.
                Err(_) => false,
            };
            let state = if moved { LetterState::Applied } else { LetterState::Idle };
            self.store.write(|tx| store::feed::set_letter(tx, &letter.id, state))?;
            applied = applied.saturating_add(u64::from(moved));
        }
        Ok(applied)
    }

    fn apply_letter(&self, letter: &LetterRow) -> Result<bool, Error> {
        let Ok(note) = from_bytes::<Note>(&letter.note) else { return Ok(false) };
        match note {
            Note::FollowUp { .. } => Ok(true),
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
    ) -> Result<bool, Error> {
        let Some(answer) = answer_number(state) else { return Ok(false) };
        let Some(row) = self.store.read(|rows| store::referral::by_id(rows, referral))? else {
            return Ok(false);
        };
        if !self.answers_for(author, &row)? {
            return Ok(false);
        }
        let screening = self.store.read(|rows| store::screening::by_id(rows, row.screening))?;
        let purged = screening.is_some_and(|row| row.state == State::Purged);
        if !purged {
            let body = Body::ReferralMoved { referral, to: state, reason };
            self.work(row.screening, |session| self.add(session, body).map(|_| ()))?;
        }
        self.store.write(|tx| store::referral::answer(tx, referral, answer))?;
        Ok(true)
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
