//! Pack files that must be refused, made by hand and by flipping every byte. All content is synthetic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use std::collections::BTreeMap;

use amparo_core::pack::{Pack, PackError, Trust, Warning, key_id, may_replace, open, reopen, sign, write};
use amparo_core::schema::id::Hash;
use amparo_core::schema::name::Name;
use amparo_core::schema::pack::root::{Authority, Root};
use amparo_core::schema::pack::{Envelope, Header, Kind, Signature, header_hash};
use amparo_core::schema::person::Country;
use amparo_core::schema::text::{Lang, Text};
use ed25519_dalek::SigningKey;
use jiff::civil::{Date, date};

const CALENDAR: &[u8] = br#"{"weekend":["sat","sun"],"years":{},"zones":{}}"#;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn id(key: &SigningKey) -> Hash {
    key_id(&key.verifying_key().to_bytes())
}

/// `one` signs anything alone; `two` needs two keys; `chile` may sign calendars of Chile only.
fn root() -> Root {
    let authority = |keys: &[u8], threshold, kinds: &[Kind], countries: &[&str]| Authority {
        keys: keys.iter().map(|seed| id(&key(*seed))).collect(),
        threshold,
        kinds: kinds.to_vec(),
        countries: countries.iter().map(|c| Country::new(c).unwrap()).collect(),
    };
    Root {
        format: 1,
        version: 1,
        expires: date(2028, 1, 1),
        keys: [1, 2, 3, 4].map(|seed| (id(&key(seed)), Hash(key(seed).verifying_key().to_bytes()))).into(),
        authorities: BTreeMap::from([
            (name("one"), authority(&[1], 1, &Kind::ALL, &[])),
            (name("two"), authority(&[2, 3], 2, &Kind::ALL, &[])),
            (name("chile"), authority(&[4], 1, &[Kind::Calendar], &["CL"])),
        ]),
    }
}

fn trust() -> Trust {
    Trust::new(root()).unwrap()
}

fn header(authority: &str) -> Header {
    let title = ["es", "en"].map(|lang| (Lang::new(lang).unwrap(), "Test".to_owned()));
    Header {
        kind: Kind::Calendar,
        id: name("test"),
        version: 2,
        authority: name(authority),
        title: Text(title.into()),
        countries: vec![],
        audience: vec!["testers".into()],
        valid_from: date(2026, 1, 1),
        expires: date(2027, 1, 1),
        licence: "Apache-2.0 OR MIT".into(),
        languages: vec![],
        content_sha256: Hash([0; 32]),
        content_bytes: 0,
    }
}

fn pack(header: Header, keys: &[u8]) -> Vec<u8> {
    let keys: Vec<_> = keys.iter().map(|seed| key(*seed)).collect();
    write(header, CALENDAR.to_vec(), &keys.iter().collect::<Vec<_>>()).unwrap()
}

/// The code of the refusal, empty when the pack opens. What was installed and is read again is refused for the
/// same reasons, but that its sense is not judged a second time.
fn refusal(bytes: &[u8]) -> &'static str {
    let code = |opened: Result<Pack, PackError>| opened.map(|_| "").unwrap_or_else(|e| e.code());
    let (refused, again) = (code(open(bytes, &trust(), None)), code(reopen(bytes, &trust())));
    assert_eq!(again, if refused == "senseless-content" { "" } else { refused });
    refused
}

/// A pack with its parts changed.
fn changed(bytes: &[u8], change: impl FnOnce(&mut Envelope)) -> Vec<u8> {
    let mut envelope: Envelope = minicbor::decode(bytes).unwrap();
    change(&mut envelope);
    minicbor::to_vec(envelope).unwrap()
}

#[test]
fn a_signed_pack_opens_and_is_known_by_its_header() {
    let bytes = pack(header("one"), &[1]);
    let opened = open(&bytes, &trust(), None).unwrap();
    let envelope: Envelope = minicbor::decode(&bytes).unwrap();
    assert_eq!(opened.hash, header_hash(&envelope.header));
    assert_eq!((opened.pack_ref.id.as_str(), opened.pack_ref.version), ("test", 2));
    assert_eq!(opened.pack_ref.hash, opened.hash);
    assert!(opened.warnings.is_empty());
    assert_eq!(bytes, pack(header("one"), &[1]), "the same content and key give the same bytes");
}

#[test]
fn packs_that_are_not_signed_enough_are_refused() {
    let good = pack(header("two"), &[2, 3]);
    assert_eq!(refusal(&good), "");
    assert_eq!(refusal(&pack(header("one"), &[])), "not-enough-signatures");
    assert_eq!(refusal(&pack(header("one"), &[2])), "not-enough-signatures", "a key of another authority");
    assert_eq!(refusal(&pack(header("one"), &[9])), "not-enough-signatures", "a key of nobody");
    assert_eq!(refusal(&pack(header("two"), &[2])), "not-enough-signatures");
    assert_eq!(refusal(&pack(header("two"), &[2, 2])), "not-enough-signatures", "one key twice");
    assert_eq!(refusal(&pack(header("two"), &[2, 2, 9, 3])), "", "more than needed");
    let swapped = changed(&good, |e| {
        let (a, b) = (e.signatures[0].clone(), e.signatures[1].clone());
        e.signatures = vec![Signature { key: a.key, ..b.clone() }, Signature { key: b.key, ..a }];
    });
    assert_eq!(refusal(&swapped), "not-enough-signatures");
    let content_signed = changed(&pack(header("one"), &[]), |e| {
        e.signatures = vec![sign(&e.content, &key(1))];
    });
    assert_eq!(refusal(&content_signed), "not-enough-signatures", "the right key over other bytes");
}

#[test]
fn authorities_sign_only_what_they_may() {
    let country = |c: &str| vec![Country::new(c).unwrap()];
    let chile = |countries, kind| pack(Header { countries, kind, ..header("chile") }, &[4]);
    assert_eq!(refusal(&chile(country("CL"), Kind::Calendar)), "");
    assert_eq!(refusal(&chile(country("MX"), Kind::Calendar)), "country-not-allowed");
    assert_eq!(
        refusal(&chile([country("CL"), country("MX")].concat(), Kind::Calendar)),
        "country-not-allowed"
    );
    assert_eq!(refusal(&chile(vec![], Kind::Calendar)), "country-not-allowed", "all countries");
    assert_eq!(refusal(&chile(country("CL"), Kind::Policy)), "kind-not-allowed");
    assert_eq!(refusal(&pack(header("nobody"), &[1])), "unknown-authority");
}

#[test]
fn content_is_the_one_that_was_signed() {
    let good = pack(header("one"), &[1]);
    let longer = changed(&good, |e| e.content = CALENDAR.repeat(2));
    assert_eq!(refusal(&longer), "content-mismatch");
    let same_length = changed(&good, |e| e.content = CALENDAR.to_ascii_uppercase());
    assert_eq!(refusal(&same_length), "content-mismatch");
}

#[test]
fn signed_nonsense_is_refused_without_repeating_it() {
    let signed = |content: &[u8]| {
        let bytes = write(header("one"), content.to_vec(), &[&key(1)]).unwrap();
        open(&bytes, &trust(), None).unwrap_err()
    };
    let unknown = signed(br#"{"weekend":[],"years":{},"zones":{},"secret words":1}"#);
    assert_eq!(unknown.code(), "bad-content");
    assert!(!format!("{unknown} {unknown:?}").contains("secret"));
    let senseless = signed(br#"{"weekend":["sat","sat"],"years":{},"zones":{}}"#);
    assert_eq!(senseless.code(), "senseless-content");
    assert!(senseless.to_string().contains("duplicate-id"), "{senseless}");
    let deep = "[".repeat(100_000);
    assert_eq!(signed(deep.as_bytes()).code(), "bad-content");
    let complete = Header { languages: vec![Lang::new("es").unwrap()], ..header("one") };
    assert_eq!(refusal(&pack(complete, &[1])), "senseless-content", "no words are complete in no language");
}

#[test]
fn dates_warn_and_never_refuse() {
    let bytes = pack(header("one"), &[1]);
    let warnings = |today: Date| open(&bytes, &trust(), Some(today)).unwrap().warnings;
    assert_eq!(warnings(date(2027, 1, 1)), []);
    assert_eq!(warnings(date(2027, 1, 2)), [Warning::Expired { on: date(2027, 1, 1) }]);
    assert_eq!(warnings(date(2025, 12, 31)), [Warning::NotYetValid { from: date(2026, 1, 1) }]);
    assert_eq!(warnings(date(2030, 1, 1)).len(), 2);
}

#[test]
fn versions_only_go_up() {
    let installed = header("one");
    let version = |version| Header { version, ..header("one") };
    assert_eq!(may_replace(&installed, &version(3)), Ok(()));
    assert_eq!(may_replace(&installed, &version(2)), Ok(()), "the very same");
    assert_eq!(may_replace(&installed, &version(1)), Err(PackError::Older { installed: 2, new: 1 }));
    let other = Header { content_sha256: Hash([7; 32]), ..header("one") };
    assert_eq!(may_replace(&installed, &other), Err(PackError::SameVersion { version: 2 }));
    let third = |change: fn(&mut Header)| {
        let mut header = version(3);
        change(&mut header);
        may_replace(&installed, &header)
    };
    assert_eq!(third(|h| h.id = name("other")), Err(PackError::OtherPack));
    assert_eq!(third(|h| h.authority = name("two")), Err(PackError::OtherPack));
    assert_eq!(third(|h| h.kind = Kind::Policy), Err(PackError::OtherPack));
}

#[test]
fn every_flipped_byte_is_refused() {
    let good = pack(header("two"), &[2, 3]);
    assert_eq!(refusal(&good), "");
    let mut accepted = Vec::new();
    for at in 0..good.len() {
        for flip in [0x01, 0x10, 0x20, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            if refusal(&bytes).is_empty() {
                accepted.push((at, flip));
            }
        }
    }
    assert_eq!(accepted, [], "of {} bytes", good.len());
}

#[test]
fn every_cut_and_every_addition_is_refused() {
    let good = pack(header("one"), &[1]);
    for length in 0..good.len() {
        assert_eq!(refusal(&good[..length]), "not-a-pack", "{length} bytes");
    }
    assert_eq!(refusal(&[good.as_slice(), &[0]].concat()), "not-a-pack");
    let mut five = good.clone();
    five[0] = 0x85;
    five.push(0);
    assert_eq!(refusal(&five), "not-a-pack", "an element more");
    let mut open_ended = good.clone();
    open_ended[0] = 0x9f;
    open_ended.push(0xff);
    assert_eq!(refusal(&open_ended), "not-a-pack", "an array without a length");
    assert_eq!(refusal(&changed(&good, |e| e.format = 2)), "unknown-format");
    assert_eq!(refusal(&changed(&good, |e| e.header.push(0))), "bad-header");
    assert_eq!(refusal(&changed(&good, |e| e.header = vec![0; 17 * 1024])), "too-large");
    let many = changed(&good, |e| e.signatures = vec![e.signatures[0].clone(); 17]);
    assert_eq!(refusal(&many), "too-large");
    let large = write(header("one"), vec![b' '; 5 * 1024 * 1024], &[&key(1)]);
    assert_eq!(large, Err(PackError::TooLarge { limit: "SMALL_PACK_BYTES_MAX" }));
}

#[test]
fn root_files_that_would_let_anyone_sign_are_refused() {
    let with = |change: &dyn Fn(&mut Root)| {
        let mut root = root();
        change(&mut root);
        Trust::new(root).map(|_| ()).map_err(|e| e.code())
    };
    let one = |change: &dyn Fn(&mut Authority)| with(&|r| change(r.authorities.get_mut("one").unwrap()));
    assert_eq!(with(&|_| ()), Ok(()));
    assert_eq!(one(&|a| a.threshold = 0), Err("bad-root"));
    assert_eq!(one(&|a| a.threshold = 2), Err("bad-root"));
    assert_eq!(one(&|a| a.keys.push(Hash([1; 32]))), Err("bad-root"), "an unknown key");
    let twice = |a: &mut Authority| (a.keys, a.threshold) = (vec![a.keys[0]; 2], 2);
    assert_eq!(one(&twice), Err("bad-root"), "one key twice");
    // The neutral point of the curve: under a lax check it signs everything.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(with(&|r| _ = r.keys.insert(key_id(&neutral), Hash(neutral))), Err("bad-root"));
    let public = Hash(key(1).verifying_key().to_bytes());
    assert_eq!(with(&|r| _ = r.keys.insert(Hash([5; 32]), public)), Err("bad-root"), "a false name");
    assert_eq!(with(&|r| r.format = 2), Err("unknown-format"));
}
