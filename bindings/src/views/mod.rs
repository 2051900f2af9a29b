//! What comes out: everything that a screen draws, words resolved to the languages of the screening.
//!
//! Flat and complete: a shell asks once and draws. Times are milliseconds since 1970, UTC, by the phone's
//! clock. What holds something of a person is `redacted!`.

mod contacts;
mod content;
mod outcome;
mod protocol;
mod question;
mod screening;
mod sharing;
mod store;
mod sync;

use amparo_schema::text::{Lang, Source, Text};

pub use contacts::{
    AgencyView, ChannelView, ContactsView, ExcludedView, HoursView, LookupView, OfferView, ServiceView,
    SpanView,
};
pub use content::{ChecklistView, InstalledView, PackView, PackWarning, PostView};
pub use outcome::{IndicatorView, OutcomeClassView, OutcomeView, UnknownView};
pub use protocol::{DueView, LimitView, PastStepView, StepConsent, StepView};
pub use question::{AgeBandView, AnswerKind, GateCheckView, OptionView, QuestionView};
pub use screening::{NextView, ScreeningLineView, ScreeningListView, ScreeningProgress, ScreeningView};
pub use sharing::{CardView, ConsentView, PacketView, ReferralView};
pub use store::{DiagnosticsView, FaultView, VerifyView};
pub use sync::{
    AsideView, EnrolmentView, FollowUpView, PurgeView, RefusedView, RepliesView, ScreeningSyncView, SyncEnd,
    SyncReportView, SyncStateView, VolumeView,
};

pub(crate) use contacts::{contacts, whole_service};
pub(crate) use content::{checklist, installed, pack, post};
pub(crate) use screening::{Show, line, screening};
pub(crate) use sharing::card;
pub(crate) use store::{findings, verify};
pub(crate) use sync::{enrolment, purged, replies, sync_report, sync_state, volume};

/// Words in one language.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct WordsView {
    /// The words.
    pub text: String,
    /// The language that they are in.
    pub lang: Lang,
    /// True when that is not the language asked for; say so beside the words.
    pub fallback: bool,
}

/// Where something comes from.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SourceView {
    /// The document.
    pub document: String,
    /// The place in it.
    pub place: String,
    /// The date for which it was true, ISO 8601; a year or month where no day is known.
    pub as_of: Option<String>,
}

/// The words of a text for a reader. A text without any language, which no checked pack holds, is empty.
pub(crate) fn words(text: &Text, lang: &Lang) -> WordsView {
    match text.find(lang) {
        Some(found) => {
            WordsView { text: found.words.into(), lang: found.lang.clone(), fallback: found.fallback }
        }
        None => WordsView { text: String::new(), lang: lang.clone(), fallback: true },
    }
}

pub(crate) fn sources(sources: &[Source]) -> Vec<SourceView> {
    let view = |source: &Source| SourceView {
        document: source.document.clone(),
        place: source.place.clone(),
        as_of: source.as_of.clone(),
    };
    sources.iter().map(view).collect()
}
