//! Findings: a rule, a place, and what is wrong there in a few words.

use std::fmt;

use amparo_schema::text::{Review, Source};

/// One thing that is wrong, or worth a look, in a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// How bad it is; a property of the rule.
    pub severity: Severity,
    /// Where: `items[3].when` within the content, `pack.title` within the header.
    pub path: String,
    /// What is wrong. Names ids, languages and numbers, never words of the pack.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] {}: {}", self.severity.as_str(), self.rule.slug(), self.path, self.detail)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The pack is refused.
    Error,
    /// The pack is usable; someone should look.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $severity:ident $slug:literal;)*) => {
        /// The rules. Slugs are stable: authors, tests and shells name them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$rule,)*];

            /// Its fixed name.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$rule => $slug,)* }
            }

            /// Whether it refuses the pack.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$rule => Severity::$severity,)* }
            }
        }
    };
}

rules! {
    /// An id, a purpose, a key or a country stands twice where it must be unique.
    DuplicateId Error "duplicate-id";
    /// A condition names an item that does not exist.
    UnknownItem Error "unknown-item";
    /// A condition names an option that its item does not have.
    UnknownOption Error "unknown-option";
    /// A condition names an indicator that does not exist.
    UnknownIndicator Error "unknown-indicator";
    /// An indicator or a condition names a dimension that does not exist.
    UnknownDimension Error "unknown-dimension";
    /// A test does not fit the kind of its item, such as `yes` of a number.
    WrongItemKind Error "wrong-item-kind";
    /// `when` looks at the item itself or at a later one, so that a path could have no end.
    LaterItem Error "later-item";
    /// A condition has more nodes than allowed.
    ConditionTooLarge Error "condition-too-large";
    /// A condition is nested deeper than allowed.
    ConditionTooDeep Error "condition-too-deep";
    /// A test stands where it has nothing to look at, such as an outcome in a checklist.
    TestNotAllowedHere Error "test-not-allowed-here";
    /// `not` or `possible` in an indicator: more knowledge would take a sign away.
    NegationInIndicator Error "negation-in-indicator";
    /// `and`, `or` or `at_least` without enough parts.
    EmptyCondition Error "empty-condition";
    /// A condition that can never hold, so that what it guards is never reached.
    NeverTrue Error "never-true";
    /// An item of choices without any.
    EmptyOptions Error "empty-options";
    /// Age bands that overlap, run backwards or pass 120, or an age span that runs backwards.
    AgeBandInvalid Error "age-band-invalid";
    /// Bounds of a number that run backwards, are missing, or lie outside those of the item.
    NumberBounds Error "number-bounds";
    /// A short text that is longer than answers may be.
    ShortTextBounds Error "short-text-bounds";
    /// An item takes free words of the person.
    FreeText Warning "free-text";
    /// An observation after a question: observations come first.
    ObservationAfterQuestion Error "observation-after-question";
    /// An item of a checklist has an id that is reserved for the intake.
    ReservedId Error "reserved-id";
    /// A checklist without a rule, which could never say anything.
    NoRule Error "no-rule";
    /// A dimension without a threshold, or with one that is always reached, or with none that its indicators
    /// can reach.
    ThresholdInvalid Error "threshold-invalid";
    /// A rule gives `none_noted_today`, which only the engine gives.
    NoneNotedInRule Error "none-noted-in-rule";
    /// A rule for `presumed` holds an indicator or a dimension under `not`.
    UndoneBySign Error "undone-by-sign";
    /// For one outcome a protocol has nothing to do.
    OutcomeWithoutSteps Error "outcome-without-steps";
    /// A deadline without limits, or with more than three.
    DeadlineLimits Error "deadline-limits";
    /// A deadline of more than 10,000 units.
    DeadlineAmount Error "deadline-amount";
    /// Working days in a protocol without a calendar.
    WorkingDaysWithoutCalendar Error "working-days-without-calendar";
    /// What replaced a step or a service is not there.
    UnknownSuccessor Error "unknown-successor";
    /// Steps or services that replace each other in a circle.
    SuccessorCycle Error "successor-cycle";
    /// A day that lies before the one it follows.
    DatesOutOfOrder Error "dates-out-of-order";
    /// A date of a source or an approval that is no year, month or day.
    DateForm Error "date-form";
    /// A fact without a source, or one without document and place.
    Unsourced Error "unsourced";
    /// The demonstration authority claims an approval.
    ApprovedReviewInDemo Error "approved-review-in-demo";
    /// A text without any language, or without words in one.
    TextWithoutLanguage Error "text-without-language";
    /// Spanish or English is missing.
    MissingTranslation Error "missing-translation";
    /// A language is missing in words that a person hears.
    MissingSpokenLanguage Warning "missing-spoken-language";
    /// The header calls a language complete that is not.
    LanguageIncomplete Error "language-incomplete";
    /// A word that is never said of a person, such as victim, score, suspect or illegal. Proper names of
    /// services, agencies, posts and documents are free of it.
    BannedWord Error "banned-word";
    /// A text past its limit.
    TextTooLong Error "text-too-long";
    /// A sign that changes the direction of writing unseen.
    BidiControl Error "bidi-control";
    /// A control sign, or one that cannot be seen.
    ControlCharacter Error "control-character";
    /// More of something than a device takes.
    LimitExceeded Error "limit-exceeded";
    /// A dial string with other than digits, `*`, `#`, `,` and `;`.
    DialForm Error "dial-form";
    /// An international number that is not `+` and 2 to 15 digits.
    E164Form Error "e164-form";
    /// Digits of another script in a number.
    ForeignDigit Error "foreign-digit";
    /// What is shown is not what is dialled.
    DisplayDiffers Error "display-differs";
    /// The international number is not the one that is dialled within the country.
    E164Differs Error "e164-differs";
    /// A service that may be offered and cannot be reached.
    ServiceWithoutChannel Error "service-without-channel";
    /// A shelter with an address.
    ShelterAddress Error "shelter-address";
    /// Opening hours out of the day, or on no day.
    HoursForm Error "hours-form";
    /// An area that is not of ISO 3166-2 form, or of another country.
    AreaForm Error "area-form";
    /// Content about a country that the header does not name.
    CountryOutsidePack Error "country-outside-pack";
    /// A holiday outside its year.
    HolidayOutsideYear Error "holiday-outside-year";
    /// Changes of a time zone that do not ascend, are missing, or have no such offset.
    ZoneChanges Error "zone-changes";
    /// A time zone name that is not of the form `Area/City`.
    ZoneName Error "zone-name";
    /// Fewer than 64 code words in a language, or one that is not a lower-case word of its own.
    CodeWords Error "code-words";
    /// An outcome without words.
    MissingOutcomeWords Error "missing-outcome-words";
    /// A purpose without a consent.
    MissingConsent Error "missing-consent";
    /// A policy without a gate.
    MissingGate Error "missing-gate";
    /// Nothing to turn to when a directory has nothing.
    EmptyLastResort Error "empty-last-resort";
    /// An intake item with an id that is not reserved.
    UnknownIntake Error "unknown-intake";
    /// An intake item of another kind than its id stands for.
    IntakeKind Error "intake-kind";
    /// An option of an intake item without a meaning.
    IntakeOption Error "intake-option";
    /// A recipient's key that anyone could open.
    RecipientKey Error "recipient-key";
    /// A recipient without a key.
    RecipientWithoutKey Error "recipient-without-key";
    /// A signing key that is no Ed25519 key, or under which anything verifies.
    SigningKey Error "signing-key";
    /// An agency without a service, or services of a recipient that runs none.
    RecipientServices Error "recipient-services";
    /// A time of keeping of zero.
    RetentionZero Error "retention-zero";
}

/// A place in a pack, kept on the stack and written out only when something is found there.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    before: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    pub(super) fn root() -> Self {
        Self { before: None, step: Step::Root }
    }

    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self { before: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { before: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            before.fmt(f)?;
        }
        let first = self.before.is_none_or(|before| matches!(before.step, Step::Root));
        match self.step {
            Step::Root => Ok(()),
            // A key may be a text of the pack; only what looks like an id is repeated.
            Step::Key(key) if !is_plain(key) => f.write_str(if first { "?" } else { ".?" }),
            Step::Key(key) if first => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

fn is_plain(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+[]".contains(c);
    key.len() <= 200 && key.chars().all(plain)
}

/// Where findings are collected, up to a limit.
pub(super) struct Findings {
    list: Vec<Finding>,
    demo: bool,
}

impl Findings {
    pub(super) fn new(demo: bool) -> Self {
        Self { list: Vec::new(), demo }
    }

    pub(super) fn add(&mut self, rule: Rule, at: &At<'_>, detail: impl Into<String>) {
        if self.list.len() < super::FINDINGS_MAX {
            let (path, detail) = (at.to_string(), detail.into());
            self.list.push(Finding { rule, severity: rule.severity(), path, detail });
        }
    }

    /// Checks where a fact comes from: `key` is the field that holds its sources.
    pub(super) fn sources(&mut self, sources: &[Source], key: &str, at: &At<'_>) {
        let list = at.key(key);
        if sources.is_empty() {
            self.add(Rule::Unsourced, &list, "no source");
        }
        for (i, source) in sources.iter().enumerate() {
            self.source(source, &list.index(i));
        }
    }

    /// Checks one source.
    pub(super) fn source(&mut self, source: &Source, at: &At<'_>) {
        if source.document.trim().is_empty() || source.place.trim().is_empty() {
            self.add(Rule::Unsourced, at, "a source names document and place");
        }
        if source.as_of.as_deref().is_some_and(|date| !is_partial_date(date)) {
            self.add(Rule::DateForm, &at.key("as_of"), "not YYYY, YYYY-MM or YYYY-MM-DD");
        }
    }

    /// Checks how far a fact was checked.
    pub(super) fn review(&mut self, review: &Review, at: &At<'_>) {
        let at = at.key("review");
        if let Review::Approved { on, .. } = review {
            if self.demo {
                self.add(Rule::ApprovedReviewInDemo, &at, "only a national authority approves");
            } else if !is_partial_date(on) {
                self.add(Rule::DateForm, &at, "not YYYY, YYYY-MM or YYYY-MM-DD");
            }
        }
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    pub(super) fn into_list(self) -> Vec<Finding> {
        self.list
    }
}

fn is_partial_date(text: &str) -> bool {
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    whole.len() == 10 && whole.parse::<jiff::civil::Date>().is_ok()
}
