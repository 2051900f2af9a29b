//! (being written)

use amparo_schema::pack::calendar::Zone;

/// Why a zone cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("zones are not compiled yet")]
pub struct ZoneError;

/// The offsets of a zone.
///
/// # Errors
/// [`ZoneError`].
pub fn compile(_name: &str, _from_year: i16, _to_year: i16) -> Result<Zone, ZoneError> {
    Err(ZoneError)
}
