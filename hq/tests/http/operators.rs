//! What operators are told of what was not taken.

use amparo_seal::{Direction, PublicKey, seal_volume};
use serde_json::{Value, json};

use crate::common::{Phone, refusals, segment, upload};
use crate::process::Hq;
use crate::socket::exchange;
use amparo_schema::id::Hash;
use amparo_schema::wire::push::Refusal;

#[test]
fn who_carries_is_told_what_was_refused_and_a_missing_file_costs_itself() {
    let hq = Hq::made();
    let key: Hash = serde_json::from_value(hq.json(&["status"])["bundle_key"].clone()).unwrap();
    let mut stranger = Phone::new(51);
    let frames = [segment(&stranger.seal()), stranger.hello(None, vec![])];
    let key = PublicKey::from(key);
    let volume = seal_volume(&upload(&frames), Direction::Up, &key, &stranger.entropy).unwrap();
    std::fs::write(hq.file("volume"), volume).unwrap();
    let path = |name: &str| hq.file(name).to_str().unwrap().to_owned();
    let words = ["carry", &path("missing"), &path("volume"), "--out", &path("out"), "--json"];
    let done = hq.run(&words);
    assert_eq!(done.status.code(), Some(3));
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    let notes = json!([
        [path("volume"), "frame 0 was refused: stranger"],
        [path("volume"), "a device called that is not known here: enrol it"],
    ]);
    assert_eq!(told, json!({ "taken": 1, "written": 0, "damaged": [path("missing")], "notes": notes }));
}

#[test]
fn a_person_can_look_at_what_lies_aside() {
    let hq = Hq::made();
    let serving = hq.serve(&[]);
    let mut phone = hq.enrolled(52, serving.address);
    let device = phone.device.to_string();
    assert_eq!(hq.run(&["aside", &device]).status.code(), Some(5));
    let start = phone.previous;
    let first = phone.seal();
    let second = phone.sealed_at(0, start, "another");
    let told = exchange(serving.address, &upload(&[segment(&first), segment(&second)])).replies();
    assert_eq!(refusals(&told), [(1, Refusal::Fork)]);
    let listed = hq.json(&["aside", &device]);
    let line = &listed[0];
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&line["why"], &line["what"], &line["number"]),
        (&json!("fork"), &json!("segment"), &json!(0))
    );
    assert_eq!((&line["segment"], &line["in_its_place"]), (&json!(second.hash), &json!(first.hash)));
    assert_eq!((&line["incarnation"], &line["disputed"]), (&json!(phone.incarnation), &json!(true)));
    assert_eq!(line["bytes"], upload(&[segment(&second)]).len());
    assert_eq!(hq.json(&["release", &device])["frames"], 0);
    let line = &hq.json(&["aside", &device])[0];
    assert_eq!(
        (&line["why"], &line["disputed"]),
        (&json!("fork"), &json!(false)),
        "it stays, the first is let go"
    );
    assert_eq!(hq.json(&["aside", &device, "--discard"])["discarded"], 1);
    assert_eq!(hq.run(&["aside", &device]).status.code(), Some(5));
}
