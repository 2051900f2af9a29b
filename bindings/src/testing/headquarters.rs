//! Headquarters in memory, with one agency that writes letters. Its keys are fixed and protect nothing.

use std::sync::{Arc, Mutex, PoisonError};

use amparo_core::random::SeededEntropy;
use amparo_core::seal::{
    PublicKey, SecretKey, Signer, from_bytes, ticket_text, to_bytes, unverified, write_letter,
};
use amparo_hq::relay::{Durability, Reader, Relay, Settings};
use amparo_hq::storage::memory::Memory;
use amparo_schema::fact::ReferralState;
use amparo_schema::id::{CaseId, Hash, ReferralId};
use amparo_schema::name::Name;
use amparo_schema::wire::enrol::Certificate;
use amparo_schema::wire::feed::Note;

use crate::errors::FieldError;

/// 2026-11-22, by the clock of this headquarters, which stands.
const NOW_MS: i64 = 1_795_330_800_000;
/// The agency of the demonstration recipients pack that answers for services in Chile.
const AGENCY: &str = "demo-agency-chile";
/// The published phrase of the key with which it signs letters; `content/keys/README.md`.
const AGENCY_PHRASE: &str = "amparo demo agency demo-agency-chile letters: published, protects nothing real";

/// A headquarters for one device.
#[derive(uniffi::Object)]
pub struct Headquarters {
    relay: Relay,
    agency: Signer,
    entropy: SeededEntropy,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    storage: Memory,
    enrolled: Option<Certificate>,
}

impl std::fmt::Debug for Headquarters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Headquarters")
    }
}

#[uniffi::export]
impl Headquarters {
    /// A new one. What it stores is durable at once.
    ///
    /// # Errors
    /// `Internal`.
    #[uniffi::constructor]
    pub fn new() -> Result<Arc<Self>, FieldError> {
        Self::at("http://127.0.0.1/")
    }

    /// A new one whose tickets name this address.
    ///
    /// # Errors
    /// `Internal`.
    #[uniffi::constructor]
    pub fn at(url: &str) -> Result<Arc<Self>, FieldError> {
        let settings = Settings { durability: Durability::Replicated, ..Settings::local(url) };
        let seed = Hash::of("amparo-demo-key-1", &[AGENCY_PHRASE.as_bytes()]).0;
        let made = Self {
            relay: Relay::new(Signer::from_seed(&[200; 32]), SecretKey::new(&[201; 32]), settings),
            agency: Signer::from_seed(&seed),
            entropy: SeededEntropy::new(1),
            state: Mutex::default(),
        };
        let reader = Reader {
            key: Hash(*SecretKey::new(&[202; 32]).public().bytes()),
            signing: Hash(made.agency.public().0),
            agency: name(AGENCY)?,
        };
        made.with(|state| made.relay.register(&mut state.storage, &reader, NOW_MS).map_err(no))?;
        Ok(Arc::new(made))
    }

    /// A ticket for one device, as text.
    ///
    /// # Errors
    /// `Internal`.
    pub fn ticket(&self) -> Result<String, FieldError> {
        let agency = name("synthetic-agency")?;
        self.with(|state| {
            let ticket = self.relay.invite(&mut state.storage, &agency, i64::MAX, NOW_MS, &self.entropy);
            ticket_text(&ticket.map_err(no)?).map_err(no)
        })
    }

    /// The certificate for a request.
    ///
    /// # Errors
    /// `InvalidInput` for one that does not read, `Internal` for one that is refused.
    pub fn enrol(&self, request: Vec<u8>) -> Result<Vec<u8>, FieldError> {
        let request = from_bytes(&request).map_err(|_| FieldError::invalid("request", "form"))?;
        self.with(|state| {
            let signed = self.relay.enrol(&mut state.storage, &request, NOW_MS).map_err(no)?;
            state.enrolled = Some(unverified(&signed).map_err(no)?);
            to_bytes(&signed).map_err(no)
        })
    }

    /// The replies to an upload.
    ///
    /// # Errors
    /// `Internal`.
    pub fn exchange(&self, upload: Vec<u8>) -> Result<Vec<u8>, FieldError> {
        self.with(|state| self.relay.exchange(&mut state.storage, &upload, NOW_MS).map_err(no))
    }

    /// The files of replies to one file of a bundle.
    ///
    /// # Errors
    /// `Internal` for one that does not open.
    pub fn carry(&self, volume: Vec<u8>) -> Result<Vec<Vec<u8>>, FieldError> {
        self.with(|state| {
            let replies = self.relay.carry(&mut state.storage, &volume, NOW_MS, &self.entropy).map_err(no)?;
            Ok(replies.answers.into_iter().map(|(_, bytes)| bytes).collect())
        })
    }

    /// The agency asks for something about a case.
    ///
    /// # Errors
    /// `Internal`.
    pub fn ask(&self, case: CaseId, text: String) -> Result<(), FieldError> {
        let from = name(AGENCY)?;
        self.write(&Note::FollowUp { case, screening: None, from, text, due_ms: None })
    }

    /// The agency answers a referral.
    ///
    /// # Errors
    /// `Internal`.
    pub fn answer(&self, referral: ReferralId, state: ReferralState) -> Result<(), FieldError> {
        self.write(&Note::ReferralAnswered { referral, state, reason: None })
    }

    /// Revokes the device.
    ///
    /// # Errors
    /// `Internal`.
    pub fn revoke(&self) -> Result<(), FieldError> {
        self.with(|state| {
            let device = state.enrolled.as_ref().ok_or_else(|| no(()))?.device;
            self.relay.revoke(&mut state.storage, device, NOW_MS).map(|_| ()).map_err(no)
        })
    }
}

impl Headquarters {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> Result<T, FieldError>) -> Result<T, FieldError> {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, note: &Note) -> Result<(), FieldError> {
        self.with(|state| {
            let to = state.enrolled.as_ref().ok_or_else(|| no(()))?;
            let key = PublicKey::from(to.letter_key);
            let letter = write_letter(note, to.device, &key, &self.agency, &self.entropy).map_err(no)?;
            self.relay.post(&mut state.storage, &letter, NOW_MS).map_err(no)
        })
    }
}

fn name(text: &str) -> Result<Name, FieldError> {
    Name::new(text).map_err(no)
}

fn no<E>(_: E) -> FieldError {
    FieldError::internal("headquarters")
}
