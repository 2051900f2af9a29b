//! Reports: counts by hand against counts by the desk.

use amparo_hq::desk::report::{
    Cell, Format, Period, PlaceBy, Report, Rules, Tally, Threshold, Variable, report,
};
use amparo_schema::fact::{Body, ReferralState};
use amparo_schema::outcome::Outcome;
use amparo_schema::pack::policy::Purpose;

use crate::common::{ARRIVED, DAY, Feed, NOON, Office, Phone, Who, consent, lang, offer, office, sent};

const KEY: u8 = 0x0a;
const MARCH: Period = Period::Month { year: 2026, month: 3 };

/// Synthetic: 12 women with form sexual, 7 men with form labour, 2 girls; 1 woman who said no; 1 of April.
fn world() -> Office {
    let mut phone = Phone::new(1);
    let man = Who { sex: "male", forms: vec!["labour"], outcome: Outcome::LabourRights, ..Who::woman() };
    let girl = Who { age: (14, 16), foreign: false, ..Who::woman() };
    let silent = Who { counted: false, ..Who::woman() };
    let people = [(12, Who::woman(), NOON), (7, man, NOON), (2, girl, NOON)];
    let mut entries = Vec::new();
    let mut case = 0;
    for (n, who, day) in people.into_iter().chain([(1, silent, NOON), (1, Who::woman(), NOON + 30 * DAY)]) {
        for _ in 0..n {
            case += 1;
            entries.extend(phone.screening(KEY, case, day, &who));
        }
    }
    let accepted =
        |r| vec![offer(r, "refuge"), sent(r, ReferralState::Sent), sent(r, ReferralState::Accepted)];
    for case in 1..=6 {
        entries.push(phone.entry_of(KEY, case, NOON, &accepted(case)));
    }
    entries.push(phone.entry_of(KEY, 7, NOON, &[offer(7, "refuge")]));
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    office
}

/// What was taken back before it left was offered, and never sent.
#[test]
fn a_referral_that_never_left_is_not_counted_as_sent() {
    let mut phone = Phone::new(1);
    let mut entries = Vec::new();
    for case in 1..=24 {
        entries.extend(phone.screening(KEY, case, NOON, &Who::woman()));
        let left = (case > 12).then_some(sent(case, ReferralState::Sent));
        let moves: Vec<Body> = [offer(case, "refuge")]
            .into_iter()
            .chain(left)
            .chain([sent(case, ReferralState::Revoked)])
            .collect();
        entries.push(phone.entry_of(KEY, case, NOON, &moves));
    }
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    let report = counted_by(&office, MARCH, Rules::default());
    let of = |category| cell(&report, Variable::Referral, category);
    assert_eq!((of("offered"), of("sent")), (Cell::Count(12), Cell::Count(12)));
}

/// For reading inside the agency: 5 is the least that is shown.
fn inside() -> Rules {
    Rules { threshold: Threshold::new(5).unwrap(), ..Rules::default() }
}

fn counted(office: &Office, period: Period) -> Report {
    counted_by(office, period, inside())
}

fn counted_by(office: &Office, period: Period, rules: Rules) -> Report {
    let mut tally = Tally::new(period, rules, NOON + 60 * DAY);
    office.desk.each_case(ARRIVED, |case| tally.add(&case)).unwrap();
    tally.report()
}

fn cell(report: &Report, variable: Variable, category: &str) -> Cell {
    let table = report.tables.iter().find(|t| t.variable == variable).unwrap();
    table.cells.iter().find(|(c, _)| c == category).unwrap_or_else(|| panic!("{category}: {table:?}")).1
}

#[test]
fn a_month_is_counted_by_what_is_asked() {
    let office = world();
    let report = counted(&office, MARCH);
    let of = |variable, category| cell(&report, variable, category);
    let [n14, n7] = [Cell::Count(14), Cell::Count(7)];
    assert_eq!((report.total, report.undated, report.threshold), (Cell::Count(21), Cell::Count(0), 5));
    assert_eq!(report.not_counted, Cell::Suppressed, "one person said no");
    assert_eq!((of(Variable::Sex, "female"), of(Variable::Sex, "male")), (n14, n7));
    assert_eq!(of(Variable::Sex, "unknown"), Cell::Count(0));
    // Two girls: the age band and the rest that would tell it.
    assert!(report.tables.iter().find(|t| t.variable == Variable::AgeBand).unwrap().withheld);
    assert!(report.tables.iter().find(|t| t.variable == Variable::Citizenship).unwrap().withheld);
    assert_eq!((of(Variable::Exploitation, "sexual"), of(Variable::Exploitation, "labour")), (n14, n7));
    assert_eq!((of(Variable::Outcome, "presumed"), of(Variable::Outcome, "labour_rights")), (n14, n7));
    for (place, variable, category) in [
        (PlaceBy::Country, Variable::Country, "CL"),
        (PlaceBy::Area, Variable::Area, "CL-AP"),
        (PlaceBy::Post, Variable::Post, "post-1"),
        (PlaceBy::Setting, Variable::Setting, "border"),
    ] {
        let report = counted_by(&office, MARCH, Rules { place, ..inside() });
        assert_eq!(cell(&report, variable, category), Cell::Count(21));
        let places = [Variable::Country, Variable::Area, Variable::Post, Variable::Setting];
        let shown: Vec<Variable> =
            report.tables.iter().map(|t| t.variable).filter(|v| places.contains(v)).collect();
        assert_eq!(shown, [variable], "two tables about the place could be subtracted");
        assert!(report.notes.iter().any(|note| note.contains("inside the agency")), "5 is below 11");
    }
    // One offer, and six acceptances that would tell it: with both hidden the rest tells too much.
    assert!(report.tables.iter().find(|t| t.variable == Variable::Referral).unwrap().withheld);
}

#[test]
fn longer_periods_hold_their_months() {
    let office = world();
    let quarter = counted(&office, Period::Quarter { year: 2026, quarter: 1 });
    let year = counted(&office, Period::Year { year: 2026 });
    let april = counted(&office, Period::Month { year: 2026, month: 4 });
    let other = counted(&office, Period::Year { year: 2025 });
    assert_eq!((quarter.total, year.total), (Cell::Count(21), Cell::Count(22)));
    assert_eq!((april.total, other.total), (Cell::Suppressed, Cell::Count(0)));
    assert!(april.tables.iter().all(|t| t.withheld), "nothing of one person");
}

#[test]
fn the_sdg_series_counts_presumed_cases_once_and_says_what_it_is_not() {
    let report = counted(&world(), Period::Sdg1622 { year: 2026 });
    assert_eq!((report.total, report.threshold), (Cell::Count(15), 11));
    assert_eq!(cell(&report, Variable::Sex, "female"), Cell::Count(15));
    assert_eq!(cell(&report, Variable::Exploitation, "sexual"), Cell::Count(15));
    assert!(report.notes.iter().any(|note| note.contains("not SDG 16.2.2") && note.contains("100,000")));
    let names: Vec<Variable> = report.tables.iter().map(|t| t.variable).collect();
    assert_eq!(names, [Variable::Sex, Variable::AgeBand, Variable::Exploitation, Variable::Citizenship]);
}

#[test]
fn whoever_takes_it_back_or_lets_it_lapse_is_counted_no_more() {
    let mut phone = Phone::new(1);
    let mut entries = Vec::new();
    for case in 1..=8 {
        entries.extend(phone.screening(KEY, case, NOON, &Who::woman()));
    }
    let mut lapsing = consent(Purpose::Statistics, None, &[]);
    lapsing.expires_ms = Some(NOON + 5 * DAY);
    entries.push(phone.entry_of(KEY, 1, NOON, &[Body::ConsentGiven(lapsing)]));
    let no =
        Body::ConsentRefused { purpose: Purpose::Statistics, wording: 1, lang: lang("es"), receiver: None };
    let mut elsewhere = Phone::new(2);
    elsewhere.screening = Some(99);
    entries.push(elsewhere.entry_of(KEY, 2, NOON, &[no]));
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    let total = |now_ms| {
        let mut tally = Tally::new(MARCH, inside(), now_ms);
        office.desk.each_case(ARRIVED, |case| tally.add(&case)).unwrap();
        tally.report().total
    };
    assert_eq!((total(NOON), total(NOON + 6 * DAY)), (Cell::Count(7), Cell::Count(6)));
}

#[test]
fn a_day_that_nobody_knows_stands_apart() {
    let mut phone = Phone::new(1);
    let mut entries = Vec::new();
    for case in 1..=6 {
        // A clock two years ahead: the desk knows only that it was before the arrival.
        entries.extend(phone.screening(KEY, case, NOON + 700 * DAY, &Who::woman()));
    }
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    let march = counted(&office, MARCH);
    assert_eq!((march.total, march.undated), (Cell::Count(0), Cell::Count(6)));
    let later = counted(&office, Period::Year { year: 2028 });
    assert_eq!((later.total, later.undated), (Cell::Count(0), Cell::Count(0)), "it had arrived before");
}

/// The threshold is that of DOMAIN rule 22 unless another is asked for, and what is asked for is said.
#[test]
fn eleven_is_the_least_that_is_shown() {
    let office = world();
    let report = counted_by(&office, MARCH, Rules::default());
    assert_eq!((report.threshold, report.total), (11, Cell::Count(21)));
    for variable in [Variable::Sex, Variable::Exploitation] {
        let table = report.tables.iter().find(|t| t.variable == variable).unwrap();
        assert!(table.withheld, "7 of 21 are small: {table:?}");
    }
    let inside =
        |rules| counted_by(&office, MARCH, rules).notes.iter().any(|n| n.contains("inside the agency"));
    assert!(!inside(Rules::default()) && inside(Rules { place: PlaceBy::Area, ..Rules::default() }));
}

/// A name in a list without an end tells that there was someone: small places have no line of their own.
#[test]
fn small_places_are_not_named() {
    let mut phone = Phone::new(1);
    let mut entries = Vec::new();
    let posts = [("big-post", 14), ("also-big", 20), ("tiny-post", 1), ("small-post", 3)];
    let places = posts.iter().flat_map(|(post, n)| std::iter::repeat_n(*post, *n));
    for (case, post) in (1..).zip(places) {
        entries.extend(phone.screening(KEY, case, NOON, &Who { post, ..Who::woman() }));
    }
    let mut office = office(&[KEY]);
    Feed::with(KEY, &entries).pull(&mut office.desk, 50);
    let report = counted_by(&office, MARCH, Rules { place: PlaceBy::Post, ..Rules::default() });
    let table = report.tables.iter().find(|t| t.variable == Variable::Post).unwrap();
    let lines: Vec<(&str, Cell)> = table.cells.iter().map(|(c, n)| (c.as_str(), *n)).collect();
    // The small ones, and one more so that their sum is not told.
    let shown = [("big-post", Cell::Count(14)), ("unknown", Cell::Count(0)), ("(others)", Cell::Count(24))];
    assert_eq!(lines, shown);
    for format in [Format::Csv, Format::Json] {
        let text = report.write(format).unwrap();
        assert!(!text.contains("tiny") && !text.contains("small-post") && text.contains("(others)"));
    }
}

#[test]
fn reports_are_written_as_csv_and_json() {
    let office = world();
    let csv = report(&office.desk, MARCH, NOON, Format::Csv).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "report,from,to,variable,category,count");
    assert_eq!(lines[1], "monthly,2026-03-01,2026-03-31,all,screenings,21");
    assert!(lines.contains(&"monthly,2026-03-01,2026-03-31,country,CL,21"));
    assert!(lines.contains(&"monthly,2026-03-01,2026-03-31,sex,,suppressed"), "7 men are below 11");
    assert!(lines.contains(&"monthly,2026-03-01,2026-03-31,age_band,,suppressed"));
    let json = report(&office.desk, MARCH, NOON, Format::Json).unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["total"], 21);
    assert_eq!(read["not_counted"], "suppressed");
    for word in ["victim", "score", "probability", "credible", "suspect"] {
        assert!(!csv.to_lowercase().contains(word) && !json.to_lowercase().contains(word), "{word}");
    }
}
