//! The commands about a desk.

use std::path::Path;

use amparo_schema::limits::{DOWN_BYTES_MAX, FRAME_BYTES_MAX};
use amparo_schema::text::is_deceptive;
use amparo_schema::wire::desk::Pull;
use amparo_schema::wire::feed::{Cursor, FeedId, Page};
use amparo_seal::{from_bytes, to_bytes};
use data_encoding::HEXLOWER;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::args::{Answer as AnswerWords, DeskCommand, Htcds, PlaceWord, exit};
use super::client::Client;
use super::desk_home::{DeskHome, Settings};
use super::error::CliError;
use super::host::{SystemEntropy, now_ms};
use super::{files, say, show};
use crate::desk::htcds::{Asked, Identity, export};
use crate::desk::report::{Format, PlaceBy, Rules, Threshold, report};
use crate::desk::view::CaseView;
use crate::desk::{Answer, Desk, Failed, FollowUp, Pulled};

/// What headquarters answers to a letter for a device that was revoked.
const GONE: u16 = 410;

/// Bytes of an answer beside the page that was asked for.
const ENVELOPE_BYTES: usize = 64 * 1024;

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
    let rules = rules(command)?;
    let mut desk = home.desk(rules)?;
    let done = match command {
        DeskCommand::Init { .. } => Value::Null,
        DeskCommand::NewKey => {
            home.new_key()?;
            home.public()
        }
        DeskCommand::Pull { letters_again } => {
            if *letters_again {
                desk.post_again()?;
            }
            let (done, failed) = pull(&home, &mut desk)?;
            show(as_json, &done);
            return Ok(if failed { exit::FAILED } else { exit::OK });
        }
        DeskCommand::Status => serde_json::to_value(desk.status()?)?,
        DeskCommand::List => return list(&desk, as_json),
        DeskCommand::Show { case, by_law } => {
            let text = if *by_law {
                let identity = desk.identity_by_law(*case)?;
                serde_json::to_string_pretty(&json!({ "case": case, "identity_by_law": identity }))?
            } else {
                serde_json::to_string_pretty(&desk.case(*case, now_ms())?)?
            };
            say(&escaped(&text));
            return Ok(exit::OK);
        }
        DeskCommand::Answer(words) => {
            let answer = answer(words);
            desk.answer(words.case, words.referral, &answer, now_ms(), &SystemEntropy)?;
            told(&send(&home, &mut desk)?)
        }
        DeskCommand::FollowUp { case, text, screening, due } => {
            let due_ms = due.map(end_of).transpose()?;
            let asked = FollowUp { case: *case, screening: *screening, text: text.clone(), due_ms };
            desk.follow_up(&asked, now_ms(), &SystemEntropy)?;
            told(&send(&home, &mut desk)?)
        }
        DeskCommand::Report(words) => {
            let period =
                [words.monthly, words.quarterly, words.annual, words.sdg].into_iter().flatten().next();
            let period = period.ok_or(CliError::Refused("which period?"))?;
            print_whole(&report(&desk, period, now_ms(), format(words.csv))?);
            return Ok(exit::OK);
        }
        DeskCommand::Htcds(words) => return htcds(&desk, words),
    };
    show(as_json, &done);
    Ok(exit::OK)
}

fn rules(command: &DeskCommand) -> Result<Rules, CliError> {
    let DeskCommand::Report(words) = command else { return Ok(Rules::default()) };
    let place = match words.place {
        PlaceWord::Country => PlaceBy::Country,
        PlaceWord::Area => PlaceBy::Area,
        PlaceWord::Post => PlaceBy::Post,
        PlaceWord::Setting => PlaceBy::Setting,
    };
    let threshold = Threshold::new(words.threshold).ok_or(CliError::Refused("the threshold is too low"))?;
    if words.published && (threshold < Threshold::PUBLISHED || !place.is_coarse()) {
        return Err(CliError::Refused("areas, posts and numbers from 1 to 10 are not for publication"));
    }
    Ok(Rules { threshold, place })
}

fn format(csv: bool) -> Format {
    if csv { Format::Csv } else { Format::Json }
}

fn print_whole(text: &str) {
    say(&escaped(text.trim_end_matches(['\r', '\n'])));
}

fn htcds(desk: &Desk, words: &Htcds) -> Result<u8, CliError> {
    let identity = if words.identity { Identity::WhereConsented } else { Identity::LeftOut };
    let export = export(desk, &Asked { receiver: words.receiver.clone(), identity }, now_ms())?;
    if let Some(file) = &words.losses {
        files::write(file, export.losses_csv()?.as_bytes())?;
    }
    print_whole(&export.write(format(words.csv))?);
    beside(&format!("{} cases are left out: nobody agreed to share them with it", export.left_out));
    for loss in export.losses.iter().filter(|loss| loss.times > 0) {
        beside(&format!("lost {} times: {} ({})", loss.times, loss.ours, loss.lost));
    }
    Ok(exit::OK)
}

/// Tells the operator something that belongs in no file for others.
#[allow(clippy::print_stderr)] // a command line talks
fn beside(text: &str) {
    eprintln!("amparo-hq: {text}");
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
    desk.each_case(now_ms(), |case| lines.push(Line::of(&case)))?;
    let words = |values: &[Value]| {
        values.iter().map(|v| v.as_str().unwrap_or_default()).collect::<Vec<_>>().join(",")
    };
    let lines = lines.into_iter().collect::<Result<Vec<_>, _>>()?;
    if as_json {
        say(&escaped(&serde_json::to_string(&lines)?));
    } else {
        for line in &lines {
            let (codes, outcomes, referrals) =
                (plain(&line.codes.join(",")), words(&line.outcomes), words(&line.referrals));
            let Line { case, screenings, contradictions, .. } = line;
            say(&format!(
                "{case}  {codes}  screenings {screenings}  [{outcomes}]  referrals [{referrals}]  contradictions {contradictions}"
            ));
        }
    }
    Ok(if lines.is_empty() { exit::NOTHING } else { exit::OK })
}

/// Text for a terminal. What a device wrote may hold characters that steer one or turn the direction of
/// writing; a mark stands in their place.
fn plain(text: &str) -> String {
    text.chars().map(|c| if is_deceptive(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The same JSON, with such characters escaped. Outside of strings JSON has none but line ends, and CSV as it is
/// written here has none at all.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match u32::from(c) {
            code if is_deceptive(c) && c != '\n' => out.push_str(&format!("\\u{code:04x}")),
            _ => out.push(c),
        }
    }
    out
}

/// Fetches every feed to its end, and sends letters that wait. A feed or letter that fails keeps nothing else
/// back: a key that headquarters does not know yet must not hide a withdrawal that another feed tells.
/// Withdrawals are read before anything is sent. What was set aside is tried first: a newer build, another
/// key or another setting may read it. True when something failed.
fn pull(home: &DeskHome, desk: &mut Desk) -> Result<(Value, bool), CliError> {
    let client = home.client()?;
    let (mut pulled, mut failures) = (Pulled::default(), Vec::new());
    let read_again = desk.retry_aside().unwrap_or_else(|why| {
        failures.push(format!("what lies aside: {why}"));
        0
    });
    for recipient in home.recipients() {
        let ask = |cursor| page(home, &client, recipient, cursor);
        if let Err(why) = desk.pull(FeedId::recipient(recipient), now_ms(), ask, &mut pulled) {
            failures.push(format!("key {}: {why}", HEXLOWER.encode(&recipient)));
        }
    }
    let (sent, unsent) = send(home, desk)?;
    failures.extend(unsent);
    let failed = !failures.is_empty();
    let done = json!({
        "segments": pulled.segments, "repeated": pulled.repeated, "withdrawn": pulled.withdrawn,
        "set_aside": pulled.aside, "set_aside_without_room": pulled.lost, "read_after_all": read_again,
        "headquarters_went_back": pulled.went_back,
        "letters_sent": sent, "failures": failures,
    });
    Ok((done, failed))
}

fn page(home: &DeskHome, client: &Client, recipient: [u8; 8], cursor: Cursor) -> Result<Page, CliError> {
    let down_bytes = u32::try_from(DOWN_BYTES_MAX).unwrap_or(u32::MAX);
    let asked = home.signer().sign_object(&Pull { recipient, cursor, down_bytes })?;
    let answer = client.post("/v1/pull", &to_bytes(&asked)?, DOWN_BYTES_MAX + ENVELOPE_BYTES)?;
    Ok(from_bytes(&answer)?)
}

/// Sends the letters that headquarters does not have; gives how many, and what failed.
fn send(home: &DeskHome, desk: &mut Desk) -> Result<(u64, Vec<String>), CliError> {
    let client = home.client()?;
    let post = |letter: &_| client.post("/v1/letter", &to_bytes(letter)?, FRAME_BYTES_MAX).map(drop);
    let failed = |why: &CliError| match why {
        CliError::Reach(_) => Failed::Away,
        CliError::Answer { status: GONE, .. } => Failed::ForGood,
        _ => Failed::Waits,
    };
    let posted = desk.send(post, failed)?;
    let failure = |(id, why): &([u8; 16], CliError)| format!("letter {}: {why}", HEXLOWER.encode(id));
    Ok((posted.sent, posted.failures.iter().map(failure).collect()))
}

/// A letter that could not be sent is written all the same, and goes with the next pull.
fn told((sent, failures): &(u64, Vec<String>)) -> Value {
    let mut out = json!({ "letters_sent": sent });
    if let (Some(out), Some(why)) = (out.as_object_mut(), failures.first()) {
        out.insert("waiting".into(), format!("goes with the next pull: {why}").into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_device_wrote_steers_a_terminal() {
        let hostile = "A\u{1b}[2J\r\nB\u{202e}C\u{9b}D";
        assert_eq!(plain(hostile), "A\u{fffd}[2J\u{fffd}\u{fffd}B\u{fffd}C\u{fffd}D");
        let json = serde_json::to_string_pretty(&json!({ "code": hostile })).unwrap();
        let shown = escaped(&json);
        assert!(!shown.chars().any(|c| is_deceptive(c) && c != '\n'), "{shown:?}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), json!({ "code": hostile }), "the same");
    }
}
