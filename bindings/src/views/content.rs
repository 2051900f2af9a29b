//! Packs, checklists, posts.

use amparo_core::device::{Installed, PackLine};
use amparo_core::pack::Warning;
use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_schema::pack::checklist::Checklist;
use amparo_schema::pack::policy::Post;
use amparo_schema::pack::{Header, PackRef};
use amparo_schema::person::Country;
use amparo_schema::text::Lang;
use jiff::civil::Date as CivilDate;

use super::{WordsView, words};
use crate::kinds::{PackKind, Population, Setting};

/// A pack on the device.
#[derive(Clone, Debug, uniffi::Record)]
pub struct PackView {
    /// What it holds.
    pub kind: PackKind,
    /// Its id; versions of one pack share it.
    pub id: Name,
    /// Its version.
    pub version: u32,
    /// The hash by which facts name it.
    pub hash: Hash,
    /// Its title.
    pub title: WordsView,
    /// The authority that answers for it.
    pub authority: Name,
    /// The countries it speaks of; empty for all.
    pub countries: Vec<Country>,
    /// Languages that are complete.
    pub languages: Vec<Lang>,
    /// The day after which it warns. It never stops a screening.
    pub expires: CivilDate,
    /// True when that day has passed.
    pub expired: bool,
    /// True for the version that new screenings use.
    pub current: bool,
}

/// A pack that was installed.
#[derive(Clone, Debug, uniffi::Record)]
pub struct InstalledView {
    /// What it holds.
    pub kind: PackKind,
    /// Its id.
    pub id: Name,
    /// Its version.
    pub version: u32,
    /// True when exactly this pack was there already; nothing was changed.
    pub already: bool,
    /// What to tell the official.
    pub warnings: Vec<PackWarning>,
}

/// What to tell the official about a pack. It is used all the same.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PackWarning {
    /// Its last day has passed.
    Expired {
        /// That day.
        on: CivilDate,
    },
    /// Its first day has not come.
    NotYetValid {
        /// That day.
        on: CivilDate,
    },
    /// The last day of the root file has passed.
    RootExpired {
        /// That day.
        on: CivilDate,
    },
}

/// A checklist that may be offered.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ChecklistView {
    /// Its id; `start` takes it.
    pub id: Name,
    /// Its version.
    pub version: u32,
    /// Its title.
    pub title: WordsView,
    /// The audience in plain words.
    pub audience: Vec<String>,
    /// Where it was validated and where not.
    pub validation: WordsView,
    /// Where it is meant to be used.
    pub settings: Vec<Setting>,
    /// Whom it is meant for.
    pub population: Population,
    /// The number of its items, without those about the person.
    pub items: u32,
    /// Languages that are complete.
    pub languages: Vec<Lang>,
}

/// One post or crossing to choose from.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PostView {
    /// Its id.
    pub id: Name,
    /// Its name.
    pub name: String,
    /// Its country.
    pub country: Country,
    /// Its first-level area, ISO 3166-2.
    pub area: Option<String>,
    /// What kind of place.
    pub setting: Setting,
}

pub(crate) fn pack(line: &PackLine, lang: &Lang) -> PackView {
    PackView {
        kind: line.header.kind,
        id: line.header.id.clone(),
        version: line.header.version,
        hash: line.pack.hash,
        title: words(&line.header.title, lang),
        authority: line.header.authority.clone(),
        countries: line.header.countries.clone(),
        languages: line.header.languages.clone(),
        expires: line.header.expires,
        expired: line.expired,
        current: line.current,
    }
}

pub(crate) fn installed(installed: &Installed) -> InstalledView {
    let warning = |warning: &Warning| match warning {
        Warning::Expired { on } => PackWarning::Expired { on: *on },
        Warning::NotYetValid { from } => PackWarning::NotYetValid { on: *from },
        Warning::RootExpired { on } => PackWarning::RootExpired { on: *on },
    };
    InstalledView {
        kind: installed.header.kind,
        id: installed.header.id.clone(),
        version: installed.header.version,
        already: installed.already,
        warnings: installed.warnings.iter().map(warning).collect(),
    }
}

pub(crate) fn checklist(pack: &PackRef, header: &Header, content: &Checklist, lang: &Lang) -> ChecklistView {
    ChecklistView {
        id: pack.id.clone(),
        version: pack.version,
        title: words(&header.title, lang),
        audience: header.audience.clone(),
        validation: words(&content.validation, lang),
        settings: content.settings.clone(),
        population: content.population,
        items: u32::try_from(content.items.len()).unwrap_or(u32::MAX),
        languages: header.languages.clone(),
    }
}

pub(crate) fn post(post: &Post) -> PostView {
    PostView {
        id: post.id.clone(),
        name: post.name.clone(),
        country: post.country,
        area: post.area.clone(),
        setting: post.setting,
    }
}
