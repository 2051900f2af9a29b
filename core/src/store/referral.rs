//! Referrals by id. Outlive what was said, so that an answer still finds its case.

use rusqlite::OptionalExtension;

use super::fact::SCREENING_ROW;
use super::{Rows, StoreError, Tx, row_of};
use crate::schema::id::{CaseId, ReferralId, ScreeningId};

/// A referral.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferralRow {
    /// The referral.
    pub referral: ReferralId,
    /// Its screening.
    pub screening: ScreeningId,
    /// Its case.
    pub case: CaseId,
    /// The service that it went to, by its id.
    pub service: String,
    /// The last answer of an agency, as states of referrals are numbered in CBOR; none before.
    pub answer: Option<u32>,
}

/// Keeps a referral.
///
/// # Errors
/// [`StoreError::Conflict`] if its id is taken; [`StoreError::Unknown`] for a screening that is not here.
pub fn insert(
    tx: &Tx<'_>,
    referral: ReferralId,
    screening: ScreeningId,
    service: &str,
) -> Result<(), StoreError> {
    let row = row_of(tx.conn, SCREENING_ROW, &screening.0, "screening")?;
    tx.conn.execute(
        "INSERT INTO referral (referral_id, screening, service) VALUES (?1, ?2, ?3)",
        (referral.0, row, service),
    )?;
    Ok(())
}

/// The referral with an id.
///
/// # Errors
/// As SQLite.
pub fn by_id(rows: &Rows<'_>, referral: ReferralId) -> Result<Option<ReferralRow>, StoreError> {
    let sql = "SELECT s.screening_id, c.case_id, r.service, r.answer FROM referral r
        JOIN screening s ON s.row = r.screening JOIN case_file c ON c.row = s.case_row
        WHERE r.referral_id = ?1";
    let row = rows.conn.prepare_cached(sql)?.query_row([referral.0], |r| {
        Ok(ReferralRow {
            referral,
            screening: ScreeningId(r.get(0)?),
            case: CaseId(r.get(1)?),
            service: r.get(2)?,
            answer: r.get(3)?,
        })
    });
    Ok(row.optional()?)
}

/// The referrals of a screening, by id.
///
/// # Errors
/// As SQLite.
pub fn of_screening(rows: &Rows<'_>, screening: ScreeningId) -> Result<Vec<ReferralId>, StoreError> {
    let sql =
        format!("SELECT referral_id FROM referral WHERE screening = ({SCREENING_ROW}) ORDER BY referral_id");
    let mut query = rows.conn.prepare_cached(&sql)?;
    let found = query.query([screening.0])?.mapped(|r| r.get(0).map(ReferralId));
    Ok(found.collect::<Result<_, _>>()?)
}

/// Notes an agency's answer.
///
/// # Errors
/// [`StoreError::Unknown`] for a referral that is not here.
pub fn answer(tx: &Tx<'_>, referral: ReferralId, answer: u32) -> Result<(), StoreError> {
    let sql = "UPDATE referral SET answer = ?2 WHERE referral_id = ?1";
    let done = tx.conn.prepare_cached(sql)?.execute((referral.0, answer))?;
    if done == 1 { Ok(()) } else { Err(StoreError::Unknown { table: "referral" }) }
}
