//! The export to HTCDS: pseudonymous, by consent, and honest about what is lost.

use amparo_hq::desk::htcds::{Asked, Export, Identity, export};
use amparo_hq::desk::report::Format;
use amparo_schema::answer::Value;
use amparo_schema::fact::{Body, Consent, ConsentBy, IdentityField, ReferralState, Scope};
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::policy::{Purpose, intake};

use crate::common::{DAY, Feed, NOON, Office, Phone, Who, answer, consent, name, offer, office, sent};

const KEY: u8 = 0x0a;
const CANARY: &str = "=Canario Sintético";

fn given(purpose: Purpose, scope: &[Scope], by: ConsentBy) -> Body {
    Body::ConsentGiven(Consent { by, ..consent(purpose, Some("refuge"), scope) })
}

/// Case 1 shares all with the refuge, case 2 needs alone, case 3 nothing, case 4 is a child's without guardian.
fn world() -> Office {
    let mut phone = Phone::new(1);
    let mut entries = Vec::new();
    let child = Who { age: (12, 17), ..Who::woman() };
    for (case, who) in [(1, Who::woman()), (2, Who::woman()), (3, Who::woman()), (4, child)] {
        let mut facts = who.facts(case);
        facts.push(answer(intake::LANGUAGES, Value::Choices([name("ht")].into())));
        facts.push(answer(intake::EXPLOITATION, Value::Choices([name("domestic"), name("labour")].into())));
        facts.extend([offer(case, "refuge"), sent(case, ReferralState::Sent)]);
        entries.push(phone.entry_of(KEY, case, NOON, &facts));
        let said = Body::IdentityGiven { field: IdentityField::Name, value: CANARY.into() };
        entries.push(phone.entry_of(KEY, case, NOON, &[said]));
    }
    let all = [Scope::Needs, Scope::Outcome, Scope::Indicators];
    let one = [
        given(Purpose::ShareService, &all, ConsentBy::Person),
        given(Purpose::ShareIdentity, &[Scope::Identity], ConsentBy::Person),
    ];
    entries.push(phone.entry_of(KEY, 1, NOON, &one));
    let needs = given(Purpose::ShareService, &[Scope::Needs], ConsentBy::Person);
    entries.push(phone.entry_of(KEY, 2, NOON, &[needs]));
    entries.push(phone.entry_of(KEY, 4, NOON, &[given(Purpose::ShareService, &all, ConsentBy::Person)]));
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    office
}

fn exported(office: &Office, identity: Identity) -> Export {
    export(&office.desk, &Asked { receiver: name("refuge"), identity }, NOON + DAY).unwrap()
}

#[test]
fn what_goes_is_what_was_agreed_and_no_more() {
    let office = world();
    let plain = exported(&office, Identity::LeftOut);
    assert_eq!((plain.records.len(), plain.left_out), (2, 2));
    let full = plain.records.iter().find(|r| !r.status.is_empty()).unwrap();
    let needs = plain.records.iter().find(|r| r.status.is_empty()).unwrap();
    assert_eq!(full.status, "PossibleVictimOfTrafficking");
    assert_eq!(full.exploitation, "ForcedLabour;Servitude");
    assert_eq!((full.gender.as_str(), full.language.as_str()), ("Feminine", "hat"));
    assert_eq!((full.case_status.as_str(), full.reason.as_str()), ("Active", "AdditionalServicesRequired"));
    assert_eq!(
        (needs.gender.as_str(), needs.exploitation.as_str(), needs.case_status.as_str()),
        ("Feminine", "", "")
    );
    for format in [Format::Csv, Format::Json] {
        assert!(!plain.write(format).unwrap().contains("Canario"), "pseudonymous unless asked");
    }
    let named = exported(&office, Identity::WhereConsented);
    let names: Vec<&str> =
        named.records.iter().map(|r| r.first_name.as_str()).filter(|n| !n.is_empty()).collect();
    assert_eq!(names, [CANARY], "one consented");
    assert!(named.write(Format::Csv).unwrap().contains(",'=Canario"), "no formula");
    assert!(!format!("{named:?}").contains("Canario"));
}

#[test]
fn pseudonyms_differ_for_each_receiver_and_are_no_case_ids() {
    let office = world();
    let plain = exported(&office, Identity::LeftOut);
    assert!(plain.records.iter().all(|r| r.case.len() == 32 && r.case != "01".repeat(16)));
    let other = Asked { receiver: name("line"), identity: Identity::LeftOut };
    assert_eq!(export(&office.desk, &other, NOON).unwrap().records.len(), 0, "nobody agreed to that one");
}

#[test]
fn losses_are_listed_and_counted() {
    let plain = exported(&world(), Identity::LeftOut);
    let times = |ours: &str| plain.losses.iter().find(|l| l.ours == ours).unwrap().times;
    assert_eq!((times("age band"), times("form of exploitation")), (2, 1));
    assert_eq!(times("screening closed"), 0, "always so");
    let csv = plain.losses_csv().unwrap();
    assert!(csv.starts_with("ours,htcds,lost,times\n"));
    for field in ["prs_Birthdate", "per_*", "vic_TraffickingStatus", "con_Consent"] {
        assert!(csv.contains(field), "{field}");
    }
}

/// No outcome ever says more than "possible", nor that someone is not.
#[test]
fn no_outcome_becomes_a_decision() {
    let mut phone = Phone::new(1);
    let mut entries = Vec::new();
    for (case, outcome) in (1..).zip(Outcome::ALL) {
        entries.push(phone.entry_of(KEY, case, NOON, &Who { outcome, ..Who::woman() }.facts(case)));
        let share = given(Purpose::ShareService, &[Scope::Outcome], ConsentBy::Person);
        entries.push(phone.entry_of(KEY, case, NOON, &[share]));
    }
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    let plain = exported(&office, Identity::LeftOut);
    let statuses: Vec<&str> =
        plain.records.iter().map(|r| r.status.as_str()).filter(|s| !s.is_empty()).collect();
    assert_eq!((plain.records.len(), statuses), (7, vec!["PossibleVictimOfTrafficking"]));
}
