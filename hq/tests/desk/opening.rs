//! I17, I20, I21: what a desk can learn from what it is given, and what it never believes.

use amparo_schema::id::CaseId;
use amparo_schema::wire::enrol::Certificate;
use amparo_schema::wire::feed::Entry;
use amparo_schema::wire::segment::{Grant, Segment, signed_payload};
use amparo_schema::wire::signed::Signed;
use amparo_seal::random::SeededEntropy;
use amparo_seal::{SegmentKey, Signer, from_bytes, grant as wrap, to_bytes};

use crate::common::{ARRIVED, Feed, NOON, Office, Phone, Who, hq, name, office, reading, shown, verify_key};
use crate::covered::Covered;

const A: u8 = 0x0a;
const B: u8 = 0x0b;

fn parts(entry: &[u8]) -> (Segment, Grant, Signed<Certificate>) {
    match from_bytes(entry).unwrap() {
        Entry::Sealed { segment, grant, certificate } => (from_bytes(&segment).unwrap(), grant, certificate),
        _ => panic!("not a segment"),
    }
}

fn entry(segment: &Segment, grant: &Grant, certificate: &Signed<Certificate>) -> Vec<u8> {
    let segment = to_bytes(segment).unwrap();
    to_bytes(&Entry::Sealed { segment, grant: grant.clone(), certificate: certificate.clone() }).unwrap()
}

/// What the desk says of one entry: nothing when it opened.
fn verdict(key: u8, entry: &[u8]) -> Option<String> {
    let mut office: Office = office(&[key]);
    Feed::with(key, &[entry.to_vec()]).pull(&mut office.desk, 9);
    let status = office.desk.status().unwrap();
    assert_eq!(status.segments + status.aside.len() as u64, 1);
    assert_eq!(office.desk.cases().unwrap().is_empty(), status.segments == 0);
    status.aside.first().map(|aside| aside.why.clone())
}

/// I17: what A is given is the same, byte for byte, whether or not B was told too.
#[test]
fn i17_nobody_learns_who_else_was_told() {
    let deliver = |also: &[u8]| {
        let mut phone = Phone::new(1);
        let sealed = phone.seal(1, NOON, &Who::woman().facts(1));
        let to_a = to_bytes(&phone.entry(&sealed, &reading(A).public())).unwrap();
        let others: Vec<Vec<u8>> = also
            .iter()
            .map(|key| to_bytes(&phone.entry(&sealed, &reading(*key).public())).unwrap())
            .collect();
        (to_a, others)
    };
    let (alone, _) = deliver(&[]);
    let (beside, others) = deliver(&[B, 0x0c]);
    assert_eq!(alone, beside);
    let holds = |entry: &[u8], part: &[u8]| entry.windows(part.len()).any(|w| w == part);
    for key in [B, 0x0c] {
        assert!(
            !holds(&beside, &reading(key).public().id()) && !holds(&beside, reading(key).public().bytes())
        );
    }
    let mut office = office(&[A]);
    Feed::with(A, &[beside]).pull(&mut office.desk, 9);
    let said = shown(&office.desk) + &format!("{:?}", office.desk.status().unwrap());
    let id: String = reading(B).public().id().iter().map(|b| format!("{b:02x}")).collect();
    assert!(!said.contains(&id) && !others.is_empty());
}

/// I20: two recipients see the same facts; one who is given another key sees nothing rather than others.
#[test]
fn i20_two_recipients_see_the_same_or_nothing() {
    let mut phone = Phone::new(1);
    let sealed = phone.seal(1, NOON, &Who::woman().facts(1));
    let views = [A, B].map(|key| {
        let entry = to_bytes(&phone.entry(&sealed, &reading(key).public())).unwrap();
        let mut office = office(&[key]);
        Feed::with(key, &[entry]).pull(&mut office.desk, 9);
        shown(&office.desk)
    });
    assert_eq!(views[0], views[1]);
    assert!(views[0].contains("person-sex"));
    let honest = to_bytes(&phone.entry(&sealed, &reading(B).public())).unwrap();
    let (segment, grant, certificate) = parts(&honest);
    let key = SegmentKey::new(&[0x77; 32]);
    let other_key = wrap(&key, grant.segment, &reading(B).public(), &SeededEntropy::new(1)).unwrap();
    assert_eq!(verdict(B, &entry(&segment, &other_key, &certificate)).as_deref(), Some("does_not_open"));
}

/// I21: a grant opens its own segment, a header stands with its own ciphertext, and a device signs for itself.
#[test]
fn i21_parts_of_different_segments_never_open_together() {
    let (mut phone, stranger) = (Phone::new(1), Phone::new(2));
    let entries = [1, 2].map(|case| phone.entry_of(A, case, NOON, &Who::woman().facts(case)));
    let [(one, grant_one, certificate), (two, grant_two, _)] = [&entries[0], &entries[1]].map(|e| parts(e));
    assert_eq!(verdict(A, &entry(&one, &grant_one, &certificate)), None);
    let refused = |segment: &Segment, grant: &Grant, certificate: &Signed<Certificate>| {
        verdict(A, &entry(segment, grant, certificate)).unwrap()
    };
    assert_eq!(refused(&one, &grant_two, &certificate), "does_not_open");
    let renamed = Grant { segment: grant_one.segment, ..grant_two };
    assert_eq!(refused(&one, &renamed, &certificate), "does_not_open");
    let swapped = Segment { ciphertext: two.ciphertext, ..one.clone() };
    assert_eq!(refused(&swapped, &grant_one, &certificate), "signature");
    // Another enrolled device signs the header: with its own certificate, and with the first device's.
    let payload = signed_payload(&one.header, &one.ciphertext_sha256());
    let signed = stranger.signer.sign_object(&Covered(payload.clone())).unwrap();
    assert_eq!(signed.payload, payload, "signed as it stands");
    let resigned = Segment { signature: signed.signature, ..one };
    assert_eq!(refused(&resigned, &grant_one, &stranger.certificate()), "other_device");
    assert_eq!(refused(&resigned, &grant_one, &certificate), "signature");
}

#[test]
fn a_certificate_that_headquarters_did_not_sign_opens_nothing() {
    let mut phone = Phone::new(1);
    let (segment, grant, certificate) = parts(&phone.entry_of(A, 1, NOON, &Who::woman().facts(1)));
    let shown = verify_key().open_object(&certificate).unwrap();
    let forged = Signer::from_seed(&[8; 32]).sign_object(&shown).unwrap();
    assert_eq!(verdict(A, &entry(&segment, &grant, &forged)).as_deref(), Some("certificate"));
    let other_agency = hq().sign_object(&Certificate { agency: name("other"), ..shown }).unwrap();
    assert_eq!(verdict(A, &entry(&segment, &grant, &other_agency)), None, "headquarters may rename");
}

/// A device that files facts under another case than they name.
#[test]
fn facts_out_of_place_are_not_believed() {
    let entry = Phone::new(1).entry_of(A, 2, NOON, &Who::woman().facts(1));
    assert_eq!(verdict(A, &entry).as_deref(), Some("facts_out_of_place"));
}

#[test]
fn a_case_that_was_never_disclosed_is_no_case() {
    let office = office(&[A]);
    let asked = office.desk.case(CaseId([1; 16]), ARRIVED);
    assert!(matches!(asked, Err(amparo_hq::desk::DeskError::NoCase)));
}
