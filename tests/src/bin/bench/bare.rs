//! Rows of the relay's tables, put bare: prepared statements, one transaction, nothing looked at.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior, params_from_iter};

use super::Fallible;

/// The tables, with how many columns make their keys; keys come first.
const TABLES: [(&str, usize, usize); 5] =
    [("record", 2, 3), ("segment", 3, 8), ("delivery", 3, 9), ("feed_entry", 2, 4), ("log", 1, 4)];

/// A row as CBOR: a number, or bytes.
type PlainRow = Vec<(Option<i64>, Vec<u8>)>;

/// Rows of each table, in the order of [`TABLES`].
#[derive(Default)]
pub(crate) struct Rows(Vec<Vec<Vec<Value>>>);

/// The store as the relay opens it, without the relay.
pub(crate) fn open(file: &Path) -> Fallible<Connection> {
    let conn = Connection::open(file)?;
    conn.set_prepared_statement_cache_capacity(64);
    conn.execute_batch(
        "PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;",
    )?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    Ok(conn)
}

/// A connection to a database of PostgreSQL.
pub(crate) fn connect(url: &str) -> Fallible<postgres::Client> {
    Ok(postgres::Client::connect(url, postgres::NoTls)?)
}

/// The rows of one store that another has not.
pub(crate) fn delta(of: &Path, without: &Path) -> Fallible<Rows> {
    let conn = open(of)?;
    let path = without.to_str().ok_or("the path is no text")?;
    conn.execute("ATTACH ?1 AS before", [path])?;
    let mut all = Rows::default();
    for (table, _, columns) in TABLES {
        let sql = format!("SELECT * FROM main.{table} EXCEPT SELECT * FROM before.{table}");
        let mut query = conn.prepare(&sql)?;
        let rows = query.query_map([], |row| (0..columns).map(|n| row.get(n)).collect::<Result<_, _>>())?;
        all.0.push(rows.collect::<Result<_, _>>()?);
    }
    Ok(all)
}

fn upsert((table, keys, columns): (&str, usize, usize), names: &[String]) -> String {
    let list = |names: &[String]| names.join(", ");
    let values = (1..=columns).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let set = |name: &String| format!("{name} = excluded.{name}");
    let sets = names.iter().skip(keys).map(set).collect::<Vec<_>>().join(", ");
    let key = names.get(..keys).unwrap_or(names);
    format!(
        "INSERT INTO {table} ({}) VALUES ({values}) ON CONFLICT ({}) DO UPDATE SET {sets}",
        list(names),
        list(key)
    )
}

/// Names of a table's columns.
fn names(table: &str) -> Vec<String> {
    let names: &[&str] = match table {
        "record" => &["shelf", "name", "value"],
        "segment" => &["device", "incarnation", "number", "hash", "previous", "leaf", "standing", "body"],
        "delivery" => {
            &["device", "segment", "recipient", "incarnation", "number", "leaf", "stage", "place", "voices"]
        }
        "feed_entry" => &["feed", "place", "link", "item"],
        _ => &["place", "hash", "chain", "action"],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Rows {
    pub(crate) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Bytes of all blobs.
    pub(crate) fn bytes(&self) -> usize {
        let bytes = |value: &Value| if let Value::Blob(bytes) = value { bytes.len() } else { 8 };
        self.0.iter().flatten().flatten().map(bytes).sum()
    }

    /// Puts them in, in one transaction.
    pub(crate) fn put(&self, conn: &mut Connection) -> Fallible<()> {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (table, rows) in TABLES.into_iter().zip(&self.0) {
            let mut insert = tx.prepare_cached(&upsert(table, &names(table.0)))?;
            for row in rows {
                insert.execute(params_from_iter(row))?;
            }
        }
        Ok(tx.commit()?)
    }

    /// Empties the tables in PostgreSQL and puts these in.
    pub(crate) fn set_postgres(&self, client: &mut postgres::Client) -> Fallible<()> {
        client.batch_execute("TRUNCATE record, segment, delivery, feed_entry, log")?;
        self.put_postgres(client)
    }

    /// As [`Rows::put`], in PostgreSQL, row by row, prepared once.
    pub(crate) fn put_postgres(&self, client: &mut postgres::Client) -> Fallible<()> {
        use postgres::types::ToSql;
        let level = postgres::IsolationLevel::Serializable;
        let mut tx = client.build_transaction().isolation_level(level).start()?;
        for (table, rows) in TABLES.into_iter().zip(&self.0) {
            let insert = tx.prepare(&upsert(table, &names(table.0)))?;
            for row in rows {
                let values: Vec<&(dyn ToSql + Sync)> = row
                    .iter()
                    .filter_map(|value| match value {
                        Value::Integer(n) => Some(n as &(dyn ToSql + Sync)),
                        Value::Blob(bytes) => Some(bytes as _),
                        _ => None,
                    })
                    .collect();
                tx.execute(&insert, &values)?;
            }
        }
        Ok(tx.commit()?)
    }

    /// To a file, for [`Rows::read`].
    pub(crate) fn write(&self, file: &Path) -> Fallible<()> {
        let plain = |value: &Value| match value {
            Value::Integer(n) => (Some(*n), Vec::new()),
            Value::Blob(bytes) => (None, bytes.clone()),
            _ => (None, Vec::new()),
        };
        let row = |row: &Vec<Value>| row.iter().map(plain).collect();
        let all: Vec<Vec<PlainRow>> = self.0.iter().map(|rows| rows.iter().map(row).collect()).collect();
        Ok(std::fs::write(file, minicbor::to_vec(&all)?)?)
    }

    pub(crate) fn read(file: &Path) -> Fallible<Self> {
        let all: Vec<Vec<PlainRow>> = minicbor::decode(&std::fs::read(file)?)?;
        let value = |(n, bytes): (Option<i64>, Vec<u8>)| n.map_or(Value::Blob(bytes), Value::Integer);
        let row = |row: PlainRow| row.into_iter().map(value).collect();
        Ok(Self(all.into_iter().map(|rows| rows.into_iter().map(row).collect()).collect()))
    }
}
