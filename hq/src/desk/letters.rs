//! Answers to referrals and follow-ups, as signed letters.
//!
//! Owns what may be answered: a referral that this desk may read, that is to a service of its own, and that is
//! not over. Never sends anything;
//! the letter is kept in the store before it is given out, so that what left can always be said.

use amparo_schema::fact::ReferralState;
use amparo_schema::id::{CaseId, DeviceId, ReferralId, ScreeningId};
use amparo_schema::limits::REASON_CHARS_MAX;
use amparo_schema::text::is_deceptive;
use amparo_schema::wire::feed::{Letter, Note};
use amparo_schema::wire::signed::Signed;
use amparo_seal::random::Entropy;
use amparo_seal::{PublicKey, unverified, write_letter};

use super::store::{NewLetter, Sent};
use super::view::ReferralView;
use super::{Desk, DeskError};

/// An answer to a referral. `Debug` does not show why.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The service takes the person.
    Accepted,
    /// It cannot, for this reason, at most `REASON_CHARS_MAX` characters.
    Rejected {
        /// Why.
        reason: String,
    },
    /// What the referral was for is done.
    Done,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Accepted => "Accepted",
            Self::Rejected { .. } => "Rejected(..)",
            Self::Done => "Done",
        })
    }
}

/// Something to do about a case. `Debug` does not show what.
#[derive(Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// The case.
    pub case: CaseId,
    /// The screening, if it is about one.
    pub screening: Option<ScreeningId>,
    /// What to do, at most `REASON_CHARS_MAX` characters.
    pub text: String,
    /// Until when, milliseconds since 1970.
    pub due_ms: Option<i64>,
}

impl std::fmt::Debug for FollowUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FollowUp").field("case", &self.case).finish_non_exhaustive()
    }
}

impl Desk {
    /// Answers a referral of a case: a letter to the device that offered it. `now_ms` is the desk's clock.
    ///
    /// # Errors
    /// [`DeskError::NoCase`], [`DeskError::NoReferral`], [`DeskError::NotOurs`] where the service is known and
    /// the desk's are too, [`DeskError::Over`], [`DeskError::NotAccepted`], [`DeskError::Words`], [`DeskError::Seal`], those of the store; nothing was written then.
    pub fn answer(
        &mut self,
        case: CaseId,
        referral: ReferralId,
        answer: &Answer,
        now_ms: i64,
        entropy: &dyn Entropy,
    ) -> Result<Signed<Letter>, DeskError> {
        let view = self.case(case, now_ms)?;
        let found = view.referrals.iter().find(|r| r.referral == referral).ok_or(DeskError::NoReferral)?;
        let services = &self.keys.services;
        let to = found.contact.as_ref().map(|contact| &contact.service);
        if to.is_some_and(|to| !services.is_empty() && !services.contains(to)) {
            return Err(DeskError::NotOurs);
        }
        let (state, reason) = allowed(found, answer)?;
        let note = Note::ReferralAnswered { referral, state, reason };
        let sent =
            Sent { case, screening: found.screening, answer: Some((referral, state)), written_ms: now_ms };
        self.write(&note, found.device, sent, entropy)
    }

    /// Asks for something about a case, of each device that screened the person; with a screening, of those
    /// that held it. One letter for each.
    ///
    /// # Errors
    /// [`DeskError::NoCase`] also when none of it may be read, [`DeskError::Words`], [`DeskError::Seal`], those
    /// of the store. Letters before the one that failed are kept.
    pub fn follow_up(
        &mut self,
        asked: &FollowUp,
        now_ms: i64,
        entropy: &dyn Entropy,
    ) -> Result<Vec<Signed<Letter>>, DeskError> {
        check_words(&asked.text)?;
        let view = self.case(asked.case, now_ms)?;
        let meant = |id| asked.screening.is_none_or(|screening| screening == id);
        let screenings = view.screenings.iter().filter(|s| meant(s.screening));
        let devices: std::collections::BTreeSet<DeviceId> =
            screenings.flat_map(|s| &s.opened).map(|side| side.author.device).collect();
        if devices.is_empty() {
            return Err(DeskError::NoCase);
        }
        let note = Note::FollowUp {
            case: asked.case,
            screening: asked.screening,
            from: self.keys.agency.clone(),
            text: asked.text.clone(),
            due_ms: asked.due_ms,
        };
        let sent = Sent { case: asked.case, screening: asked.screening, answer: None, written_ms: now_ms };
        devices.into_iter().map(|device| self.write(&note, device, sent.clone(), entropy)).collect()
    }

    fn write(
        &mut self,
        note: &Note,
        device: DeviceId,
        sent: Sent,
        entropy: &dyn Entropy,
    ) -> Result<Signed<Letter>, DeskError> {
        let tx = self.store.begin()?;
        let key = tx.letter_key(device)?.ok_or(DeskError::Damaged("certificate"))?;
        let signed = write_letter(note, device, &PublicKey::from(key), &self.keys.sign, entropy)?;
        let id = unverified(&signed).map_err(|_| DeskError::Damaged("letter"))?.id;
        tx.keep_letter(&NewLetter { id, sent, signed: &signed })?;
        tx.commit()?;
        Ok(signed)
    }
}

/// Whether this answer may follow what is known of the referral. A referral that was only offered may be
/// answered: its sending is often told after its answer.
fn allowed(view: &ReferralView, answer: &Answer) -> Result<(ReferralState, Option<String>), DeskError> {
    use ReferralState::{Accepted, Declined, Done, Rejected, Revoked};
    if matches!(view.state, Declined | Revoked | Rejected | Done) {
        return Err(DeskError::Over);
    }
    match answer {
        Answer::Accepted => Ok((Accepted, None)),
        Answer::Rejected { reason } => {
            check_words(reason)?;
            Ok((Rejected, Some(reason.clone())))
        }
        Answer::Done if view.state == Accepted => Ok((Done, None)),
        Answer::Done => Err(DeskError::NotAccepted),
    }
}

fn check_words(words: &str) -> Result<(), DeskError> {
    let fits = !words.trim().is_empty() && words.chars().count() <= REASON_CHARS_MAX;
    if fits && !words.chars().any(is_deceptive) { Ok(()) } else { Err(DeskError::Words) }
}
