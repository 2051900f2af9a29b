//! I34 and I35 against an oracle, and the conflict cases one by one. All persons here are synthetic.

use std::collections::{BTreeMap, BTreeSet};

use amparo_schema::answer::{Answer, Mode, Value};
use amparo_schema::fact::{
    Body, Compartment, Consent, ConsentBy, ContactCopy, Doubt, Fact, Packs, ReferralState, Scope, Stamp,
};
use amparo_schema::id::{CaseId, DeviceId, Hash, ReferralId, ScreeningId};
use amparo_schema::name::Name;
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::PackRef;
use amparo_schema::pack::policy::Purpose;
use amparo_schema::pack::protocol::ExceptionKind;
use amparo_schema::person::{Country, Place, Setting};
use amparo_schema::text::{Lang, Source, Text};
use amparo_seal::to_bytes;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

mod identity;
mod lapsed;

const CASE: CaseId = CaseId([0xca; 16]);
const DAY: i64 = 86_400_000;
/// 2026-03-10, noon, UTC.
const NOON: i64 = 1_773_144_000_000;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn consent(purpose: Purpose, receiver: Option<&str>, scope: &[Scope]) -> Body {
    Body::ConsentGiven(Consent {
        purpose,
        receiver: receiver.map(name),
        scope: scope.iter().copied().collect(),
        wording: 1,
        lang: Lang::new("es").unwrap(),
        expires_ms: None,
        by: ConsentBy::Person,
    })
}

fn refusal(purpose: Purpose, receiver: Option<&str>) -> Body {
    let lang = Lang::new("es").unwrap();
    Body::ConsentRefused { purpose, wording: 1, lang, receiver: receiver.map(name) }
}

fn answer(item: &str, value: Value) -> Body {
    Body::Answered { item: name(item), answer: Answer::Known(value), mode: Mode::Ask }
}

fn opened(screening: ScreeningId, area: &str) -> Body {
    let pack = || PackRef { id: name("pack"), version: 1, hash: Hash([0; 32]) };
    let (checklist, policy, protocol, directory) = (pack(), pack(), pack(), pack());
    let country = Country::new("CL").unwrap();
    Body::ScreeningOpened {
        case: CASE,
        screening,
        packs: Packs { checklist, policy, protocol, directory, calendar: None },
        place: Place { country, post: None, area: Some(area.into()), setting: Setting::Border },
        lang: Lang::new("es").unwrap(),
    }
}

fn offered(referral: u8, service: &str) -> Body {
    let contact = ContactCopy {
        service: name(service),
        directory: PackRef { id: name("pack"), version: 1, hash: Hash([0; 32]) },
        name: Text::default(),
        channel: None,
        display: None,
        dial: None,
        verified_on: None,
        printed_in: None,
    };
    Body::ReferralOffered { referral: ReferralId([referral; 16]), contact }
}

fn moved(referral: u8, to: ReferralState) -> Body {
    Body::ReferralMoved { referral: ReferralId([referral; 16]), to, reason: None }
}

fn recorded(outcomes: &[Outcome]) -> Body {
    Body::OutcomeRecorded { outcomes: outcomes.to_vec(), assessment: Hash([0; 32]) }
}

fn stamp(wall_ms: i64, doubt: Option<Doubt>) -> Stamp {
    Stamp { wall_ms, offset_minutes: -180, steady_ms: 0, doubt }
}

/// A row of device `device`, incarnation 1, screening 1.
fn row(device: u8, counter: u64, body: Body) -> Row {
    let compartment = body.compartment();
    let fact = Fact { at: stamp(NOON + i64::try_from(counter).unwrap(), None), body };
    Row {
        device: DeviceId([device; 16]),
        counter,
        body: to_bytes(&fact).unwrap(),
        screening: Some(ScreeningId([1; 16])),
        compartment,
        incarnation: 1,
        agency: name("frontier"),
        received_ms: NOON + 30 * DAY,
        hidden: false,
    }
}

fn newer(device: u8, counter: u64, compartment: Compartment) -> Row {
    // A fact of kind 99 that no build knows yet.
    let body = vec![0xa2, 0x00, 0xa4, 0, 0, 1, 0, 2, 0, 3, 0xf6, 0x01, 0x82, 0x18, 99, 0xa0];
    Row { body, compartment, ..row(device, counter, Body::IncarnationBegun { incarnation: 1 }) }
}

fn see(rows: &[Row]) -> CaseView {
    at(rows, NOON, &BTreeSet::new())
}

fn at(rows: &[Row], now_ms: i64, services: &BTreeSet<Name>) -> CaseView {
    super::case(CASE, rows, &[], &Reading { services, now_ms })
}

fn bodies() -> impl Strategy<Value = Body> {
    let purpose = || prop_oneof![Just(Purpose::Statistics), Just(Purpose::ShareService)];
    let receiver = || prop_oneof![Just(None), Just(Some("refuge")), Just(Some("line"))];
    let scope = proptest::collection::btree_set(
        prop_oneof![Just(Scope::Needs), Just(Scope::Outcome), Just(Scope::Indicators)],
        0..3,
    );
    let state = prop_oneof![
        Just(ReferralState::Sent),
        Just(ReferralState::Accepted),
        Just(ReferralState::Rejected),
        Just(ReferralState::Revoked),
    ];
    prop_oneof![
        4 => (purpose(), receiver(), scope)
            .prop_map(|(p, r, s)| consent(p, r, &s.into_iter().collect::<Vec<_>>())),
        3 => (purpose(), receiver()).prop_map(|(p, r)| refusal(p, r)),
        3 => (0_u64..12).prop_map(|consent| Body::ConsentWithdrawn { consent }),
        3 => proptest::collection::vec(0..7_usize, 1..3)
            .prop_map(|o| recorded(&o.into_iter().map(|i| Outcome::ALL[i]).collect::<Vec<_>>())),
        2 => (0..3_u8, any::<bool>()).prop_map(|(item, yes)| {
            answer(["a", "b", "person-foreign"][usize::from(item)], if yes { Value::Yes } else { Value::No })
        }),
        1 => (1..3_u8).prop_map(|r| offered(r, if r == 1 { "refuge" } else { "line" })),
        1 => (1..3_u8, state).prop_map(|(r, to)| moved(r, to)),
    ]
}

prop_compose! {
    fn rows_of()(
        body in bodies(),
        device in 1_u8..3,
        counter in 0_u64..12,
        screening in 1_u8..3,
        incarnation in 1_u64..3,
        received in 0_i64..3,
        marks in (0..12_u8, 0..12_u8),
    ) -> Row {
        let mut out = row(device, counter, body);
        if marks.0 == 0 {
            out = newer(device, counter, out.compartment);
        }
        let (hidden, received_ms) = (marks.1 == 0, NOON + received * DAY);
        Row { screening: Some(ScreeningId([screening; 16])), incarnation, received_ms, hidden, ..out }
    }
}

fn decoded(row: &Row) -> Option<Body> {
    minicbor::decode::<Fact>(&row.body).ok().map(|fact| fact.body)
}

/// Copies of one fact, under several incarnations, are one fact.
fn same(a: &Row, b: &Row) -> bool {
    (a.device, a.counter, &a.body, a.screening) == (b.device, b.counter, &b.body, b.screening)
}

fn is_hidden(rows: &[Row], row: &Row) -> bool {
    rows.iter().any(|r| r.hidden && same(r, row))
}

/// Whether some copy of `late` stands after some copy of `early` in one chain.
fn follows(rows: &[Row], late: &Row, early: &Row) -> bool {
    rows.iter().filter(|l| same(l, late)).any(|l| {
        rows.iter()
            .filter(|e| same(e, early))
            .any(|e| l.device == e.device && l.incarnation == e.incarnation && l.counter > e.counter)
    })
}

/// Purposes and receivers that may be used, with their scope, worked out the slow way: for every consent on
/// its own, look for a no that it does not follow.
fn oracle_access(rows: &[Row]) -> BTreeMap<(Purpose, Option<String>), BTreeSet<Scope>> {
    let mut out = BTreeMap::new();
    if rows.iter().any(|r| decoded(r).is_none() && r.compartment == Compartment::Consent) {
        return out;
    }
    // Nor while a withdrawal names a consent that nobody has: it may be any.
    let waits = |r: &Row| match decoded(r) {
        Some(Body::ConsentWithdrawn { consent }) => !rows.iter().any(|g| {
            let named = g.device == r.device && g.counter == consent;
            named && matches!(decoded(g), Some(Body::ConsentGiven(_)))
        }),
        _ => false,
    };
    if rows.iter().any(waits) {
        return out;
    }
    for purpose in [Purpose::Statistics, Purpose::ShareService] {
        for receiver in [None, Some("refuge"), Some("line")] {
            if let Some(scope) = oracle_scope(rows, purpose, receiver) {
                out.insert((purpose, receiver.map(str::to_owned)), scope);
            }
        }
    }
    out
}

fn oracle_scope(rows: &[Row], purpose: Purpose, receiver: Option<&str>) -> Option<BTreeSet<Scope>> {
    let to = |c: &Consent| c.receiver.as_ref().map(|r| r.as_str().to_owned());
    let yes: Vec<(&Row, Consent)> = rows
        .iter()
        .filter(|r| !is_hidden(rows, r))
        .filter_map(|r| match decoded(r) {
            Some(Body::ConsentGiven(c)) if c.purpose == purpose && to(&c).as_deref() == receiver => {
                Some((r, c))
            }
            _ => None,
        })
        .collect();
    let no = |r: &Row| match decoded(r) {
        Some(Body::ConsentRefused { purpose: p, receiver: to, .. }) => {
            p == purpose && to.is_none_or(|n| Some(n.as_str()) == receiver)
        }
        Some(Body::ConsentWithdrawn { consent }) => rows.iter().any(|g| {
            let meant = g.device == r.device && g.counter == consent;
            meant
                && matches!(decoded(g), Some(Body::ConsentGiven(c))
                    if c.purpose == purpose && to(&c).is_none_or(|n| Some(n.as_str()) == receiver))
        }),
        _ => false,
    };
    if rows.iter().filter(|r| no(r)).any(|n| !yes.iter().any(|(y, _)| follows(rows, y, n))) {
        return None;
    }
    // The last words: in none of its chains does another consent to the same come later.
    let later_in = |copy: &Row| {
        yes.iter().any(|(z, _)| {
            rows.iter().filter(|r| same(r, z)).any(|r| {
                r.device == copy.device && r.incarnation == copy.incarnation && r.counter > copy.counter
            })
        })
    };
    let last = yes.iter().filter(|(y, _)| !rows.iter().filter(|r| same(r, y)).any(later_in));
    last.map(|(_, c)| c.scope.clone()).reduce(|a, b| a.intersection(&b).copied().collect())
}

fn access(view: &CaseView) -> BTreeMap<(Purpose, Option<String>), BTreeSet<Scope>> {
    let usable = view.consents.all.iter().filter(|c| c.standing == Standing::Given);
    usable
        .map(|c| ((c.purpose, c.receiver.as_ref().map(|r| r.as_str().to_owned())), c.scope.clone()))
        .collect()
}

fn oracle_outcomes(rows: &[Row]) -> BTreeSet<Outcome> {
    let mut noted = BTreeSet::new();
    for row in rows.iter().filter(|r| !is_hidden(rows, r)) {
        if let Some(Body::OutcomeRecorded { outcomes, .. }) = decoded(row) {
            noted.extend(outcomes);
        }
    }
    let real: BTreeSet<Outcome> = noted.iter().copied().filter(|o| *o != Outcome::NoneNotedToday).collect();
    if real.is_empty() { noted } else { real }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// I34: the order of coming, and coming twice, change nothing; and the view is the oracle's.
    #[test]
    fn i34_any_order_of_arrival_gives_the_same_view(
        (rows, shuffled) in proptest::collection::vec(rows_of(), 1..14)
            .prop_flat_map(|rows| {
                let twice: Vec<Row> = rows.iter().chain(&rows).cloned().collect();
                (Just(rows), Just(twice).prop_shuffle())
            }),
    ) {
        let view = see(&rows);
        prop_assert_eq!(&view, &see(&shuffled));
        prop_assert_eq!(serde_json::to_string(&view).unwrap(), serde_json::to_string(&see(&shuffled)).unwrap());
        prop_assert_eq!(access(&view), oracle_access(&rows));
        prop_assert_eq!(&view.outcomes, &oracle_outcomes(&rows));
    }

    /// I35: one more fact never widens access and never lowers risk, unless it is a consent; and a consent
    /// never lifts a no that it does not follow in its own chain.
    #[test]
    fn i35_consent_and_risk_move_one_way(
        rows in proptest::collection::vec(rows_of(), 0..14),
        more in rows_of(),
    ) {
        let shown: Vec<Row> = rows.iter().map(|r| Row { hidden: false, ..r.clone() }).collect();
        let more = Row { hidden: false, ..more };
        let with: Vec<Row> = shown.iter().cloned().chain([more.clone()]).collect();
        let (before, after) = (see(&shown), see(&with));
        let old: BTreeSet<Outcome> =
            before.outcomes.iter().copied().filter(|o| *o != Outcome::NoneNotedToday).collect();
        prop_assert!(after.outcomes.is_superset(&old), "risk fell");
        if let (Some(a), Some(b)) = (before.outcomes.first(), after.outcomes.first()) {
            prop_assert!(b <= a, "the most urgent class fell");
        }
        let (had, has) = (access(&before), access(&after));
        let consented = matches!(decoded(&more), Some(Body::ConsentGiven(_)));
        // A copy of a fact that was here, sealed by another incarnation, says which chain it belongs to.
        let copy = shown.iter().any(|r| same(r, &more));
        if !consented && !copy {
            for (key, scope) in &has {
                prop_assert!(had.get(key).is_some_and(|old| scope.is_subset(old)), "{key:?} widened");
            }
        }
        if consented && !copy {
            for no in before.consents.all.iter().filter(|c| matches!(c.standing, Standing::Refused | Standing::Withdrawn)) {
                let follows = no.authors.iter().all(|a| a.device == more.device && a.counter < more.counter);
                let key = (no.purpose, no.receiver.as_ref().map(|r| r.as_str().to_owned()));
                prop_assert!(follows || !has.contains_key(&key), "{key:?} was lifted from elsewhere");
            }
        }
    }
}

#[test]
fn a_withdrawal_on_another_device_stands_until_someone_who_knew_of_it_asks_again() {
    let given = |device, counter| row(device, counter, consent(Purpose::Statistics, None, &[]));
    let no = row(2, 5, refusal(Purpose::Statistics, None));
    let allowed = |rows: &[Row]| see(rows).consents.allows(Purpose::Statistics, None, NOON);
    assert!(allowed(&[given(1, 3)]));
    assert!(!allowed(&[given(1, 3), no.clone()]));
    assert!(!allowed(&[given(1, 9), no.clone()]), "a later counter on another device proves nothing");
    assert!(!allowed(&[given(2, 4), no.clone()]), "it came before");
    assert!(allowed(&[given(2, 6), no.clone()]));
    let set_back = Row { incarnation: 2, ..given(2, 6) };
    assert!(!allowed(&[set_back, no.clone()]), "another incarnation may not have known");
    assert!(!allowed(&[given(1, 3), newer(1, 4, Compartment::Consent)]), "something newer about consent");
    assert!(!allowed(&[Row { hidden: true, ..given(1, 3) }]));
    assert!(!allowed(&[given(1, 3), Row { hidden: true, ..no }]), "a hidden no is still a no");
}

#[test]
fn a_withdrawal_that_comes_first_waits_for_its_consent() {
    let withdrawn = row(1, 7, Body::ConsentWithdrawn { consent: 3 });
    let alone = see(std::slice::from_ref(&withdrawn));
    assert_eq!((alone.consents.pending, alone.consents.all.len()), (1, 0));
    let both = see(&[withdrawn, row(1, 3, consent(Purpose::Statistics, None, &[]))]);
    assert_eq!((both.consents.pending, both.consents.all[0].standing), (0, Standing::Withdrawn));
}

#[test]
fn contradictions_are_shown_side_by_side_and_the_higher_risk_wins() {
    let second = |r: Row| Row { screening: Some(ScreeningId([2; 16])), agency: name("labour"), ..r };
    let rows = [
        row(1, 1, opened(ScreeningId([1; 16]), "CL-AP")),
        row(1, 2, answer("person-foreign", Value::Yes)),
        row(1, 3, recorded(&[Outcome::NoneNotedToday])),
        second(row(2, 1, opened(ScreeningId([2; 16]), "CL-TA"))),
        second(row(2, 2, answer("person-foreign", Value::No))),
        second(row(2, 3, recorded(&[Outcome::Presumed]))),
    ];
    let view = see(&rows);
    assert_eq!(view.outcomes, [Outcome::Presumed].into());
    assert_eq!(view.screenings.len(), 2, "both stand");
    let [Contradiction::Item { item, sides }, Contradiction::Outcomes { sides: classes }] =
        &view.contradictions[..]
    else {
        panic!("{:?}", view.contradictions)
    };
    assert_eq!(item.as_str(), "person-foreign");
    let shown: Vec<_> = sides
        .iter()
        .map(|s| {
            (s.author.agency.as_str(), s.place.as_ref().unwrap().area.as_deref().unwrap(), s.when.quality)
        })
        .collect();
    let clear = TimeQuality::Clear;
    assert_eq!(shown, [("frontier", "CL-AP", clear), ("labour", "CL-TA", clear)]);
    assert_eq!(classes.len(), 2);
}

#[test]
fn a_changed_answer_of_one_chain_is_no_contradiction() {
    let rows = [row(1, 2, answer("a", Value::Yes)), row(1, 3, answer("a", Value::No))];
    let view = see(&rows);
    assert!(view.contradictions.is_empty());
    assert_eq!(view.screenings[0].answers[&name("a")][0].said, Answer::Known(Value::No));
    // A copy of the phone that went on by itself is another chain.
    let copied = [rows[0].clone(), Row { incarnation: 2, ..rows[1].clone() }];
    assert_eq!(see(&copied).contradictions.len(), 1);
}

#[test]
fn both_acceptances_of_two_services_are_shown() {
    let one = [row(1, 1, offered(1, "refuge")), row(1, 2, moved(1, ReferralState::Accepted))];
    assert!(see(&one).accepted_twice.is_empty());
    let more = [row(2, 1, offered(2, "line")), row(2, 2, moved(2, ReferralState::Accepted))];
    let both: Vec<Row> = one.iter().chain(&more).cloned().collect();
    let expected: BTreeSet<ReferralId> = [ReferralId([1; 16]), ReferralId([2; 16])].into();
    assert_eq!(see(&both).accepted_twice, expected);
    let same_service = [one.to_vec(), vec![row(2, 1, offered(2, "refuge")), more[1].clone()]].concat();
    assert!(see(&same_service).accepted_twice.is_empty());
    let taken_back = [one.to_vec(), vec![row(2, 9, moved(1, ReferralState::Revoked))]].concat();
    assert_eq!(see(&taken_back).referrals[0].state, ReferralState::Revoked, "the person's no comes first");
}

#[test]
fn a_doubted_day_is_bounded_by_its_neighbours_and_by_its_arrival() {
    let at = |counter: u64, wall_ms: i64, doubt: Option<Doubt>| {
        let body = if counter == 5 { opened(ScreeningId([1; 16]), "CL-AP") } else { answer("a", Value::Yes) };
        let fact = Fact { at: stamp(wall_ms, doubt), body };
        Row { body: to_bytes(&fact).unwrap(), ..row(1, counter, answer("a", Value::Yes)) }
    };
    let when = |rows: &[Row]| see(rows).screenings[0].opened[0].when;
    let wrong = at(5, 0, Some(Doubt::Backwards));
    let alone = when(std::slice::from_ref(&wrong));
    assert_eq!(
        (alone.from, alone.to),
        (None, Some(date(2026, 4, 10))),
        "arrived on the 9th, or the 10th there"
    );
    let between = when(&[wrong, at(3, NOON - DAY, None), at(8, NOON, None)]);
    assert_eq!((between.from, between.to), (Some(date(2026, 3, 9)), Some(date(2026, 3, 10))));
    let ahead = when(&[at(5, NOON + 400 * DAY, None)]);
    assert_eq!((ahead.quality, ahead.day()), (TimeQuality::Ahead, None));
    // 01:00 UTC is still the evening before in the phone's zone.
    assert_eq!(when(&[at(5, NOON - 11 * 3_600_000, None)]).day(), Some(date(2026, 3, 9)));
    assert_eq!(when(&[at(5, i64::MIN, None)]).from, None, "no calendar holds it");
}

#[test]
fn copies_of_one_fact_are_one_and_the_most_careful_reading_holds() {
    let fact = row(1, 1, recorded(&[Outcome::Presumed]));
    let late = Row { received_ms: fact.received_ms + DAY, incarnation: 2, ..fact.clone() };
    let withdrawn = Row { hidden: true, ..late.clone() };
    for rows in [[fact.clone(), withdrawn.clone()], [withdrawn, fact.clone()]] {
        let view = see(&rows);
        assert_eq!((view.hidden, view.outcomes.len()), (1, 0));
    }
    // A clock that was ahead at the first arrival stays doubted, whichever copy is read first.
    let body =
        to_bytes(&Fact { at: stamp(fact.received_ms + 36 * 3_600_000, None), body: recorded(&[]) }).unwrap();
    let [early, late] = [&fact, &late].map(|r| Row { body: body.clone(), ..r.clone() });
    for rows in [[early.clone(), late.clone()], [late, early]] {
        assert_eq!(see(&rows).screenings[0].recorded[0].when.quality, TimeQuality::Ahead);
    }
}

#[test]
fn a_copy_of_what_was_erased_is_hidden_with_it() {
    let fact = row(1, 1, recorded(&[Outcome::Presumed]));
    let erased = Row { body: vec![], hidden: true, incarnation: 2, ..fact.clone() };
    for rows in [[fact.clone(), erased.clone()], [erased, fact]] {
        let view = see(&rows);
        assert_eq!((view.hidden, view.newer, view.outcomes.len()), (1, 0, 0));
    }
}

#[test]
fn none_noted_says_nothing_beside_what_was_noted() {
    let rows = [row(1, 1, recorded(&[Outcome::Presumed])), row(1, 2, recorded(&[Outcome::NoneNotedToday]))];
    let view = see(&rows);
    assert_eq!(view.screenings[0].outcomes, [Outcome::Presumed].into());
    assert_eq!(
        view.screenings[0].recorded[0].said,
        [Outcome::NoneNotedToday].into(),
        "the last is still shown"
    );
}

/// For proptest's reports; synthetic facts only.
impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = decoded(self).map(|body| serde_json::to_string(&body).unwrap());
        let (device, screening) = (self.device.0[0], self.screening.map(|s| s.0[0]));
        write!(
            f,
            "{device}/{}#{} s{screening:?} hidden:{} {:?}",
            self.incarnation, self.counter, self.hidden, said
        )
    }
}
