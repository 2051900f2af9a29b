//! A made-up directory of any size, for tests of scale.
//!
//! Every service says that it is fictitious, its country is one of the codes that ISO 3166 leaves to users
//! (`XA` to
//! `XH`), and its numbers are of the range kept for fiction (555-0100 to 555-0199). The same count and seed give the
//! same directory.

use std::collections::BTreeSet;

use amparo_schema::name::Name;
use amparo_schema::pack::directory::{
    Channel, ChannelKind, Day, Features, Hours, Known, Service, ServiceKind, ServiceStatus, Span, Takes,
};
use amparo_schema::person::{Country, Exploitation, Sex};
use amparo_schema::text::{Lang, Review, Source, Text};

use crate::dice::Dice;

/// `count` services. The first one is numbered 0; ids are `ficticio-000000` and on.
#[must_use]
pub fn synthetic(count: usize, seed: u64) -> Vec<Service> {
    let mut dice = Dice::new(seed);
    (0..count).filter_map(|n| service(n, &mut dice)).collect()
}

const COUNTRIES: [&str; 8] = ["XA", "XB", "XC", "XD", "XE", "XF", "XG", "XH"];
const WHAT: [&str; 8] = ["Línea", "Casa", "Centro", "Programa", "Fiscalía", "Red", "Oficina", "Servicio"];
const WHOM: [&str; 8] =
    ["Niñez", "Mujer", "Trabajo", "Migrante", "Víctimas", "Acogida", "Familia", "Derechos"];
const WHERE: [&str; 8] = ["Norte", "Sur", "Este", "Oeste", "Frontera", "Puerto", "Valle", "Sierra"];
const KINDS: [ServiceKind; 12] = [
    ServiceKind::DedicatedLine,
    ServiceKind::Shelter,
    ServiceKind::Specialised,
    ServiceKind::Child,
    ServiceKind::VictimSupport,
    ServiceKind::Women,
    ServiceKind::Labour,
    ServiceKind::Migration,
    ServiceKind::Justice,
    ServiceKind::Police,
    ServiceKind::Emergency,
    ServiceKind::Other,
];
const WORKDAYS: [Day; 5] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];

impl Dice {
    fn known(&mut self) -> Known {
        match self.below(4) {
            0 => Known::Yes,
            1 => Known::No,
            _ => Known::Unknown,
        }
    }

    fn some<T: Ord + Copy>(&mut self, of: &[T]) -> BTreeSet<T> {
        of.iter().filter(|_| self.below(3) == 0).copied().collect()
    }
}

/// One service; always `Some`, for the ids and codes above have the form that is asked of them.
fn service(n: usize, dice: &mut Dice) -> Option<Service> {
    let mut word = |of: &[&'static str]| dice.one(of).copied().unwrap_or_default();
    let (what, whom, place) = (word(&WHAT), word(&WHOM), word(&WHERE));
    let country = Country::new(word(&COUNTRIES)).ok()?;
    let kind = dice.one(&KINDS).copied().unwrap_or(ServiceKind::Other);
    let lang = |tag: &str| Lang::new(tag).ok();
    let name = format!("{what} ficticia {n} {whom} {place}");
    Some(Service {
        id: Name::new(format!("ficticio-{n:06}")).ok()?,
        country,
        areas: if dice.below(3) == 0 { [format!("{country}-{}", dice.below(10))].into() } else { [].into() },
        places: vec![format!("Villa Ficticia {}", dice.below(500))],
        name: Text([(lang("es")?, name)].into()),
        organisation: Some(format!("Organización ficticia {}", dice.below(1000))),
        kind,
        channels: vec![channel(dice)],
        public_key: None,
        takes: takes(dice),
        languages: dice.some(&["es", "en", "pt", "ht", "fr"]).into_iter().filter_map(lang).collect(),
        hours: hours(dice),
        features: Features { free: dice.known(), anonymous: dice.known(), ..Features::default() },
        capacity: (dice.below(4) == 0).then(|| u32::try_from(dice.below(5)).unwrap_or_default()),
        status: if dice.below(10) == 0 { ServiceStatus::NoContact } else { ServiceStatus::Current },
        printed_in: Some(2026),
        verified_on: None,
        issues: Vec::new(),
        remark: None,
        sources: vec![Source { document: "synthetic".into(), place: format!("number {n}"), as_of: None }],
        review: Review::Unverified,
    })
}

fn channel(dice: &mut Dice) -> Channel {
    let line = format!("{:02}", dice.below(100));
    Channel {
        kind: ChannelKind::Phone,
        display: Some(format!("555-01{line}")),
        dial: Some(format!("55501{line}")),
        e164: None,
        e164_basis: None,
        from_abroad: dice.known(),
        do_not_dial: dice.below(50) == 0,
    }
}

fn takes(dice: &mut Dice) -> Takes {
    use Exploitation::{Begging, Domestic, Labour, Sexual};
    Takes {
        sexes: dice.some(&[Sex::Female, Sex::Male]),
        age_min: (dice.below(3) == 0).then_some(18),
        age_max: (dice.below(6) == 0).then_some(60),
        children_along: dice.known(),
        exploitation: dice.some(&[Labour, Sexual, Domestic, Begging]),
        foreign: dice.known(),
        nationals: dice.known(),
    }
}

fn hours(dice: &mut Dice) -> Hours {
    match dice.below(3) {
        0 => Hours::Always,
        1 => Hours::Unknown,
        _ => Hours::Weekly {
            zone: "America/Santiago".into(),
            spans: vec![Span { days: WORKDAYS.into(), opens_minute: 540, closes_minute: 1080 }],
        },
    }
}
