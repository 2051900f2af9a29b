//! What only the inside can see: pragmas, the schema, rows changed behind the store's back.

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::Value;

use super::*;
use crate::random::SeededEntropy;
use crate::schema::fact::Compartment;
use crate::schema::id::{CaseId, ScreeningId};

const NOW: Moment = Moment { wall_ms: 1_800_000_000_000, offset_minutes: -240, steady_ms: 1 };

fn key() -> Key {
    Key::new(&[7; 32])
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("s"), &key(), &SeededEntropy::new(1), NOW).unwrap();
    (folder, store)
}

fn append(store: &Store, n: u8) {
    store.write(|tx| fact::append(tx, None, Compartment::Case, &[n; 20]).map(|_| ())).unwrap();
}

fn pragma(conn: &Connection, name: &str) -> String {
    match conn.query_row(&format!("PRAGMA {name}"), [], |r| r.get(0)).unwrap() {
        Value::Text(text) => text,
        Value::Integer(n) => n.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_setting_reads_back_on_both_connections() {
    let (_folder, store) = store();
    let (writer, reader) = (lock(&store.writer), lock(&store.reader));
    for conn in [&writer.conn, &*reader] {
        for (name, value) in [
            ("journal_mode", "wal"),
            ("synchronous", "2"),
            ("secure_delete", "1"),
            ("temp_store", "2"),
            ("trusted_schema", "0"),
            ("cell_size_check", "1"),
            ("foreign_keys", "1"),
            ("busy_timeout", &connection::BUSY.as_millis().to_string()),
            ("wal_autocheckpoint", &connection::LOG_PAGES.to_string()),
            ("journal_size_limit", &connection::LOG_BYTES.to_string()),
            ("cache_size", &connection::CACHE_KIB.to_string()),
            ("cipher_hmac_algorithm", "HMAC_SHA256"),
            ("cipher_page_size", "4096"),
            ("cipher_provider", amparo_sqlcipher::PROVIDER.to_str().unwrap()),
            ("cipher_use_hmac", "1"),
            ("cipher_log_level", "NONE"),
        ] {
            assert_eq!(pragma(conn, name), value, "{name}");
        }
        for (setting, value) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
            (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false),
        ] {
            assert_eq!(conn.db_config(setting).unwrap(), value, "{setting:?}");
        }
        assert_eq!(conn.limit(Limit::SQLITE_LIMIT_ATTACHED).unwrap(), 0);
        assert_eq!(conn.limit(Limit::SQLITE_LIMIT_TRIGGER_DEPTH).unwrap(), 1);
        assert!(conn.execute_batch("ATTACH ':memory:' AS other").is_err());
        assert!(conn.query_row("SELECT load_extension('x')", [], |_| Ok(())).is_err());
        assert!(conn.prepare("SELECT \"no such column\" FROM device").is_err());
        assert!(conn.execute_batch("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema").is_err());
    }
    assert_eq!(pragma(&reader, "query_only"), "1");
    assert_eq!(pragma(&writer.conn, "query_only"), "0");
    assert!(reader.execute("DELETE FROM fact", []).is_err());
    assert!(rusqlite::version_number() >= 3_051_003);
}

/// `CREATE` statements of a schema without comments and spacing.
fn normalised(sql: &[&str]) -> Vec<String> {
    let conn = Connection::open_in_memory().unwrap();
    sql.iter().for_each(|step| conn.execute_batch(step).unwrap());
    let mut query =
        conn.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
    let words = |sql: String| {
        let bare: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or("")).collect();
        bare.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    query.query_map([], |r| r.get(0).map(words)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_documented_schema_is_the_real_one() {
    let documented = normalised(&[crate::schema::CURRENT_SQL]);
    assert_eq!(normalised(crate::schema::MIGRATIONS), documented);
    assert!(documented.len() > 15);
    for table in documented.iter().filter(|sql| sql.starts_with("CREATE TABLE")) {
        assert!(table.contains(") STRICT"), "{table}");
    }
}

#[test]
fn every_column_is_documented() {
    let mut inside = false;
    for line in crate::schema::CURRENT_SQL.lines() {
        let clause = ["PRIMARY KEY (", "UNIQUE ("].iter().any(|start| line.trim_start().starts_with(start));
        match line {
            _ if line.starts_with("CREATE TABLE") => inside = true,
            _ if line.starts_with(')') => inside = false,
            _ if inside && !clause => assert!(line.contains("-- "), "{line}"),
            _ => {}
        }
    }
}

#[test]
fn a_store_of_a_later_build_is_left_alone() {
    let (folder, store) = store();
    let path = folder.path().join("s");
    lock(&store.writer).conn.pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(&path, &key(), &SeededEntropy::new(2), NOW).unwrap_err();
    assert_eq!(error, OpenError::TooNew { found: 99, supported: migrate::supported() });
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn changes_behind_the_chain_are_found() {
    let cases: [(&str, &[Fault]); 6] = [
        ("UPDATE fact SET body = x'00' WHERE counter = 3", &[Fault::BodyChanged { counter: 3 }]),
        (
            "UPDATE fact SET body_hash = zeroblob(32) WHERE counter = 3",
            &[Fault::BodyChanged { counter: 3 }, Fault::LinkBroken { counter: 3 }],
        ),
        (
            "UPDATE fact SET hash = zeroblob(32) WHERE counter = 3",
            &[Fault::LinkBroken { counter: 3 }, Fault::LinkBroken { counter: 4 }],
        ),
        (
            "DELETE FROM fact WHERE counter = 3",
            &[Fault::Gap { expected: 3, found: 4 }, Fault::LinkBroken { counter: 4 }],
        ),
        ("DELETE FROM fact WHERE counter = 5", &[Fault::Head(FindingKind::Rollback)]),
        (
            "UPDATE fact SET counter = 9 WHERE counter = 5",
            &[
                Fault::Gap { expected: 5, found: 9 },
                Fault::LinkBroken { counter: 9 },
                Fault::Head(FindingKind::Fork),
            ],
        ),
    ];
    for (sql, faults) in cases {
        let (_folder, store) = store();
        (1..=5).for_each(|n| append(&store, n));
        assert_eq!(store.verify().unwrap().faults, []);
        lock(&store.writer).conn.execute_batch(sql).unwrap();
        assert_eq!(store.verify().unwrap().faults, faults, "{sql}");
    }
}

#[test]
fn a_fact_moved_to_another_screening_breaks_the_chain() {
    let (_folder, store) = store();
    let case = CaseId([1; 16]);
    store
        .write(|tx| {
            let row = case::CaseRow { case, code: "C1".into(), memorable: "m".into(), opened_ms: 0 };
            case::insert(tx, &row)?;
            for n in [1, 2] {
                let new = screening::NewScreening {
                    screening: ScreeningId([n; 16]),
                    case,
                    checklist: Hash([0; 32]),
                    packs: &[],
                    opened_ms: 0,
                };
                screening::insert(tx, &new)?;
                fact::append(tx, Some(new.screening), Compartment::Case, b"synthetic")?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert_eq!(store.verify().unwrap().faults, []);
    lock(&store.writer).conn.execute("UPDATE fact SET screening = 1 WHERE counter = 2", []).unwrap();
    assert_eq!(store.verify().unwrap().faults, [Fault::LinkBroken { counter: 2 }]);
    lock(&store.writer)
        .conn
        .execute_batch("PRAGMA foreign_keys = OFF; UPDATE fact SET screening = 77 WHERE counter = 2")
        .unwrap();
    let faults = store.verify().unwrap().faults;
    assert_eq!(faults, [Fault::LinkBroken { counter: 2 }, Fault::Dangling { count: 1 }]);
}

#[test]
fn a_full_disk_loses_nothing_and_passes() {
    let (_folder, store) = store();
    append(&store, 1);
    let pages: i64 = lock(&store.writer).conn.query_row("PRAGMA page_count", [], |r| r.get(0)).unwrap();
    lock(&store.writer).conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    let told = store.write(|tx| fact::append(tx, None, Compartment::Case, &[2; 50_000]));
    assert_eq!(told.unwrap_err(), StoreError::DiskFull);
    assert_eq!(store.verify().unwrap().faults, []);
    lock(&store.writer).conn.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(())).unwrap();
    let (counter, _) = store.write(|tx| fact::append(tx, None, Compartment::Case, &[2; 50_000])).unwrap();
    assert_eq!(counter, 2);
    assert_eq!(store.verify().unwrap().faults, []);
}

#[test]
fn another_writer_makes_it_busy_and_nothing_else() {
    let (folder, store) = store();
    let other = connection::open(&folder.path().join("s"), &key(), connection::Role::Writer).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = store.write(|tx| fact::append(tx, None, Compartment::Case, b"x"));
    assert_eq!(told.unwrap_err(), StoreError::Busy);
    assert_eq!(store.read(fact::last).unwrap().0, 0, "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    append(&store, 1);
}

#[test]
fn a_migration_that_fails_leaves_the_store_as_it_was() {
    let mut conn = Connection::open_in_memory().unwrap();
    // Something stands in the way of the last table of the first migration.
    conn.execute_batch("CREATE TABLE setting (x)").unwrap();
    assert!(migrate::migrate(&mut conn).is_err());
    assert_eq!(migrate::version(&conn).unwrap(), 0);
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0)).unwrap();
    assert_eq!(tables, 1);
    conn.execute_batch("DROP TABLE setting").unwrap();
    migrate::migrate(&mut conn).unwrap();
    assert_eq!(migrate::version(&conn).unwrap(), migrate::supported());
    migrate::migrate(&mut conn).unwrap();
}

#[test]
fn errors_carry_no_text_of_the_database() {
    let (_folder, store) = store();
    let told = store.write(|tx| -> Result<(), StoreError> {
        tx.conn.execute("INSERT INTO setting (name, value) VALUES ('María', x'00')", [])?;
        tx.conn.execute("INSERT INTO setting (name, value) VALUES ('María', x'00')", [])?;
        Ok(())
    });
    let error = told.unwrap_err();
    assert_eq!(error, StoreError::Conflict);
    assert!(!format!("{error} {error:?}").contains("Mar"));
    assert_eq!(store.read(|rows| setting::get(rows, "María")).unwrap(), None, "nothing remained");
}

#[test]
fn the_next_words_are_reached_by_one_seek() {
    let (_folder, store) = store();
    let reader = lock(&store.reader);
    let plan: String = reader
        .query_row(&format!("EXPLAIN QUERY PLAN {}", search::RANGE), (1, "b", "a", -1, -1, 1), |r| r.get(3))
        .unwrap();
    assert!(plan.contains("(term,rank,n)>(?,?,?)") && plan.contains("term<?"), "{plan}");
}
