//! The commands: what the command line asks for, done once, with an exit code.

use std::io::Write;
use std::path::Path;

use amparo_core::device::{Device, Error, ErrorKind, NextStep, ScreeningLine};
use amparo_core::store::Blind;
use amparo_schema::id::ScreeningId;
use amparo_schema::pack::Content;
use amparo_schema::person::Country;
use serde_json::json;
use zeroize::Zeroizing;

use crate::args::{Args, BundleCommand, Command, ContentCommand, exit};
use crate::ask::{self, Ask, Choice, Ended, choose};
use crate::content::ContentError;
use crate::home::{self, HomeError};
use crate::keystore::KeystoreError;
use crate::sync::{NotDone, Seat};
use crate::told::told;
use crate::walk::{Start, Walk, WalkError, begin};
use crate::words::{Speaker, Word};
use crate::{content, demo, draw, packets, report, scenario};

/// How many services one look-up shows.
const LOOKUP_SHOWN: usize = 20;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The data folder did not open.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The walk.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// The device.
    #[error(transparent)]
    Device(#[from] Error),
    /// Content authoring.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A scenario.
    #[error(transparent)]
    Scenario(#[from] scenario::ScenarioError),
    /// The input ended.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// A file of the command line.
    #[error("{place}: {why}")]
    Io {
        /// Which file.
        place: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// Something about headquarters was not done.
    #[error(transparent)]
    Sync(#[from] NotDone),
    /// The demonstration.
    #[error(transparent)]
    Demo(#[from] demo::DemoError),
    /// Nothing is called so.
    #[error("there is no such {0}")]
    NotFound(&'static str),
}

/// Runs the command line; returns the exit code.
#[must_use]
pub fn run(args: &Args) -> u8 {
    match dispatch(args) {
        Ok(code) => code,
        Err(error) => {
            complain(args, &error);
            code_of(&error)
        }
    }
}

#[allow(clippy::print_stderr)] // a shell talks
fn complain(args: &Args, error: &CommandError) {
    let told = told(error, Speaker::of(&args.lang));
    if args.json {
        eprintln!("{}", json!({ "error": told }));
    } else if code_of(error) != exit::ENDED {
        eprintln!("amparo: {told}");
    }
}

fn code_of(error: &CommandError) -> u8 {
    match error {
        CommandError::Home(HomeError::Keystore(KeystoreError::Io(_))) => exit::FAILED,
        CommandError::Home(HomeError::Keystore(_)) => exit::LOCKED,
        CommandError::Home(HomeError::Ended(_))
        | CommandError::Ended(_)
        | CommandError::Walk(WalkError::Ended(_)) => exit::ENDED,
        CommandError::Sync(why) => why.code,
        CommandError::Demo(demo::DemoError::Interrupted) => exit::ENDED,
        CommandError::Content(ContentError::Refused { .. }) => exit::FAULTS,
        CommandError::NotFound(_) | CommandError::Walk(WalkError::NotFound(_)) => exit::NOTHING,
        CommandError::Device(e) | CommandError::Walk(WalkError::Device(e)) => match e.kind() {
            ErrorKind::NotFound => exit::NOTHING,
            ErrorKind::WrongKey => exit::LOCKED,
            ErrorKind::PackRejected => exit::FAULTS,
            _ => exit::FAILED,
        },
        _ => exit::FAILED,
    }
}

fn dispatch(args: &Args) -> Result<u8, CommandError> {
    let speaker = Speaker::of(&args.lang);
    if let Some(file) = &args.scenario {
        let result = scenario::run_file(file)?;
        print(&serde_json::to_string_pretty(&result).unwrap_or_default());
        return Ok(exit::OK);
    }
    match &args.command {
        Some(Command::Content { command: ContentCommand::Check { folder } }) => {
            let summary = content::check::run(folder, &mut std::io::stdout())?;
            return Ok(if summary.errors == 0 { exit::OK } else { exit::FAULTS });
        }
        Some(Command::Content { command: ContentCommand::Build { folder, out } }) => {
            content::build::run(folder, out, &mut std::io::stdout())?;
            return Ok(exit::OK);
        }
        Some(Command::Demo) => {
            demo::run(speaker)?;
            return Ok(exit::OK);
        }
        _ => {}
    }
    let mut ask = ask::fitting(speaker);
    let folder = home::folder(args.home.as_deref())?;
    let secret = args.passphrase_file.as_deref().map(first_line).transpose()?;
    let device = match home::open(&folder, secret, &mut *ask, speaker) {
        Err(why @ HomeError::Keystore(KeystoreError::Destroyed)) => {
            // Nobody can lock any more: what lies open goes now.
            packets::remove_all(&folder)?;
            return Err(why.into());
        }
        other => other?,
    };
    let shell = Shell { args, speaker, device: &device, folder: &folder };
    shell.command(&mut *ask)
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, CommandError> {
    let io = |why| CommandError::Io { place: file.display().to_string(), why };
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(io)?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// Writes a line to standard output; a closed pipe is no fault of ours.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

struct Shell<'a> {
    args: &'a Args,
    speaker: Speaker,
    device: &'a Device,
    folder: &'a Path,
}

impl Shell<'_> {
    fn seat(&self) -> Seat<'_> {
        Seat { device: self.device, speaker: self.speaker, json: self.args.json }
    }

    fn command(&self, ask: &mut dyn Ask) -> Result<u8, CommandError> {
        match &self.args.command {
            None => self.main_job(ask),
            Some(Command::Screen { checklist, post, country }) => {
                let start = Start {
                    checklist: checklist.clone(),
                    post: post.clone(),
                    country: country.clone(),
                    case: None,
                };
                self.screen(ask, &start)
            }
            Some(Command::Lookup { words, country }) => self.lookup(&words.join(" "), country.as_deref()),
            Some(Command::List) => self.list(),
            Some(Command::Show { id }) => self.show(id),
            Some(Command::Explain { id }) => self.explain(id),
            Some(Command::Packet { id }) => self.packet(id),
            Some(Command::Verify) => self.verify(),
            Some(Command::Lock) => {
                let closed = self.device.close_overdue();
                print(&self.lock()?);
                closed?;
                Ok(exit::OK)
            }
            Some(Command::Content { command }) => self.packs(command),
            Some(Command::Enrol { ticket, ca }) => self.seat().enrol(ask, ticket.as_deref(), ca.as_deref()),
            Some(Command::Sync { ca }) => self.purging(|seat| seat.sync(ask, ca.as_deref())),
            Some(Command::Status) => self.seat().status(),
            Some(Command::Bundle { command: BundleCommand::Export { folder } }) => {
                self.purging(|seat| seat.export(folder))
            }
            Some(Command::Bundle { command: BundleCommand::Import { files } }) => {
                self.purging(|seat| seat.import(files))
            }
            // It has a store of its own, and was run before this one was opened.
            Some(Command::Demo) => Ok(exit::OK),
        }
    }

    fn main_job(&self, ask: &mut dyn Ask) -> Result<u8, CommandError> {
        ask.tell(self.speaker.word(Word::Welcome));
        // One screening that does not read must not keep the official from all others.
        if let Err(why) = self.device.close_overdue() {
            ask.tell(&why.to_string());
        }
        packets::remove_purged(self.folder, self.device)?;
        let mut speaker = self.speaker;
        loop {
            let open = self.open_screening()?;
            let resume = open.map(|_| Word::MenuResume);
            let enrolled = self.device.enrolment()?.is_some();
            let choices: Vec<Choice<Word>> = resume
                .into_iter()
                .chain([Word::MenuScreen, Word::MenuLookup, Word::MenuList])
                .chain(enrolled.then_some(Word::MenuSync))
                .chain([Word::MenuLanguage, Word::MenuLock])
                .map(|word| Choice { value: word, label: speaker.word(word).into(), hint: String::new() })
                .collect();
            let shell = Shell { speaker, ..*self };
            match choose(ask, speaker.word(Word::MainMenu), &choices)? {
                Word::MenuResume => drop(shell.walk(ask, open.ok_or(CommandError::NotFound("screening"))?)?),
                Word::MenuScreen => {
                    let id = begin(self.device, ask, speaker, &Start::default())?;
                    shell.walk(ask, id)?;
                }
                Word::MenuLookup => {
                    let typed = ask.line(speaker.word(Word::SearchPlease))?;
                    match shell.lookup(&typed, None) {
                        Err(CommandError::Device(Error::Search(_))) => {
                            ask.tell(speaker.word(Word::NothingFound));
                        }
                        other => drop(other?),
                    }
                }
                Word::MenuList => drop(shell.list()?),
                Word::MenuSync => {
                    let ca = std::env::var_os("AMPARO_CA").map(std::path::PathBuf::from);
                    match shell.purging(|seat| seat.sync(ask, ca.as_deref())) {
                        Err(CommandError::Sync(why)) => ask.tell(&why.to_string()),
                        other => drop(other?),
                    }
                }
                Word::MenuLanguage => {
                    speaker = if speaker == Speaker::Es { Speaker::En } else { Speaker::Es };
                }
                _ => {
                    ask.tell(&shell.lock()?);
                    return Ok(exit::OK);
                }
            }
        }
    }

    /// Writes the store home and removes the packets that lie open in the data folder: they were for handing over,
    /// and can be made again. Returns what to tell of it.
    fn lock(&self) -> Result<String, CommandError> {
        self.device.rest()?;
        let locked = self.speaker.word(Word::Locked);
        Ok(match packets::remove_all(self.folder)? {
            0 => locked.to_owned(),
            removed => format!("{locked} {} {removed}", self.speaker.word(Word::PacketsRemoved)),
        })
    }

    fn packet(&self, text: &str) -> Result<u8, CommandError> {
        let written = packets::write_again(self.folder, self.device, self.find(text)?.screening)?;
        if self.args.json {
            print(&json!({ "packets": written }).to_string());
            return Ok(exit::OK);
        }
        for path in written {
            print(&format!("{} {}", self.speaker.word(Word::PacketWritten), path.display()));
        }
        Ok(exit::OK)
    }

    /// Runs something that may purge, wipe or erase, and removes the packets of what is gone.
    fn purging(&self, run: impl FnOnce(&Seat<'_>) -> Result<u8, CommandError>) -> Result<u8, CommandError> {
        let done = run(&self.seat());
        packets::remove_purged(self.folder, self.device)?;
        done
    }

    fn open_screening(&self) -> Result<Option<ScreeningId>, CommandError> {
        Ok(self.device.screenings()?.into_iter().find(|line| !line.closed).map(|line| line.screening))
    }

    /// Goes on with the open screening; without one, begins.
    fn screen(&self, ask: &mut dyn Ask, start: &Start) -> Result<u8, CommandError> {
        let id = match self.open_screening()? {
            Some(open) => open,
            None => begin(self.device, ask, self.speaker, start)?,
        };
        self.walk(ask, id)
    }

    fn walk(&self, ask: &mut dyn Ask, id: ScreeningId) -> Result<u8, CommandError> {
        let out = self.folder.to_owned();
        self.purging(|_| {
            Walk { device: self.device, ask, speaker: self.speaker, id, out }.run()?;
            Ok(exit::OK)
        })
    }

    fn lookup(&self, typed: &str, country: Option<&str>) -> Result<u8, CommandError> {
        let country = match country {
            Some(text) => {
                let country = Country::new(&text.to_ascii_uppercase());
                Some(country.map_err(|_| CommandError::NotFound("country"))?)
            }
            None => None,
        };
        let (services, more) = self.device.lookup(typed, country, LOOKUP_SHOWN)?;
        if self.args.json {
            print(&json!({ "services": services, "more": more }).to_string());
        } else if services.is_empty() {
            print(self.speaker.word(Word::NothingFound));
        } else {
            for service in &services {
                print(&draw::contacts::service(service, self.speaker));
            }
            if more {
                print("…");
            }
        }
        Ok(if services.is_empty() { exit::NOTHING } else { exit::OK })
    }

    fn list(&self) -> Result<u8, CommandError> {
        let lines = self.device.screenings()?;
        if self.args.json {
            print(&serde_json::Value::from_iter(lines.iter().map(report::line)).to_string());
        } else if lines.is_empty() {
            print(self.speaker.word(Word::NoCases));
        }
        for line in lines.iter().filter(|_| !self.args.json) {
            let state = self.speaker.word(if line.closed { Word::Sealed } else { Word::Open });
            let opened = draw::utc(line.opened_ms);
            print(&format!("{}  {}  {state}  {opened}  {}", line.code, line.memorable, line.screening));
        }
        Ok(if lines.is_empty() { exit::NOTHING } else { exit::OK })
    }

    /// The screening of this id, or the newest of the case with this code.
    fn find(&self, text: &str) -> Result<ScreeningLine, CommandError> {
        let wanted: Option<ScreeningId> = text.parse().ok();
        self.device
            .screenings()?
            .into_iter()
            .find(|line| Some(line.screening) == wanted || line.code.eq_ignore_ascii_case(text))
            .ok_or(CommandError::NotFound("screening"))
    }

    fn show(&self, text: &str) -> Result<u8, CommandError> {
        let line = self.find(text)?;
        let id = line.screening;
        if self.args.json {
            print(&serde_json::to_string_pretty(&report::screening(self.device, id)?).unwrap_or_default());
            return Ok(exit::OK);
        }
        let checklist = self.device.checklist_of(id)?;
        let policy = self.device.policy_of(id)?;
        if let (Content::Checklist(checklist), Content::Policy(policy)) =
            (&*checklist.content, &*policy.content)
        {
            let lang = self.speaker.lang();
            let assessment = match self.device.explain(id) {
                Err(Error::Erased) => {
                    let outcomes = self.device.screening(id)?.outcomes;
                    print(&draw::outcome::recorded(&outcomes, policy, self.speaker));
                    return Ok(exit::OK);
                }
                other => other?,
            };
            print(&draw::outcome::outcome(&assessment, policy, checklist, &lang, self.speaker));
            print(&draw::steps::protocol(&self.device.protocol(id)?, &lang, self.speaker));
        }
        if self.device.next(id)? != NextStep::End {
            print(self.speaker.word(Word::Open));
        }
        Ok(exit::OK)
    }

    fn explain(&self, text: &str) -> Result<u8, CommandError> {
        let id = self.find(text)?.screening;
        let assessment = self.device.explain(id)?;
        if self.args.json {
            print(&serde_json::to_string_pretty(&assessment).unwrap_or_default());
            return Ok(exit::OK);
        }
        let checklist = self.device.checklist_of(id)?;
        if let Content::Checklist(content) = &*checklist.content {
            print(&draw::outcome::explanation(&assessment, content, self.speaker));
        }
        Ok(exit::OK)
    }

    fn verify(&self) -> Result<u8, CommandError> {
        let found = self.device.verify()?;
        let whole = found.is_whole() && self.device.findings().is_empty();
        if self.args.json {
            print(&report::verify(&found, self.device.findings()).to_string());
        } else {
            let word = if whole { Word::VerifyWhole } else { Word::VerifyBroken };
            print(&format!("{} {}", self.speaker.word(word), found.facts));
            for fault in &found.faults {
                print(&format!("  ! {fault:?}"));
            }
            for finding in self.device.findings() {
                print(&format!("  ! {:?}, {}", finding.kind, draw::utc(finding.found_ms)));
            }
            print(&format!("{}:", self.speaker.word(Word::CannotSee)));
            for blind in &found.blind {
                let word = match blind {
                    Blind::EverythingSetBack => Word::BlindSetBack,
                    Blind::PurgedBodies => Word::BlindPurged,
                };
                print(&format!("  – {}", self.speaker.word(word)));
            }
        }
        Ok(if whole { exit::OK } else { exit::FAULTS })
    }

    fn packs(&self, command: &ContentCommand) -> Result<u8, CommandError> {
        if let ContentCommand::Install { file } = command {
            let io = |why| CommandError::Io { place: file.display().to_string(), why };
            let bytes = std::fs::read(file).map_err(io)?;
            let installed = self.device.install(&bytes)?;
            print(&report::installed(&installed).to_string());
            return Ok(exit::OK);
        }
        for line in self.device.packs()? {
            if self.args.json {
                print(&report::pack(&line).to_string());
                continue;
            }
            let current = if line.current { "*" } else { " " };
            let expired = match line.expired {
                true => format!("  {} {}", self.speaker.word(Word::PackExpired), line.header.expires),
                false => String::new(),
            };
            let header = &line.header;
            let kind = header.kind.as_str();
            print(&format!("{current} {kind:10} {} {}{expired}", header.id, header.version));
        }
        Ok(exit::OK)
    }
}
