//! The commands about a desk.

use std::path::Path;

use amparo_schema::limits::{DOWN_BYTES_MAX, FRAME_BYTES_MAX};
use amparo_schema::wire::desk::Pull;
use amparo_schema::wire::feed::{FeedId, Page};
use amparo_seal::{from_bytes, to_bytes};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::args::{Answer as AnswerWords, DeskCommand, Report, exit};
use super::desk_home::{DeskHome, Settings};
use super::error::CliError;
use super::host::{SystemEntropy, now_ms};
use super::{say, show};
use crate::desk::htcds::{Asked, Identity, export};
use crate::desk::report::{Format, Rules, Threshold, report};
use crate::desk::view::CaseView;
use crate::desk::{Answer, Desk, FollowUp};

/// Bytes of an answer beside the page that was asked for.
const ENVELOPE_BYTES: usize = 64 * 1024;
/// Runs of a feed in one pull; what is more comes with the next.
const PAGES_MAX: usize = 10_000;

/// Runs a command about a desk.
pub(super) fn run(folder: &Path, as_json: bool, command: &DeskCommand) -> Result<u8, CliError> {
    if let DeskCommand::Init { agency, services, url, key, ca } = command {
        let settings = Settings {
            format: 1,
            agency: agency.clone(),
            services: services.iter().cloned().collect(),
            url: url.clone(),
            headquarters: vec![*key],
            ca: ca.as_ref().map(std::path::absolute).transpose().map_err(CliError::at(folder))?,
        };
        show(as_json, &DeskHome::make(folder, settings)?.public());
        return Ok(exit::OK);
    }
    let mut home = DeskHome::open(folder)?;
    let rules = rules(command);
    let mut desk = home.desk(rules)?;
    let done = match command {
        DeskCommand::Init { .. } => Value::Null,
        DeskCommand::NewKey => {
            home.new_key()?;
            home.public()
        }
        DeskCommand::Pull => pull(&home, &mut desk)?,
        DeskCommand::Status => serde_json::to_value(desk.status()?)?,
        DeskCommand::List => return list(&desk, as_json),
        DeskCommand::Show { case } => {
            say(&serde_json::to_string_pretty(&desk.case(*case)?)?);
            return Ok(exit::OK);
        }
        DeskCommand::Answer(words) => {
            let answer = answer(words);
            desk.answer(words.case, words.referral, &answer, now_ms(), &SystemEntropy)?;
            told(send(&home, &desk))
        }
        DeskCommand::FollowUp { case, text, screening, due } => {
            let due_ms = due.map(end_of).transpose()?;
            let asked = FollowUp { case: *case, screening: *screening, text: text.clone(), due_ms };
            desk.follow_up(&asked, now_ms(), &SystemEntropy)?;
            told(send(&home, &desk))
        }
        DeskCommand::Report(words) => {
            let period =
                [words.monthly, words.quarterly, words.annual, words.sdg].into_iter().flatten().next();
            let period = period.ok_or(CliError::Refused("which period?"))?;
            print_whole(&report(&desk, period, now_ms(), format(words.csv))?);
            return Ok(exit::OK);
        }
        DeskCommand::Htcds { receiver, identity, csv } => {
            let identity = if *identity { Identity::WhereConsented } else { Identity::LeftOut };
            let asked = Asked { receiver: receiver.clone(), identity };
            print_whole(&export(&desk, &asked, now_ms())?.write(format(*csv))?);
            return Ok(exit::OK);
        }
    };
    show(as_json, &done);
    Ok(exit::OK)
}

fn rules(command: &DeskCommand) -> Rules {
    match command {
        DeskCommand::Report(Report { published: true, .. }) => {
            Rules { threshold: Threshold::PUBLISHED, ..Rules::default() }
        }
        DeskCommand::Report(_) => Rules { threshold: Threshold::INTERNAL, ..Rules::default() },
        _ => Rules::default(),
    }
}

fn format(csv: bool) -> Format {
    if csv { Format::Csv } else { Format::Json }
}

fn print_whole(text: &str) {
    say(text.trim_end_matches(['\r', '\n']));
}

fn answer(words: &AnswerWords) -> Answer {
    match &words.rejected {
        Some(reason) => Answer::Rejected { reason: reason.clone() },
        None if words.accepted => Answer::Accepted,
        None => Answer::Done,
    }
}

/// The end of a day by this machine's time zone.
fn end_of(day: Date) -> Result<i64, CliError> {
    let wrong = |_| CliError::Refused("there is no such day");
    let next = day.tomorrow().and_then(|day| day.to_zoned(TimeZone::system())).map_err(wrong)?;
    Ok(next.timestamp().as_millisecond() - 1)
}

/// One line of the list of cases.
#[derive(Serialize)]
struct Line {
    case: String,
    codes: Vec<String>,
    screenings: usize,
    outcomes: Vec<Value>,
    referrals: Vec<Value>,
    contradictions: usize,
}

impl Line {
    fn of(case: &CaseView) -> Result<Self, serde_json::Error> {
        Ok(Self {
            case: case.case.to_string(),
            codes: case.codes.iter().cloned().collect(),
            screenings: case.screenings.len(),
            outcomes: case.outcomes.iter().map(serde_json::to_value).collect::<Result<_, _>>()?,
            referrals: case
                .referrals
                .iter()
                .map(|r| serde_json::to_value(r.state))
                .collect::<Result<_, _>>()?,
            contradictions: case.contradictions.len(),
        })
    }
}

fn list(desk: &Desk, as_json: bool) -> Result<u8, CliError> {
    let mut lines = Vec::new();
    desk.each_case(|case| lines.push(Line::of(&case)))?;
    let words = |values: &[Value]| {
        values.iter().map(|v| v.as_str().unwrap_or_default()).collect::<Vec<_>>().join(",")
    };
    let lines = lines.into_iter().collect::<Result<Vec<_>, _>>()?;
    if as_json {
        say(&serde_json::to_string(&lines)?);
    } else {
        for line in &lines {
            let (codes, outcomes, referrals) =
                (line.codes.join(","), words(&line.outcomes), words(&line.referrals));
            let Line { case, screenings, contradictions, .. } = line;
            say(&format!(
                "{case}  {codes}  screenings {screenings}  [{outcomes}]  referrals [{referrals}]  contradictions {contradictions}"
            ));
        }
    }
    Ok(if lines.is_empty() { exit::NOTHING } else { exit::OK })
}

/// Fetches every feed to its end, and sends letters that wait.
fn pull(home: &DeskHome, desk: &mut Desk) -> Result<Value, CliError> {
    let client = home.client()?;
    let letters = send(home, desk)?;
    let (mut segments, mut repeated, mut withdrawn, mut aside) = (0, 0, 0, 0);
    let mut forked = false;
    for recipient in home.recipients() {
        let feed = FeedId::recipient(recipient);
        for _ in 0..PAGES_MAX {
            let cursors = desk.cursors()?;
            let cursor = cursors.into_iter().find(|cursor| cursor.feed == feed).ok_or(CliError::Feed)?;
            let down_bytes = u32::try_from(DOWN_BYTES_MAX).unwrap_or(u32::MAX);
            let asked = home.signer().sign_object(&Pull { recipient, cursor, down_bytes })?;
            let answer = client.post("/v1/pull", &to_bytes(&asked)?, DOWN_BYTES_MAX + ENVELOPE_BYTES)?;
            let page: Page = from_bytes(&answer)?;
            let taken = desk.take(&page, now_ms())?;
            if taken.gap || taken.unlinked {
                return Err(CliError::Feed);
            }
            segments += taken.segments;
            repeated += taken.repeated;
            withdrawn += taken.withdrawn;
            aside += taken.aside;
            forked |= taken.forked_at.is_some() || taken.behind;
            // The page after the last one is empty, and asking for it acknowledged the last one.
            if page.entries.is_empty() {
                break;
            }
        }
    }
    Ok(json!({
        "segments": segments, "repeated": repeated, "withdrawn": withdrawn, "set_aside": aside,
        "headquarters_went_back": forked, "letters_sent": letters,
    }))
}

/// Sends the letters that headquarters does not have; gives how many.
fn send(home: &DeskHome, desk: &Desk) -> Result<usize, CliError> {
    let (client, before) = (home.client()?, home.sent()?);
    let mut sent = before;
    for letter in desk.letters()?.iter().skip(before) {
        client.post("/v1/letter", &to_bytes(letter)?, FRAME_BYTES_MAX)?;
        sent += 1;
        home.put_sent(sent)?;
    }
    Ok(sent - before)
}

/// A letter that could not be sent is written all the same, and goes with the next pull.
fn told(sent: Result<usize, CliError>) -> Value {
    match sent {
        Ok(letters) => json!({ "letters_sent": letters }),
        Err(why) => json!({ "letters_sent": 0, "waiting": format!("goes with the next pull: {why}") }),
    }
}
