//! Certificates, segments and their facts.

use amparo_schema::fact::Compartment;
use amparo_schema::id::{CaseId, DeviceId, Hash, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::wire::enrol::Certificate;
use amparo_schema::wire::segment::{Header, Plain};
use rusqlite::{OptionalExtension, params};

use super::{Tx, bytes, count, whole};
use crate::desk::DeskError;

/// Facts that one device may say of one case; of what belongs to no case, in its life. Some whole screenings.
const CASE_FACTS_MAX: u64 = 65_536;
/// Bytes of these facts: twice the largest segment.
const CASE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A segment that opened, with everything that is kept of it.
pub(in crate::desk) struct NewSegment<'a> {
    /// Its header.
    pub(in crate::desk) header: &'a Header,
    /// Its header hash.
    pub(in crate::desk) hash: Hash,
    /// As it came.
    pub(in crate::desk) bytes: &'a [u8],
    /// The encoded grant that opened it.
    pub(in crate::desk) granted: &'a [u8],
    /// What it holds.
    pub(in crate::desk) plain: &'a Plain,
    /// When it came, by the desk's clock.
    pub(in crate::desk) received_ms: i64,
}

/// A fact as it lies in the store, with what is known about its coming.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::desk) struct Row {
    /// The device that wrote it.
    pub(in crate::desk) device: DeviceId,
    /// Its counter in the device's store.
    pub(in crate::desk) counter: u64,
    /// The encoded fact; empty once it was erased.
    pub(in crate::desk) body: Vec<u8>,
    /// Its screening.
    pub(in crate::desk) screening: Option<ScreeningId>,
    /// Its compartment, as the segment says.
    pub(in crate::desk) compartment: Compartment,
    /// The incarnation that sealed it.
    pub(in crate::desk) incarnation: u64,
    /// The agency of the device, by its newest certificate.
    pub(in crate::desk) agency: Name,
    /// When its segment first came, by the desk's clock.
    pub(in crate::desk) received_ms: i64,
    /// Whether the segment was withdrawn.
    pub(in crate::desk) hidden: bool,
}

const ROWS: &str = "SELECT f.device, f.counter, f.body, f.screening, f.compartment, f.incarnation,
        (SELECT c.agency FROM certificate c WHERE c.device = f.device
         ORDER BY c.from_ms DESC, c.certificate DESC LIMIT 1),
        s.received_ms, s.hidden
    FROM fact f JOIN segment s ON s.hash = f.segment";

impl Tx<'_> {
    /// Keeps a certificate that holds; `hash` names its bytes.
    pub(in crate::desk) fn keep_certificate(&self, hash: Hash, shown: &Certificate) -> Result<(), DeskError> {
        self.0.execute(
            "INSERT INTO certificate (certificate, device, agency, letter_key, from_ms)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![
                &hash.0[..],
                &shown.device.0[..],
                shown.agency.as_str(),
                &shown.letter_key.0[..],
                shown.from_ms
            ],
        )?;
        Ok(())
    }

    /// The key for letters to the device, by its newest certificate.
    pub(in crate::desk) fn letter_key(&self, device: DeviceId) -> Result<Option<Hash>, DeskError> {
        let found: Option<Vec<u8>> = self
            .0
            .query_row(
                "SELECT letter_key FROM certificate WHERE device = ?1
                 ORDER BY from_ms DESC, certificate DESC LIMIT 1",
                [&device.0[..]],
                |r| r.get(0),
            )
            .optional()?;
        found.map(|key| Ok(Hash(bytes(key, "letter key")?))).transpose()
    }

    /// Keeps a segment and its facts; true when it was not here before. One that was here keeps its facts,
    /// and the earlier of both times; one that was erased has them again.
    pub(in crate::desk) fn keep_segment(&self, new: &NewSegment<'_>) -> Result<bool, DeskError> {
        let changed = self.0.execute(
            "INSERT INTO segment (hash, device, incarnation, number, bytes, granted, received_ms, hidden)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0) ON CONFLICT DO NOTHING",
            params![
                &new.hash.0[..],
                &new.header.device.0[..],
                new.header.incarnation.cast_signed(),
                new.header.number.cast_signed(),
                new.bytes,
                new.granted,
                new.received_ms,
            ],
        )?;
        if changed == 0 {
            let earlier = "UPDATE segment SET received_ms = ?2 WHERE hash = ?1 AND received_ms > ?2";
            self.0.execute(earlier, params![&new.hash.0[..], new.received_ms])?;
            let again = "UPDATE segment SET bytes = ?2, granted = ?3 WHERE hash = ?1 AND length(bytes) = 0";
            if self.0.execute(again, params![&new.hash.0[..], new.bytes, new.granted])? > 0 {
                self.0.execute("DELETE FROM fact WHERE segment = ?1", [&new.hash.0[..]])?;
                self.keep_facts(new)?;
            }
            return Ok(false);
        }
        self.keep_facts(new)?;
        Ok(true)
    }

    /// Whether a segment is here already, or what its device said of its case stays within bounds with it. A
    /// case is read whole, so none may grow without end; each device has its own share of it.
    pub(in crate::desk) fn fits(
        &self,
        header: &Header,
        hash: Hash,
        plain: &Plain,
    ) -> Result<bool, DeskError> {
        let here = "SELECT EXISTS (SELECT 1 FROM segment WHERE hash = ?1 AND length(bytes) > 0)";
        if plain.case.is_none() || self.0.query_row(here, [&hash.0[..]], |r| r.get(0))? {
            return Ok(true);
        }
        let held: (i64, i64) = self.0.query_row(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM fact
             WHERE case_id IS ?1 AND device = ?2 AND segment <> ?3",
            params![plain.case.map(|id| id.0.to_vec()), &header.device.0[..], &hash.0[..]],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
        let new = plain.events.iter().fold(0_usize, |sum, event| sum.saturating_add(event.fact.len()));
        let within = |held: i64, new: usize, most: u64| {
            Ok::<_, DeskError>(count(held)?.saturating_add(new.try_into().unwrap_or(u64::MAX)) <= most)
        };
        Ok(within(held.0, plain.events.len(), CASE_FACTS_MAX)? && within(held.1, new, CASE_BYTES_MAX)?)
    }

    fn keep_facts(&self, new: &NewSegment<'_>) -> Result<(), DeskError> {
        let mut add = self.0.prepare_cached(
            "INSERT INTO fact (segment, counter, device, incarnation, case_id, screening, compartment, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        for event in &new.plain.events {
            add.execute(params![
                &new.hash.0[..],
                whole(event.counter)?,
                &new.header.device.0[..],
                new.header.incarnation.cast_signed(),
                new.plain.case.map(|id| id.0.to_vec()),
                new.plain.screening.map(|id| id.0.to_vec()),
                compartment_code(event.compartment),
                event.fact,
            ])?;
        }
        Ok(())
    }

    /// Erases what a segment says, its ciphertext and its grant. That there was such a fact of the case stays,
    /// and so do facts about consent, which devices seal together with those of the case: a no counts also when
    /// it was withdrawn itself. False when there was nothing to erase.
    pub(in crate::desk) fn erase(&self, segment: Hash) -> Result<bool, DeskError> {
        let changed = self.0.execute(
            "UPDATE segment SET bytes = x'', granted = x'' WHERE hash = ?1 AND length(bytes) > 0",
            [&segment.0[..]],
        )?;
        if changed > 0 {
            self.0.execute(
                "UPDATE fact SET body = x'' WHERE segment = ?1 AND compartment <> ?2",
                params![&segment.0[..], compartment_code(Compartment::Consent)],
            )?;
        }
        Ok(changed > 0)
    }

    /// Every case of which the desk may read something, or could before it was withdrawn.
    pub(in crate::desk) fn cases(&self) -> Result<Vec<CaseId>, DeskError> {
        let mut found = self
            .0
            .prepare_cached("SELECT DISTINCT case_id FROM fact WHERE case_id IS NOT NULL ORDER BY case_id")?;
        let mut rows = found.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(CaseId(bytes(row.get(0)?, "case")?));
        }
        Ok(out)
    }

    /// The facts of a case; without one, those that belong to no case. As many as [`Tx::fits`] let in of each
    /// device.
    pub(in crate::desk) fn rows(&self, case: Option<CaseId>) -> Result<Vec<Row>, DeskError> {
        let mut found = self.0.prepare_cached(&format!("{ROWS} WHERE f.case_id IS ?1"))?;
        let mut rows = found.query([case.map(|id| id.0.to_vec())])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let screening: Option<Vec<u8>> = row.get(3)?;
            let agency: String = row.get(6)?;
            out.push(Row {
                device: DeviceId(bytes(row.get(0)?, "device")?),
                counter: count(row.get(1)?)?,
                body: row.get(2)?,
                screening: screening.map(|id| bytes(id, "screening").map(ScreeningId)).transpose()?,
                compartment: compartment(row.get(4)?)?,
                incarnation: row.get::<_, i64>(5)?.cast_unsigned(),
                agency: Name::new(agency).map_err(|_| DeskError::Damaged("agency"))?,
                received_ms: row.get(7)?,
                hidden: row.get(8)?,
            });
        }
        Ok(out)
    }

    /// Places in devices' chains at which more than one segment came: `(device, incarnation, number)`.
    pub(in crate::desk) fn forks(&self) -> Result<Vec<(DeviceId, u64, u64)>, DeskError> {
        let mut found = self.0.prepare_cached(
            "SELECT device, incarnation, number FROM segment
             GROUP BY device, incarnation, number HAVING count(*) > 1 ORDER BY 1, 2, 3",
        )?;
        let mut rows = found.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let device = DeviceId(bytes(row.get(0)?, "device")?);
            let [incarnation, number] = [row.get::<_, i64>(1)?, row.get(2)?].map(i64::cast_unsigned);
            out.push((device, incarnation, number));
        }
        Ok(out)
    }

    /// Segments held, and how many of them are hidden.
    pub(in crate::desk) fn segments(&self) -> Result<(u64, u64), DeskError> {
        let read = "SELECT count(*), coalesce(sum(hidden), 0) FROM segment";
        let (all, hidden): (i64, i64) = self.0.query_row(read, [], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok((count(all)?, count(hidden)?))
    }
}

fn compartment_code(compartment: Compartment) -> i64 {
    match compartment {
        Compartment::Identity => 0,
        Compartment::Case => 1,
        Compartment::Consent => 2,
        Compartment::Audit => 3,
    }
}

fn compartment(code: i64) -> Result<Compartment, DeskError> {
    match code {
        0 => Ok(Compartment::Identity),
        1 => Ok(Compartment::Case),
        2 => Ok(Compartment::Consent),
        3 => Ok(Compartment::Audit),
        _ => Err(DeskError::Damaged("compartment")),
    }
}
