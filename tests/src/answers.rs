//! Seeded answers that fit an item.

use std::collections::BTreeSet;

use amparo_schema::answer::{AgeRange, Answer, Unknown, Value};
use amparo_schema::pack::checklist::{Item, ItemKind};

use crate::dice::Dice;

const UNKNOWN: [Unknown; 5] =
    [Unknown::NotAsked, Unknown::Refused, Unknown::NotObservable, Unknown::Interrupted, Unknown::DoesNotKnow];

/// An answer that the item takes; one of five says that nothing is known.
#[must_use]
pub fn some(item: &Item, dice: &mut Dice) -> Answer {
    let unknown = Answer::Unknown(dice.one(&UNKNOWN).copied().unwrap_or(Unknown::NotAsked));
    if dice.below(5) == 0 {
        return unknown;
    }
    let known = match &item.kind {
        ItemKind::YesNo => Some(if dice.below(2) == 0 { Value::Yes } else { Value::No }),
        ItemKind::Choice(options) => dice.one(options).map(|option| Value::Choice(option.id.clone())),
        ItemKind::Choices(options) => {
            let chosen: BTreeSet<_> =
                options.iter().filter(|_| dice.below(3) == 0).map(|option| option.id.clone()).collect();
            Some(Value::Choices(chosen))
        }
        ItemKind::Number { min, max, .. } => {
            let span = usize::try_from(max.saturating_sub(*min).saturating_add(1)).unwrap_or(1);
            let step = i64::try_from(dice.below(span)).unwrap_or(0);
            Some(Value::Number(min.saturating_add(step)))
        }
        ItemKind::Date => Some(Value::Date(jiff::civil::date(2020, 1, 1))),
        ItemKind::Age(bands) => {
            dice.one(bands).map(|band| Value::Age(AgeRange { from: band.from, to: band.to }))
        }
        ItemKind::ShortText { .. } => Some(Value::Text(format!("synthetic {}", dice.below(1000)))),
    };
    known.map_or(unknown, Answer::Known)
}
