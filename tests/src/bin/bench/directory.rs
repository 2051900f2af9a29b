//! The directory side: a signed synthetic pack, what a person types, and the peer, FTS5 on the same texts.

use std::path::Path;

use amparo_core::directory::search::words;
use amparo_core::pack;
use amparo_schema::id::Hash;
use amparo_schema::name::Name;
use amparo_schema::pack::directory::{Directory, SearchWords, Service};
use amparo_schema::pack::{Header, Kind};
use amparo_schema::text::{Lang, Text};
use amparo_shell::content::keys::Keys;
use jiff::civil::date;
use rusqlite::Connection;

use super::{Fallible, world};

/// Names that are typed, letter by letter.
pub(crate) const NAMES: usize = 300;
pub(crate) const SHOWN: usize = 20;

pub(crate) fn services(count: usize) -> Vec<Service> {
    amparo_tests::synthetic::synthetic(count, 17)
}

/// The pack file of a directory, signed with the published demonstration key.
pub(crate) fn pack_file(services: Vec<Service>, version: u32) -> Fallible<Vec<u8>> {
    let header = Header {
        kind: Kind::Directory,
        id: Name::new("synthetic")?,
        version,
        authority: Name::new("amparo-demo")?,
        title: Text([(Lang::new("es")?, "Sintético".into()), (Lang::new("en")?, "Synthetic".into())].into()),
        countries: Vec::new(),
        audience: Vec::new(),
        valid_from: date(2026, 1, 1),
        expires: date(2028, 12, 31),
        licence: "CC0-1.0".into(),
        languages: vec![Lang::new("es")?],
        content_sha256: Hash([0; 32]),
        content_bytes: 0,
    };
    let content = serde_json::to_vec(&Directory {
        services,
        agencies: Vec::new(),
        search_words: SearchWords::default(),
    })?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content");
    let keys = Keys::read(&root)?;
    Ok(pack::write(header, content, &keys.of(&Name::new("amparo-demo")?))?)
}

/// What is typed: every prefix of names from all over the directory, in the order of typing.
pub(crate) fn typed(services: &[Service], names: usize) -> Vec<String> {
    let step = (services.len() / names).max(1);
    let chosen = services.iter().step_by(step).take(names);
    let names = chosen.filter_map(|service| service.name.0.values().next());
    let prefixes = |name: &String| {
        let ends: Vec<usize> = name.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
        ends.into_iter().filter_map(|end| name.get(..end).map(str::to_owned)).collect::<Vec<_>>()
    };
    names.flat_map(prefixes).collect()
}

/// SQLCipher as the store opens it, with its key, pragmas and cache, so that only the search differs.
pub(crate) fn peer(folder: &Path, services: &[Service]) -> Fallible<Connection> {
    let mut conn = Connection::open(folder.join("fts.db"))?;
    let key: String = world::KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    conn.execute_batch(&format!(
        "PRAGMA key = \"x'{key}'\"; PRAGMA cipher_page_size = 4096; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;
         PRAGMA cipher_plaintext_header_size = 0;"
    ))?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch("PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;")?;
    let tx = conn.transaction()?;
    tx.execute_batch(
        "CREATE VIRTUAL TABLE fts USING fts5
         (text, prefix='2 3 4', tokenize=\"unicode61 remove_diacritics 2\")",
    )?;
    for (n, service) in services.iter().enumerate() {
        let shown = service.channels.iter().filter_map(|channel| channel.display.as_ref());
        let texts = service.name.0.values().chain(&service.organisation).chain(&service.places).chain(shown);
        let text = texts.map(String::as_str).collect::<Vec<_>>().join(" ");
        tx.prepare_cached("INSERT INTO fts (rowid, text) VALUES (?1, ?2)")?.execute((n as i64, text))?;
    }
    tx.execute("INSERT INTO fts (fts) VALUES ('optimize')", [])?;
    tx.commit()?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(conn)
}

/// The peer's answer: whole words but the last, which is a beginning; best first.
pub(crate) fn ask_peer(conn: &Connection, typed: &str) -> Fallible<usize> {
    let words = words(typed);
    if words.is_empty() {
        return Ok(0);
    }
    let quoted = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ");
    let mut query = conn.prepare_cached("SELECT rowid FROM fts WHERE fts MATCH ?1 ORDER BY rank LIMIT ?2")?;
    let rows = query.query_map((format!("{quoted}*"), SHOWN as i64), |row| row.get::<_, i64>(0))?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
}
