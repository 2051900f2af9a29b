//! Letters that this desk wrote.

use amparo_schema::fact::ReferralState;
use amparo_schema::id::{CaseId, ReferralId, ScreeningId};
use amparo_schema::wire::feed::Letter;
use amparo_schema::wire::signed::Signed;
use amparo_seal::{from_bytes, to_bytes};
use rusqlite::params;
use serde::Serialize;

use super::{Tx, bytes};
use crate::desk::DeskError;

/// A letter to be kept.
pub(in crate::desk) struct NewLetter<'a> {
    /// Its id.
    pub(in crate::desk) id: [u8; 16],
    /// What it is about.
    pub(in crate::desk) sent: Sent,
    /// The letter.
    pub(in crate::desk) signed: &'a Signed<Letter>,
}

/// Which letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::desk) enum Which {
    /// Every one.
    All,
    /// Those that headquarters does not have yet.
    Waiting,
}

/// A letter as it was written.
pub(in crate::desk) struct Kept {
    /// Its id.
    pub(in crate::desk) id: [u8; 16],
    /// The referral that it answers; none for a follow-up.
    pub(in crate::desk) referral: Option<ReferralId>,
    /// The letter.
    pub(in crate::desk) letter: Signed<Letter>,
}

/// What is remembered of a letter; its words went sealed to the device and are not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Sent {
    /// The case.
    pub case: CaseId,
    /// The screening, if it is about one.
    pub screening: Option<ScreeningId>,
    /// The referral and what was answered; none for a follow-up.
    pub answer: Option<(ReferralId, ReferralState)>,
    /// When, milliseconds since 1970 by the desk's clock.
    pub written_ms: i64,
}

impl Tx<'_> {
    /// Keeps a letter.
    pub(in crate::desk) fn keep_letter(&self, new: &NewLetter<'_>) -> Result<(), DeskError> {
        let sent = &new.sent;
        self.0.execute(
            "INSERT INTO letter (id, case_id, screening, referral, state, written_ms, signed, posted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
            params![
                &new.id[..],
                &sent.case.0[..],
                sent.screening.map(|id| id.0.to_vec()),
                sent.answer.map(|(id, _)| id.0.to_vec()),
                sent.answer.map(|(_, state)| state_code(state)),
                sent.written_ms,
                to_bytes(new.signed)?,
            ],
        )?;
        Ok(())
    }

    /// What was written about a case, in the order of writing: a clock may step back between two letters.
    pub(in crate::desk) fn sent(&self, case: CaseId) -> Result<Vec<Sent>, DeskError> {
        let mut found = self.0.prepare_cached(
            "SELECT screening, referral, state, written_ms FROM letter
             WHERE case_id = ?1 ORDER BY number",
        )?;
        let mut rows = found.query([&case.0[..]])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let screening: Option<Vec<u8>> = row.get(0)?;
            let referral: Option<Vec<u8>> = row.get(1)?;
            let answer = match (referral, row.get::<_, Option<i64>>(2)?) {
                (Some(id), Some(code)) => Some((ReferralId(bytes(id, "referral")?), state(code)?)),
                _ => None,
            };
            let screening = screening.map(|id| bytes(id, "screening").map(ScreeningId)).transpose()?;
            out.push(Sent { case, screening, answer, written_ms: row.get(3)? });
        }
        Ok(out)
    }

    /// Letters with their ids, oldest first.
    pub(in crate::desk) fn letters(&self, which: Which) -> Result<Vec<Kept>, DeskError> {
        let mut found = self
            .0
            .prepare_cached("SELECT id, signed, referral FROM letter WHERE posted <= ?1 ORDER BY number")?;
        let mut rows = found.query([which == Which::All])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let signed: Vec<u8> = row.get(1)?;
            let letter = from_bytes(&signed).map_err(|_| DeskError::Damaged("letter"))?;
            let referral: Option<Vec<u8>> = row.get(2)?;
            let referral = referral.map(|id| bytes(id, "referral").map(ReferralId)).transpose()?;
            out.push(Kept { id: bytes(row.get(0)?, "letter")?, referral, letter });
        }
        Ok(out)
    }

    /// Notes that headquarters has a letter, or will never take it.
    pub(in crate::desk) fn put_to_rest(&self, id: [u8; 16]) -> Result<(), DeskError> {
        self.0.execute("UPDATE letter SET posted = 1 WHERE id = ?1", [&id[..]])?;
        Ok(())
    }

    /// Headquarters may have lost letters: all of them wait again. It takes each once.
    pub(in crate::desk) fn post_again(&self) -> Result<(), DeskError> {
        self.0.execute("UPDATE letter SET posted = 0 WHERE posted <> 0", [])?;
        Ok(())
    }
}

fn state_code(state: ReferralState) -> i64 {
    match state {
        ReferralState::Offered => 0,
        ReferralState::Declined => 1,
        ReferralState::Sent => 2,
        ReferralState::Accepted => 3,
        ReferralState::Rejected => 4,
        ReferralState::Done => 5,
        ReferralState::Revoked => 6,
        ReferralState::Overdue => 7,
    }
}

fn state(code: i64) -> Result<ReferralState, DeskError> {
    match code {
        3 => Ok(ReferralState::Accepted),
        4 => Ok(ReferralState::Rejected),
        5 => Ok(ReferralState::Done),
        _ => Err(DeskError::Damaged("referral state")),
    }
}
