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

/// Two screenings of one person on one phone, each with consents of its own; what follows from them for the
/// refuge. The first has form labour and the name Ana, the second form sexual, Presumed and the name Berta.
fn two_screenings(first: &[Body], second: &[Body]) -> Export {
    let mut phone = Phone::new(1);
    let mut entries = Vec::new();
    let one = Who { forms: vec!["labour"], outcome: Outcome::LabourRights, ..Who::woman() };
    for (screening, who, said, consents) in
        [(1, one, "Ana Sintética", first), (2, Who::woman(), "Berta Sintética", second)]
    {
        phone.screening = Some(screening);
        // The opening names screening 1; nothing here needs that of the second.
        entries.push(phone.entry_of(KEY, 1, NOON, &who.facts(1)[usize::from(screening) - 1..]));
        let identity = Body::IdentityGiven { field: IdentityField::Name, value: said.into() };
        entries.push(phone.entry_of(KEY, 1, NOON, &[identity]));
        entries.push(phone.entry_of(KEY, 1, NOON, consents));
    }
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    assert_eq!(office.desk.status().unwrap().aside, []);
    exported(&office, Identity::WhereConsented)
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
    assert_eq!(full.case_status, "Active");
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
}

/// Every field of the standard (research/domain.md 4.1) is written, or named where it is said why not.
#[test]
fn no_field_of_the_standard_is_forgotten() {
    const FIELDS: [(&str, &str); 9] = [
        (
            "org",
            "Name ShippingCity ShippingCountry ShippingState ShippingStreet ShippingPostalCode ShippingLongitude ShippingLatitude Phone Type",
        ),
        (
            "prs",
            "Salutation FirstName MiddleName SecondName Birthdate Gender Deceased MaritalStatus NumberOfChildren PrimaryLanguage SecondaryLanguage HighestLevelOfEducation Citizenship IdentityNumber Title Email HomePhone MobilePhone MailingCity MailingCountry MailingState MailingStreet MailingPostalCode MailingLongitude MailingLatitude",
        ),
        (
            "vic",
            "AgreementToManagePersonalData TraffickingStatus TraffickingStatusDecisionMakingOrg RelationshipToTrafficker AgeWhenTrafficked RecruitmentWebsitesAndApps ExploitationWebsitesAndApps MethodOfRecruitment LocationOfRecruitment MethodsOfControl TypeOfExploitation ForcedLabourIndustry TypeOfSexExploitation LocationOfExploitation Vulnerabilities DetailsOfVulnerabilities",
        ),
        ("per", "RoleInProcess RoleDetails"),
        (
            "cas",
            "Status ReasonForCaseClosure CaseOwner ReferringOrganisation IncomingReferralDate ReferringPrimaryCaseWorker ReasonForIncomingReferral IncomingReferralDetails ReferredOrganisation ReferredPrimaryCaseWorker ReasonForOutgoingReferral OutgoingReferralDate OutgoingReferralDetails",
        ),
        ("cco", "CaseComment"),
        ("hte", "Longitude Latitude City Country State Street PostalCode Date Type Description"),
        ("spl", "Objectives ActionPlan PlannedEndDate ActualEndDate Type"),
        ("con", "Consent"),
    ];
    let plain = exported(&world(), Identity::LeftOut);
    let written = plain.write(Format::Csv).unwrap();
    let head: Vec<&str> = written.lines().next().unwrap().split(',').collect();
    let named: Vec<&str> = plain.losses.iter().flat_map(|l| l.htcds.split("; ")).collect();
    for (object, fields) in FIELDS {
        for field in fields.split(' ').map(|field| format!("{object}_{field}")) {
            let told = named.iter().any(|n| match n.strip_suffix('*') {
                Some(start) => field.starts_with(start),
                None => *n == field,
            });
            assert!(told || head.contains(&field.as_str()), "{field}");
        }
    }
    let all: Vec<String> =
        FIELDS.iter().flat_map(|(o, f)| f.split(' ').map(move |f| format!("{o}_{f}"))).collect();
    for name in named.iter().filter(|n| !n.is_empty()) {
        let start = name.trim_end_matches('*');
        assert!(all.iter().any(|field| field.starts_with(start)), "{name} is no field of the standard");
    }
}

/// The list of losses is the same whoever the person is: how often something was lost is for the operator, and
/// nothing is counted that would speak against somebody.
#[test]
fn the_list_of_losses_says_nothing_of_anybody() {
    let more = [
        answer(intake::CHILDREN, Value::Number(2)),
        answer(intake::UNACCOMPANIED, Value::Yes),
        answer(intake::OFFENCE, Value::Yes),
    ];
    let needs = given(Purpose::ShareService, &[Scope::Needs, Scope::Outcome], ConsentBy::Person);
    let lists = [&[][..], &more].map(|more| {
        let mut phone = Phone::new(1);
        let facts = [&Who::woman().facts(1)[..], more].concat();
        let entries = [
            phone.entry_of(KEY, 1, NOON, &facts),
            phone.entry_of(KEY, 1, NOON, std::slice::from_ref(&needs)),
        ];
        let mut office = office(&[KEY]);
        Feed::with(KEY, &entries).pull(&mut office.desk, 50);
        let plain = exported(&office, Identity::LeftOut);
        assert_eq!((plain.records.len(), plain.losses.iter().map(|l| l.times).max()), (1, Some(1)));
        let json: serde_json::Value = serde_json::from_str(&plain.write(Format::Json).unwrap()).unwrap();
        (plain.losses.clone(), plain.losses_csv().unwrap(), json["losses"].to_string())
    });
    assert_eq!(lists[0], lists[1], "nor does the operator learn of it by counts");
    let nobody = exported(&office(&[KEY]), Identity::LeftOut);
    assert_eq!(lists[0].1, nobody.losses_csv().unwrap());
    assert!(lists[0].1.starts_with("ours,htcds,lost\n"));
    assert!(!lists[0].1.contains("suspect") && !lists[0].2.contains("\"times\""));
}

/// Where devices disagree, nothing goes.
#[test]
fn a_disagreement_sends_nothing() {
    let mut phones = [Phone::new(1), Phone::new(2)];
    let more = [answer(intake::LANGUAGES, Value::Choices([name("arn")].into()))];
    let facts = [&Who::woman().facts(1)[..], &more].concat();
    let mut entries = vec![phones[0].entry_of(KEY, 1, NOON, &facts)];
    let needs = given(Purpose::ShareService, &[Scope::Needs], ConsentBy::Person);
    entries.push(phones[0].entry_of(KEY, 1, NOON, &[needs]));
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    let plain = exported(&office, Identity::LeftOut);
    let times = |plain: &Export, ours: &str, lost: &str| {
        plain.losses.iter().find(|l| l.ours == ours && l.lost.contains(lost)).unwrap().times
    };
    let record = &plain.records[0];
    assert_eq!((record.language.as_str(), record.gender.as_str()), ("arn", "Feminine"));
    // Another device wrote another sex into the same screening.
    let other = answer(intake::SEX, Value::Choice(name("male")));
    entries.push(phones[1].entry_of(KEY, 1, NOON, &[other]));
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    let plain = exported(&office, Identity::LeftOut);
    assert_eq!((plain.records[0].gender.as_str(), times(&plain, "sex", "disagree")), ("", 1));
    assert!(!plain.write(Format::Json).unwrap().contains("left_out"), "no business of the receiver");
}

/// A consent is of the screening in which it was given: what was said in another one does not go with it.
#[test]
fn a_record_holds_only_screenings_that_were_shared_with_the_receiver() {
    let all = [Scope::Needs, Scope::Outcome, Scope::Indicators];
    let to = |receiver: &str, purpose, scope: &[Scope]| {
        Body::ConsentGiven(consent(purpose, Some(receiver), scope))
    };
    let whole = |receiver: &str| {
        vec![
            to(receiver, Purpose::ShareService, &all),
            to(receiver, Purpose::ShareIdentity, &[Scope::Identity]),
        ]
    };
    let shown = |export: &Export| {
        let [record] = &export.records[..] else { panic!("{}", export.records.len()) };
        [&record.status, &record.exploitation, &record.first_name].map(Clone::clone)
    };
    let other = two_screenings(&whole("refuge"), &whole("defensoria"));
    assert_eq!(shown(&other), ["", "ForcedLabour", "Ana Sintética"]);
    let second = two_screenings(&whole("defensoria"), &whole("refuge"));
    assert_eq!(shown(&second), ["PossibleVictimOfTrafficking", "SexualExploitation", "Berta Sintética"]);
    // A wider consent that comes later is one to what was said then.
    let needs = [to("refuge", Purpose::ShareService, &[Scope::Needs])];
    let wider = two_screenings(&needs, &whole("refuge"));
    assert_eq!(shown(&wider), ["PossibleVictimOfTrafficking", "SexualExploitation", "Berta Sintética"]);
    // A narrower one is the person's last word, and holds for what was said before.
    let narrower = two_screenings(&whole("refuge"), &needs);
    assert_eq!(shown(&narrower), ["", "", "Ana Sintética"]);
    // A no to the receiver holds for the whole case.
    let lang = crate::common::lang("es");
    let receiver = Some(name("refuge"));
    let no = Body::ConsentRefused { purpose: Purpose::ShareService, wording: 1, lang, receiver };
    let refused = two_screenings(&whole("refuge"), &[no]);
    assert_eq!((refused.records.len(), refused.left_out), (0, 1));
}

/// A case is active for the receiver while a referral to it is under way. What went elsewhere, or never left, is
/// no business of its own, and what became of it closes no case.
#[test]
fn a_case_is_active_while_a_referral_to_the_receiver_is_under_way() {
    use ReferralState::{Accepted, Declined, Done, Overdue, Rejected, Revoked, Sent};
    let status = |service: &str, moves: &[ReferralState]| {
        let mut phone = Phone::new(1);
        let mut facts = Who::woman().facts(1);
        facts.push(offer(1, service));
        facts.extend(moves.iter().map(|to| sent(1, *to)));
        let share = given(Purpose::ShareService, &[Scope::Outcome], ConsentBy::Person);
        let entries = [phone.entry_of(KEY, 1, NOON, &facts), phone.entry_of(KEY, 1, NOON, &[share])];
        let mut office = office(&[KEY]);
        Feed::with(KEY, &entries).pull(&mut office.desk, 50);
        let plain = exported(&office, Identity::LeftOut);
        let referred = plain.losses.iter().find(|l| l.ours.starts_with("referral:")).unwrap().times;
        assert_eq!(referred, u64::from(service == "refuge"));
        let csv = plain.write(Format::Csv).unwrap();
        assert!(!csv.contains("Closed") && !csv.contains("AdditionalServicesRequired"));
        plain.records[0].case_status.clone()
    };
    for moves in [&[Sent][..], &[Sent, Overdue], &[Sent, Accepted]] {
        assert_eq!((status("refuge", moves), status("line", moves)), ("Active".into(), String::new()));
    }
    let over: [&[ReferralState]; 6] =
        [&[], &[Declined], &[Revoked], &[Sent, Revoked], &[Sent, Rejected], &[Sent, Accepted, Done]];
    for moves in over {
        assert_eq!(status("refuge", moves), "", "{moves:?}");
    }
}

/// The last name that a phone wrote is the one; where phones differ, none is.
#[test]
fn a_corrected_name_is_the_one_that_goes() {
    let mut phones = [Phone::new(1), Phone::new(2)];
    let named = |field, value: &str| Body::IdentityGiven { field, value: value.into() };
    let (call, document) = (IdentityField::Name, IdentityField::Document);
    let facts = Who::woman().facts(1);
    let consents = [
        given(Purpose::ShareService, &[Scope::Needs], ConsentBy::Person),
        given(Purpose::ShareIdentity, &[Scope::Identity], ConsentBy::Person),
    ];
    let said = [named(call, "Ana"), named(document, "X-1"), named(call, "Aña"), named(document, "X-2")];
    let mut entries: Vec<Vec<u8>> =
        [&facts[..], &consents, &said].map(|bodies| phones[0].entry_of(KEY, 1, NOON, bodies)).into();
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    let shown = |office: &Office| {
        let record = exported(office, Identity::WhereConsented).records.remove(0);
        (record.first_name, record.identity_number)
    };
    assert_eq!(shown(&office), ("Aña".into(), "X-2".into()));
    entries.push(phones[1].entry_of(KEY, 1, NOON, &[named(call, "Aña"), named(document, "X-9")]));
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    assert_eq!(shown(&office), ("Aña".into(), String::new()));
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
