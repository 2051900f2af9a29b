//! Enums of the directory. Repeated from where they are defined; the compiler compares.

pub use amparo_core::directory::Exclusion as ContactExclusion;
pub use amparo_core::directory::Open as OpenState;
pub use amparo_core::directory::Reason as ContactReason;
pub use amparo_core::directory::Rung;
pub use amparo_core::directory::Trait as PersonTrait;
use amparo_schema::name::Name;
pub use amparo_schema::pack::directory::AgencyKind;
pub use amparo_schema::pack::directory::ChannelKind;
pub use amparo_schema::pack::directory::Day as Weekday;
pub use amparo_schema::pack::directory::ServiceKind;
use jiff::civil::Date as CivilDate;

/// Kinds of service, in the order in which a match prefers them.
#[uniffi::remote(Enum)]
pub enum ServiceKind {
    /// A line for trafficking in persons.
    DedicatedLine,
    /// A shelter.
    Shelter,
    /// A specialised programme or unit for trafficked persons.
    Specialised,
    /// Child protection.
    Child,
    /// Victim support of any crime.
    VictimSupport,
    /// Women, gender, domestic or sexual violence.
    Women,
    /// Labour rights.
    Labour,
    /// Migration authority or consulate.
    Migration,
    /// Prosecutor, court, legal aid.
    Justice,
    /// Police.
    Police,
    /// Emergency number.
    Emergency,
    /// Anything else.
    Other,
}

/// Kinds of channel.
#[uniffi::remote(Enum)]
pub enum ChannelKind {
    /// Telephone.
    Phone,
    /// Text telephone or relay.
    Tty,
    /// Text message.
    Sms,
    /// Chat in a browser or messenger.
    Chat,
    /// Electronic mail.
    Email,
    /// Web page.
    Web,
    /// Social network: leaves traces.
    Social,
    /// Application.
    App,
    /// In person.
    InPerson,
}

/// Kinds of agency.
#[uniffi::remote(Enum)]
pub enum AgencyKind {
    /// Inter-agency body.
    Coordination,
    /// Specialised police unit.
    Police,
    /// Specialised prosecutor.
    Prosecution,
    /// Victim assistance.
    Assistance,
    /// Another.
    Other,
}

/// How far the answer had to step down.
#[uniffi::remote(Enum)]
pub enum Rung {
    /// Nothing that is known speaks against these services. Lines whose subject is another need stand last.
    Fits,
    /// Closed now; they would fit when they open.
    Closed,
    /// They serve another area, or cannot be called from abroad.
    Elsewhere,
    /// They take others or are full: ask them who takes this person.
    TakesOthers,
    /// The source names them and gives no number: nothing to dial.
    Named,
    /// No service: the national bodies.
    Agencies,
    /// Nothing for this country: the words of the policy.
    LastResort,
}

/// Whether a service answers.
#[uniffi::remote(Enum)]
pub enum OpenState {
    /// It answers now.
    Now,
    /// Nobody knows: no hours in the directory, a zone that is not known, or a clock in doubt.
    Unknown,
    /// It does not answer now.
    Closed {
        /// When it next opens, milliseconds since 1970, UTC; `None` for hours without any span.
        opens_at_ms: Option<i64>,
    },
}

/// A respect in which services choose whom they take.
#[uniffi::remote(Enum)]
pub enum PersonTrait {
    /// Sex.
    Sex,
    /// Age.
    Age,
    /// Children who come along.
    Children,
    /// Form of exploitation.
    Exploitation,
    /// Nationals or foreign nationals.
    Nationality,
}

/// What to say of a service that is offered: why it fits, and what to beware of.
#[uniffi::remote(Enum)]
pub enum ContactReason {
    /// It is known to take this person in this respect.
    Takes(PersonTrait),
    /// Ask: it is not known whether it takes this person in this respect.
    TakesUnknown(PersonTrait),
    /// It speaks a language of the person.
    LanguageSpoken,
    /// Not known in which languages it can talk, or the person.
    LanguageUnknown,
    /// It is known to speak other languages only: find an interpreter.
    LanguageOther,
    /// Its subject is this person's need.
    ThemeFits,
    /// Not known whether its subject is this person's need.
    ThemeUnknown,
    /// Its subject is another need.
    ThemeOther,
    /// It is of another kind than was asked for.
    OtherKindThanWanted,
    /// It serves some areas; where the person is was not said.
    AreaUnknown,
    /// It answers now.
    OpenNow,
    /// Not known when it answers.
    HoursUnknown,
    /// The phone's clock is in doubt, so its hours say nothing.
    ClockInDoubt,
    /// Someone called on that day and it was right.
    VerifiedOn(CivilDate),
    /// Nobody has verified it since it was printed in that year.
    UnverifiedSince(Option<u16>),
    /// It cannot be reached from abroad.
    NotReachableFromAbroad,
    /// Not known whether it can be reached from abroad.
    FromAbroadUnknown,
    /// It takes calls about any offence, not only this one.
    AnyOffence,
    /// Part of the number was derived or assumed, not printed.
    NumberDerived,
    /// The number was printed with a prefix that is no longer dialled.
    ObsoletePrefix,
    /// A menu must be answered.
    MenuStep,
    /// The number or the body behind it has likely changed.
    LikelyChanged,
    /// The country was worked out from the layout of the source.
    CountryWorkedOut,
}

/// Why a service is left out.
#[uniffi::remote(Enum)]
pub enum ContactExclusion {
    /// It serves another country.
    OtherCountry,
    /// It is history; this one replaced it.
    Superseded {
        /// Its successor, if it is in the directory.
        by: Option<Name>,
    },
    /// It must not be offered; its remark says why.
    Withheld,
    /// The source names it and gives nothing to reach it by.
    NoContact,
    /// All that is known of it is a number that must not be dialled.
    DoNotDialOnly,
    /// It can only be reached over channels that are not safe now.
    NoSafeChannel,
    /// It cannot be reached from abroad.
    NotReachableFromAbroad,
    /// It serves other areas of the country.
    WrongArea,
    /// It does not answer now.
    ClosedNow {
        /// When it next opens, milliseconds since 1970, UTC; none if it has no hours at all.
        opens_at_ms: Option<i64>,
    },
    /// It is known to take others in this respect.
    TakesOthers(PersonTrait),
    /// No place was free.
    Full {
        /// The day for which that was true; none if not known.
        as_of: Option<CivilDate>,
    },
}

/// A day of the week.
#[uniffi::remote(Enum)]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}
