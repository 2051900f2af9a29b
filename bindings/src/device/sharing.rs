//! Consent, contacts, referral, identity, packet and card.

use amparo_schema::id::{Hash, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::text::Lang;

use amparo_core::device as core;

use super::Device;
use crate::errors::FieldError;
use crate::kinds::{ReferralState, ServiceKind, ShareScope};
use crate::requests::{ConsentRequest, IdentityRequest, WaiverRequest};
use crate::views::{self, CardView, PacketView, ScreeningView};

/// Offers and left-out services that one view lists.
const CONTACTS_MAX: usize = 50;

#[uniffi::export]
impl Device {
    /// Records that the person agreed. Its counter, by which it can be withdrawn, stands in `given`.
    ///
    /// # Errors
    /// `WrongState` when receiver and scope do not fit the purpose.
    pub fn consent(&self, id: ScreeningId, request: ConsentRequest) -> Result<ConsentGivenView, FieldError> {
        let request = self.given("consent", request)?;
        self.turn("consent", |device| {
            let counter = device.consent(id, &request)?;
            Ok(ConsentGivenView { counter, screening: self.view(device, id)? })
        })
    }

    /// Records that the person did not agree.
    ///
    /// # Errors
    /// `WrongState`.
    pub fn refuse_consent(
        &self,
        id: ScreeningId,
        request: ConsentRequest,
    ) -> Result<ScreeningView, FieldError> {
        let request = self.given("refuse_consent", request)?;
        self.change("refuse_consent", id, |device| device.refuse_consent(id, &request))
    }

    /// Withdraws the consent that was recorded under this counter. Works after closing too.
    ///
    /// # Errors
    /// `WrongState` with `no-such-consent`.
    pub fn withdraw_consent(&self, id: ScreeningId, counter: u64) -> Result<ScreeningView, FieldError> {
        self.change("withdraw_consent", id, |device| device.withdraw_consent(id, counter))
    }

    /// Records that the law lets something go ahead without consent.
    ///
    /// # Errors
    /// `WrongState` with `cannot-be-waived` for a purpose that is never forced, or without a law and the place in it.
    pub fn waive_consent(
        &self,
        id: ScreeningId,
        request: WaiverRequest,
    ) -> Result<ScreeningView, FieldError> {
        self.change("waive_consent", id, |device| {
            let (purpose, situation, told) = (request.purpose, request.situation, request.told);
            device.waive_consent(id, purpose, situation, request.law(), told)
        })
    }

    /// The screening with `contacts` filled: who takes this person, now, from here. `kinds` are those that a
    /// step wishes for, best first; empty for any.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn contacts(&self, id: ScreeningId, kinds: Vec<ServiceKind>) -> Result<ScreeningView, FieldError> {
        self.turn("contacts", |device| {
            let found = device.contacts(id, &kinds)?;
            let mut view = self.view(device, id)?;
            view.contacts = Some(views::contacts(&found, CONTACTS_MAX, &view.lang));
            Ok(view)
        })
    }

    /// Offers a referral to a service, by the `index` of a channel (none where there is nothing to dial), and
    /// copies the contact. Its id stands in `referral`.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for a channel that must not be dialled.
    pub fn refer(
        &self,
        id: ScreeningId,
        service: Name,
        channel: Option<u32>,
    ) -> Result<ReferralOfferedView, FieldError> {
        self.turn("refer", |device| {
            let channel = channel.map(|index| usize::try_from(index).unwrap_or(usize::MAX));
            let referral = device.refer(id, &service, channel)?;
            Ok(ReferralOfferedView { referral, screening: self.view(device, id)? })
        })
    }

    /// Moves a referral on, to one of its `may_become`. Declined, rejected and revoked need a reason.
    ///
    /// # Errors
    /// `WrongState` for a move that is not legal, or without the reason.
    pub fn move_referral(
        &self,
        id: ScreeningId,
        referral: ReferralId,
        to: ReferralState,
        reason: Option<String>,
    ) -> Result<ScreeningView, FieldError> {
        self.change("move_referral", id, |device| device.move_referral(id, referral, to, reason))
    }

    /// Records who the person is, only at referral and with consent to share identity.
    ///
    /// # Errors
    /// `WrongState` before that, or for a text that is empty or too long.
    pub fn give_identity(
        &self,
        id: ScreeningId,
        request: IdentityRequest,
    ) -> Result<ScreeningView, FieldError> {
        self.change("give_identity", id, |device| device.give_identity(id, request.field, request.value))
    }

    /// The packet for the service of a referral: what consent covers and nothing beyond. `recipient` is the
    /// `sealing_key` of the service; without it the packet is readable JSON, to be shown
    /// or printed and then wiped.
    ///
    /// # Errors
    /// `WrongState` without consent, or when the referral has ended; `InvalidInput` for a key that is none.
    pub fn packet(
        &self,
        id: ScreeningId,
        referral: ReferralId,
        scope: Vec<ShareScope>,
        recipient: Option<Hash>,
    ) -> Result<PacketView, FieldError> {
        self.turn("packet", |device| {
            let packet = device.packet(id, referral, &scope.into_iter().collect())?;
            let bytes = match recipient {
                Some(recipient) => device.seal_packet(&packet, recipient)?,
                None => serde_json::to_vec(&packet).map_err(|_| core::Error::NotFound { what: "packet" })?,
            };
            Ok(PacketView { bytes, sealed: recipient.is_some() })
        })
    }

    /// The card for the person: the memorable code and the contact, nothing else.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` for a referral that was revoked.
    pub fn card(&self, id: ScreeningId, referral: ReferralId, lang: Lang) -> Result<CardView, FieldError> {
        self.turn("card", |device| Ok(views::card(device.card(id, referral, &lang)?)))
    }
}

/// A consent that was recorded.
#[derive(Clone, uniffi::Record)]
pub struct ConsentGivenView {
    /// Keep it to withdraw the consent.
    pub counter: u64,
    /// The screening after it.
    pub screening: ScreeningView,
}

/// A referral that was offered.
#[derive(Clone, uniffi::Record)]
pub struct ReferralOfferedView {
    /// Its id.
    pub referral: ReferralId,
    /// The screening after it.
    pub screening: ScreeningView,
}
