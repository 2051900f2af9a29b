//! The verbs of the store in SQL that SQLite and PostgreSQL both read, so that the two cannot drift apart.
//!
//! Owns every statement and the migrations. Portable on purpose, for what speaks PostgreSQL's protocol and
//! spreads over machines: no sequence, LISTEN, advisory lock, FOR UPDATE or trigger; parameters are numbered
//! in the order of their first use; positions come from the relay's counters.

use amparo_schema::id::{DeviceId, Hash};
use amparo_schema::wire::feed::FeedId;

use super::{
    Chain, Delivery, Entry, Landed, Leaf, Place, Recipient, Record, Segment, Shelf, Stage, Standing,
    StorageError, Tx,
};

/// The numbered migrations, in order. Position `n` brings version `n` to `n + 1`. Never edited once released.
pub const MIGRATIONS: &[&str] = &[include_str!("../../sql/0001_init.sql")];
/// The documented schema that all migrations together produce.
pub const CURRENT_SQL: &str = include_str!("../../sql/current.sql");

/// A value given to a statement.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Int(i64),
    Bytes(&'a [u8]),
}

/// A value that a statement gave.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Int(i64),
    Bytes(Vec<u8>),
}

/// An open transaction of an engine.
pub(super) trait Engine {
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<(), StorageError>;
    fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Vec<Cell>>, StorageError>;
    /// Runs statements without values, as this engine writes them.
    fn batch(&mut self, sql: &str) -> Result<(), StorageError>;
}

/// Brings a store to the version of this build, within one transaction.
pub(super) fn migrate(engine: &mut dyn Engine) -> Result<(), StorageError> {
    engine.batch(
        "CREATE TABLE IF NOT EXISTS schema_version (
             only_row BIGINT NOT NULL PRIMARY KEY,
             version BIGINT NOT NULL
         );",
    )?;
    let rows = engine.query("SELECT version FROM schema_version", &[])?;
    let found = match rows.into_iter().next() {
        Some(row) => u32::try_from(Cells::new(row, "schema_version").int()?).unwrap_or(u32::MAX),
        None => 0,
    };
    let supported = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > supported {
        return Err(StorageError::TooNew { found, supported });
    }
    if found == supported {
        return Ok(());
    }
    for step in MIGRATIONS.iter().skip(found as usize) {
        engine.batch(step)?;
    }
    engine.execute(
        "INSERT INTO schema_version (only_row, version) VALUES (0, $1)
         ON CONFLICT (only_row) DO UPDATE SET version = excluded.version",
        &[Value::Int(i64::from(supported))],
    )
}

/// Counters stay below 2^63; a greater one is nowhere.
fn count(number: u64) -> Value<'static> {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn limit(rows: usize) -> Value<'static> {
    Value::Int(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// Random numbers keep their bits.
fn bits(number: u64) -> Value<'static> {
    Value::Int(number.cast_signed())
}

/// The cells of one row, taken in order.
struct Cells {
    row: std::vec::IntoIter<Cell>,
    table: &'static str,
}

impl Cells {
    fn new(row: Vec<Cell>, table: &'static str) -> Self {
        Self { row: row.into_iter(), table }
    }

    fn damaged(&self) -> StorageError {
        StorageError::Damaged(self.table)
    }

    fn int(&mut self) -> Result<i64, StorageError> {
        match self.row.next() {
            Some(Cell::Int(n)) => Ok(n),
            _ => Err(self.damaged()),
        }
    }

    /// None for -1.
    fn count(&mut self) -> Result<Option<u64>, StorageError> {
        match self.int()? {
            -1 => Ok(None),
            n => u64::try_from(n).map(Some).map_err(|_| self.damaged()),
        }
    }

    fn number(&mut self) -> Result<u64, StorageError> {
        self.count()?.ok_or_else(|| self.damaged())
    }

    fn bytes(&mut self) -> Result<Vec<u8>, StorageError> {
        match self.row.next() {
            Some(Cell::Bytes(bytes)) => Ok(bytes),
            _ => Err(self.damaged()),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StorageError> {
        self.bytes()?.try_into().map_err(|_| self.damaged())
    }

    fn hash(&mut self) -> Result<Hash, StorageError> {
        Ok(Hash(self.array()?))
    }
}

/// The verbs on an engine.
pub(super) struct Verbs<'a>(pub(super) &'a mut dyn Engine);

impl Verbs<'_> {
    fn one(
        &mut self,
        table: &'static str,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Cells>, StorageError> {
        Ok(self.0.query(sql, values)?.into_iter().next().map(|row| Cells::new(row, table)))
    }

    fn all<T>(
        &mut self,
        table: &'static str,
        sql: &'static str,
        values: &[Value<'_>],
        read: fn(Cells) -> Result<T, StorageError>,
    ) -> Result<Vec<T>, StorageError> {
        self.0.query(sql, values)?.into_iter().map(|row| read(Cells::new(row, table))).collect()
    }
}

fn read_delivery(mut cells: Cells) -> Result<Delivery, StorageError> {
    let (device, segment, recipient) = (DeviceId(cells.array()?), cells.hash()?, cells.array()?);
    let (incarnation, number, leaf) = (cells.int()?.cast_unsigned(), cells.number()?, cells.count()?);
    let stage = match cells.int()? {
        0 => Stage::Waiting,
        1 => Stage::Due,
        2 => Stage::Given,
        3 => Stage::Acknowledged,
        4 => Stage::Retract,
        5 => Stage::Retracted,
        6 => Stage::Held,
        _ => return Err(cells.damaged()),
    };
    let position = cells.count()?;
    let voices = minicbor::decode(&cells.bytes()?).map_err(|_| cells.damaged())?;
    let landed = leaf.map(|leaf| Landed { incarnation, number, leaf });
    Ok(Delivery { device, segment, recipient, landed, stage, position, voices })
}

impl Tx for Verbs<'_> {
    fn record(&mut self, shelf: Shelf, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        const SQL: &str = "SELECT value FROM record WHERE shelf = $1 AND name = $2";
        let row = self.one("record", SQL, &[Value::Int(shelf as i64), Value::Bytes(key)])?;
        row.map(|mut cells| cells.bytes()).transpose()
    }

    fn put_record(&mut self, shelf: Shelf, key: &[u8], value: &[u8]) -> Result<(), StorageError> {
        self.0.execute(
            "INSERT INTO record (shelf, name, value) VALUES ($1, $2, $3)
             ON CONFLICT (shelf, name) DO UPDATE SET value = excluded.value",
            &[Value::Int(shelf as i64), Value::Bytes(key), Value::Bytes(value)],
        )
    }

    fn remove_record(&mut self, shelf: Shelf, key: &[u8]) -> Result<(), StorageError> {
        const SQL: &str = "DELETE FROM record WHERE shelf = $1 AND name = $2";
        self.0.execute(SQL, &[Value::Int(shelf as i64), Value::Bytes(key)])
    }

    fn records(
        &mut self,
        shelf: Shelf,
        prefix: &[u8],
        after: &[u8],
        most: usize,
    ) -> Result<Vec<Record>, StorageError> {
        // Nothing that begins with the prefix is greater: keys are no longer than this.
        let mut last = prefix.to_vec();
        last.resize(super::KEY_BYTES_MAX.max(prefix.len()), 0xff);
        self.all(
            "record",
            "SELECT name, value FROM record WHERE shelf = $1 AND name >= $2 AND name > $3 AND name <= $4
             ORDER BY name LIMIT $5",
            &[
                Value::Int(shelf as i64),
                Value::Bytes(prefix),
                Value::Bytes(after),
                Value::Bytes(&last),
                limit(most),
            ],
            |mut cells| Ok((cells.bytes()?, cells.bytes()?)),
        )
    }

    fn segment(&mut self, at: Place) -> Result<Option<Segment>, StorageError> {
        let row = self.one(
            "segment",
            "SELECT hash, previous, leaf, standing FROM segment
             WHERE device = $1 AND incarnation = $2 AND number = $3",
            &[Value::Bytes(&at.chain.device.0), bits(at.chain.incarnation), count(at.number)],
        )?;
        let Some(mut cells) = row else { return Ok(None) };
        let (hash, previous, leaf) = (cells.hash()?, cells.hash()?, cells.number()?);
        let standing = match cells.int()? {
            0 => Standing::Sound,
            1 => Standing::Disputed,
            2 => Standing::Erased,
            _ => return Err(cells.damaged()),
        };
        Ok(Some(Segment { hash, previous, leaf, standing }))
    }

    fn body(&mut self, at: Place) -> Result<Option<Vec<u8>>, StorageError> {
        let row = self.one(
            "segment",
            "SELECT body FROM segment WHERE device = $1 AND incarnation = $2 AND number = $3",
            &[Value::Bytes(&at.chain.device.0), bits(at.chain.incarnation), count(at.number)],
        )?;
        row.map(|mut cells| cells.bytes()).transpose()
    }

    fn put_segment(&mut self, at: Place, segment: &Segment, body: &[u8]) -> Result<(), StorageError> {
        self.0.execute(
            "INSERT INTO segment (device, incarnation, number, hash, previous, leaf, standing, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (device, incarnation, number) DO UPDATE SET hash = excluded.hash,
                 previous = excluded.previous, leaf = excluded.leaf, standing = excluded.standing,
                 body = excluded.body",
            &[
                Value::Bytes(&at.chain.device.0),
                bits(at.chain.incarnation),
                count(at.number),
                Value::Bytes(&segment.hash.0),
                Value::Bytes(&segment.previous.0),
                count(segment.leaf),
                Value::Int(segment.standing as i64),
                Value::Bytes(body),
            ],
        )
    }

    fn put_standing(&mut self, at: Place, standing: Standing) -> Result<(), StorageError> {
        self.0.execute(
            "UPDATE segment SET standing = $1 WHERE device = $2 AND incarnation = $3 AND number = $4",
            &[
                Value::Int(standing as i64),
                Value::Bytes(&at.chain.device.0),
                bits(at.chain.incarnation),
                count(at.number),
            ],
        )
    }

    fn remove_segment(&mut self, at: Place) -> Result<(), StorageError> {
        self.0.execute(
            "DELETE FROM segment WHERE device = $1 AND incarnation = $2 AND number = $3",
            &[Value::Bytes(&at.chain.device.0), bits(at.chain.incarnation), count(at.number)],
        )
    }

    fn numbers(&mut self, chain: Chain, from: u64, most: usize) -> Result<Vec<u64>, StorageError> {
        self.all(
            "segment",
            "SELECT number FROM segment WHERE device = $1 AND incarnation = $2 AND number >= $3
             ORDER BY number LIMIT $4",
            &[Value::Bytes(&chain.device.0), bits(chain.incarnation), count(from), limit(most)],
            |mut cells| cells.number(),
        )
    }

    fn first_logged_from(&mut self, chain: Chain, leaf: u64) -> Result<Option<u64>, StorageError> {
        let row = self.one(
            "segment",
            "SELECT COALESCE(MIN(number), -1) FROM segment
             WHERE device = $1 AND incarnation = $2 AND leaf >= $3",
            &[Value::Bytes(&chain.device.0), bits(chain.incarnation), count(leaf)],
        )?;
        row.map_or(Ok(None), |mut cells| cells.count())
    }

    fn delivery(
        &mut self,
        device: DeviceId,
        segment: Hash,
        recipient: Recipient,
    ) -> Result<Option<Delivery>, StorageError> {
        let row = self.one(
            "delivery",
            "SELECT device, segment, recipient, incarnation, number, leaf, stage, place, voices
             FROM delivery WHERE device = $1 AND segment = $2 AND recipient = $3",
            &[Value::Bytes(&device.0), Value::Bytes(&segment.0), Value::Bytes(&recipient)],
        )?;
        row.map(read_delivery).transpose()
    }

    fn deliveries(&mut self, device: DeviceId, segment: Hash) -> Result<Vec<Delivery>, StorageError> {
        self.all(
            "delivery",
            "SELECT device, segment, recipient, incarnation, number, leaf, stage, place, voices
             FROM delivery WHERE device = $1 AND segment = $2 ORDER BY recipient",
            &[Value::Bytes(&device.0), Value::Bytes(&segment.0)],
            read_delivery,
        )
    }

    fn put_delivery(&mut self, delivery: &Delivery) -> Result<(), StorageError> {
        let voices = minicbor::to_vec(&delivery.voices).map_err(|_| StorageError::Damaged("delivery"))?;
        let landed = delivery.landed;
        self.0.execute(
            "INSERT INTO delivery
                 (device, segment, recipient, incarnation, number, leaf, stage, place, voices)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (device, segment, recipient) DO UPDATE SET incarnation = excluded.incarnation,
                 number = excluded.number, leaf = excluded.leaf, stage = excluded.stage,
                 place = excluded.place, voices = excluded.voices",
            &[
                Value::Bytes(&delivery.device.0),
                Value::Bytes(&delivery.segment.0),
                Value::Bytes(&delivery.recipient),
                bits(landed.map_or(0, |l| l.incarnation)),
                count(landed.map_or(0, |l| l.number)),
                landed.map_or(Value::Int(-1), |l| count(l.leaf)),
                Value::Int(delivery.stage as i64),
                delivery.position.map_or(Value::Int(-1), count),
                Value::Bytes(&voices),
            ],
        )
    }

    fn due(&mut self, recipient: Recipient, most: usize) -> Result<Vec<Delivery>, StorageError> {
        let mut due = Vec::new();
        for stage in [Stage::Retract, Stage::Due] {
            due.append(&mut self.all(
                "delivery",
                "SELECT device, segment, recipient, incarnation, number, leaf, stage, place, voices
                 FROM delivery WHERE recipient = $1 AND stage = $2 ORDER BY leaf, device, segment LIMIT $3",
                &[Value::Bytes(&recipient), Value::Int(stage as i64), limit(most - due.len().min(most))],
                read_delivery,
            )?);
        }
        Ok(due)
    }

    fn first_undelivered(&mut self, chain: Chain) -> Result<Option<u64>, StorageError> {
        let row = self.one(
            "delivery",
            "SELECT COALESCE(MIN(number), -1) FROM delivery
             WHERE device = $1 AND incarnation = $2 AND stage IN (1, 2, 6) AND leaf >= 0",
            &[Value::Bytes(&chain.device.0), bits(chain.incarnation)],
        )?;
        row.map_or(Ok(None), |mut cells| cells.count())
    }

    fn acknowledge(&mut self, recipient: Recipient, position: u64) -> Result<(), StorageError> {
        self.0.execute(
            "UPDATE delivery SET stage = 3 WHERE recipient = $1 AND stage = 2 AND place >= 0 AND place < $2",
            &[Value::Bytes(&recipient), count(position)],
        )
    }

    fn entry(&mut self, feed: FeedId, position: u64) -> Result<Option<Entry>, StorageError> {
        let row = self.one(
            "feed_entry",
            "SELECT link, item FROM feed_entry WHERE feed = $1 AND place = $2",
            &[Value::Bytes(&feed.0.0), count(position)],
        )?;
        row.map(|mut cells| Ok(Entry { link: cells.hash()?, item: cells.bytes()? })).transpose()
    }

    fn put_entry(&mut self, feed: FeedId, position: u64, entry: &Entry) -> Result<(), StorageError> {
        self.0.execute(
            "INSERT INTO feed_entry (feed, place, link, item) VALUES ($1, $2, $3, $4)
             ON CONFLICT (feed, place) DO UPDATE SET link = excluded.link, item = excluded.item",
            &[
                Value::Bytes(&feed.0.0),
                count(position),
                Value::Bytes(&entry.link.0),
                Value::Bytes(&entry.item),
            ],
        )
    }

    fn leaves(&mut self, from: u64, most: usize) -> Result<Vec<Leaf>, StorageError> {
        self.all(
            "log",
            "SELECT hash, chain, action FROM log WHERE place >= $1 ORDER BY place LIMIT $2",
            &[count(from), limit(most)],
            |mut cells| {
                let (hash, chain, action) = (cells.hash()?, cells.hash()?, cells.bytes()?);
                Ok(Leaf { hash, chain, action: (!action.is_empty()).then_some(action) })
            },
        )
    }

    fn put_leaf(&mut self, position: u64, leaf: &Leaf) -> Result<(), StorageError> {
        self.0.execute(
            "INSERT INTO log (place, hash, chain, action) VALUES ($1, $2, $3, $4)",
            &[
                count(position),
                Value::Bytes(&leaf.hash.0),
                Value::Bytes(&leaf.chain.0),
                Value::Bytes(leaf.action.as_deref().unwrap_or(&[])),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_together_are_the_documented_schema() {
        let words = |sql: &str| -> Vec<String> {
            let lines = sql.lines().map(|line| line.split("--").next().unwrap_or(""));
            lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
        };
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        amparo_sqlcipher::initialise();
        let shape = |sql: &str| -> Vec<String> {
            conn.execute_batch(sql).unwrap();
            let mut all =
                conn.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
            let rows: Vec<String> = all.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
            for kind in ["TABLE schema_version", "TABLE record", "TABLE segment", "TABLE delivery"] {
                conn.execute_batch(&format!("DROP {kind}")).unwrap();
            }
            conn.execute_batch("DROP TABLE feed_entry; DROP TABLE log").unwrap();
            rows.iter().flat_map(|sql| words(sql)).collect()
        };
        let version = "CREATE TABLE schema_version (
             only_row BIGINT NOT NULL PRIMARY KEY,
             version BIGINT NOT NULL
         );";
        assert_eq!(shape(&format!("{version}{}", MIGRATIONS.concat())), shape(CURRENT_SQL));
    }

    #[test]
    fn statements_use_what_every_engine_has() {
        let forbidden = ["SEQUENCE", "SERIAL", "IDENTITY", "LISTEN", "FOR UPDATE", "TRIGGER", "JSON", "now("];
        for sql in MIGRATIONS.iter().copied().chain([CURRENT_SQL]) {
            let code = sql.lines().map(|line| line.split("--").next().unwrap_or(""));
            let code: String = code.collect();
            assert!(forbidden.iter().all(|word| !code.contains(word)));
        }
    }
}
