//! The store in PostgreSQL, or in what speaks its protocol.
//!
//! Owns the connection, which is made again when it was lost, and the repetition of transactions that others
//! got in the way of. Serializable, and `synchronous_commit` stays as the server has it: `on` is required for
//! receipts to be true. TLS off this machine, unless the connection says otherwise: see `tls`.

mod tls;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, IsolationLevel, Statement, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::sql::{Cell, Engine, Value, Verbs, migrate};
use super::{CONFLICTS_MAX, Storage, StorageError, Tx};

/// The longest pause before a transaction is tried again.
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// The store.
pub struct Postgres {
    config: Config,
    tls: MakeRustlsConnect,
    client: Option<Client>,
    /// Prepared on the present connection.
    statements: BTreeMap<&'static str, Statement>,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Postgres(..)")
    }
}

impl Postgres {
    /// Connects by a URL or a list of parameters, and brings the store to the version of this build. A server on
    /// another machine is reached by TLS, unless `sslmode=disable` is said; its certificate must be one that
    /// the public trusts.
    ///
    /// # Errors
    /// [`StorageError::Engine`]; [`StorageError::TooNew`].
    pub fn open(url: &str) -> Result<Self, StorageError> {
        Self::open_trusting(url, None)
    }

    /// As [`Postgres::open`], but with the certificates in `authorities` (PEM) alone trusted.
    ///
    /// # Errors
    /// Those of [`Postgres::open`], and [`StorageError::Engine`] for certificates that do not read.
    pub fn open_trusting(url: &str, authorities: Option<&[u8]>) -> Result<Self, StorageError> {
        let mut config = url.parse().map_err(told)?;
        tls::decide(&mut config);
        let tls = tls::connector(authorities)?;
        let mut store = Self { config, tls, client: None, statements: BTreeMap::new() };
        store.within(&mut |engine| migrate(engine))?;
        Ok(store)
    }

    fn within(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Engine) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        for attempt in 0..CONFLICTS_MAX {
            match self.once(work) {
                Err(StorageError::Conflict) => {
                    let pause = Duration::from_millis(1 << attempt.min(8));
                    std::thread::sleep(pause.min(PAUSE_MAX));
                }
                done => return done,
            }
        }
        Err(StorageError::Conflict)
    }

    fn once(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Engine) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        if self.client.as_ref().is_some_and(Client::is_closed) {
            self.client = None;
        }
        let client = match &mut self.client {
            Some(client) => client,
            none => {
                self.statements.clear();
                none.insert(self.config.connect(self.tls.clone()).map_err(told)?)
            }
        };
        let tx =
            client.build_transaction().isolation_level(IsolationLevel::Serializable).start().map_err(told)?;
        let mut open = Open { tx, statements: &mut self.statements };
        // An uncommitted transaction is rolled back when it is dropped.
        work(&mut open)?;
        open.tx.commit().map_err(|error| if error.is_closed() { StorageError::Lost } else { told(error) })
    }
}

impl Storage for Postgres {
    fn transact(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        self.within(&mut |engine| work(&mut Verbs(engine)))
    }
}

/// The error without its text, which may quote values.
fn told(error: postgres::Error) -> StorageError {
    match error.code() {
        // A key that another put first shows as a duplicate, also when serializable.
        Some(
            &SqlState::T_R_SERIALIZATION_FAILURE
            | &SqlState::T_R_DEADLOCK_DETECTED
            | &SqlState::UNIQUE_VIOLATION,
        ) => StorageError::Conflict,
        Some(&SqlState::DISK_FULL) => StorageError::Full,
        Some(code) => StorageError::Engine(format!("PostgreSQL {}", code.code())),
        None if tls::is_distrusted(&error) => {
            StorageError::Engine("PostgreSQL: its TLS certificate is not trusted for this name".into())
        }
        None if error.source().is_some() => StorageError::Engine("PostgreSQL cannot be reached".into()),
        None => StorageError::Engine("PostgreSQL".into()),
    }
}

/// A transaction under way.
struct Open<'a> {
    tx: Transaction<'a>,
    statements: &'a mut BTreeMap<&'static str, Statement>,
}

impl Open<'_> {
    fn prepared(&mut self, sql: &'static str) -> Result<Statement, StorageError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.tx.prepare(sql).map_err(told)?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Int(n) => n.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INT8 || *ty == Type::BYTEA
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        if *ty == Type::BYTEA {
            Vec::<u8>::from_sql(ty, raw).map(Self::Bytes)
        } else {
            i64::from_sql(ty, raw).map(Self::Int)
        }
    }

    fn accepts(ty: &Type) -> bool {
        <Value<'_> as ToSql>::accepts(ty)
    }
}

fn given<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Engine for Open<'_> {
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        let statement = self.prepared(sql)?;
        self.tx.execute(&statement, &given(values)).map(drop).map_err(told)
    }

    fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Vec<Cell>>, StorageError> {
        let statement = self.prepared(sql)?;
        let rows = self.tx.query(&statement, &given(values)).map_err(told)?;
        let read = |row: &postgres::Row| (0..row.len()).map(|i| row.try_get(i)).collect();
        rows.iter().map(read).collect::<Result<_, _>>().map_err(told)
    }

    fn batch(&mut self, sql: &str) -> Result<(), StorageError> {
        self.tx.batch_execute(sql).map_err(told)
    }
}
