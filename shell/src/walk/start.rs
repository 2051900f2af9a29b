//! Choosing checklist and place, and opening the screening.

use std::str::FromStr;

use amparo_core::device::{Device, StartRequest};
use amparo_schema::id::{CaseId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::pack::Content;
use amparo_schema::pack::policy::Post;
use amparo_schema::person::{Country, Place, Setting};

use super::WalkError;
use crate::ask::{Ask, Choice, choose};
use crate::words::{Speaker, Word};

/// What the command line says about the start.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The checklist, by the id of its pack.
    pub checklist: Option<String>,
    /// The post, by its code.
    pub post: Option<String>,
    /// The country, where no post is given.
    pub country: Option<String>,
    /// The case, for a further screening of the same person.
    pub case: Option<CaseId>,
}

/// Opens a screening; asks for what the command line does not say.
///
/// # Errors
/// [`WalkError`].
pub fn begin(
    device: &Device,
    ask: &mut dyn Ask,
    speaker: Speaker,
    start: &Start,
) -> Result<ScreeningId, WalkError> {
    let checklist = checklist(device, ask, speaker, start)?;
    let place = place(device, ask, speaker, start)?;
    Ok(device.start(&StartRequest { checklist, case: start.case, place, lang: speaker.lang() })?)
}

fn checklist(device: &Device, ask: &mut dyn Ask, speaker: Speaker, start: &Start) -> Result<Name, WalkError> {
    let offered = device.checklists()?;
    if let Some(wanted) = &start.checklist {
        let hit = offered.into_iter().find(|(pack, _)| pack.id.as_str() == wanted);
        return hit.map(|(pack, _)| pack.id).ok_or(WalkError::NotFound("checklist"));
    }
    let lang = speaker.lang();
    let choices: Vec<_> = offered
        .into_iter()
        .map(|(pack, content)| Choice {
            value: pack.id,
            label: content.header.title.words(&lang).to_owned(),
            hint: content.header.audience.join(", "),
        })
        .collect();
    Ok(choose(ask, speaker.word(Word::ChooseChecklist), &choices)?)
}

fn place(device: &Device, ask: &mut dyn Ask, speaker: Speaker, start: &Start) -> Result<Place, WalkError> {
    let posts = posts(device)?;
    if let Some(wanted) = &start.post {
        let hit = posts.into_iter().find(|post| post.id.as_str() == wanted);
        return hit.map(of_post).ok_or(WalkError::NotFound("post"));
    }
    if let Some(country) = &start.country {
        let country =
            Country::from_str(&country.to_ascii_uppercase()).map_err(|_| WalkError::NotFound("country"))?;
        return Ok(Place { country, post: None, area: None, setting: Setting::Border });
    }
    let mut choices: Vec<_> = posts
        .into_iter()
        .map(|post| Choice {
            label: post.name.clone(),
            hint: post.area.clone().unwrap_or_default(),
            value: Some(of_post(post)),
        })
        .collect();
    choices.push(Choice { value: None, label: speaker.word(Word::OtherPlace).into(), hint: String::new() });
    if let Some(place) = choose(ask, speaker.word(Word::ChoosePlace), &choices)? {
        return Ok(place);
    }
    loop {
        let typed = ask.line(speaker.word(Word::ChooseCountry))?;
        if let Ok(country) = Country::from_str(&typed.to_ascii_uppercase()) {
            return Ok(Place { country, post: None, area: None, setting: Setting::Other });
        }
    }
}

/// The posts of the policy for all countries.
fn posts(device: &Device) -> Result<Vec<Post>, WalkError> {
    let pack = device.policy(None)?;
    match &*pack.content {
        Content::Policy(policy) => Ok(policy.posts.clone()),
        _ => Err(WalkError::NotFound("policy")),
    }
}

fn of_post(post: Post) -> Place {
    Place { country: post.country, post: Some(post.id), area: post.area, setting: post.setting }
}
