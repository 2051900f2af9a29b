//! Opening cases and screenings.

use std::sync::Arc;

use amparo_schema::fact::{Body, Compartment, Fact, Packs};
use amparo_schema::id::{CaseId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::policy::Policy;
use amparo_schema::pack::{Content, Kind, PackRef};
use amparo_schema::person::{Country, Place};
use amparo_schema::text::Lang;

use super::session::{self, SessionPacks};
use super::{Device, Error};
use crate::checklist::Form;
use crate::packet::code;
use crate::random;
use crate::store;
use crate::store::case::CaseRow;
use crate::store::screening::NewScreening;

/// What is needed to start a screening.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// The checklist, by the id of its pack.
    pub checklist: Name,
    /// The case, for a further screening of the same person; none opens a new case.
    pub case: Option<CaseId>,
    /// Where.
    pub place: Place,
    /// The official's language.
    pub lang: Lang,
}

/// A place names a post of the policy, and an area of its country (ISO 3166-2). It is no room for words: what is
/// written there stays in the facts and goes into packets.
fn check_place(policy: &Policy, place: &Place) -> Result<(), Error> {
    let known = |post: &Name| policy.posts.iter().any(|p| p.id == *post && p.country == place.country);
    if !place.post.as_ref().is_none_or(known) {
        return Err(Error::NotFound { what: "post" });
    }
    let code = |rest: &str| {
        (1..=3).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    let of_country = |area: &String| {
        area.strip_prefix(place.country.as_str()).and_then(|rest| rest.strip_prefix('-')).is_some_and(code)
    };
    if place.area.as_ref().is_none_or(of_country) { Ok(()) } else { Err(Error::NotFound { what: "area" }) }
}

impl Device {
    /// The checklists that may be offered, by the id of their pack.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Pack`].
    pub fn checklists(&self) -> Result<Vec<(PackRef, Arc<crate::pack::Pack>)>, Error> {
        let rows = self.pack_rows()?;
        let mut out = Vec::new();
        for row in rows.iter().filter(|row| row.current && row.header.kind == Kind::Checklist) {
            let pack = self.pack(&row.pack)?;
            if matches!(&*pack.content, Content::Checklist(checklist) if checklist.enabled) {
                out.push((row.pack.clone(), pack));
            }
        }
        Ok(out)
    }

    /// The policy that a screening in this country would use; without a country, the one for all: intake, gate,
    /// consents, words, posts.
    ///
    /// # Errors
    /// [`Error::NoPack`] when none is installed.
    pub fn policy(&self, country: Option<Country>) -> Result<Arc<crate::pack::Pack>, Error> {
        self.current(Kind::Policy, country)
    }

    /// Opens a screening on the current packs, and a case with a random code and a memorable one unless the
    /// screening belongs to a case already. A second checklist on the same case stays visible beside the first.
    ///
    /// # Errors
    /// [`Error::NoPack`] when a kind of pack is missing, [`Error::Disabled`], [`Error::NotFound`] for an
    /// unknown case or post or for an area that is none of the country, [`Error::Store`].
    pub fn start(&self, request: &StartRequest) -> Result<ScreeningId, Error> {
        let country = Some(request.place.country);
        let checklist = self
            .checklists()?
            .into_iter()
            .find(|(pack, _)| pack.id == request.checklist)
            .map(|(_, pack)| pack)
            .ok_or_else(|| Error::Disabled(request.checklist.clone()))?;
        let protocol = self.current(Kind::Protocol, country)?;
        let packs = SessionPacks { policy: self.current(Kind::Policy, country)?, checklist };
        let calendar = self.calendar_of(&protocol)?;
        check_place(packs.policy()?, &request.place)?;
        Form::compile(packs.policy()?, packs.checklist()?)?;
        let screening = ScreeningId(random::bytes(&*self.entropy)?);
        let named = Packs {
            checklist: packs.checklist.pack_ref.clone(),
            policy: packs.policy.pack_ref.clone(),
            protocol: protocol.pack_ref.clone(),
            // A country that no directory names still gets an answer: the policy's last resort.
            directory: self
                .current_ref(Kind::Directory, country)
                .or_else(|_| self.current_ref(Kind::Directory, None))?,
            calendar: calendar.as_ref().map(|pack| pack.pack_ref.clone()),
        };
        self.open_screening(request, screening, named, &packs)?;
        Ok(screening)
    }

    /// The row of a case.
    pub(super) fn case(&self, case: CaseId) -> Result<CaseRow, Error> {
        self.store.read(|rows| store::case::by_id(rows, case))?.ok_or(Error::NotFound { what: "case" })
    }

    fn open_screening(
        &self,
        request: &StartRequest,
        screening: ScreeningId,
        packs: Packs,
        content: &SessionPacks,
    ) -> Result<(), Error> {
        let at = self.stamp();
        let case = request.case.map_or_else(|| random::bytes(&*self.entropy).map(CaseId), Ok)?;
        let new_case = match request.case {
            Some(known) => {
                // Of an erased case nothing may be begun anew: the person could be found again.
                Some(self.case(known)?)
                    .filter(|case| !case.memorable.is_empty())
                    .ok_or(Error::NotFound { what: "case" })?;
                None
            }
            None => {
                let words = code::words_for(&content.policy()?.code_words, &request.lang);
                let memorable = code::memorable(words, &*self.entropy)?;
                Some((code::case_code(&*self.entropy)?, memorable))
            }
        };
        let opened = session::encode(&Fact {
            at,
            body: Body::ScreeningOpened {
                case,
                screening,
                packs: packs.clone(),
                place: request.place.clone(),
                lang: request.lang.clone(),
            },
        })?;
        let calendar = packs.calendar.as_ref();
        let hashes: Vec<_> = [&packs.checklist, &packs.policy, &packs.protocol, &packs.directory]
            .into_iter()
            .chain(calendar)
            .map(|pack| pack.hash)
            .collect();
        self.store.write(|tx| {
            if let Some((code, memorable)) = &new_case {
                let (code, memorable) = (code.clone(), memorable.clone());
                store::case::insert(tx, &CaseRow { case, code, memorable, opened_ms: at.wall_ms })?;
            }
            store::screening::insert(
                tx,
                &NewScreening {
                    screening,
                    case,
                    checklist: packs.checklist.hash,
                    packs: &hashes,
                    opened_ms: at.wall_ms,
                },
            )?;
            if let Some((code, memorable)) = new_case {
                let fact = session::encode(&Fact { at, body: Body::CaseOpened { case, code, memorable } })?;
                store::fact::append(tx, Some(screening), Compartment::Case, &fact)?;
            }
            store::fact::append(tx, Some(screening), Compartment::Case, &opened)?;
            Ok::<_, Error>(())
        })?;
        self.memory().last = Some((at.wall_ms, Some(at.steady_ms)));
        Ok(())
    }
}
