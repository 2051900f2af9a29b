//! The text form of conditions: reading it into the typed tree, and writing it back.
//!
//! The grammar is in `content/README.md`. Owns form only: whether an item exists or a test may stand where
//! it stands is decided where packs are checked.

use std::fmt;

use amparo_schema::condition::{Condition, PersonTest};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::person::{Country, Setting};

/// Characters of one condition.
const CHARS_MAX: usize = 20_000;
/// Nesting that the reader follows; packs allow less.
const DEPTH_MAX: usize = 64;

/// What is wrong in a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {what}")]
pub struct ConditionError {
    /// Column in characters, from 1.
    pub column: usize,
    /// What was wanted or found.
    pub what: String,
}

/// Reads a condition.
///
/// # Errors
/// [`ConditionError`] at the first place that does not fit the grammar.
pub fn parse(text: &str) -> Result<Condition, ConditionError> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, depth: 0 };
    if reader.chars.len() > CHARS_MAX {
        return Err(reader.wrong(format!("longer than {CHARS_MAX} characters")));
    }
    let condition = reader.or()?;
    reader.space();
    if reader.at < reader.chars.len() {
        Err(reader.wrong("`and`, `or` or the end is wanted"))
    } else {
        Ok(condition)
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn wrong(&self, what: impl Into<String>) -> ConditionError {
        ConditionError { column: self.at.saturating_add(1), what: what.into() }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.step();
        }
    }

    /// Takes this sign if it comes next.
    fn take(&mut self, wanted: char) -> bool {
        self.space();
        let found = self.peek() == Some(wanted);
        if found {
            self.step();
        }
        found
    }

    fn want(&mut self, wanted: char) -> Result<(), ConditionError> {
        if self.take(wanted) { Ok(()) } else { Err(self.wrong(format!("`{wanted}` is wanted"))) }
    }

    /// The word that comes next, without taking it.
    fn word(&mut self) -> String {
        self.space();
        self.chars.iter().skip(self.at).take_while(|c| is_word(**c)).collect()
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = self.word() == wanted;
        if found {
            self.at = self.at.saturating_add(wanted.len());
        }
        found
    }

    fn or(&mut self) -> Result<Condition, ConditionError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH_MAX {
            return Err(self.wrong(format!("nested deeper than {DEPTH_MAX}")));
        }
        let mut parts = vec![self.and()?];
        while self.take_word("or") {
            parts.push(self.and()?);
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(one_or(parts, Condition::Any))
    }

    fn and(&mut self) -> Result<Condition, ConditionError> {
        let mut parts = vec![self.not()?];
        while self.take_word("and") {
            parts.push(self.not()?);
        }
        Ok(one_or(parts, Condition::All))
    }

    fn not(&mut self) -> Result<Condition, ConditionError> {
        let mut times = 0_usize;
        while self.take_word("not") {
            times = times.saturating_add(1);
            if times > DEPTH_MAX {
                return Err(self.wrong(format!("nested deeper than {DEPTH_MAX}")));
            }
        }
        let one = self.primary()?;
        Ok((0..times).fold(one, |c, _| Condition::Not(Box::new(c))))
    }

    fn primary(&mut self) -> Result<Condition, ConditionError> {
        if self.take('(') {
            let inner = self.or()?;
            self.want(')')?;
            return Ok(inner);
        }
        let start = self.at;
        let word = self.word();
        self.at = self.at.saturating_add(word.chars().count());
        if let Some(test) = bare(&word) {
            return Ok(test);
        }
        if word == "noted" {
            return if self.take('(') { self.name(Condition::Noted) } else { Ok(Condition::NotedAny) };
        }
        if word.is_empty() || !KNOWN.contains(&word.as_str()) {
            self.at = start;
            self.space();
            return Err(self.wrong(if word.is_empty() {
                "a test is wanted".to_owned()
            } else {
                format!("`{word}` is no test")
            }));
        }
        self.want('(')?;
        match word.as_str() {
            "yes" => self.name(Condition::Yes),
            "no" => self.name(Condition::No),
            "answered" => self.name(Condition::Answered),
            "indicator" => self.name(Condition::Indicator),
            "positive" => self.name(Condition::Positive),
            "has" => {
                let item = self.argument(Name::new)?;
                self.want(',')?;
                let option = self.argument(Name::new)?;
                self.close(Condition::Has { item, option })
            }
            "number" => self.number(),
            "outcome" => {
                let outcome = self.argument(|w| {
                    Outcome::ALL.into_iter().find(|o| o.as_str() == w).ok_or("not an outcome")
                })?;
                self.close(Condition::Outcome(outcome))
            }
            "country" => {
                let country = self.argument(|w| Country::new(&w))?;
                self.close(Condition::Country(country))
            }
            "setting" => {
                let setting = self.argument(|w| {
                    SETTINGS.iter().find(|(_, word)| *word == w).map(|(s, _)| *s).ok_or("not a setting")
                })?;
                self.close(Condition::Setting(setting))
            }
            "possible" => {
                let inner = self.or()?;
                self.close(Condition::Possible(Box::new(inner)))
            }
            _ => self.at_least(),
        }
    }

    fn close(&mut self, condition: Condition) -> Result<Condition, ConditionError> {
        self.want(')').map(|()| condition)
    }

    fn name(&mut self, make: impl Fn(Name) -> Condition) -> Result<Condition, ConditionError> {
        let name = self.argument(Name::new)?;
        self.close(make(name))
    }

    fn argument<T, E: fmt::Display>(
        &mut self,
        read: impl Fn(String) -> Result<T, E>,
    ) -> Result<T, ConditionError> {
        let word = self.word();
        let length = word.chars().count();
        let value = read(word).map_err(|e| self.wrong(e.to_string()))?;
        self.at = self.at.saturating_add(length);
        Ok(value)
    }

    fn number(&mut self) -> Result<Condition, ConditionError> {
        let item = self.argument(Name::new)?;
        self.want(',')?;
        let min = self.whole()?;
        self.want('.')?;
        self.want('.')?;
        let max = self.whole()?;
        self.close(Condition::Number { item, min, max })
    }

    /// A whole number, or none where none stands.
    fn whole(&mut self) -> Result<Option<i64>, ConditionError> {
        self.space();
        let digits: String = self
            .chars
            .iter()
            .skip(self.at)
            .enumerate()
            .take_while(|(i, c)| c.is_ascii_digit() || (*i == 0 && **c == '-'))
            .map(|(_, c)| *c)
            .collect();
        if digits.is_empty() {
            return Ok(None);
        }
        let number = digits.parse().map_err(|_| self.wrong("not a whole number"))?;
        self.at = self.at.saturating_add(digits.len());
        Ok(Some(number))
    }

    fn at_least(&mut self) -> Result<Condition, ConditionError> {
        let n = self.whole()?.and_then(|n| u32::try_from(n).ok());
        let n = n.ok_or_else(|| self.wrong("a count is wanted"))?;
        let mut of = Vec::new();
        while self.take(',') {
            of.push(self.or()?);
        }
        self.close(Condition::AtLeast { n, of })
    }
}

/// Tests that are followed by brackets.
const KNOWN: [&str; 12] = [
    "yes",
    "no",
    "has",
    "number",
    "answered",
    "indicator",
    "positive",
    "outcome",
    "country",
    "setting",
    "possible",
    "at_least",
];

/// Tests of the person without brackets.
const PERSON: [(PersonTest, &str); 6] = [
    (PersonTest::Foreign, "foreign"),
    (PersonTest::Unaccompanied, "unaccompanied"),
    (PersonTest::OffenceSuspected, "offence"),
    (PersonTest::ChildrenAlong, "children_along"),
    (PersonTest::Female, "female"),
    (PersonTest::Male, "male"),
];

const SETTINGS: [(Setting, &str); 6] = [
    (Setting::Border, "border"),
    (Setting::Workplace, "workplace"),
    (Setting::Street, "street"),
    (Setting::Custody, "custody"),
    (Setting::Consulate, "consulate"),
    (Setting::Other, "other"),
];

fn bare(word: &str) -> Option<Condition> {
    match word {
        "always" => Some(Condition::Always),
        "child" => Some(Condition::Child),
        "adult" => Some(Condition::Not(Box::new(Condition::Child))),
        _ => PERSON.iter().find(|(_, w)| *w == word).map(|(test, _)| Condition::Person(*test)),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')
}

fn one_or(mut parts: Vec<Condition>, make: impl Fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.len(), parts.pop()) {
        (1, Some(one)) => one,
        (_, Some(last)) => {
            parts.push(last);
            make(parts)
        }
        (_, None) => make(parts),
    }
}

/// Writes a condition as text that reads back as the same tree. `and` and `or` of fewer than two parts have
/// no text of their own and are written as `at_least`.
#[must_use]
pub fn print(condition: &Condition) -> String {
    let mut out = String::new();
    write(condition, Binds::Or, &mut out);
    out
}

/// How tightly the place binds in which a condition stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binds {
    Or,
    And,
    Not,
}

fn write(condition: &Condition, place: Binds, out: &mut String) {
    let text = match condition {
        Condition::All(of) if of.len() > 1 => return join(of, " and ", (Binds::And, place), out),
        Condition::Any(of) if of.len() > 1 => return join(of, " or ", (Binds::Or, place), out),
        Condition::All(of) | Condition::Any(of) => return call(&format!("at_least({}", of.len()), of, out),
        Condition::AtLeast { n, of } => return call(&format!("at_least({n}"), of, out),
        Condition::Not(of) if **of == Condition::Child => "adult".to_owned(),
        Condition::Not(of) => {
            out.push_str("not ");
            return write(of, Binds::Not, out);
        }
        Condition::Possible(of) => {
            out.push_str("possible(");
            write(of, Binds::Or, out);
            ")".to_owned()
        }
        test => leaf(test),
    };
    out.push_str(&text);
}

/// Parts of the same connective are put in brackets, so that nesting survives.
fn join(of: &[Condition], word: &str, (own, place): (Binds, Binds), out: &mut String) {
    let brackets = place > own;
    if brackets {
        out.push('(');
    }
    for (i, part) in of.iter().enumerate() {
        if i > 0 {
            out.push_str(word);
        }
        let inner = if own == Binds::Or { Binds::And } else { Binds::Not };
        write(part, inner, out);
    }
    if brackets {
        out.push(')');
    }
}

fn call(open: &str, of: &[Condition], out: &mut String) {
    out.push_str(open);
    for part in of {
        out.push_str(", ");
        write(part, Binds::Or, out);
    }
    out.push(')');
}

fn leaf(test: &Condition) -> String {
    match test {
        Condition::Yes(item) => format!("yes({item})"),
        Condition::No(item) => format!("no({item})"),
        Condition::Has { item, option } => format!("has({item}, {option})"),
        Condition::Number { item, min, max } => {
            let bound = |n: &Option<i64>| n.map_or_else(String::new, |n| n.to_string());
            format!("number({item}, {}..{})", bound(min), bound(max))
        }
        Condition::Answered(item) => format!("answered({item})"),
        Condition::Child => "child".into(),
        Condition::Person(test) => {
            PERSON.iter().find(|(t, _)| t == test).map_or("", |(_, word)| word).to_owned()
        }
        Condition::Indicator(id) => format!("indicator({id})"),
        Condition::Noted(id) => format!("noted({id})"),
        Condition::NotedAny => "noted".into(),
        Condition::Positive(id) => format!("positive({id})"),
        Condition::Outcome(outcome) => format!("outcome({})", outcome.as_str()),
        Condition::Country(country) => format!("country({country})"),
        Condition::Setting(setting) => {
            let word = SETTINGS.iter().find(|(s, _)| s == setting).map_or("", |(_, word)| word);
            format!("setting({word})")
        }
        _ => "always".into(),
    }
}

#[cfg(test)]
mod tests;
