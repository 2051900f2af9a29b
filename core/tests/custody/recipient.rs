//! Who may be given a key, against a table that is written out here, over every combination of what decides.

use std::collections::BTreeSet;

use amparo_core::recipient::{About, Known, Readers, key_on, lapses, readers};
use amparo_core::schema::answer::{Mode, Value};
use amparo_core::schema::fact::{
    Body, Compartment, ConsentBy, Doubt, Fact, ReferralState as R, Scope, Stamp,
};
use amparo_core::schema::id::{Hash, ReferralId};
use amparo_core::schema::pack::policy::Purpose;
use amparo_core::schema::pack::recipients::{Recipient, RecipientKey, RecipientRole, Recipients};
use amparo_core::schema::text::{Review, Text};
use amparo_core::screening::Screening;
use amparo_core::seal::PublicKey;
use jiff::civil::{Date, date};

use crate::common::{CASE, REFERRAL, adult, answer, consent, go, lang, name, offer, opening, stamp, waive};

/// The last fact of a screening stands well before this, and consents that lapse do so in between.
const LAPSE_MS: i64 = 500_000;
pub(crate) const NOW_MS: i64 = 1_000_000;
const TODAY: Date = date(2026, 12, 1);

// ---- the table ------------------------------------------------------------------------------------------

/// For each role and compartment: what must hold, as words that [`holds`] looks up in what the generator put
/// into the facts. An empty list holds always; a line that is not here gives nothing.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("custodian", "audit", &[]),
    ("custodian", "case", &[]),
    ("custodian", "consent", &[]),
    ("custodian", "identity", &["kept", "identity consent in force with anyone"]),
    ("agency", "case", &["kept", "referral under way", "full consent in force"]),
    ("agency", "consent", &["kept", "referral under way", "full consent in force"]),
    (
        "agency",
        "identity",
        &["kept", "referral under way", "full consent in force", "identity consent in force with it"],
    ),
    ("oversight", "audit", &[]),
];

const REFERRALS: [(&str, &[R], bool); 9] = [
    ("none", &[], false),
    ("offered", &[], false),
    ("declined", &[R::Declined], false),
    ("sent", &[R::Sent], true),
    ("accepted", &[R::Sent, R::Accepted], true),
    ("rejected", &[R::Sent, R::Rejected], false),
    ("done", &[R::Sent, R::Accepted, R::Done], true),
    ("revoked", &[R::Sent, R::Revoked], false),
    ("overdue", &[R::Sent, R::Overdue], true),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Share {
    NotAsked,
    Full,
    WithoutOutcome,
    WithoutNeeds,
    WithoutIndicators,
    Lapses,
    Refused,
    RefusedToAll,
    Withdrawn,
    WithdrawnThenAgain,
    AllWithdrawn,
    WithAnother,
    AgainAndLess,
    WaivedAlone,
}

const SHARES: [Share; 14] = [
    Share::NotAsked,
    Share::Full,
    Share::WithoutOutcome,
    Share::WithoutNeeds,
    Share::WithoutIndicators,
    Share::Lapses,
    Share::Refused,
    Share::RefusedToAll,
    Share::Withdrawn,
    Share::WithdrawnThenAgain,
    Share::AllWithdrawn,
    Share::WithAnother,
    Share::AgainAndLess,
    Share::WaivedAlone,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Name {
    NotAsked,
    WithIt,
    WithAnother,
    Lapses,
    Refused,
}

const NAMES: [Name; 5] = [Name::NotAsked, Name::WithIt, Name::WithAnother, Name::Lapses, Name::Refused];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Store {
    Given,
    Refused,
    NotAskedNothingAsked,
    NotAskedButTalked,
    Lapses,
    RefusedAndWaived,
    Erased,
}

const STORES: [Store; 7] = [
    Store::Given,
    Store::Refused,
    Store::NotAskedNothingAsked,
    Store::NotAskedButTalked,
    Store::Lapses,
    Store::RefusedAndWaived,
    Store::Erased,
];

#[derive(Clone, Copy, Debug)]
struct World {
    referral: usize,
    share: Share,
    name: Name,
    store: Store,
    /// Whether the person is an adult, and who consents.
    who: (bool, ConsentBy),
    doubt: bool,
}

/// What the generator knows, because it put it there.
fn holds(world: &World, what: &str) -> bool {
    // A clock in doubt stands at the last fact, before anything lapses.
    let lapsed = !world.doubt;
    let (adult, by) = world.who;
    let counts = adult || by != ConsentBy::Person;
    match what {
        "kept" => match world.store {
            Store::Given | Store::NotAskedNothingAsked | Store::RefusedAndWaived => true,
            Store::Refused | Store::NotAskedButTalked | Store::Erased => false,
            Store::Lapses => !lapsed,
        },
        "referral under way" => REFERRALS[world.referral].2,
        "full consent in force" => {
            counts
                && match world.share {
                    Share::Full | Share::WithdrawnThenAgain => true,
                    Share::Lapses => !lapsed,
                    _ => false,
                }
        }
        "identity consent in force with it" => {
            // Where everything is withdrawn at the end, so is this.
            counts && (world.name == Name::WithIt || world.name == Name::Lapses && !lapsed)
        }
        "identity consent in force with anyone" => match world.name {
            _ if world.share == Share::AllWithdrawn => false,
            Name::WithIt | Name::WithAnother => true,
            Name::Lapses => !lapsed,
            Name::NotAsked | Name::Refused => false,
        },
        _ => panic!("{what}"),
    }
}

fn expected(role: &str, compartment: &str, world: &World) -> bool {
    TABLE
        .iter()
        .find(|(r, c, _)| (*r, *c) == (role, compartment))
        .is_some_and(|(_, _, all)| all.iter().all(|what| holds(world, what)))
}

// ---- facts ----------------------------------------------------------------------------------------------

pub(crate) const FULL: [Scope; 3] = [Scope::Needs, Scope::Outcome, Scope::Indicators];

pub(crate) fn given(
    purpose: Purpose,
    service: Option<&str>,
    scope: &[Scope],
    by: ConsentBy,
    lapses: bool,
) -> Body {
    let mut consent = consent(purpose, service, scope);
    consent.by = by;
    consent.expires_ms = lapses.then_some(LAPSE_MS);
    Body::ConsentGiven(consent)
}

pub(crate) fn refused(purpose: Purpose, receiver: Option<&str>) -> Body {
    Body::ConsentRefused { purpose, wording: 1, lang: lang("es"), receiver: receiver.map(name) }
}

pub(crate) fn withdrawn(consent: usize) -> Body {
    Body::ConsentWithdrawn { consent: u64::try_from(consent).unwrap() }
}

/// Facts with counters from 1; the last act on sharing stands last.
fn facts(world: &World) -> Vec<Body> {
    let (is_adult, by) = world.who;
    let mut bodies = vec![opening()];
    if is_adult {
        bodies.push(adult());
    }
    match world.store {
        Store::Given => bodies.push(given(Purpose::Store, None, &[], by, false)),
        Store::Refused => bodies.push(refused(Purpose::Store, None)),
        Store::NotAskedNothingAsked | Store::Erased => {}
        Store::NotAskedButTalked => bodies.push(answer("q1", Mode::Ask, Value::Yes)),
        Store::Lapses => bodies.push(given(Purpose::Store, None, &[], by, true)),
        Store::RefusedAndWaived => bodies.extend([refused(Purpose::Store, None), waive(Purpose::Store)]),
    }
    let (state, moves, _) = REFERRALS[world.referral];
    if state != "none" {
        bodies.push(offer(REFERRAL, "mine"));
    }
    bodies.extend(moves.iter().map(|to| go(REFERRAL, *to)));
    // Another service has everything, and must not matter.
    bodies.extend([offer(ReferralId([2; 16]), "other"), go(ReferralId([2; 16]), R::Sent)]);
    match world.name {
        Name::NotAsked => {}
        Name::WithIt => {
            bodies.push(given(Purpose::ShareIdentity, Some("mine"), &[Scope::Identity], by, false));
        }
        Name::WithAnother => {
            bodies.push(given(Purpose::ShareIdentity, Some("other"), &[Scope::Identity], by, false));
        }
        Name::Lapses => {
            bodies.push(given(Purpose::ShareIdentity, Some("mine"), &[Scope::Identity], by, true))
        }
        Name::Refused => bodies.push(refused(Purpose::ShareIdentity, Some("mine"))),
    }
    let share = |scope: &[Scope]| given(Purpose::ShareService, Some("mine"), scope, by, false);
    match world.share {
        Share::NotAsked => {}
        Share::Full => bodies.push(share(&FULL)),
        Share::WithoutOutcome => bodies.push(share(&[Scope::Needs, Scope::Indicators])),
        Share::WithoutNeeds => bodies.push(share(&[Scope::Outcome, Scope::Indicators])),
        Share::WithoutIndicators => bodies.push(share(&[Scope::Needs, Scope::Outcome])),
        Share::Lapses => bodies.push(given(Purpose::ShareService, Some("mine"), &FULL, by, true)),
        Share::Refused => bodies.extend([share(&FULL), refused(Purpose::ShareService, Some("mine"))]),
        Share::RefusedToAll => bodies.extend([share(&FULL), refused(Purpose::ShareService, None)]),
        Share::Withdrawn => {
            bodies.push(share(&FULL));
            bodies.push(withdrawn(bodies.len()));
        }
        Share::WithdrawnThenAgain => {
            bodies.push(share(&FULL));
            bodies.extend([withdrawn(bodies.len()), share(&FULL)]);
        }
        // A withdrawal of a consent that is not there takes everything back; storing stands apart here.
        Share::AllWithdrawn => {
            bodies.extend([share(&FULL), withdrawn(9_999)]);
            if matches!(world.store, Store::Given | Store::Lapses) {
                bodies.push(given(Purpose::Store, None, &[], by, world.store == Store::Lapses));
            }
            if world.store == Store::NotAskedNothingAsked {
                bodies.push(given(Purpose::Store, None, &[], by, false));
            }
        }
        Share::WithAnother => bodies.push(given(Purpose::ShareService, Some("other"), &FULL, by, false)),
        Share::AgainAndLess => bodies.extend([share(&FULL), share(&[Scope::Needs])]),
        Share::WaivedAlone => bodies.extend([waive(Purpose::ShareService), waive(Purpose::ShareIdentity)]),
    }
    bodies
}

fn fold(bodies: Vec<Body>) -> Screening {
    let at = |counter: u64| stamp(1_000 + i64::try_from(counter).unwrap());
    Screening::from_facts((1..).zip(bodies).map(|(counter, body)| (counter, Fact { at: at(counter), body })))
        .unwrap()
}

// ---- recipients -----------------------------------------------------------------------------------------

fn key(n: u8, from: Date, until: Date) -> RecipientKey {
    RecipientKey { public_key: Hash([n; 32]), from, until }
}

fn recipient(id: &str, role: RecipientRole, services: &[&str], keys: Vec<RecipientKey>) -> Recipient {
    Recipient {
        id: name(id),
        name: Text([(lang("es"), "sintético".to_owned())].into()),
        role,
        services: services.iter().map(|s| name(s)).collect(),
        keys,
        signing_keys: vec![],
        sources: vec![],
    }
}

const POLICY: [u8; 32] = [1; 32];

pub(crate) fn pack() -> Recipients {
    let (from, until) = (date(2026, 1, 1), date(2027, 1, 1));
    Recipients {
        recipients: vec![
            recipient("custodian", RecipientRole::Custodian, &[], vec![key(2, from, until)]),
            recipient("agency", RecipientRole::Agency, &["spare", "mine"], vec![key(3, from, until)]),
            recipient("oversight", RecipientRole::Oversight, &[], vec![key(4, from, until)]),
        ],
        review: Review::Unverified,
    }
}

const RECIPIENTS: [(&str, u8); 4] = [("custodian", 1), ("custodian", 2), ("agency", 3), ("oversight", 4)];

pub(crate) const COMPARTMENTS: [(&str, Compartment); 4] = [
    ("identity", Compartment::Identity),
    ("case", Compartment::Case),
    ("consent", Compartment::Consent),
    ("audit", Compartment::Audit),
];

pub(crate) fn known(pack: Option<&Recipients>, doubt: bool) -> Known<'_> {
    let at = Stamp { doubt: doubt.then_some(Doubt::Jumped), ..stamp(NOW_MS) };
    Known { custodian: PublicKey::new(POLICY), recipients: pack, at, today: TODAY }
}

fn public(n: u8) -> PublicKey {
    PublicKey::new([n; 32])
}

#[test]
fn keys_go_to_whom_the_table_gives_them() {
    let pack = pack();
    let (mut asked, mut given) = (0_u32, 0_u32);
    for world in worlds() {
        let screening = fold(facts(&world));
        let about = if world.store == Store::Erased { About::Erased } else { About::Screening(&screening) };
        for (compartment_word, compartment) in COMPARTMENTS {
            let got = readers(compartment, about, &known(Some(&pack), world.doubt));
            for (role, n) in RECIPIENTS {
                let wanted = expected(role, compartment_word, &world);
                let at = format!("{role} {n}, {compartment_word}, {world:?}");
                assert_eq!(got.grant.get(&public(n).id()), wanted.then_some(&public(n)), "{at}");
                assert_eq!(got.keep.contains(&public(n).id()), wanted, "{at}");
                asked += 1;
                given += u32::from(wanted);
            }
            assert_eq!(got.grant.len(), got.keep.len());
            let alone = readers(compartment, about, &known(None, world.doubt));
            let custodian = got.grant.into_iter().filter(|(_, key)| *key == public(1)).collect();
            assert_eq!(alone.grant, custodian, "without a pack there is the custodian alone");
        }
    }
    println!("{asked} decisions, {given} of them to give a key");
    assert!(given > 1_000 && asked > 2 * given);
}

/// What is said in advance about when a reader ends being one is what the decision says at that very time: of all
/// worlds some lapse, all of them at the one term that there is.
#[test]
fn it_is_known_in_advance_when_a_reader_ends_being_one() {
    let pack = pack();
    let ids = |readers: &Readers| readers.keep.clone();
    let (mut lapsing, mut lasting) = (0_u32, 0_u32);
    for world in worlds().filter(|world| !world.doubt) {
        let screening = fold(facts(&world));
        let about = if world.store == Store::Erased { About::Erased } else { About::Screening(&screening) };
        let at = |ms| Known { at: stamp(ms), ..known(Some(&pack), false) };
        for (_, compartment) in COMPARTMENTS {
            let [early, before, after] =
                [2_000, LAPSE_MS - 1, NOW_MS].map(|ms| readers(compartment, about, &at(ms)));
            let told = lapses(compartment, about, &at(2_000), &early);
            assert_eq!(ids(&early), ids(&before), "{world:?}");
            let gone: BTreeSet<_> = ids(&early).difference(&ids(&after)).copied().collect();
            assert_eq!(told.keys().copied().collect::<BTreeSet<_>>(), gone, "{world:?}");
            assert!(told.values().all(|at_ms| *at_ms == LAPSE_MS), "{world:?}");
            assert!(lapses(compartment, about, &at(NOW_MS), &after).is_empty(), "{world:?}");
            lapsing += u32::try_from(gone.len()).unwrap();
            lasting += u32::try_from(after.keep.len()).unwrap();
        }
    }
    assert!(lapsing > 300 && lasting > lapsing, "{lapsing} {lasting}");
}

/// I18: what shares a segment shares its key, so it may only ever be what the table gives to the same readers; and the
/// table gives no two lanes to the same ones, or they would be one.
#[test]
fn i18_compartments_share_a_segment_only_where_the_table_gives_them_the_same_readers() {
    let roles: BTreeSet<_> = RECIPIENTS.map(|(role, _)| role).into();
    for (a, one) in COMPARTMENTS {
        for (b, other) in COMPARTMENTS {
            let same =
                worlds().all(|world| roles.iter().all(|r| expected(r, a, &world) == expected(r, b, &world)));
            assert_eq!(one.lane() == other.lane(), same, "{a} and {b}");
        }
        assert_eq!(one.lane().compartment().lane(), one.lane());
    }
}

fn worlds() -> impl Iterator<Item = World> {
    let whos = [(true, ConsentBy::Person), (false, ConsentBy::Person), (false, ConsentBy::Authority)];
    let pick = |n: usize, of: usize| (n % of, n / of);
    let all = REFERRALS.len() * SHARES.len() * NAMES.len() * STORES.len() * whos.len() * 2;
    (0..all).map(move |n| {
        let (referral, n) = pick(n, REFERRALS.len());
        let (share, n) = pick(n, SHARES.len());
        let (name, n) = pick(n, NAMES.len());
        let (store, n) = pick(n, STORES.len());
        let (who, n) = pick(n, whos.len());
        World {
            referral,
            share: SHARES[share],
            name: NAMES[name],
            store: STORES[store],
            who: whos[who],
            doubt: n == 1,
        }
    })
}

#[test]
fn what_belongs_to_the_store_alone_goes_to_custodians_and_oversight() {
    let pack = pack();
    let got = readers(Compartment::Audit, About::Store, &known(Some(&pack), false));
    assert_eq!(got.keep, [1, 2, 4].map(|n| public(n).id()).into());
    assert_eq!(readers(Compartment::Identity, About::Store, &known(Some(&pack), false)), Readers::default());
}

/// Where a clock was once in doubt, nothing is erased for a term that may have passed; but nothing is given.
#[test]
fn a_lapsed_consent_to_store_gives_no_key_even_where_it_erases_nothing() {
    let mut bodies = vec![opening(), adult(), given(Purpose::Store, None, &[], ConsentBy::Person, true)];
    bodies.extend([offer(REFERRAL, "mine"), go(REFERRAL, R::Sent)]);
    bodies.push(given(Purpose::ShareService, Some("mine"), &FULL, ConsentBy::Person, false));
    let mut facts: Vec<_> =
        (1..).zip(bodies).map(|(n, body)| (n, Fact { at: stamp(1_000 + i64::from(n)), body })).collect();
    facts[1].1.at.doubt = Some(Doubt::Backwards);
    let facts = facts.into_iter().map(|(n, fact)| (u64::try_from(n).unwrap(), fact));
    let screening = Screening::from_facts(facts).unwrap();
    let pack = pack();
    let case = |ms| {
        let known = Known { at: stamp(ms), ..known(Some(&pack), false) };
        readers(Compartment::Case, About::Screening(&screening), &known).grant.contains_key(&public(3).id())
    };
    assert_eq!((case(LAPSE_MS - 1), case(LAPSE_MS)), (true, false));
    let keep = amparo_core::screening::retention(&screening, LAPSE_MS);
    assert_eq!(keep, amparo_core::screening::Keep::Full);
    assert_eq!(screening.case, CASE);
}

#[test]
fn the_newest_key_in_use_is_taken_and_the_longest_when_none_is() {
    let day = |month| date(2026, month, 1);
    let keys = vec![key(1, day(1), day(6)), key(2, day(3), day(4)), key(3, day(4), day(5))];
    let agency = recipient("agency", RecipientRole::Agency, &["mine"], keys);
    let chosen = |today| key_on(&agency, today).map(|key| key.public_key.0[0]);
    // By hand: the day before any, one alone, the newer of two, the newest of three, the last day of a key,
    // the day after it, after all.
    let cases = [
        (date(2025, 12, 31), 1),
        (day(2), 1),
        (date(2026, 3, 15), 2),
        (day(4), 3),
        (day(5), 3),
        (date(2026, 5, 2), 1),
        (day(6), 1),
        (day(12), 1),
    ];
    for (today, wanted) in cases {
        assert_eq!(chosen(today), Some(wanted), "{today}");
    }
    let none = recipient("agency", RecipientRole::Agency, &["mine"], vec![]);
    assert_eq!(key_on(&none, day(1)), None);
    let pack = Recipients { recipients: vec![agency], review: Review::Unverified };
    let world = World {
        referral: 3,
        share: Share::Full,
        name: Name::NotAsked,
        store: Store::Given,
        who: (true, ConsentBy::Person),
        doubt: false,
    };
    let screening = fold(facts(&world));
    let known = Known { today: day(4), custodian: public(9), ..known(Some(&pack), false) };
    let got = readers(Compartment::Case, About::Screening(&screening), &known);
    assert_eq!(got.grant.values().copied().collect::<BTreeSet<_>>(), [3, 9].map(public).into());
    assert_eq!(got.keep, [1, 2, 3, 9].map(|n| public(n).id()).into(), "what was granted to old keys stands");
}
