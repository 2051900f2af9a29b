//! What was once on the wire can be read for ever: `tests/vectors/wire.json` is kept, never written anew, and every
//! object in it opens with what this build knows. `tests/referees/wire.py` reads the same file by other means.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use amparo_schema::fact::Fact;
use amparo_schema::id::DeviceId;
use amparo_schema::wire::bundle::Volume;
use amparo_schema::wire::disclosure::Disclosure;
use amparo_schema::wire::enrol::{Certificate, Enrolment, Request, Revocation, Ticket};
use amparo_schema::wire::feed::{Cursor, Entry, Letter, Note, Page};
use amparo_schema::wire::push::{Frame, Hello, Reply};
use amparo_schema::wire::receipt::Receipt;
use amparo_schema::wire::segment::{Grant, Segment};
use amparo_schema::wire::signed::{Payload, Signed};
use amparo_seal::{
    Direction, First, OpenError, SecretKey, VerifyKey, check_request, first, first_previous, from_bytes,
    open, open_volume, read_letter, read_ticket,
};
use minicbor::{Decode, Encode};
use serde_json::Value;

fn kept() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/wire.json")).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn key(all: &Value, who: &str) -> VerifyKey {
    VerifyKey(hex(&all["parties"][format!("{who}_key")]).try_into().unwrap())
}

fn secret(all: &Value, who: &str) -> SecretKey {
    SecretKey::new(&hex(&all["parties"][format!("{who}_secret")]).try_into().unwrap())
}

fn read<T: Encode<()> + for<'b> Decode<'b, ()>>(value: &Value) -> T {
    from_bytes(&hex(value)).unwrap()
}

/// Reads as `T`, in its one form.
fn form<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<(), OpenError> {
    from_bytes::<T>(bytes).map(drop)
}

/// A payload that was signed by `by`; its signed object is the one before it.
fn payload<T: Payload>(bytes: &[u8], before: &Value, by: VerifyKey) -> Result<(), OpenError> {
    let signed: Signed<T> = read(&before["bytes"]);
    assert_eq!(signed.payload, bytes);
    by.open_object(&signed).map(drop)
}

#[test]
fn every_kept_object_reads() {
    let all = kept();
    let objects = all["objects"].as_array().unwrap();
    let (device, hq) = (key(&all, "device"), key(&all, "headquarters"));
    for (i, object) in objects.iter().enumerate() {
        let before = &objects[i.saturating_sub(1)];
        let (rule, bytes) = (object["rule"].as_str().unwrap(), hex(&object["bytes"]));
        let read = match rule {
            "fact" => form::<Fact>(&bytes),
            "segment" => form::<Segment>(&bytes),
            "grant" => form::<Grant>(&bytes),
            "ticket" => form::<Ticket>(&bytes),
            "enrolment" => form::<Enrolment>(&bytes),
            "frame" => form::<Frame>(&bytes),
            "reply" => form::<Reply>(&bytes),
            "page" => form::<Page>(&bytes),
            "entry" => form::<Entry>(&bytes),
            "note" => form::<Note>(&bytes),
            "volume" => form::<Volume>(&bytes),
            "signed" => form::<Signed<Hello>>(&bytes),
            "hello" => payload::<Hello>(&bytes, before, device),
            "disclosure" => payload::<Disclosure>(&bytes, before, device),
            "request" => payload::<Request>(&bytes, before, device),
            "certificate" => payload::<Certificate>(&bytes, before, hq),
            "revocation" => payload::<Revocation>(&bytes, before, hq),
            "receipt" => payload::<Receipt>(&bytes, before, hq),
            "letter" => payload::<Letter>(&bytes, before, key(&all, "agency")),
            other => panic!("{other}"),
        };
        assert_eq!(read, Ok(()), "{rule}, object {i}");
    }
    assert!(objects.len() > 80, "{}", objects.len());
}

#[test]
fn every_kept_segment_opens() {
    let all = kept();
    let device = key(&all, "device");
    let mut previous = first_previous(&device);
    let mut opened = 0;
    for (number, link) in (0..).zip(all["chain"].as_array().unwrap()) {
        let segment = hex(&link["segment"]);
        let (header, hash) = amparo_seal::inspect(&segment, &device).unwrap();
        assert_eq!((header.number, header.previous), (number, previous));
        previous = hash;
        for grant in all["grants"].as_array().unwrap().iter().map(read::<Grant>) {
            let reader =
                if grant.recipient == secret(&all, "agency").public().id() { "agency" } else { "custodian" };
            if grant.segment == hash {
                let plain = open(&segment, &grant, &secret(&all, reader), &device).unwrap();
                let told = link["events"].as_array().unwrap().iter();
                let told: Vec<_> = told.map(|e| (e[0].as_u64().unwrap(), hex(&e[1]))).collect();
                let events: Vec<_> = plain.events.into_iter().map(|e| (e.counter, e.fact)).collect();
                assert_eq!(events, told);
                opened += 1;
            }
        }
    }
    assert_eq!(opened, 4);
}

#[test]
fn every_kept_letter_feed_ticket_and_volume_opens() {
    let all = kept();
    let device = DeviceId(hex(&all["parties"]["device"]).try_into().unwrap());
    for told in all["letters"].as_array().unwrap() {
        let letter = read::<Signed<Letter>>(&told["letter"]);
        let note = read_letter(&letter, &key(&all, "agency"), device, &secret(&all, "letters")).unwrap();
        assert_eq!(note, read::<Note>(&told["note"]));
    }
    for told in all["feeds"].as_array().unwrap() {
        let page = read::<Page>(&told["page"]);
        let end = page.entries.iter().fold(page.from, |cursor, entry| cursor.after(&entry.0));
        assert_eq!((page.from, end), (read::<Cursor>(&told["start"]), read::<Cursor>(&told["end"])));
    }
    let ticket = read_ticket(all["enrolment"]["ticket"].as_str().unwrap()).unwrap();
    let request =
        check_request(&read(&all["enrolment"]["request"]), &ticket.secret, &ticket.headquarters).unwrap();
    assert_eq!(request.device, device);
    for (way, direction, reader) in [("up", Direction::Up, "bundle"), ("down", Direction::Down, "letters")] {
        let sequence = open_volume(&hex(&all[way]["volume"]), direction, &secret(&all, reader)).unwrap();
        assert_eq!(*sequence, hex(&all[way]["sequence"]));
        let mut rest = &sequence[..];
        let mut items = 0;
        while let First::Item(item, after) = first(rest).unwrap() {
            if way == "up" { form::<Frame>(item) } else { form::<Reply>(item) }.unwrap();
            (rest, items) = (after, items + 1);
        }
        assert!(rest.is_empty() && items > 5);
    }
}
