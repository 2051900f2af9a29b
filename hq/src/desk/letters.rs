//! Answers to referrals and follow-ups, as signed letters.
//!
//! Owns what may be answered (a referral that this desk may read, that is to a service of its own, and that is
//! not over) and in which order letters leave. Never speaks to a network: whoever calls posts each letter. A
//! letter is kept in the store before it is given out, so that what left can always be said.

use std::collections::BTreeSet;

use amparo_schema::fact::ReferralState;
use amparo_schema::id::{CaseId, DeviceId, ReferralId, ScreeningId};
use amparo_schema::limits::REASON_CHARS_MAX;
use amparo_schema::text::is_deceptive;
use amparo_schema::wire::feed::{Letter, Note};
use amparo_schema::wire::signed::Signed;
use amparo_seal::random::Entropy;
use amparo_seal::{PublicKey, unverified, write_letter};

use super::store::{Kept, NewLetter, Sent, Which};
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

/// What a failure to send says of the other letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// Headquarters is not reached: no other would get through.
    Away,
    /// This one waits for the next time.
    Waits,
    /// This one is never taken: its device was revoked.
    ForGood,
}

/// What became of the letters that waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted<E> {
    /// How many were sent.
    pub sent: u64,
    /// Those that were not, by their ids, and why; what waits behind one of them is not here.
    pub failures: Vec<([u8; 16], E)>,
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
        let devices: BTreeSet<DeviceId> =
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

    /// Sends every letter that headquarters does not have, oldest first; `post` hands one over. One that fails
    /// keeps no other back but those on its own referral: a device takes them as they come, and what follows
    /// from an answer must not come before it. What was not sent waits for the next time, unless it is never taken.
    ///
    /// # Errors
    /// Those of the store. What was sent until then is noted.
    pub fn send<E>(
        &mut self,
        mut post: impl FnMut(&Signed<Letter>) -> Result<(), E>,
        failed: impl Fn(&E) -> Failed,
    ) -> Result<Posted<E>, DeskError> {
        let waiting = self.store.look()?.letters(Which::Waiting)?;
        let (mut posted, mut held) = (Posted { sent: 0, failures: Vec::new() }, BTreeSet::new());
        for Kept { id, referral, letter } in waiting {
            if referral.is_some_and(|referral| held.contains(&referral)) {
                continue;
            }
            let done = post(&letter);
            let said = done.as_ref().err().map(&failed);
            posted.sent += u64::from(done.is_ok());
            posted.failures.extend(done.err().map(|why| (id, why)));
            match said {
                Some(Failed::Away) => break,
                Some(Failed::Waits) => held.extend(referral),
                None | Some(Failed::ForGood) => {
                    let tx = self.store.begin()?;
                    tx.put_to_rest(id)?;
                    tx.commit()?;
                }
            }
        }
        Ok(posted)
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
