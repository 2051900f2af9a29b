//! The desk of an agency at work: its feeds pulled and its letters sent over the same HTTP as everyone's.

use std::collections::BTreeSet;
use std::path::Path;

use amparo_core::random;
use amparo_core::seal::{SecretKey, Signer, VerifyKey, from_bytes, to_bytes};
use amparo_core::secret::Key;
use amparo_hq::desk::report::Rules;
use amparo_hq::desk::view::CaseView;
use amparo_hq::desk::{Desk, Failed, Keys, Pulled};
use amparo_hq::relay::Reader;
use amparo_schema::id::{CaseId, Hash};
use amparo_schema::limits::DOWN_BYTES_MAX;
use amparo_schema::name::Name;
use amparo_schema::wire::desk::Pull;
use amparo_schema::wire::enrol::Headquarters as Known;
use amparo_schema::wire::feed::{FeedId, Page};

use super::{DemoError, Headquarters};
use crate::content::keys::{demo_agency_secret, demo_agency_signing_key, demo_custodian_secret};
use crate::host::SystemEntropy;
use crate::transport::{CBOR, Http};

/// Bytes of an answer beside the page.
const ENVELOPE_BYTES: usize = 64 * 1024;

/// Who reads, and with which keys. All of them are published: they protect nothing.
#[derive(Clone)]
pub struct Agency {
    /// Its id in the recipients pack.
    pub id: Name,
    /// The services that it answers for.
    pub services: BTreeSet<Name>,
    read: Vec<[u8; 32]>,
    sign: [u8; 32],
}

impl Agency {
    /// The custodian whom the policy names.
    ///
    /// # Errors
    /// [`DemoError::NoEntropy`].
    pub fn custodian() -> Result<Self, DemoError> {
        let (read, sign) = (vec![demo_custodian_secret()], random::bytes(&SystemEntropy)?);
        Ok(Self { id: super::name("demo-custodian")?, services: BTreeSet::new(), read, sign })
    }

    /// What headquarters must register of it, so that it may pull and send.
    #[must_use]
    pub fn readers(&self) -> Vec<Reader> {
        let signing = Hash(Signer::from_seed(&self.sign).public().0);
        let reader = |secret: &[u8; 32]| {
            let key = Hash(*SecretKey::new(secret).public().bytes());
            Reader { key, signing, agency: self.id.clone() }
        };
        self.read.iter().map(reader).collect()
    }

    /// An agency of the recipients pack, with the keys of these years.
    ///
    /// # Errors
    /// [`DemoError::Content`] for ids that are no names.
    pub fn of_pack(id: &str, services: &[&str], years: &[&str]) -> Result<Self, DemoError> {
        let read = years.iter().map(|year| demo_agency_secret(id, year)).collect();
        let services = services.iter().map(|service| super::name(service)).collect::<Result<_, _>>()?;
        Ok(Self { id: super::name(id)?, services, read, sign: demo_agency_signing_key(id).to_bytes() })
    }
}

/// A desk at work.
pub struct Office {
    desk: Desk,
    agency: Agency,
    http: Http,
    now_ms: i64,
}

impl Office {
    /// Opens the desk of an agency in a folder, and has its keys registered.
    ///
    /// # Errors
    /// Those of the desk and of headquarters.
    pub fn open(
        folder: &Path,
        agency: Agency,
        headquarters: &Headquarters,
        now_ms: i64,
    ) -> Result<Self, DemoError> {
        agency.readers().iter().try_for_each(|reader| headquarters.register(reader))?;
        Self::at(folder, agency, &headquarters.known(), now_ms)
    }

    /// Opens the desk of an agency that headquarters knows.
    ///
    /// # Errors
    /// Those of the desk.
    pub fn at(folder: &Path, agency: Agency, known: &Known, now_ms: i64) -> Result<Self, DemoError> {
        let keys = Keys {
            read: agency.read.iter().map(SecretKey::new).collect(),
            sign: Signer::from_seed(&agency.sign),
            headquarters: vec![VerifyKey::from(known.key)],
            agency: agency.id.clone(),
            services: agency.services.clone(),
        };
        let file = folder.join(format!("{}.db", agency.id));
        let desk = Desk::open(&file, &Key::new(&random::bytes(&SystemEntropy)?), keys, Rules::default())?;
        Ok(Self { desk, agency, http: Http::new(&known.url, None)?, now_ms })
    }

    /// The desk.
    pub fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    /// A case, as this desk sees it now.
    ///
    /// # Errors
    /// Those of the desk.
    pub fn case(&self, case: CaseId) -> Result<CaseView, DemoError> {
        Ok(self.desk.case(case, self.now_ms)?)
    }

    /// Pulls every feed to its end; gives how many segments and how many withdrawals were new.
    ///
    /// # Errors
    /// Those of the desk and of the link.
    pub fn pull(&mut self) -> Result<(u64, u64), DemoError> {
        let Self { desk, agency, http, now_ms } = self;
        let signer = Signer::from_seed(&agency.sign);
        let mut pulled = Pulled::default();
        for secret in &agency.read {
            let recipient = SecretKey::new(secret).public().id();
            let ask = |cursor| {
                let down_bytes = u32::try_from(DOWN_BYTES_MAX).unwrap_or(u32::MAX);
                let asked = to_bytes(&signer.sign_object(&Pull { recipient, cursor, down_bytes })?)?;
                let answer = http.post("/v1/pull", CBOR, &asked, DOWN_BYTES_MAX + ENVELOPE_BYTES)?;
                from_bytes::<Page>(&answer).map_err(|_| DemoError::Content("a page"))
            };
            desk.pull(FeedId::recipient(recipient), *now_ms, ask, &mut pulled)?;
        }
        Ok((pulled.segments, pulled.withdrawn))
    }

    /// Sends the letters that headquarters does not have.
    ///
    /// # Errors
    /// Those of the desk and of the link.
    pub fn send(&mut self) -> Result<(), DemoError> {
        let Self { desk, http, .. } = self;
        let post = |letter: &_| {
            http.post("/v1/letter", CBOR, &to_bytes(letter)?, ENVELOPE_BYTES)?;
            Ok::<_, DemoError>(())
        };
        let failures = desk.send(post, |_| Failed::Away)?.failures;
        failures.into_iter().next().map_or(Ok(()), |(_, why)| Err(why))
    }
}
