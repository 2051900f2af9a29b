//! Which words stand for what the device tells about sync.

use amparo_core::device::Level;
use amparo_core::sync::Why;
use amparo_schema::fact::ReferralState;
use amparo_schema::wire::push::Refusal;

use crate::words::Word;

/// How far a screening is.
pub(super) fn level(level: Level) -> Word {
    match level {
        Level::Open => Word::Open,
        Level::Sealed => Word::Sealed,
        Level::Sent => Word::LevelSent,
        Level::Stored => Word::LevelStored,
        Level::Durable => Word::LevelDurable,
        Level::Delivered => Word::LevelDelivered,
        Level::Answered => Word::LevelAnswered,
    }
}

/// Why something from headquarters was kept aside.
pub(super) fn why(why: Why) -> Word {
    match why {
        Why::Unknown => Word::AsideUnknown,
        Why::Signature => Word::AsideSignature,
        Why::OtherDevice => Word::AsideOtherDevice,
        Why::Stranger => Word::AsideStranger,
        Why::Letter => Word::AsideLetter,
        Why::Pack => Word::AsidePack,
        Why::Malformed => Word::AsideMalformed,
        Why::Fallen => Word::AsideFallen,
        Why::Ahead => Word::AsideAhead,
        Why::Fork => Word::AsideFork,
    }
}

/// Why headquarters did not take something as it should.
pub(super) fn refusal(why: Refusal) -> Word {
    match why {
        Refusal::Form | Refusal::Signature => Word::RefusedForm,
        Refusal::Stranger => Word::RefusedStranger,
        Refusal::Fork => Word::RefusedFork,
        Refusal::Revoked => Word::RefusedRevoked,
        Refusal::Newer => Word::RefusedNewer,
        Refusal::TooLarge => Word::RefusedTooLarge,
        Refusal::Full => Word::RefusedFull,
    }
}

/// Where a referral stands.
pub(super) fn referral(state: ReferralState) -> Word {
    match state {
        ReferralState::Offered => Word::ReferralOffered,
        ReferralState::Declined => Word::ReferralDeclined,
        ReferralState::Sent => Word::ReferralSent,
        ReferralState::Accepted => Word::ReferralAccepted,
        ReferralState::Rejected => Word::ReferralRejected,
        ReferralState::Done => Word::ReferralDone,
        ReferralState::Revoked => Word::ReferralRevoked,
        ReferralState::Overdue => Word::ReferralOverdue,
    }
}
