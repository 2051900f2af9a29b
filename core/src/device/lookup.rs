//! Search as typed over the rows of an installed directory.

use amparo_schema::id::Hash;
use amparo_schema::pack::directory::{Directory, Service};
use amparo_schema::person::Country;

use super::Error;
use crate::directory::search::{Index, Posting, Postings, run as search, static_rank};
use crate::store;
use crate::store::pack::PackRow;
use crate::store::search::Term;
use crate::store::service::ServiceRow;
use crate::store::{Rows, StoreError, Tx};

/// Writes the services of a directory and their search index.
pub(super) fn insert_services(tx: &Tx<'_>, pack: PackRow, directory: &Directory) -> Result<(), Error> {
    let numbered = || (0_u32..).zip(&directory.services);
    let index = Index::build(numbered(), &directory.search_words);
    for (n, service) in numbered() {
        let body = serde_json::to_string(service).map_err(|_| Error::NotFound { what: "service" })?;
        let row = ServiceRow {
            n,
            id: service.id.clone(),
            country: service.country,
            rank: i64::from(static_rank(service)),
            body,
        };
        store::service::insert(tx, pack, &row)?;
        store::search::insert_words(tx, pack, n, index.words.get(&n).map_or("", String::as_str))?;
    }
    for (text, rank, n) in index.postings() {
        store::search::insert_token(tx, pack, Term { text, rank, n })?;
    }
    for (text, rank, n) in index.prefix_rows() {
        store::search::insert_prefix(tx, pack, Term { text, rank, n })?;
    }
    Ok(())
}

/// The index as the store holds it.
struct Stored<'a, 'c> {
    rows: &'a Rows<'c>,
    pack: PackRow,
}

impl Postings for Stored<'_, '_> {
    type Error = StoreError;

    fn prefix_top(&self, prefix: &str, limit: usize) -> Result<Vec<(u32, u32)>, StoreError> {
        store::search::prefix_top(self.rows, self.pack, prefix, limit)
    }

    fn range(&self, prefix: &str, after: Option<&Posting>, limit: usize) -> Result<Vec<Posting>, StoreError> {
        let after = after.map(|posting| Term { text: &posting.term, rank: posting.rank, n: posting.n });
        let end = crate::directory::search::prefix_end(prefix);
        let rows = store::search::range(self.rows, self.pack, (prefix, &end), after, limit)?;
        Ok(rows.into_iter().map(|(term, rank, n)| Posting { term, rank, n }).collect())
    }

    fn holds(&self, term: &str, rank: u32, n: u32) -> Result<bool, StoreError> {
        store::search::holds(self.rows, self.pack, Term { text: term, rank, n })
    }

    fn contains(&self, n: u32, prefix: &str) -> Result<bool, StoreError> {
        let words = store::search::words(self.rows, self.pack, n)?;
        Ok(crate::directory::search::holds_prefix(&words, prefix))
    }
}

/// The services found, best first, at most `limit`; `true` when there may be others.
pub(super) fn run(
    rows: &Rows<'_>,
    pack: &Hash,
    typed: &str,
    country: Option<Country>,
    limit: usize,
) -> Result<(Vec<Service>, bool), Error> {
    let pack = store::pack::row(rows, pack)?;
    // A country is checked on what was found: the index is one for the whole directory.
    let wanted = if country.is_some() { usize::MAX } else { limit };
    let hits = search(&Stored { rows, pack }, typed, wanted)?;
    let mut services = Vec::new();
    for n in hits.services {
        if services.len() >= limit {
            return Ok((services, true));
        }
        let row = store::service::at(rows, pack, n)?.ok_or(Error::NotFound { what: "service" })?;
        if country.is_none_or(|country| country == row.country) {
            let service = serde_json::from_str(&row.body).map_err(|_| Error::NotFound { what: "service" })?;
            services.push(service);
        }
    }
    Ok((services, hits.more))
}
