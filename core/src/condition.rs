//! Evaluating conditions, three-valued after Kleene.
//!
//! Owns the meaning of the connectives and of the tests on person and place. What an item, an indicator or a
//! dimension says comes from a [`View`], so that each room answers only for what it knows. Never fails:
//! a test that a view cannot answer is unknown. A view decides doubt about age and about what is possible
//! unless it overrides `child` and `possible` to keep it. Bounded by the limits that a pack was checked against.

use amparo_schema::condition::{Condition, PersonTest, Truth};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::person::{Person, Place, Sex};

/// What a condition may look at. The defaults know nothing.
pub trait View {
    /// The item was answered yes.
    fn yes(&self, _item: &Name) -> Truth {
        Truth::Unknown
    }
    /// The item was answered no.
    fn no(&self, item: &Name) -> Truth {
        self.yes(item).not()
    }
    /// The item's choice or choices hold the option.
    fn has(&self, _item: &Name, _option: &Name) -> Truth {
        Truth::Unknown
    }
    /// The item's number lies in the bounds.
    fn within(&self, _item: &Name, _min: Option<i64>, _max: Option<i64>) -> Truth {
        Truth::Unknown
    }
    /// Any value is known for the item.
    fn answered(&self, _item: &Name) -> Truth {
        Truth::No
    }
    /// The person as far as known.
    fn person(&self) -> Option<&Person> {
        None
    }
    /// The person is or may be under 18: doubt is decided for the child.
    fn child(&self) -> Truth {
        self.person().is_none_or(Person::is_child).into()
    }
    /// What "possible" says of a part: doubt is decided for the sign.
    fn possible(&self, part: Truth) -> Truth {
        (part != Truth::No).into()
    }
    /// The indicator is noted.
    fn indicator(&self, _indicator: &Name) -> Truth {
        Truth::Unknown
    }
    /// Any indicator of the dimension (of all, for `None`) is noted.
    fn noted(&self, _dimension: Option<&Name>) -> Truth {
        Truth::Unknown
    }
    /// The dimension is positive.
    fn positive(&self, _dimension: &Name) -> Truth {
        Truth::Unknown
    }
    /// The outcome holds.
    fn outcome(&self, _outcome: Outcome) -> Truth {
        Truth::Unknown
    }
    /// Where the screening takes place.
    fn place(&self) -> Option<&Place> {
        None
    }
}

/// The value of a condition.
#[must_use]
pub fn evaluate(condition: &Condition, view: &dyn View) -> Truth {
    match condition {
        Condition::All(of) => of.iter().map(|c| evaluate(c, view)).min().unwrap_or(Truth::Yes),
        Condition::Any(of) => of.iter().map(|c| evaluate(c, view)).max().unwrap_or(Truth::No),
        Condition::AtLeast { n, of } => at_least(*n, of, view),
        Condition::Not(of) => evaluate(of, view).not(),
        Condition::Possible(of) => view.possible(evaluate(of, view)),
        Condition::Yes(item) => view.yes(item),
        Condition::No(item) => view.no(item),
        Condition::Has { item, option } => view.has(item, option),
        Condition::Number { item, min, max } => view.within(item, *min, *max),
        Condition::Answered(item) => view.answered(item),
        Condition::Child => view.child(),
        Condition::Person(test) => view.person().map_or(Truth::Unknown, |p| person(*test, p)),
        Condition::Indicator(id) => view.indicator(id),
        Condition::Noted(dimension) => view.noted(Some(dimension)),
        Condition::NotedAny => view.noted(None),
        Condition::Positive(dimension) => view.positive(dimension),
        Condition::Outcome(outcome) => view.outcome(*outcome),
        Condition::Country(country) => {
            view.place().map_or(Truth::Unknown, |place| (place.country == *country).into())
        }
        Condition::Setting(setting) => {
            view.place().map_or(Truth::Unknown, |place| (place.setting == *setting).into())
        }
        Condition::Always => Truth::Yes,
    }
}

fn at_least(n: u32, of: &[Condition], view: &dyn View) -> Truth {
    let (mut yes, mut possible) = (0_u32, 0_u32);
    for part in of {
        match evaluate(part, view) {
            Truth::Yes => (yes, possible) = (yes.saturating_add(1), possible.saturating_add(1)),
            Truth::Unknown => possible = possible.saturating_add(1),
            Truth::No => {}
        }
    }
    if yes >= n {
        Truth::Yes
    } else if possible < n {
        Truth::No
    } else {
        Truth::Unknown
    }
}

fn person(test: PersonTest, person: &Person) -> Truth {
    match test {
        PersonTest::Foreign => person.foreign.into(),
        PersonTest::Unaccompanied => person.unaccompanied.into(),
        PersonTest::OffenceSuspected => person.offence_suspected.into(),
        PersonTest::ChildrenAlong => person.children_along.map(|n| n > 0).into(),
        PersonTest::Female => person.sex.map(|sex| sex == Sex::Female).into(),
        PersonTest::Male => person.sex.map(|sex| sex == Sex::Male).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl View for Fixed {
        fn yes(&self, item: &Name) -> Truth {
            match item.as_str() {
                "y" => Truth::Yes,
                "n" => Truth::No,
                _ => Truth::Unknown,
            }
        }
    }

    fn yes(item: &str) -> Condition {
        Condition::Yes(Name::new(item).unwrap())
    }

    /// Kleene's tables, written out: rows and columns no, unknown, yes.
    #[test]
    fn connectives_follow_kleene() {
        use Truth::{No, Unknown, Yes};
        let names = ["n", "u", "y"];
        let and = [[No, No, No], [No, Unknown, Unknown], [No, Unknown, Yes]];
        let or = [[No, Unknown, Yes], [Unknown, Unknown, Yes], [Yes, Yes, Yes]];
        for (i, a) in names.iter().enumerate() {
            for (j, b) in names.iter().enumerate() {
                let parts = || vec![yes(a), yes(b)];
                assert_eq!(evaluate(&Condition::All(parts()), &Fixed), and[i][j], "{a} and {b}");
                assert_eq!(evaluate(&Condition::Any(parts()), &Fixed), or[i][j], "{a} or {b}");
                assert_eq!(evaluate(&Condition::AtLeast { n: 2, of: parts() }, &Fixed), and[i][j]);
                assert_eq!(evaluate(&Condition::AtLeast { n: 1, of: parts() }, &Fixed), or[i][j]);
            }
        }
        assert_eq!(evaluate(&Condition::Not(Box::new(yes("u"))), &Fixed), Unknown);
        assert_eq!(evaluate(&Condition::Possible(Box::new(yes("u"))), &Fixed), Yes);
        assert_eq!(evaluate(&Condition::Possible(Box::new(yes("n"))), &Fixed), No);
    }

    #[test]
    fn doubt_about_age_counts_as_child() {
        assert_eq!(evaluate(&Condition::Child, &Fixed), Truth::Yes);
    }
}
