//! PostgreSQL by TLS: spoken where it is asked for, with a certificate that is trusted, and never dropped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::fs;

use amparo_hq::storage::StorageError;
use amparo_hq::storage::postgres::Postgres;
use common::certificate;
use common::server::Server;

#[test]
fn a_server_is_reached_by_tls_and_only_with_a_certificate_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, key) = certificate::make(folder.path());
    let store = Server::start_tls(&pem, &key);
    store.database("served");
    let url = store.by_loopback("served");
    let authorities = fs::read(&pem).unwrap();

    let tls = format!("{url} sslmode=require");
    drop(Postgres::open_trusting(&tls, Some(&authorities)).unwrap());
    let seen = || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        let sql = "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE s.ssl";
        client.query_one(sql, &[]).unwrap().get::<_, i64>(0)
    };
    let held = Postgres::open_trusting(&tls, Some(&authorities)).unwrap();
    assert_eq!(seen(), 1, "the server itself says so");
    drop(held);
    drop(Postgres::open(&url).unwrap());
    let held = Postgres::open(&url).unwrap();
    assert_eq!(seen(), 0, "on this machine nothing asks for it");
    drop(held);

    let told = Postgres::open(&tls).unwrap_err();
    assert!(matches!(&told, StorageError::Engine(why) if why.contains("not trusted")), "{told}");
    let other = tls.replace("127.0.0.1", "localhost");
    let told = Postgres::open_trusting(&other, Some(&authorities)).unwrap_err();
    assert!(
        matches!(&told, StorageError::Engine(why) if why.contains("not trusted")),
        "another name: {told}"
    );
}
