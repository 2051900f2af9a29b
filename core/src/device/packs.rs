//! Packs on the device: installing, listing, choosing.

use std::sync::Arc;

use amparo_schema::fact::{Body, Compartment, Fact};
use amparo_schema::pack::{Content, Header, Kind, PackRef};
use amparo_schema::person::Country;
use jiff::civil::Date;

use super::{DAY_MS, Device, Error, lookup, session};
use crate::pack::{Pack, Warning, may_replace};
use crate::store;
use crate::store::pack::NewPack;

/// A pack that was installed.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Its header.
    pub header: Header,
    /// How facts name it.
    pub pack: PackRef,
    /// What to tell the official.
    pub warnings: Vec<Warning>,
    /// True when exactly this pack was there already; nothing was changed.
    pub already: bool,
}

/// A pack on the device.
#[derive(Clone, Debug)]
pub struct PackLine {
    /// Its header.
    pub header: Header,
    /// How facts name it.
    pub pack: PackRef,
    /// True for the version that new screenings use; older ones are kept for the screenings on them.
    pub current: bool,
    /// True when its last day has passed. It is still used.
    pub expired: bool,
}

/// An installed pack as the store has it.
#[derive(Clone, Debug)]
pub(super) struct PackEntry {
    pub(super) header: Header,
    pub(super) pack: PackRef,
    pub(super) current: bool,
}

impl Device {
    /// Verifies a pack and installs it in one transaction, with its services and their search index. Older
    /// versions stay while a screening needs them.
    ///
    /// # Errors
    /// [`Error::Pack`] when it does not verify, makes no sense, or is older than the installed one; the last
    /// good version stays. [`Error::Store`].
    pub fn install(&self, bytes: &[u8]) -> Result<Installed, Error> {
        self.install_with(bytes, |_| Ok(()))
    }

    /// As [`Self::install`], with something else in the same transaction.
    pub(super) fn install_with(
        &self,
        bytes: &[u8],
        also: impl FnOnce(&store::Tx<'_>) -> Result<(), Error>,
    ) -> Result<Installed, Error> {
        let pack = crate::pack::open(bytes, &self.trust, Some(self.today()))?;
        let installed = |already| Installed {
            header: pack.header.clone(),
            pack: pack.pack_ref.clone(),
            warnings: pack.warnings.clone(),
            already,
        };
        let rows = self.pack_rows()?;
        let known = rows.iter().find(|row| {
            row.current && row.header.kind == pack.header.kind && row.header.id == pack.header.id
        });
        if let Some(known) = known {
            if known.pack.hash == pack.hash {
                self.store.write(also)?;
                return Ok(installed(true));
            }
            may_replace(&known.header, &pack.header)?;
        }
        let at = self.stamp();
        let fact = session::encode(&Fact { at, body: Body::PackInstalled { pack: pack.pack_ref.clone() } })?;
        let new = NewPack {
            kind: pack.header.kind,
            id: &pack.header.id,
            version: pack.header.version,
            hash: pack.hash,
            header: &pack.header_bytes,
            file: bytes,
            installed_ms: at.wall_ms,
        };
        self.store.write(|tx| {
            also(tx)?;
            let row = store::pack::install(tx, &new)?;
            if let Content::Directory(directory) = &*pack.content {
                lookup::insert_services(tx, row, directory)?;
            }
            store::fact::append(tx, None, Compartment::Audit, &fact)?;
            store::pack::delete_unused(tx)?;
            if pack.header.kind == Kind::Recipients {
                store::disclosure::mark_all_due(tx)?;
            }
            Ok::<_, Error>(())
        })?;
        // A directory is the one pack that may be large: it is read again when a screening looks for contacts.
        if pack.header.kind != Kind::Directory {
            self.memory().packs.insert(pack.hash, Arc::new(pack.clone()));
        }
        self.memory().installed = None;
        self.remember_content_span()?;
        Ok(installed(false))
    }

    /// Every pack on the device, current ones first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn packs(&self) -> Result<Vec<PackLine>, Error> {
        let today = self.today();
        let rows = self.pack_rows()?;
        Ok(rows
            .iter()
            .map(|row| PackLine {
                expired: row.header.expires < today,
                header: row.header.clone(),
                pack: row.pack.clone(),
                current: row.current,
            })
            .collect())
    }

    /// Every installed pack with its header, from memory or from the store.
    pub(super) fn pack_rows(&self) -> Result<Arc<Vec<PackEntry>>, Error> {
        // Held while reading, so that what an installation forgets is not put back by a reader that began before.
        let mut memory = self.memory();
        if let Some(known) = &memory.installed {
            return Ok(Arc::clone(known));
        }
        let rows: Vec<PackEntry> = self.store.read(|rows| {
            let installed = store::pack::list(rows)?;
            let entry = |row: store::pack::Installed| {
                let bytes = store::pack::header(rows, &row.hash)?.ok_or(Error::NotFound { what: "pack" })?;
                let header = minicbor::decode(&bytes).map_err(|_| Error::NotFound { what: "pack" })?;
                let pack = PackRef { id: row.id, version: row.version, hash: row.hash };
                Ok::<_, Error>(PackEntry { header, pack, current: row.current })
            };
            installed.into_iter().map(entry).collect::<Result<_, _>>()
        })?;
        let rows = Arc::new(rows);
        memory.installed = Some(Arc::clone(&rows));
        Ok(rows)
    }

    /// Which pack of a kind is the current one for a country: the one that names the country before the one
    /// for all. Without a country, the one for all before any other. The pack itself is not read.
    pub(super) fn current_ref(&self, kind: Kind, country: Option<Country>) -> Result<PackRef, Error> {
        let fits = |header: &Header| {
            header.countries.is_empty() || country.is_none_or(|country| header.countries.contains(&country))
        };
        let rank = |header: &Header| match country {
            Some(_) => header.countries.is_empty(),
            None => !header.countries.is_empty(),
        };
        self.pack_rows()?
            .iter()
            .filter(|row| row.current && row.header.kind == kind && fits(&row.header))
            .min_by_key(|row| (rank(&row.header), &row.header.id))
            .map(|row| row.pack.clone())
            .ok_or(Error::NoPack { kind: kind.as_str() })
    }

    /// The current pack of a kind for a country.
    pub(super) fn current(&self, kind: Kind, country: Option<Country>) -> Result<Arc<Pack>, Error> {
        self.pack(&self.current_ref(kind, country)?)
    }

    /// The calendar that a protocol names; without one, any that is installed, for its time zones.
    pub(super) fn calendar_of(&self, protocol: &Pack) -> Result<Option<Arc<Pack>>, Error> {
        let Content::Protocol(content) = &*protocol.content else { return Ok(None) };
        let wanted = content.calendar.as_ref();
        let rows = self.pack_rows()?;
        let row = rows
            .iter()
            .filter(|row| row.current && row.header.kind == Kind::Calendar)
            .filter(|row| wanted.is_none_or(|id| row.header.id == *id))
            .min_by_key(|row| (!row.header.countries.is_empty(), &row.header.id));
        row.map(|row| self.pack(&row.pack)).transpose()
    }

    pub(super) fn remember_content_span(&self) -> Result<(), Error> {
        let ms = |date: Date| {
            let epoch = jiff::civil::date(1970, 1, 1);
            date.since(epoch).map_or(0, |span| i64::from(span.get_days()).saturating_mul(DAY_MS))
        };
        let rows = self.pack_rows()?;
        let span = rows.iter().filter(|row| row.current).fold(None, |span: Option<(i64, i64)>, row| {
            let (from, to) = (ms(row.header.valid_from), ms(row.header.expires));
            Some(span.map_or((from, to), |(f, t)| (f.max(from), t.max(to))))
        });
        self.memory().content_span_ms = span;
        Ok(())
    }

    /// The date that the phone shows.
    pub(super) fn today(&self) -> Date {
        let now = self.clock.now();
        let local = now.wall_ms.saturating_add(i64::from(now.offset_minutes).saturating_mul(60_000));
        let days = i32::try_from(local.div_euclid(DAY_MS)).unwrap_or(0);
        let epoch = jiff::civil::date(1970, 1, 1);
        epoch.checked_add(jiff::Span::new().try_days(days).unwrap_or_default()).unwrap_or(epoch)
    }

    /// The date to go by: the one that the phone shows, or, while its clock is in doubt, the nearest day on
    /// which the installed content is in use.
    pub(super) fn trusted_today(&self) -> Date {
        let today = self.today();
        if self.stamp().doubt.is_none() {
            return today;
        }
        let days = |ms: i64| i32::try_from(ms.div_euclid(DAY_MS)).unwrap_or(0);
        let epoch = jiff::civil::date(1970, 1, 1);
        let date = |ms: i64| {
            epoch.checked_add(jiff::Span::new().try_days(days(ms)).unwrap_or_default()).unwrap_or(epoch)
        };
        match self.memory().content_span_ms {
            Some((from, to)) => today.clamp(date(from), date(to.max(from))),
            None => today,
        }
    }
}
