//! Ids and short texts with a form, as other languages see them: plain strings.
//!
//! A text without the form is [`FieldError::InvalidInput`] naming the type, never the text.

use amparo_schema::id::{CaseId, Hash, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::person::Country;
use amparo_schema::text::Lang;
use jiff::civil::Date as CivilDate;

use crate::errors::FieldError;

fn form(field: &str) -> FieldError {
    FieldError::invalid(field, "form")
}

uniffi::custom_type!(ScreeningId, String, {
    remote,
    try_lift: |text| Ok(text.parse().map_err(|_| form("screening"))?),
    lower: |id| id.to_string(),
});

uniffi::custom_type!(CaseId, String, {
    remote,
    try_lift: |text| Ok(text.parse().map_err(|_| form("case"))?),
    lower: |id| id.to_string(),
});

uniffi::custom_type!(ReferralId, String, {
    remote,
    try_lift: |text| Ok(text.parse().map_err(|_| form("referral"))?),
    lower: |id| id.to_string(),
});

uniffi::custom_type!(Hash, String, {
    remote,
    try_lift: |text| Ok(text.parse().map_err(|_| form("hash"))?),
    lower: |hash| hash.to_string(),
});

uniffi::custom_type!(Name, String, {
    remote,
    try_lift: |text| Ok(Name::new(text).map_err(|_| form("name"))?),
    lower: |name| name.into(),
});

uniffi::custom_type!(Lang, String, {
    remote,
    try_lift: |text| Ok(Lang::new(text).map_err(|_| form("language"))?),
    lower: |lang| lang.into(),
});

uniffi::custom_type!(Country, String, {
    remote,
    try_lift: |text| Ok(Country::new(&text).map_err(|_| form("country"))?),
    lower: |country| country.into(),
});

uniffi::custom_type!(CivilDate, String, {
    remote,
    try_lift: |text| Ok(text.parse::<CivilDate>().map_err(|_| form("date"))?),
    lower: |date| date.to_string(),
});
