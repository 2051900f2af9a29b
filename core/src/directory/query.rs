//! The question that is put to a directory. Nameless.

use std::collections::BTreeSet;

use amparo_schema::limits::RESULTS_MAX;
use amparo_schema::pack::directory::{Channel, ChannelKind, ServiceKind};
use amparo_schema::person::{Country, Person};

/// Who, where, when, and by what means.
#[derive(Clone, Debug)]
pub struct Query {
    /// The person, as far as known.
    pub person: Person,
    /// The country whose services are wanted.
    pub country: Country,
    /// The first-level area, ISO 3166-2, where known.
    pub area: Option<String>,
    /// Milliseconds since 1970, UTC.
    pub now_ms: i64,
    /// Whether that time can be relied on.
    pub clock: ClockTrust,
    /// Kinds of service that are wanted, best first; empty for any. Other kinds rank after these.
    pub kinds: Vec<ServiceKind>,
    /// Channels that are safe to use now. The rest leave traces on a phone that may be watched.
    pub channels: BTreeSet<ChannelKind>,
    /// Whether the call is made from within the country.
    pub calling: Calling,
    /// Offers wanted, and left-out services listed, at most; never more than [`RESULTS_MAX`].
    pub limit: usize,
}

/// Channels that leave no page, message thread or application on the phone.
const SAFE_BY_DEFAULT: [ChannelKind; 4] =
    [ChannelKind::Phone, ChannelKind::Tty, ChannelKind::Sms, ChannelKind::InPerson];

impl Query {
    /// A query by a trusted clock, from within the country, for any kind of service, over the channels that are safe
    /// on any phone: telephone, text telephone, text message, in person.
    #[must_use]
    pub fn new(person: Person, country: Country, now_ms: i64) -> Self {
        Self {
            person,
            country,
            area: None,
            now_ms,
            clock: ClockTrust::Trusted,
            kinds: Vec::new(),
            channels: SAFE_BY_DEFAULT.into(),
            calling: Calling::Home,
            limit: RESULTS_MAX,
        }
    }
}

/// Whether the phone's clock can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrust {
    /// Nothing speaks against it.
    Trusted,
    /// It jumped, or disagrees with what is known: opening hours are then unknown, and close nothing.
    InDoubt,
}

/// From where the call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calling {
    /// From within the country of the service.
    Home,
    /// From another country.
    Abroad,
}

/// What to dial: the national string at home, E.164 from abroad (and at home where there is nothing else). `None`
/// where nothing may be dialled; always for a channel marked do-not-dial.
#[must_use]
pub fn to_dial(channel: &Channel, calling: Calling) -> Option<&str> {
    if channel.do_not_dial {
        return None;
    }
    let e164 = channel.e164.as_deref();
    match calling {
        Calling::Home => channel.dial.as_deref().or(e164),
        Calling::Abroad => e164,
    }
}
