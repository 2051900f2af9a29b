//! Two servers as processes on one PostgreSQL.

use crate::common::server::Server;
use crate::common::{Phone, segment, upload};
use crate::process::Hq;
use crate::socket::{exchange, get};
use amparo_schema::wire::push::Reply;
use amparo_schema::wire::receipt::Receipt;
use amparo_seal::unverified;
use serde_json::json;

const ROUNDS: u64 = 10;

/// What is stored, and durable as well, because the database is replicated.
fn stored(replies: &[Reply]) -> u64 {
    let receipt = replies.iter().find_map(|reply| match reply {
        Reply::Receipt(signed) => unverified::<Receipt>(signed).ok(),
        _ => None,
    });
    let receipt = receipt.expect("a receipt");
    assert_eq!(receipt.durable, receipt.stored);
    receipt.stored
}

#[test]
fn phones_may_come_to_any_server_of_one_store() {
    let store = Server::start();
    let url = store.database("served");
    let hq = Hq::new();
    let database = ["--database", url.as_str()];
    hq.json(&[&["init"][..], &database].concat());
    assert!(!hq.file("hq/store").exists());
    // Another folder may not make keys of its own over a store that is somebody's.
    let second = Hq::new();
    assert_eq!(second.run(&[&["init"][..], &database].concat()).status.code(), Some(2));
    assert!(!second.file("hq/keys.json").exists());
    assert_eq!(
        Hq::made().run(&["durability", "replicated"]).status.code(),
        Some(2),
        "SQLite is on one machine"
    );
    hq.json(&[&["durability", "replicated"][..], &database].concat());
    let serving = [hq.serve(&database), hq.serve(&database)];
    let mut phones: Vec<Phone> = (41..45)
        .map(|seed| {
            let serving = &serving[usize::from(seed) % 2];
            hq.enrolled_with(&database, seed, serving.address)
        })
        .collect();
    std::thread::scope(|scope| {
        for (first, phone) in phones.iter_mut().enumerate() {
            let serving = &serving;
            scope.spawn(move || {
                for round in 1..=ROUNDS {
                    let frames = [segment(&phone.seal()), phone.hello(None, vec![])];
                    let turn = (first + usize::try_from(round).unwrap()) % 2;
                    let replies = exchange(serving[turn].address, &upload(&frames)).replies();
                    assert_eq!(stored(&replies), round);
                }
            });
        }
    });
    let status = hq.json(&[&["status"][..], &database].concat());
    assert_eq!((&status["segments"], &status["epoch"]), (&(4 * ROUNDS).into(), &0.into()));
    let logs = serving.each_ref().map(|serving| get(serving.address, "/v1/log").body);
    assert_eq!(logs[0], logs[1]);
    // Without the word the folder has no store, and none is made.
    assert_eq!(hq.run(&["status"]).status.code(), Some(4));
    let backup = hq.file("no.backup");
    let told = hq.run(&[&["backup", backup.to_str().unwrap()][..], &database].concat());
    assert_eq!(told.status.code(), Some(2));
    let size = status["log_size"].to_string();
    let told = hq.json(&[&["backed-up", "--newest", &size, "--oldest", &size][..], &database].concat());
    assert_eq!(told["oldest_backup"].to_string(), size);
}

#[test]
fn what_was_taken_back_since_the_backup_is_taken_back_again_after_its_own_tools_restored_it() {
    let store = Server::start();
    let (used, none) = (store.database("used"), store.database("empty"));
    let hq = Hq::new();
    let on = |url: &str, words: &[&str]| hq.json(&[words, &["--database", url]].concat());
    on(&used, &["init"]);
    let serving = hq.serve(&["--database", &used]);
    let stolen = hq.enrolled_with(&["--database", &used], 41, serving.address).device.to_string();
    serving.terminate();
    assert!(serving.wait());
    let restored = store.copy("used", "restored");
    on(&used, &["revoke", &stolen]);
    on(&used, &["enrol", "--agency", "agency-a"]);
    assert_eq!(on(&restored, &["devices"])[0]["revoked"], false);
    let told = on(&restored, &["repeat", "--from", &used]);
    assert_eq!(told["revoked_again"], json!([stolen]));
    assert_eq!(on(&restored, &["devices"])[0]["revoked"], true);
    assert_eq!(on(&restored, &["repeat", "--from", &used])["revoked_again"], json!([]), "once");
    // Nothing is repeated from a database of nobody, nor into SQLite.
    for words in [&["repeat", "--from", &none, "--database", &used][..], &["repeat", "--from", &used]] {
        assert_ne!(hq.run(words).status.code(), Some(0));
    }
    assert_eq!(Hq::made().run(&["repeat", "--from", &used]).status.code(), Some(2));
}
